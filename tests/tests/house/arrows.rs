//! Fails when an import or a dependency runs the wrong way. The rules are in `layers.rs`.

use super::layers::{CRATES, Crate, RULES, Rule};
use super::paths::mentions;
use super::tree;

#[test]
fn no_import_runs_the_wrong_way() {
    let broken: Vec<_> = tree::files(&["rs"])
        .iter()
        .flat_map(|file| broken_imports(&file.path, &file.text, RULES))
        .collect();
    assert!(
        broken.is_empty(),
        "imports that run the wrong way:\n{}",
        broken.join("\n")
    );
}

#[test]
fn every_room_of_the_rules_exists() {
    let files = tree::files(&["rs"]);
    let rooms = RULES
        .iter()
        .flat_map(|rule| rule.rooms.iter().chain(rule.except));
    let missing: Vec<_> = rooms
        .filter(|room| !files.iter().any(|file| lies_in(&file.path, room)))
        .collect();
    assert!(
        missing.is_empty(),
        "rooms that a rule names and that are not there: {missing:?}"
    );
}

#[test]
fn no_dependency_runs_the_wrong_way() {
    let broken = broken_dependencies(&tree::cargo_metadata(), CRATES);
    assert!(
        broken.is_empty(),
        "dependencies that run the wrong way:\n{}",
        broken.join("\n")
    );
}

/// Whether `path` is the room (a file without its `.rs`) or lies below it.
fn lies_in(path: &str, room: &str) -> bool {
    path.strip_prefix(room)
        .is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
}

/// Names each mention in the file at `path` that one of the rules forbids.
fn broken_imports(path: &str, source: &str, rules: &[Rule]) -> Vec<String> {
    let rules: Vec<_> = rules
        .iter()
        .filter(|rule| rule.rooms.iter().any(|room| lies_in(path, room)))
        .filter(|rule| !rule.except.iter().any(|room| lies_in(path, room)))
        .collect();
    let test_file = ["/tests.rs", "_tests.rs"]
        .iter()
        .any(|end| path.ends_with(end))
        || path.contains("/tests/");
    if rules.is_empty() || test_file {
        return Vec::new();
    }
    let (module, package) = module_of(path);
    let mut broken = Vec::new();
    for mention in mentions(source, &module, &package) {
        for rule in &rules {
            if let Some(never) = rule
                .never
                .iter()
                .find(|never| reaches(&mention.path, never))
            {
                let because = rule.because;
                broken.push(format!(
                    "{path}:{}: `{}` (no {never}): {because}",
                    mention.line, mention.path
                ));
            }
        }
    }
    broken
}

/// Whether mentioning `path` reaches `never`: as itself, as something below it, or by a glob above it.
fn reaches(path: &str, never: &str) -> bool {
    let below = path
        .strip_prefix(never)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    let above = path
        .strip_suffix('*')
        .is_some_and(|stem| !stem.is_empty() && never.starts_with(stem));
    below || above
}

/// The module that the file at `package/src/…` is, and its package as Rust writes it.
fn module_of(path: &str) -> (String, String) {
    let (package, inside) = path
        .split_once("/src/")
        .expect("rules are about src folders");
    let inside = inside.trim_end_matches(".rs");
    let inside = inside.strip_suffix("/mod").unwrap_or(inside);
    let module = match inside {
        "lib" | "main" => "crate".to_owned(),
        _ => format!("crate::{}", inside.replace('/', "::")),
    };
    (module, format!("hazardloop_{}", package.replace('-', "_")))
}

