//! What authors choose to do about commands of theirs that took no effect.

use hazardloop_domain::command_fate::Choice;
use hazardloop_domain::refusal::{Refusal, RefusalCode};

use crate::wire::Outcome;

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
