//! The rules of the hazard loop (自查自报自改), pure: no I/O, no clock, no randomness.
//!
//! Whoever acts, the act is one [`command::Command`]; [`hazard::decide`] answers with events or a
//! [`refusal::Refusal`]; [`hazard::Hazard::apply`] turns events into the current state. Server,
//! field device and browser run this same code.

pub mod access;
pub mod calendar;
pub mod calendar_year;
pub mod command;
pub mod command_fate;
pub mod credit_code;
pub mod enterprise;
pub mod evidence;
#[cfg(test)]
#[path = "fields_document/tests.rs"]
mod fields_document;
pub mod geography;
pub mod hash;
pub mod hazard;
pub mod hex_bytes;
pub mod ids;
pub mod inspection;
pub mod jurisdiction;
mod number;
pub mod operations;
pub mod pack;
pub mod policy;
#[cfg(test)]
mod printed_tests;
pub mod refusal;
pub mod responsibility;
pub mod rule_limits;
pub mod search_text;
pub mod text;
pub mod time;
pub mod time_proof;
