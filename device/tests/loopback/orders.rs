//! Rectification orders as a person reads them on the phone.

use hazardloop_domain::pack::Citability;
use hazardloop_sync_protocol::wire::Record;
use serde_json::{Value, json};
use uuid::Uuid;

use super::replica::*;
use super::*;

const FIRM: u128 = 40;

/// Orders over 1 (overdue, by a stranger), 2 (due later, by the owner); 3 is only reported.
fn records() -> Vec<Record> {
    let firm = json!({ "enterprise_id": Uuid::from_u128(FIRM) });
    let mut served = confirmed("general", "2026-12-02");
    served["confirmation"]["served"] =
        json!({ "name": "周经理", "refused_because": "对结论有异议", "witness": "李四" });
    served["confirmation"]["period"] = json!({ "days": 10, "kind": "calendar" });
    served["deadline"] = json!({ "date": "2026-12-02", "start": "2026-11-22", "days": 10, "kind": "calendar", "provisional": false });
    let mut all = vec![
        hazard(
            1,
            9,
            STRANGER,
            vec![
                reported(TOWN, "industry-and-trade", &firm),
                confirmed("major", "2026-11-18"),
            ],
        ),
        hazard(
            2,
            8,
            LI,
            vec![reported(TOWN, "industry-and-trade", &firm), served],
        ),
        hazard(3, 7, LI, vec![reported(TOWN, "industry-and-trade", &firm)]),
        enterprise(FIRM, "某铝制品厂"),
        inspector(),
    ];
    all.extend(places());
    all
}

fn phone() -> Phone {
    let phone = Phone::enrolled();
    hold(&phone, records());
    phone
}

fn listed(phone: &Phone, words: &[&str]) -> Vec<Value> {
    let (code, list) = phone.run(&[&["orders"], words].concat());
    assert_eq!(code, exit::DONE, "{words:?}: {list}");
    let items = list["items"].as_array().unwrap().iter();
    items.map(|item| item["hazard_id"].clone()).collect()
}

#[test]
fn orders_in_force_are_listed_by_due_date_offline() {
    let phone = phone();
    let both = [json!(id(1)), json!(id(2))];
    assert_eq!(listed(&phone, &[]), both);
    assert_eq!(listed(&phone, &["--enterprise", "铝制品"]), both);
    assert_eq!(listed(&phone, &["--jurisdiction", "某区"]), both);
    assert_eq!(listed(&phone, &["--grade", "major"]), both[..1]);
    assert_eq!(listed(&phone, &["--overdue"]), both[..1]);
    assert_eq!(listed(&phone, &["--limit", "1"]), both[..1]);
    let (_, list) = phone.run(&["orders", "--limit", "1"]);
    assert_eq!(
        (&list["total"], &list["items"][0]["days_overdue"]),
        (&json!(2), &json!(4))
    );
    let shown = phone.shown_in_chinese(&["orders"]);
    let wanted = "期限 2026-11-18  已逾期 4 天  重大  已确认  某铝制品厂  加装箱门（周小河）";
    assert!(shown.contains(wanted), "{shown}");
    let none = Phone::enrolled().shown_in_chinese(&["orders", "--overdue"]);
    assert!(none.contains("没有相符的、整改期限有效的指令书"), "{none}");
}

#[test]
fn one_order_is_read_whole_with_the_certificate_of_whoever_signed_it_here() {
    let phone = phone();
    let shown = phone.shown_in_chinese(&["orders", &id(2).to_string()]);
    for part in [
        "责令限期整改指令书  HZ-",
        "作出单位: 某镇",
        "被责令单位: 某铝制品厂；统一社会信用代码 91500000000000000X；工业园一路 8 号",
        "存在问题: 配电箱无门",
        "整改期限: 2026-12-02；自 2026-11-22 起 10 天",
        "整改要求: 加装箱门",
        "判定依据: 现场可见",
        "送达: 周经理；拒签： 对结论有异议；见证人 李四",
        "作出日期: 2026-11-14",
        "签发人: 李检查；执法证 渝A-001；有效期至 2027-12-31",
    ] {
        assert!(shown.contains(part), "{part} in:\n{shown}");
    }
    assert!(!shown.contains("--online"), "{shown}");
    let (_, document) = phone.run(&["orders", &id(2).to_string()]);
    assert_eq!(
        document["signatories"][0]["certificate"]["number"],
        "渝A-001"
    );
    assert_eq!(document["pending"], json!([]));
}

