//! One hazard and its history, for those who may see it.

use std::collections::BTreeMap;

use hazardloop_domain::access::Actor;
use hazardloop_domain::command::ActionKind;
use hazardloop_domain::hazard::{EventRecord, Hazard};
use hazardloop_domain::ids::{HazardId, PersonId};
use hazardloop_domain::policy;
use hazardloop_domain::time::Timestamp;

use crate::app::App;
use crate::failure::Failure;
use crate::store::events::{self, StoredEvent};
use crate::store::{Conn, StoreError, hazards, lists};
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

/// One event of a hazard's history, as stored and as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// As stored, with its hashes.
    pub stored: StoredEvent,
    /// What it says.
    pub record: EventRecord,
    /// The name of who did it; absent for the server itself.
    pub actor_name: Option<String>,
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
) -> Result<Vec<HistoryEntry>, Failure> {
    let now = app.clock.now();
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    app.db
        .read(move |tx| {
            visible(tx.conn(), person_id, id, now)?;
            let stored = events::history(tx.conn(), &id.0, after_seq, limit)?;
            let names = names(tx.conn(), &stored)?;
            stored
                .into_iter()
                .map(|stored| entry(stored, &names))
                .collect()
        })
        .await
}

fn names(conn: &mut Conn, stored: &[StoredEvent]) -> Result<BTreeMap<Vec<u8>, String>, Failure> {
    let mut actors: Vec<Vec<u8>> = stored
        .iter()
        .filter_map(|event| event.actor_id.clone())
        .collect();
    actors.sort_unstable();
    actors.dedup();
    Ok(lists::names_of_people(conn, &actors)?)
}

fn entry(stored: StoredEvent, names: &BTreeMap<Vec<u8>, String>) -> Result<HistoryEntry, Failure> {
    let record = minicbor::decode(&stored.body).map_err(|error| StoreError::Corrupt {
        what: format!("an event: {error}"),
    })?;
    let actor_name = stored
        .actor_id
        .as_ref()
        .and_then(|id| names.get(id))
        .cloned();
    Ok(HistoryEntry {
        stored,
        record,
        actor_name,
    })
}
