//! What authors choose to do about commands of theirs that took no effect.

use hazardloop_domain::command_fate::{Choice, ChoiceKind, Chosen, SentCommand};
use hazardloop_domain::refusal::{Refusal, RefusalCode};

use crate::wire::Outcome;

/// So many times it is asked whether what was sent in a command's place was itself sent again.
const MOST_FOLLOWED: usize = 32;

/// What became of a command, as a choice about it needs to know: by itself or, where it took no effect, by the one that
/// was sent again or in its place, if that did. `known` tells of one its own outcome, and what its author chose last.
///
/// # Errors
/// Those of `known`.
pub fn what_became<E>(
    about: SentCommand,
    mut known: impl FnMut(SentCommand) -> Result<Option<(Outcome, Option<Chosen>)>, E>,
) -> Result<Option<Outcome>, E> {
    let Some((own, mut chosen)) = known(about)? else {
        return Ok(None);
    };
    for _ in 0..MOST_FOLLOWED {
        let Some(instead) = chosen.filter(|chosen| chosen.how != ChoiceKind::GivenUp) else {
            break;
        };
        // On a page it is carried out at once, or not chosen.
        let Some(by) = instead.by else {
            return Ok(Some(Outcome::Applied { version: 0 }));
        };
        match known(by)? {
            Some((outcome, _)) if outcome.took_effect() => return Ok(Some(outcome)),
            Some((_, next)) => chosen = next,
            None => break,
        }
    }
    Ok(Some(own))
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
