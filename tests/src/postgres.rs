//! A private PostgreSQL for tests: its own cluster in a temporary folder, gone when the process
//! that asked for it is gone, however that ends.

use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

mod databases;

use databases::with_database;
pub use databases::{Database, psql, scratch, server_url};

/// Environment variable that names a running server to use (a superuser's URL, any database).
pub const SERVER_VARIABLE: &str = "HAZARDLOOP_TEST_POSTGRES";

/// Environment variable that names a folder which is gone when that server is.
pub const SCRATCH_VARIABLE: &str = "HAZARDLOOP_TEST_SCRATCH";

/// Attempts at a free port: another process may take it between our look and PostgreSQL's.
const PORT_ATTEMPTS: u32 = 5;

/// Lives beside the cluster and outlasts us by a moment. It reads our pipe: numbers are processes
/// to end with us, `-` forgets them, and the end of the pipe (we are gone) ends everything.
/// It never gets the terminal's interrupt, since it has a process group of its own.
const WATCHDOG: &str = r#"
folder=$1; pg_ctl=$2; shift 2
if "$@" "$pg_ctl" start -w -t 60 -D "$folder/data" -l "$folder/log" >"$folder/start" 2>&1; then
    echo ready
else
    echo failed
fi
others=
while read -r word; do
    case $word in -) others= ;; *) others="$others $word" ;; esac
done
for other in $others; do kill -TERM "$other" 2>/dev/null; done
"$@" "$pg_ctl" stop -w -m immediate -D "$folder/data" >/dev/null 2>&1
rm -rf "$folder"
"#;

/// Why there is no PostgreSQL, and what to do about it.
#[derive(Debug)]
pub struct NoPostgres(String);

impl fmt::Display for NoPostgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoPostgres {}

pub(crate) fn no(what: &str, error: impl fmt::Display) -> NoPostgres {
    NoPostgres(format!("{what}: {error}"))
}

/// A running cluster. Dropping it stops the server and removes its files.
pub struct Cluster {
    url: String,
    folder: PathBuf,
    watchdog: Child,
    pipe: Option<ChildStdin>,
}

impl Cluster {
    /// Starts a cluster. With `fsync` off (for tests) it is fast and would not survive a power
    /// cut; benchmarks turn it on.
    ///
    /// # Errors
    /// [`NoPostgres`] naming what is missing.
    pub fn start(fsync: bool) -> Result<Self, NoPostgres> {
        Self::start_under(fsync, &[])
    }

    /// As [`Self::start`], with `tracer` before the command that starts the server: strace, to slow its flushes.
    ///
    /// # Errors
    /// [`NoPostgres`] naming what is missing.
    pub fn start_under(fsync: bool, tracer: &[String]) -> Result<Self, NoPostgres> {
        let programs = programs()?;
        let owner = Owner::find()?;
        let mut folder = tempfile::Builder::new();
        let folder = folder.prefix("hlpg-");
        let folder = match quick_folder() {
            // What need not outlive a power cut need not reach a disk, whose files take most of the time of a test.
            Some(quick) if !fsync => folder.tempdir_in(quick),
            _ => folder.tempdir(),
        };
        let folder = folder.map_err(|error| no("no temporary folder", error))?;
        let password = random_hex()?;
        initialise(folder.path(), &programs, &owner, &password)?;
        // From here the watchdog removes it.
        let folder = folder.keep();
        let mut said = String::new();
        for _ in 0..PORT_ATTEMPTS {
            let port = free_port()?;
            configure(&folder, port, fsync)?;
            match watch(&folder, &programs, &owner, tracer)? {
                (watchdog, Some(pipe)) => {
                    let url = format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres");
                    return Ok(Self::running(url, folder, watchdog, pipe));
                }
                (mut watchdog, None) => {
                    said = fs::read_to_string(folder.join("log")).unwrap_or_default();
                    let _ended = watchdog.kill();
                    let _reaped = watchdog.wait();
                }
            }
        }
        let _removed = fs::remove_dir_all(&folder);
        Err(no("PostgreSQL does not start", said))
    }

