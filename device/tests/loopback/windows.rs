//! What a device holds of closed records: it says so, shows how far a first read is, and looks the rest up.

use hazardloop_device::home::DATABASE;
use hazardloop_device::store::Store;
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::{ScopeState, StoreOp};
use hazardloop_sync_protocol::wire::{Bytes, ClosedWindow, Record, Scope};
use rand::SeedableRng as _;
use serde_json::json;
use uuid::Uuid;

use super::replica::*;
use super::*;

const FIRM: u128 = 40;
const HAZARDS: &str = "/api/v1/hazards";

fn apply(phone: &Phone, ops: &[StoreOp]) {
    let (profile, key) = phone.unlocked();
    let rng = rand::rngs::StdRng::seed_from_u64(77);
    let mut store = Store::open(&profile.dir.join(DATABASE), &key, rng).unwrap();
    store.apply(ops).unwrap();
}

fn closed(days: u32, complete_after: Option<i64>) -> Option<ClosedWindow> {
    Some(ClosedWindow {
        closed_days: days,
        closed_bytes: 4 << 20,
        complete_after: complete_after.map(Timestamp::from_millis),
    })
}

/// Holds a hazard of a firm of which some were left out, and of a town of which none was.
fn phone() -> Phone {
    let phone = Phone::enrolled();
    let mut records: Vec<Record> = places();
    records.push(hazard(
        1,
        5,
        LI,
        vec![reported(TOWN, "town-gas", &json!({}))],
    ));
    records.push(enterprise(FIRM, "某铝制品厂"));
    hold(&phone, records);
    let state = |window| ScopeState {
        cursor: Some(Bytes(vec![1])),
        complete: true,
        window,
        ..ScopeState::default()
    };
    let firm = Scope::Enterprise(EnterpriseId(Uuid::from_u128(FIRM)));
    let town = Scope::Jurisdiction(JurisdictionId(Uuid::from_u128(TOWN)));
    let left_out = closed(365, Some(NOW - 366 * DAY));
    apply(
        &phone,
        &[
            StoreOp::PutScope(firm, state(left_out)),
            StoreOp::PutScope(town, state(closed(90, None))),
        ],
    );
    phone
}

fn found(n: u128) -> serde_json::Value {
    json!({
        "id": id(n), "number": format!("HZ-241122-0000000{n}"), "status": "closed", "version": 7,
        "description": "粉尘堆积", "enterprise_id": Uuid::from_u128(FIRM),
        "updated_at": "2024-11-20T01:00:00.000Z", "due_date": "2024-12-01",
    })
}

#[test]
fn status_and_list_say_what_is_here_and_where_the_rest_is() {
    let phone = phone();
    let shown = phone.shown_in_chinese(&["status"]);
    for part in [
        "某铝制品厂：办结的在本机保留 365 天，2025-11-21 及以前办结的已移出",
        "某镇：办结的在本机保留 90 天，目前没有移出的",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let (_, status) = phone.run(&["status"]);
    let scopes = status["scopes"].as_array().unwrap();
    let days = scopes.iter().map(|scope| scope["closed"]["days"].as_u64());
    assert_eq!(days.flatten().max(), Some(365));
    let listed = phone.shown_in_chinese(&["list"]);
    assert!(listed.contains("hazardloop-device find"), "{listed}");
    // Where nothing was left out, nothing is said of it.
    let other = Phone::enrolled();
    hold(&other, places());
    let listed = other.shown_in_chinese(&["list"]);
    assert!(!listed.contains("find"), "{listed}");
}

#[test]
fn what_is_not_here_is_found_on_the_server_with_the_filters_of_a_list() {
    let phone = phone();
    let path = format!(
        "{HAZARDS}?q=%E7%B2%89%E5%B0%98&status=closed,rejected&grade=major&enterprise_id={}\
         &received_until=2025-01-01T15%3A59%3A59.999Z&bbox=105.5%2C29.3%2C105.7%2C29.5%40wgs84&sort=due_date",
        Uuid::from_u128(FIRM)
    );
    let path = path.replace("closed,rejected", "closed%2Crejected");
    phone
        .server
        .page(&path, json!({ "items": [found(8), found(1)] }));
    let words = [
        "find",
        "--search",
        "粉尘",
        "--state",
        "closed,rejected",
        "--grade",
        "major",
        "--enterprise",
        "某铝制品厂",
        "--until",
        "2025-01-01",
        "--bbox",
        "105.5,29.3,105.7,29.5",
        "--sort",
        "due",
    ];
    let shown = phone.shown_in_chinese(&words);
    let line =
        "HZ-241122-00000008  已销号  2024-11-20  粉尘堆积  某铝制品厂  期限 2024-12-01  [不在本机]";
    assert!(shown.contains(line), "{shown}");
    let (code, answer) = phone.run(&words);
    assert_eq!(code, exit::DONE);
    assert_eq!(answer["items"][0]["on_device"], json!(false));
    assert_eq!(answer["items"][1]["on_device"], json!(true));
    phone.server.page(HAZARDS, json!({ "items": [] }));
    assert!(phone.shown_in_chinese(&["find"]).contains("没有相符的隐患"));
    let (code, _) = phone.run(&["find", "--criterion", "GM-03@2"]);
    assert_eq!(code, exit::USAGE, "the server knows no editions");
}

#[test]
fn without_a_network_it_is_said_and_so_is_what_can_be_done() {
    let phone = phone();
    phone.server.mishap(Mishap::Refuse);
    let (code, told) = phone.run(&["find", "--search", "粉尘"]);
    assert_eq!(code, exit::UNREACHABLE);
    let error = told["error"].as_str().unwrap();
    assert!(
        error.contains("no network") && error.contains("list"),
        "{told}"
    );
    phone.server.mishap(Mishap::Refuse);
    let told = phone.told_in_chinese(&["find"]);
    assert!(told.contains("没有网络") && told.contains("list"), "{told}");
}

#[test]
fn a_first_read_that_is_under_way_is_told_as_so_many_of_so_many() {
    let phone = phone();
    let town = Scope::Jurisdiction(JurisdictionId(Uuid::from_u128(TOWN)));
    let begun = ScopeState {
        cursor: Some(Bytes(vec![1])),
        staging_reset: true,
        first_rows: Some(10_000),
        ..ScopeState::default()
    };
    let mut ops = vec![StoreOp::PutScope(town, begun)];
    for record in places() {
        ops.push(StoreOp::Stage {
            scope: town,
            key: (record.kind, record.id),
            record: Some(record),
        });
    }
    let staged = places().len();
    apply(&phone, &ops);
    let shown = phone.shown_in_chinese(&["status"]);
    assert!(
        shown.contains(&format!("某镇：已取回 {staged} / 10,000 条")),
        "{shown}"
    );
    let (_, status) = phone.run(&["status"]);
    assert_eq!(status["reading"][0]["of"], json!(10_000));
    assert_eq!(status["reading"][0]["rows"], json!(staged));
    phone.server.mishap(Mishap::Refuse);
    let (_, run) = phone.run(&["sync"]);
    assert_eq!(run["reading"][0]["of"], json!(10_000), "{run}");
}
