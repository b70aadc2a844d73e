//! Tests of the hazard loop: people, commands and a record that real commands have made.

mod actions;
mod amendments;
mod case;
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
use self::case::Case;
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
