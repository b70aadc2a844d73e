//! Where a device keeps its things: one directory per (server, user), locked while in use.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::InstallId;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::data_key::DataKey;
use crate::wipe::{self, Wiped};

/// The database's file name.
pub const DATABASE: &str = "sealed.db";
/// The database of a build from before everything was sealed.
pub const PLAIN_DATABASE: &str = "device.db";
pub(crate) const PROFILE: &str = "profile.json";
pub(crate) const LOCK: &str = "lock";
pub(crate) const NETWORK_LOCK: &str = "network.lock";

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Reading or writing failed.
    #[error("{path}: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Nobody is enrolled here.
    #[error("nobody is enrolled in {0}: run `enroll` first")]
    NotEnrolled(PathBuf),
    /// Nobody is any more: the device was wiped after its revocation.
    #[error("this device was wiped at {}", .0.at)]
    Wiped(Box<Wiped>),
    /// Several are enrolled here.
    #[error("several people are enrolled here ({0}): choose one with --user and --server")]
    Ambiguous(String),
    /// Another process speaks to the server for this profile.
    #[error("another process is speaking to the server for {0}")]
    NetworkInUse(PathBuf),
    /// A key file is not one.
    #[error("{0}: not a 32-byte key")]
    BadKey(PathBuf),
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> HomeError + '_ {
    move |source| HomeError::Io {
        path: path.to_owned(),
        source,
    }
}

/// Who a directory belongs to; no secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Base address of the server.
    pub server: String,
    /// The name they sign in with.
    pub login: String,
}

/// One person's directory. Two locks: one around work on the store, held shortly and by one
/// process at a time, and one around a whole conversation with the server. A server that hangs
/// thus keeps nobody from queueing.
#[derive(Debug)]
pub struct Profile {
    /// The directory.
    pub dir: PathBuf,
    /// Whose.
    pub owner: Owner,
    store_lock: File,
    network_lock: File,
}

impl Owner {
    /// The directory's name: readable, and distinct for every (server, user).
    pub fn directory_name(&self) -> String {
        let hash = Digest::sha256_of_parts(&[self.server.as_bytes(), self.login.as_bytes()]);
        let short: String = hash.to_string().chars().take(8).collect();
        let host = self.server.split("://").nth(1).unwrap_or(&self.server);
        let readable: String = format!("{}-{host}", self.login)
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '.' {
                    c
                } else {
                    '-'
                }
            })
            .take(60)
            .collect();
        format!("{}-{short}", readable.trim_start_matches('.'))
    }
}

/// The base address without a trailing slash, so that one server has one form.
pub fn normal_server(server: &str) -> String {
    server.trim().trim_end_matches('/').to_owned()
}

impl Profile {
    /// Opens, and where needed creates, the directory of `owner`.
    ///
    /// # Errors
    /// [`HomeError::Io`].
    pub fn create(home: &Path, owner: Owner) -> Result<Self, HomeError> {
        let dir = home.join(owner.directory_name());
        std::fs::create_dir_all(&dir).map_err(io(&dir))?;
        restrict(&dir, 0o700)?;
        // The directory itself has to outlast a power cut, or nothing in it does.
        sync_directory(home)?;
        let path = dir.join(PROFILE);
        if !path.exists() {
            let text = serde_json::to_vec_pretty(&owner).unwrap_or_default();
            write_durably(&dir, PROFILE, &text, 0o600)?;
        }
        Self::lock(dir, owner)
    }

    /// Finds the one directory that fits.
    ///
    /// # Errors
    /// [`HomeError::NotEnrolled`], [`HomeError::Ambiguous`], [`HomeError::Io`].
    pub fn find(home: &Path, server: Option<&str>, login: Option<&str>) -> Result<Self, HomeError> {
        let server = server.map(normal_server);
        let (mut found, mut wiped) = (Vec::new(), None);
        for (dir, owner) in people_in(home) {
            let fits = server.as_ref().is_none_or(|server| *server == owner.server)
                && login.is_none_or(|login| login == owner.login);
            if fits && is_enrolled(&dir) {
                found.push((dir, owner));
            } else if fits {
                wiped = wiped.or(wipe::note_in(&dir));
            }
        }
        if found.len() > 1 {
            let names: Vec<_> = found.iter().map(|(_, o)| o.login.as_str()).collect();
            return Err(HomeError::Ambiguous(names.join(", ")));
        }
        let nobody = || match wiped {
            Some(wiped) => HomeError::Wiped(Box::new(wiped)),
            None => HomeError::NotEnrolled(home.to_owned()),
        };
        let (dir, owner) = found.pop().ok_or_else(nobody)?;
        let profile = Self::lock(dir, owner)?;
        // Wiped while the lock was waited for.
        match is_enrolled(&profile.dir) {
            true => Ok(profile),
            false => Err(HomeError::NotEnrolled(home.to_owned())),
        }
    }

