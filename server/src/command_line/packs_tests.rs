//! `hazardloop pack`, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use clap::Parser;

use super::*;
use crate::test_support::{NOW, TestServer, on_each_database};

#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    task: PackTask,
}

/// What is printed, and the error.
async fn say(server: &TestServer, words: &[&str]) -> (String, Option<String>) {
    let words: Vec<String> = ["pack"]
        .iter()
        .chain(words)
        .map(|word| (*word).to_owned())
        .collect();
    let task = Line::try_parse_from(words).unwrap().task;
    let (db, key) = (server.app.db.clone(), server.app.digest_key);
    let saying = crate::held::blocking(move || {
        let mut out = Vec::new();
        let context = Context {
            db: &db,
            key,
            now: NOW,
        };
        let error = run(context, &task, &mut out).err();
        (
            String::from_utf8(out).unwrap(),
            error.map(|error| error.to_string()),
        )
    });
    saying.await.unwrap()
}

/// A copy of a shipped pack under a folder of its own.
fn copy(name: &str) -> (tempfile::TempDir, PathBuf) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../catalog/packs")
        .join(name);
    let within = tempfile::tempdir().unwrap();
    let folder = within.path().join(name);
    std::fs::create_dir(&folder).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
    }
    (within, folder)
}

fn change(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from));
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_folder_is_checked_added_listed_and_compared() {
    on_each_database(async |server| {
        let (_within, folder) = copy("town-gas");
        let dir = folder.to_str().unwrap();
        let (told, error) = say(&server, &["check", dir]).await;
        assert_eq!(error, None);
        assert!(
            told.contains("town-gas@1") && told.contains("22 criteria"),
            "{told}"
        );
        let (told, error) = say(&server, &["add", dir]).await;
        assert_eq!(error, None, "{told}");
        assert!(told.trim_end().ends_with(": added"), "{told}");
        let (told, _) = say(&server, &["add", dir]).await;
        assert!(told.contains("is there already"), "{told}");
        let (told, _) = say(&server, &["list"]).await;
        assert!(told.starts_with("town-gas@1\t"), "{told}");
        change(&folder, "pack.tsv", "version\t1", "version\t2");
        change(&folder, "criteria.tsv", "RQ-4-10\t1", "RQ-4-10\t2");
        let (told, error) = say(&server, &["diff", "town-gas", dir]).await;
        assert_eq!(error, None);
        let lines: Vec<_> = told.lines().skip(2).collect();
        assert_eq!(lines, ["~ criterion RQ-4-10: edition"]);
        say(&server, &["add", dir]).await;
        let (told, _) = say(&server, &["diff", "town-gas@1", "town-gas@2"]).await;
        assert!(told.ends_with("~ criterion RQ-4-10: edition\n"), "{told}");
        let (_, error) = say(&server, &["diff", "town-gas@9", "town-gas@2"]).await;
        assert_eq!(error.unwrap(), "pack not found");
    });
}

#[test]
fn everything_wrong_is_told_and_nothing_added() {
    on_each_database(async |server| {
        let (_good_within, good) = copy("construction");
        let (_within, folder) = copy("town-gas");
        change(
            &folder,
            "criteria.tsv",
            "RQ-4-4-2\t1\tRQ-4",
            "RQ-4-4-1\t1\tRQ-5",
        );
        change(&folder, "standards.tsv", "in_force", "forever");
        let dirs = [good.to_str().unwrap(), folder.to_str().unwrap()];
        let (told, error) = say(&server, &["add", dirs[0], dirs[1]]).await;
        for wanted in [
            "town-gas/criteria.tsv:3: \"RQ-4-4-1\" stands on line 2 already",
            "town-gas/criteria.tsv:3: standard: this pack has no \"RQ-5\"",
            "town-gas/standards.tsv:2: status: \"forever\" is none of",
        ] {
            assert!(told.contains(wanted), "{wanted} not in\n{told}");
        }
        assert!(error.unwrap().ends_with("fault(s) found"));
        assert_eq!(say(&server, &["list"]).await.0, "");
    });
}

#[test]
fn what_is_no_folder_is_one_fault_and_the_others_are_looked_through() {
    on_each_database(async |server| {
        let (within, good) = copy("town-gas");
        let (_bad_within, bad) = copy("construction");
        change(&bad, "standards.tsv", "in_force", "forever");
        let readme = within.path().join("README.md");
        std::fs::write(&readme, "# Packs").unwrap();
        let paths = [&readme, &good, &bad].map(|path| path.to_str().unwrap());
        let (told, error) = say(&server, &[&["check"], &paths[..]].concat()).await;
        let file = format!("{}: is a file; a pack is a folder of tables", paths[0]);
        let faults = told.lines().filter(|line| *line == file).count();
        assert_eq!(faults, 1, "{told}");
        for wanted in ["town-gas@1", ": good", "\"forever\" is none of"] {
            assert!(told.contains(wanted), "{wanted} not in\n{told}");
        }
        assert!(error.unwrap().ends_with("fault(s) found"));
        let (told, error) = say(&server, &["check", "--json", paths[0], paths[1]]).await;
        assert_eq!(error.unwrap(), "1 fault(s) found");
        assert!(!told.contains('{') && told.contains(&file), "{told}");
        let (_, error) = say(&server, &["add", paths[0], paths[1]]).await;
        assert!(error.is_some());
        assert_eq!(say(&server, &["list"]).await.0, "", "all or nothing");
    });
}

#[test]
fn all_or_none_are_added() {
    on_each_database(async |server| {
        let (_within, gas) = copy("town-gas");
        say(&server, &["add", gas.to_str().unwrap()]).await;
        change(&gas, "pack.tsv", "title_en\t", "title_en\tNew ");
        let (_other, mines) = copy("coal-mines");
        let (_, error) = say(
            &server,
            &["add", mines.to_str().unwrap(), gas.to_str().unwrap()],
        )
        .await;
        assert!(error.unwrap().contains("raise the version"));
        let (told, _) = say(&server, &["list"]).await;
        assert_eq!(told.lines().count(), 1, "{told}");
    });
}

#[test]
fn the_shipped_packs_are_added_by_one_word_and_a_folder_that_is_none_is_told() {
    on_each_database(async |server| {
        let (told, error) = say(&server, &["add", "--shipped"]).await;
        assert_eq!(error, None, "{told}");
        assert_eq!(told.lines().count(), shipped::packs().unwrap().len());
        let (told, error) = say(&server, &["check", "/nowhere/at-all"]).await;
        assert!(told.contains("reading /nowhere/at-all: "), "{told}");
        assert_eq!(error.unwrap(), "1 fault(s) found");
        assert!(say(&server, &["add", "/nowhere/at-all"]).await.1.is_some());
    });
}
