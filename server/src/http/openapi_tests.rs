//! The document equals the code, holds together, and says what clients rely on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

fn json() -> Value {
    serde_json::to_value(document()).unwrap()
}

/// Every operation: path, method, description.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = ["get", "head", "post", "put", "patch", "delete", "options"];
            methods.into_iter().filter_map(move |method| {
                let operation = item.get(method)?;
                Some((path.clone(), method.to_owned(), operation.clone()))
            })
        })
        .collect()
}

#[test]
fn the_file_equals_the_code() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi.yaml");
    let written = std::fs::read_to_string(path).unwrap_or_default();
    let same = written == yaml().unwrap();
    assert!(
        same,
        "openapi.yaml is not what the code says: run `make openapi` and look at the change"
    );
}

#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(target)) = fields.get("$ref") {
                    found.insert(target.clone());
                }
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = json();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    let missing: Vec<_> = found
        .iter()
        .filter(|target| document.pointer(target.trim_start_matches('#')).is_none())
        .collect();
    assert!(missing.is_empty(), "dangling: {missing:?}");
}

#[test]
fn operations_have_names_of_their_own_and_tell_their_errors() {
    let document = json();
    assert_eq!(document["openapi"], "3.1.0");
    let tags: BTreeSet<&str> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|tag| tag["name"].as_str())
        .collect();
    let mut names = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let name = operation["operationId"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let place = format!("{method} {path} ({name})");
        assert!(
            !name.is_empty() && names.insert(name),
            "{place}: no name of its own"
        );
        assert!(operation["summary"].is_string(), "{place}: no summary");
        for tag in operation["tags"].as_array().expect(&place) {
            assert!(
                tags.contains(tag.as_str().unwrap()),
                "{place}: unknown tag {tag}"
            );
        }
        let responses = operation["responses"].as_object().unwrap();
        if operation.get("security").is_some() {
            for status in ["401", "429", "503"] {
                assert!(responses.contains_key(status), "{place}: no {status}");
            }
        }
        for (status, response) in responses {
            let is_error = status.starts_with('4') || status.starts_with('5');
            if is_error && method != "head" {
                let schema = &response["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Problem", "{place}: {status}");
            }
        }
    }
}

#[test]
fn values_are_written_as_the_api_writes_them() {
    fn check(value: &Value, place: &str) {
        match value {
            Value::Object(fields) => {
                for name in fields
                    .get("enum")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                {
                    let name = name.as_str().unwrap_or_default();
                    let plain = name
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
                    assert!(plain && !name.is_empty(), "{place}: {name:?}");
                }
                for (key, value) in fields {
                    check(value, &format!("{place}/{key}"));
                }
            }
            Value::Array(items) => items.iter().for_each(|item| check(item, place)),
            _ => {}
        }
    }
    check(&json()["components"]["schemas"], "");
}

#[test]
fn a_command_is_one_closed_object_with_its_kind() {
    let document = json();
    let schemas = &document["components"]["schemas"];
    let union = schemas["Action"]["oneOf"].as_array().unwrap();
    let mut kinds = BTreeSet::new();
    for item in union {
        let name = item["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        let command = &schemas[name];
        assert_eq!(command["additionalProperties"], false, "{name}");
        assert!(
            command["required"]
                .as_array()
                .unwrap()
                .contains(&"kind".into()),
            "{name}"
        );
        kinds.insert(
            command["properties"]["kind"]["enum"][0]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    assert!(
        kinds.contains("confirm") && kinds.contains("close"),
        "{kinds:?}"
    );
    assert!(
        !kinds.contains("report") && !kinds.contains("receive_photo"),
        "{kinds:?}"
    );
}

#[test]
fn methods_are_known_by_path() {
    assert_eq!(methods_at("/api/v1/hazards"), ["GET", "POST"]);
    assert_eq!(methods_at("/healthz"), ["GET"]);
    assert!(methods_at("/api/v1/nothing").is_empty());
}
