//! Seals a directory that an older build left in clear, at first open.
//!
//! Everything is written sealed beside what is there, read back and compared; then one rename
//! makes it count, and only after that the clear files go. A crash at any point leaves either the
//! old work whole or the sealed work whole, and the next open goes on. What a file system keeps of
//! deleted files is out of reach (docs/OPERATIONS.md).

use std::path::PathBuf;

use ed25519_dalek::SigningKey;
use hazardloop_domain::ids::InstallId;
use hazardloop_sync_protocol::device::State;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use zeroize::Zeroizing;

use crate::data_key::DataKey;
use crate::driver::DeviceError;
use crate::home::{DATABASE, HomeError, PLAIN_DATABASE, Profile, sync_directory};
use crate::photos::{PhotoDir, PhotoError};
use crate::store::{Store, StoreError, plain};
use crate::vault::remove_file;

/// The sealed database while it is made.
const PART: &str = "sealed.db.part";
/// How the private keys of an older build are called.
const PLAIN_KEY: &str = "key-";
/// What SQLite puts beside a database.
const BESIDE: [&str; 4] = ["", "-wal", "-shm", "-journal"];

pub(crate) struct Sealing<'a> {
    pub profile: &'a Profile,
    pub key: &'a DataKey,
    pub rng: StdRng,
}

type Step = fn(&mut Sealing<'_>) -> Result<(), DeviceError>;

/// The steps in their order; every one may be done again.
pub(crate) const STEPS: [(&str, Step); 7] = [
    ("photos", |sealing| sealing.photos()),
    ("keys", |sealing| sealing.keys()),
    ("database", |sealing| sealing.database()),
    ("rename", |sealing| sealing.rename()),
    ("clear photos go", |sealing| sealing.drop_photos()),
    ("clear keys go", |sealing| sealing.drop_keys()),
    ("clear database goes", |sealing| sealing.drop_database()),
];

/// Seals what lies here in clear; nothing to do is the usual case.
///
/// # Errors
/// [`DeviceError`]; nothing is lost.
pub fn seal(profile: &Profile, key: &DataKey, rng: StdRng) -> Result<(), DeviceError> {
    if !profile.dir.join(PLAIN_DATABASE).exists() {
        return Ok(());
    }
    let mut sealing = Sealing { profile, key, rng };
    STEPS.iter().try_for_each(|(_, step)| step(&mut sealing))
}

fn of_photo(error: PhotoError) -> DeviceError {
    match error {
        PhotoError::Home(error) => error.into(),
        PhotoError::Unreadable { path, source } => HomeError::Io { path, source }.into(),
        other => DeviceError::NotKept(other.to_string()),
    }
}

impl Sealing<'_> {
    fn draw(&mut self) -> StdRng {
        StdRng::from_rng(&mut self.rng)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.profile.dir.join(name)
    }

    fn is_sealed(&self) -> bool {
        self.path(DATABASE).exists()
    }

    fn photos(&mut self) -> Result<(), DeviceError> {
        let rng = self.draw();
        let photos = PhotoDir::open(&self.profile.dir, self.key, rng)?;
        photos.seal_plain(false).map_err(of_photo)
    }

    fn plain_keys(&self) -> Result<Vec<(InstallId, PathBuf)>, HomeError> {
        let dir = &self.profile.dir;
        let entries = std::fs::read_dir(dir).map_err(|source| HomeError::Io {
            path: dir.clone(),
            source,
        })?;
        let named = |entry: std::fs::DirEntry| {
            let name = entry.file_name();
            let id = name.to_str()?.strip_prefix(PLAIN_KEY)?.parse().ok()?;
            Some((id, entry.path()))
        };
        Ok(entries.flatten().filter_map(named).collect())
    }

    fn keys(&mut self) -> Result<(), DeviceError> {
        for (install_id, path) in self.plain_keys()? {
            let bytes = std::fs::read(&path).map_err(|source| HomeError::Io {
                path: path.clone(),
                source,
            })?;
            let bytes = Zeroizing::new(bytes);
            // A file that is no key keeps nobody from their work: it seals nothing that counts.
            if let Ok(bytes) = <&[u8; 32]>::try_from(bytes.as_slice()) {
                let key = SigningKey::from_bytes(bytes);
                let with = (self.key, &mut self.rng);
                self.profile.keep_key(install_id, &key, with)?;
            }
        }
        Ok(())
    }

    fn remove_with_logs(&self, name: &str) -> Result<(), HomeError> {
        BESIDE
            .iter()
            .try_for_each(|beside| remove_file(&self.path(&format!("{name}{beside}"))))
    }

    /// Writes the sealed database beside the clear one, and reads it back.
    fn database(&mut self) -> Result<(), DeviceError> {
        if self.is_sealed() {
            return Ok(());
        }
        self.remove_with_logs(PART)?;
        let (ops, account) = plain::read(&self.path(PLAIN_DATABASE))?;
        let (part, rng) = (self.path(PART), self.draw());
        let mut store = Store::open(&part, self.key, rng)?;
        store.apply_with_account(&ops, account.as_ref())?;
        let mut state = State::default();
        state.apply(&ops);
        state.recompute_held();
        if store.load_all()? != (state, account) {
            return Err(StoreError::Altered.into());
        }
        Ok(store.close(&part)?)
    }

    fn rename(&mut self) -> Result<(), DeviceError> {
        let (from, path) = (self.path(PART), self.path(DATABASE));
        if from.exists() && !self.is_sealed() {
            std::fs::rename(&from, &path).map_err(|source| HomeError::Io { path, source })?;
            sync_directory(&self.profile.dir)?;
        }
        Ok(())
    }

    fn drop_photos(&mut self) -> Result<(), DeviceError> {
        let rng = self.draw();
        let photos = PhotoDir::open(&self.profile.dir, self.key, rng)?;
        photos.seal_plain(true).map_err(of_photo)
    }

    fn drop_keys(&mut self) -> Result<(), DeviceError> {
        for (_, path) in self.plain_keys()? {
            remove_file(&path)?;
        }
        Ok(())
    }

    /// Last of all: as long as it is there, the next open goes on here.
    fn drop_database(&mut self) -> Result<(), DeviceError> {
        // The logs first: without its database a log says nothing, but the other way it might.
        for beside in ["-wal", "-shm", "-journal"] {
            remove_file(&self.path(&format!("{PLAIN_DATABASE}{beside}")))?;
        }
        remove_file(&self.path(PLAIN_DATABASE))?;
        Ok(sync_directory(&self.profile.dir)?)
    }
}

#[cfg(test)]
#[path = "sealing_tests.rs"]
mod tests;
