//! One hazard and its history, for those who may see it.

use hazardloop_domain::access::Actor;
use hazardloop_domain::command::ActionKind;
use hazardloop_domain::hazard::{EventRecord, Hazard};
use hazardloop_domain::ids::{HazardId, PersonId};
use hazardloop_domain::policy;
use hazardloop_domain::time::Timestamp;

use super::history::{self, HistoryEntry};
use crate::app::App;
use crate::failure::Failure;
use crate::store::{Conn, hazards};
use crate::usecases::reach::Reach;

/// A hazard as one person meets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The hazard.
    pub hazard: Hazard,
    /// What this person may do with it, as far as state and role go.
    pub allowed_actions: Vec<ActionKind>,
    /// Whether it is overdue at the time of asking.
    pub overdue: bool,
}

/// The hazard, and the person as an actor over it.
///
/// # Errors
/// [`Failure::NotFound`] when there is none, or none for this person.
pub fn visible(
    conn: &mut Conn,
    person_id: PersonId,
    id: HazardId,
    now: Timestamp,
) -> Result<(Hazard, Actor), Failure> {
    let unknown = Failure::NotFound("hazard");
    let Some(loaded) = hazards::load(conn, id)? else {
        return Err(unknown);
    };
    let reach = Reach::of(conn, person_id, now)?;
    match reach.seen(conn, &loaded.hazard)? {
        Some(seen) => Ok((loaded.hazard, seen.actor)),
        None => Err(unknown),
    }
}

/// One hazard as `person_id` may see it.
///
/// # Errors
/// As [`visible`].
pub async fn one(app: &App, person_id: PersonId, id: HazardId) -> Result<Seen, Failure> {
    let now = app.clock.now();
    app.db
        .read(move |tx| {
            let (hazard, actor) = visible(tx.conn(), person_id, id, now)?;
            let allowed_actions = policy::allowed_actions(Some(&hazard), &actor);
            let overdue = hazard.is_overdue(now);
            Ok(Seen {
                hazard,
                allowed_actions,
                overdue,
            })
        })
        .await
}

/// The history of a hazard after `after_seq`, oldest first, at most `limit` entries.
///
/// # Errors
/// As [`visible`].
pub async fn history(
    app: &App,
    person_id: PersonId,
    id: HazardId,
    after_seq: i64,
    limit: usize,
) -> Result<Vec<HistoryEntry<EventRecord>>, Failure> {
    let now = app.clock.now();
    app.db
        .read(move |tx| {
            visible(tx.conn(), person_id, id, now)?;
            history::entries(tx.conn(), id.0, after_seq, limit)
        })
        .await
}
