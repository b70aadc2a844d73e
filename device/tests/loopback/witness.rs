//! Two phones without network witness each other, and people are told what proves when something was made.

use hazardloop_sync_protocol::wire::Witness;
use hazardloop_sync_protocol::witness::ShownHead;

use super::*;

fn enrolled_beside(li: &Phone, login: &str) -> Phone {
    let phone = Phone::new();
    let (code, _) = phone.enroll_at(&li.server.address(), login);
    assert_eq!(code, exit::DONE);
    phone
}

fn shown(phone: &Phone) -> String {
    let (code, answer) = phone.run(&["witness", "show"]);
    assert_eq!(code, exit::DONE, "{answer}");
    answer["text"].as_str().unwrap().to_owned()
}

#[test]
fn a_phone_takes_another_ones_head_once_and_sends_it() {
    let li = Phone::enrolled();
    let wang = enrolled_beside(&li, "wang");
    let (code, nothing) = wang.run(&["witness", "show"]);
    assert_eq!(code, exit::USAGE, "{nothing}");
    li.report("dust");
    let text = shown(&li);
    let (code, taken) = wang.run(&["witness", "take", &text]);
    assert_eq!(code, exit::DONE, "{taken}");
    assert_eq!(taken["seqs"][0], 1);
    assert_eq!(taken["witnessed"]["seq"], 1);
    // Once is enough, and nobody witnesses themselves.
    for (phone, text) in [(&wang, &text), (&li, &text)] {
        let before = phone.on_device();
        assert_eq!(phone.run(&["witness", "take", text]).0, exit::USAGE);
        assert_eq!(phone.on_device(), before);
    }
    let mut elsewhere = ShownHead::from_text(&text).unwrap();
    elsewhere.server = "https://another.example".to_owned();
    elsewhere.epoch = Some("another".to_owned());
    let (code, refused) = wang.run(&["witness", "take", &elsewhere.to_text()]);
    assert_eq!(code, exit::USAGE);
    assert!(
        refused["error"]
            .as_str()
            .unwrap()
            .contains("another server")
    );
    assert_eq!(wang.run(&["push"]).0, exit::DONE);
    let sent = li.server.accepted().pop().unwrap();
    assert_eq!(sent.kind, "witness");
    let said = Witness::open(sent.version, &sent.payload.0, 16).unwrap();
    assert_eq!(said.head, ShownHead::from_text(&text).unwrap().head.head);
}

#[test]
fn what_proves_a_time_is_shown_in_both_languages() {
    let li = Phone::enrolled();
    let hazard = li.report("dust");
    let level = || {
        let (_, shown) = li.run(&["show", &hazard]);
        shown["time_proofs"][0]["time_proof"]["level"].clone()
    };
    assert_eq!(level(), "claimed");
    for (lang, words) in [("zh", "尚无证明"), ("en", "nothing proves it yet")] {
        let (_, said) = li.call(&["--lang", lang, "show", &hazard]);
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(li.run(&["sync"]).0, exit::DONE);
    assert_eq!(level(), "received");
    for (lang, words) in [("zh", "已由服务器接收"), ("en", "received by the server")] {
        let (_, said) = li.call(&["--lang", lang, "show", &hazard]);
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn signing_together_carries_the_heads_along() {
    let li = Phone::enrolled();
    let wang = enrolled_beside(&li, "wang");
    let hazard = li.report("dust");
    let draft = li.home.path().join("draft");
    let draft = draft.to_str().unwrap();
    let step = [
        "note",
        &hazard,
        "--text",
        "both were there",
        "--draft",
        draft,
    ];
    let (_, asked) = li.run(&step);
    let asked = asked["text"].as_str().unwrap();
    let (code, signed) = wang.run(&["cosign", "sign", asked, "--yes"]);
    assert_eq!((code, &signed["witnessed"]), (exit::DONE, &true.into()));
    assert_eq!(wang.on_device(), 1, "Li's chain is witnessed");
    let answer = signed["answer"].as_str().unwrap();
    let queue = ["cosign", "queue", draft, "--co-signature", answer];
    assert_eq!(li.run(&queue).0, exit::DONE);
    assert_eq!(li.run(&["push"]).0, exit::DONE);
    let sent = li.server.accepted();
    let kinds: Vec<&str> = sent.iter().map(|sent| sent.kind.as_str()).collect();
    assert_eq!(kinds, ["report", "note", "witness"]);
    let said = Witness::open(1, &sent[2].payload.0, 16).unwrap();
    assert_eq!(said.head.seq, 1, "Wang's chain with Li's head in it");
}
