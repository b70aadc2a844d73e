//! From arguments to actions.

use std::path::PathBuf;

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::calendar::EndOnDayOff;
use hazardloop_domain::command::{
    Action, Amend, AttachPhoto, Close, Confirm, FixedOnSpot, Grade, Nature, Note, Period,
    PhotoKind, PhotoPair, PhotoRef, RecordPhotoLost, Reinspect, Reject, Reopen, ReopenCause,
    Report, SelfAcceptance, Served, Source, SubmitRectification, Withdraw,
};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::{Hazard, Limits};
use hazardloop_domain::ids::{EnterpriseId, HazardId};
use hazardloop_domain::time::{LocalDate, Timestamp};
use hazardloop_sync_protocol::device::HazardView;

use super::args::Task;
use super::steps::{
    AmendArgs, ConfirmArgs, FixArgs, FixedArgs, NatureArgs, ReinspectArgs, ReopenArgs, ReportArgs,
    ServedArgs,
};
use super::trouble::Trouble;
use super::{acts_beside, find, pairs};
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
            (find(&args.which.hazard)?.0, reinspection(args, photos))
        }
        Task::Close(args) => (
            find(&args.which.hazard)?.0,
            Action::Close(Close {
                opinion: args.opinion.clone(),
            }),
        ),
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
    let limits = Limits::default();
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

fn report(device: &Device, args: &ReportArgs, now: Timestamp) -> Result<Report, Trouble> {
    let enterprise_id = match &args.enterprise {
        Some(text) => Some(find::enterprise(&device.engine, text)?),
        None => own_enterprise(device, now),
    };
    let mut photos = take_photos(device, &args.photo, PhotoKind::Before)?;
    let after = take_photos(device, &args.fixed.fixed_photo, PhotoKind::After)?;
    photos.extend(after);
    let repeats = args.recurrence_of.as_deref();
    let repeats = repeats.map(|text| find::hazard(&device.engine, now, text));
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
        photos,
        no_photo_reason: args.no_photo_reason.clone(),
        criterion: args.criterion.clone(),
        immediate_measure: args.measure.clone(),
        fixed_on_spot: fixed_on_spot(&args.fixed, now),
        recurrence_of: repeats.transpose()?.map(|(id, _)| id),
        nature: nature(&args.nature),
    })
}

fn fixed_on_spot(args: &FixedArgs, now: Timestamp) -> Option<FixedOnSpot> {
    let (measures, by) = args.fixed_measures.clone().zip(args.fixed_by.clone())?;
    args.fixed_on_spot.then_some(FixedOnSpot {
        measures,
        responsible_person: by,
        completed_at: args.fixed_at.unwrap_or(now),
        cost_fen: args.fixed_cost_fen,
    })
}

fn nature(args: &NatureArgs) -> Option<Nature> {
    let nature = Nature {
        domain: args.domain,
        category: args.category.clone(),
        accident_type: args.accident_type.clone(),
        cause: args.cause.clone(),
        consequence: args.consequence.clone(),
        difficulty: args.difficulty.clone(),
        risk_point: args.risk_point.clone(),
    };
    let nothing = Nature {
        domain: None,
        category: None,
        accident_type: None,
        cause: None,
        consequence: None,
        difficulty: None,
        risk_point: None,
    };
    (nature != nothing).then_some(nature)
}

/// The enterprise of somebody who belongs to exactly one.
pub(super) fn own_enterprise(device: &Device, now: Timestamp) -> Option<EnterpriseId> {
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
    source_of(&roles)
}

/// Officials come last: their word covers most sources, the others' only their own.
fn source_of(roles: &[Role]) -> Source {
    const USUAL: &[(Role, Source)] = &[
        (Role::SafetyOfficer, Source::EnterpriseSelfCheck),
        (Role::Principal, Source::EnterpriseSelfCheck),
        (Role::Employee, Source::EmployeeReport),
        (Role::GridWorker, Source::Grid),
        (Role::Inspector, Source::DeptInspection),
        (Role::DepartmentReviewer, Source::DeptInspection),
        (Role::DepartmentHead, Source::DeptInspection),
        (Role::Expert, Source::Expert),
        (Role::Insurer, Source::Insurer),
        (Role::Importer, Source::Import),
        (Role::Public, Source::Tipoff),
    ];
    let mut fits = USUAL.iter().filter(|(role, _)| roles.contains(role));
    fits.next()
        .map_or(Source::DeptInspection, |(_, source)| *source)
}

