//! What looks like a closed hazard again, over REST, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::command::{Action, Command, ReceivePhoto};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::HazardId;
use serde_json::{Value, json};

use super::test_client::*;
use crate::settings::Settings;
use crate::store::WriteTx;
use crate::test_support::{NOW, TestServer, on_each_database, on_each_database_with};
use crate::usecases::execute::{Door, Sender};

const DAY: i64 = 86_400_000;

async fn command(server: &TestServer, login: &str, id: &str, number: u64, command: Value) {
    let path = format!("/hazards/{id}/commands");
    post(server, login, &path, &command_body(number, command))
        .await
        .expect(200);
}

/// Reports a hazard of the polishing works and has it confirmed as one of dust.
async fn confirmed(server: &TestServer, number: u64) -> String {
    let id = new_id(number);
    let mut body = report_body(&id, "polishing", "积尘");
    body["found_at"] = json!(server.app.clock.now().to_string());
    post(server, "employee", "/hazards", &body)
        .await
        .expect(201);
    let in_ten_days = server.app.clock.now().plus_millis(10 * DAY).shanghai_date();
    let mut confirmation = confirmation();
    confirmation["due_date"] = json!(in_ten_days.to_string());
    command(server, "safety", &id, number + 100, confirmation).await;
    id
}

/// The photo's bytes are here, as far as the record goes.
fn arrived(server: &TestServer, id: HazardId, sha256: Digest) {
    let door = Door::new(&server.app);
    let now = server.app.clock.now();
    let work = move |tx: &mut WriteTx<'_>| {
        let mut set = door.open(now);
        let action = Action::ReceivePhoto(ReceivePhoto { sha256 });
        set.decide(tx, &Command::new(id, action), &Sender::SERVER)?;
        set.store(tx)
    };
    server.app.db.write_blocking(work).unwrap();
}

/// The same, corrected and closed.
async fn closed(server: &TestServer, number: u64) -> String {
    let id = confirmed(server, number).await;
    let sha256 = Digest([u8::try_from(number).unwrap(); 32]);
    let fix = json!({
        "kind": "submit_rectification", "measures": "湿式清扫", "completed_at": NOW.to_string(),
        "photos": [{"sha256": sha256, "size": 1_000, "media_type": "image/jpeg", "kind": "after"}],
    });
    command(server, "employee", &id, number + 200, fix).await;
    arrived(server, id.parse().unwrap(), sha256);
    let pass = json!({"kind": "reinspect", "passed": true, "opinion": "合格"});
    command(server, "safety", &id, number + 300, pass).await;
    let close = json!({"kind": "close", "opinion": "同意销号"});
    command(server, "safety", &id, number + 400, close).await;
    id
}

async fn alike(server: &TestServer, login: &str, id: &str) -> (Value, Value) {
    let path = format!("/hazards/{id}/recurrences");
    let found = get(server, login, &path).await.expect(200);
    let ids = |part: &str| {
        let all = found[part].as_array().unwrap().iter();
        all.map(|one| one["hazard"]["id"].clone()).collect()
    };
    (Value::Array(ids("earlier")), Value::Array(ids("later")))
}

#[test]
fn the_same_again_within_a_year_is_suggested_from_both_sides() {
    on_each_database(|server| async move {
        let first = closed(&server, 1).await;
        server.set_now(NOW.plus_millis(10 * DAY));
        let second = confirmed(&server, 2).await;
        let path = format!("/hazards/{second}/recurrences");
        let found = get(&server, "inspector1", &path).await.expect(200);
        assert_eq!(found["earlier"][0]["hazard"]["id"], json!(first));
        assert_eq!(found["earlier"][0]["likeness"], "category");
        assert_eq!(found["earlier"][0]["closed_at"], NOW.to_string());
        assert_eq!(found["later"], json!([]));
        let (earlier, later) = alike(&server, "inspector1", &first).await;
        assert_eq!((earlier, later), (json!([]), json!([second])));
        // After more than a year it is another matter.
        server.set_now(NOW.plus_millis(380 * DAY));
        let third = confirmed(&server, 3).await;
        let (earlier, _) = alike(&server, "inspector1", &third).await;
        assert_eq!(earlier, json!([]));
    });
}

#[test]
fn how_many_months_and_hazards_are_looked_at_is_a_setting() {
    let months = |settings: &mut Settings| settings.hazards.recurrence_months = 0;
    on_each_database_with(months, |server| async move {
        closed(&server, 1).await;
        server.set_now(NOW.plus_millis(DAY));
        let second = confirmed(&server, 2).await;
        let (earlier, _) = alike(&server, "inspector1", &second).await;
        assert_eq!(earlier, json!([]));
    });
    let one = |settings: &mut Settings| settings.hazards.recurrences_looked_through = 1;
    on_each_database_with(one, |server| async move {
        closed(&server, 1).await;
        server.set_now(NOW.plus_millis(1_000));
        let newer = closed(&server, 2).await;
        server.set_now(NOW.plus_millis(DAY));
        let third = confirmed(&server, 3).await;
        let (earlier, _) = alike(&server, "inspector1", &third).await;
        assert_eq!(earlier, json!([newer]), "the newest is looked at first");
    });
}

#[test]
fn a_report_names_what_it_repeats_and_nothing_else() {
    on_each_database(|server| async move {
        let first = closed(&server, 1).await;
        let other = new_id(50);
        let mut elsewhere = report_body(&other, "chemicals", "储罐区");
        elsewhere["source"] = json!("dept_inspection");
        post(&server, "inspector1", "/hazards", &elsewhere)
            .await
            .expect(201);
        let claim = |number: u64, of: &str| {
            let mut body = report_body(&new_id(number), "polishing", "积尘");
            body["recurrence_of"] = json!(of);
            body
        };
        // One that is not there, one that the author may not see.
        for (number, of) in [(60, new_id(99)), (61, other)] {
            let answer = post(&server, "employee", "/hazards", &claim(number, &of)).await;
            assert_eq!(answer.problem(422), "INVALID_FIELD");
        }
        let taken = post(&server, "employee", "/hazards", &claim(62, &first))
            .await
            .expect(201);
        assert_eq!(taken["recurrence_of"], json!(first));
    });
}
