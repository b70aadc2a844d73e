//! What could not be judged is listed for those who may settle it, and settled once; on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::access::{Grant, GrantScope, Role};
use hazardloop_domain::command::{Action, AttachPhoto, Note, PhotoKind, PhotoRef, Report, Source};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{GrantId, JurisdictionId, PersonId};
use hazardloop_sync_protocol::wire::{Outcome, PushResult};
use serde_json::{Value, json};

use super::authorization_world::add_person;
use super::test_client::{ask, get, new_id, post, second_district};
use crate::photos::samples;
use crate::sample;
use crate::store::people;
use crate::test_support::{
    NOW, TestDevice, TestServer, hazard_id, on_each_database, person, report, seal_everything,
};
use crate::usecases::photos::{self, PhotoSize, Served};
use crate::usecases::push::push;
use crate::usecases::upload::test_support::{announcement, pieces};
use crate::usecases::{audit, upload};

/// A note that the grid worker made before the post was handed over, and sent after it.
async fn late_note(server: &TestServer, device: &mut TestDevice) {
    let grid = person("grid");
    let found = Report {
        source: Source::Grid,
        enterprise_id: None,
        ..report("积尘")
    };
    let sealed = device.seal(hazard_id(1), Action::Report(found));
    push(&server.app, grid, device.push(vec![sealed]))
        .await
        .unwrap();
    let town = GrantScope::Jurisdiction(JurisdictionId(sample::id("500153003000")));
    let heir = add_person(server, "heir", Role::Expert, town);
    server.set_now(NOW.plus_millis(30_000));
    hand_over(server, heir).await;
    server.set_now(NOW.plus_millis(60_000));
    let note = Action::Note(Note {
        text: "已电话提醒".to_owned(),
    });
    let sealed = device.seal(hazard_id(1), note);
    let answer = push(&server.app, grid, device.push(vec![sealed]))
        .await
        .unwrap();
    let [PushResult::Receipt(receipt)] = answer.results.as_slice() else {
        panic!("{answer:?}");
    };
    assert!(matches!(receipt.outcome, Outcome::Quarantined { .. }));
}

async fn hand_over(server: &TestServer, to: PersonId) {
    let body = json!({
        "id": new_id(1), "from_person": person("grid"), "to_person": to, "reason": "调任其他岗位",
    });
    post(server, "head", "/hand-overs", &body).await.expect(201);
}

fn made(how: &str, note: &str) -> Value {
    json!({"how": how, "note": note})
}

/// A photo that the grid worker took of the hazard before the post was handed over, sent after it.
async fn late_photo(server: &TestServer, device: &mut TestDevice, photo: &[u8]) {
    late_note(server, device).await;
    let attached = Action::AttachPhoto(AttachPhoto {
        photo: PhotoRef {
            sha256: Digest::sha256(photo),
            size: photo.len() as u64,
            media_type: "image/jpeg".to_owned(),
            kind: PhotoKind::Scene,
            taken_at: None,
            position: None,
        },
    });
    let sealed = device.seal(hazard_id(1), attached);
    let batch = device.push(vec![sealed]);
    let answer = push(&server.app, person("grid"), batch).await.unwrap();
    let [PushResult::Receipt(receipt)] = answer.results.as_slice() else {
        panic!("{answer:?}");
    };
    assert!(matches!(receipt.outcome, Outcome::Quarantined { .. }));
    let sha256 = Digest::sha256(photo);
    assert_eq!(answer.missing_photos, [sha256], "its bytes are asked for");
}

async fn bring(server: &TestServer, login: &str, photo: &[u8]) {
    let (app, by) = (&server.app, person(login));
    let begun = upload::create(app, by, announcement(photo)).await.unwrap();
    let parts = pieces(photo, true);
    let (sender, body) = tokio::sync::mpsc::channel(parts.len());
    for part in parts {
        sender.try_send(part).unwrap();
    }
    drop(sender);
    let part = upload::Append {
        offset: 0,
        declared: Some(photo.len() as u64),
        checksum: None,
    };
    let whole = upload::append(app, by, begun.status.id, part, body).await;
    whole.unwrap();
}

/// The grid worker holds their role there, since before the late work came.
async fn back_on_duty(server: &TestServer, number: u128, scope: GrantScope) {
    let grid = person("grid");
    let grant = Grant {
        id: GrantId(uuid::Uuid::from_u128(number)),
        role: Role::GridWorker,
        scope,
        valid_from: NOW,
        valid_until: None,
        sectors: Vec::new(),
        certificate: None,
        temporary_reason: None,
    };
    let given = server
        .app
        .db
        .write(move |tx| people::insert_grant(tx, grid, &grant));
    given.await.unwrap();
}

