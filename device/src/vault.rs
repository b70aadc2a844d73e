//! What unlocks a person's data key on this device: a PIN, or the platform's key store.
//!
//! The data key is random and never changes; `vault.json` holds it wrapped. Another PIN wraps it
//! anew and rewrites nothing else. Wrong PINs are counted on the disk before they are tried, and
//! waits grow, but nothing is ever deleted for them: whoever else holds the phone would destroy
//! its owner's unsent work by typing nonsense.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use hazardloop_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::ambient::Ambient;
use crate::data_key::DataKey;
use crate::home::{HomeError, Owner, Profile, is_enrolled, people_in, write_durably};
use crate::key_store::KeyStore;
use crate::pin_keys::{self, PinError};

/// The file that holds the wrapped data key.
pub const VAULT: &str = "vault.json";
/// The form of that file.
const FORM: u8 = 1;
/// Separates wrapped data keys from every other use of the same cipher.
const WRAP_DOMAIN: &[u8] = b"hazardloop data key wrap v1";
/// Least memory that a PIN's cost may be set to, KiB.
pub const LEAST_MEMORY_KIB: u32 = 19 * 1024;
/// Most memory, KiB.
pub const MOST_MEMORY_KIB: u32 = 1024 * 1024;
/// Fewest passes.
pub const LEAST_PASSES: u32 = 2;
/// Most passes.
pub const MOST_PASSES: u32 = 48;
/// Wrong PINs in a row from which one a day is tried.
const DAILY_FROM: u32 = 10;
const DAY_MS: i64 = 24 * 3_600_000;

/// Why the data key stays locked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The directory.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// There is sealed work, and nothing that says how to unlock it.
    #[error("{0} is missing: what is sealed in this directory cannot be opened")]
    Missing(PathBuf),
    /// The file is not what it has to be.
    #[error("{0} is damaged")]
    Damaged(PathBuf),
    /// The platform's key store has no key for it.
    #[error("the key store has no key for this directory ({0})")]
    NoKey(String),
    /// The key of the platform's key store is another one.
    #[error("the key in the key store is not the one that unlocks this directory ({0})")]
    WrongKey(String),
    /// The key store.
    #[error("the key store: {0}")]
    KeyStore(String),
    /// The PIN could not be asked for.
    #[error("the PIN cannot be read: {0}")]
    Unread(String),
    /// Too short or too long.
    #[error(
        "a PIN has {} to {} characters",
        pin_keys::SHORTEST_PIN,
        pin_keys::LONGEST_PIN
    )]
    Length,
    /// Outside of the stated bounds.
    #[error(
        "argon2id takes {LEAST_MEMORY_KIB} to {MOST_MEMORY_KIB} KiB and {LEAST_PASSES} to \
         {MOST_PASSES} passes"
    )]
    Cost,
    /// Not this PIN.
    #[error("wrong PIN ({failures} in a row)")]
    WrongPin {
        /// In a row.
        failures: u32,
    },
    /// Too many wrong PINs; not before then.
    #[error("too many wrong PINs: not before {0}")]
    Wait(Timestamp),
}

impl From<PinError> for VaultError {
    fn from(_: PinError) -> Self {
        Self::Length
    }
}

/// What a guess of a PIN costs (argon2id, one lane).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinCost {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// Passes.
    pub passes: u32,
}

impl Default for PinCost {
    fn default() -> Self {
        Self {
            memory_kib: pin_keys::MEMORY_KIB,
            passes: pin_keys::PASSES,
        }
    }
}

impl PinCost {
    fn is_allowed(self) -> bool {
        (LEAST_MEMORY_KIB..=MOST_MEMORY_KIB).contains(&self.memory_kib)
            && (LEAST_PASSES..=MOST_PASSES).contains(&self.passes)
    }
}

/// How the data key is wrapped. Bytes in base64url.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
enum Wrap {
    Pin {
        cost: PinCost,
        salt: String,
        nonce: String,
        ciphertext: String,
    },
    KeyStore {
        nonce: String,
        ciphertext: String,
    },
}

