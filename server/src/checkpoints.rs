//! What each scope held at its newest position, remembered: adding it up costs as much as the
//! scope is large, and most pulls find nothing changed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hazardloop_sync_protocol::wire::{Checkpoint, Scope};

use crate::store::Position;

/// Scopes remembered at once; beyond that all are forgotten and added up again when asked for.
pub const SCOPES_REMEMBERED: usize = 10_000;

/// See the module.
#[derive(Debug, Default)]
pub struct Checkpoints(Mutex<HashMap<Scope, (Position, Checkpoint)>>);

impl Checkpoints {
    /// What `scope` held at `position`, if that is remembered.
    pub fn get(&self, scope: Scope, position: Position) -> Option<Checkpoint> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(&scope)
            .filter(|(at, _)| *at == position)
            .map(|(_, held)| *held)
    }

    /// Remembers what `scope` held at `position`.
    pub fn put(&self, scope: Scope, position: Position, held: Checkpoint) {
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
        let held = Checkpoint {
            count: 1,
            digest: 7,
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
