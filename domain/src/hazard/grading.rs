//! Confirmation and grade: on which basis, by whom, and what needs a second person.

use super::checks::{check_due_date, is_blank};
use super::decide::{Decision, Facts, Outcome};
use super::steps;
use crate::access::{Actor, Role};
use crate::calendar::EndOnDayOff;
use crate::command::{
    ChangeGrade, Confirm, CriterionRef, DecideProposal, ExpertOpinion, Grade, Period, PhotoKind,
    Served,
};
use crate::hazard::{Authority, Cited, Deadline, Hazard, HazardEvent, Photo, PhotoState, Proposed};
use crate::refusal::{Refusal, RefusalCode};
use crate::text::{self, LONG_TEXT_MAX, SHORT_TEXT_MAX};
use crate::time::LocalDate;

/// The department itself: its word on a grade stands alone.
const DEPARTMENT: &[Role] = &[Role::DepartmentReviewer, Role::DepartmentHead];

/// A confirmation: in force at once, or waiting for a second inspector.
pub(super) fn confirm(
    confirmation: &Confirm,
    hazard: &Hazard,
    actor: &Actor,
    facts: &Facts,
) -> Result<HazardEvent, Refusal> {
    check_fields(confirmation, hazard, facts)?;
    let deadline = match &confirmation.period {
        Some(period) => Some(count_days(period, facts)?),
        None => None,
    };
    let due = deadline
        .as_ref()
        .map_or(confirmation.due_date, |deadline| deadline.date);
    check_due_date("due_date", due, facts)?;
    let stands_major = hazard.grade == Grade::Major || hazard.is_proposed_as_major();
    let lowers = stands_major && confirmation.grade == Grade::General;
    if lowers && is_blank(confirmation.basis.as_deref()) {
        return Err(Refusal::invalid_field(
            "basis",
            "must say why a hazard reported as major is none",
        ));
    }
    let declared = hazard.is_self_found() && actor.is_any_of(&[Role::Principal]);
    // Who found it does not decide alone that it is a major one.
    let of_department =
        actor.is_any_of(DEPARTMENT) && actor.person_id() != Some(hazard.reported_by);
    let alone = !lowers && (confirmation.grade == Grade::General || of_department || declared);
    let second = match lowers {
        true => second_of(actor, facts, |second| second.is_any_of(DEPARTMENT)),
        false => second_inspector(actor, facts),
    };
    let confirmation = confirmation.clone();
    if alone || second.is_some() {
        let authority = authority(&confirmation, hazard, actor);
        let self_declared = confirmation.grade == Grade::Major && declared && !of_department;
        return Ok(HazardEvent::Confirmed {
            confirmation,
            deadline,
            authority,
            second,
            self_declared,
        });
    }
    if hazard.proposal.is_some() {
        return Err(Refusal::new(
            RefusalCode::AlreadyPending,
            "another confirmation waits for a second inspector; decide_proposal answers it",
        ));
    }
    Ok(HazardEvent::ProposalMade {
        proposed: Proposed::Confirmation {
            confirmation,
            deadline,
        },
    })
}

/// Who decides later on extending the due date that this confirmation sets.
fn authority(confirmation: &Confirm, hazard: &Hazard, actor: &Actor) -> Authority {
    let own = hazard.is_self_found() && confirmation.grade == Grade::General;
    if own && !actor.is_any_of(&[Role::Inspector]) && !actor.is_any_of(DEPARTMENT) {
        Authority::Enterprise
    } else {
        Authority::Department
    }
}

/// A certified inspector who signed the same command, and is not its author.
pub(super) fn second_inspector(actor: &Actor, facts: &Facts) -> Option<crate::ids::PersonId> {
    second_of(actor, facts, |second| {
        second.is_certified() && second.is_any_of(&[Role::Inspector])
    })
}

/// Somebody of the department, or a certified inspector, who signed the same command.
pub(super) fn second_decider(actor: &Actor, facts: &Facts) -> Option<crate::ids::PersonId> {
    second_of(actor, facts, |second| {
        second.is_any_of(DEPARTMENT)
            || (second.is_certified() && second.is_any_of(&[Role::Inspector]))
    })
}

/// Somebody else than the author who signed the same command and fits.
fn second_of(
    actor: &Actor,
    facts: &Facts,
    fits: impl Fn(&Actor) -> bool,
) -> Option<crate::ids::PersonId> {
    let others = facts.seconds.iter();
    let mut others = others.filter(|second| second.person_id() != actor.person_id());
    others
        .find(|second| fits(second))
        .and_then(Actor::person_id)
}

fn check_fields(confirm: &Confirm, hazard: &Hazard, facts: &Facts) -> Result<(), Refusal> {
    text::required(
        "responsible_person",
        &confirm.responsible_person,
        SHORT_TEXT_MAX,
    )?;
    text::required("requirement", &confirm.requirement, LONG_TEXT_MAX)?;
    text::optional(
        "responsible_unit",
        confirm.responsible_unit.as_deref(),
        SHORT_TEXT_MAX,
    )?;
    check_category(confirm, hazard, facts)?;
    check_basis(
        confirm.grade,
        confirm.criterion.as_ref(),
        confirm.basis.as_deref(),
        confirm.expert_opinion.as_ref(),
    )?;
    check_cited(hazard, facts)?;
    match &confirm.served {
        Some(served) => check_served(served, hazard, facts),
        None => Ok(()),
    }
}

