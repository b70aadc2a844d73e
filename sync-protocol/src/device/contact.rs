//! What every answer tells beside its content: time, epoch, and how far our stream goes.

use hazardloop_domain::command::AnchorToken;
use hazardloop_domain::time::Timestamp;

use crate::digest::DigestKey;

use super::engine::Engine;
use super::jobs::Writing;
use super::output::Notice;
use super::{Oversize, StoreOp, StoredCommand};

/// The head of an answer.
pub(super) struct Contact<'a> {
    pub now: Timestamp,
    pub server_time: Timestamp,
    /// What came with it.
    pub anchor: Option<&'a AnchorToken>,
    pub epoch: &'a str,
    pub last: i64,
    pub reused: bool,
    /// Commands that this answer brings receipts for.
    pub settled: &'a [i64],
    pub offered: usize,
    /// Commands between the server's last and what is offered that are no longer here.
    pub gone: i64,
    /// Sent when the device did not know it.
    pub digest_key: Option<DigestKey>,
}

impl Engine {
    /// A server that lost receipts (restored from a backup) gets those commands again. Judged by
    /// what had receipts when the request was sent: an answer may be older than another lane's.
    /// Gives how many, and how many the server lacks that are no longer kept here.
    pub(super) fn offer_again(
        &self,
        (last, epoch): (i64, &str),
        receipted_to: i64,
        writing: &mut Writing,
    ) -> (usize, i64) {
        let known = self.state.meta.epoch.as_deref();
        let restored = known.is_some_and(|known| known != epoch);
        if last >= receipted_to && !restored {
            return (0, 0);
        }
        let lacked = last.max(0).saturating_add(1);
        let first = if restored { 1 } else { lacked };
        let (mut offered, mut kept) = (0, 0);
        for (seq, command) in self.state.commands.range(first..) {
            kept += i64::from(*seq >= lacked);
            if command.is_unsent() {
                continue;
            }
            offered += 1;
            writing.ops.push(match command.oversize {
                // What it had at this sequence it has no longer.
                Some(Oversize::Unanswered | Oversize::Offered) => {
                    StoreOp::PutCommand(StoredCommand {
                        receipt: None,
                        awaiting_pull: false,
                        oversize: None,
                        ..command.clone()
                    })
                }
                _ => StoreOp::SettleCommand {
                    seq: *seq,
                    receipt: None,
                    awaiting_pull: false,
                },
            });
        }
        let lacks = self.state.highest_seq().saturating_sub(last.max(0));
        (offered, lacks.saturating_sub(kept))
    }

    /// Whether this install's stream is in use elsewhere. A server that knows more than this
    /// device is not enough while commands here have no receipt: they may be among what it
    /// knows, and then a push under this install brings their receipts. Sealed anew they would
    /// take effect twice.
    pub(super) fn is_foreign(&self, contact: &Contact<'_>) -> bool {
        let unsettled = self
            .state
            .commands
            .iter()
            .any(|(seq, c)| c.is_unsent() && !contact.settled.contains(seq));
        contact.reused || (contact.last > self.state.highest_seq().max(0) && !unsettled)
    }

    /// What every answer tells: time, epoch, and how far the server thinks this stream goes.
    pub(super) fn note_contact(&self, contact: &Contact<'_>, writing: &mut Writing) {
        let mut meta = self.state.meta.clone();
        meta.server_time = Some(contact.server_time);
        meta.anchor = self.anchor_of(contact.now, contact.anchor);
        meta.contact_at = Some(contact.now);
        let restored = meta
            .epoch
            .as_deref()
            .is_some_and(|known| known != contact.epoch);
        if meta.epoch.as_deref() != Some(contact.epoch) {
            meta.epoch = Some(contact.epoch.to_owned());
            meta.digest_key = None;
        }
        meta.digest_key = contact.digest_key.or(meta.digest_key);
        if restored {
            for (scope, state) in &self.state.scopes {
                let mut state = state.clone();
                state.cursor = None;
                state.complete = false;
                state.staging_reset = false;
                writing.ops.push(StoreOp::ClearStaged(*scope));
                writing.ops.push(StoreOp::PutScope(*scope, state));
            }
        }
        if restored || contact.offered > 0 {
            writing.notices.push(Notice::ServerRestored {
                offered_again: contact.offered,
                gone: contact.gone,
            });
        }
        let settled = |seq: &i64| contact.settled.contains(seq);
        meta.too_large = meta.too_large.filter(|seq| !settled(seq));
        // A stream has no gaps: where the server wants what is no longer kept, a new one begins.
        if (self.is_foreign(contact) || contact.gone > 0) && !meta.must_rekey {
            meta.must_rekey = true;
            writing.notices.push(Notice::MustRekey);
        }
        writing.ops.push(StoreOp::PutMeta(meta));
    }
}
