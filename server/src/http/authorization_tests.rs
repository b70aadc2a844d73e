//! Every operation, every role, inside and outside of the scope: what is answered. A route that
//! is not in this table fails the test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;

use serde_json::json;

use super::authorization_requests::{
    archive, enterprise_path, hazard_path, inspection_path, into_itself, new_grant, new_person,
    order_path, report, town,
};
use super::authorization_world::{
    COLUMNS, Case, OTHER_SECTOR, REVIEWER, SECRET, Session, World, announcement, hazard,
    outside_login, self_check,
};
use super::openapi::document;
use super::test_client::{Answer, Ask, command_body};
use crate::sample;
use crate::test_support::on_each_database;

type Answering<'a> = Pin<Box<dyn Future<Output = Answer> + 'a>>;

/// One operation: the statuses for those inside and those outside, in the order of [`COLUMNS`].
struct Row {
    operation: &'static str,
    inside: Answers,
    outside: Answers,
    request: for<'a> fn(&'a Case<'a>) -> Answering<'a>,
}

type Answers = [u16; 15];

const fn all(status: u16) -> Answers {
    [status; 15]
}

/// The same, but another status for these columns.
const fn but(mut answers: Answers, columns: &[usize], status: u16) -> Answers {
    let mut at = 0;
    while at < columns.len() {
        answers[columns[at]] = status;
        at += 1;
    }
    answers
}

const PRINCIPAL: usize = 2;
const INSPECTOR: usize = 4;
const SUPERVISOR: usize = 6;
const ADMINISTRATOR: usize = 7;
const HEAD: usize = 9;
const IMPORTER: usize = 13;
const LISTING: usize = 10;
/// Gateways, importers and the public hand in, and see nothing.
const BLIND: &[usize] = &[11, 13, 14];

/// For operations of everybody.
const OK: Answers = all(200);
/// For what does not exist as far as the asker can tell.
const HIDDEN: Answers = all(404);
/// For what all see who look after hazards.
const SEEN: Answers = but(OK, BLIND, 404);
/// Reviewers, department heads and administrators keep the enterprises.
const fn keepers(status: u16) -> Answers {
    but(all(403), &[REVIEWER, HEAD, ADMINISTRATOR], status)
}
/// Those, and importers.
const fn importers(status: u16, others: u16) -> Answers {
    but(
        all(others),
        &[REVIEWER, HEAD, ADMINISTRATOR, IMPORTER],
        status,
    )
}
/// The same with one that the others see, or do not.
const fn keepers_of_one(status: u16) -> Answers {
    but(keepers(status), BLIND, 404)
}
/// Administrators alone.
const fn administrators(others: u16, status: u16) -> Answers {
    but(all(others), &[ADMINISTRATOR], status)
}

/// Who sees the people.
const SEEING: &[usize] = &[PRINCIPAL, REVIEWER, SUPERVISOR, HEAD];

/// What is done to another person, by administrators alone: those who may see the person learn that
/// they may not, all others that there is none.
const fn of_a_person(status: u16) -> Answers {
    but(but(HIDDEN, SEEING, 403), &[ADMINISTRATOR], status)
}

/// Who hands over.
const HANDING: &[usize] = &[PRINCIPAL, ADMINISTRATOR, HEAD];

/// What a reviewer inside is answered who is limited to a sector that the subject is not of: as
/// outside, but for people, who are of no sector.
fn of_another_sector(row: &Row) -> u16 {
    match row.operation {
        "getPerson" | "readHandOver" => 200,
        "createGrant" | "endGrant" | "disablePerson" | "revokeDevice" | "listKeys"
        | "revokeKey" => 403,
        _ => row.outside[REVIEWER],
    }
}

/// Operations that need no sign-in.
const PUBLIC: [&str; 5] = [
    "offerCommands",
    "signIn",
    "refreshSession",
    "uploadCapabilities",
    "readDescription",
];

macro_rules! rows {
    ($($operation:ident: $inside:expr, $outside:expr, |$case:ident| $request:expr;)*) => {
        vec![$(Row {
            operation: stringify!($operation),
            inside: $inside,
            outside: $outside,
            request: |$case| Box::pin(async move { $request.answer().await }),
        }),*]
    };
}

mod quarantined;
mod responsibilities;

