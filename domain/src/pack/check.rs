//! How the rows of a pack's tables go together: codes that stand once, references that lead somewhere, and
//! no criterion named as a basis that is none.

use std::collections::BTreeMap;

use super::criterion::{Criterion, Evidence, StandardStatus};
use super::document::{ChecklistEntry, CriterionEntry, Standard};
use super::read::Tables;
use super::table::Problems;

/// Looks through the tables of one folder.
pub(super) struct Checks<'a> {
    pub folder: &'a str,
    pub problems: &'a Problems,
    pub tables: &'a Tables,
}

impl Checks<'_> {
    fn fault(&self, file: &str, line: usize, reason: impl Into<String>) {
        let path = format!("{}/{file}", self.folder);
        self.problems.add(&path, Some(line), reason);
    }

    /// Each code once; what a row names, the pack has.
    pub(super) fn codes_and_references(&self) {
        let tables = self.tables;
        self.once("sectors.tsv", &tables.sectors, |row| &row.code);
        self.once("standards.tsv", &tables.standards, |row| &row.code);
        self.once("criteria.tsv", &tables.criteria, |row| &row.code);
        self.once("site-types.tsv", &tables.site_types, |row| &row.code);
        self.once("risk-points.tsv", &tables.risk_points, |row| &row.code);
        self.once("checklists.tsv", &tables.lists, |row| &row.code);
        self.once("duties.tsv", &tables.duties, |row| &row.code);
        self.once("filings.tsv", &tables.filings, |row| &row.code);
        self.once("wording.tsv", &tables.wording, |row| &row.term);
        for (line, standard) in &tables.standards {
            let known = tables
                .sectors
                .iter()
                .any(|(_, s)| s.code == standard.sector);
            self.known(known, "standards.tsv", *line, "sector", &standard.sector);
        }
        for (line, entry) in &tables.criteria {
            self.criterion(*line, entry);
        }
        for (line, point) in &tables.risk_points {
            self.sites("risk-points.tsv", *line, &point.site_types);
        }
        for (line, list) in &tables.lists {
            self.sites("checklists.tsv", *line, &list.site_types);
        }
        for (line, duty) in &tables.duties {
            self.basis("duties.tsv", *line, duty.criterion.as_deref());
        }
        for (line, filing) in &tables.filings {
            self.basis("filings.tsv", *line, filing.criterion.as_deref());
        }
    }

    fn once<T>(&self, file: &str, rows: &[(usize, T)], key: impl Fn(&T) -> &String) {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for (line, row) in rows {
            let code = key(row).as_str();
            if let Some(first) = seen.get(code) {
                self.fault(
                    file,
                    *line,
                    format!("{code:?} stands on line {first} already"),
                );
            } else if !code.is_empty() {
                seen.insert(code, *line);
            }
        }
    }

    fn known(&self, known: bool, file: &str, line: usize, column: &str, code: &str) {
        if !known {
            self.fault(file, line, format!("{column}: this pack has no {code:?}"));
        }
    }

    fn sites(&self, file: &'static str, line: usize, named: &[String]) {
        for site in named {
            let known = self.tables.site_types.iter().any(|(_, s)| s.code == *site);
            self.known(known, file, line, "site_types", site);
        }
    }

    fn standard(&self, code: &str) -> Option<&Standard> {
        let mut standards = self.tables.standards.iter();
        let found = standards.find(|(_, standard)| standard.code == code);
        found.map(|(_, standard)| standard)
    }

    fn criterion(&self, line: usize, entry: &CriterionEntry) {
        let file = "criteria.tsv";
        let standard = self.standard(&entry.standard);
        self.known(standard.is_some(), file, line, "standard", &entry.standard);
        let rest = entry.code.strip_prefix(entry.standard.as_str());
        if !rest.is_some_and(|rest| rest.starts_with('-')) {
            let standard = &entry.standard;
            let reason = format!("code: does not begin with {standard:?} and a hyphen");
            self.fault(file, line, reason);
        }
        let unknown = standard.is_some_and(|s| s.status == StandardStatus::ToBeEntered);
        if unknown && matches!(entry.evidence, Evidence::Seen | Evidence::Topic) {
            let reason = "evidence: the standard is to be entered, so nothing of its text was seen";
            self.fault(file, line, reason);
        }
    }

    /// What names a criterion as its basis may name one alone that can be cited.
    fn basis(&self, file: &'static str, line: usize, code: Option<&str>) {
        let Some(code) = code else { return };
        let mut criteria = self.tables.criteria.iter();
        let entry = criteria.find(|(_, entry)| entry.code == code);
        self.known(entry.is_some(), file, line, "criterion", code);
        let Some((_, entry)) = entry else { return };
        let Some(standard) = self.standard(&entry.standard) else {
            return;
        };
        let citability = Criterion::of(self.folder, entry, standard).citability();
        if let (false, Some((_, why))) = (citability.may_be_picked(), citability.notice()) {
            self.fault(file, line, format!("criterion: {code} is {why}"));
        } else if standard.status == StandardStatus::Superseded {
            let reason = format!("criterion: the standard of {code} is superseded");
            self.fault(file, line, reason);
        }
    }

    /// The checklists with their items, which follow one another from 1.
    pub(super) fn checklists(&self) -> Vec<ChecklistEntry> {
        let (file, lists) = ("checklist-items.tsv", &self.tables.lists);
        let mut all: Vec<ChecklistEntry> = lists.iter().map(|(_, list)| list.clone()).collect();
        for (line, (code, item)) in &self.tables.items {
            self.basis(file, *line, item.criterion.as_deref());
            if let Some(point) = &item.risk_point {
                let known = self
                    .tables
                    .risk_points
                    .iter()
                    .any(|(_, r)| r.code == *point);
                self.known(known, file, *line, "risk_point", point);
            }
            let list = all.iter_mut().find(|list| list.code == *code);
            self.known(list.is_some(), file, *line, "checklist", code);
            let Some(list) = list else { continue };
            let next = list
                .items
                .last()
                .map_or(1, |last| last.number.saturating_add(1));
            if item.number != next {
                let reason = format!("number: the next item of {code} is {next}");
                self.fault(file, *line, reason);
            }
            list.items.push(item.clone());
        }
        for ((line, _), list) in lists.iter().zip(&all) {
            if list.items.is_empty() {
                let reason = format!("{} has no items", list.code);
                self.fault("checklists.tsv", *line, reason);
            }
        }
        all
    }
}
