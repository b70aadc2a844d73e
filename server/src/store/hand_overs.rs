//! Hand-overs: who took over whose roles, when and why.

use std::collections::BTreeSet;

use diesel::prelude::*;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{GrantId, PersonId};
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use super::schema::{hand_over_grants, hand_overs};
use super::{Conn, StoreError, WriteTx, on_any};

/// A hand-over as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandOver {
    /// Which.
    pub id: Uuid,
    /// Whose roles ended.
    pub from_person: PersonId,
    /// Who holds them since.
    pub to_person: PersonId,
    /// Why.
    pub reason: String,
    /// From when on.
    pub effective_at: Timestamp,
    /// Who did it.
    pub made_by: PersonId,
    /// When it was done.
    pub made_at: Timestamp,
    /// What makes two requests the same request.
    pub request: Digest,
    /// Which grant ended, and which was given for it.
    pub grants: Vec<(GrantId, GrantId)>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = hand_overs)]
struct Row {
    id: Vec<u8>,
    from_person: Vec<u8>,
    to_person: Vec<u8>,
    reason: String,
    effective_at: i64,
    made_by: Vec<u8>,
    made_at: i64,
    request_hash: Vec<u8>,
}

fn corrupt() -> StoreError {
    StoreError::Corrupt {
        what: "a hand-over".to_owned(),
    }
}

fn read(row: &Row, grants: &[(Vec<u8>, Vec<u8>, Vec<u8>)]) -> Option<HandOver> {
    let own = grants.iter().filter(|(of, ..)| *of == row.id);
    let pair = |(_, ended, given): &(Vec<u8>, Vec<u8>, Vec<u8>)| {
        Some((GrantId::from_slice(ended)?, GrantId::from_slice(given)?))
    };
    Some(HandOver {
        id: Uuid::from_slice(&row.id).ok()?,
        from_person: PersonId::from_slice(&row.from_person)?,
        to_person: PersonId::from_slice(&row.to_person)?,
        reason: row.reason.clone(),
        effective_at: Timestamp::from_millis(row.effective_at),
        made_by: PersonId::from_slice(&row.made_by)?,
        made_at: Timestamp::from_millis(row.made_at),
        request: Digest::from_slice(&row.request_hash)?,
        grants: own.map(pair).collect::<Option<_>>()?,
    })
}

/// Stores a hand-over that there was not before, of grants that were never handed over.
///
/// # Errors
/// A unique violation in `hand_overs` when the id is taken, in `hand_over_grants` when a grant was
/// handed over by then.
pub fn insert(tx: &mut WriteTx<'_>, made: &HandOver) -> Result<(), StoreError> {
    let row = Row {
        id: made.id.as_bytes().to_vec(),
        from_person: made.from_person.as_bytes().to_vec(),
        to_person: made.to_person.as_bytes().to_vec(),
        reason: made.reason.clone(),
        effective_at: made.effective_at.as_millis(),
        made_by: made.made_by.as_bytes().to_vec(),
        made_at: made.made_at.as_millis(),
        request_hash: made.request.as_bytes().to_vec(),
    };
    diesel::insert_into(hand_overs::table)
        .values(row)
        .execute(tx.conn())?;
    for (ended, given) in &made.grants {
        diesel::insert_into(hand_over_grants::table)
            .values((
                hand_over_grants::hand_over_id.eq(made.id.as_bytes().to_vec()),
                hand_over_grants::ended_id.eq(ended.as_bytes().to_vec()),
                hand_over_grants::given_id.eq(given.as_bytes().to_vec()),
            ))
            .execute(tx.conn())?;
    }
    Ok(())
}

/// Those of these grants that were handed over, if only from a later instant on.
///
/// # Errors
/// When the database does not answer.
pub fn handed_over(conn: &mut Conn, grants: &[GrantId]) -> Result<BTreeSet<GrantId>, StoreError> {
    let ids: Vec<Vec<u8>> = grants.iter().map(|id| id.as_bytes().to_vec()).collect();
    let found: Vec<Vec<u8>> = on_any!(conn, |c| hand_over_grants::table
        .filter(hand_over_grants::ended_id.eq_any(ids))
        .select(hand_over_grants::ended_id)
        .load(c))?;
    let read = |id: &Vec<u8>| GrantId::from_slice(id).ok_or_else(corrupt);
    found.iter().map(read).collect()
}

fn with_grants(conn: &mut Conn, rows: Vec<Row>) -> Result<Vec<HandOver>, StoreError> {
    let ids: Vec<Vec<u8>> = rows.iter().map(|row| row.id.clone()).collect();
    let grants: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> = on_any!(conn, |c| hand_over_grants::table
        .filter(hand_over_grants::hand_over_id.eq_any(ids))
        .order((hand_over_grants::hand_over_id, hand_over_grants::ended_id))
        .select((
            hand_over_grants::hand_over_id,
            hand_over_grants::ended_id,
            hand_over_grants::given_id,
        ))
        .load(c))?;
    let read = |row: &Row| read(row, &grants).ok_or_else(corrupt);
    rows.iter().map(read).collect()
}

/// One hand-over.
///
/// # Errors
/// When the database does not answer.
pub fn one(conn: &mut Conn, id: Uuid) -> Result<Option<HandOver>, StoreError> {
    let row: Option<Row> = hand_overs::table
        .find(id.as_bytes().to_vec())
        .select(Row::as_select())
        .first(conn)
        .optional()?;
    Ok(with_grants(conn, row.into_iter().collect())?.pop())
}

/// Hand-overs with ids before `before`, newest first, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn newest(
    conn: &mut Conn,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<HandOver>, StoreError> {
    let before = before.unwrap_or(Uuid::max()).as_bytes().to_vec();
    let rows: Vec<Row> = hand_overs::table
        .filter(hand_overs::id.lt(before))
        .order(hand_overs::id.desc())
        .limit(limit)
        .select(Row::as_select())
        .load(conn)?;
    with_grants(conn, rows)
}
