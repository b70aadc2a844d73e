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
                let mut operation = item.get(method)?.clone();
                for response in operation["responses"].as_object_mut()?.values_mut() {
                    if let Some(name) = response["$ref"].as_str() {
                        *response = document.pointer(name.trim_start_matches('#'))?.clone();
                    }
                }
                Some((path.clone(), method.to_owned(), operation))
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
        for (status, response) in responses {
            if method == "head" {
                assert!(response.get("content").is_none(), "{place}: {status}");
            }
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

/// The statuses that an operation must tell of, by what can happen to it.
fn must_tell(operation: &Value) -> Vec<&'static str> {
    let mut statuses = vec!["405", "500"];
    let parameters = operation["parameters"].as_array();
    let parameters = || parameters.into_iter().flatten();
    if operation.get("security").is_some() {
        statuses.extend(["401", "403", "429", "503"]);
    }
    if operation.get("requestBody").is_some() {
        statuses.extend(["400", "408", "413", "415", "422", "429", "503"]);
    }
    if parameters().any(|parameter| parameter["in"] == "query") {
        statuses.push("400");
    }
    let insists = |parameter: &Value| {
        parameter["name"] == "If-Match" && parameter["required"].as_bool() == Some(true)
    };
    if parameters().any(|parameter| parameter["name"] == "If-Match") {
        statuses.push("412");
    }
    if parameters().any(insists) {
        statuses.push("428");
    }
    statuses
}

#[test]
fn every_operation_tells_of_every_error_that_can_happen_to_it() {
    let document = json();
    let mut missing = Vec::new();
    for (path, method, operation) in operations(&document) {
        for status in must_tell(&operation) {
            // A pull has no field that can be wrong by itself.
            let cannot = operation["operationId"] == "pullRecords" && status == "422";
            if operation["responses"].get(status).is_none() && !cannot {
                missing.push(format!("{method} {path}: {status}"));
            }
        }
        let not_allowed = &operation["responses"]["405"];
        assert!(
            not_allowed["headers"]["Allow"].is_object(),
            "{method} {path}"
        );
    }
    assert!(missing.is_empty(), "not told: {missing:#?}");
}

#[test]
fn bodies_that_are_not_json_are_bytes_and_never_lists_of_numbers() {
    fn media_types(value: &Value, found: &mut Vec<(String, Value)>) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::Object(content)) = fields.get("content") {
                    let content = content.iter();
                    found.extend(content.map(|(name, of)| (name.clone(), of.clone())));
                }
                fields.values().for_each(|value| media_types(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| media_types(item, found)),
            _ => {}
        }
    }
    let document = json();
    let mut found = Vec::new();
    media_types(&document["paths"], &mut found);
    let is_text = |name: &str| name.ends_with("json") || name.ends_with("yaml");
    let binary: Vec<_> = found.iter().filter(|(name, _)| !is_text(name)).collect();
    let names: BTreeSet<&str> = binary.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "application/offset+octet-stream",
        "application/pdf",
        "application/vnd.hazardloop.sync+cbor",
        "image/jpeg",
        "image/png",
        "image/webp",
        "video/mp4",
        "text/csv",
        crate::tables::XLSX,
        crate::tables::ZIP,
    ];
    assert_eq!(names, BTreeSet::from(expected));
    for (name, content) in binary {
        let reference = &content["schema"]["$ref"];
        assert_eq!(reference, "#/components/schemas/Binary", "{name}");
    }
    let schema = &document["components"]["schemas"]["Binary"];
    assert!(schema.is_object());
    assert!(schema.get("type").is_none() && schema.get("format").is_none());
}

#[test]
fn any_other_method_is_answered_405_with_those_that_there_are() {
    let database = hazardloop_tests::TestDatabase::sqlite();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let server = crate::test_support::TestServer::start(database.url()).await;
        let document = json();
        for (path, item) in document["paths"].as_object().unwrap() {
            let path = path.replace("{sha256}", &"00".repeat(32));
            let id = uuid::Uuid::from_u128(1).to_string();
            let path = path.replace("{id}", &id).replace("{grant_id}", &id);
            let asked = path.trim_start_matches(API_ROOT);
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
                let by_other_routes = methods_at(&path).contains(&method);
                if item.get(method.to_lowercase()).is_some() || by_other_routes {
                    continue;
                }
                let asking = crate::http::test_client::anonymous(&server, method, asked);
                let answer = asking.answer().await;
                assert_eq!(answer.status, 405, "{method} {path}");
                assert_eq!(answer.header("allow"), methods_at(&path).join(", "));
                assert_eq!(answer.header("content-type"), "application/problem+json");
            }
        }
    });
}
