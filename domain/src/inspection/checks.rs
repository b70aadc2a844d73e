//! What must hold of a step beyond state and role: fields, counts, times, signatures.

use super::checklists::check_item;
use super::decide::{Facts, Knew};
use crate::access::Actor;
use crate::command::{
    AttachPhoto, Attendee, CheckResult, CompleteInspection, ConvertFinding, InspectionKind,
    InspectionSetup, ItemOutcome, ItemRef, LinkFinding, PhotoKind, PhotoRef, SignerRole,
    StartInspection,
};
use crate::evidence::MediaType;
use crate::hash::Digest;
use crate::hazard::PhotoState;
use crate::ids::{EnterpriseId, HazardId};
use crate::inspection::{Finding, Inspection, InspectionState, InspectionStatus, ItemRecord};
use crate::refusal::{Refusal, RefusalCode};
use crate::text::{self, LONG_TEXT_MAX, SHORT_TEXT_MAX};
use crate::time::Timestamp;

/// How many inspectors must take part and sign (两名以上执法人员; 行政处罚法 Art. 42).
pub(super) const INSPECTORS_NEEDED: usize = 2;

pub(super) fn invalid(field: &str, why: &str) -> Refusal {
    Refusal::invalid_field(field, why)
}

pub(super) fn limit(what: &str, most: usize) -> Refusal {
    let rule = format!("one inspection has at most {most} {what}");
    Refusal::new(RefusalCode::LimitReached, &rule)
}

/// How an inspection begins; `kind` is the planned one's or the start's own.
pub(super) fn check_start(
    start: &StartInspection,
    kind: InspectionKind,
    facts: &Facts,
) -> Result<(), Refusal> {
    check_claimed_time("started_at", start.started_at, facts)?;
    text::required("place_text", &start.place_text, SHORT_TEXT_MAX)?;
    if kind.is_departments() && !start.certificates_shown {
        return Err(invalid(
            "certificates_shown",
            "must be so: inspectors show their certificates first (安全生产法 Art. 67)",
        ));
    }
    check_attendees(None, &start.attendees, facts)
}

/// A department acts by inspectors with valid certificates (安全生产法 Art. 67; 应急〔2025〕11号:
/// others only assist).
pub(super) fn require_certificate(kind: InspectionKind, actor: &Actor) -> Result<(), Refusal> {
    if !kind.is_departments() || actor.is_certified() {
        return Ok(());
    }
    let rule = "a department's inspection is begun and completed by a certified inspector";
    Err(Refusal::new(RefusalCode::CertificateNeeded, rule))
}

/// A department that comes without a plan says why.
pub(super) fn check_unplanned(setup: &InspectionSetup) -> Result<(), Refusal> {
    if setup.kind.is_departments() && is_blank(setup.reason.as_deref()) {
        return Err(Refusal {
            field: Some("setup.reason".to_owned()),
            ..Refusal::new(
                RefusalCode::ReasonRequired,
                "setup.reason must say why a department comes without a plan",
            )
        });
    }
    Ok(())
}

pub(super) fn check_attendees(
    inspection: Option<&Inspection>,
    attendees: &[Attendee],
    facts: &Facts,
) -> Result<(), Refusal> {
    let present = inspection.map_or(0, |inspection| inspection.attendees.len());
    if present + attendees.len() > facts.limits.attendees {
        return Err(limit("attendees", facts.limits.attendees));
    }
    for (index, attendee) in attendees.iter().enumerate() {
        let at = |part: &str| format!("attendees[{index}].{part}");
        text::required(&at("name"), &attendee.name, SHORT_TEXT_MAX)?;
        text::optional(&at("post"), attendee.post.as_deref(), SHORT_TEXT_MAX)?;
        text::optional(&at("phone"), attendee.phone.as_deref(), SHORT_TEXT_MAX)?;
    }
    Ok(())
}

