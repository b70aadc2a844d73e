//! Tidying: what is settled and old goes, in bounded writes; what the protocol needs stays.
//!
//! Kept whatever their age: the newest command (its sequence and link hash are where the chain
//! goes on), what has no receipt, what needs a person's attention, what the replica does not show
//! yet, and a command whose photo is still here. Age is measured by the server's clock on both
//! ends. After each write the rest is looked for anew, so a crash in between costs nothing.

use super::engine::Engine;
use super::jobs::Writing;
use super::{Standing, StoreOp, StoredCommand};

impl Engine {
    pub(super) fn compact_job(&mut self) -> Writing {
        let most = self.config.compact_step.max(1);
        let mut ops: Vec<StoreOp> = self.orphans().chain(self.outlived()).take(most).collect();
        self.compact = ops.len() == most;
        if !ops.is_empty() {
            let pages = self.config.release_pages;
            ops.push(StoreOp::ReleaseSpace { pages });
        }
        Writing::of(ops)
    }

    /// Hidden rows that no command waits on, and staged pages of scopes that are gone.
    fn orphans(&self) -> impl Iterator<Item = StoreOp> + '_ {
        let hidden = self.state.rows.iter().filter(|(_, row)| row.holders == 0);
        let idle = hidden.filter(|((_, id), _)| {
            let id = hazardloop_domain::ids::SubjectId(*id);
            !self.state.has_unreceipted(id)
        });
        let staged = self.state.staged.keys();
        let loose = staged.filter(|scope| !self.state.scopes.contains_key(scope));
        idle.map(|(key, _)| StoreOp::DeleteRow(*key))
            .chain(loose.map(|scope| StoreOp::ClearStaged(*scope)))
    }

    /// Whether a command took effect, or it is settled that it has none.
    fn is_done_with(&self, command: &StoredCommand) -> bool {
        matches!(
            self.standing(command),
            Standing::Arrived | Standing::Settled
        )
    }

    /// Commands that took effect or are settled, longest ago first, beyond the time or the number to be kept.
    fn outlived(&self) -> impl Iterator<Item = StoreOp> + '_ {
        let newest = self.state.highest_seq();
        let arrived = |seq: &i64| {
            let command = self.state.commands.get(seq);
            command.is_some_and(|c| self.is_done_with(c))
        };
        let settled = self
            .state
            .commands
            .keys()
            .filter(|seq| arrived(seq))
            .count();
        let excess = settled.saturating_sub(self.config.keep_settled);
        let now = self.state.meta.server_time;
        let in_order = self.state.commands.values();
        let in_order = in_order.filter(|c| self.is_done_with(c));
        in_order
            .enumerate()
            .filter(move |(rank, command)| {
                let received = command.receipt.as_ref().map(|receipt| receipt.received_at);
                let over = received.zip(now).is_some_and(|(received, now)| {
                    received.plus_millis(self.config.keep_settled_ms) < now
                });
                let seq = command.envelope.seq;
                let needed = seq == newest
                    || command.awaiting_pull
                    || self.state.photos.values().any(|photo| photo.seq == seq);
                (over || *rank < excess) && !needed
            })
            .map(|(_, command)| StoreOp::DeleteCommand(command.envelope.seq))
    }
}
