//! A command that the server will not take for its size must not hold those behind it for ever.
//!
//! Only a typed 413 of our own server to the command alone counts. Then a small placeholder takes
//! its sequence, and everything behind it is sealed anew onto the placeholder: nothing at or
//! behind this sequence was ever acknowledged. The command stays on the device, whole, for a
//! person. The server may yet have it, from an earlier push whose answer was lost. It is the
//! judge: a sequence is given once. Therefore the placeholder travels alone, and
//!
//! * its receipt says that the server never had the command, and never will;
//! * `IdReused` says that the server has the command (or, on a restored phone, another's). Then
//!   the command and all behind it are put back. Sealing is a function of key, place and content,
//!   so they are byte for byte what was sent before, and pushing them brings their receipts. If
//!   even now the server says `IdReused`, the stream is in use elsewhere and is keyed anew; if it
//!   says 413, the command is there and its receipt cannot be had: it is left to a person, and
//!   those behind it go on.
//!
//! Each step is one write. A crash before it repeats the question; the answer is the same.

use hazardloop_domain::command::ClockReading;
use hazardloop_domain::time::Timestamp;

use crate::chain::{link_hash, seal};
use crate::codec;
use crate::wire::{CommandPayload, Envelope, PLACEHOLDER_KIND, PLACEHOLDER_VERSION, Placeholder};

use super::choices::is_same;
use super::engine::Engine;
use super::jobs::{Job, Writing};
use super::output::{Failure, LaneName, Notice};
use super::{Oversize, StoreOp, StoredCommand, Ticket};

impl Engine {
    /// A push was too large: smaller batches first; of a single command, who says so counts.
    pub(super) fn push_too_large(&mut self, now: Timestamp, ours: bool) {
        if self.push.halve(&self.config) {
            return;
        }
        let stuck = self.push.sent.take().map(|sent| sent.first);
        match stuck {
            // The lane stays busy until this is stored.
            Some(seq) if ours && !self.is_placeholder(seq) => {
                self.inbox.push_back(Job::SetAside { seq, now });
            }
            _ => {
                self.inbox.extend(stuck.map(|seq| Job::TooLarge { seq }));
                self.fail_lane(LaneName::Push, now, Failure::PayloadTooLarge { ours });
            }
        }
    }

    pub(super) fn is_placeholder(&self, seq: i64) -> bool {
        let command = self.state.commands.get(&seq);
        command.is_some_and(StoredCommand::is_replaced)
    }

    /// A command that somebody will not let through, and behind which others wait, is kept and
    /// told.
    pub(super) fn too_large_job(&self, seq: i64) -> Writing {
        let mut meta = self.state.meta.clone();
        let behind = self.state.commands.range(seq.saturating_add(1)..).count();
        let known = meta.too_large.replace(seq) == Some(seq);
        let mut writing = Writing::default();
        writing.notices.push(Notice::TooLarge { seq, behind });
        if !known {
            writing.ops.push(StoreOp::PutMeta(meta));
        }
        writing
    }

    /// Our server will not take this command, alone.
    pub(super) fn set_aside_job(&self, now: Timestamp, seq: i64) -> Writing {
        let mut writing = Writing {
            now,
            lane: Some(LaneName::Push),
            finishes: Some(LaneName::Push),
            ..Writing::default()
        };
        let Some(command) = self.state.commands.get(&seq).filter(|c| c.is_unsent()) else {
            return writing;
        };
        let mut behind = self.state.commands.range(seq.saturating_add(1)..);
        let beyond = behind.any(|(_, command)| command.receipt.is_some());
        if command.oversize == Some(Oversize::Offered) || beyond {
            writing.ops.push(StoreOp::PutCommand(StoredCommand {
                oversize: Some(Oversize::Unanswered),
                ..command.clone()
            }));
            self.forget_hidden(&[seq], &mut writing);
        } else {
            let replaced = StoredCommand {
                envelope: self.placeholder(command),
                oversize: Some(Oversize::Placeholder(Box::new(command.envelope.clone()))),
                ..command.clone()
            };
            writing.ops = self.sealed_behind(replaced);
        }
        if self.state.meta.too_large == Some(seq) {
            let mut meta = self.state.meta.clone();
            meta.too_large = None;
            writing.ops.push(StoreOp::PutMeta(meta));
        }
        writing.notices.push(Notice::SetAside { seq });
        writing
    }