fn tus<'a>(case: &'a Case<'a>, method: &str, path: &str) -> Ask<'a> {
    case.ask(method, path).with("Tus-Resumable", "1.0.0")
}

fn hazards_and_enterprises() -> Vec<Row> {
    rows! {
        listHazards: OK, OK, |case| case.ask("GET", "/hazards");
        readHazard: SEEN, HIDDEN, |case| case.ask("GET", &hazard_path(""));
        headHazard: SEEN, HIDDEN, |case| case.ask("HEAD", &hazard_path(""));
        readRecurrences: SEEN, HIDDEN, |case| case.ask("GET", &hazard_path("/recurrences"));
        readHazardHistory: SEEN, HIDDEN, |case| case.ask("GET", &hazard_path("/events"));
        reportHazard: but(all(201), &[SUPERVISOR, ADMINISTRATOR, LISTING, 11], 403), HIDDEN,
            |case| case.post("/hazards", &report(case));
        sendCommand: but(SEEN, &[ADMINISTRATOR], 403), HIDDEN, |case| {
            let note = json!({"kind": "note", "text": "看过"});
            case.post(&hazard_path("/commands"), &command_body(20_000 + case.number, note))
        };
        listOrders: OK, OK, |case| case.ask("GET", "/orders");
        readOrder: SEEN, HIDDEN, |case| case.ask("GET", &order_path());
        headOrder: SEEN, HIDDEN, |case| case.ask("HEAD", &order_path());
        listInspections: OK, OK, |case| case.ask("GET", "/inspections");
        readInspection: SEEN, HIDDEN, |case| case.ask("GET", &inspection_path(""));
        headInspection: SEEN, HIDDEN, |case| case.ask("HEAD", &inspection_path(""));
        readInspectionHistory: SEEN, HIDDEN, |case| case.ask("GET", &inspection_path("/events"));
        // A self-check: of the enterprise's own people alone.
        sendInspectionCommand: but(all(403), &[0, 1, 2], 200), HIDDEN, |case| {
            let path = format!("/inspections/{}/commands", case.id());
            case.post(&path, &command_body(20_000 + case.number, self_check()))
        };
        listEnterprises: OK, OK, |case| case.ask("GET", "/enterprises");
        readEnterprise: SEEN, HIDDEN, |case| case.ask("GET", &enterprise_path(""));
        headEnterprise: SEEN, HIDDEN, |case| case.ask("HEAD", &enterprise_path(""));
        registerEnterprise: keepers(201), all(403), |case| {
            let id = case.id();
            let body = json!({"id": id, "name": "厂", "jurisdiction_id": town(), "sector": "工贸"});
            case.post("/enterprises", &body)
        };
        // Of a version that it never had: whoever may is told so, and nothing changes.
        correctEnterprise: keepers_of_one(412), HIDDEN, |case| {
            case.ask("PATCH", &enterprise_path("")).with("If-Match", "\"999\"").json(&json!({"name": "厂"}))
        };
        // To where it is.
        relocateEnterprise: keepers_of_one(200), HIDDEN, |case| {
            let body = json!({"jurisdiction_id": town(), "reason": "搬迁"});
            case.post(&enterprise_path("/relocate"), &body).with("If-Match", "\"999\"")
        };
        // Tried out only. Whoever keeps other places is told so, row by row.
        importEnterprises: importers(200, 403), importers(200, 403), |case| {
            let text = "名称,监管行业,管辖单位\n厂,工贸,500153003000\n";
            case.ask("POST", "/enterprises/imports?dry_run=true").bytes("text/csv", text.into())
        };
        listImports: importers(200, 403), importers(200, 403), |case| case.ask("GET", "/enterprises/imports");
        readImport: importers(200, 403), importers(404, 403),
            |case| case.ask("GET", &format!("/enterprises/imports/{}", case.world.import));
        // One of a row that says nothing: there is nothing to take back.
        undoImport: importers(200, 403), importers(404, 403),
            |case| case.ask("POST", &format!("/enterprises/imports/{}/undo", case.world.import));
        // Reference data: everybody who is signed in may read it.
        listPacks: OK, OK, |case| case.ask("GET", "/packs");
        readAudit: but(all(403), &[SUPERVISOR, ADMINISTRATOR], 200), but(all(403), &[SUPERVISOR, ADMINISTRATOR], 404),
            |case| case.ask("GET", &format!("/audit?subject={}", hazard()));
        // Tried out only, and no pack.
        addPack: administrators(403, 200), all(403), |case|
            case.ask("POST", "/packs?dry_run=true").bytes("application/zip", archive());
        readPack: OK, OK, |case| case.ask("GET", "/packs/town-gas");
        listCriteria: OK, OK, |case| case.ask("GET", "/criteria");
        readCriterion: OK, OK, |case| case.ask("GET", "/criteria/RQ-4-4-1");
        listChecklists: OK, OK, |case| case.ask("GET", "/checklists");
        readChecklist: OK, OK, |case| {
            let catalog = case.world.server.app.catalog.now();
            let list = catalog.checklists.first().unwrap().id;
            case.ask("GET", &format!("/checklists/{list}"))
        };
        listJurisdictions: OK, OK, |case| case.ask("GET", "/jurisdictions");
        readJurisdiction: OK, OK, |case| case.ask("GET", &format!("/jurisdictions/{}", town()));
        locateJurisdiction: OK, OK,
            |case| case.ask("GET", "/jurisdictions/locate?at=105.594,29.405@wgs84");
        addJurisdiction: administrators(403, 201), all(403), |case| {
            let id = case.id();
            let body = json!({"id": id, "parent_id": town(), "name": "村", "level": "village"});
            case.post("/jurisdictions", &body)
        };
        // Of a version that it never had: whoever may is told so, and nothing changes.
        setBoundary: administrators(403, 412), all(403), |case| {
            let square = json!([[[10.0, 10.0], [10.1, 10.0], [10.1, 10.1], [10.0, 10.0]]]);
            let geometry = json!({"type": "Polygon", "coordinates": square});
            case.ask("PUT", &format!("/jurisdictions/{}/boundary", town()))
                .with("If-Match", "\"999\"")
                .json(&json!({"geometry": geometry, "reference": "wgs84"}))
        };
        mergeJurisdiction: administrators(403, 422), all(403), |case| {
            let path = format!("/jurisdictions/{}/merge", town());
            case.ask("POST", &path).with("If-Match", "\"999\"").json(&into_itself())
        };
        listCalendars: OK, OK, |case| case.ask("GET", "/calendars");
        // Of a version that it never had.
        importCalendar: administrators(403, 412), all(403), |case| {
            let day = |n: u8| json!({"date": format!("2031-01-{n:02}"), "kind": "holiday"});
            let days: Vec<_> = (1..=13).map(day).collect();
            case.ask("PUT", "/calendars/2031").with("If-Match", "\"999\"")
                .json(&json!({"days": days, "source": "测试用"}))
        };
        // One that is not there.
        removeBoundary: administrators(403, 200), all(403), |case| {
            case.ask("DELETE", &format!("/jurisdictions/{}/boundary", town()))
                .with("If-Match", "\"999\"")
        };
    }
}

