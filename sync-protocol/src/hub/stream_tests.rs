//! One install's stream against everything that can go wrong with a pushed command.

use super::*;
use crate::chain::{link_hash, seal};
use crate::wire::{CommandPayload, Envelope, QuarantineReason, WireLimits};
use ed25519_dalek::SigningKey;
use hazardloop_domain::command::{
    Action, ActionKind, ClockReading, Command, FollowEnterprise, Note, ReceivePhoto,
};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{HazardId, InstallId, JurisdictionId};
use hazardloop_domain::time::Timestamp;
use minicbor::Encoder;
use uuid::Uuid;

pub(super) const INSTALL: InstallId = InstallId(Uuid::from_u128(1));
pub(super) const HAZARD: HazardId = HazardId(Uuid::from_u128(2));

pub(super) fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

pub(super) fn stream() -> StreamState {
    StreamState {
        install_id: INSTALL,
        public_key: key().verifying_key().to_bytes().to_vec(),
        last_seq: 0,
        last_hash: Digest::ZERO,
    }
}

pub(super) fn clocks() -> ClockReading {
    ClockReading {
        wall: Timestamp::from_millis(1_795_309_200_000),
        monotonic_ms: None,
        boot_id: None,
        server_anchor: None,
        anchor_monotonic_ms: None,
        anchor_token: None,
    }
}

fn note(text: &str) -> Command {
    Command {
        subject_id: HAZARD.into(),
        action: Action::Note(Note {
            text: text.to_owned(),
        }),
    }
}

fn payload(command: &Command) -> Vec<u8> {
    CommandPayload::pack(clocks(), command)
}

/// The next command of `stream`, signed and chained.
fn next(stream: &StreamState, kind: &str, version: u16, payload: Vec<u8>) -> Envelope {
    seal(
        &key(),
        INSTALL,
        stream.last_seq + 1,
        kind,
        version,
        stream.last_hash,
        payload,
    )
}

fn next_note(stream: &StreamState, text: &str) -> Envelope {
    next(stream, "note", 1, payload(&note(text)))
}

fn judged(stream: &StreamState, envelope: &Envelope) -> Judgement {
    judge(stream, envelope, &WireLimits::default())
}

#[track_caller]
fn executes(stream: &StreamState, envelope: &Envelope, expected: &Command) {
    match judged(stream, envelope) {
        Judgement::Execute(read) => {
            assert_eq!((&read.made, &read.command), (&clocks(), expected));
        }
        other => panic!("{other:?}"),
    }
}

/// The bad command gets its quarantine, and the stream goes on behind it.
#[track_caller]
fn quarantined(envelope: &Envelope, stream: &StreamState, expected: QuarantineReason) {
    match judged(stream, envelope) {
        Judgement::Quarantine(reason, detail) => {
            assert_eq!(reason, expected, "{detail}");
            assert!(!detail.is_empty());
        }
        other => panic!("{other:?}"),
    }
    let mut behind = stream.clone();
    behind.advance(envelope);
    assert_eq!(behind.last_seq, stream.last_seq + 1);
    executes(&behind, &next_note(&behind, "继续"), &note("继续"));
}

#[test]
fn a_chain_of_good_commands_executes_in_order() {
    let mut stream = stream();
    for text in ["一", "二", "三"] {
        let envelope = next_note(&stream, text);
        executes(&stream, &envelope, &note(text));
        stream.advance(&envelope);
    }
    assert_eq!(stream.last_seq, 3);
}

#[test]
fn a_command_seen_before_is_a_replay_with_the_hash_that_tells_same_from_other() {
    let mut stream = stream();
    let first = next_note(&stream, "一");
    let other = next_note(&stream, "别的");
    stream.advance(&first);
    assert_eq!(judged(&stream, &first), Judgement::Replay(stream.last_hash));
    let Judgement::Replay(hash) = judged(&stream, &other) else {
        panic!("not a replay")
    };
    assert_ne!(hash, stream.last_hash);
}

#[test]
fn sequences_from_nowhere_are_replays_or_gaps_and_never_execute() {
    let stream = stream();
    for seq in [0, -1, i64::MIN] {
        let envelope = Envelope {
            seq,
            ..next_note(&stream, "a")
        };
        assert!(
            matches!(judged(&stream, &envelope), Judgement::Replay(_)),
            "{seq}"
        );
    }
    for seq in [2, 3, i64::MAX] {
        let envelope = Envelope {
            seq,
            ..next_note(&stream, "a")
        };
        assert_eq!(judged(&stream, &envelope), Judgement::Gap(1), "{seq}");
    }
}

