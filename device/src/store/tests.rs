//! The SQLite store has the same effect as the state in memory, whole writes or none.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use hazardloop_domain::command::AnchorToken;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{EnterpriseId, InstallId, SubjectId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::*;
use hazardloop_sync_protocol::wire::*;
use uuid::Uuid;

use super::*;
use rand::SeedableRng as _;
use zeroize::Zeroizing;

pub(super) fn key(n: u8) -> DataKey {
    DataKey::new(&Zeroizing::new([n; 32]))
}

/// Opened with other nonces each time, as by another process.
pub(super) fn open(path: &Path) -> Result<Store, StoreError> {
    static OPENED: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let seed = OPENED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    Store::open(path, &key(1), StdRng::seed_from_u64(seed))
}

pub(super) fn scope(n: u128) -> Scope {
    Scope::Enterprise(EnterpriseId(Uuid::from_u128(n)))
}

pub(super) fn record(n: u128, version: i64) -> Record {
    let body = Bytes(vec![version as u8; 5]);
    Record {
        kind: RecordKind::Hazard,
        id: Uuid::from_u128(n),
        version,
        body,
    }
}

pub(super) fn command(seq: i64) -> StoredCommand {
    let envelope = Envelope {
        seq,
        kind: "note".into(),
        version: 1,
        previous: Digest::ZERO,
        payload: Bytes(vec![1, 2]),
        signature_algorithm: KEY_ED25519,
        signature: Bytes(vec![0; 64]),
    };
    StoredCommand {
        envelope,
        subject_id: SubjectId(Uuid::from_u128(7)),
        queued_at: Timestamp::from_millis(5),
        receipt: None,
        awaiting_pull: false,
        oversize: None,
        earlier: None,
        chosen: None,
    }
}

fn set_aside(seq: i64, oversize: Oversize) -> StoreOp {
    StoreOp::PutCommand(StoredCommand {
        oversize: Some(oversize),
        ..command(seq)
    })
}

fn photo(n: u8, stage: PhotoStage) -> StoredPhoto {
    StoredPhoto {
        sha256: Digest([n; 32]),
        size: 5,
        media_type: "image/jpeg".into(),
        seq: 1,
        subject_id: SubjectId(Uuid::from_u128(7)),
        upload: (n == 2).then(|| "/up/1".into()),
        stage,
        given_up: (n == 3).then(|| GivenUp {
            reason: "broken".into(),
            at: Timestamp::from_millis(6),
        }),
    }
}

pub(super) fn photo_op(n: u8) -> StoreOp {
    StoreOp::PutPhoto(photo(n, PhotoStage::Waiting))
}

pub(super) fn member(n: u128, version: i64) -> StoreOp {
    let key = (RecordKind::Hazard, Uuid::from_u128(n));
    StoreOp::PutMember {
        scope: scope(1),
        key,
        member: Member {
            version,
            digest: u64::MAX - 3,
        },
    }
}