fn photos_and_sync() -> Vec<Row> {
    rows! {
        uploadCapabilities: all(204), all(204), |case| case.ask("OPTIONS", "/photos");
        createUpload: all(201), all(201), |case| {
            let length = 1_000 + case.number;
            tus(case, "POST", "/photos").with("Upload-Length", &length.to_string())
        };
        // Another person's upload, whoever asks but that person.
        uploadStatus: but(HIDDEN, &[0], 200), HIDDEN,
            |case| tus(case, "HEAD", &case.world.upload);
        appendToUpload: but(HIDDEN, &[0], 409), HIDDEN, |case| {
            tus(case, "PATCH", &case.world.upload)
                .with("Upload-Offset", "999")
                .with("Upload-Metadata", &announcement(b"x"))
                .with("Content-Length", "1")
                .bytes("application/offset+octet-stream", vec![0])
        };
        terminateUpload: but(HIDDEN, &[0], 204), HIDDEN,
            |case| tus(case, "DELETE", &case.world.upload);
        readPhoto: SEEN, HIDDEN, |case| case.ask("GET", &case.world.photo_path());
        headPhoto: SEEN, HIDDEN, |case| case.ask("HEAD", &case.world.photo_path());
        // The employee brought it.
        readPhotoMetadata: but(
            but(all(403), BLIND, 404), &[0, INSPECTOR, REVIEWER, SUPERVISOR, HEAD, LISTING], 200,
        ), HIDDEN,
            |case| case.ask("GET", &format!("{}/metadata", case.world.photo_path()));
        pushCommands: OK, OK, |case| {
            let (device, bearer) = case.own_device().await;
            let body = minicbor::to_vec(device.push(Vec::new())).unwrap();
            super::test_client::anonymous(&case.world.server, "POST", "/sync/push")
                .with("Authorization", &bearer)
                .bytes(hazardloop_sync_protocol::wire::MEDIA_TYPE_CBOR, body)
        };
        pullRecords: OK, OK, |case| {
            let (device, bearer) = case.own_device().await;
            let body = minicbor::to_vec(device.pull(None, Vec::new())).unwrap();
            super::test_client::anonymous(&case.world.server, "POST", "/sync/pull")
                .with("Authorization", &bearer)
                .bytes(hazardloop_sync_protocol::wire::MEDIA_TYPE_CBOR, body)
        };
    }
}

