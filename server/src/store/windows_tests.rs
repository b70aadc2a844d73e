//! Keeping the windows costs what it changes: every statement enters an index, whatever else the table holds.

use crate::store::test_support::each_database;
use diesel::prelude::*;
use diesel::sql_types::{Binary, Integer};
use hazardloop_domain::ids::JurisdictionId;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::hub::FirstPlace;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};
use uuid::Uuid;

use super::feed;
use super::plan_support::{enters, fill_with, walk_no_table};
use super::schema::scope_rows;
use super::test_support::{opened, statements};
use super::windows::{self, Bound, WindowKind};
use super::{Position, StoreError};

/// Many rows, of which some came to their end, some of them are left out, and few are to be weighed.
const ROWS: [&str; 1] = [
    "INSERT INTO scope_rows (scope, record_kind, record_id, present, version, digest_high, digest_low, \
     created_at, tx, ordinal, settled_at, bytes, window_no, aside, to_weigh) \
     SELECT 'jurisdiction:' || ({i} % 4), 1, {id}, true, 1, 0, 0, {i}, {tx}, {i}, \
     CASE {i} % 3 WHEN 0 THEN {i} END, 500, CASE {i} % 3 WHEN 0 THEN 1 + {i} % 7 ELSE 0 END, \
     CASE {i} % 3 WHEN 0 THEN {i} % 2 + {i} % 5 / 4 ELSE 0 END, {i} % 1000 = 0 FROM {counted}",
];

fn bound() -> Bound {
    Bound {
        kind: WindowKind::Town,
        begins: Timestamp::from_millis(9_000),
        bytes: 10_000,
    }
}

#[test]
fn first_reads_and_passes_enter_indexes_and_sort_nothing() {
    each_database(|url| {
        let db = opened(url);
        fill_with(&db, &ROWS);
        let scope = Scope::Jurisdiction(JurisdictionId(Uuid::from_u128(1)));
        enters(&db, "scope_rows_open", |conn| {
            // Full with open rows: nothing else is asked for.
            feed::first(conn, scope, Position::END, None, 0).map(drop)
        });
        let ended = FirstPlace {
            settled_at: Some(Timestamp::from_millis(7_000)),
            position: Position { tx: 9, ordinal: 9 },
        };
        enters(&db, "scope_rows_ended", |conn| {
            feed::first(conn, scope, Position::END, Some(ended), 10).map(drop)
        });
        enters(&db, "scope_rows_ended", |conn| {
            windows::left_out_until(conn, scope).map(drop)
        });
        enters(&db, "scope_rows_to_weigh", |conn| {
            windows::to_weigh(conn, "jurisdiction:").map(drop)
        });
        enters(&db, "scope_rows_pkey", |conn| {
            let id = Uuid::from_u128(1);
            windows::settled_at(conn, scope, RecordKind::Hazard, &id).map(drop)
        });
        walk_no_table(&db, |conn| feed::checkpoint(conn, scope).map(drop));
        // The rows that are to leave or to come, of one window over all scopes.
        enters(&db, "scope_rows_by_window", |conn| {
            windows::due(conn, &bound(), 10).map(drop)
        });
        enters(&db, "scope_rows_by_window", |conn| {
            let now = Timestamp::from_millis(i64::from(u32::MAX));
            windows::ahead(conn, WindowKind::Town, windows::HELD, now, 10).map(drop)
        });
        enters(&db, "scope_rows_ended", |conn| {
            windows::newest_out(conn, "jurisdiction:1").map(drop)
        });
        enters(&db, "scope_rows_ended", |conn| {
            windows::newest_held(conn, "jurisdiction:1", 10).map(drop)
        });
    });
}

/// As many statements for a row that leaves, and none more for those that stay.
#[test]
fn a_pass_writes_only_what_it_changes() {
    each_database(|url| {
        let db = opened(url);
        fill_with(&db, &ROWS);
        let nothing = Bound {
            kind: WindowKind::Reports,
            begins: Timestamp::from_millis(i64::MIN),
            ..bound()
        };
        let writes = |bound: Bound| -> Result<(usize, usize), StoreError> {
            db.write_blocking(move |tx| {
                let before = tx.next_ordinal();
                let turned = windows::by_age(tx, &bound, 50)?;
                let moved = tx.next_ordinal() - before - 1;
                Ok((turned, usize::try_from(moved).unwrap_or_default()))
            })
        };
        // Nothing is older than the window, and what had been left out comes to be weighed, unmoved.
        assert_eq!(writes(nothing), Ok((50, 0)));
        let (turned, moved) = writes(bound()).unwrap_or_default();
        assert_eq!((turned, moved), (50, 50), "a bounded part");
        assert!(!statements(&db, |conn| windows::due(conn, &bound(), 10).map(drop)).is_empty());
    });
}