async fn sees(server: &TestServer, login: &str, sha256: Digest) -> bool {
    let who = person(login);
    let opened = photos::open(&server.app, who, sha256, PhotoSize::Original, None).await;
    matches!(opened, Ok(Served::Content(_)))
}

#[test]
fn a_photo_of_late_work_comes_is_seen_by_who_settles_it_and_by_nobody_else() {
    on_each_database(async |server| {
        let mut device = TestDevice::enrol(&server.app, "grid", 1).await;
        let photo = samples::jpeg(64, 48);
        late_photo(&server, &mut device, &photo).await;
        let town = second_district(&server).await;
        let away = GrantScope::Jurisdiction(JurisdictionId(town.parse().unwrap()));
        add_person(&server, "far-head", Role::DepartmentHead, away);
        let sha256 = Digest::sha256(&photo);
        let path = format!("/quarantined/{}/3", device.install_id);
        let waits = get(&server, "head", &path).await.expect(200);
        assert_eq!(waits["photos"], json!([{ "sha256": sha256 }]));
        assert!(!sees(&server, "head", sha256).await, "it is not here");

        bring(&server, "grid", &photo).await;
        let waits = get(&server, "head", &path).await.expect(200);
        assert_eq!(
            waits["photos"][0]["arrived_at"],
            json!(server.app.clock.now())
        );
        for (login, may) in [
            ("head", true),
            ("grid", true),
            ("far-head", false),
            ("reviewer", false),
            ("employee", false),
        ] {
            assert_eq!(sees(&server, login, sha256).await, may, "{login}");
        }
        let answer = push(&server.app, person("grid"), device.push(vec![])).await;
        assert_eq!(answer.unwrap().missing_photos, []);
    });
}

/// Its author holds their role again, and says the same on a page.
#[test]
fn what_its_author_has_carried_out_since_is_settled_by_nobody() {
    on_each_database(async |server| {
        let mut device = TestDevice::enrol(&server.app, "grid", 1).await;
        late_note(&server, &mut device).await;
        let town = GrantScope::Jurisdiction(JurisdictionId(sample::id("500153003000")));
        back_on_duty(&server, 71, town).await;
        let path = format!("/attention/{}/2/choice", device.install_id);
        let again = json!({"how": "retried"});
        post(&server, "grid", &path, &again).await.expect(200);
        let listed = get(&server, "head", "/quarantined").await.expect(200);
        assert_eq!(listed["items"], json!([]));
        let settle = format!("/quarantined/{}/2/settle", device.install_id);
        let late = post(&server, "head", &settle, &made("entered", "已登记")).await;
        assert_eq!(late.problem(409), "CONFLICT");
    });
}

/// Whoever answers for the author's place settles it, and reads nothing of what is elsewhere.
#[test]
fn what_is_about_another_place_is_settled_unread() {
    on_each_database(async |server| {
        let mut device = TestDevice::enrol(&server.app, "grid", 1).await;
        let photo = samples::jpeg(64, 48);
        late_photo(&server, &mut device, &photo).await;
        bring(&server, "grid", &photo).await;
        let town = second_district(&server).await;
        let id = JurisdictionId(town.parse().unwrap());
        let away = GrantScope::Jurisdiction(id);
        add_person(&server, "far-head", Role::DepartmentHead, away);
        // The author held a role there too when it came.
        back_on_duty(&server, 72, away).await;
        let path = format!("/quarantined/{}/3", device.install_id);
        let seen = get(&server, "far-head", &path).await.expect(200);
        assert_eq!(
            (seen.get("command"), seen.get("photos")),
            (None, None),
            "{seen}"
        );
        assert!(!sees(&server, "far-head", Digest::sha256(&photo)).await);
    });
}

#[test]
fn what_its_author_gave_up_says_so_and_its_photo_is_asked_for_no_more() {
    on_each_database(async |server| {
        let mut device = TestDevice::enrol(&server.app, "grid", 1).await;
        let photo = samples::jpeg(64, 48);
        late_photo(&server, &mut device, &photo).await;
        let choice = json!({"how": "given_up", "reason": "已交接"});
        let path = format!("/attention/{}/3/choice", device.install_id);
        post(&server, "grid", &path, &choice).await.expect(200);
        let answer = push(&server.app, person("grid"), device.push(vec![])).await;
        assert_eq!(answer.unwrap().missing_photos, []);
        // Who answers for the place still decides, and sees that it was given up and why.
        let listed = get(&server, "head", "/quarantined").await.expect(200);
        let items = listed["items"].as_array().unwrap();
        let given_up = items.iter().find(|item| item["seq"] == 3).unwrap();
        assert_eq!(given_up["chosen"]["how"], "given_up");
        assert_eq!(given_up["chosen"]["reason"], "已交接");
        let path = format!("/quarantined/{}/3", device.install_id);
        let one = get(&server, "head", &path).await.expect(200);
        assert_eq!(one["photos"], json!([]));
    });
}

