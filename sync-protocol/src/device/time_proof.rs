//! Proof of time on a device: the server's anchors in one's own commands, and the heads of others' chains.

use hazardloop_domain::command::{AnchorToken, BootId, ClockReading};
use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::SubjectId;
use hazardloop_domain::time::Timestamp;
use hazardloop_domain::time_proof::{ChainWitnessed, TimeProof};
use uuid::Uuid;

use crate::chain::link_hash;
use crate::wire::{CommandPayload, RecordKind, WITNESS_KIND, WITNESS_VERSION, Witness};
use crate::witness::ChainHead;

use super::commands::Sealing;
use super::engine::Engine;
use super::jobs::Job;
use super::{StoreOp, StoredCommand, Ticket};

/// What came with the server's time at the last contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnchor {
    /// What shows later that this device knew that time.
    pub token: AnchorToken,
    /// The boot, and the monotonic clock when it came, milliseconds; absent: the host has none.
    pub monotonic: Option<(BootId, i64)>,
}

/// Why another device's head was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WitnessError {
    /// Its signature does not fit.
    #[error("what was shown is damaged")]
    Damaged,
    /// It is of this very install.
    #[error("a device does not witness itself")]
    OneOwn,
    /// The same head was taken before.
    #[error("this was witnessed before")]
    Known,
}

impl Engine {
    /// The host's monotonic clock, and in which boot, at `now`: to be told just before
    /// [`Engine::handle_response`] with the same `now`. Without it, anchors say nothing of the wall clock.
    pub fn handle_monotonic(&mut self, now: Timestamp, boot_id: BootId, monotonic_ms: i64) {
        self.monotonic = Some((now, boot_id, monotonic_ms));
    }

    /// The anchor that an answer of `now` brought.
    pub(super) fn anchor_of(
        &self,
        now: Timestamp,
        token: Option<&AnchorToken>,
    ) -> Option<KeptAnchor> {
        let read = self.monotonic.filter(|(at, ..)| *at == now);
        Some(KeptAnchor {
            token: token?.clone(),
            monotonic: read.map(|(_, boot, ms)| (boot, ms)),
        })
    }

    /// The reading with the server's time at the last contact, and where no command of the chain has shown it
    /// yet, with what proves that this device knew it. It holds for all that follow.
    pub(super) fn anchored(&self, mut made: ClockReading) -> ClockReading {
        let meta = &self.state.meta;
        made.server_anchor = made.server_anchor.or(meta.server_time);
        let Some(anchor) = &meta.anchor else {
            return made;
        };
        let told = self
            .newest_clocks()
            .is_some_and(|clocks| clocks.server_anchor == meta.server_time);
        if made.server_anchor == meta.server_time && !told {
            made.anchor_token = Some(anchor.token.clone());
            let same_boot = anchor
                .monotonic
                .filter(|(boot, _)| Some(*boot) == made.boot_id);
            made.anchor_monotonic_ms = same_boot.map(|(_, ms)| ms);
        }
        made
    }

    /// The clocks of the newest command, one that is on its way to the store included.
    fn newest_clocks(&self) -> Option<ClockReading> {
        let waiting = self.inbox.iter().rev().find_map(|job| match job {
            Job::Seal { sealing, .. } => Some(&sealing.payload),
            _ => None,
        });
        let writing = self.writing.iter().flat_map(|writing| &writing.ops);
        let writing = writing
            .filter_map(|op| match op {
                StoreOp::PutCommand(command) => Some(command),
                _ => None,
            })
            .max_by_key(|command| command.envelope.seq);
        let stored = self.state.commands.last_key_value();
        let newest = writing.or(stored.map(|(_, command)| command));
        let payload = waiting.or(newest.map(|command| &command.envelope.payload.0))?;
        let read: CommandPayload = minicbor::decode(payload).ok()?;
        Some(read.made)
    }

    /// How far this device's chain is, signed, for another one to carry. `None`: there is nothing in it yet.
    pub fn chain_head(&self) -> Option<ChainHead> {
        let (seq, newest) = self.state.commands.last_key_value()?;
        if *seq < 1 {
            return None;
        }
        let install_id = self.identity.install_id;
        let head: Digest = link_hash(install_id, &newest.envelope);
        Some(ChainHead::sign(&self.key, install_id, *seq, head))
    }

    /// Takes how far another device's chain is, as that one has shown it, into one's own.
    ///
    /// # Errors
    /// [`WitnessError`]; nothing was queued.
    pub fn handle_witness(
        &mut self,
        now: Timestamp,
        made: ClockReading,
        shown: &ChainHead,
    ) -> Result<Ticket, WitnessError> {
        if !shown.is_whole() {
            return Err(WitnessError::Damaged);
        }
        if shown.install_id == self.identity.install_id {
            return Err(WitnessError::OneOwn);
        }
        let subject_id = SubjectId(shown.install_id.0);
        let depth = self.config.wire.depth;
        let is_it = |command: &StoredCommand| {
            let envelope = command.content();
            command.subject_id == subject_id
                && envelope.kind == WITNESS_KIND
                && Witness::open(envelope.version, &envelope.payload.0, depth)
                    .is_ok_and(|known| known.head == shown.head)
        };
        if self.state.commands.values().any(is_it) {
            return Err(WitnessError::Known);
        }
        let payload = Witness {
            made: self.anchored(made),
            install_id: shown.install_id,
            head: shown.head.clone(),
        }
        .pack();
        let ticket = self.next_number();
        self.inbox.push_back(Job::Seal {
            ticket,
            now,
            sealing: Sealing {
                kind: WITNESS_KIND.to_owned(),
                version: WITNESS_VERSION,
                subject_id,
                payload,
                photos: Vec::new(),
                about: None,
            },
        });
        Ok(ticket)
    }

    /// When a command of this device was made, and what proves it, as far as this device knows.
    pub fn time_proof(&self, command: &StoredCommand) -> Option<TimeProof> {
        let content = command.content();
        let read: CommandPayload = minicbor::decode(&content.payload.0).ok()?;
        let claimed = TimeProof::claimed(read.made.wall);
        let Some(receipt) = &command.receipt else {
            return Some(claimed);
        };
        let received = TimeProof {
            claimed_at: claimed.claimed_at,
            not_before: read.made.server_anchor,
            ..TimeProof::received(receipt.received_at)
        };
        let witness = self.witness_of(self.sent_as(command)?);
        Some(received.with_witness(witness.map(|told| told.by)))
    }

    /// Of what the server has told of one's own chains, that which proves most about a command.
    pub fn witness_of(&self, command: SentCommand) -> Option<ChainWitnessed> {
        let kind = RecordKind::ChainWitnessed;
        let told = self
            .state
            .rows
            .range((kind, Uuid::nil())..=(kind, Uuid::max()));
        let told = told.filter_map(|(_, row)| minicbor::decode::<ChainWitnessed>(&row.body).ok());
        let reaches = |told: &ChainWitnessed| {
            told.about.install_id == command.install_id && told.about.seq >= command.seq
        };
        told.filter(reaches).min_by_key(|told| told.by.at)
    }

    /// As what the server has a command; see [`StoredCommand::earlier`].
    pub fn sent_command(&self, command: &StoredCommand) -> Option<SentCommand> {
        self.sent_as(command)
    }
}
