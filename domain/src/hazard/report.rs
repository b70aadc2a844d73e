//! What a report must say, and who may say which source.

use super::checks::{check_claimed_time, check_photos, is_blank, no_jurisdiction};
use super::decide::{Decision, Facts};
use super::recurrence;
use crate::access::{Actor, Role};
use crate::command::{Command, FixedOnSpot, Grade, Nature, PhotoKind, Report, Source};
use crate::hazard::HazardEvent;
use crate::ids::SubjectId;
use crate::refusal::{Refusal, RefusalCode};
use crate::text::{self, LONG_TEXT_MAX, SHORT_TEXT_MAX};

pub(super) fn decide_report(
    command: &Command,
    report: &Report,
    actor: &Actor,
    facts: &Facts,
) -> Result<Decision, Refusal> {
    if !command.subject_id.is_version_7() {
        return Err(Refusal::invalid_field("id", "must be a UUID of version 7"));
    }
    check_source(report.source, actor)?;
    check_texts(report)?;
    check_claimed_time("found_at", report.found_at, facts)?;
    check_photos(None, &report.photos, "photos", facts)?;
    if report.photos.is_empty() && is_blank(report.no_photo_reason.as_deref()) {
        return Err(Refusal::new(
            RefusalCode::PhotoRequired,
            "a report needs a photo, or no_photo_reason says why there is none",
        ));
    }
    if report.recurrence_of.map(SubjectId::from) == Some(command.subject_id) {
        return Err(Refusal::invalid_field(
            "recurrence_of",
            "names the hazard itself",
        ));
    }
    let claim_unfounded = match report.recurrence_of {
        Some(_) => recurrence::check_claim(report, facts)?,
        None => false,
    };
    if let Some(fixed) = &report.fixed_on_spot {
        check_fixed_on_spot(report, fixed, actor, facts)?;
    }
    let jurisdiction_id = facts.jurisdiction_id.ok_or_else(no_jurisdiction)?;
    Ok(Decision::applied(HazardEvent::Reported {
        report: report.clone(),
        jurisdiction_id,
        sector: facts.sector.clone(),
        claim_unfounded,
    }))
}

fn check_texts(report: &Report) -> Result<(), Refusal> {
    text::required("description", &report.description, LONG_TEXT_MAX)?;
    text::required("place_text", &report.place_text, SHORT_TEXT_MAX)?;
    text::optional(
        "immediate_measure",
        report.immediate_measure.as_deref(),
        LONG_TEXT_MAX,
    )?;
    text::optional(
        "no_photo_reason",
        report.no_photo_reason.as_deref(),
        SHORT_TEXT_MAX,
    )?;
    if let Some(criterion) = &report.criterion {
        text::required("criterion.code", &criterion.code, SHORT_TEXT_MAX)?;
    }
    report.nature.as_ref().map_or(Ok(()), check_nature)
}

fn check_nature(nature: &Nature) -> Result<(), Refusal> {
    for (field, text, most) in [
        ("nature.category", &nature.category, SHORT_TEXT_MAX),
        (
            "nature.accident_type",
            &nature.accident_type,
            SHORT_TEXT_MAX,
        ),
        ("nature.cause", &nature.cause, LONG_TEXT_MAX),
        ("nature.consequence", &nature.consequence, LONG_TEXT_MAX),
        ("nature.difficulty", &nature.difficulty, LONG_TEXT_MAX),
        ("nature.risk_point", &nature.risk_point, SHORT_TEXT_MAX),
    ] {
        text::optional(field, text.as_deref(), most)?;
    }
    Ok(())
}

/// Who may say that what they found was fixed before their eyes: their word confirms the hazard.
const FIX_ON_SPOT: &[Role] = &[
    Role::Employee,
    Role::SafetyOfficer,
    Role::Principal,
    Role::GridWorker,
    Role::Inspector,
    Role::DepartmentReviewer,
    Role::DepartmentHead,
];

/// 即查即改 is for general hazards (Order 16 of 2007, Art. 15), and is seen in two photos.
fn check_fixed_on_spot(
    report: &Report,
    fixed: &FixedOnSpot,
    actor: &Actor,
    facts: &Facts,
) -> Result<(), Refusal> {
    if !actor.is_any_of(FIX_ON_SPOT) {
        return Err(Refusal::invalid_field(
            "fixed_on_spot",
            "is said by the enterprise, grid workers, inspectors and the department",
        ));
    }
    if report.grade != Grade::General {
        return Err(Refusal::invalid_field(
            "fixed_on_spot",
            "is for general hazards; a major one is corrected by a plan",
        ));
    }
    text::required("fixed_on_spot.measures", &fixed.measures, LONG_TEXT_MAX)?;
    text::required(
        "fixed_on_spot.responsible_person",
        &fixed.responsible_person,
        SHORT_TEXT_MAX,
    )?;
    check_claimed_time("fixed_on_spot.completed_at", fixed.completed_at, facts)?;
    let shows = |kind: PhotoKind| report.photos.iter().any(|photo| photo.kind == kind);
    if shows(PhotoKind::Before) && shows(PhotoKind::After) {
        return Ok(());
    }
    Err(Refusal::new(
        RefusalCode::PhotoRequired,
        "what was fixed on the spot shows a photo before and one after",
    ))
}

/// "Found by the enterprise itself" opens the enterprise's own path to closure and counts in its
/// favour: only its own people may say it, and only others may say that others found it. Experts,
/// insurers and the public speak for themselves alone.
fn check_source(source: Source, actor: &Actor) -> Result<(), Refusal> {
    let fits = Role::ALL
        .into_iter()
        .any(|role| may_say(role, source) && actor.is_any_of(&[role]));
    if fits {
        return Ok(());
    }
    Err(Refusal::invalid_field(
        "source",
        "does not fit your role: who found it decides the source",
    ))
}

fn may_say(role: Role, source: Source) -> bool {
    match role {
        Role::Employee | Role::SafetyOfficer | Role::Principal => source.is_self_found(),
        Role::GridWorker
        | Role::Inspector
        | Role::DepartmentReviewer
        | Role::DepartmentHead
        | Role::Supervisor
        | Role::ListingAuthority
        | Role::Administrator
        | Role::Gateway => !source.is_self_found() && source != Source::Import,
        Role::Expert => source == Source::Expert,
        Role::Insurer => source == Source::Insurer,
        Role::Public => source == Source::Tipoff,
        Role::Importer => !source.is_self_found(),
    }
}
