//! What the rows of each table become.

use super::criterion::{Evidence, StandardStatus};
use super::document::{
    ChecklistEntry, ChecklistItem, CriterionEntry, Duty, Filing, RiskPointType, Sector, SiteType,
    Standard, Wording,
};
use super::table::Row;
use crate::access::Role;
use crate::command::Cadence;
use crate::text::{LONG_TEXT_MAX, SHORT_TEXT_MAX};

pub(super) fn sector(row: &Row<'_>) -> Sector {
    Sector {
        code: row.slug("code"),
        zh: row.text("zh", SHORT_TEXT_MAX),
        en: row.text("en", SHORT_TEXT_MAX),
        aliases: row.list("aliases", SHORT_TEXT_MAX),
    }
}

pub(super) fn standard(row: &Row<'_>) -> Standard {
    let all = StandardStatus::ALL;
    let status = row.one_of("status", all, StandardStatus::as_str);
    let standard = Standard {
        code: row.code("code"),
        number: row.text("number", SHORT_TEXT_MAX),
        title_zh: row.text("title_zh", SHORT_TEXT_MAX),
        title_en: row.text("title_en", SHORT_TEXT_MAX),
        sector: row.slug("sector"),
        issued_on: row.date("issued_on"),
        effective_from: row.date("effective_from"),
        effective_until: row.date("effective_until"),
        status: status.unwrap_or(StandardStatus::ToBeEntered),
        identity_verified: row.yes("identity_verified"),
        note_zh: row.optional("note_zh", LONG_TEXT_MAX),
        note_en: row.optional("note_en", LONG_TEXT_MAX),
    };
    if status.is_some() {
        check_dates(row, &standard);
    }
    standard
}

fn check_dates(row: &Row<'_>, standard: &Standard) {
    let begins = standard.effective_from.or(standard.issued_on);
    if let (Some(from), Some(until)) = (begins, standard.effective_until)
        && until < from
    {
        row.fault(format!("effective_until: {until} is before {from}"));
    }
    match standard.status {
        StandardStatus::Superseded if standard.effective_until.is_none() => {
            row.fault("effective_until: a superseded standard says until when it held");
        }
        StandardStatus::InForce | StandardStatus::ToBeVerified if begins.is_none() => {
            row.fault("effective_from: a standard in force says since when, or when it was issued");
        }
        _ => {}
    }
}

pub(super) fn criterion(row: &Row<'_>) -> CriterionEntry {
    let evidence = row.one_of("evidence", Evidence::ALL, Evidence::mark);
    CriterionEntry {
        code: row.code("code"),
        edition: row.number("edition"),
        standard: row.code("standard"),
        clause: row.text("clause", SHORT_TEXT_MAX),
        zh: row.text("zh", LONG_TEXT_MAX),
        en: row.text("en", LONG_TEXT_MAX),
        check_zh: row.optional("check_zh", LONG_TEXT_MAX),
        check_en: row.optional("check_en", LONG_TEXT_MAX),
        evidence: evidence.unwrap_or(Evidence::KnownLow),
        source: row.text("source", SHORT_TEXT_MAX),
    }
}

pub(super) fn site_type(row: &Row<'_>) -> SiteType {
    SiteType {
        code: row.slug("code"),
        zh: row.text("zh", SHORT_TEXT_MAX),
        en: row.text("en", SHORT_TEXT_MAX),
    }
}

pub(super) fn risk_point(row: &Row<'_>) -> RiskPointType {
    RiskPointType {
        code: row.slug("code"),
        zh: row.text("zh", SHORT_TEXT_MAX),
        en: row.text("en", SHORT_TEXT_MAX),
        site_types: row.list("site_types", SHORT_TEXT_MAX),
    }
}

/// The name of a role that there is.
fn role(row: &Row<'_>) -> String {
    let role = row.one_of("role", &Role::ALL, Role::as_str);
    role.map_or("", Role::as_str).to_owned()
}

fn cadence(row: &Row<'_>) -> Cadence {
    let cadence = row.one_of("cadence", Cadence::ALL, Cadence::as_str);
    cadence.unwrap_or(Cadence::Once)
}

pub(super) fn checklist(row: &Row<'_>) -> ChecklistEntry {
    ChecklistEntry {
        code: row.code("code"),
        edition: row.number("edition"),
        zh: row.text("zh", SHORT_TEXT_MAX),
        en: row.text("en", SHORT_TEXT_MAX),
        cadence: cadence(row),
        role: role(row),
        site_types: row.list("site_types", SHORT_TEXT_MAX),
        items: Vec::new(),
    }
}

/// The checklist it belongs to, and the item.
pub(super) fn item(row: &Row<'_>) -> (String, ChecklistItem) {
    let criterion = row.optional("criterion", SHORT_TEXT_MAX);
    let item = ChecklistItem {
        number: row.number("number"),
        zh: row.text("zh", LONG_TEXT_MAX),
        en: row.text("en", LONG_TEXT_MAX),
        unverified: criterion.is_none(),
        criterion,
        risk_point: row.optional("risk_point", SHORT_TEXT_MAX),
        photo: row.yes("photo"),
    };
    (row.code("checklist"), item)
}

/// The criterion or other basis of a duty or filing, and whether it is unverified: it is, unless it names
/// a criterion or its basis was seen.
fn basis(row: &Row<'_>) -> (Option<String>, Option<String>, bool) {
    let criterion = row.optional("criterion", SHORT_TEXT_MAX);
    let basis = row.optional("basis", SHORT_TEXT_MAX);
    let seen = row.yes("basis_seen");
    if seen && basis.is_none() {
        row.fault("basis_seen: there is no basis that could have been seen");
    }
    let unverified = criterion.is_none() && !seen;
    (criterion, basis, unverified)
}

pub(super) fn duty(row: &Row<'_>) -> Duty {
    let (criterion, basis, unverified) = basis(row);
    Duty {
        code: row.slug("code"),
        zh: row.text("zh", LONG_TEXT_MAX),
        en: row.text("en", LONG_TEXT_MAX),
        role: role(row),
        cadence: cadence(row),
        criterion,
        basis,
        unverified,
    }
}

pub(super) fn filing(row: &Row<'_>) -> Filing {
    let (criterion, basis, unverified) = basis(row);
    Filing {
        code: row.slug("code"),
        zh: row.text("zh", LONG_TEXT_MAX),
        en: row.text("en", LONG_TEXT_MAX),
        when_zh: row.text("when_zh", SHORT_TEXT_MAX),
        when_en: row.text("when_en", SHORT_TEXT_MAX),
        criterion,
        basis,
        unverified,
    }
}

pub(super) fn wording(row: &Row<'_>) -> Wording {
    let also = row.list("also", SHORT_TEXT_MAX);
    if also.is_empty() {
        row.fault("also: names no other word");
    }
    Wording {
        term: row.text("term", SHORT_TEXT_MAX),
        also,
        en: row.optional("en", SHORT_TEXT_MAX),
    }
}
