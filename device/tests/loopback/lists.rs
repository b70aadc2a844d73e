//! The list of hazards, narrowed and in order, without a network.

use hazardloop_sync_protocol::wire::Record;
use serde_json::{Value, json};
use uuid::Uuid;

use super::replica::*;
use super::*;

const FIRM: u128 = 40;

/// 1: dust, major, overdue, at the firm in the town; 2: gas, general, due later, with a position; 3:
/// only reported, in the district, by the owner; 4: closed by rejection.
fn records() -> Vec<Record> {
    let mut by_criterion = confirmed("major", "2026-11-18");
    by_criterion["confirmation"]["criterion"] = json!({ "code": "GM-03", "edition": 1 });
    let at = |longitude: f64| json!({ "longitude": longitude, "latitude": 29.405, "reference": "wgs84" });
    let firm = Uuid::from_u128(FIRM);
    let dust = json!({ "grade": "major", "description": "除尘器积尘", "enterprise_id": firm });
    let gas = json!({ "description": "燃气管道锈蚀", "source": "grid", "position": at(105.594) });
    let mut all = vec![
        hazard(
            1,
            20,
            STRANGER,
            vec![reported(TOWN, "industry-and-trade", &dust), by_criterion],
        ),
        hazard(
            2,
            10,
            STRANGER,
            vec![
                reported(TOWN, "town-gas", &gas),
                confirmed("general", "2026-12-10"),
            ],
        ),
        hazard(3, 2, LI, vec![reported(DISTRICT, "town-gas", &json!({}))]),
        hazard(
            4,
            1,
            STRANGER,
            vec![
                reported(DISTRICT, "town-gas", &json!({ "position": at(105.7) })),
                json!({ "kind": "rejected", "rejection": { "reason": "不属实" } }),
            ],
        ),
        enterprise(FIRM, "某铝制品厂"),
    ];
    all.extend(places());
    all
}

fn phone() -> Phone {
    let phone = Phone::enrolled();
    hold(&phone, records());
    phone
}

/// The places of the hazards in what a line lists.
fn listed(phone: &Phone, words: &[&str]) -> Vec<u128> {
    let (code, list) = phone.run(&[&["list"], words].concat());
    assert_eq!(code, exit::DONE, "{words:?}: {list}");
    let of = |item: &Value| {
        let named = item["id"].as_str().unwrap();
        (1..=4).find(|n| id(*n).to_string() == named).unwrap()
    };
    list.as_array().unwrap().iter().map(of).collect()
}

#[test]
fn the_list_is_narrowed_by_what_the_replica_knows() {
    let phone = phone();
    let firm = Uuid::from_u128(FIRM).to_string();
    let cases: &[(&[&str], &[u128])] = &[
        (&[], &[4, 3, 2, 1]),
        (&["--state", "confirmed"], &[2, 1]),
        (&["--state", "reported,rejected"], &[4, 3]),
        (&["--state", "已上报", "不予认定"], &[4, 3]),
        (&["--grade", "major"], &[1]),
        (&["--overdue"], &[1]),
        (&["--sector", "town-gas"], &[4, 3, 2]),
        (&["--enterprise", "铝制品"], &[1]),
        (&["--enterprise", &firm], &[1]),
        (&["--jurisdiction", "某区"], &[4, 3, 2, 1]),
        (&["--jurisdiction", "某镇"], &[2, 1]),
        (&["--criterion", "GM-03"], &[1]),
        (&["--criterion", "GM-03@2"], &[]),
        (&["--source", "grid"], &[2]),
        (&["--since", "2026-11-12"], &[4, 3, 2]),
        (&["--until", "2026-11-12"], &[2, 1]),
        (&["--since", "2026-11-12", "--until", "2026-11-20"], &[3, 2]),
        (
            &["--due-from", "2026-11-18", "--due-until", "2026-11-30"],
            &[1],
        ),
        (&["--near", "105.594,29.406,500"], &[2]),
        (&["--bbox", "105.5,29.4,105.6,29.5"], &[2]),
        (&["--mine"], &[3]),
        (&["--search", "积尘", "--grade", "major"], &[1]),
        (&["--search", "积尘", "--grade", "general"], &[]),
        (&["--sort", "due"], &[1, 2, 4, 3]),
        (&["--sort", "due", "--limit", "1"], &[1]),
    ];
    for (words, wanted) in cases {
        assert_eq!(listed(&phone, words), *wanted, "{words:?}");
    }
}

