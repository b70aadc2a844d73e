//! Lists that desks and authors read, hand-overs, imports and what needs attention, enter an index on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use crate::store::test_support::each_database;
use diesel::prelude::*;
use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::ids::{EnterpriseId, ImportId, InstallId, JurisdictionId, PersonId};
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use super::lists::Key;
use super::people::View;
use super::plan_support::{each_filled, enters, fill, fill_with, walk_no_table};
use super::test_support::opened;
use super::witnesses::{self, Weighing};
use super::{StoreError, command_fates, hand_overs, imports, schema};
use hazardloop_sync_protocol::hub::witnesses::Statements as _;

/// An inspection of each enterprise.
const INSPECTIONS: [&str; 1] = [
    "INSERT INTO inspections (id, inspection_no, kind, state, enterprise_id, jurisdiction_id, \
     departments, held_at, received_at, updated_at, version, head_hash, record) SELECT {id}, 'x', \
     'plan', 'planned', {id}, {id}, true, {i}, {i}, {i}, 1, {id}, {id} FROM {counted}",
];

/// Hand-overs are found by the people in them, who are found by their grants; of each of the others' nothing is read.
#[test]
fn lists_of_hand_overs_are_found_by_who_took_part() {
    each_database(|url| {
        let db = opened(url);
        let seen = |me: Uuid, paths: &[&str]| {
            let view = View {
                person_id: PersonId(me),
                paths: paths.iter().map(|path| (*path).to_owned()).collect(),
                enterprises: vec![EnterpriseId(Uuid::from_u128(2))],
            };
            hand_overs::Seen {
                person_id: view.person_id,
                held: View {
                    enterprises: Vec::new(),
                    ..view.clone()
                },
                holding: view,
                now: Timestamp::from_millis(1),
            }
        };
        // Of empty tables: what is filled in has no grants over jurisdictions.
        let planned = walk_no_table(&db, |conn| {
            let seen = seen(Uuid::from_u128(1), &["root/7/"]);
            hand_overs::newest(conn, &seen, None, 10).map(drop)
        });
        assert_eq!(planned.len(), 1 + 2 * (1 + 3 + 2));
        fill(&db);
        // One that there is, and whose people all bear its id.
        let some = db.read_blocking(|tx| {
            let ids = schema::hand_overs::table.select(schema::hand_overs::id);
            Ok::<Vec<u8>, StoreError>(ids.first(tx.conn())?)
        });
        let some = Uuid::from_slice(&some.unwrap()).unwrap();
        let mut all = planned;
        for before in [None, Some(Uuid::max())] {
            let of_enterprise = seen(some, &[]);
            all.extend(walk_no_table(&db, |conn| {
                hand_overs::newest(conn, &of_enterprise, before, 10).map(drop)
            }));
        }
        let whose = [
            "hand_overs_by_from",
            "hand_overs_by_to",
            "hand_overs_by_maker",
        ];
        for (statement, plan) in all {
            let by_person = whose.iter().any(|index| plan.contains(index));
            let grants = statement.contains("hand_over_grants");
            assert!(by_person || grants, "{statement}\n{plan}");
        }
        // One's own come in order; before the first of all there is nothing that has grants.
        enters(&db, "hand_overs_by", |conn| {
            let mut own = seen(some, &[]);
            own.holding.enterprises.clear();
            hand_overs::newest(conn, &own, Some(Uuid::nil()), 10).map(drop)
        });
        // What was handed over, also the visits: those of the page, which may be put in order.
        let whole = walk_no_table(&db, |conn| hand_overs::one(conn, some).map(drop));
        assert_eq!(whole.len(), 3);
        for (statement, plan) in whole {
            let by_key = plan.contains("_pkey") || plan.contains("sqlite_autoindex");
            assert!(by_key, "{statement}\n{plan}");
        }
    });
}

#[test]
fn imports_are_found_by_who_made_them_and_where_they_lie() {
    each_filled(|db| {
        fill_with(&db, &INSPECTIONS);
        let places = [JurisdictionId(Uuid::from_u128(1))];
        let key = Key {
            at: 1,
            id: Uuid::from_u128(3),
        };
        for before in [None, Some(key)] {
            enters(&db, "import", |conn| {
                let me = PersonId(Uuid::from_u128(1));
                imports::seen_by(conn, me, &places, before, 10).map(drop)
            });
        }
        enters(&db, "imports_pkey", |conn| {
            imports::these(conn, &[key.id, Uuid::from_u128(4)]).map(drop)
        });
        enters(&db, "import_rows_pkey", |conn| {
            imports::rows(conn, ImportId(key.id), 7, 10).map(drop)
        });
        walk_no_table(&db, |conn| {
            let firms = [EnterpriseId(Uuid::from_u128(1)), EnterpriseId(key.id)];
            imports::with_hazards(conn, &firms)?;
            imports::with_inspections(conn, &firms)?;
            imports::with_grants(conn, &firms).map(drop)
        });
    });
}

