//! 抽查: the department looks at a closed hazard again. Beside whoever handed in, passed or closed it:
//! a look at one's own work shows nothing.

use super::checks::{check_evidence, is_blank, is_seen, limit};
use super::decide::{Decision, Facts, Outcome};
use super::steps::decides_on;
use crate::access::Actor;
use crate::command::{Reopen, ReopenCause, SpotCheck};
use crate::hazard::{Hazard, HazardEvent, Status};
use crate::refusal::{Refusal, RefusalCode};
use crate::text::{self, LONG_TEXT_MAX, SHORT_TEXT_MAX};

/// What fails is open again, with its original due date.
pub(super) fn decide(
    check: &SpotCheck,
    hazard: &Hazard,
    actor: &Actor,
    facts: &Facts,
) -> Result<Decision, Refusal> {
    // It becomes the reason for which the hazard came back.
    let most = if check.passed {
        LONG_TEXT_MAX
    } else {
        SHORT_TEXT_MAX
    };
    text::required("opinion", &check.opinion, most)?;
    if check.passed && check.false_closure {
        return Err(Refusal::invalid_field(
            "false_closure",
            "goes with a spot check that fails",
        ));
    }
    let no_photo = check.no_photo_reason.as_deref();
    text::optional("no_photo_reason", no_photo, SHORT_TEXT_MAX)?;
    check_evidence(hazard, &check.photos, facts)?;
    if !check.photos.iter().any(is_seen) && is_blank(no_photo) {
        return Err(Refusal::new(
            RefusalCode::PhotoRequired,
            "a spot check needs a photo, or no_photo_reason says why there is none",
        ));
    }
    // However many have found nothing, one that finds something is heard.
    if check.passed && hazard.spot_checks.len() >= facts.limits.spot_checks {
        return Err(limit("spot checks", facts.limits.spot_checks));
    }
    let Status::Closed {
        submission,
        closed_by,
        closed_at,
        ..
    } = &hazard.status
    else {
        let rule = "only what is closed is spot-checked";
        return Err(Refusal::new(RefusalCode::NotAllowedInState, rule));
    };
    decides_on(check.on, *closed_at)?;
    let concerned = [submission.submitted_by, *closed_by];
    let mut concerned = concerned.iter().chain(&submission.passed_by);
    if concerned.any(|person| Some(*person) == actor.person_id()) {
        return Err(Refusal::new(
            RefusalCode::SamePerson,
            "whoever handed in, passed or closed it may not spot-check it",
        ));
    }
    let mut events = vec![HazardEvent::SpotChecked {
        check: check.clone(),
    }];
    if !check.passed {
        events.push(HazardEvent::Reopened {
            reopening: Reopen {
                reason: check.opinion.clone(),
                false_closure: check.false_closure,
                cause: Some(match check.false_closure {
                    true => ReopenCause::FalseClosure,
                    false => ReopenCause::SpotCheckFailed,
                }),
            },
        });
    }
    Ok(Decision {
        events,
        outcome: Outcome::Applied,
    })
}