#[test]
fn a_place_on_a_shifted_map_is_another_place() {
    let phone = phone();
    // The map of 高德 shows this point some hundred metres away.
    let near = |reference: &str| {
        let near = format!("105.594,29.405,100@{reference}");
        listed(&phone, &["--near", &near])
    };
    assert_eq!(near("wgs84"), [2]);
    assert!(near("gcj02").is_empty());
}

#[test]
fn a_list_says_what_it_does_not_show() {
    let phone = phone();
    let short = phone.shown_in_chinese(&["list", "--limit", "3"]);
    assert_eq!(short.lines().count(), 4, "{short}");
    assert!(short.contains("只显示前 3 条，共 4 条"), "{short}");
    let near = phone.shown_in_chinese(&["list", "--near", "105.594,29.405,2000"]);
    assert!(
        near.contains("105.594,29.405（坐标系 wgs84）周围 2000 米以内"),
        "{near}"
    );
    assert!(near.contains("距离 0 m"), "{near}");
    assert!(near.contains("另有 2 条没有位置"), "{near}");
    let none = phone.shown_in_chinese(&["list", "--state", "closed"]);
    assert!(none.contains("没有相符的隐患"), "{none}");
    let unknown = phone.told_in_chinese(&["list", "--enterprise", "化工"]);
    assert!(unknown.contains("本机没有这家企业"), "{unknown}");
    let (code, _) = phone.run(&["list", "--jurisdiction", "别处"]);
    assert_eq!(code, exit::USAGE);
}

#[test]
fn a_report_that_was_not_sent_yet_is_listed_by_when_it_was_kept() {
    let phone = Phone::enrolled();
    phone.report("配电箱无门");
    let today = phone.run(&["list", "--since", "2026-11-22", "--mine"]).1;
    assert_eq!(today.as_array().unwrap().len(), 1, "{today}");
    let before = phone.run(&["list", "--until", "2026-11-21"]).1;
    assert_eq!(before, json!([]));
}

/// Corrected and closed, as the record goes.
fn closed() -> [Value; 2] {
    [
        json!({ "kind": "rectification_submitted", "submission": { "measures": "清扫",
            "completed_at": "2026-11-03T01:00:00.000Z", "photos": [] } }),
        json!({ "kind": "closed", "closure": { "opinion": "同意销号" } }),
    ]
}

#[test]
fn what_looks_like_a_closed_hazard_again_is_said_from_both_sides() {
    let phone = Phone::enrolled();
    let of_firm =
        json!({ "enterprise_id": Uuid::from_u128(FIRM), "nature": { "category": "消防" } });
    let report = || reported(TOWN, "industry-and-trade", &of_firm);
    let mut first = vec![report(), confirmed("general", "2026-11-10")];
    first.extend(closed());
    hold(
        &phone,
        vec![
            hazard(1, 20, STRANGER, first),
            hazard(2, 2, STRANGER, vec![report()]),
            enterprise(FIRM, "某铝制品厂"),
        ],
    );
    let shown = |n: u128| {
        let (code, answer) = phone.run(&["show", &id(n).to_string()]);
        assert_eq!(code, exit::DONE, "{answer}");
        answer["alike"][0]["id"].clone()
    };
    assert_eq!(shown(1), json!(id(2)));
    assert_eq!(shown(2), json!(id(1)));
}
