//! Hazards: the current state, one row each.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::upsert::excluded;
use hazardloop_domain::command::{Subject, SubjectKind};
use hazardloop_domain::geography::cell_of;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::Hazard;
use hazardloop_domain::ids::{HazardId, PersonId, SubjectId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};

use super::batch::in_arrays;
use super::events::Head;
use super::schema::{hazards, photo_references, photos, uploads};
use super::{Conn, StoreError, WriteTx, feed, on_any};

#[derive(Insertable, AsChangeset, Queryable, Selectable, PartialEq)]
// Without this the statement is parsed anew each time: it might say DEFAULT.
#[diesel(table_name = hazards, treat_none_as_default_value = false)]
#[diesel(treat_none_as_null = true)]
struct Row {
    id: Vec<u8>,
    hazard_no: String,
    enterprise_id: Option<Vec<u8>>,
    jurisdiction_id: Vec<u8>,
    district_code: String,
    grade: String,
    status: String,
    source: String,
    due_at: Option<i64>,
    longitude: Option<f64>,
    latitude: Option<f64>,
    cell: Option<i64>,
    received_at: i64,
    updated_at: i64,
    version: i64,
    head_hash: Vec<u8>,
    record: Vec<u8>,
    sector: Option<String>,
    criterion: Option<String>,
    reported_by: Option<Vec<u8>>,
}

/// A hazard as loaded: its state and the end of its history.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The state.
    pub hazard: Hazard,
    /// The end of its history.
    pub head: Head,
}

/// A hazard as it lies in the database: version, head hash, record.
type Found = (i64, Vec<u8>, Vec<u8>);

impl Loaded {
    fn read(id: HazardId, (seq, hash, record): Found) -> Result<Self, StoreError> {
        let corrupt = |what: String| StoreError::Corrupt { what };
        let hazard: Hazard = minicbor::decode(&record)
            .map_err(|error| corrupt(format!("the record of hazard {id}: {error}")))?;
        let hash = Digest::from_slice(&hash)
            .ok_or_else(|| corrupt(format!("the head hash of hazard {id}")))?;
        Ok(Self {
            hazard,
            head: Head { seq, hash },
        })
    }
}

/// Loads one hazard.
///
/// # Errors
/// When the database does not answer or the stored record cannot be read.
pub fn load(conn: &mut Conn, id: HazardId) -> Result<Option<Loaded>, StoreError> {
    let found: Option<Found> = hazards::table
        .find(id.as_bytes().to_vec())
        .select((hazards::version, hazards::head_hash, hazards::record))
        .first(conn)
        .optional()?;
    found.map(|found| Loaded::read(id, found)).transpose()
}

/// Loads those of `ids` that exist, in one statement.
///
/// # Errors
/// When the database does not answer or a stored record cannot be read.
pub fn load_all(conn: &mut Conn, ids: &[HazardId]) -> Result<Vec<Loaded>, StoreError> {
    if let [only] = ids {
        // The usual case, and its statement is prepared already.
        return Ok(load(conn, *only)?.into_iter().collect());
    }
    let wanted: Vec<Vec<u8>> = ids.iter().map(|id| id.as_bytes().to_vec()).collect();
    let columns = (
        hazards::id,
        (hazards::version, hazards::head_hash, hazards::record),
    );
    let rows: Vec<(Vec<u8>, Found)> = on_any!(conn, |c| hazards::table
        .filter(hazards::id.eq_any(wanted))
        .select(columns)
        .load(c))?;
    let read = |(id, found): (Vec<u8>, Found)| {
        let id = HazardId::from_slice(&id).ok_or_else(|| StoreError::Corrupt {
            what: "a hazard id of odd length".to_owned(),
        })?;
        Loaded::read(id, found)
    };
    rows.into_iter().map(read).collect()
}

/// The row of a hazard, about to be stored after its events.
pub struct Saved(Row);

impl Saved {
    /// `record` is the CBOR that devices receive.
    pub fn new(hazard: &Hazard, record: Vec<u8>, head: Head, district_code: &str) -> Self {
        Self(Row::of(hazard, record, head, district_code))
    }
}

/// Stores hazards that did not exist before.
///
/// # Errors
/// [`StoreError::Stale`] when somebody else stored one of them meanwhile.
pub fn insert_all(tx: &mut WriteTx<'_>, saved: Vec<Saved>) -> Result<(), StoreError> {
    let rows: Vec<Row> = saved.into_iter().map(|saved| saved.0).collect();
    in_arrays!(rows, |array| insert(tx.conn(), array)
        .map_err(taken_meanwhile)?);
    Ok(())
}

fn insert<const N: usize>(conn: &mut Conn, rows: [Row; N]) -> QueryResult<usize> {
    on_any!(conn, |c| diesel::insert_into(hazards::table)
        .values(rows)
        .execute(c))
}

