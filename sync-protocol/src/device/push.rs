//! The push lane: pending commands up, in order, in bounded batches; receipts down.

use hazardloop_domain::ids::SubjectId;
use hazardloop_domain::time::Timestamp;

use crate::wire::{
    Envelope, Outcome, PROTOCOL_MAX, PushRequest, PushResponse, PushResult, QuarantineReason,
    Receipt,
};

use super::contact::Contact;
use super::engine::Engine;
use super::jobs::Writing;
use super::output::{LaneName, Notice, Output, Request};
use super::retry::Lane;
use super::stride::Stride;
use super::{EngineConfig, StoreOp};

/// Bytes of an envelope beside kind and payload, rounded up: keys, sequence, hash, signature.
const ENVELOPE_OVERHEAD: usize = 128;

/// What was sent, and what was known when it was.
#[derive(Clone, Debug)]
pub(super) struct PushSent {
    pub first: i64,
    pub last: i64,
    /// All commands up to here had receipts then.
    pub receipted_to: i64,
    pub id: u64,
    /// More was to be sent than went at once.
    pub full: bool,
}

#[derive(Debug)]
pub(super) struct PushLane {
    pub lane: Lane,
    pub sent: Option<PushSent>,
    /// The server has others' commands under some of the places up to here. What stands behind may be its own all the
    /// same: that is asked first, for sealed anew it would take effect twice.
    pub asked_to: Option<i64>,
    pub stride: Stride,
    commands: usize,
}

impl PushLane {
    pub(super) fn new(config: &EngineConfig) -> Self {
        Self {
            lane: Lane::default(),
            sent: None,
            asked_to: None,
            stride: Stride::default(),
            commands: config.push_commands.min(config.wire.commands),
        }
    }

    /// After a 413: half of what was sent. `false` when that was a single command.
    pub(super) fn halve(&mut self, config: &EngineConfig) -> bool {
        let Some(sent) = &self.sent else { return false };
        let count = usize::try_from(sent.last - sent.first + 1).unwrap_or(1);
        if count < 2 {
            return false;
        }
        self.commands = count / 2;
        self.stride.failed(&config.push_bytes);
        self.lane.busy = None;
        true
    }

    /// Whether commands were sent and their answer is not stored yet.
    pub(super) fn sent_is_under_way(&self) -> bool {
        self.lane.busy.is_some()
    }

    /// Batches grow again after success.
    pub(super) fn finish(&mut self, config: &EngineConfig) {
        self.lane.busy = None;
        self.lane.backoff.succeed();
        let most = config.push_commands.min(config.wire.commands);
        self.commands = self.commands.saturating_mul(2).min(most);
    }
}

fn breaks_chain(receipt: &Receipt) -> bool {
    let reason = QuarantineReason::BrokenChain;
    matches!(&receipt.outcome, Outcome::Quarantined { reason: why, .. } if *why == reason)
}

impl Engine {
    pub(super) fn push_has_work(&self) -> bool {
        !self.state.meta.must_rekey && self.state.commands.values().any(|c| c.is_unsent())
    }

    pub(super) fn push_is_ready(&self, now: Timestamp) -> bool {
        self.push.lane.may_start(now, &self.config) && self.push_has_work()
    }

    pub(super) fn start_push(&mut self, now: Timestamp) -> Option<Output> {
        if !self.push_is_ready(now) {
            return None;
        }
        let (commands, full) = self.next_batch();
        let (first, last) = (commands.first()?.seq, commands.last()?.seq);
        let id = self.next_number();
        let receipted_to = self.state.receipted_to();
        self.push.sent = Some(PushSent {
            first,
            last,
            receipted_to,
            id,
            full,
        });
        self.push.stride.sent(now);
        self.push.lane.busy = Some(id);
        let install_id = self.identity.install_id;
        let request = PushRequest {
            protocol: PROTOCOL_MAX,
            install_id,
            settled: self.settled_of(&commands),
            commands,
        };
        Some(Output::Send {
            id,
            request: Request::Push(request),
        })
    }

    /// The payload of the command before a push, as it was sent, where it is still here: a push may be packed after it.
    pub fn before(&self, push: &PushRequest) -> Option<Vec<u8>> {
        let seq = push.commands.first()?.seq.checked_sub(1)?;
        let before = self.state.commands.get(&seq)?;
        Some(before.envelope.payload.0.clone())
    }

    /// From the first command to be sent on, contiguous, within the lane's bounds. A placeholder
    /// goes alone: what follows it may build on it only once it has its receipt. Also: whether more would have gone if
    /// more bytes went at once.
    /// Of these, about which their author has chosen since. A server that was restored wants them again, and is to carry
    /// none of them out: that another went in their place, or that they have no effect, comes behind them.
    fn settled_of(&self, batch: &[Envelope]) -> Vec<i64> {
        let chosen = |seq: &i64| {
            let command = self.state.commands.get(seq);
            command.is_some_and(|command| command.chosen.is_some())
        };
        batch.iter().map(|of| of.seq).filter(chosen).collect()
    }

