//! A streaming replica of a test's cluster, which can be promoted.

use std::fs::OpenOptions;
use std::io::Write as _;

use crate::postgres::{
    Cluster, NoPostgres, Owner, configure, free_port, no, programs, psql, watch,
};

/// Looks at how far a replica is, before the test has failed.
const LOOKS: u32 = 2_000;

impl Cluster {
    /// Starts a replica that follows this cluster.
    ///
    /// # Errors
    /// [`NoPostgres`] with what PostgreSQL said.
    pub fn replica(&self) -> Result<Self, NoPostgres> {
        let (programs, owner) = (programs()?, Owner::find()?);
        let folder = tempfile::Builder::new()
            .prefix("hlpg-")
            .tempdir()
            .map_err(|error| no("no temporary folder", error))?;
        owner.own(folder.path())?;
        let copied = owner
            .command(&programs.join("pg_basebackup"))
            .args(["--checkpoint=fast", "--no-sync", "--write-recovery-conf"])
            .args(["--dbname", self.url(), "--pgdata"])
            .arg(folder.path().join("data"))
            .current_dir(folder.path())
            .output()
            .map_err(|error| no("pg_basebackup", error))?;
        if !copied.status.success() {
            return Err(no("pg_basebackup", String::from_utf8_lossy(&copied.stderr)));
        }
        // From here the watchdog removes it.
        let folder = folder.keep();
        let port = free_port()?;
        configure(&folder, port, false)?;
        let followed = format!("primary_conninfo = '{}'\n", self.url());
        OpenOptions::new()
            .append(true)
            .open(folder.join("data/postgresql.auto.conf"))
            .and_then(|mut settings| settings.write_all(followed.as_bytes()))
            .map_err(|error| no("cannot write", error))?;
        match watch(&folder, &programs, &owner, &[])? {
            (watchdog, Some(pipe)) => Ok(Self::running(self.url_at(port)?, folder, watchdog, pipe)),
            (mut watchdog, None) => {
                let _ended = watchdog.kill();
                let _reaped = watchdog.wait();
                let said = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
                let _removed = std::fs::remove_dir_all(&folder);
                Err(no("the replica does not start", said))
            }
        }
    }

    /// Waits until all replicas have what was committed here so far.
    ///
    /// # Errors
    /// [`NoPostgres`] when that does not come about.
    pub fn is_followed(&self) -> Result<(), NoPostgres> {
        let behind = "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_stat_replication \
                      WHERE replay_lsn >= pg_current_wal_lsn()) THEN RAISE 'behind'; END IF; END $$";
        let mut looked = psql(self.url(), behind);
        for _ in 1..LOOKS {
            if looked.is_ok() {
                break;
            }
            looked = psql(self.url(), behind);
        }
        looked
    }

    /// Has the replica take over.
    ///
    /// # Errors
    /// [`NoPostgres`] with what PostgreSQL said.
    pub fn promote(&self) -> Result<(), NoPostgres> {
        psql(self.url(), "SELECT pg_promote()")
    }

    fn url_at(&self, port: u16) -> Result<String, NoPostgres> {
        let parts = self.url().rsplit_once(':');
        let (before, rest) = parts.ok_or_else(|| no("no port in", self.url()))?;
        let (_, name) = rest.split_once('/').unwrap_or_default();
        Ok(format!("{before}:{port}/{name}"))
    }
}
