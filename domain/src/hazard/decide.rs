//! The rules: given a hazard's state, a command and its author, either events or a refusal.

use super::checks::{
    check_claimed_time, check_closure, check_confirmation, check_photos, check_reinspection,
    check_submission, is_blank, limit, no_jurisdiction, require_awaited, unknown_photo,
};
use crate::access::{Actor, Role};
use crate::command::{Action, ActionKind, Amend, Command, Grade, Report, Source};
use crate::hash::Digest;
use crate::hazard::{FieldName, Hazard, HazardEvent, PhotoState};
use crate::ids::JurisdictionId;
use crate::policy::{self, Verdict};
use crate::refusal::{Refusal, RefusalCode};
use crate::text::{self, LONG_TEXT_MAX, SHORT_TEXT_MAX};
use crate::time::Timestamp;

/// Counts and sizes that one hazard may reach. Configuration; these are the defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Photos of one hazard.
    pub photos: usize,
    /// Notes of one hazard.
    pub notes: usize,
    /// Fields in dispute at once.
    pub disputes: usize,
    /// Bytes of one photo.
    pub photo_bytes: u64,
    /// Days from the present to the latest due date.
    pub due_days: i64,
    /// How far a claimed time may lie ahead of the server's, milliseconds.
    pub clock_ahead_ms: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            photos: 60,
            notes: 500,
            disputes: 50,
            photo_bytes: 64 * 1024 * 1024,
            due_days: 730,
            clock_ahead_ms: 366 * 86_400_000,
        }
    }
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
    /// Limits in force.
    pub limits: Limits,
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
    fn applied(event: HazardEvent) -> Self {
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
            if !refusal.code.is_about_the_content() {
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
        Action::Amend(change) => return decide_amend(hazard, change, facts),
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
            check_confirmation(confirmation, facts)?;
            HazardEvent::Confirmed {
                confirmation: confirmation.clone(),
            }
        }
        Action::Reject(rejection) => {
            text::required("reason", &rejection.reason, SHORT_TEXT_MAX)?;
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
            check_reinspection(hazard, reinspection, actor, facts)?;
            HazardEvent::Reinspected {
                reinspection: reinspection.clone(),
            }
        }
        Action::Close(closure) => {
            text::required("opinion", &closure.opinion, LONG_TEXT_MAX)?;
            check_closure(hazard, actor)?;
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
            HazardEvent::Withdrawn {
                withdrawal: withdrawal.clone(),
            }
        }
        Action::ReceivePhoto(receipt) => return decide_receipt(hazard, &receipt.sha256, action),
        Action::FollowEnterprise(change) => {
            if change.jurisdiction_id == hazard.jurisdiction_id {
                return Ok(Decision {
                    events: Vec::new(),
                    outcome: Outcome::Applied,
                });
            }
            HazardEvent::EnterpriseFollowed {
                change: change.clone(),
            }
        }
    };
    Ok(Decision::applied(event))
}

fn decide_report(
    command: &Command,
    report: &Report,
    actor: &Actor,
    facts: &Facts,
) -> Result<Decision, Refusal> {
    if !command.subject_id.is_version_7() {
        return Err(Refusal::invalid_field("id", "must be a UUID of version 7"));
    }
    check_source(report.source, actor)?;
    text::required("description", &report.description, LONG_TEXT_MAX)?;
    text::required("place_text", &report.place_text, SHORT_TEXT_MAX)?;
    text::optional(
        "immediate_measure",
        report.immediate_measure.as_deref(),
        LONG_TEXT_MAX,
    )?;
    text::optional(
        "no_photo_reason",
        report.no_photo_reason.as_deref(),
        SHORT_TEXT_MAX,
    )?;
    if let Some(criterion) = &report.criterion {
        text::required("criterion.code", &criterion.code, SHORT_TEXT_MAX)?;
    }
    check_claimed_time("found_at", report.found_at, facts)?;
    check_photos(None, &report.photos, "photos", facts)?;
    if report.photos.is_empty() && is_blank(report.no_photo_reason.as_deref()) {
        return Err(Refusal::new(
            RefusalCode::PhotoRequired,
            "a report needs a photo, or no_photo_reason says why there is none",
        ));
    }
    let jurisdiction_id = facts.jurisdiction_id.ok_or_else(no_jurisdiction)?;
    Ok(Decision::applied(HazardEvent::Reported {
        report: report.clone(),
        jurisdiction_id,
    }))
}

/// "Found by the enterprise itself" opens the enterprise's own path to closure and counts in its
/// favour: only its own people may say it, and only others may say that others found it.
fn check_source(source: Source, actor: &Actor) -> Result<(), Refusal> {
    let of_enterprise = Role::ALL.map(|role| (role, role.is_of_enterprise()));
    let fits = of_enterprise.iter().any(|(role, of_enterprise)| {
        *of_enterprise == source.is_self_found() && actor.is_any_of(&[*role])
    });
    if fits {
        return Ok(());
    }
    Err(Refusal::invalid_field(
        "source",
        "does not fit your role: who found it decides the source",
    ))
}

fn decide_amend(hazard: &Hazard, change: &Amend, facts: &Facts) -> Result<Decision, Refusal> {
    if let Some(description) = &change.description {
        text::required("description", description, LONG_TEXT_MAX)?;
    }
    if let Some(place_text) = &change.place_text {
        text::required("place_text", place_text, SHORT_TEXT_MAX)?;
    }
    text::optional(
        "immediate_measure",
        change.immediate_measure.as_deref(),
        LONG_TEXT_MAX,
    )?;
    let fields = change.fields();
    if fields.is_empty() {
        return Err(Refusal::invalid_field(
            "fields",
            "must name at least one field to change",
        ));
    }
    if change.based_on < 1 || change.based_on > hazard.version {
        return Err(Refusal::invalid_field(
            "based_on",
            "is not a version of this record",
        ));
    }
    let jurisdiction_id = match change.enterprise_id {
        Some(_) => Some(facts.jurisdiction_id.ok_or_else(no_jurisdiction)?),
        None => None,
    };
    let in_dispute = |field: FieldName| {
        hazard.field_version(field) > change.based_on && !hazard.already_says(change, field)
    };
    let disputed: Vec<_> = fields
        .iter()
        .copied()
        .filter(|field| in_dispute(*field))
        .collect();
    let mut events = Vec::new();
    if fields.len() > disputed.len() {
        let change = change.only(|field| !in_dispute(field));
        let jurisdiction_id = jurisdiction_id.filter(|_| change.enterprise_id.is_some());
        events.push(HazardEvent::Amended {
            change,
            jurisdiction_id,
        });
    }
    if disputed.is_empty() {
        let seen = change.based_on == hazard.version;
        let outcome = if seen {
            Outcome::Applied
        } else {
            Outcome::Merged
        };
        return Ok(Decision { events, outcome });
    }
    if hazard.disputed.len() + disputed.len() > facts.limits.disputes {
        return Err(limit("disputed fields", facts.limits.disputes));
    }
    let change = change.only(in_dispute);
    events.push(HazardEvent::AmendmentDisputed {
        change,
        fields: disputed.clone(),
    });
    Ok(Decision {
        events,
        outcome: Outcome::Disputed(disputed),
    })
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
