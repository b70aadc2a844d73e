//! The packs that come with the program, from `catalog/packs`: what `--demo` loads, and what
//! `hazardloop pack add --shipped` adds to an installation.

use std::collections::BTreeMap;

use hazardloop_domain::hash::Digest;
use hazardloop_domain::pack::{self, Pack, Problem};

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::failure::Failure;
use crate::store::{Db, meta};
use crate::usecases::packs;

/// Folder, file and bytes of every table; see `build.rs`.
const FILES: &[(&str, &str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/packs.rs"));

/// Under which name the database keeps which of them it has.
const LOADED: &str = "shipped_packs";

/// All shipped packs, by name.
///
/// # Errors
/// What is wrong with them; a test rules it out.
pub fn packs() -> Result<Vec<Pack>, Vec<Problem>> {
    let mut folders: BTreeMap<&str, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
    for (folder, file, bytes) in FILES {
        let files = folders.entry(folder).or_default();
        files.insert((*file).to_owned(), bytes.to_vec());
    }
    let (mut packs, mut problems) = (Vec::new(), Vec::new());
    for (folder, files) in folders {
        match pack::read(folder, &files) {
            Ok(pack) => packs.push(pack),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() {
        Ok(packs)
    } else {
        Err(problems)
    }
}

/// Loads them once; a later start finds them there. One that was changed without a new version stays
/// as it was loaded: that is told in the log and is no reason not to serve.
///
/// # Errors
/// When the packs cannot be read (a defect) or the database does not answer.
pub async fn load(db: &Db, clock: &Clock, entropy: &Entropy) -> Result<(), Failure> {
    let parts: Vec<&[u8]> = FILES
        .iter()
        .flat_map(|(folder, file, bytes)| [folder.as_bytes(), file.as_bytes(), bytes])
        .collect();
    let ours = Digest::sha256_of_parts(&parts).to_string();
    let known = db.read(|tx| meta::get(tx.conn(), LOADED)).await?;
    if known.as_ref() == Some(&ours) {
        return Ok(());
    }
    let defect = |found: Vec<Problem>| {
        let told: Vec<_> = found.iter().map(Problem::to_string).collect();
        Failure::Internal(format!("the shipped packs: {}", told.join("; ")))
    };
    let packs = packs().map_err(defect)?;
    let (_, key) = crate::serve::identity(db, entropy)
        .await
        .map_err(|error| Failure::Internal(error.to_string()))?;
    let now = clock.now();
    db.write(move |tx| {
        for pack in &packs {
            match packs::add(tx, &key, pack, None, now) {
                Ok(_) => {}
                Err(Failure::Conflict(why)) => {
                    tracing::warn!(%why, "a shipped pack was not loaded")
                }
                Err(failure) => return Err(failure),
            }
        }
        meta::take(tx, LOADED)?;
        meta::get_or_set(tx, LOADED, &ours)?;
        Ok(())
    })
    .await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    #[test]
    fn every_folder_of_packs_is_in_the_program() {
        let packs = super::packs().unwrap();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../catalog/packs");
        let folders = std::fs::read_dir(folder).unwrap();
        let folders = folders.filter(|entry| entry.as_ref().unwrap().path().is_dir());
        assert_eq!(packs.len(), folders.count());
    }
}
