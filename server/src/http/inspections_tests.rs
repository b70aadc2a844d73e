//! Inspections over REST and sync, as their users meet them, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeSet;

use hazardloop_domain::command::{
    Action, Cadence, CheckResult, ChecklistRef, CompleteInspection, InspectionKind,
    InspectionSetup, ItemOutcome, ItemRef, StartInspection, SubmitSelfCheck,
};
use hazardloop_domain::ids::{HazardId, InspectionId};
use hazardloop_domain::inspection::Inspection;
use hazardloop_sync_protocol::wire::{Outcome, PushResult, RecordKind, Scope, ScopeUpdate};
use serde_json::{Value, json};

use super::test_client::*;
use crate::sample;
use crate::test_support::{
    self, NOW, TestDevice, TestServer, enterprise, person, report, seal_everything, with_pack,
};
use crate::usecases::{audit, pull, push};

#[path = "inspections_checklists_tests.rs"]
mod checklists;
#[path = "inspections_late_tests.rs"]
mod late;

/// A server that holds one pack: what is inspected here is of its checklists.
fn on_each_database<F: Future<Output = ()>>(test: impl Fn(TestServer) -> F) {
    let test = &test;
    test_support::on_each_database(|server| async move {
        with_pack(&server, "industry-and-trade").await;
        test(server).await;
    });
}

fn setup(kind: &str) -> Value {
    json!({
        "kind": kind, "enterprise_id": sample::id("polishing"), "basis": "年度监督检查计划",
        "reason": "接到举报",
        "checklists": [{"code": "GM-CK-I-DUST", "edition": 1, "mandatory": ["1"]}],
        "team": [{"person_id": person("inspector1")}, {"person_id": person("inspector2")}],
    })
}

fn plan(kind: &str) -> Value {
    json!({
        "kind": "plan_inspection", "setup": setup(kind),
        "window_from": "2026-11-22", "window_to": "2026-11-29",
    })
}

fn start(setup: Option<Value>) -> Value {
    let mut start = json!({
        "kind": "start_inspection", "started_at": "2026-11-22T00:30:00Z", "place_text": "打磨车间",
        "certificates_shown": true, "rights_told": true,
        "attendees": [{"part": "opening", "role": "principal", "name": "王强", "post": "总经理"}],
    });
    if let Some(setup) = setup {
        start["setup"] = setup;
    }
    start
}

fn results(outcome: &str) -> Value {
    json!({
        "kind": "record_results",
        "results": [{"item": {"checklist": "GM-CK-I-DUST", "item": "1"}, "outcome": outcome, "note": "积尘"}],
    })
}

fn signature(login: &str) -> Value {
    json!({
        "kind": "sign_inspection", "role": "inspector", "person_id": person(login),
        "signed_at": "2026-11-22T00:50:00Z",
    })
}

fn representative() -> Value {
    json!({
        "kind": "sign_inspection", "role": "enterprise_representative", "name": "王强",
        "post": "总经理", "signed_at": "2026-11-22T00:50:00Z",
        "photo": {
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "size": 90_000, "media_type": "image/jpeg", "kind": "signature",
        },
    })
}

fn completion(nothing: bool) -> Value {
    json!({
        "kind": "complete_inspection", "completed_at": "2026-11-22T00:55:00Z",
        "situation": "检查完毕", "no_hazard_found": nothing,
    })
}

/// Sends commands to one inspection, each under an id of its own.
struct Sender<'a> {
    server: &'a TestServer,
    id: String,
    number: u64,
}

impl<'a> Sender<'a> {
    fn new(server: &'a TestServer, number: u64) -> Self {
        Self {
            server,
            id: new_id(number),
            number: number * 100,
        }
    }

    async fn send(&mut self, login: &str, command: Value) -> Answer {
        self.number += 1;
        let path = format!("/inspections/{}/commands", self.id);
        post(
            self.server,
            login,
            &path,
            &command_body(self.number, command),
        )
        .await
    }

    async fn read(&self, login: &str) -> Answer {
        get(self.server, login, &format!("/inspections/{}", self.id)).await
    }
}

