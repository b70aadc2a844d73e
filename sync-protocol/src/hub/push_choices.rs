//! What a push makes of choices about earlier commands.

use hazardloop_domain::command_fate::{Choice, SentCommand};

use super::choices::{give_up, is_noted};
use super::push::{Push, Stage};
use super::refused::OutOfStep;
use crate::wire::{GiveUp, Opened, Outcome, PushResult};

/// A command that is about an earlier one.
#[derive(Debug)]
pub(super) enum Choosing {
    /// It gives the other up.
    GiveUp(Box<GiveUp>),
    /// It takes the other's place, as it says itself.
    Instead(Box<Opened>, Choice),
}

impl Choosing {
    pub(super) fn choice(&self) -> &Choice {
        match self {
            Self::GiveUp(read) => &read.choice,
            Self::Instead(_, choice) => choice,
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
                self.note(choice, outcome);
                self.stage = Stage::Deciding(opened);
                Ok(())
            }
            other => self.put_back(other, "what became of a command"),
        }
    }

    /// What became of a command where this batch knows it: of its own install and beyond where the batch began.
    pub(super) fn recalled_here(&self, about: SentCommand) -> Option<Option<Outcome>> {
        if about.install_id != self.stream.install_id || about.seq <= self.before {
            return None;
        }
        let receipts = self.results.iter().filter_map(|result| match result {
            PushResult::Receipt(receipt) => Some(receipt),
            PushResult::IdReused { .. } => None,
        });
        let mut of_it = receipts.filter(|receipt| receipt.seq == about.seq);
        Some(of_it.next().map(|receipt| receipt.outcome.clone()))
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
            Some(outcome) => {
                self.note(choice, outcome.as_ref());
                self.stage = Stage::Deciding(opened);
            }
            None => self.stage = Stage::Recalling(Choosing::Instead(opened, choice)),
        }
    }

    /// Its act is judged by itself, whatever becomes of the choice.
    fn note(&mut self, choice: Choice, about: Option<&Outcome>) {
        if is_noted(&choice, about)
            && let Some((envelope, _)) = self.current
        {
            self.choices.push((choice, envelope.seq));
        }
    }
}
