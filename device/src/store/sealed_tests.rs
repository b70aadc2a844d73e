//! What somebody with the file and without the key can read or do, and what sealing costs.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use hazardloop_sync_protocol::device::*;
use hazardloop_sync_protocol::wire::*;
use rand::SeedableRng as _;
use uuid::Uuid;

use super::tests::{command, key, member, open, record, scope};
use super::*;

#[test]
fn a_damaged_replica_is_fetched_anew_and_the_queue_stays() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("device.db");
    let ops = [
        StoreOp::PutCommand(command(1)),
        StoreOp::PutRow(record(1, 2)),
        member(1, 2),
        StoreOp::PutScope(scope(1), ScopeState::default()),
    ];
    for damage in [
        "UPDATE sealed SET body = x'00' WHERE tbl = 5",
        "UPDATE sealed SET body = substr(body, 2) WHERE tbl = 6",
        "DELETE FROM sealed WHERE tbl = 5",
    ] {
        let mut store = open(&path).unwrap();
        store.apply(&ops).unwrap();
        store.conn.batch_execute(damage).unwrap();
        drop(store);
        for _ in 0..2 {
            let state = open(&path).unwrap().load().unwrap();
            assert_eq!(state.commands.len(), 1, "{damage}");
            assert!(state.rows.is_empty() && state.scopes.is_empty(), "{damage}");
        }
    }
}

/// A first pull stages tens of thousands of rows, and of two changes of one the later counts.
#[test]
fn what_comes_together_is_staged_in_few_boxes_and_read_back_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("device.db");
    let stage = |of: u128, n: u128, record: Option<Record>| StoreOp::Stage {
        scope: scope(of),
        key: (RecordKind::Hazard, Uuid::from_u128(n)),
        record,
    };
    let staged = |n: u128, version: i64| stage(1, n, Some(record(n, version)));
    let first: Vec<_> = (1..=600).map(|n| staged(n, 1)).collect();
    let mixed = [
        staged(7, 2),
        stage(1, 8, None),
        stage(2, 9, Some(record(9, 1))),
        staged(7, 3),
    ];
    let mut memory = State::default();
    for ops in [&first[..], &mixed[..]] {
        let mut store = open(&path).unwrap();
        store.apply(ops).unwrap();
        memory.apply(ops);
        drop(store);
        assert_eq!(open(&path).unwrap().load().unwrap(), memory);
    }
    let mut store = open(&path).unwrap();
    assert_eq!(boxes_staged(&mut store), 3 + 3);
    store.apply(&[StoreOp::ClearStaged(scope(1))]).unwrap();
    memory.apply(&[StoreOp::ClearStaged(scope(1))]);
    assert_eq!(boxes_staged(&mut store), 1);
    drop(store);
    assert_eq!(open(&path).unwrap().load().unwrap(), memory);
}

fn boxes_staged(store: &mut Store) -> i64 {
    #[derive(QueryableByName)]
    struct Counted {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        boxes: i64,
    }
    let counted = diesel::sql_query("SELECT COUNT(*) AS boxes FROM sealed WHERE tbl = 7");
    counted
        .get_result::<Counted>(&mut store.conn)
        .unwrap()
        .boxes
}

/// A phone that gets this build in the middle of a first pull goes on: its table was by name, its changes each in a box.
#[test]
fn what_an_earlier_build_wrote_is_read_and_lies_in_order_from_then_on() {
    #[derive(minicbor::Encode)]
    #[cbor(map)]
    struct Alone {
        #[n(0)]
        scope: Scope,
        #[n(1)]
        kind: i32,
        #[n(2)]
        id: Bytes,
        #[n(3)]
        record: Option<Record>,
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("device.db");
    let ops = [
        StoreOp::PutCommand(command(1)),
        StoreOp::PutRow(record(1, 2)),
    ];
    let mut memory = State::default();
    let mut store = open(&path).unwrap();
    store.apply(&ops).unwrap();
    memory.apply(&ops);
    let alone = Alone {
        scope: scope(1),
        kind: RecordKind::Hazard.number(),
        id: Bytes(Uuid::from_u128(9).as_bytes().to_vec()),
        record: Some(record(9, 4)),
    };
    let mut rows = sealed::Rows::begin(&mut store.conn, &mut store.sealer).unwrap();
    let place = sealed::Place::within(sealed::Table::Staged, b"one", b"nine");
    rows.put(place, &alone).unwrap();
    rows.finish().unwrap();
    memory.apply(&[StoreOp::Stage {
        scope: scope(1),
        key: (RecordKind::Hazard, Uuid::from_u128(9)),
        record: Some(record(9, 4)),
    }]);
    store.conn.revert_last_migration(MIGRATIONS).unwrap();
    drop(store);
    assert_eq!(open(&path).unwrap().load().unwrap(), memory);
}

/// Statements are planned once: the library may plan one anew for each other value of its LIMIT.
#[test]
fn plans_do_not_depend_on_values() {
    #[derive(QueryableByName)]
    struct Built {
        #[diesel(sql_type = diesel::sql_types::Text)]
        compile_options: String,
    }
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("device.db")).unwrap();
    let built = diesel::sql_query("SELECT compile_options FROM pragma_compile_options");
    let built: Vec<Built> = built.load(&mut store.conn).unwrap();
    assert!(built.iter().any(|it| it.compile_options == "ENABLE_QPSG"));
}