#[test]
fn a_departments_inspection_goes_from_plan_to_completion_and_its_history_holds() {
    on_each_database(|server| async move {
        let hazard = new_id(1);
        let body = report_body(&hazard, "polishing", "横梁积尘");
        post(&server, "employee", "/hazards", &body)
            .await
            .expect(201);
        let mut it = Sender::new(&server, 2);
        it.send("reviewer", plan("plan")).await.expect(200);
        it.send("inspector1", start(None)).await.expect(200);
        it.send("inspector1", results("not_ok")).await.expect(200);
        let finding = json!({
            "kind": "link_finding", "finding_id": new_id(50), "hazard_id": hazard,
            "item": {"checklist": "GM-CK-I-DUST", "item": "1"}, "handling": "rectify_by_deadline",
        });
        it.send("inspector1", finding.clone()).await.expect(200);
        let mut foreign = finding;
        foreign["finding_id"] = json!(new_id(51));
        foreign["hazard_id"] = json!(new_id(52));
        let refused = it.send("inspector1", foreign).await;
        assert_eq!(refused.problem(422), "FINDING_UNKNOWN");
        it.send("inspector1", signature("inspector1"))
            .await
            .expect(200);
        let refused = it.send("inspector1", completion(false)).await;
        let refused = refused.expect(409);
        assert_eq!(refused["code"], "TOO_FEW_INSPECTORS");
        it.send("inspector2", signature("inspector2"))
            .await
            .expect(200);
        let mut typed = representative();
        typed.as_object_mut().unwrap().remove("photo");
        let typed = it.send("inspector2", typed).await.expect(422);
        assert_eq!(typed["field"], "photo", "a typed name is no signature");
        it.send("inspector2", representative()).await.expect(200);
        let done = it.send("inspector1", completion(false)).await.expect(200);
        assert_eq!(done["inspection"]["status"]["name"], "completed");

        // The enterprise sees it, its neighbour does not, nor learns whether it exists.
        let seen = it.read("employee").await;
        assert_eq!(seen.header("etag"), "\"8\"");
        let seen = seen.expect(200);
        assert_eq!(seen["findings"][0]["hazard_id"], json!(hazard));
        assert_eq!(seen["visits_in_year"], 1);
        assert_eq!(seen["nearby"], json!([]));
        let neighbour = crate::test_support::stranger(&server.app).await;
        let none =
            crate::usecases::read::inspection::one(&server.app, neighbour, it.id.parse().unwrap());
        assert!(none.await.is_err());
        let path = format!("/inspections/{}/events?limit=3", it.id);
        let page = get(&server, "reviewer", &path).await.expect(200);
        assert_eq!(page["items"][0]["kind"], "planned");
        assert_eq!(page["next"], 3);
        assert_eq!(page["items"][1]["previous_hash"], page["items"][0]["hash"]);

        seal_everything(&server.app.db);
        let report = audit::verify(&server.app.db, None).unwrap();
        assert_eq!(report.faults, 0, "{:?}", report.findings);
    });
}

#[test]
fn a_state_that_does_not_follow_from_its_history_is_found() {
    on_each_database(|server| async move {
        let mut it = Sender::new(&server, 2);
        it.send("reviewer", plan("plan")).await.expect(200);
        seal_everything(&server.app.db);
        let tampered = server.app.db.write_blocking(|tx| {
            use diesel::RunQueryDsl;
            diesel::sql_query("UPDATE inspections SET state = 'completed'").execute(tx.conn())?;
            Ok::<(), crate::store::StoreError>(())
        });
        tampered.unwrap();
        let report = audit::verify(&server.app.db, None).unwrap();
        assert_eq!(report.faults, 1);
    });
}

#[test]
fn nothing_of_an_unannounced_visit_reaches_the_enterprise_before_it_begins() {
    on_each_database(|server| async move {
        let mut it = Sender::new(&server, 2);
        it.send("inspector1", plan("unannounced_visit"))
            .await
            .expect(200);
        assert_eq!(it.read("employee").await.status, 404);
        assert_eq!(it.read("inspector2").await.status, 200);
        let list = get(&server, "principal", "/inspections").await.expect(200);
        assert_eq!(list["items"], json!([]));
        assert_eq!(inspections_pulled(&server, "principal", 21).await, 0);
        assert_eq!(inspections_pulled(&server, "inspector2", 22).await, 1);
        let sent = it.send("principal", representative()).await;
        assert_eq!(sent.problem(404), "NOT_FOUND");

        it.send("inspector1", start(None)).await.expect(200);
        assert_eq!(it.read("employee").await.status, 200);
        assert_eq!(inspections_pulled(&server, "principal", 23).await, 1);
        let list = get(&server, "principal", "/inspections?kind=unannounced_visit").await;
        assert_eq!(list.expect(200)["items"].as_array().unwrap().len(), 1);
    });
}

