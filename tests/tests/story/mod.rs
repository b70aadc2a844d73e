//! One report through every door: devices without signal, a network that is cut, a server that is killed, and in the
//! end the same record on both databases, to the byte.

mod actors;
mod grown;
mod handed_over;
mod tamper;

use hazardloop_tests::TestDatabase;
use hazardloop_tests::link::{Place, Way};
use hazardloop_tests::process::{PATIENCE, described};
use serde_json::{Value, json};

use actors::{Stage, id};
use tamper::tamper_with_an_event;

/// Exit codes of the device.
const DONE: i32 = 0;
const UNREACHABLE: i32 = 4;

const PUSH: &str = "POST /api/v1/sync/push";
const PULL: &str = "POST /api/v1/sync/pull";
const PATCH: &str = "PATCH /api/v1/photos";

/// What one run of the story leaves behind: must be equal on both databases.
#[derive(Debug, PartialEq)]
struct Remains {
    hazard: Value,
    events: Value,
    receipts: Vec<Value>,
    replicas: Vec<Value>,
    head: String,
}

#[test]
fn one_report_travels_the_whole_way_and_ends_alike_on_both_databases() {
    let on_sqlite = story(TestDatabase::sqlite());
    let on_postgres = story(TestDatabase::postgres());
    for (one, other) in on_sqlite.receipts.iter().zip(&on_postgres.receipts) {
        assert_eq!(one, other, "receipts");
    }
    assert_eq!(on_sqlite.events, on_postgres.events);
    assert_eq!(on_sqlite.hazard, on_postgres.hazard);
    assert_eq!(on_sqlite.replicas, on_postgres.replicas);
    assert_eq!(on_sqlite.head, on_postgres.head, "the audit heads");
}

fn story(database: TestDatabase) -> Remains {
    let mut stage = Stage::set(database);
    let hazard = reported_without_signal(&stage);
    cut_while_pushing(&mut stage, &hazard);
    cut_while_uploading(&mut stage);
    cut_while_pulling(&stage, &hazard);
    everything_arrives(&stage, &hazard);
    confirmed_over_rest(&stage, &hazard);
    planned_and_acknowledged(&stage, &hazard);
    fixed_by_the_enterprise(&stage, &hazard);
    reinspected_by_two(&stage, &hazard);
    not_closed_without_its_photo(&stage, &hazard);
    closed(&stage, &hazard);
    a_neighbour_sees_nothing(&stage, &hazard);
    remains(stage, &hazard)
}

/// Photo, report and notes are kept on the device while there is no network.
fn reported_without_signal(stage: &Stage) -> String {
    stage.link.cut();
    let photo = stage.photo("before.jpg", 1, 300_000);
    let reported = stage.employee.json(&[
        "report",
        "--major",
        "--photo",
        &photo,
        "--at",
        "105.594,29.405@gcj02±8.5",
        "--place",
        "2#除尘器",
        "--text",
        "除尘器泄爆口被货物遮挡，灰斗积尘",
        "--measure",
        "停机",
    ]);
    let hazard = reported["hazard_id"].as_str().unwrap().to_owned();
    stage
        .employee
        .ok(&["note", &hazard, "--text", "无信号，先记在本机"]);
    let second = stage.photo("surroundings.jpg", 2, 400_000);
    stage.employee.ok(&["attach", &hazard, "--photo", &second]);
    assert_eq!(
        stage.employee.run(&["sync"]).status.code(),
        Some(UNREACHABLE)
    );
    let status = stage.employee.json(&["status"]);
    assert_eq!(
        (&status["on_device"], &status["photos_on_device"]),
        (&json!(3), &json!(2)),
        "{status}"
    );
    let queue = stage.employee.json(&["queue"]);
    assert_eq!(queue["on_device"].as_array().unwrap().len(), 3, "{queue}");
    stage.link.restore();
    hazard
}

/// The device syncs until the connection stands still at `place`; then `meanwhile` happens, and the network is gone.
fn sync_cut_at(stage: &mut Stage, place: Place, meanwhile: impl FnOnce(&mut Stage)) {
    let what = format!("{place:?}");
    let planned = stage.link.stop_at(place);
    let syncing = stage.employee.start(&["sync"]);
    planned.wait();
    meanwhile(stage);
    stage.link.cut();
    let output = syncing.finish(PATIENCE);
    assert_eq!(
        output.status.code(),
        Some(UNREACHABLE),
        "cut at {what}: {}",
        described(&output)
    );
    stage.link.restore();
}

