//! Hazards: the current state, one row each.

use diesel::prelude::*;
use hazardloop_domain::geography::cell_of;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::Hazard;
use hazardloop_domain::ids::HazardId;
use hazardloop_domain::time::Timestamp;

use super::events::Head;
use super::schema::{hazards, photo_references, photos, uploads};
use super::{Conn, StoreError, WriteTx, portable::Portable};

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
}

/// A hazard as loaded: its state and the end of its history.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The state.
    pub hazard: Hazard,
    /// The end of its history.
    pub head: Head,
}

/// Loads one hazard.
///
/// # Errors
/// When the database does not answer or the stored record cannot be read.
pub fn load(conn: &mut Conn, id: HazardId) -> Result<Option<Loaded>, StoreError> {
    let found: Option<(i64, Vec<u8>, Vec<u8>)> = hazards::table
        .find(id.as_bytes().to_vec())
        .select((hazards::version, hazards::head_hash, hazards::record))
        .first(conn)
        .optional()?;
    let Some((seq, hash, record)) = found else {
        return Ok(None);
    };
    let corrupt = |what: String| StoreError::Corrupt { what };
    let hazard: Hazard = minicbor::decode(&record)
        .map_err(|error| corrupt(format!("the record of hazard {id}: {error}")))?;
    let hash = Digest::from_slice(&hash)
        .ok_or_else(|| corrupt(format!("the head hash of hazard {id}")))?;
    Ok(Some(Loaded {
        hazard,
        head: Head { seq, hash },
    }))
}

/// Stores a hazard after its events: a new row when `before` is `None`, else an update that
/// insists on that version.
///
/// # Errors
/// [`StoreError::Stale`] when somebody else changed it meanwhile.
pub fn save(
    tx: &mut WriteTx<'_>,
    hazard: &Hazard,
    record: &[u8],
    head: Head,
    district_code: &str,
    before: Option<i64>,
) -> Result<(), StoreError> {
    let row = Row::of(hazard, record, head, district_code);
    let Some(before) = before else {
        return match diesel::insert_into(hazards::table)
            .values(row)
            .execute(tx.conn())
        {
            Ok(_) => Ok(()),
            Err(error) => {
                let error = StoreError::from(error);
                // Run again: the second time the hazard is found, and the rules answer.
                if error.is_duplicate_in("hazards") {
                    return Err(StoreError::Stale { what: "hazard" });
                }
                Err(error)
            }
        };
    };
    let changed = diesel::update(hazards::table)
        .filter(hazards::id.eq(hazard.id.as_bytes().to_vec()))
        .filter(hazards::version.eq(before))
        .set(row)
        .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Stale { what: "hazard" })
    }
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
    Ok(stored == Some(Row::of(hazard, record, head, district_code)))
}

impl Row {
    fn of(hazard: &Hazard, record: &[u8], head: Head, district_code: &str) -> Self {
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
            record: record.to_vec(),
        }
    }
}

/// Names photos that a hazard refers to; those it names already stay as they are.
///
/// # Errors
/// When the database does not answer.
pub fn name_photo(
    tx: &mut WriteTx<'_>,
    hazard_id: HazardId,
    sha256: &Digest,
    named_by: &[u8],
    state: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = (
        photo_references::hazard_id.eq(hazard_id.as_bytes().to_vec()),
        photo_references::sha256.eq(sha256.as_bytes().to_vec()),
        photo_references::named_by.eq(named_by.to_vec()),
        photo_references::named_at.eq(now.as_millis()),
        photo_references::state.eq(state.to_owned()),
    );
    let statement = diesel::insert_into(photo_references::table)
        .values(row)
        .on_conflict((photo_references::hazard_id, photo_references::sha256))
        .do_update()
        .set(photo_references::state.eq(state.to_owned()));
    Portable(statement).execute(tx.conn())?;
    Ok(())
}

/// Whether this person has brought these very bytes: only then may a new record count them as
/// arrived. Knowing a hash is not having the picture.
///
/// # Errors
/// When the database does not answer.
pub fn has_uploaded(
    conn: &mut Conn,
    person_id: &[u8],
    sha256: &Digest,
) -> Result<bool, StoreError> {
    let stored = diesel::dsl::exists(photos::table.find(sha256.as_bytes().to_vec()));
    let brought = diesel::dsl::exists(
        uploads::table
            .filter(uploads::person_id.eq(person_id.to_vec()))
            .filter(uploads::sha256.eq(sha256.as_bytes().to_vec()))
            .filter(uploads::finished_at.is_not_null()),
    );
    Ok(diesel::select(stored).get_result::<bool>(conn)?
        && diesel::select(brought).get_result::<bool>(conn)?)
}

/// Hazards that name this photo.
///
/// # Errors
/// When the database does not answer.
pub fn awaiting_photo(
    conn: &mut Conn,
    sha256: &Digest,
) -> Result<Vec<(HazardId, Vec<u8>)>, StoreError> {
    let rows: Vec<(Vec<u8>, Vec<u8>)> = photo_references::table
        .filter(photo_references::sha256.eq(sha256.as_bytes().to_vec()))
        .filter(photo_references::state.ne("verified"))
        .select((photo_references::hazard_id, photo_references::named_by))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(id, by)| Some((HazardId::from_slice(&id)?, by)))
        .collect())
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
