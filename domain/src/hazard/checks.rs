//! What must hold of a step beyond state and role: fields, photos, dates, and who did the step before.

use super::decide::Facts;
use crate::command::{Grade, PhotoKind, PhotoRef, SubmitRectification};
use crate::evidence::MediaType;
use crate::hash::Digest;
use crate::hazard::{Hazard, PhotoState};
use crate::refusal::{Refusal, RefusalCode};
use crate::text::{self, LONG_TEXT_MAX, SHORT_TEXT_MAX};
use crate::time::{LocalDate, Timestamp};

pub(super) fn check_submission(
    hazard: &Hazard,
    submission: &SubmitRectification,
    facts: &Facts,
) -> Result<(), Refusal> {
    text::required("measures", &submission.measures, LONG_TEXT_MAX)?;
    check_claimed_time("completed_at", submission.completed_at, facts)?;
    check_evidence(hazard, &submission.photos, facts)?;
    let after = |photo: &PhotoRef| photo.kind == PhotoKind::After && is_seen(photo);
    if !submission.photos.iter().any(after) {
        return Err(Refusal::new(
            RefusalCode::PhotoRequired,
            "a rectification shows at least one photo taken after it",
        ));
    }
    check_pairs(hazard, submission)?;
    if let Some(acceptance) = &submission.self_acceptance {
        let at = |index: usize| format!("self_acceptance.accepted_by[{index}]");
        for (index, name) in acceptance.accepted_by.iter().enumerate() {
            text::required(&at(index), name, SHORT_TEXT_MAX)?;
        }
        if acceptance.accepted_by.is_empty() || acceptance.accepted_by.len() > ACCEPTORS_MAX {
            return Err(Refusal::invalid_field(
                "self_acceptance.accepted_by",
                &format!("names 1 to {ACCEPTORS_MAX} people"),
            ));
        }
        text::required(
            "self_acceptance.opinion",
            &acceptance.opinion,
            LONG_TEXT_MAX,
        )?;
        check_claimed_day("self_acceptance.accepted_on", acceptance.accepted_on, facts)?;
    }
    if hazard.grade == Grade::General {
        return Ok(());
    }
    if !hazard.is_planned() {
        return Err(Refusal::new(
            RefusalCode::PlanNotAcknowledged,
            "a major hazard is corrected by a plan that the department has acknowledged",
        ));
    }
    if submission.cost_fen.is_none() {
        return Err(Refusal::invalid_field(
            "cost_fen",
            "is missing: a major hazard's correction states its cost, be it 0",
        ));
    }
    if submission.self_acceptance.is_none() {
        return Err(Refusal::new(
            RefusalCode::SelfAcceptanceRequired,
            "a major hazard is accepted by the enterprise itself before it is handed in",
        ));
    }
    Ok(())
}

/// The most people who accept a correction.
const ACCEPTORS_MAX: usize = 50;

/// Whether it shows something that can be looked at.
pub(super) fn is_seen(photo: &PhotoRef) -> bool {
    photo.media_type != "application/pdf"
}

/// Every pair joins a photo before and one after; of a major hazard, no photo before is left out.
fn check_pairs(hazard: &Hazard, submission: &SubmitRectification) -> Result<(), Refusal> {
    if submission.pairs.len() > hazard.photos.len() {
        return Err(Refusal::invalid_field(
            "pairs",
            "are more than there are photos before the correction",
        ));
    }
    for (index, pair) in submission.pairs.iter().enumerate() {
        let at = |part: &str| format!("pairs[{index}].{part}");
        let there = |sha256: &Digest| {
            let photo = hazard.photo(sha256);
            let photo = photo.filter(|photo| !matches!(photo.state, PhotoState::Lost { .. }));
            photo.map(|photo| photo.reference.kind)
        };
        let known = there(&pair.before);
        if known != Some(PhotoKind::Before) {
            return Err(Refusal::invalid_field(
                &at("before"),
                "names no photo before the correction",
            ));
        }
        let new = submission.photos.iter().find(|p| p.sha256 == pair.after);
        let kind = new.map(|photo| photo.kind);
        let kind = kind.or_else(|| there(&pair.after));
        if kind != Some(PhotoKind::After) {
            return Err(Refusal::invalid_field(
                &at("after"),
                "names no photo after the correction",
            ));
        }
    }
    let unpaired = hazard.photos.iter().find(|photo| {
        photo.reference.kind == PhotoKind::Before
            && !matches!(photo.state, PhotoState::Lost { .. })
            && !submission
                .pairs
                .iter()
                .any(|pair| pair.before == photo.reference.sha256)
    });
    match unpaired {
        Some(photo) if hazard.grade == Grade::Major => Err(Refusal {
            field: Some("pairs".to_owned()),
            ..Refusal::new(
                RefusalCode::PhotoPairsIncomplete,
                &format!(
                    "photo {} has no counterpart after the correction",
                    photo.reference.sha256
                ),
            )
        }),
        _ => Ok(()),
    }
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

/// Photos that a correction or a re-inspection brings. As many again as a record takes otherwise, so
/// that nobody can block either by filling the record.
pub(super) fn check_evidence(
    hazard: &Hazard,
    photos: &[PhotoRef],
    facts: &Facts,
) -> Result<(), Refusal> {
    let most = facts.limits.photos.saturating_mul(2);
    check_photos_up_to(most, Some(hazard), photos, "photos", facts)
}

pub(super) fn check_photos(
    hazard: Option<&Hazard>,
    photos: &[PhotoRef],
    field: &str,
    facts: &Facts,
) -> Result<(), Refusal> {
    check_photos_up_to(facts.limits.photos, hazard, photos, field, facts)
}

fn check_photos_up_to(
    most: usize,
    hazard: Option<&Hazard>,
    photos: &[PhotoRef],
    field: &str,
    facts: &Facts,
) -> Result<(), Refusal> {
    let present = hazard.map_or(0, |hazard| hazard.photos.len());
    if present.saturating_add(photos.len()) > most {
        return Err(limit("photos", most));
    }
    for (index, photo) in photos.iter().enumerate() {
        let at = |part: &str| format!("{field}[{index}].{part}");
        let Some(media_type) = MediaType::from_name(&photo.media_type) else {
            return Err(Refusal::invalid_field(
                &at("media_type"),
                "must be image/jpeg, image/png, image/webp, application/pdf or video/mp4",
            ));
        };
        let most = facts.limits.bytes_of(media_type);
        if photo.size == 0 || photo.size > most {
            return Err(Refusal::invalid_field(
                &at("size"),
                &format!("must be 1 to {most} bytes"),
            ));
        }
        if media_type == MediaType::Pdf && photo.kind != PhotoKind::Document {
            return Err(Refusal::invalid_field(
                &at("kind"),
                "must be document for a PDF: it shows no place",
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

/// A day on which something is said to have happened: not after tomorrow (a clock may run ahead), and
/// in this century.
pub(super) fn check_claimed_day(field: &str, day: LocalDate, facts: &Facts) -> Result<(), Refusal> {
    let latest = facts.now.plus_millis(86_400_000);
    if day.end_of_day().is_plausible() && day <= latest.shanghai_date() {
        return Ok(());
    }
    Err(Refusal::invalid_field(field, "is not a plausible day"))
}

/// The due date may not lie before the day on which the step was taken (offline: as its device
/// says), nor further ahead than the limit.
pub(super) fn check_due_date(field: &str, due: LocalDate, facts: &Facts) -> Result<(), Refusal> {
    let oldest = facts.now.plus_millis(-facts.limits.clock_behind_ms);
    let made = facts.made().max(oldest);
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
