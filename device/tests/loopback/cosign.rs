//! Two people, one hazard, no network: texts between two phones, and a PIN on one.

use hazardloop_domain::ids::PersonId;
use hazardloop_sync_protocol::wire::{CommandPayload, Opened};
use serde_json::Value;
use uuid::Uuid;

use super::*;

/// Li's phone, and Wang's at the same server.
struct Two {
    li: Phone,
    wang: Phone,
    hazard: String,
}

impl Two {
    fn enrolled() -> Self {
        let (li, wang) = (Phone::enrolled(), Phone::new());
        let (code, _) = wang.run(&[
            "enroll",
            "--server",
            &li.server.address(),
            "--user",
            "wang",
            "--password",
            "secret",
        ]);
        assert_eq!(code, exit::DONE);
        let hazard = li.report("dust");
        Self { li, wang, hazard }
    }

    fn file(&self, name: &str) -> String {
        let path = self.li.home.path().join(name);
        path.to_str().unwrap().to_owned()
    }

    fn written(&self, name: &str, text: &str) -> String {
        let path = self.file(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn note(&self, text: &str, more: &[&str]) -> (u8, Value) {
        let words = ["note", &self.hazard, "--text", text];
        self.li.run(&[&words, more].concat())
    }

    /// What another phone is asked to sign.
    fn draft(&self, text: &str, name: &str) -> String {
        let (code, answer) = self.note(text, &["--draft", &self.file(name)]);
        assert_eq!(code, exit::DONE, "{answer}");
        answer["text"].as_str().unwrap().to_owned()
    }

    fn signed(&self, text: &str) -> String {
        let (code, answer) = self.wang.run(&["cosign", "sign", text, "--yes"]);
        assert_eq!(code, exit::DONE, "{answer}");
        answer["answer"].as_str().unwrap().to_owned()
    }

    /// The last command that the server got, beside what the phones say of each other.
    fn pushed(&self) -> Opened {
        assert_eq!(self.li.run(&["push"]).0, exit::DONE);
        let mut sent = self.li.server.accepted();
        sent.retain(|envelope| envelope.kind != "witness");
        let envelope = sent.pop().unwrap();
        CommandPayload::open(&envelope.kind, envelope.version, &envelope.payload.0, 16).unwrap()
    }
}

#[test]
fn a_second_phone_signs_a_draft_by_texts_alone() {
    let two = Two::enrolled();
    let before = two.li.on_device();
    let asked = two.draft("both were there", "draft");
    assert_eq!(two.li.on_device(), before, "a draft is not queued");
    let (_, signed) = two.wang.run(&["cosign", "sign", &asked, "--yes"]);
    let says = signed["says"].to_string();
    assert!(
        says.contains("both were there") && says.contains("note"),
        "{says}"
    );
    let answer = signed["answer"].as_str().unwrap();
    let file = two.file("draft");
    let (code, shown) = two.li.run(&["cosign", "show", &file]);
    assert_eq!(
        (code, shown["text"].as_str()),
        (exit::DONE, Some(asked.as_str()))
    );
    let (code, queued) = two
        .li
        .run(&["cosign", "queue", &file, "--co-signature", answer]);
    assert_eq!(code, exit::DONE, "{queued}");
    let opened = two.pushed();
    let by = &opened.co_signatures[0];
    assert_eq!(by.person_id, PersonId(Uuid::from_u128(3)));
    let (_, status) = two.wang.run(&["status"]);
    assert_eq!(
        by.key_id.to_string(),
        status["install_id"].as_str().unwrap()
    );
    let (profile, data_key) = two.wang.unlocked();
    let install = by.key_id.to_string().parse().unwrap();
    let public = profile.key(install, &data_key).unwrap().verifying_key();
    assert!(opened.statement.fits(public.as_bytes(), by));
}

#[test]
fn the_step_itself_takes_the_answer_and_another_step_does_not() {
    let two = Two::enrolled();
    let answer = two.signed(&two.draft("one", "draft"));
    let before = two.li.on_device();
    let (code, refused) = two.note("two", &["--co-signature", &answer]);
    assert_eq!(code, exit::USAGE, "{refused}");
    assert!(
        refused["error"]
            .as_str()
            .unwrap()
            .contains("something else")
    );
    assert_eq!(two.li.on_device(), before, "nothing was queued");
    assert_eq!(two.note("one", &["--co-signature", &answer]).0, exit::DONE);
    let twice = ["--co-signature", &answer, "--co-signature", &answer];
    assert_eq!(
        two.note("one", &twice).0,
        exit::REFUSED,
        "one person signs once"
    );
}

#[test]
fn what_is_not_for_this_signer_is_not_signed() {
    let two = Two::enrolled();
    let asked = two.draft("both were there", "draft");
    let elsewhere = Phone::enrolled();
    let refused = |phone: &Phone, text: &str| {
        let (code, answer) = phone.run(&["cosign", "sign", text, "--yes"]);
        assert_eq!(code, exit::USAGE, "{answer}");
        answer["error"].as_str().unwrap().to_owned()
    };
    assert!(refused(&elsewhere, &asked).contains("another server"));
    assert!(refused(&two.li, &asked).contains("your own act"));
    assert!(refused(&two.wang, &asked[..asked.len() - 7]).contains("damaged"));
    assert!(refused(&two.wang, "https://example.org").contains("hlq1."));
    assert!(refused(&two.wang, &"hlq1.A".repeat(9_000)).contains("more than 16384"));
    let zh = two
        .wang
        .told_in_chinese(&["cosign", "sign", "hlq1.AA", "--yes"]);
    assert!(zh.contains("损坏"), "{zh}");
    let (code, again) = two.note("other", &["--draft", &two.file("draft")]);
    assert_eq!(code, exit::USAGE, "a draft is not overwritten: {again}");
    let file = two.file("draft");
    assert_eq!(
        two.li.run(&["cosign", "queue", &file]).0,
        exit::USAGE,
        "unsigned"
    );
    assert_eq!(two.li.run(&["list", "--second", "wang"]).0, exit::USAGE);
}

#[test]
fn somebody_without_a_phone_signs_with_a_pin() {
    let two = Two::enrolled();
    let password = two.written("password", "secret\n");
    let pin = two.written("pin", "271828\n");
    let short = two.written("short", "2718\n");
    let wrong = two.written("wrong", "314159\n");
    let add = |login: &str, pin: &str| {
        let words = [
            "pin-key",
            "add",
            login,
            "--password-file",
            &password,
            "--pin-file",
            pin,
        ];
        two.li.run(&words)
    };
    assert_eq!(add("wang", &short).0, exit::USAGE);
    assert_eq!(
        add("li", &pin).0,
        exit::USAGE,
        "one's own phone needs no PIN"
    );
    assert!(two.li.server.keys().is_empty());
    let (code, added) = add("wang", &pin);
    assert_eq!(code, exit::DONE, "{added}");
    let registered = &two.li.server.keys()[0];
    assert_eq!(registered["id"], added["key_id"]);
    let (_, listed) = two.li.run(&["pin-key", "list"]);
    assert_eq!(
        (&listed[0]["login"], &listed[0]["usable"]),
        (&"wang".into(), &true.into())
    );
    let with = |pin: &str| two.note("with a PIN", &["--second", "wang", "--pin-file", pin]);
    let before = two.li.on_device();
    let (code, refused) = with(&wrong);
    assert_eq!(code, exit::USAGE);
    assert!(
        refused["error"].as_str().unwrap().contains("9 attempts"),
        "{refused}"
    );
    assert_eq!(two.li.on_device(), before);
    let (code, queued) = with(&pin);
    assert_eq!(code, exit::DONE, "{queued}");
    let opened = two.pushed();
    assert_eq!(
        opened.co_signatures[0].person_id,
        PersonId(Uuid::from_u128(3))
    );
    let (code, again) = add("wang", &pin);
    assert_eq!(code, exit::DONE);
    assert_ne!(again["key_id"], added["key_id"]);
    let revoked = two.li.server.keys_revoked();
    assert!(
        revoked[0].ends_with(added["key_id"].as_str().unwrap()),
        "{revoked:?}"
    );
    assert_eq!(two.li.run(&["pin-key", "remove", "wang"]).0, exit::DONE);
    assert_eq!(with(&pin).0, exit::USAGE);
}
