//! A replica as syncs would have left it: records put straight into the phone's store.

use hazardloop_device::home::DATABASE;
use hazardloop_device::store::Store;
use hazardloop_domain::access::{Certificate, Grant, GrantScope, PersonRecord, Role};
use hazardloop_domain::command::Origin;
use hazardloop_domain::enterprise::{Enterprise, EnterpriseProfile};
use hazardloop_domain::hazard::{EventRecord, Hazard, HazardEvent};
use hazardloop_domain::ids::{EnterpriseId, GrantId, HazardId, JurisdictionId, PersonId};
use hazardloop_domain::jurisdiction::{Jurisdiction, Level};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::{Member, ScopeState, StoreOp};
use hazardloop_sync_protocol::wire::{Bytes, Record, RecordKind, Scope};
use rand::SeedableRng as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;

/// The phone's clock: 2026-11-22, 08:00 in Shanghai.
pub const NOW: i64 = 1_795_305_600_000;
/// Milliseconds of a day.
pub const DAY: i64 = 86_400_000;
/// Whose phone it is (`li`), and somebody of whom nothing is known here.
pub const LI: u128 = 2;
pub const STRANGER: u128 = 7;
/// The district, and the town in it.
pub const DISTRICT: u128 = 30;
pub const TOWN: u128 = 31;

pub fn record<T: minicbor::Encode<()>>(kind: RecordKind, id: Uuid, body: &T) -> Record {
    Record {
        kind,
        id,
        version: 1,
        body: Bytes(minicbor::to_vec(body).unwrap()),
    }
}

/// Puts records into the replica, as the catalog's.
pub fn hold(phone: &Phone, records: Vec<Record>) {
    let mut ops = vec![StoreOp::PutScope(Scope::Catalog, ScopeState::default())];
    for record in records {
        let key = (record.kind, record.id);
        let member = Member {
            version: record.version,
            digest: 0,
        };
        ops.push(StoreOp::PutRow(record));
        ops.push(StoreOp::PutMember {
            scope: Scope::Catalog,
            key,
            member,
        });
    }
    apply(phone, &ops);
}

/// Removes commands that had their receipts, as the phone does by itself after a month.
pub fn forget_commands(phone: &Phone, seqs: &[i64]) {
    let ops: Vec<StoreOp> = seqs
        .iter()
        .map(|seq| StoreOp::DeleteCommand(*seq))
        .collect();
    apply(phone, &ops);
}

fn apply(phone: &Phone, ops: &[StoreOp]) {
    let (profile, key) = phone.unlocked();
    let rng = rand::rngs::StdRng::seed_from_u64(ops.len() as u64);
    let file = profile.dir.join(DATABASE);
    let mut store = Store::open(&file, &key, rng).unwrap();
    store.apply(ops).unwrap();
}

pub fn id(n: u128) -> HazardId {
    HazardId(Uuid::from_u128(
        0x0193_5b2c_7000_7000_8000_0000_0000_0000 + n,
    ))
}

/// A hazard by what happened to it, a day between each; `ago` days before now it was reported.
pub fn hazard(n: u128, ago: i64, by: u128, events: Vec<Value>) -> Record {
    let record_of = |(place, event): (usize, Value)| EventRecord {
        hazard_id: id(n),
        seq: i64::try_from(place).unwrap() + 1,
        actor_id: Some(PersonId(Uuid::from_u128(by))),
        recorded_at: Timestamp::from_millis(NOW - ago * DAY + i64::try_from(place).unwrap()),
        origin: Origin::DIRECT,
        event: serde_json::from_value::<HazardEvent>(event).unwrap(),
    };
    let history: Vec<EventRecord> = events.into_iter().enumerate().map(record_of).collect();
    let hazard = Hazard::from_history(&history).unwrap();
    record(RecordKind::Hazard, id(n).0, &hazard)
}

/// A report; `more` overrides or adds members.
pub fn reported(jurisdiction: u128, sector: &str, more: &Value) -> Value {
    let mut report = json!({
        "source": "open_visit", "grade": "general", "description": "配电箱无门",
        "place_text": "一号车间", "found_at": "2026-11-10T01:00:00.000Z",
        "photos": [], "no_photo_reason": "停电",
    });
    let members = report.as_object_mut().unwrap();
    for (name, value) in more.as_object().unwrap() {
        members.insert(name.clone(), value.clone());
    }
    json!({ "kind": "reported", "jurisdiction_id": Uuid::from_u128(jurisdiction), "sector": sector,
        "report": report })
}

pub fn confirmed(grade: &str, due: &str) -> Value {
    json!({ "kind": "confirmed", "confirmation": {
        "grade": grade, "responsible_person": "周小河", "requirement": "加装箱门", "due_date": due,
        "basis": "现场可见" } })
}

pub fn enterprise(n: u128, name: &str) -> Record {
    let enterprise = Enterprise {
        id: EnterpriseId(Uuid::from_u128(n)),
        name: name.to_owned(),
        credit_code: Some("91500000000000000X".to_owned()),
        jurisdiction_id: JurisdictionId(Uuid::from_u128(TOWN)),
        sector: "industry-and-trade".to_owned(),
        address: Some("工业园一路 8 号".to_owned()),
        position: None,
        version: 1,
        profile: EnterpriseProfile::default(),
    };
    record(RecordKind::Enterprise, enterprise.id.0, &enterprise)
}

/// The district and its town.
pub fn places() -> Vec<Record> {
    let node = |n: u128, parent: Option<u128>, name: &str, level| Jurisdiction {
        id: JurisdictionId(Uuid::from_u128(n)),
        parent_id: parent.map(|parent| JurisdictionId(Uuid::from_u128(parent))),
        name: name.to_owned(),
        level,
        division_code: None,
        version: 1,
        merged_into: None,
        merged_at: None,
    };
    let nodes = [
        node(DISTRICT, None, "某区", Level::District),
        node(TOWN, Some(DISTRICT), "某镇", Level::Town),
    ];
    nodes
        .iter()
        .map(|node| record(RecordKind::Jurisdiction, node.id.0, node))
        .collect()
}

/// The phone's owner as an inspector of the district, with a certificate.
pub fn inspector() -> Record {
    let scope = GrantScope::Jurisdiction(JurisdictionId(Uuid::from_u128(DISTRICT)));
    let from = Timestamp::from_millis(NOW - 400 * DAY);
    let grant = Grant {
        certificate: Some(Certificate {
            number: "渝A-001".to_owned(),
            valid_to: "2027-12-31".parse().ok(),
        }),
        ..Grant::new(GrantId(Uuid::from_u128(6)), Role::Inspector, scope, from)
    };
    let person = PersonRecord {
        id: PersonId(Uuid::from_u128(LI)),
        login: "li".to_owned(),
        name: "李检查".to_owned(),
        grants: vec![grant],
        version: 2,
    };
    record(RecordKind::Person, person.id.0, &person)
}
