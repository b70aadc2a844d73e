//! Paths and bodies of the authorization table.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use serde_json::{Value, json};

use super::authorization_world::{Case, hazard, inspection, ordered};
use crate::sample;

pub(super) fn hazard_path(rest: &str) -> String {
    format!("/hazards/{}{rest}", hazard())
}

pub(super) fn order_path() -> String {
    format!("/orders/{}", ordered())
}

pub(super) fn inspection_path(rest: &str) -> String {
    format!("/inspections/{}{rest}", inspection())
}

pub(super) fn enterprise_path(rest: &str) -> String {
    format!("/enterprises/{}{rest}", sample::id("polishing"))
}

pub(super) fn town() -> String {
    sample::id("500153003000").to_string()
}

pub(super) fn over_polishing() -> Value {
    json!({"role": "employee", "scope": {"enterprise": sample::id("polishing")}})
}

pub(super) fn new_person(case: &Case<'_>) -> Value {
    json!({
        "id": case.id(), "login": format!("new-{}", case.number), "name": "新人",
        "password": "correct horse battery", "grants": [over_polishing()],
    })
}

pub(super) fn new_grant(case: &Case<'_>) -> Value {
    let mut grant = over_polishing();
    grant["id"] = json!(case.id());
    grant
}
