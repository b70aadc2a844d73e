//! What must hold of a new inspection: whom it concerns, by what, with which checklists and whom.

use super::checklists::check_listed;
use super::checks::{INSPECTORS_NEEDED, invalid, is_blank, limit};
use super::decide::Facts;
use crate::command::{ChecklistRef, InspectionKind, InspectionSetup, PlanInspection, TeamMember};
use crate::refusal::Refusal;
use crate::text::{self, LONG_TEXT_MAX, SHORT_TEXT_MAX};

const DAY_MS: i64 = 86_400_000;

pub(super) fn check_setup(setup: &InspectionSetup, at: &str, facts: &Facts) -> Result<(), Refusal> {
    let field = |name: &str| format!("{at}.{name}");
    let departments = setup.kind.is_departments();
    if setup.enterprise_id.is_none() && setup.kind != InspectionKind::GridPatrol {
        return Err(invalid(&field("enterprise_id"), "must name the enterprise"));
    }
    let texts = [
        ("basis", &setup.basis, LONG_TEXT_MAX),
        ("reason", &setup.reason, SHORT_TEXT_MAX),
        ("approval_no", &setup.approval_no, SHORT_TEXT_MAX),
        ("notice_no", &setup.notice_no, SHORT_TEXT_MAX),
    ];
    for (name, text, most) in texts {
        text::optional(&field(name), text.as_deref(), most)?;
    }
    if departments && is_blank(setup.basis.as_deref()) {
        return Err(invalid(&field("basis"), "must say by what it is made"));
    }
    match (setup.kind, setup.cadence) {
        (InspectionKind::SelfCheck, None) => {
            return Err(invalid(&field("cadence"), "must say how often it is made"));
        }
        (InspectionKind::SelfCheck | InspectionKind::GridPatrol, _) | (_, None) => {}
        (_, Some(_)) => {
            return Err(invalid(
                &field("cadence"),
                "goes with self-checks and patrols",
            ));
        }
    }
    check_departments(setup, &field("departments"), facts)?;
    check_checklists(&setup.checklists, &field("checklists"), facts)?;
    check_team(setup.kind, &setup.team, &field("team"), facts)
}

fn check_departments(setup: &InspectionSetup, field: &str, facts: &Facts) -> Result<(), Refusal> {
    let most = facts.limits.team;
    if setup.departments.len() > most {
        return Err(limit("departments", most));
    }
    for (index, name) in setup.departments.iter().enumerate() {
        text::required(&format!("{field}[{index}]"), name, SHORT_TEXT_MAX)?;
        if setup.departments.iter().take(index).any(|n| n == name) {
            return Err(invalid(&format!("{field}[{index}]"), "is named twice"));
        }
    }
    if setup.kind == InspectionKind::Joint && setup.departments.len() < 2 {
        return Err(invalid(field, "must name two departments or more"));
    }
    Ok(())
}

fn check_checklists(lists: &[ChecklistRef], field: &str, facts: &Facts) -> Result<(), Refusal> {
    if lists.len() > facts.limits.checklists {
        return Err(limit("checklists", facts.limits.checklists));
    }
    let mandatory: usize = lists.iter().map(|list| list.mandatory.len()).sum();
    if mandatory > facts.limits.items {
        return Err(limit("items", facts.limits.items));
    }
    for (index, list) in lists.iter().enumerate() {
        let at = format!("{field}[{index}]");
        text::required(&format!("{at}.code"), &list.code, SHORT_TEXT_MAX)?;
        if lists
            .iter()
            .take(index)
            .any(|other| other.code == list.code)
        {
            return Err(invalid(&format!("{at}.code"), "is named twice"));
        }
        for item in &list.mandatory {
            text::required(&format!("{at}.mandatory"), item, SHORT_TEXT_MAX)?;
        }
        check_listed(list, &at, facts)?;
    }
    Ok(())
}

pub(super) fn check_team(
    kind: InspectionKind,
    team: &[TeamMember],
    field: &str,
    facts: &Facts,
) -> Result<(), Refusal> {
    if team.len() > facts.limits.team {
        return Err(limit("people in the team", facts.limits.team));
    }
    for (index, member) in team.iter().enumerate() {
        let at = |part: &str| format!("{field}[{index}].{part}");
        let department = member.department.as_deref();
        text::optional(&at("department"), department, SHORT_TEXT_MAX)?;
        let earlier = team.iter().take(index);
        if earlier.into_iter().any(|m| m.person_id == member.person_id) {
            return Err(invalid(&at("person_id"), "is named twice"));
        }
    }
    let needed = match kind {
        InspectionKind::SelfCheck | InspectionKind::GridPatrol => 0,
        InspectionKind::ExpertVisit => 1,
        _ => INSPECTORS_NEEDED,
    };
    if team.len() < needed {
        return Err(invalid(field, &format!("must name {needed} or more")));
    }
    Ok(())
}

/// The days of a plan: in order, not past when the plan was made, not too far ahead.
pub(super) fn check_window(plan: &PlanInspection, facts: &Facts) -> Result<(), Refusal> {
    if plan.window_to < plan.window_from {
        return Err(invalid("window_to", "lies before window_from"));
    }
    let made = facts
        .made_at
        .filter(|at| at.is_plausible())
        .unwrap_or(facts.now)
        .min(facts.now);
    if plan.window_to < made.shanghai_date() {
        return Err(invalid("window_to", "lies in the past"));
    }
    let ahead = facts.limits.plan_days.saturating_mul(DAY_MS);
    if plan.window_to > facts.now.plus_millis(ahead).shanghai_date() {
        let most = facts.limits.plan_days;
        return Err(invalid(
            "window_to",
            &format!("lies more than {most} days ahead"),
        ));
    }
    Ok(())
}
