//! Passwords: their rules, and Argon2id (RFC 9106) off the async workers, a few at once.

use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::entropy::Entropy;
use crate::failure::Failure;
use crate::settings::SignIn;

/// The shortest password that may be set, in characters.
pub const SHORTEST_PASSWORD: usize = 10;

/// The longest password that may be set, in characters.
pub const LONGEST_PASSWORD: usize = 256;

/// Hashes that may wait for their turn; more are told to come again.
pub const HASHES_WAITING: usize = 64;

/// Seconds after which somebody who was told so may come again.
const COME_AGAIN_S: u64 = 2;

/// A password as somebody typed it. Debug output hides it; its memory is cleared.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub struct Password(Zeroizing<String>);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl Password {
    /// Refuses what may not be set as a password. Length is all that is asked for: rules about
    /// kinds of characters make passwords worse (NIST SP 800-63B, 3.1.1.2).
    ///
    /// # Errors
    /// [`Failure::Invalid`] that says why, without the password.
    pub fn check_rules(&self) -> Result<(), Failure> {
        let length = self.0.chars().count();
        if !(SHORTEST_PASSWORD..=LONGEST_PASSWORD).contains(&length) {
            let why = format!("must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters");
            return Err(Failure::invalid("password", why));
        }
        if self.0.contains('\0') {
            return Err(Failure::invalid("password", "holds a NUL character"));
        }
        Ok(())
    }
}

/// The working memory of password hashes, kept for the next one: each needs 19 MiB for a moment,
/// which the allocator would otherwise still hold while the next is given other memory.
#[derive(Default)]
struct Memory(Mutex<Vec<Vec<Block>>>);

impl Memory {
    /// Runs `work` with working memory for `params`. As many are kept as were ever in use at once.
    fn lend<T>(&self, params: &Params, work: impl FnOnce(&mut [Block]) -> T) -> T {
        let lent = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut blocks = lent.unwrap_or_default();
        blocks.resize(params.block_count(), Block::new());
        let done = work(&mut blocks);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(blocks);
        done
    }
}

/// Computes and checks password hashes.
pub struct Hasher {
    params: Params,
    memory: Arc<Memory>,
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// What the password of an unknown login is compared with, so that it takes as long.
    nobody: String,
}

impl Hasher {
    /// A hasher with the cost that `settings` name. Computes one hash.
    ///
    /// # Errors
    /// [`Failure::Internal`] when the cost is outside of what Argon2 allows.
    pub fn new(settings: &SignIn, entropy: &Entropy) -> Result<Self, Failure> {
        let params = params(settings)?;
        let at_once = settings.argon2_at_once.max(1);
        let secret = hex::encode(entropy.bytes::<32>());
        let memory = Arc::new(Memory::default());
        let nobody = hash_in(&memory, &params, &Password::from(secret), entropy.bytes())?;
        Ok(Self {
            params,
            memory,
            running: Arc::new(Semaphore::new(at_once)),
            waiting: Arc::new(Semaphore::new(at_once.saturating_add(HASHES_WAITING))),
            nobody,
        })
    }

    /// The PHC string of a new password.
    ///
    /// # Errors
    /// When it breaks the rules, or too many hashes are waiting.
    pub async fn hash(&self, password: Password, salt: [u8; 16]) -> Result<String, Failure> {
        password.check_rules()?;
        let (params, memory) = (self.params.clone(), Arc::clone(&self.memory));
        self.in_turn(move || hash_in(&memory, &params, &password, salt))
            .await
    }

    /// Whether `password` is the one that `phc` was made of; without `phc`, no, after as long.
    ///
    /// # Errors
    /// When too many hashes are waiting, or `phc` is not a PHC string.
    pub async fn verify(&self, password: Password, phc: Option<String>) -> Result<bool, Failure> {
        let known = phc.is_some();
        let phc = phc.unwrap_or_else(|| self.nobody.clone());
        let memory = Arc::clone(&self.memory);
        let fits = self.in_turn(move || verify(&memory, &password, &phc));
        let fits = fits.await?;
        Ok(fits && known)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let waiting = Arc::clone(&self.waiting).try_acquire_owned();
        let waiting = waiting.map_err(|_full| Failure::RateLimited {
            retry_after_s: COME_AGAIN_S,
        })?;
        let stopping = |what: String| Failure::Internal(format!("password hashing: {what}"));
        let running = Arc::clone(&self.running).acquire_owned().await;
        let running = running.map_err(|closed| stopping(closed.to_string()))?;
        // The permits go with the work: somebody who hangs up does not make room for more.
        crate::held::blocking(move || {
            let _permits = (waiting, running);
            work()
        })
        .await
        .map_err(|error| stopping(error.to_string()))?
    }
}

