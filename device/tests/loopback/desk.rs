//! Desk work that is read from the server: shown while there is a network, told clearly while there
//! is none, and never changed.

use serde_json::json;
use uuid::Uuid;

use super::replica::*;
use super::*;

const FIRM: u128 = 40;
const UNCLAIMED: &str = "/api/v1/hazards/unclaimed";

fn phone() -> Phone {
    let phone = Phone::enrolled();
    let mut records = places();
    records.extend([enterprise(FIRM, "某铝制品厂"), inspector()]);
    hold(&phone, records);
    phone
}

fn unclaimed(n: u128, sector: Option<&str>) -> serde_json::Value {
    let mut hazard = json!({
        "id": id(n), "number": format!("HZ-261122-0000000{n}"), "status": "reported",
        "description": "来源不明的隐患", "enterprise_id": Uuid::from_u128(FIRM),
        "jurisdiction_id": Uuid::from_u128(TOWN), "received_at": "2026-11-20T01:00:00.000Z",
    });
    if let Some(sector) = sector {
        hazard["sector"] = json!(sector);
    }
    hazard
}

#[test]
fn what_nobody_answers_for_is_read_page_by_page() {
    let phone = phone();
    let first = json!({ "items": [unclaimed(1, None)], "next": "a+b" });
    phone.server.page(UNCLAIMED, first);
    let rest = json!({ "items": [unclaimed(2, Some("astronomy"))] });
    phone.server.page(&format!("{UNCLAIMED}?after=a%2Bb"), rest);
    let shown = phone.shown_in_chinese(&["unclaimed"]);
    let line = "HZ-261122-00000001  2026-11-20  已上报  来源不明的隐患  某铝制品厂  某镇  行业不明";
    assert!(shown.contains(line), "{shown}");
    assert!(shown.contains("astronomy（无部门负责）"), "{shown}");
    let (_, one) = phone.run(&["unclaimed", "--limit", "1"]);
    assert_eq!(
        (one["items"].as_array().unwrap().len(), &one["more"]),
        (1, &json!(true))
    );
    let place = format!("{UNCLAIMED}?jurisdiction_id={}", Uuid::from_u128(TOWN));
    phone.server.page(&place, json!({ "items": [] }));
    let none = phone.shown_in_chinese(&["unclaimed", "--jurisdiction", "某镇"]);
    assert!(none.contains("没有无主隐患"), "{none}");
}

#[test]
fn without_a_network_or_a_right_it_is_told_with_an_exit_code() {
    let phone = phone();
    for words in [&["unclaimed"][..], &["responsibilities"], &["hand-overs"]] {
        phone.server.mishap(Mishap::Refuse);
        let (code, told) = phone.run(words);
        assert_eq!(code, exit::UNREACHABLE, "{words:?}");
        let message = told["message"].as_str().unwrap();
        assert!(message.contains("cannot be reached"), "{told}");
        phone.server.mishap(Mishap::Portal);
        assert_eq!(phone.run(words).0, exit::UNREACHABLE, "{words:?}");
    }
    phone.server.refuse(UNCLAIMED, "403 Forbidden", "FORBIDDEN");
    assert_eq!(phone.run(&["unclaimed"]).0, exit::REFUSED);
    let told = phone.told_in_chinese(&["unclaimed"]);
    assert!(told.contains("您的角色不能查看"), "{told}");
    let (code, _) = phone.run(&["unclaimed", "--draft", "x"]);
    assert_eq!(code, exit::USAGE, "nothing here is signed");
    assert!(phone.server.accepted().is_empty());
}

#[test]
fn a_session_that_has_run_out_is_renewed_once() {
    let phone = phone();
    phone.server.page(UNCLAIMED, json!({ "items": [] }));
    phone.server.mishap(Mishap::ExpiredToken);
    assert_eq!(phone.run(&["unclaimed"]).0, exit::DONE);
    assert_eq!(phone.server.refreshes(), 1);
    // The new one was kept: the next process needs none.
    assert_eq!(phone.run(&["unclaimed"]).0, exit::DONE);
    assert_eq!(phone.server.refreshes(), 1);
    // A mishap for each: the question, and the question after the renewal.
    phone.server.mishap(Mishap::ExpiredToken);
    phone.server.mishap(Mishap::None);
    phone.server.mishap(Mishap::ExpiredToken);
    assert_eq!(phone.run(&["unclaimed"]).0, exit::ATTENTION);
}

#[test]
fn who_answers_is_asked_for_ones_own_place_and_for_another() {
    let phone = phone();
    let of = |n: u128| {
        format!(
            "/api/v1/jurisdictions/{}/responsibilities",
            Uuid::from_u128(n)
        )
    };
    phone.server.page(
        &of(DISTRICT),
        json!({ "rows": [{ "sector": "town-gas", "department": "区经济信息委" }],
            "fallback": "区应急管理局", "warnings": [] }),
    );
    let own = phone.shown_in_chinese(&["responsibilities"]);
    for part in ["某区:", "town-gas: 区经济信息委", "业务相近: 区应急管理局"] {
        assert!(own.contains(part), "{part}: {own}");
    }
    phone.server.page(
        &format!("{}/answering?sector=%E7%87%83%E6%B0%94", of(TOWN)),
        json!({ "basis": "inherited", "department": "区经济信息委",
            "said_by": Uuid::from_u128(DISTRICT) }),
    );
    let words = [
        "responsibilities",
        "--sector",
        "燃气",
        "--jurisdiction",
        "某镇",
    ];
    let asked = phone.shown_in_chinese(&words);
    assert_eq!(asked.trim(), "某镇  燃气: 区经济信息委（由上级 某区 明确）");
    phone.server.refuse(&of(TOWN), "404 Not Found", "NOT_FOUND");
    let (code, _) = phone.run(&["responsibilities", "--jurisdiction", "某镇"]);
    assert_eq!(code, exit::USAGE);
}

#[test]
fn hand_overs_are_shown_by_name_and_those_of_others_only_when_asked_for() {
    let phone = phone();
    let (me, wang, zhao) = (
        Uuid::from_u128(LI),
        Uuid::from_u128(50),
        Uuid::from_u128(51),
    );
    let made = |n: u128, from: Uuid, to: Uuid| {
        json!({ "id": id(n), "from_person": from, "from_name": "王前任", "to_person": to,
            "to_name": "李检查", "reason": "调任其他岗位",
            "effective_at": "2026-11-25T00:00:00.000Z", "made_by": zhao,
            "made_at": "2026-11-20T00:00:00.000Z",
            "grants": [{ "ended": id(3), "given": id(4) }] })
    };
    let items = json!([made(1, wang, me), made(2, wang, zhao)]);
    phone
        .server
        .page("/api/v1/hand-overs", json!({ "items": items }));
    let mine = phone.shown_in_chinese(&["hand-overs"]);
    let line = format!(
        "2026-11-25 起  王前任 → 李检查  1 项职权  调任其他岗位  （{zhao} 于 2026-11-20 办理）  [尚未生效]"
    );
    assert_eq!(mine.trim(), line);
    let (_, all) = phone.run(&["hand-overs", "--all"]);
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    phone.server.page(
        "/api/v1/hand-overs",
        json!({ "items": [made(2, wang, zhao)] }),
    );
    let none = phone.shown_in_chinese(&["hand-overs"]);
    assert!(none.contains("没有涉及您的工作移交"), "{none}");
}
