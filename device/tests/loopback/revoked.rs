//! A phone that was revoked: what was not sent is handed over, then everything goes.

use super::*;

fn files_of(phone: &Phone) -> Vec<String> {
    let mut names = Vec::new();
    for profile in std::fs::read_dir(phone.home.path()).unwrap().flatten() {
        for entry in std::fs::read_dir(profile.path())
            .into_iter()
            .flatten()
            .flatten()
        {
            names.push(entry.file_name().into_string().unwrap());
        }
    }
    names.sort();
    names
}

const LEFT: [&str; 4] = ["lock", "network.lock", "profile.json", "wiped.json"];

/// Sent: one report. Not sent: another, with a photo.
fn with_unsent_work() -> Phone {
    let phone = Phone::enrolled();
    phone.report("sent");
    assert_eq!(phone.run(&["sync"]).0, exit::DONE);
    let photo = phone.keys.path().join("a.jpg");
    std::fs::write(&photo, b"\xff\xd8\xff a photo").unwrap();
    let line = ["report", "--text", "a", "--place", "b", "--photo"];
    let line = [&line[..], &[photo.to_str().unwrap()]].concat();
    assert_eq!(phone.run(&line).0, exit::DONE);
    std::fs::remove_file(photo).unwrap();
    phone.report("not sent either");
    phone
}

#[test]
fn at_the_next_contact_it_hands_over_what_was_not_sent_and_is_wiped() {
    for task in ["sync", "push", "pull"] {
        let phone = with_unsent_work();
        phone.server.revoke(false);
        assert_eq!(phone.on_device(), 2, "without contact nothing happens");
        let (code, answer) = phone.run(&[task]);
        assert_eq!(code, exit::ATTENTION, "{task}: {answer}");
        let told = answer["message"].as_str().unwrap();
        assert!(told.contains("2 commands that had not been sent"), "{told}");
        assert!(told.contains("0 commands and 1 photos could not"), "{told}");
        let offered = phone.server.offered();
        assert_eq!(offered.len(), 1, "{task}");
        let seqs: Vec<i64> = offered[0]
            .commands
            .iter()
            .map(|command| command.seq)
            .collect();
        assert_eq!((seqs, offered[0].photos.len()), (vec![2, 3], 1));
        assert_eq!(phone.server.accepted().len(), 1, "none of it was pushed");
        assert_eq!(files_of(&phone), LEFT);
        assert_eq!(std::fs::read_dir(phone.keys.path()).unwrap().count(), 0);
        // What became of it is said again to whoever looks later.
        let told = phone.told_in_chinese(&["status"]);
        assert!(told.contains("此设备已被注销"), "{told}");
        assert!(told.contains("未送达的 2 条操作已交服务器"), "{told}");
        assert_eq!(phone.enroll("li").0, exit::DONE, "a new install may begin");
    }
}

#[test]
fn one_that_was_away_longer_than_its_session_lasts_hands_over_and_is_wiped_too() {
    let phone = with_unsent_work();
    phone.server.revoke_long_ago();
    let (code, answer) = phone.run(&["sync"]);
    assert_eq!(code, exit::ATTENTION, "{answer}");
    let told = answer["message"].as_str().unwrap();
    assert!(told.contains("2 commands that had not been sent"), "{told}");
    let offered: Vec<usize> = phone
        .server
        .offered()
        .iter()
        .map(|o| o.commands.len())
        .collect();
    assert_eq!(offered, [0, 2]);
    // A server notes photos with the first offer of all.
    assert_eq!(phone.server.offered()[0].photos.len(), 1);
    assert_eq!(files_of(&phone), LEFT);
}

/// A sign-in that has expired says nothing of the device: it keeps its work, and waits for its person.
#[test]
fn one_that_is_not_revoked_keeps_its_work_when_its_session_is_over() {
    let phone = with_unsent_work();
    let files = files_of(&phone);
    for _ in 0..3 {
        phone.server.mishap(Mishap::ExpiredToken);
    }
    let (code, answer) = phone.run(&["sync"]);
    assert_ne!(code, exit::DONE, "{answer}");
    assert_eq!((phone.on_device(), files_of(&phone)), (2, files));
}

