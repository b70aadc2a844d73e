//! The history of one subject, as people read it.

use std::collections::BTreeMap;

use hazardloop_domain::command::Origin;
use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::hazard::EventRecord;
use hazardloop_domain::inspection::InspectionEventRecord;
use hazardloop_domain::time::Timestamp;
use hazardloop_domain::time_proof::TimeProof;
use uuid::Uuid;

use crate::failure::Failure;
use crate::store::events;
pub use crate::store::events::StoredEvent;
use crate::store::{Conn, StoreError, lists};
use crate::usecases::time_proof;

/// One event of a subject's history, as stored and as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry<R> {
    /// As stored, with its hashes.
    pub stored: StoredEvent,
    /// What it says.
    pub record: R,
    /// The name of who did it; absent for the server itself.
    pub actor_name: Option<String>,
    /// When it was done, and what proves it.
    pub time_proof: TimeProof,
}

/// A record of an event, as this file reads it.
pub(super) trait Happened: for<'b> minicbor::Decode<'b, ()> {
    /// By which door it came.
    fn origin(&self) -> &Origin;
}

impl Happened for EventRecord {
    fn origin(&self) -> &Origin {
        &self.origin
    }
}

impl Happened for InspectionEventRecord {
    fn origin(&self) -> &Origin {
        &self.origin
    }
}

/// A subject's events after `after_seq`, oldest first, at most `limit`. Whether the reader may see
/// the subject was asked before.
///
/// # Errors
/// When the database does not answer or an event cannot be read.
pub(super) fn entries<R: Happened>(
    conn: &mut Conn,
    subject: Uuid,
    after_seq: i64,
    limit: usize,
) -> Result<Vec<HistoryEntry<R>>, Failure> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let stored = events::history(conn, &subject, after_seq, limit)?;
    let names = names(conn, &stored)?;
    let entries: Result<Vec<HistoryEntry<R>>, Failure> = stored
        .into_iter()
        .map(|stored| entry(stored, &names))
        .collect();
    let mut entries = entries?;
    let sent = |entry: &HistoryEntry<R>| {
        let origin = entry.record.origin();
        let (install_id, seq) = origin.install_id.zip(origin.seq)?;
        Some(SentCommand { install_id, seq })
    };
    let proofs = time_proof::proofs(conn, entries.iter().filter_map(sent))?;
    for entry in &mut entries {
        let found = sent(entry).and_then(|command| proofs.get(&command).cloned());
        if let Some(found) = found {
            // The event's own time is in the hash chain; the command's is the same.
            let received = std::mem::replace(&mut entry.time_proof, found);
            let found = &mut entry.time_proof;
            let claimed_at = entry.record.origin().made.as_ref().map(|made| made.wall);
            let by = found.witnessed_by.take();
            *found = TimeProof {
                not_before: found.not_before,
                clock: found.clock,
                claimed_at,
                ..received
            }
            .with_witness(by);
        }
    }
    Ok(entries)
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

fn entry<R: Happened>(
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
        time_proof: TimeProof::received(Timestamp::from_millis(stored.recorded_at)),
        stored,
        record,
        actor_name,
    })
}
