//! What is shown before anything is sent, and the photos, documents and clips that go with a hazard.

use hazardloop_domain::command::PhotoKind;
use serde_json::{Value, json};

use super::lifecycle::{ELSEWHERE, queued};
use super::*;

/// A general hazard of one's own enterprise, with one photo, confirmed to be corrected within ten
/// working days.
fn confirmed(phone: &Phone) -> String {
    let before = phone.jpeg("before.jpg", 40);
    let line = [
        "report",
        "--text",
        "配电箱无门",
        "--place",
        "一号车间",
        "--photo",
        &before,
        "--domain",
        "fire",
        "--category",
        "电气",
    ];
    let (code, answer) = phone.run(&line);
    assert_eq!(code, exit::DONE, "{answer}");
    let id = answer["hazard_id"].as_str().unwrap().to_owned();
    let line = [
        "confirm",
        &id,
        "--responsible",
        "王强",
        "--requirement",
        "装门",
        "--within",
        "10wd",
    ];
    let (code, answer) = phone.run(&line);
    assert_eq!(code, exit::DONE, "{answer}");
    id
}

#[test]
fn show_tells_what_lies_over_the_main_line_before_anything_is_sent() {
    let phone = Phone::enrolled();
    let id = confirmed(&phone);
    let line = [
        "plan",
        &id,
        "--leader",
        "赵建国",
        "--responsible",
        "王强",
        "--interim",
        "停电",
        "--permanent",
        "换箱",
        "--funds-fen",
        "0",
        "--funds-source",
        "自筹",
        "--due",
        "2026-12-01",
        "--contingency",
        "撤离",
    ];
    assert_eq!(phone.run(&line).0, exit::DONE);
    let line = [
        "extend",
        &id,
        "--until",
        "2026-12-10",
        "--reason",
        "缺货",
        "--controls",
        "停电",
    ];
    assert_eq!(phone.run(&line).0, exit::DONE);
    let (_, shown) = phone.run(&["show", &id]);
    let hazard = &shown["hazard"];
    assert_eq!(
        hazard["nature"],
        json!({ "domain": "fire", "category": "电气" })
    );
    assert_eq!(hazard["plan"]["plan"]["leader"]["name"], "赵建国");
    assert_eq!(hazard["extensions"][0]["request"]["reason"], "缺货");
    assert_eq!(hazard["status"]["name"], "rectifying");
    assert_eq!(hazard["status"]["order"]["deadline"]["days"], 10);
    let (_, list) = phone.run(&["list"]);
    assert_eq!(list[0]["listed"], false);
    assert_eq!(list[0]["waits_for_second"], false);
    // Whoever asked does not decide; and the refusal is told in Chinese.
    let own = ["decide", &id, "extension", "--yes", "--opinion", "同意"];
    assert_eq!(phone.run(&own).0, exit::REFUSED);
    let told = phone.told_in_chinese(&own);
    assert!(told.contains("申请人不能自己审批"), "{told}");
    let late = [
        "extend",
        &id,
        "--until",
        "2026-12-20",
        "--reason",
        "a",
        "--controls",
        "b",
    ];
    let told = phone.told_in_chinese(&late);
    assert!(told.contains("已有延期申请待审批"), "{told}");
}

#[test]
fn photos_before_and_after_are_paired_where_that_is_plain() {
    let phone = Phone::enrolled();
    let id = confirmed(&phone);
    let after = phone.jpeg("after.jpg", 50);
    let plain = ["fix", &id, "--measures", "已装门", "--photo", &after];
    let (code, answer) = phone.run(&plain);
    assert_eq!(code, exit::DONE, "{answer}");
    let (_, shown) = phone.run(&["show", &id]);
    let photos = &shown["hazard"]["photos"];
    let pair = json!({ "before": photos[0]["reference"]["sha256"],
        "after": photos[1]["reference"]["sha256"] });
    assert_eq!(answer["paired"], json!([pair]));
    let submission = &shown["hazard"]["status"]["submission"];
    assert_eq!(submission["pairs"], json!([pair]));
    // Of one before and two after nobody can tell; then it is named.
    let phone = Phone::enrolled();
    let id = confirmed(&phone);
    let (after, more) = (phone.jpeg("after.jpg", 50), phone.jpeg("more.jpg", 60));
    let line = ["fix", &id, "--measures", "a", "--photo", &after, &more];
    let named = format!("1={after}");
    let accepted = ["--accepted-by", "赵建国", "王强", "--acceptance", "合格"];
    let line = [&line[..], &["--pair", &named], &accepted].concat();
    let (code, answer) = phone.run(&line);
    assert_eq!(code, exit::DONE, "{answer}");
    assert_eq!(answer["paired"], Value::Null, "nothing was made up");
    let (_, shown) = phone.run(&["show", &id]);
    let submission = &shown["hazard"]["status"]["submission"];
    assert_eq!(submission["pairs"].as_array().unwrap().len(), 1);
    assert_eq!(
        submission["self_acceptance"],
        json!({ "accepted_by": ["赵建国", "王强"], "opinion": "合格",
            "accepted_on": "2026-11-22" })
    );
}

#[test]
fn what_was_fixed_on_the_spot_is_one_report() {
    let phone = Phone::enrolled();
    let (before, after) = (phone.jpeg("before.jpg", 40), phone.jpeg("after.jpg", 50));
    let line = [
        "report",
        "--text",
        "通道堆物",
        "--place",
        "b",
        "--photo",
        &before,
        "--fixed-on-spot",
        "--fixed-photo",
        &after,
        "--fixed-measures",
        "清走",
        "--fixed-by",
        "王强",
        "--recurrence-of",
        ELSEWHERE,
    ];
    let sent = queued(&phone, &line);
    let report = &sent[0];
    assert_eq!(report["fixed_on_spot"]["measures"], "清走");
    assert_eq!(report["recurrence_of"], ELSEWHERE);
    assert_eq!(report["photos"][1]["kind"], json!(PhotoKind::After));
    let major = [&line[..], &["--major"]].concat();
    assert_eq!(phone.run(&major).0, exit::REFUSED, "general hazards only");
}

#[test]
fn documents_and_clips_go_with_a_hazard() {
    let phone = Phone::enrolled();
    let file = |name: &str, bytes: &[u8]| {
        let path = phone.home.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let minutes = file("minutes.jpg", b"%PDF-1.7\nstartxref\n0\n%%EOF");
    let clip = file("clip.mp4", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom");
    let line = ["attach", ELSEWHERE, "--photo", &minutes, &clip];
    let sent = queued(&phone, &line);
    assert_eq!(sent[0]["photo"]["media_type"], "application/pdf");
    assert_eq!(sent[0]["photo"]["kind"], "document");
    assert_eq!(sent[1]["photo"]["media_type"], "video/mp4");
    assert_eq!(sent[1]["photo"]["kind"], "scene");
}