#[test]
fn a_stream_at_its_very_end_does_not_overflow() {
    let stream = StreamState {
        last_seq: i64::MAX,
        ..stream()
    };
    let envelope = Envelope {
        seq: i64::MAX,
        ..next_note(&self::stream(), "a")
    };
    assert!(matches!(judged(&stream, &envelope), Judgement::Replay(_)));
}

#[test]
fn a_broken_chain_is_quarantined() {
    let stream = stream();
    let body = payload(&note("a"));
    let elsewhere = seal(&key(), INSTALL, 1, "note", 1, Digest([9; 32]), body);
    quarantined(&elsewhere, &stream, QuarantineReason::BrokenChain);
}

#[test]
fn a_signature_by_another_key_or_over_other_bytes_is_quarantined() {
    let stream = stream();
    let stranger = SigningKey::from_bytes(&[8; 32]);
    let body = payload(&note("a"));
    let forged = seal(&stranger, INSTALL, 1, "note", 1, Digest::ZERO, body);
    quarantined(&forged, &stream, QuarantineReason::BadSignature);
    let mut altered = next_note(&stream, "a");
    altered.payload.0.push(0);
    quarantined(&altered, &stream, QuarantineReason::BadSignature);
    let mut short = next_note(&stream, "a");
    short.signature.0.truncate(63);
    quarantined(&short, &stream, QuarantineReason::BadSignature);
    let mut unsigned = next_note(&stream, "a");
    unsigned.signature.0.clear();
    quarantined(&unsigned, &stream, QuarantineReason::BadSignature);
    let other = Envelope {
        signature_algorithm: 0,
        ..next_note(&stream, "a")
    };
    quarantined(&other, &stream, QuarantineReason::BadSignature);
}

#[test]
fn a_command_of_another_install_is_quarantined() {
    let stream = stream();
    let body = payload(&note("a"));
    let other = InstallId(Uuid::from_u128(99));
    let borrowed = seal(&key(), other, 1, "note", 1, Digest::ZERO, body);
    quarantined(&borrowed, &stream, QuarantineReason::BadSignature);
}

#[test]
fn unknown_kinds_and_versions_are_quarantined() {
    let stream = stream();
    let body = payload(&note("a"));
    for kind in [
        "",
        "abolish",
        "Note",
        "note ",
        "re\u{0}port",
        &"x".repeat(10_000),
    ] {
        let envelope = next(&stream, kind, 1, body.clone());
        quarantined(&envelope, &stream, QuarantineReason::UnknownKind);
        let Judgement::Quarantine(_, detail) = judged(&stream, &envelope) else {
            unreachable!()
        };
        assert!(detail.len() < 1_000, "a long kind is not repeated in full");
    }
    for version in [0, 2, u16::MAX] {
        let envelope = next(&stream, "note", version, body.clone());
        quarantined(&envelope, &stream, QuarantineReason::UnknownVersion);
    }
}

#[test]
fn payloads_that_cannot_be_read_are_quarantined() {
    let stream = stream();
    let good = payload(&note("a"));
    let mut longer = good.clone();
    longer.push(0);
    let bomb = vec![0x81; 10_000];
    let fields_of_another_kind = payload(&Command {
        subject_id: HAZARD.into(),
        action: Action::ReceivePhoto(ReceivePhoto {
            sha256: Digest::ZERO,
        }),
    });
    let half = good[..good.len() / 2].to_vec();
    for body in [
        Vec::new(),
        vec![0xa0],
        vec![0xff],
        longer,
        bomb,
        half,
        fields_of_another_kind,
    ] {
        let envelope = next(&stream, "note", 1, body);
        quarantined(&envelope, &stream, QuarantineReason::MalformedPayload);
    }
}

#[test]
fn hostile_fields_inside_a_good_payload_are_quarantined() {
    let stream = stream();
    for fields in [
        "a200616100616 2",
        "bf006161ff",
        "a100616100",
        "a1009f6161ff",
        "a100f97e00",
    ] {
        let fields = hex::decode(fields.replace(' ', "")).unwrap();
        let packed = CommandPayload {
            made: clocks(),
            subject_id: HAZARD.into(),
            fields: crate::wire::Bytes(fields),
            co_signatures: Vec::new(),
            choice: None,
        };
        let envelope = next(&stream, "note", 1, crate::codec::encode(&packed));
        quarantined(&envelope, &stream, QuarantineReason::MalformedPayload);
    }
}

