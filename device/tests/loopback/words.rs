//! What a person finds, is shown and is told.

use super::*;

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

#[test]
fn the_list_is_searched_without_a_network() {
    let phone = Phone::enrolled();
    let dusty = phone.report("２#除尘器灰斗积尘，未装泄爆片");
    phone.report("配电箱无门");
    let found = |text: &str| {
        let (code, list) = phone.run(&["list", "--search", text]);
        assert_eq!(code, exit::DONE);
        let ids = list
            .as_array()
            .unwrap()
            .iter()
            .map(|hazard| hazard["id"].clone());
        ids.collect::<Vec<_>>()
    };
    for text in ["积尘", "泄爆 除尘器", "2", "HZ"] {
        assert!(found(text).contains(&serde_json::json!(dusty)), "{text}");
    }
    assert_eq!(found("积尘").len(), 1);
    assert!(found("积尘 配电箱").is_empty());
}

#[test]
fn an_empty_list_says_why_it_is_empty() {
    let phone = Phone::enrolled();
    assert!(phone.shown_in_chinese(&["list"]).contains("本机没有隐患"));
    phone.report("配电箱无门");
    let searched = phone.shown_in_chinese(&["list", "--search", "积尘"]);
    assert!(searched.contains("没有相符的隐患"), "{searched}");
}

#[test]
fn what_goes_wrong_is_told_in_chinese_too() {
    let phone = Phone::new();
    assert!(phone.told_in_chinese(&["status"]).contains("尚无人登记"));
    assert!(phone.told_in_chinese(&["enroll"]).contains("需要"));
    assert_eq!(phone.enroll("li").0, exit::DONE);
    let unknown = phone.told_in_chinese(&["show", "HZ-990101"]);
    assert!(unknown.contains("本机没有这条隐患"), "{unknown}");
    let bare = phone.told_in_chinese(&["report", "--text", "a", "--place", "b"]);
    assert!(bare.contains("请附照片，或用 --no-photo-reason"), "{bare}");
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
