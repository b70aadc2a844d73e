//! Installations of the app on devices: enrolled with a key, bound to one person, revocable.

use diesel::prelude::*;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{InstallId, PersonId};
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use super::people::{
    OfWhom, PeopleList, ended_last, lasting, over_areas, over_enterprise, over_firms, page_in_view,
    rows_in_view,
};
use super::schema::{enterprises, grants, installs, jurisdictions};
use super::{Conn, StoreError, WriteTx};

/// One installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Install {
    /// Which; made by the device.
    pub id: InstallId,
    /// Whose.
    pub person_id: PersonId,
    /// What its owner calls it.
    pub device_name: String,
    /// Which kind of key, as on the wire.
    pub key_algorithm: i32,
    /// The public half of its key.
    pub public_key: Vec<u8>,
    /// When it enrolled.
    pub enrolled_at: Timestamp,
    /// When it last refreshed its sign-in.
    pub last_seen_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Why.
    pub revoked_reason: Option<String>,
    /// It was lost or stolen: nothing that it still offers is taken.
    pub stolen: bool,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = installs)]
struct Row {
    id: Vec<u8>,
    person_id: Vec<u8>,
    device_name: String,
    key_algorithm: i32,
    public_key: Vec<u8>,
    enrolled_at: i64,
    last_seen_at: Option<i64>,
    revoked_at: Option<i64>,
    revoked_reason: Option<String>,
    stolen: bool,
}

impl TryFrom<Row> for Install {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let corrupt = || StoreError::Corrupt {
            what: "the ids of an installation".to_owned(),
        };
        Ok(Self {
            id: InstallId::from_slice(&row.id).ok_or_else(corrupt)?,
            person_id: PersonId::from_slice(&row.person_id).ok_or_else(corrupt)?,
            device_name: row.device_name,
            key_algorithm: row.key_algorithm,
            public_key: row.public_key,
            enrolled_at: Timestamp::from_millis(row.enrolled_at),
            last_seen_at: row.last_seen_at.map(Timestamp::from_millis),
            revoked_at: row.revoked_at.map(Timestamp::from_millis),
            revoked_reason: row.revoked_reason,
            stolen: row.stolen,
        })
    }
}

/// One installation.
///
/// # Errors
/// When the database does not answer.
pub fn by_id(conn: &mut Conn, id: InstallId) -> Result<Option<Install>, StoreError> {
    let row: Option<Row> = installs::table
        .find(id.as_bytes().to_vec())
        .select(Row::as_select())
        .first(conn)
        .optional()?;
    row.map(Install::try_from).transpose()
}