#[test]
fn a_payload_beyond_its_limit_is_quarantined() {
    let stream = stream();
    let envelope = next_note(&stream, &"隐".repeat(500));
    let size = envelope.payload.0.len();
    let limits = |payload_bytes| WireLimits {
        payload_bytes,
        ..WireLimits::default()
    };
    assert!(matches!(
        judge(&stream, &envelope, &limits(size)),
        Judgement::Execute(_)
    ));
    let Judgement::Quarantine(reason, detail) = judge(&stream, &envelope, &limits(size - 1)) else {
        panic!("taken");
    };
    assert_eq!(reason, QuarantineReason::MalformedPayload);
    assert!(detail.contains(&(size - 1).to_string()), "{detail}");
}

#[test]
fn the_servers_own_kinds_are_quarantined() {
    let stream = stream();
    let jurisdiction_id = JurisdictionId(Uuid::from_u128(3));
    for action in [
        Action::ReceivePhoto(ReceivePhoto {
            sha256: Digest::ZERO,
        }),
        Action::FollowEnterprise(FollowEnterprise {
            jurisdiction_id,
            merged_from: None,
        }),
        Action::InspectionFollowEnterprise(FollowEnterprise {
            jurisdiction_id,
            merged_from: None,
        }),
    ] {
        let kind = action.kind().as_str();
        let body = payload(&Command {
            subject_id: HAZARD.into(),
            action,
        });
        let envelope = next(&stream, kind, 1, body);
        quarantined(&envelope, &stream, QuarantineReason::UnknownKind);
    }
}

#[test]
fn keys_that_only_newer_builds_know_survive_and_the_signature_still_fits() {
    let stream = stream();
    let mut fields = Encoder::new(Vec::new());
    fields.map(2).unwrap().u8(0).unwrap().str("a").unwrap();
    fields
        .u8(63)
        .unwrap()
        .array(1)
        .unwrap()
        .str("later")
        .unwrap();
    let mut body = Encoder::new(Vec::new());
    body.map(4)
        .unwrap()
        .u8(0)
        .unwrap()
        .encode(clocks())
        .unwrap();
    body.u8(1).unwrap().encode(HAZARD).unwrap();
    body.u8(2).unwrap().bytes(fields.writer()).unwrap();
    body.u8(40)
        .unwrap()
        .map(1)
        .unwrap()
        .u8(0)
        .unwrap()
        .null()
        .unwrap();
    let body = body.into_writer();
    let envelope = next(&stream, "note", 1, body.clone());
    executes(&stream, &envelope, &note("a"));
    assert_eq!(envelope.payload.0, body);
    let repacked = next(&stream, "note", 1, payload(&note("a")));
    assert_ne!(
        link_hash(INSTALL, &envelope),
        link_hash(INSTALL, &repacked),
        "the payload is hashed as received, not as understood"
    );
}

#[test]
fn one_bad_command_in_the_middle_does_not_hold_up_the_rest() {
    let mut sent = stream();
    let mut batch = Vec::new();
    for number in 1..=20 {
        let envelope = match number {
            7 => next(&sent, "note", 1, vec![0xff]),
            11 => next(&sent, "abolish", 1, payload(&note("a"))),
            _ => next_note(&sent, "a"),
        };
        sent.advance(&envelope);
        batch.push(envelope);
    }
    let mut hub = stream();
    let mut executed = 0;
    for envelope in &batch {
        match judged(&hub, envelope) {
            Judgement::Execute(_) => executed += 1,
            Judgement::Quarantine(..) => assert!([7, 11].contains(&envelope.seq)),
            other => panic!("{}: {other:?}", envelope.seq),
        }
        hub.advance(envelope);
    }
    assert_eq!(executed, 18);
    assert_eq!(hub, sent);
    for envelope in &batch {
        assert!(matches!(judged(&hub, envelope), Judgement::Replay(_)));
    }
}

#[test]
fn only_a_report_stands_on_its_own() {
    assert_eq!(required_predecessor(&note("a")), Some(HAZARD.into()));
    let json = r#"{"kind": "report", "source": "grid", "grade": "general", "description": "a",
        "place_text": "b", "found_at": "2026-11-22T01:00:00Z"}"#;
    let report = Command {
        subject_id: HAZARD.into(),
        action: serde_json::from_str(json).unwrap(),
    };
    assert_eq!(report.action.kind(), ActionKind::Report);
    assert_eq!(required_predecessor(&report), None);
}
