//! The rules: given a hazard's state, a command and its author, either events or a refusal.

use std::sync::Arc;

use super::checks::{check_photos, check_submission, limit, require_awaited, unknown_photo};
use super::reinspection::check_closure;
use super::report::decide_report;
use super::{amend, grading, spot_check, steps};
use crate::access::Actor;
use crate::calendar::WorkdayCalendar;
use crate::command::{Action, ActionKind, Command, Grade};
use crate::hash::Digest;
use crate::hazard::{FieldName, Hazard, HazardEvent, Limits, PhotoState, Repeated, StatusName};
use crate::ids::{EnterpriseId, JurisdictionId};
use crate::jurisdiction::Level;
use crate::pack::Criterion;
use crate::policy::{self, Verdict};
use crate::refusal::{Refusal, RefusalCode};
use crate::responsibility::NamedSector;
use crate::text::{self, LONG_TEXT_MAX, SHORT_TEXT_MAX};
use crate::time::Timestamp;

/// The hazard that a report is to be merged into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MergeTarget {
    /// Its state.
    pub status: StatusName,
    /// Its grade.
    pub grade: Grade,
    /// Its enterprise.
    pub enterprise_id: Option<EnterpriseId>,
}

/// What the catalog holds of the criterion that a confirmation or a change of grade names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cited {
    /// None is named, or whoever decides holds no catalog that it could be looked up in.
    #[default]
    NotLookedUp,
    /// There is no such edition.
    Unknown,
    /// This edition.
    Known(Box<Criterion>),
}

/// A body that lists hazards, and those at and below it on the way to the hazard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListingSeat {
    /// Which body.
    pub jurisdiction_id: JurisdictionId,
    /// Its level, where it is known.
    pub level: Option<Level>,
    /// Itself and those below it on the way to the hazard.
    pub down_to_hazard: Vec<JurisdictionId>,
}

/// What the rules need to know beside the hazard itself.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The server's time (on a device: its own best estimate).
    pub now: Timestamp,
    /// When the command was made, as its device says.
    pub made_at: Option<Timestamp>,
    /// Who answers for the place of a report, or for the enterprise an amendment names.
    pub jurisdiction_id: Option<JurisdictionId>,
    /// 监管行业 of that enterprise.
    pub sector: Option<String>,
    /// The others who signed the same command, each as an actor over this hazard. Their signatures
    /// were checked (on a device: taken on trust, the server checks).
    pub seconds: Vec<Actor>,
    /// The hazard that a merge names; absent: there is none, or none that the author may see.
    pub merge_target: Option<MergeTarget>,
    /// The criterion that is named as a basis.
    pub cited: Cited,
    /// The hazard that a report says it repeats.
    pub repeated: Repeated,
    /// The sector that an assignment names.
    pub named_sector: NamedSector,
    /// The highest body over the hazard for which the author lists hazards.
    pub listing_seat: Option<ListingSeat>,
    /// The author acts for the body that handed the hazard over, not for the one that it was handed to.
    pub acts_for_sender: bool,
    /// The published working days.
    pub calendar: Arc<WorkdayCalendar>,
    /// Limits in force.
    pub limits: Limits,
}

impl Facts {
    /// Nothing known but the time, the limits and the calendar.
    pub fn at(now: Timestamp, limits: Limits, calendar: Arc<WorkdayCalendar>) -> Self {
        Self {
            now,
            made_at: None,
            jurisdiction_id: None,
            sector: None,
            seconds: Vec::new(),
            merge_target: None,
            cited: Cited::NotLookedUp,
            repeated: Repeated::NotLookedUp,
            named_sector: NamedSector::NotLookedUp,
            listing_seat: None,
            acts_for_sender: false,
            calendar,
            limits,
        }
    }

    /// When the command was made, as far as that can be believed: never after `now`.
    pub(super) fn made(&self) -> Timestamp {
        let made = self.made_at.filter(|at| at.is_plausible());
        made.unwrap_or(self.now).min(self.now)
    }
}

/// How a command took effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As its author meant it.
    Applied,
    /// Beside a change that its author had not seen.
    Merged,
    /// The same field was changed meanwhile: both values are kept.
    Disputed(Vec<FieldName>),
}

/// What an accepted command does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What happens, in order.
    pub events: Vec<HazardEvent>,
    /// How its author should read it.
    pub outcome: Outcome,
}

