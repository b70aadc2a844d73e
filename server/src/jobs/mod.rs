//! Work that follows a change, taken by lease and run off the request path.

pub mod expire_uploads;
pub mod fill_sector;
pub mod follow_enterprise;
pub mod follow_sector;
pub mod hand_over_teams;
pub mod keep_windows;
pub mod recompute_deadlines;
pub mod recount_unclaimed;
pub mod runner;
pub mod thumbnail;

#[cfg(test)]
mod tests;

pub use runner::{run, run_due};

use hazardloop_domain::time::Timestamp;

/// What became of a job that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobEnd {
    /// It is done.
    Done,
    /// It is done for now and comes back.
    Again(Timestamp),
}

/// Why a job failed. The text is for whoever runs the server, never for a person's screen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobFailure {
    /// It would fail again: it is given up at once, with its reason.
    #[error("{0}")]
    Final(String),
    /// It may succeed later.
    #[error("{0}")]
    Passing(String),
}