pub(super) fn check_results(
    inspection: &Inspection,
    results: &[CheckResult],
    facts: &Facts,
) -> Result<(), Refusal> {
    if results.is_empty() {
        return Err(invalid("results", "must name at least one item"));
    }
    for (index, result) in results.iter().enumerate() {
        let at = |part: &str| format!("results[{index}].{part}");
        check_item(inspection, &result.item, &at("item"), facts)?;
        let earlier = results.iter().take(index);
        if earlier.into_iter().any(|other| other.item == result.item) {
            return Err(invalid(&at("item"), "is answered twice"));
        }
        text::optional(&at("note"), result.note.as_deref(), SHORT_TEXT_MAX)?;
        if result.outcome == ItemOutcome::NotOk && is_blank(result.note.as_deref()) {
            return Err(invalid(&at("note"), "must say what is not as it should be"));
        }
    }
    let new = results
        .iter()
        .filter(|result| inspection.item(&result.item).is_none());
    if inspection.items.len() + new.count() > facts.limits.items {
        return Err(limit("items", facts.limits.items));
    }
    let photos: Vec<&PhotoRef> = results.iter().flat_map(|result| &result.photos).collect();
    check_photos(inspection, &photos, "results.photos", facts)
}

/// Photos that a step names. One that the record names already may be named again.
pub(super) fn check_photos(
    inspection: &Inspection,
    photos: &[&PhotoRef],
    field: &str,
    facts: &Facts,
) -> Result<(), Refusal> {
    let new = photos
        .iter()
        .filter(|photo| inspection.photo(&photo.sha256).is_none());
    if inspection.photos.len() + new.count() > facts.limits.photos {
        return Err(limit("photos", facts.limits.photos));
    }
    for photo in photos {
        let Some(media_type) = MediaType::from_name(&photo.media_type) else {
            return Err(invalid(
                &format!("{field}.media_type"),
                "must be image/jpeg, image/png, image/webp, application/pdf or video/mp4",
            ));
        };
        let most = facts.limits.bytes_of(media_type);
        if photo.size == 0 || photo.size > most {
            return Err(invalid(
                &format!("{field}.size"),
                &format!("must be 1 to {most} bytes"),
            ));
        }
        if media_type == MediaType::Pdf && photo.kind != PhotoKind::Document {
            return Err(invalid(
                &format!("{field}.kind"),
                "must be document for a PDF: it shows no place",
            ));
        }
        if let Some(taken_at) = photo.taken_at {
            check_claimed_time(&format!("{field}.taken_at"), taken_at, facts)?;
        }
    }
    Ok(())
}

pub(super) fn check_attached(
    inspection: &Inspection,
    attached: &AttachPhoto,
    facts: &Facts,
) -> Result<(), Refusal> {
    if inspection.photo(&attached.photo.sha256).is_some() {
        return Err(invalid(
            "photo.sha256",
            "names a photo that is already there",
        ));
    }
    check_photos(inspection, &[&attached.photo], "photo", facts)
}

pub(super) fn check_finding(
    inspection: &Inspection,
    finding: &LinkFinding,
    facts: &Facts,
) -> Result<(), Refusal> {
    if !finding.finding_id.is_version_7() {
        return Err(invalid("finding_id", "must be a UUID of version 7"));
    }
    if inspection.finding(finding.finding_id).is_some() {
        let rule = "a finding with this id is recorded already";
        return Err(Refusal::new(RefusalCode::AlreadyExists, rule));
    }
    if inspection.findings.len() >= facts.limits.findings {
        return Err(limit("findings", facts.limits.findings));
    }
    if let Some(item) = &finding.item {
        check_item(inspection, item, "item", facts)?;
    }
    let advisory = inspection.kind == InspectionKind::ExpertVisit;
    match (advisory, finding.hazard_id, &finding.advice) {
        (true, None, Some(advice)) => text::required("advice", advice, LONG_TEXT_MAX)?,
        (true, ..) => {
            return Err(invalid(
                "advice",
                "must say what the expert advises; a hazard is named later",
            ));
        }
        (false, Some(hazard_id), None) => {
            let mut known = inspection.findings.iter();
            // One hazard may be what is wrong with several items.
            let same =
                |other: &Finding| other.hazard_id == Some(hazard_id) && other.item == finding.item;
            if known.any(same) {
                return Err(invalid("hazard_id", "is a finding of it already"));
            }
            require_hazard(inspection.enterprise_id, hazard_id, facts)?;
        }
        (false, ..) => {
            return Err(invalid("hazard_id", "must name the hazard, without advice"));
        }
    }
    let departments = inspection.kind.is_departments();
    match (departments, finding.handling) {
        (true, None) => Err(invalid("handling", "must say what was ordered or done")),
        (false, Some(_)) => Err(invalid(
            "handling",
            "goes with a department's inspection: nobody else orders",
        )),
        _ => Ok(()),
    }
}