fn at(request: &'static str, way: Way, bytes: usize) -> Place {
    Place {
        request,
        way,
        bytes,
    }
}

/// Killed as by a power cut, and started again; who talks to it through the link does not know.
fn power_cut(stage: &mut Stage) {
    stage.server.kill();
    stage.server.restart();
    stage.link.lead_to(stage.server.address());
}

fn cut_while_pushing(stage: &mut Stage, hazard: &str) {
    let waiting = |stage: &Stage| stage.employee.json(&["status"])["on_device"].clone();
    // The request is cut: the server has heard nothing that it could act on.
    sync_cut_at(stage, at(PUSH, Way::Up, 700), |_| {});
    assert_eq!(
        stage
            .inspector()
            .get(&format!("/api/v1/hazards/{hazard}"))
            .status,
        404
    );
    assert_eq!(waiting(stage), 3);
    // The server dies with half a request in its hands.
    sync_cut_at(stage, at(PUSH, Way::Up, 900), power_cut);
    assert_eq!(
        stage
            .inspector()
            .get(&format!("/api/v1/hazards/{hazard}"))
            .status,
        404
    );
    // The answer is cut: the server has recorded it, the device does not know.
    sync_cut_at(stage, at(PUSH, Way::Down, 40), |_| {});
    let seen = stage
        .inspector()
        .get(&format!("/api/v1/hazards/{hazard}"))
        .expect_status(&[200])
        .json();
    assert_eq!(seen["version"], 3, "{seen}");
    assert_eq!(waiting(stage), 3);
    // The server dies right after it has recorded one more, before it can say so.
    stage.employee.ok(&["note", hazard, "--text", "仍无回音"]);
    sync_cut_at(stage, at(PUSH, Way::Down, 0), power_cut);
    assert_eq!(waiting(stage), 4);
}

fn cut_while_uploading(stage: &mut Stage) {
    sync_cut_at(stage, at(PATCH, Way::Up, 70_000), |_| {});
    // The commands before the photos have their receipts by now.
    let status = stage.employee.json(&["status"]);
    assert_eq!(
        (&status["on_device"], &status["arrived"]),
        (&json!(0), &json!(4)),
        "{status}"
    );
    assert_eq!(status["photos_on_device"], 2, "{status}");
    sync_cut_at(stage, at(PATCH, Way::Up, 60_000), power_cut);
    sync_cut_at(stage, at(PATCH, Way::Down, 20), power_cut);
}

fn cut_while_pulling(stage: &Stage, hazard: &str) {
    let command = json!({ "kind": "note", "text": "已收到，等照片" });
    stage
        .inspector()
        .command(hazard, &id("received"), &command)
        .expect_status(&[200, 201]);
    // In the middle of the record that changed.
    let planned = stage.link.stop_at(at(PULL, Way::Down, 700));
    let pulling = stage.employee.start(&["pull"]);
    planned.wait();
    stage.link.cut();
    let output = pulling.finish(PATIENCE);
    assert_eq!(
        output.status.code(),
        Some(UNREACHABLE),
        "{}",
        described(&output)
    );
    stage.link.restore();
    let notes = stage.employee.json(&["show", hazard])["hazard"]["notes"].clone();
    assert_eq!(
        notes.as_array().unwrap().len(),
        2,
        "half a page shows nothing: {notes}"
    );
}

fn everything_arrives(stage: &Stage, hazard: &str) {
    stage.employee.ok(&["sync"]);
    let status = stage.employee.json(&["status"]);
    assert_eq!(
        (&status["on_device"], &status["photos_on_device"]),
        (&json!(0), &json!(0)),
        "{status}"
    );
    let seen = stage
        .inspector()
        .get(&format!("/api/v1/hazards/{hazard}"))
        .json();
    // Once each, however often they were sent.
    assert_eq!(seen["notes"].as_array().unwrap().len(), 3, "{seen}");
    let photos = seen["photos"].as_array().unwrap();
    assert_eq!(photos.len(), 2, "{seen}");
    for (photo, name) in photos.iter().zip(["before.jpg", "surroundings.jpg"]) {
        assert_eq!(photo["state"]["name"], "verified", "{photo}");
        stage.assert_same_photo(&photo["reference"]["sha256"], name);
    }
    let shown = stage.employee.json(&["show", hazard]);
    assert_eq!(
        shown["hazard"]["version"], seen["version"],
        "the device has what the server has"
    );
}

