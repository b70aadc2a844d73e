//! A command that is too large: for the server itself, and for something on the way.

use super::*;

fn long(phone: &Phone, text: &str) {
    phone.report(&format!("{text} {}", "长".repeat(400)));
}

#[test]
fn one_command_too_large_for_the_server_is_set_aside_whole_and_the_rest_goes_on() {
    let phone = Phone::enrolled();
    phone.server.limit_payloads(900);
    long(&phone, "too long");
    phone.report("behind it");
    let (code, answer) = phone.run(&["push"]);
    assert_eq!(code, exit::ATTENTION, "{answer}");
    assert_eq!(answer["needs_attention"], serde_json::json!([1]));
    assert_eq!(phone.server.batches(), [2, 1, 1, 1]);
    let (_, queue) = phone.run(&["queue"]);
    assert_eq!(queue["arrived"][0]["seq"], 2);
    let kept = &queue["needs_attention"][0];
    assert_eq!((&kept["seq"], &kept["kind"]), (&1.into(), &"report".into()));
    let text = kept["command"]["description"].as_str().unwrap();
    assert!(text.starts_with("too long 长"), "{kept}");
    assert!(kept["reason"].as_str().unwrap().contains("shorter pieces"));
    assert_eq!(phone.on_device(), 0);
    let accepted = phone.server.accepted();
    assert_eq!(accepted[0].kind, "placeholder");
    assert_eq!(accepted[1].kind, "report");
    assert_eq!(phone.run(&["push"]).0, exit::DONE, "told once");
    assert_eq!(phone.run(&["status"]).1["needs_attention"], 1);
}

#[test]
fn what_a_proxy_will_not_let_through_is_named_kept_and_not_hammered() {
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
    // All of them are nowhere else.
    let (code, answer) = phone.run(&["wipe"]);
    assert_eq!(code, exit::ATTENTION, "{answer}");
    let why = answer["error"].as_str().unwrap();
    assert!(why.contains("3 commands"), "{why}");
    // Once it lets through, all of it arrives.
    assert_eq!(phone.run(&["push"]).0, exit::DONE);
    assert_eq!(phone.server.accepted().len(), 3);
    assert!(phone.server.accepted().iter().all(|c| c.kind == "report"));
    assert_eq!(phone.run(&["status"]).1["needs_attention"], 0);
}

#[test]
fn what_no_server_may_take_is_refused_before_it_is_queued() {
    let phone = Phone::enrolled();
    let id = phone.report("a");
    let path = phone.home.path().join("long.txt");
    std::fs::write(&path, "长".repeat(30_000)).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let (code, answer) = phone.run(&["note", &id, "--text", &text]);
    assert_eq!(code, exit::REFUSED, "{answer}");
    assert_eq!(phone.on_device(), 1);
}
