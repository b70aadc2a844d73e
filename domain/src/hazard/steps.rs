//! The steps beside the main line, and re-inspection: each checks its fields, then what must hold.

use super::checks::{check_due_date, is_blank, limit};
use super::decide::{Decision, Facts, Outcome};
use super::measures::{
    assign_sector, decide_resumption, delist, list_supervision, order_suspension, record_penalty,
    request_resumption, require_listing_seat,
};
use super::reinspection::check_reinspection;
use super::{grading, plan};
use crate::access::{Actor, Role};
use crate::command::{
    Action, DecideExtension, Grade, Merge, Period, ReceiveTransfer, Reinspect, RequestExtension,
    Transfer,
};
use crate::hazard::{Hazard, HazardEvent, Status, StatusName};
use crate::ids::PersonId;
use crate::refusal::{Refusal, RefusalCode};
use crate::text::{self, LONG_TEXT_MAX, SHORT_TEXT_MAX};
use crate::time::{LocalDate, Timestamp};

/// Every action that is not on the main line.
pub(super) fn beside(
    action: &Action,
    hazard: &Hazard,
    actor: &Actor,
    facts: &Facts,
) -> Result<HazardEvent, Refusal> {
    match action {
        Action::SubmitPlan(plan) => plan::submit(plan, hazard, facts),
        Action::DecidePlan(decision) => plan::decide(decision, hazard, actor),
        Action::RequestExtension(request) => request_extension(request, hazard, actor, facts),
        Action::DecideExtension(decision) => decide_extension(decision, hazard, actor, facts),
        Action::ChangeGrade(change) => grading::change_grade(change, hazard, actor, facts),
        Action::Merge(merge) => decide_merge(merge, hazard, facts),
        Action::Transfer(transfer) => decide_transfer(transfer, hazard),
        Action::ReceiveTransfer(receipt) => receive_transfer(receipt, hazard, actor, facts),
        Action::ListSupervision(listing) => list_supervision(listing, hazard, facts),
        Action::Delist(delisting) => delist(delisting, hazard, facts),
        Action::OrderSuspension(order) => order_suspension(order, hazard),
        Action::RequestResumption(application) => request_resumption(application, hazard, facts),
        Action::DecideResumption(decision) => decide_resumption(decision, hazard, actor, facts),
        Action::RecordPenalty(penalty) => record_penalty(penalty, hazard, actor, facts),
        Action::AssignSector(assignment) => assign_sector(assignment, facts),
        other => Err(Refusal::new(
            RefusalCode::NotAllowedInState,
            &format!("{} is decided elsewhere", other.kind().as_str()),
        )),
    }
}

/// A re-inspection, by one inspector or by two who signed one command.
pub(super) fn reinspect(
    reinspection: &Reinspect,
    hazard: &Hazard,
    actor: &Actor,
    facts: &Facts,
) -> Result<HazardEvent, Refusal> {
    let submitter = check_reinspection(hazard, reinspection, actor, facts)?;
    // The second pair of eyes is neither the submitter's nor, where a bureau wants that, the finder's.
    let finder = facts
        .limits
        .finder_may_not_reinspect
        .then_some(hazard.reported_by);
    let second = grading::second_inspector(actor, facts)
        .filter(|second| *second != submitter && Some(*second) != finder);
    Ok(HazardEvent::Reinspected {
        reinspection: reinspection.clone(),
        second,
    })
}

/// A calendar arrived: the same days counted again, where the answer was provisional.
pub(super) fn recompute_deadline(hazard: &Hazard, facts: &Facts) -> Decision {
    let counted = hazard
        .order()
        .and_then(|order| order.deadline_original.as_ref());
    let provisional = counted.filter(|deadline| deadline.provisional);
    let again = provisional.and_then(|before| {
        let period = Period {
            days: before.days,
            kind: before.kind,
            rule: before.rule.clone(),
        };
        let deadline = super::Deadline {
            start_claimed: before.start_claimed,
            ..grading::deadline(before.start, &period, facts).ok()?
        };
        (deadline != *before).then_some(deadline)
    });
    let events = again.map(|deadline| HazardEvent::DeadlineRecomputed { deadline });
    Decision {
        events: events.into_iter().collect(),
        outcome: Outcome::Applied,
    }
}

/// A date that lies where it may not.
pub(super) fn due_date(field: &str, why: &str) -> Refusal {
    Refusal {
        field: Some(field.to_owned()),
        ..Refusal::new(RefusalCode::DueDateOutOfRange, &format!("{field} {why}"))
    }
}

