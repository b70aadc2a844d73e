//! The chain over all events of the server: its newest hash is the audit head.

use diesel::QueryResult;
use diesel::prelude::*;
use hazardloop_domain::command::SubjectKind;
use hazardloop_domain::hash::{Digest, HashAlgorithm};

use super::batch::in_arrays;
use super::events::Sealable;
use super::schema::{audit_chain, events, hazards, inspections, server_meta};
use super::{Conn, Position, StoreError, WriteTx, on_any, portable::Portable};

/// Separates chain hashes from every other use of the same hash function.
const CHAIN_DOMAIN: &[u8] = b"hazardloop audit v1";

/// Serialises those who extend the chain, across servers.
const LOCK: &str = "audit_chain_lock";

/// One link.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
// Without this the statement is parsed anew each time: it might say DEFAULT.
#[diesel(table_name = audit_chain, treat_none_as_default_value = false)]
pub struct Link {
    /// Place in the chain, from 1 without gaps.
    pub position: i64,
    /// The event's place in the commit order.
    pub tx: i64,
    /// See `tx`.
    pub ordinal: i32,
    /// The event's subject.
    pub subject_id: Vec<u8>,
    /// The event's place in its subject's history.
    pub subject_seq: i64,
    /// The event's hash.
    pub event_hash: Vec<u8>,
    /// Which hash.
    pub hash_algorithm: i32,
    /// Over the link before and this event's hash.
    pub chain_hash: Vec<u8>,
}

/// The hash of a link.
pub fn chain_hash(previous: &Digest, event_hash: &[u8]) -> Digest {
    Digest::sha256_of_parts(&[CHAIN_DOMAIN, previous.as_bytes(), event_hash])
}

/// The newest link.
///
/// # Errors
/// When the database does not answer.
pub fn newest(conn: &mut Conn) -> Result<Option<Link>, StoreError> {
    Ok(audit_chain::table
        .order(audit_chain::position.desc())
        .select(Link::as_select())
        .first(conn)
        .optional()?)
}

/// Links after `position`, in order, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn links(conn: &mut Conn, position: i64, limit: i64) -> Result<Vec<Link>, StoreError> {
    Ok(audit_chain::table
        .filter(audit_chain::position.gt(position))
        .order(audit_chain::position)
        .limit(limit)
        .select(Link::as_select())
        .load(conn)?)
}

/// Takes the lock on the chain until this transaction ends.
///
/// # Errors
/// When the database does not answer.
pub fn lock(tx: &mut WriteTx<'_>) -> Result<(), StoreError> {
    let row = (server_meta::name.eq(LOCK), server_meta::value.eq(""));
    let statement = diesel::insert_into(server_meta::table)
        .values(row)
        .on_conflict(server_meta::name)
        .do_update()
        .set(server_meta::value.eq(""));
    Portable(statement).execute(tx.conn())?;
    Ok(())
}

/// Appends a link for each event. The caller holds the [`lock`].
///
/// # Errors
/// When the database does not answer.
pub fn extend(
    tx: &mut WriteTx<'_>,
    newest: Option<&Link>,
    sealed: Vec<Sealable>,
) -> Result<(), StoreError> {
    let mut position = newest.map_or(0, |link| link.position);
    let mut hash = match newest {
        None => Digest::ZERO,
        Some(link) => Digest::from_slice(&link.chain_hash).ok_or_else(|| StoreError::Corrupt {
            what: "the newest audit link".to_owned(),
        })?,
    };
    let mut links = Vec::with_capacity(sealed.len());
    for event in sealed {
        position = position.saturating_add(1);
        hash = chain_hash(&hash, &event.hash);
        links.push(Link {
            position,
            tx: event.tx,
            ordinal: event.ordinal,
            subject_id: event.subject_id,
            subject_seq: event.subject_seq,
            event_hash: event.hash,
            hash_algorithm: HashAlgorithm::Sha256.id(),
            chain_hash: hash.as_bytes().to_vec(),
        });
    }
    in_arrays!(links, |array| insert(tx.conn(), array)?);
    Ok(())
}

fn insert<const N: usize>(conn: &mut Conn, links: [Link; N]) -> QueryResult<usize> {
    on_any!(conn, |c| diesel::insert_into(audit_chain::table)
        .values(links)
        .execute(c))
}

impl Link {
    /// The event's place in the commit order.
    pub fn event_position(&self) -> Position {
        Position {
            tx: self.tx,
            ordinal: self.ordinal,
        }
    }
}

/// The hash of the event at this place of this subject's history, as the events table has it.
///
/// # Errors
/// When the database does not answer.
pub fn stored_hash(
    conn: &mut Conn,
    subject_id: &[u8],
    subject_seq: i64,
) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(events::table
        .filter(events::subject_id.eq(subject_id.to_vec()))
        .filter(events::subject_seq.eq(subject_seq))
        .select(events::hash)
        .first(conn)
        .optional()?)
}

/// The row of a hazard or an inspection, as far as a check compares it with the history.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct SubjectRow {
    /// Which.
    pub id: Vec<u8>,
    /// Number of its events.
    pub version: i64,
    /// Hash of its newest event.
    pub head_hash: Vec<u8>,
}

macro_rules! rows_of {
    ($conn:expr, $table:ident, $after:expr, $limit:expr) => {
        $table::table
            .filter($table::id.gt($after.to_vec()))
            .order($table::id)
            .limit($limit)
            .select(($table::id, $table::version, $table::head_hash))
            .load($conn)?
    };
}

/// Hazards or inspections by id, after `after`, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn subject_rows(
    conn: &mut Conn,
    kind: SubjectKind,
    after: &[u8],
    limit: i64,
) -> Result<Vec<SubjectRow>, StoreError> {
    Ok(match kind {
        SubjectKind::Hazard => rows_of!(conn, hazards, after, limit),
        SubjectKind::Inspection => rows_of!(conn, inspections, after, limit),
    })
}
