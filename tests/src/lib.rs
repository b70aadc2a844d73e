//! What the test suites share: a database of one's own, on both kinds, and real processes: a server, field devices,
//! a network that can be cut, clients.
//!
//! A test that cannot have PostgreSQL fails and says what to install; it does not skip.

#![allow(
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a harness ends a failing test by panicking; indexing JSON answers null, it does not panic"
)]

pub mod backup;
pub mod crowd;
pub mod device;
pub mod evidence;
pub mod install;
pub mod link;
pub mod photo;
pub mod postgres;
pub mod process;
pub mod raw;
pub mod replica;
pub mod rest;
pub mod server;
pub mod template;

use std::path::Path;

/// An empty database that is gone when this value is: an SQLite file or a PostgreSQL database.
pub struct TestDatabase {
    url: String,
    _home: Home,
}

enum Home {
    Sqlite { folder: tempfile::TempDir },
    Postgres { _database: postgres::Database },
}

impl TestDatabase {
    /// A path in a folder of its own; no file yet.
    #[must_use]
    pub fn sqlite() -> Self {
        let folder = or_fail(tempfile::tempdir());
        Self {
            url: sqlite_url(folder.path()),
            _home: Home::Sqlite { folder },
        }
    }

    /// An empty database on the test server.
    #[must_use]
    pub fn postgres() -> Self {
        Self::of_postgres(or_fail(postgres::Database::create()))
    }

    /// A database that was created on another server.
    #[must_use]
    pub fn of_postgres(database: postgres::Database) -> Self {
        Self {
            url: database.url().to_owned(),
            _home: Home::Postgres {
                _database: database,
            },
        }
    }

    /// Its URL, as the server takes it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where an SQLite file lies, to look at its neighbours.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match &self._home {
            Home::Sqlite { folder } => Some(folder.path()),
            Home::Postgres { .. } => None,
        }
    }
}

/// Runs `test` twice: on a fresh SQLite file and on a fresh PostgreSQL database. A failure's
/// output names the one it happened on.
pub fn each_database(test: impl Fn(&str)) {
    on_both(TestDatabase::sqlite, TestDatabase::postgres, test);
}

fn on_both(
    sqlite: impl FnOnce() -> TestDatabase,
    postgres: impl FnOnce() -> TestDatabase,
    test: impl Fn(&str),
) {
    let sqlite = sqlite();
    println!("on SQLite");
    test(sqlite.url());
    drop(sqlite);
    let postgres = postgres();
    println!("on PostgreSQL");
    test(postgres.url());
}

fn sqlite_url(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("test.db").display())
}

/// A number by which an endurance run is made longer or other than the bounded one of `make test`.
#[must_use]
pub fn setting(name: &str) -> Option<u64> {
    #[allow(
        clippy::disallowed_methods,
        reason = "the tests have no other configuration"
    )]
    let text = std::env::var(name).ok()?;
    text.parse().ok()
}

#[allow(
    clippy::panic,
    reason = "a harness that cannot do its work fails the test, with the reason"
)]
fn or_fail<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}
