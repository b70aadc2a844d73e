//! The only room that knows SQL: connections, transactions, dialects, schema, migrations, order.
//!
//! Everything above it says `db.read(|tx| …)` or `db.write(|tx| …)`; which database answers is
//! decided once, by the scheme of the database's URL.

pub mod conn;
pub mod db;
pub mod error;
pub mod migrate;
pub mod order;
pub mod portable;
pub mod schema;
pub mod tx;
pub mod url;

mod pool;
mod retry;
mod writer;

pub use conn::Conn;
pub use db::{Db, DbOptions};
pub use error::{ConstraintKind, StoreError, StoreFailure};
pub use order::Position;
pub use tx::{ReadTx, WriteTx};
pub use url::DatabaseUrl;

#[cfg(test)]
mod concurrency_tests;
#[cfg(test)]
mod db_tests;
#[cfg(test)]
mod migrate_tests;
#[cfg(test)]
mod order_tests;
#[cfg(test)]
mod portable_tests;
#[cfg(test)]
mod test_support;
