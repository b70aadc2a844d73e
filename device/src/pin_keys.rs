//! Keys of people who sign on this device without having one of their own: the private half lies
//! here, encrypted under a PIN.
//!
//! A PIN is short. What protects it is that a guess takes time: through this program by growing
//! waits and in the end the loss of the key, and for whoever copies the file by argon2id. Against
//! somebody who has the file and much time only a long PIN and revoking the key help.

use std::path::PathBuf;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use ed25519_dalek::SigningKey;
use hazardloop_domain::ids::{KeyId, PersonId};
use hazardloop_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::home::{HomeError, Profile, write_durably};

/// Fewest characters of a PIN.
pub const SHORTEST_PIN: usize = 6;
/// Most characters of a PIN.
pub const LONGEST_PIN: usize = 64;
/// Argon2id (RFC 9106): memory, KiB.
pub const MEMORY_KIB: u32 = 64 * 1024;
/// Argon2id: passes.
pub const PASSES: u32 = 3;
/// Wrong PINs in a row after which the private half is deleted.
pub const MOST_FAILURES: u32 = 10;
/// Waits after so many wrong PINs in a row, milliseconds; the last one goes on.
pub(crate) const WAITS: [(u32, i64); 4] = [
    (3, 60_000),
    (4, 5 * 60_000),
    (5, 15 * 60_000),
    (6, 60 * 60_000),
];

/// Separates these files from every other use of the same cipher.
const FILE_DOMAIN: &[u8] = b"hazardloop pin key file v1";

/// Why a PIN key is of no use.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// The directory.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// Nobody of this name has a key here.
    #[error("nobody signs here as {0}: see pin-key list")]
    Unknown(String),
    /// The server has not taken it yet.
    #[error("the key of {0} is not registered yet: run pin-key add again")]
    NotRegistered(String),
    /// Too short or too long.
    #[error("a PIN has {SHORTEST_PIN} to {LONGEST_PIN} characters")]
    Length,
    /// Not this PIN.
    #[error("wrong PIN; {left} attempts are left")]
    Wrong {
        /// Attempts before the key is deleted.
        left: u32,
    },
    /// Too many wrong PINs; not before then.
    #[error("too many wrong PINs: not before {0}")]
    Wait(Timestamp),
    /// Too many wrong PINs for good.
    #[error("the key was deleted after {MOST_FAILURES} wrong PINs: run pin-key add again")]
    Deleted,
    /// The file is not what it has to be.
    #[error("the key file of {0} is damaged")]
    Damaged(String),
}

/// A key as its file holds it.
#[derive(Clone, Serialize, Deserialize)]
pub struct PinKey {
    /// The name they sign in with.
    pub login: String,
    /// Who.
    pub person_id: PersonId,
    /// Their name when the key was made.
    pub name: String,
    /// The key's id, as the server knows it.
    pub key_id: KeyId,
    /// When it was made.
    pub made_at: Timestamp,
    /// Whether the server has taken it.
    pub registered: bool,
    /// The public half, base64url.
    pub public_key: String,
    /// Wrong PINs in a row.
    pub failures: u32,
    /// When the last one was.
    pub failed_at: Option<Timestamp>,
    /// The private half; absent once it was deleted.
    sealed: Option<Sealed>,
}

/// The encrypted private half, and how its key follows from the PIN. Bytes in base64url.
#[derive(Clone, Serialize, Deserialize)]
struct Sealed {
    memory_kib: u32,
    passes: u32,
    salt: String,
    nonce: String,
    ciphertext: String,
}

/// Never the private half.
impl std::fmt::Debug for PinKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PinKey")
            .field("login", &self.login)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// Chance that a new key needs.
pub struct Chance {
    /// The private half.
    pub secret: [u8; 32],
    /// For argon2id.
    pub salt: [u8; 16],
    /// For the cipher.
    pub nonce: [u8; 24],
}

/// Whose key it is.
#[derive(Clone, Debug)]
pub struct Signer {
    /// The name they sign in with.
    pub login: String,
    /// Who.
    pub person_id: PersonId,
    /// Their name.
    pub name: String,
}