#[derive(Clone, Serialize, Deserialize)]
struct Vault {
    form: u8,
    id: Uuid,
    wrap: Wrap,
    /// Wrong PINs in a row.
    failures: u32,
    failed_at: Option<Timestamp>,
}

/// What unlocks a data key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// A PIN.
    Pin(PinCost),
    /// The platform's key store.
    KeyStore,
}

/// What this process can unlock with.
pub struct Keyring<'a> {
    /// The platform's key store.
    pub store: &'a dyn KeyStore,
    /// Asks for the PIN.
    pub pin: &'a dyn Fn() -> Result<Zeroizing<String>, String>,
}

/// A data key as bytes, for wrapping only.
type Secret = Zeroizing<[u8; 32]>;

fn path(profile: &Profile) -> PathBuf {
    profile.dir.join(VAULT)
}

/// Under which name the key store knows a profile.
pub fn key_name(profile: &Profile) -> String {
    profile.owner.directory_name()
}

/// What unlocks this profile; `None`: nothing is sealed here yet.
///
/// # Errors
/// [`VaultError::Damaged`], [`VaultError::Home`].
pub fn lock_of(profile: &Profile) -> Result<Option<Lock>, VaultError> {
    Ok(read(profile)?.map(|vault| match vault.wrap {
        Wrap::Pin { cost, .. } => Lock::Pin(cost),
        Wrap::KeyStore { .. } => Lock::KeyStore,
    }))
}

/// Who, beside `owner`, has work in this home that no PIN guards: whoever uses this system's account can open it.
pub fn people_without_pin(home: &Path, owner: &Owner) -> Vec<String> {
    let others = people_in(home).into_iter().filter(|(dir, other)| {
        let guarded = std::fs::read(dir.join(VAULT))
            .ok()
            .and_then(|text| serde_json::from_slice::<Vault>(&text).ok())
            .is_some_and(|vault| matches!(vault.wrap, Wrap::Pin { .. }));
        other != owner && is_enrolled(dir) && !guarded
    });
    let mut logins: Vec<String> = others.map(|(_, other)| other.login).collect();
    logins.sort_unstable();
    logins
}

/// Unlocks the profile's data key. One that has none gets it, under the platform's key store.
///
/// # Errors
/// [`VaultError`].
pub fn unlock(
    profile: &Profile,
    keyring: &Keyring<'_>,
    ambient: &mut Ambient,
) -> Result<DataKey, VaultError> {
    if read(profile)?.is_some() {
        let (_, secret) = open(profile, keyring, ambient.clock.now())?;
        return Ok(DataKey::new(&secret));
    }
    if profile.dir.join(crate::home::DATABASE).exists() {
        return Err(VaultError::Missing(path(profile)));
    }
    let secret = Zeroizing::new(ambient.bytes());
    let id = ambient.uuid_v7();
    let wrap = by_key_store(profile, keyring.store, ambient, id, &secret)?;
    keep(profile, id, wrap)?;
    Ok(DataKey::new(&secret))
}

/// Puts the data key under a PIN, in the place of what unlocked it so far. Only the wrapping is
/// written; the key store forgets its key.
///
/// # Errors
/// [`VaultError`]; what unlocked it before still does.
pub fn set_pin(
    profile: &Profile,
    keyring: &Keyring<'_>,
    ambient: &mut Ambient,
    new: &str,
    cost: PinCost,
) -> Result<(), VaultError> {
    pin_keys::check_length(new)?;
    if !cost.is_allowed() {
        return Err(VaultError::Cost);
    }
    let (vault, secret) = open(profile, keyring, ambient.clock.now())?;
    let (salt, nonce): ([u8; 16], [u8; 24]) = (ambient.bytes(), ambient.bytes());
    let damaged = || VaultError::Damaged(path(profile));
    let cipher = pin_keys::cipher(new, &salt, cost.memory_kib, cost.passes).ok_or_else(damaged)?;
    let wrap = Wrap::Pin {
        cost,
        salt: URL_SAFE_NO_PAD.encode(salt),
        nonce: URL_SAFE_NO_PAD.encode(nonce),
        ciphertext: wrapped(profile, vault.id, &cipher, &nonce, &secret).ok_or_else(damaged)?,
    };
    keep(profile, vault.id, wrap)?;
    let forgotten = keyring.store.remove(&key_name(profile));
    forgotten.map_err(VaultError::KeyStore)
}

