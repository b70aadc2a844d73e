//! The plan of a correction: what it must say, by the grade of its hazard.

use super::checks::{check_claimed_day, check_due_date, check_evidence, is_blank, limit};
use super::decide::Facts;
use super::steps::{decides_on, due_date, not_both, nothing_pending};
use crate::access::Actor;
use crate::command::{DecidePlan, Grade, Party, SubmitPlan};
use crate::hazard::{Hazard, HazardEvent};
use crate::refusal::{Refusal, RefusalCode};
use crate::text::{self, LONG_TEXT_MAX, SHORT_TEXT_MAX};

pub(super) fn submit(
    plan: &SubmitPlan,
    hazard: &Hazard,
    facts: &Facts,
) -> Result<HazardEvent, Refusal> {
    check_texts(plan)?;
    check_due_date("due_date", plan.due_date, facts)?;
    // Once the order's date has passed, a plan is late whatever it says: its own date then only says
    // how late, and the order's stays.
    let today = facts.made().shanghai_date();
    let in_time = hazard.order().filter(|order| order.due_date >= today);
    if in_time.is_some_and(|order| plan.due_date > order.due_date) {
        return Err(due_date(
            "due_date",
            "lies after the order's; an extension is asked for first",
        ));
    }
    if plan.milestones.len() > facts.limits.milestones {
        return Err(limit("milestones", facts.limits.milestones));
    }
    for (index, milestone) in plan.milestones.iter().enumerate() {
        let at = |part: &str| format!("milestones[{index}].{part}");
        text::required(&at("goal"), &milestone.goal, SHORT_TEXT_MAX)?;
        if milestone.due_date > plan.due_date {
            return Err(due_date(&at("due_date"), "lies after the plan's own"));
        }
    }
    if let Some(told) = &plan.workers_congress {
        text::optional("workers_congress.how", Some(&told.how), SHORT_TEXT_MAX)?;
        check_claimed_day("workers_congress.reported_on", told.reported_on, facts)?;
    }
    check_evidence(hazard, &plan.photos, facts)?;
    require_complete(plan, hazard.grade)?;
    Ok(HazardEvent::PlanSubmitted { plan: plan.clone() })
}

pub(super) fn decide(
    decision: &DecidePlan,
    hazard: &Hazard,
    actor: &Actor,
) -> Result<HazardEvent, Refusal> {
    text::required("opinion", &decision.opinion, LONG_TEXT_MAX)?;
    let waiting = hazard.plan.as_ref().filter(|plan| plan.is_waiting());
    let plan = waiting.ok_or_else(|| nothing_pending("no plan waits for a decision"))?;
    decides_on(decision.on, plan.submitted.at)?;
    not_both(plan.submitted.by, actor)?;
    if decision.accepted {
        // It may have been handed in before the hazard became major.
        require_complete(&plan.plan, hazard.grade)?;
    }
    Ok(HazardEvent::PlanDecided {
        decision: decision.clone(),
    })
}

fn check_texts(plan: &SubmitPlan) -> Result<(), Refusal> {
    if let Some(leader) = &plan.leader {
        check_party("leader", leader)?;
    }
    check_party("responsible", &plan.responsible)?;
    for (field, text, most) in [
        (
            "measures_interim",
            Some(&plan.measures_interim),
            LONG_TEXT_MAX,
        ),
        (
            "measures_permanent",
            Some(&plan.measures_permanent),
            LONG_TEXT_MAX,
        ),
        ("funds_source", Some(&plan.funds_source), SHORT_TEXT_MAX),
        ("contingency", Some(&plan.contingency), LONG_TEXT_MAX),
        ("goal", plan.goal.as_ref(), LONG_TEXT_MAX),
        (
            "no_photo_reason",
            plan.no_photo_reason.as_ref(),
            SHORT_TEXT_MAX,
        ),
    ] {
        text::optional(field, text.map(String::as_str), most)?;
    }
    Ok(())
}

fn check_party(field: &str, party: &Party) -> Result<(), Refusal> {
    for (part, text) in [
        ("name", Some(&party.name)),
        ("post", party.post.as_ref()),
        ("phone", party.phone.as_ref()),
    ] {
        let at = format!("{field}.{part}");
        text::optional(&at, text.map(String::as_str), SHORT_TEXT_MAX)?;
    }
    Ok(())
}

/// What no plan lacks: who does what (its date is a field that is always there). A major hazard's has
/// the five fulfilments (责任、措施、资金、时限、预案; Order 16 of 2007, Art. 15) and was told to the
/// workers (安全生产法 Art. 41).
fn require_complete(plan: &SubmitPlan, grade: Grade) -> Result<(), Refusal> {
    let responsible = &plan.responsible;
    said("responsible.name", Some(&responsible.name))?;
    said("measures_permanent", Some(&plan.measures_permanent))?;
    if grade == Grade::General {
        return Ok(());
    }
    let leader = plan.leader.as_ref();
    let congress = plan.workers_congress.as_ref();
    for (field, text) in [
        ("leader.name", leader.map(|leader| &leader.name)),
        (
            "leader.phone",
            leader.and_then(|leader| leader.phone.as_ref()),
        ),
        ("responsible.phone", responsible.phone.as_ref()),
        ("measures_interim", Some(&plan.measures_interim)),
        ("funds_source", Some(&plan.funds_source)),
        ("contingency", Some(&plan.contingency)),
        ("workers_congress", congress.map(|told| &told.how)),
    ] {
        said(field, text)?;
    }
    if plan.funds_fen.is_none() {
        return Err(missing("funds_fen"));
    }
    if plan.milestones.is_empty() {
        return Err(missing("milestones"));
    }
    if plan.photos.is_empty() && is_blank(plan.no_photo_reason.as_deref()) {
        return Err(Refusal {
            field: Some("photos".to_owned()),
            ..Refusal::new(
                RefusalCode::PhotoRequired,
                "the plan of a major hazard shows the notice board, or no_photo_reason says why not",
            )
        });
    }
    Ok(())
}

fn said(field: &str, text: Option<&String>) -> Result<(), Refusal> {
    match is_blank(text.map(String::as_str)) {
        true => Err(missing(field)),
        false => Ok(()),
    }
}

fn missing(field: &str) -> Refusal {
    Refusal {
        field: Some(field.to_owned()),
        ..Refusal::new(
            RefusalCode::FulfilmentsIncomplete,
            &format!("{field} is missing: without it the plan is not complete"),
        )
    }
}
