//! Tests of inspections: people, commands and a record that real commands have made.

mod checklists;
mod document;
mod input;
mod properties;
mod signing;
mod story;
mod table;

use std::collections::BTreeSet;

use crate::access::{Actor, Role};
use crate::command::{
    Action, AttachPhoto, Attendee, AttendeeRole, Cadence, CancelInspection, ChangeTeam,
    CheckResult, ChecklistRef, Command, CompleteInspection, ConvertFinding, FollowEnterprise,
    Handling, InspectionKind, InspectionSetup, ItemOutcome, ItemRef, LinkFinding, Origin,
    PhotoKind, PhotoRef, PlanInspection, ReceivePhoto, RecordAttendance, RecordPhotoLost,
    RecordRefusal, RecordResults, SignInspection, SignerRole, StartInspection, SubmitSelfCheck,
    TeamMember, VisitPart,
};
use crate::hash::Digest;
use crate::hazard::Outcome;
use crate::ids::{EnterpriseId, FindingId, HazardId, InspectionId, JurisdictionId, PersonId};
use crate::inspection::{
    Checklists, Facts, Inspection, InspectionEvent, InspectionEventRecord, InspectionLimits,
    InspectionState, InspectionStatus, Knew, decide,
};
use crate::refusal::{Refusal, RefusalCode};
use crate::time::{LocalDate, Timestamp};
use InspectionKind as K;
use InspectionState as S;
use uuid::Uuid;

/// 2026-11-22 09:00 in Shanghai.
const NOW: Timestamp = Timestamp::from_millis(1_795_309_200_000);
const ID: InspectionId = InspectionId(Uuid::from_u128(0x019a_b000_0000_7000_8000_0000_0000_00aa));
const FIRM: EnterpriseId = EnterpriseId(Uuid::from_u128(0xe1));
const TOWN: JurisdictionId = JurisdictionId(Uuid::from_u128(0x71));
const OTHER_TOWN: JurisdictionId = JurisdictionId(Uuid::from_u128(0x72));

/// One of several people who hold `role`; the same number is the same person.
fn person(role: Role, number: u128) -> Actor {
    let id = (role as u128 + 1) * 1_000 + number;
    Actor::Person {
        person_id: PersonId(Uuid::from_u128(id)),
        roles: vec![role],
        certified: role == Role::Inspector,
    }
}

fn id_of(actor: &Actor) -> PersonId {
    actor.person_id().unwrap()
}

fn inspector(number: u128) -> Actor {
    person(Role::Inspector, number)
}

fn employee() -> Actor {
    person(Role::Employee, 1)
}

fn principal() -> Actor {
    person(Role::Principal, 1)
}

fn expert() -> Actor {
    person(Role::Expert, 1)
}

fn date(text: &str) -> LocalDate {
    text.parse().unwrap()
}

fn member(actor: &Actor) -> TeamMember {
    TeamMember {
        person_id: id_of(actor),
        department: Some("区应急局".to_owned()),
    }
}

/// Inspectors 1 and 2 and the first of every other role: who carries out the inspections here.
fn team() -> Vec<TeamMember> {
    let first = Role::ALL.into_iter().map(|role| person(role, 1));
    first.chain([inspector(2)]).map(|a| member(&a)).collect()
}

fn setup(kind: InspectionKind) -> InspectionSetup {
    InspectionSetup {
        kind,
        enterprise_id: Some(FIRM),
        position: None,
        checklists: vec![ChecklistRef {
            code: "fire-daily".to_owned(),
            edition: 2,
            mandatory: vec!["1".to_owned(), "2".to_owned()],
        }],
        team: team(),
        basis: Some("2026 年度监督检查计划".to_owned()),
        departments: match kind {
            K::Joint => vec!["区应急局".to_owned(), "区消防救援大队".to_owned()],
            _ => Vec::new(),
        },
        cadence: (kind == K::SelfCheck).then_some(Cadence::Daily),
        reason: Some("接到举报".to_owned()),
        approval_no: None,
        notice_no: None,
    }
}

fn plan(kind: InspectionKind) -> Action {
    Action::PlanInspection(PlanInspection {
        setup: setup(kind),
        window_from: date("2026-11-23"),
        window_to: date("2026-11-27"),
    })
}

fn attendee(name: &str) -> Attendee {
    Attendee {
        part: VisitPart::Opening,
        role: AttendeeRole::Principal,
        name: name.to_owned(),
        post: Some("总经理".to_owned()),
        phone: None,
    }
}

