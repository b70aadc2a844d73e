//! A real server process: started, asked, killed, started again on the same data.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a harness that cannot do its work fails the test, with the reason"
)]

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::process::{PATIENCE, program, run, signal};
use crate::rest::Rest;

/// A clean shutdown takes no longer than this.
pub const SHUTDOWN: Duration = Duration::from_secs(20);

/// Fixes the clock of a server or device (RFC 3339).
pub const CLOCK: &str = "HAZARDLOOP_TEST_NOW";

/// Password of every sample account.
pub const DEMO_PASSWORD: &str = "hazardloop-demo";

/// How a server is to be started.
#[derive(Clone, Default)]
pub struct ServerOptions {
    environment: Vec<(String, String)>,
    prefix: Vec<String>,
}

impl ServerOptions {
    /// Sets an environment variable (settings are `HAZARDLOOP_…`).
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.environment.push((name.to_owned(), value.to_string()));
        self
    }

    /// Without what holds back many requests of few people from one address, for as long as a measurement takes.
    #[must_use]
    pub fn for_measuring(self) -> Self {
        self.with("HAZARDLOOP_HTTP__REQUESTS_PER_SECOND", 1_000_000)
            .with("HAZARDLOOP_HTTP__REQUEST_BURST", 1_000_000)
            // All connections are of one person.
            .with("HAZARDLOOP_HTTP__REQUESTS_AT_ONCE", 1_000)
            .with("HAZARDLOOP_SYNC__SYNCS_AT_ONCE", 1_000)
            .with("HAZARDLOOP_SIGN_IN__ATTEMPTS_PER_MINUTE", 100_000)
            .with("HAZARDLOOP_SIGN_IN__ACCESS_TOKEN_S", 3_600)
    }

    /// With its usual limits on what one person may do at once, for many people who all come from one address: signing in is
    /// not slowed down for that, and made cheap.
    #[must_use]
    pub fn for_crowds(self) -> Self {
        self.with("HAZARDLOOP_SIGN_IN__ATTEMPTS_PER_MINUTE", 100_000)
            .with("HAZARDLOOP_SIGN_IN__ACCESS_TOKEN_S", 3_600)
            .with("HAZARDLOOP_SIGN_IN__ARGON2_MEMORY_KIB", 1_024)
            .with("HAZARDLOOP_SIGN_IN__ARGON2_PASSES", 1)
    }

    /// Fixes the server's clock.
    #[must_use]
    pub fn at(self, rfc3339: &str) -> Self {
        self.with(CLOCK, rfc3339)
    }

    /// Runs it under another program (a tracer).
    #[must_use]
    pub fn under(mut self, prefix: &[&str]) -> Self {
        self.prefix = prefix.iter().map(|&word| word.to_owned()).collect();
        self
    }
}

/// A demo server over one database, with a data folder of its own.
pub struct Server {
    database_url: String,
    data: tempfile::TempDir,
    options: ServerOptions,
    child: Option<Child>,
    address: SocketAddr,
}

