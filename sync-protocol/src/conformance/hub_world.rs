//! The scene of the hub's cases: two towns with an enterprise and an inspector each, and what people do there.

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::command::{Action, Amend, Grade, Note, Report, Source};
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, PersonId};

use super::hub::{HubUnderTest, Phone, hazard_id, id_of, outcomes};
use crate::wire::{Envelope, Outcome, PushResponse, PushResult, QuarantineReason};

pub(super) fn town(number: u8) -> JurisdictionId {
    JurisdictionId(id_of(3, number))
}

pub(super) fn firm(number: u8) -> EnterpriseId {
    EnterpriseId(id_of(4, number))
}

/// An employee of the first enterprise, one of the second, an inspector of each town.
pub(super) fn person(number: u8) -> PersonId {
    PersonId(id_of(5, number))
}

pub(super) const WORKER: u8 = 1;
pub(super) const NEIGHBOUR: u8 = 2;
pub(super) const INSPECTOR: u8 = 3;
pub(super) const ELSEWHERE: u8 = 4;

/// Two towns with an enterprise and an inspector each.
pub(super) fn world(hub: &mut dyn HubUnderTest) {
    for number in [1, 2] {
        hub.add_town(town(number));
        hub.add_enterprise(firm(number), town(number));
    }
    let firm = |number| GrantScope::Enterprise(firm(number));
    let town = |number| GrantScope::Jurisdiction(town(number));
    hub.add_person(person(WORKER), Role::Employee, firm(1));
    hub.add_person(person(NEIGHBOUR), Role::Employee, firm(2));
    hub.add_person(person(INSPECTOR), Role::Inspector, town(1));
    hub.add_person(person(ELSEWHERE), Role::Inspector, town(2));
}

pub(super) fn phone(hub: &mut dyn HubUnderTest, whose: u8) -> Phone {
    Phone::enrolled(hub, whose, person(whose))
}

/// Another phone of the same person.
pub(super) fn another_phone(hub: &mut dyn HubUnderTest, whose: u8, number: u8) -> Phone {
    Phone::enrolled(hub, number, person(whose))
}

pub(super) fn report(hub: &dyn HubUnderTest, at: u8) -> Action {
    Action::Report(Report {
        source: Source::EnterpriseSelfCheck,
        grade: Grade::General,
        enterprise_id: Some(firm(at)),
        description: "除尘器积灰".to_owned(),
        place_text: "2#除尘器".to_owned(),
        position: None,
        found_at: hub.now(),
        photos: Vec::new(),
        no_photo_reason: Some("光线不足".to_owned()),
        criterion: None,
        immediate_measure: None,
        fixed_on_spot: None,
        recurrence_of: None,
        nature: None,
    })
}

pub(super) fn note(text: &str) -> Action {
    let text = text.to_owned();
    Action::Note(Note { text })
}

pub(super) fn amend(description: Option<&str>, place: Option<&str>) -> Action {
    Action::Amend(Amend {
        based_on: 1,
        description: description.map(str::to_owned),
        place_text: place.map(str::to_owned),
        position: None,
        immediate_measure: None,
        enterprise_id: None,
    })
}

/// The worker's phone, and so many reports of theirs at the hub.
pub(super) fn reported(hub: &mut dyn HubUnderTest, hazards: u8) -> Phone {
    world(hub);
    let mut worker = phone(hub, WORKER);
    let reports = (1..=hazards).map(|number| worker.seal(hazard_id(number), report(hub, 1)));
    let reports: Vec<Envelope> = reports.collect();
    let answer = worker.push(hub, reports);
    assert!(outcomes(&answer).iter().all(|name| *name == "applied"));
    worker
}

pub(super) fn outcome(response: &PushResponse, index: usize) -> &Outcome {
    match &response.results[index] {
        PushResult::Receipt(receipt) => &receipt.outcome,
        PushResult::IdReused { seq } => panic!("{seq} is used"),
    }
}

#[track_caller]
pub(super) fn waits_for_a_person(response: &PushResponse) {
    let outcome = outcome(response, 0);
    assert!(
        matches!(
            outcome,
            Outcome::Quarantined {
                reason: QuarantineReason::Reassigned,
                ..
            }
        ),
        "{outcome:?}"
    );
}
