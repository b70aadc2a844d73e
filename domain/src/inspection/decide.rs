//! The rules: given an inspection's state, a command and its author, either events or a refusal.

use std::collections::{BTreeMap, BTreeSet};

use super::checklists::Checklists;
use super::checks::{
    check_attached, check_attendees, check_completion, check_conversion, check_finding,
    check_not_afterwards, check_results, check_start, check_unplanned, leads_to_dispute,
    require_awaited, require_certificate, state_of, unknown_photo,
};
use super::policy::{self, Case, Verdict};
use super::setup::{check_setup, check_team, check_window};
use super::signing::{
    check_not_ran_out, check_refusal, check_seconds, check_signature, require_no_seconds,
};
use crate::access::Actor;
use crate::command::{
    Action, ActionKind, Command, InspectionKind, InspectionSetup, Origin, RecordResults,
    StartInspection, SubjectKind, SubmitSelfCheck,
};
use crate::hash::Digest;
use crate::hazard::{Outcome, PhotoState};
use crate::ids::{EnterpriseId, HazardId, InspectionId, JurisdictionId, PersonId};
use crate::inspection::{Inspection, InspectionEvent, InspectionEventRecord, InspectionLimits};
use crate::refusal::{Refusal, RefusalCode};
use crate::text::{self, SHORT_TEXT_MAX};
use crate::time::Timestamp;

/// Hazards that exist, each with its enterprise where that is known.
pub type NamedHazards = BTreeMap<HazardId, Option<EnterpriseId>>;

/// How much of the record whoever made a command could know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Knew {
    /// All of it, as it stands.
    #[default]
    All,
    /// What was there at their device's last contact, by the server's own time: no clock of theirs says it. Absent: their
    /// device tells of no contact.
    AsOf(Option<Timestamp>),
}

/// What the rules need to know beside the inspection itself.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The server's time (on a device: its own best estimate).
    pub now: Timestamp,
    /// When the command was made, as its device says.
    pub made_at: Option<Timestamp>,
    /// What its author could know of the inspection then.
    pub knew: Knew,
    /// Who answers for the place of a new inspection.
    pub jurisdiction_id: Option<JurisdictionId>,
    /// 监管行业 of the enterprise of a new inspection, when known.
    pub sector: Option<String>,
    /// Those of the hazards that the command names that exist; `None`: they were not looked up.
    pub hazards: Option<NamedHazards>,
    /// The editions of checklists that were looked up.
    pub checklists: Checklists,
    /// The others who signed the same command, each as an actor over this inspection. Their signatures
    /// were checked (on a device: taken on trust, the server checks).
    pub seconds: Vec<Actor>,
    /// Whose certificate, of the author and the others, was valid when the command was made and is not at `now`.
    pub ran_out: BTreeSet<PersonId>,
    /// Limits in force.
    pub limits: InspectionLimits,
}

/// What an accepted command does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What happens, in order.
    pub events: Vec<InspectionEvent>,
    /// How its author should read it: `Merged` where another person found otherwise.
    pub outcome: Outcome,
}

/// The hazards that an action names.
pub fn hazards_named(action: &Action) -> Vec<HazardId> {
    match action {
        Action::LinkFinding(finding) => finding.hazard_id.into_iter().collect(),
        Action::ConvertFinding(conversion) => vec![conversion.hazard_id],
        Action::SubmitSelfCheck(check) => {
            let findings = check.findings.iter();
            findings.filter_map(|finding| finding.hazard_id).collect()
        }
        _ => Vec::new(),
    }
}

/// What a command that may begin an inspection says of it.
pub fn setup_of(action: &Action) -> Option<&InspectionSetup> {
    match action {
        Action::PlanInspection(plan) => Some(&plan.setup),
        Action::StartInspection(start) => start.setup.as_ref(),
        Action::SubmitSelfCheck(check) => check.start.setup.as_ref(),
        _ => None,
    }
}

/// Whether a command begins an inspection, rather than going on with one.
pub fn begins(action: &Action) -> bool {
    setup_of(action).is_some()
}