/// The cost that `settings` name.
///
/// # Errors
/// [`Failure::Internal`] when it is outside of what Argon2 allows.
pub fn params(settings: &SignIn) -> Result<Params, Failure> {
    Params::new(settings.argon2_memory_kib, settings.argon2_passes, 1, None)
        .map_err(|error| Failure::Internal(format!("argon2 settings: {error}")))
}

/// The PHC string of `password`, computed on this thread.
///
/// # Errors
/// [`Failure::Internal`] when Argon2 fails.
pub fn hash(params: &Params, password: &Password, salt: [u8; 16]) -> Result<String, Failure> {
    hash_in(&Memory::default(), params, password, salt)
}

fn hash_in(
    memory: &Memory,
    params: &Params,
    password: &Password,
    salt: [u8; 16],
) -> Result<String, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Internal(format!("argon2: {error}"));
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let mut bytes = Zeroizing::new([0; Params::DEFAULT_OUTPUT_LEN]);
    compute(memory, &argon2, password, &salt, bytes.as_mut_slice())?;
    let phc = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params).map_err(|error| failed(&error))?,
        salt: Some(Salt::new(&salt).map_err(|error| failed(&error))?),
        hash: Some(Output::new(bytes.as_slice()).map_err(|error| failed(&error))?),
    };
    Ok(phc.to_string())
}

fn compute(
    memory: &Memory,
    argon2: &Argon2<'_>,
    password: &Password,
    salt: &[u8],
    out: &mut [u8],
) -> Result<(), Failure> {
    memory
        .lend(argon2.params(), |blocks| {
            argon2.hash_password_into_with_memory(password.0.as_bytes(), salt, out, blocks)
        })
        .map_err(|error| Failure::Internal(format!("argon2: {error}")))
}

