//! What the newest migration makes of a database of the release before, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use diesel::RunQueryDsl as _;
use diesel::sql_types::Binary;
use hazardloop_domain::command::{Action, Report, Source};
use hazardloop_domain::ids::InspectionId;
use serde_json::json;

use super::push::push;
use crate::sample;
use crate::store::test_support::{before_the_last_migration, dump, lines};
use crate::store::{StoreError, WriteTx};
use crate::test_support::{TestDevice, TestServer, hazard_id, person, report};

/// What it fills.
const TABLES: [&str; 3] = ["scope_rows", "certificates", "planned_members"];

fn rows(server: &TestServer) -> [Vec<String>; 3] {
    let db = &server.app.db;
    // What had left the tasks of somebody is of no use to those who never held them.
    let left = |row: &String| {
        let gone = [" 0 0 0 X'", "\"present\": false"];
        row.contains("tasks:") && gone.iter().any(|it| row.contains(it))
    };
    TABLES.map(|table| {
        let mut rows = db.read_blocking(|tx| dump(tx.conn(), table)).unwrap();
        rows.retain(|row| !left(row));
        rows
    })
}

/// Two hazards, one found by the enterprise itself, and a planned visit.
async fn what_there_is(server: &TestServer) {
    let app = &server.app;
    let mut employee = TestDevice::enrol(app, "employee", 1).await;
    let mut inspector = TestDevice::enrol(app, "inspector1", 2).await;
    let sealed = employee.seal(hazard_id(1), Action::Report(report("自查")));
    let batch = employee.push(vec![sealed]);
    push(app, employee.person_id, batch).await.unwrap();
    let found = Report {
        source: Source::DeptInspection,
        ..report("检查发现")
    };
    let team = ["inspector1", "inspector2"].map(|login| json!({"person_id": person(login)}));
    let plan = json!({
        "kind": "plan_inspection", "window_from": "2026-11-22", "window_to": "2026-11-29",
        "setup": {"kind": "plan", "enterprise_id": sample::id("polishing"), "basis": "年度计划",
            "checklists": [], "team": team},
    });
    let sealed = vec![
        inspector.seal(hazard_id(2), Action::Report(found)),
        inspector.seal_on(
            InspectionId(hazard_id(3).0).into(),
            serde_json::from_value(plan).unwrap(),
        ),
    ];
    let batch = inspector.push(sealed);
    let answer = push(app, inspector.person_id, batch).await.unwrap();
    assert_eq!(answer.last, 2);
    app.db.write(twin).await.unwrap();
}

/// An account from before that has the certificate of inspector 1, and writes it otherwise.
fn twin(tx: &mut WriteTx<'_>) -> Result<(), StoreError> {
    let id = vec![0xff; 16];
    let person = "INSERT INTO people (id, login, name, password_hash, created_at, version) \
        VALUES ($1, 'twin', '某人', '-', 0, 1)";
    let person = diesel::sql_query(person).bind::<Binary, _>(id.clone());
    person.execute(tx.conn())?;
    let grant = "INSERT INTO grants (id, person_id, role, jurisdiction_id, valid_from, \
        certificate_number) VALUES ($1, $2, 'inspector', $3, 9000000000000, ' 示例执法证０００１')";
    let district = sample::id("500153000000").as_bytes().to_vec();
    let grant = diesel::sql_query(grant)
        .bind::<Binary, _>(id.clone())
        .bind::<Binary, _>(id)
        .bind::<Binary, _>(district);
    grant.execute(tx.conn())?;
    Ok(())
}

#[test]
fn own_reports_certificates_and_teams_are_read_from_what_was_there() {
    crate::store::test_support::each_database(|url| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let before = runtime.block_on(async {
            let server = TestServer::start(url).await;
            what_there_is(&server).await;
            let before = rows(&server);
            server.app.db.close().await;
            before
        });
        let own = format!("reports:{}", person("inspector1"));
        let own = before[0].iter().filter(|row| row.contains(&own));
        assert_eq!(
            own.count(),
            1,
            "the one that the enterprise did not find itself"
        );
        assert_eq!((before[1].len(), before[2].len()), (2, 2));
        before_the_last_migration(url);
        let after = runtime.block_on(async {
            let server = TestServer::start(url).await;
            rows(&server)
        });
        assert_eq!(after, before);
    });
}

/// Hazards that came to stand so, in the scopes of an enterprise and of a reporter from outside, and a visit that was
/// cancelled.
async fn what_came_to_its_end(server: &TestServer) {
    use hazardloop_domain::command::Grade;
    use hazardloop_domain::hazard::StatusName;
    use hazardloop_domain::ids::JurisdictionId;

    use super::bulk::{self, Made};
    use super::execute::Door;

    let statuses = [
        StatusName::Closed,
        StatusName::Rejected,
        StatusName::Confirmed,
    ];
    let all: Vec<Made> = (11..)
        .zip(statuses)
        .map(|(number, status)| Made {
            id: hazard_id(number),
            enterprise_id: Some(crate::test_support::enterprise("polishing")),
            jurisdiction_id: JurisdictionId(sample::id("500153003000")),
            sector: Some("industry-and-trade".to_owned()),
            person_id: person("inspector1"),
            source: Source::DeptInspection,
            grade: Grade::General,
            criterion: None,
            description: "积尘".to_owned(),
            place_text: "车间".to_owned(),
            point: None,
            status,
            due_date: "2026-12-02".parse().unwrap(),
        })
        .collect();
    let (app, now) = (&server.app, server.app.clock.now());
    let door = Door::new(app);
    let work = move |tx: &mut WriteTx<'_>| bulk::write(&door, tx, now, &all);
    app.db.write(work).await.unwrap();
    let mut inspector = TestDevice::enrol(app, "inspector1", 3).await;
    let cancel = json!({"kind": "cancel_inspection", "reason": "改期"});
    let visit = InspectionId(hazard_id(3).0).into();
    let sealed = inspector.seal_on(visit, serde_json::from_value(cancel).unwrap());
    let batch = inspector.push(vec![sealed]);
    let answer = push(app, inspector.person_id, batch).await.unwrap();
    assert_eq!(answer.last, 1);
}

#[test]
fn windows_are_read_from_what_was_there() {
    crate::store::test_support::each_database(|url| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let before = runtime.block_on(async {
            let server = TestServer::start(url).await;
            what_there_is(&server).await;
            what_came_to_its_end(&server).await;
            let before = rows(&server);
            server.app.db.close().await;
            before
        });
        crate::store::test_support::before_windows(url);
        let scopes = |server: &TestServer, which: &str| {
            let sql = format!("SELECT scope AS line FROM scope_rows WHERE {which}");
            server
                .app
                .db
                .read_blocking(|tx| lines(tx.conn(), sql))
                .unwrap()
        };
        let after = runtime.block_on(async {
            let server = TestServer::start(url).await;
            let mut ended = scopes(&server, "settled_at IS NOT NULL");
            ended.dedup();
            assert_eq!(
                scopes(&server, "to_weigh"),
                ended,
                "one row says it for its scope"
            );
            rows(&server)
        });
        let ended = after[0].iter().filter(|row| row.contains("reports:"));
        assert!(ended.count() >= 3, "three were found by inspections");
        assert_eq!(after[0], before[0]);
    });
}
