//! Uploads under way and finished: how far each has come, durably.

use diesel::prelude::*;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use super::Conn;
use super::error::StoreError;
use super::schema::uploads;

/// One upload. The bytes of an unfinished one lie in a file of its own; `received` says how many
/// of them count, whatever the file holds beyond.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Made by the server; the last part of its URL.
    pub id: Uuid,
    /// Whose; nobody else may touch it.
    pub person_id: PersonId,
    /// Bytes of the whole file.
    pub total_length: u64,
    /// Bytes durably received.
    pub received: u64,
    /// The hash that was announced; of a finished one the hash it has.
    pub sha256: Option<Digest>,
    /// `Upload-Metadata` as it came.
    pub metadata: String,
    /// When it began.
    pub created_at: Timestamp,
    /// First instant at which an unfinished one is gone.
    pub expires_at: Timestamp,
    /// When the photo was stored and recorded.
    pub finished_at: Option<Timestamp>,
    /// The device, or else the session, that began it: nobody else is led to it. Absent: begun by an earlier release.
    pub begun_by: Option<Uuid>,
}

impl Upload {
    /// Whether every byte is here, recorded or not.
    pub fn is_complete(&self) -> bool {
        self.received == self.total_length
    }
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = uploads)]
struct Row {
    id: Vec<u8>,
    person_id: Vec<u8>,
    total_length: i64,
    received: i64,
    sha256: Option<Vec<u8>>,
    metadata: String,
    created_at: i64,
    expires_at: i64,
    finished_at: Option<i64>,
    begun_by: Option<Vec<u8>>,
}

impl TryFrom<Row> for Upload {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let damaged = || StoreError::Corrupt {
            what: "an upload".to_owned(),
        };
        let sha256 = row.sha256.as_deref().map(Digest::from_slice);
        Ok(Self {
            id: Uuid::from_slice(&row.id).map_err(|_| damaged())?,
            person_id: PersonId::from_slice(&row.person_id).ok_or_else(damaged)?,
            total_length: u64::try_from(row.total_length).map_err(|_| damaged())?,
            received: u64::try_from(row.received).map_err(|_| damaged())?,
            sha256: match sha256 {
                None => None,
                Some(digest) => Some(digest.ok_or_else(damaged)?),
            },
            metadata: row.metadata,
            created_at: Timestamp::from_millis(row.created_at),
            expires_at: Timestamp::from_millis(row.expires_at),
            finished_at: row.finished_at.map(Timestamp::from_millis),
            begun_by: match row.begun_by {
                None => None,
                Some(id) => Some(Uuid::from_slice(&id).map_err(|_| damaged())?),
            },
        })
    }
}

