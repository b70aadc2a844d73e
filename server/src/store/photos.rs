//! Photos by content, and what shows them.

use diesel::prelude::*;
use hazardloop_domain::command::Subject;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{PersonId, SubjectId};
use hazardloop_domain::time::Timestamp;

use super::Conn;
use super::error::StoreError;
use super::portable::Portable;
use super::schema::{photo_references, photos};

/// The state of a reference whose bytes are here and match.
const VERIFIED: &str = "verified";

/// The state of a reference whose bytes have not come.
const AWAITED: &str = "awaiting_photo";

/// A stored original.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredPhoto {
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// Bytes.
    pub size: u64,
    /// `image/jpeg`, `image/png`, `image/webp`, `application/pdf` or `video/mp4`, by content.
    pub media_type: String,
    /// Pixels across, as stored, before the orientation is applied; 0 of a document or clip.
    pub width: u32,
    /// Pixels down, as stored; 0 of a document or clip.
    pub height: u32,
    /// EXIF orientation, 1 to 8.
    pub orientation: u8,
    /// When it was taken, as its EXIF says.
    pub taken_at: Option<Timestamp>,
    /// Longitude and latitude, WGS-84 degrees, as its EXIF says.
    pub wgs84: Option<(f64, f64)>,
    /// All that its EXIF said, as JSON; personal.
    pub metadata: String,
    /// Where the bytes lie in the object store.
    pub object_key: String,
    /// When it was stored.
    pub stored_at: Timestamp,
    /// When its thumbnail was made.
    pub thumbnail_at: Option<Timestamp>,
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = photos)]
struct Row {
    sha256: Vec<u8>,
    size: i64,
    media_type: String,
    width: i32,
    height: i32,
    orientation: i32,
    taken_at: Option<i64>,
    longitude: Option<f64>,
    latitude: Option<f64>,
    metadata: String,
    object_key: String,
    stored_at: i64,
    thumbnail_at: Option<i64>,
}

impl From<&StoredPhoto> for Row {
    fn from(photo: &StoredPhoto) -> Self {
        Self {
            sha256: key(photo.sha256),
            size: i64::try_from(photo.size).unwrap_or(i64::MAX),
            media_type: photo.media_type.clone(),
            width: i32::try_from(photo.width).unwrap_or(i32::MAX),
            height: i32::try_from(photo.height).unwrap_or(i32::MAX),
            orientation: i32::from(photo.orientation),
            taken_at: photo.taken_at.map(Timestamp::as_millis),
            longitude: photo.wgs84.map(|(longitude, _)| longitude),
            latitude: photo.wgs84.map(|(_, latitude)| latitude),
            metadata: photo.metadata.clone(),
            object_key: photo.object_key.clone(),
            stored_at: photo.stored_at.as_millis(),
            thumbnail_at: photo.thumbnail_at.map(Timestamp::as_millis),
        }
    }
}

impl TryFrom<Row> for StoredPhoto {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let damaged = || StoreError::Corrupt {
            what: "a photo".to_owned(),
        };
        Ok(Self {
            sha256: Digest::from_slice(&row.sha256).ok_or_else(damaged)?,
            size: u64::try_from(row.size).map_err(|_| damaged())?,
            media_type: row.media_type,
            width: u32::try_from(row.width).map_err(|_| damaged())?,
            height: u32::try_from(row.height).map_err(|_| damaged())?,
            orientation: u8::try_from(row.orientation).map_err(|_| damaged())?,
            taken_at: row.taken_at.map(Timestamp::from_millis),
            wgs84: row.longitude.zip(row.latitude),
            metadata: row.metadata,
            object_key: row.object_key,
            stored_at: Timestamp::from_millis(row.stored_at),
            thumbnail_at: row.thumbnail_at.map(Timestamp::from_millis),
        })
    }
}

fn key(sha256: Digest) -> Vec<u8> {
    sha256.as_bytes().to_vec()
}

/// Records a stored original, unless it is recorded; answers whether it was new.
///
/// # Errors
/// When the database does not answer.
pub fn insert_if_absent(conn: &mut Conn, photo: &StoredPhoto) -> Result<bool, StoreError> {
    let statement = diesel::insert_into(photos::table)
        .values(Row::from(photo))
        .on_conflict(photos::sha256)
        .do_nothing();
    Ok(Portable(statement).execute(conn)? == 1)
}

/// Photos that hazards await and that are not known here, each with who named it, after `after`
/// and in that order, at most `limit`.
///
/// # Errors
/// When the database does not answer or holds hashes or ids of odd lengths.
pub fn awaited_unknown(
    conn: &mut Conn,
    after: Option<(Digest, PersonId)>,
    limit: i64,
) -> Result<Vec<(Digest, PersonId)>, StoreError> {
    let mut query = photo_references::table
        .left_join(photos::table.on(photos::sha256.eq(photo_references::sha256)))
        .filter(photos::sha256.is_null())
        .filter(photo_references::state.eq(AWAITED))
        .select((photo_references::sha256, photo_references::named_by))
        .distinct()
        .order((photo_references::sha256, photo_references::named_by))
        .limit(limit)
        .into_boxed();
    if let Some((sha256, named_by)) = after {
        let named_by = named_by.as_bytes().to_vec();
        query = query
            .filter(photo_references::sha256.ge(key(sha256)))
            .filter(
                photo_references::sha256
                    .gt(key(sha256))
                    .or(photo_references::named_by.gt(named_by)),
            );
    }
    let rows: Vec<(Vec<u8>, Vec<u8>)> = query.load(conn)?;
    let read = |(sha256, named_by): (Vec<u8>, Vec<u8>)| {
        let both = Digest::from_slice(&sha256).zip(PersonId::from_slice(&named_by));
        both.ok_or_else(|| StoreError::Corrupt {
            what: "a reference to a photo".to_owned(),
        })
    };
    rows.into_iter().map(read).collect()
}

/// The photo with this hash.
///
/// # Errors
/// When the database does not answer.
pub fn find(conn: &mut Conn, sha256: Digest) -> Result<Option<StoredPhoto>, StoreError> {
    let row = photos::table
        .find(key(sha256))
        .select(Row::as_select())
        .first(conn)
        .optional()?;
    row.map(StoredPhoto::try_from).transpose()
}

/// Records that the thumbnail is there.
///
/// # Errors
/// When the database does not answer.
pub fn set_thumbnail(conn: &mut Conn, sha256: Digest, now: Timestamp) -> Result<(), StoreError> {
    diesel::update(photos::table.find(key(sha256)))
        .set(photos::thumbnail_at.eq(now.as_millis()))
        .execute(conn)?;
    Ok(())
}

/// What shows this photo, its bytes verified, with ids after `after`, in order of id, at most
/// `limit`. What only names its hash does not count: naming gives no right to what is named.
///
/// # Errors
/// When the database does not answer.
pub fn shown_by(
    conn: &mut Conn,
    sha256: Digest,
    after: Option<SubjectId>,
    limit: i64,
) -> Result<Vec<Subject>, StoreError> {
    let after = after.map_or_else(Vec::new, |id| id.as_bytes().to_vec());
    let rows: Vec<(String, Vec<u8>)> = photo_references::table
        .filter(photo_references::sha256.eq(key(sha256)))
        .filter(photo_references::state.eq(VERIFIED))
        .filter(photo_references::subject_id.gt(after))
        .order(photo_references::subject_id)
        .limit(limit)
        .select((photo_references::subject_kind, photo_references::subject_id))
        .load(conn)?;
    rows.iter()
        .map(|(kind, id)| super::hazards::subject(kind, id))
        .collect()
}