/// Puts the data key under the platform's key store, in the place of a PIN.
///
/// # Errors
/// [`VaultError`]; what unlocked it before still does.
pub fn use_key_store(
    profile: &Profile,
    keyring: &Keyring<'_>,
    ambient: &mut Ambient,
) -> Result<(), VaultError> {
    let (vault, secret) = open(profile, keyring, ambient.clock.now())?;
    if matches!(vault.wrap, Wrap::KeyStore { .. }) {
        return Ok(());
    }
    let wrap = by_key_store(profile, keyring.store, ambient, vault.id, &secret)?;
    keep(profile, vault.id, wrap)
}

fn by_key_store(
    profile: &Profile,
    store: &dyn KeyStore,
    ambient: &mut Ambient,
    id: Uuid,
    secret: &Secret,
) -> Result<Wrap, VaultError> {
    let key: Secret = Zeroizing::new(ambient.bytes());
    // In the store before anything needs it.
    let kept = store.put(&key_name(profile), &key);
    kept.map_err(VaultError::KeyStore)?;
    let nonce: [u8; 24] = ambient.bytes();
    let cipher = XChaCha20Poly1305::new(&(*key).into());
    let ciphertext = wrapped(profile, id, &cipher, &nonce, secret);
    Ok(Wrap::KeyStore {
        nonce: URL_SAFE_NO_PAD.encode(nonce),
        ciphertext: ciphertext.ok_or_else(|| VaultError::Damaged(path(profile)))?,
    })
}

/// What a wrapped key is tied to: it opens in no other person's directory.
fn bound_to(profile: &Profile, id: Uuid) -> Vec<u8> {
    let owner = &profile.owner;
    [
        WRAP_DOMAIN,
        id.as_bytes(),
        &(owner.server.len() as u64).to_be_bytes(),
        owner.server.as_bytes(),
        owner.login.as_bytes(),
    ]
    .concat()
}

fn wrapped(
    profile: &Profile,
    id: Uuid,
    cipher: &XChaCha20Poly1305,
    nonce: &[u8; 24],
    secret: &Secret,
) -> Option<String> {
    let payload = Payload {
        msg: secret.as_slice(),
        aad: &bound_to(profile, id),
    };
    let sealed = cipher.encrypt(&XNonce::from(*nonce), payload).ok()?;
    Some(URL_SAFE_NO_PAD.encode(sealed))
}

/// `None`: the file is damaged. `Some(None)`: not by this key.
fn unwrapped(
    profile: &Profile,
    id: Uuid,
    cipher: &XChaCha20Poly1305,
    (nonce, ciphertext): (&str, &str),
) -> Option<Option<Secret>> {
    let nonce: [u8; 24] = URL_SAFE_NO_PAD.decode(nonce).ok()?.try_into().ok()?;
    let sealed = URL_SAFE_NO_PAD.decode(ciphertext).ok()?;
    let payload = Payload {
        msg: &sealed,
        aad: &bound_to(profile, id),
    };
    let Ok(opened) = cipher.decrypt(&XNonce::from(nonce), payload) else {
        return Some(None);
    };
    let opened = Zeroizing::new(opened);
    let secret: [u8; 32] = opened.as_slice().try_into().ok()?;
    Some(Some(Zeroizing::new(secret)))
}

fn read(profile: &Profile) -> Result<Option<Vault>, VaultError> {
    let path = path(profile);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(HomeError::Io { path, source }.into()),
    };
    let vault: Option<Vault> = serde_json::from_slice(&text).ok();
    match vault.filter(|vault| vault.form == FORM) {
        Some(vault) => Ok(Some(vault)),
        None => Err(VaultError::Damaged(path)),
    }
}

fn keep(profile: &Profile, id: Uuid, wrap: Wrap) -> Result<(), VaultError> {
    let vault = Vault {
        form: FORM,
        id,
        wrap,
        failures: 0,
        failed_at: None,
    };
    write(profile, &vault)
}

