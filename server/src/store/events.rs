//! Events: append-only rows, one hash chain a subject.

use diesel::QueryResult;
use diesel::prelude::*;
use hazardloop_domain::hash::{Digest, HashAlgorithm};
use hazardloop_domain::hazard::{EventHeader, event_hash};
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use super::batch::in_arrays;
use super::schema::events;
use super::{Conn, Position, StoreError, WriteTx, on_any, rows_after};

/// One stored event.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
// Without this the statement is parsed anew each time: it might say DEFAULT.
#[diesel(table_name = events, treat_none_as_default_value = false)]
pub struct StoredEvent {
    /// Transaction, the first half of its place in the commit order.
    pub tx: i64,
    /// The second half.
    pub ordinal: i32,
    /// `hazard`, `enterprise`, `person`, `device` and so on; the same in the whole history of an id.
    pub subject_kind: String,
    /// Of which subject.
    pub subject_id: Vec<u8>,
    /// Place in that subject's history, from 1.
    pub subject_seq: i64,
    /// What happened.
    pub kind: String,
    /// Who; absent: the server itself.
    pub actor_id: Option<Vec<u8>>,
    /// When the server recorded it, milliseconds.
    pub recorded_at: i64,
    /// The hashed CBOR.
    pub body: Vec<u8>,
    /// Which hash.
    pub hash_algorithm: i32,
    /// Hash of the event before; zeros for the first.
    pub previous_hash: Vec<u8>,
    /// Hash of this one.
    pub hash: Vec<u8>,
}

impl StoredEvent {
    /// The hash that this row has when it follows `previous`.
    pub fn computed_hash(&self, previous: &Digest) -> Digest {
        let header = EventHeader {
            subject_kind: &self.subject_kind,
            subject_id: &self.subject_id,
            seq: self.subject_seq,
            kind: &self.kind,
            actor_id: self.actor_id.as_deref().unwrap_or_default(),
            recorded_at: self.recorded_at,
        };
        event_hash(previous, &header, &self.body)
    }
}

/// What is new about an event; its place and hashes follow from the history.
#[derive(Clone, Copy, Debug)]
pub struct NewEvent<'a> {
    /// See [`StoredEvent::subject_kind`].
    pub subject_kind: &'a str,
    /// Of which subject.
    pub subject_id: &'a Uuid,
    /// What happened.
    pub kind: &'a str,
    /// Who.
    pub actor: Option<PersonId>,
    /// When.
    pub recorded_at: Timestamp,
    /// The CBOR to hash.
    pub body: &'a [u8],
}

/// The end of a subject's history: the number of events so far and the newest one's hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Events so far.
    pub seq: i64,
    /// Hash of the newest; zeros when there is none.
    pub hash: Digest,
}

impl Head {
    /// No history yet.
    pub const NONE: Self = Self {
        seq: 0,
        hash: Digest::ZERO,
    };
}

/// An event in its place in the subject's history, not yet in the commit order.
#[derive(Clone, Debug)]
pub struct Linked(StoredEvent);

/// Chains one event after `head`: the row to store, and the new head.
pub fn link(head: Head, event: NewEvent<'_>) -> (Linked, Head) {
    let mut row = StoredEvent {
        tx: 0,
        ordinal: 0,
        subject_kind: event.subject_kind.to_owned(),
        subject_id: event.subject_id.as_bytes().to_vec(),
        subject_seq: head.seq.saturating_add(1),
        kind: event.kind.to_owned(),
        actor_id: event.actor.map(|id| id.as_bytes().to_vec()),
        recorded_at: event.recorded_at.as_millis(),
        body: event.body.to_vec(),
        hash_algorithm: HashAlgorithm::Sha256.id(),
        previous_hash: head.hash.as_bytes().to_vec(),
        hash: Vec::new(),
    };
    let hash = row.computed_hash(&head.hash);
    row.hash = hash.as_bytes().to_vec();
    let seq = row.subject_seq;
    (Linked(row), Head { seq, hash })
}

/// Stores events in the order given. Two writers that append after the same head collide in the
/// unique index; the store runs the later one again.
///
/// # Errors
/// [`StoreError::Stale`] when another event took a place; others when the database does not
/// answer.
pub fn append_all(tx: &mut WriteTx<'_>, linked: Vec<Linked>) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(linked.len());
    for Linked(mut row) in linked {
        let position = tx.next_position()?;
        (row.tx, row.ordinal) = (position.tx, position.ordinal);
        rows.push(row);
    }
    in_arrays!(rows, |array| insert(tx.conn(), array)
        .map_err(taken_meanwhile)?);
    Ok(())
}

fn insert<const N: usize>(conn: &mut Conn, rows: [StoredEvent; N]) -> QueryResult<usize> {
    on_any!(conn, |c| diesel::insert_into(events::table)
        .values(rows)
        .execute(c))
}

fn taken_meanwhile(error: diesel::result::Error) -> StoreError {
    let error = StoreError::from(error);
    if error.is_duplicate_in("events") {
        return StoreError::Stale { what: "history" };
    }
    error
}

/// Appends one event to the history that the subject has.
///
/// # Errors
/// As [`append_all`]; [`StoreError::IdTaken`] when the history under the id is that of another kind of
/// thing.
pub fn append(tx: &mut WriteTx<'_>, event: NewEvent<'_>) -> Result<Head, StoreError> {
    let head = head(tx.conn(), event.subject_kind, event.subject_id)?;
    let (linked, head) = link(head, event);
    append_all(tx, vec![linked])?;
    Ok(head)
}

