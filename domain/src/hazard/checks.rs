//! What must hold of a step beyond state and role: fields, photos, dates, and who did the step before.

use super::decide::Facts;
use crate::access::Actor;
use crate::command::{Confirm, Grade, PhotoRef, Reinspect, SubmitRectification};
use crate::hash::Digest;
use crate::hazard::{Hazard, PhotoState, Status};
use crate::refusal::{Refusal, RefusalCode};
use crate::text::{self, LONG_TEXT_MAX, SHORT_TEXT_MAX};
use crate::time::{LocalDate, Timestamp};

pub(super) fn check_confirmation(confirm: &Confirm, facts: &Facts) -> Result<(), Refusal> {
    text::required(
        "responsible_person",
        &confirm.responsible_person,
        SHORT_TEXT_MAX,
    )?;
    text::required("requirement", &confirm.requirement, LONG_TEXT_MAX)?;
    text::optional("basis", confirm.basis.as_deref(), LONG_TEXT_MAX)?;
    if let Some(criterion) = &confirm.criterion {
        text::required("criterion.code", &criterion.code, SHORT_TEXT_MAX)?;
    }
    if confirm.grade == Grade::Major
        && confirm.criterion.is_none()
        && is_blank(confirm.basis.as_deref())
    {
        return Err(Refusal::new(
            RefusalCode::CriterionRequired,
            "a major hazard names a criterion with its edition, or a basis in words",
        ));
    }
    check_due_date("due_date", confirm.due_date, facts)
}

pub(super) fn check_submission(
    hazard: &Hazard,
    submission: &SubmitRectification,
    facts: &Facts,
) -> Result<(), Refusal> {
    text::required("measures", &submission.measures, LONG_TEXT_MAX)?;
    check_claimed_time("completed_at", submission.completed_at, facts)?;
    check_photos(Some(hazard), &submission.photos, "photos", facts)?;
    if submission.photos.is_empty() {
        return Err(Refusal::new(
            RefusalCode::PhotoRequired,
            "a rectification shows at least one photo taken after it",
        ));
    }
    Ok(())
}

pub(super) fn check_reinspection(
    hazard: &Hazard,
    reinspection: &Reinspect,
    actor: &Actor,
    facts: &Facts,
) -> Result<(), Refusal> {
    text::required("opinion", &reinspection.opinion, LONG_TEXT_MAX)?;
    check_photos(Some(hazard), &reinspection.photos, "photos", facts)?;
    if let Some(date) = reinspection.new_due_date {
        if reinspection.passed {
            return Err(Refusal::invalid_field(
                "new_due_date",
                "goes with a return, not a pass",
            ));
        }
        check_due_date("new_due_date", date, facts)?;
    }
    let Status::PendingReinspection { submission, .. } = &hazard.status else {
        return Err(Refusal::new(
            RefusalCode::NotAllowedInState,
            "nothing was submitted",
        ));
    };
    require_not_submitter(submission.submitted_by, actor)?;
    let again = actor
        .person_id()
        .is_some_and(|id| submission.passed_by.contains(&id));
    if again && reinspection.passed {
        return Err(Refusal::new(
            RefusalCode::SamePerson,
            "you have passed this submission already; another inspector must",
        ));
    }
    Ok(())
}

pub(super) fn check_closure(hazard: &Hazard, actor: &Actor) -> Result<(), Refusal> {
    let Status::PendingReinspection { submission, .. } = &hazard.status else {
        return Err(Refusal::new(
            RefusalCode::NotAllowedInState,
            "nothing was submitted",
        ));
    };
    require_not_submitter(submission.submitted_by, actor)?;
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
    match hazard.photos_awaited() {
        0 => Ok(()),
        missing => Err(Refusal::new(
            RefusalCode::PhotosAwaited,
            &format!("{missing} photo(s) that the record names have not arrived"),
        )),
    }
}

pub(super) fn require_not_submitter(
    submitter: crate::ids::PersonId,
    actor: &Actor,
) -> Result<(), Refusal> {
    if actor.person_id() == Some(submitter) {
        return Err(Refusal::new(
            RefusalCode::SamePerson,
            "whoever submitted the rectification may not pass or close it",
        ));
    }
    Ok(())
}