/// Every operation, in an order that a device could meet.
fn all_ops() -> Vec<StoreOp> {
    let receipt = Receipt {
        seq: 1,
        received_at: Timestamp::from_millis(9),
        outcome: Outcome::Quarantined {
            reason: QuarantineReason::Reassigned,
            detail: "x".into(),
        },
    };
    let key = (RecordKind::Hazard, Uuid::from_u128(3));
    let state = ScopeState {
        cursor: Some(Bytes(vec![1])),
        held: Some(Checkpoint {
            count: 1,
            digest: u64::MAX,
        }),
        complete: true,
        staging_reset: true,
        last_mismatch: Some(Timestamp::from_millis(-4)),
        window: Some(ClosedWindow {
            closed_days: 30,
            closed_bytes: 4_096,
            complete_after: Some(Timestamp::from_millis(5)),
        }),
        first_rows: Some(7),
    };
    vec![
        StoreOp::PutMeta(Meta {
            epoch: Some("e".into()),
            digest_key: None,
            server_time: Some(Timestamp::from_millis(1)),
            contact_at: None,
            must_rekey: true,
            too_large: Some(3),
            anchor: Some(KeptAnchor {
                token: AnchorToken::from_slice(&[8; 8]).unwrap(),
                monotonic: Some((InstallId(Uuid::from_u128(5)), 77)),
            }),
            photo_chunk: Some(2_048),
            pull_records: Some(12),
            push_bytes: Some(1_024),
        }),
        StoreOp::PutCommand(command(1)),
        StoreOp::PutCommand(command(2)),
        StoreOp::PutCommand(command(3)),
        StoreOp::SettleCommand {
            seq: 1,
            receipt: Some(receipt),
            awaiting_pull: true,
        },
        StoreOp::DeleteCommand(3),
        set_aside(4, Oversize::Placeholder(Box::new(command(9).envelope))),
        set_aside(5, Oversize::Offered),
        set_aside(5, Oversize::Unanswered),
        StoreOp::PutScope(scope(1), state.clone()),
        StoreOp::PutScope(scope(2), ScopeState::default()),
        StoreOp::Stage {
            scope: scope(1),
            key,
            record: Some(record(3, 1)),
        },
        StoreOp::Stage {
            scope: scope(1),
            key,
            record: None,
        },
        StoreOp::Stage {
            scope: scope(2),
            key,
            record: Some(record(3, 1)),
        },
        StoreOp::PutRow(record(1, 1)),
        StoreOp::PutRow(record(1, 2)),
        StoreOp::PutRow(record(2, 1)),
        StoreOp::PutRow(record(3, 1)),
        member(1, 2),
        member(2, 1),
        StoreOp::PutMember {
            scope: scope(2),
            key,
            member: Member {
                version: 1,
                digest: 0,
            },
        },
        StoreOp::DeleteMember {
            scope: scope(1),
            key: (RecordKind::Hazard, Uuid::from_u128(2)),
        },
        StoreOp::DeleteRow((RecordKind::Hazard, Uuid::from_u128(2))),
        StoreOp::DeleteScope(scope(2)),
        StoreOp::PutPhoto(photo(1, PhotoStage::Waiting)),
        StoreOp::PutPhoto(photo(2, PhotoStage::Asked)),
        StoreOp::PutPhoto(photo(3, PhotoStage::Sent)),
        StoreOp::PutPhoto(photo(4, PhotoStage::Held)),
        StoreOp::ReleaseSpace { pages: 100 },
        StoreOp::DeletePhoto(Digest([1; 32])),
        StoreOp::PutScope(scope(3), state),
        StoreOp::Stage {
            scope: scope(3),
            key,
            record: None,
        },
        StoreOp::ClearStaged(scope(3)),
    ]
}

#[test]
fn the_file_and_the_memory_agree_after_every_operation() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("device.db");
    let mut memory = State::default();
    for op in all_ops() {
        // Opened anew each time: what counts is what is on the disk.
        let mut store = open(&path).unwrap();
        store.apply(std::slice::from_ref(&op)).unwrap();
        memory.apply(std::slice::from_ref(&op));
        drop(store);
        assert_eq!(open(&path).unwrap().load().unwrap(), memory, "{op:?}");
    }
    assert_eq!(memory.rows.len(), 2);
}

#[test]
fn a_write_is_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("device.db")).unwrap();
    // A hazard id of the wrong length cannot come from the engine; the check in the schema
    // stands in for a disk that fails in the middle of a write.
    let mut damaged = photo(1, PhotoStage::Waiting);
    damaged.media_type = "image/png".into();
    let ops = [StoreOp::PutCommand(command(1)), StoreOp::PutPhoto(damaged)];
    diesel::connection::SimpleConnection::batch_execute(
        &mut store.conn,
        "CREATE TRIGGER full BEFORE INSERT ON sealed WHEN NEW.tbl = 8 BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    )
    .unwrap();
    assert!(store.apply(&ops).is_err());
    assert_eq!(store.load().unwrap(), State::default());
}

