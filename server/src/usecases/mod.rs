//! What can be asked of the server, one file a use case: authenticate, load, let the rules
//! decide, store in one transaction.

pub mod audit;
pub mod boundaries;
pub mod bring_pack;
#[cfg(any(test, feature = "bulk"))]
pub mod bulk;
pub mod calendar;
pub mod catalog;
pub mod co_sign;
pub mod command_fates;
pub mod devices;
pub mod enqueue;
pub mod enterprises;
pub mod execute;
pub mod follow_department;
pub mod follow_sector;
pub mod forget;
pub mod hand_over_teams;
pub mod hand_overs;
pub mod imports;
pub mod index_text;
pub mod jurisdictions;
mod key_proof;
pub mod lean;
pub mod merge_jurisdictions;
pub mod offers;
pub mod others;
pub mod pack;
pub mod packs;
pub mod people;
pub mod person_keys;
pub mod photo_arrived;
pub mod photos;
pub mod pull;
pub mod push;
pub mod quarantined;
pub mod reach;
pub mod read;
pub mod read_audit;
pub mod relocate;
pub mod responsibilities;
pub mod rest_command;
pub mod restore;
pub mod rule_limits;
pub mod sector_names;
pub mod sectors;
pub mod sign_in;
mod tasks;
pub mod time_proof;
pub mod unclaimed;
pub mod upload;
mod whole_tree;
pub mod windows;

#[cfg(test)]
mod alike_tests;
#[cfg(test)]
mod audit_tests;
#[cfg(test)]
mod co_sign_tests;
#[cfg(test)]
mod conformance_tests;
#[cfg(test)]
mod forget_tests;
#[cfg(test)]
mod moved_reports_tests;
#[cfg(test)]
mod person_keys_tests;
#[cfg(test)]
mod phone_tests;
#[cfg(test)]
pub(crate) mod pull_tests;
#[cfg(test)]
mod push_tests;
#[cfg(test)]
mod restore_tests;
#[cfg(test)]
mod sectors_tests;
#[cfg(test)]
mod settled_late_tests;
#[cfg(test)]
mod trace_tests;
#[cfg(test)]
mod upgrade_tests;