impl Server {
    /// Starts a server and waits until it says that it is ready.
    ///
    /// # Panics
    /// When it does not become ready within a minute.
    #[must_use]
    pub fn start(database_url: &str, options: ServerOptions) -> Self {
        let data = tempfile::tempdir().expect("a temporary folder");
        let mut server = Self {
            database_url: database_url.to_owned(),
            data,
            options,
            child: None,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        server.restart();
        server
    }

    /// Starts it (again) on the same data. It gets a new port: while it was down, the old one may have become another
    /// test's. Who must not notice talks to it through a [`crate::link::Link`].
    ///
    /// # Panics
    /// When it runs already, or does not become ready.
    pub fn restart(&mut self) {
        assert!(self.child.is_none(), "the server runs already");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_path())
            .expect("the server's log");
        let mut child = self
            .command()
            .args(["serve", "--demo", "--listen", "127.0.0.1:0"])
            .envs(self.options.environment.clone())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap_or_else(|error| panic!("the server cannot be started: {error}"));
        let output = child.stdout.take().expect("its standard output");
        self.child = Some(child);
        let (send, found) = mpsc::channel();
        // Goes on reading until the server ends, so that the server never waits for its reader.
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some(address) = address_in(&line) {
                    let _nobody_waits = send.send(address);
                }
            }
        });
        match found.recv_timeout(PATIENCE) {
            Ok(address) => self.address = address,
            Err(error) => panic!(
                "the server did not say that it is ready ({error})\n{}",
                self.log()
            ),
        }
    }

    /// Sets the clock that it will have after the next [`Server::restart`].
    pub fn set_clock(&mut self, rfc3339: &str) {
        self.options.environment.retain(|(name, _)| name != CLOCK);
        self.options
            .environment
            .push((CLOCK.to_owned(), rfc3339.to_owned()));
    }

    /// Has it work on another database from the next [`Server::restart`] or [`Server::task`] on.
    pub fn use_database(&mut self, url: &str) {
        self.database_url = url.to_owned();
    }

    fn command(&self) -> Command {
        let binary = program("hazardloop");
        let mut command = match self.options.prefix.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(binary);
                command
            }
            None => Command::new(binary),
        };
        command.env_remove(crate::postgres::SERVER_VARIABLE);
        command.env_remove(crate::postgres::SCRATCH_VARIABLE);
        command
            .arg("--data-dir")
            .arg(self.data.path())
            .args(["--database-url", &self.database_url]);
        command
    }

    /// Runs `hazardloop ARGUMENTS` over the same data.
    #[must_use]
    pub fn task(&self, arguments: &[&str]) -> Output {
        let mut command = self.command();
        command.args(arguments);
        run(command)
    }

    /// Kills it as a power cut would.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("a running server");
        if self.options.prefix.is_empty() {
            child.kill().expect("a process to kill");
        } else {
            signal("KILL", self.id_of(&child));
        }
        child.wait().expect("a process to wait for");
    }

    /// Ends it as an operator would: SIGTERM, then a bounded wait.
    ///
    /// # Panics
    /// When it does not end within [`SHUTDOWN`].
    pub fn stop(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("a running server");
        let id = self.id_of(&child);
        signal("TERM", id);
        let (send, ended) = mpsc::channel();
        thread::spawn(move || send.send(child.wait()));
        match ended.recv_timeout(SHUTDOWN) {
            Ok(status) => status.expect("an exit status"),
            Err(_) => {
                signal("KILL", id);
                panic!(
                    "the server did not end within {SHUTDOWN:?} of SIGTERM\n{}",
                    self.log()
                )
            }
        }
    }

    /// Waits until it has ended by itself.
    ///
    /// # Panics
    /// When it does not end within [`SHUTDOWN`].
    pub fn ends(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("a running server");
        let id = self.id_of(&child);
        let (send, ended) = mpsc::channel();
        thread::spawn(move || send.send(child.wait()));
        ended.recv_timeout(SHUTDOWN).map_or_else(
            |_| {
                signal("KILL", id);
                panic!("the server goes on\n{}", self.log())
            },
            |status| status.expect("an exit status"),
        )
    }

    fn id_of(&self, child: &Child) -> u32 {
        if self.options.prefix.is_empty() {
            return child.id();
        }
        // Under a tracer the server is its only child.
        let path = format!("/proc/{0}/task/{0}/children", child.id());
        let children = fs::read_to_string(path).unwrap_or_default();
        children
            .split_whitespace()
            .next()
            .and_then(|id| id.parse().ok())
            .unwrap_or(child.id())
    }

    /// Its process id.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id_of(self.child.as_ref().expect("a running server"))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// Its database.
    #[must_use]
    pub fn database_url(&self) -> &str {
        &self.database_url
    }

    /// A client that is not signed in.
    #[must_use]
    pub fn rest(&self) -> Rest {
        Rest::new(self.address)
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.data.path().join("server.log")
    }

    /// The most memory that it has held at once, bytes (`VmHWM`).
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn peak_memory(&self) -> u64 {
        self.memory("VmHWM:")
    }

    /// The memory that it holds, bytes (`VmRSS`).
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn resident_memory(&self) -> u64 {
        self.memory("VmRSS:")
    }

    fn memory(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).expect("/proc");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(field))
            .expect("a memory field");
        line.trim()
            .trim_end_matches(" kB")
            .trim()
            .parse::<u64>()
            .expect("kilobytes")
            * 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            signal("KILL", self.id_of(&child));
            let _killed = child.kill();
            let _reaped = child.wait();
        }
        if thread::panicking() {
            let log = self.log();
            let tail: Vec<&str> = log.lines().rev().take(60).collect();
            eprintln!("the server's log ends:");
            for line in tail.iter().rev() {
                eprintln!("  {line}");
            }
        }
    }
}

/// The `127.0.0.1:PORT` of the ready line.
fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("http://")?;
    let end = rest
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':'))
        .unwrap_or(rest.len());
    rest.get(..end)?.trim_end_matches('.').parse().ok()
}