pub(super) fn require_awaited(hazard: &Hazard, sha256: &Digest) -> Result<(), Refusal> {
    let photo = hazard.photo(sha256).ok_or_else(unknown_photo)?;
    if photo.state == PhotoState::AwaitingPhoto {
        return Ok(());
    }
    Err(Refusal::invalid_field(
        "sha256",
        "names a photo that is not awaited",
    ))
}

pub(super) fn check_photos(
    hazard: Option<&Hazard>,
    photos: &[PhotoRef],
    field: &str,
    facts: &Facts,
) -> Result<(), Refusal> {
    let present = hazard.map_or(0, |hazard| hazard.photos.len());
    if present + photos.len() > facts.limits.photos {
        return Err(limit("photos", facts.limits.photos));
    }
    for (index, photo) in photos.iter().enumerate() {
        let at = |part: &str| format!("{field}[{index}].{part}");
        if photo.size == 0 || photo.size > facts.limits.photo_bytes {
            let most = facts.limits.photo_bytes;
            return Err(Refusal::invalid_field(
                &at("size"),
                &format!("must be 1 to {most} bytes"),
            ));
        }
        if !matches!(
            photo.media_type.as_str(),
            "image/jpeg" | "image/png" | "image/webp"
        ) {
            return Err(Refusal::invalid_field(
                &at("media_type"),
                "must be image/jpeg, image/png or image/webp",
            ));
        }
        let earlier = photos
            .iter()
            .take(index)
            .any(|other| other.sha256 == photo.sha256);
        if earlier || hazard.is_some_and(|hazard| hazard.photo(&photo.sha256).is_some()) {
            return Err(Refusal::invalid_field(
                &at("sha256"),
                "names a photo that is already there",
            ));
        }
        if let Some(taken_at) = photo.taken_at {
            check_claimed_time(&at("taken_at"), taken_at, facts)?;
        }
    }
    Ok(())
}

/// A claimed time must lie in this century and not absurdly far ahead: clocks in the field are
/// wrong, so a wrong one is evidence to keep, not a reason to lose a report.
pub(super) fn check_claimed_time(field: &str, at: Timestamp, facts: &Facts) -> Result<(), Refusal> {
    if !at.is_plausible() || at > facts.now.plus_millis(facts.limits.clock_ahead_ms) {
        return Err(Refusal::invalid_field(field, "is not a plausible time"));
    }
    Ok(())
}

/// The due date may not lie before the day on which the step was taken (offline: as its device
/// says), nor further ahead than the limit.
pub(super) fn check_due_date(field: &str, due: LocalDate, facts: &Facts) -> Result<(), Refusal> {
    let made = facts
        .made_at
        .filter(|at| at.is_plausible())
        .unwrap_or(facts.now)
        .min(facts.now);
    let latest = facts
        .now
        .plus_millis(facts.limits.due_days.saturating_mul(86_400_000));
    if due < made.shanghai_date() || due > latest.shanghai_date() {
        return Err(Refusal {
            field: Some(field.to_owned()),
            ..Refusal::new(
                RefusalCode::DueDateOutOfRange,
                &format!(
                    "{field} lies in the past or more than {} days ahead",
                    facts.limits.due_days
                ),
            )
        });
    }
    Ok(())
}

pub(super) fn is_blank(text: Option<&str>) -> bool {
    text.is_none_or(|text| text.trim().is_empty())
}

pub(super) fn limit(what: &str, most: usize) -> Refusal {
    Refusal::new(
        RefusalCode::LimitReached,
        &format!("one hazard has at most {most} {what}"),
    )
}

pub(super) fn no_jurisdiction() -> Refusal {
    Refusal::new(
        RefusalCode::JurisdictionUnknown,
        "name an enterprise, or a position inside a known jurisdiction",
    )
}

pub(super) fn unknown_photo() -> Refusal {
    Refusal::new(RefusalCode::PhotoUnknown, "the record names no such photo")
}
