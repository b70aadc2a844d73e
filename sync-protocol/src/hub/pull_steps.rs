//! What a pull asks of its driver, step by step, and what it is told.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use crate::wire::{Bytes, RecordKind, Scope, WireLimits};

/// A place in a store's order of changes.
pub trait FeedPosition: Copy + Ord + std::fmt::Debug {
    /// Before every change.
    const START: Self;

    /// As a device carries it.
    fn to_cursor(self) -> Bytes;

    /// From what a device carries; `None`: no store of this kind made it.
    fn from_cursor(cursor: &[u8]) -> Option<Self>;
}

/// One change of one scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<P> {
    /// What changed.
    pub kind: RecordKind,
    /// Which one.
    pub id: Uuid,
    /// Whether the scope holds it now.
    pub present: bool,
    /// Its version.
    pub version: i64,
    /// Its place in the order.
    pub position: P,
    /// When the record came to its end (closed, rejected …); `None`: work on it goes on, or it is of no such kind.
    pub settled_at: Option<Timestamp>,
}

/// A row's place in the order of a first read: what is open before what came to its end, that by its end, newest
/// first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstPlace<P> {
    /// When the record came to its end.
    pub settled_at: Option<Timestamp>,
    /// The row's place in the order of changes.
    pub position: P,
}

impl<P: Ord> Ord for FirstPlace<P> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.settled_at, other.settled_at) {
            (None, None) => self.position.cmp(&other.position),
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            // Both newest first.
            (Some(mine), Some(theirs)) => theirs
                .cmp(&mine)
                .then_with(|| other.position.cmp(&self.position)),
        }
    }
}

impl<P: Ord> PartialOrd for FirstPlace<P> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<P: Copy> Change<P> {
    /// Its place in the order of a first read.
    pub const fn place(&self) -> FirstPlace<P> {
        FirstPlace {
            settled_at: self.settled_at,
            position: self.position,
        }
    }
}

/// Version and body of records, by kind and id.
pub type Bodies = BTreeMap<(RecordKind, Uuid), (i64, Vec<u8>)>;

/// What the driver is to do next.
#[derive(Clone, Copy, Debug)]
pub enum PullStep<'m, P> {
    /// Load the changes of a scope behind a position that are safe to deliver, oldest first. Answer with
    /// [`super::Pull::handle_changes`].
    Changes {
        /// Of which scope.
        scope: Scope,
        /// Behind which position.
        after: P,
        /// At most so many: one more than may be sent, so that the end is known.
        most: usize,
    },
    /// Load rows that a scope holds, none of those that it holds no longer, in the order of a first read: first those
    /// whose record did not come to its end, by position; then the others by when it did, newest first, of equals the
    /// last position first. Answer with [`super::Pull::handle_first`].
    First {
        /// Of which scope.
        scope: Scope,
        /// Only rows at or before this position.
        upto: P,
        /// Behind which of them.
        after: Option<FirstPlace<P>>,
        /// At most so many: one more than may be sent.
        most: usize,
    },
    /// Load version and body of each record that is present among these. Answer with [`super::Pull::handle_bodies`].
    Bodies {
        /// Of which scope.
        scope: Scope,
        /// The changes.
        changes: &'m [Change<P>],
    },
    /// Add up what the scope holds. Answer with [`super::Pull::handle_window`], where the scope has one, and then
    /// with [`super::Pull::handle_sum`].
    Sum(Scope),
    /// All scopes are served: see [`super::Pull::response`].
    Done,
}

/// What a pull is answered by, beside the scopes themselves.
#[derive(Clone, Debug)]
pub struct Reader<'a, P> {
    /// What the person may hold now.
    pub granted: BTreeSet<Scope>,
    /// The hub's epoch.
    pub epoch: &'a str,
    /// The last position up to which everything is safe to deliver.
    pub reached: P,
    /// The first position that this store cannot have given out.
    pub unreached: P,
    /// How large answers may be.
    pub limits: &'a WireLimits,
}