    /// Two processes must not give out the same sequence: the second waits.
    pub(crate) fn lock(dir: PathBuf, owner: Owner) -> Result<Self, HomeError> {
        let profile = Self {
            store_lock: lock_file(&dir.join(LOCK))?,
            network_lock: lock_file(&dir.join(NETWORK_LOCK))?,
            dir,
            owner,
        };
        profile.hold()?;
        Ok(profile)
    }

    /// Waits until the store is this process's alone.
    ///
    /// # Errors
    /// [`HomeError::Io`].
    pub fn hold(&self) -> Result<(), HomeError> {
        self.store_lock.lock().map_err(io(&self.dir))
    }

    /// Lets other processes at the store. What they queue has to be read before it is used again.
    ///
    /// # Errors
    /// [`HomeError::Io`].
    pub fn release(&self) -> Result<(), HomeError> {
        self.store_lock.unlock().map_err(io(&self.dir))
    }

    /// Does something slow with the store released.
    ///
    /// # Errors
    /// [`HomeError::Io`].
    pub fn away<T>(&self, slow: impl FnOnce() -> T) -> Result<T, HomeError> {
        self.release()?;
        let done = slow();
        self.hold()?;
        Ok(done)
    }

    /// Makes this the one process that speaks to the server, until it ends. Waits
    /// [`NETWORK_WAITS`] times for another to finish. To be called before the store is read: the other changes it.
    ///
    /// # Errors
    /// [`HomeError::NetworkInUse`], [`HomeError::Io`].
    pub fn enter_network(&self, wait: impl Fn(i64)) -> Result<(), HomeError> {
        for _ in 0..NETWORK_WAITS {
            match self.network_lock.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) => self.away(|| wait(NETWORK_WAIT_MS))?,
                Err(TryLockError::Error(source)) => return Err(io(&self.dir)(source)),
            }
        }
        Err(HomeError::NetworkInUse(self.dir.clone()))
    }

    /// Keeps an install's private key, sealed.
    ///
    /// # Errors
    /// [`HomeError::Io`].
    pub fn keep_key(
        &self,
        install_id: InstallId,
        key: &SigningKey,
        (data_key, rng): (&DataKey, &mut StdRng),
    ) -> Result<(), HomeError> {
        let (name, place) = (sealed_key_name(install_id, data_key), key_place(install_id));
        let sealed = data_key.seal_whole(rng, &place, key.as_bytes());
        let sealed = sealed.ok_or_else(|| HomeError::BadKey(self.dir.join(&name)))?;
        write_durably(&self.dir, &name, &sealed, 0o600)
    }

    /// The private key of an install.
    ///
    /// # Errors
    /// [`HomeError::Io`], [`HomeError::BadKey`].
    pub fn key(&self, install_id: InstallId, data_key: &DataKey) -> Result<SigningKey, HomeError> {
        let path = self.dir.join(sealed_key_name(install_id, data_key));
        let sealed = std::fs::read(&path).map_err(io(&path))?;
        let opened = data_key.open_whole(&key_place(install_id), &sealed);
        let bytes = Zeroizing::new(opened.unwrap_or_default());
        let bytes: &[u8; 32] = match bytes.as_slice().try_into() {
            Ok(bytes) => bytes,
            Err(_) => return Err(HomeError::BadKey(path)),
        };
        Ok(SigningKey::from_bytes(bytes))
    }
}

/// The directories of a home, and whose they are.
pub(crate) fn people_in(home: &Path) -> Vec<(PathBuf, Owner)> {
    let entries = std::fs::read_dir(home).into_iter().flatten().flatten();
    let owned = entries.filter_map(|entry| {
        let dir = entry.path();
        let text = std::fs::read(dir.join(PROFILE)).ok()?;
        let owner = serde_json::from_slice(&text).ok()?;
        Some((dir, owner))
    });
    owned.collect()
}