    pub(crate) fn running(url: String, folder: PathBuf, watchdog: Child, pipe: ChildStdin) -> Self {
        let pipe = Some(pipe);
        Self {
            url,
            folder,
            watchdog,
            pipe,
        }
    }

    /// The superuser's URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A folder that is gone when the cluster is.
    #[must_use]
    pub fn scratch(&self) -> &Path {
        &self.folder
    }

    /// The URL of another database of this cluster.
    ///
    /// # Errors
    /// [`NoPostgres`] never: its own URL is one.
    pub fn url_of(&self, database: &str) -> Result<String, NoPostgres> {
        with_database(&self.url, database)
    }

    /// Has process `id` ended (SIGTERM) when this process dies.
    pub fn end_with_us(&mut self, id: u32) {
        self.tell(&format!("{id}\n"));
    }

    /// Takes back all [`Self::end_with_us`]: those processes have ended.
    pub fn they_have_ended(&mut self) {
        self.tell("-\n");
    }

    fn tell(&mut self, line: &str) {
        if let Some(pipe) = &mut self.pipe {
            let _gone = pipe.write_all(line.as_bytes());
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.pipe.take());
        let _reaped = self.watchdog.wait();
    }
}

/// Room that a folder in memory has to have for the databases of a run, KiB.
const ROOM_KIB: u64 = 4 << 20;

/// A folder in memory, where there is one with room enough.
fn quick_folder() -> Option<&'static Path> {
    let folder = Path::new("/dev/shm");
    let said = Command::new("df")
        .args(["--output=fstype,avail", "-k"])
        .arg(folder)
        .output()
        .ok()
        .filter(|said| said.status.success())?;
    let said = String::from_utf8_lossy(&said.stdout);
    let mut words = said.lines().nth(1)?.split_whitespace();
    let in_memory = words.next()? == "tmpfs";
    let room: u64 = words.next()?.parse().ok()?;
    (in_memory && room >= ROOM_KIB).then_some(folder)
}

/// Whom the server runs as: PostgreSQL refuses to run as root.
pub(crate) struct Owner {
    /// What to put before a command.
    prefix: Vec<String>,
    ids: Option<(u32, u32)>,
}

impl Owner {
    pub(crate) fn find() -> Result<Self, NoPostgres> {
        if id(&["-u"])? != 0 {
            return Ok(Self {
                prefix: Vec::new(),
                ids: None,
            });
        }
        let ids = (id(&["-u", "postgres"])?, id(&["-g", "postgres"])?);
        let prefix = [
            "setpriv",
            "--reuid=postgres",
            "--regid=postgres",
            "--init-groups",
        ];
        Ok(Self {
            prefix: prefix.map(str::to_owned).to_vec(),
            ids: Some(ids),
        })
    }

    pub(crate) fn own(&self, path: &Path) -> Result<(), NoPostgres> {
        match self.ids {
            Some((user, group)) => std::os::unix::fs::chown(path, Some(user), Some(group))
                .map_err(|error| no("cannot hand a folder to user postgres", error)),
            None => Ok(()),
        }
    }

    pub(crate) fn command(&self, program: &Path) -> Command {
        match self.prefix.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
            None => Command::new(program),
        }
    }
}

fn id(arguments: &[&str]) -> Result<u32, NoPostgres> {
    let output = Command::new("id")
        .args(arguments)
        .output()
        .map_err(|error| no("id", error))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().map_err(|_| {
        NoPostgres(
            "there is no user postgres to run the server as; apt-get install postgresql".to_owned(),
        )
    })
}

