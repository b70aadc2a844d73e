//! What packing asks the database costs what it packs, whatever else was ever pushed.
#![allow(clippy::unwrap_used)]

use hazardloop_domain::time::Timestamp;

use super::plan_support::{each_filled, enters};
use super::{StoreError, packing};

#[test]
fn what_is_packed_is_found_and_replaced_along_an_index() {
    each_filled(|db| {
        let then = Timestamp::from_millis(1);
        enters(&db, "pushed_commands_to_pack", |conn| {
            packing::to_pack(conn, then, 100).map(drop)
        });
        let read = db.read_blocking(|tx| packing::to_pack(tx.conn(), then, 1));
        let coded = read.unwrap().remove(0).coded();
        // Of the made-up installs each has one command: any index that begins with the install is as good as the key.
        enters(&db, "pushed_commands_", |conn| {
            // Who only reads may not write: what is asked is what counts.
            let refused = |_| StoreError::Corrupt {
                what: "nothing".to_owned(),
            };
            packing::replace(conn, &coded).map(drop).map_err(refused)
        });
    });
}
