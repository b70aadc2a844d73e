//! Golden fixtures: bytes that were sent once stay readable and are written the same for ever.

use super::*;
use crate as protocol;
use crate::codec::{decode_strict, encode};
use hazardloop_domain::command::{Action, ActionKind, ClockReading, Command};
use hazardloop_domain::hazard::Hazard;
use minicbor::{Decode, Encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::PathBuf;

#[path = "../../fixtures/samples.rs"]
mod samples;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/v1")
        .join(name)
}

#[track_caller]
fn read(name: &str) -> Vec<u8> {
    let hint = "missing; run the example write_fixtures";
    std::fs::read(file(name)).unwrap_or_else(|_| panic!("fixtures/v1/{name} is {hint}"))
}

#[track_caller]
fn check_message<T>(name: &str) -> T
where
    T: Serialize
        + DeserializeOwned
        + Encode<()>
        + for<'b> Decode<'b, ()>
        + PartialEq
        + std::fmt::Debug,
{
    let cbor = read(&format!("{name}.cbor"));
    let from_cbor: T = decode_strict(&cbor, WireLimits::default().depth).unwrap();
    assert_eq!(encode(&from_cbor), cbor, "{name}.cbor");
    let json = String::from_utf8(read(&format!("{name}.json"))).unwrap();
    let from_json: T = serde_json::from_str(&json).unwrap();
    assert_eq!(from_json, from_cbor, "{name}: the twins say the same");
    assert_eq!(
        serde_json::to_string_pretty(&from_json).unwrap() + "\n",
        json,
        "{name}.json"
    );
    from_cbor
}

#[test]
fn push_messages() {
    check_message::<PushRequest>("push-request");
    check_message::<PushResponse>("push-response");
    check_message::<PushResponse>("push-response-co-signer-revoked");
    let anchored = check_message::<PushResponse>("push-response-anchored");
    assert!(anchored.anchor.is_some());
    let gap = check_message::<PushResponse>("push-response-gap");
    assert_eq!(gap.expected, Some(14));
}

#[test]
fn offer_messages() {
    let offer = check_message::<OfferRequest>("offer-request");
    let key = ed25519_dalek::SigningKey::from_bytes(&samples::KEY_SEED).verifying_key();
    assert!(offer.is_signed_by(key.as_bytes()));
    check_message::<OfferResponse>("offer-response");
}

#[test]
fn pull_messages() {
    check_message::<PullRequest>("pull-request-first");
    check_message::<PullRequest>("pull-request");
    let every = check_message::<PullRequest>("pull-request-scopes");
    assert_eq!(every.scopes.len(), 6);
    check_message::<PullResponse>("pull-response");
    check_message::<PullResponse>("pull-response-windows");
    check_message::<LeanPullResponse>("lean-pull-response-windows");
}

#[test]
fn the_push_fixture_is_signed_and_chained() {
    let push = check_message::<PushRequest>("push-request");
    let key = ed25519_dalek::SigningKey::from_bytes(&samples::KEY_SEED).verifying_key();
    let mut previous = hazardloop_domain::hash::Digest::ZERO;
    for envelope in &push.commands {
        assert!(crate::chain::signature_fits(
            key.as_bytes(),
            push.install_id,
            envelope
        ));
        assert_eq!(envelope.previous, previous);
        previous = crate::chain::link_hash(push.install_id, envelope);
    }
}