impl Decision {
    pub(super) fn applied(event: HazardEvent) -> Self {
        Self {
            events: vec![event],
            outcome: Outcome::Applied,
        }
    }
}

/// Decides on one command. `current` is the hazard as it stands, `None` when there is none yet.
///
/// # Errors
/// A [`Refusal`] that names the rule, the state it met and what this actor could do instead.
pub fn decide(
    current: Option<&Hazard>,
    command: &Command,
    actor: &Actor,
    facts: &Facts,
) -> Result<Decision, Refusal> {
    let kind = command.action.kind();
    check_policy(current, command, actor)?;
    let decision = match (&command.action, current) {
        (Action::Report(report), None) => decide_report(command, report, actor, facts),
        (_, None) => Err(Refusal::new(
            RefusalCode::NotFound,
            "there is no such hazard",
        )),
        (action, Some(hazard)) => decide_on_existing(action, hazard, actor, facts),
    };
    decision.map_err(|refusal| match current {
        Some(hazard) => {
            let mut allowed = policy::allowed_actions(current, actor);
            // One that names a field would take the same step about others, or on what stands now.
            if !refusal.code.is_about_the_content() && refusal.field.is_none() {
                allowed.retain(|other| *other != kind);
            }
            refusal.in_state(hazard.status_name(), allowed)
        }
        None => refusal,
    })
}

fn check_policy(current: Option<&Hazard>, command: &Command, actor: &Actor) -> Result<(), Refusal> {
    let kind = command.action.kind();
    if actor.is_outside() {
        return Err(Refusal::new(
            RefusalCode::OutOfScope,
            "you hold no role over this hazard",
        ));
    }
    if current.is_none() && kind != ActionKind::Report {
        return Err(Refusal::new(
            RefusalCode::NotFound,
            "there is no such hazard",
        ));
    }
    if let (Some(hazard), ActionKind::Report) = (current, kind) {
        let rule = "a hazard with this id has been reported already";
        let allowed = policy::allowed_actions(current, actor);
        return Err(
            Refusal::new(RefusalCode::AlreadyExists, rule).in_state(hazard.status_name(), allowed)
        );
    }
    let grade = match &command.action {
        Action::Report(report) => report.grade,
        Action::Confirm(confirm) => confirm.grade,
        _ => current.map_or(Grade::General, |hazard| hazard.grade),
    };
    let (code, rule) = match policy::verdict(kind, current, actor, grade) {
        Verdict::Allowed => return Ok(()),
        Verdict::WrongState => (
            RefusalCode::NotAllowedInState,
            format!("{} is not possible in this state", kind.as_str()),
        ),
        Verdict::WrongRole => (
            RefusalCode::NotPermitted,
            format!("your role may not {} this hazard", kind.as_str()),
        ),
        Verdict::Uncertified => (
            RefusalCode::CertificateNeeded,
            format!("{} needs a valid inspector's certificate", kind.as_str()),
        ),
    };
    let refusal = Refusal::new(code, &rule);
    Err(match current {
        Some(h) => refusal.in_state(h.status_name(), policy::allowed_actions(current, actor)),
        None => refusal,
    })
}

