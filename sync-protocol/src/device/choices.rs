//! What a person chooses to do about a command that took no effect: send it again, send another in its place, or
//! give it up. Each choice is recorded on this device and travels in the signed stream.

use hazardloop_domain::command::{ActionKind, ClockReading, Command};
use hazardloop_domain::command_fate::{Choice, ChoiceKind, Chosen, CommandFate, SentCommand};
use hazardloop_domain::ids::SubjectId;
use hazardloop_domain::refusal::Refusal;
use hazardloop_domain::time::Timestamp;

use crate::codec;
use crate::wire::{CoSignature, CommandPayload, GIVE_UP_KIND, GIVE_UP_VERSION, GiveUp, RecordKind};

use super::commands::Sealing;
use super::engine::Engine;
use super::jobs::{Job, Writing};
use super::{CommandRefused, Notice, Standing, StoreOp, StoredCommand, Ticket};

/// Why nothing was chosen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// There is no such command on this device.
    #[error("there is no such command on this device")]
    NoSuchCommand,
    /// It took effect, is still to be sent, or is settled already.
    #[error("the command needs nobody's attention")]
    NotOpen,
    /// It is on its way at this moment, or its placeholder is, and it was to be sent again: the answer comes first.
    #[error("the command is being sent at this moment: choose when it has been answered")]
    BeingSent,
    /// This build cannot read it, so it cannot send it again.
    #[error("this version cannot read the command")]
    Unreadable,
    /// The rules refuse it as things stand here, or the choice does not say what it must.
    #[error(transparent)]
    Refused(#[from] CommandRefused),
}

impl From<Refusal> for ChoiceError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(CommandRefused(refusal))
    }
}

/// A choice about a stored command, on its way to the store.
pub(super) struct About {
    /// The command, as it stood when the choice was made.
    command: StoredCommand,
    /// What is noted with it.
    chosen: Chosen,
}

impl About {
    /// The command's number when the choice was made.
    pub(super) const fn seq(&self) -> i64 {
        self.command.envelope.seq
    }

    /// The command again, with the choice noted; `None`: it is gone. Known by what it holds: a new install may
    /// have numbered it anew meanwhile.
    pub(super) fn noted(
        &self,
        in_queue: &std::collections::BTreeMap<i64, StoredCommand>,
        by: Option<SentCommand>,
    ) -> Option<StoreOp> {
        let stored = in_queue
            .values()
            .find(|stored| is_same(stored, &self.command))?;
        Some(StoreOp::PutCommand(StoredCommand {
            chosen: Some(Chosen {
                by,
                ..self.chosen.clone()
            }),
            ..stored.clone()
        }))
    }
}

/// Whether these are one command, whatever number it has by now, and whether or not a placeholder has taken its place.
pub(super) fn is_same(stored: &StoredCommand, command: &StoredCommand) -> bool {
    stored.content().payload == command.content().payload
        && stored.subject_id == command.subject_id
        && stored.queued_at == command.queued_at
        && stored.receipt == command.receipt
}

impl Engine {
    /// Where a command stands: by its receipt, by what its author chose, and by what the server has told of it
    /// since.
    pub fn standing(&self, command: &StoredCommand) -> Standing {
        let standing = self.state.standing(command);
        if standing != Standing::NeedsAttention {
            return standing;
        }
        let told = self.fate_of(command);
        match told.is_some_and(|fate| fate.chosen.is_some() || fate.settled.is_some()) {
            true => Standing::Settled,
            false => standing,
        }
    }

    /// What the server has told of a command that took no effect.
    pub fn fate_of(&self, command: &StoredCommand) -> Option<CommandFate> {
        let id = self.sent_as(command)?.fate_id();
        let row = self.state.rows.get(&(RecordKind::CommandFate, id))?;
        minicbor::decode(&row.body).ok()
    }