#[test]
fn the_lean_fixtures_say_what_the_full_ones_do() {
    let full = check_message::<PushRequest>("push-request");
    let lean = check_message::<LeanPush>("lean-push");
    let again = lean.in_full(full.install_id, hazardloop_domain::hash::Digest::ZERO);
    let commands = again.unwrap().commands;
    let key = ed25519_dalek::SigningKey::from_bytes(&samples::KEY_SEED).verifying_key();
    assert_eq!(commands.last(), full.commands.last());
    let vouched = crate::chain::signed_by_run(key.as_bytes(), full.install_id, &commands);
    assert_eq!(vouched.into_iter().collect::<Vec<_>>(), [1, 2]);
    for (one, other) in commands.iter().zip(&full.commands) {
        assert_eq!(
            (&one.kind, one.seq, one.previous),
            (&other.kind, other.seq, other.previous)
        );
        assert_eq!((one.version, &one.payload), (other.version, &other.payload));
    }
    let asked = check_message::<LeanPull>("lean-pull");
    assert_eq!(Some(asked), LeanPull::of(&samples::holding_two_scopes()));
    let answer = check_message::<LeanPullResponse>("lean-pull-response");
    assert_eq!(answer.in_full(100_000), Ok(samples::eight_hazards()));
}

#[test]
fn the_packed_fixtures_say_what_the_full_ones_do() {
    let none = |_| None;
    let packed = check_message::<PackedPush>("packed-push");
    let lean = packed.unpacked(None, &none, 100_000);
    assert_eq!(lean.ok(), LeanPush::of(&samples::push_request()));
    let packed = check_message::<PackedPush>("packed-push-after");
    assert!(packed.after);
    let before = samples::push_request().commands.pop().unwrap().payload.0;
    let told = samples::time::anchored();
    let anchor = |at| {
        (Some(at) == told.server_anchor)
            .then(|| told.anchor_token.clone())
            .flatten()
    };
    let lean = packed.unpacked(Some(&before), &anchor, 100_000);
    assert_eq!(lean.ok(), LeanPush::of(&samples::anchored_push()));
    let answer = check_message::<PackedPullResponse>("packed-pull-response");
    assert_eq!(answer.in_full(100_000), Ok(samples::eight_hazards()));
}

#[test]
fn the_push_answer_fixture_holds_every_outcome() {
    let answer = check_message::<PushResponse>("push-response");
    let mut seen = std::collections::BTreeSet::new();
    for result in &answer.results {
        seen.insert(match result {
            PushResult::Receipt(receipt) => receipt.outcome.name(),
            PushResult::IdReused { .. } => "id_reused",
        });
    }
    let all = [
        "applied",
        "blocked_by",
        "conflict",
        "id_reused",
        "merged",
        "quarantined",
        "rejected",
    ];
    assert!(seen.iter().eq(all.iter()), "{seen:?}");
}

#[test]
fn the_pull_answer_fixture_holds_page_reset_removal_drop_and_a_readable_hazard() {
    let answer = check_message::<PullResponse>("pull-response");
    let (mut resets, mut removals, mut drops) = (0, 0, 0);
    for ScopeAnswer { update, .. } in &answer.answers {
        match update {
            ScopeUpdate::Page(page) => {
                resets += usize::from(page.reset.is_some());
                removals += page.removals.len();
                for record in &page.records {
                    let hazard: Hazard = decode_strict(&record.body.0, 16).unwrap();
                    assert_eq!(hazard.version, record.version);
                    assert_eq!(encode(&hazard), record.body.0);
                }
            }
            ScopeUpdate::Drop { .. } => drops += 1,
        }
    }
    assert_eq!((resets, removals, drops), (3, 5, 1));
}

#[derive(serde::Deserialize)]
struct CommandTwin {
    made: serde_json::Value,
    #[serde(alias = "hazard_id", alias = "inspection_id")]
    subject_id: hazardloop_domain::ids::SubjectId,
    action: Action,
}

#[test]
fn a_run_in_the_full_form_is_signed_by_its_last_command() {
    let run = check_message::<PushRequest>("push-request-by-run");
    let key = ed25519_dalek::SigningKey::from_bytes(&samples::KEY_SEED).verifying_key();
    let signed = crate::chain::signed_by_run(key.as_bytes(), run.install_id, &run.commands);
    assert_eq!(signed.into_iter().collect::<Vec<_>>(), [1, 2]);
    let lean = check_message::<LeanPush>("lean-push");
    let zero = hazardloop_domain::hash::Digest::ZERO;
    assert_eq!(lean.in_full(run.install_id, zero), Some(run));
}

