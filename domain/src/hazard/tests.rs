//! Tests of the hazard loop: people, commands and a record that real commands have made.

mod actions;
mod amendments;
mod closing;
mod departments;
mod document;
mod due_dates;
mod evidence;
mod grades;
mod hostile;
mod input;
mod limits;
mod measured;
mod not_alone;
mod overlays;
mod plans;
mod properties;
mod readdressed;
mod recurrences;
mod safeguards;
mod spot_checks;
mod story;
mod table;
mod two_people;

use self::actions::*;
use crate::access::{Actor, Role};
use crate::calendar::{DayKind, WorkdayCalendar};
use crate::command::{
    Action, Amend, AssignSector, AttachPhoto, ChangeGrade, Close, Command, Confirm, CriterionRef,
    DecideExtension, DecidePlan, DecideProposal, DecideResumption, Delist, ExpertOpinion, Grade,
    ItemResult, ListSupervision, ListingLevel, Merge, Milestone, Note, OrderSuspension, Origin,
    Party, Period, PhotoKind, PhotoPair, PhotoRef, ReceivePhoto, ReceiveTransfer,
    RecomputeDeadline, RecordPenalty, RecordPhotoLost, Reinspect, Reject, Reopen, Report,
    RequestExtension, RequestResumption, SelfAcceptance, Source, SpotCheck, SubmitPlan,
    SubmitRectification, Transfer, Withdraw, WorkersCongress,
};
use crate::hash::Digest;
use crate::hazard::{
    Authority, EventRecord, Facts, Hazard, HazardEvent, Limits, MergeTarget, Outcome, PhotoState,
    Status, StatusName, decide,
};
use crate::ids::{EnterpriseId, HazardId, JurisdictionId, PersonId};
use crate::refusal::{Refusal, RefusalCode};
use crate::time::{LocalDate, Timestamp};
use uuid::Uuid;

/// 2026-11-22 09:00 in Shanghai.
const NOW: Timestamp = Timestamp::from_millis(1_795_309_200_000);
const DAY_MS: i64 = 86_400_000;
const HAZARD: HazardId = HazardId(Uuid::from_u128(0x019a_b000_0000_7000_8000_0000_0000_00ff));
const ENTERPRISE: EnterpriseId = EnterpriseId(Uuid::from_u128(0xe1));
const TOWN: JurisdictionId = JurisdictionId(Uuid::from_u128(0x71));

/// One of several people who hold `role`; the same number is the same person.
fn person(role: Role, number: u128) -> Actor {
    let id = (role as u128 + 1) * 1_000 + number;
    Actor::Person {
        person_id: PersonId(Uuid::from_u128(id)),
        roles: vec![role],
        certified: true,
    }
}

fn id_of(actor: &Actor) -> PersonId {
    actor.person_id().unwrap()
}

fn employee() -> Actor {
    person(Role::Employee, 1)
}

fn safety_officer() -> Actor {
    person(Role::SafetyOfficer, 1)
}

fn principal() -> Actor {
    person(Role::Principal, 1)
}

fn inspector(number: u128) -> Actor {
    person(Role::Inspector, number)
}

fn reviewer() -> Actor {
    person(Role::DepartmentReviewer, 1)
}

fn administrator() -> Actor {
    person(Role::Administrator, 1)
}

fn head() -> Actor {
    person(Role::DepartmentHead, 1)
}

fn listing_authority() -> Actor {
    person(Role::ListingAuthority, 1)
}

fn date(text: &str) -> LocalDate {
    text.parse().unwrap()
}

fn photo(number: u8) -> PhotoRef {
    PhotoRef {
        sha256: Digest([number; 32]),
        size: 200_000,
        media_type: "image/jpeg".to_owned(),
        kind: PhotoKind::Before,
        taken_at: Some(NOW.plus_millis(-60_000)),
        position: None,
    }
}

fn report(source: Source, grade: Grade) -> Report {
    Report {
        source,
        grade,
        enterprise_id: Some(ENTERPRISE),
        description: "除尘器泄爆口被封堵".to_owned(),
        place_text: "抛光车间 2 号线".to_owned(),
        position: None,
        found_at: NOW.plus_millis(-3_600_000),
        photos: vec![photo(1)],
        no_photo_reason: None,
        criterion: None,
        immediate_measure: Some("已停机".to_owned()),
        fixed_on_spot: None,
        recurrence_of: None,
        nature: None,
    }
}

fn confirm(grade: Grade) -> Action {
    Action::Confirm(Confirm {
        grade,
        criterion: Some(CriterionRef {
            code: "GM-10-3-2".to_owned(),
            edition: 2,
        }),
        basis: None,
        responsible_person: "王强".to_owned(),
        requirement: "恢复泄爆口".to_owned(),
        due_date: date("2026-12-02"),
        period: None,
        expert_opinion: None,
        responsible_unit: None,
        served: None,
        category: Some("生产设备设施及工艺".to_owned()),
    })
}

