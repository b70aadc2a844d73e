//! Programs of this build, run with a bound on their time and none on their output.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a harness that cannot do its work fails the test, with the reason"
)]

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long a program may take that has nothing to wait for.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The program `name` of this build: it lies beside the running test, or one folder above.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let this = std::env::current_exe().expect("the path of this program");
    let candidates: Vec<PathBuf> = this
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name))
        .collect();
    match candidates.iter().find(|path| path.is_file()) {
        Some(path) => path.clone(),
        None => panic!(
            "{name} was not built (looked for {candidates:?}); `cargo build --workspace` builds it, `make test` does so"
        ),
    }
}

/// Sends a signal (`TERM`, `KILL`, `STOP`, `CONT`) to a process that we started.
pub fn signal(name: &str, id: u32) {
    let sent = Command::new("sh")
        .args([
            "-c",
            "kill -s \"$1\" \"$2\"",
            "signal",
            name,
            &id.to_string(),
        ])
        .stderr(Stdio::null())
        .status();
    assert!(sent.is_ok(), "sh is needed to send a signal");
}

/// A program that runs beside the test.
pub struct Running {
    name: String,
    id: u32,
    ended: mpsc::Receiver<std::io::Result<Output>>,
}

/// Starts `command`; its output is kept.
///
/// # Panics
/// When it cannot be started.
#[must_use]
pub fn start(mut command: Command) -> Running {
    let name = format!("{command:?}");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child: Child = command
        .spawn()
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let id = child.id();
    let (send, ended) = mpsc::channel();
    thread::spawn(move || send.send(child.wait_with_output()));
    Running { name, id, ended }
}

/// Runs `command` to its end.
///
/// # Panics
/// When it cannot be started or does not end within [`PATIENCE`].
#[must_use]
pub fn run(command: Command) -> Output {
    start(command).finish(PATIENCE)
}

impl Running {
    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Waits for its end, and kills it (SIGKILL) as soon as `now` says so: it is asked every millisecond.
    ///
    /// # Panics
    /// When it does not end within `limit`.
    #[must_use]
    pub fn killed_when(self, limit: Duration, mut now: impl FnMut() -> bool) -> Output {
        let every = Duration::from_millis(1);
        for _ in 0..limit.as_millis() {
            match self.ended.recv_timeout(every) {
                Ok(output) => {
                    return output.unwrap_or_else(|error| panic!("{}: {error}", self.name));
                }
                Err(_) if now() => {
                    signal("KILL", self.id);
                    break;
                }
                Err(_) => {}
            }
        }
        self.finish(limit)
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When that does not come within `limit`; the program is killed then.
    #[must_use]
    pub fn finish(self, limit: Duration) -> Output {
        match self.ended.recv_timeout(limit) {
            Ok(output) => output.unwrap_or_else(|error| panic!("{}: {error}", self.name)),
            Err(_) => {
                signal("KILL", self.id);
                let output = self.ended.recv().ok().and_then(Result::ok);
                let said = output.map(|output| described(&output)).unwrap_or_default();
                panic!("{} did not end within {limit:?}\n{said}", self.name)
            }
        }
    }
}

/// An ended program's exit and words, for a failure's text.
#[must_use]
pub fn described(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
