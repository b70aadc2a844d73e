//! The only room that knows SQL: connections, transactions, dialects, schema, migrations, order.
//!
//! Everything above it says `db.read(|tx| …)` or `db.write(|tx| …)`; which database answers is
//! decided once, by the scheme of the database's URL.

pub mod access;
pub mod audit;
pub mod audit_entries;
pub mod calendars;
pub mod certificates;
pub mod chains_to_weigh;
pub mod command_fates;
pub mod command_photos;
pub mod conn;
pub mod db;
pub mod document_set;
pub mod enterprise_rows;
pub mod enterprises;
pub mod error;
pub mod events;
pub mod feed;
pub mod forgotten;
pub mod hand_overs;
pub mod hazard_lists;
pub mod hazards;
mod held;
pub mod identity;
pub mod imports;
pub mod inspections;
pub mod installs;
pub mod jobs;
pub mod jurisdictions;
pub mod lists;
pub mod merges;
pub mod meta;
pub mod migrate;
pub mod order;
pub mod packing;
pub mod packs;
pub mod people;
pub mod person_keys;
pub mod photos;
pub mod places;
pub mod planned_members;
pub mod portable;
pub mod pushed;
pub mod quarantined;
pub mod receipts;
pub mod records;
pub mod responsibilities;
pub mod rest_commands;
pub mod rule_limits;
pub mod schema;
pub mod search;
pub mod sector_scopes;
pub mod sessions;
pub mod signing_keys;
pub mod tasks;
pub mod tx;
pub mod unclaimed;
pub mod uploads;
pub mod url;
pub mod windows;
pub mod witnesses;

mod batch;
mod pool;
mod prepared;
mod queue;
mod writer;

pub use crate::on_any;
pub use conn::Conn;
pub use db::{Db, DbOptions};
pub use error::{ConstraintKind, StoreError, StoreFailure};
pub use order::Position;
pub(crate) use order::rows_after;
pub use tx::{ReadTx, WriteTx};
pub use url::DatabaseUrl;

#[cfg(test)]
mod audit_entries_tests;
#[cfg(test)]
mod concurrency_tests;
#[cfg(test)]
mod conflict_tests;
#[cfg(test)]
mod db_tests;
#[cfg(test)]
mod desk_lists_tests;
#[cfg(test)]
mod failure_tests;
#[cfg(test)]
mod identity_tests;
#[cfg(test)]
mod inspection_lists_tests;
#[cfg(test)]
mod lists_tests;
#[cfg(test)]
mod merges_tests;
#[cfg(test)]
mod migrate_tests;
#[cfg(test)]
mod order_tests;
#[cfg(test)]
mod packing_tests;
#[cfg(test)]
mod plan_support;
#[cfg(test)]
mod portable_tests;
#[cfg(test)]
pub(crate) mod test_support;
#[cfg(test)]
mod unclaimed_tests;
#[cfg(test)]
mod uploads_tests;
#[cfg(test)]
mod windows_tests;
#[cfg(test)]
mod writer_tests;
