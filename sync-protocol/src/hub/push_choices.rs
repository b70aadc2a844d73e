//! What a push makes of choices about earlier commands.

use hazardloop_domain::command_fate::{Choice, ChoiceKind, SentCommand};
use hazardloop_domain::ids::SubjectId;

use super::choices::{give_up, is_noted};
use super::push::{Push, Stage};
use super::push_batch::spoken_of;
use super::refused::OutOfStep;
use crate::codec;
use crate::wire::{
    CommandPayload, Envelope, GiveUp, Opened, Outcome, PushResult, QuarantineReason,
};

/// A command that is about an earlier one.
#[derive(Debug)]
pub(super) enum Choosing {
    /// It gives the other up.
    GiveUp(Box<GiveUp>),
    /// It takes the other's place, as it says itself.
    Instead(Box<Opened>, Choice),
    /// It does the one or the other, and this is what becomes of it itself, which nobody here can judge.
    Unjudged(Choice, Outcome, Option<(SubjectId, bool)>),
}

impl Choosing {
    pub(super) fn choice(&self) -> &Choice {
        match self {
            Self::GiveUp(read) => &read.choice,
            Self::Instead(_, choice) | Self::Unjudged(choice, ..) => choice,
        }
    }
}

impl Push<'_> {
    /// Answers [`super::PushStep::Recall`]; `None`: the author has sent no such command.
    ///
    /// # Errors
    /// [`OutOfStep`] where it was not asked.
    pub fn handle_recalled(&mut self, outcome: Option<&Outcome>) -> Result<(), OutOfStep> {
        match std::mem::replace(&mut self.stage, Stage::Stored) {
            Stage::Recalling(choosing @ Choosing::GiveUp(_)) => {
                self.give_up(choosing, outcome);
                self.go_on();
                Ok(())
            }
            Stage::Recalling(Choosing::Instead(opened, choice)) => {
                self.instead(opened, choice, outcome);
                Ok(())
            }
            Stage::Recalling(Choosing::Unjudged(choice, own, spoken)) => {
                self.note(choice, outcome);
                self.keep(own, spoken);
                self.go_on();
                Ok(())
            }
            other => self.put_back(other, "what became of a command"),
        }
    }

    /// What became of a command where this batch knows it: of its own install and beyond where the batch began, or
    /// something of the batch took its place, with effect.
    pub(super) fn recalled_here(&self, about: SentCommand) -> Option<Option<Outcome>> {
        let instead = self.choices.iter().rev().find_map(|(choice, seq)| {
            let replaces = choice.about == about && choice.how != ChoiceKind::GivenUp;
            self.outcome_here(*seq)
                .filter(|outcome| replaces && outcome.took_effect())
        });
        if instead.is_some() {
            return Some(instead.cloned());
        }
        if about.install_id != self.stream.install_id || about.seq <= self.before {
            return None;
        }
        Some(self.outcome_here(about.seq).cloned())
    }

    fn outcome_here(&self, seq: i64) -> Option<&Outcome> {
        let receipts = self.results.iter().filter_map(|result| match result {
            PushResult::Receipt(receipt) => Some(receipt),
            PushResult::IdReused { .. } => None,
        });
        let mut of_it = receipts.filter(|receipt| receipt.seq == seq);
        of_it.next().map(|receipt| &receipt.outcome)
    }

    /// What a command says of another that nobody here can judge: its kind, or the version of that, is not known, but
    /// it is its author's, and such things are said alike in all. A placeholder says what the command says that it
    /// stands for.
    pub(super) fn said_unjudged(
        &self,
        envelope: &Envelope,
        reason: QuarantineReason,
    ) -> Option<Choice> {
        let known = matches!(
            reason,
            QuarantineReason::UnknownKind | QuarantineReason::UnknownVersion
        );
        let payload = known.then_some(&envelope.payload.0)?;
        let read: CommandPayload = codec::decode_strict(payload, self.depth).ok()?;
        read.choice
    }

    /// A command that is not judged gets its receipt; `true`: once the store has told what became of the one
    /// that it is about.
    pub(super) fn keep_unjudged(
        &mut self,
        outcome: Outcome,
        spoken: Option<(SubjectId, bool)>,
        said: Option<Choice>,
    ) -> bool {
        let Some(choice) = said else {
            self.keep(outcome, spoken);
            return false;
        };
        match self.recalled_here(choice.about) {
            Some(about) => {
                self.note(choice, about.as_ref());
                self.keep(outcome, spoken);
                false
            }
            None => {
                self.stage = Stage::Recalling(Choosing::Unjudged(choice, outcome, spoken));
                true
            }
        }
    }

    pub(super) fn give_up(&mut self, choosing: Choosing, about: Option<&Outcome>) {
        let Choosing::GiveUp(read) = choosing else {
            return;
        };
        let outcome = give_up(&read.choice, about);
        if outcome.took_effect()
            && let Some((envelope, _)) = self.current
        {
            self.choices.push((read.choice, envelope.seq));
        }
        self.keep(outcome, Some((read.subject_id, false)));
    }

    /// Before the rules are asked: what the command says of another.
    pub(super) fn before_deciding(&mut self, opened: Box<Opened>) {
        let Some(choice) = opened.choice.clone() else {
            self.stage = Stage::Deciding(opened);
            return;
        };
        match self.recalled_here(choice.about) {
            Some(outcome) => self.instead(opened, choice, outcome.as_ref()),
            None => self.stage = Stage::Recalling(Choosing::Instead(opened, choice)),
        }
    }

    /// Its act is judged by itself, whatever becomes of the choice. But what was sent again as it was, and took effect
    /// after all, does not take effect twice: a server that was restored may judge otherwise than in its earlier life,
    /// and a phone that was may not know that it was sent again before.
    fn instead(&mut self, opened: Box<Opened>, choice: Choice, about: Option<&Outcome>) {
        let again = choice.how == ChoiceKind::Retried;
        match about.filter(|about| again && about.took_effect()) {
            Some(effect) => {
                self.keep(effect.clone(), Some(spoken_of(&opened)));
                self.go_on();
            }
            None => {
                self.note(choice, about);
                self.stage = Stage::Deciding(opened);
            }
        }
    }

    /// That somebody chose is kept, where there was something to choose.
    fn note(&mut self, choice: Choice, about: Option<&Outcome>) {
        if is_noted(&choice, about)
            && let Some((envelope, _)) = self.current
        {
            self.choices.push((choice, envelope.seq));
        }
    }
}
