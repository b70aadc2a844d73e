//! What waits for people is found by indices of its own.
#![allow(clippy::unwrap_used)]

use hazardloop_domain::ids::EnterpriseId;
use uuid::Uuid;

use super::super::plan_support::{each_filled, enters, fill_with};
use super::{holding, teams_at};

/// Of forty inspections at each of some enterprises, one is to be carried out; enterprises are in many scopes, of which
/// few are of tasks.
const FILLED: [&str; 2] = [
    "INSERT INTO inspections (id, inspection_no, kind, state, enterprise_id, jurisdiction_id, \
     departments, held_at, started_at, received_at, updated_at, version, head_hash, record) \
     SELECT own, 'n' || n, 'plan', CASE WHEN n <= 500 THEN 'planned' ELSE 'completed' END, {id}, own, true, \
     n, n, n, n, 1, own, own \
     FROM (SELECT {id} AS own, i AS n, i % 500 + 1 AS i FROM {counted}) AS spread",
    "INSERT INTO scope_rows (scope, record_kind, record_id, present, version, digest_high, \
     digest_low, created_at, tx, ordinal) SELECT CASE WHEN {i} % 20 = 0 THEN 'tasks:' ELSE 'enterprise:' END || {i}, \
     2, {id}, true, 1, 0, 0, {i}, {tx}, {i} + 50000 FROM {counted}",
];

#[test]
fn what_waits_at_an_enterprise_is_not_looked_for_among_all_inspections_and_scopes() {
    each_filled(|db| {
        fill_with(&db, &FILLED);
        let firms = [
            EnterpriseId(Uuid::from_u128(2)),
            EnterpriseId(Uuid::from_u128(3)),
        ];
        for firms in [&firms[..1], &firms] {
            enters(&db, "inspections_to_carry_out", |conn| {
                teams_at(conn, firms).map(drop)
            });
        }
        enters(&db, "scope_rows_firms_of_tasks", |conn| {
            holding(conn, firms[0]).map(drop)
        });
    });
}
