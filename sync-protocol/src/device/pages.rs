//! Pages: staged until their checkpoint, then shown, held against the server's digest.

use std::collections::{BTreeMap, BTreeSet};

use hazardloop_domain::ids::SubjectId;
use hazardloop_domain::time::Timestamp;

use crate::digest::DigestKey;
use crate::wire::{Bytes, Checkpoint, Page, Record, Scope};

use super::engine::Engine;
use super::jobs::Writing;
use super::output::Notice;
use super::state::SUBJECTS;
use super::{Member, RowKey, ScopeState, StoreOp};

impl Engine {
    pub(super) fn drop_scope(&self, scope: Scope, writing: &mut Writing) {
        let members = self.state.members.get(&scope);
        let left: Vec<RowKey> = members
            .map(|rows| rows.keys().copied().collect())
            .unwrap_or_default();
        writing.ops.push(StoreOp::DeleteScope(scope));
        self.release_rows(&left, writing);
    }

    /// Rows that left a scope: gone when no other scope holds them, except that a row with an
    /// unreceipted command on it is only hidden until that is settled.
    fn release_rows(&self, left: &[RowKey], writing: &mut Writing) {
        for key in left {
            let last_holder = self.state.rows.get(key).is_some_and(|row| row.holders <= 1);
            let hide = SUBJECTS.contains(&key.0) && self.state.has_unreceipted(SubjectId(key.1));
            if last_holder && !hide {
                writing.ops.push(StoreOp::DeleteRow(*key));
            }
        }
    }

    pub(super) fn take_page(
        &self,
        now: Timestamp,
        scope: Scope,
        page: Page,
        sent_cursor: Option<Bytes>,
        writing: &mut Writing,
    ) {
        let mut state = self.state.scopes.get(&scope).cloned().unwrap_or_default();
        let begins = page.reset.is_some() || sent_cursor.is_none();
        if !begins && state.cursor != sent_cursor {
            // The scope was reset since this was asked for.
            return;
        }
        let ops = &mut writing.ops;
        if begins {
            ops.push(StoreOp::ClearStaged(scope));
            state.staging_reset = true;
        }
        state.complete = false;
        state.cursor = Some(page.cursor.clone());
        let extent = page.extent.unwrap_or_default();
        state.first_rows = extent.rows;
        let Some(checkpoint) = page.checkpoint else {
            let mut staged: BTreeSet<RowKey> = BTreeSet::new();
            if let (false, Some(before)) = (begins, self.state.staged.get(&scope)) {
                staged.extend(before.keys());
            }
            for (key, record) in page_changes(page) {
                staged.insert(key);
                ops.push(StoreOp::Stage { scope, key, record });
            }
            if let Some(whole) = extent.rows {
                let rows = staged.len();
                let notice = Notice::Reading { scope, rows, whole };
                writing.notices.push(notice);
            }
            ops.push(StoreOp::PutScope(scope, state));
            return;
        };
        let Some(digest_key) = self.state.meta.digest_key else {
            // A checkpoint that cannot be checked is asked for again, with the key.
            ops.clear();
            return;
        };
        state.window = extent.window;
        let mut changes = BTreeMap::new();
        if !begins {
            changes = self.state.staged.get(&scope).cloned().unwrap_or_default();
        }
        changes.extend(page_changes(page));
        let shown = Showing {
            scope,
            digest_key,
            replaces: state.staging_reset,
        };
        let held = self.show(&shown, changes, state.held, writing);
        self.close_page(now, scope, state, held, checkpoint, writing);
    }

    /// Applies a scope's complete set of changes to the rows; gives what the scope then holds.
    fn show(
        &self,
        shown: &Showing,
        changes: BTreeMap<RowKey, Option<Record>>,
        held: Option<Checkpoint>,
        writing: &mut Writing,
    ) -> Checkpoint {
        let scope = shown.scope;
        let nothing = BTreeMap::new();
        let members = self.state.members.get(&scope).unwrap_or(&nothing);
        let mut held = held
            .filter(|_| !shown.replaces)
            .unwrap_or(Checkpoint::EMPTY);
        let mut left: BTreeSet<RowKey> = BTreeSet::new();
        if shown.replaces {
            left.extend(members.keys().filter(|key| !changes.contains_key(*key)));
        }
        for (key, change) in changes {
            let before = members.get(&key);
            if let (Some(before), false) = (before, shown.replaces) {
                held = held.without(before.digest);
            }
            let Some(record) = change else {
                left.extend(before.map(|_| key));
                continue;
            };
            let body = &record.body.0;
            let digest = shown
                .digest_key
                .of_record(key.0, &key.1, record.version, body);
            let member = Member {
                version: record.version,
                digest,
            };
            held = held.with(digest);
            let row = self.state.rows.get(&key);
            let same = row.is_some_and(|r| r.version == record.version && r.body == *body);
            if !same && !self.another_is_ahead(scope, &key, record.version) {
                writing.ops.push(StoreOp::PutRow(record));
            }
            if before != Some(&member) {
                writing.ops.push(StoreOp::PutMember { scope, key, member });
            }
        }
        let left: Vec<RowKey> = left.into_iter().collect();
        writing.ops.extend(
            left.iter()
                .map(|key| StoreOp::DeleteMember { scope, key: *key }),
        );
        self.release_rows(&left, writing);
        held
    }

    /// Whether another scope has brought a newer version of this row already, in this epoch. What came
    /// before the server was restored counts for nothing: it may know less now, and that is what holds.
    fn another_is_ahead(&self, scope: Scope, key: &RowKey, version: i64) -> bool {
        self.state.members.iter().any(|(other, rows)| {
            // The cursors of a scope go with the epoch, and its rows are of it once they are shown.
            let state = self.state.scopes.get(other);
            let present = state.is_some_and(|s| s.cursor.is_some() && !s.staging_reset);
            let member = rows.get(key);
            *other != scope && present && member.is_some_and(|member| member.version > version)
        })
    }

    fn close_page(
        &self,
        now: Timestamp,
        scope: Scope,
        mut state: ScopeState,
        held: Checkpoint,
        checkpoint: Checkpoint,
        writing: &mut Writing,
    ) {
        state.held = Some(held);
        state.complete = held == checkpoint;
        state.staging_reset = false;
        if state.complete {
            writing.notices.push(Notice::ScopeReady { scope });
        } else {
            writing.notices.push(Notice::ScopeDiffers { scope });
            if !self.differed_recently(now, &state) {
                state.cursor = None;
                state.last_mismatch = Some(now);
            }
        }
        writing.ops.push(StoreOp::ClearStaged(scope));
        // An unchanged scope costs no write.
        let unchanged = self.state.scopes.get(&scope) == Some(&state);
        if unchanged
            && writing
                .ops
                .iter()
                .all(|op| matches!(op, StoreOp::ClearStaged(_)))
        {
            writing.ops.clear();
            return;
        }
        writing.ops.push(StoreOp::PutScope(scope, state));
    }
}

struct Showing {
    scope: Scope,
    digest_key: DigestKey,
    /// The changes are the whole scope.
    replaces: bool,
}

/// A page's changes; a record that is both there and removed is there.
fn page_changes(page: Page) -> BTreeMap<RowKey, Option<Record>> {
    let removals = page
        .removals
        .into_iter()
        .map(|key| ((key.kind, key.id), None));
    let records = page.records.into_iter().map(|r| ((r.kind, r.id), Some(r)));
    removals.chain(records).collect()
}
