//! The same hazard between bodies and people: taken back from a district where nobody answers, taken over by one
//! where somebody does and given back; and a reviewer who hands the desk over to a successor.

use hazardloop_tests::server::DEMO_PASSWORD;
use serde_json::{Value, json};

use super::actors::id;
use super::grown::Play;

const CITY_CODE: &str = "500000000000";
const OTHER_DISTRICT: &str = "another district";

fn transfer(to: &Value, body: &str) -> Value {
    json!({ "kind": "transfer", "to_body": body, "to_jurisdiction": to, "reason": "厂区跨区，移交对方" })
}

fn receipt(accepted: bool, note: &str) -> Value {
    json!({ "kind": "receive_transfer", "accepted": accepted, "receipt_no": "回执〔2026〕9号", "note": note })
}

/// The id of the jurisdiction with this division code.
fn jurisdiction(play: &Play, code: &str) -> Value {
    let tree = play.rest("admin").get("/api/v1/jurisdictions").json();
    let mut nodes = tree["items"].as_array().unwrap().iter();
    let node = nodes.find(|node| node["division_code"] == code).unwrap();
    node["id"].clone()
}

fn add_person(play: &Play, login: &str, role: &str, over: &Value) -> Value {
    let person = id(login);
    let body = json!({
        "id": person, "login": login, "name": login, "password": DEMO_PASSWORD,
        "grants": [{ "role": role, "scope": { "jurisdiction": over } }],
    });
    let admin = play.rest("admin");
    admin.post("/api/v1/people", &body).expect_status(&[201]);
    json!(person)
}

/// To a district of the same city and back, first because nobody is there, then with both receipts. The order, its
/// due date, its signatories and who issued it stay as they are.
pub(super) fn between_districts(play: &Play) {
    let district = json!({
        "id": id(OTHER_DISTRICT), "parent_id": jurisdiction(play, CITY_CODE), "name": "永川区", "level": "district",
    });
    let admin = play.rest("admin");
    admin
        .post("/api/v1/jurisdictions", &district)
        .expect_status(&[201]);
    let before = play.seen();
    let (home, other) = (&before["jurisdiction_id"], json!(id(OTHER_DISTRICT)));
    play.desk(
        "reviewer",
        "to nobody",
        transfer(&other, "永川区应急管理局"),
    );
    // Only the receiving body says that it takes the hazard over; whoever handed it over may take it back.
    play.refused("reviewer", "take", receipt(true, ""), "NOT_PERMITTED");
    let back = play.desk("reviewer", "take back", receipt(false, "对方尚未开通"));
    assert_eq!(back["status"], before["status"]);

    add_person(play, "yongchuan", "department_reviewer", &other);
    play.desk(
        "reviewer",
        "to somebody",
        transfer(&other, "永川区应急管理局"),
    );
    let taken = play.desk("yongchuan", "receipt there", receipt(true, ""));
    // By now it says who issued the order, for it is another who answers.
    let mut issued = before["status"].clone();
    issued["order"]["issued_in"] = home.clone();
    assert_eq!(taken["status"], issued);
    assert_eq!(taken["jurisdiction_id"], other);
    let path = format!("/api/v1/hazards/{}", play.hazard);
    let answer = play.rest("reviewer").get(&path);
    answer.expect_status(&[404]);
    let firm = format!(
        "/api/v1/hazards?enterprise_id={}",
        before["enterprise_id"].as_str().unwrap()
    );
    let listed = play.rest("reviewer").get(&firm).json();
    assert_eq!(listed["items"], json!([]), "nor by its enterprise");
    play.desk("yongchuan", "return", transfer(home, "荣昌区应急管理局"));
    let home_again = play.desk("head", "receipt here", receipt(true, ""));
    assert_eq!(home_again["status"], before["status"]);
    assert_eq!(&home_again["jurisdiction_id"], home);
}

/// The reviewer moves on: what waited on that desk waits on the successor's, and the predecessor sees nothing any more.
pub(super) fn to_a_successor(play: &Play) {
    let me = play.rest("reviewer").get("/api/v1/sessions/current").json();
    let town = jurisdiction(play, "500153003000");
    let successor = add_person(play, "reviewer2", "grid_worker", &town);
    let body = json!({
        "id": id("hand-over"), "from_person": me["person"]["id"], "to_person": successor, "reason": "调任其他岗位",
    });
    let head = play.rest("head");
    head.post("/api/v1/hand-overs", &body).expect_status(&[201]);
    let path = format!("/api/v1/hazards/{}", play.hazard);
    let shown = play.rest("reviewer2").get(&path).expect_status(&[200]);
    let actions = shown.json()["allowed_actions"].to_string();
    assert!(actions.contains("decide_resumption"), "{actions}");
    play.rest("reviewer").get(&path).expect_status(&[404]);
}
