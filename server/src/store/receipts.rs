//! Receipts of commands that are sent again.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::Binary;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::InstallId;
use hazardloop_sync_protocol::chain::link_hash;
use hazardloop_sync_protocol::hub::{StoredReceipt, content_of};
use hazardloop_sync_protocol::wire::Envelope;

use super::packing::{self, Both, Packing};
use super::schema::pushed_commands;
use super::{Conn, StoreError};

diesel::define_sql_function! {
    /// Bytes of a value; neither database reads the value for it.
    #[sql_name = "length"]
    fn octets(value: Binary) -> Integer;
}

#[derive(Queryable)]
struct Row {
    seq: i64,
    link_hash: Vec<u8>,
    receipt: Vec<u8>,
    kind: String,
    kind_version: i32,
    payload_bytes: i32,
    packing: Packing,
}

impl Row {
    /// Whether nothing but its payload tells if this is the same command, sealed anew behind another one.
    fn may_be(&self, install_id: InstallId, sent: &Envelope) -> bool {
        self.seq == sent.seq
            && self.kind == sent.kind
            && self.kind_version == i32::from(sent.version)
            && usize::try_from(self.payload_bytes) == Ok(sent.payload.0.len())
            && self.link_hash != link_hash(install_id, sent).as_bytes()
    }
}

/// The link hash of one command of this install, if it is kept.
///
/// # Errors
/// When the database does not answer or holds no hash.
pub fn link_at(
    conn: &mut Conn,
    install_id: InstallId,
    seq: i64,
) -> Result<Option<Digest>, StoreError> {
    let found: Option<Vec<u8>> = pushed_commands::table
        .find((install_id.as_bytes().to_vec(), seq))
        .select(pushed_commands::link_hash)
        .first(conn)
        .optional()?;
    let read = |hash: Vec<u8>| {
        Digest::from_slice(&hash).ok_or_else(|| StoreError::Corrupt {
            what: format!("the link of command {seq} of install {install_id}"),
        })
    };
    found.map(read).transpose()
}

/// The receipts of an install's commands `first` to `last`, in order, as far as there are any; `sent` is what was sent
/// under these numbers now.
///
/// Payloads are as large as somebody wants them to be, and whoever repeats the numbers of many large ones with little
/// behind them would have all of them read. So one is read only where it may be what was sent, which is as large then,
/// or where it lies in one body with its receipt, which large ones never do (see [`packing`]).
///
/// # Errors
/// When the database does not answer or a receipt cannot be read.
pub fn receipts(
    conn: &mut Conn,
    install_id: InstallId,
    (first, last): (i64, i64),
    sent: &[Envelope],
) -> Result<Vec<StoredReceipt>, StoreError> {
    let install = install_id.as_bytes().to_vec();
    let rows: Vec<Row> = pushed_commands::table
        .filter(pushed_commands::install_id.eq(install.clone()))
        .filter(pushed_commands::seq.between(first, last))
        .order(pushed_commands::seq)
        .select((
            pushed_commands::seq,
            pushed_commands::link_hash,
            pushed_commands::receipt,
            pushed_commands::kind,
            pushed_commands::kind_version,
            octets(pushed_commands::payload),
            pushed_commands::packing,
        ))
        .load(conn)?;
    let looked_for: HashMap<i64, &Envelope> = sent
        .iter()
        .map(|envelope| (envelope.seq, envelope))
        .collect();
    let may_be = |row: &Row| {
        let sent = looked_for.get(&row.seq);
        sent.is_some_and(|sent| row.may_be(install_id, sent))
    };
    let needed = |row: &&Row| packing::is_packed(row.packing) || may_be(row);
    let needed: Vec<i64> = rows.iter().filter(needed).map(|row| row.seq).collect();
    let mut payloads: HashMap<i64, Vec<u8>> = match needed.is_empty() {
        true => HashMap::new(),
        false => pushed_commands::table
            .filter(pushed_commands::install_id.eq(install))
            .filter(pushed_commands::seq.eq_any(needed))
            .select((pushed_commands::seq, pushed_commands::payload))
            .load(conn)?
            .into_iter()
            .collect(),
    };
    let read = |row: Row| {
        let payload = payloads.remove(&row.seq);
        stored(row, payload).ok_or_else(|| StoreError::Corrupt {
            what: format!("a receipt of install {install_id}"),
        })
    };
    rows.into_iter().map(read).collect()
}

fn stored(row: Row, payload: Option<Vec<u8>>) -> Option<StoredReceipt> {
    let was_read = payload.is_some();
    let both: Both = packing::unpacked(row.packing, payload.unwrap_or_default(), row.receipt)?;
    let version = u16::try_from(row.kind_version).ok()?;
    Some(StoredReceipt {
        link_hash: Digest::from_slice(&row.link_hash)?,
        content: was_read.then(|| content_of(&row.kind, version, &both.payload)),
        receipt: both.receipt()?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use hazardloop_domain::command::{Action, Note};
    use hazardloop_sync_protocol::wire::Bytes;

    use super::*;
    use crate::test_support::{TestDevice, hazard_id, on_each_database, report};
    use crate::usecases::push::push;

    #[test]
    fn a_payload_is_read_only_where_it_may_be_what_was_sent() {
        on_each_database(async |server| {
            let app = &server.app;
            let mut device = TestDevice::enrol(app, "employee", 1).await;
            let note = |text: &str| {
                let text = text.to_owned();
                Action::Note(Note { text })
            };
            let batch = vec![
                device.seal(hazard_id(1), Action::Report(report("粉尘"))),
                device.seal(hazard_id(1), note("已看过")),
                device.seal(hazard_id(1), note("又看过")),
                device.seal(hazard_id(1), note("再看过")),
            ];
            let request = device.push(batch.clone());
            push(app, device.person_id, request).await.unwrap();
            let mut sent = batch.clone();
            // The second behind another command, the third with little behind its number, the fourth says something else.
            sent[1].previous = Digest::sha256(b"another");
            sent[2].payload = Bytes(vec![0]);
            sent[3].payload.0.rotate_left(1);
            let install_id = device.install_id;
            let read = app
                .db
                .read_blocking(move |tx| receipts(tx.conn(), install_id, (1, 4), &sent));
            let read = read.unwrap();
            let contents: Vec<Option<Digest>> = read.iter().map(|stored| stored.content).collect();
            let content = |at: usize| {
                let sent: &Envelope = &batch[at];
                Some(content_of(&sent.kind, sent.version, &sent.payload.0))
            };
            assert_eq!(contents, [None, content(1), None, content(3)]);
            let seqs = read.iter().map(|stored| stored.receipt.seq);
            assert_eq!(seqs.collect::<Vec<_>>(), [1, 2, 3, 4]);
        });
    }
}