#[test]
fn the_texts_of_co_signing_read_and_say_what_is_signed() {
    use crate::cosign_text::{SigningAnswer, SigningRequest};
    let text = |name: &str| {
        let json = String::from_utf8(read(&format!("{name}.json"))).unwrap();
        let twin: serde_json::Value = serde_json::from_str(&json).unwrap();
        twin["text"].as_str().unwrap().to_owned()
    };
    let asked = SigningRequest::from_text(&text("signing-request")).unwrap();
    assert_eq!(asked, samples::proofs::asked());
    assert_eq!(encode(&asked), read("signing-request.cbor"));
    let (command, statement) = asked.open().unwrap();
    assert_eq!(command, samples::co_signed().0);
    let answer = SigningAnswer::from_text(&text("signing-answer")).unwrap();
    assert_eq!(encode(&answer), read("signing-answer.cbor"));
    assert!(statement.fits(&answer.public_key.0, &answer.co_signature));
}

#[test]
fn the_bodies_of_records_read_and_are_written_alike() {
    fn check<T: Encode<()> + for<'b> Decode<'b, ()> + PartialEq + std::fmt::Debug>(
        name: &str,
        sample: &T,
    ) {
        let cbor = read(&format!("record-{name}.cbor"));
        let body: T = decode_strict(&cbor, 16).unwrap();
        assert_eq!(&body, sample);
        assert_eq!(encode(&body), cbor, "{name}");
    }
    use samples::records;
    check("enterprise", &records::enterprise());
    check("jurisdiction", &records::jurisdiction());
    check("person", &records::person());
    check("criterion", &records::criterion());
    check("checklist", &records::checklist());
    check("pack", &records::pack());
    check("calendar", &records::calendar());
    check("rule-limits", &records::limits());
    check("inspection", &records::inspection().unwrap());
}

#[test]
fn the_successor_of_the_fixtures_is_the_one_that_devices_compute() {
    let all: serde_json::Value = serde_json::from_slice(&read("proofs.json")).unwrap();
    let key = ed25519_dalek::SigningKey::from_bytes(&samples::KEY_SEED);
    let unsent = crate::device::StoredCommand {
        envelope: samples::push_request().commands.remove(0),
        subject_id: hazardloop_domain::ids::SubjectId(uuid::Uuid::nil()),
        queued_at: hazardloop_domain::time::Timestamp::from_millis(0),
        receipt: None,
        awaiting_pull: false,
        oversize: None,
        earlier: None,
        chosen: None,
    };
    let state = crate::device::State {
        commands: [(1, unsent)].into(),
        ..Default::default()
    };
    let (install, key) = crate::device::successor(&state, samples::INSTALL, &key).unwrap();
    assert_eq!(all["successor_install"]["install"], install.to_string());
    assert_eq!(all["successor_key"]["digest"], hex::encode(key.to_bytes()));
}

#[test]
fn every_kind_of_command_has_a_fixture_that_reads_and_writes_alike() {
    for kind in ActionKind::ALL {
        let name = format!("command-{}", kind.as_str());
        let cbor = read(&format!("{name}.cbor"));
        let (made, command) = CommandPayload::unpack(kind.as_str(), 1, &cbor, 16).unwrap();
        assert_eq!(command.action.kind(), *kind);
        assert_eq!(
            CommandPayload::pack(made.clone(), &command),
            cbor,
            "{name}.cbor"
        );
        let json = String::from_utf8(read(&format!("{name}.json"))).unwrap();
        let twin: CommandTwin = serde_json::from_str(&json).unwrap();
        assert_eq!(
            twin.action, command.action,
            "{name}: the twins say the same"
        );
        assert_eq!(twin.subject_id, command.subject_id);
        assert_eq!(twin.made, serde_json::to_value(&made).unwrap());
        assert_eq!(
            samples::command_json(&made, &command).unwrap(),
            json,
            "{name}.json"
        );
    }
}