impl PinKey {
    /// A new key under a PIN; not registered, and not on the disk yet.
    ///
    /// # Errors
    /// [`PinError::Length`].
    pub fn new(
        signer: Signer,
        key_id: KeyId,
        made_at: Timestamp,
        pin: &str,
        chance: &Chance,
    ) -> Result<(Self, SigningKey), PinError> {
        check_length(pin)?;
        let key = SigningKey::from_bytes(&chance.secret);
        let mut made = Self {
            login: signer.login,
            person_id: signer.person_id,
            name: signer.name,
            key_id,
            made_at,
            registered: false,
            public_key: URL_SAFE_NO_PAD.encode(key.verifying_key().to_bytes()),
            failures: 0,
            failed_at: None,
            sealed: None,
        };
        made.sealed = Some(made.seal(pin, chance).ok_or_else(|| made.damaged())?);
        Ok((made, key))
    }

    /// Whether it signs, given its PIN.
    pub fn is_usable(&self) -> bool {
        self.registered && self.sealed.is_some()
    }

    fn damaged(&self) -> PinError {
        PinError::Damaged(self.login.clone())
    }

    /// What the ciphertext is tied to: it cannot be moved to another person's file.
    fn bound_to(&self) -> Vec<u8> {
        [
            FILE_DOMAIN,
            self.key_id.as_bytes(),
            self.person_id.as_bytes(),
        ]
        .concat()
    }

    fn seal(&self, pin: &str, chance: &Chance) -> Option<Sealed> {
        let cipher = cipher(pin, &chance.salt, MEMORY_KIB, PASSES)?;
        let payload = Payload {
            msg: &chance.secret,
            aad: &self.bound_to(),
        };
        let nonce = XNonce::from(chance.nonce);
        Some(Sealed {
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            salt: URL_SAFE_NO_PAD.encode(chance.salt),
            nonce: URL_SAFE_NO_PAD.encode(chance.nonce),
            ciphertext: URL_SAFE_NO_PAD.encode(cipher.encrypt(&nonce, payload).ok()?),
        })
    }

    /// `None`: the file is damaged. `Some(None)`: not this PIN.
    fn unseal(&self, sealed: &Sealed, pin: &str) -> Option<Option<SigningKey>> {
        let salt = URL_SAFE_NO_PAD.decode(&sealed.salt).ok()?;
        let nonce: [u8; 24] = URL_SAFE_NO_PAD
            .decode(&sealed.nonce)
            .ok()?
            .try_into()
            .ok()?;
        let ciphertext = URL_SAFE_NO_PAD.decode(&sealed.ciphertext).ok()?;
        if sealed.memory_kib > 16 * MEMORY_KIB || sealed.passes > 16 * PASSES {
            return None;
        }
        let cipher = cipher(pin, &salt, sealed.memory_kib, sealed.passes)?;
        let payload = Payload {
            msg: &ciphertext,
            aad: &self.bound_to(),
        };
        let Ok(secret) = cipher.decrypt(&XNonce::from(nonce), payload) else {
            return Some(None);
        };
        let secret: [u8; 32] = secret.try_into().ok()?;
        Some(Some(SigningKey::from_bytes(&secret)))
    }

    /// Until when no PIN is tried. A clock that was set back does not shorten the wait.
    fn waits_until(&self, now: Timestamp) -> Option<Timestamp> {
        let wait = WAITS.iter().rev().find(|(from, _)| self.failures >= *from);
        let until = self.failed_at?.min(now).plus_millis(wait?.1);
        (now < until).then_some(until)
    }
}

/// The cipher whose key follows from a PIN, by argon2id with one lane.
pub(crate) fn cipher(
    pin: &str,
    salt: &[u8],
    memory_kib: u32,
    passes: u32,
) -> Option<XChaCha20Poly1305> {
    let params = Params::new(memory_kib, passes, 1, Some(32)).ok()?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(pin.as_bytes(), salt, key.as_mut_slice())
        .ok()?;
    XChaCha20Poly1305::new_from_slice(key.as_slice()).ok()
}

