//! The server that the tests of one process share, and databases on it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Cluster, NoPostgres, SCRATCH_VARIABLE, SERVER_VARIABLE, no, programs};

/// The server for this process's tests: the one that [`SERVER_VARIABLE`] names, or one started
/// now and shared by all tests of the process.
///
/// # Errors
/// [`NoPostgres`] when there is none and none can be started.
pub fn server_url() -> Result<&'static str, &'static NoPostgres> {
    Ok(shared()?.url.as_str())
}

/// A folder that is gone when the server is; `None` beside somebody else's server.
///
/// # Errors
/// As [`server_url`].
pub fn scratch() -> Result<Option<&'static Path>, &'static NoPostgres> {
    Ok(shared()?.scratch.as_deref())
}

struct Shared {
    url: String,
    scratch: Option<PathBuf>,
    _own: Option<Cluster>,
}

fn shared() -> Result<&'static Shared, &'static NoPostgres> {
    static SERVER: OnceLock<Result<Shared, NoPostgres>> = OnceLock::new();
    #[allow(
        clippy::disallowed_methods,
        reason = "this is where what the tests run beside is read"
    )]
    let named = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let server = SERVER.get_or_init(|| match named(SERVER_VARIABLE) {
        Some(url) => Ok(Shared {
            url,
            scratch: named(SCRATCH_VARIABLE).map(PathBuf::from),
            _own: None,
        }),
        None => Cluster::start(false).map(|cluster| Shared {
            url: cluster.url.clone(),
            scratch: Some(cluster.folder.clone()),
            _own: Some(cluster),
        }),
    });
    server.as_ref()
}

/// An empty database of one test's own, dropped with it.
pub struct Database {
    server: String,
    name: String,
    url: String,
}

impl Database {
    /// Creates it.
    ///
    /// # Errors
    /// [`NoPostgres`] when there is no server, or it refuses.
    pub fn create() -> Result<Self, NoPostgres> {
        let server = server_url().map_err(|error| NoPostgres(error.to_string()))?;
        Self::create_on(server)
    }

    /// Creates it on the server at this URL (a superuser's).
    ///
    /// # Errors
    /// [`NoPostgres`] when it refuses.
    pub fn create_on(server: &str) -> Result<Self, NoPostgres> {
        Self::create_like(server, "template1")
    }

    /// Another one with all that is in this, to which nobody may be connected.
    ///
    /// # Errors
    /// [`NoPostgres`] when the server refuses.
    pub fn copy(&self) -> Result<Self, NoPostgres> {
        Self::create_like(&self.server, &self.name)
    }

    // Copying files takes a tenth of the time that copying them page by page through the log does.
    fn create_like(server: &str, template: &str) -> Result<Self, NoPostgres> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("t_{}_{count}", std::process::id());
            match psql(
                server,
                &format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"),
            ) {
                Ok(()) => {
                    return Ok(Self {
                        url: with_database(server, &name)?,
                        server: server.to_owned(),
                        name,
                    });
                }
                // Left by an earlier process with our number that was killed.
                Err(error) if error.0.contains("already exists") => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Its URL, for the superuser.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        if let Err(error) = psql(&self.server, &statement) {
            eprintln!("{error}");
        }
    }
}

/// Runs one statement on the server at `url`.
///
/// # Errors
/// [`NoPostgres`] with what the server said.
pub fn psql(url: &str, statement: &str) -> Result<(), NoPostgres> {
    let output = Command::new(programs()?.join("psql"))
        .args([
            "--no-psqlrc",
            "--quiet",
            "--set=ON_ERROR_STOP=1",
            "--command",
            statement,
        ])
        .args(["--dbname", url])
        .env("LC_MESSAGES", "C")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| no("psql", error))?;
    if output.status.success() {
        return Ok(());
    }
    Err(no(statement, String::from_utf8_lossy(&output.stderr)))
}

/// `url` with its database replaced; the parameters stay.
pub(super) fn with_database(url: &str, name: &str) -> Result<String, NoPostgres> {
    let (place, parameters) = match url.split_once('?') {
        Some((place, parameters)) => (place, format!("?{parameters}")),
        None => (url, String::new()),
    };
    let (scheme, rest) = place
        .split_once("://")
        .ok_or_else(|| NoPostgres(format!("{SERVER_VARIABLE} must be a postgres:// URL")))?;
    let authority = rest.split('/').next().unwrap_or_default();
    Ok(format!("{scheme}://{authority}/{name}{parameters}"))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    #[test]
    fn each_test_has_a_database_of_its_own() {
        let (one, two) = (Database::create().unwrap(), Database::create().unwrap());
        psql(one.url(), "CREATE TABLE mine (x INTEGER)").unwrap();
        assert!(psql(two.url(), "SELECT * FROM mine").is_err());
        let url = one.url().to_owned();
        drop(one);
        assert!(psql(&url, "SELECT 1").is_err());
    }

    #[test]
    fn a_copy_has_what_the_original_has_and_goes_its_own_way() {
        let original = Database::create().unwrap();
        psql(original.url(), "CREATE TABLE shared (x INTEGER)").unwrap();
        let copy = original.copy().unwrap();
        psql(
            copy.url(),
            "SELECT * FROM shared; CREATE TABLE mine (x INTEGER)",
        )
        .unwrap();
        assert!(psql(original.url(), "SELECT * FROM mine").is_err());
    }

    #[test]
    fn a_database_replaces_the_one_in_the_url() {
        let replaced = with_database("postgres://a:b@h:1/postgres?sslmode=disable", "t_1").unwrap();
        assert_eq!(replaced, "postgres://a:b@h:1/t_1?sslmode=disable");
        assert!(with_database("h/x", "t_1").is_err());
    }
}
