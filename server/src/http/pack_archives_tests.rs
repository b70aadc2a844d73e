//! Packs that an administrator brings, as they travel over REST, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs;
use std::path::PathBuf;

use hazardloop_domain::ids::PersonId;
use serde_json::{Value, json};

use crate::http::test_client::{Answer, ask, get};
use crate::settings::Settings;
use crate::store::events;
use crate::tables::samples::archive;
use crate::test_support::{TestServer, on_each_database, on_each_database_with, person};
use crate::usecases::packs::PackEvent;

/// The tables of a shipped pack, by file name.
type Tables = Vec<(String, String)>;

fn shipped(name: &str) -> Tables {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../catalog/packs");
    let files = fs::read_dir(folder.join(name)).unwrap();
    let read = |file: std::io::Result<fs::DirEntry>| {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(&path).unwrap())
    };
    let mut tables: Tables = files.map(read).collect();
    tables.sort();
    tables
}

/// A changed copy of `tables`: in one file one text for another.
fn with(tables: &Tables, file: &str, from: &str, to: &str) -> Tables {
    let mut tables = tables.clone();
    let table = tables.iter_mut().find(|(name, _)| name == file).unwrap();
    assert!(table.1.contains(from), "{from} in {file}");
    table.1 = table.1.replacen(from, to, 1);
    tables
}

/// An archive whose files stand in this folder; at the top for "".
fn zip(folder: &str, tables: &Tables) -> Vec<u8> {
    let path = |name: &str| match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    };
    let named: Vec<_> = tables
        .iter()
        .map(|(name, text)| (path(name), text))
        .collect();
    let files: Vec<_> = named
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    archive(&files)
}

async fn send(server: &TestServer, query: &str, body: Vec<u8>) -> Answer {
    let ask = ask(server, "admin", "POST", &format!("/packs{query}"));
    ask.bytes("application/zip", body).answer().await
}

async fn added(server: &TestServer) -> Value {
    get(server, "admin", "/packs").await.expect(200)["items"].clone()
}

#[test]
fn a_pack_is_tried_out_added_once_and_known_to_everybody() {
    on_each_database(async |server| {
        let tables = shipped("town-gas");
        let tried = send(&server, "?dry_run=true", zip("town-gas", &tables)).await;
        let tried = tried.expect(200);
        assert_eq!(
            (&tried["outcome"], &tried["dry_run"]),
            (&json!("added"), &json!(true))
        );
        assert_eq!(added(&server).await, json!([]), "only tried out");

        let first = send(&server, "", zip("town-gas", &tables)).await;
        assert_eq!(first.header("location"), "/api/v1/packs/town-gas");
        let first = first.expect(201);
        assert_eq!(first["pack"]["criteria"], 22);
        assert_eq!(first["pack"], tried["pack"]);
        // The same files at the top of the archive are the same pack.
        let again = send(&server, "", zip("", &tables)).await.expect(200);
        assert_eq!(again["outcome"], "known");
        let packs = added(&server).await;
        assert_eq!(packs[0]["name"], "town-gas");
        assert_eq!(packs[0]["versions"].as_array().unwrap().len(), 1);
        assert_eq!(packs[0]["versions"][0]["digest"], first["pack"]["digest"]);
        let tried = send(&server, "?dry_run=true", zip("", &tables)).await;
        assert_eq!(tried.expect(200)["outcome"], "known");
        assert_eq!(actors(&server, "town-gas").await, [Some(person("admin"))]);
    });
}

/// Who is on record to have added versions of this pack.
async fn actors(server: &TestServer, name: &str) -> Vec<Option<PersonId>> {
    let catalog = server.app.catalog.now();
    let line = catalog.versions(name).next().unwrap().head.line_id().0;
    let history = server
        .app
        .db
        .read(move |tx| events::history(tx.conn(), &line, 0, 9));
    let history = history.await.unwrap();
    let actor = |event: &events::StoredEvent| {
        let event: PackEvent = minicbor::decode(&event.body).unwrap();
        event.actor_id
    };
    history.iter().map(actor).collect()
}

#[test]
fn everything_wrong_is_told_at_once_with_file_and_line_and_nothing_is_stored() {
    on_each_database(async |server| {
        let tables = shipped("town-gas");
        let tables = with(&tables, "pack.tsv", "version\t1", "version\tone");
        let mut tables = with(&tables, "criteria.tsv", "RQ-4-4-1\t1\t", "RQ-4-4-1\tx\t");
        tables.push(("notes.txt".to_owned(), "x".to_owned()));
        let expected = [
            ("town-gas/criteria.tsv", json!(2)),
            ("town-gas/notes.txt", Value::Null),
            ("town-gas/pack.tsv", json!(3)),
        ];
        let told = |problems: &Value| -> Vec<(String, Value)> {
            let all = problems.as_array().unwrap().iter();
            all.map(|it| (it["file"].as_str().unwrap().to_owned(), it["line"].clone()))
                .collect()
        };
        let refused = send(&server, "", zip("town-gas", &tables)).await;
        let refused = refused.expect(422);
        assert_eq!(refused["code"], "PACK_REFUSED");
        let files = told(&refused["files"]);
        for (file, line) in &expected {
            assert!(
                files.contains(&((*file).to_owned(), line.clone())),
                "{files:?}"
            );
        }
        let tried = send(&server, "?dry_run=true", zip("town-gas", &tables)).await;
        let tried = tried.expect(200);
        assert_eq!(tried["outcome"], "refused");
        assert_eq!(tried["problems"], refused["files"]);
        assert_eq!(tried["errors"], files.len());
        assert_eq!(added(&server).await, json!([]));
    });
}

