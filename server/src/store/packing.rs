//! Pushed commands that are long settled, packed: payload and receipt in one coded body, read as if nothing had happened.
//!
//! Nothing is left out: a command is the evidence of who said what under whose signature, and its receipt is asked for
//! again by whoever restores an old copy of a phone. What the row says beside them stays as it is, so what is looked for
//! in lists is found as before.

use diesel::prelude::*;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::compress::{self, Coding};
use hazardloop_sync_protocol::wire::{Bytes, Receipt};

use super::schema::pushed_commands;
use super::{Conn, StoreError};

/// How a row is kept, as its column says; absent: as it came.
pub type Packing = Option<i32>;

/// Looked at, and no shorter in another form.
const AS_IT_CAME: i32 = 0;
/// The payload column holds both, coded; the receipt column holds nothing.
const CODED: i32 = 1;

/// The coding, by its name: it is never changed, see `dictionaries/README.md` of the protocol.
const CODING: Coding = Coding::ReportsZh2;
/// Most bytes that a packed row may stand for: far more than a command and its receipt may have.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// Larger payloads stay as they came: no person writes them, and who asks for their receipts again and again would have
/// them unpacked each time.
const LARGEST_PAYLOAD: usize = 8 * 1024;

/// A command's payload and its receipt, as they were before.
#[derive(Debug, PartialEq, Eq)]
pub struct Both {
    /// The payload, as it was sent.
    pub payload: Vec<u8>,
    /// The receipt's bytes.
    pub receipt: Vec<u8>,
}

impl Both {
    /// The receipt.
    pub fn receipt(&self) -> Option<Receipt> {
        minicbor::decode(&self.receipt).ok()
    }
}

/// Whether a row's receipt lies in one body with its payload.
pub fn is_packed(packing: Packing) -> bool {
    packing == Some(CODED)
}

/// What the two columns of a row hold; `None`: it is damaged.
pub fn unpacked(packing: Packing, payload: Vec<u8>, receipt: Vec<u8>) -> Option<Both> {
    if !is_packed(packing) {
        return Some(Both { payload, receipt });
    }
    let body = compress::decode(CODING.name(), &payload, MOST_BYTES).ok()?;
    let (payload, receipt): (Bytes, Bytes) = minicbor::decode(&body).ok()?;
    Some(Both {
        payload: payload.0,
        receipt: receipt.0,
    })
}

/// Both in one body; `None` where that is no shorter, or does not come out as it went in.
fn packed(both: &Both) -> Option<Vec<u8>> {
    if both.payload.len() > LARGEST_PAYLOAD {
        return None;
    }
    let (payload, receipt) = (both.payload.clone(), both.receipt.clone());
    let body = minicbor::to_vec((Bytes(payload), Bytes(receipt))).ok()?;
    let coded = compress::encode(CODING, &body)?;
    let before = both.payload.len().saturating_add(both.receipt.len());
    let again = unpacked(Some(CODED), coded.clone(), Vec::new());
    (coded.len() < before && again.as_ref() == Some(both)).then_some(coded)
}

/// A command as it came, to be packed.
#[derive(Debug)]
pub struct Plain {
    install_id: Vec<u8>,
    seq: i64,
    both: Both,
}

/// The same, and what goes in its place.
#[derive(Debug)]
pub struct Coded {
    plain: Plain,
    /// Absent: it would be no shorter.
    body: Option<Vec<u8>>,
}

impl Plain {
    /// Codes it, which takes a processor its time: not to be done while a transaction waits.
    pub fn coded(self) -> Coded {
        let body = packed(&self.both);
        Coded { plain: self, body }
    }
}

impl Coded {
    /// Bytes before, and after.
    pub fn bytes(&self) -> (usize, usize) {
        let both = &self.plain.both;
        let before = both.payload.len().saturating_add(both.receipt.len());
        (before, self.body.as_ref().map_or(before, Vec::len))
    }
}

/// Commands that were received before `then`, were judged, and for which nobody's choice is waited: the oldest that are
/// not packed, at most so many.
///
/// # Errors
/// When the database does not answer.
pub fn to_pack(conn: &mut Conn, then: Timestamp, most: i64) -> Result<Vec<Plain>, StoreError> {
    type Found = (Vec<u8>, i64, Vec<u8>, Vec<u8>);
    let found: Vec<Found> = pushed_commands::table
        .filter(pushed_commands::packing.is_null())
        .filter(pushed_commands::waiting_since.is_null())
        .filter(pushed_commands::received_at.lt(then.as_millis()))
        // Few, and listed by what their receipt says.
        .filter(pushed_commands::outcome.ne("quarantined"))
        .order(pushed_commands::received_at)
        .limit(most)
        .select((
            pushed_commands::install_id,
            pushed_commands::seq,
            pushed_commands::payload,
            pushed_commands::receipt,
        ))
        .load(conn)?;
    let plain = |(install_id, seq, payload, receipt)| Plain {
        install_id,
        seq,
        both: Both { payload, receipt },
    };
    Ok(found.into_iter().map(plain).collect())
}

/// Puts the coded form in the place of one that is still what was read; answers whether it was. Whoever packs the same
/// at the same moment, or changes it, was first.
///
/// # Errors
/// When the database does not answer.
pub fn replace(conn: &mut Conn, coded: &Coded) -> Result<bool, StoreError> {
    let Plain {
        install_id,
        seq,
        both,
    } = &coded.plain;
    let as_read = pushed_commands::table
        .find((install_id.as_slice(), seq))
        .filter(pushed_commands::packing.is_null())
        .filter(pushed_commands::waiting_since.is_null())
        .filter(pushed_commands::payload.eq(both.payload.as_slice()))
        .filter(pushed_commands::receipt.eq(both.receipt.as_slice()));
    let replaced = match &coded.body {
        Some(body) => diesel::update(as_read)
            .set((
                pushed_commands::packing.eq(Some(CODED)),
                pushed_commands::payload.eq(body.as_slice()),
                pushed_commands::receipt.eq(Vec::new()),
            ))
            .execute(conn)?,
        None => diesel::update(as_read)
            .set(pushed_commands::packing.eq(Some(AS_IT_CAME)))
            .execute(conn)?,
    };
    Ok(replaced == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_that_no_person_writes_stays_as_it_came() {
        let of = |bytes: usize| Plain {
            install_id: vec![1; 16],
            seq: 1,
            both: Both {
                payload: vec![7; bytes],
                receipt: vec![7; 40],
            },
        };
        assert!(of(LARGEST_PAYLOAD).coded().body.is_some());
        assert!(of(LARGEST_PAYLOAD + 1).coded().body.is_none());
    }
}
