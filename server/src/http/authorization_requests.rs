//! Paths and bodies of the authorization table.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::access::Role;
use serde_json::{Value, json};

use super::authorization_world::{Case, hazard, inspection, ordered};
use super::test_client::report_body;
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

/// An archive of one file that is no table.
pub(super) fn archive() -> Vec<u8> {
    crate::tables::samples::archive(&[("pack.tsv", "x")])
}

/// A merger that whoever may ask for one is told to be none: nothing changes.
pub(super) fn into_itself() -> Value {
    json!({"into": town(), "reason": "撤并"})
}

pub(super) fn report(case: &Case<'_>) -> Value {
    let mut report = report_body(&case.id(), "polishing", "另一处");
    report["source"] = json!(match case.role() {
        Role::GridWorker => "grid",
        Role::Expert => "expert",
        Role::Insurer => "insurer",
        Role::Public => "tipoff",
        role if role.is_of_enterprise() => "enterprise_self_check",
        _ => "dept_inspection",
    });
    report
}
