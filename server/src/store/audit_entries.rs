//! What the door to the audit chain shows: events without what they say, newest first, each with its
//! link.

use std::collections::BTreeMap;

use diesel::prelude::*;
use uuid::Uuid;

use super::audit::Link;
use super::schema::{audit_chain, events};
use super::{Conn, Position, StoreError, on_any};

/// An event as the chain knows it: its body is for those who may see its subject.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = events)]
pub struct Witnessed {
    /// See [`super::events::StoredEvent::tx`].
    pub tx: i64,
    /// See [`super::events::StoredEvent::ordinal`].
    pub ordinal: i32,
    /// See [`super::events::StoredEvent::subject_kind`].
    pub subject_kind: String,
    /// See [`super::events::StoredEvent::subject_id`].
    pub subject_id: Vec<u8>,
    /// See [`super::events::StoredEvent::subject_seq`].
    pub subject_seq: i64,
    /// See [`super::events::StoredEvent::kind`].
    pub kind: String,
    /// See [`super::events::StoredEvent::actor_id`].
    pub actor_id: Option<Vec<u8>>,
    /// See [`super::events::StoredEvent::recorded_at`].
    pub recorded_at: i64,
    /// See [`super::events::StoredEvent::previous_hash`].
    pub previous_hash: Vec<u8>,
    /// See [`super::events::StoredEvent::hash`].
    pub hash: Vec<u8>,
}

impl Witnessed {
    /// Its place in the commit order.
    pub const fn position(&self) -> Position {
        Position {
            tx: self.tx,
            ordinal: self.ordinal,
        }
    }
}

/// Events of all subjects before `before` and below `horizon`, newest first, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn newest_first(
    conn: &mut Conn,
    before: Position,
    horizon: i64,
    limit: i64,
) -> Result<Vec<Witnessed>, StoreError> {
    let earlier = events::tx
        .lt(before.tx)
        .or(events::ordinal.lt(before.ordinal));
    Ok(events::table
        .filter(events::tx.le(before.tx))
        .filter(earlier)
        .filter(events::tx.lt(horizon))
        .order((events::tx.desc(), events::ordinal.desc()))
        .limit(limit)
        .select(Witnessed::as_select())
        .load(conn)?)
}

/// What has a history under an id; `None`: nothing has.
///
/// # Errors
/// When the database does not answer.
pub fn kind_of(conn: &mut Conn, subject_id: &Uuid) -> Result<Option<String>, StoreError> {
    // The first event: whoever began it.
    Ok(events::table
        .filter(events::subject_id.eq(subject_id.as_bytes().to_vec()))
        .order(events::subject_seq)
        .select(events::subject_kind)
        .first(conn)
        .optional()?)
}

/// Events of one subject of this kind before its `before`th, newest first, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn of_subject(
    conn: &mut Conn,
    (subject_kind, subject_id): (&str, &Uuid),
    before: i64,
    limit: i64,
) -> Result<Vec<Witnessed>, StoreError> {
    Ok(events::table
        .filter(events::subject_id.eq(subject_id.as_bytes().to_vec()))
        .filter(events::subject_seq.lt(before))
        .filter(events::subject_kind.eq(subject_kind.to_owned()))
        .order(events::subject_seq.desc())
        .limit(limit)
        .select(Witnessed::as_select())
        .load(conn)?)
}

/// The links of those of these events that are in the chain, by their place in the commit order.
///
/// # Errors
/// When the database does not answer.
pub fn links_of(
    conn: &mut Conn,
    events: &[Witnessed],
) -> Result<BTreeMap<Position, Link>, StoreError> {
    if events.is_empty() {
        return Ok(BTreeMap::new());
    }
    let distinct = |mut all: Vec<i64>| {
        all.sort_unstable();
        all.dedup();
        all
    };
    let transactions = distinct(events.iter().map(|event| event.tx).collect());
    let ordinals = distinct(
        events
            .iter()
            .map(|event| i64::from(event.ordinal))
            .collect(),
    );
    let ordinals: Vec<i32> = ordinals
        .into_iter()
        .filter_map(|ordinal| i32::try_from(ordinal).ok())
        .collect();
    // Some of others in the same transactions may come too.
    let links: Vec<Link> = on_any!(conn, |c| audit_chain::table
        .filter(audit_chain::tx.eq_any(&transactions))
        .filter(audit_chain::ordinal.eq_any(&ordinals))
        .select(Link::as_select())
        .load(c))?;
    let placed = links.into_iter().map(|link| (link.event_position(), link));
    Ok(placed.collect())
}
