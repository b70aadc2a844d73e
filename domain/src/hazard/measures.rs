//! Measures over a hazard: listed supervision, suspension, penalties; and whose it is.

use super::checks::{check_claimed_day, check_due_date, check_evidence, is_blank, is_seen, limit};
use super::decide::Facts;
use super::steps::{decides_on, not_both, nothing_pending};
use crate::access::Actor;
use crate::command::{
    AssignSector, DecideResumption, Delist, ListSupervision, ListingLevel, OrderSuspension,
    RecordPenalty, RequestResumption,
};
use crate::hazard::{Hazard, HazardEvent};
use crate::jurisdiction::Level;
use crate::refusal::{Refusal, RefusalCode};
use crate::responsibility::SECTOR_MAX;
use crate::text::{self, LONG_TEXT_MAX, SHORT_TEXT_MAX};
use crate::time::LocalDate;

pub(super) fn list_supervision(
    listing: &ListSupervision,
    hazard: &Hazard,
    facts: &Facts,
) -> Result<HazardEvent, Refusal> {
    check_level(listing.level, facts)?;
    text::required("document_no", &listing.document_no, SHORT_TEXT_MAX)?;
    text::required("authority", &listing.authority, SHORT_TEXT_MAX)?;
    text::required("requirement", &listing.requirement, LONG_TEXT_MAX)?;
    if let Some(deadline) = listing.deadline {
        check_due_date("deadline", deadline, facts)?;
    }
    if hazard.is_listed() {
        return Err(Refusal::new(
            RefusalCode::AlreadyInForce,
            "the hazard is under listed supervision already; another level is a new listing",
        ));
    }
    Ok(HazardEvent::Listed {
        listing: listing.clone(),
        by_jurisdiction: facts.listing_seat.as_ref().map(|seat| seat.jurisdiction_id),
    })
}

/// A body lists at its own level or below. What the province or the nation lists is recorded by the
/// city, the highest there is here.
fn check_level(level: ListingLevel, facts: &Facts) -> Result<(), Refusal> {
    let own = facts.listing_seat.as_ref().and_then(|seat| seat.level);
    let highest = match own {
        None | Some(Level::City) => return Ok(()),
        Some(Level::District) => ListingLevel::District,
        Some(Level::Town | Level::Village | Level::Grid) => ListingLevel::Town,
    };
    let fits = match highest {
        ListingLevel::District => {
            matches!(level, ListingLevel::District | ListingLevel::Town)
        }
        _ => level == ListingLevel::Town,
    };
    if fits {
        return Ok(());
    }
    Err(Refusal::invalid_field(
        "level",
        "is above the body that you list for",
    ))
}

/// What one body has listed, that body or one above it delists, extends and closes.
pub(super) fn require_listing_seat(hazard: &Hazard, facts: &Facts) -> Result<(), Refusal> {
    let listed = hazard.listing.as_ref().filter(|_| hazard.is_listed());
    let Some(by) = listed.and_then(|listing| listing.by_jurisdiction) else {
        return Ok(());
    };
    let seat = facts.listing_seat.as_ref();
    if seat.is_some_and(|seat| seat.down_to_hazard.contains(&by)) {
        return Ok(());
    }
    Err(Refusal::new(
        RefusalCode::NotPermitted,
        "a body above yours has listed the hazard: it decides, or one above it",
    ))
}

pub(super) fn delist(
    delisting: &Delist,
    hazard: &Hazard,
    facts: &Facts,
) -> Result<HazardEvent, Refusal> {
    text::required("document_no", &delisting.document_no, SHORT_TEXT_MAX)?;
    text::required("opinion", &delisting.opinion, LONG_TEXT_MAX)?;
    if !hazard.is_listed() {
        return Err(Refusal::new(
            RefusalCode::NotInForce,
            "the hazard is not under listed supervision",
        ));
    }
    require_listing_seat(hazard, facts)?;
    Ok(HazardEvent::Delisted {
        delisting: delisting.clone(),
    })
}

pub(super) fn order_suspension(
    order: &OrderSuspension,
    hazard: &Hazard,
) -> Result<HazardEvent, Refusal> {
    text::required("document_no", &order.document_no, SHORT_TEXT_MAX)?;
    text::required("scope", &order.scope, LONG_TEXT_MAX)?;
    text::required("basis", &order.basis, LONG_TEXT_MAX)?;
    if hazard.is_suspended() {
        return Err(Refusal::new(
            RefusalCode::AlreadyInForce,
            "work is ordered to stop already",
        ));
    }
    Ok(HazardEvent::SuspensionOrdered {
        suspension: order.clone(),
    })
}

