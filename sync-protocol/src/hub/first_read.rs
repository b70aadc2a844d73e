//! A first read of a scope, as far as it got, and as a device carries it between two pages.
//!
//! Rows up to the position at which the read began are read in an order of their own, open work first. That can be
//! cut anywhere and gone on with: a row that changes meanwhile moves behind that position, so that of the rows before
//! it some may go and none comes, and none changes its place among them. What lies behind is read as changes
//! afterwards. A row that the scope held no longer when the read began is never looked at, however many there are.

use hazardloop_domain::time::Timestamp;
use minicbor::{Decode, Encode};

use super::pull_steps::{FeedPosition, FirstPlace};
use crate::wire::Bytes;

/// See the top of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FirstRead<P> {
    /// Everything was safe to deliver up to here when it began.
    pub upto: P,
    /// Rows that the scope held then; 0: not counted.
    pub rows: u64,
    /// The last row that was delivered.
    pub after: Option<FirstPlace<P>>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Written {
    #[n(0)]
    upto: Bytes,
    #[n(1)]
    rows: u64,
    #[n(2)]
    settled_at: Option<Timestamp>,
    #[n(3)]
    position: Option<Bytes>,
}

impl<P: FeedPosition> FirstRead<P> {
    /// As a device carries it: no position alone, which is shorter, is written so.
    pub(super) fn to_cursor(self) -> Bytes {
        let written = Written {
            upto: self.upto.to_cursor(),
            rows: self.rows,
            settled_at: self.after.and_then(|after| after.settled_at),
            position: self.after.map(|after| after.position.to_cursor()),
        };
        // Writing to memory does not fail.
        Bytes(minicbor::to_vec(written).unwrap_or_default())
    }

    /// From what a device carries; `None`: it is none.
    pub(super) fn from_cursor(cursor: &[u8]) -> Option<Self> {
        let written: Written = minicbor::decode(cursor).ok()?;
        let after = match written.position {
            None => None,
            Some(position) => Some(FirstPlace {
                settled_at: written.settled_at,
                position: P::from_cursor(&position.0)?,
            }),
        };
        Some(Self {
            upto: P::from_cursor(&written.upto.0)?,
            rows: written.rows,
            after,
        })
    }
}

/// Whether a device with this cursor was given a row, as it stands now, for good: `is_given` says whether the scope
/// gives out the record at all. For whoever checks a hub; no hub needs it.
pub fn has_passed<P: FeedPosition>(
    cursor: Option<&[u8]>,
    row: FirstPlace<P>,
    is_given: bool,
) -> bool {
    let Some(cursor) = cursor else {
        return false;
    };
    if let Some(position) = P::from_cursor(cursor) {
        return row.position <= position;
    }
    FirstRead::from_cursor(cursor).is_some_and(|read: FirstRead<P>| {
        let read_by_now = read.after.is_some_and(|after| row <= after);
        row.position <= read.upto && (read_by_now || !is_given)
    })
}
