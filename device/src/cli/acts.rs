//! From arguments to actions.

use std::path::PathBuf;

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::command::{
    Action, Amend, AttachPhoto, Close, Confirm, Grade, Note, PhotoKind, PhotoRef, RecordPhotoLost,
    Reinspect, Reject, Reopen, Report, Source, SubmitRectification, Withdraw,
};
use hazardloop_domain::hazard::{Hazard, Limits};
use hazardloop_domain::ids::{EnterpriseId, HazardId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::HazardView;

use super::args::Task;
use super::find;
use super::steps::{AmendArgs, ConfirmArgs, ReportArgs};
use super::trouble::Trouble;
use crate::ambient::Ambient;
use crate::driver::Device;

/// The commands that a task stands for; `None` when it is not about a hazard's lifecycle.
pub(super) fn commands(
    device: &Device,
    ambient: &mut Ambient,
    task: &Task,
) -> Result<Option<(HazardId, Vec<Action>)>, Trouble> {
    let now = ambient.clock.now();
    let find = |text: &str| find::hazard(&device.engine, now, text);
    let photos = |paths: &[PathBuf], kind| take_photos(device, paths, kind);
    let (id, action) = match task {
        Task::Report(args) => {
            let report = report(device, args, now)?;
            (HazardId(ambient.uuid_v7()), Action::Report(report))
        }
        Task::Confirm(args) => {
            let (id, view) = find(&args.which.hazard)?;
            (id, confirm(args, view.as_ref().map(|view| &view.hazard)))
        }
        Task::Reject(args) => (
            find(&args.which.hazard)?.0,
            Action::Reject(Reject {
                reason: args.reason.clone(),
            }),
        ),
        Task::Withdraw(args) => (
            find(&args.which.hazard)?.0,
            Action::Withdraw(Withdraw {
                reason: args.reason.clone(),
            }),
        ),
        Task::Fix(args) => {
            let submission = SubmitRectification {
                measures: args.measures.clone(),
                completed_at: args.completed_at.unwrap_or(now),
                photos: photos(&args.photo, PhotoKind::After)?,
                cost_fen: args.cost_fen,
                pairs: Vec::new(),
                self_acceptance: None,
            };
            (
                find(&args.which.hazard)?.0,
                Action::SubmitRectification(submission),
            )
        }
        Task::Reinspect(args) => {
            let reinspection = Reinspect {
                passed: args.pass,
                opinion: args.opinion.clone(),
                photos: photos(&args.photo, PhotoKind::After)?,
                new_due_date: args.due,
                document_no: None,
                items: Vec::new(),
                no_photo_reason: None,
            };
            (find(&args.which.hazard)?.0, Action::Reinspect(reinspection))
        }
        Task::Close(args) => (
            find(&args.which.hazard)?.0,
            Action::Close(Close {
                opinion: args.opinion.clone(),
            }),
        ),
        Task::Reopen(args) => {
            let reason = args.reason.reason.clone();
            let reopening = Reopen {
                reason,
                false_closure: args.false_closure,
                cause: None,
            };
            (
                find(&args.reason.which.hazard)?.0,
                Action::Reopen(reopening),
            )
        }
        Task::Note(args) => (
            find(&args.which.hazard)?.0,
            Action::Note(Note {
                text: args.text.clone(),
            }),
        ),
        Task::Amend(args) => {
            let (id, view) = find(&args.which.hazard)?;
            (id, Action::Amend(amend(device, args, view.as_ref())?))
        }
        Task::Attach(args) => {
            let (id, _) = find(&args.which.hazard)?;
            let photos = photos(&args.photo, args.kind.into())?;
            let attach = |photo| Action::AttachPhoto(AttachPhoto { photo });
            return Ok(Some((id, photos.into_iter().map(attach).collect())));
        }
        Task::LostPhoto(args) => {
            let (id, view) = find(&args.reason.which.hazard)?;
            let sha256 = find::photo(view.as_ref(), &args.photo)?;
            let reason = args.reason.reason.clone();
            (
                id,
                Action::RecordPhotoLost(RecordPhotoLost { sha256, reason }),
            )
        }
        _ => return Ok(None),
    };
    Ok(Some((id, vec![action])))
}

/// Photos are durable on this device before a command names them.
fn take_photos(
    device: &Device,
    paths: &[PathBuf],
    kind: PhotoKind,
) -> Result<Vec<PhotoRef>, Trouble> {
    let most = Limits::default().photo_bytes;
    paths
        .iter()
        .map(|path| device.photos.take(path, kind, most).map_err(Trouble::from))
        .collect()
}

fn report(device: &Device, args: &ReportArgs, now: Timestamp) -> Result<Report, Trouble> {
    let enterprise_id = match &args.enterprise {
        Some(text) => Some(find::enterprise(&device.engine, text)?),
        None => own_enterprise(device, now),
    };
    Ok(Report {
        source: args.source.unwrap_or_else(|| usual_source(device, now)),
        grade: if args.major {
            Grade::Major
        } else {
            Grade::General
        },
        enterprise_id,
        description: args.text.clone(),
        place_text: args.place.clone(),
        position: args.at,
        found_at: args.found_at.unwrap_or(now),
        photos: take_photos(device, &args.photo, PhotoKind::Before)?,
        no_photo_reason: args.no_photo_reason.clone(),
        criterion: args.criterion.clone(),
        immediate_measure: args.measure.clone(),
        fixed_on_spot: None,
        recurrence_of: None,
        nature: None,
    })
}

/// The enterprise of somebody who belongs to exactly one.
fn own_enterprise(device: &Device, now: Timestamp) -> Option<EnterpriseId> {
    let person = device.engine.person(now)?;
    let mut own: Vec<EnterpriseId> = person
        .grants
        .iter()
        .filter(|grant| grant.holds_at(now))
        .filter_map(|grant| match grant.scope {
            GrantScope::Enterprise(id) => Some(id),
            GrantScope::Jurisdiction(_) => None,
        })
        .collect();
    own.sort_unstable();
    own.dedup();
    if own.len() == 1 { own.pop() } else { None }
}

/// What the role of this person makes likely; `--source` says otherwise.
fn usual_source(device: &Device, now: Timestamp) -> Source {
    let roles: Vec<Role> = device
        .engine
        .person(now)
        .map(|person| {
            person
                .grants
                .iter()
                .filter(|g| g.holds_at(now))
                .map(|g| g.role)
                .collect()
        })
        .unwrap_or_default();
    if roles
        .iter()
        .any(|role| matches!(role, Role::SafetyOfficer | Role::Principal))
    {
        Source::EnterpriseSelfCheck
    } else if roles.contains(&Role::Employee) {
        Source::EmployeeReport
    } else if roles.contains(&Role::GridWorker) {
        Source::Grid
    } else {
        Source::DeptInspection
    }
}

fn confirm(args: &ConfirmArgs, hazard: Option<&Hazard>) -> Action {
    let reported = hazard.map_or(Grade::General, |hazard| hazard.grade);
    let grade = match (args.major, args.general) {
        (true, _) => Grade::Major,
        (_, true) => Grade::General,
        _ => reported,
    };
    Action::Confirm(Confirm {
        grade,
        criterion: args.criterion.clone(),
        basis: args.basis.clone(),
        responsible_person: args.responsible.clone(),
        requirement: args.requirement.clone(),
        due_date: args.due,
        period: None,
        expert_opinion: None,
        responsible_unit: None,
        served: None,
    })
}

fn amend(device: &Device, args: &AmendArgs, view: Option<&HazardView>) -> Result<Amend, Trouble> {
    let enterprise = args.enterprise.as_deref();
    Ok(Amend {
        // The version that its author sees, own pending changes included.
        based_on: view.map_or(1, |view| view.hazard.version),
        description: args.text.clone(),
        place_text: args.place.clone(),
        position: args.at,
        immediate_measure: args.measure.clone(),
        enterprise_id: enterprise
            .map(|text| find::enterprise(&device.engine, text))
            .transpose()?,
    })
}