#[test]
fn a_stolen_one_is_wiped_without_its_work_being_taken() {
    let phone = with_unsent_work();
    phone.server.revoke(true);
    let (code, answer) = phone.run(&["sync"]);
    assert_eq!(code, exit::ATTENTION);
    let told = answer["message"].as_str().unwrap();
    assert!(
        told.contains("takes nothing of it") && told.contains("2 commands and 1"),
        "{told}"
    );
    assert!(phone.server.offered().is_empty());
    assert_eq!(files_of(&phone), LEFT);
    assert!(phone.told_in_chinese(&["sync"]).contains("设备已报失"));
}

#[test]
fn while_the_offer_does_not_get_through_the_queue_stays_and_the_replica_goes() {
    for mishap in [
        Mishap::Refuse,
        Mishap::Portal,
        Mishap::BadGateway,
        Mishap::Truncated,
    ] {
        let phone = with_unsent_work();
        let other = replica::hazard(
            1,
            3,
            3,
            vec![replica::reported(1, "grid", &serde_json::json!({}))],
        );
        replica::hold(&phone, vec![other]);
        let shown = || phone.run(&["list"]).1.as_array().unwrap().len();
        let before = shown();
        phone.server.revoke(false);
        phone.server.mishap(Mishap::None);
        phone.server.mishap(mishap);
        let (code, answer) = phone.run(&["push"]);
        assert_ne!(code, exit::DONE, "{mishap:?} {answer}");
        let told = answer["message"].as_str().unwrap();
        assert!(told.contains("2 commands wait"), "{mishap:?} {told}");
        assert_eq!(phone.on_device(), 2, "{mishap:?}");
        assert_eq!(
            shown(),
            before - 1,
            "{mishap:?}: what the server had told is gone"
        );
        let (code, answer) = phone.run(&["push"]);
        assert_eq!(code, exit::ATTENTION, "{mishap:?} {answer}");
        assert_eq!(files_of(&phone), LEFT, "{mishap:?}");
    }
}

#[test]
fn a_phone_put_back_from_a_backup_after_its_revocation_has_no_key_and_shows_nothing() {
    let phone = with_unsent_work();
    let backup = tempfile::tempdir().unwrap();
    people::copy_home(phone.home.path(), backup.path());
    phone.server.revoke(false);
    assert_eq!(phone.run(&["sync"]).0, exit::ATTENTION);
    for profile in std::fs::read_dir(phone.home.path()).unwrap().flatten() {
        drop(std::fs::remove_file(profile.path().join("wiped.json")));
    }
    people::copy_home(backup.path(), phone.home.path());
    let (code, answer) = phone.run(&["queue"]);
    assert_eq!(code, exit::ATTENTION, "{answer}");
    assert!(answer["error"].as_str().unwrap().contains("has no key"));
}

/// Sent: one report. Not sent: one that the server will find too long, with two behind it.
fn with_a_long_one_in_front() -> Phone {
    let phone = Phone::enrolled();
    phone.report("sent");
    assert_eq!(phone.run(&["sync"]).0, exit::DONE);
    phone.report(&format!("too long {}", "长".repeat(400)));
    phone.report("behind it");
    phone.report("and behind that");
    phone.server.limit_payloads(900);
    phone
}

#[test]
fn what_is_larger_than_the_server_takes_keeps_nothing_back_and_is_not_lost() {
    let phone = with_a_long_one_in_front();
    phone.server.revoke(false);
    let (code, answer) = phone.run(&["sync"]);
    assert_eq!(code, exit::ATTENTION, "{answer}");
    let told = answer["message"].as_str().unwrap();
    assert!(told.contains("1 commands are larger"), "{told}");
    let report = || "report".to_owned();
    assert_eq!(phone.server.keeps(), [(report(), 2), (report(), 3)]);
    // It is there whole, for whoever makes a file of it.
    let kept = &answer["kept"][0]["command"]["description"];
    assert!(
        kept.as_str().unwrap().starts_with("too long 长"),
        "{answer}"
    );
    assert_eq!(phone.on_device(), 1);
    let told = phone.told_in_chinese(&["push"]);
    assert!(
        told.contains("1 条操作因超过") && told.contains("sync --json"),
        "{told}"
    );
    // Once the server takes it, it goes, and then everything.
    phone.server.limit_payloads(90_000);
    let (code, answer) = phone.run(&["sync"]);
    assert_eq!(code, exit::ATTENTION, "{answer}");
    assert_eq!(phone.server.keeps().len(), 3);
    assert_eq!(answer["wiped"]["handed_over"], 3, "{answer}");
    assert_eq!(answer["wiped"]["commands_lost"], 0, "{answer}");
    assert_eq!(files_of(&phone), LEFT);
}