/// Names each dependency in what `cargo metadata` says that a crate of the table may not have.
fn broken_dependencies(metadata: &serde_json::Value, crates: &[Crate]) -> Vec<String> {
    let packages = metadata["packages"].as_array().expect("packages");
    let ours = packages
        .iter()
        .filter(|package| package["source"].is_null());
    let mut broken = Vec::new();
    for package in ours {
        let name = package["name"].as_str().expect("a name");
        let Some(rule) = crates.iter().find(|known| known.name == name) else {
            broken.push(format!(
                "{name}: the table in layers.rs does not say what it may depend on"
            ));
            continue;
        };
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let other = dependency["name"].as_str().expect("a name");
            let in_tests = dependency["kind"] == "dev";
            let allowed = match rule.foreign {
                _ if crates.iter().any(|known| known.name == other) => {
                    rule.own.contains(&other) || (in_tests && rule.own_in_tests.contains(&other))
                }

                Some(foreign) => in_tests || foreign.contains(&other),
                None => true,
            };
            if !allowed {
                broken.push(format!(
                    "{name} depends on {other}, which the table in layers.rs does not allow"
                ));
            }
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::{CRATES, RULES, broken_dependencies, broken_imports};

    #[test]
    fn an_import_that_runs_the_wrong_way_is_found_however_it_is_written() {
        let cases = [
            (
                "domain/src/time.rs",
                "fn now() -> u64 { std::time::SystemTime::now() }",
            ),
            (
                "domain/src/time.rs",
                "use std::{collections::BTreeMap, time::{Duration, Instant}};",
            ),
            (
                "sync-protocol/src/hub/mod.rs",
                "use std::time; fn f() { time::Instant::now(); }",
            ),
            ("sync-protocol/src/hub/mod.rs", "use std::*;"),
            (
                "server/src/usecases/report.rs",
                "use crate::http::problem::Problem;",
            ),
            ("server/src/usecases/report.rs", "use super::super::http;"),
            (
                "server/src/usecases/report.rs",
                "use actix_web::HttpResponse;",
            ),
            (
                "server/src/usecases.rs",
                "#[derive(diesel::Queryable)] struct Row;",
            ),
            (
                "server/src/store/hazards.rs",
                "mod inner { use super::super::super::usecases as u; }",
            ),
            (
                "server/src/store/hazards.rs",
                "fn f() { hazardloop_server::jobs::wake() }",
            ),
            (
                "server/src/http/photos.rs",
                "let thumbnail = image::open(path);",
            ),
            (
                "server/src/jobs/thumbnails.rs",
                "use crate::{photos, http};",
            ),
            ("server/src/lib.rs", "pub use diesel;"),
        ];
        for (path, source) in cases {
            let broken = broken_imports(path, &format!("\n{source}"), RULES);
            assert_eq!(broken.len(), 1, "{path}: {source}: {broken:?}");
            assert!(broken[0].starts_with(&format!("{path}:2: ")), "{broken:?}");
        }
    }

    #[test]
    fn an_import_that_runs_the_right_way_is_left_alone() {
        let cases = [
            (
                "domain/src/time.rs",
                "//! Not `std::fs`.\nuse std::time::Duration; const A: &str = \"std::fs::read\";",
            ),
            (
                "domain/src/time.rs",
                "#[cfg(test)] mod tests { use std::fs; }",
            ),
            (
                "server/src/store/hazards.rs",
                "use super::*; use diesel::prelude::*;",
            ),
            ("server/src/http/tests.rs", "use diesel::prelude::*;"),
            ("server/src/http/photo_tests.rs", "use diesel::prelude::*;"),
            (
                "server/src/usecases/report.rs",
                "use crate::store::Db; let image = photo.image; image.len();",
            ),
            (
                "server/src/usecases/report.rs",
                "mod image; fn f() { image::name() }",
            ),
            (
                "server/src/photos/decode.rs",
                "use image::ImageReader; use fast_image_resize as resize;",
            ),
            (
                "server/src/main.rs",
                "use actix_web::App; use diesel::r2d2;",
            ),
            (
                "device/src/store.rs",
                "use diesel::prelude::*; use std::fs;",
            ),
        ];
        for (path, source) in cases {
            let broken = broken_imports(path, source, RULES);
            assert!(broken.is_empty(), "{path}: {source}: {broken:?}");
        }
    }

    #[test]
    fn a_dependency_that_runs_the_wrong_way_is_found() {
        let depends = |name: &str, on: &str, kind: Option<&str>| {
            let dependency = serde_json::json!({ "name": on, "kind": kind });
            let package =
                serde_json::json!({ "name": name, "source": null, "dependencies": [dependency] });
            broken_dependencies(&serde_json::json!({ "packages": [package] }), CRATES).len()
        };
        assert_eq!(
            depends("hazardloop-domain", "hazardloop-sync-protocol", None),
            1
        );
        assert_eq!(depends("hazardloop-domain", "tokio", None), 1);
        assert_eq!(
            depends("hazardloop-domain", "hazardloop-server", Some("dev")),
            1
        );
        assert_eq!(depends("hazardloop-domain", "proptest", Some("dev")), 0);
        assert_eq!(depends("hazardloop-sync-protocol", "tokio", None), 1);
        assert_eq!(
            depends("hazardloop-sync-protocol", "hazardloop-domain", None),
            0
        );
        assert_eq!(depends("hazardloop-device", "hazardloop-server", None), 1);
        assert_eq!(depends("hazardloop-server", "hazardloop-device", None), 1);
        assert_eq!(depends("hazardloop-server", "tokio", None), 0);
        assert_eq!(depends("hazardloop-server", "hazardloop-tests", None), 1);
        assert_eq!(
            depends("hazardloop-server", "hazardloop-tests", Some("dev")),
            0
        );
        assert_eq!(depends("hazardloop-tests", "hazardloop-server", None), 1);
        assert_eq!(depends("hazardloop-unknown", "tokio", None), 1);
    }
}
