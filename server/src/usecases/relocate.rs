//! Moving an enterprise, and with it all its hazards, to another jurisdiction.
//!
//! The enterprise moves in one transaction with as many of its hazards as the settings allow; a job
//! brings the others, as many at a time. Each hazard is wholly in the old place or wholly in the new
//! one, and whatever is reported after the enterprise has moved is in the new one from the
//! beginning. Where the hazards go is read again for each lot, so that a second move before the first
//! has ended, or a server that dies in between, leaves none behind and takes none twice.

use hazardloop_domain::command::{Action, Command, FollowEnterprise, Subject};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::ids::{EnterpriseId, HazardId, JurisdictionId, PersonId};
use hazardloop_domain::operations::Operation;
use hazardloop_domain::text::{self, SHORT_TEXT_MAX};
use hazardloop_domain::time::Timestamp;

use super::enqueue::enqueue;
use super::enterprises::{Change, require_keeper, store, visible, wake};
use super::execute::{Door, Sender};
use super::reach::Seat;
use crate::app::App;
use crate::failure::Failure;
use crate::store::jobs::JobKind;
use crate::store::lists::Key;
use crate::store::{WriteTx, enterprises, places};

/// Lots that one run of the job brings before other jobs have their turn.
pub const LOTS_AT_A_TIME: usize = 10;

/// A move that somebody asks for.
#[derive(Clone, Debug)]
pub struct Move {
    /// The version of the enterprise that they saw.
    pub seen: i64,
    /// Where to.
    pub to: JurisdictionId,
    /// Why.
    pub reason: String,
}

/// Moves an enterprise out of the scopes it leaves and into the new ones, and its hazards with it or
/// soon after. Moving it to where it is already changes nothing, whatever its version.
///
/// # Errors
/// [`Failure::Forbidden`] without the role over both the old and the new jurisdiction;
/// [`Failure::PreconditionFailed`] when it has another version.
pub async fn relocate(
    app: &App,
    person_id: PersonId,
    id: EnterpriseId,
    asked: Move,
) -> Result<Enterprise, Failure> {
    text::required("reason", &asked.reason, SHORT_TEXT_MAX)?;
    let door = Door::new(app);
    let app = app.clone();
    app.clone()
        .db
        .write(move |tx| {
            let now = app.clock.now();
            enterprises::hold_for_move(tx, id)?;
            let (before, _) = visible(tx.conn(), person_id, id, now)?;
            let seat = Seat::of(&before);
            let there = Seat {
                jurisdiction_id: asked.to,
                ..seat.clone()
            };
            for seat in [seat, there] {
                require_keeper(tx.conn(), person_id, Operation::MoveEnterprises, &seat, now)?;
            }
            if before.jurisdiction_id == asked.to {
                return Ok(before);
            }
            if before.version != asked.seen {
                return Err(Failure::PreconditionFailed {
                    current: before.version,
                });
            }
            let mut after = before.clone();
            after.jurisdiction_id = asked.to;
            after.version = before.version.saturating_add(1);
            let change = Change {
                kind: "relocated",
                actor: Some(person_id),
                reason: Some(&asked.reason),
                now,
            };
            store(tx, &app.digest_key, &after, Some(&before), &change)?;
            if bring(tx, &app, &door, &after, None, now)?.is_some() {
                // Without a key: one of an earlier move may be ending at this very moment.
                let kind = JobKind::FollowEnterprise;
                enqueue(tx, &app, kind, None, id.to_string(), now)?;
            }
            wake(&app, tx);
            Ok(after)
        })
        .await
}

/// Brings hazards after an enterprise that has moved, [`LOTS_AT_A_TIME`]. Answers whether all are
/// where it is.
///
/// # Errors
/// When the database does not answer; what was brought by then stays.
pub async fn follow(app: &App, id: EnterpriseId) -> Result<bool, Failure> {
    let mut after = None;
    for _ in 0..LOTS_AT_A_TIME {
        after = follow_once(app, id, after).await?;
        if after.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Brings one lot. Answers the last one brought, when there may be more behind it.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn follow_once(
    app: &App,
    id: EnterpriseId,
    after: Option<Key>,
) -> Result<Option<Key>, Failure> {
    let door = Door::new(app);
    let app = app.clone();
    app.clone()
        .db
        .write(move |tx| {
            enterprises::hold_against_moves(tx, id)?;
            let Some(enterprise) = places::enterprise(tx.conn(), id)? else {
                return Ok(None);
            };
            bring(tx, &app, &door, &enterprise, after, app.clock.now())
        })
        .await
}

/// As many hazards as one transaction moves follow the enterprise through the one door, as acts of
/// the server. Answers the last one, when there are more behind it.
fn bring(
    tx: &mut WriteTx<'_>,
    app: &App,
    door: &Door,
    enterprise: &Enterprise,
    after: Option<Key>,
    now: Timestamp,
) -> Result<Option<Key>, Failure> {
    let most = app.settings.hazards.moved_at_once.max(1);
    let wanted = i64::try_from(most.saturating_add(1)).unwrap_or(i64::MAX);
    let (id, to) = (enterprise.id, enterprise.jurisdiction_id);
    let mut elsewhere = enterprises::hazards_elsewhere(tx.conn(), id, to, after, wanted)?;
    let more = elsewhere.len() > most;
    elsewhere.truncate(most);
    let ids: Vec<HazardId> = elsewhere.iter().map(|key| HazardId(key.id)).collect();
    let mut set = door.open(now);
    let subjects: Vec<Subject> = ids.iter().copied().map(Subject::Hazard).collect();
    set.expect(tx.conn(), &subjects)?;
    for hazard_id in ids {
        let action = Action::FollowEnterprise(FollowEnterprise {
            jurisdiction_id: to,
        });
        set.decide(tx, &Command::new(hazard_id, action), &Sender::SERVER)?;
    }
    set.store(tx)?;
    Ok(elsewhere.last().copied().filter(|_| more))
}

#[cfg(test)]
#[path = "relocate_tests.rs"]
mod tests;
