//! Two people on one phone, a phone restored from a backup, enrolments that fail, secrets.

use super::*;

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

pub fn copy_home(from: &Path, to: &Path) {
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
fn secrets_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let phone = Phone::enrolled();
    for entry in std::fs::read_dir(phone.home.path()).unwrap().flatten() {
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o700, "{}", Path::new(&entry.file_name()).display());
        let database = entry.path().join("sealed.db");
        let mode = std::fs::metadata(database).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "the tokens are in there");
    }
}