/// 隐患类别: named by the report or here. Whether it must be is configuration.
fn check_category(confirm: &Confirm, hazard: &Hazard, facts: &Facts) -> Result<(), Refusal> {
    let category = confirm.category.as_deref();
    if let Some(category) = category {
        text::required("category", category, SHORT_TEXT_MAX)?;
    }
    let reported = hazard.nature.as_ref();
    let reported = reported.and_then(|nature| nature.category.as_deref());
    if facts.limits.category_required && is_blank(category) && is_blank(reported) {
        return Err(Refusal::invalid_field(
            "category",
            "is missing: neither the report nor the confirmation names one",
        ));
    }
    Ok(())
}

/// A major hazard has a criterion with its edition, or a basis in words with an expert's opinion
/// (安全生产法 Art. 118: the departments publish the criteria).
fn check_basis(
    grade: Grade,
    criterion: Option<&CriterionRef>,
    basis: Option<&str>,
    expert: Option<&ExpertOpinion>,
) -> Result<(), Refusal> {
    text::optional("basis", basis, LONG_TEXT_MAX)?;
    if let Some(criterion) = criterion {
        text::required("criterion.code", &criterion.code, SHORT_TEXT_MAX)?;
    }
    if let Some(expert) = expert {
        check_expert(expert)?;
    }
    if grade == Grade::General || criterion.is_some() {
        return Ok(());
    }
    if is_blank(basis) {
        return Err(Refusal::new(
            RefusalCode::CriterionRequired,
            "a major hazard names a criterion with its edition, or a basis in words",
        ));
    }
    if expert.is_none() {
        return Err(Refusal {
            field: Some("expert_opinion".to_owned()),
            ..Refusal::new(
                RefusalCode::ExpertOpinionRequired,
                "a basis in words goes with an expert's opinion",
            )
        });
    }
    Ok(())
}

/// No invented law: what was not obtained, or did not hold while the hazard was there, is no basis.
fn check_cited(hazard: &Hazard, facts: &Facts) -> Result<(), Refusal> {
    let refused = |why: &str| {
        Err(Refusal {
            field: Some("criterion".to_owned()),
            ..Refusal::new(RefusalCode::CriterionNotCitable, why)
        })
    };
    let criterion = match &facts.cited {
        Cited::NotLookedUp => return Ok(()),
        Cited::Unknown => return refused("the catalog holds no such edition of a criterion"),
        Cited::Known(criterion) => criterion,
    };
    if !criterion.could_be_picked_at(facts.made()) {
        return refused("the criterion is to be entered from the original, or was retired");
    }
    let made = facts.made().shanghai_date();
    let found = hazard.found_at.shanghai_date().min(made);
    let began_later = criterion.effective_from.is_some_and(|from| from > made);
    let ended_before = criterion.effective_until.is_some_and(|until| until < found);
    if began_later || ended_before {
        return refused("the criterion was not in force when the hazard was found or confirmed");
    }
    Ok(())
}

pub(super) fn check_expert(expert: &ExpertOpinion) -> Result<(), Refusal> {
    text::required("expert_opinion.name", &expert.name, SHORT_TEXT_MAX)?;
    text::required("expert_opinion.opinion", &expert.opinion, LONG_TEXT_MAX)
}

/// 安全生产法 Art. 68: signed, or the refusal is recorded.
fn check_served(served: &Served, hazard: &Hazard, facts: &Facts) -> Result<(), Refusal> {
    text::required("served.name", &served.name, SHORT_TEXT_MAX)?;
    text::optional("served.post", served.post.as_deref(), SHORT_TEXT_MAX)?;
    text::optional("served.witness", served.witness.as_deref(), SHORT_TEXT_MAX)?;
    text::optional(
        "served.refused_because",
        served.refused_because.as_deref(),
        SHORT_TEXT_MAX,
    )?;
    if let Some(signature) = &served.signature
        && !hazard.photo(signature).is_some_and(shows_signature)
    {
        return Err(Refusal::invalid_field(
            "served.signature",
            "names no photo of a signature in the record",
        ));
    }
    let of_enterprise = |second: &Actor| {
        let roles = [Role::Employee, Role::SafetyOfficer, Role::Principal];
        second.is_any_of(&roles)
    };
    let refused = !is_blank(served.refused_because.as_deref());
    let signed = served.signature.is_some() || facts.seconds.iter().any(of_enterprise);
    match (signed, refused) {
        (true, false) | (false, true) => Ok(()),
        (true, true) => Err(Refusal::invalid_field(
            "served.refused_because",
            "cannot go with a signature",
        )),
        (false, false) => Err(Refusal::invalid_field(
            "served",
            "needs a signature, or why it was refused",
        )),
    }
}

