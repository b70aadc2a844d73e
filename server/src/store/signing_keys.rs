//! Keys that sign access tokens: exactly one active, retired ones kept while they still verify.

use diesel::prelude::*;
use hazardloop_domain::time::Timestamp;
use zeroize::Zeroizing;

use super::portable::Portable;
use super::schema::{server_meta, signing_keys};
use super::{Conn, StoreError, WriteTx};

/// The only algorithm so far: EdDSA over Ed25519 (RFC 8037).
pub const ED25519: &str = "ed25519";

/// The row of `server_meta` that servers lock while they make or change keys.
const LOCK: &str = "signing_keys_lock";

/// One signing key as stored. Debug output hides the private half.
#[derive(Clone)]
pub struct StoredKey {
    /// Its name in token headers.
    pub kid: String,
    /// The seed, 32 bytes.
    pub private_key: Zeroizing<Vec<u8>>,
    /// The public half, 32 bytes.
    pub public_key: Vec<u8>,
    /// When it began to sign.
    pub activated_at: Timestamp,
    /// When it ceased to sign; absent: it is the active one.
    pub retired_at: Option<Timestamp>,
}

impl std::fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredKey")
            .field("kid", &self.kid)
            .field("retired_at", &self.retired_at)
            .finish_non_exhaustive()
    }
}

type Row = (String, Vec<u8>, Vec<u8>, i64, Option<i64>);

fn read(row: Row) -> StoredKey {
    let (kid, private_key, public_key, activated_at, retired_at) = row;
    StoredKey {
        kid,
        private_key: Zeroizing::new(private_key),
        public_key,
        activated_at: Timestamp::from_millis(activated_at),
        retired_at: retired_at.map(Timestamp::from_millis),
    }
}

/// The active key and those retired after `retired_after`, the active one first.
///
/// # Errors
/// When the database does not answer.
pub fn in_use(conn: &mut Conn, retired_after: Timestamp) -> Result<Vec<StoredKey>, StoreError> {
    let rows: Vec<Row> = signing_keys::table
        .filter(signing_keys::algorithm.eq(ED25519))
        .filter(
            signing_keys::retired_at
                .is_null()
                .or(signing_keys::retired_at.gt(retired_after.as_millis())),
        )
        .order((signing_keys::activated_at.desc(), signing_keys::kid))
        .select((
            signing_keys::kid,
            signing_keys::private_key,
            signing_keys::public_key,
            signing_keys::activated_at,
            signing_keys::retired_at,
        ))
        .load(conn)?;
    let mut keys: Vec<StoredKey> = rows.into_iter().map(read).collect();
    keys.sort_by_key(|key| key.retired_at.is_some());
    Ok(keys)
}

/// Waits until no other server makes or changes keys, for the rest of this transaction.
///
/// # Errors
/// When the database does not answer.
fn lock(tx: &mut WriteTx<'_>) -> Result<(), StoreError> {
    let statement = diesel::insert_into(server_meta::table)
        .values((server_meta::name.eq(LOCK), server_meta::value.eq("")))
        .on_conflict(server_meta::name)
        .do_nothing();
    Portable(statement).execute(tx.conn())?;
    diesel::update(server_meta::table.find(LOCK))
        .set(server_meta::value.eq(""))
        .execute(tx.conn())?;
    Ok(())
}

/// Stores `key` as the active one unless there is one already; answers whether it did.
///
/// # Errors
/// When the database does not answer.
pub fn add_first(tx: &mut WriteTx<'_>, key: &StoredKey) -> Result<bool, StoreError> {
    lock(tx)?;
    let active: i64 = signing_keys::table
        .filter(signing_keys::retired_at.is_null())
        .count()
        .get_result(tx.conn())?;
    if active > 0 {
        return Ok(false);
    }
    insert(tx, key)?;
    Ok(true)
}

/// Retires the active key and stores `key` as the active one; answers the retired ones' names.
///
/// # Errors
/// When the database does not answer.
pub fn rotate(tx: &mut WriteTx<'_>, key: &StoredKey) -> Result<Vec<String>, StoreError> {
    lock(tx)?;
    let active = signing_keys::table.filter(signing_keys::retired_at.is_null());
    let retired: Vec<String> = active.select(signing_keys::kid).load(tx.conn())?;
    diesel::update(signing_keys::table.filter(signing_keys::retired_at.is_null()))
        .set(signing_keys::retired_at.eq(key.activated_at.as_millis()))
        .execute(tx.conn())?;
    insert(tx, key)?;
    Ok(retired)
}

fn insert(tx: &mut WriteTx<'_>, key: &StoredKey) -> Result<(), StoreError> {
    diesel::insert_into(signing_keys::table)
        .values((
            signing_keys::kid.eq(key.kid.clone()),
            signing_keys::algorithm.eq(ED25519),
            signing_keys::private_key.eq(key.private_key.to_vec()),
            signing_keys::public_key.eq(key.public_key.clone()),
            signing_keys::activated_at.eq(key.activated_at.as_millis()),
        ))
        .execute(tx.conn())?;
    Ok(())
}
