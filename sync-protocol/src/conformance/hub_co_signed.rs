//! Cases of commands that more than one person signed.

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::command::{Action, Confirm, ExpertOpinion, Grade, Report, Source};
use hazardloop_domain::hazard::{Hazard, StatusName};
use hazardloop_domain::refusal::RefusalCode;

use super::hub::{HubUnderTest, Phone, hazard_id, outcomes};
use super::hub_world::{INSPECTOR, another_phone, outcome, person, phone, report, town, world};
use crate::wire::{Envelope, Outcome, RecordKind, Scope};

/// Another inspector of the first town.
const COLLEAGUE: u8 = 6;

fn confirm_as_major() -> Action {
    Action::Confirm(Confirm {
        grade: Grade::Major,
        criterion: None,
        basis: Some("泄爆口被封堵".to_owned()),
        responsible_person: "王强".to_owned(),
        requirement: "清理积尘，检查泄爆片".to_owned(),
        due_date: "2026-12-02".parse().unwrap(),
        period: None,
        expert_opinion: Some(ExpertOpinion {
            name: "陈工".to_owned(),
            opinion: "构成重大事故隐患".to_owned(),
            given_on: None,
        }),
        responsible_unit: None,
        served: None,
        category: Some("生产设备设施".to_owned()),
    })
}

/// Two inspectors of one town with a phone each, and so many hazards that the first of them found, as major.
fn found(hub: &mut dyn HubUnderTest, hazards: u8) -> (Phone, Phone) {
    world(hub);
    let over = GrantScope::Jurisdiction(town(1));
    hub.add_person(person(COLLEAGUE), Role::Inspector, over);
    let (mut inspector, colleague) = (phone(hub, INSPECTOR), phone(hub, COLLEAGUE));
    let Action::Report(reported) = report(hub, 1) else {
        panic!("a report");
    };
    let reports = (1..=hazards).map(|number| {
        let found = Report {
            source: Source::DeptInspection,
            grade: Grade::Major,
            ..reported.clone()
        };
        inspector.seal(hazard_id(number), Action::Report(found))
    });
    let reports: Vec<Envelope> = reports.collect();
    let answer = inspector.push(hub, reports);
    assert!(outcomes(&answer).iter().all(|name| *name == "applied"));
    (inspector, colleague)
}

fn hazard(phone: &Phone, number: u8) -> Hazard {
    let held = &phone.scopes[&Scope::Jurisdiction(town(1))];
    let record = &held.rows[&(RecordKind::Hazard, hazard_id(number).0)];
    minicbor::decode(&record.body.0).unwrap()
}

/// What one says alone is a proposal that waits for another; signed by two it takes effect at once, and says who they
/// are. Sent again it has the same receipt.
pub fn what_takes_two_is_done_by_one_command_that_two_signed(hub: &mut dyn HubUnderTest) {
    let (mut inspector, mut colleague) = found(hub, 2);
    let by = colleague.co_sign(hazard_id(1), &confirm_as_major());
    let batch = vec![
        inspector.seal_signed(hazard_id(1), confirm_as_major(), &[by]),
        inspector.seal(hazard_id(2), confirm_as_major()),
    ];
    let first = inspector.push(hub, batch.clone());
    assert_eq!(outcomes(&first), ["applied", "applied"]);
    assert_eq!(inspector.push(hub, batch).results, first.results);
    for phone in [&mut inspector, &mut colleague] {
        let town = Scope::Jurisdiction(town(1));
        phone.pull_until(hub, |phone| {
            let held = phone.hazards_in(town);
            held.len() == 2 && held.values().all(|version| *version > 1)
        });
        let (by_two, by_one) = (hazard(phone, 1), hazard(phone, 2));
        assert_eq!(by_two.status_name(), StatusName::Confirmed);
        assert_eq!(by_two.grade, Grade::Major);
        assert!(by_two.proposal.is_none());
        assert_eq!(by_one.status_name(), StatusName::Reported);
        assert!(by_one.proposal.is_some());
    }
}

/// Nothing comes of the act: neither as one that two signed nor as one that its author did alone.
pub fn a_co_signature_that_is_not_that_persons_over_that_act_is_refused(
    hub: &mut dyn HubUnderTest,
) {
    let (mut inspector, colleague) = found(hub, 1);
    let (id, act) = (hazard_id(1), confirm_as_major());
    let good = colleague.co_sign(id, &act);
    let mut altered = good.clone();
    altered.signature.0[7] ^= 1;
    let mut another_persons = good.clone();
    another_persons.person_id = person(INSPECTOR + 1);
    let elsewhere = colleague.co_sign(hazard_id(2), &act);
    let own = another_phone(hub, INSPECTOR, 30).co_sign(id, &act);
    let unknown = Phone::new(31, person(COLLEAGUE), hub.now()).co_sign(id, &act);
    for by in [
        vec![altered],
        vec![another_persons],
        vec![elsewhere],
        vec![own],
        vec![unknown],
        vec![good.clone(), good],
    ] {
        let sealed = inspector.seal_signed(id, act.clone(), &by);
        let answer = inspector.push(hub, vec![sealed]);
        let Outcome::Rejected { refusal } = outcome(&answer, 0) else {
            panic!("{answer:?}");
        };
        assert_eq!(refusal.code, RefusalCode::CoSignatureInvalid);
    }
    inspector.pull_until(hub, |phone| !phone.hazards().is_empty());
    let hazard = hazard(&inspector, 1);
    assert_eq!(hazard.version, 1);
    assert_eq!(hazard.status_name(), StatusName::Reported);
}
