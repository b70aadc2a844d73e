//! A phone: a home of its own, a server of its own, and each call as a process of its own.

use clap::Parser as _;
use hazardloop_device::ambient::{Ambient, Clock};
use hazardloop_device::cli::{self, args::Arguments, exit};
use hazardloop_device::data_key::DataKey;
use hazardloop_device::home::Profile;
use hazardloop_device::key_store::KeyFiles;
use hazardloop_device::vault::{self, Keyring};
use hazardloop_domain::ids::InstallId;
use hazardloop_domain::time::Timestamp;
use rand::SeedableRng as _;
use serde_json::Value;

use super::fake_server::FakeServer;

/// A clock that jumps instead of sleeping.
struct JumpingClock(std::cell::Cell<i64>);

impl Clock for JumpingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.get())
    }
    fn monotonic_ms(&self) -> Option<i64> {
        None
    }
    fn boot_id(&self) -> Option<InstallId> {
        None
    }
    fn sleep_ms(&self, ms: i64) {
        self.0.set(self.0.get() + ms);
    }
}

pub struct Phone {
    pub home: tempfile::TempDir,
    /// The platform's key store: it stays where a backup of the home is put back.
    pub keys: tempfile::TempDir,
    pub server: FakeServer,
}

impl Phone {
    pub fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            keys: tempfile::tempdir().unwrap(),
            server: FakeServer::start(),
        }
    }

    pub fn enrolled() -> Self {
        let phone = Self::new();
        let (code, _) = phone.enroll("li");
        assert_eq!(code, exit::DONE);
        phone
    }

    pub fn enroll(&self, login: &str) -> (u8, Value) {
        self.enroll_at(&self.server.address(), login)
    }

    /// With a server that is another phone's too.
    pub fn enroll_at(&self, address: &str, login: &str) -> (u8, Value) {
        self.run(&[
            "enroll",
            "--server",
            address,
            "--user",
            login,
            "--password",
            "secret",
            "--unguarded",
        ])
    }

    /// Each call is a process of its own: everything comes from the disk.
    pub fn run(&self, words: &[&str]) -> (u8, Value) {
        let mut line = vec!["--json"];
        if !words.contains(&"--lang") {
            line.extend(["--lang", "en"]);
        }
        line.extend(words);
        let (code, text) = self.call(&line);
        (code, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// What a person reads in Chinese.
    pub fn shown_in_chinese(&self, words: &[&str]) -> String {
        let mut line = vec!["--lang", "zh"];
        line.extend(words);
        let (code, text) = self.call(&line);
        assert_eq!(code, exit::DONE, "{words:?}: {text}");
        text
    }

    pub fn call(&self, words: &[&str]) -> (u8, String) {
        let home = self.home.path().to_str().unwrap();
        let keys = self.keys.path().to_str().unwrap();
        let mut line = vec!["hazardloop-device", "--home", home, "--key-dir", keys];
        line.extend(words);
        let arguments = Arguments::try_parse_from(line).unwrap();
        let clock = Box::new(JumpingClock(1_795_305_600_000.into()));
        let mut ambient = Ambient {
            clock,
            rng: rand::rngs::StdRng::seed_from_u64(7),
            seed: Some(7),
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = cli::run(&arguments, &mut ambient, &mut out, &mut err);
        (code, String::from_utf8(out).unwrap())
    }

    /// The directory of the one person who is enrolled, and what unlocks it.
    pub fn unlocked(&self) -> (Profile, DataKey) {
        let profile = Profile::find(self.home.path(), None, None).unwrap();
        let key = self.key_of(&profile);
        (profile, key)
    }

    pub fn key_of(&self, profile: &Profile) -> DataKey {
        let store = KeyFiles(self.keys.path().to_owned());
        let keyring = Keyring {
            store: &store,
            pin: &|| Err("no PIN here".to_owned()),
        };
        let mut ambient = Ambient {
            clock: Box::new(JumpingClock(1_795_305_600_000.into())),
            rng: rand::rngs::StdRng::seed_from_u64(7),
            seed: Some(7),
        };
        vault::unlock(profile, &keyring, &mut ambient).unwrap()
    }

    /// What a person is told in Chinese when it goes wrong.
    pub fn told_in_chinese(&self, words: &[&str]) -> String {
        let mut line = vec!["--lang", "zh"];
        line.extend(words);
        let (_, answer) = self.run(&line);
        let told = answer["error"].as_str().or(answer["message"].as_str());
        told.unwrap().to_owned()
    }

    pub fn report(&self, text: &str) -> String {
        let (code, answer) = self.run(&[
            "report",
            "--text",
            text,
            "--place",
            "一号车间",
            "--no-photo-reason",
            "dark",
        ]);
        assert_eq!(code, exit::DONE, "{answer}");
        answer["hazard_id"].as_str().unwrap().to_owned()
    }

    pub fn jpeg(&self, name: &str, size: usize) -> String {
        let path = self.home.path().join(name);
        let mut bytes = b"\xff\xd8\xff".to_vec();
        bytes.resize(size, 9);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub fn on_device(&self) -> u64 {
        self.run(&["status"]).1["on_device"].as_u64().unwrap()
    }
}
