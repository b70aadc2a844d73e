//! Applying store operations to the state in memory: what every store has to be equal to.

use super::{Row, State, StoreOp};

impl State {
    /// Applies operations in order.
    pub fn apply(&mut self, ops: &[StoreOp]) {
        for op in ops {
            self.apply_one(op);
        }
    }

    fn apply_one(&mut self, op: &StoreOp) {
        match op {
            StoreOp::PutMeta(meta) => self.meta = meta.clone(),
            StoreOp::PutCommand(command) => {
                self.commands.insert(command.envelope.seq, command.clone());
            }
            StoreOp::SettleCommand {
                seq,
                receipt,
                awaiting_pull,
            } => {
                if let Some(command) = self.commands.get_mut(seq) {
                    command.receipt = receipt.clone();
                    command.awaiting_pull = *awaiting_pull;
                }
            }
            StoreOp::DeleteCommand(seq) => {
                self.commands.remove(seq);
            }
            StoreOp::PutScope(scope, state) => {
                self.scopes.insert(*scope, state.clone());
            }
            StoreOp::DeleteScope(scope) => {
                self.scopes.remove(scope);
                self.staged.remove(scope);
                for key in self.members.remove(scope).unwrap_or_default().keys() {
                    self.count_holder(key, -1);
                }
            }
            StoreOp::Stage { scope, key, record } => {
                self.staged
                    .entry(*scope)
                    .or_default()
                    .insert(*key, record.clone());
            }
            StoreOp::ClearStaged(scope) => {
                self.staged.remove(scope);
            }
            StoreOp::PutRow(record) => {
                let key = (record.kind, record.id);
                let holders = self
                    .members
                    .values()
                    .filter(|rows| rows.contains_key(&key))
                    .count();
                let body = record.body.0.clone();
                self.rows.insert(
                    key,
                    Row {
                        version: record.version,
                        body,
                        holders,
                    },
                );
            }
            StoreOp::DeleteRow(key) => {
                self.rows.remove(key);
            }
            StoreOp::PutMember { scope, key, member } => {
                let before = self
                    .members
                    .entry(*scope)
                    .or_default()
                    .insert(*key, *member);
                if before.is_none() {
                    self.count_holder(key, 1);
                }
            }
            StoreOp::DeleteMember { scope, key } => {
                let rows = self.members.get_mut(scope);
                if rows.is_some_and(|rows| rows.remove(key).is_some()) {
                    self.count_holder(key, -1);
                }
                if self
                    .members
                    .get(scope)
                    .is_some_and(std::collections::BTreeMap::is_empty)
                {
                    self.members.remove(scope);
                }
            }
            StoreOp::PutPhoto(photo) => {
                self.photos.insert(photo.sha256, photo.clone());
            }
            StoreOp::DeletePhoto(sha256) => {
                self.photos.remove(sha256);
            }
            StoreOp::ReleaseSpace { .. } => {}
        }
    }

    fn count_holder(&mut self, key: &super::RowKey, change: isize) {
        if let Some(row) = self.rows.get_mut(key) {
            row.holders = row.holders.saturating_add_signed(change);
        }
    }
}
