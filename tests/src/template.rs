//! Databases that many tests begin with: made once by a process, and copied for each test.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::postgres::{self, Database};
use crate::{TestDatabase, or_fail};

/// What many tests begin with. Where nobody would clear the original away (somebody else's server), each test makes
/// its own.
pub struct Template {
    name: &'static str,
    make: fn(&str),
    sqlite: OnceLock<PathBuf>,
    postgres: OnceLock<Database>,
}

impl Template {
    /// `make` fills the empty database at a URL, and leaves no connection to it. No two templates have the same name.
    #[must_use]
    pub const fn new(name: &'static str, make: fn(&str)) -> Self {
        Self {
            name,
            make,
            sqlite: OnceLock::new(),
            postgres: OnceLock::new(),
        }
    }

    /// Runs `test` twice: on a copy of the SQLite file and on a copy of the PostgreSQL database. A failure's output
    /// names the one it happened on.
    pub fn on_each(&self, test: impl Fn(&str)) {
        crate::on_both(|| self.sqlite(), || self.postgres(), test);
    }

    /// A copy of the SQLite file.
    #[must_use]
    pub fn sqlite(&self) -> TestDatabase {
        let copy = TestDatabase::sqlite();
        let Some(scratch) = or_fail(postgres::scratch()) else {
            (self.make)(copy.url());
            return copy;
        };
        let original = self.sqlite.get_or_init(|| {
            let folder = scratch.join(format!("{}-{}", self.name, std::process::id()));
            or_fail(std::fs::create_dir(&folder));
            (self.make)(&crate::sqlite_url(&folder));
            folder
        });
        if let Some(folder) = copy.folder() {
            or_fail(copy_files(original, folder));
        }
        copy
    }

    /// A copy of the PostgreSQL database.
    #[must_use]
    pub fn postgres(&self) -> TestDatabase {
        if or_fail(postgres::scratch()).is_none() {
            let own = TestDatabase::postgres();
            (self.make)(own.url());
            return own;
        }
        let original = self.postgres.get_or_init(|| {
            let database = or_fail(Database::create());
            (self.make)(database.url());
            database
        });
        TestDatabase::of_postgres(or_fail(original.copy()))
    }
}

fn copy_files(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        std::fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}
