//! A phone for tests that compare what it pulled with what REST shows.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use hazardloop_domain::ids::PersonId;
use hazardloop_sync_protocol::wire::{PullResponse, RecordKind, Scope, ScopeCursor, ScopeUpdate};
use uuid::Uuid;

use super::pull_tests::pull;
use crate::app::App;
use crate::test_support::TestDevice;

/// Records with their versions.
pub(super) type Versions = BTreeMap<(RecordKind, Uuid), i64>;

/// What is compared: the rest is reference data, and the person's own record.
const COMPARED: [RecordKind; 3] = [
    RecordKind::Hazard,
    RecordKind::Inspection,
    RecordKind::Enterprise,
];

/// A phone that keeps what it pulled, and from when on.
pub(super) struct Phone {
    pub(super) device: TestDevice,
    epoch: Option<String>,
    cursors: BTreeMap<Scope, ScopeCursor>,
    held: BTreeMap<Scope, Versions>,
}

impl Phone {
    pub(super) async fn of(app: &App, person_id: PersonId, number: u8) -> Self {
        Self {
            device: TestDevice::enrol_as(app, person_id, number).await,
            epoch: None,
            cursors: BTreeMap::new(),
            held: BTreeMap::new(),
        }
    }

    pub(super) async fn pull(&mut self, app: &App) -> Versions {
        let cursors = self.cursors.values().cloned().collect();
        let request = self.device.pull(self.epoch.clone(), cursors);
        let answer = pull(app, self.device.person_id, request).await.unwrap();
        assert!(!answer.more, "one answer holds all of it");
        self.take(answer);
        let mut all = Versions::new();
        for (key, version) in self.held.values().flatten() {
            let before = all.insert(*key, *version);
            let same = before.is_none_or(|before| before == *version);
            assert!(same, "{key:?} came in two versions");
        }
        all.retain(|(kind, _), _| COMPARED.contains(kind));
        all
    }

    /// What one scope has given it.
    pub(super) fn held_in(&self, scope: Scope) -> Versions {
        self.held.get(&scope).cloned().unwrap_or_default()
    }

    fn take(&mut self, answer: PullResponse) {
        self.epoch = Some(answer.epoch);
        for answer in answer.answers {
            let ScopeUpdate::Page(page) = answer.update else {
                self.held.remove(&answer.scope);
                self.cursors.remove(&answer.scope);
                continue;
            };
            let held = self.held.entry(answer.scope).or_default();
            if page.reset.is_some() {
                held.clear();
            }
            for record in &page.records {
                held.insert((record.kind, record.id), record.version);
            }
            for gone in &page.removals {
                held.remove(&(gone.kind, gone.id));
            }
            let count = page.checkpoint.unwrap().count;
            assert_eq!(count, held.len() as u64, "{}", answer.scope);
            let cursor = ScopeCursor {
                scope: answer.scope,
                cursor: Some(page.cursor),
                checkpoint: page.checkpoint,
            };
            self.cursors.insert(answer.scope, cursor);
        }
    }
}