fn submit(photo_number: u8) -> Action {
    Action::SubmitRectification(SubmitRectification {
        measures: "拆除封板，重新安装泄爆片".to_owned(),
        completed_at: NOW,
        photos: vec![PhotoRef {
            kind: PhotoKind::After,
            ..photo(photo_number)
        }],
        cost_fen: Some(1_250_000),
        pairs: vec![PhotoPair {
            before: Digest([1; 32]),
            after: Digest([photo_number; 32]),
        }],
        self_acceptance: Some(SelfAcceptance {
            accepted_by: vec!["王强".to_owned(), "李敏".to_owned()],
            opinion: "自验收合格".to_owned(),
            accepted_on: date("2026-11-22"),
        }),
    })
}

fn pass() -> Action {
    Action::Reinspect(Reinspect {
        passed: true,
        opinion: "整改合格".to_owned(),
        photos: Vec::new(),
        new_due_date: None,
        document_no: Some("应急复查〔2026〕12号".to_owned()),
        items: vec![ItemResult {
            item: "泄爆口".to_owned(),
            passed: true,
            note: None,
        }],
        no_photo_reason: Some("防爆区禁止使用手机".to_owned()),
        on: None,
    })
}

/// The same, naming the submission that waits.
fn pass_of(case: &Case) -> Action {
    let Action::Reinspect(passed) = pass() else {
        unreachable!()
    };
    let Status::PendingReinspection { submission, .. } = &case.hazard().status else {
        panic!("nothing was handed in");
    };
    Action::Reinspect(Reinspect {
        on: Some(submission.submitted_at),
        ..passed
    })
}

fn fail(new_due_date: Option<LocalDate>) -> Action {
    Action::Reinspect(Reinspect {
        passed: false,
        opinion: "泄爆片规格不符".to_owned(),
        photos: Vec::new(),
        new_due_date,
        document_no: None,
        items: vec![ItemResult {
            item: "泄爆片".to_owned(),
            passed: false,
            note: Some("规格不符".to_owned()),
        }],
        no_photo_reason: None,
        on: None,
    })
}

fn close() -> Action {
    Action::Close(Close {
        opinion: "同意销号".to_owned(),
        on: None,
    })
}

fn reject() -> Action {
    Action::Reject(Reject {
        reason: "现场不构成隐患".to_owned(),
    })
}

fn reopen() -> Action {
    Action::Reopen(Reopen {
        reason: "抽查发现再次封堵".to_owned(),
        false_closure: true,
        cause: None,
    })
}

/// Whoever reports in these tests: used by no test as anybody else.
fn author(source: Source) -> Actor {
    let role = match source {
        Source::EnterpriseSelfCheck | Source::EmployeeReport => Role::Employee,
        Source::Expert => Role::Expert,
        Source::Insurer => Role::Insurer,
        Source::Import => Role::Importer,
        _ => Role::Inspector,
    };
    person(role, 50)
}

fn withdraw() -> Action {
    Action::Withdraw(Withdraw {
        reason: "同一处重复上报".to_owned(),
    })
}

fn note(text: &str) -> Action {
    Action::Note(Note {
        text: text.to_owned(),
    })
}

fn attach(number: u8) -> Action {
    Action::AttachPhoto(AttachPhoto {
        photo: PhotoRef {
            kind: PhotoKind::Scene,
            ..photo(number)
        },
    })
}

fn receive(number: u8) -> Action {
    Action::ReceivePhoto(ReceivePhoto {
        sha256: Digest([number; 32]),
    })
}

fn lose(number: u8) -> Action {
    let reason = "手机落水，照片无法找回".to_owned();
    Action::RecordPhotoLost(RecordPhotoLost {
        sha256: Digest([number; 32]),
        reason,
    })
}

/// An amendment that changes nothing yet.
fn amend(based_on: i64) -> Amend {
    Amend {
        based_on,
        description: None,
        place_text: None,
        position: None,
        immediate_measure: None,
        enterprise_id: None,
    }
}

/// The published tables up to 2026.
fn calendar() -> std::sync::Arc<WorkdayCalendar> {
    let text = include_str!("../../../catalog/calendars/china-workdays-2020-2026.csv");
    let rows = crate::calendar::parse_calendar(text).unwrap();
    std::sync::Arc::new(WorkdayCalendar::from_rows(rows))
}

/// One hazard's record as commands make it.
#[derive(Clone)]
struct Case {
    hazard: Option<Hazard>,
    history: Vec<EventRecord>,
    facts: Facts,
    id: HazardId,
}

