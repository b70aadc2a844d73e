//! A field device: the `hazardloop-device` program with a home of its own.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a harness that cannot do its work fails the test, with the reason"
)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::process::{PATIENCE, Running, described, program, start};
use crate::server::DEMO_PASSWORD;

/// A device of one person.
pub struct Device {
    home: tempfile::TempDir,
    keys: tempfile::TempDir,
    server: String,
    user: String,
    environment: Vec<(String, String)>,
}

impl Device {
    /// A device that reaches the server at `server` (a URL). It is not enrolled yet.
    ///
    /// # Panics
    /// When there is no place for its home.
    #[must_use]
    pub fn new(server: &str, user: &str) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        let keys = tempfile::tempdir().expect("a temporary folder");
        let environment = vec![("HAZARDLOOP_PASSWORD".to_owned(), DEMO_PASSWORD.to_owned())];
        Self {
            home,
            keys,
            server: server.to_owned(),
            user: user.to_owned(),
            environment,
        }
    }

    /// The same with a fixed clock, and all its ids and keys drawn from `seed`.
    #[must_use]
    pub fn repeatable(mut self, now: &str, seed: u64) -> Self {
        self.environment
            .push(("HAZARDLOOP_TEST_NOW".to_owned(), now.to_owned()));
        self.environment
            .push(("HAZARDLOOP_TEST_SEED".to_owned(), seed.to_string()));
        self
    }

    /// Sets its clock.
    pub fn set_clock(&mut self, now: &str) {
        self.environment
            .retain(|(name, _)| name != "HAZARDLOOP_TEST_NOW");
        self.environment
            .push(("HAZARDLOOP_TEST_NOW".to_owned(), now.to_owned()));
    }

    /// Starts `hazardloop-device ARGUMENTS`.
    #[must_use]
    pub fn start(&self, arguments: &[&str]) -> Running {
        let mut command = Command::new(program("hazardloop-device"));
        command.env_remove(crate::postgres::SERVER_VARIABLE);
        command.env_remove(crate::postgres::SCRATCH_VARIABLE);
        command.env("HAZARDLOOP_DEVICE_KEYS", self.keys.path());
        command.arg("--home").arg(self.home.path()).args([
            "--server",
            &self.server,
            "--user",
            &self.user,
        ]);
        command.args(arguments).envs(self.environment.clone());
        start(command)
    }

    /// Runs it to its end, whatever that is.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.start(arguments).finish(PATIENCE)
    }

    /// Runs it; what it printed.
    ///
    /// # Panics
    /// When it does not exit with 0.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(
            output.status.success(),
            "{} {arguments:?}: {}",
            self.user,
            described(&output)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs it with `--json`; what it printed.
    ///
    /// # Panics
    /// When it does not exit with 0 or does not print JSON.
    #[must_use]
    pub fn json(&self, arguments: &[&str]) -> Value {
        let all: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let printed = self.ok(&all);
        serde_json::from_str(&printed)
            .unwrap_or_else(|error| panic!("{} {all:?}: {error}: {printed}", self.user))
    }

    /// Where it keeps its files.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }
}