/// An extension is asked for before the due date. One that comes later, but was made before as its
/// device says, is taken up and marked: the authority decides knowing that (protocol: a device's
/// clock alone proves no time).
fn request_extension(
    request: &RequestExtension,
    hazard: &Hazard,
    actor: &Actor,
    facts: &Facts,
) -> Result<HazardEvent, Refusal> {
    text::required("reason", &request.reason, LONG_TEXT_MAX)?;
    text::required("interim_controls", &request.interim_controls, LONG_TEXT_MAX)?;
    if let Some(expert) = &request.expert_opinion {
        grading::check_expert(expert)?;
    }
    let Some(order) = hazard.order() else {
        return Err(Refusal::new(
            RefusalCode::NotAllowedInState,
            "there is no due date yet",
        ));
    };
    if hazard.extension_waiting().is_some() {
        return Err(Refusal::new(
            RefusalCode::AlreadyPending,
            "an extension has been asked for already",
        ));
    }
    if hazard.extensions.len() >= facts.limits.extensions {
        return Err(limit("extensions", facts.limits.extensions));
    }
    let late = facts.now > order.due_date.end_of_day();
    if late && facts.made() > order.due_date.end_of_day() {
        return Err(Refusal::new(
            RefusalCode::ExtensionTooLate,
            &format!("the due date {} has passed", order.due_date),
        ));
    }
    check_due_date("new_due_date", request.new_due_date, facts)?;
    if request.new_due_date <= order.due_date {
        return Err(due_date(
            "new_due_date",
            "is not later than the present one",
        ));
    }
    let days = unadvised_since(hazard, order.due_date).days_until(request.new_due_date);
    if days > facts.limits.extension_days_without_expert && request.expert_opinion.is_none() {
        return Err(Refusal {
            field: Some("expert_opinion".to_owned()),
            ..Refusal::new(
                RefusalCode::ExpertOpinionRequired,
                &format!(
                    "more than {} days need an expert's opinion",
                    facts.limits.extension_days_without_expert
                ),
            )
        });
    }
    Ok(HazardEvent::ExtensionRequested {
        request: request.clone(),
        time_unproven: late,
        by_principal: actor.is_any_of(&[Role::Principal]),
    })
}

/// The due date that was in force before the extensions that were granted without an expert's opinion, since the
/// last one with it: many small steps are one long one.
fn unadvised_since(hazard: &Hazard, due_date: LocalDate) -> LocalDate {
    let granted = hazard.extensions.iter().rev().filter(|extension| {
        let decision = extension.decision.as_ref();
        decision.is_some_and(|decision| decision.decision.granted)
    });
    let unadvised = granted.take_while(|extension| extension.request.expert_opinion.is_none());
    let first = unadvised.last();
    first.map_or(due_date, |extension| {
        extension.due_date_before.min(due_date)
    })
}

fn decide_extension(
    decision: &DecideExtension,
    hazard: &Hazard,
    actor: &Actor,
    facts: &Facts,
) -> Result<HazardEvent, Refusal> {
    text::required("opinion", &decision.opinion, LONG_TEXT_MAX)?;
    let waiting = hazard.extension_waiting();
    let asked = waiting.ok_or_else(|| nothing_pending("no extension has been asked for"))?;
    decides_on(decision.on, asked.requested.at)?;
    not_both(asked.requested.by, actor)?;
    require_listing_seat(hazard, facts)?;
    let due = hazard.order().map(|order| order.due_date);
    if decision.granted && due.is_some_and(|due| asked.request.new_due_date <= due) {
        return Err(Refusal::new(
            RefusalCode::DueDateOutOfRange,
            "the due date has moved beyond what was asked for",
        ));
    }
    Ok(HazardEvent::ExtensionDecided {
        decision: decision.clone(),
    })
}

fn decide_merge(merge: &Merge, hazard: &Hazard, facts: &Facts) -> Result<HazardEvent, Refusal> {
    text::required("reason", &merge.reason, SHORT_TEXT_MAX)?;
    let unfit = |why: &str| Refusal {
        field: Some("into".to_owned()),
        ..Refusal::new(RefusalCode::MergeTargetUnfit, why)
    };
    if merge.into == hazard.id {
        return Err(unfit("a hazard is not merged into itself"));
    }
    let target = facts.merge_target;
    let target = target.ok_or_else(|| unfit("there is no such hazard that you answer for"))?;
    // One that is only reported may still be rejected or taken back, and this one with it.
    if !matches!(
        target.status,
        StatusName::Confirmed | StatusName::Rectifying | StatusName::PendingReinspection
    ) {
        return Err(unfit("the other hazard is not confirmed and open here"));
    }
    let major = hazard.grade == Grade::Major || hazard.is_proposed_as_major();
    if major && target.grade == Grade::General {
        return Err(unfit("the other hazard is only a general one"));
    }
    require_at_work(hazard)?;
    if hazard.enterprise_id.is_some()
        && target.enterprise_id.is_some()
        && hazard.enterprise_id != target.enterprise_id
    {
        return Err(unfit("the other hazard is another enterprise's"));
    }
    Ok(HazardEvent::Merged {
        merge: merge.clone(),
    })
}