fn beginning(setup: Option<InspectionSetup>) -> StartInspection {
    StartInspection {
        setup,
        started_at: NOW,
        place_text: "二号厂房".to_owned(),
        position: None,
        certificates_shown: true,
        rights_told: true,
        attendees: vec![attendee("王强")],
    }
}

fn start(setup: Option<InspectionSetup>) -> Action {
    Action::StartInspection(beginning(setup))
}

fn item(code: &str) -> ItemRef {
    ItemRef {
        checklist: "fire-daily".to_owned(),
        item: code.to_owned(),
    }
}

fn result(code: &str, outcome: ItemOutcome) -> CheckResult {
    CheckResult {
        item: item(code),
        outcome,
        note: (outcome == ItemOutcome::NotOk).then(|| "灭火器过期".to_owned()),
        photos: Vec::new(),
    }
}

fn record(results: Vec<CheckResult>) -> Action {
    Action::RecordResults(RecordResults { results })
}

fn all_ok() -> Action {
    record(vec![
        result("1", ItemOutcome::Ok),
        result("2", ItemOutcome::Ok),
    ])
}

fn photo(number: u8) -> PhotoRef {
    PhotoRef {
        sha256: Digest([number; 32]),
        size: 200_000,
        media_type: "image/jpeg".to_owned(),
        kind: PhotoKind::Scene,
        taken_at: Some(NOW),
        position: None,
    }
}

fn finding_id(number: u128) -> FindingId {
    FindingId(Uuid::from_u128((0x019a_b000_0000_7000_8000 << 48) | number))
}

fn hazard_id(number: u128) -> HazardId {
    HazardId(Uuid::from_u128(0xaa00 + number))
}

/// A finding as inspections of this kind record them.
fn finding(kind: InspectionKind, number: u128) -> Action {
    let advisory = kind == K::ExpertVisit;
    Action::LinkFinding(LinkFinding {
        finding_id: finding_id(number),
        hazard_id: (!advisory).then(|| hazard_id(number)),
        advice: advisory.then(|| "建议更换泄爆片".to_owned()),
        item: Some(item("2")),
        handling: kind.is_departments().then_some(Handling::RectifyByDeadline),
    })
}

fn convert(number: u128) -> Action {
    Action::ConvertFinding(ConvertFinding {
        finding_id: finding_id(number),
        hazard_id: hazard_id(number),
    })
}

/// A signature of the actor's own, as what they are.
fn sign(actor: &Actor, kind: InspectionKind) -> Action {
    let role = if actor.is_any_of(&[Role::Inspector]) {
        SignerRole::Inspector
    } else if actor.is_any_of(&[Role::Expert]) {
        SignerRole::Expert
    } else if kind == K::SelfCheck || actor.is_any_of(&[Role::GridWorker]) {
        SignerRole::Checker
    } else {
        SignerRole::EnterpriseRepresentative
    };
    Action::SignInspection(SignInspection {
        role,
        person_id: actor.person_id(),
        name: None,
        post: None,
        signed_at: NOW,
        photo: None,
        seen: None,
    })
}

fn representative() -> Action {
    Action::SignInspection(SignInspection {
        role: SignerRole::EnterpriseRepresentative,
        person_id: None,
        name: Some("王强".to_owned()),
        post: Some("总经理".to_owned()),
        signed_at: NOW,
        photo: Some(photo(99)),
        seen: None,
    })
}

fn refuse() -> Action {
    Action::RecordRefusal(RecordRefusal {
        reason: "对检查结果有异议，拒绝签字".to_owned(),
        refused_by: Some("王强".to_owned()),
        witness: "李芳（社区干部）".to_owned(),
        refused_at: NOW,
    })
}

fn ending(no_hazard_found: bool) -> CompleteInspection {
    CompleteInspection {
        completed_at: NOW,
        situation: "现场检查情况正常".to_owned(),
        no_hazard_found,
    }
}

fn complete(no_hazard_found: bool) -> Action {
    Action::CompleteInspection(ending(no_hazard_found))
}

fn self_check(setup: Option<InspectionSetup>) -> SubmitSelfCheck {
    SubmitSelfCheck {
        start: Box::new(beginning(setup)),
        results: vec![
            result("1", ItemOutcome::Ok),
            result("2", ItemOutcome::NotApplicable),
        ],
        findings: Vec::new(),
        completion: ending(true),
    }
}

/// One inspection's record as commands make it.
#[derive(Clone)]
struct Case {
    inspection: Option<Inspection>,
    history: Vec<InspectionEventRecord>,
    facts: Facts,
    origin: Origin,
}