pub(super) fn check_conversion(
    inspection: &Inspection,
    conversion: &ConvertFinding,
    facts: &Facts,
) -> Result<(), Refusal> {
    let Some(finding) = inspection.finding(conversion.finding_id) else {
        let rule = "the inspection has no such finding";
        return Err(Refusal::new(RefusalCode::FindingUnknown, rule));
    };
    if finding.converted.is_some() {
        let rule = "this advice has become a hazard already";
        return Err(Refusal::new(RefusalCode::AlreadyExists, rule));
    }
    require_hazard(inspection.enterprise_id, conversion.hazard_id, facts)
}

/// Where hazards were looked up, the one named must be there and be of the same enterprise, or of
/// none that is known yet.
fn require_hazard(
    enterprise_id: Option<EnterpriseId>,
    hazard_id: HazardId,
    facts: &Facts,
) -> Result<(), Refusal> {
    let Some(known) = &facts.hazards else {
        return Ok(());
    };
    let fits = known
        .get(&hazard_id)
        .is_some_and(|of| of.is_none() || enterprise_id.is_none() || *of == enterprise_id);
    if fits {
        return Ok(());
    }
    Err(Refusal {
        field: Some("hazard_id".to_owned()),
        ..Refusal::new(
            RefusalCode::FindingUnknown,
            "hazard_id names no hazard of this enterprise",
        )
    })
}

pub(super) fn check_completion(
    inspection: &Inspection,
    completion: &CompleteInspection,
    facts: &Facts,
) -> Result<(), Refusal> {
    check_claimed_time("completed_at", completion.completed_at, facts)?;
    text::required("situation", &completion.situation, LONG_TEXT_MAX)?;
    check_nothing_found(inspection, completion)?;
    check_failures_handled(inspection)?;
    let open = inspection.items_open();
    if let Some(first) = open.first() {
        let rule = format!(
            "{} mandatory item(s) have no result, the first is {} of {}",
            open.len(),
            first.item,
            first.checklist
        );
        return Err(Refusal::new(RefusalCode::ItemsWithoutResult, &rule));
    }
    let signatures = RefusalCode::SignatureMissing;
    if inspection.kind == InspectionKind::ExpertVisit
        && !inspection.is_signed_by(SignerRole::Expert)
    {
        return Err(Refusal::new(signatures, "no expert has signed"));
    }
    if !inspection.kind.is_departments() {
        return Ok(());
    }
    let signed = inspection.inspectors_signed().len();
    if signed < INSPECTORS_NEEDED {
        let rule = format!(
            "{INSPECTORS_NEEDED} certified inspectors must take part and sign, {signed} have signed"
        );
        return Err(Refusal::new(RefusalCode::TooFewInspectors, &rule));
    }
    let heard = inspection.is_signed_by(SignerRole::EnterpriseRepresentative)
        || inspection.refusal.is_some();
    if !heard {
        let rule = "the enterprise has neither signed nor was its refusal recorded";
        return Err(Refusal::new(signatures, rule));
    }
    Ok(())
}

