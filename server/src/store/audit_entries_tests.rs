//! What the door to the audit chain asks enters an index on both databases: its cost follows from the
//! page.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use uuid::Uuid;

use super::Position;
use super::audit_entries::{self, Witnessed};
use super::plan_support::{each_filled, enters};

fn event(tx: i64, ordinal: i32) -> Witnessed {
    Witnessed {
        tx,
        ordinal,
        subject_kind: "hazard".to_owned(),
        subject_id: vec![1; 16],
        subject_seq: 1,
        kind: "noted".to_owned(),
        actor_id: None,
        recorded_at: 0,
        previous_hash: vec![0; 32],
        hash: vec![0; 32],
    }
}

#[test]
fn events_newest_first_and_their_links_enter_an_index() {
    each_filled(|db| {
        let before = Position { tx: 7, ordinal: 1 };
        for before in [Position::END, before] {
            enters(&db, "events_pkey", |conn| {
                audit_entries::newest_first(conn, before, 100, 10).map(drop)
            });
        }
        let subject = Uuid::from_u128(1);
        enters(&db, "events_subject_id_subject_seq_key", |conn| {
            audit_entries::of_subject(conn, ("hazard", &subject), i64::MAX, 10).map(drop)
        });
        enters(&db, "events_subject_id_subject_seq_key", |conn| {
            audit_entries::kind_of(conn, &subject).map(drop)
        });
        let page = [event(3, 1), event(3, 2), event(4, 1)];
        enters(&db, "audit_chain_tx_ordinal_key", |conn| {
            audit_entries::links_of(conn, &page).map(drop)
        });
    });
}
