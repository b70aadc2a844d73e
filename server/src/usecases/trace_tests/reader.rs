//! A reader that pulls by cursor, and is held after every answer against what the server's feed says that its cursors
//! have passed. It never says what it holds: a difference would have the server send the scope anew, and hide the loss.

use std::collections::BTreeMap;

use hazardloop_domain::ids::{EnterpriseId, InstallId, PersonId};
use hazardloop_sync_protocol::hub::{FeedPosition as _, has_passed};
use hazardloop_sync_protocol::wire::{
    Bytes, Checkpoint, PROTOCOL_MAX, Page, PullRequest, PullResponse, RecordKind, Scope,
    ScopeCursor, ScopeUpdate,
};
use uuid::Uuid;

use super::stage;
use crate::app::App;
use crate::store::{Position, StoreError, feed};
use crate::usecases::pull;

/// Version and digest of a record.
type Held = (i64, u64);

/// What a reader has put together of one scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Kept {
    cursor: Option<Bytes>,
    rows: BTreeMap<(RecordKind, Uuid), Held>,
}

/// See the top of this file.
pub(super) struct Reader {
    app: App,
    person_id: PersonId,
    install_id: InstallId,
    most: u32,
    loses_one: bool,
    epoch: Option<String>,
    scopes: BTreeMap<Scope, Kept>,
    /// Answers that it was given.
    pub answers: usize,
    /// What did not hold.
    pub found: Vec<String>,
}

impl Reader {
    /// A new install of somebody, who pulls so many records at a time.
    pub async fn of(app: App, person_id: PersonId, number: u8, most: u32) -> Self {
        let install_id = InstallId(Uuid::from_bytes([number; 16]));
        stage::enrol(&app, install_id, person_id, vec![number; 32]).await;
        Self {
            app,
            person_id,
            install_id,
            most,
            loses_one: false,
            epoch: None,
            scopes: BTreeMap::new(),
            answers: 0,
            found: Vec::new(),
        }
    }

    /// Who reads.
    pub const fn person_id(&self) -> PersonId {
        self.person_id
    }

    /// Whether it was given an enterprise.
    pub fn holds(&self, id: EnterpriseId) -> bool {
        let mut kept = self.scopes.values();
        kept.any(|kept| kept.rows.contains_key(&(RecordKind::Enterprise, id.0)))
    }

    /// Another install of the same person, which begins anew.
    pub async fn anew(&self, number: u8) -> Self {
        let (app, person_id) = (self.app.clone(), self.person_id);
        Self::of(app, person_id, number, self.most).await
    }

    /// The next page of changes that has a record loses it: as if its cursor had passed it.
    pub fn lose_one(&mut self) {
        self.loses_one = true;
    }

    /// Pulls once. Answers whether there is more.
    pub async fn pull(&mut self) -> bool {
        let held = self.scopes.iter().map(|(scope, kept)| ScopeCursor {
            scope: *scope,
            cursor: kept.cursor.clone(),
            checkpoint: None,
        });
        let request = PullRequest {
            protocol: PROTOCOL_MAX,
            install_id: self.install_id,
            epoch: self.epoch.clone(),
            scopes: held.collect(),
            max_records: Some(self.most),
        };
        let answer = pull::pull(&self.app, self.person_id, request).await;
        let answer = answer.unwrap();
        let more = answer.more;
        self.take(answer);
        self.check().await;
        more
    }