#[test]
fn the_clause_that_an_order_rests_on_is_shown_in_the_edition_that_it_names() {
    let phone = Phone::enrolled();
    let trade = super::packs::shipped("industry-and-trade");
    let all = trade.criteria();
    let cited = |want: Citability| all.iter().find(|one| one.citability() == want);
    let (text, pointer) = (cited(Citability::FullText), cited(Citability::ClauseOnly));
    let mut records = super::packs::records(&trade);
    for (n, one) in [(1, text), (2, pointer)] {
        let Some(one) = one else { continue };
        let mut order = confirmed("major", "2026-12-18");
        order["confirmation"]["criterion"] = json!(one.reference());
        let report = reported(TOWN, "industry-and-trade", &json!({}));
        records.push(hazard(n, 9, STRANGER, vec![report, order]));
    }
    hold(&phone, records);
    let text = text.unwrap();
    let standard = trade.head.standards.iter();
    let standard = standard
        .clone()
        .find(|one| one.code == text.standard)
        .unwrap();
    let shown = phone.shown_in_chinese(&["orders", &id(1).to_string()]);
    let line = format!(
        "法律依据: 《{}》{} {}；{}；{}@{}",
        standard.title_zh, text.number, text.clause, text.zh, text.code, text.edition
    );
    assert!(
        shown.lines().any(|shown| shown == line),
        "{line} in:\n{shown}"
    );
    if pointer.is_some() {
        let shown = phone.shown_in_chinese(&["orders", &id(2).to_string()]);
        assert!(shown.contains("仅可指引条款，内容以原文为准"), "{shown}");
    }
}

#[test]
fn of_others_who_signed_the_phone_says_what_it_does_not_know_and_the_server_does() {
    let phone = phone();
    let hazard = id(1).to_string();
    let words = ["orders", &hazard];
    let shown = phone.shown_in_chinese(&words);
    assert!(
        shown.contains(&format!("签发人: {}", Uuid::from_u128(STRANGER))),
        "{shown}"
    );
    assert!(shown.contains("--online"), "{shown}");
    assert!(shown.contains("没有送达记录"), "{shown}");
    let online = [&words[..], &["--online"]].concat();
    let path = format!("/api/v1/orders/{}", id(1));
    phone.server.page(
        &path,
        json!({ "hazard_id": id(1), "signatories": [{ "person_id": Uuid::from_u128(STRANGER),
            "name": "王检查", "certificate": { "number": "渝A-002" } }] }),
    );
    let shown = phone.shown_in_chinese(&online);
    assert!(shown.contains("签发人: 王检查；执法证 渝A-002"), "{shown}");
    assert!(!shown.contains("--online"), "{shown}");
    phone.server.mishap(Mishap::Refuse);
    assert_eq!(phone.run(&online).0, exit::UNREACHABLE);
    phone.server.refuse(&path, "404 Not Found", "NOT_FOUND");
    assert_eq!(phone.run(&online).0, exit::ATTENTION);
}

#[test]
fn a_hazard_without_an_order_and_one_that_is_not_here_are_told_apart() {
    let phone = phone();
    let reported = phone.told_in_chinese(&["orders", &id(3).to_string()]);
    assert!(reported.contains("尚未责令整改"), "{reported}");
    let unknown = phone.told_in_chinese(&["orders", &id(9).to_string()]);
    assert!(unknown.contains("本机没有这条隐患"), "{unknown}");
    assert!(
        phone.server.read().is_empty(),
        "nothing was asked of the server"
    );
}
