//! What authors choose to do about commands of theirs that took no effect.

use hazardloop_domain::command_fate::{Choice, ChoiceKind, Chosen, SentCommand};
use hazardloop_domain::ids::SubjectId;
use hazardloop_domain::refusal::{Refusal, RefusalCode};

use crate::wire::Outcome;

/// So many times it is asked whether what was sent in a command's place was itself sent again.
const MOST_FOLLOWED: usize = 32;

/// What a store knows of one command by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its outcome.
    pub outcome: Outcome,
    /// What it acts upon.
    pub subject: Option<SubjectId>,
    /// What its author chose last to do about it.
    pub chosen: Option<Chosen>,
}

/// What became of a command: by itself, or by the one that took effect in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Became {
    /// The outcome of whichever it is.
    pub outcome: Outcome,
    /// What that acts upon.
    pub subject: Option<SubjectId>,
    /// What was sent again or in its place, one for the other, as far as it is stored.
    pub instead: Vec<SentCommand>,
}

impl Became {
    /// By itself, and nothing was sent in its place.
    pub const fn by_itself(outcome: Outcome, subject: Option<SubjectId>) -> Self {
        Self {
            outcome,
            subject,
            instead: Vec::new(),
        }
    }

    /// Its effect, as the outcome of what acts upon `subject`: a version counts one record's changes, and says nothing of
    /// another's. `None`: there was none.
    pub fn effect_on(&self, subject: SubjectId) -> Option<Outcome> {
        let of_another = self.subject != Some(subject);
        match &self.outcome {
            Outcome::Applied { .. } if of_another => Some(Outcome::Applied { version: 0 }),
            Outcome::Merged { .. } if of_another => Some(Outcome::Merged { version: 0 }),
            outcome => Some(outcome.clone()).filter(Outcome::took_effect),
        }
    }
}

/// What became of a command, as a choice about it needs to know: by itself or, where it took no effect, by the one that
/// was sent again or in its place, if that did.
///
/// # Errors
/// Those of `known`.
pub fn what_became<E>(
    about: SentCommand,
    mut known: impl FnMut(SentCommand) -> Result<Option<Known>, E>,
) -> Result<Option<Became>, E> {
    let Some(own) = known(about)? else {
        return Ok(None);
    };
    let mut became = Became::by_itself(own.outcome, own.subject);
    let mut chosen = own.chosen;
    for _ in 0..MOST_FOLLOWED {
        let Some(instead) = chosen.filter(|chosen| chosen.how != ChoiceKind::GivenUp) else {
            break;
        };
        // On a page it is carried out at once, or not chosen.
        let Some(by) = instead.by else {
            let applied = Outcome::Applied { version: 0 };
            return Ok(Some(Became::by_itself(applied, None)));
        };
        let Some(next) = known(by)? else {
            break;
        };
        became.instead.push(by);
        if next.outcome.took_effect() {
            (became.outcome, became.subject) = (next.outcome, next.subject);
            break;
        }
        chosen = next.chosen;
    }
    Ok(Some(became))
}

/// What becomes of a command that gives up another, by that one's outcome; `None`: the author has sent no such
/// command. It changes no record, so it gives none a version.
pub fn give_up(choice: &Choice, about: Option<&Outcome>) -> Outcome {
    if let Err(refusal) = choice.check() {
        return Outcome::Rejected { refusal };
    }
    let refusal = match about {
        Some(outcome) if !outcome.took_effect() => return Outcome::Applied { version: 0 },
        Some(_) => Refusal::new(
            RefusalCode::NotAllowedInState,
            "the command took effect; there is nothing to give up",
        ),
        None => Refusal::new(RefusalCode::NotFound, "there is no such command of yours"),
    };
    Outcome::Rejected { refusal }
}

/// Whether a choice that a command carries beside its act is to be noted: the act is judged by itself, whatever
/// it says that it replaces.
pub fn is_noted(choice: &Choice, about: Option<&Outcome>) -> bool {
    choice.check().is_ok() && about.is_some_and(|outcome| !outcome.took_effect())
}