/// Decides on one command. `current` is the inspection as it stands, `None` when there is none.
///
/// # Errors
/// A [`Refusal`] that names the rule, the state it met and what this actor could do instead.
pub fn decide(
    current: Option<&Inspection>,
    command: &Command,
    actor: &Actor,
    facts: &Facts,
) -> Result<Decision, Refusal> {
    let kind = command.action.kind();
    let told = |refusal: Refusal| match current {
        Some(inspection) => {
            let mut allowed = policy::allowed_actions(inspection, actor);
            if !refusal.code.is_about_the_content() {
                allowed.retain(|other| *other != kind);
            }
            refusal.in_inspection_state(inspection.state(), allowed)
        }
        None => refusal,
    };
    if actor.is_outside() {
        let rule = "you hold no role over this inspection";
        return Err(Refusal::new(RefusalCode::OutOfScope, rule));
    }
    check_policy(current, command, actor).map_err(told)?;
    if kind != ActionKind::SignInspection {
        require_no_seconds(facts).map_err(told)?;
    }
    let step = Step {
        id: InspectionId(command.subject_id.0),
        actor,
        facts,
    };
    let (events, outcome) = match current {
        None => (step.begin(&command.action).map_err(told)?, Outcome::Applied),
        Some(inspection) => step.go_on(inspection, &command.action).map_err(told)?,
    };
    Ok(Decision { events, outcome })
}

fn check_policy(
    current: Option<&Inspection>,
    command: &Command,
    actor: &Actor,
) -> Result<(), Refusal> {
    let kind = command.action.kind();
    let setup = setup_of(&command.action);
    let case = match (current, setup) {
        (Some(_), Some(_)) => {
            let rule = "an inspection with this id exists already";
            return Err(Refusal::new(RefusalCode::AlreadyExists, rule));
        }
        (Some(inspection), None) => Case::of(inspection, actor),
        (None, Some(setup)) => Case {
            state: state_of(current),
            kind: setup.kind,
            on_team: actor.person_id().is_some_and(|person| {
                let mut team = setup.team.iter();
                team.any(|member| member.person_id == person)
            }),
        },
        (None, None) => return Err(not_found()),
    };
    let (code, rule) = match policy::verdict(kind, case, actor) {
        Verdict::Allowed => return Ok(()),
        Verdict::WrongState => (
            RefusalCode::NotAllowedInState,
            format!("{} is not possible in this state", kind.as_str()),
        ),
        Verdict::WrongRole => (
            RefusalCode::NotPermitted,
            format!("your role may not {} here", kind.as_str()),
        ),
        Verdict::NotOnTeam => (
            RefusalCode::NotOnTeam,
            "you are not one of those who carry out this inspection".to_owned(),
        ),
    };
    Err(Refusal::new(code, &rule))
}

fn not_found() -> Refusal {
    Refusal::new(RefusalCode::NotFound, "there is no such inspection")
}

/// One command by one actor.
struct Step<'a> {
    id: InspectionId,
    actor: &'a Actor,
    facts: &'a Facts,
}

