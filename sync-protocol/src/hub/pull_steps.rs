//! What a pull asks of its driver, step by step, and what it is told.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Load version and body of each record that is present among these. Answer with [`super::Pull::handle_bodies`].
    Bodies {
        /// Of which scope.
        scope: Scope,
        /// The changes.
        changes: &'m [Change<P>],
    },
    /// Add up what the scope holds. Answer with [`super::Pull::handle_sum`].
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
    /// The first position that this store cannot have given out.
    pub unreached: P,
    /// How large answers may be.
    pub limits: &'a WireLimits,
}