impl Case {
    fn new() -> Self {
        let facts = Facts {
            jurisdiction_id: Some(TOWN),
            merge_target: Some(MergeTarget {
                status: StatusName::Confirmed,
                grade: Grade::Major,
                enterprise_id: Some(ENTERPRISE),
            }),
            ..Facts::at(NOW, Limits::default(), calendar())
        };
        Self {
            hazard: None,
            history: Vec::new(),
            facts,
            id: HAZARD,
        }
    }

    fn reported(source: Source, grade: Grade) -> Self {
        let mut case = Self::new();
        case.must(&author(source), Action::Report(report(source, grade)));
        case
    }

    /// A hazard brought to `state` by people whom no test uses again, with every photo received
    /// where closure is near, and awaited otherwise.
    fn in_state(state: StatusName, source: Source, grade: Grade) -> Self {
        if state == StatusName::Unreported {
            return Self::new();
        }
        let submitter = person(Role::Principal, 50);
        let mut case = Self::reported(source, grade);
        match state {
            StatusName::Unreported | StatusName::Reported => return case,
            StatusName::Rejected => {
                case.must(&person(Role::DepartmentReviewer, 50), reject());
                return case;
            }
            StatusName::Withdrawn => {
                // Not through the rules: they let no major hazard come here, and the stated
                // outcomes speak of it all the same.
                let Action::Withdraw(withdrawal) = withdraw() else {
                    unreachable!()
                };
                let by = id_of(&author(source));
                case.record(Some(by), HazardEvent::Withdrawn { withdrawal });
                return case;
            }
            StatusName::Merged => {
                case.must(&person(Role::DepartmentReviewer, 50), merge());
                return case;
            }
            StatusName::Transferred => {
                let other = Some(JurisdictionId(Uuid::from_u128(0x73)));
                case.must(&person(Role::DepartmentReviewer, 50), transfer(other));
                return case;
            }
            _ => case.confirmed_by_inspectors(grade),
        }
        if state == StatusName::Confirmed {
            return case;
        }
        if grade == Grade::Major {
            case.must(&submitter, submit_plan());
            case.must(&person(Role::DepartmentReviewer, 50), decide_plan(true));
        }
        case.must(&submitter, submit(2));
        if state == StatusName::Rectifying {
            case.must(&inspector(51), fail(None));
            return case;
        }
        case.must(&inspector(51), pass());
        case.must(&inspector(52), pass());
        case.must(&Actor::System, receive(1));
        case.must(&Actor::System, receive(2));
        if state == StatusName::Closed {
            case.must(&inspector(53), close());
        }
        case
    }

    /// Confirmed by one inspector, or by two where it is major.
    fn confirmed_by_inspectors(&mut self, grade: Grade) {
        self.must(&inspector(50), confirm(grade));
        if grade == Grade::Major {
            self.must(&inspector(54), agree());
        }
    }

    /// A major hazard with a plan that the department has acknowledged.
    fn planned(source: Source) -> Self {
        Self::after(
            StatusName::Confirmed,
            source,
            Grade::Major,
            [
                (person(Role::Principal, 50), submit_plan()),
                (person(Role::DepartmentReviewer, 50), decide_plan(true)),
            ],
        )
    }

    /// As [`Case::in_state`], then `steps` in turn.
    fn after(
        state: StatusName,
        source: Source,
        grade: Grade,
        steps: impl IntoIterator<Item = (Actor, Action)>,
    ) -> Self {
        let mut case = Self::in_state(state, source, grade);
        for (actor, action) in steps {
            case.must(&actor, action);
        }
        case
    }

    fn hazard(&self) -> &Hazard {
        self.hazard.as_ref().unwrap()
    }

    fn state(&self) -> StatusName {
        self.hazard
            .as_ref()
            .map_or(StatusName::Unreported, Hazard::status_name)
    }

    /// Sends one command and records what it does.
    fn act(&mut self, actor: &Actor, action: Action) -> Result<Outcome, Refusal> {
        let command = Command::new(self.id, action);
        let decision = decide(self.hazard.as_ref(), &command, actor, &self.facts)?;
        for event in decision.events {
            self.record(actor.person_id(), event);
        }
        Ok(decision.outcome)
    }

    fn record(&mut self, actor_id: Option<PersonId>, event: HazardEvent) {
        let record = EventRecord {
            hazard_id: self.id,
            seq: self.history.len() as i64 + 1,
            actor_id,
            recorded_at: self.facts.now,
            origin: Origin::DIRECT,
            event,
        };
        match &mut self.hazard {
            Some(hazard) => hazard.apply(&record),
            None => self.hazard = Hazard::begin(&record),
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
        let before = self.hazard.clone();
        let kind = action.kind();
        let refusal = self.act(actor, action).expect_err(kind.as_str());
        assert_eq!(self.hazard, before, "a refusal changes nothing");
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
        assert!(refusal.rule.contains(field), "{refusal:?}");
    }
}