    /// As what the server has a command; `None`: it has no receipt for it.
    pub(super) fn sent_as(&self, command: &StoredCommand) -> Option<SentCommand> {
        command.receipt.as_ref()?;
        let now = SentCommand {
            install_id: self.identity.install_id,
            seq: command.envelope.seq,
        };
        command.earlier.or((now.seq > 0).then_some(now))
    }

    /// As what the server is told what becomes of a command. Where it has nothing of it, but the command was to take the
    /// place of another, it is told of that one: else nobody would ever tell it. What is sent again is then as that was
    /// only where all of it was.
    fn told_as(
        &self,
        command: &StoredCommand,
        how: ChoiceKind,
    ) -> Option<(SentCommand, ChoiceKind)> {
        if let Some(sent) = self.sent_as(command) {
            return Some((sent, how));
        }
        let payload = &command.content().payload.0;
        let said: CommandPayload = codec::decode_strict(payload, self.config.wire.depth).ok()?;
        let earlier = said.choice?;
        let how = match (how, earlier.how) {
            (ChoiceKind::Retried, ChoiceKind::Amended) => ChoiceKind::Amended,
            _ => how,
        };
        Some((earlier.about, how))
    }

    /// The steps that the rules allow this person on a record as this device shows it now.
    pub fn allowed_now(&self, now: Timestamp, id: SubjectId) -> Vec<ActionKind> {
        self.reader(now).allowed(id)
    }

    /// The same, as if a command had never been made: what may go in its place.
    pub fn allowed_instead_of(&self, now: Timestamp, command: &StoredCommand) -> Vec<ActionKind> {
        let mut reader = self.reader(now);
        reader.without = Some(command.envelope.seq);
        reader.allowed(command.subject_id)
    }

    /// Sends a command again as it was, once the rules take it as things stand here. One that something on the way
    /// does not let through is tried again at once: told by [`Notice::ChoiceNoted`].
    ///
    /// # Errors
    /// [`ChoiceError`].
    pub fn handle_retry(
        &mut self,
        now: Timestamp,
        made: ClockReading,
        seq: i64,
    ) -> Result<Ticket, ChoiceError> {
        let stored = self.open_command(seq)?;
        if stored.is_unsent() && stored.is_replaced() {
            // The server may have the command from an earlier push, which the answer to its placeholder will tell: sent
            // under another number it would take effect twice.
            return Err(ChoiceError::BeingSent);
        }
        if stored.is_unsent() {
            let ticket = self.next_number();
            self.push.lane.backoff.succeed();
            self.inbox.push_back(Job::TryAgain { ticket, seq });
            return Ok(ticket);
        }
        let content = stored.content();
        let depth = self.config.wire.depth;
        let opened =
            CommandPayload::open(&content.kind, content.version, &content.payload.0, depth)
                .map_err(|_| ChoiceError::Unreadable)?;
        let about = self.about(stored, ChoiceKind::Retried, None, now);
        Ok(self.queue_command(
            now,
            made,
            &opened.command,
            &opened.co_signatures,
            Some(about),
        )?)
    }

    /// Sends another command in the place of one that took no effect.
    ///
    /// # Errors
    /// [`ChoiceError`].
    pub fn handle_amended(
        &mut self,
        now: Timestamp,
        made: ClockReading,
        seq: i64,
        command: &Command,
        co_signatures: &[CoSignature],
    ) -> Result<Ticket, ChoiceError> {
        let stored = self.open_command(seq)?;
        let held_up = (stored.is_unsent() && !stored.is_replaced()).then(|| stored.clone());
        let about = self.about(stored, ChoiceKind::Amended, None, now);
        let ticket = self.queue_command(now, made, command, co_signatures, Some(about))?;
        if let Some(held_up) = held_up {
            self.leave_out_first(ticket, held_up, now);
        }
        Ok(ticket)
    }

