//! A phone without storage, which adds up what it holds.

use std::collections::BTreeMap;

use hazardloop_domain::ids::HazardId;
use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::wire::{
    Checkpoint, ClosedWindow, PushResult, ScopeCursor, ScopeUpdate,
};

use super::*;
use crate::test_support::{TestDevice, until_safe};
use crate::usecases::pull;
use crate::usecases::push::push;

/// A phone that adds up what it holds.
pub(super) struct Phone {
    pub device: TestDevice,
    pub epoch: Option<String>,
    key: Option<DigestKey>,
    pub cursors: BTreeMap<Scope, ScopeCursor>,
    pub held: BTreeMap<Scope, BTreeMap<(RecordKind, Uuid), u64>>,
    pub windows: BTreeMap<Scope, ClosedWindow>,
    pub removals: usize,
    pub records: usize,
}

impl Phone {
    pub async fn of(app: &App, login: &str, number: u8) -> Self {
        Self {
            device: TestDevice::enrol(app, login, number).await,
            epoch: None,
            key: None,
            cursors: BTreeMap::new(),
            held: BTreeMap::new(),
            windows: BTreeMap::new(),
            removals: 0,
            records: 0,
        }
    }

    /// One answer; whether there is more.
    pub async fn once(&mut self, app: &App, most: Option<u32>) -> bool {
        let cursors = self.cursors.values().cloned().collect();
        let mut request = self.device.pull(self.epoch.clone(), cursors);
        request.max_records = most;
        let answer = pull::pull(app, self.device.person_id, request);
        let answer = answer.await.unwrap();
        self.epoch = Some(answer.epoch);
        if let Some(key) = answer.digest_key {
            self.key = DigestKey::from_slice(&key.0);
        }
        let key = self.key.unwrap();
        for answer in answer.answers {
            let ScopeUpdate::Page(page) = answer.update else {
                panic!("dropped")
            };
            let held = self.held.entry(answer.scope).or_default();
            if page.reset.is_some() {
                held.clear();
            }
            self.records += page.records.len();
            self.removals += page.removals.len();
            for record in &page.records {
                let digest = key.of_record(record.kind, &record.id, record.version, &record.body.0);
                held.insert((record.kind, record.id), digest);
            }
            for gone in &page.removals {
                held.remove(&(gone.kind, gone.id));
            }
            if let Some(sum) = page.checkpoint {
                let mine = held
                    .values()
                    .fold(Checkpoint::EMPTY, |sum, row| sum.with(*row));
                assert_eq!(mine, sum, "{}", answer.scope);
            }
            if let Some(window) = page.extent.and_then(|extent| extent.window) {
                self.windows.insert(answer.scope, window);
            }
            let cursor = ScopeCursor {
                scope: answer.scope,
                cursor: Some(page.cursor),
                checkpoint: page.checkpoint,
            };
            self.cursors.insert(answer.scope, cursor);
        }
        answer.more
    }

    /// Everything that there is for it.
    pub async fn pull(&mut self, app: &App) {
        until_safe(app).await;
        for _ in 0..10_000 {
            if !self.once(app, None).await {
                return;
            }
        }
        panic!("no complete answer within 10,000 pulls");
    }

    /// The numbers of the hazards that it holds of a scope.
    pub fn hazards(&self, scope: Scope) -> BTreeSet<u64> {
        let held = self.held.get(&scope).into_iter().flatten();
        let hazards = held.filter(|((kind, _), _)| *kind == RecordKind::Hazard);
        hazards.map(|((_, id), _)| number_of(*id)).collect()
    }

    pub async fn send(&mut self, app: &App, id: HazardId, action: Action) -> Outcome {
        let batch = vec![self.device.seal(id, action)];
        let answer = push(app, self.device.person_id, self.device.push(batch)).await;
        match answer.unwrap().results.remove(0) {
            PushResult::Receipt(receipt) => receipt.outcome,
            PushResult::IdReused { seq } => panic!("{seq} is used"),
        }
    }

    /// An answer that never arrives: how many records it had.
    pub async fn lose(&self, app: &App) -> usize {
        let cursors = self.cursors.values().cloned().collect();
        let mut request = self.device.pull(self.epoch.clone(), cursors);
        request.max_records = Some(3);
        let answer = pull::pull(app, self.device.person_id, request).await;
        let answers = answer.unwrap().answers;
        let pages = answers.iter().map(|answer| match &answer.update {
            ScopeUpdate::Page(page) => page.records.len(),
            ScopeUpdate::Drop { .. } => 0,
        });
        pages.sum()
    }
}
