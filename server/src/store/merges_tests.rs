//! What a merger asks the database costs what it moves, whatever else there is.
#![allow(clippy::unwrap_used)]

use diesel::prelude::*;
use hazardloop_domain::ids::JurisdictionId;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::Scope;
use uuid::Uuid;

use super::plan_support::{each_filled, enters, walk_no_table};
use super::{StoreError, feed, merges, sector_scopes};

#[test]
fn a_lot_of_a_merger_is_read_along_an_index() {
    each_filled(|db| {
        // Each node below another one, and merged into it: nothing is spared because nothing is there.
        let hung = db.write_blocking(|tx| {
            let hang = "UPDATE jurisdictions SET parent_id = id, merged_into = id, merge_stage = 4";
            diesel::sql_query(hang).execute(tx.conn())?;
            let over = "UPDATE grants SET jurisdiction_id = COALESCE(jurisdiction_id, enterprise_id), \
                enterprise_id = NULL";
            diesel::sql_query(over).execute(tx.conn())?;
            diesel::sql_query("ANALYZE").execute(tx.conn())?;
            Ok::<_, StoreError>(())
        });
        hung.unwrap();
        let place = JurisdictionId(Uuid::from_u128(1));
        let scope = Scope::Jurisdiction(place);
        let ids = || (0..3).map(|n| vec![n; 16]).collect::<Vec<_>>();
        enters(&db, "scope_rows_pkey", |conn| {
            sector_scopes::held_after(conn, place, (1, &[7; 16]), 10).map(drop)
        });
        walk_no_table(&db, |conn| {
            feed::held_among(conn, scope, 1, ids()).map(drop)
        });
        walk_no_table(&db, |conn| merges::holds_anything(conn, scope).map(drop));
        walk_no_table(&db, |conn| merges::children(conn, place).map(drop));
        walk_no_table(&db, |conn| merges::is_receiving(conn, place).map(drop));
        walk_no_table(&db, |conn| {
            merges::merged_into(conn, &[place, place]).map(drop)
        });
        let now = Timestamp::from_millis(1);
        walk_no_table(&db, |conn| {
            merges::lasting_grants(conn, place, now, 50).map(drop)
        });
    });
}