fn taken_meanwhile(error: diesel::result::Error) -> StoreError {
    let error = StoreError::from(error);
    // Run again: the second time the hazard is found, and the rules answer.
    if error.is_duplicate_in("hazards") {
        return StoreError::Stale { what: "hazard" };
    }
    error
}

/// Stores what became of a hazard, insisting that it still has the version `before`.
///
/// # Errors
/// [`StoreError::Stale`] when somebody else changed it meanwhile.
pub fn update(tx: &mut WriteTx<'_>, saved: Saved, before: i64) -> Result<(), StoreError> {
    let row = saved.0;
    let changed = diesel::update(hazards::table)
        .filter(hazards::id.eq(row.id.clone()))
        .filter(hazards::version.eq(before))
        .set(row)
        .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Stale { what: "hazard" })
    }
}

/// Fills the columns that follow from the record in rows that an earlier release wrote, `limit` at a time; answers
/// how many it filled.
///
/// # Errors
/// When the database does not answer or a stored record cannot be read.
pub(super) fn fill_new_columns(conn: &mut Conn, limit: i64) -> Result<usize, StoreError> {
    let rows: Vec<(Vec<u8>, Found)> = hazards::table
        .filter(hazards::reported_by.is_null())
        .limit(limit)
        .select((
            hazards::id,
            (hazards::version, hazards::head_hash, hazards::record),
        ))
        .load(conn)?;
    let filled = rows.len();
    for (id, found) in rows {
        let hazard_id = HazardId::from_slice(&id).ok_or_else(|| StoreError::Corrupt {
            what: "a hazard id of odd length".to_owned(),
        })?;
        let hazard = Loaded::read(hazard_id, found)?.hazard;
        diesel::update(hazards::table.find(id))
            .set((
                hazards::criterion.eq(criterion(&hazard)),
                hazards::reported_by.eq(hazard.reported_by.as_bytes().to_vec()),
            ))
            .execute(conn)?;
        if !hazard.source.is_self_found() {
            // As migration 22 does where the column was there.
            let from = Scope::Jurisdiction(hazard.jurisdiction_id);
            let of_reporter = Scope::OwnReports(hazard.reported_by);
            feed::hold_too(conn, (from, of_reporter), RecordKind::Hazard, &hazard.id.0)?;
        }
    }
    Ok(filled)
}

fn criterion(hazard: &Hazard) -> Option<String> {
    let criterion = hazard.criterion.as_ref();
    criterion.map(|criterion| criterion.code.clone())
}

/// Whether the stored row, every column of it, is what this state and history end make.
///
/// # Errors
/// When the database does not answer.
pub fn row_follows(
    conn: &mut Conn,
    hazard: &Hazard,
    record: &[u8],
    head: Head,
    district_code: &str,
) -> Result<bool, StoreError> {
    let stored: Option<Row> = hazards::table
        .find(hazard.id.as_bytes().to_vec())
        .select(Row::as_select())
        .first(conn)
        .optional()?;
    Ok(stored == Some(Row::of(hazard, record.to_vec(), head, district_code)))
}

impl Row {
    fn of(hazard: &Hazard, record: Vec<u8>, head: Head, district_code: &str) -> Self {
        let point = hazard.position.as_ref().map(|position| position.to_wgs84());
        Self {
            id: hazard.id.as_bytes().to_vec(),
            hazard_no: hazard.number.clone(),
            enterprise_id: hazard.enterprise_id.map(|id| id.as_bytes().to_vec()),
            jurisdiction_id: hazard.jurisdiction_id.as_bytes().to_vec(),
            district_code: district_code.to_owned(),
            grade: hazard.grade.as_str().to_owned(),
            status: hazard.status_name().as_str().to_owned(),
            source: hazard.source.as_str().to_owned(),
            due_at: hazard.due_at().map(Timestamp::as_millis),
            longitude: point.map(|point| point.longitude),
            latitude: point.map(|point| point.latitude),
            cell: point.map(cell_of),
            received_at: hazard.received_at.as_millis(),
            updated_at: hazard.updated_at.as_millis(),
            version: hazard.version,
            head_hash: head.hash.as_bytes().to_vec(),
            record,
            sector: hazard.sector.clone(),
            criterion: criterion(hazard),
            reported_by: Some(hazard.reported_by.as_bytes().to_vec()),
        }
    }
}

/// A photo that a hazard or an inspection names, and where it stands.
#[derive(Insertable)]
// Without this the statement is parsed anew each time: it might say DEFAULT.
#[diesel(table_name = photo_references, treat_none_as_default_value = false)]
pub struct NamedPhoto {
    subject_id: Vec<u8>,
    subject_kind: &'static str,
    sha256: Vec<u8>,
    named_by: Vec<u8>,
    named_at: i64,
    state: &'static str,
}

