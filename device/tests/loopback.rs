//! The whole device against a scripted server on the loopback: what networks really answer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod fake_server;

use std::path::Path;

use clap::Parser as _;
use fake_server::{FakeServer, Mishap};
use hazardloop_device::ambient::{Ambient, Clock};
use hazardloop_device::cli::{self, args::Arguments, exit};
use hazardloop_domain::ids::InstallId;
use hazardloop_domain::time::Timestamp;
use rand::SeedableRng as _;
use serde_json::Value;

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

struct Phone {
    home: tempfile::TempDir,
    server: FakeServer,
}

impl Phone {
    fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            server: FakeServer::start(),
        }
    }

    fn enrolled() -> Self {
        let phone = Self::new();
        let (code, _) = phone.enroll("li");
        assert_eq!(code, exit::DONE);
        phone
    }

    fn enroll(&self, login: &str) -> (u8, Value) {
        let address = self.server.address();
        self.run(&[
            "enroll",
            "--server",
            &address,
            "--user",
            login,
            "--password",
            "secret",
        ])
    }

    /// Each call is a process of its own: everything comes from the disk.
    fn run(&self, words: &[&str]) -> (u8, Value) {
        let home = self.home.path().to_str().unwrap();
        let mut line = vec!["hazardloop-device", "--json", "--home", home];
        if !words.contains(&"--lang") {
            line.extend(["--lang", "en"]);
        }
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
        let text = String::from_utf8(out).unwrap();
        (code, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// What a person is told in Chinese when it goes wrong.
    fn told_in_chinese(&self, words: &[&str]) -> String {
        let mut line = vec!["--lang", "zh"];
        line.extend(words);
        let (_, answer) = self.run(&line);
        let told = answer["error"].as_str().or(answer["message"].as_str());
        told.unwrap().to_owned()
    }

    fn report(&self, text: &str) -> String {
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

    fn jpeg(&self, name: &str, size: usize) -> String {
        let path = self.home.path().join(name);
        let mut bytes = b"\xff\xd8\xff".to_vec();
        bytes.resize(size, 9);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn on_device(&self) -> u64 {
        self.run(&["status"]).1["on_device"].as_u64().unwrap()
    }
}

#[test]
fn a_report_made_offline_arrives_and_is_shown_as_arrived() {
    let phone = Phone::enrolled();
    phone.server.mishap(Mishap::Refuse);
    let id = phone.report("配电箱无门");
    assert_eq!(phone.run(&["sync"]).0, exit::UNREACHABLE);
    assert_eq!(phone.on_device(), 1, "work is kept");
    let (code, answer) = phone.run(&["sync"]);
    assert_eq!(code, exit::DONE, "{answer}");
    assert_eq!(phone.server.accepted().len(), 1);
    let (_, queue) = phone.run(&["queue"]);
    assert_eq!(queue["arrived"][0]["hazard_id"], id.as_str());
    assert_eq!(queue["on_device"].as_array().unwrap().len(), 0);
}

#[test]
fn what_is_not_our_server_settles_nothing() {
    for mishap in [
        Mishap::Portal,
        Mishap::PortalRedirect,
        Mishap::BadGateway,
        Mishap::Truncated,
        Mishap::WrongType,
        Mishap::Garbage,
    ] {
        let phone = Phone::enrolled();
        phone.report("a");
        phone.server.mishap(mishap);
        let (code, answer) = phone.run(&["push"]);
        assert_eq!(code, exit::UNREACHABLE, "{mishap:?} {answer}");
        assert_eq!(phone.on_device(), 1, "{mishap:?}");
        assert_eq!(phone.run(&["push"]).0, exit::DONE, "{mishap:?}");
        assert_eq!(phone.on_device(), 0, "{mishap:?}");
        assert_eq!(phone.server.accepted().len(), 1, "{mishap:?}");
    }
}

#[test]
fn an_expired_token_is_renewed_within_the_run() {
    let phone = Phone::enrolled();
    phone.report("a");
    phone.server.mishap(Mishap::ExpiredToken);
    assert_eq!(phone.run(&["push"]).0, exit::DONE);
    assert_eq!(phone.on_device(), 0);
    assert_eq!(phone.server.refreshes(), 1);
}

#[test]
fn a_renewal_whose_answer_is_lost_costs_nothing() {
    let phone = Phone::enrolled();
    phone.report("a");
    phone.server.mishap(Mishap::ExpiredToken);
    phone.server.mishap(Mishap::Truncated);
    assert_eq!(phone.run(&["push"]).0, exit::UNREACHABLE);
    assert_eq!(phone.on_device(), 1);
    assert_eq!(phone.run(&["push"]).0, exit::DONE);
    assert_eq!(phone.on_device(), 0);
}

#[test]
fn a_session_that_ended_asks_for_enrolment_and_keeps_the_queue() {
    let phone = Phone::enrolled();
    phone.report("a");
    phone.server.mishap(Mishap::ExpiredToken);
    phone.server.mishap(Mishap::ExpiredToken);
    assert_eq!(phone.run(&["push"]).0, exit::ATTENTION);
    assert_eq!(phone.on_device(), 1);
    let before = phone.run(&["status"]).1["install_id"].clone();
    assert_eq!(phone.enroll("li").0, exit::DONE);
    assert_eq!(
        phone.run(&["status"]).1["install_id"],
        before,
        "the same install goes on"
    );
    assert_eq!(phone.run(&["push"]).0, exit::DONE);
}

#[test]
fn a_413_halves_the_batch() {
    let phone = Phone::enrolled();
    for n in 0..5 {
        phone.report(&format!("report {n}"));
    }
    phone.server.mishap(Mishap::TooLarge);
    assert_eq!(phone.run(&["push"]).0, exit::DONE);
    assert_eq!(phone.server.batches(), [5, 2, 3]);
    assert_eq!(phone.server.accepted().len(), 5);
}

#[test]
fn one_command_too_large_for_the_server_is_named_kept_and_not_hammered() {
    let phone = Phone::enrolled();
    for n in 0..3 {
        phone.report(&format!("report {n}"));
    }
    phone.server.mishap(Mishap::TooLarge);
    phone.server.mishap(Mishap::TooLarge);
    let (code, answer) = phone.run(&["push", "--wait", "3600"]);
    assert_eq!(code, exit::ATTENTION, "{answer}");
    assert_eq!(phone.server.batches(), [3, 1], "no further tries");
    assert_eq!(answer["too_large"]["seq"], 1);
    let why = answer["too_large"]["reason"].as_str().unwrap();
    assert!(why.contains("2 commands behind it wait"), "{why}");
    let (_, queue) = phone.run(&["queue"]);
    assert_eq!(queue["needs_attention"][0]["seq"], 1);
    assert_eq!(phone.run(&["status"]).1["needs_attention"], 1);
    // Once the limit is raised, all of it arrives.
    assert_eq!(phone.run(&["push"]).0, exit::DONE);
    assert_eq!(phone.server.accepted().len(), 3);
    assert_eq!(phone.run(&["status"]).1["needs_attention"], 0);
}

#[test]
fn a_photo_travels_in_chunks_and_resumes_after_a_cut() {
    let phone = Phone::enrolled();
    let file = phone.jpeg("a.jpg", 300_000);
    let line = ["report", "--text", "a", "--place", "b", "--photo", &file];
    assert_eq!(phone.run(&line).0, exit::DONE);
    // push, pull, create, then the first chunk's answer is cut off.
    for mishap in [Mishap::None, Mishap::None, Mishap::None, Mishap::Truncated] {
        phone.server.mishap(mishap);
    }
    assert_eq!(phone.run(&["sync"]).0, exit::UNREACHABLE);
    assert_eq!(phone.run(&["status"]).1["photos_on_device"], 1);
    assert_eq!(phone.run(&["sync"]).0, exit::DONE);
    assert_eq!(phone.server.uploaded(), std::fs::read(&file).unwrap());
    assert!(
        phone.server.bytes_received() <= 300_000 + 128 * 1024,
        "at most one chunk again"
    );
    let (_, status) = phone.run(&["status"]);
    assert_eq!(
        status["photos"][0]["stage"], "sent",
        "kept until verified: {status}"
    );
}

#[test]
fn the_rules_refuse_before_anything_is_queued() {
    let phone = Phone::enrolled();
    let (code, answer) = phone.run(&["report", "--text", "a", "--place", "b"]);
    assert_eq!(code, exit::REFUSED, "{answer}");
    assert_eq!(answer["refused"]["code"], "PHOTO_REQUIRED");
    assert_eq!(phone.on_device(), 0);
    let text = phone.jpeg("a.jpg", 10);
    std::fs::write(&text, "not a photo").unwrap();
    let line = ["report", "--text", "a", "--place", "b", "--photo", &text];
    assert_eq!(phone.run(&line).0, exit::REFUSED);
}

#[test]
fn a_second_person_on_the_phone_sees_and_sends_nothing_of_the_first() {
    let phone = Phone::enrolled();
    phone.report("first person's");
    assert_eq!(phone.enroll("wang").0, exit::DONE);
    assert_eq!(phone.run(&["status"]).0, exit::USAGE, "which of the two?");
    let (_, status) = phone.run(&["--user", "wang", "status"]);
    assert_eq!(status["on_device"], 0);
    assert_eq!(phone.run(&["--user", "wang", "push"]).0, exit::DONE);
    assert!(phone.server.accepted().is_empty());
    assert_eq!(phone.run(&["--user", "li", "push"]).0, exit::DONE);
    assert_eq!(phone.server.accepted().len(), 1);
}

#[test]
fn hazards_are_found_by_number_and_shown_as_not_sent_yet() {
    let phone = Phone::enrolled();
    let id = phone.report("配电箱无门");
    let (_, list) = phone.run(&["list"]);
    let number = list[0]["number"].as_str().unwrap().to_owned();
    assert_eq!(list[0]["pending"], serde_json::json!([1]));
    assert_eq!(
        phone.run(&["note", &number, "--text", "补充"]).0,
        exit::DONE
    );
    let (_, shown) = phone.run(&["show", &id]);
    assert_eq!(shown["hazard"]["notes"][0]["text"], "补充");
    assert_eq!(shown["pending"], serde_json::json!([1, 2]));
    assert_eq!(phone.run(&["show", "HZ-990101"]).0, exit::USAGE);
}

fn copy_home(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy_home(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_phone_restored_from_a_backup_enrolls_anew_and_keeps_its_work() {
    let mut phone = Phone::enrolled();
    phone.report("before the backup");
    assert_eq!(phone.run(&["push"]).0, exit::DONE);
    let backup = tempfile::tempdir().unwrap();
    copy_home(phone.home.path(), backup.path());
    phone.report("after the backup");
    phone.report("after the backup too");
    assert_eq!(phone.run(&["push"]).0, exit::DONE);
    phone.home = backup;
    phone.report("on the restored phone");
    let (code, answer) = phone.run(&["sync"]);
    assert_eq!(code, exit::ATTENTION, "{answer}");
    let (_, status) = phone.run(&["status"]);
    assert_eq!(
        (&status["must_enroll_again"], &status["on_device"]),
        (&true.into(), &1.into())
    );
    let old = status["install_id"].clone();
    assert_eq!(phone.enroll("li").0, exit::DONE);
    assert_ne!(phone.run(&["status"]).1["install_id"], old);
    assert_eq!(phone.run(&["sync"]).0, exit::DONE);
    assert_eq!(phone.on_device(), 0);
    assert_eq!(phone.server.accepted().len(), 4);
}

#[test]
fn a_server_that_hangs_keeps_nobody_from_queueing() {
    let phone = Phone::enrolled();
    phone.report("before");
    let (has_come, go) = phone.server.hang();
    std::thread::scope(|scope| {
        let sync = scope.spawn(|| phone.run(&["sync"]));
        has_come.recv().unwrap();
        let (told, tells) = std::sync::mpsc::channel();
        let phone = &phone;
        scope.spawn(move || {
            let (code, second) = phone.run(&["sync"]);
            assert!(second["error"].as_str().unwrap().contains("try later"));
            assert_eq!(
                code,
                exit::UNREACHABLE,
                "one at a time speaks to the server"
            );
            phone.report("while the server hangs");
            told.send(phone.on_device()).unwrap();
        });
        let queued = tells.recv_timeout(std::time::Duration::from_secs(60));
        go.send(()).unwrap();
        let (code, answer) = sync.join().unwrap();
        assert_eq!(queued, Ok(2), "both are on the device meanwhile");
        assert_eq!(code, exit::DONE, "{answer}");
        assert_eq!(
            answer["settled"],
            serde_json::json!([1, 2]),
            "the same run took both"
        );
    });
    assert_eq!(phone.on_device(), 0);
    assert_eq!(phone.server.accepted().len(), 2);
}

#[test]
fn an_enrolment_that_fails_leaves_nobody_enrolled() {
    let phone = Phone::new();
    phone.server.mishap(Mishap::ExpiredToken);
    let (code, answer) = phone.enroll("wang");
    assert_eq!(code, exit::ATTENTION);
    let said = answer["error"].as_str().unwrap();
    assert!(said.contains("wrong login or password"), "{said}");
    phone.server.mishap(Mishap::Refuse);
    assert_eq!(phone.enroll("zhao").0, exit::UNREACHABLE);
    assert_eq!(phone.run(&["status"]).0, exit::USAGE);
    assert_eq!(phone.enroll("li").0, exit::DONE);
    assert_eq!(phone.run(&["status"]).0, exit::DONE, "only one is enrolled");
}

#[test]
fn of_several_photos_all_are_attached_or_none() {
    let phone = Phone::enrolled();
    let id = phone.report("a");
    let (one, two) = (phone.jpeg("a.jpg", 10), phone.jpeg("b.jpg", 20));
    let line = [
        "attach", &id, "--photo", &two, "--photo", &one, "--photo", &one,
    ];
    assert_eq!(phone.run(&line).0, exit::REFUSED);
    assert_eq!(phone.on_device(), 1, "only the report");
    assert_eq!(phone.run(&line[..6]).0, exit::DONE);
    assert_eq!(phone.on_device(), 3);
}

#[test]
fn what_goes_wrong_is_told_in_chinese_too() {
    let phone = Phone::new();
    assert!(phone.told_in_chinese(&["status"]).contains("尚无人登记"));
    assert!(phone.told_in_chinese(&["enroll"]).contains("需要"));
    assert_eq!(phone.enroll("li").0, exit::DONE);
    let unknown = phone.told_in_chinese(&["show", "HZ-990101"]);
    assert!(unknown.contains("本机没有这条隐患"), "{unknown}");
    let path = phone.jpeg("a.jpg", 10);
    std::fs::write(&path, "not a photo").unwrap();
    let line = ["report", "--text", "a", "--place", "b", "--photo", &path];
    let told = phone.told_in_chinese(&line);
    assert!(told.contains("不是 JPEG、PNG 或 WebP 图片"), "{told}");
    let (first, second) = (phone.report("a"), phone.report("b"));
    let alike = first
        .bytes()
        .zip(second.bytes())
        .take_while(|(a, b)| a == b);
    let beginning = &first[..alike.count()];
    let several = phone.told_in_chinese(&["show", beginning]);
    assert!(several.contains("有 2 条隐患"), "{several}");
    assert_eq!(phone.enroll("wang").0, exit::DONE);
    assert!(phone.told_in_chinese(&["status"]).contains("登记了多人"));
}

#[test]
fn secrets_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let phone = Phone::enrolled();
    for entry in std::fs::read_dir(phone.home.path()).unwrap().flatten() {
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o700, "{}", Path::new(&entry.file_name()).display());
        let database = entry.path().join("device.db");
        let mode = std::fs::metadata(database).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "the tokens are in there");
    }
}
