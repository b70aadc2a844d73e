//! The lean forms mean what the full ones say, and a run proves each of its commands.

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{EnterpriseId, InstallId};
use uuid::Uuid;

use super::*;
use crate::chain::{link_hash, seal, signature_fits, signed_by_run};
use crate::codec::{decode_strict, encode};
use crate::hub::{Judgement, StreamState, judge, judge_in_run};

const INSTALL: InstallId = InstallId(Uuid::from_u128(1));
const BEFORE: Digest = Digest([9; 32]);

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn public() -> Vec<u8> {
    key().verifying_key().to_bytes().to_vec()
}

/// A push of so many commands from place 5 on.
fn push(count: i64) -> PushRequest {
    let mut previous = BEFORE;
    let mut commands = Vec::new();
    for seq in 5..5 + count {
        let payload = seq.to_be_bytes().to_vec();
        let envelope = seal(&key(), INSTALL, seq, "note", 1, previous, payload);
        previous = link_hash(INSTALL, &envelope);
        commands.push(envelope);
    }
    PushRequest {
        protocol: 1,
        install_id: INSTALL,
        commands,
        settled: Vec::new(),
    }
}

fn in_full(lean: LeanPush) -> PushRequest {
    lean.in_full(INSTALL, BEFORE).unwrap()
}

fn vouched(commands: &[Envelope]) -> Vec<i64> {
    signed_by_run(&public(), INSTALL, commands)
        .into_iter()
        .collect()
}

#[test]
fn a_lean_push_is_the_same_commands() {
    for count in [1, 2, 20] {
        let full = push(count);
        let lean = LeanPush::of(&full).unwrap();
        let read: LeanPush = decode_strict(&encode(&lean), 16).unwrap();
        assert_eq!(read, lean);
        let again = in_full(read);
        for (one, other) in again.commands.iter().zip(&full.commands) {
            assert_eq!(link_hash(INSTALL, one), link_hash(INSTALL, other));
        }
        let last = again.commands.last().unwrap();
        assert_eq!(last, full.commands.last().unwrap());
        assert!(signature_fits(&public(), INSTALL, last));
        assert_eq!(vouched(&again.commands), (5..4 + count).collect::<Vec<_>>());
        assert!(vouched(&full.commands).is_empty(), "they have their own");
    }
}

#[test]
fn what_is_no_run_has_no_lean_form() {
    let mut gap = push(3);
    gap.commands.remove(1);
    let mut broken = push(3);
    broken.commands[1].previous = Digest::ZERO;
    let mut otherwise = push(3);
    otherwise.commands[0].signature_algorithm = SIGNED_BY_RUN;
    for request in [push(0), gap, broken, otherwise] {
        assert_eq!(LeanPush::of(&request), None);
    }
}

#[test]
fn any_change_of_a_run_leaves_what_it_touches_unsigned() {
    let lean = LeanPush::of(&push(4)).unwrap();
    let changes: [fn(&mut LeanPush); 7] = [
        |run| run.first = 6,
        |run| run.commands[0].kind = "close".to_owned(),
        |run| run.commands[1].version = 2,
        |run| run.commands[2].payload.0.push(0),
        |run| run.commands[3].payload.0.push(0),
        |run| run.commands.swap(0, 1),
        |run| run.signature.0[9] ^= 1,
    ];
    for change in changes {
        let mut forged = lean.clone();
        change(&mut forged);
        let request = in_full(forged);
        assert!(vouched(&request.commands).is_empty(), "{request:?}");
        let last = request.commands.last().unwrap();
        assert!(!signature_fits(&public(), INSTALL, last));
    }
    // Another install, another link before, another key.
    let other = lean
        .clone()
        .in_full(InstallId(Uuid::from_u128(2)), BEFORE)
        .unwrap();
    assert!(vouched(&other.commands).is_empty());
    let other = lean.clone().in_full(INSTALL, Digest::ZERO).unwrap();
    assert!(vouched(&other.commands).is_empty());
    let strange = SigningKey::from_bytes(&[8; 32]).verifying_key().to_bytes();
    let fits = signed_by_run(&strange, INSTALL, &in_full(lean).commands);
    assert!(fits.is_empty());
}

