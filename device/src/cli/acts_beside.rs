//! From arguments to actions: the steps beside the main line.

use std::path::PathBuf;

use hazardloop_domain::command::{
    Action, AssignSector, ChangeGrade, DecideExtension, DecidePlan, DecideProposal,
    DecideResumption, Delist, Grade, ListSupervision, Merge, OrderSuspension, Party,
    PenaltyDecision, PhotoKind, PhotoRef, ReceiveTransfer, RecordPenalty, RequestExtension,
    RequestResumption, SpotCheck, SubmitPlan, Transfer, WorkersCongress,
};
use hazardloop_domain::ids::HazardId;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::HazardView;

use super::acts::take_photos;
use super::args::Task;
use super::find;
use super::steps_beside::{
    DecideArgs, GradeArgs, PenaltyArgs, Pending, PlanArgs, SpotCheckArgs, SuperviseArgs,
    SuspendArgs, TransferArgs,
};
use super::trouble::Trouble;
use crate::driver::Device;

/// The command that a task stands for; `None` when it is not a step beside the main line.
pub(super) fn command(
    device: &Device,
    now: Timestamp,
    task: &Task,
) -> Result<Option<(HazardId, Action)>, Trouble> {
    let find = |text: &str| find::hazard(&device.engine, now, text).map(|(id, _)| id);
    // What goes with these steps are papers and the places where they hang.
    let papers = |paths: &[PathBuf]| take_photos(device, paths, PhotoKind::Scene);
    let (which, action) = match task {
        Task::Plan(args) => (&args.which, plan(args, papers(&args.photo)?)),
        Task::Extend(args) => (
            &args.which,
            Action::RequestExtension(RequestExtension {
                new_due_date: args.until,
                reason: args.reason.clone(),
                interim_controls: args.controls.clone(),
                expert_opinion: args.expert.opinion(),
            }),
        ),
        Task::Decide(args) => {
            let (_, view) = find::hazard(&device.engine, now, &args.which.hazard)?;
            let on = view
                .as_ref()
                .and_then(|view| waiting_since(view, args.what));
            (&args.which, decide(args, on, papers)?)
        }
        Task::Grade(args) => (&args.which, grade(args)),
        Task::Merge(args) => (
            &args.which,
            Action::Merge(Merge {
                into: find(&args.into)?,
                reason: args.reason.clone(),
            }),
        ),
        Task::Transfer(args) => (&args.which, transfer(device, args)?),
        Task::Receive(args) => (
            &args.which,
            Action::ReceiveTransfer(ReceiveTransfer {
                accepted: args.yes,
                receipt_no: args.receipt_no.clone(),
                note: args.note.clone(),
            }),
        ),
        Task::Supervise(args) => (&args.which, supervise(args)),
        Task::Delist(args) => (
            &args.which,
            Action::Delist(Delist {
                document_no: args.document_no.clone(),
                opinion: args.opinion.clone(),
            }),
        ),
        Task::Suspend(args) => (&args.which, suspend(args)),
        Task::Resume(args) => (
            &args.which,
            Action::RequestResumption(RequestResumption {
                application: args.application.clone(),
                assessment: args.assessment.clone(),
                photos: papers(&args.photo)?,
            }),
        ),
        Task::SpotCheck(args) => {
            let (id, view) = find::hazard(&device.engine, now, &args.which.hazard)?;
            let photos = papers(&args.photo)?;
            return Ok(Some((id, spot_check(args, view.as_ref(), photos))));
        }
        Task::Penalty(args) => (&args.which, penalty(args)),
        Task::Assign(args) => (
            &args.which,
            Action::AssignSector(AssignSector {
                sector: args.sector.clone(),
                department: args.department.clone(),
                by_fallback: args.by_fallback,
            }),
        ),
        _ => return Ok(None),
    };
    Ok(Some((find(&which.hazard)?, action)))
}

fn plan(args: &PlanArgs, photos: Vec<PhotoRef>) -> Action {
    let told = args.congress_on.zip(args.congress_how.clone());
    Action::SubmitPlan(SubmitPlan {
        leader: args.leader.clone().map(|name| Party {
            name,
            post: args.leader_post.clone(),
            phone: args.leader_phone.clone(),
        }),
        responsible: Party {
            name: args.responsible.clone(),
            post: args.responsible_post.clone(),
            phone: args.responsible_phone.clone(),
        },
        measures_interim: args.interim.clone(),
        measures_permanent: args.permanent.clone(),
        funds_fen: args.funds_fen,
        funds_source: args.funds_source.clone(),
        due_date: args.due,
        milestones: args.milestone.clone(),
        contingency: args.contingency.clone(),
        workers_congress: told.map(|(reported_on, how)| WorkersCongress { reported_on, how }),
        photos,
        goal: args.goal.clone(),
        no_photo_reason: args.no_photo_reason.clone(),
    })
}