    fn next_batch(&self) -> (Vec<Envelope>, bool) {
        let (mut batch, mut bytes) = (Vec::new(), 0_usize);
        let most = self.push.stride.next(&self.config.push_bytes) as usize;
        let first = self
            .state
            .receipted_to()
            .max(self.push.asked_to.unwrap_or(0));
        let first = first.saturating_add(1);
        for (_, command) in self.state.commands.range(first..) {
            let envelope = &command.envelope;
            bytes += envelope.payload.0.len() + envelope.kind.len() + ENVELOPE_OVERHEAD;
            let count = batch.len() >= self.push.commands.max(1) || command.is_replaced();
            if (bytes > most || count) && !batch.is_empty() {
                return (batch, !count);
            }
            batch.push(envelope.clone());
            if command.is_replaced() {
                break;
            }
        }
        (batch, false)
    }

    pub(super) fn push_job(
        &self,
        now: Timestamp,
        response: &PushResponse,
        sent: &PushSent,
    ) -> Writing {
        let mut writing = Writing {
            now,
            ..Writing::default()
        };
        writing.finishes = Some(LaneName::Push);
        writing.lane = Some(LaneName::Push);
        let mut settled = Vec::new();
        let mut taken = Vec::new();
        let (mut reused, mut put_back) = (self.push.asked_to.is_some(), None);
        for result in &response.results {
            match result {
                // What follows a command that is not the server's breaks the chain only for that
                // reason: it is sealed anew with it.
                PushResult::Receipt(receipt) if reused && breaks_chain(receipt) => {}
                PushResult::Receipt(receipt) if (sent.first..=sent.last).contains(&receipt.seq) => {
                    taken.push(receipt);
                    self.settle(receipt, &mut settled, &mut writing);
                }
                PushResult::Receipt(_) => {}
                PushResult::IdReused { seq } if self.is_placeholder(*seq) => put_back = Some(*seq),
                PushResult::IdReused { .. } => reused = true,
            }
        }
        let late = match put_back {
            Some(seq) => self.put_back(seq),
            None => self.tell_late(
                now,
                taken.into_iter().filter(|one| settled.contains(&one.seq)),
            ),
        };
        writing.ops.extend(late);
        let goes_on = reused && self.may_have_beyond(sent.last, response.last);
        writing.asked_to = goes_on.then_some(sent.last);
        let (offered, gone) = self.offer_again(
            (response.last, &response.epoch),
            sent.receipted_to,
            &mut writing,
        );
        let contact = Contact {
            now,
            server_time: response.server_time,
            anchor: response.anchor.as_ref(),
            epoch: &response.epoch,
            last: response.last,
            reused: reused && !goes_on,
            settled: &settled,
            offered,
            gone,
            digest_key: None,
        };
        self.note_contact(&contact, &mut writing);
        self.forget_hidden(&settled, &mut writing);
        self.lacks_photos(&response.missing_photos, sent.id, &mut writing.ops);
        let foreign = self.is_foreign(&contact);
        let nothing = settled.is_empty() && offered == 0 && put_back.is_none();
        writing.stalled = nothing && !foreign && !goes_on;
        writing
    }

    /// Whether commands without receipt stand behind `asked` that the server, which is at `last`, may have.
    fn may_have_beyond(&self, asked: i64, last: i64) -> bool {
        let behind = asked.saturating_add(1)..=last.max(asked.saturating_add(1));
        let mut behind = self.state.commands.range(behind);
        behind.any(|(seq, command)| *seq <= last && command.is_unsent())
    }

    fn settle(&self, receipt: &Receipt, settled: &mut Vec<i64>, writing: &mut Writing) {
        let Some(command) = self.state.commands.get(&receipt.seq) else {
            return;
        };
        // A receipt is final: a second, different one would be the server's fault.
        if command.receipt.is_some() {
            return;
        }
        let mut after = command.clone();
        after.receipt = Some(receipt.clone());
        let row = self.state.subject_row(command.subject_id);
        let held = row
            .filter(|(_, row)| row.holders > 0)
            .map_or(0, |(_, row)| row.version);
        let awaiting_pull = after.effect_version().is_some_and(|version| version > held);
        writing.ops.push(StoreOp::SettleCommand {
            seq: receipt.seq,
            receipt: after.receipt,
            awaiting_pull,
        });
        writing.notices.push(Notice::Settled { seq: receipt.seq });
        settled.push(receipt.seq);
    }

    /// Hidden rows go once nothing on them is unsettled.
    pub(super) fn forget_hidden(&self, settled: &[i64], writing: &mut Writing) {
        let settles = |seq: &i64| settled.contains(seq);
        let still_pending = |subject_id: SubjectId| {
            let mut on_it = self
                .state
                .commands
                .values()
                .filter(|c| c.subject_id == subject_id);
            on_it.any(|c| c.is_unsent() && !settles(&c.envelope.seq))
        };
        let mut gone = std::collections::BTreeSet::new();
        for command in settled
            .iter()
            .filter_map(|seq| self.state.commands.get(seq))
        {
            let row = self.state.subject_row(command.subject_id);
            if let Some((key, row)) = row
                && row.holders == 0
                && !still_pending(command.subject_id)
            {
                gone.insert(key);
            }
        }
        writing.ops.extend(gone.into_iter().map(StoreOp::DeleteRow));
    }
}