pub(crate) fn check_length(pin: &str) -> Result<(), PinError> {
    let characters = pin.chars().count();
    match (SHORTEST_PIN..=LONGEST_PIN).contains(&characters) {
        true => Ok(()),
        false => Err(PinError::Length),
    }
}

/// The PIN keys of one profile, each in a file of its own.
pub struct PinKeys<'a>(
    /// Where they lie.
    pub &'a Profile,
);

impl PinKeys<'_> {
    fn file(key: &PinKey) -> String {
        format!("pin-key-{}.json", key.person_id)
    }

    /// All of them, by login.
    ///
    /// # Errors
    /// [`PinError::Damaged`], [`PinError::Home`].
    pub fn all(&self) -> Result<Vec<PinKey>, PinError> {
        let io = |path: PathBuf| move |source| HomeError::Io { path, source };
        let dir = &self.0.dir;
        let mut keys = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(io(dir.clone()))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.starts_with("pin-key-") || !name.ends_with(".json") {
                continue;
            }
            let text = std::fs::read(entry.path()).map_err(io(entry.path()))?;
            let key = serde_json::from_slice(&text).map_err(|_| PinError::Damaged(name))?;
            keys.push(key);
        }
        keys.sort_by(|one: &PinKey, other| one.login.cmp(&other.login));
        Ok(keys)
    }

    /// The key of this login.
    ///
    /// # Errors
    /// [`PinError::Unknown`], and as [`Self::all`].
    pub fn of(&self, login: &str) -> Result<PinKey, PinError> {
        let all = self.all()?;
        let mut fits = all.into_iter().filter(|key| key.login == login);
        fits.next()
            .ok_or_else(|| PinError::Unknown(login.to_owned()))
    }

    /// Keeps a key, in the place of another one of the same person.
    ///
    /// # Errors
    /// [`PinError::Home`].
    pub fn keep(&self, key: &PinKey) -> Result<(), PinError> {
        let text = serde_json::to_vec_pretty(key).unwrap_or_default();
        write_durably(&self.0.dir, &Self::file(key), &text, 0o600)?;
        Ok(())
    }

    /// Deletes a key from this device.
    ///
    /// # Errors
    /// [`PinError::Home`].
    pub fn remove(&self, key: &PinKey) -> Result<(), PinError> {
        let path = self.0.dir.join(Self::file(key));
        std::fs::remove_file(&path).map_err(|source| HomeError::Io { path, source })?;
        crate::home::sync_directory(&self.0.dir)?;
        Ok(())
    }

    /// Opens a key with its PIN. The attempt is on the disk before the PIN is tried, so that
    /// nobody gets another one by ending the program.
    ///
    /// # Errors
    /// [`PinError`].
    pub fn open(
        &self,
        login: &str,
        pin: &str,
        now: Timestamp,
    ) -> Result<(PinKey, SigningKey), PinError> {
        let mut key = self.of(login)?;
        let Some(sealed) = key.sealed.clone() else {
            return Err(PinError::Deleted);
        };
        if !key.registered {
            return Err(PinError::NotRegistered(login.to_owned()));
        }
        if let Some(until) = key.waits_until(now) {
            // Of a clock that was set back, the wait begins now.
            if key.failed_at.is_some_and(|at| at > now) {
                key.failed_at = Some(now);
                self.keep(&key)?;
            }
            return Err(PinError::Wait(until));
        }
        check_length(pin)?;
        key.failures = key.failures.saturating_add(1);
        key.failed_at = Some(now);
        self.keep(&key)?;
        let opened = key.unseal(&sealed, pin).ok_or_else(|| key.damaged())?;
        if let Some(opened) = opened {
            key.failures = 0;
            key.failed_at = None;
            self.keep(&key)?;
            return Ok((key, opened));
        }
        let left = MOST_FAILURES.saturating_sub(key.failures);
        if left == 0 {
            key.sealed = None;
            self.keep(&key)?;
            return Err(PinError::Deleted);
        }
        Err(PinError::Wrong { left })
    }
}

#[cfg(test)]
#[path = "pin_keys_tests.rs"]
mod tests;