fn decide_on_existing(
    action: &Action,
    hazard: &Hazard,
    actor: &Actor,
    facts: &Facts,
) -> Result<Decision, Refusal> {
    let event = match action {
        Action::Report(_) => {
            return Err(Refusal::new(
                RefusalCode::AlreadyExists,
                "the hazard exists already",
            ));
        }
        Action::Amend(change) => return amend::decide(hazard, change, actor, facts),
        Action::AttachPhoto(attached) => {
            check_photos(
                Some(hazard),
                std::slice::from_ref(&attached.photo),
                "photo",
                facts,
            )?;
            HazardEvent::PhotoAttached {
                attached: attached.clone(),
            }
        }
        Action::Confirm(confirmation) => {
            return grading::confirm(confirmation, hazard, actor, facts).map(Decision::applied);
        }
        Action::Reject(rejection) => {
            text::required("reason", &rejection.reason, SHORT_TEXT_MAX)?;
            steps::require_at_work(hazard)?;
            HazardEvent::Rejected {
                rejection: rejection.clone(),
            }
        }
        Action::SubmitRectification(submission) => {
            check_submission(hazard, submission, facts)?;
            HazardEvent::RectificationSubmitted {
                submission: submission.clone(),
            }
        }
        Action::Reinspect(reinspection) => {
            return steps::reinspect(reinspection, hazard, actor, facts).map(Decision::applied);
        }
        Action::Close(closure) => {
            check_closure(hazard, closure, actor, facts)?;
            HazardEvent::Closed {
                closure: closure.clone(),
            }
        }
        Action::Reopen(reopening) => {
            text::required("reason", &reopening.reason, SHORT_TEXT_MAX)?;
            HazardEvent::Reopened {
                reopening: reopening.clone(),
            }
        }
        Action::SpotCheck(check) => return spot_check::decide(check, hazard, actor, facts),
        Action::Note(note) => {
            text::required("text", &note.text, LONG_TEXT_MAX)?;
            if hazard.notes.len() >= facts.limits.notes {
                return Err(limit("notes", facts.limits.notes));
            }
            HazardEvent::Noted { note: note.clone() }
        }
        Action::RecordPhotoLost(loss) => {
            text::required("reason", &loss.reason, SHORT_TEXT_MAX)?;
            require_awaited(hazard, &loss.sha256)?;
            HazardEvent::PhotoLost { loss: loss.clone() }
        }
        Action::Withdraw(withdrawal) => {
            text::required("reason", &withdrawal.reason, SHORT_TEXT_MAX)?;
            steps::require_at_work(hazard)?;
            HazardEvent::Withdrawn {
                withdrawal: withdrawal.clone(),
            }
        }
        // The policy table knows none of these: they act on inspections.
        Action::PlanInspection(_)
        | Action::StartInspection(_)
        | Action::RecordResults(_)
        | Action::LinkFinding(_)
        | Action::ConvertFinding(_)
        | Action::RecordAttendance(_)
        | Action::SignInspection(_)
        | Action::RecordRefusal(_)
        | Action::CompleteInspection(_)
        | Action::CancelInspection(_)
        | Action::SubmitSelfCheck(_)
        | Action::AttachInspectionPhoto(_)
        | Action::RecordInspectionPhotoLost(_)
        | Action::ChangeTeam(_)
        | Action::InspectionFollowEnterprise(_)
        | Action::ReceiveInspectionPhoto(_) => {
            let rule = "this is nothing that is done to a hazard";
            return Err(Refusal::new(RefusalCode::NotAllowedInState, rule));
        }
        Action::ReceivePhoto(receipt) => return decide_receipt(hazard, &receipt.sha256, action),
        Action::FollowEnterprise(change) if change.merged_from.is_some() => {
            // Whatever was filed in the dissolved one, also what another body handed to it.
            if change.merged_from != Some(hazard.jurisdiction_id) {
                return Ok(Decision {
                    events: Vec::new(),
                    outcome: Outcome::Applied,
                });
            }
            HazardEvent::JurisdictionMerged {
                change: change.clone(),
            }
        }
        Action::FollowEnterprise(change) => {
            // What another body took over, or is asked to, does not move with the enterprise.
            if change.jurisdiction_id == hazard.jurisdiction_id
                || hazard.taken_over
                || hazard.status_name() == StatusName::Transferred
            {
                return Ok(Decision {
                    events: Vec::new(),
                    outcome: Outcome::Applied,
                });
            }
            HazardEvent::EnterpriseFollowed {
                change: change.clone(),
            }
        }
        Action::RecomputeDeadline(_) => return Ok(steps::recompute_deadline(hazard, facts)),
        Action::DecideProposal(decision) => {
            return grading::decide_proposal(decision, hazard, actor, facts);
        }
        beside => return steps::beside(beside, hazard, actor, facts).map(Decision::applied),
    };
    Ok(Decision::applied(event))
}

/// A receipt is idempotent: two uploads of the same bytes may finish at once.
fn decide_receipt(hazard: &Hazard, sha256: &Digest, action: &Action) -> Result<Decision, Refusal> {
    let photo = hazard.photo(sha256).ok_or_else(unknown_photo)?;
    let events = match (&photo.state, action) {
        (PhotoState::Verified, _) => Vec::new(),
        (_, Action::ReceivePhoto(receipt)) => {
            vec![HazardEvent::PhotoVerified {
                receipt: receipt.clone(),
            }]
        }
        _ => Vec::new(),
    };
    Ok(Decision {
        events,
        outcome: Outcome::Applied,
    })
}