/// The folder with `initdb` and `pg_ctl`: Debian keeps them out of the PATH.
pub(crate) fn programs() -> Result<PathBuf, NoPostgres> {
    let mut candidates: Vec<(u32, PathBuf)> = Vec::new();
    for version in fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
    {
        let number = version.file_name().to_string_lossy().parse().unwrap_or(0);
        candidates.push((number, version.path().join("bin")));
    }
    candidates.sort();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        candidates.insert(0, (0, PathBuf::from(folder)));
    }
    #[allow(clippy::disallowed_methods, reason = "the PATH is where programs are")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    candidates.splice(0..0, std::env::split_paths(&path).map(|folder| (0, folder)));
    let complete = |folder: &Path| {
        ["initdb", "pg_ctl", "psql"]
            .iter()
            .all(|name| folder.join(name).is_file())
    };
    candidates.into_iter().rev().map(|(_, folder)| folder).find(|folder| complete(folder)).ok_or_else(|| {
        NoPostgres(
            "PostgreSQL is needed for this test and is not installed (looked in /usr/lib/postgresql, \
             pg_config, PATH); on Debian: apt-get install postgresql"
                .to_owned(),
        )
    })
}

fn initialise(
    folder: &Path,
    programs: &Path,
    owner: &Owner,
    password: &str,
) -> Result<(), NoPostgres> {
    let secret = folder.join("password");
    fs::write(&secret, password).map_err(|error| no("cannot write", error))?;
    owner.own(folder)?;
    owner.own(&secret)?;
    let output = owner
        .command(&programs.join("initdb"))
        .args([
            "--username=postgres",
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
        ])
        .args([
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
            "--no-instructions",
        ])
        .arg(format!("--pwfile={}", secret.display()))
        .arg(folder.join("data"))
        .current_dir(folder)
        .output()
        .map_err(|error| no("initdb", error))?;
    if output.status.success() {
        return Ok(());
    }
    Err(no("initdb", String::from_utf8_lossy(&output.stderr)))
}

pub(crate) fn configure(folder: &Path, port: u16, fsync: bool) -> Result<(), NoPostgres> {
    let durable = if fsync { "on" } else { "off" };
    let settings = format!(
        "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{}'\n\
         fsync = {durable}\nfull_page_writes = {durable}\nsynchronous_commit = on\n\
         max_connections = 300\nshared_buffers = '64MB'\n",
        folder.display()
    );
    fs::write(folder.join("data/postgresql.auto.conf"), settings)
        .map_err(|error| no("cannot write", error))
}

/// Starts the server through its watchdog; no pipe in the answer when it does not start.
pub(crate) fn watch(
    folder: &Path,
    programs: &Path,
    owner: &Owner,
    tracer: &[String],
) -> Result<(Child, Option<ChildStdin>), NoPostgres> {
    let mut watchdog = Command::new("sh")
        .args(["-c", WATCHDOG, "hazardloop-test-postgres"])
        .arg(folder)
        .arg(programs.join("pg_ctl"))
        .args(tracer)
        .args(if owner.prefix.is_empty() {
            vec!["env".to_owned()]
        } else {
            owner.prefix.clone()
        })
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| no("sh", error))?;
    let mut said = String::new();
    if let Some(output) = watchdog.stdout.take() {
        let _read = BufReader::new(output).read_line(&mut said);
    }
    let pipe = watchdog.stdin.take();
    if said.trim() == "ready" {
        return Ok((watchdog, pipe));
    }
    // Kept open until the caller has killed the watchdog, which would remove the folder.
    std::mem::forget(pipe);
    Ok((watchdog, None))
}

pub(crate) fn free_port() -> Result<u16, NoPostgres> {
    let taken = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    Ok(taken.map_err(|error| no("no free port", error))?.port())
}

fn random_hex() -> Result<String, NoPostgres> {
    let mut bytes = [0_u8; 16];
    let read = fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(|error| no("/dev/urandom", error))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
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
    fn a_cluster_serves_and_leaves_nothing_behind() {
        let cluster = Cluster::start(false).unwrap();
        let url = cluster.url().to_owned();
        psql(&url, "SELECT 1").unwrap();
        drop(cluster);
        assert!(psql(&url, "SELECT 1").is_err());
    }
}