/// Whether `password` is the one that `phc` was made of, at whatever cost that was.
fn verify(memory: &Memory, password: &Password, phc: &str) -> Result<bool, Failure> {
    let unreadable = |what: String| Failure::Internal(format!("a stored password hash: {what}"));
    let stored = PasswordHash::new(phc).map_err(|error| unreadable(error.to_string()))?;
    let algorithm = Algorithm::try_from(stored.algorithm.as_str());
    let algorithm = algorithm.map_err(|error| unreadable(error.to_string()))?;
    let version = Version::try_from(stored.version.unwrap_or_default());
    let version = version.map_err(|error| unreadable(error.to_string()))?;
    let params = Params::try_from(&stored).map_err(|error| unreadable(error.to_string()))?;
    let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else {
        return Err(unreadable("it has no salt or no hash".to_owned()));
    };
    let argon2 = Argon2::new(algorithm, version, params);
    let mut bytes = Zeroizing::new(vec![0; expected.as_bytes().len()]);
    compute(memory, &argon2, password, salt, &mut bytes)?;
    Ok(bytes.ct_eq(expected.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn small() -> Params {
        Params::new(8, 1, 1, None).unwrap()
    }

    #[test]
    fn a_hash_is_argon2id_and_fits_only_its_password() {
        let phc = hash(&small(), &"correct horse".to_owned().into(), [1; 16]).unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{phc}");
        let memory = Memory::default();
        let fits = |password: &str, phc| verify(&memory, &password.to_owned().into(), phc);
        assert_eq!(fits("correct horse", &phc), Ok(true));
        assert_eq!(fits("correct horsf", &phc), Ok(false));
        assert!(fits("x", "-").is_err());
        let dear = Params::new(64, 2, 1, None).unwrap();
        let other = hash_in(&memory, &dear, &"correct horse".to_owned().into(), [1; 16]);
        let other = other.unwrap();
        // In the memory of another hash, of another size, and back.
        assert_eq!(fits("correct horse", &other), Ok(true));
        assert_eq!(fits("correct horse", &phc), Ok(true));
        let cut = phc.split_at(phc.len() - 2).0;
        assert!(fits("correct horse", cut).is_err());
        assert_eq!(memory.0.lock().unwrap().len(), 1, "one was used at once");
        for unusable in [
            "$argon2id$v=19$m=8,t=1,p=1$AQEBAQEBAQEBAQEBAQEBAQ",
            "$scrypt$ln=1$AQEBAQEBAQEBAQEBAQEBAQ$AQEBAQEBAQEBAQEBAQEBAQ",
        ] {
            assert!(fits("correct horse", unusable).is_err());
        }
    }

    /// The reference implementation's own vector (RFC 9106 gives none without a secret).
    #[test]
    fn a_hash_that_another_implementation_made_is_checked() {
        let phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$\
                   CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let memory = Memory::default();
        let fits = |password: &str| verify(&memory, &password.to_owned().into(), phc);
        assert_eq!(fits("password"), Ok(true));
        assert_eq!(fits("Password"), Ok(false));
    }

    fn hasher(settings: &SignIn) -> Hasher {
        use rand::SeedableRng as _;
        let entropy = Entropy::new(rand::rngs::StdRng::seed_from_u64(1));
        Hasher::new(settings, &entropy).unwrap()
    }

    #[tokio::test]
    async fn hashes_cost_what_the_settings_say() {
        let settings = SignIn {
            argon2_memory_kib: 16,
            argon2_passes: 3,
            ..SignIn::default()
        };
        let password = Password::from("correct horse".to_owned());
        let phc = hasher(&settings).hash(password, [1; 16]).await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=16,t=3,p=1$"), "{phc}");
    }

    #[tokio::test]
    async fn as_many_hashes_as_allowed_run_at_once_and_the_others_wait_their_turn() {
        use std::sync::atomic::{AtomicUsize, Ordering};

        let at_once = 3;
        let settings = SignIn {
            argon2_memory_kib: 8,
            argon2_passes: 1,
            argon2_at_once: at_once,
            ..SignIn::default()
        };
        let hasher = Arc::new(hasher(&settings));
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        // Nobody may end before all who may run are running.
        let all_run = Arc::new(std::sync::Barrier::new(at_once));
        let work = || {
            let (running, most) = (running.clone(), most.clone());
            let all_run = all_run.clone();
            move || {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                all_run.wait();
                running.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, Failure>(())
            }
        };
        // A multiple of those at once, so that every round of the barrier is full.
        let all = (at_once + HASHES_WAITING) / at_once * at_once;
        let mut asked = tokio::task::JoinSet::new();
        for _ in 0..all {
            let (hasher, work) = (hasher.clone(), work());
            asked.spawn(async move { hasher.in_turn(work).await });
        }
        let answers = asked.join_all().await;
        assert_eq!(answers, vec![Ok(()); all]);
        assert_eq!(most.load(Ordering::SeqCst), at_once);
    }

    #[tokio::test]
    async fn whoever_finds_no_room_to_wait_is_told_to_come_again() {
        let settings = SignIn {
            argon2_memory_kib: 8,
            argon2_passes: 1,
            argon2_at_once: 1,
            ..SignIn::default()
        };
        let hasher = Arc::new(hasher(&settings));
        let held = hasher.waiting.clone();
        let room = u32::try_from(HASHES_WAITING + 1).unwrap();
        let crowd = held.try_acquire_many_owned(room).unwrap();
        let password = || Password::from("correct horse".to_owned());
        let refused = hasher.verify(password(), None).await;
        let expected = Failure::RateLimited {
            retry_after_s: COME_AGAIN_S,
        };
        assert_eq!(refused, Err(expected));
        drop(crowd);
        assert_eq!(hasher.verify(password(), None).await, Ok(false));
    }

    #[test]
    fn rules_count_characters_and_hide_the_password() {
        for (text, fits) in [
            ("九个字的密码不够长", false),
            ("十个字符的密码刚刚好", true),
            ("with\0nul in it", false),
        ] {
            let checked = Password::from(text.to_owned()).check_rules();
            assert_eq!(checked.is_ok(), fits, "{text}");
            if let Err(failure) = checked {
                assert!(!failure.to_string().contains(text));
            }
        }
        assert!(Password::from("x".repeat(257)).check_rules().is_err());
        assert!(Password::from("x".repeat(256)).check_rules().is_ok());
        let shown = format!("{:?}", Password::from("correct horse".to_owned()));
        assert!(!shown.contains("horse"));
    }
}