/// A closure that is only queued here has no time of the server's yet.
fn spot_check(args: &SpotCheckArgs, view: Option<&HazardView>, photos: Vec<PhotoRef>) -> Action {
    let known = view.filter(|view| !view.is_pending());
    Action::SpotCheck(SpotCheck {
        passed: args.pass,
        opinion: args.opinion.clone(),
        photos,
        no_photo_reason: args.no_photo_reason.clone(),
        on: known.and_then(|view| view.hazard.closed_at()),
        false_closure: args.false_closure,
    })
}

/// When what waits was recorded by the server: a decision speaks of that and of nothing that comes
/// later. What is only queued here has no such time yet.
fn waiting_since(view: &HazardView, what: Pending) -> Option<Timestamp> {
    if view.is_pending() {
        return None;
    }
    let hazard = &view.hazard;
    match what {
        Pending::Plan => hazard.plan.as_ref().map(|plan| plan.submitted.at),
        Pending::Extension => hazard.extension_waiting().map(|asked| asked.requested.at),
        Pending::Proposal => hazard.proposal.as_ref().map(|proposal| proposal.mark.at),
        Pending::Resumption => {
            let suspension = hazard.suspension.as_ref();
            let asked = suspension.and_then(|suspension| suspension.application.as_ref());
            asked.map(|asked| asked.applied.at)
        }
    }
}

/// Only a resumption has a document and photos: given with anything else they would be lost.
fn decide(
    args: &DecideArgs,
    on: Option<Timestamp>,
    papers: impl Fn(&[PathBuf]) -> Result<Vec<PhotoRef>, Trouble>,
) -> Result<Action, Trouble> {
    let opinion = args.opinion.clone();
    let usage = |zh: &str, en: &str| Trouble::Usage(zh.to_owned(), en.to_owned());
    if args.what == Pending::Resumption {
        let document_no = args.document_no.clone().ok_or_else(|| {
            usage(
                "decide … resumption 需要 --document-no 文书编号",
                "decide … resumption needs --document-no",
            )
        })?;
        return Ok(Action::DecideResumption(DecideResumption {
            granted: args.yes,
            document_no,
            opinion,
            photos: papers(&args.photo)?,
            on,
            reviewed_on: args.reviewed_on,
            no_photo_reason: args.no_photo_reason.clone(),
        }));
    }
    let of_review = args.reviewed_on.is_some() || args.no_photo_reason.is_some();
    if args.document_no.is_some() || !args.photo.is_empty() || of_review {
        return Err(usage(
            "--document-no、--reviewed-on、--photo 和 --no-photo-reason 只用于 decide … resumption",
            "--document-no, --reviewed-on, --photo and --no-photo-reason go with decide … resumption only",
        ));
    }
    Ok(match args.what {
        Pending::Plan => Action::DecidePlan(DecidePlan {
            accepted: args.yes,
            opinion,
            on,
        }),
        Pending::Extension => Action::DecideExtension(DecideExtension {
            granted: args.yes,
            opinion,
            on,
        }),
        Pending::Proposal | Pending::Resumption => Action::DecideProposal(DecideProposal {
            agreed: args.yes,
            opinion,
            on,
        }),
    })
}

fn grade(args: &GradeArgs) -> Action {
    let grade = match args.major {
        true => Grade::Major,
        false => Grade::General,
    };
    Action::ChangeGrade(ChangeGrade {
        grade,
        reason: args.reason.clone(),
        criterion: args.criterion.clone(),
        basis: args.basis.clone(),
        expert_opinion: args.expert.opinion(),
    })
}

fn transfer(device: &Device, args: &TransferArgs) -> Result<Action, Trouble> {
    let named = args.to_jurisdiction.as_deref();
    let found = named.map(|text| find::jurisdiction(&device.engine, text));
    Ok(Action::Transfer(Transfer {
        to_body: args.to.clone(),
        to_jurisdiction: found.transpose()?,
        reason: args.reason.clone(),
        document_no: args.document_no.clone(),
    }))
}

fn supervise(args: &SuperviseArgs) -> Action {
    Action::ListSupervision(ListSupervision {
        level: args.level,
        document_no: args.document_no.clone(),
        authority: args.authority.clone(),
        requirement: args.requirement.clone(),
        deadline: args.deadline,
    })
}

fn suspend(args: &SuspendArgs) -> Action {
    Action::OrderSuspension(OrderSuspension {
        document_no: args.document_no.clone(),
        scope: args.scope.clone(),
        basis: args.basis.clone(),
        evacuate: args.evacuate,
    })
}

fn penalty(args: &PenaltyArgs) -> Action {
    let decision = match (&args.decision_no, args.decided_on, &args.result) {
        (Some(document_no), Some(decided_on), Some(result)) => Some(PenaltyDecision {
            document_no: document_no.clone(),
            decided_on,
            result: result.clone(),
        }),
        _ => None,
    };
    Action::RecordPenalty(RecordPenalty {
        case_no: args.case_no.clone(),
        decision,
    })
}
