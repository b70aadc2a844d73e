//! What each scope held at its newest position, remembered: adding it up costs as much as the
//! scope is large, and most pulls find nothing changed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hazardloop_sync_protocol::wire::{Checkpoint, ClosedWindow, Scope};

use crate::store::Position;

/// Scopes remembered at once; beyond that all are forgotten and added up again when asked for.
pub const SCOPES_REMEMBERED: usize = 10_000;

/// What a scope gives out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenOut {
    /// Number and digest sum.
    pub checkpoint: Checkpoint,
    /// Which closed records are among it.
    pub window: Option<ClosedWindow>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Checkpoints(Mutex<HashMap<Scope, (Position, GivenOut)>>);

impl Checkpoints {
    /// What `scope` held at `position`, if that is remembered.
    pub fn get(&self, scope: Scope, position: Position) -> Option<GivenOut> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(&scope)
            .filter(|(at, _)| *at == position)
            .map(|(_, held)| *held)
    }

    /// Remembers what `scope` held at `position`.
    pub fn put(&self, scope: Scope, position: Position, held: GivenOut) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= SCOPES_REMEMBERED {
            known.clear();
        }
        known.insert(scope, (position, held));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_position_counts() {
        let checkpoints = Checkpoints::default();
        let held = GivenOut {
            checkpoint: Checkpoint {
                count: 1,
                digest: 7,
            },
            window: None,
        };
        checkpoints.put(Scope::Catalog, Position { tx: 2, ordinal: 1 }, held);
        assert_eq!(
            checkpoints.get(Scope::Catalog, Position { tx: 2, ordinal: 1 }),
            Some(held)
        );
        assert_eq!(
            checkpoints.get(Scope::Catalog, Position { tx: 2, ordinal: 2 }),
            None
        );
    }
}
