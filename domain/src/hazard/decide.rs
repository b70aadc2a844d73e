//! The rules: given a hazard's state, a command and its author, either events or a refusal.

use crate::access::Actor;
use crate::command::{
    Action, ActionKind, Amend, Command, Confirm, Grade, PhotoRef, Reinspect, Report,
    SubmitRectification,
};
use crate::hash::Digest;
use crate::hazard::{FieldName, Hazard, HazardEvent, PhotoState, Status};
use crate::ids::JurisdictionId;
use crate::policy::{self, Verdict};
use crate::refusal::{Refusal, RefusalCode};
use crate::text::{self, LONG_TEXT_MAX, SHORT_TEXT_MAX};
use crate::time::{LocalDate, Timestamp};

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
        Self { events: vec![event], outcome: Outcome::Applied }
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
        (Action::Report(report), None) => decide_report(command, report, facts),
        (_, None) => Err(Refusal::new(RefusalCode::NotFound, "there is no such hazard")),
        (action, Some(hazard)) => decide_on_existing(action, hazard, actor, facts),
    };
    decision.map_err(|refusal| match current {
        Some(hazard) => {
            let mut allowed = policy::allowed_actions(current, actor);
            if refusal.code != RefusalCode::InvalidField {
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
        return Err(Refusal::new(RefusalCode::OutOfScope, "you hold no role over this hazard"));
    }
    if current.is_none() && kind != ActionKind::Report {
        return Err(Refusal::new(RefusalCode::NotFound, "there is no such hazard"));
    }
    if current.is_some() && kind == ActionKind::Report {
        return Err(Refusal::new(
            RefusalCode::AlreadyExists,
            "a hazard with this id has been reported already",
        ));
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
        Verdict::WrongRole => {
            (RefusalCode::NotPermitted, format!("your role may not {} this hazard", kind.as_str()))
        }
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
            return Err(Refusal::new(RefusalCode::AlreadyExists, "the hazard exists already"));
        }
        Action::Amend(change) => return decide_amend(hazard, change, facts),
        Action::AttachPhoto(attached) => {
            check_photos(Some(hazard), std::slice::from_ref(&attached.photo), "photo", facts)?;
            HazardEvent::PhotoAttached { attached: attached.clone() }
        }
        Action::Confirm(confirmation) => {
            check_confirmation(confirmation, facts)?;
            HazardEvent::Confirmed { confirmation: confirmation.clone() }
        }
        Action::Reject(rejection) => {
            text::required("reason", &rejection.reason, SHORT_TEXT_MAX)?;
            HazardEvent::Rejected { rejection: rejection.clone() }
        }
        Action::SubmitRectification(submission) => {
            check_submission(hazard, submission, facts)?;
            HazardEvent::RectificationSubmitted { submission: submission.clone() }
        }
        Action::Reinspect(reinspection) => {
            check_reinspection(hazard, reinspection, actor, facts)?;
            HazardEvent::Reinspected { reinspection: reinspection.clone() }
        }
        Action::Close(closure) => {
            text::required("opinion", &closure.opinion, LONG_TEXT_MAX)?;
            check_closure(hazard, actor)?;
            HazardEvent::Closed { closure: closure.clone() }
        }
        Action::Reopen(reopening) => {
            text::required("reason", &reopening.reason, SHORT_TEXT_MAX)?;
            HazardEvent::Reopened { reopening: reopening.clone() }
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
        Action::ReceivePhoto(receipt) => return decide_receipt(hazard, &receipt.sha256, action),
        Action::FollowEnterprise(change) => {
            if change.jurisdiction_id == hazard.jurisdiction_id {
                return Ok(Decision { events: Vec::new(), outcome: Outcome::Applied });
            }
            HazardEvent::EnterpriseFollowed { change: change.clone() }
        }
    };
    Ok(Decision::applied(event))
}

fn decide_report(command: &Command, report: &Report, facts: &Facts) -> Result<Decision, Refusal> {
    if !command.hazard_id.is_version_7() {
        return Err(Refusal::invalid_field("id", "must be a UUID of version 7"));
    }
    text::required("description", &report.description, LONG_TEXT_MAX)?;
    text::required("place_text", &report.place_text, SHORT_TEXT_MAX)?;
    text::optional("immediate_measure", report.immediate_measure.as_deref(), LONG_TEXT_MAX)?;
    text::optional("no_photo_reason", report.no_photo_reason.as_deref(), SHORT_TEXT_MAX)?;
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
    Ok(Decision::applied(HazardEvent::Reported { report: report.clone(), jurisdiction_id }))
}

fn decide_amend(hazard: &Hazard, change: &Amend, facts: &Facts) -> Result<Decision, Refusal> {
    if let Some(description) = &change.description {
        text::required("description", description, LONG_TEXT_MAX)?;
    }
    if let Some(place_text) = &change.place_text {
        text::required("place_text", place_text, SHORT_TEXT_MAX)?;
    }
    text::optional("immediate_measure", change.immediate_measure.as_deref(), LONG_TEXT_MAX)?;
    let fields = change.fields();
    if fields.is_empty() {
        return Err(Refusal::invalid_field("fields", "must name at least one field to change"));
    }
    if change.based_on < 1 || change.based_on > hazard.version {
        return Err(Refusal::invalid_field("based_on", "is not a version of this record"));
    }
    let jurisdiction_id = match change.enterprise_id {
        Some(_) => Some(facts.jurisdiction_id.ok_or_else(no_jurisdiction)?),
        None => None,
    };
    let in_dispute = |field: FieldName| {
        hazard.field_version(field) > change.based_on && !hazard.already_says(change, field)
    };
    let disputed: Vec<_> = fields.iter().copied().filter(|field| in_dispute(*field)).collect();
    let mut events = Vec::new();
    if fields.len() > disputed.len() {
        let change = change.only(|field| !in_dispute(field));
        let jurisdiction_id = jurisdiction_id.filter(|_| change.enterprise_id.is_some());
        events.push(HazardEvent::Amended { change, jurisdiction_id });
    }
    if disputed.is_empty() {
        let seen = change.based_on == hazard.version;
        let outcome = if seen { Outcome::Applied } else { Outcome::Merged };
        return Ok(Decision { events, outcome });
    }
    if hazard.disputed.len() + disputed.len() > facts.limits.disputes {
        return Err(limit("disputed fields", facts.limits.disputes));
    }
    let change = change.only(in_dispute);
    events.push(HazardEvent::AmendmentDisputed { change, fields: disputed.clone() });
    Ok(Decision { events, outcome: Outcome::Disputed(disputed) })
}

/// A receipt is idempotent: two uploads of the same bytes may finish at once.
fn decide_receipt(hazard: &Hazard, sha256: &Digest, action: &Action) -> Result<Decision, Refusal> {
    let photo = hazard.photo(sha256).ok_or_else(unknown_photo)?;
    let events = match (&photo.state, action) {
        (PhotoState::Verified, _) => Vec::new(),
        (_, Action::ReceivePhoto(receipt)) => {
            vec![HazardEvent::PhotoVerified { receipt: receipt.clone() }]
        }
        _ => Vec::new(),
    };
    Ok(Decision { events, outcome: Outcome::Applied })
}

fn check_confirmation(confirm: &Confirm, facts: &Facts) -> Result<(), Refusal> {
    text::required("responsible_person", &confirm.responsible_person, SHORT_TEXT_MAX)?;
    text::required("requirement", &confirm.requirement, LONG_TEXT_MAX)?;
    text::optional("basis", confirm.basis.as_deref(), LONG_TEXT_MAX)?;
    if let Some(criterion) = &confirm.criterion {
        text::required("criterion.code", &criterion.code, SHORT_TEXT_MAX)?;
    }
    if confirm.grade == Grade::Major
        && confirm.criterion.is_none()
        && is_blank(confirm.basis.as_deref())
    {
        return Err(Refusal::new(
            RefusalCode::CriterionRequired,
            "a major hazard names a criterion with its edition, or a basis in words",
        ));
    }
    check_due_date("due_date", confirm.due_date, facts)
}

fn check_submission(
    hazard: &Hazard,
    submission: &SubmitRectification,
    facts: &Facts,
) -> Result<(), Refusal> {
    text::required("measures", &submission.measures, LONG_TEXT_MAX)?;
    check_claimed_time("completed_at", submission.completed_at, facts)?;
    check_photos(Some(hazard), &submission.photos, "photos", facts)?;
    if submission.photos.is_empty() {
        return Err(Refusal::new(
            RefusalCode::PhotoRequired,
            "a rectification shows at least one photo taken after it",
        ));
    }
    Ok(())
}

fn check_reinspection(
    hazard: &Hazard,
    reinspection: &Reinspect,
    actor: &Actor,
    facts: &Facts,
) -> Result<(), Refusal> {
    text::required("opinion", &reinspection.opinion, LONG_TEXT_MAX)?;
    check_photos(Some(hazard), &reinspection.photos, "photos", facts)?;
    if let Some(date) = reinspection.new_due_date {
        if reinspection.passed {
            return Err(Refusal::invalid_field("new_due_date", "goes with a return, not a pass"));
        }
        check_due_date("new_due_date", date, facts)?;
    }
    let Status::PendingReinspection { submission, .. } = &hazard.status else {
        return Err(Refusal::new(RefusalCode::NotAllowedInState, "nothing was submitted"));
    };
    require_not_submitter(submission.submitted_by, actor)?;
    let again = actor.person_id().is_some_and(|id| submission.passed_by.contains(&id));
    if again && reinspection.passed {
        return Err(Refusal::new(
            RefusalCode::SamePerson,
            "you have passed this submission already; another inspector must",
        ));
    }
    Ok(())
}

fn check_closure(hazard: &Hazard, actor: &Actor) -> Result<(), Refusal> {
    let Status::PendingReinspection { submission, .. } = &hazard.status else {
        return Err(Refusal::new(RefusalCode::NotAllowedInState, "nothing was submitted"));
    };
    require_not_submitter(submission.submitted_by, actor)?;
    let needed = hazard.passes_needed();
    let passed = submission.passed_by.len();
    if passed < needed {
        return Err(Refusal::new(
            RefusalCode::TooFewReinspections,
            &format!("closure needs {needed} passed re-inspection(s) by different inspectors, there are {passed}"),
        ));
    }
    match hazard.photos_awaited() {
        0 => Ok(()),
        missing => Err(Refusal::new(
            RefusalCode::PhotosAwaited,
            &format!("{missing} photo(s) that the record names have not arrived"),
        )),
    }
}

fn require_not_submitter(submitter: crate::ids::PersonId, actor: &Actor) -> Result<(), Refusal> {
    if actor.person_id() == Some(submitter) {
        return Err(Refusal::new(
            RefusalCode::SamePerson,
            "whoever submitted the rectification may not pass or close it",
        ));
    }
    Ok(())
}

fn require_awaited(hazard: &Hazard, sha256: &Digest) -> Result<(), Refusal> {
    let photo = hazard.photo(sha256).ok_or_else(unknown_photo)?;
    if photo.state == PhotoState::AwaitingPhoto {
        return Ok(());
    }
    Err(Refusal::invalid_field("sha256", "names a photo that is not awaited"))
}

fn check_photos(
    hazard: Option<&Hazard>,
    photos: &[PhotoRef],
    field: &str,
    facts: &Facts,
) -> Result<(), Refusal> {
    let present = hazard.map_or(0, |hazard| hazard.photos.len());
    if present + photos.len() > facts.limits.photos {
        return Err(limit("photos", facts.limits.photos));
    }
    for (index, photo) in photos.iter().enumerate() {
        let at = |part: &str| format!("{field}[{index}].{part}");
        if photo.size == 0 || photo.size > facts.limits.photo_bytes {
            let most = facts.limits.photo_bytes;
            return Err(Refusal::invalid_field(&at("size"), &format!("must be 1 to {most} bytes")));
        }
        if !matches!(photo.media_type.as_str(), "image/jpeg" | "image/png" | "image/webp") {
            return Err(Refusal::invalid_field(
                &at("media_type"),
                "must be image/jpeg, image/png or image/webp",
            ));
        }
        let earlier = photos.iter().take(index).any(|other| other.sha256 == photo.sha256);
        if earlier || hazard.is_some_and(|hazard| hazard.photo(&photo.sha256).is_some()) {
            return Err(Refusal::invalid_field(&at("sha256"), "names a photo that is already there"));
        }
        if let Some(taken_at) = photo.taken_at {
            check_claimed_time(&at("taken_at"), taken_at, facts)?;
        }
    }
    Ok(())
}

/// A claimed time must lie in this century and not absurdly far ahead: clocks in the field are
/// wrong, so a wrong one is evidence to keep, not a reason to lose a report.
fn check_claimed_time(field: &str, at: Timestamp, facts: &Facts) -> Result<(), Refusal> {
    if !at.is_plausible() || at > facts.now.plus_millis(facts.limits.clock_ahead_ms) {
        return Err(Refusal::invalid_field(field, "is not a plausible time"));
    }
    Ok(())
}

/// The due date may not lie before the day on which the step was taken (offline: as its device
/// says), nor further ahead than the limit.
fn check_due_date(field: &str, due: LocalDate, facts: &Facts) -> Result<(), Refusal> {
    let made = facts.made_at.filter(|at| at.is_plausible()).unwrap_or(facts.now).min(facts.now);
    let latest = facts.now.plus_millis(facts.limits.due_days.saturating_mul(86_400_000));
    if due < made.shanghai_date() || due > latest.shanghai_date() {
        return Err(Refusal {
            field: Some(field.to_owned()),
            ..Refusal::new(
                RefusalCode::DueDateOutOfRange,
                &format!("{field} lies in the past or more than {} days ahead", facts.limits.due_days),
            )
        });
    }
    Ok(())
}

fn is_blank(text: Option<&str>) -> bool {
    text.is_none_or(|text| text.trim().is_empty())
}

fn limit(what: &str, most: usize) -> Refusal {
    Refusal::new(RefusalCode::LimitReached, &format!("one hazard has at most {most} {what}"))
}

fn no_jurisdiction() -> Refusal {
    Refusal::new(
        RefusalCode::JurisdictionUnknown,
        "name an enterprise, or a position inside a known jurisdiction",
    )
}

fn unknown_photo() -> Refusal {
    Refusal::new(RefusalCode::PhotoUnknown, "the record names no such photo")
}
