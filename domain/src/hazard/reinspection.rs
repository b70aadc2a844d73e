//! What must hold of a re-inspection and of closure: who, on what evidence, and what they say.

use super::checks::{check_due_date, check_evidence, is_blank, is_seen, limit};
use super::decide::Facts;
use super::measures::require_listing_seat;
use super::steps::decides_on;
use crate::access::{Actor, Role};
use crate::command::{Close, Grade, PhotoKind, Reinspect};
use crate::hazard::{Hazard, PhotoState, Status, Submission};
use crate::ids::PersonId;
use crate::refusal::{Refusal, RefusalCode};
use crate::text::{self, LONG_TEXT_MAX, SHORT_TEXT_MAX};
use crate::time::LocalDate;

pub(super) fn check_reinspection(
    hazard: &Hazard,
    reinspection: &Reinspect,
    actor: &Actor,
    facts: &Facts,
) -> Result<PersonId, Refusal> {
    text::required("opinion", &reinspection.opinion, LONG_TEXT_MAX)?;
    check_evidence(hazard, &reinspection.photos, facts)?;
    check_items(hazard, reinspection, facts)?;
    if let Some(date) = reinspection.new_due_date {
        if reinspection.passed {
            return Err(Refusal::invalid_field(
                "new_due_date",
                "goes with a return, not a pass",
            ));
        }
        check_due_date("new_due_date", date, facts)?;
        check_new_due_date(hazard, date, actor, facts)?;
    }
    let Status::PendingReinspection { submission, .. } = &hazard.status else {
        return Err(Refusal::new(
            RefusalCode::NotAllowedInState,
            "nothing was submitted",
        ));
    };
    decides_on(reinspection.on, submission.submitted_at)?;
    if !facts.seconds.is_empty() && reinspection.on.is_none() {
        return Err(Refusal::invalid_field(
            "on",
            "must name the submission that a second person signs for",
        ));
    }
    require_not_submitter(submission.submitted_by, actor)?;
    if reinspection.passed {
        require_not_finder(hazard, actor, facts)?;
    }
    let again = actor
        .person_id()
        .is_some_and(|id| submission.passed_by.contains(&id));
    if again && reinspection.passed {
        return Err(Refusal::new(
            RefusalCode::SamePerson,
            "you have passed this submission already; another inspector must",
        ));
    }
    Ok(submission.submitted_by)
}

/// 整改复查意见书: its number, its items, and the inspector's own photo of a major hazard.
fn check_items(hazard: &Hazard, reinspection: &Reinspect, facts: &Facts) -> Result<(), Refusal> {
    for (field, text) in [
        ("document_no", &reinspection.document_no),
        ("no_photo_reason", &reinspection.no_photo_reason),
    ] {
        text::optional(field, text.as_deref(), SHORT_TEXT_MAX)?;
    }
    if reinspection.items.len() > facts.limits.items {
        return Err(limit("items", facts.limits.items));
    }
    for (index, item) in reinspection.items.iter().enumerate() {
        text::required(&format!("items[{index}].item"), &item.item, SHORT_TEXT_MAX)?;
        let note = format!("items[{index}].note");
        text::optional(&note, item.note.as_deref(), LONG_TEXT_MAX)?;
        if reinspection.passed && !item.passed {
            return Err(Refusal::invalid_field(
                &format!("items[{index}].passed"),
                "is false in a re-inspection that passes",
            ));
        }
    }
    if hazard.grade == Grade::General {
        return Ok(());
    }
    if !reinspection.passed {
        return match reinspection.items.iter().all(|item| item.passed) {
            true => Err(Refusal::invalid_field(
                "items",
                "name none that failed: a major hazard is returned for what is still wrong",
            )),
            false => Ok(()),
        };
    }
    if is_blank(reinspection.document_no.as_deref()) {
        return Err(Refusal::invalid_field(
            "document_no",
            "is missing: passing a major hazard is a document with a number",
        ));
    }
    if reinspection.items.is_empty() {
        return Err(Refusal::invalid_field(
            "items",
            "are missing: passing a major hazard says what was looked at",
        ));
    }
    let seen = reinspection.photos.iter().any(is_seen)
        || !is_blank(reinspection.no_photo_reason.as_deref());
    if !seen {
        return Err(Refusal::new(
            RefusalCode::PhotoRequired,
            "passing a major hazard needs the inspector's photo, or no_photo_reason",
        ));
    }
    Ok(())
}

