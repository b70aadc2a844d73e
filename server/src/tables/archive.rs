//! ZIP: the files of one folder, each with its bytes. What the archive says of its sizes proves
//! nothing: all is counted while it is unpacked, and nothing beyond a limit is kept.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use zip::ZipArchive;

/// Media type of ZIP archives.
pub const ZIP: &str = "application/zip";

/// What an archive may hold at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// Entries, folders and what operating systems add included.
    pub files: usize,
    /// Bytes of all files together once they are unpacked.
    pub unpacked_bytes: u64,
    /// Bytes of one file that are kept: so much that whoever reads it can tell that it is too large.
    pub kept_bytes: u64,
}

/// The files of an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folder {
    /// The name of the folder in which all files stand; absent: they stand at the top.
    pub name: Option<String>,
    /// Bytes by file name.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// Why bytes are no archive of one folder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// No archive, a damaged one, or one that is locked by a password.
    #[error("the archive cannot be read / 压缩包无法读取")]
    Unreadable,
    /// More entries than allowed.
    #[error("the archive has more than {0} files / 压缩包内超过 {0} 个文件")]
    TooManyFiles(usize),
    /// More bytes than allowed.
    #[error("the archive unpacks to more than {0} bytes / 压缩包解压后超过 {0} 字节")]
    UnpacksTooLarge(u64),
    /// A file in a folder within a folder, or in another folder than the others.
    #[error("{0}: all files stand in one folder, or at the top / 全部文件须在同一文件夹内或顶层")]
    Elsewhere(String),
    /// Two files of one name.
    #[error("two files in the archive have one name / 压缩包内有重名文件")]
    Twice,
}

/// Unpacks an archive.
///
/// # Errors
/// [`ArchiveError`].
pub fn unpack(bytes: &[u8], limits: &ArchiveLimits) -> Result<Folder, ArchiveError> {
    // What strangers put into an archive is not to end more than the reading of it.
    let reading = || read(bytes, limits);
    std::panic::catch_unwind(reading).unwrap_or(Err(ArchiveError::Unreadable))
}

fn read(bytes: &[u8], limits: &ArchiveLimits) -> Result<Folder, ArchiveError> {
    let broken = ArchiveError::Unreadable;
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| broken.clone())?;
    if archive.len() > limits.files {
        return Err(ArchiveError::TooManyFiles(limits.files));
    }
    if archive.has_duplicate_names() {
        return Err(ArchiveError::Twice);
    }
    let mut left = limits.unpacked_bytes;
    let mut folder = Folder::default();
    for at in 0..archive.len() {
        let file = archive.by_index(at).map_err(|_| broken.clone())?;
        let path = file.name().map_err(|_| broken.clone())?.into_owned();
        let (within, name) = match path.rsplit_once('/') {
            Some((within, name)) => (Some(within.to_owned()), name.to_owned()),
            None => (None, path.clone()),
        };
        let mut limited = file.take(left.saturating_add(1));
        let mut kept = Vec::new();
        let mut first = limited.by_ref().take(limits.kept_bytes);
        first.read_to_end(&mut kept).map_err(|_| broken.clone())?;
        let rest = std::io::copy(&mut limited, &mut std::io::sink());
        let rest = rest.map_err(|_| broken.clone())?;
        let unpacked = rest.saturating_add(u64::try_from(kept.len()).unwrap_or(u64::MAX));
        if unpacked > left {
            return Err(ArchiveError::UnpacksTooLarge(limits.unpacked_bytes));
        }
        left -= unpacked;
        if is_the_systems(&path) || name.is_empty() {
            continue;
        }
        let deeper = |within: &String| within.is_empty() || within.contains('/');
        let apart = !folder.files.is_empty() && folder.name != within;
        if apart || within.as_ref().is_some_and(deeper) {
            return Err(ArchiveError::Elsewhere(path));
        }
        folder.name = within;
        folder.files.insert(name, kept);
    }
    Ok(folder)
}

/// What operating systems put beside the files of a person.
fn is_the_systems(path: &str) -> bool {
    let mut parts = path.split('/');
    parts.any(|part| part.starts_with('.') || part == "__MACOSX")
}