#[test]
fn its_author_may_let_go_of_what_the_server_never_takes() {
    let phone = with_a_long_one_in_front();
    phone.server.revoke(false);
    phone.run(&["sync"]);
    assert_eq!(phone.run(&["wipe"]).0, exit::ATTENTION, "not by itself");
    assert_eq!(phone.run(&["wipe", "--lose", "1"]).0, exit::DONE);
}

#[test]
fn what_was_set_aside_for_its_size_before_is_handed_over_itself_once_that_goes() {
    let phone = with_a_long_one_in_front();
    assert_eq!(phone.run(&["push"]).0, exit::ATTENTION, "set aside");
    phone.server.limit_payloads(90_000);
    phone.server.revoke(false);
    let (_, answer) = phone.run(&["sync"]);
    assert_eq!(answer["wiped"]["commands_lost"], 0, "{answer}");
    assert_eq!(phone.server.keeps(), [("report".to_owned(), 5)]);
    assert_eq!(files_of(&phone), LEFT);
}

#[test]
fn a_restored_server_that_wants_what_is_gone_here_is_given_what_is_left() {
    let phone = Phone::enrolled();
    for text in ["first", "second", "third"] {
        phone.report(text);
    }
    assert_eq!(phone.run(&["sync"]).0, exit::DONE);
    phone.report("not sent");
    // What had its receipt long ago is gone from the phone, and from the server with what it had since its backup.
    replica::forget_commands(&phone, &[1, 2]);
    phone.server.forget_from(1);
    phone.server.revoke(false);
    let (code, answer) = phone.run(&["sync"]);
    assert_eq!(code, exit::ATTENTION, "{answer}");
    assert_eq!(answer["wiped"]["handed_over"], 2, "{answer}");
    assert_eq!(answer["wiped"]["commands_lost"], 0, "{answer}");
    assert_eq!(phone.server.keeps().len(), 2);
    assert_eq!(files_of(&phone), LEFT);
}

#[test]
fn what_another_copy_of_the_phone_has_used_the_place_of_is_handed_over_behind_it() {
    let phone = with_unsent_work();
    phone.server.used_by_another_copy(2);
    phone.server.revoke(false);
    let (_, answer) = phone.run(&["sync"]);
    assert_eq!(answer["wiped"]["handed_over"], 2, "{answer}");
    let places: Vec<i64> = phone.server.keeps().iter().map(|(_, seq)| *seq).collect();
    assert_eq!(places, [3, 4]);
}

#[test]
fn an_answer_that_settles_nothing_is_no_reason_to_let_go_of_anything() {
    let phone = with_unsent_work();
    phone.server.revoke(false);
    phone.server.settle_no_offer(true);
    let (code, answer) = phone.run(&["sync"]);
    assert_eq!(code, exit::UNREACHABLE, "{answer}");
    assert_eq!(phone.on_device(), 2);
    phone.server.settle_no_offer(false);
    phone.run(&["sync"]);
    assert_eq!(files_of(&phone), LEFT);
}

/// Whatever asks the server hears it; nobody has to sync for the phone to be rid of its work.
#[test]
fn desk_work_and_a_new_enrolment_hand_over_and_wipe_too() {
    let person = "00000000-0000-0000-0000-000000000007";
    let hand_over = [
        "hand-over",
        "--from",
        person,
        "--to",
        person,
        "--reason",
        "a",
    ];
    for words in [
        &["find"][..],
        &["unclaimed"],
        &["hand-overs"],
        &hand_over,
        &["enroll"],
    ] {
        let phone = with_unsent_work();
        phone.server.revoke(false);
        let (code, answer) = match words {
            ["enroll"] => phone.enroll("li"),
            _ => phone.run(words),
        };
        assert_eq!(code, exit::ATTENTION, "{words:?}: {answer}");
        let told = answer["message"].as_str().unwrap();
        assert!(
            told.contains("2 commands that had not been sent"),
            "{words:?}: {told}"
        );
        assert_eq!(phone.server.keeps().len(), 2, "{words:?}");
        assert_eq!(files_of(&phone), LEFT, "{words:?}");
        assert_eq!(phone.enroll("li").0, exit::DONE, "{words:?}: a new install");
    }
}
