//! A seeded simulator of the sync protocol: devices with the real device half, a hub with the real stream
//! rules and the real rules of the domain, and between them every fault of a field day.
//!
//! A [`schedule::Schedule`] is a seed and a list of steps. Whatever happens within a step is drawn from the
//! seed and that step's own number, so that leaving steps out changes nothing about the others: a schedule
//! that fails replays exactly and shrinks ([`shrink`]). What must hold is in [`oracle`], and looked at in the end; what is
//! cheap to see is looked at after every step. [`variant`] breaks the code on purpose in a known way, and each way must be
//! found by its invariant; each kind of fault ([`faults`]) must have been played. Schedules in which something once did not
//! hold are in `tests/found.rs`.

pub mod builds;
pub mod cast;
pub mod catalog;
pub mod device;
pub mod dice;
pub mod faults;
pub mod hub;
mod hub_choices;
mod hub_forms;
mod hub_mergers;
mod hub_offers;
mod hub_pull;
mod hub_roles;
pub mod hub_rules;
pub mod network;
pub mod oracle;
pub mod photo_lane;
pub mod schedule;
pub mod shrink;
pub mod trace;
pub mod twin;
pub mod variant;
pub mod world;