/// How many inspections a first download brings to this person's device.
async fn inspections_pulled(server: &TestServer, login: &str, number: u8) -> usize {
    let install = TestDevice::enrol(&server.app, login, number).await;
    for _ in 0..1_000 {
        let request = install.pull(None, Vec::new());
        let answer = pull::pull(&server.app, install.person_id, request)
            .await
            .unwrap();
        let pages = answer
            .answers
            .iter()
            .filter_map(|answer| match &answer.update {
                ScopeUpdate::Page(page) => Some(page),
                ScopeUpdate::Drop { .. } => None,
            });
        let pages: Vec<_> = pages.collect();
        if pages.iter().any(|page| page.checkpoint.is_none()) {
            continue;
        }
        let records = pages.iter().flat_map(|page| &page.records);
        // One may come in several scopes.
        let inspections = records.filter(|record| record.kind == RecordKind::Inspection);
        let ids: BTreeSet<_> = inspections.map(|record| record.id).collect();
        return ids.len();
    }
    panic!("no whole answer within 1,000 pulls")
}

fn offline_self_check(results: Vec<CheckResult>) -> Action {
    Action::SubmitSelfCheck(SubmitSelfCheck {
        start: Box::new(StartInspection {
            setup: Some(InspectionSetup {
                kind: InspectionKind::SelfCheck,
                enterprise_id: Some(enterprise("polishing")),
                position: None,
                checklists: vec![ChecklistRef {
                    code: "GM-CK-D-DUST".to_owned(),
                    edition: 1,
                    mandatory: vec!["1".to_owned()],
                }],
                team: Vec::new(),
                basis: None,
                departments: Vec::new(),
                cadence: Some(Cadence::Daily),
                reason: None,
                approval_no: None,
                notice_no: None,
            }),
            started_at: NOW,
            place_text: "打磨车间".to_owned(),
            position: None,
            certificates_shown: false,
            rights_told: false,
            attendees: Vec::new(),
        }),
        results,
        findings: Vec::new(),
        completion: CompleteInspection {
            completed_at: NOW,
            situation: "正常".to_owned(),
            no_hazard_found: true,
        },
    })
}

fn ok(item: &str) -> CheckResult {
    CheckResult {
        item: ItemRef {
            checklist: "GM-CK-D-DUST".to_owned(),
            item: item.to_owned(),
        },
        outcome: ItemOutcome::Ok,
        note: None,
        photos: Vec::new(),
    }
}

#[test]
fn an_offline_self_check_that_found_nothing_is_pushed_and_seen_by_the_department() {
    on_each_database(|server| async move {
        let mut device = TestDevice::enrol(&server.app, "employee", 1).await;
        let id = InspectionId(new_id(7).parse().unwrap());
        let taken = InspectionId(new_id(8).parse().unwrap());
        // The second lacks its mandatory item, what builds on it is held up; the third takes an id
        // that is a hazard's already.
        let commands = vec![
            device.seal_on(id.into(), offline_self_check(vec![ok("1")])),
            device.seal_on(taken.into(), offline_self_check(Vec::new())),
            device.seal_on(
                taken.into(),
                Action::RecordResults(hazardloop_domain::command::RecordResults {
                    results: vec![ok("1")],
                }),
            ),
            device.seal(HazardId(id.0), Action::Report(report("同号"))),
        ];
        let request = device.push(commands);
        let answer = push::push(&server.app, device.person_id, request)
            .await
            .unwrap();
        let outcomes: Vec<_> = answer
            .results
            .iter()
            .map(|result| match result {
                PushResult::Receipt(receipt) => receipt.outcome.name(),
                PushResult::IdReused { .. } => "reused",
            })
            .collect();
        assert_eq!(outcomes, ["applied", "rejected", "blocked_by", "rejected"]);
        let PushResult::Receipt(last) = &answer.results[3] else {
            panic!("a receipt")
        };
        let Outcome::Rejected { refusal } = &last.outcome else {
            panic!("{last:?}")
        };
        assert_eq!(refusal.code.as_str(), "ALREADY_EXISTS");

        let path = format!("/inspections/{id}");
        let seen = get(&server, "reviewer", &path).await.expect(200);
        assert_eq!(seen["status"]["no_hazard_found"], true);
        assert_eq!(seen.get("visits_in_year"), None, "no department came");
        let query = "/inspections?kind=self_check&state=completed";
        let list = get(&server, "reviewer", query).await.expect(200);
        assert_eq!(list["items"][0]["id"], json!(id));
        assert_eq!(list["items"][0]["no_hazard_found"], true);
    });
}

