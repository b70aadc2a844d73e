//! Items packed: records of an answer, or commands of a push. What stands in the same place of many stands
//! together, as in [`super::Columns`], and goes further: what is embedded is taken apart too, equal texts are
//! written once, numbers follow from others of the same item, and the bits that nothing shortens stand by themselves.

mod bits;
mod choose;
mod column;
mod pack;
mod places;
mod reading;
mod unpack;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Bytes;

pub(super) use pack::pack;
pub(super) use unpack::{Known, unpack};

/// Levels of nesting that an item may have, what is embedded counted in.
const DEPTH: usize = 16;
/// What an item takes beside its body, for the bound on all of them.
const BESIDE_BODY: usize = 32;
/// Leaves of all items together, at most: memory for them is bounded whatever the shapes say.
const MOST_LEAVES: usize = 1 << 18;
/// As how many leaves an item counts that has fewer: some 32,000 such items are read, where a page has a few hundred.
const LEAST_OF_ITEM: usize = 8;
/// Bytes of all distinct shapes together, at most: a step of one takes far more memory than the byte that it may cost.
const MOST_OF_SHAPES: usize = 1 << 18;
/// Different places of all items together, at most: each takes far more memory than the byte that it may cost.
const MOST_PLACES: usize = 1 << 15;

/// Items, packed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
#[cbor(array)]
pub struct Packed {
    /// The distinct shapes, the shape of each item, and how each column is written.
    #[n(0)]
    pub plan: Bytes,
    /// All new texts, column by column.
    #[n(1)]
    pub texts: Bytes,
    /// The columns, one after the other.
    #[n(2)]
    pub columns: Bytes,
    /// Bits that nothing shortens, in the order in which the columns need them.
    #[n(3)]
    pub noise: Bytes,
}

/// One item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item<'a> {
    /// CBOR items that are part of its shape: the kind, and of a command the version.
    pub head: Vec<u8>,
    /// Id and version, where they stand beside the body; and the number that its texts may have.
    pub record: Option<(Uuid, i64, Option<String>)>,
    /// One CBOR item.
    pub body: &'a [u8],
}

/// An item that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unpacked<'a> {
    /// As in [`Item`].
    pub head: &'a [u8],
    /// Id and version.
    pub record: Option<(Uuid, i64)>,
    /// One CBOR item.
    pub body: Vec<u8>,
}

/// What differs between records and commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// One item before the body, which has id and version; the body's own number is left out.
    Records,
    /// Two items before the body; the anchor's token is left out.
    Commands,
}

impl Sort {
    const fn heads(self) -> usize {
        match self {
            Self::Records => 1,
            Self::Commands => 2,
        }
    }
}

/// Codes of byte strings in their column; from [`FIRST_KNOWN`] on two for each that came before: even ones count
/// those of the column, odd ones those of all columns.
mod code {
    /// Length and bytes follow.
    pub(super) const OTHER: u64 = 0;
    /// A new id of version 7.
    pub(super) const NEW_ID: u64 = 1;
    /// 32 new bytes.
    pub(super) const DIGEST: u64 = 2;
    /// The item's own id.
    pub(super) const OWN_ID: u64 = 3;
    /// The token of the anchor whose time the item has.
    pub(super) const ANCHOR: u64 = 4;
    /// 16 other new bytes.
    pub(super) const SIXTEEN: u64 = 5;
    /// The first of those that came before.
    pub(super) const FIRST_KNOWN: u64 = 6;
}

/// Codes of texts in their column; from [`FIRST_LENGTH`] on the length of a new one.
mod text_code {
    /// The number of the item's own record.
    pub(super) const OWN_NUMBER: u64 = 0;
    /// One that came before in this column; which, follows.
    pub(super) const KNOWN: u64 = 1;
    /// A new one of no bytes.
    pub(super) const FIRST_LENGTH: u64 = 2;
}
