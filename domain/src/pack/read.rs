//! Reads the tables of a folder into a pack, and says everything that is wrong with them at once.

use std::collections::BTreeMap;

use super::criterion::{Criterion, Evidence, StandardStatus};
use super::document::{ChecklistEntry, CriterionEntry, Pack, PackHead, Standard};
use super::rows;
use super::table::{Problem, Problems, Row, Table, is_slug};
use crate::text::SHORT_TEXT_MAX;

/// The tables of a pack: file name, columns, and whether a pack must have it.
pub const FILES: &[(&str, &[&str], bool)] = &[
    (HEAD, &["field", "value"], true),
    ("sectors.tsv", &["code", "zh", "en", "aliases"], true),
    (
        "standards.tsv",
        &[
            "code",
            "number",
            "title_zh",
            "title_en",
            "sector",
            "issued_on",
            "effective_from",
            "effective_until",
            "status",
            "identity_verified",
            "note_zh",
            "note_en",
        ],
        false,
    ),
    (
        "criteria.tsv",
        &[
            "code", "edition", "standard", "clause", "zh", "en", "check_zh", "check_en",
            "evidence", "source",
        ],
        false,
    ),
    ("site-types.tsv", &["code", "zh", "en"], false),
    (
        "risk-points.tsv",
        &["code", "zh", "en", "site_types"],
        false,
    ),
    (
        "checklists.tsv",
        &[
            "code",
            "edition",
            "zh",
            "en",
            "cadence",
            "role",
            "site_types",
        ],
        false,
    ),
    (
        "checklist-items.tsv",
        &[
            "checklist",
            "number",
            "zh",
            "en",
            "criterion",
            "risk_point",
            "photo",
        ],
        false,
    ),
    (
        "duties.tsv",
        &[
            "code",
            "zh",
            "en",
            "role",
            "cadence",
            "criterion",
            "basis",
            "basis_seen",
        ],
        false,
    ),
    (
        "filings.tsv",
        &[
            "code",
            "zh",
            "en",
            "when_zh",
            "when_en",
            "criterion",
            "basis",
            "basis_seen",
        ],
        false,
    ),
    ("wording.tsv", &["term", "also", "en"], false),
];

const HEAD: &str = "pack.tsv";

/// What `pack.tsv` says, by field.
const FIELDS: [&str; 6] = [
    "name", "version", "title_zh", "title_en", "source", "licence",
];

/// Reads the pack of a folder: its name, and the bytes of its files by name.
///
/// # Errors
/// Everything that is wrong, in the order of files and lines.
pub fn read(folder: &str, files: &BTreeMap<String, Vec<u8>>) -> Result<Pack, Vec<Problem>> {
    let problems = Problems::default();
    let pack = Reader {
        folder,
        files,
        problems: &problems,
    }
    .pack();
    let problems = problems.into_sorted();
    if problems.is_empty() {
        Ok(pack)
    } else {
        Err(problems)
    }
}

struct Reader<'a> {
    folder: &'a str,
    files: &'a BTreeMap<String, Vec<u8>>,
    problems: &'a Problems,
}

/// Codes, and the line each first stands on.
type Known<'a> = BTreeMap<&'a str, usize>;

impl<'a> Reader<'a> {
    fn path(&self, file: &str) -> String {
        format!("{}/{file}", self.folder)
    }

    fn table(&self, file: &'static str) -> Table<'a> {
        let form = FILES.iter().find(|(name, _, _)| *name == file);
        let columns = form.map_or(&[] as &[_], |(_, columns, _)| columns);
        let bytes = self.files.get(file).map(Vec::as_slice);
        Table::read(self.path(file), bytes, columns, self.problems)
    }

    /// The rows of a table, each with its line.
    fn all<T>(&self, file: &'static str, make: impl Fn(&Row<'_>) -> T) -> Vec<(usize, T)> {
        let table = self.table(file);
        table.rows().map(|row| (row.line, make(&row))).collect()
    }

    fn fault(&self, file: &str, line: usize, reason: impl Into<String>) {
        self.problems.add(&self.path(file), Some(line), reason);
    }

