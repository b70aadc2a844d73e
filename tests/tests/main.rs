//! The black-box suites: one binary, because linking one is quicker than linking many.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::type_complexity,
    reason = "a test stops where the product has to answer with an error, and its tables of cases are read once"
)]

mod attention;
mod catalog;
mod cosign;
mod doors;
mod ends;
mod fuzz;
mod hostile;
mod house;
mod inspections;
mod limits;
mod restored;
mod revoked;
mod soak;
mod spec;
mod story;
mod versions;
mod witness;
