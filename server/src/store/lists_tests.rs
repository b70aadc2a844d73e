//! Lists enter an index on both databases, whatever is asked: their cost follows from the page.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use crate::store::test_support::each_database;
use hazardloop_domain::command::Grade;
use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::enterprise::{OperatingStatus, RiskLevel, SizeClass};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::StatusName;
use hazardloop_domain::ids::{
    EnterpriseId, GrantId, InspectionId, InstallId, JurisdictionId, KeyId, PersonId,
};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::chain::seal;
use hazardloop_sync_protocol::wire::{Envelope, RecordKind, Scope};
use uuid::Uuid;

use super::enterprise_rows::{self, TraitFilter};
use super::hazard_lists::{self, Order, Span};
use super::lists::{self, HazardFilter, Key};
use super::people::{self, OfWhom, PeopleList, View};
use super::plan_support::{each_filled, enters, plan, walk_no_table};
use super::test_support::opened;
use super::{
    Conn, Position, StoreError, access, audit, command_photos, enterprises, events, feed,
    forgotten, hand_overs, hazards, installs, jurisdictions, person_keys, planned_members,
    quarantined, receipts, search, sessions,
};

#[test]
fn lists_enter_an_index_and_walk_no_table() {
    each_filled(|db| {
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
        enters(&db, "command_photos_missing", |conn| {
            command_photos::missing_from(conn, PersonId(ids[0]), 10).map(drop)
        });
        enters(&db, "command_photos_by_photo", |conn| {
            command_photos::naming(conn, Digest([1; 32]), 10).map(drop)
        });
        enters(&db, "hand_over_grants_ended_id_key", |conn| {
            hand_overs::handed_over(conn, &[GrantId(ids[0])]).map(drop)
        });
        enters(&db, "planned_members_pkey", |conn| {
            let after = Some(InspectionId(ids[1]));
            planned_members::inspections_of(conn, PersonId(ids[0]), after, 10).map(drop)
        });
        enters(&db, "pushed_commands_to_settle", |conn| {
            let after = SentCommand {
                install_id: InstallId(ids[0]),
                seq: 3,
            };
            quarantined::waiting(conn, Some(after), 10).map(drop)
        });
        let (firm, place) = (EnterpriseId(ids[0]), JurisdictionId(ids[1]));
        for after in [None, Some(key)] {
            enters(&db, "hazards_by_enterprise", |conn| {
                enterprises::hazards_elsewhere(conn, firm, place, after, 10).map(drop)
            });
            enters(&db, "hazards_by_enterprise", |conn| {
                enterprises::hazards_of_sector(conn, firm, "工贸", after, 10).map(drop)
            });
        }
    });
}

/// Each bucket is read off the primary key, in order, and cut off there: what a page costs follows from its length.
#[test]
fn lists_by_state_and_grade_read_what_they_show() {
    each_filled(|db| {
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
    each_filled(|db| {
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
    each_filled(|db| {
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
            // Neighbours, and such as lie far apart.
            for segments in [[1, 2], [1, 900]] {
                enters(&db, "search_terms_pkey", |conn| {
                    search::of_segments(conn, terms, &segments).map(drop)
                });
            }
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
    each_filled(|db| {
        let scopes = [Scope::Jurisdiction(JurisdictionId(Uuid::from_u128(1)))];
        let none = TraitFilter::default;
        let filters = [
            (
                "enterprise_rows_by_sector",
                TraitFilter {
                    sectors: vec!["工贸".to_owned()],
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
            sectors: vec!["工贸".to_owned()],
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
    each_filled(|db| {
        let now = Timestamp::from_millis(1);
        let me = PersonId(Uuid::from_u128(1));
        let scope = Scope::Jurisdiction(JurisdictionId(Uuid::from_u128(1)));
        enters(&db, "scope_rows_in_order", |conn| {
            feed::changes(conn, scope, Position::START, 100, 10).map(drop)
        });
        enters(&db, "scope_rows_in_order", |conn| {
            feed::newest(conn, scope, 100).map(drop)
        });
        let scopes = [scope, Scope::Catalog, Scope::OwnReports(me)];
        enters(&db, "scope_rows_in_order", |conn| {
            feed::ends_of(conn, &scopes).map(drop)
        });
        // An install, its person, their grants, and whether photos are missing: each by an index.
        walk_no_table(&db, |conn| {
            access::asking(conn, InstallId(Uuid::from_u128(1))).map(drop)
        });
        // Whoever sees what they handed in themselves and nothing else pulls along the same index.
        let own = Scope::OwnReports(me);
        enters(&db, "scope_rows_in_order", |conn| {
            feed::changes(conn, own, Position::START, 100, 10).map(drop)
        });
        enters(&db, "scope_rows_in_order", |conn| {
            feed::newest(conn, own, 100).map(drop)
        });
        // Most rows are no removals, and most cursors above every floor.
        let upto = Position {
            tx: 100,
            ordinal: 1,
        };
        enters(&db, "scope_rows_gone", |conn| {
            forgotten::oldest(conn, upto, 10).map(drop)
        });
        enters(&db, "scope_floors_by_place", |conn| {
            forgotten::any_above(conn, upto).map(drop)
        });
        enters(&db, "scope_floors_pkey", |conn| {
            forgotten::floor(conn, scope).map(drop)
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
        let key = KeyId(Uuid::from_u128(1));
        enters(&db, "person_keys_by_person", |conn| {
            person_keys::of_person(conn, me, Some(key), 10).map(drop)
        });
        walk_no_table(&db, |conn| person_keys::verifying(conn, key, me).map(drop));
        // Whatever is pushed again asks for its receipts.
        let install = InstallId(Uuid::from_u128(1));
        let key = ed25519_dalek::SigningKey::from_bytes(&[1; 32]);
        let sent = (1..=9).map(|seq| seal(&key, install, seq, "note", 1, Digest::ZERO, vec![0xa0]));
        let sent: Vec<Envelope> = sent.collect();
        walk_no_table(&db, |conn| {
            receipts::receipts(conn, install, (1, 9), &sent).map(drop)
        });
        walk_no_table(&db, |conn| receipts::link_at(conn, install, 3).map(drop));
    });
}