#[test]
fn the_co_signed_fixture_reads_and_its_signature_fits() {
    let cbor = read("command-confirm-co-signed.cbor");
    let opened = CommandPayload::open("confirm", 1, &cbor, 16).unwrap();
    let (command, by) = samples::co_signed();
    assert_eq!(opened.command, command);
    assert_eq!(opened.co_signatures, std::slice::from_ref(&by));
    let key = ed25519_dalek::SigningKey::from_bytes(&samples::CO_SIGNER_SEED).verifying_key();
    assert!(opened.statement.fits(key.as_bytes(), &by));
    let repacked = CommandPayload::pack_signed(opened.made, &command, &[by]);
    assert_eq!(repacked, cbor);
}

#[test]
fn the_choices_read_as_they_were_made() {
    let cbor = read("command-note-instead.cbor");
    let opened = CommandPayload::open("note", 1, &cbor, 16).unwrap();
    let (command, choice) = samples::choices::instead();
    assert_eq!((opened.command, opened.choice), (command, Some(choice)));
    let given_up = GiveUp::open(1, &read("give-up.cbor"), 16).unwrap();
    assert_eq!(given_up, samples::choices::given_up());
    let fate: hazardloop_domain::command_fate::CommandFate =
        decode_strict(&read("record-command-fate.cbor"), 16).unwrap();
    assert_eq!(fate, samples::choices::fate());
    for (version, name) in [
        (2, "give-up.cbor"),
        (1, "command-note.cbor"),
        (1, "command-note-instead.cbor"),
    ] {
        assert!(GiveUp::open(version, &read(name), 16).is_err(), "{name}");
    }
}

#[test]
fn the_proof_of_time_reads_as_it_was_made() {
    let said = Witness::open(1, &read("witness.cbor"), 16).unwrap();
    assert_eq!(said, samples::time::witness());
    let key = ed25519_dalek::SigningKey::from_bytes(&samples::KEY_SEED).verifying_key();
    assert!(crate::witness::head_fits(
        key.as_bytes(),
        said.install_id,
        &said.head
    ));
    // It is the head of the chain in `push-request`.
    let push = check_message::<PushRequest>("push-request");
    let last = push.commands.last().unwrap();
    assert_eq!(
        said.head.head,
        crate::chain::link_hash(push.install_id, last)
    );
    let shown: crate::witness::ShownHead = decode_strict(&read("shown-head.cbor"), 16).unwrap();
    assert_eq!(shown, samples::time::shown());
    let opened = CommandPayload::open("note", 1, &read("command-note-anchored.cbor"), 16).unwrap();
    assert_eq!(opened.made, samples::time::anchored());
    let told: hazardloop_domain::time_proof::ChainWitnessed =
        decode_strict(&read("record-chain-witnessed.cbor"), 16).unwrap();
    assert_eq!(told, samples::time::told());
    for (version, name) in [
        (2, "witness.cbor"),
        (1, "give-up.cbor"),
        (1, "command-note.cbor"),
    ] {
        assert!(Witness::open(version, &read(name), 16).is_err(), "{name}");
    }
}

#[test]
fn fields_of_a_newer_build_are_part_of_what_was_signed() {
    let cbor = read("command-note.cbor");
    let mut payload: CommandPayload = decode_strict(&cbor, 16).unwrap();
    // {0: "好", 9: 1}: this build does not know key 9.
    payload.fields = Bytes(vec![0xa2, 0, 0x63, 0xe5, 0xa5, 0xbd, 9, 1]);
    let opened = CommandPayload::open("note", 1, &encode(&payload), 16).unwrap();
    assert_eq!(opened.statement.fields, payload.fields.0);
}

