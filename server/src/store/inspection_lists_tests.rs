//! Lists of inspections, and what is looked up with them, enter an index on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::command::ChecklistRef;
use hazardloop_domain::ids::{EnterpriseId, InspectionId, JurisdictionId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};
use uuid::Uuid;

use super::lists::{self, InspectionFilter, Key};
use super::plan_support::{each_filled, enters, fill_with, walk_no_table};
use super::{events, inspections, packs};

/// Forty inspections at each of some enterprises, and more checklists than anybody has, so that a good
/// index is told from a bad one.
const INSPECTIONS: [&str; 3] = [
    "INSERT INTO inspections (id, inspection_no, kind, state, enterprise_id, jurisdiction_id, \
     departments, held_at, started_at, received_at, updated_at, version, head_hash, record) \
     SELECT own, 'n' || n, 'k' || (n % 11), 's' || (n % 4), {id}, own, (n % 3) = 0, \
     n, n, n, n, 1, own, own \
     FROM (SELECT {id} AS own, i AS n, i % 500 + 1 AS i FROM {counted}) AS spread",
    "INSERT INTO scope_rows (scope, record_kind, record_id, present, version, digest_high, \
     digest_low, created_at, tx, ordinal) \
     SELECT 'jurisdiction:' || ({i} % 4), 6, {id}, true, 1, 0, 0, {i}, {tx}, {i} + 50000 FROM {counted}",
    "INSERT INTO checklists (id, code, edition, pack, version, record) \
     SELECT {id}, 'c' || ({i} / 2), {i} % 2 + 1, 'p', 1, {id} FROM {counted}",
];

#[test]
fn every_list_of_inspections_enters_an_index_and_sorts_nothing() {
    each_filled(|db| {
        fill_with(&db, &INSPECTIONS);
        assert_eq!(RecordKind::Inspection.number(), 6);
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
                lists::newest_first(conn, &scopes, RecordKind::Inspection, before, 10).map(drop)
            });
        }
        // Within another scope: a filter by enterprise or jurisdiction.
        enters(&db, "scope_rows_pkey", |conn| {
            lists::held_by(conn, &scopes, RecordKind::Inspection, &ids).map(drop)
        });
        enters(&db, "inspections_pkey", |conn| {
            lists::inspections_matching(conn, &ids, &InspectionFilter::default()).map(drop)
        });
        enters(&db, "inspections_pkey", |conn| {
            lists::inspections(conn, &ids).map(drop)
        });
        for ids in [&ids[..1], &ids] {
            let ids: Vec<InspectionId> = ids.iter().copied().map(InspectionId).collect();
            enters(&db, "inspections_pkey", |conn| {
                inspections::load_all(conn, &ids).map(drop)
            });
        }
        enters(&db, "events_subject_id_subject_seq_key", |conn| {
            events::history(conn, &ids[0], 0, 10).map(drop)
        });
    });
}

#[test]
fn what_is_asked_of_one_enterprises_inspections_enters_its_index() {
    each_filled(|db| {
        fill_with(&db, &INSPECTIONS);
        let (firm, place) = (
            EnterpriseId(Uuid::from_u128(2)),
            JurisdictionId(Uuid::from_u128(1)),
        );
        let (from, to) = (Timestamp::from_millis(1), Timestamp::from_millis(9));
        enters(&db, "inspections_by_enterprise", |conn| {
            inspections::visits_between(conn, firm, from, to).map(drop)
        });
        enters(&db, "inspections_by_enterprise", |conn| {
            inspections::held_between(conn, firm, from, to, 10).map(drop)
        });
        let key = Key {
            at: 1,
            id: Uuid::from_u128(3),
        };
        for after in [None, Some(key)] {
            enters(&db, "inspections_of_enterprise", |conn| {
                inspections::elsewhere(conn, firm, place, after, 10).map(drop)
            });
        }
    });
}

#[test]
fn checklists_that_are_named_are_found_by_their_keys() {
    each_filled(|db| {
        fill_with(&db, &INSPECTIONS);
        let named = |code: &str| ChecklistRef {
            code: code.to_owned(),
            edition: 1,
            mandatory: Vec::new(),
        };
        let (one, two) = (named("c1"), named("c2"));
        for all in [&[&one][..], &[&one, &two]] {
            enters(&db, "checklists_pkey", |conn| {
                packs::editions(conn, all).map(drop)
            });
        }
        walk_no_table(&db, |conn| {
            packs::known_lists(conn, &["c1".to_owned(), "c2".to_owned()]).map(drop)
        });
    });
}