    /// Gives a command up: it is to have no effect. Where the server has it, it is told so. Of one that something on
    /// the way does not let through, a small placeholder is sent: those behind it wait no more.
    ///
    /// # Errors
    /// [`ChoiceError`]; a reason must be given.
    pub fn handle_given_up(
        &mut self,
        now: Timestamp,
        made: ClockReading,
        seq: i64,
        reason: &str,
    ) -> Result<Ticket, ChoiceError> {
        let stored = self.open_command(seq)?;
        let about = self.about(stored, ChoiceKind::GivenUp, Some(reason.to_owned()), now);
        let told = self.told_as(&about.command, ChoiceKind::GivenUp);
        let here = SentCommand {
            install_id: self.identity.install_id,
            seq: 0,
        };
        let choice = Choice {
            // Checked alike, whether or not it is sent.
            about: told.map_or(here, |(sent, _)| sent),
            how: ChoiceKind::GivenUp,
            reason: Some(reason.to_owned()),
        };
        choice.check()?;
        let ticket = self.next_number();
        let whole = about.command.is_unsent() && !about.command.is_replaced();
        let held_up = whole.then(|| about.command.clone());
        if told.is_none() {
            // The server has nothing that could be given up.
            self.inbox.push_back(Job::Note { ticket, about });
            if let Some(held_up) = held_up {
                self.leave_out_first(ticket, held_up, now);
            }
            return Ok(ticket);
        }
        let made = self.anchored(made);
        let subject_id = about.command.subject_id;
        let payload = GiveUp {
            made,
            subject_id,
            choice,
        }
        .pack();
        self.inbox.push_back(Job::Seal {
            ticket,
            now,
            sealing: Sealing {
                kind: GIVE_UP_KIND.to_owned(),
                version: GIVE_UP_VERSION,
                subject_id,
                payload,
                photos: Vec::new(),
                about: Some(about),
            },
        });
        if let Some(held_up) = held_up {
            self.leave_out_first(ticket, held_up, now);
        }
        Ok(ticket)
    }

    /// Notes a choice that the server is not told of.
    pub(super) fn note_job(&self, ticket: Ticket, about: &About) -> Writing {
        let noted = about.noted(&self.state.commands, None);
        let mut writing = Writing::of(noted.into_iter().collect());
        writing.ticket = Some(ticket);
        writing.notices.push(Notice::ChoiceNoted { ticket });
        writing
    }

    /// As the server is told of it, where it has the command.
    pub(super) fn choice_of(&self, about: &About) -> Option<Choice> {
        let (sent, how) = self.told_as(&about.command, about.chosen.how)?;
        Some(Choice {
            about: sent,
            how,
            reason: about.chosen.reason.clone(),
        })
    }

    fn open_command(&self, seq: i64) -> Result<StoredCommand, ChoiceError> {
        let stored = self.state.commands.get(&seq);
        let stored = stored.ok_or(ChoiceError::NoSuchCommand)?;
        match self.standing(stored) {
            // What is left out while its answer is under way could be taken for what the answer is about.
            Standing::NeedsAttention if stored.is_unsent() && self.push.sent_is_under_way() => {
                Err(ChoiceError::BeingSent)
            }
            Standing::NeedsAttention => Ok(stored.clone()),
            _ => Err(ChoiceError::NotOpen),
        }
    }

    /// Before the choice that was just put last: its command's place is taken by a placeholder. Until that is stored
    /// nothing is sent, or the answer could be taken for one to the placeholder.
    fn leave_out_first(&mut self, ticket: Ticket, command: StoredCommand, now: Timestamp) {
        self.push.lane.busy = Some(self.next_number());
        let command = Box::new(command);
        let leave_out = Job::LeaveOut {
            ticket,
            command,
            now,
        };
        let before = self.inbox.len().saturating_sub(1);
        self.inbox.insert(before, leave_out);
    }

    fn about(
        &self,
        command: StoredCommand,
        how: ChoiceKind,
        reason: Option<String>,
        at: Timestamp,
    ) -> About {
        About {
            command,
            chosen: Chosen {
                how,
                reason,
                by: None,
                at,
            },
        }
    }
}