#[test]
fn an_edition_that_is_here_never_says_something_else() {
    on_each_database(async |server| {
        let first = shipped("town-gas");
        send(&server, "", zip("town-gas", &first)).await.expect(201);
        let changed = with(&first, "pack.tsv", "title_zh\t", "title_zh\t新");
        let refused = send(&server, "", zip("town-gas", &changed)).await;
        assert_eq!(refused.problem(409), "CONFLICT");

        let second = with(&first, "pack.tsv", "version\t1", "version\t2");
        // Two editions at once: both are told.
        let texts = |tables: &Tables, code: &str| {
            let (_, text) = tables
                .iter()
                .find(|(name, _)| name == "criteria.tsv")
                .unwrap();
            let line = text
                .lines()
                .find(|line| line.starts_with(&format!("{code}\t")));
            line.unwrap().split('\t').nth(4).unwrap().to_owned()
        };
        let mut other = second.clone();
        for code in ["RQ-4-4-1", "RQ-4-4-2"] {
            let text = texts(&second, code);
            other = with(&other, "criteria.tsv", &text, &format!("{text}改"));
        }
        let tried = send(&server, "?dry_run=true", zip("town-gas", &other)).await;
        let tried = tried.expect(200);
        assert_eq!(tried["outcome"], "refused");
        assert_eq!(tried["conflicts"].as_array().unwrap().len(), 2, "{tried}");
        let refused = send(&server, "", zip("town-gas", &other)).await.expect(409);
        let detail = refused["detail"].as_str().unwrap();
        for code in ["RQ-4-4-1 ", "RQ-4-4-2 "] {
            assert!(detail.contains(code), "{detail}");
        }
        assert_eq!(added(&server).await[0]["version"], 1);
        send(&server, "", zip("town-gas", &second))
            .await
            .expect(201);
        assert_eq!(added(&server).await[0]["version"], 2);
    });
}

#[test]
fn who_does_not_administer_the_whole_tree_brings_nothing() {
    on_each_database(async |server| {
        let body = zip("town-gas", &shipped("town-gas"));
        for login in ["employee", "reviewer", "head", "supervisor"] {
            for query in ["", "?dry_run=true"] {
                let path = format!("/packs{query}");
                let ask = ask(&server, login, "POST", &path);
                let answer = ask.bytes("application/zip", body.clone()).answer().await;
                assert_eq!(answer.problem(403), "FORBIDDEN", "{login}");
            }
        }
        assert_eq!(added(&server).await, json!([]));
    });
}

/// Limits that the shipped pack of town gas just keeps.
fn tight(settings: &mut Settings) {
    let tables = shipped("town-gas");
    let unpacked: usize = tables.iter().map(|(_, text)| text.len()).sum();
    settings.packs.archive_bytes = zip("town-gas", &tables).len();
    settings.packs.archive_unpacked_bytes = u64::try_from(unpacked).unwrap();
    settings.packs.archive_files = tables.len();
    settings.packs.archive_problems = 2;
}

#[test]
fn what_is_beyond_a_limit_is_refused_and_what_is_within_passes() {
    on_each_database_with(tight, async |server| {
        let tables = shipped("town-gas");
        let dry = "?dry_run=true";
        send(&server, dry, zip("town-gas", &tables))
            .await
            .expect(200);
        // A folder's longer name makes the archive longer, and nothing else.
        let longer = send(&server, dry, zip("town-gas-and-more", &tables)).await;
        assert_eq!(longer.problem(413), "PAYLOAD_TOO_LARGE");
        let of_zeros = |count: usize| vec![("x.tsv".to_owned(), "0".repeat(count))];
        let large = send(&server, dry, zip("", &of_zeros(1_000_000))).await;
        let large = large.expect(422);
        assert_eq!(large["field"], "body");
        assert!(
            large["detail"].as_str().unwrap().contains("unpacks"),
            "{large}"
        );
        let many: Tables = (0..=tables.len())
            .map(|number| (format!("{number}.tsv"), String::new()))
            .collect();
        let refused = send(&server, "", zip("", &many)).await.expect(422);
        assert!(
            refused["detail"].as_str().unwrap().contains("more than"),
            "{refused}"
        );
        let tried = send(&server, dry, zip("", &many[1..].to_vec()))
            .await
            .expect(200);
        assert_eq!(tried["problems"].as_array().unwrap().len(), 2);
        assert!(tried["errors"].as_u64().unwrap() > 2, "all are counted");
    });
}

#[test]
fn what_is_no_archive_of_one_folder_is_said_to_be_none() {
    on_each_database(async |server| {
        let tables = shipped("town-gas");
        let whole = zip("town-gas", &tables);
        let cut = whole[..whole.len() / 2].to_vec();
        let deeper = zip("packs/town-gas", &tables);
        let twice: Vec<_> = [("a/pack.tsv", "x"), ("b/pack.tsv", "x")].to_vec();
        for body in [Vec::new(), b"PK".to_vec(), cut, deeper, archive(&twice)] {
            let answer = send(&server, "", body).await;
            assert_eq!(answer.problem(422), "INVALID_FIELD");
        }
        let other = ask(&server, "admin", "POST", "/packs").bytes("text/csv", whole.clone());
        assert_eq!(other.answer().await.problem(415), "UNSUPPORTED_MEDIA_TYPE");
        // What operating systems add is no part of a pack.
        let mut with_more = tables.clone();
        with_more.push((".DS_Store".to_owned(), "x".to_owned()));
        send(&server, "", zip("town-gas", &with_more))
            .await
            .expect(201);
        // A folder of another name is told.
        let renamed = send(&server, "", zip("gas", &tables)).await.expect(422);
        assert_eq!(renamed["code"], "PACK_REFUSED");
    });
}
