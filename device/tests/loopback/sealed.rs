//! A phone that is lost or shared: nothing in clear, a PIN, a second person, wiping.

use super::*;
use hazardloop_device::home::Profile;

/// Every file of a person, by its path within the home.
fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        match entry.path().is_dir() {
            true => all.extend(files(&entry.path())),
            false => all.push(entry.path()),
        }
    }
    all
}

fn file_with(phone: &Phone, name: &str, text: &str) -> String {
    let path = phone.keys.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn nothing_that_was_written_or_photographed_lies_on_the_phone_in_clear() {
    let phone = Phone::enrolled();
    let photo = phone.keys.path().join("a.jpg");
    let mut bytes = b"\xff\xd8\xff".to_vec();
    bytes.extend(b"recognisable pixels".repeat(40));
    std::fs::write(&photo, &bytes).unwrap();
    let line = ["report", "--text", "配电箱无门", "--place", "一号车间"];
    let line = [&line[..], &["--photo", photo.to_str().unwrap()]].concat();
    let (code, answer) = phone.run(&line);
    assert_eq!(code, exit::DONE, "{answer}");
    let hazard: uuid::Uuid = answer["hazard_id"].as_str().unwrap().parse().unwrap();
    let (_, list) = phone.run(&["photo", "list"]);
    let sha256 = list[0]["sha256"].as_str().unwrap();
    let secrets: [&[u8]; 6] = [
        "配电箱无门".as_bytes(),
        "一号车间".as_bytes(),
        b"recognisable pixels",
        b"refresh",
        hazard.as_bytes(),
        sha256.as_bytes(),
    ];
    for file in files(phone.home.path()) {
        let content = std::fs::read(&file).unwrap();
        for secret in secrets {
            let found = content.windows(secret.len()).any(|part| part == secret);
            assert!(!found, "{secret:?} in {}", file.display());
        }
        assert!(!file.to_str().unwrap().contains(sha256));
    }
    assert_eq!(phone.run(&["sync"]).0, exit::DONE);
    assert_eq!(
        phone.server.uploaded(),
        bytes,
        "the server gets the clear bytes"
    );
}

#[test]
fn with_a_pin_nothing_goes_without_it_and_everything_goes_with_it() {
    let phone = Phone::enrolled();
    phone.report("before the PIN");
    let pin = file_with(&phone, "pin", "314159\n");
    let cheap = ["--memory-kib", "19456", "--passes", "2"];
    let line = [&["lock", "pin", "--new-pin-file", &pin], &cheap[..]].concat();
    let (code, answer) = phone.run(&line);
    assert_eq!((code, &answer["unlocked_by"]), (exit::DONE, &"pin".into()));
    let wrong = file_with(&phone, "wrong", "000000");
    let (code, answer) = phone.run(&["push", "--unlock-file", &wrong]);
    assert_eq!(code, exit::ATTENTION, "{answer}");
    assert!(
        answer["error"].as_str().unwrap().contains("wrong PIN"),
        "{answer}"
    );
    let told = phone.told_in_chinese(&["status", "--unlock-file", &wrong]);
    assert!(told.contains("口令不正确（已连续 2 次）"), "{told}");
    assert!(phone.server.accepted().is_empty());
    let with = |words: &[&str]| phone.run(&[words, &["--unlock-file", &pin]].concat());
    assert_eq!(with(&["status"]).1["on_device"], 1);
    assert_eq!(with(&["push"]).0, exit::DONE);
    assert_eq!(phone.server.accepted().len(), 1);
    let (_, back) = with(&["lock", "key-file"]);
    assert_eq!(back["unlocked_by"], "key_file");
    assert_eq!(phone.run(&["status"]).1["arrived"], 1);
}

/// Puts a PIN on it, at a cost that tests can wait for; gives the file that holds it.
fn locked_by_pin(phone: &Phone) -> String {
    let pin = file_with(phone, "pin", "314159");
    let line = [
        "lock",
        "pin",
        "--new-pin-file",
        &pin,
        "--memory-kib",
        "19456",
    ];
    assert_eq!(phone.run(&line).0, exit::DONE);
    pin
}

#[test]
fn a_second_person_cannot_read_send_or_delete_what_is_the_firsts() {
    let phone = Phone::enrolled();
    phone.report("first person's");
    let address = phone.server.address();
    let of_wang = [
        "enroll",
        "--server",
        &address,
        "--user",
        "wang",
        "--password",
        "secret",
    ];
    let (code, answer) = phone.run(&of_wang);
    assert_eq!(code, exit::ATTENTION, "the first has no PIN: {answer}");
    let pin = locked_by_pin(&phone);
    assert_eq!(phone.run(&of_wang).0, exit::DONE, "beside the first");
    let li = Profile::find(phone.home.path(), None, Some("li")).unwrap();
    let wang = Profile::find(phone.home.path(), None, Some("wang")).unwrap();
    let before: Vec<_> = files(&li.dir)
        .iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect();
    let of_wang = phone.key_of(&wang);
    let rng = || rand::SeedableRng::seed_from_u64(1);
    let database = li.dir.join(hazardloop_device::home::DATABASE);
    let opened = hazardloop_device::store::Store::open(&database, &of_wang, rng());
    assert!(
        opened.unwrap().load().is_err(),
        "another's key opens nothing"
    );
    drop((li, wang));

    // As themselves they see, send and delete their own alone.
    for task in ["status", "queue", "list", "sync"] {
        assert_eq!(phone.run(&["--user", "wang", task]).0, exit::DONE, "{task}");
    }
    assert!(
        phone.server.accepted().is_empty(),
        "nothing was sent for the first"
    );
    let (code, _) = phone.run(&["--user", "wang", "wipe"]);
    assert_eq!(code, exit::DONE);
    // And as the first without the PIN: nothing at all. That counts as one try.
    let guess = file_with(&phone, "guess", "123456");
    for (tries, words) in [&["push"][..], &["wipe", "--lose", "1"]].iter().enumerate() {
        let line = [words, &["--user", "li", "--unlock-file", &guess][..]].concat();
        let (code, answer) = phone.run(&line);
        assert_eq!(code, exit::ATTENTION, "{tries} {answer}");
    }
    // Nor by the door for those who forgot theirs: it asks the server for the password.
    phone.server.mishap(Mishap::ExpiredToken);
    let password = file_with(&phone, "password", "guessed");
    let line = [
        "--user",
        "li",
        "wipe",
        "--forgotten",
        "--password-file",
        &password,
    ];
    assert_eq!(phone.run(&line).0, exit::ATTENTION);
    let li = Profile::find(phone.home.path(), None, Some("li")).unwrap();
    let after: Vec<_> = files(&li.dir)
        .iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect();
    assert_eq!(after.len(), before.len(), "only the count of tries changed");
    drop(li);
    let line = ["--user", "li", "--unlock-file", &pin, "push"];
    assert_eq!(phone.run(&line).0, exit::DONE);
    assert_eq!(phone.server.accepted().len(), 1);
}

#[test]
fn wiping_says_how_much_was_not_sent_and_takes_the_exact_number_only() {
    let phone = Phone::enrolled();
    let file = phone.jpeg("a.jpg", 1_000);
    let line = ["report", "--text", "a", "--place", "b", "--photo", &file];
    assert_eq!(phone.run(&line).0, exit::DONE);
    phone.report("second");
    let (code, answer) = phone.run(&["wipe"]);
    assert_eq!(code, exit::ATTENTION);
    let told = answer["error"].as_str().unwrap();
    assert!(told.contains("2 commands and 1 photos"), "{told}");
    assert!(
        phone
            .told_in_chinese(&["wipe", "--lose", "2"])
            .contains("2 条操作、1 张照片")
    );
    assert_eq!(phone.on_device(), 2, "nothing was deleted");
    assert_eq!(phone.run(&["wipe", "--lose", "3"]).0, exit::DONE);
    assert_eq!(phone.run(&["status"]).0, exit::USAGE, "nobody is enrolled");
    let left = files(phone.home.path());
    assert!(left.iter().all(|left| left.ends_with("a.jpg")), "{left:?}");
    assert!(files(phone.keys.path()).is_empty(), "nor a key");
    assert_eq!(phone.enroll("li").0, exit::DONE, "and it begins anew");
}

#[test]
fn what_was_sent_is_wiped_without_a_number_and_a_forgotten_pin_with_the_password() {
    let phone = Phone::enrolled();
    phone.report("a");
    assert_eq!(phone.run(&["sync"]).0, exit::DONE);
    assert_eq!(phone.run(&["wipe"]).0, exit::DONE);
    assert_eq!(phone.enroll("li").0, exit::DONE);
    phone.report("b");
    locked_by_pin(&phone);
    let password = file_with(&phone, "password", "secret");
    let line = ["wipe", "--forgotten", "--password-file", &password];
    assert_eq!(phone.run(&line).0, exit::DONE);
    assert_eq!(phone.run(&["status"]).0, exit::USAGE);
    assert_eq!(
        phone.server.accepted().len(),
        1,
        "what was not sent is gone"
    );
}

#[test]
fn a_wipe_that_was_interrupted_is_finished_by_whoever_comes_next() {
    let phone = Phone::enrolled();
    phone.report("a");
    let (profile, _) = phone.unlocked();
    let dir = profile.dir.clone();
    drop(profile);
    let note = r#"{"cause":"revoked","at":"2026-11-22T00:00:00.000Z","handed_over":1,
        "commands_lost":0,"photos_lost":2}"#;
    std::fs::write(dir.join("wiped.json"), note).unwrap();
    let told = phone.told_in_chinese(&["status"]);
    assert!(told.contains("1 条操作已交服务器"), "{told}");
    assert!(told.contains("2 张照片无法移交"), "{told}");
    assert!(files(phone.keys.path()).is_empty());
    let mut left: Vec<_> = files(&dir)
        .iter()
        .map(|file| file.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    left.sort();
    assert_eq!(left, ["lock", "network.lock", "profile.json", "wiped.json"]);
    assert_eq!(phone.enroll("li").0, exit::DONE);
    assert_eq!(phone.on_device(), 0);
}

#[test]
fn a_backup_of_the_home_without_the_key_store_opens_nothing() {
    let mut phone = Phone::enrolled();
    phone.report("配电箱无门");
    phone.keys = tempfile::tempdir().unwrap();
    let (code, answer) = phone.run(&["queue"]);
    assert_eq!(code, exit::ATTENTION, "{answer}");
    assert!(
        answer["error"]
            .as_str()
            .unwrap()
            .contains("key store has no key")
    );
    assert!(
        phone
            .told_in_chinese(&["queue"])
            .contains("没有解锁此目录的密钥文件")
    );
}
