//! Lists enter an index on both databases, whatever is asked: their cost follows from the page.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::sync::{Arc, Mutex};

use diesel::connection::{Instrumentation, InstrumentationEvent};
use diesel::prelude::*;
use diesel::sql_types::Text;
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, PersonId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};
use hazardloop_tests::each_database;
use uuid::Uuid;

use super::lists::{self, HazardFilter, Key};
use super::people::{OfWhom, PeopleList, View};
use super::test_support::opened;
use super::{Conn, Db, StoreError, enterprises, events, installs, jurisdictions, people};

#[derive(QueryableByName)]
struct SqliteStep {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct PostgresLine {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

/// The statements that `work` runs.
fn statements(db: &Db, work: impl Fn(&mut Conn) -> Result<(), StoreError>) -> Vec<String> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    db.read_blocking(|tx| {
        let kept = seen.clone();
        let listen = move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                let text = query.to_string();
                let text = text.split("-- binds").next().unwrap().trim().to_owned();
                kept.lock().unwrap().push(text);
            }
        };
        let listen: Box<dyn Instrumentation> = Box::new(listen);
        tx.conn().set_instrumentation(listen);
        let done = work(tx.conn());
        tx.conn()
            .set_instrumentation(None::<Box<dyn Instrumentation>>);
        done
    })
    .unwrap();
    seen.lock().unwrap().clone()
}

/// How the database would run a statement, as text.
fn plan(db: &Db, statement: &str) -> String {
    db.read_blocking(|tx| {
        let lines = match tx.conn() {
            Conn::Sqlite(conn) => {
                let steps: Vec<SqliteStep> =
                    diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(conn)?;
                steps
                    .into_iter()
                    .map(|step| step.detail)
                    .collect::<Vec<_>>()
            }
            Conn::Postgres(conn) => {
                // A plan for any parameters, as if the tables were large.
                let mut parameters = 0;
                while statement.contains(&format!("${}", parameters + 1)) {
                    parameters += 1;
                }
                let nulls = vec!["NULL"; parameters].join(", ");
                for setup in [
                    "SET LOCAL enable_seqscan = off".to_owned(),
                    "SET LOCAL plan_cache_mode = force_generic_plan".to_owned(),
                    "DEALLOCATE ALL".to_owned(),
                    format!("PREPARE looked_at AS {statement}"),
                ] {
                    diesel::sql_query(setup).execute(conn)?;
                }
                let explain = format!("EXPLAIN EXECUTE looked_at({nulls})");
                let lines: Vec<PostgresLine> = diesel::sql_query(explain).load(conn)?;
                diesel::sql_query("DEALLOCATE looked_at").execute(conn)?;
                lines.into_iter().map(|line| line.line).collect()
            }
        };
        Ok::<_, StoreError>(lines.join("\n"))
    })
    .unwrap()
}

/// Every statement of `work` enters the index `index` and walks no table.
fn enters(db: &Db, index: &str, work: impl Fn(&mut Conn) -> Result<(), StoreError>) {
    let statements = statements(db, work);
    assert!(!statements.is_empty(), "nothing was asked");
    for statement in statements {
        let plan = plan(db, &statement);
        let walks = ["Seq Scan", "SCAN ", "TEMP B-TREE", "Sort Key"];
        assert!(
            !walks.iter().any(|walk| plan.contains(walk)),
            "{statement}\n{plan}"
        );
        // The primary key of PostgreSQL has a name, that of SQLite only a prefix.
        let entered = plan.contains(index) || plan.contains("sqlite_autoindex");
        assert!(entered, "{statement}\n{plan}");
    }
}

/// As many rows as let PostgreSQL tell a good index from a bad one.
fn fill(db: &Db) {
    db.write_blocking(|tx| {
        if let Conn::Postgres(conn) = tx.conn() {
            for statement in [
                "INSERT INTO scope_rows (scope, record_kind, record_id, present, version, \
                 digest_high, digest_low, created_at, tx, ordinal) \
                 SELECT 'jurisdiction:' || (i % 4), 0, decode(md5(i::text), 'hex'), true, 1, \
                 0, 0, i, i, 1 FROM generate_series(1, 20000) AS i",
                "ANALYZE scope_rows",
            ] {
                diesel::sql_query(statement).execute(conn)?;
            }
        }
        Ok::<_, StoreError>(())
    })
    .unwrap();
}

