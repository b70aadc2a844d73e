//! The keys that sign access tokens: made at the first start, changed on demand, kept in memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::time::Timestamp;
use jsonwebtoken::{DecodingKey, EncodingKey};
use zeroize::Zeroizing;

use super::read_tokens::ReadTokens;
use super::steady::SteadyClock;
use crate::entropy::Entropy;
use crate::failure::Failure;
use crate::settings::SignIn;
use crate::store::signing_keys::{self, StoredKey};
use crate::store::{Conn, Db, StoreError};

/// Seconds that another server may take to notice that its key was retired.
pub const NOTICE_S: i64 = 15;

/// Milliseconds between two looks for a key that is not known here.
const LOOK_AGAIN_MS: u64 = 1_000;

/// What precedes the 32 bytes of an Ed25519 seed in PKCS #8 (RFC 8410, section 7).
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// The key that signs.
pub struct Signer {
    /// Its name.
    pub kid: String,
    /// Its private half.
    pub key: EncodingKey,
}

struct Verifier {
    key: DecodingKey,
    retired_at: Option<Timestamp>,
}

struct Keys {
    signer: Arc<Signer>,
    verifiers: HashMap<String, Verifier>,
}

/// The keys, as this server knows them now.
pub struct KeyRing {
    keys: RwLock<Keys>,
    clock: SteadyClock,
    /// When somebody last looked for an unknown key; `u64::MAX`: never.
    looked_ms: AtomicU64,
    verifies_for_ms: i64,
    read: ReadTokens,
}

/// Milliseconds for which tokens of a retired key may still come.
fn verifies_for_ms(settings: &SignIn) -> i64 {
    settings
        .access_token_s
        .saturating_add(settings.leeway_s)
        .saturating_add(NOTICE_S)
        .saturating_mul(1_000)
}

impl KeyRing {
    /// Loads the keys; makes the first one if there is none. Of two servers that start at once,
    /// one makes it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open(
        db: &Db,
        settings: &SignIn,
        clock: &SteadyClock,
        now: Timestamp,
        entropy: &Entropy,
    ) -> Result<Self, Failure> {
        let verifies_for_ms = verifies_for_ms(settings);
        let since = now.plus_millis(-verifies_for_ms);
        let load = move |conn: &mut Conn| signing_keys::in_use(conn, since);
        let mut stored = db.read(move |tx| load(tx.conn())).await?;
        if stored.iter().all(|key| key.retired_at.is_some()) {
            let first = new_key(entropy, now);
            let added = db.write(move |tx| {
                signing_keys::add_first(tx, &first)?;
                load(tx.conn())
            });
            stored = added.await?;
        }
        Ok(Self {
            keys: RwLock::new(Keys::read(stored)?),
            clock: clock.clone(),
            looked_ms: AtomicU64::new(u64::MAX),
            verifies_for_ms,
            read: ReadTokens::default(),
        })
    }

    /// The key to sign with now.
    pub fn signer(&self) -> Arc<Signer> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&keys.signer)
    }

    /// Tokens that these keys were found to have signed.
    pub fn read_tokens(&self) -> &ReadTokens {
        &self.read
    }

    /// The key of this name, if its tokens may still be about.
    pub fn verifier(&self, kid: &str, now: Timestamp) -> Option<DecodingKey> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let verifier = keys.verifiers.get(kid)?;
        let until = |retired: Timestamp| retired.plus_millis(self.verifies_for_ms);
        if verifier
            .retired_at
            .is_some_and(|retired| until(retired) <= now)
        {
            return None;
        }
        Some(verifier.key.clone())
    }

    /// Loads the keys again because one is not known; at most once a second, however many ask.
    /// Answers whether it did.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn look_again(&self, db: &Db, now: Timestamp) -> Result<bool, StoreError> {
        let steady = self.clock.now_ms();
        let due = |last: u64| last == u64::MAX || steady.saturating_sub(last) >= LOOK_AGAIN_MS;
        let mine = self
            .looked_ms
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
                due(last).then_some(steady)
            });
        if mine.is_err() {
            return Ok(false);
        }
        self.reload(db, now).await?;
        Ok(true)
    }

    /// Loads the keys again.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn reload(&self, db: &Db, now: Timestamp) -> Result<(), StoreError> {
        let since = now.plus_millis(-self.verifies_for_ms);
        let stored = db
            .read(move |tx| signing_keys::in_use(tx.conn(), since))
            .await?;
        let keys = Keys::read(stored)?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }
}

impl Keys {
    fn read(stored: Vec<StoredKey>) -> Result<Self, StoreError> {
        let corrupt = |what: &str| StoreError::Corrupt {
            what: what.to_owned(),
        };
        let active = stored.first().filter(|key| key.retired_at.is_none());
        let active = active.ok_or_else(|| corrupt("there is no active signing key"))?;
        let seed = <&[u8; 32]>::try_from(active.private_key.as_slice());
        let seed = seed.map_err(|_| corrupt("the active signing key"))?;
        let der = Zeroizing::new([PKCS8_PREFIX.as_slice(), seed].concat());
        let signer = Signer {
            kid: active.kid.clone(),
            key: EncodingKey::from_ed_der(&der),
        };
        let mut verifiers = HashMap::new();
        for key in stored {
            // The library would stop on a shorter one.
            if key.public_key.len() != 32 {
                return Err(corrupt("a public signing key"));
            }
            let verifier = Verifier {
                key: DecodingKey::from_ed_der(&key.public_key),
                retired_at: key.retired_at,
            };
            verifiers.insert(key.kid, verifier);
        }
        Ok(Self {
            signer: Arc::new(signer),
            verifiers,
        })
    }
}

/// A new key, active from `now`.
pub fn new_key(entropy: &Entropy, now: Timestamp) -> StoredKey {
    let seed = Zeroizing::new(entropy.bytes::<32>());
    let public_key = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
    let name = Digest::sha256(&public_key);
    let (name, _) = name.as_bytes().split_at(12);
    StoredKey {
        kid: URL_SAFE_NO_PAD.encode(name),
        private_key: Zeroizing::new(seed.to_vec()),
        public_key: public_key.to_vec(),
        activated_at: now,
        retired_at: None,
    }
}

/// Makes a new key the active one; tokens of the old one stay valid until they expire. Answers
/// the new key's name and those of the retired ones.
///
/// # Errors
/// When the database does not answer.
pub fn rotate(
    db: &Db,
    now: Timestamp,
    entropy: &Entropy,
) -> Result<(String, Vec<String>), StoreError> {
    let key = new_key(entropy, now);
    let kid = key.kid.clone();
    let retired = db.write_blocking(move |tx| signing_keys::rotate(tx, &key))?;
    Ok((kid, retired))
}
