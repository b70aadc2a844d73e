//! The cases that every store behind the device half passes: `device_cases!(run)` makes a test of each.
//!
//! The engine's own state changes by the operations that it tells its store to apply ([`State::apply`]). So a store is
//! right if, whatever it was told and wherever it was closed, it opens as that state.

use hazardloop_domain::command::AnchorToken;
use hazardloop_domain::command_fate::{ChoiceKind, Chosen, SentCommand};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{EnterpriseId, InstallId, SubjectId};
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use crate::device::{
    GivenUp, KeptAnchor, Member, Meta, Oversize, PhotoStage, RowKey, ScopeState, State, StoreOp,
    StoredCommand, StoredPhoto,
};
use crate::digest::DigestKey;
use crate::wire::{
    Bytes, Checkpoint, ClosedWindow, Envelope, KEY_ED25519, Outcome, QuarantineReason, Receipt,
    Record, RecordKind, Scope,
};

/// A device's store, new and empty.
pub trait DeviceUnderTest {
    /// Applies operations in one durable transaction.
    fn apply(&mut self, ops: &[StoreOp]);
    /// Closes it, opens it anew, and says what it holds.
    fn reopened(&mut self) -> State;
}

/// Makes a test of every case: `device_cases!(run)`, where `run` is handed each case and runs it on a new store.
#[macro_export]
macro_rules! device_cases {
    ($run:path) => {
        $crate::device_cases!(@each $run:
            every_operation_has_the_effect_that_it_has_in_memory,
            the_same_operations_twice_are_as_once,
            operations_in_any_order_end_as_in_memory,
        );
    };
    (@each $run:path: $($case:ident,)+) => {
        $(
            #[test]
            fn $case() {
                $run($crate::conformance::device::$case);
            }
        )+
    };
}

fn scope(n: u128) -> Scope {
    Scope::Enterprise(EnterpriseId(Uuid::from_u128(n)))
}

fn key(n: u128) -> RowKey {
    (RecordKind::Hazard, Uuid::from_u128(n))
}

fn record(n: u128, version: i64) -> Record {
    let (kind, id) = key(n);
    Record {
        kind,
        id,
        version,
        body: Bytes(vec![u8::try_from(version).unwrap(); 5]),
    }
}

fn envelope(seq: i64, payload: Vec<u8>) -> Envelope {
    Envelope {
        seq,
        kind: "note".to_owned(),
        version: 1,
        previous: Digest::ZERO,
        payload: Bytes(payload),
        signature_algorithm: KEY_ED25519,
        signature: Bytes(vec![0; 64]),
    }
}

fn stored(seq: i64, oversize: Option<Oversize>) -> StoredCommand {
    StoredCommand {
        envelope: envelope(seq, vec![1, 2]),
        subject_id: SubjectId(Uuid::from_u128(7)),
        queued_at: Timestamp::from_millis(5),
        receipt: None,
        awaiting_pull: false,
        oversize,
        earlier: None,
        chosen: None,
    }
}

fn command(seq: i64, oversize: Option<Oversize>) -> StoreOp {
    StoreOp::PutCommand(stored(seq, oversize))
}

/// A command of an earlier install that its author has given up.
fn given_up(seq: i64) -> StoreOp {
    let sent = SentCommand {
        install_id: InstallId(Uuid::from_u128(3)),
        seq: 9,
    };
    StoreOp::PutCommand(StoredCommand {
        earlier: Some(sent),
        chosen: Some(Chosen {
            how: ChoiceKind::GivenUp,
            reason: Some("重复".to_owned()),
            by: Some(SentCommand { seq: 10, ..sent }),
            at: Timestamp::from_millis(7),
        }),
        ..stored(seq, None)
    })
}

fn settled(seq: i64, outcome: Option<Outcome>) -> StoreOp {
    let receipt = outcome.map(|outcome| Receipt {
        seq,
        received_at: Timestamp::from_millis(9),
        outcome,
    });
    StoreOp::SettleCommand {
        seq,
        awaiting_pull: receipt.is_some(),
        receipt,
    }
}

fn photo(n: u8, stage: PhotoStage) -> StoreOp {
    StoreOp::PutPhoto(StoredPhoto {
        sha256: Digest([n; 32]),
        size: 5,
        media_type: "image/jpeg".to_owned(),
        seq: i64::from(n),
        subject_id: SubjectId(Uuid::from_u128(7)),
        upload: (n == 2).then(|| "/up/1".to_owned()),
        stage,
        given_up: (n == 3).then(|| GivenUp {
            reason: "损坏".to_owned(),
            at: Timestamp::from_millis(6),
        }),
    })
}

fn member(of: u128, n: u128, version: i64) -> StoreOp {
    let Record { kind, id, body, .. } = record(n, version);
    StoreOp::PutMember {
        scope: scope(of),
        key: key(n),
        member: Member {
            version,
            digest: KEY.of_record(kind, &id, version, &body.0),
        },
    }
}

const KEY: DigestKey = DigestKey([9; 16]);