#[test]
fn a_signature_vouches_backwards_and_never_forwards() {
    let mut commands = in_full(LeanPush::of(&push(4)).unwrap()).commands;
    // Nothing signed behind it: the last without its signature.
    let last = commands.pop().unwrap();
    assert!(vouched(&commands).is_empty());
    // A break: the third command is not what the last is chained to.
    commands.push(last);
    commands[2].payload.0.push(1);
    assert!(vouched(&commands).is_empty());
    // A command in full behind a run of another signature.
    let full = push(4).commands;
    let mut mixed = in_full(LeanPush::of(&push(4)).unwrap()).commands;
    mixed[1] = full[1].clone();
    assert_eq!(vouched(&mixed), [5, 7]);
    // Words in the place of a signature are none.
    let mut told = in_full(LeanPush::of(&push(3)).unwrap()).commands;
    told[1].signature = Bytes(vec![0; 64]);
    assert!(vouched(&told).is_empty());
}

#[test]
fn the_hub_takes_a_command_of_a_run_only_when_it_is_vouched_for() {
    let stream = StreamState {
        install_id: INSTALL,
        public_key: public(),
        last_seq: 4,
        last_hash: BEFORE,
    };
    let commands = in_full(LeanPush::of(&push(2)).unwrap()).commands;
    let limits = WireLimits::default();
    let reason = |judgement| match judgement {
        Judgement::Quarantine(reason, _) => reason,
        other => panic!("{other:?}"),
    };
    let alone = judge(&stream, &commands[0], &limits);
    assert_eq!(reason(alone), QuarantineReason::BadSignature);
    let others = judge_in_run(&stream, &commands[0], &BTreeSet::from([6]), &limits);
    assert_eq!(reason(others), QuarantineReason::BadSignature);
    let run = signed_by_run(&public(), INSTALL, &commands);
    let judged = judge_in_run(&stream, &commands[0], &run, &limits);
    // Past the signature: this payload is no CBOR of a note.
    assert_eq!(reason(judged), QuarantineReason::MalformedPayload);
    // Being named is not enough for one that carries a signature of its own.
    let mut forged = push(1).commands.remove(0);
    forged.signature.0[3] ^= 1;
    let judged = judge_in_run(&stream, &forged, &BTreeSet::from([5]), &limits);
    assert_eq!(reason(judged), QuarantineReason::BadSignature);
}

#[test]
fn places_at_the_end_of_numbers_are_no_push() {
    let mut lean = LeanPush::of(&push(2)).unwrap();
    lean.first = i64::MAX;
    assert_eq!(lean.in_full(INSTALL, BEFORE), None);
}

fn pull() -> PullRequest {
    let scope = |scope, cursor: u8, count| ScopeCursor {
        scope,
        cursor: Some(Bytes(vec![0, cursor])),
        checkpoint: Some(Checkpoint {
            count,
            digest: count << 40,
        }),
    };
    let enterprise = Scope::Enterprise(EnterpriseId(Uuid::from_u128(3)));
    PullRequest {
        protocol: 1,
        install_id: INSTALL,
        epoch: Some("an epoch".to_owned()),
        scopes: vec![scope(enterprise, 3, 7), scope(Scope::Catalog, 9, 100)],
        max_records: Some(100),
    }
}

#[test]
fn a_lean_pull_says_the_same_in_any_order_and_differs_with_anything_held() {
    let lean = LeanPull::of(&pull()).unwrap();
    assert_eq!(lean.newest.0, [0, 9]);
    assert_eq!(lean.state.0.len(), STATE_BYTES);
    let read: LeanPull = decode_strict(&encode(&lean), 16).unwrap();
    assert_eq!(read, lean);
    let mut turned = pull();
    turned.scopes.reverse();
    assert_eq!(LeanPull::of(&turned).unwrap(), lean);
    let changes: [fn(&mut PullRequest); 6] = [
        |pull| pull.epoch = Some("another".to_owned()),
        |pull| pull.install_id = InstallId(Uuid::from_u128(2)),
        |pull| {
            pull.scopes[0].checkpoint = Some(Checkpoint {
                count: 8,
                digest: 7 << 40,
            })
        },
        |pull| {
            pull.scopes[1].checkpoint = Some(Checkpoint {
                count: 100,
                digest: 0,
            })
        },
        |pull| pull.scopes[0].scope = Scope::Enterprise(EnterpriseId(Uuid::from_u128(4))),
        |pull| pull.scopes.truncate(1),
    ];
    for change in changes {
        let mut other = pull();
        change(&mut other);
        assert_ne!(LeanPull::of(&other).unwrap().state, lean.state, "{other:?}");
    }
}

#[test]
fn whoever_lacks_something_asks_in_full() {
    let changes: [fn(&mut PullRequest); 4] = [
        |pull| pull.epoch = None,
        |pull| pull.scopes.clear(),
        |pull| pull.scopes[0].cursor = None,
        |pull| pull.scopes[1].checkpoint = None,
    ];
    for change in changes {
        let mut other = pull();
        change(&mut other);
        assert_eq!(LeanPull::of(&other), None, "{other:?}");
    }
}