/// The end of a subject's history.
///
/// # Errors
/// [`StoreError::IdTaken`] when it is the history of another kind of thing: its events would lie in
/// between, and the next one of either would find its place taken for ever. Others when the database
/// does not answer.
pub fn head(conn: &mut Conn, subject_kind: &str, subject_id: &Uuid) -> Result<Head, StoreError> {
    let newest: Option<(i64, Vec<u8>, String)> = events::table
        .filter(events::subject_id.eq(subject_id.as_bytes().to_vec()))
        .order(events::subject_seq.desc())
        .select((events::subject_seq, events::hash, events::subject_kind))
        .first(conn)
        .optional()?;
    let Some((seq, hash, kind)) = newest else {
        return Ok(Head::NONE);
    };
    if kind != subject_kind {
        return Err(StoreError::IdTaken);
    }
    let hash = Digest::from_slice(&hash).ok_or_else(|| StoreError::Corrupt {
        what: "an event hash of odd length".to_owned(),
    })?;
    Ok(Head { seq, hash })
}

/// Which of `subjects` have a history, as whatever they are.
///
/// # Errors
/// When the database does not answer.
pub fn known(conn: &mut Conn, subjects: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let first = events::table.filter(events::subject_seq.eq(1));
    let found: Vec<Vec<u8>> = match subjects {
        [] => Vec::new(),
        // The usual case; its statement is prepared once.
        [only] => first
            .filter(events::subject_id.eq(only.as_bytes().to_vec()))
            .select(events::subject_id)
            .load(conn)?,
        many => {
            let many: Vec<Vec<u8>> = many.iter().map(|id| id.as_bytes().to_vec()).collect();
            on_any!(conn, |c| first
                .filter(events::subject_id.eq_any(many))
                .select(events::subject_id)
                .load(c))?
        }
    };
    Ok(found
        .iter()
        .filter_map(|id| Uuid::from_slice(id).ok())
        .collect())
}

/// A subject's events after `after_seq`, oldest first, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn history(
    conn: &mut Conn,
    subject_id: &Uuid,
    after_seq: i64,
    limit: i64,
) -> Result<Vec<StoredEvent>, StoreError> {
    Ok(events::table
        .filter(events::subject_id.eq(subject_id.as_bytes().to_vec()))
        .filter(events::subject_seq.gt(after_seq))
        .order(events::subject_seq)
        .limit(limit)
        .select(StoredEvent::as_select())
        .load(conn)?)
}

/// What the audit chain takes of an event.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = events)]
pub struct Sealable {
    /// See [`StoredEvent::tx`].
    pub tx: i64,
    /// See [`StoredEvent::ordinal`].
    pub ordinal: i32,
    /// See [`StoredEvent::subject_id`].
    pub subject_id: Vec<u8>,
    /// See [`StoredEvent::subject_seq`].
    pub subject_seq: i64,
    /// See [`StoredEvent::hash`].
    pub hash: Vec<u8>,
}

/// Events of all subjects in commit order, after `after` and below `horizon`.
///
/// # Errors
/// When the database does not answer.
pub fn in_commit_order(
    conn: &mut Conn,
    after: Position,
    horizon: i64,
    limit: i64,
) -> Result<Vec<Sealable>, StoreError> {
    Ok(events::table
        .filter(rows_after!(events, after))
        .filter(events::tx.lt(horizon))
        .order((events::tx, events::ordinal))
        .limit(limit)
        .select(Sealable::as_select())
        .load(conn)?)
}

/// Events by subject and place, for checking every chain in one pass without holding them all.
///
/// # Errors
/// When the database does not answer.
pub fn by_subject(
    conn: &mut Conn,
    after: &(Vec<u8>, i64),
    limit: i64,
) -> Result<Vec<StoredEvent>, StoreError> {
    let (subject, seq) = after.clone();
    Ok(events::table
        .filter(events::subject_id.ge(subject.clone()))
        .filter(
            events::subject_id
                .gt(subject)
                .or(events::subject_seq.gt(seq)),
        )
        .order((events::subject_id, events::subject_seq))
        .limit(limit)
        .select(StoredEvent::as_select())
        .load(conn)?)
}

#[derive(QueryableByName)]
struct Unlinked {
    #[diesel(sql_type = diesel::sql_types::Binary)]
    subject_id: Vec<u8>,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    subject_seq: i64,
}

/// Events up to `newest` in commit order that the audit chain does not know, at most 1,000: the
/// chain is extended in that order, so they were put there afterwards.
///
/// # Errors
/// When the database does not answer.
pub fn not_in_chain(conn: &mut Conn, newest: Position) -> Result<Vec<(Vec<u8>, i64)>, StoreError> {
    let rows: Vec<Unlinked> = diesel::sql_query(
        "SELECT e.subject_id, e.subject_seq FROM events e \
         WHERE (e.tx < $1 OR (e.tx = $2 AND e.ordinal <= $3)) \
         AND NOT EXISTS (SELECT 1 FROM audit_chain c WHERE c.tx = e.tx AND c.ordinal = e.ordinal) \
         ORDER BY e.subject_id, e.subject_seq LIMIT 1000",
    )
    .bind::<diesel::sql_types::BigInt, _>(newest.tx)
    .bind::<diesel::sql_types::BigInt, _>(newest.tx)
    .bind::<diesel::sql_types::Integer, _>(newest.ordinal)
    .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| (row.subject_id, row.subject_seq))
        .collect())
}
