//! Rectification orders over REST, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use serde_json::{Value, json};

use crate::http::hazards_tests::reported;
use crate::http::test_client::{
    ask, command_body, confirmation, get, new_id, post, report_body, second_district,
};
use crate::test_support::{NOW, TestServer, on_each_database, person};

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

async fn command(server: &TestServer, login: &str, id: &str, number: u64, command: Value) {
    let path = format!("/hazards/{id}/commands");
    post(server, login, &path, &command_body(number, command))
        .await
        .expect(200);
}

async fn order(server: &TestServer, id: &str, number: u64, due_date: &str) {
    let mut confirmation = confirmation();
    confirmation["due_date"] = json!(due_date);
    confirmation["served"] =
        json!({"name": "王强", "refused_because": "不认可", "witness": "李工"});
    command(server, "inspector1", id, number, confirmation).await;
}

/// An order to the chemical plant, of which the polishing works knows nothing; its hazard.
async fn neighbours(server: &TestServer) -> String {
    let id = new_id(50);
    let mut report = report_body(&id, "chemicals", "储罐区");
    report["source"] = json!("dept_inspection");
    post(server, "inspector1", "/hazards", &report)
        .await
        .expect(201);
    order(server, &id, 62, "2026-12-09").await;
    id
}

#[test]
fn orders_in_force_are_listed_by_due_date_with_the_days_that_they_are_late() {
    on_each_database(|server| async move {
        let ids = reported(&server, 3).await;
        // The third is only reported: there is no order over it.
        order(&server, &ids[0], 60, "2026-12-05").await;
        order(&server, &ids[1], 61, "2026-12-02").await;
        neighbours(&server).await;
        server.set_now(NOW.plus_millis(12 * DAY));
        let page = get(&server, "inspector1", "/orders?limit=1")
            .await
            .expect(200);
        let first = &page["items"][0];
        assert_eq!(first["hazard_id"], json!(ids[1]));
        assert_eq!(first["due_date"], "2026-12-02");
        assert_eq!(
            (&first["overdue"], &first["days_overdue"]),
            (&json!(true), &json!(2))
        );
        assert_eq!(first["authority"], "department");
        assert!(first["enterprise_name"].as_str().unwrap().contains("打磨"));
        let next = page["next"].as_str().unwrap();
        let page = get(&server, "employee", &format!("/orders?after={next}"))
            .await
            .expect(200);
        let rest: Vec<&Value> = page["items"].as_array().unwrap().iter().collect();
        assert_eq!(rest.len(), 1, "{rest:?}");
        assert_eq!(rest[0]["hazard_id"], json!(ids[0]));
        assert_eq!(
            (&rest[0]["overdue"], &rest[0]["days_overdue"]),
            (&json!(false), &json!(0))
        );
        let late = get(&server, "inspector1", "/orders?overdue=true")
            .await
            .expect(200);
        assert_eq!(late["items"].as_array().unwrap().len(), 1);
    });
}

#[test]
fn an_order_is_read_as_the_document_that_it_is() {
    on_each_database(|server| async move {
        let ids = reported(&server, 2).await;
        order(&server, &ids[0], 60, "2026-12-05").await;
        let path = format!("/orders/{}", ids[0]);
        let answer = get(&server, "principal", &path).await;
        assert_eq!(answer.header("etag"), "\"2\"");
        let order = answer.expect(200);
        assert_eq!(order["fact"], "积尘 0");
        assert_eq!(order["requirement"], "清理积尘");
        assert_eq!(order["responsible_person"], "刘志远");
        assert_eq!(order["due_date_original"], "2026-12-05");
        assert_eq!(order["served"]["refused_because"], "不认可");
        assert!(order["issuing_body"].is_string());
        assert!(
            order["addressee"]["name"]
                .as_str()
                .unwrap()
                .contains("打磨")
        );
        let signatories = order["signatories"].as_array().unwrap();
        assert_eq!(signatories.len(), 1);
        assert!(signatories[0]["name"].is_string());
        assert!(signatories[0]["certificate"]["number"].is_string());
        assert!(order.get("legal_basis").is_none());

        let unordered = format!("/orders/{}", ids[1]);
        assert_eq!(
            get(&server, "principal", &unordered).await.problem(404),
            "NOT_FOUND"
        );
        assert_eq!(
            get(&server, "outsider", &path).await.problem(404),
            "NOT_FOUND"
        );
    });
}

#[test]
fn an_order_names_the_certificate_of_an_inspector_who_has_left() {
    on_each_database(|server| async move {
        let id = reported(&server, 1).await.remove(0);
        order(&server, &id, 60, "2026-12-05").await;
        let path = format!("/orders/{id}");
        let as_made = get(&server, "principal", &path).await.expect(200);
        let inspector = format!("/people/{}", person("inspector1"));
        let shown = get(&server, "admin", &inspector).await;
        let version = shown.header("etag").to_owned();
        server.set_now(NOW.plus_millis(DAY));
        let left = ask(&server, "admin", "POST", &format!("{inspector}/disable"))
            .with("If-Match", &version)
            .json(&json!({"reason": "调离"}));
        left.answer().await.expect(200);
        let now = get(&server, "principal", &path).await.expect(200);
        assert!(now["signatories"][0]["certificate"]["number"].is_string());
        assert_eq!(now["signatories"], as_made["signatories"]);
    });
}

#[test]
fn of_two_certificates_an_order_names_the_one_for_its_place() {
    on_each_database(|server| async move {
        let id = reported(&server, 1).await.remove(0);
        // Of a town elsewhere, given for a time before the one at home is looked at.
        let away = second_district(&server).await;
        let inspector = format!("/people/{}", person("inspector1"));
        let version = get(&server, "admin", &inspector).await;
        let version = version.header("etag").to_owned();
        let grant = json!({
            "id": new_id(700), "role": "inspector",
            "scope": {"jurisdiction": away},
            "certificate": {"number": "渝外-0009", "valid_to": "2030-12-31"},
            "valid_from": NOW.plus_millis(-DAY).to_string(),
            "valid_until": NOW.plus_millis(30 * DAY).to_string(),
            "temporary_reason": "交叉执法检查",
        });
        let given = ask(&server, "admin", "POST", &format!("{inspector}/grants"))
            .with("If-Match", &version)
            .json(&grant);
        given.answer().await.expect(201);
        order(&server, &id, 60, "2026-12-05").await;
        let order = get(&server, "principal", &format!("/orders/{id}")).await;
        let certificate = &order.expect(200)["signatories"][0]["certificate"];
        assert_ne!(certificate["number"], "渝外-0009");
    });
}
