//! What a push makes of choices about earlier commands.

use std::collections::BTreeSet;

use hazardloop_domain::command_fate::{Choice, ChoiceKind, SentCommand};
use hazardloop_domain::ids::SubjectId;

use super::choices::{Became, give_up, is_noted};
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
    pub fn handle_recalled(&mut self, stored: Option<&Became>) -> Result<(), OutOfStep> {
        let Stage::Recalling(choosing) = std::mem::replace(&mut self.stage, Stage::Stored) else {
            return self.out_of_step("what became of a command");
        };
        // What is stored knows nothing of this batch, where the last of a chain may be.
        let instead = stored.filter(|stored| !stored.outcome.took_effect());
        let instead = instead.and_then(|stored| self.effect_instead_of(&stored.instead));
        let became = instead.as_ref().or(stored);
        match choosing {
            choosing @ Choosing::GiveUp(_) => {
                self.give_up(choosing, became);
                self.go_on();
            }
            Choosing::Instead(opened, choice) => self.instead(opened, choice, became),
            Choosing::Unjudged(choice, own, spoken) => {
                self.note(choice, became);
                self.keep(own, spoken);
                self.go_on();
            }
        }
        Ok(())
    }

    /// What became of a command where this batch knows it: of its own install and beyond where the batch began, or
    /// something of the batch took its place, with effect.
    pub(super) fn recalled_here(&self, about: SentCommand) -> Option<Option<Became>> {
        let instead = self.effect_instead_of(&[about]);
        if instead.is_some() {
            return Some(instead);
        }
        if about.install_id != self.stream.install_id || about.seq <= self.before {
            return None;
        }
        Some(self.became_here(about.seq))
    }

    /// What took effect in this batch in the place of one of these, or of what stands in its place in turn. A choice
    /// is noted only behind what it is about, so that one look at all finds every chain.
    fn effect_instead_of(&self, these: &[SentCommand]) -> Option<Became> {
        let mut stand_for: BTreeSet<SentCommand> = these.iter().copied().collect();
        let mut found = None;
        for (choice, seq) in &self.choices {
            if choice.how == ChoiceKind::GivenUp || !stand_for.contains(&choice.about) {
                continue;
            }
            stand_for.insert(SentCommand {
                install_id: self.stream.install_id,
                seq: *seq,
            });
            let became = self.became_here(*seq);
            found = became
                .filter(|became| became.outcome.took_effect())
                .or(found);
        }
        found
    }

    fn became_here(&self, seq: i64) -> Option<Became> {
        let new = self.kept.iter().find(|new| new.envelope.seq == seq)?;
        match self.results.get(new.result)? {
            PushResult::Receipt(receipt) => {
                Some(Became::by_itself(receipt.outcome.clone(), new.subject))
            }
            PushResult::IdReused { .. } => None,
        }
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

    pub(super) fn give_up(&mut self, choosing: Choosing, about: Option<&Became>) {
        let Choosing::GiveUp(read) = choosing else {
            return;
        };
        let outcome = give_up(&read.choice, about.map(|about| &about.outcome));
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
    /// and a phone that was may not know that it was sent again before. Where what took effect acts upon another record,
    /// it gives this one no version.
    fn instead(&mut self, opened: Box<Opened>, choice: Choice, about: Option<&Became>) {
        let about_again = about.filter(|_| choice.how == ChoiceKind::Retried);
        let subject = opened.command.subject_id;
        match about_again.and_then(|about| about.effect_on(subject)) {
            Some(effect) => {
                self.keep(effect, Some(spoken_of(&opened)));
                self.go_on();
            }
            None => {
                self.note(choice, about);
                self.stage = Stage::Deciding(opened);
            }
        }
    }

    /// That somebody chose is kept, where there was something to choose.
    fn note(&mut self, choice: Choice, about: Option<&Became>) {
        if is_noted(&choice, about.map(|about| &about.outcome))
            && let Some((envelope, _)) = self.current
        {
            self.choices.push((choice, envelope.seq));
        }
    }
}