fn meta(epoch: &str) -> StoreOp {
    StoreOp::PutMeta(Meta {
        epoch: Some(epoch.to_owned()),
        digest_key: Some(KEY),
        server_time: Some(Timestamp::from_millis(1)),
        contact_at: None,
        must_rekey: epoch == "two",
        too_large: (epoch == "two").then_some(3),
        anchor: AnchorToken::from_slice(&[7; 8]).map(|token| KeptAnchor {
            token,
            monotonic: (epoch == "two").then_some((InstallId(Uuid::from_u128(6)), 99)),
        }),
        photo_chunk: (epoch == "two").then_some(2_048),
        pull_records: (epoch == "one").then_some(10),
        push_bytes: (epoch == "two").then_some(1_024),
    })
}

fn scope_state(n: u128, complete: bool) -> StoreOp {
    StoreOp::PutScope(
        scope(n),
        ScopeState {
            cursor: Some(Bytes(vec![1, u8::try_from(n).unwrap()])),
            held: complete.then_some(Checkpoint::EMPTY),
            complete,
            staging_reset: !complete,
            last_mismatch: complete.then(|| Timestamp::from_millis(-4)),
            window: complete.then_some(ClosedWindow {
                closed_days: 30,
                closed_bytes: 4_096,
                complete_after: Some(Timestamp::from_millis(5)),
            }),
            first_rows: (!complete).then_some(7),
        },
    )
}

/// Every operation, in each of its forms.
fn operations() -> Vec<StoreOp> {
    let stage = |n, record| StoreOp::Stage {
        scope: scope(n),
        key: key(n + 10),
        record,
    };
    let (reason, detail) = (QuarantineReason::Reassigned, "调离".to_owned());
    vec![
        meta("one"),
        meta("two"),
        command(1, None),
        command(2, Some(Oversize::Offered)),
        command(
            3,
            Some(Oversize::Placeholder(Box::new(envelope(3, vec![9; 400])))),
        ),
        command(4, Some(Oversize::Unanswered)),
        given_up(-5),
        settled(1, Some(Outcome::Applied { version: 2 })),
        settled(2, Some(Outcome::Quarantined { reason, detail })),
        settled(1, None),
        // Of a command that is not there.
        settled(77, Some(Outcome::Applied { version: 2 })),
        StoreOp::DeleteCommand(4),
        StoreOp::DeleteCommand(78),
        StoreOp::PutRow(record(1, 1)),
        StoreOp::PutRow(record(2, 1)),
        StoreOp::PutRow(record(1, 2)),
        member(1, 1, 2),
        member(2, 1, 2),
        member(1, 2, 1),
        // Of a row that is not there, and in a version that is not the row's.
        member(2, 3, 1),
        member(2, 2, 9),
        scope_state(1, true),
        scope_state(2, false),
        scope_state(3, true),
        stage(2, Some(record(12, 3))),
        stage(2, None),
        stage(3, None),
        stage(3, Some(record(13, 4))),
        StoreOp::ClearStaged(scope(3)),
        StoreOp::DeleteMember {
            scope: scope(1),
            key: key(2),
        },
        StoreOp::DeleteRow(key(2)),
        StoreOp::DeleteScope(scope(2)),
        photo(1, PhotoStage::Waiting),
        photo(2, PhotoStage::Sent),
        photo(3, PhotoStage::Asked),
        photo(1, PhotoStage::Held),
        StoreOp::DeletePhoto(Digest([2; 32])),
        StoreOp::ReleaseSpace { pages: 8 },
    ]
}

/// What a store that was told these opens as.
fn as_in_memory(told: &[StoreOp]) -> State {
    let mut state = State::default();
    state.apply(told);
    state.recompute_held();
    state
}

/// One operation at a time, and opened anew after each.
pub fn every_operation_has_the_effect_that_it_has_in_memory(store: &mut dyn DeviceUnderTest) {
    let mut told = Vec::new();
    for op in operations() {
        store.apply(std::slice::from_ref(&op));
        told.push(op);
        assert_eq!(
            store.reopened(),
            as_in_memory(&told),
            "after {:?}",
            told.last()
        );
    }
}

/// A crash between the write and the word that it is durable has the engine write it again.
pub fn the_same_operations_twice_are_as_once(store: &mut dyn DeviceUnderTest) {
    let all = operations();
    store.apply(&all);
    let once = store.reopened();
    assert_eq!(once, as_in_memory(&all));
    store.apply(&all);
    assert_eq!(store.reopened(), once);
}

/// Long shuffled lists, in writes of several sizes.
pub fn operations_in_any_order_end_as_in_memory(store: &mut dyn DeviceUnderTest) {
    let all = operations();
    let mut told = Vec::new();
    let mut number: u64 = 1;
    for round in 0..60_usize {
        let write: Vec<StoreOp> = (0..=round % 7)
            .map(|_| {
                // Knuth's multiplier: any order, the same each time.
                number = number
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                let index = usize::try_from(number >> 33).unwrap() % all.len();
                all[index].clone()
            })
            .collect();
        store.apply(&write);
        told.extend(write);
    }
    assert_eq!(store.reopened(), as_in_memory(&told));
}
