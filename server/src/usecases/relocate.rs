//! Moving an enterprise, and with it all its hazards and inspections, to another jurisdiction.
//!
//! The enterprise moves in one transaction with as many of its records as the settings allow, hazards
//! first; a job brings the others, as many at a time. Each record is wholly in the old place or wholly
//! in the new one, and whatever begins after the enterprise has moved is in the new one from the
//! beginning. Where the records go is read again for each lot, so that a second move before the first
//! has ended, or a server that dies in between, leaves none behind and takes none twice.

use hazardloop_domain::command::{Action, Command, FollowEnterprise, Subject};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::ids::{EnterpriseId, HazardId, InspectionId, JurisdictionId, PersonId};
use hazardloop_domain::operations::Operation;
use hazardloop_domain::text::{self, SHORT_TEXT_MAX};
use hazardloop_domain::time::Timestamp;

use super::enqueue::enqueue;
use super::enterprises::{Change, require_keeper, store, visible, wake};
use super::execute::{Door, Sender};
use super::merge_jurisdictions::standing_for;
use super::reach::Seat;
use crate::app::App;
use crate::failure::Failure;
use crate::store::jobs::JobKind;
use crate::store::lists::Key;
use crate::store::{Conn, WriteTx, enterprises, inspections, places};

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

/// Where a move has got to: what comes after the last record that was brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behind {
    /// Hazards after this one, and all inspections.
    Hazards(Option<Key>),
    /// Inspections after this one.
    Inspections(Option<Key>),
}

impl Behind {
    /// Nothing was brought yet.
    pub(crate) const ALL: Self = Self::Hazards(None);
}

/// Moves an enterprise out of the scopes it leaves and into the new ones, and its records with it or
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
            if bring(tx, &app, &door, &after, Behind::ALL, now)?.is_some() {
                // Without a key: one of an earlier move may be ending at this very moment.
                let kind = JobKind::FollowEnterprise;
                enqueue(tx, &app, kind, None, id.to_string(), now)?;
            }
            wake(&app, tx);
            Ok(after)
        })
        .await
}

/// Brings records after an enterprise that has moved, [`LOTS_AT_A_TIME`]. Answers whether all are
/// where it is.
///
/// # Errors
/// When the database does not answer; what was brought by then stays.
pub async fn follow(app: &App, id: EnterpriseId) -> Result<bool, Failure> {
    let mut behind = Behind::ALL;
    for _ in 0..LOTS_AT_A_TIME {
        match follow_once(app, id, behind).await? {
            Some(more) => behind = more,
            None => return Ok(true),
        }
    }
    Ok(false)
}

/// Brings one lot of what is `behind`. Answers where to go on, when there is more.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn follow_once(
    app: &App,
    id: EnterpriseId,
    behind: Behind,
) -> Result<Option<Behind>, Failure> {
    let door = Door::new(app);
    let app = app.clone();
    app.clone()
        .db
        .write(move |tx| {
            enterprises::hold_against_moves(tx, id)?;
            let Some(enterprise) = places::enterprise(tx.conn(), id)? else {
                return Ok(None);
            };
            bring(tx, &app, &door, &enterprise, behind, app.clock.now())
        })
        .await
}

/// As many records as one transaction moves follow the enterprise through the one door, as acts of
/// the server. Answers where to go on, when there are more.
fn bring(
    tx: &mut WriteTx<'_>,
    app: &App,
    door: &Door,
    enterprise: &Enterprise,
    behind: Behind,
    now: Timestamp,
) -> Result<Option<Behind>, Failure> {
    let most = app.settings.hazards.moved_at_once.max(1);
    let Lot { subjects, more } = lot(tx.conn(), enterprise, behind, most)?;
    let mut set = door.open(now);
    set.expect(tx.conn(), &subjects)?;
    let change = FollowEnterprise {
        jurisdiction_id: enterprise.jurisdiction_id,
        merged_from: None,
    };
    // The place may have been merged while this was under way. Hazards find out themselves.
    let standing = FollowEnterprise {
        jurisdiction_id: standing_for(tx.conn(), enterprise.jurisdiction_id)?,
        ..change.clone()
    };
    for subject in subjects {
        let action = match subject {
            Subject::Hazard(_) => Action::FollowEnterprise(change.clone()),
            Subject::Inspection(_) => Action::InspectionFollowEnterprise(standing.clone()),
        };
        set.decide(tx, &Command::new(subject.id(), action), &Sender::SERVER)?;
    }
    set.store(tx)?;
    Ok(more)
}

/// What one transaction moves, and where the next goes on.
struct Lot {
    subjects: Vec<Subject>,
    more: Option<Behind>,
}

fn lot(
    conn: &mut Conn,
    enterprise: &Enterprise,
    behind: Behind,
    most: usize,
) -> Result<Lot, Failure> {
    let (id, to) = (enterprise.id, enterprise.jurisdiction_id);
    // One more than is moved tells whether there is more.
    let beyond = |room: usize| i64::try_from(room.saturating_add(1)).unwrap_or(i64::MAX);
    let mut subjects = Vec::new();
    let mut after = None;
    match behind {
        Behind::Hazards(last) => {
            let mut away = enterprises::hazards_elsewhere(conn, id, to, last, beyond(most))?;
            let more = away.len() > most;
            away.truncate(most);
            let hazard = |key: &Key| Subject::Hazard(HazardId(key.id));
            subjects.extend(away.iter().map(hazard));
            if more {
                let more = Some(Behind::Hazards(away.last().copied()));
                return Ok(Lot { subjects, more });
            }
        }
        Behind::Inspections(last) => after = last,
    }
    let room = most.saturating_sub(subjects.len());
    let mut away = inspections::elsewhere(conn, id, to, after, beyond(room))?;
    let more = away.len() > room;
    away.truncate(room);
    let inspection = |key: &Key| Subject::Inspection(InspectionId(key.id));
    subjects.extend(away.iter().map(inspection));
    let last = away.last().copied().or(after);
    let more = more.then_some(Behind::Inspections(last));
    Ok(Lot { subjects, more })
}

#[cfg(test)]
#[path = "relocate_tests.rs"]
mod tests;