pub(super) fn check_closure(
    hazard: &Hazard,
    closure: &Close,
    actor: &Actor,
    facts: &Facts,
) -> Result<(), Refusal> {
    text::required("opinion", &closure.opinion, LONG_TEXT_MAX)?;
    let Status::PendingReinspection { submission, .. } = &hazard.status else {
        return Err(Refusal::new(
            RefusalCode::NotAllowedInState,
            "nothing was submitted",
        ));
    };
    decides_on(closure.on, submission.submitted_at)?;
    require_not_submitter(submission.submitted_by, actor)?;
    require_not_finder(hazard, actor, facts)?;
    require_listing_seat(hazard, facts)?;
    let needed = hazard.passes_needed();
    let passed = submission.passed_by.len();
    if passed < needed {
        return Err(Refusal::new(
            RefusalCode::TooFewReinspections,
            &format!(
                "closure needs {needed} passed re-inspection(s) by different inspectors, there are {passed}"
            ),
        ));
    }
    if hazard.is_suspended() {
        return Err(Refusal::new(
            RefusalCode::SuspensionInForce,
            "work is ordered to stop; consent to resume comes before closure",
        ));
    }
    match hazard.photos_awaited() {
        0 => require_seen_after(hazard, submission),
        missing => Err(Refusal::new(
            RefusalCode::PhotosAwaited,
            &format!("{missing} photo(s) that the record names have not arrived"),
        )),
    }
}

/// What was recorded as lost shows nothing, and what came with an earlier submission shows what failed: at
/// least one picture of this correction has arrived.
fn require_seen_after(hazard: &Hazard, submission: &Submission) -> Result<(), Refusal> {
    let seen = hazard.photos.iter().any(|photo| {
        let reference = &photo.reference;
        reference.kind == PhotoKind::After
            && is_seen(reference)
            && photo.state == PhotoState::Verified
            // Records of earlier builds do not say which.
            && (submission.shown_by.is_empty()
                || submission.shown_by.contains(&reference.sha256))
    });
    if seen {
        return Ok(());
    }
    Err(Refusal::new(
        RefusalCode::PhotoRequired,
        "no photo of this correction has arrived; attach one, or return it",
    ))
}

pub(super) fn require_not_submitter(submitter: PersonId, actor: &Actor) -> Result<(), Refusal> {
    if actor.person_id() == Some(submitter) {
        return Err(Refusal::new(
            RefusalCode::SamePerson,
            "whoever submitted the rectification may not pass or close it",
        ));
    }
    Ok(())
}

/// 查处分离 as far as a bureau wants it here: a town with two inspectors may not afford it.
fn require_not_finder(hazard: &Hazard, actor: &Actor, facts: &Facts) -> Result<(), Refusal> {
    let found = actor.person_id() == Some(hazard.reported_by);
    if found && facts.limits.finder_may_not_reinspect {
        return Err(Refusal::new(
            RefusalCode::SamePerson,
            "whoever found the hazard may not pass or close it here",
        ));
    }
    Ok(())
}

/// More time after a failed re-inspection is an inspector's word, and a short matter. The enterprise's own
/// re-inspection gives itself none, a listed hazard's date is the listing authority's, and anything longer
/// takes an extension.
fn check_new_due_date(
    hazard: &Hazard,
    date: LocalDate,
    actor: &Actor,
    facts: &Facts,
) -> Result<(), Refusal> {
    if !(actor.is_certified() && actor.is_any_of(&[Role::Inspector])) {
        return Err(Refusal {
            field: Some("new_due_date".to_owned()),
            ..Refusal::new(
                RefusalCode::NotPermitted,
                "new_due_date is set by an inspector; the enterprise asks for an extension",
            )
        });
    }
    let most = facts.limits.extension_days_without_expert;
    let late = facts.made().shanghai_date().days_until(date) > most;
    if hazard.is_listed() || late {
        return Err(Refusal {
            field: Some("new_due_date".to_owned()),
            ..Refusal::new(
                RefusalCode::DueDateOutOfRange,
                &format!(
                    "new_due_date of a listed hazard, or more than {most} days ahead, takes an extension"
                ),
            )
        });
    }
    Ok(())
}