fn people_and_sessions() -> Vec<Row> {
    rows! {
        listPeople: OK, OK, |case| case.ask("GET", "/people");
        getPerson: but(of_a_person(200), SEEING, 200), HIDDEN,
            |case| case.ask("GET", &format!("/people/{}", case.world.target));
        createPerson: administrators(403, 201), administrators(403, 404),
            |case| case.post("/people", &new_person(case));
        createGrant: of_a_person(201), HIDDEN, |case| {
            let path = format!("/people/{}/grants", case.colleague());
            case.post(&path, &new_grant(case)).with("If-Match", "\"1\"")
        };
        // A grant that there is not.
        endGrant: of_a_person(404), HIDDEN, |case| {
            case.ask("DELETE", &format!("/people/{}/grants/{}", case.world.target, case.id()))
                .with("If-Match", "\"1\"")
        };
        disablePerson: of_a_person(200), HIDDEN, |case| {
            let path = format!("/people/{}/disable", case.colleague());
            case.post(&path, &json!({"reason": "离职"})).with("If-Match", "\"1\"")
        };
        createHandOver: but(all(403), HANDING, 201), but(all(403), HANDING, 404), |case| {
            let (from, to) = (case.colleague(), case.successor());
            let body = json!({"id": case.id(), "from_person": from, "to_person": to, "reason": "调任"});
            case.post("/hand-overs", &body)
        };
        listHandOvers: OK, OK, |case| case.ask("GET", "/hand-overs");
        // Between people of the enterprise, made by the administrator: for those who see either of them.
        readHandOver: but(but(HIDDEN, SEEING, 200), &[ADMINISTRATOR], 200), HIDDEN,
            |case| case.ask("GET", &format!("/hand-overs/{}", case.world.hand_over));
        registerKey: all(201), all(201), |case| case.post("/people/me/keys", &case.pin_key());
        listKeys: of_a_person(200), HIDDEN,
            |case| case.ask("GET", &format!("/people/{}/keys", case.world.target));
        revokeKey: of_a_person(204), HIDDEN, |case| {
            let (person, key) = (case.world.target, case.world.key);
            case.ask("DELETE", &format!("/people/{person}/keys/{key}"))
        };
        listDevices: OK, OK, |case| case.ask("GET", "/devices");
        revokeDevice: of_a_person(204), HIDDEN,
            |case| case.ask("DELETE", &format!("/devices/{}", case.world.device));
        readDescription: OK, OK, |case| case.ask("GET", "/openapi.yaml");
        signIn: all(201), all(201), |case| {
            let body = json!({"login": case.session.login, "password": sample::DEMO_PASSWORD});
            case.post("/sessions", &body)
        };
        refreshSession: OK, OK, |case| {
            case.post("/sessions/refresh", &json!({"refresh_token": case.session.refresh}))
        };
        currentSession: OK, OK, |case| case.ask("GET", "/sessions/current");
        enrolDevice: all(201), all(201), |case| case.post("/devices", &case.enrolment());
        // Last: the session ends.
        signOut: all(204), all(204), |case| case.ask("DELETE", "/sessions/current");
    }
}