#[test]
fn what_is_sent_to_the_wrong_door_is_named_there() {
    on_each_database(|server| async move {
        let path = format!("/hazards/{}/commands", new_id(1));
        let sent = post(
            &server,
            "inspector1",
            &path,
            &command_body(5, results("ok")),
        )
        .await;
        assert_eq!(sent.problem(422), "INVALID_FIELD");
        let note = json!({"kind": "note", "text": "看过"});
        let mut it = Sender::new(&server, 3);
        assert_eq!(
            it.send("inspector1", note).await.problem(422),
            "INVALID_FIELD"
        );
    });
}

#[test]
fn visits_close_by_are_shown_to_those_who_may_see_them() {
    on_each_database(|server| async move {
        let mut one = Sender::new(&server, 2);
        one.send("inspector1", start(Some(setup("tip"))))
            .await
            .expect(200);
        let mut two = Sender::new(&server, 3);
        two.send("inspector1", plan("unannounced_visit"))
            .await
            .expect(200);
        let seen = one.read("inspector2").await.expect(200);
        assert_eq!(seen["nearby"][0]["id"], json!(two.id));
        let seen = one.read("principal").await.expect(200);
        assert_eq!(seen["nearby"], json!([]), "that one is not announced");
        assert_eq!(seen["visits_in_year"], 1);
    });
}

#[test]
fn a_command_is_taken_once_and_if_match_is_heeded() {
    on_each_database(|server| async move {
        let id = new_id(2);
        let path = format!("/inspections/{id}/commands");
        let body = command_body(77, plan("special"));
        let first = post(&server, "reviewer", &path, &body).await.expect(200);
        let again = post(&server, "reviewer", &path, &body).await;
        assert_eq!(again.header("hazardloop-repeated"), "true");
        assert_eq!(again.expect(200), first);
        let start = command_body(78, start(None));
        let stale = ask(&server, "inspector1", "POST", &path)
            .with("If-Match", "\"9\"")
            .json(&start);
        assert_eq!(stale.answer().await.status, 412);
        let fresh = ask(&server, "inspector1", "POST", &path)
            .with("If-Match", "\"1\"")
            .json(&start);
        fresh.answer().await.expect(200);
    });
}

#[test]
fn a_pulled_inspection_is_what_rest_shows() {
    on_each_database(|server| async move {
        let mut it = Sender::new(&server, 2);
        it.send("inspector1", start(Some(setup("tip"))))
            .await
            .expect(200);
        let device = TestDevice::enrol(&server.app, "principal", 3).await;
        let scope = Scope::Enterprise(enterprise("polishing"));
        let mut body = None;
        for _ in 0..1_000 {
            let request = device.pull(None, Vec::new());
            let answer = pull::pull(&server.app, device.person_id, request)
                .await
                .unwrap();
            let of_firm = answer
                .answers
                .into_iter()
                .find(|answer| answer.scope == scope);
            if let Some(ScopeUpdate::Page(page)) = of_firm.map(|answer| answer.update) {
                let mut records = page.records.into_iter();
                body = records.find(|record| record.kind == RecordKind::Inspection);
                if body.is_some() {
                    break;
                }
            }
        }
        let pulled: Inspection = minicbor::decode(&body.unwrap().body.0).unwrap();
        let mut seen = it.read("principal").await.expect(200);
        for extra in ["allowed_actions", "visits_in_year", "nearby"] {
            seen.as_object_mut().unwrap().remove(extra);
        }
        assert_eq!(serde_json::to_value(pulled).unwrap(), seen);
    });
}