impl Step<'_> {
    fn begin(&self, action: &Action) -> Result<Vec<InspectionEvent>, Refusal> {
        if !self.id.is_version_7() {
            return Err(Refusal::invalid_field("id", "must be a UUID of version 7"));
        }
        let Some(setup) = setup_of(action) else {
            return Err(not_found());
        };
        check_setup(setup, "setup", self.facts)?;
        if !matches!(action, Action::PlanInspection(_)) {
            check_unplanned(setup)?;
        }
        let jurisdiction_id = self.facts.jurisdiction_id.ok_or_else(|| {
            Refusal::new(
                RefusalCode::JurisdictionUnknown,
                "name an enterprise, or a position inside a known jurisdiction",
            )
        })?;
        match action {
            Action::PlanInspection(plan) => {
                check_window(plan, self.facts)?;
                Ok(vec![InspectionEvent::Planned {
                    plan: plan.clone(),
                    jurisdiction_id,
                    sector: self.facts.sector.clone(),
                }])
            }
            Action::StartInspection(start) => {
                require_certificate(setup.kind, self.actor)?;
                check_start(start, setup.kind, self.facts)?;
                Ok(vec![self.started(start, Some(jurisdiction_id))])
            }
            Action::SubmitSelfCheck(check) => {
                self.whole_self_check(None, check, Some(jurisdiction_id))
            }
            _ => Err(not_found()),
        }
    }

    fn go_on(
        &self,
        inspection: &Inspection,
        action: &Action,
    ) -> Result<(Vec<InspectionEvent>, Outcome), Refusal> {
        let facts = self.facts;
        let mut outcome = Outcome::Applied;
        let event = match action {
            Action::StartInspection(start) => {
                require_certificate(inspection.kind, self.actor)?;
                check_start(start, inspection.kind, facts)?;
                self.started(start, None)
            }
            Action::SubmitSelfCheck(check) => {
                let events = self.whole_self_check(Some(inspection), check, None)?;
                return Ok((events, outcome));
            }
            Action::RecordResults(results) => {
                check_not_afterwards(inspection, facts)?;
                check_results(inspection, &results.results, facts)?;
                if leads_to_dispute(inspection, &results.results, self.actor) {
                    outcome = Outcome::Merged;
                }
                InspectionEvent::ResultsRecorded {
                    results: results.clone(),
                }
            }
            Action::LinkFinding(finding) => {
                check_not_afterwards(inspection, facts)?;
                check_finding(inspection, finding, facts)?;
                InspectionEvent::FindingLinked {
                    finding: finding.clone(),
                }
            }
            Action::ConvertFinding(conversion) => {
                check_conversion(inspection, conversion, facts)?;
                InspectionEvent::FindingConverted {
                    conversion: conversion.clone(),
                }
            }
            Action::SignInspection(signing) => {
                check_signature(inspection, signing, self.actor, facts)?;
                check_not_ran_out(inspection, signing, self.actor, facts)?;
                InspectionEvent::Signed {
                    signing: signing.clone(),
                    certified: self.actor.is_certified(),
                    seconds: check_seconds(inspection, facts)?,
                }
            }
            Action::CompleteInspection(completion) => {
                require_certificate(inspection.kind, self.actor)?;
                check_completion(inspection, completion, facts)?;
                InspectionEvent::Completed {
                    completion: completion.clone(),
                    photos_awaited: awaited(inspection),
                }
            }
            own if own.kind().is_servers_own() => {
                let event = by_the_server(inspection, own)?;
                return Ok((event.into_iter().collect(), outcome));
            }
            other => self.record_of_the_visit(inspection, other)?,
        };
        Ok((vec![event], outcome))
    }

    /// What changes neither results nor state.
    fn record_of_the_visit(
        &self,
        inspection: &Inspection,
        action: &Action,
    ) -> Result<InspectionEvent, Refusal> {
        let facts = self.facts;
        Ok(match action {
            Action::RecordAttendance(attendance) => {
                check_attendees(Some(inspection), &attendance.attendees, facts)?;
                InspectionEvent::AttendanceRecorded {
                    attendance: attendance.clone(),
                }
            }
            Action::RecordRefusal(refusal) => {
                check_refusal(refusal, facts)?;
                InspectionEvent::SigningRefused {
                    refusal: refusal.clone(),
                }
            }
            Action::CancelInspection(cancellation) => {
                text::required("reason", &cancellation.reason, SHORT_TEXT_MAX)?;
                InspectionEvent::Cancelled {
                    cancellation: cancellation.clone(),
                }
            }
            Action::ChangeTeam(change) => {
                text::required("reason", &change.reason, SHORT_TEXT_MAX)?;
                check_team(inspection.kind, &change.team, "team", facts)?;
                InspectionEvent::TeamChanged {
                    change: change.clone(),
                }
            }
            Action::AttachInspectionPhoto(attached) => {
                check_attached(inspection, attached, facts)?;
                InspectionEvent::PhotoAttached {
                    attached: attached.clone(),
                }
            }
            Action::RecordInspectionPhotoLost(loss) => {
                text::required("reason", &loss.reason, SHORT_TEXT_MAX)?;
                require_awaited(inspection, &loss.sha256)?;
                InspectionEvent::PhotoLost { loss: loss.clone() }
            }
            other => return Err(not_of_inspections(other.kind())),
        })
    }

    /// Begun, recorded and completed in one go: every step is judged on what the one before made.
    fn whole_self_check(
        &self,
        planned: Option<&Inspection>,
        check: &SubmitSelfCheck,
        jurisdiction_id: Option<JurisdictionId>,
    ) -> Result<Vec<InspectionEvent>, Refusal> {
        let facts = self.facts;
        check_start(&check.start, InspectionKind::SelfCheck, facts)?;
        let mut events = vec![self.started(&check.start, jurisdiction_id)];
        let mut draft = self.after(planned, &events).ok_or_else(not_found)?;
        if !check.results.is_empty() {
            check_results(&draft, &check.results, facts)?;
            let results = RecordResults {
                results: check.results.clone(),
            };
            let event = InspectionEvent::ResultsRecorded { results };
            draft.apply(&self.record(&draft, event.clone()));
            events.push(event);
        }
        for (index, finding) in check.findings.iter().enumerate() {
            check_finding(&draft, finding, facts).map_err(|refusal| Refusal {
                field: refusal
                    .field
                    .map(|field| format!("findings[{index}].{field}")),
                ..refusal
            })?;
            let finding = finding.clone();
            let event = InspectionEvent::FindingLinked { finding };
            draft.apply(&self.record(&draft, event.clone()));
            events.push(event);
        }
        check_completion(&draft, &check.completion, facts)?;
        events.push(InspectionEvent::Completed {
            completion: check.completion.clone(),
            photos_awaited: awaited(&draft),
        });
        Ok(events)
    }

    fn started(
        &self,
        start: &StartInspection,
        jurisdiction_id: Option<JurisdictionId>,
    ) -> InspectionEvent {
        let sector = self.facts.sector.clone();
        InspectionEvent::Started {
            start: start.clone(),
            jurisdiction_id,
            sector: sector.filter(|_| jurisdiction_id.is_some()),
        }
    }

    fn after(
        &self,
        current: Option<&Inspection>,
        events: &[InspectionEvent],
    ) -> Option<Inspection> {
        let mut draft = current.cloned();
        for event in events {
            match &mut draft {
                Some(draft) => {
                    let record = self.record(draft, event.clone());
                    draft.apply(&record);
                }
                None => {
                    let record = self.numbered(1, event.clone());
                    draft = Inspection::begin(&record);
                }
            }
        }
        draft
    }

    fn record(&self, on: &Inspection, event: InspectionEvent) -> InspectionEventRecord {
        self.numbered(on.version.saturating_add(1), event)
    }

    fn numbered(&self, seq: i64, event: InspectionEvent) -> InspectionEventRecord {
        InspectionEventRecord {
            inspection_id: self.id,
            seq,
            actor_id: self.actor.person_id(),
            recorded_at: self.facts.now,
            origin: Origin::DIRECT,
            event,
        }
    }
}

