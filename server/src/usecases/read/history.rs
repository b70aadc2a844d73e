//! The history of one subject, as people read it.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::failure::Failure;
use crate::store::events;
pub use crate::store::events::StoredEvent;
use crate::store::{Conn, StoreError, lists};

/// One event of a subject's history, as stored and as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry<R> {
    /// As stored, with its hashes.
    pub stored: StoredEvent,
    /// What it says.
    pub record: R,
    /// The name of who did it; absent for the server itself.
    pub actor_name: Option<String>,
}

/// A subject's events after `after_seq`, oldest first, at most `limit`. Whether the reader may see
/// the subject was asked before.
///
/// # Errors
/// When the database does not answer or an event cannot be read.
pub(super) fn entries<R: for<'b> minicbor::Decode<'b, ()>>(
    conn: &mut Conn,
    subject: Uuid,
    after_seq: i64,
    limit: usize,
) -> Result<Vec<HistoryEntry<R>>, Failure> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let stored = events::history(conn, &subject, after_seq, limit)?;
    let names = names(conn, &stored)?;
    stored
        .into_iter()
        .map(|stored| entry(stored, &names))
        .collect()
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

fn entry<R: for<'b> minicbor::Decode<'b, ()>>(
    stored: StoredEvent,
    names: &BTreeMap<Vec<u8>, String>,
) -> Result<HistoryEntry<R>, Failure> {
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
