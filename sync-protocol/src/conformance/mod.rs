//! What every store behind the two halves has to do alike, as cases that run against any of them: the hub in memory
//! and the server's databases ([`hub`], [`hub_cases`]), the device's state in memory and its database ([`device`]).
//!
//! It lies here, behind a feature that only dev-dependencies turn on, because `server` and `device` must run the
//! same cases and may not depend on each other; a crate of its own would be one more to build for a few hundred lines.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "cases of tests: what does not hold stops them"
)]

pub mod device;
pub mod hub;
mod hub_beginnings;
pub mod hub_cases;
mod hub_choices;
mod hub_co_signed;
mod hub_forgets;
mod hub_proofs;
mod hub_sectors;
mod hub_windows;
mod hub_world;
#[cfg(test)]
mod memory_tests;