fn confirmed_over_rest(stage: &Stage, hazard: &str) {
    let command = json!({
        "kind": "confirm", "grade": "major", "basis": "除尘系统未规范设置泄爆",
        "expert_opinion": { "name": "周工", "opinion": "构成重大事故隐患" }, "responsible_person": "刘志远",
        "requirement": "清理积尘，恢复泄爆口", "due_date": "2026-12-22",
        "category": "粉尘防爆",
    });
    let version = stage
        .inspector()
        .get(&format!("/api/v1/hazards/{hazard}"))
        .field("etag")
        .unwrap()
        .to_owned();
    let body = json!({ "command_id": id("confirm"), "command": command }).to_string();
    let fields = [
        ("content-type", "application/json"),
        ("if-match", version.as_str()),
    ];
    let path = format!("/api/v1/hazards/{hazard}/commands");
    let answer = stage
        .inspector()
        .ask("POST", &path, &fields, Some(body.as_bytes()))
        .expect_status(&[200, 201]);
    // One inspector does not confirm a major hazard alone.
    assert_eq!(answer.json()["hazard"]["status"]["name"], "reported");
    // Its answer may have been lost: the same again is the same, though its version has passed.
    let again = stage
        .inspector()
        .ask("POST", &path, &fields, Some(body.as_bytes()))
        .expect_status(&[200, 201]);
    assert_eq!(again.json()["version"], answer.json()["version"]);
    let second = &stage.inspectors[1];
    second.ok(&["pull"]);
    second.ok(&["decide", hazard, "proposal", "--yes", "--opinion", "属实"]);
    second.ok(&["push"]);
}

/// The five fulfilments, written without signal; the department's word over REST.
fn planned_and_acknowledged(stage: &Stage, hazard: &str) {
    stage.principal.ok(&["pull"]);
    let shown = stage.principal.json(&["show", hazard]);
    assert_eq!(shown["hazard"]["status"]["name"], "confirmed", "{shown}");
    stage.link.cut();
    stage.principal.ok(&grown::plan(hazard, "2026-12-20"));
    stage.link.restore();
    stage.principal.ok(&["push"]);
    let decision = json!({ "kind": "decide_plan", "accepted": true, "opinion": "方案可行" });
    let answer = stage
        .reviewer()
        .command(hazard, &id("plan"), &decision)
        .expect_status(&[200, 201])
        .json();
    assert_eq!(answer["hazard"]["status"]["name"], "rectifying", "{answer}");
}

fn fixed_by_the_enterprise(stage: &Stage, hazard: &str) {
    stage.principal.ok(&["pull"]);
    let shown = stage.principal.json(&["show", hazard]);
    assert_eq!(shown["hazard"]["status"]["name"], "rectifying", "{shown}");
    assert_eq!(
        shown["hazard"]["status"]["order"]["due_date"], "2026-12-20",
        "{shown}"
    );
    stage.link.cut();
    let after = stage.photo("after.jpg", 3, 200_000);
    stage.principal.ok(&[
        "fix",
        hazard,
        "--photo",
        &after,
        "--measures",
        "清理积尘，移走货物",
        "--cost-fen",
        "120000",
        "--accepted-by",
        "王强",
        "--acceptance",
        "自验收合格",
    ]);
    stage.link.restore();
    // The words go ahead, the photo follows later.
    stage.principal.ok(&["push"]);
    let seen = stage
        .inspector()
        .get(&format!("/api/v1/hazards/{hazard}"))
        .json();
    assert_eq!(seen["status"]["name"], "pending_reinspection", "{seen}");
    assert_eq!(stage.principal.json(&["status"])["photos_on_device"], 1);
}