/// Whether there is somebody's work in a directory, sealed or from before, and it is to stay.
pub(crate) fn is_enrolled(dir: &Path) -> bool {
    let is_there = dir.join(DATABASE).exists() || dir.join(PLAIN_DATABASE).exists();
    is_there && !dir.join(wipe::WIPED).exists()
}

/// How often a process looks whether another one has finished speaking to the server.
pub const NETWORK_WAITS: usize = 30;
/// How long it waits in between, milliseconds.
pub const NETWORK_WAIT_MS: i64 = 100;

fn lock_file(path: &Path) -> Result<File, HomeError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(io(path))
}

/// How the files of sealed private keys begin.
pub(crate) const SEALED_KEY: &str = "sealed-key-";

fn sealed_key_name(install_id: InstallId, data_key: &DataKey) -> String {
    let name = data_key.name(&[b"install key", install_id.as_bytes()]);
    let hex: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{SEALED_KEY}{hex}")
}

/// What a sealed private key is tied to.
fn key_place(install_id: InstallId) -> Vec<u8> {
    [
        b"hazardloop install key v1".as_slice(),
        install_id.as_bytes(),
    ]
    .concat()
}

/// Writes a file so that after a power cut it is there whole or not at all.
pub(crate) fn write_durably(
    dir: &Path,
    name: &str,
    bytes: &[u8],
    mode: u32,
) -> Result<(), HomeError> {
    let (path, temporary) = (dir.join(name), dir.join(format!("{name}.part")));
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    let mut file = options.open(&temporary).map_err(io(&temporary))?;
    restrict(&temporary, mode)?;
    file.write_all(bytes).map_err(io(&temporary))?;
    file.sync_all().map_err(io(&temporary))?;
    std::fs::rename(&temporary, &path).map_err(io(&path))?;
    sync_directory(dir)
}

/// A rename is durable once its directory is.
pub(crate) fn sync_directory(dir: &Path) -> Result<(), HomeError> {
    #[cfg(unix)]
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(io(dir))?;
    Ok(())
}

fn restrict(path: &Path, mode: u32) -> Result<(), HomeError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, permissions).map_err(io(path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use uuid::Uuid;

    fn owner(login: &str) -> Owner {
        Owner {
            server: "http://127.0.0.1:8080".into(),
            login: login.into(),
        }
    }

    #[test]
    fn two_users_of_one_phone_have_separate_directories() {
        let home = tempfile::tempdir().unwrap();
        let one = Profile::create(home.path(), owner("li")).unwrap();
        let two = Profile::create(home.path(), owner("wang")).unwrap();
        assert_ne!(one.dir, two.dir);
        for dir in [&one.dir, &two.dir] {
            std::fs::write(dir.join(DATABASE), b"").unwrap();
        }
        drop((one, two));
        let chosen = Profile::find(home.path(), None, Some("li")).unwrap();
        assert_eq!(chosen.owner.login, "li");
        let unclear = Profile::find(home.path(), None, None).unwrap_err();
        assert!(matches!(unclear, HomeError::Ambiguous(_)));
    }

    #[test]
    fn names_that_would_leave_the_home_do_not() {
        let name = owner("../../etc").directory_name();
        assert!(!name.contains('/') && !name.starts_with('.'), "{name}");
        assert_ne!(owner("a-b").directory_name(), owner("a/b").directory_name());
    }

    #[test]
    fn the_private_key_is_sealed_and_readable_by_its_owner_only() {
        use rand::SeedableRng as _;
        let home = tempfile::tempdir().unwrap();
        let profile = Profile::create(home.path(), owner("li")).unwrap();
        let (id, other) = (InstallId(Uuid::from_u128(1)), InstallId(Uuid::from_u128(2)));
        let key = |n| DataKey::new(&Zeroizing::new([n; 32]));
        let mut rng = StdRng::seed_from_u64(1);
        let secret = SigningKey::from_bytes(&[3; 32]);
        profile.keep_key(id, &secret, (&key(1), &mut rng)).unwrap();
        let path = profile.dir.join(sealed_key_name(id, &key(1)));
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(32).any(|part| part == [3; 32]));
        assert_eq!(profile.key(id, &key(1)).unwrap().to_bytes(), [3; 32]);
        assert!(profile.key(id, &key(2)).is_err(), "another person's key");
        std::fs::copy(&path, profile.dir.join(sealed_key_name(other, &key(1)))).unwrap();
        let moved = profile.key(other, &key(1)).unwrap_err();
        assert!(matches!(moved, HomeError::BadKey(_)), "in another's place");
    }
}