    fn pack(&self) -> Pack {
        self.known_files();
        let mut head = self.head();
        let sectors = self.all("sectors.tsv", rows::sector);
        let standards = self.all("standards.tsv", rows::standard);
        let criteria = self.all("criteria.tsv", rows::criterion);
        let site_types = self.all("site-types.tsv", rows::site_type);
        let risk_points = self.all("risk-points.tsv", rows::risk_point);
        let lists = self.all("checklists.tsv", rows::checklist);
        let duties = self.all("duties.tsv", rows::duty);
        let filings = self.all("filings.tsv", rows::filing);
        let wording = self.all("wording.tsv", rows::wording);

        if self.files.contains_key("sectors.tsv") && sectors.is_empty() {
            self.fault("sectors.tsv", 1, "names no sector");
        }
        let sector_codes = self.unique("sectors.tsv", keyed(&sectors, |s| &s.code));
        let standard_codes = self.unique("standards.tsv", keyed(&standards, |s| &s.code));
        let criterion_codes = self.unique("criteria.tsv", keyed(&criteria, |c| &c.code));
        let site_codes = self.unique("site-types.tsv", keyed(&site_types, |s| &s.code));
        let risk_codes = self.unique("risk-points.tsv", keyed(&risk_points, |r| &r.code));
        let list_codes = self.unique("checklists.tsv", keyed(&lists, |l| &l.code));
        self.unique("duties.tsv", keyed(&duties, |d| &d.code));
        self.unique("filings.tsv", keyed(&filings, |f| &f.code));
        self.unique("wording.tsv", keyed(&wording, |w| &w.term));

        for (line, standard) in &standards {
            self.must_know(
                "standards.tsv",
                *line,
                "sector",
                &standard.sector,
                &sector_codes,
            );
        }
        for (line, entry) in &criteria {
            self.must_know(
                "criteria.tsv",
                *line,
                "standard",
                &entry.standard,
                &standard_codes,
            );
            self.check_criterion(*line, entry, &standards);
        }
        for (line, point) in &risk_points {
            for site in &point.site_types {
                self.must_know("risk-points.tsv", *line, "site_types", site, &site_codes);
            }
        }
        for (line, list) in &lists {
            for site in &list.site_types {
                self.must_know("checklists.tsv", *line, "site_types", site, &site_codes);
            }
        }
        let citing = Citing {
            reader: self,
            pack: &head.name,
            criteria: &criteria,
            standards: &standards,
            codes: &criterion_codes,
        };
        for (line, duty) in &duties {
            citing.check("duties.tsv", *line, duty.criterion.as_deref());
        }
        for (line, filing) in &filings {
            citing.check("filings.tsv", *line, filing.criterion.as_deref());
        }
        let checklists = self.with_items(&lists, &list_codes, &risk_codes, &citing);
        head.sectors = rows_of(sectors);
        head.site_types = rows_of(site_types);
        head.risk_points = rows_of(risk_points);
        head.duties = rows_of(duties);
        head.filings = rows_of(filings);
        head.wording = rows_of(wording);
        head.standards = rows_of(standards);
        Pack {
            head,
            criteria: rows_of(criteria),
            checklists,
        }
    }

    fn known_files(&self) {
        for (file, _, required) in FILES {
            if *required && !self.files.contains_key(*file) {
                self.problems.add(&self.path(file), None, "is missing");
            }
        }
        for name in self.files.keys() {
            if !FILES.iter().any(|(file, _, _)| file == name) {
                let known: Vec<_> = FILES.iter().map(|(file, _, _)| *file).collect();
                let reason = format!("is no file of a pack; those are {}", known.join(", "));
                self.problems.add(&self.path(name), None, reason);
            }
        }
    }

    fn head(&self) -> PackHead {
        let table = self.table(HEAD);
        let mut fields: BTreeMap<String, (usize, String)> = BTreeMap::new();
        for row in table.rows() {
            let (field, value) = (
                row.text("field", SHORT_TEXT_MAX),
                row.text("value", SHORT_TEXT_MAX),
            );
            if !FIELDS.contains(&field.as_str()) {
                row.fault(format!("field: {field:?} is none of {}", FIELDS.join(", ")));
            } else if fields.insert(field.clone(), (row.line, value)).is_some() {
                row.fault(format!("field: {field:?} stands here twice"));
            }
        }
        let take = |field: &str| {
            let found = fields.get(field).cloned();
            if found.is_none() && self.files.contains_key(HEAD) {
                self.problems
                    .add(&self.path(HEAD), None, format!("lacks the field {field:?}"));
            }
            found.unwrap_or_default()
        };
        let (line, name) = take("name");
        if line > 0 && !is_slug(&name) {
            self.fault(
                HEAD,
                line,
                "name: is not made of small letters, digits and single hyphens",
            );
        } else if line > 0 && name != self.folder {
            self.fault(
                HEAD,
                line,
                format!("name: is {name:?}, its folder {:?}", self.folder),
            );
        }
        let (line, version) = take("version");
        let number = version.parse().ok().filter(|n| (1..=1_000_000).contains(n));
        if line > 0 && number.is_none() {
            self.fault(
                HEAD,
                line,
                format!("version: {version:?} is not a whole number from 1"),
            );
        }
        PackHead {
            name,
            version: number.unwrap_or(1),
            title_zh: take("title_zh").1,
            title_en: take("title_en").1,
            source: take("source").1,
            licence: take("licence").1,
            sectors: Vec::new(),
            standards: Vec::new(),
            site_types: Vec::new(),
            risk_points: Vec::new(),
            duties: Vec::new(),
            filings: Vec::new(),
            wording: Vec::new(),
        }
    }

