//! Hand-overs: who took over whose roles, when and why.

use std::collections::BTreeSet;

use diesel::prelude::*;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{GrantId, InspectionId, PersonId};
use hazardloop_domain::time::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::people::{
    View, ended_last, lasting, over_areas, over_enterprise, over_firms, rows_in_view,
};
use super::schema::{
    enterprises, grants, hand_over_grants, hand_over_inspections, hand_overs, jurisdictions,
};
use super::{Conn, StoreError, WriteTx, on_any, portable::Portable};

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
    /// The planned inspections on whose teams the predecessor was, and what became of that place.
    pub inspections: Vec<(InspectionId, TeamOutcome)>,
}

/// What became of the predecessor's place on the team of a planned inspection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TeamOutcome {
    /// It is the successor's.
    Moved,
    /// The predecessor stays: the successor is on the team already.
    SuccessorOnTeam,
    /// The predecessor stays: the successor does not hold there the role by which they were on the team.
    SuccessorWithoutRole,
    /// The predecessor stays: they had a valid certificate, and the successor has none.
    SuccessorWithoutCertificate,
}

impl TeamOutcome {
    const ALL: [Self; 4] = [
        Self::Moved,
        Self::SuccessorOnTeam,
        Self::SuccessorWithoutRole,
        Self::SuccessorWithoutCertificate,
    ];

    /// The identifier that the table holds.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Moved => "moved",
            Self::SuccessorOnTeam => "successor_on_team",
            Self::SuccessorWithoutRole => "successor_without_role",
            Self::SuccessorWithoutCertificate => "successor_without_certificate",
        }
    }
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

/// A row of a hand-over's inspections: of which hand-over, which one, and what became of it.
type Handed = (Vec<u8>, Vec<u8>, String);

fn read_handed((_, id, outcome): &Handed) -> Option<(InspectionId, TeamOutcome)> {
    let mut all = TeamOutcome::ALL.into_iter();
    let outcome = all.find(|known| known.as_str() == outcome)?;
    Some((InspectionId::from_slice(id)?, outcome))
}

fn read(
    row: &Row,
    grants: &[(Vec<u8>, Vec<u8>, Vec<u8>)],
    inspections: &[Handed],
) -> Option<HandOver> {
    let own = grants.iter().filter(|(of, ..)| *of == row.id);
    let handed = inspections.iter().filter(|(of, ..)| *of == row.id);
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
        inspections: handed.map(read_handed).collect::<Option<_>>()?,
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

/// Notes what became of planned inspections; of one that was noted already, what became of it at last.
///
/// # Errors
/// When the database does not answer.
pub fn note_inspections(
    tx: &mut WriteTx<'_>,
    hand_over: Uuid,
    outcomes: &[(InspectionId, TeamOutcome)],
) -> Result<(), StoreError> {
    for (id, outcome) in outcomes {
        let row = (
            hand_over_inspections::hand_over_id.eq(hand_over.as_bytes().to_vec()),
            hand_over_inspections::inspection_id.eq(id.as_bytes().to_vec()),
            hand_over_inspections::outcome.eq(outcome.as_str()),
        );
        let statement = diesel::insert_into(hand_over_inspections::table)
            .values(row)
            .on_conflict((
                hand_over_inspections::hand_over_id,
                hand_over_inspections::inspection_id,
            ))
            .do_update()
            .set(hand_over_inspections::outcome.eq(outcome.as_str()));
        Portable(statement).execute(tx.conn())?;
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

/// Has grants that came in the place of others (ended, given) stand as handed over as those do: to the same person, with
/// the same hand-over.
///
/// # Errors
/// When the database does not answer.
pub fn follow(tx: &mut WriteTx<'_>, moved: &[(GrantId, GrantId)]) -> Result<(), StoreError> {
    type Found = (Vec<u8>, Vec<u8>);
    for (ended, given) in moved {
        let found: Option<Found> = hand_over_grants::table
            .filter(hand_over_grants::ended_id.eq(ended.as_bytes().to_vec()))
            .select((hand_over_grants::hand_over_id, hand_over_grants::given_id))
            .first(tx.conn())
            .optional()?;
        let Some((hand_over, successors)) = found else {
            continue;
        };
        diesel::insert_into(hand_over_grants::table)
            .values((
                hand_over_grants::hand_over_id.eq(hand_over),
                hand_over_grants::ended_id.eq(given.as_bytes().to_vec()),
                hand_over_grants::given_id.eq(successors),
            ))
            .execute(tx.conn())?;
    }
    Ok(())
}

/// With what was handed over; with inspections where they are asked for, of which there may be many.
fn with_grants(
    conn: &mut Conn,
    rows: Vec<Row>,
    inspections: bool,
) -> Result<Vec<HandOver>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
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
    let handed = if inspections {
        inspections_of(conn, &rows)?
    } else {
        Vec::new()
    };
    let read = |row: &Row| read(row, &grants, &handed).ok_or_else(corrupt);
    rows.iter().map(read).collect()
}

fn inspections_of(conn: &mut Conn, rows: &[Row]) -> Result<Vec<Handed>, StoreError> {
    let ids: Vec<Vec<u8>> = rows.iter().map(|row| row.id.clone()).collect();
    Ok(on_any!(conn, |c| hand_over_inspections::table
        .filter(hand_over_inspections::hand_over_id.eq_any(ids))
        .order((
            hand_over_inspections::hand_over_id,
            hand_over_inspections::inspection_id,
        ))
        .select((
            hand_over_inspections::hand_over_id,
            hand_over_inspections::inspection_id,
            hand_over_inspections::outcome,
        ))
        .load(c))?)
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
    Ok(with_grants(conn, row.into_iter().collect(), true)?.pop())
}

/// Whose hand-overs a list tells of: those that somebody made or took part in, and those of the people in
/// these views.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Who looks.
    pub person_id: PersonId,
    /// Where they see those who hold a role, or will.
    pub holding: View,
    /// Where they see those who held their last role there.
    pub held: View,
    /// The moment that tells which roles last.
    pub now: Timestamp,
}

/// Hand-overs that are seen so, with ids before `before`, newest first, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn newest(
    conn: &mut Conn,
    seen: &Seen,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<HandOver>, StoreError> {
    let before = before.unwrap_or(Uuid::max()).as_bytes().to_vec();
    let page = || {
        hand_overs::table
            .filter(hand_overs::id.lt(before.clone()))
            .order(hand_overs::id.desc())
            .limit(limit)
            .select(Row::as_select())
    };
    let (me, now) = (seen.person_id.as_bytes().to_vec(), seen.now);
    let mut rows: Vec<Row> = page()
        .filter(hand_overs::made_by.eq(me.clone()))
        .load(conn)?;
    // Each by an index of its own; what two of them find is told once.
    macro_rules! of_people {
        ($person:expr) => {{
            rows.extend(page().filter($person.eq(me.clone())).load::<Row>(conn)?);
            rows.extend(rows_in_view!(
                conn,
                page,
                $person,
                seen.holding,
                lasting!(now)
            ));
            rows.extend(rows_in_view!(
                conn,
                page,
                $person,
                seen.held,
                ended_last!(now)
            ));
        }};
    }
    of_people!(hand_overs::from_person);
    of_people!(hand_overs::to_person);
    rows.sort_by(|one, other| other.id.cmp(&one.id));
    rows.dedup_by(|one, other| one.id == other.id);
    rows.truncate(usize::try_from(limit).unwrap_or_default());
    with_grants(conn, rows, false)
}