/// "No hazard found" is a record of its own: it is said, and then nothing may contradict it.
fn check_nothing_found(
    inspection: &Inspection,
    completion: &CompleteInspection,
) -> Result<(), Refusal> {
    let found = !inspection.findings.is_empty();
    // Where two people differ, one of them found something.
    let says = |outcome| inspection.items.iter().any(|item| item.was(outcome));
    let failed = says(ItemOutcome::NotOk);
    let self_check = inspection.kind == InspectionKind::SelfCheck;
    match completion.no_hazard_found {
        true if found || failed => Err(invalid(
            "no_hazard_found",
            "contradicts a finding or an item that is not ok",
        )),
        // The rate of self-checks counts these: who looked at nothing has found nothing.
        true if self_check && !says(ItemOutcome::Ok) => Err(invalid(
            "no_hazard_found",
            "rests on no item that was looked at and is ok",
        )),
        false if !found && !failed => Err(invalid(
            "no_hazard_found",
            "must be said where nothing was found",
        )),
        _ => Ok(()),
    }
}

/// What a department finds wrong it also handles (安全生产法 Art. 65): every item that is not ok, by the result
/// that counts, is named by a finding. In a self-check the note of the result says what was done.
fn check_failures_handled(inspection: &Inspection) -> Result<(), Refusal> {
    if !inspection.kind.is_departments() {
        return Ok(());
    }
    let handled = |item: &ItemRef| {
        let mut findings = inspection.findings.iter();
        findings.any(|finding| finding.item.as_ref() == Some(item))
    };
    let not_ok = |item: &&ItemRecord| {
        let result = item.result();
        result.is_some_and(|result| result.outcome == ItemOutcome::NotOk)
    };
    let mut failed = inspection.items.iter().filter(not_ok);
    match failed.find(|record| !handled(&record.item)) {
        Some(record) => Err(invalid(
            "findings",
            &format!(
                "name no hazard for item {} of {}, which is not ok",
                record.item.item, record.item.checklist
            ),
        )),
        None => Ok(()),
    }
}

/// After completion only what was recorded by somebody who could not know of it is still added, as late. What a device's
/// own clock says plays no part: one that runs ahead loses nobody's results, and one that is put back gains nothing.
pub(super) fn check_not_afterwards(inspection: &Inspection, facts: &Facts) -> Result<(), Refusal> {
    let InspectionStatus::Completed { completed_at, .. } = inspection.status else {
        return Ok(());
    };
    if let Knew::AsOf(contact) = facts.knew
        && contact.is_none_or(|contact| contact <= completed_at)
    {
        return Ok(());
    }
    let rule = "the inspection is completed; only what was recorded before that was known may still arrive";
    Err(Refusal::new(RefusalCode::NotAllowedInState, rule))
}

pub(super) fn require_awaited(inspection: &Inspection, sha256: &Digest) -> Result<(), Refusal> {
    let photo = inspection.photo(sha256).ok_or_else(unknown_photo)?;
    if photo.state == PhotoState::AwaitingPhoto {
        return Ok(());
    }
    Err(invalid("sha256", "names a photo that is not awaited"))
}

pub(super) fn unknown_photo() -> Refusal {
    Refusal::new(RefusalCode::PhotoUnknown, "the record names no such photo")
}

pub(super) fn check_claimed_time(field: &str, at: Timestamp, facts: &Facts) -> Result<(), Refusal> {
    if !at.is_plausible() || at > facts.now.plus_millis(facts.limits.clock_ahead_ms) {
        return Err(invalid(field, "is not a plausible time"));
    }
    Ok(())
}

pub(super) fn is_blank(text: Option<&str>) -> bool {
    text.is_none_or(|text| text.trim().is_empty())
}

/// Whether two people now differ on one of these items.
pub(super) fn leads_to_dispute(
    inspection: &Inspection,
    results: &[CheckResult],
    actor: &Actor,
) -> bool {
    let mine = actor.person_id();
    results.iter().any(|result| {
        let known = inspection.item(&result.item);
        let others = known.map(|item: &ItemRecord| item.results.iter());
        others
            .into_iter()
            .flatten()
            .any(|other| Some(other.by) != mine && other.outcome != result.outcome)
    })
}

pub(super) fn state_of(current: Option<&Inspection>) -> InspectionState {
    current.map_or(InspectionState::Unknown, Inspection::state)
}
