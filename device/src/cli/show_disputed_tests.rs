//! What a person is told of fields with two values: to settle them where somebody may, and nowhere else.
#![allow(clippy::unwrap_used)]

use hazardloop_domain::command::Origin;
use hazardloop_domain::hazard::{EventRecord, HazardEvent};
use hazardloop_domain::ids::{HazardId, PersonId};
use hazardloop_domain::time::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_795_305_600_000);

/// A hazard with two descriptions, and what happened to it afterwards.
fn disputed_and_then(events: &[Value]) -> Hazard {
    let reported = json!({ "kind": "reported", "jurisdiction_id": Uuid::from_u128(3), "report": {
        "source": "open_visit", "grade": "general", "description": "甲", "place_text": "除尘器",
        "found_at": NOW, "photos": [], "no_photo_reason": "黑暗" } });
    let other = json!({ "kind": "amendment_disputed", "fields": ["description"],
        "change": { "based_on": 1, "description": "乙" } });
    let all = [reported, other].into_iter().chain(events.to_vec());
    let history: Vec<EventRecord> = (1..)
        .zip(all)
        .map(|(seq, event)| EventRecord {
            hazard_id: HazardId(Uuid::from_u128(0x0193_5b2c_7000_7000_8000_0000_0000_0001)),
            seq,
            actor_id: Some(PersonId(Uuid::from_u128(7))),
            recorded_at: NOW,
            origin: Origin::DIRECT,
            event: serde_json::from_value::<HazardEvent>(event).unwrap(),
        })
        .collect();
    Hazard::from_history(&history).unwrap()
}

#[test]
fn only_where_somebody_may_settle_it_a_person_is_told_to() {
    let confirmed = json!({ "kind": "confirmed", "confirmation": { "grade": "general",
        "responsible_person": "王强", "requirement": "清扫", "due_date": "2027-01-08" } });
    let submitted = json!({ "kind": "rectification_submitted", "submission": {
        "measures": "已清扫", "completed_at": NOW, "photos": [] } });
    let closed = json!({ "kind": "closed", "closure": { "opinion": "合格" } });
    let transferred = json!({ "kind": "transferred", "transfer": { "to_body": "市场监管局",
        "reason": "属其职责" } });
    let cases = [
        (vec![], "核对后用 amend", "Compare, then amend"),
        (
            vec![confirmed.clone(), submitted.clone()],
            "核对后用 amend",
            "Compare, then amend",
        ),
        (vec![transferred], "待移送被接收", "Once the transfer"),
        (
            vec![confirmed, submitted, closed],
            "仅作记录保留",
            "kept as a record",
        ),
    ];
    for (events, zh, en) in cases {
        let hazard = disputed_and_then(&events);
        for (lang, hint) in [(Language::Zh, zh), (Language::En, en)] {
            let lines = lines(&hazard, lang);
            assert!(lines[0].contains('乙'), "{lines:?}");
            assert!(lines[1].contains(hint), "{lines:?}");
        }
    }
}