/// What somebody with the file could do to the person's work without the key.
#[test]
fn a_row_of_the_queue_that_is_changed_exchanged_removed_or_put_back_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("device.db");
    let fresh = || {
        drop(std::fs::remove_file(&path));
        let mut store = open(&path).unwrap();
        let queued: Vec<_> = (1..=3).map(|n| StoreOp::PutCommand(command(n))).collect();
        store.apply(&queued).unwrap();
        store
            .conn
            .batch_execute("CREATE TABLE kept AS SELECT * FROM sealed WHERE tbl = 3")
            .unwrap();
        let settled = StoreOp::SettleCommand {
            seq: 2,
            receipt: None,
            awaiting_pull: true,
        };
        store.apply(&[settled, StoreOp::DeleteCommand(3)]).unwrap();
        assert_eq!(store.load().unwrap().commands.len(), 2);
        store
    };
    drop(fresh());
    for (what, sql) in [
        (
            "changed",
            "UPDATE sealed SET body = substr(body, 1, length(body) - 1) || x'00' WHERE tbl = 3",
        ),
        (
            "exchanged",
            "UPDATE sealed SET (nonce, body) = (SELECT nonce, body FROM sealed s WHERE \
            s.tbl = 3 AND s.seq = 1) WHERE tbl = 3 AND seq = 2",
        ),
        (
            "another sequence",
            "UPDATE sealed SET seq = 9 WHERE tbl = 3 AND seq = 2",
        ),
        (
            "another table",
            "UPDATE sealed SET tbl = 8 WHERE tbl = 3 AND seq = 2",
        ),
        ("removed", "DELETE FROM sealed WHERE tbl = 3 AND seq = 2"),
        (
            "rolled back",
            "REPLACE INTO sealed SELECT * FROM kept WHERE seq = 2",
        ),
        (
            "deleted, put back",
            "INSERT INTO sealed SELECT * FROM kept WHERE seq = 3",
        ),
    ] {
        let mut store = fresh();
        store.conn.batch_execute(sql).unwrap();
        let error = store.load().unwrap_err();
        let noticed = matches!(error, StoreError::Altered | StoreError::Damaged(_));
        assert!(noticed, "{what}: {error}");
        // Nor does another write make it good.
        drop(store.apply(&[StoreOp::PutCommand(command(7))]));
        assert!(open(&path).unwrap().load().is_err(), "{what}");
    }
}

#[test]
fn another_persons_key_opens_nothing_and_no_text_is_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("device.db");
    let mut told = command(1);
    told.envelope.payload = Bytes("配电箱无门 kept secret".as_bytes().to_vec());
    let mut row = record(1, 2);
    row.body = Bytes("一号车间 kept secret".as_bytes().to_vec());
    let ops = [
        StoreOp::PutCommand(told),
        StoreOp::PutRow(row),
        member(1, 2),
    ];
    let mut store = open(&path).unwrap();
    store.apply(&ops).unwrap();
    let foreign = Store::open(&path, &key(2), StdRng::seed_from_u64(1));
    assert!(foreign.unwrap().load().is_err());
    let mut foreign = Store::open(&path, &key(2), StdRng::seed_from_u64(1)).unwrap();
    assert!(foreign.apply(&ops).is_err(), "nor does it write there");
    drop(foreign);
    assert_eq!(store.load().unwrap().commands.len(), 1);
    drop(store);
    for file in std::fs::read_dir(dir.path()).unwrap().flatten() {
        let bytes = std::fs::read(file.path()).unwrap();
        let id = *Uuid::from_u128(1).as_bytes();
        for secret in [b"kept secret".as_slice(), "enterprise".as_bytes(), &id] {
            let found = bytes.windows(secret.len()).any(|part| part == secret);
            assert!(!found, "{:?} in {:?}", secret, file.file_name());
        }
    }
}

/// `cargo test -p hazardloop-device --lib -- --ignored --nocapture ten_thousand`
#[test]
#[ignore = "a measurement, not a test"]
#[allow(clippy::disallowed_methods, reason = "a stopwatch")]
fn what_ten_thousand_rows_cost_in_clear_and_sealed() {
    use std::time::Instant;
    let dir = tempfile::tempdir().unwrap();
    let (clear, sealed) = (dir.path().join("clear.db"), dir.path().join("sealed.db"));
    let mut ops: Vec<StoreOp> = (1..=500).map(|n| StoreOp::PutCommand(command(n))).collect();
    for n in 1..=10_000 {
        let mut row = record(n, 1);
        row.body = Bytes(vec![n as u8; 400]);
        ops.extend([StoreOp::PutRow(row), member(n, 1)]);
    }
    plain_writes::database(&clear, &ops, None);
    let began = Instant::now();
    open(&sealed).unwrap().apply(&ops).unwrap();
    let written = began.elapsed();
    let began = Instant::now();
    let (ops, _) = plain::read(&clear).unwrap();
    let mut state = State::default();
    state.apply(&ops);
    state.recompute_held();
    let in_clear = began.elapsed();
    let began = Instant::now();
    assert_eq!(open(&sealed).unwrap().load().unwrap(), state);
    let opened = began.elapsed();
    let began = Instant::now();
    let one = [StoreOp::PutCommand(command(501))];
    open(&sealed).unwrap().apply(&one).unwrap();
    let queued = began.elapsed();
    let size = |path: &Path| std::fs::metadata(path).unwrap().len();
    println!(
        "clear: read {in_clear:?}, {} bytes; sealed: written {written:?}, read {opened:?}, \
         opened and one queued {queued:?}, {} bytes",
        size(&clear),
        size(&sealed)
    );
}
