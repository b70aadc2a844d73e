//! Who answers for what, and the queue of what nobody answers for: asked along an index, and begun
//! with what was there before.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use crate::store::test_support::each_database;
use diesel::prelude::*;
use hazardloop_domain::hazard::StatusName;
use hazardloop_domain::ids::{HazardId, JurisdictionId};
use hazardloop_sync_protocol::wire::Scope;
use uuid::Uuid;

use super::lists::Key;
use super::plan_support::{each_filled, enters, walk_no_table};
use super::test_support::opened;
use super::{Conn, Db, StoreError, enterprise_rows, responsibilities, unclaimed};

/// Beside what [`fill`] puts in: few jurisdictions with long queues, and many that say who answers.
const QUEUE: [&str; 3] = [
    "INSERT INTO responsibilities (jurisdiction_id, sector, department) \
     SELECT id, 's', 'x' FROM jurisdictions",
    "INSERT INTO responsibility_versions (jurisdiction_id, version) SELECT id, 1 FROM jurisdictions",
    "INSERT INTO unclaimed_hazards (jurisdiction_id, received_at, hazard_id, sector) \
     SELECT j.id, h.received_at, h.id, 's' || (h.received_at % 20) FROM hazards AS h \
     JOIN (SELECT id FROM jurisdictions LIMIT 3) AS j ON true",
];

fn run(db: &Db, statements: &'static [&str]) {
    db.write_blocking(move |tx| {
        for statement in statements {
            diesel::sql_query(*statement).execute(tx.conn())?;
        }
        diesel::sql_query("ANALYZE").execute(tx.conn())?;
        Ok::<_, StoreError>(())
    })
    .unwrap();
}

#[test]
fn who_answers_and_what_waits_are_asked_along_an_index() {
    each_filled(|db| {
        run(&db, &QUEUE);
        let place = JurisdictionId(Uuid::from_u128(1));
        let key = Key {
            at: 1,
            id: Uuid::from_u128(3),
        };
        for after in [None, Some(key)] {
            enters(&db, "unclaimed_hazards_pkey", |conn| {
                unclaimed::oldest_first(conn, &[(place, None)], after, 10).map(drop)
            });
            let of_sector = [(place, Some("s1".to_owned()))];
            enters(&db, "unclaimed_hazards_by_sector", |conn| {
                unclaimed::oldest_first(conn, &of_sector, after, 10).map(drop)
            });
        }
        enters(&db, "scope_rows_pkey", |conn| {
            unclaimed::held_after(conn, place, Some(key.id), 10).map(drop)
        });
        let scope = Scope::Jurisdiction(place);
        enters(&db, "enterprise_rows_by_sector", |conn| {
            enterprise_rows::any_of_sector(conn, scope, "s1").map(drop)
        });
        walk_no_table(&db, |conn| responsibilities::of(conn, place).map(drop));
        walk_no_table(&db, |conn| {
            let way = [place, JurisdictionId(Uuid::from_u128(2))];
            responsibilities::of_sector(conn, &way, "s").map(drop)
        });
    });
}

/// What the migration that began the queue did for hazards from before.
#[test]
fn open_hazards_from_before_there_was_a_queue_are_in_it() {
    let migration =
        include_str!("../../../migrations/sqlite/2026-11-26-000017_responsibilities/up.sql");
    let begin = migration.find("INSERT INTO unclaimed_hazards").unwrap();
    let begin_queue = migration[begin..].split(';').next().unwrap();
    each_database(|url| {
        let db = opened(url);
        let [city, town, beside] = [1, 2, 3].map(Uuid::from_u128);
        let paths = [(city, "1/"), (town, "1/2/"), (beside, "1/3/")];
        db.write_blocking(move |tx| {
            for (id, path) in paths {
                diesel::sql_query(format!(
                    "INSERT INTO jurisdictions (id, name, level, path, version, record) \
                     VALUES ({0}, 'x', 'town', '{path}', 1, {0})",
                    bytes(tx.conn(), id)
                ))
                .execute(tx.conn())?;
            }
            for (number, status) in StatusName::EXISTING.iter().enumerate() {
                let id = bytes(tx.conn(), Uuid::from_u128(100 + number as u128));
                diesel::sql_query(format!(
                    "INSERT INTO hazards (id, hazard_no, jurisdiction_id, district_code, grade, \
                     status, source, received_at, updated_at, version, head_hash, record) \
                     VALUES ({id}, 'n', {}, 'x', 'x', '{}', 'x', {number}, 0, 1, {id}, {id})",
                    bytes(tx.conn(), town),
                    status.as_str()
                ))
                .execute(tx.conn())?;
            }
            diesel::sql_query(begin_queue).execute(tx.conn())?;
            Ok::<_, StoreError>(())
        })
        .unwrap();
        let existing = StatusName::EXISTING.iter().enumerate();
        let open = existing.filter(|(_, status)| StatusName::OPEN.contains(status));
        let open: Vec<_> = open
            .map(|(number, _)| HazardId(Uuid::from_u128(100 + number as u128)))
            .collect();
        for (place, expected) in [(city, &open[..]), (town, &open[..]), (beside, &[])] {
            let queue = [(JurisdictionId(place), None)];
            let found =
                db.read_blocking(|tx| unclaimed::oldest_first(tx.conn(), &queue, None, 100));
            let found: Vec<_> = found.unwrap().iter().map(|key| HazardId(key.id)).collect();
            assert_eq!(found, expected, "{place}");
        }
    });
}

/// An id as a literal.
fn bytes(conn: &Conn, id: Uuid) -> String {
    let hex = id.simple();
    match conn {
        Conn::Sqlite(_) => format!("X'{hex}'"),
        Conn::Postgres(_) => format!("'\\x{hex}'::bytea"),
    }
}
