//! Limits on packs.

use hazardloop_domain::pack::TABLE_BYTES_MAX;
use serde::{Deserialize, Serialize};

use crate::tables::ArchiveLimits;

/// Limits on packs that are brought as an archive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PackLimits {
    /// Bytes of the archive.
    pub archive_bytes: usize,
    /// Bytes of all its files once they are unpacked.
    pub archive_unpacked_bytes: u64,
    /// Entries in it, what operating systems add included.
    pub archive_files: usize,
    /// Problems listed one by one; all are counted.
    pub archive_problems: usize,
}

impl Default for PackLimits {
    fn default() -> Self {
        Self {
            archive_bytes: 8 * 1024 * 1024,
            archive_unpacked_bytes: 44 * 1024 * 1024,
            archive_files: 100,
            archive_problems: 10_000,
        }
    }
}

impl PackLimits {
    /// As the reading of archives takes them. Of one file as much is kept as tells that it is too
    /// large for a table.
    pub fn of_archive(&self) -> ArchiveLimits {
        ArchiveLimits {
            files: self.archive_files,
            unpacked_bytes: self.archive_unpacked_bytes,
            kept_bytes: TABLE_BYTES_MAX as u64 + 1,
        }
    }
}
