//! Packs: what a sector's rules are, as data. Published criteria for major accident hazards (判定标准),
//! checklists, site types, risk points, duties, filings and the words people use.
//!
//! A pack is a folder of tables ([`read`]); nothing in it is law by being in it. How much of a criterion
//! may be cited follows from what was seen of its text ([`Criterion::citability`]).

mod check;
mod codes;
mod criterion;
mod diff;
mod document;
mod read;
mod rows;
mod search;
mod table;

pub use crate::command::Cadence;
pub use codes::by_code;
pub use criterion::{Citability, Criterion, Evidence, NotCitable, StandardStatus};
pub use diff::{Difference, differences};
pub use document::{
    Checklist, ChecklistEntry, ChecklistItem, CriterionEntry, Duty, Filing, Pack, PackHead,
    RiskPointType, Sector, SiteType, Standard, Wording,
};
pub use read::{FILES, name_in, read};
pub use search::{CriteriaSearch, Hit};
pub use table::Problem;

use uuid::Uuid;

use crate::hash::Digest;

/// Rows that one table of a pack may have.
pub const ROWS_MAX: usize = 5_000;

/// Bytes that one table of a pack may have.
pub const TABLE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The identifier of what `kind`, `code` and `edition` name: the same on every server and device, made
/// from their hash (UUID of version 8).
fn id_of(kind: &str, code: &str, edition: u32) -> Uuid {
    let edition = edition.to_be_bytes();
    let digest = Digest::sha256_of_parts(&[
        b"hazardloop pack",
        kind.as_bytes(),
        code.as_bytes(),
        &edition,
    ]);
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(digest.as_bytes()) {
        *to = *from;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod read_tests;
#[cfg(test)]
mod search_tests;
#[cfg(test)]
mod shipped_tests;