fn reinspected_by_two(stage: &Stage, hazard: &str) {
    for inspector in &stage.inspectors {
        inspector.ok(&["pull"]);
    }
    stage.link.cut();
    for (inspector, opinion) in stage.inspectors.iter().zip(["已清理，合格", "复核，合格"])
    {
        inspector.ok(&grown::pass(hazard, opinion));
        assert_eq!(inspector.run(&["sync"]).status.code(), Some(UNREACHABLE));
    }
    stage.link.restore();
    for inspector in &stage.inspectors {
        let output = inspector.run(&["sync"]);
        assert_eq!(output.status.code(), Some(DONE), "{}", described(&output));
    }
}

fn not_closed_without_its_photo(stage: &Stage, hazard: &str) {
    let close = json!({ "kind": "close", "opinion": "整改到位，同意销号" });
    let answer = stage.reviewer().command(hazard, &id("close"), &close);
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (409, "PHOTOS_AWAITED")
    );
    // An inspector's own device says so too, before anything is sent.
    let output = stage.inspectors[0].run(&["close", hazard, "--opinion", "同意"]);
    assert_eq!(output.status.code(), Some(3), "{}", described(&output));
}

fn closed(stage: &Stage, hazard: &str) {
    stage.principal.ok(&["sync"]);
    let close = json!({ "kind": "close", "opinion": "整改到位，同意销号" });
    // The refused command left nothing behind: the same id may be used again.
    let answer = stage
        .reviewer()
        .command(hazard, &id("close"), &close)
        .expect_status(&[200, 201])
        .json();
    assert_eq!(answer["hazard"]["status"]["name"], "closed", "{answer}");
    let photo = answer["hazard"]["photos"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()["reference"]["sha256"]
        .clone();
    stage.assert_same_photo(&photo, "after.jpg");
    for device in stage.devices() {
        device.ok(&["sync"]);
        assert_eq!(
            device.json(&["show", hazard])["hazard"]["status"]["name"],
            "closed"
        );
    }
}

fn a_neighbour_sees_nothing(stage: &Stage, hazard: &str) {
    let neighbour = stage.neighbour();
    let photo = stage
        .inspector()
        .get(&format!("/api/v1/hazards/{hazard}"))
        .json()["photos"][0]["reference"]["sha256"]
        .clone();
    let photo = photo.as_str().unwrap();
    for path in [
        format!("/api/v1/hazards/{hazard}"),
        format!("/api/v1/hazards/{hazard}/events"),
        format!("/api/v1/photos/{photo}"),
        format!("/api/v1/photos/{photo}?size=thumbnail"),
    ] {
        let answer = neighbour.get(&path);
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (404, "NOT_FOUND"),
            "{path}"
        );
    }
    let listed = neighbour
        .get("/api/v1/hazards")
        .expect_status(&[200])
        .json();
    assert_eq!(listed["items"], json!([]));
    let answer = neighbour.command(
        hazard,
        &id("a neighbour's"),
        &json!({ "kind": "note", "text": "路过" }),
    );
    assert_eq!(answer.status, 404, "{}", answer.text());
}

fn remains(mut stage: Stage, hazard: &str) -> Remains {
    let mut found = Remains {
        hazard: stage
            .inspector()
            .get(&format!("/api/v1/hazards/{hazard}"))
            .json(),
        events: stage
            .inspector()
            .get(&format!("/api/v1/hazards/{hazard}/events?limit=200"))
            .json(),
        receipts: stage
            .devices()
            .map(|device| device.json(&["queue"]))
            .collect(),
        replicas: stage
            .devices()
            .map(|device| device.json(&["show", hazard]))
            .collect(),
        head: String::new(),
    };
    let kinds: Vec<&str> = found.events["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "reported",
            "noted",
            "photo_attached",
            "noted",
            "noted",
            "photo_verified",
            "photo_verified",
            "proposal_made",
            "proposal_decided",
            "plan_submitted",
            "plan_decided",
            "rectification_submitted",
            "reinspected",
            "reinspected",
            "photo_verified",
            "closed",
        ]
    );
    for receipts in &found.receipts {
        assert_eq!(receipts["on_device"], json!([]), "{receipts}");
        assert_eq!(receipts["needs_attention"], json!([]), "{receipts}");
    }
    let exit = stage.server.stop();
    assert!(exit.success(), "a clean shutdown: {exit}");
    found.head = stage.audit_head();
    tamper_with_an_event(&stage);
    found
}
