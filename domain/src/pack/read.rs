//! Reads the tables of a folder into a pack, and says everything that is wrong with them at once.

use std::collections::BTreeMap;

use super::check::Checks;
use super::document::{
    ChecklistEntry, ChecklistItem, CriterionEntry, Duty, Filing, Pack, PackHead, RiskPointType,
    Sector, SiteType, Standard, Wording,
};
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

/// The name that a pack's own files give it, as far as they can be read.
pub fn name_in(files: &BTreeMap<String, Vec<u8>>) -> Option<String> {
    let text = std::str::from_utf8(files.get(HEAD)?).ok()?;
    let mut lines = text.lines().map(|line| line.split('\t'));
    lines.find_map(|mut cells| match (cells.next()?.trim(), cells.next()) {
        ("name", Some(name)) => Some(name.trim().to_owned()),
        _ => None,
    })
}

/// The rows of a table, each with its line.
pub(super) type Rows<T> = Vec<(usize, T)>;

/// What the tables say, row by row; how the rows go together is not looked at yet.
pub(super) struct Tables {
    pub sectors: Rows<Sector>,
    pub standards: Rows<Standard>,
    pub criteria: Rows<CriterionEntry>,
    pub site_types: Rows<SiteType>,
    pub risk_points: Rows<RiskPointType>,
    pub lists: Rows<ChecklistEntry>,
    /// The checklist that each belongs to, and the item.
    pub items: Rows<(String, ChecklistItem)>,
    pub duties: Rows<Duty>,
    pub filings: Rows<Filing>,
    pub wording: Rows<Wording>,
}

struct Reader<'a> {
    folder: &'a str,
    files: &'a BTreeMap<String, Vec<u8>>,
    problems: &'a Problems,
}

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

    fn all<T>(&self, file: &'static str, make: impl Fn(&Row<'_>) -> T) -> Rows<T> {
        let table = self.table(file);
        table.rows().map(|row| (row.line, make(&row))).collect()
    }

    fn fault(&self, file: &str, line: usize, reason: impl Into<String>) {
        self.problems.add(&self.path(file), Some(line), reason);
    }

    fn tables(&self) -> Tables {
        Tables {
            sectors: self.all("sectors.tsv", rows::sector),
            standards: self.all("standards.tsv", rows::standard),
            criteria: self.all("criteria.tsv", rows::criterion),
            site_types: self.all("site-types.tsv", rows::site_type),
            risk_points: self.all("risk-points.tsv", rows::risk_point),
            lists: self.all("checklists.tsv", rows::checklist),
            items: self.all("checklist-items.tsv", rows::item),
            duties: self.all("duties.tsv", rows::duty),
            filings: self.all("filings.tsv", rows::filing),
            wording: self.all("wording.tsv", rows::wording),
        }
    }

    fn pack(&self) -> Pack {
        self.known_files();
        let mut head = self.head();
        let tables = self.tables();
        if self.files.contains_key("sectors.tsv") && tables.sectors.is_empty() {
            self.fault("sectors.tsv", 1, "names no sector");
        }
        let checks = Checks {
            folder: self.folder,
            problems: self.problems,
            tables: &tables,
        };
        checks.codes_and_references();
        let checklists = checks.checklists();
        head.sectors = rows_of(tables.sectors);
        head.standards = rows_of(tables.standards);
        head.site_types = rows_of(tables.site_types);
        head.risk_points = rows_of(tables.risk_points);
        head.duties = rows_of(tables.duties);
        head.filings = rows_of(tables.filings);
        head.wording = rows_of(tables.wording);
        Pack {
            head,
            criteria: rows_of(tables.criteria),
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
}

fn rows_of<T>(rows: Rows<T>) -> Vec<T> {
    rows.into_iter().map(|(_, row)| row).collect()
}