/// A confirmation, and before it the photo of the signature that it names.
fn confirm(
    device: &Device,
    args: &ConfirmArgs,
    hazard: Option<&Hazard>,
    now: Timestamp,
) -> Result<Vec<Action>, Trouble> {
    let reported = hazard.map_or(Grade::General, |hazard| hazard.grade);
    let grade = match (args.major, args.general) {
        (true, _) => Grade::Major,
        (_, true) => Grade::General,
        _ => reported,
    };
    let mut period = args.within.clone();
    if let Some(period) = &mut period {
        period.rule.clone_from(&args.rule);
    }
    let (served, signature) = served(device, &args.served, hazard)?;
    let attach = |photo| Action::AttachPhoto(AttachPhoto { photo });
    let mut actions: Vec<Action> = signature.map(attach).into_iter().collect();
    actions.push(Action::Confirm(Confirm {
        grade,
        criterion: args.criterion.clone(),
        basis: args.basis.clone(),
        responsible_person: args.responsible.clone(),
        requirement: args.requirement.clone(),
        due_date: due_date(device, args.due, period.as_ref(), now)?,
        period,
        expert_opinion: args.expert.opinion(),
        responsible_unit: args.unit.clone(),
        served,
    }));
    Ok(actions)
}

/// The last day: as given, or as the days of the period make it on this device's calendar.
fn due_date(
    device: &Device,
    due: Option<LocalDate>,
    period: Option<&Period>,
    now: Timestamp,
) -> Result<LocalDate, Trouble> {
    let Some(period) = period else {
        let missing =
            || Trouble::Usage("缺少 --due 或 --within".into(), "--due or --within".into());
        return due.ok_or_else(missing);
    };
    let start = now.shanghai_date().date();
    let calendar = device.engine.calendar();
    let counted = calendar.add_days(start, period.days, period.kind, EndOnDayOff::NextWorkday);
    counted
        .map(|due| LocalDate::new(due.date))
        .map_err(|error| {
            let text = error.to_string();
            let (zh, en) = text.split_once(" / ").unwrap_or((&text, &text));
            Trouble::Usage(format!("--within：{zh}"), format!("--within: {en}"))
        })
}

/// How the order was served, and the photo of the signature where it is a file.
fn served(
    device: &Device,
    args: &ServedArgs,
    hazard: Option<&Hazard>,
) -> Result<(Option<Served>, Option<PhotoRef>), Trouble> {
    let Some(name) = args.served_by.clone() else {
        return Ok((None, None));
    };
    let named = args.signature.as_ref().and_then(|path| path.to_str());
    let known = named.and_then(|text| text.parse::<Digest>().ok());
    let known = known.filter(|sha256| hazard.is_some_and(|h| h.photo(sha256).is_some()));
    let file = args.signature.as_slice();
    let taken = match known {
        Some(_) => None,
        None => take_photos(device, file, PhotoKind::Signature)?.pop(),
    };
    let served = Served {
        name,
        post: args.served_post.clone(),
        signature: known.or(taken.as_ref().map(|photo| photo.sha256)),
        refused_because: args.refused.clone(),
        witness: args.witness.clone(),
    };
    Ok((Some(served), taken))
}

/// A rectification, and the pairs that were made because none were named.
fn submission(
    device: &Device,
    args: &FixArgs,
    hazard: Option<&Hazard>,
    now: Timestamp,
) -> Result<(SubmitRectification, Vec<PhotoPair>), Trouble> {
    let mut photos = take_photos(device, &args.photo, PhotoKind::After)?;
    let named = pairs::named(device, &args.pair, hazard, &mut photos)?;
    let paired = match args.pair.is_empty() {
        true => pairs::in_order(hazard, &photos),
        false => Vec::new(),
    };
    let accepted = args.acceptance.clone();
    let self_acceptance = accepted.map(|opinion| SelfAcceptance {
        accepted_by: args.accepted_by.clone(),
        opinion,
        accepted_on: args.accepted_on.unwrap_or_else(|| now.shanghai_date()),
    });
    let submission = SubmitRectification {
        measures: args.measures.clone(),
        completed_at: args.completed_at.unwrap_or(now),
        photos,
        cost_fen: args.cost_fen,
        pairs: named.into_iter().chain(paired.clone()).collect(),
        self_acceptance,
    };
    Ok((submission, paired))
}

fn reinspection(args: &ReinspectArgs, photos: Vec<PhotoRef>) -> Action {
    Action::Reinspect(Reinspect {
        passed: args.pass,
        opinion: args.opinion.clone(),
        photos,
        new_due_date: args.due,
        document_no: args.document_no.clone(),
        items: args.item.clone(),
        no_photo_reason: args.no_photo_reason.clone(),
    })
}

fn reopening(args: &ReopenArgs) -> Action {
    Action::Reopen(Reopen {
        reason: args.reason.reason.clone(),
        false_closure: args.false_closure || args.cause == Some(ReopenCause::FalseClosure),
        cause: args.cause,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_source_follows_the_role() {
        for (role, source) in [
            (Role::Principal, Source::EnterpriseSelfCheck),
            (Role::Employee, Source::EmployeeReport),
            (Role::GridWorker, Source::Grid),
            (Role::Inspector, Source::DeptInspection),
            (Role::Expert, Source::Expert),
            (Role::Insurer, Source::Insurer),
            (Role::Public, Source::Tipoff),
            (Role::Importer, Source::Import),
            (Role::DepartmentHead, Source::DeptInspection),
        ] {
            assert_eq!(source_of(&[role]), source, "{role:?}");
        }
        assert_eq!(source_of(&[]), Source::DeptInspection);
    }
}