#[test]
fn lists_enter_an_index_and_walk_no_table() {
    each_database(|url| {
        let db = opened(url);
        fill(&db);
        let scopes = [
            Scope::Jurisdiction(JurisdictionId(Uuid::from_u128(1))),
            Scope::Enterprise(EnterpriseId(Uuid::from_u128(2))),
        ];
        let key = Key {
            at: 1,
            id: Uuid::from_u128(3),
        };
        let ids = [Uuid::from_u128(4), Uuid::from_u128(5)];
        for before in [None, Some(key)] {
            enters(&db, "scope_rows_by_age", |conn| {
                lists::newest_first(conn, &scopes, RecordKind::Hazard, before, 10).map(drop)
            });
        }
        enters(&db, "scope_rows_pkey", |conn| {
            lists::held_by(conn, &scopes, RecordKind::Hazard, &ids).map(drop)
        });
        enters(&db, "hazards_pkey", |conn| {
            lists::hazards_matching(conn, &ids, &HazardFilter::default()).map(drop)
        });
        enters(&db, "hazards_pkey", |conn| {
            lists::hazards(conn, &ids).map(drop)
        });
        enters(&db, "enterprises_pkey", |conn| {
            lists::enterprises(conn, &ids).map(drop)
        });
        enters(&db, "hazards_by_number", |conn| {
            lists::hazards_by_number(conn, "HZ-261122-0000007Z", 10).map(drop)
        });
        let ranges = [0..=10, 20..=30];
        enters(&db, "hazards_by_cell", |conn| {
            lists::hazards_in_cells(conn, &ranges, 10).map(drop)
        });
        enters(&db, "enterprises_by_cell", |conn| {
            lists::enterprises_in_cells(conn, &ranges, 10).map(drop)
        });
        enters(&db, "jurisdictions_path_key", |conn| {
            jurisdictions::list(conn, None, None, 10).map(drop)
        });
        enters(&db, "events_subject_id_subject_seq_key", |conn| {
            events::history(conn, &ids[0], 0, 10).map(drop)
        });
        let (firm, place) = (EnterpriseId(ids[0]), JurisdictionId(ids[1]));
        for after in [None, Some(key)] {
            enters(&db, "hazards_by_enterprise", |conn| {
                enterprises::hazards_elsewhere(conn, firm, place, after, 10).map(drop)
            });
        }
    });
}

/// People and devices are found by what they hold: the places by their path or parent, the grants
/// by place, and the people by their grants. Only the page itself is put in order.
#[test]
fn lists_of_people_and_devices_walk_no_table() {
    each_database(|url| {
        let db = opened(url);
        let view = View {
            person_id: PersonId(Uuid::from_u128(1)),
            paths: vec!["00000000000000000000000000000001/".to_owned()],
            enterprises: vec![EnterpriseId(Uuid::from_u128(2))],
        };
        let list = |of_whom| PeopleList {
            view: &view,
            of_whom,
            now: Timestamp::from_millis(1),
            after: Vec::new(),
            limit: 10,
        };
        let all = statements(&db, |conn| {
            for of_whom in [OfWhom::HoldsARole, OfWhom::HeldARole] {
                people::in_view(conn, &list(of_whom))?;
                installs::in_view(conn, &list(of_whom))?;
            }
            Ok(())
        });
        assert_eq!(all.len(), 2 * 4 + 2 * 3);
        for statement in all {
            let plan = plan(&db, &statement);
            let walks = ["Seq Scan", "SCAN "];
            assert!(
                !walks.iter().any(|walk| plan.contains(walk)),
                "{statement}\n{plan}"
            );
            let by_path = !statement.contains("path")
                || plan.contains("jurisdictions_path_key")
                || plan.contains("sqlite_autoindex_jurisdictions");
            assert!(by_path, "{statement}\n{plan}");
            let by_grant = !statement.contains("grants") || plan.contains("grants_by_");
            assert!(by_grant, "{statement}\n{plan}");
        }
    });
}