/// What one device, and with it one person, has sent for years: almost all of it took effect.
const SENT: [&str; 1] = [
    "INSERT INTO pushed_commands (install_id, seq, person_id, kind, kind_version, payload, link_hash, \
     previous_hash, signature, received_at, outcome, receipt, subject_id, waiting_since) SELECT {one}, \
     {i} + 1, {one}, 'note', 1, {id}, {id}, {id}, {id}, 0, 'applied', {id}, {id}, \
     CASE {i} % 100 WHEN 0 THEN {i} END FROM {counted}",
];

/// The id of the first row on PostgreSQL, whose plans follow from what is looked for.
const FIRST: u128 = 0xc4ca_4238_a0b9_2382_0dcc_509a_6f75_849b;

/// What waits for its author, and what became of the rest, is found by the author; the commands that took effect,
/// which are almost all, are not gone through.
#[test]
fn what_needs_attention_is_found_by_its_author() {
    each_filled(|db| {
        fill_with(&db, &SENT);
        let me = PersonId(Uuid::from_u128(FIRST));
        let after = SentCommand {
            install_id: InstallId(Uuid::from_u128(FIRST)),
            seq: 3,
        };
        let key = Key {
            at: 5,
            id: Uuid::from_u128(6),
        };
        for page in [None, Some(after)] {
            enters(&db, "pushed_commands_waiting", |conn| {
                command_fates::waiting(conn, me, page, 10).map(drop)
            });
        }
        for page in [None, Some(key)] {
            enters(&db, "command_fates_by_person", |conn| {
                command_fates::fates(conn, me, page, 10).map(drop)
            });
        }
        enters(&db, "pushed_commands_pkey", |conn| {
            command_fates::pushed(conn, me, after).map(drop)
        });
        enters(&db, "command_fates_pkey", |conn| {
            command_fates::fate(conn, after).map(drop)
        });
    });
}

/// Devices that have said something.
const STATEMENTS: [&str; 1] = [
    "INSERT INTO witness_statements (by_install, by_seq, id, about_install, about_seq, head, received_at, \
     proven_at, standing, version, record) SELECT {id}, {i}, {id}, {id}, {i}, {hash}, {i}, {i}, \
     CASE {i} % 3 WHEN 0 THEN 'open' WHEN 1 THEN 'leads' ELSE 'fits' END, 1, {id} FROM {counted}",
];

#[test]
fn proofs_of_time_are_one_step_into_an_index() {
    each_filled(|db| {
        fill_with(&db, &STATEMENTS);
        let command = SentCommand {
            install_id: InstallId(Uuid::from_u128(2)),
            seq: 3,
        };
        let at = Timestamp::from_millis(5);
        enters(&db, "witness_statements_about", |conn| {
            witnesses::leading(conn, command).map(drop)
        });
        enters(&db, "witness_statements_about", |conn| {
            Weighing(conn).open(command.install_id, 9, 10).map(drop)
        });
        enters(&db, "witness_statements_", |conn| {
            witnesses::is_said(conn, PersonId(Uuid::from_u128(1)), command).map(drop)
        });
        enters(&db, "witness_statements_about", |conn| {
            witnesses::count_open(conn, command.install_id, 10).map(drop)
        });
        enters(&db, "witness_statements_", |conn| {
            Weighing(conn)
                .made_by(command.install_id, 9, at, 10)
                .map(drop)
        });
        enters(&db, "witness_statements_", |conn| {
            witnesses::count_since(conn, command.install_id, at, 10).map(drop)
        });
        enters(&db, "pushed_commands", |conn| {
            witnesses::timed(conn, command.install_id, &[3, 4, 5]).map(drop)
        });
        enters(&db, "pushed_commands", |conn| {
            witnesses::link(conn, command).map(drop)
        });
        enters(&db, "installs_pkey", |conn| {
            witnesses::anchored(conn, command.install_id).map(drop)
        });
    });
}