pub(super) fn request_resumption(
    application: &RequestResumption,
    hazard: &Hazard,
    facts: &Facts,
) -> Result<HazardEvent, Refusal> {
    text::required("application", &application.application, LONG_TEXT_MAX)?;
    text::required("assessment", &application.assessment, LONG_TEXT_MAX)?;
    check_evidence(hazard, &application.photos, facts)?;
    let in_force = hazard.suspension.as_ref().filter(|s| s.is_in_force());
    let Some(suspension) = in_force else {
        return Err(Refusal::new(
            RefusalCode::NotInForce,
            "work is not ordered to stop",
        ));
    };
    if suspension.is_resumption_asked_for() {
        return Err(Refusal::new(
            RefusalCode::AlreadyPending,
            "resuming has been asked for already",
        ));
    }
    Ok(HazardEvent::ResumptionRequested {
        application: application.clone(),
    })
}

pub(super) fn decide_resumption(
    decision: &DecideResumption,
    hazard: &Hazard,
    actor: &Actor,
    facts: &Facts,
) -> Result<HazardEvent, Refusal> {
    text::required("document_no", &decision.document_no, SHORT_TEXT_MAX)?;
    text::required("opinion", &decision.opinion, LONG_TEXT_MAX)?;
    check_evidence(hazard, &decision.photos, facts)?;
    let suspension = hazard.suspension.as_ref();
    let ordered_on = suspension.map(|suspension| suspension.ordered.at.shanghai_date());
    let asked = suspension.filter(|suspension| suspension.is_resumption_asked_for());
    let asked = asked.and_then(|suspension| suspension.application.as_ref());
    let asked = asked.ok_or_else(|| nothing_pending("resuming has not been asked for"))?;
    decides_on(decision.on, asked.applied.at)?;
    not_both(asked.applied.by, actor)?;
    check_review(decision, ordered_on, facts)?;
    Ok(HazardEvent::ResumptionDecided {
        decision: decision.clone(),
    })
}

/// Consent comes after a review on site (Order 16 of 2007, Art. 23), which is seen.
fn check_review(
    decision: &DecideResumption,
    ordered_on: Option<LocalDate>,
    facts: &Facts,
) -> Result<(), Refusal> {
    let no_photo = decision.no_photo_reason.as_deref();
    text::optional("no_photo_reason", no_photo, SHORT_TEXT_MAX)?;
    if let Some(day) = decision.reviewed_on {
        check_claimed_day("reviewed_on", day, facts)?;
        if ordered_on.is_some_and(|ordered| day < ordered) {
            return Err(Refusal::invalid_field(
                "reviewed_on",
                "lies before the order to stop",
            ));
        }
    }
    if !decision.granted {
        return Ok(());
    }
    if decision.reviewed_on.is_none() {
        return Err(Refusal::invalid_field(
            "reviewed_on",
            "is missing: consent follows a review on site",
        ));
    }
    if !decision.photos.iter().any(is_seen) && is_blank(no_photo) {
        return Err(Refusal::new(
            RefusalCode::PhotoRequired,
            "consent needs a photo of the review, or no_photo_reason says why there is none",
        ));
    }
    Ok(())
}

/// 查处分离: whoever found the hazard does not decide on the penalty.
pub(super) fn record_penalty(
    penalty: &RecordPenalty,
    hazard: &Hazard,
    actor: &Actor,
    facts: &Facts,
) -> Result<HazardEvent, Refusal> {
    text::required("case_no", &penalty.case_no, SHORT_TEXT_MAX)?;
    if let Some(decision) = &penalty.decision {
        text::required(
            "decision.document_no",
            &decision.document_no,
            SHORT_TEXT_MAX,
        )?;
        text::required("decision.result", &decision.result, LONG_TEXT_MAX)?;
        check_claimed_day("decision.decided_on", decision.decided_on, facts)?;
        if actor.person_id() == Some(hazard.reported_by) {
            return Err(Refusal::new(
                RefusalCode::SamePerson,
                "whoever found the hazard may not decide on its penalty",
            ));
        }
    }
    let mut known = hazard.penalties.iter();
    let known = known.find(|known| known.penalty.case_no == penalty.case_no);
    if penalty.decision.is_none() && known.is_some_and(|known| known.penalty.decision.is_some()) {
        return Err(Refusal::invalid_field(
            "decision",
            "has been recorded for this case; it can be corrected, not removed",
        ));
    }
    if known.is_none() && hazard.penalties.len() >= facts.limits.penalties {
        return Err(limit("penalty cases", facts.limits.penalties));
    }
    Ok(HazardEvent::PenaltyRecorded {
        penalty: penalty.clone(),
    })
}

pub(super) fn assign_sector(
    assignment: &AssignSector,
    facts: &Facts,
) -> Result<HazardEvent, Refusal> {
    text::required("sector", &assignment.sector, SECTOR_MAX)?;
    facts.named_sector.check("sector")?;
    text::required("department", &assignment.department, SHORT_TEXT_MAX)?;
    Ok(HazardEvent::SectorAssigned {
        assignment: assignment.clone(),
    })
}