#[test]
fn late_work_is_listed_and_settled_once_and_its_bytes_stay() {
    on_each_database(async |server| {
        let mut device = TestDevice::enrol(&server.app, "grid", 1).await;
        late_note(&server, &mut device).await;
        let town = second_district(&server).await;
        let away = GrantScope::Jurisdiction(JurisdictionId(town.parse().unwrap()));
        add_person(&server, "far-head", Role::DepartmentHead, away);

        let listed = get(&server, "head", "/quarantined").await.expect(200);
        let [waits] = listed["items"].as_array().unwrap().as_slice() else {
            panic!("{listed}");
        };
        assert_eq!(waits["reason"], "reassigned");
        assert_eq!(waits["kind"], "note");
        assert_eq!(waits.get("chosen"), None);
        assert_eq!(waits.get("command"), None, "a list says less");
        assert_eq!(waits["person_id"], json!(person("grid")));
        assert_eq!(waits["subject_id"], json!(hazard_id(1)));
        assert_eq!(listed.get("next"), None);
        let path = format!("/quarantined/{}/2", device.install_id);
        let one = get(&server, "head", &path).await.expect(200);
        assert_eq!(
            (&one["reason"], &one["seq"]),
            (&waits["reason"], &waits["seq"])
        );
        assert_eq!(
            one["command"]["text"], "已电话提醒",
            "what it says is theirs to read"
        );
        for (login, status) in [("grid", 404), ("reviewer", 404), ("far-head", 404)] {
            assert_eq!(get(&server, login, &path).await.status, status, "{login}");
        }
        let far = get(&server, "far-head", "/quarantined").await.expect(200);
        assert_eq!(far["items"], json!([]));
        // What was judged is none of these.
        let judged = format!("/quarantined/{}/1", device.install_id);
        assert_eq!(get(&server, "head", &judged).await.status, 404);

        let settle = format!("{path}/settle");
        let nothing = post(&server, "head", &settle, &made("entered", " ")).await;
        assert_eq!(nothing.status, 422);
        let entered = made("entered", "已由接任人员登记在案");
        let settled = post(&server, "head", &settle, &entered).await.expect(200);
        assert_eq!(settled["settlement"]["how"], "entered");
        assert_eq!(settled["settlement"]["by"], json!(person("head")));
        let again = post(&server, "head", &settle, &entered).await;
        assert_eq!(again.expect(200), settled);
        for (login, body) in [("head", made("dismissed", "误报")), ("admin", entered)] {
            let other = post(&server, login, &settle, &body).await;
            assert_eq!(other.problem(409), "CONFLICT", "{login}");
        }
        let listed = get(&server, "head", "/quarantined").await.expect(200);
        assert_eq!(listed["items"], json!([]));
        assert_eq!(get(&server, "head", &path).await.expect(200), settled);
        // Its author is told, and need do nothing more about it.
        let own = get(&server, "grid", "/attention").await.expect(200);
        assert_eq!(own["items"], json!([]));
        let own = get(&server, "grid", "/attention/settled").await.expect(200);
        let [told] = own["items"].as_array().unwrap().as_slice() else {
            panic!("{own}");
        };
        assert_eq!(told["settled"]["note"], "已由接任人员登记在案");
        assert_eq!(told["settled"]["by"], json!(person("head")));
        assert!(!told["settled"]["by_name"].as_str().unwrap().is_empty());
        let one = format!("/attention/{}/2", device.install_id);
        let one = get(&server, "grid", &one).await.expect(200);
        assert_eq!(one["outcome"]["name"], "quarantined");
        assert_eq!(one["command"]["kind"], "note");
        let late = json!({"how": "given_up", "reason": "重复"});
        let late = post(
            &server,
            "grid",
            &format!("/attention/{}/2/choice", device.install_id),
            &late,
        )
        .await;
        assert_eq!(late.problem(409), "CONFLICT");
        let history = format!("/audit?subject={}", person("grid"));
        let history = get(&server, "admin", &history).await.expect(200);
        assert!(history.to_string().contains("command_settled"), "{history}");
        seal_everything(&server.app.db);
        let report = audit::verify(&server.app.db, None).unwrap();
        assert_eq!(report.faults, 0, "{:?}", report.findings);
    });
}

