//! Lists enter an index on both databases, whatever is asked: their cost follows from the page.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use diesel::prelude::*;
use diesel::sql_types::Text;
use hazardloop_domain::command::Grade;
use hazardloop_domain::enterprise::{OperatingStatus, RiskLevel, SizeClass};
use hazardloop_domain::hazard::StatusName;
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, PersonId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};
use hazardloop_tests::each_database;
use uuid::Uuid;

use super::enterprise_rows::{self, TraitFilter};
use super::hazard_lists::{self, Order, Span};
use super::lists::{self, HazardFilter, Key};
use super::people::{self, OfWhom, PeopleList, View};
use super::test_support::{opened, statements};
use super::{
    Conn, Db, Position, StoreError, access, audit, enterprises, events, feed, hazards, installs,
    jurisdictions, search, sessions,
};

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
                // A plan for any parameters.
                let mut parameters = 0;
                while statement.contains(&format!("${}", parameters + 1)) {
                    parameters += 1;
                }
                let nulls = vec!["NULL"; parameters].join(", ");
                for setup in [
                    "SET LOCAL plan_cache_mode = force_generic_plan".to_owned(),
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

/// The statements of `work`, each with its plan; none walks a table.
fn walk_no_table(
    db: &Db,
    work: impl Fn(&mut Conn) -> Result<(), StoreError>,
) -> Vec<(String, String)> {
    let statements = statements(db, work);
    assert!(!statements.is_empty(), "nothing was asked");
    let planned = statements.into_iter().map(|statement| {
        let plan = plan(db, &statement);
        // What a subquery has found in an index, and cut off, is gone through.
        let plan = plan.replace("SCAN part", "");
        let walks = ["Seq Scan", "SCAN "].iter().any(|walk| plan.contains(walk));
        assert!(!walks, "{statement}\n{plan}");
        (statement, plan)
    });
    planned.collect()
}

/// Every statement of `work` enters the index `index`, walks no table and sorts nothing.
fn enters(db: &Db, index: &str, work: impl Fn(&mut Conn) -> Result<(), StoreError>) {
    for (statement, plan) in walk_no_table(db, work) {
        let sorts = ["TEMP B-TREE", "Sort Key"]
            .iter()
            .any(|sort| plan.contains(sort));
        assert!(!sorts, "{statement}\n{plan}");
        // The primary key of PostgreSQL has a name, that of SQLite only a prefix.
        let of_sqlite = ["sqlite_autoindex", "USING PRIMARY KEY"];
        let entered = plan.contains(index) || of_sqlite.iter().any(|key| plan.contains(key));
        assert!(entered, "{statement}\n{plan}");
    }
}

/// Rows of every large table.
const ROWS: u32 = 20_000;

/// As many rows as let both databases tell a good index from a bad one, with their statistics.
/// `{i}` counts, `{id}` is an id made of it, `{one}` that of the first row, `{tx}` a transaction.
const FILL: [&str; 17] = [
    "INSERT INTO jurisdictions (id, name, level, path, version, record) \
     SELECT {id}, 'x', 'town', 'root/' || {i} || '/', 1, {id} FROM {counted}",
    "INSERT INTO enterprises (id, name, jurisdiction_id, district_code, sector, cell, created_at, \
     version, record) SELECT {id}, 'x', {id}, 'x', 'x', {i}, {i}, 1, {id} FROM {counted}",
    "INSERT INTO people (id, login, name, password_hash, created_at, version) \
     SELECT {id}, 'p' || {i}, 'x', '-', {i}, 1 FROM {counted}",
    "INSERT INTO grants (id, person_id, role, enterprise_id, valid_from) \
     SELECT {id}, {id}, 'employee', {id}, 0 FROM {counted}",
    "INSERT INTO installs (id, person_id, device_name, key_algorithm, public_key, enrolled_at, \
     last_seq, last_hash) SELECT {id}, {id}, 'x', 1, {id}, 0, 0, {id} FROM {counted}",
    "INSERT INTO sessions (id, person_id, created_at, last_used_at) \
     SELECT {id}, {id}, {i}, {i} FROM {counted}",
    "INSERT INTO hazards (id, hazard_no, jurisdiction_id, district_code, grade, status, source, \
     cell, received_at, updated_at, version, head_hash, record, criterion, reported_by) \
     SELECT {id}, 'n' || {i}, {one}, 'x', 'x', 'x', 'x', {i}, {i}, {i}, 1, {id}, {id}, \
     'c' || ({i} % 50), {one} FROM {counted}",
    "INSERT INTO hazard_lists (scope, sorted_by, status, grade, at, hazard_id) \
     SELECT {one}, {i} % 2, 'reported', 'general', {i}, {id} FROM {counted}",
    "INSERT INTO search_pending (hazard_id, received_at, stamp) SELECT {id}, {i}, 1 FROM {counted}",
    "INSERT INTO search_documents (document, hazard_id, received_at, bound_at) \
     SELECT {i}, {id}, {i}, {i} FROM {counted}",
    "INSERT INTO search_terms (term, segment, documents) \
     SELECT {i} / 10, {i} % 10, {id} FROM {counted}",
    "INSERT INTO search_segments (segment, oldest_at) SELECT {i}, {i} FROM {counted}",
    "INSERT INTO photo_references (subject_id, subject_kind, sha256, named_by, named_at, state) \
     SELECT {id}, 'hazard', {id}, {id}, 0, 'awaiting_photo' FROM {counted}",
    "INSERT INTO events (tx, ordinal, subject_kind, subject_id, subject_seq, kind, recorded_at, \
     body, hash_algorithm, previous_hash, hash) \
     SELECT {tx}, {i}, 'x', {id}, 1, 'x', 0, {id}, 1, {id}, {id} FROM {counted}",
    "INSERT INTO audit_chain (position, tx, ordinal, subject_id, subject_seq, event_hash, \
     hash_algorithm, chain_hash) SELECT {i}, {tx}, {i}, {id}, 1, {id}, 1, {id} FROM {counted}",
    "INSERT INTO scope_rows (scope, record_kind, record_id, present, version, digest_high, \
     digest_low, created_at, tx, ordinal) \
     SELECT 'jurisdiction:' || ({i} % 4), 0, {id}, true, 1, 0, 0, {i}, {tx}, {i} FROM {counted}",
    "INSERT INTO enterprise_rows (scope, enterprise_id, created_at, sector, status, risk_level, \
     size_class) SELECT 'jurisdiction:' || ({i} % 4), {id}, {i}, 's' || ({i} % 20), \
     't' || ({i} % 4), 'r' || ({i} % 5), 'c' || ({i} % 3) FROM {counted}",
];

fn fill(db: &Db) {
    db.write_blocking(|tx| {
        let postgres = matches!(tx.conn(), Conn::Postgres(_));
        let (id, one, counted) = if postgres {
            let counted = format!("generate_series(1, {ROWS}) AS counted(i)");
            (
                "decode(md5(i::text), 'hex')",
                "decode(md5('1'), 'hex')",
                counted,
            )
        } else {
            let counted = format!(
                "(WITH RECURSIVE counted(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM counted \
                 WHERE i < {ROWS}) SELECT i FROM counted)"
            );
            // Spread as hashes are.
            (
                "CAST(printf('%08x%08x', i * 2654435761 % 4294967296, i) AS BLOB)",
                "CAST(printf('%08x%08x', 2654435761, 1) AS BLOB)",
                counted,
            )
        };
        for statement in FILL {
            let statement = statement
                .replace("{counted}", &counted)
                .replace("{id}", id)
                .replace("{one}", one)
                // Numbers of transactions that every cluster has passed when it is made.
                .replace("{tx}", "({i} % 500)")
                .replace("{i}", "i");
            diesel::sql_query(statement).execute(tx.conn())?;
        }
        diesel::sql_query("ANALYZE").execute(tx.conn())?;
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
        enters(&db, "people_pkey", |conn| {
            lists::names_of_people(conn, &[vec![1; 16]]).map(drop)
        });
        enters(&db, "people_pkey", |conn| {
            people::all(conn, None, 10).map(drop)
        });
        walk_no_table(&db, |conn| {
            hazards::photos_missing_from(conn, &[1; 16], 10).map(drop)
        });
        let (firm, place) = (EnterpriseId(ids[0]), JurisdictionId(ids[1]));
        for after in [None, Some(key)] {
            enters(&db, "hazards_by_enterprise", |conn| {
                enterprises::hazards_elsewhere(conn, firm, place, after, 10).map(drop)
            });
        }
    });
}

/// Each bucket is read off the primary key, in order, and cut off there: what a page costs follows from its length.
#[test]
fn lists_by_state_and_grade_read_what_they_show() {
    each_database(|url| {
        let db = opened(url);
        fill(&db);
        let scope = Scope::Jurisdiction(JurisdictionId(Uuid::from_u128(1)));
        let key = Some(Key {
            at: 1,
            id: Uuid::from_u128(3),
        });
        let all: Vec<_> = StatusName::EXISTING
            .iter()
            .flat_map(|status| Grade::ALL.iter().map(|grade| (*status, *grade)))
            .collect();
        let spans = [Span::ALL, Span { from: 1, until: 9 }];
        for (order, span) in [Order::Newest, Order::Due].into_iter().zip(spans) {
            for buckets in [&all[..1], &all[..3], &all] {
                let wanted = hazard_lists::Wanted {
                    scope: &scope,
                    order,
                    buckets,
                    span,
                };
                enters(&db, "hazard_lists_pkey", |conn| {
                    wanted.page(conn, None, 10).map(drop)
                });
                enters(&db, "hazard_lists_pkey", |conn| {
                    wanted.page(conn, key, 10).map(drop)
                });
                enters(&db, "hazard_lists_pkey", |conn| {
                    wanted.count(conn, 10).map(drop)
                });
            }
        }
        for before in [None, key] {
            enters(&db, "hazards_by_reporter", |conn| {
                lists::reported_by(conn, &[1; 16], before, 10).map(drop)
            });
            enters(&db, "hazards_by_criterion", |conn| {
                lists::of_criterion(conn, "c1", before, 10).map(drop)
            });
        }
        let ids = [Uuid::from_u128(4), Uuid::from_u128(5)];
        enters(&db, "hazards_pkey", |conn| {
            lists::times(conn, &ids).map(drop)
        });
        enters(&db, "enterprises_pkey", |conn| {
            lists::enterprise_names(conn, &ids).map(drop)
        });
    });
}

/// A change finds the rows that it moves by their key.
#[test]
fn changes_of_lists_find_their_rows() {
    each_database(|url| {
        let db = opened(url);
        fill(&db);
        let postgres =
            db.read_blocking(|tx| Ok::<_, StoreError>(matches!(tx.conn(), Conn::Postgres(_))));
        let numbered = |sql: &str| {
            let mut number = 0;
            let parts: Vec<String> = sql
                .split('?')
                .map(|part| {
                    number += 1;
                    format!("{part}${number}")
                })
                .collect();
            let sql = parts.concat();
            sql.trim_end_matches(&format!("${number}")).to_owned()
        };
        let those = "WHERE scope IN (?, ?, ?) AND sorted_by = ? AND status = ? AND grade = ? \
                     AND at = ? AND hazard_id = ?";
        for (index, sql) in [
            (
                "hazard_lists_pkey",
                format!("DELETE FROM hazard_lists {those}"),
            ),
            (
                "hazard_lists_pkey",
                format!("UPDATE hazard_lists SET status = 'closed' {those}"),
            ),
            (
                "search_pending_pkey",
                "DELETE FROM search_pending WHERE hazard_id = ? AND stamp = ?".to_owned(),
            ),
            (
                "hazards_by_enterprise",
                "INSERT INTO search_pending (hazard_id, received_at, stamp) \
                 SELECT id, received_at, 1 FROM hazards WHERE enterprise_id = ?"
                    .to_owned(),
            ),
        ] {
            let sql = if *postgres.as_ref().unwrap() {
                numbered(&sql)
            } else {
                sql
            };
            let plan = plan(&db, &sql);
            let of_sqlite = ["sqlite_autoindex", "USING PRIMARY KEY"];
            let entered = plan.contains(index) || of_sqlite.iter().any(|key| plan.contains(key));
            assert!(entered && !plan.contains("Seq Scan"), "{sql}\n{plan}");
        }
    });
}

/// A search reads a row for each term and segment, and the documents that are left.
#[test]
fn the_text_index_is_entered_by_its_keys() {
    each_database(|url| {
        let db = opened(url);
        fill(&db);
        let key = Some(Key {
            at: 1,
            id: Uuid::from_u128(3),
        });
        for after in [None, key] {
            enters(&db, "search_pending_by_age", |conn| {
                search::waiting(conn, after, 10).map(drop)
            });
        }
        enters(&db, "search_pending_by_age", |conn| {
            search::oldest_waiting(conn, 10).map(drop)
        });
        for terms in [&[1][..], &[1, 2, 3, 4, 5, 6, 7]] {
            enters(&db, "search_terms_pkey", |conn| {
                search::newest_of(conn, terms).map(drop)
            });
            enters(&db, "search_terms_pkey", |conn| {
                search::of_segments(conn, terms, &[1, 2]).map(drop)
            });
        }
        enters(&db, "search_terms_pkey", |conn| {
            search::segments_of(conn, 1, 7, 10).map(drop)
        });
        walk_no_table(&db, |conn| {
            search::reaching_back_to(conn, &[1, 2], 7).map(drop)
        });
        enters(&db, "search_documents_pkey", |conn| {
            search::documents(conn, &[1, 2]).map(drop)
        });
    });
}

#[test]
fn every_filter_of_the_list_of_enterprises_enters_an_index_of_its_own() {
    each_database(|url| {
        let db = opened(url);
        fill(&db);
        let scopes = [Scope::Jurisdiction(JurisdictionId(Uuid::from_u128(1)))];
        let none = TraitFilter::default;
        let filters = [
            (
                "enterprise_rows_by_sector",
                TraitFilter {
                    sector: Some("工贸".to_owned()),
                    ..none()
                },
            ),
            (
                "enterprise_rows_by_status",
                TraitFilter {
                    status: Some(OperatingStatus::Suspended),
                    ..none()
                },
            ),
            (
                "enterprise_rows_by_risk",
                TraitFilter {
                    risk_level: Some(RiskLevel::Red),
                    ..none()
                },
            ),
            (
                "enterprise_rows_by_size",
                TraitFilter {
                    size_class: Some(SizeClass::SmallMicro),
                    ..none()
                },
            ),
        ];
        let key = Key {
            at: 1,
            id: Uuid::from_u128(3),
        };
        let together = TraitFilter {
            sector: Some("工贸".to_owned()),
            status: Some(OperatingStatus::Operating),
            risk_level: Some(RiskLevel::Blue),
            size_class: Some(SizeClass::AboveScale),
        };
        for before in [None, Some(key)] {
            for (index, filter) in &filters {
                enters(&db, index, |conn| {
                    enterprise_rows::newest_first(conn, &scopes, filter, before, 10).map(drop)
                });
            }
            // Whichever of them is best; few are left, and may be put in order.
            let planned = walk_no_table(&db, |conn| {
                enterprise_rows::newest_first(conn, &scopes, &together, before, 10).map(drop)
            });
            assert!(planned[0].1.contains("enterprise_rows_by_"), "{planned:?}");
        }
    });
}

/// People and devices are found by what they hold: the places by their path or parent, the grants
/// by place, and the people by their grants. Only the page itself is put in order. Asked of empty
/// tables: what is filled in elsewhere has no grants over jurisdictions.
#[test]
fn lists_of_people_and_devices_walk_no_table() {
    each_database(|url| {
        let db = opened(url);
        let view = View {
            person_id: PersonId(Uuid::from_u128(1)),
            paths: vec!["root/7/".to_owned()],
            enterprises: vec![EnterpriseId(Uuid::from_u128(2))],
        };
        let list = |of_whom| PeopleList {
            view: &view,
            of_whom,
            now: Timestamp::from_millis(1),
            after: Vec::new(),
            limit: 10,
        };
        let all = walk_no_table(&db, |conn| {
            for of_whom in [OfWhom::HoldsARole, OfWhom::HeldARole] {
                people::in_view(conn, &list(of_whom))?;
                installs::in_view(conn, &list(of_whom))?;
            }
            Ok(())
        });
        assert_eq!(all.len(), 2 * 4 + 2 * 3);
        for (statement, plan) in all {
            let by_path = !statement.contains("path")
                || plan.contains("jurisdictions_path_key")
                || plan.contains("sqlite_autoindex_jurisdictions");
            assert!(by_path, "{statement}\n{plan}");
            let by_grant = !statement.contains("grants") || plan.contains("grants_by_");
            assert!(by_grant, "{statement}\n{plan}");
        }
    });
}

#[test]
fn what_servers_and_devices_ask_again_and_again_walks_no_table() {
    each_database(|url| {
        let db = opened(url);
        fill(&db);
        let now = Timestamp::from_millis(1);
        let me = PersonId(Uuid::from_u128(1));
        let scope = Scope::Jurisdiction(JurisdictionId(Uuid::from_u128(1)));
        enters(&db, "scope_rows_in_order", |conn| {
            feed::changes(conn, scope, Position::START, 100, 10).map(drop)
        });
        enters(&db, "scope_rows_in_order", |conn| {
            feed::newest(conn, scope, 100).map(drop)
        });
        enters(&db, "events_pkey", |conn| {
            events::in_commit_order(conn, Position::START, 100, 10).map(drop)
        });
        enters(&db, "events_subject_id_subject_seq_key", |conn| {
            events::by_subject(conn, &(vec![1; 16], 1), 10).map(drop)
        });
        enters(&db, "audit_chain_pkey", |conn| {
            audit::links(conn, 7, 10).map(drop)
        });
        enters(&db, "sessions_by_end", |conn| {
            sessions::revoked_after(conn, now).map(drop)
        });
        enters(&db, "installs_by_end", |conn| {
            installs::revoked_after(conn, now).map(drop)
        });
        walk_no_table(&db, |conn| access::grants_of(conn, me).map(drop));
    });
}