/// Stores a new installation; its push stream begins at nothing.
///
/// # Errors
/// A unique violation in `installs` when the id is taken.
pub fn insert(tx: &mut WriteTx<'_>, install: &Install) -> Result<(), StoreError> {
    diesel::insert_into(installs::table)
        .values((
            installs::id.eq(install.id.as_bytes().to_vec()),
            installs::person_id.eq(install.person_id.as_bytes().to_vec()),
            installs::device_name.eq(install.device_name.clone()),
            installs::key_algorithm.eq(install.key_algorithm),
            installs::public_key.eq(install.public_key.clone()),
            installs::enrolled_at.eq(install.enrolled_at.as_millis()),
            installs::last_seq.eq(0_i64),
            installs::last_hash.eq(Digest::ZERO.as_bytes().to_vec()),
            installs::stolen.eq(false),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Remembers when the device was last heard of.
///
/// # Errors
/// When the database does not answer.
pub fn seen(tx: &mut WriteTx<'_>, id: InstallId, now: Timestamp) -> Result<(), StoreError> {
    diesel::update(installs::table.find(id.as_bytes().to_vec()))
        .set(installs::last_seen_at.eq(now.as_millis()))
        .execute(tx.conn())?;
    Ok(())
}

/// Holds an installation that was not revoked until the end of the transaction; answers whether
/// there is one. Whoever revokes it meanwhile waits, and then sees what this transaction did.
///
/// # Errors
/// When the database does not answer.
pub fn hold(tx: &mut WriteTx<'_>, id: InstallId) -> Result<bool, StoreError> {
    let held = diesel::update(
        installs::table
            .find(id.as_bytes().to_vec())
            .filter(installs::revoked_at.is_null()),
    )
    .set(installs::revoked_at.eq(None::<i64>))
    .execute(tx.conn())?;
    Ok(held == 1)
}

/// Revokes an installation; answers whether it was not revoked before.
///
/// # Errors
/// When the database does not answer.
pub fn revoke(
    tx: &mut WriteTx<'_>,
    id: InstallId,
    reason: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let revoked = diesel::update(
        installs::table
            .find(id.as_bytes().to_vec())
            .filter(installs::revoked_at.is_null()),
    )
    .set((
        installs::revoked_at.eq(now.as_millis()),
        installs::revoked_reason.eq(reason.to_owned()),
    ))
    .execute(tx.conn())?;
    Ok(revoked == 1)
}

/// Says that a revoked installation was lost or stolen; answers whether that is news. It is never
/// taken back.
///
/// # Errors
/// When the database does not answer.
pub fn report_stolen(tx: &mut WriteTx<'_>, id: InstallId) -> Result<bool, StoreError> {
    let news = diesel::update(
        installs::table
            .find(id.as_bytes().to_vec())
            .filter(installs::revoked_at.is_not_null())
            .filter(installs::stolen.eq(false)),
    )
    .set(installs::stolen.eq(true))
    .execute(tx.conn())?;
    Ok(news == 1)
}

/// Remembers that a revoked installation has offered what it had; answers whether it had not before.
///
/// # Errors
/// When the database does not answer.
pub fn offered(tx: &mut WriteTx<'_>, id: InstallId, now: Timestamp) -> Result<bool, StoreError> {
    let first = diesel::update(
        installs::table
            .find(id.as_bytes().to_vec())
            .filter(installs::offered_at.is_null()),
    )
    .set(installs::offered_at.eq(now.as_millis()))
    .execute(tx.conn())?;
    Ok(first == 1)
}

/// Installations revoked after `after`, each with the instant.
///
/// # Errors
/// When the database does not answer.
pub fn revoked_after(
    conn: &mut Conn,
    after: Timestamp,
) -> Result<Vec<(Uuid, Timestamp)>, StoreError> {
    let rows: Vec<(Vec<u8>, Option<i64>)> = installs::table
        .filter(installs::revoked_at.gt(after.as_millis()))
        .select((installs::id, installs::revoked_at))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, at)| {
            let id = Uuid::from_slice(&id).map_err(|_| StoreError::Corrupt {
                what: "an installation id that is not 16 bytes".to_owned(),
            })?;
            Ok((id, Timestamp::from_millis(at.unwrap_or_default())))
        })
        .collect()
}

/// Installations of one person with ids after `after`, in order of id, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn of_person(
    conn: &mut Conn,
    person: PersonId,
    after: Option<InstallId>,
    limit: i64,
) -> Result<Vec<Install>, StoreError> {
    let after = after.map_or_else(Vec::new, |id| id.as_bytes().to_vec());
    let rows: Vec<Row> = installs::table
        .filter(installs::person_id.eq(person.as_bytes().to_vec()))
        .filter(installs::id.gt(after))
        .order(installs::id)
        .limit(limit)
        .select(Row::as_select())
        .load(conn)?;
    rows.into_iter().map(Install::try_from).collect()
}

/// Installations of the people that a list tells of, in order of id.
///
/// # Errors
/// When the database does not answer.
pub fn in_view(conn: &mut Conn, list: &PeopleList<'_>) -> Result<Vec<Install>, StoreError> {
    let rows = page_in_view!(conn, installs, installs::person_id, list);
    rows.into_iter().map(Install::try_from).collect()
}

/// How many installations of a person are not revoked.
///
/// # Errors
/// When the database does not answer.
pub fn count_active(conn: &mut Conn, person: PersonId) -> Result<i64, StoreError> {
    Ok(installs::table
        .filter(installs::person_id.eq(person.as_bytes().to_vec()))
        .filter(installs::revoked_at.is_null())
        .count()
        .get_result(conn)?)
}