    /// Pulls until there is no more: no page without a checkpoint, so nothing in flight either.
    pub async fn catch_up(&mut self) {
        for _ in 0..10_000 {
            if !self.pull().await {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("no end within 10,000 pulls");
    }

    fn take(&mut self, answer: PullResponse) {
        self.answers += 1;
        self.epoch = Some(answer.epoch);
        for answer in answer.answers {
            match answer.update {
                ScopeUpdate::Page(page) => self.take_page(answer.scope, page),
                ScopeUpdate::Drop { .. } => {
                    self.scopes.remove(&answer.scope);
                }
            }
        }
    }

    fn take_page(&mut self, scope: Scope, mut page: Page) {
        let kept = self.scopes.entry(scope).or_default();
        if page.reset.is_some() {
            kept.rows.clear();
        } else if self.loses_one && page.records.pop().is_some() {
            self.loses_one = false;
        }
        for record in page.records {
            let (kind, id, version) = (record.kind, record.id, record.version);
            let key = self.app.digest_key;
            let digest = key.of_record(kind, &id, version, &record.body.0);
            kept.rows.insert((kind, id), (version, digest));
        }
        for gone in page.removals {
            kept.rows.remove(&(gone.kind, gone.id));
        }
        kept.cursor = Some(page.cursor);
        let sum = |sum: Checkpoint, held: &Held| sum.with(held.1);
        let sum = kept.rows.values().fold(Checkpoint::EMPTY, sum);
        if page.checkpoint.is_some_and(|theirs| theirs != sum) {
            let what = format!("{scope} adds up to {sum:?}, not {:?}", page.checkpoint);
            self.found.push(what);
        }
    }

    /// Takes whatever is visible behind the last row that it saw, safe or not: what a pull must not do.
    pub async fn look_at_all(&mut self) {
        let cursors = self.scopes.iter().map(|(scope, kept)| {
            let cursor = kept.cursor.as_ref().map(|cursor| cursor.0.as_slice());
            (
                *scope,
                cursor
                    .and_then(Position::from_cursor)
                    .unwrap_or(Position::START),
            )
        });
        let cursors: Vec<(Scope, Position)> = cursors.collect();
        let seen = self.app.db.read(move |tx| {
            let rows = cursors.into_iter().map(|(scope, after)| {
                feed::changes(tx.conn(), scope, after, i64::MAX, i64::MAX).map(|all| (scope, all))
            });
            rows.collect::<Result<Vec<_>, StoreError>>()
        });
        for (scope, changes) in seen.await.unwrap() {
            let kept = self.scopes.entry(scope).or_default();
            for change in changes {
                kept.cursor = Some(change.position.to_cursor());
                match change.present {
                    true => kept
                        .rows
                        .insert((change.kind, change.id), (change.version, 0)),
                    false => kept.rows.remove(&(change.kind, change.id)),
                };
            }
        }
        self.check().await;
    }

    /// Invariant 10: of each row that lies where its cursors have passed it has what the feed says. That may be asked
    /// later than the page was made: a row that changes since lies behind every cursor that was given out.
    async fn check(&mut self) {
        let scopes: Vec<Scope> = self.scopes.keys().copied().collect();
        let rows = self.app.db.read(move |tx| {
            let rows = scopes.into_iter().map(|scope| {
                let all = feed::changes(tx.conn(), scope, Position::START, i64::MAX, i64::MAX);
                all.map(|all| (scope, all))
            });
            rows.collect::<Result<Vec<_>, StoreError>>()
        });
        for (scope, rows) in rows.await.unwrap() {
            let Some(kept) = self.scopes.get(&scope) else {
                continue;
            };
            let cursor = kept.cursor.as_ref().map(|cursor| cursor.0.as_slice());
            for row in rows {
                let has = kept.rows.get(&(row.kind, row.id)).map(|held| held.0);
                let should = row.present.then_some(row.version);
                if has_passed::<Position>(cursor, row.place(), row.present) && has != should {
                    let what = format!("{scope}: {} is {has:?}, not {should:?}", row.id);
                    self.found.push(what);
                }
            }
        }
    }

    /// Holds what was put together against what another reader was given.
    pub fn compare(&mut self, fresh: &Self) {
        let scopes = |reader: &Self| reader.scopes.keys().copied().collect::<Vec<_>>();
        if scopes(self) != scopes(fresh) {
            let what = format!("it holds {:?}, not {:?}", scopes(self), scopes(fresh));
            self.found.push(what);
        }
        for (scope, kept) in &fresh.scopes {
            let mine = self.scopes.get(scope).map(|kept| &kept.rows);
            if mine != Some(&kept.rows) {
                let what = format!("{scope}: {mine:?} in the end, not {:?}", kept.rows);
                self.found.push(what);
            }
        }
    }
}