fn count(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn key(id: Uuid) -> Vec<u8> {
    id.as_bytes().to_vec()
}

/// Stores a new upload.
///
/// # Errors
/// When the database does not answer, or the id is taken.
pub fn insert(conn: &mut Conn, upload: &Upload) -> Result<(), StoreError> {
    let row = Row {
        id: key(upload.id),
        person_id: upload.person_id.as_bytes().to_vec(),
        total_length: count(upload.total_length),
        received: count(upload.received),
        sha256: upload.sha256.map(|sha256| sha256.as_bytes().to_vec()),
        metadata: upload.metadata.clone(),
        created_at: upload.created_at.as_millis(),
        expires_at: upload.expires_at.as_millis(),
        finished_at: upload.finished_at.map(Timestamp::as_millis),
        begun_by: upload.begun_by.map(key),
    };
    diesel::insert_into(uploads::table)
        .values(row)
        .execute(conn)?;
    Ok(())
}

/// The upload with this id.
///
/// # Errors
/// When the database does not answer.
pub fn find(conn: &mut Conn, id: Uuid) -> Result<Option<Upload>, StoreError> {
    let row = uploads::table
        .find(key(id))
        .select(Row::as_select())
        .first(conn)
        .optional()?;
    row.map(Upload::try_from).transpose()
}

/// Moves the durable offset of an unfinished upload, if it still is `from`; answers whether it was.
///
/// # Errors
/// When the database does not answer.
pub fn advance(conn: &mut Conn, id: Uuid, from: u64, to: u64) -> Result<bool, StoreError> {
    let unmoved = uploads::table
        .find(key(id))
        .filter(uploads::received.eq(count(from)))
        .filter(uploads::finished_at.is_null());
    let moved = diesel::update(unmoved)
        .set(uploads::received.eq(count(to)))
        .execute(conn)?;
    Ok(moved == 1)
}

/// Marks an upload as finished; answers whether it was there and unfinished. Earlier ones by
/// which the same person brought the same bytes go: one row is the record of it.
///
/// # Errors
/// When the database does not answer.
pub fn finish(
    conn: &mut Conn,
    id: Uuid,
    sha256: Digest,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let unfinished = uploads::table
        .find(key(id))
        .filter(uploads::finished_at.is_null());
    let by = diesel::update(unfinished)
        .set((
            uploads::finished_at.eq(now.as_millis()),
            uploads::sha256.eq(sha256.as_bytes().to_vec()),
        ))
        .returning(uploads::person_id)
        .get_result::<Vec<u8>>(conn)
        .optional()?;
    let Some(by) = by else { return Ok(false) };
    let earlier = uploads::table
        .filter(uploads::person_id.eq(by))
        .filter(uploads::sha256.eq(sha256.as_bytes().to_vec()))
        .filter(uploads::finished_at.is_not_null())
        .filter(uploads::id.ne(key(id)));
    diesel::delete(earlier).execute(conn)?;
    Ok(true)
}

/// Removes an unfinished upload; a finished one stays, as the record of who brought the photo.
/// Answers whether there was one.
///
/// # Errors
/// When the database does not answer.
pub fn remove_unfinished(conn: &mut Conn, id: Uuid) -> Result<bool, StoreError> {
    let unfinished = uploads::table
        .find(key(id))
        .filter(uploads::finished_at.is_null());
    Ok(diesel::delete(unfinished).execute(conn)? == 1)
}

/// How many uploads of `person` are unfinished and not expired.
///
/// # Errors
/// When the database does not answer.
pub fn unfinished_of(conn: &mut Conn, person: PersonId, now: Timestamp) -> Result<i64, StoreError> {
    Ok(uploads::table
        .filter(uploads::person_id.eq(person.as_bytes().to_vec()))
        .filter(uploads::finished_at.is_null())
        .filter(uploads::expires_at.gt(now.as_millis()))
        .count()
        .get_result(conn)?)
}

/// The finished upload by which `person` has brought every byte of the photo `sha256`.
///
/// # Errors
/// When the database does not answer.
pub fn brought(
    conn: &mut Conn,
    person: PersonId,
    sha256: Digest,
) -> Result<Option<Upload>, StoreError> {
    let row = uploads::table
        .filter(uploads::person_id.eq(person.as_bytes().to_vec()))
        .filter(uploads::sha256.eq(sha256.as_bytes().to_vec()))
        .filter(uploads::finished_at.is_not_null())
        .filter(uploads::received.eq(uploads::total_length))
        .order(uploads::id)
        .select(Row::as_select())
        .first(conn)
        .optional()?;
    row.map(Upload::try_from).transpose()
}

/// The unfinished upload by which `person`, with the device or session `begun_by`, has brought most of the photo with
/// this hash and length, if there is one and its time is not over.
///
/// # Errors
/// When the database does not answer.
pub fn begun(
    conn: &mut Conn,
    (person, begun_by): (PersonId, Uuid),
    (sha256, total_length): (Digest, u64),
    now: Timestamp,
) -> Result<Option<Upload>, StoreError> {
    let row = uploads::table
        .filter(uploads::person_id.eq(person.as_bytes().to_vec()))
        .filter(uploads::sha256.eq(sha256.as_bytes().to_vec()))
        .filter(uploads::begun_by.eq(key(begun_by)))
        .filter(uploads::total_length.eq(count(total_length)))
        .filter(uploads::finished_at.is_null())
        .filter(uploads::expires_at.gt(now.as_millis()))
        .order((uploads::received.desc(), uploads::id))
        .select(Row::as_select())
        .first(conn)
        .optional()?;
    row.map(Upload::try_from).transpose()
}

/// Ends the time of the unfinished uploads that the device or session `begun_by` of `person` began.
///
/// # Errors
/// When the database does not answer.
pub fn end_of(
    conn: &mut Conn,
    (person, begun_by): (PersonId, Uuid),
    now: Timestamp,
) -> Result<usize, StoreError> {
    let unfinished = uploads::table
        .filter(uploads::person_id.eq(person.as_bytes().to_vec()))
        .filter(uploads::finished_at.is_null())
        .filter(uploads::expires_at.gt(now.as_millis()))
        .filter(uploads::begun_by.eq(key(begun_by)));
    Ok(diesel::update(unfinished)
        .set(uploads::expires_at.eq(now.as_millis()))
        .execute(conn)?)
}

/// Unfinished uploads whose time is over, oldest first, at most `limit`; with `after`, those that
/// follow that one.
///
/// # Errors
/// When the database does not answer.
pub fn expired(
    conn: &mut Conn,
    now: Timestamp,
    after: Option<&Upload>,
    limit: i64,
) -> Result<Vec<Upload>, StoreError> {
    let (at, id) = after.map_or((i64::MIN, Vec::new()), |upload| {
        (upload.expires_at.as_millis(), key(upload.id))
    });
    // Said so that the index is walked on from there, and not looked into twice and sorted.
    let follows = uploads::expires_at.gt(at).or(uploads::id.gt(id));
    let rows = uploads::table
        .filter(uploads::finished_at.is_null())
        .filter(uploads::expires_at.le(now.as_millis()))
        .filter(uploads::expires_at.ge(at))
        .filter(follows)
        .order((uploads::expires_at, uploads::id))
        .limit(limit)
        .select(Row::as_select())
        .load(conn)?;
    rows.into_iter().map(Upload::try_from).collect()
}