#[test]
fn what_came_to_its_end_at_once_leaves_in_one_order() {
    each_database(|url| {
        let db = opened(url);
        let left = db.write_blocking(|tx| {
            for id in [2_u8, 3, 1] {
                let row = "INSERT INTO scope_rows (scope, record_kind, record_id, present, version, \
                    digest_high, digest_low, created_at, tx, ordinal, settled_at, bytes, window_no, \
                    aside, to_weigh) \
                    VALUES ('jurisdiction:1', 1, $1, true, 1, 0, 0, 1, 1, $2, 7000, 500, 5, 0, false)";
                let row = diesel::sql_query(row).bind::<Binary, _>(vec![id; 16]);
                row.bind::<Integer, _>(i32::from(id)).execute(tx.conn())?;
            }
            windows::by_age(tx, &bound(), 10)?;
            let in_order = scope_rows::table.order((scope_rows::tx, scope_rows::ordinal));
            let left = in_order.select(scope_rows::record_id);
            Ok::<_, StoreError>(left.load::<Vec<u8>>(tx.conn())?)
        });
        assert_eq!(left, Ok(vec![vec![1; 16], vec![2; 16], vec![3; 16]]));
    });
}

fn held_and_marked(db: &super::Db, scope: &'static str) -> (i64, i64, i64) {
    #[derive(diesel::QueryableByName)]
    struct Counts {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        held: i64,
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        oldest: i64,
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        marked: i64,
    }
    let sql = "SELECT COALESCE(SUM(CASE WHEN aside = 0 THEN 1 ELSE 0 END), 0) AS held, \
        COALESCE(MIN(CASE WHEN aside = 0 THEN settled_at END), 0) AS oldest, \
        COALESCE(SUM(CASE WHEN to_weigh THEN 1 ELSE 0 END), 0) AS marked \
        FROM scope_rows WHERE settled_at IS NOT NULL AND scope = $1";
    let counts: Result<Counts, StoreError> = db.read_blocking(|tx| {
        let query = diesel::sql_query(sql).bind::<diesel::sql_types::Text, _>(scope);
        Ok(diesel::RunQueryDsl::get_result(query, tx.conn())?)
    });
    let counts = counts.unwrap();
    (counts.held, counts.oldest, counts.marked)
}

/// A scope that is weighed for the first time may hold any number of rows, all of them marked.
#[test]
fn what_a_first_weighing_reads_and_writes_at_once_is_bounded() {
    each_database(|url| {
        let db = opened(url);
        fill_with(&db, &ROWS);
        let scope = "jurisdiction:1";
        let marked = db.write_blocking(move |tx| {
            // Before all that is written from here on.
            let sql = "UPDATE scope_rows SET tx = -1 WHERE scope = 'jurisdiction:1'";
            diesel::RunQueryDsl::execute(diesel::sql_query(sql), tx.conn())?;
            let sql = "UPDATE scope_rows SET to_weigh = TRUE, aside = 0 \
                WHERE scope = 'jurisdiction:1' AND settled_at IS NOT NULL";
            diesel::RunQueryDsl::execute(diesel::sql_query(sql), tx.conn())
                .map_err(StoreError::from)
        });
        let all = i64::try_from(marked.unwrap()).unwrap();
        assert!(all > 1_100, "more than is looked at first");
        let newest = db.read_blocking(|tx| windows::newest_held(tx.conn(), scope, 10));
        assert_eq!(newest.unwrap().bytes, 5_000, "of ten rows, and no more");
        // Twenty rows have room.
        let bound = Bound {
            begins: Timestamp::from_millis(i64::MIN),
            ..bound()
        };
        let mut lots = 0;
        loop {
            let (before, ..) = held_and_marked(&db, scope);
            let turned = db.write_blocking(move |tx| windows::weigh(tx, scope, Some(&bound), 200));
            let turned = i64::try_from(turned.unwrap()).unwrap();
            let (after, _, marked) = held_and_marked(&db, scope);
            assert_eq!(before - after, turned);
            assert!(turned <= 200);
            lots += 1;
            assert!(
                marked >= all - lots * 1_000,
                "so many marks in one transaction"
            );
            if turned < 200 {
                break;
            }
        }
        let (held, oldest, marked) = held_and_marked(&db, scope);
        assert_eq!((held, marked), (20, 0), "after {lots} lots");
        assert!(lots >= all / 200);
        let out = db.read_blocking(|tx| windows::newest_out(tx.conn(), scope));
        assert!(
            out.unwrap().is_some_and(|out| out < oldest),
            "the newest stay"
        );
    });
}