fn awaited(inspection: &Inspection) -> u32 {
    u32::try_from(inspection.photos_awaited()).unwrap_or(u32::MAX)
}

/// What the server itself notes; nothing where that changes nothing.
fn by_the_server(
    inspection: &Inspection,
    action: &Action,
) -> Result<Option<InspectionEvent>, Refusal> {
    Ok(match action {
        Action::ReceiveInspectionPhoto(receipt) => {
            receive(inspection, &receipt.sha256)?.then(|| InspectionEvent::PhotoVerified {
                receipt: receipt.clone(),
            })
        }
        Action::InspectionFollowEnterprise(change) if change.merged_from.is_some() => {
            let there = change.merged_from == Some(inspection.jurisdiction_id);
            there.then(|| InspectionEvent::JurisdictionMerged {
                change: change.clone(),
            })
        }
        Action::InspectionFollowEnterprise(change) => {
            let elsewhere = change.jurisdiction_id != inspection.jurisdiction_id;
            elsewhere.then(|| InspectionEvent::EnterpriseFollowed {
                change: change.clone(),
            })
        }
        other => return Err(not_of_inspections(other.kind())),
    })
}

/// Whether the receipt changes anything: two uploads of the same bytes may finish at once.
fn receive(inspection: &Inspection, sha256: &Digest) -> Result<bool, Refusal> {
    let photo = inspection.photo(sha256).ok_or_else(unknown_photo)?;
    Ok(photo.state != PhotoState::Verified)
}

fn not_of_inspections(kind: ActionKind) -> Refusal {
    debug_assert!(kind.subject() != SubjectKind::Inspection);
    let rule = format!("{} is nothing that is done to an inspection", kind.as_str());
    Refusal::new(RefusalCode::NotAllowedInState, &rule)
}
