//! How a subject comes to where a step of each kind may be taken: who does what, over REST.

use hazardloop_domain::access::Role;
use hazardloop_domain::command::ActionKind as K;
use serde_json::Value;

use super::super::test_client::confirmation;
use super::World;
use super::actions::{
    advice, ask_to_resume, attach, close, expert_visit, extension, list, major, pass, plan,
    plan_visit, refuse_to_sign, report, results, sign, source_of, start, submission, suspend,
    transfer,
};
use crate::test_support::person;

/// Whoever listed a hazard takes it off the list: the one inside, who is asked later.
const LISTING: &str = "inside-listing_authority";

type Steps = Vec<(String, Value)>;

/// The steps before one of this kind, in order; a report is by `author`.
pub(super) fn steps(kind: K, author: &str, world: &World<'_>) -> Steps {
    let found = |grade: &str| (author, report(source(author), grade));
    let seen = |grade: &str| ("inspector1", report("dept_inspection", grade));
    let confirmed = || ("reviewer", confirmation());
    let submitted = || ("employee", submission(&world.photo));
    let passed = || ("inspector1", pass());
    let declared = || ("principal", major());
    let planned = || ("reviewer", plan_visit(world));
    let started = || ("inspector1", start());
    let steps = match kind {
        K::Report | K::PlanInspection | K::SubmitSelfCheck => Vec::new(),
        K::Amend
        | K::AttachPhoto
        | K::Confirm
        | K::Reject
        | K::Merge
        | K::Transfer
        | K::AssignSector
        | K::OrderSuspension
        | K::RecordPenalty
        | K::Note
        | K::Withdraw
        | K::ReceivePhoto
        | K::FollowEnterprise
        | K::RecomputeDeadline => vec![found("general")],
        K::RecordPhotoLost => vec![found("general"), ("employee", attach("attach_photo"))],
        K::ChangeGrade | K::SubmitPlan | K::RequestExtension | K::SubmitRectification => {
            vec![found("general"), confirmed()]
        }
        K::DecideProposal => vec![seen("major"), ("inspector1", major())],
        K::DecidePlan => vec![found("major"), declared(), ("principal", plan())],
        K::DecideExtension => vec![seen("general"), confirmed(), ("principal", extension())],
        K::Reinspect => vec![found("general"), confirmed(), submitted()],
        K::Close => vec![found("general"), confirmed(), submitted(), passed()],
        K::Reopen | K::SpotCheck => {
            let closed = ("reviewer", close());
            vec![found("general"), confirmed(), submitted(), passed(), closed]
        }
        K::ListSupervision => vec![found("major"), declared()],
        K::Delist => vec![found("major"), declared(), (LISTING, list())],
        K::RequestResumption => vec![found("general"), ("head", suspend())],
        K::DecideResumption => vec![
            found("general"),
            ("head", suspend()),
            ("principal", ask_to_resume()),
        ],
        K::ReceiveTransfer => vec![found("general"), ("reviewer", transfer())],
        K::StartInspection
        | K::CancelInspection
        | K::ChangeTeam
        | K::InspectionFollowEnterprise
        | K::ReceiveInspectionPhoto => vec![planned()],
        K::RecordResults
        | K::LinkFinding
        | K::RecordAttendance
        | K::SignInspection
        | K::RecordRefusal
        | K::AttachInspectionPhoto => vec![planned(), started()],
        K::RecordInspectionPhotoLost => {
            let attached = ("inspector1", attach("attach_inspection_photo"));
            vec![planned(), started(), attached]
        }
        K::CompleteInspection => vec![
            planned(),
            started(),
            ("inspector1", results()),
            ("inspector1", sign("inspector", person("inspector1"))),
            ("inspector2", sign("inspector", person("inspector2"))),
            ("inspector2", refuse_to_sign()),
        ],
        K::ConvertFinding => vec![("expert", expert_visit(world)), ("expert", advice())],
    };
    let named = |(login, step): (&str, Value)| (login.to_owned(), step);
    steps.into_iter().map(named).collect()
}

/// As whom `author` reports: one of the sample, or one whose login ends in the name of their role.
fn source(author: &str) -> &'static str {
    let role = author
        .split_once('-')
        .and_then(|(_, role)| Role::from_name(role));
    source_of(role.unwrap_or(Role::Employee))
}