/// Of a million rows that came to their end in 100 scopes, 10,000 are still given out, and 200 are due.
const MILLION: &str = "INSERT INTO scope_rows (scope, record_kind, record_id, present, version, digest_high, \
    digest_low, created_at, tx, ordinal, settled_at, bytes, window_no, aside, to_weigh) \
    SELECT 'jurisdiction:' || (i % 100), 1, {id}, true, 1, 0, 0, i, 0, i, i, 500, 5, \
    CASE WHEN i > 990000 THEN 0 ELSE 1 END, false FROM {counted}";

#[test]
#[ignore = "a measurement, not a test"]
#[allow(clippy::disallowed_methods, reason = "it measures time")]
fn what_a_pass_and_a_first_read_cost_beside_a_million_rows() {
    each_database(|url| {
        let db = opened(url);
        // In parts: a statement has its longest time.
        for part in 0..20 {
            let filled = db.write_blocking(move |tx| {
                let (id, counted) = match tx.conn() {
                    super::Conn::Postgres(_) => (
                        "decode(md5(i::text), 'hex')",
                        "generate_series({from}, {to}) AS counted(i)",
                    ),
                    super::Conn::Sqlite(_) => (
                        "CAST(printf('%08x%08x', i * 2654435761 % 4294967296, i) AS BLOB)",
                        "(WITH RECURSIVE counted(i) AS (SELECT {from} UNION ALL SELECT i + 1 \
                         FROM counted WHERE i < {to}) SELECT i FROM counted)",
                    ),
                };
                let counted = counted
                    .replace("{from}", &(part * 50_000 + 1).to_string())
                    .replace("{to}", &((part + 1) * 50_000).to_string());
                let sql = MILLION.replace("{id}", id).replace("{counted}", &counted);
                diesel::RunQueryDsl::execute(diesel::sql_query(sql), tx.conn())
                    .map_err(StoreError::from)
            });
            assert_eq!(filled, Ok(50_000));
        }
        let analysed = db.write_blocking(|tx| {
            diesel::RunQueryDsl::execute(diesel::sql_query("ANALYZE"), tx.conn())
                .map_err(StoreError::from)
        });
        assert!(analysed.is_ok(), "{analysed:?}");
        let pass = |begins: i64| {
            let bound = Bound {
                begins: Timestamp::from_millis(begins),
                ..bound()
            };
            let turned = db.write_blocking(move |tx| windows::by_age(tx, &bound, 1_000));
            turned.map_err(|error| error.to_string())
        };
        // Twice: the first time pages of the disk are read.
        for (what, begins) in [("nothing", 990_001), ("nothing", 990_001), ("200", 990_201)] {
            let begun = std::time::Instant::now();
            let turned = pass(begins);
            println!("{what} due: {turned:?} turned in {:?}", begun.elapsed());
        }
        let scope = Scope::Jurisdiction(JurisdictionId(Uuid::from_u128(1)));
        let named =
            format!("UPDATE scope_rows SET scope = '{scope}' WHERE scope = 'jurisdiction:7'");
        let renamed = db.write_blocking(move |tx| {
            diesel::RunQueryDsl::execute(diesel::sql_query(named.as_str()), tx.conn())
                .map_err(StoreError::from)
        });
        assert_eq!(renamed, Ok(10_000));
        for _ in 0..2 {
            let begun = std::time::Instant::now();
            let first =
                db.read_blocking(|tx| feed::first(tx.conn(), scope, Position::END, None, 1_000));
            let rows = first.map(|rows| rows.len());
            println!(
                "first read: {rows:?} given out of 10,000 in {:?}",
                begun.elapsed()
            );
            let begun = std::time::Instant::now();
            let sum = db.read_blocking(|tx| feed::checkpoint(tx.conn(), scope));
            println!(
                "sum: {:?} in {:?}",
                sum.map(|sum| sum.count),
                begun.elapsed()
            );
        }
    });
}
