//! Keys by which people sign: those of their own devices, and those under a PIN on somebody
//! else's.

use diesel::prelude::*;
use hazardloop_domain::ids::{InstallId, KeyId, PersonId};
use hazardloop_domain::time::Timestamp;

use super::schema::{installs, person_keys};
use super::{Conn, StoreError, WriteTx};

/// A key of somebody who signs on another person's device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonKey {
    /// Which; made by the device that keeps the private half.
    pub id: KeyId,
    /// Whose.
    pub person_id: PersonId,
    /// The installation that keeps the private half.
    pub host_install: InstallId,
    /// Which kind of key, as on the wire.
    pub algorithm: i32,
    /// The public half.
    pub public_key: Vec<u8>,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// When it was revoked, itself or with the installation that keeps it.
    pub revoked_at: Option<Timestamp>,
    /// Why it was revoked itself.
    pub revoked_reason: Option<String>,
}

/// The public half of a key, to check a signature with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifying {
    /// The public half.
    pub public_key: Vec<u8>,
    /// Since when it signs no more.
    pub revoked_at: Option<Timestamp>,
}

type Row = (
    Vec<u8>,
    Vec<u8>,
    Vec<u8>,
    i32,
    Vec<u8>,
    i64,
    Option<i64>,
    Option<String>,
    Option<i64>,
);

/// In the order of [`Row`]; the last is when the host was revoked.
macro_rules! columns {
    () => {
        (
            person_keys::id,
            person_keys::person_id,
            person_keys::host_install,
            person_keys::algorithm,
            person_keys::public_key,
            person_keys::registered_at,
            person_keys::revoked_at,
            person_keys::revoked_reason,
            installs::revoked_at,
        )
    };
}

fn read(row: Row) -> Result<PersonKey, StoreError> {
    let (id, person, host, algorithm, public_key, registered_at, revoked_at, reason, host_end) =
        row;
    let corrupt = || StoreError::Corrupt {
        what: "the ids of a person's key".to_owned(),
    };
    Ok(PersonKey {
        id: KeyId::from_slice(&id).ok_or_else(corrupt)?,
        person_id: PersonId::from_slice(&person).ok_or_else(corrupt)?,
        host_install: InstallId::from_slice(&host).ok_or_else(corrupt)?,
        algorithm,
        public_key,
        registered_at: Timestamp::from_millis(registered_at),
        revoked_at: earlier(revoked_at, host_end).map(Timestamp::from_millis),
        revoked_reason: reason,
    })
}

fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// One key.
///
/// # Errors
/// When the database does not answer.
pub fn by_id(conn: &mut Conn, id: KeyId) -> Result<Option<PersonKey>, StoreError> {
    let row: Option<Row> = person_keys::table
        .inner_join(installs::table)
        .filter(person_keys::id.eq(id.as_bytes().to_vec()))
        .select(columns!())
        .first(conn)
        .optional()?;
    row.map(read).transpose()
}

/// Keys of one person with ids after `after`, in order of id, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn of_person(
    conn: &mut Conn,
    person: PersonId,
    after: Option<KeyId>,
    limit: i64,
) -> Result<Vec<PersonKey>, StoreError> {
    let after = after.map_or_else(Vec::new, |id| id.as_bytes().to_vec());
    let rows: Vec<Row> = person_keys::table
        .inner_join(installs::table)
        .filter(person_keys::person_id.eq(person.as_bytes().to_vec()))
        .filter(person_keys::id.gt(after))
        .order(person_keys::id)
        .limit(limit)
        .select(columns!())
        .load(conn)?;
    rows.into_iter().map(read).collect()
}

/// How many keys of a person are not revoked themselves.
///
/// # Errors
/// When the database does not answer.
pub fn count_active(conn: &mut Conn, person: PersonId) -> Result<i64, StoreError> {
    Ok(person_keys::table
        .filter(person_keys::person_id.eq(person.as_bytes().to_vec()))
        .filter(person_keys::revoked_at.is_null())
        .count()
        .get_result(conn)?)
}

/// Stores a new key.
///
/// # Errors
/// A unique violation in `person_keys` when the id is taken.
pub fn insert(tx: &mut WriteTx<'_>, key: &PersonKey) -> Result<(), StoreError> {
    diesel::insert_into(person_keys::table)
        .values((
            person_keys::id.eq(key.id.as_bytes().to_vec()),
            person_keys::person_id.eq(key.person_id.as_bytes().to_vec()),
            person_keys::host_install.eq(key.host_install.as_bytes().to_vec()),
            person_keys::algorithm.eq(key.algorithm),
            person_keys::public_key.eq(key.public_key.clone()),
            person_keys::registered_at.eq(key.registered_at.as_millis()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Revokes a key; answers whether it was not revoked itself before.
///
/// # Errors
/// When the database does not answer.
pub fn revoke(
    tx: &mut WriteTx<'_>,
    id: KeyId,
    reason: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let revoked = diesel::update(
        person_keys::table
            .find(id.as_bytes().to_vec())
            .filter(person_keys::revoked_at.is_null()),
    )
    .set((
        person_keys::revoked_at.eq(now.as_millis()),
        person_keys::revoked_reason.eq(reason.to_owned()),
    ))
    .execute(tx.conn())?;
    Ok(revoked == 1)
}

/// The key with this id that signs for this person: of a device of theirs, or under a PIN.
///
/// # Errors
/// When the database does not answer.
pub fn verifying(
    conn: &mut Conn,
    id: KeyId,
    person: PersonId,
) -> Result<Option<Verifying>, StoreError> {
    let own: Option<(Vec<u8>, Option<i64>)> = installs::table
        .find(id.as_bytes().to_vec())
        .filter(installs::person_id.eq(person.as_bytes().to_vec()))
        .select((installs::public_key, installs::revoked_at))
        .first(conn)
        .optional()?;
    if let Some((public_key, revoked_at)) = own {
        return Ok(Some(Verifying {
            public_key,
            revoked_at: revoked_at.map(Timestamp::from_millis),
        }));
    }
    let key = by_id(conn, id)?.filter(|key| key.person_id == person);
    Ok(key.map(|key| Verifying {
        public_key: key.public_key,
        revoked_at: key.revoked_at,
    }))
}