fn table() -> Vec<Row> {
    [
        hazards_and_enterprises(),
        photos_and_sync(),
        quarantined::rows(),
        responsibilities::rows(),
        people_and_sessions(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Name, and whether a sign-in is needed, of every operation there is.
fn operations() -> BTreeSet<(String, bool)> {
    let document = serde_json::to_value(document()).unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    paths
        .flat_map(|item| item.as_object().unwrap().values())
        .filter_map(|operation| {
            let name = operation.get("operationId")?.as_str()?.to_owned();
            Some((name, operation.get("security").is_some()))
        })
        .collect()
}

#[test]
fn every_route_is_in_the_table_and_says_whether_it_needs_a_sign_in() {
    let asserted: BTreeSet<String> = table().iter().map(|row| row.operation.to_owned()).collect();
    let operations = operations();
    let existing: BTreeSet<String> = operations.iter().map(|(name, _)| name.clone()).collect();
    let missing: Vec<_> = existing.difference(&asserted).collect();
    assert!(
        missing.is_empty(),
        "routes whose authorization nobody asserts: {missing:?}"
    );
    let gone: Vec<_> = asserted.difference(&existing).collect();
    assert!(
        gone.is_empty(),
        "rows of routes that there are not: {gone:?}"
    );
    for (name, needs_sign_in) in operations {
        assert_eq!(!PUBLIC.contains(&name.as_str()), needs_sign_in, "{name}");
    }
}

/// Where somebody stands to what everything is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    Inside,
    Outside,
    /// Inside, but limited to another sector.
    OtherSector,
}

async fn sessions(world: &World) -> Vec<(usize, Stands, Session)> {
    let mut sessions = Vec::new();
    for (column, (login, _)) in COLUMNS.into_iter().enumerate() {
        // Outside first: what somebody inside does must not be what lets the others see nothing.
        let session = world.sign_in(outside_login(login)).await;
        sessions.push((column, Stands::Outside, session));
    }
    let other = world.sign_in(OTHER_SECTOR.to_owned()).await;
    sessions.push((REVIEWER, Stands::OtherSector, other));
    for (column, (login, _)) in COLUMNS.into_iter().enumerate().rev() {
        let session = world.sign_in(login.to_owned()).await;
        sessions.push((column, Stands::Inside, session));
    }
    sessions
}

#[test]
fn every_role_gets_what_the_table_says_inside_and_outside() {
    on_each_database(async |server| {
        let world = World::build(server).await;
        let sessions = sessions(&world).await;
        let (mut number, mut wrong) = (0, Vec::new());
        for row in table() {
            for (column, stands, session) in &sessions {
                number += 1;
                let (column, inside) = (*column, *stands == Stands::Inside);
                let case = Case {
                    world: &world,
                    column,
                    number,
                    session,
                };
                let answer = (row.request)(&case).await;
                let expected = match stands {
                    Stands::Inside => row.inside[column],
                    Stands::Outside => row.outside[column],
                    Stands::OtherSector => of_another_sector(&row),
                };
                let body = String::from_utf8_lossy(&answer.body);
                if answer.status != expected {
                    let who = &session.login;
                    wrong.push(format!(
                        "{} by {who}: {} not {expected}: {body}",
                        row.operation, answer.status
                    ));
                }
                assert!(
                    inside || !body.contains(SECRET),
                    "{} leaks to outsiders",
                    row.operation
                );
                if row.operation == "listHazards" && inside {
                    let sees = !BLIND.contains(&column);
                    assert_eq!(body.contains(SECRET), sees, "{}", session.login);
                }
            }
        }
        assert!(
            wrong.is_empty(),
            "{} wrong:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    });
}

#[test]
fn nobody_gets_anything_without_a_sign_in() {
    on_each_database(async |server| {
        let document = serde_json::to_value(document()).unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let Some(name) = operation["operationId"].as_str() else {
                    continue;
                };
                if PUBLIC.contains(&name) {
                    continue;
                }
                let path = path.trim_start_matches("/api/v1");
                let path = path.replace("{sha256}", &"00".repeat(32));
                let path = path
                    .replace("{id}", &hazard())
                    .replace("{grant_id}", &hazard())
                    .replace("{key_id}", &hazard());
                let method = method.to_uppercase();
                for token in ["", "Bearer x.y.z", "Basic YTpi"] {
                    let mut asked = super::test_client::anonymous(&server, &method, &path);
                    if !token.is_empty() {
                        asked = asked.with("Authorization", token);
                    }
                    let answer = asked
                        .with("Tus-Resumable", "1.0.0")
                        .json(&json!({}))
                        .answer()
                        .await;
                    assert_eq!(answer.status, 401, "{name} with {token:?}");
                }
            }
        }
    });
}
