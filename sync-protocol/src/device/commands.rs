//! Commands in: decided by the rules, sealed, stored, and only then acknowledged.

use hazardloop_domain::command::{Action, ClockReading, Command, PhotoRef};
use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::SubjectId;
use hazardloop_domain::refusal::{Refusal, RefusalCode};
use hazardloop_domain::time::Timestamp;

use crate::chain::{link_hash, seal};
use crate::cosign::check_co_signatures;
use crate::wire::{CoSignature, CommandPayload};

use super::choices::About;
use super::engine::Engine;
use super::jobs::{Job, Writing};
use super::view::{LocalVerdict, taken_on_trust};
use super::{Notice, Output, PhotoStage, StoreOp, StoredCommand, StoredPhoto};

/// Names a command until it has a sequence.
pub type Ticket = u64;

/// The rules refuse the command as things stand on this device; nothing was queued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct CommandRefused(#[from] pub Refusal);

/// What is about to be sealed.
pub(super) struct Sealing {
    pub kind: String,
    pub version: u16,
    pub subject_id: SubjectId,
    pub payload: Vec<u8>,
    pub photos: Vec<PhotoRef>,
    /// The command whose place it takes, or that it gives up.
    pub about: Option<About>,
}

impl Engine {
    /// Takes a command. It is acknowledged by [`Notice::Queued`], once stored.
    ///
    /// # Errors
    /// [`CommandRefused`] when the rules refuse it as things stand here. A command on a record
    /// that this device does not know is queued: the server decides.
    pub fn handle_command(
        &mut self,
        now: Timestamp,
        made: ClockReading,
        subject: impl Into<SubjectId>,
        action: Action,
    ) -> Result<Ticket, CommandRefused> {
        self.handle_signed_command(now, made, &Command::new(subject, action), &[])
    }

    /// Takes a command that others have signed too. Who they are and whether their signatures are
    /// good is for the server to say: here they are taken on trust.
    ///
    /// # Errors
    /// As [`Self::handle_command`]; also for more co-signatures than the protocol allows, one's
    /// own, or two of one person.
    pub fn handle_signed_command(
        &mut self,
        now: Timestamp,
        made: ClockReading,
        command: &Command,
        co_signatures: &[CoSignature],
    ) -> Result<Ticket, CommandRefused> {
        self.queue_command(now, made, command, co_signatures, None)
    }

    pub(super) fn queue_command(
        &mut self,
        now: Timestamp,
        made: ClockReading,
        command: &Command,
        co_signatures: &[CoSignature],
        about: Option<About>,
    ) -> Result<Ticket, CommandRefused> {
        let made = self.anchored(made);
        check_co_signatures(
            co_signatures,
            Some(self.identity.person_id),
            self.config.wire.co_signatures,
        )?;
        let seconds = taken_on_trust(co_signatures);
        let mut reader = self.reader(now);
        // What is to go in its place is judged as if it had never been made.
        reader.without = about.as_ref().map(About::seq);
        let verdict = reader.judge(command, made.made_at(), seconds);
        if let LocalVerdict::Refuse(refusal) = verdict {
            return Err(refusal.into());
        }
        let choice = about.as_ref().and_then(|about| self.choice_of(about));
        let payload = CommandPayload::pack_instead(made, command, co_signatures, choice);
        let most = self.config.wire.payload_bytes;
        if payload.len() > most {
            let rule = format!(
                "a command has at most {most} bytes, this one has {}",
                payload.len()
            );
            return Err(Refusal::new(RefusalCode::LimitReached, &rule).into());
        }
        let ticket = self.next_number();
        self.inbox.push_back(Job::Seal {
            ticket,
            now,
            sealing: Sealing {
                kind: command.action.kind().as_str().to_owned(),
                version: command.action.kind().version(),
                subject_id: command.subject_id,
                payload,
                photos: command.action.photos().into_iter().cloned().collect(),
                about,
            },
        });
        Ok(ticket)
    }

    /// Whether the rules take these commands on one subject, one after another, as things stand
    /// here; nothing is queued.
    ///
    /// # Errors
    /// [`CommandRefused`] by the first that they refuse.
    pub fn check_commands(
        &self,
        now: Timestamp,
        made: &ClockReading,
        subject_id: SubjectId,
        actions: &[Action],
    ) -> Result<(), CommandRefused> {
        let (identity, key) = (self.identity.clone(), self.key.clone());
        let mut trial = Self::new(identity, key, self.config.clone(), self.state.clone(), 0);
        for action in actions {
            trial.handle_command(now, made.clone(), subject_id, action.clone())?;
            while let Some(output) = trial.poll_output_of(now, &[]) {
                if let Output::Write { id, .. } = output {
                    trial.handle_stored(id);
                }
            }
        }
        Ok(())
    }

    /// Commands that another process of this host queued in the same store, with the photos they
    /// name first. To be called before any other input once the store is held again, and not
    /// while a write is outstanding.
    pub fn handle_queued_elsewhere(
        &mut self,
        commands: Vec<StoredCommand>,
        photos: Vec<StoredPhoto>,
    ) {
        let commands = commands.into_iter().map(StoreOp::PutCommand);
        let photos = photos.into_iter().map(StoreOp::PutPhoto);
        let ops: Vec<StoreOp> = commands.chain(photos).collect();
        self.state.apply(&ops);
    }

    /// Seals with the next sequence. The chain continues from the newest stored command, so this
    /// runs only while no write is outstanding.
    pub(super) fn seal_job(&self, ticket: Ticket, now: Timestamp, sealing: Sealing) -> Writing {
        let last = self
            .state
            .commands
            .last_key_value()
            .filter(|(seq, _)| **seq > 0);
        let previous = last.map_or(Digest::ZERO, |(_, command)| {
            link_hash(self.identity.install_id, &command.envelope)
        });
        let seq = last.map_or(0, |(seq, _)| *seq).saturating_add(1);
        let envelope = seal(
            &self.key,
            self.identity.install_id,
            seq,
            &sealing.kind,
            sealing.version,
            previous,
            sealing.payload,
        );
        let subject_id = sealing.subject_id;
        let mut ops = vec![StoreOp::PutCommand(StoredCommand {
            envelope,
            subject_id,
            queued_at: now,
            receipt: None,
            awaiting_pull: false,
            oversize: None,
            earlier: None,
            chosen: None,
        })];
        let install_id = self.identity.install_id;
        let by = Some(SentCommand { install_id, seq });
        let noted = sealing
            .about
            .and_then(|about| about.noted(&self.state.commands, by));
        ops.extend(noted);
        for photo in &sealing.photos {
            if let Some(known) = self.state.photos.get(&photo.sha256) {
                // Named so far only by what had no effect: this command is its new reason.
                if !self.photo_is_awaited(known) {
                    ops.push(StoreOp::PutPhoto(StoredPhoto {
                        seq,
                        subject_id,
                        given_up: None,
                        ..known.clone()
                    }));
                }
            } else {
                ops.push(StoreOp::PutPhoto(StoredPhoto {
                    sha256: photo.sha256,
                    size: photo.size,
                    media_type: photo.media_type.clone(),
                    seq,
                    subject_id,
                    upload: None,
                    stage: PhotoStage::Waiting,
                    given_up: None,
                }));
            }
        }
        let mut writing = Writing::of(ops);
        writing.ticket = Some(ticket);
        writing.notices.push(Notice::Queued {
            ticket,
            seq,
            subject_id,
        });
        writing
    }
}
