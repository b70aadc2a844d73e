//! Where a database of the benchmark lies: for this run only, or kept in a folder for the next.

use std::mem;
use std::path::{Path, PathBuf};

use hazardloop_tests::TestDatabase;
use tempfile::TempDir;

/// A database, and the folder of its server.
pub(crate) struct Place {
    url: String,
    data: PathBuf,
    /// Removed with this, where nothing is kept.
    _passing: Option<(TestDatabase, TempDir)>,
}

impl Place {
    /// Gone after the run.
    pub(crate) fn passing(kind: &str) -> Self {
        let (database, data) = (created(kind), tempfile::tempdir().unwrap());
        Self {
            url: database.url().to_owned(),
            data: data.path().to_owned(),
            _passing: Some((database, data)),
        }
    }

    /// In `folder`: an SQLite file, or the address of a database on a PostgreSQL server that outlives this run.
    pub(crate) fn kept(folder: &Path, kind: &str, rows: u64) -> Self {
        let data = folder.join(format!("{kind}-{rows}"));
        std::fs::create_dir_all(&data).unwrap();
        let address = data.join("address");
        let url = std::fs::read_to_string(&address).unwrap_or_else(|_| {
            let url = match kind {
                "sqlite" => format!("sqlite://{}", data.join("kept.db").display()),
                _ => {
                    let database = created(kind);
                    let url = database.url().to_owned();
                    mem::forget(database);
                    url
                }
            };
            std::fs::write(&address, &url).unwrap();
            url
        });
        Self {
            url,
            data,
            _passing: None,
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    fn mark(&self) -> PathBuf {
        self.data.join("filled")
    }

    /// Whether an earlier run filled it, to the end.
    pub(crate) fn is_filled(&self) -> bool {
        self.mark().exists()
    }

    pub(crate) fn filled(&self) {
        std::fs::write(self.mark(), "").unwrap();
    }
}

fn created(kind: &str) -> TestDatabase {
    match kind {
        "sqlite" => TestDatabase::sqlite(),
        _ => TestDatabase::postgres(),
    }
}
