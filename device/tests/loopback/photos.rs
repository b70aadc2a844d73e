//! Photos: in chunks, resumed after a cut, all or none, given up and taken up again.

use super::*;

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

/// A phone with one photo whose copy here is damaged, and the photo's hash and file.
fn damaged() -> (Phone, String, String) {
    let phone = Phone::enrolled();
    let file = phone.jpeg("a.jpg", 1_000);
    let line = ["report", "--text", "a", "--place", "b", "--photo", &file];
    assert_eq!(phone.run(&line).0, exit::DONE);
    let (_, list) = phone.run(&["photo", "list"]);
    let sha256 = list[0]["sha256"].as_str().unwrap().to_owned();
    std::fs::write(copy_of(&phone, &sha256), "damaged").unwrap();
    (phone, sha256, file)
}

fn copy_of(phone: &Phone, sha256: &str) -> std::path::PathBuf {
    let (profile, key) = phone.unlocked();
    let sha256: hazardloop_domain::hash::Digest = sha256.parse().unwrap();
    let name = key.name(&[b"photo", sha256.as_bytes()]);
    let hex: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
    let copy = profile.dir.join("photos").join(hex);
    assert!(copy.exists());
    copy
}

#[test]
fn a_damaged_photo_is_named_and_can_be_given_up_and_taken_up_again() {
    let (phone, sha256, file) = damaged();
    let (code, _) = phone.run(&["sync"]);
    assert_eq!(code, exit::ATTENTION);
    assert!(
        phone.server.uploaded().is_empty(),
        "no damaged byte is sent"
    );
    let (code, answer) = phone.run(&["photo", "give-up", &sha256[..8], "--reason", "card broke"]);
    assert_eq!(code, exit::DONE, "{answer}");
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .contains("records it as lost")
    );
    let (_, list) = phone.run(&["photo", "list"]);
    assert_eq!(list[0]["stage"], "given_up");
    assert_eq!(list[0]["reason"], "card broke");
    assert!(copy_of(&phone, &sha256).exists(), "nothing is deleted");
    assert_eq!(phone.run(&["status"]).1["photos_on_device"], 0);
    assert_eq!(
        phone.run(&["sync"]).0,
        exit::DONE,
        "and nobody is told again"
    );
    // Only the same photo brings it back.
    let other = phone.jpeg("other.jpg", 2_000);
    let retry = |file: &str| phone.run(&["photo", "retry", &sha256, "--file", file]).0;
    assert_eq!(phone.run(&["photo", "retry", &sha256]).0, exit::ATTENTION);
    assert_eq!(retry(&other), exit::USAGE);
    assert_eq!(retry(&file), exit::DONE);
    assert_eq!(phone.run(&["sync"]).0, exit::DONE);
    assert_eq!(phone.server.uploaded(), std::fs::read(&file).unwrap());
}

#[test]
fn bytes_go_only_when_that_is_said() {
    let (phone, sha256, _) = damaged();
    let copy = copy_of(&phone, &sha256);
    let nameless = ["photo", "give-up", &sha256, "--reason", " ", "--delete"];
    assert_eq!(phone.run(&nameless).0, exit::USAGE);
    assert!(copy.exists());
    let line = ["photo", "give-up", &sha256, "--reason", "x", "--delete"];
    assert_eq!(phone.run(&line).0, exit::DONE);
    assert!(!copy.exists());
    assert_eq!(phone.run(&["photo", "list"]).1, serde_json::json!([]));
    assert_eq!(phone.run(&["photo", "retry", &sha256]).0, exit::USAGE);
}

#[test]
fn a_decision_about_a_photo_waits_for_the_sync_under_way() {
    let (phone, sha256, _) = damaged();
    let (has_come, go) = phone.server.hang();
    std::thread::scope(|scope| {
        let sync = scope.spawn(|| phone.run(&["sync"]));
        has_come.recv().unwrap();
        let line = ["photo", "give-up", &sha256, "--reason", "x"];
        let (code, answer) = phone.run(&line);
        go.send(()).unwrap();
        assert_eq!(code, exit::UNREACHABLE, "{answer}");
        sync.join().unwrap();
    });
    let line = ["photo", "give-up", &sha256, "--reason", "x"];
    assert_eq!(phone.run(&line).0, exit::DONE);
}
