//! From arguments to actions.

use std::path::PathBuf;

use hazardloop_domain::command::{
    Action, Amend, AttachPhoto, Close, Note, PhotoKind, PhotoPair, PhotoRef, RecordPhotoLost,
    Reject, Withdraw,
};
use hazardloop_domain::ids::HazardId;
use hazardloop_sync_protocol::device::HazardView;

use super::acts_order::{confirm, looked_at, reinspection, reopening, submission};
use super::acts_report::report;
use super::args::Task;
use super::steps::AmendArgs;
use super::trouble::Trouble;
use super::{acts_beside, find};
use crate::ambient::Ambient;
use crate::driver::Device;

/// The commands that a task stands for.
pub(super) struct Acts {
    /// On which hazard.
    pub hazard_id: HazardId,
    /// All of them or none.
    pub actions: Vec<Action>,
    /// Photos that were paired because nothing else was said.
    pub paired: Vec<PhotoPair>,
}

impl Acts {
    fn one((hazard_id, action): (HazardId, Action)) -> Self {
        Self {
            hazard_id,
            actions: vec![action],
            paired: Vec::new(),
        }
    }
}

/// The commands that a task stands for; `None` when it is not about a hazard's lifecycle.
pub(super) fn commands(
    device: &Device,
    ambient: &mut Ambient,
    task: &Task,
) -> Result<Option<Acts>, Trouble> {
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
            let hazard = view.as_ref().map(|view| &view.hazard);
            let actions = confirm(device, args, hazard, now)?;
            return Ok(Some(Acts {
                hazard_id: id,
                actions,
                paired: Vec::new(),
            }));
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
            let (id, view) = find(&args.which.hazard)?;
            let hazard = view.as_ref().map(|view| &view.hazard);
            let (submission, paired) = submission(device, args, hazard, now)?;
            return Ok(Some(Acts {
                hazard_id: id,
                actions: vec![Action::SubmitRectification(submission)],
                paired,
            }));
        }
        Task::Reinspect(args) => {
            let photos = photos(&args.photo, PhotoKind::After)?;
            let (id, view) = find(&args.which.hazard)?;
            let on = looked_at(device, view.as_ref());
            (id, reinspection(args, photos, on))
        }
        Task::Close(args) => {
            let (id, view) = find(&args.which.hazard)?;
            let close = Close {
                opinion: args.opinion.clone(),
                on: looked_at(device, view.as_ref()),
            };
            (id, Action::Close(close))
        }
        Task::Reopen(args) => (find(&args.reason.which.hazard)?.0, reopening(args)),
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
            return Ok(Some(Acts {
                hazard_id: id,
                actions: photos.into_iter().map(attach).collect(),
                paired: Vec::new(),
            }));
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
        beside => return Ok(acts_beside::command(device, now, beside)?.map(Acts::one)),
    };
    Ok(Some(Acts::one((id, action))))
}

/// Photos are durable on this device before a command names them.
pub(super) fn take_photos(
    device: &Device,
    paths: &[PathBuf],
    kind: PhotoKind,
) -> Result<Vec<PhotoRef>, Trouble> {
    let limits = device.engine.limits().hazards;
    paths
        .iter()
        .map(|path| {
            device
                .photos
                .take(path, kind, &limits)
                .map_err(Trouble::from)
        })
        .collect()
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
            .map(|text| find::enterprise(device, text))
            .transpose()?,
    })
}
