//! Removes one person's work and keys from this device.
//!
//! A note is written first. From then on the directory counts as wiped, whatever is still in it,
//! and whoever comes next finishes what a crash interrupted. What unlocks the data key goes before
//! everything else: what is left after that is unreadable.

use std::path::Path;

use hazardloop_domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::home::{
    HomeError, LOCK, NETWORK_LOCK, Owner, PROFILE, Profile, sync_directory, write_durably,
};
use crate::key_store::KeyStore;
use crate::vault::{self, VaultError, remove_file};

/// The note's file.
pub const WIPED: &str = "wiped.json";

/// Why a device was wiped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Its owner asked for it.
    Asked,
    /// It was revoked, and the server took what was offered.
    Revoked,
    /// It was revoked, and the server takes nothing of it (lost or stolen, or too late).
    RevokedRefused,
}

/// What became of the work that was on a device. Counts only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wiped {
    /// Why.
    pub cause: Cause,
    /// When, by this device's clock.
    pub at: Timestamp,
    /// Commands that the server has now, waiting for a person.
    pub handed_over: usize,
    /// Commands that were nowhere else.
    pub commands_lost: usize,
    /// Photos that were nowhere else, or not known to be.
    pub photos_lost: usize,
}

/// Wipes a profile. Its locks are held, and nobody is speaking to the server for it.
///
/// # Errors
/// [`VaultError`]; it goes on at the next start.
pub fn wipe(profile: &Profile, store: &dyn KeyStore, note: &Wiped) -> Result<(), VaultError> {
    let text = serde_json::to_vec_pretty(note).unwrap_or_default();
    write_durably(&profile.dir, WIPED, &text, 0o600)?;
    finish(profile, store, note)
}

fn finish(profile: &Profile, store: &dyn KeyStore, note: &Wiped) -> Result<(), VaultError> {
    vault::destroy(profile, store)?;
    let dir = &profile.dir;
    let failed = |source| HomeError::Io {
        path: dir.clone(),
        source,
    };
    if note.cause == Cause::Asked {
        return Ok(std::fs::remove_dir_all(dir).map_err(failed)?);
    }
    for entry in std::fs::read_dir(dir).map_err(failed)?.flatten() {
        let stays = [WIPED, PROFILE, LOCK, NETWORK_LOCK].map(std::ffi::OsStr::new);
        if stays.contains(&entry.file_name().as_os_str()) {
            continue;
        }
        match entry.path().is_dir() {
            true => std::fs::remove_dir_all(entry.path()).map_err(failed)?,
            false => remove_file(&entry.path())?,
        }
    }
    Ok(sync_directory(dir)?)
}

/// Finishes every wipe in this home that was interrupted.
///
/// # Errors
/// [`VaultError`].
pub fn resume(home: &Path, store: &dyn KeyStore) -> Result<(), VaultError> {
    for entry in std::fs::read_dir(home).into_iter().flatten().flatten() {
        let dir = entry.path();
        let Some(note) = note_in(&dir) else { continue };
        let text = std::fs::read(dir.join(PROFILE)).unwrap_or_default();
        let is_left = |entry: &std::fs::DirEntry| {
            let stays = [WIPED, PROFILE, LOCK, NETWORK_LOCK].map(std::ffi::OsStr::new);
            !stays.contains(&entry.file_name().as_os_str())
        };
        let mut entries = std::fs::read_dir(&dir).into_iter().flatten().flatten();
        let unfinished = entries.any(|entry| is_left(&entry)) || note.cause == Cause::Asked;
        if let Ok(owner) = serde_json::from_slice::<Owner>(&text)
            && unfinished
        {
            let profile = Profile::lock(dir, owner)?;
            // Somebody may have enrolled here while the lock was waited for.
            if let Some(note) = note_in(&profile.dir) {
                finish(&profile, store, &note)?;
            }
        }
    }
    Ok(())
}

/// The note in a directory, where it was wiped.
pub(crate) fn note_in(dir: &Path) -> Option<Wiped> {
    let text = std::fs::read(dir.join(WIPED)).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Somebody enrols where a device was wiped: the note has done its work.
pub(crate) fn forget_note(profile: &Profile) -> Result<(), HomeError> {
    remove_file(&profile.dir.join(WIPED))?;
    sync_directory(&profile.dir)
}