fn decide_transfer(transfer: &Transfer, hazard: &Hazard) -> Result<HazardEvent, Refusal> {
    text::required("to_body", &transfer.to_body, SHORT_TEXT_MAX)?;
    text::required("reason", &transfer.reason, LONG_TEXT_MAX)?;
    let number = transfer.document_no.as_deref();
    text::optional("document_no", number, SHORT_TEXT_MAX)?;
    if transfer.to_jurisdiction == Some(hazard.jurisdiction_id) {
        return Err(Refusal::invalid_field(
            "to_jurisdiction",
            "answers for the hazard already",
        ));
    }
    require_at_work(hazard)?;
    if hazard.is_listed() {
        return Err(Refusal::new(
            RefusalCode::AlreadyInForce,
            "a hazard under listed supervision is delisted before it is handed over",
        ));
    }
    Ok(HazardEvent::Transferred {
        transfer: transfer.clone(),
    })
}

/// Within this system the receiving body itself gives the receipt; one from outside is recorded by
/// whoever handed the hazard over.
fn receive_transfer(
    receipt: &ReceiveTransfer,
    hazard: &Hazard,
    actor: &Actor,
    facts: &Facts,
) -> Result<HazardEvent, Refusal> {
    text::required("receipt_no", &receipt.receipt_no, SHORT_TEXT_MAX)?;
    text::optional("note", receipt.note.as_deref(), LONG_TEXT_MAX)?;
    if !receipt.accepted && is_blank(receipt.note.as_deref()) {
        return Err(Refusal::invalid_field(
            "note",
            "must say why the hazard is sent back",
        ));
    }
    let Status::Transferred { transfer } = &hazard.status else {
        return Err(nothing_pending("nothing was handed over"));
    };
    if transfer.receipt.is_some() {
        return Err(nothing_pending("its receipt has been recorded"));
    }
    if facts.acts_for_sender {
        return take_back(receipt);
    }
    if transfer.transfer.to_jurisdiction.is_some() || hazard.grade == Grade::Major {
        not_both(transfer.handed_over.by, actor)?;
    }
    Ok(HazardEvent::TransferReceived {
        receipt: receipt.clone(),
    })
}

/// Where nobody answers for the receiving body, whoever handed the hazard over takes it back, so that
/// it is not nobody's.
fn take_back(receipt: &ReceiveTransfer) -> Result<HazardEvent, Refusal> {
    if receipt.accepted {
        return Err(Refusal::new(
            RefusalCode::NotPermitted,
            "the body that it was handed to gives the receipt; yours may take it back",
        ));
    }
    Ok(HazardEvent::TransferReceived {
        receipt: receipt.clone(),
    })
}

/// While work is ordered to stop, the hazard stays where somebody answers for it.
pub(super) fn require_at_work(hazard: &Hazard) -> Result<(), Refusal> {
    if hazard.is_suspended() {
        return Err(Refusal::new(
            RefusalCode::SuspensionInForce,
            "work is ordered to stop; consent to resume comes first",
        ));
    }
    Ok(())
}

/// A decision that was made without sight of what waits now decides nothing.
pub(super) fn decides_on(seen: Option<Timestamp>, waiting: Timestamp) -> Result<(), Refusal> {
    if seen.is_some_and(|seen| seen != waiting) {
        return Err(Refusal::new(
            RefusalCode::Stale,
            "something else waits by now than what this decides on",
        ));
    }
    Ok(())
}

pub(super) fn nothing_pending(rule: &str) -> Refusal {
    Refusal::new(RefusalCode::NothingPending, rule)
}

/// Whoever asks does not decide.
pub(super) fn not_both(asked: PersonId, actor: &Actor) -> Result<(), Refusal> {
    if actor.person_id() == Some(asked) {
        return Err(Refusal::new(
            RefusalCode::SamePerson,
            "whoever asked for it may not decide on it",
        ));
    }
    Ok(())
}