/// Whether it is named as the picture of a signature, and not lost.
fn shows_signature(photo: &Photo) -> bool {
    photo.reference.kind == PhotoKind::Signature && !matches!(photo.state, PhotoState::Lost { .. })
}

/// The due date that so many days make, counted from the day on which the command was made.
fn count_days(period: &Period, facts: &Facts) -> Result<Deadline, Refusal> {
    text::optional("period.rule", period.rule.as_deref(), SHORT_TEXT_MAX)?;
    let made = facts.made();
    let believed = made >= facts.now.plus_millis(-facts.limits.clock_behind_ms);
    let start = if believed { made } else { facts.now };
    let start = start.shanghai_date();
    let counted = deadline(start, period, facts)
        .map_err(|error| Refusal::invalid_field("period.days", &error.to_string()))?;
    Ok(Deadline {
        start_claimed: start < facts.now.shanghai_date(),
        ..counted
    })
}

/// The deadline of a period that began on `start`.
pub(super) fn deadline(
    start: LocalDate,
    period: &Period,
    facts: &Facts,
) -> Result<Deadline, crate::calendar::DueError> {
    let (days, kind) = (period.days, period.kind);
    let due = facts
        .calendar
        .add_days(start.date(), days, kind, EndOnDayOff::NextWorkday)?;
    Ok(Deadline {
        date: LocalDate::new(due.date),
        start,
        days,
        kind,
        rule: period.rule.clone(),
        provisional: due.provisional,
        start_claimed: false,
    })
}

/// A change of grade. Making less of a major hazard waits for a second approver, and so does what its
/// finder makes of it.
pub(super) fn change_grade(
    change: &ChangeGrade,
    hazard: &Hazard,
    actor: &Actor,
    facts: &Facts,
) -> Result<HazardEvent, Refusal> {
    text::required("reason", &change.reason, LONG_TEXT_MAX)?;
    if change.grade == hazard.grade {
        return Err(Refusal::invalid_field("grade", "is the grade it has"));
    }
    check_basis(
        change.grade,
        change.criterion.as_ref(),
        change.basis.as_deref(),
        change.expert_opinion.as_ref(),
    )?;
    check_cited(hazard, facts)?;
    if hazard.proposal.is_some() {
        return Err(Refusal::new(
            RefusalCode::AlreadyPending,
            "another change of the grade waits for a second approver",
        ));
    }
    let change = change.clone();
    let raised = change.grade == Grade::Major;
    // As at confirmation: who found it does not decide alone that it is a major one.
    if raised && actor.person_id() != Some(hazard.reported_by) {
        return Ok(HazardEvent::GradeChanged { change });
    }
    if hazard.is_listed() {
        return Err(listed());
    }
    if second_of(actor, facts, |second| second.is_any_of(DEPARTMENT)).is_some() {
        return Ok(HazardEvent::GradeChanged { change });
    }
    Ok(HazardEvent::ProposalMade {
        proposed: Proposed::GradeChange { change },
    })
}

/// The second person's word. A due date that was provisional when it was proposed is counted again,
/// should the calendar have arrived since.
pub(super) fn decide_proposal(
    decision: &DecideProposal,
    hazard: &Hazard,
    actor: &Actor,
    facts: &Facts,
) -> Result<Decision, Refusal> {
    text::required("opinion", &decision.opinion, LONG_TEXT_MAX)?;
    let Some(proposal) = &hazard.proposal else {
        return Err(Refusal::new(
            RefusalCode::NothingPending,
            "nothing waits for a second person",
        ));
    };
    steps::decides_on(decision.on, proposal.mark.at)?;
    if actor.person_id() == Some(proposal.mark.by) {
        return Err(Refusal::new(
            RefusalCode::SamePerson,
            "whoever proposed it may not be the second person",
        ));
    }
    let mut events = vec![HazardEvent::ProposalDecided {
        decision: decision.clone(),
    }];
    match &proposal.proposed {
        Proposed::GradeChange { .. } if decision.agreed && hazard.is_listed() => {
            return Err(listed());
        }
        Proposed::Confirmation { confirmation, .. }
            if confirmation.grade == Grade::General && !actor.is_any_of(DEPARTMENT) =>
        {
            return Err(Refusal::new(
                RefusalCode::NotPermitted,
                "making less of a major hazard is agreed to by the department",
            ));
        }
        Proposed::Confirmation {
            confirmation,
            deadline: Some(before),
        } if decision.agreed && before.provisional => {
            let period = confirmation.period.as_ref();
            let again = period.and_then(|period| deadline(before.start, period, facts).ok());
            let again = again.filter(|again| again != before);
            events.extend(again.map(|deadline| HazardEvent::DeadlineRecomputed { deadline }));
        }
        _ => {}
    }
    Ok(Decision {
        events,
        outcome: Outcome::Applied,
    })
}

fn listed() -> Refusal {
    Refusal::new(
        RefusalCode::AlreadyInForce,
        "a hazard under listed supervision is delisted before its grade is lowered",
    )
}
