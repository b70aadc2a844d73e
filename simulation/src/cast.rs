//! The people and places of every schedule: two towns, three enterprises, five phones with two people each.

use hazardloop_domain::access::{Certificate, Grant, GrantScope, PersonRecord, Role};
use hazardloop_domain::command::{
    Action, Amend, Confirm, Grade, Note, PhotoKind, PhotoRef, Report, Source, Withdraw,
};
use hazardloop_domain::enterprise::{Enterprise, EnterpriseProfile};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{EnterpriseId, GrantId, HazardId, JurisdictionId, PersonId};
use hazardloop_domain::time::{LocalDate, Timestamp};
use uuid::Uuid;

use crate::schedule::DEVICES;

/// 2026-11-22T00:00:00Z: when every schedule begins.
pub const BEGIN: Timestamp = Timestamp::from_millis(1_795_305_600_000);

/// How many enterprises there are.
pub const FIRMS: usize = 3;

fn id(family: u128, number: usize) -> Uuid {
    let number = u128::try_from(number).unwrap_or(0);
    Uuid::from_u128((0x019a_b000_0000_7000_8000 << 48) | (family << 32) | number)
}

/// One of the two towns.
pub fn town(number: usize) -> JurisdictionId {
    JurisdictionId(id(1, number % 2))
}

/// The town that a jurisdiction is not.
pub fn other_town(here: JurisdictionId) -> JurisdictionId {
    if here == town(0) { town(1) } else { town(0) }
}

/// One of the enterprises.
pub fn firm(number: usize) -> EnterpriseId {
    EnterpriseId(id(2, number % FIRMS))
}

/// One of the people.
pub fn person(number: usize) -> PersonId {
    PersonId(id(3, number))
}

/// Who uses a phone: the first of them to begin with. One of them has two phones.
pub fn users_of(phone: usize) -> [PersonId; 2] {
    let second = match phone {
        4 => 3,
        other => other + DEVICES,
    };
    [person(phone), person(second)]
}

/// The number of the hazard that a step reports.
pub fn hazard(step: u64) -> HazardId {
    HazardId(id(4, usize::try_from(step).unwrap_or(0)))
}

/// The id of one of the criteria.
pub fn criterion(number: usize) -> Uuid {
    id(6, number)
}

/// A grant of its own number.
pub fn grant(number: usize, role: Role, scope: GrantScope, from: Timestamp) -> Grant {
    let certificate = (role == Role::Inspector).then(|| Certificate {
        number: format!("渝应急{number:04}"),
        valid_to: None,
    });
    Grant {
        certificate,
        ..Grant::new(GrantId(id(5, number)), role, scope, from)
    }
}

/// The roles at the beginning, by phone, and again by phone for the second of its people.
fn roles() -> [(Role, GrantScope); 2 * DEVICES] {
    let enterprise = |number| GrantScope::Enterprise(firm(number));
    let jurisdiction = |number| GrantScope::Jurisdiction(town(number));
    [
        (Role::Employee, enterprise(0)),
        (Role::Principal, enterprise(1)),
        (Role::SafetyOfficer, enterprise(2)),
        (Role::Inspector, jurisdiction(0)),
        (Role::Inspector, jurisdiction(1)),
        (Role::SafetyOfficer, enterprise(0)),
        (Role::Employee, enterprise(1)),
        (Role::Employee, enterprise(1)),
        (Role::Inspector, jurisdiction(0)),
        (Role::Inspector, jurisdiction(0)),
    ]
}

/// The enterprise that somebody is of, if of any.
pub fn own_firm(of: PersonId) -> Option<EnterpriseId> {
    let mut numbered = roles().into_iter().enumerate();
    let (_, (_, scope)) = numbered.find(|(number, _)| person(*number) == of)?;
    match scope {
        GrantScope::Enterprise(firm) => Some(firm),
        _ => None,
    }
}

/// The people at the beginning: of three enterprises, and inspectors of both towns.
pub fn people() -> Vec<PersonRecord> {
    let begin = Timestamp::from_millis(0);
    let numbered = roles().into_iter().enumerate();
    numbered
        .map(|(number, (role, scope))| PersonRecord {
            id: person(number),
            login: format!("person{number}"),
            name: format!("某某{number}"),
            grants: vec![grant(number, role, scope, begin)],
            version: 1,
        })
        .collect()
}

/// The enterprises at the beginning: the first two in the first town.
pub fn firms() -> Vec<Enterprise> {
    (0..FIRMS)
        .map(|number| Enterprise {
            id: firm(number),
            name: format!("某厂{number}"),
            credit_code: None,
            jurisdiction_id: town(number / 2),
            sector: "industry-and-trade".to_owned(),
            address: None,
            position: None,
            version: 1,
            profile: EnterpriseProfile::default(),
        })
        .collect()
}

/// A report of a general hazard at `firm`, by somebody of the enterprise or by an inspector.
pub fn report(
    firm: EnterpriseId,
    own: bool,
    found_at: Timestamp,
    marker: &str,
    photo: Option<PhotoRef>,
) -> Action {
    Action::Report(Report {
        source: if own {
            Source::EmployeeReport
        } else {
            Source::DeptInspection
        },
        grade: Grade::General,
        enterprise_id: Some(firm),
        description: marker.to_owned(),
        place_text: "一号车间".to_owned(),
        position: None,
        found_at,
        no_photo_reason: photo.is_none().then(|| "光线不足".to_owned()),
        photos: photo.into_iter().collect(),
        criterion: None,
        immediate_measure: None,
        fixed_on_spot: None,
        recurrence_of: None,
        nature: None,
    })
}

/// A photo, by its bytes.
pub fn photo(bytes: &[u8]) -> PhotoRef {
    PhotoRef {
        sha256: Digest::sha256(bytes),
        size: bytes.len() as u64,
        media_type: "image/jpeg".to_owned(),
        kind: PhotoKind::Before,
        taken_at: None,
        position: None,
    }
}

/// A note that can be found again.
pub fn note(marker: &str) -> Action {
    Action::Note(Note {
        text: marker.to_owned(),
    })
}

/// A change of the description.
pub fn amend(based_on: i64, text: &str) -> Action {
    Action::Amend(Amend {
        based_on,
        description: Some(text.to_owned()),
        place_text: None,
        position: None,
        immediate_measure: None,
        enterprise_id: None,
    })
}

/// A confirmation as general.
pub fn confirm(due: LocalDate) -> Action {
    Action::Confirm(Confirm {
        grade: Grade::General,
        criterion: None,
        basis: None,
        responsible_person: "王强".to_owned(),
        requirement: "立即整改".to_owned(),
        due_date: due,
        period: None,
        expert_opinion: None,
        responsible_unit: None,
        served: None,
        category: Some("生产设备设施".to_owned()),
    })
}

/// A report that is taken back.
pub fn withdraw() -> Action {
    Action::Withdraw(Withdraw {
        reason: "误报".to_owned(),
    })
}
