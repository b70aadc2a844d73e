//! From arguments to actions: from the order to correct to the correction and its re-inspection.

use hazardloop_domain::calendar::EndOnDayOff;
use hazardloop_domain::command::{
    Action, AttachPhoto, Confirm, Grade, Period, PhotoKind, PhotoPair, PhotoRef, Reinspect, Reopen,
    ReopenCause, SelfAcceptance, Served, SubmitRectification,
};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::{Hazard, Status};
use hazardloop_domain::time::{LocalDate, Timestamp};
use hazardloop_sync_protocol::device::HazardView;

use super::acts::take_photos;
use super::pairs;
use super::steps::{ConfirmArgs, FixArgs, ReinspectArgs, ReopenArgs, ServedArgs};
use super::trouble::Trouble;
use crate::driver::Device;

/// A confirmation, and before it the photo of the signature that it names.
pub(super) fn confirm(
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
        category: args.category.clone(),
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
    let calendar = device.engine.calendar(now);
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
pub(super) fn submission(
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

pub(super) fn reinspection(
    args: &ReinspectArgs,
    photos: Vec<PhotoRef>,
    on: Option<Timestamp>,
) -> Action {
    Action::Reinspect(Reinspect {
        passed: args.pass,
        opinion: args.opinion.clone(),
        photos,
        new_due_date: args.due,
        document_no: args.document_no.clone(),
        items: args.item.clone(),
        no_photo_reason: args.no_photo_reason.clone(),
        on,
    })
}

/// When the submission that is looked at was handed in, as the server recorded it: what is handed in later
/// was not looked at. One that waits on this very device has no such time.
pub(super) fn looked_at(device: &Device, view: Option<&HazardView>) -> Option<Timestamp> {
    let Status::PendingReinspection { submission, .. } = &view?.hazard.status else {
        return None;
    };
    let own = submission.submitted_by == device.account.person.id;
    (!own).then_some(submission.submitted_at)
}

pub(super) fn reopening(args: &ReopenArgs) -> Action {
    Action::Reopen(Reopen {
        reason: args.reason.reason.clone(),
        false_closure: args.false_closure || args.cause == Some(ReopenCause::FalseClosure),
        cause: args.cause,
    })
}