    /// Each code once.
    fn unique<'r>(&self, file: &str, codes: Vec<(usize, &'r str)>) -> Known<'r> {
        let mut known = Known::new();
        for (line, code) in codes.into_iter().filter(|(_, code)| !code.is_empty()) {
            if let Some(first) = known.get(code) {
                self.fault(
                    file,
                    line,
                    format!("{code:?} stands on line {first} already"),
                );
            } else {
                known.insert(code, line);
            }
        }
        known
    }

    fn must_know(&self, file: &str, line: usize, column: &str, code: &str, known: &Known<'_>) {
        if !known.contains_key(code) {
            self.fault(file, line, format!("{column}: this pack has no {code:?}"));
        }
    }

    fn check_criterion(
        &self,
        line: usize,
        entry: &CriterionEntry,
        standards: &[(usize, Standard)],
    ) {
        let below = entry
            .code
            .strip_prefix(entry.standard.as_str())
            .is_some_and(|rest| rest.starts_with('-'));
        if !below {
            let standard = &entry.standard;
            self.fault(
                "criteria.tsv",
                line,
                format!("code: does not begin with {standard:?} and a hyphen"),
            );
        }
        let standard = standards.iter().find(|(_, s)| s.code == entry.standard);
        let unknown = standard.is_some_and(|(_, s)| s.status == StandardStatus::ToBeEntered);
        if unknown && matches!(entry.evidence, Evidence::Seen | Evidence::Topic) {
            let reason = "evidence: the standard is to be entered, so nothing of its text was seen";
            self.fault("criteria.tsv", line, reason);
        }
    }

    /// The checklists with their items, which follow one another from 1.
    fn with_items(
        &self,
        lists: &[(usize, ChecklistEntry)],
        codes: &Known<'_>,
        risk_codes: &Known<'_>,
        citing: &Citing<'_>,
    ) -> Vec<ChecklistEntry> {
        let file = "checklist-items.tsv";
        let mut all: Vec<ChecklistEntry> = lists.iter().map(|(_, list)| list.clone()).collect();
        for (line, (code, item)) in self.all(file, rows::item) {
            self.must_know(file, line, "checklist", &code, codes);
            citing.check(file, line, item.criterion.as_deref());
            if let Some(point) = &item.risk_point {
                self.must_know(file, line, "risk_point", point, risk_codes);
            }
            let Some(list) = all.iter_mut().find(|list| list.code == code) else {
                continue;
            };
            let next = list
                .items
                .last()
                .map_or(1, |last| last.number.saturating_add(1));
            if item.number != next {
                self.fault(
                    file,
                    line,
                    format!("number: the next item of {code} is {next}"),
                );
            }
            list.items.push(item);
        }
        for ((line, _), list) in lists.iter().zip(&all) {
            if list.items.is_empty() {
                self.fault(
                    "checklists.tsv",
                    *line,
                    format!("{} has no items", list.code),
                );
            }
        }
        all
    }
}

fn keyed<T>(rows: &[(usize, T)], key: impl Fn(&T) -> &String) -> Vec<(usize, &str)> {
    // The key lies in the row.
    rows.iter()
        .map(|(line, row)| (*line, key(row).as_str()))
        .collect()
}

fn rows_of<T>(rows: Vec<(usize, T)>) -> Vec<T> {
    rows.into_iter().map(|(_, row)| row).collect()
}

/// What names criteria may name those alone that can be cited.
struct Citing<'a> {
    reader: &'a Reader<'a>,
    pack: &'a str,
    criteria: &'a [(usize, CriterionEntry)],
    standards: &'a [(usize, Standard)],
    codes: &'a Known<'a>,
}

impl Citing<'_> {
    fn check(&self, file: &str, line: usize, code: Option<&str>) {
        let Some(code) = code else { return };
        self.reader
            .must_know(file, line, "criterion", code, self.codes);
        let entry = self.criteria.iter().find(|(_, entry)| entry.code == code);
        let standard = |entry: &CriterionEntry| {
            let found = self
                .standards
                .iter()
                .find(|(_, s)| s.code == entry.standard);
            found.map(|(_, standard)| standard)
        };
        let Some((entry, standard)) = entry.and_then(|(_, e)| Some((e, standard(e)?))) else {
            return;
        };
        let citability = Criterion::of(self.pack, entry, standard).citability();
        if let (false, Some((_, why))) = (citability.may_be_picked(), citability.notice()) {
            self.reader
                .fault(file, line, format!("criterion: {code} is {why}"));
        } else if standard.status == StandardStatus::Superseded {
            self.reader.fault(
                file,
                line,
                format!("criterion: the standard of {code} is superseded"),
            );
        }
    }
}