impl Case {
    fn new() -> Self {
        Self {
            inspection: None,
            history: Vec::new(),
            origin: Origin::DIRECT,
            facts: Facts {
                now: NOW,
                made_at: None,
                knew: Knew::All,
                jurisdiction_id: Some(TOWN),
                sector: Some("机械".to_owned()),
                hazards: None,
                checklists: Checklists::default(),
                seconds: Vec::new(),
                ran_out: BTreeSet::new(),
                limits: InspectionLimits::default(),
            },
        }
    }

    /// Who begins, records and completes inspections of this kind.
    fn lead(kind: InspectionKind) -> Actor {
        match kind {
            K::ExpertVisit => expert(),
            K::SelfCheck => person(Role::SafetyOfficer, 1),
            K::GridPatrol => person(Role::GridWorker, 1),
            _ => inspector(1),
        }
    }

    fn started(kind: InspectionKind) -> Self {
        let mut case = Self::new();
        case.must(&Self::lead(kind), start(Some(setup(kind))));
        case
    }

    /// An inspection brought to `state`; on site with one finding, one awaited photo, and all that
    /// completion needs.
    fn in_state(state: InspectionState, kind: InspectionKind) -> Self {
        let lead = Self::lead(kind);
        let mut case = Self::new();
        if state == S::Unknown {
            return case;
        }
        case.must(&lead, plan(kind));
        match state {
            S::Planned => return case,
            S::Cancelled => {
                case.must(&lead, cancel());
                return case;
            }
            _ => case.must(&lead, start(None)),
        }
        case.must(&lead, all_ok());
        case.must(&lead, finding(kind, 1));
        case.must(&lead, attach(1));
        case.must(&lead, sign(&lead, kind));
        if kind.is_departments() {
            case.must(&inspector(2), sign(&inspector(2), kind));
            case.must(&lead, representative());
        }
        if state == S::Completed {
            case.must(&lead, complete(false));
        }
        case
    }

    fn it(&self) -> &Inspection {
        self.inspection.as_ref().unwrap()
    }

    fn state(&self) -> InspectionState {
        let known = self.inspection.as_ref();
        known.map_or(S::Unknown, Inspection::state)
    }

    fn act(&mut self, actor: &Actor, action: Action) -> Result<Outcome, Refusal> {
        let command = Command::new(ID, action);
        let decision = decide(self.inspection.as_ref(), &command, actor, &self.facts)?;
        for event in decision.events {
            self.take(actor.person_id(), event);
        }
        Ok(decision.outcome)
    }

    fn take(&mut self, actor_id: Option<PersonId>, event: InspectionEvent) {
        let record = InspectionEventRecord {
            inspection_id: ID,
            seq: self.history.len() as i64 + 1,
            actor_id,
            recorded_at: self.facts.now,
            origin: self.origin.clone(),
            event,
        };
        match &mut self.inspection {
            Some(inspection) => inspection.apply(&record),
            None => self.inspection = Inspection::begin(&record),
        }
        self.history.push(record);
    }

    #[track_caller]
    fn must(&mut self, actor: &Actor, action: Action) {
        let kind = action.kind();
        if let Err(refusal) = self.act(actor, action) {
            panic!("{kind:?} by {actor:?}: {refusal:?}");
        }
    }

    #[track_caller]
    fn refused(&mut self, actor: &Actor, action: Action) -> Refusal {
        let before = self.inspection.clone();
        let kind = action.kind();
        let refusal = self.act(actor, action).expect_err(kind.as_str());
        assert_eq!(self.inspection, before, "a refusal changes nothing");
        refusal
    }

    #[track_caller]
    fn refused_as(&mut self, code: RefusalCode, actor: &Actor, action: Action) {
        let refusal = self.refused(actor, action);
        assert_eq!(refusal.code, code, "{refusal:?}");
    }

    #[track_caller]
    fn refused_field(&mut self, field: &str, actor: &Actor, action: Action) {
        let refusal = self.refused(actor, action);
        assert_eq!(refusal.code, RefusalCode::InvalidField, "{refusal:?}");
        assert_eq!(refusal.field.as_deref(), Some(field), "{refusal:?}");
    }
}

fn cancel() -> Action {
    Action::CancelInspection(CancelInspection {
        reason: "企业已停业".to_owned(),
    })
}

fn follow(jurisdiction_id: JurisdictionId) -> Action {
    Action::InspectionFollowEnterprise(FollowEnterprise {
        jurisdiction_id,
        merged_from: None,
    })
}

fn attach(number: u8) -> Action {
    Action::AttachInspectionPhoto(AttachPhoto {
        photo: photo(number),
    })
}