#[test]
fn a_log_cut_at_any_byte_gives_the_state_after_a_whole_write() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("device.db");
    drop(open(&path).unwrap());
    let mut store = open(&path).unwrap();
    let (mut memory, mut states) = (State::default(), vec![State::default()]);
    for seq in 1..=6 {
        let photo = photo(seq as u8, PhotoStage::Waiting);
        let ops = [StoreOp::PutCommand(command(seq)), StoreOp::PutPhoto(photo)];
        store.apply(&ops).unwrap();
        memory.apply(&ops);
        states.push(memory.clone());
    }
    let log = std::fs::read(dir.path().join("device.db-wal")).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for cut in (0..=log.len()).step_by(1_021).chain([log.len()]) {
        let after = tempfile::tempdir().unwrap();
        std::fs::copy(&path, after.path().join("device.db")).unwrap();
        std::fs::write(after.path().join("device.db-wal"), &log[..cut]).unwrap();
        let read = open(&after.path().join("device.db"))
            .unwrap()
            .load()
            .unwrap();
        let whole = states.iter().position(|state| *state == read);
        seen.insert(whole.unwrap_or_else(|| panic!("a partial write after a cut at {cut}")));
    }
    assert!(
        seen.contains(&0) && seen.contains(&6) && seen.len() > 3,
        "{seen:?}"
    );
}

/// Everything that tidying removes is gone or there as a whole, wherever the log is cut.
#[test]
fn a_log_cut_at_any_byte_while_tidying_gives_the_state_after_a_whole_step() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("device.db");
    let mut memory = State::default();
    let queued: Vec<_> = (1..=60)
        .map(|seq| StoreOp::PutCommand(command(seq)))
        .collect();
    open(&path).unwrap().apply(&queued).unwrap();
    memory.apply(&queued);
    let mut store = open(&path).unwrap();
    let mut states = vec![memory.clone()];
    for step in 0..5 {
        let mut ops: Vec<_> = (1..=10)
            .map(|n| StoreOp::DeleteCommand(step * 10 + n))
            .collect();
        ops.push(StoreOp::ReleaseSpace { pages: 100 });
        store.apply(&ops).unwrap();
        memory.apply(&ops);
        states.push(memory.clone());
    }
    let log = std::fs::read(dir.path().join("device.db-wal")).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for cut in (0..=log.len()).step_by(997).chain([log.len()]) {
        let after = tempfile::tempdir().unwrap();
        std::fs::copy(&path, after.path().join("device.db")).unwrap();
        std::fs::write(after.path().join("device.db-wal"), &log[..cut]).unwrap();
        let read = open(&after.path().join("device.db"))
            .unwrap()
            .load()
            .unwrap();
        let whole = states.iter().position(|state| *state == read);
        seen.insert(whole.unwrap_or_else(|| panic!("a partial step after a cut at {cut}")));
    }
    assert!(seen.contains(&0) && seen.contains(&5), "{seen:?}");
}

fn large(seq: i64) -> StoreOp {
    let mut large = command(seq);
    large.envelope.payload = Bytes(vec![7; 20_000]);
    StoreOp::PutCommand(large)
}

fn shrinks(path: &Path) {
    let ops: Vec<_> = (1..=50).map(large).collect();
    open(path).unwrap().apply(&ops).unwrap();
    let before = std::fs::metadata(path).unwrap().len();
    let mut ops: Vec<_> = (1..50).map(StoreOp::DeleteCommand).collect();
    ops.push(StoreOp::ReleaseSpace { pages: 100 });
    let mut store = open(path).unwrap();
    store.apply(&ops).unwrap();
    drop(store);
    let once = std::fs::metadata(path).unwrap().len();
    assert!(once + 50 * 4_096 < before, "{before} {once}: in steps");
    assert!(once > before / 2, "{before} {once}: no more than was asked");
    let rest = [StoreOp::ReleaseSpace { pages: 1_000 }];
    open(path).unwrap().apply(&rest).unwrap();
    let after = std::fs::metadata(path).unwrap().len();
    assert!(after < before / 5, "{before} {after}");
}

#[test]
fn space_goes_back_to_the_file_system_in_steps() {
    let dir = tempfile::tempdir().unwrap();
    shrinks(&dir.path().join("device.db"));
}

#[test]
fn a_file_that_does_not_shrink_keeps_its_work_and_learns_to() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("device.db");
    let mut conn = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
    conn.batch_execute("PRAGMA journal_mode = WAL").unwrap();
    conn.run_pending_migrations(MIGRATIONS).unwrap();
    drop(conn);
    open(&path)
        .unwrap()
        .apply(&[StoreOp::PutCommand(command(99))])
        .unwrap();
    assert_eq!(open(&path).unwrap().load().unwrap().commands.len(), 1);
    shrinks(&path);
}