#[test]
fn pages_go_on_behind_the_last_one_and_nobody_settles_their_own() {
    on_each_database(async |server| {
        let app = &server.app;
        for (login, number) in [("head", 1_u8), ("grid", 2), ("employee", 3)] {
            let mut device = TestDevice::enrol(app, login, number).await;
            let unknown = (0..3).map(|_| device.seal_raw("teleport", 1, vec![1]));
            let unknown = unknown.collect();
            push(app, person(login), device.push(unknown))
                .await
                .unwrap();
        }
        let (mut seen, mut path) = (Vec::new(), "/quarantined?limit=2".to_owned());
        for _ in 0..10 {
            let page = get(&server, "head", &path).await.expect(200);
            for item in page["items"].as_array().unwrap() {
                seen.push((item["person_id"].clone(), item["seq"].as_i64().unwrap()));
            }
            let Some(next) = page.get("next") else {
                break;
            };
            let (install, seq) = (next["install_id"].as_str().unwrap(), &next["seq"]);
            path = format!("/quarantined?limit=2&after_install={install}&after_seq={seq}");
        }
        let (grid, employee) = (json!(person("grid")), json!(person("employee")));
        let of = |who: &Value| (1..=3).map(|seq| (who.clone(), seq)).collect::<Vec<_>>();
        assert_eq!(seen, [of(&grid), of(&employee)].concat());
        let all = get(&server, "admin", "/quarantined").await.expect(200);
        assert_eq!(all["items"].as_array().unwrap().len(), 9);
        assert_eq!(all["items"][0]["reason"], "unknown_kind");
    });
}

#[test]
fn a_role_for_a_time_reaches_what_waits_until_it_has_ended_and_no_longer() {
    on_each_database(async |server| {
        let mut device = TestDevice::enrol(&server.app, "grid", 1).await;
        let unknown = device.seal_raw("teleport", 1, vec![1]);
        let batch = device.push(vec![unknown]);
        push(&server.app, person("grid"), batch).await.unwrap();
        let town = second_district(&server).await;
        let away = GrantScope::Jurisdiction(JurisdictionId(town.parse().unwrap()));
        let district = GrantScope::Jurisdiction(JurisdictionId(sample::id("500153000000")));
        add_person(&server, "far-head", Role::DepartmentHead, away);
        add_person(&server, "other-head", Role::DepartmentHead, away);
        add_person(&server, "once-head", Role::DepartmentHead, district);
        let path = format!("/quarantined/{}/1", device.install_id);
        let sees = async |login: &str| {
            let listed = get(&server, login, "/quarantined").await;
            let listed = match listed.status {
                403 => None,
                _ => Some(listed.expect(200)["items"].as_array().unwrap().len()),
            };
            (listed, get(&server, login, &path).await.status)
        };
        assert_eq!(sees("far-head").await, (Some(0), 404));
        assert_eq!(sees("once-head").await, (Some(1), 200));

        let until = NOW.plus_millis(3_600_000);
        let lent = json!({"id": new_id(2), "role": "department_head", "scope": district,
            "valid_until": until.to_string(), "temporary_reason": "异地交叉执法"});
        give(&server, "far-head", &lent).await;
        let path_of = format!("/people/{}", person("once-head"));
        let shown = get(&server, "admin", &path_of).await.expect(200);
        let held = shown["grants"][0]["id"].as_str().unwrap().to_owned();
        let ended = ask(
            &server,
            "admin",
            "DELETE",
            &format!("{path_of}/grants/{held}"),
        );
        let ended = ended.with("If-Match", "\"1\"").answer().await;
        assert!(ended.status < 300, "{}", ended.status);
        assert_eq!(sees("far-head").await, (Some(1), 200));
        assert_eq!(sees("other-head").await, (Some(0), 404), "a neighbour");
        assert_eq!(sees("once-head").await, (None, 404), "it has ended");

        server.set_now(until);
        assert_eq!(sees("far-head").await, (Some(0), 404));
        let settle = format!("{path}/settle");
        for login in ["far-head", "other-head", "once-head"] {
            let refused = post(&server, login, &settle, &made("dismissed", "误报")).await;
            assert_eq!(refused.status, 404, "{login}");
        }
        assert_eq!(sees("head").await, (Some(1), 200));
    });
}

async fn give(server: &TestServer, login: &str, grant: &Value) {
    let path = format!("/people/{}/grants", person(login));
    let sent = ask(server, "admin", "POST", &path).with("If-Match", "\"1\"");
    sent.json(grant).answer().await.expect(201);
}