impl NamedPhoto {
    /// `state` as it is stored: `awaiting_photo`, `verified` or `lost`.
    pub fn new(
        subject: Subject,
        sha256: &Digest,
        named_by: PersonId,
        state: &'static str,
        now: Timestamp,
    ) -> Self {
        Self {
            subject_id: subject.id().as_bytes().to_vec(),
            subject_kind: subject.kind().as_str(),
            sha256: sha256.as_bytes().to_vec(),
            named_by: named_by.as_bytes().to_vec(),
            named_at: now.as_millis(),
            state,
        }
    }
}

/// Stores which photos are named; of one that was named already only the state changes.
///
/// # Errors
/// When the database does not answer.
pub fn name_photos(tx: &mut WriteTx<'_>, photos: Vec<NamedPhoto>) -> Result<(), StoreError> {
    in_arrays!(photos, |array| name(tx.conn(), array)?);
    Ok(())
}

fn name<const N: usize>(conn: &mut Conn, photos: [NamedPhoto; N]) -> QueryResult<usize> {
    on_any!(conn, |c| diesel::insert_into(photo_references::table)
        .values(photos)
        .on_conflict((photo_references::subject_id, photo_references::sha256))
        .do_update()
        .set(photo_references::state.eq(excluded(photo_references::state)))
        .execute(c))
}

/// Which of these photos this person has brought, bytes and all: only then may a new record count
/// them as arrived. Knowing a hash is not having the picture.
///
/// # Errors
/// When the database does not answer.
pub fn brought_by(
    conn: &mut Conn,
    person_id: PersonId,
    sha256: &[Digest],
) -> Result<Vec<Digest>, StoreError> {
    let wanted: Vec<Vec<u8>> = sha256.iter().map(|sha| sha.as_bytes().to_vec()).collect();
    let brought: Vec<Vec<u8>> = on_any!(conn, |c| uploads::table
        .inner_join(photos::table.on(uploads::sha256.eq(photos::sha256.nullable())))
        .filter(uploads::person_id.eq(person_id.as_bytes().to_vec()))
        .filter(photos::sha256.eq_any(wanted))
        .filter(uploads::finished_at.is_not_null())
        .select(photos::sha256)
        .distinct()
        .load(c))?;
    Ok(brought
        .iter()
        .filter_map(|hash| Digest::from_slice(hash))
        .collect())
}

/// What names this photo and waits for it or has lost it, with who named it.
///
/// # Errors
/// When the database does not answer.
pub fn awaiting_photo(
    conn: &mut Conn,
    sha256: &Digest,
) -> Result<Vec<(Subject, Vec<u8>)>, StoreError> {
    let rows: Vec<(String, Vec<u8>, Vec<u8>)> = photo_references::table
        .filter(photo_references::sha256.eq(sha256.as_bytes().to_vec()))
        .filter(photo_references::state.ne("verified"))
        .select((
            photo_references::subject_kind,
            photo_references::subject_id,
            photo_references::named_by,
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(kind, id, by)| Ok((subject(&kind, &id)?, by)))
        .collect()
}

/// In what `named_by` has named this photo, where it is awaited or lost, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn awaited_from(
    conn: &mut Conn,
    sha256: &Digest,
    named_by: PersonId,
    limit: i64,
) -> Result<Vec<Subject>, StoreError> {
    let rows: Vec<(String, Vec<u8>)> = photo_references::table
        .filter(photo_references::sha256.eq(sha256.as_bytes().to_vec()))
        .filter(photo_references::state.ne("verified"))
        .filter(photo_references::named_by.eq(named_by.as_bytes().to_vec()))
        .limit(limit)
        .select((photo_references::subject_kind, photo_references::subject_id))
        .load(conn)?;
    rows.into_iter()
        .map(|(kind, id)| subject(&kind, &id))
        .collect()
}

/// What a reference names, as it is stored.
pub(super) fn subject(kind: &str, id: &[u8]) -> Result<Subject, StoreError> {
    let kind = SubjectKind::from_name(kind);
    let both = kind.zip(SubjectId::from_slice(id));
    let (kind, id) = both.ok_or_else(|| StoreError::Corrupt {
        what: "what a photo belongs to".to_owned(),
    })?;
    Ok(kind.with(id))
}

/// Photos that this person named and whose bytes are not here, oldest first, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn photos_missing_from(
    conn: &mut Conn,
    person_id: &[u8],
    limit: i64,
) -> Result<Vec<Digest>, StoreError> {
    let rows: Vec<Vec<u8>> = photo_references::table
        .filter(photo_references::state.eq("awaiting_photo"))
        .filter(photo_references::named_by.eq(person_id.to_vec()))
        .order((photo_references::named_at, photo_references::sha256))
        .limit(limit)
        .select(photo_references::sha256)
        .load(conn)?;
    Ok(rows
        .iter()
        .filter_map(|hash| Digest::from_slice(hash))
        .collect())
}