    /// The same, because a person says so: nothing is under way that could answer it.
    pub(super) fn leave_out_job(
        &self,
        ticket: Ticket,
        now: Timestamp,
        command: &StoredCommand,
    ) -> Writing {
        let mut commands = self.state.commands.iter();
        let known = commands.find(|(_, stored)| is_same(stored, command));
        // Of none that is there any more nothing is left out; the lane goes on all the same.
        let mut writing = self.set_aside_job(now, known.map_or(0, |(seq, _)| *seq));
        writing.ticket = Some(ticket);
        writing
    }

    /// Nobody waits for a person any more: the command goes again.
    pub(super) fn try_again_job(&self, ticket: Ticket, seq: i64) -> Writing {
        let mut meta = self.state.meta.clone();
        let known = meta.too_large.take_if(|known| *known == seq).is_some();
        let mut writing = Writing::of(
            known
                .then_some(StoreOp::PutMeta(meta))
                .into_iter()
                .collect(),
        );
        writing.ticket = Some(ticket);
        writing.notices.push(Notice::ChoiceNoted { ticket });
        writing
    }

    /// The command of a placeholder in its place again, as it was sent before.
    pub(super) fn put_back(&self, seq: i64) -> Vec<StoreOp> {
        let Some(command) = self.state.commands.get(&seq) else {
            return Vec::new();
        };
        self.sealed_behind(StoredCommand {
            envelope: command.content().clone(),
            oversize: Some(Oversize::Offered),
            ..command.clone()
        })
    }

    /// The envelope that travels in the place of a command: it says which command that is, so
    /// that the full text can be held against it later.
    fn placeholder(&self, command: &StoredCommand) -> Envelope {
        let of = &command.envelope;
        let made = clocks_of(command.queued_at);
        let said = codec::decode_strict(&of.payload.0, self.config.wire.depth);
        let choice = said.ok().and_then(|said: CommandPayload| said.choice);
        let payload = Placeholder::of(of).pack(made, command.subject_id, choice);
        let (kind, version) = (PLACEHOLDER_KIND, PLACEHOLDER_VERSION);
        let install_id = self.identity.install_id;
        seal(
            &self.key,
            install_id,
            of.seq,
            kind,
            version,
            of.previous,
            payload,
        )
    }

    /// `head`, and all commands behind it sealed anew onto it.
    fn sealed_behind(&self, head: StoredCommand) -> Vec<StoreOp> {
        let install_id = self.identity.install_id;
        let mut previous = link_hash(install_id, &head.envelope);
        let after = head.envelope.seq.saturating_add(1);
        let mut ops = vec![StoreOp::PutCommand(head)];
        for (seq, old) in self.state.commands.range(after..) {
            let mut command = old.clone();
            let (kind, version) = (&old.envelope.kind, old.envelope.version);
            let payload = old.envelope.payload.0.clone();
            command.envelope = seal(
                &self.key, install_id, *seq, kind, version, previous, payload,
            );
            previous = link_hash(install_id, &command.envelope);
            ops.push(StoreOp::PutCommand(command));
        }
        ops
    }
}

/// The clocks of a command that nobody makes by hand: there is only the wall's.
pub(super) const fn clocks_of(wall: Timestamp) -> ClockReading {
    ClockReading {
        wall,
        monotonic_ms: None,
        boot_id: None,
        server_anchor: None,
        anchor_monotonic_ms: None,
        anchor_token: None,
    }
}