#[test]
fn the_placeholder_fixture_reads_and_names_the_command_it_stands_for() {
    let cbor = read("placeholder.cbor");
    let payload: CommandPayload = decode_strict(&cbor, 16).unwrap();
    let placeholder: Placeholder = decode_strict(&payload.fields.0, 16).unwrap();
    assert_eq!(
        placeholder.pack(payload.made, payload.subject_id, None),
        cbor
    );
    let push = check_message::<PushRequest>("push-request");
    assert_eq!(placeholder, Placeholder::of(&push.commands[0]));
}

#[test]
fn this_build_still_writes_every_fixture_as_it_was_written() {
    for sample in samples::all().unwrap() {
        if !sample.cbor.is_empty() {
            let kept = read(&format!("{}.cbor", sample.name));
            assert_eq!(kept, sample.cbor, "{}", sample.name);
        }
        assert_eq!(
            read(&format!("{}.json", sample.name)),
            sample.json.as_bytes()
        );
    }
}

#[test]
fn no_fixture_lies_about_unread() {
    let known: Vec<String> = samples::all()
        .unwrap()
        .into_iter()
        .map(|s| s.name)
        .collect();
    for entry in std::fs::read_dir(file("")).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(known.contains(&stem), "no test reads fixtures/v1/{stem}");
    }
}

#[test]
fn commands_with_unknown_json_fields_or_twice_the_same_are_refused() {
    let json = String::from_utf8(read("push-request.json")).unwrap();
    let unknown = json.replacen('{', r#"{"colour": "red","#, 1);
    assert!(serde_json::from_str::<PushRequest>(&unknown).is_err());
    let twice = json.replacen('{', r#"{"protocol": 1,"#, 1);
    assert!(serde_json::from_str::<PushRequest>(&twice).is_err());
}

#[test]
fn base64_with_padding_or_another_alphabet_is_refused() {
    for text in [r#""AAE=""#, r#""+/8""#, r#"" AAE""#, "7", "null"] {
        assert!(serde_json::from_str::<Bytes>(text).is_err(), "{text}");
    }
    assert_eq!(
        serde_json::from_str::<Bytes>(r#""-_8""#).unwrap(),
        Bytes(vec![0xfb, 0xff])
    );
}

#[test]
fn a_record_digest_is_sixteen_hexadecimal_digits() {
    let with = |digest: &str| {
        serde_json::from_str::<Checkpoint>(&format!(r#"{{"count": 1, "digest": {digest}}}"#))
    };
    assert_eq!(with(r#""00000000000000ff""#).unwrap().digest, 255);
    for wrong in [
        r#""ff""#,
        r#""+0000000000000ff""#,
        r#""0x000000000000ff""#,
        "255",
    ] {
        assert!(with(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn scopes_read_back_and_anything_else_is_refused() {
    let id = uuid::Uuid::from_u128(1);
    for text in [
        "catalog".to_owned(),
        format!("person:{id}"),
        format!("enterprise:{id}"),
    ] {
        assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
    }
    for wrong in [
        "",
        "catalog:1",
        "person",
        "person:",
        "city:1",
        "Person:1",
        "enterprise:x",
    ] {
        assert!(wrong.parse::<Scope>().is_err(), "{wrong}");
    }
}

#[test]
fn a_device_with_a_broken_clock_can_still_send() {
    let made = ClockReading {
        wall: hazardloop_domain::time::Timestamp::from_millis(i64::MAX),
        ..samples::clocks()
    };
    let action = samples::action(ActionKind::Note);
    let hazard_id = hazardloop_domain::ids::HazardId(uuid::Uuid::from_u128(1));
    let packed = CommandPayload::pack(made.clone(), &Command::new(hazard_id, action));
    let (read, _) = CommandPayload::unpack("note", 1, &packed, 16).unwrap();
    assert_eq!(read, made);
}
