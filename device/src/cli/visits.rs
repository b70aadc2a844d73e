//! From arguments to actions: plans of inspections, who was there, advice that became a hazard.

use hazardloop_domain::access::Role;
use hazardloop_domain::command::{
    Action, Attendee, AttendeeRole, CancelInspection, ChangeTeam, ConvertFinding, InspectionKind,
    InspectionSetup, PlanInspection, RecordAttendance, TeamMember, VisitPart,
};
use hazardloop_domain::ids::{InspectionId, PersonId};
use hazardloop_domain::time::Timestamp;

use super::acts_report::own_enterprise;
use super::find;
use super::inspection_args::{InspectTask, SubjectArgs};
use super::trouble::Trouble;
use super::visit_args::{AttendArgs, ConvertArgs, PapersArgs, VisitPlanArgs};
use crate::ambient::Ambient;
use crate::driver::Device;

/// The command that a task stands for; `None` when it is one of an inspection's own steps.
pub(super) fn command(
    device: &Device,
    ambient: &mut Ambient,
    task: &InspectTask,
    now: Timestamp,
) -> Result<Option<(InspectionId, Action)>, Trouble> {
    let id = |text: &str| find::inspection(&device.engine, now, text).map(|(id, _)| id);
    Ok(Some(match task {
        InspectTask::Plan(args) => {
            let plan = plan(device, args, now)?;
            (InspectionId(ambient.uuid_v7()), plan)
        }
        InspectTask::Attend(args) => (id(&args.which.inspection)?, attendance(args)),
        InspectTask::Convert(args) => conversion(device, args, now)?,
        InspectTask::Team(args) => {
            let change = Action::ChangeTeam(ChangeTeam {
                team: args.member.clone(),
                reason: args.reason.clone(),
            });
            (id(&args.which.inspection)?, change)
        }
        InspectTask::Cancel(args) => {
            let reason = args.reason.clone();
            let cancel = Action::CancelInspection(CancelInspection { reason });
            (id(&args.which.inspection)?, cancel)
        }
        _ => return Ok(None),
    }))
}

/// What is inspected, with what; nobody inspects yet.
pub(super) fn setup(
    device: &Device,
    kind: InspectionKind,
    subject: &SubjectArgs,
    now: Timestamp,
) -> Result<InspectionSetup, Trouble> {
    let enterprise_id = match &subject.enterprise {
        Some(text) => Some(find::enterprise(device, text)?),
        None => own_enterprise(device, now),
    };
    let mut checklists = subject.checklist.clone();
    if let Some(first) = checklists.first_mut() {
        first.mandatory.clone_from(&subject.must);
    }
    Ok(InspectionSetup {
        kind,
        enterprise_id,
        position: None,
        checklists,
        team: Vec::new(),
        basis: None,
        departments: Vec::new(),
        cadence: None,
        reason: None,
        approval_no: None,
        notice_no: None,
    })
}

/// The same by these people, on this basis.
pub(super) fn with_papers(
    setup: InspectionSetup,
    papers: &PapersArgs,
    me: Option<PersonId>,
) -> InspectionSetup {
    let member = |person_id| TeamMember {
        person_id,
        department: None,
    };
    let team = me.into_iter().chain(papers.with.iter().copied());
    InspectionSetup {
        team: team.map(member).collect(),
        basis: papers.basis.clone(),
        departments: papers.department.clone(),
        reason: papers.reason.clone(),
        approval_no: papers.approval_no.clone(),
        notice_no: papers.notice_no.clone(),
        ..setup
    }
}

/// Whether this person holds a role now, wherever.
pub(super) fn holds(device: &Device, now: Timestamp, role: Role) -> bool {
    let person = device.engine.person(now);
    let grants = person.map(|person| person.grants).unwrap_or_default();
    let mut held = grants.iter().filter(|grant| grant.holds_at(now));
    held.any(|grant| grant.role == role)
}

/// Whoever inspects by profession is of the team that they plan; an office that plans is not.
fn plan(device: &Device, args: &VisitPlanArgs, now: Timestamp) -> Result<Action, Trouble> {
    let mut inspecting = [Role::Inspector, Role::Expert, Role::GridWorker].into_iter();
    let own_check = args.kind == InspectionKind::SelfCheck;
    let joins = !own_check && inspecting.any(|role| holds(device, now, role));
    let me = joins.then_some(device.account.person.id);
    let setup = setup(device, args.kind, &args.subject, now)?;
    Ok(Action::PlanInspection(PlanInspection {
        setup: InspectionSetup {
            cadence: args.cadence,
            position: args.at,
            ..with_papers(setup, &args.papers, me)
        },
        window_from: args.from,
        window_to: args.to.unwrap_or(args.from),
    }))
}

/// Reads `NAME`, `NAME:POST` or `NAME:POST:PHONE`.
pub(super) fn attendee(text: &str, role: AttendeeRole, part: VisitPart) -> Attendee {
    let mut parts = text
        .splitn(3, [':', '：'])
        .map(|part| part.trim().to_owned());
    let name = parts.next().unwrap_or_default();
    Attendee {
        part,
        role,
        name,
        post: parts.next().filter(|post| !post.is_empty()),
        phone: parts.next(),
    }
}

fn attendance(args: &AttendArgs) -> Action {
    let present = args.present.iter();
    let attendees = present.map(|text| attendee(text, args.role, args.part));
    Action::RecordAttendance(RecordAttendance {
        attendees: attendees.collect(),
    })
}

/// The finding by its place, from 1, or by its id where the inspection is not here.
fn conversion(
    device: &Device,
    args: &ConvertArgs,
    now: Timestamp,
) -> Result<(InspectionId, Action), Trouble> {
    let (id, view) = find::inspection(&device.engine, now, &args.which.inspection)?;
    let finding_id = match args.finding.parse() {
        Ok(id) => id,
        Err(_) => {
            let findings = view.map(|view| view.inspection.findings);
            let place = args.finding.parse::<usize>().ok();
            let index = place.and_then(|place| place.checked_sub(1));
            let named = index.and_then(|index| findings?.get(index).map(|finding| finding.id));
            named.ok_or_else(|| no_such_finding(&args.finding))?
        }
    };
    let (hazard_id, _) = find::hazard(&device.engine, now, &args.hazard)?;
    let conversion = ConvertFinding {
        finding_id,
        hazard_id,
    };
    Ok((id, Action::ConvertFinding(conversion)))
}

fn no_such_finding(text: &str) -> Trouble {
    Trouble::Usage(
        format!("{text}：这次检查没有这条发现（序号见 inspect show）"),
        format!("{text}: the inspection has no such finding (inspect show counts them)"),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn somebody_present_is_read_with_post_and_phone() {
        let read = |text| attendee(text, AttendeeRole::Operator, VisitPart::Closing);
        let whole = read("王强:总经理:023-1234:5");
        assert_eq!(whole.name, "王强");
        assert_eq!(whole.post.as_deref(), Some("总经理"));
        assert_eq!(whole.phone.as_deref(), Some("023-1234:5"));
        let without = read("李芳：：138");
        assert_eq!(
            (without.post, without.phone.as_deref()),
            (None, Some("138"))
        );
        assert_eq!(read("赵敏").post, None);
    }
}