fn write(profile: &Profile, vault: &Vault) -> Result<(), VaultError> {
    let text = serde_json::to_vec_pretty(vault).unwrap_or_default();
    Ok(write_durably(&profile.dir, VAULT, &text, 0o600)?)
}

fn open(
    profile: &Profile,
    keyring: &Keyring<'_>,
    now: Timestamp,
) -> Result<(Vault, Secret), VaultError> {
    let vault = read(profile)?.ok_or_else(|| VaultError::Missing(path(profile)))?;
    match vault.wrap.clone() {
        Wrap::KeyStore { nonce, ciphertext } => {
            let name = key_name(profile);
            let key = keyring.store.get(&name).map_err(VaultError::KeyStore)?;
            let missing = || VaultError::NoKey(keyring.store.place(&name));
            let cipher = XChaCha20Poly1305::new(&(*key.ok_or_else(missing)?).into());
            let opened = unwrapped(profile, vault.id, &cipher, (&nonce, &ciphertext));
            let opened = opened.ok_or_else(|| VaultError::Damaged(path(profile)))?;
            let wrong = || VaultError::WrongKey(keyring.store.place(&name));
            Ok((vault, opened.ok_or_else(wrong)?))
        }
        Wrap::Pin {
            cost,
            salt,
            nonce,
            ciphertext,
        } => by_pin(
            profile,
            keyring,
            vault,
            now,
            (cost, &salt),
            (&nonce, &ciphertext),
        ),
    }
}

fn by_pin(
    profile: &Profile,
    keyring: &Keyring<'_>,
    mut vault: Vault,
    now: Timestamp,
    (cost, salt): (PinCost, &str),
    sealed: (&str, &str),
) -> Result<(Vault, Secret), VaultError> {
    let damaged = || VaultError::Damaged(path(profile));
    if let Some(until) = waits_until(&vault, now) {
        // Of a clock that was set back, the wait begins now.
        if vault.failed_at.is_some_and(|at| at > now) {
            vault.failed_at = Some(now);
            write(profile, &vault)?;
        }
        return Err(VaultError::Wait(until));
    }
    let salt = URL_SAFE_NO_PAD.decode(salt).map_err(|_| damaged())?;
    if !cost.is_allowed() {
        return Err(damaged());
    }
    let pin = (keyring.pin)().map_err(VaultError::Unread)?;
    pin_keys::check_length(&pin)?;
    // The attempt is on the disk first: nobody gets another one by ending the program.
    vault.failures = vault.failures.saturating_add(1);
    vault.failed_at = Some(now);
    write(profile, &vault)?;
    let cipher = pin_keys::cipher(&pin, &salt, cost.memory_kib, cost.passes);
    let opened = unwrapped(profile, vault.id, &cipher.ok_or_else(damaged)?, sealed);
    let Some(secret) = opened.ok_or_else(damaged)? else {
        let failures = vault.failures;
        return Err(VaultError::WrongPin { failures });
    };
    vault.failures = 0;
    vault.failed_at = None;
    write(profile, &vault)?;
    Ok((vault, secret))
}

/// Until when no PIN is tried. A clock that was set back does not shorten the wait.
fn waits_until(vault: &Vault, now: Timestamp) -> Option<Timestamp> {
    let mut waits = pin_keys::WAITS.iter().rev();
    let wait = match vault.failures {
        DAILY_FROM.. => DAY_MS,
        failures => waits.find(|(from, _)| failures >= *from)?.1,
    };
    let until = vault.failed_at?.min(now).plus_millis(wait);
    (now < until).then_some(until)
}

/// Forgets for ever how this profile is unlocked: what is sealed in it is unreadable from then on.
pub(crate) fn destroy(profile: &Profile, store: &dyn KeyStore) -> Result<(), VaultError> {
    remove_file(&path(profile))?;
    crate::home::sync_directory(&profile.dir)?;
    let forgotten = store.remove(&key_name(profile));
    forgotten.map_err(VaultError::KeyStore)
}

/// Removes a file; one that is gone already is no error.
pub(crate) fn remove_file(path: &Path) -> Result<(), HomeError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(HomeError::Io {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[path = "vault_tests.rs"]
mod tests;
