//! One table of a pack: lines of cells parted by tabs, the first line naming the columns. Everything that
//! is wrong is gathered with its line; nothing stops at the first fault.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::{ROWS_MAX, TABLE_BYTES_MAX};
use crate::text;
use crate::time::LocalDate;

/// What is wrong with a pack, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, within the packs' folder.
    pub file: String,
    /// The line, from 1; absent: the file as a whole.
    pub line: Option<usize>,
    /// Why.
    pub reason: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.reason),
            None => write!(f, "{}: {}", self.file, self.reason),
        }
    }
}

/// Faults found so far.
#[derive(Debug, Default)]
pub(super) struct Problems(RefCell<Vec<Problem>>);

impl Problems {
    pub(super) fn add(&self, file: &str, line: Option<usize>, reason: impl Into<String>) {
        self.0.borrow_mut().push(Problem {
            file: file.to_owned(),
            line,
            reason: reason.into(),
        });
    }

    /// In the order of files and lines.
    pub(super) fn into_sorted(self) -> Vec<Problem> {
        let mut all = self.0.into_inner();
        all.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        all
    }
}

/// A table whose head is as it is to be.
pub(super) struct Table<'a> {
    path: String,
    columns: &'static [&'static str],
    rows: Vec<(usize, Vec<&'a str>)>,
    problems: &'a Problems,
}

/// One row.
pub(super) struct Row<'t> {
    table: &'t Table<'t>,
    /// Its line.
    pub line: usize,
    cells: &'t [&'t str],
}

impl<'a> Table<'a> {
    /// Reads the lines. A file with another head has no rows: what they mean is not known.
    pub(super) fn read(
        path: String,
        bytes: Option<&'a [u8]>,
        columns: &'static [&'static str],
        problems: &'a Problems,
    ) -> Self {
        let mut table = Self {
            path,
            columns,
            rows: Vec::new(),
            problems,
        };
        let Some(bytes) = bytes else { return table };
        if bytes.len() > TABLE_BYTES_MAX {
            table.fault(None, format!("has more than {TABLE_BYTES_MAX} bytes"));
            return table;
        }
        match std::str::from_utf8(bytes) {
            // What spreadsheets put in front.
            Ok(text) => table.lines(text.strip_prefix('\u{feff}').unwrap_or(text)),
            Err(error) => {
                let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
                let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
                table.fault(Some(line), "is not UTF-8; save the table as UTF-8");
            }
        }
        table
    }

    fn fault(&self, line: Option<usize>, reason: impl Into<String>) {
        self.problems.add(&self.path, line, reason);
    }

    fn lines(&mut self, text: &'a str) {
        let mut lines = text
            .split('\n')
            .map(|line| line.strip_suffix('\r').unwrap_or(line))
            .enumerate();
        let head = lines.next().map_or("", |(_, line)| line);
        let Some(order) = self.head(head) else { return };
        for (at, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
            let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
            if cells.len() != order.len() {
                let (is, wanted) = (cells.len(), order.len());
                self.fault(
                    Some(at + 1),
                    format!("has {is} cells instead of {wanted}; cells are parted by tabs"),
                );
                continue;
            }
            if self.rows.len() == ROWS_MAX {
                self.fault(
                    Some(at + 1),
                    format!("is beyond the {ROWS_MAX} rows that a table may have"),
                );
                return;
            }
            let row = order.iter().filter_map(|cell| cells.get(*cell).copied());
            self.rows.push((at + 1, row.collect()));
        }
    }

    /// Where each column stands; `None` when the head is another.
    fn head(&self, line: &str) -> Option<Vec<usize>> {
        let named: Vec<&str> = line.split('\t').map(str::trim).collect();
        let mut good = true;
        let mut fault = |reason: String| {
            self.fault(Some(1), reason);
            good = false;
        };
        let mut seen = BTreeMap::new();
        for (at, name) in named.iter().enumerate() {
            if !self.columns.contains(name) {
                fault(format!(
                    "names the column {name:?}, which this table does not have"
                ));
            } else if seen.insert(*name, at).is_some() {
                fault(format!("names the column {name:?} twice"));
            }
        }
        for column in self
            .columns
            .iter()
            .filter(|column| !seen.contains_key(*column))
        {
            fault(format!("lacks the column {column:?}"));
        }
        let order = self
            .columns
            .iter()
            .filter_map(|name| seen.get(name).copied());
        good.then(|| order.collect())
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, cells)| Row {
            table: self,
            line: *line,
            cells,
        })
    }
}

impl<'t> Row<'t> {
    /// Adds a fault of this row.
    pub(super) fn fault(&self, reason: impl Into<String>) {
        self.table.fault(Some(self.line), reason);
    }

    fn cell(&self, column: &str) -> &'t str {
        let at = self.table.columns.iter().position(|name| *name == column);
        let cell = at.and_then(|at| self.cells.get(at).copied());
        // A column that no table has is a defect here, and shows as an empty cell.
        debug_assert!(cell.is_some(), "no column {column}");
        cell.unwrap_or_default()
    }

    /// Text that must be there.
    pub(super) fn text(&self, column: &'static str, most: usize) -> String {
        let cell = self.cell(column);
        if let Err(refusal) = text::required(column, cell, most) {
            self.fault(format!("{column}: {}", refusal.rule));
        } else if cell.len() > 1 && cell.starts_with('"') && cell.ends_with('"') {
            self.fault(format!(
                "{column}: stands in quotation marks; save the table without them"
            ));
        }
        cell.to_owned()
    }

    /// Text that may be missing.
    pub(super) fn optional(&self, column: &'static str, most: usize) -> Option<String> {
        (!self.cell(column).is_empty()).then(|| self.text(column, most))
    }

    /// A list parted by `、`, `;` or `；`.
    pub(super) fn list(&self, column: &'static str, most: usize) -> Vec<String> {
        let parts = self.cell(column).split(['、', ';', '；']).map(str::trim);
        let mut all: Vec<String> = Vec::new();
        for part in parts.filter(|part| !part.is_empty()) {
            if part.chars().count() > most {
                self.fault(format!(
                    "{column}: {part:?} has more than {most} characters"
                ));
            }
            if all.iter().any(|known| known == part) {
                self.fault(format!("{column}: names {part:?} twice"));
            }
            all.push(part.to_owned());
        }
        all
    }

    /// A whole number from 1.
    pub(super) fn number(&self, column: &'static str) -> u32 {
        let cell = self.cell(column);
        match cell.parse() {
            Ok(number @ 1..=1_000_000) => number,
            _ => {
                self.fault(format!(
                    "{column}: {cell:?} is not a whole number from 1 to 1000000"
                ));
                1
            }
        }
    }

    /// A date, where there is one.
    pub(super) fn date(&self, column: &'static str) -> Option<LocalDate> {
        let cell = self.cell(column);
        if cell.is_empty() {
            return None;
        }
        match cell.parse() {
            // The parser alone would take a time of day along.
            Ok(date) if cell.len() == 10 => Some(date),
            _ => {
                self.fault(format!(
                    "{column}: {cell:?} is not a date of the form YYYY-MM-DD"
                ));
                None
            }
        }
    }

    /// One of a fixed set of names.
    pub(super) fn one_of<T: Copy>(
        &self,
        column: &'static str,
        all: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let cell = self.cell(column);
        let found = all.iter().copied().find(|value| name(*value) == cell);
        if found.is_none() {
            let names: Vec<_> = all.iter().map(|value| name(*value)).collect();
            self.fault(format!(
                "{column}: {cell:?} is none of {}",
                names.join(", ")
            ));
        }
        found
    }

    /// `yes` or `no`; nothing is `no`.
    pub(super) fn yes(&self, column: &'static str) -> bool {
        match self.cell(column) {
            "yes" => true,
            "no" | "" => false,
            cell => {
                self.fault(format!("{column}: {cell:?} is neither yes nor no"));
                false
            }
        }
    }

    /// A code within the pack: small letters, digits and hyphens.
    pub(super) fn slug(&self, column: &'static str) -> String {
        let cell = self.cell(column);
        if !is_slug(cell) {
            self.fault(format!(
                "{column}: {cell:?} is not made of small letters, digits and single hyphens"
            ));
        }
        cell.to_owned()
    }

    /// A code that records carry: capital letters, digits and hyphens.
    pub(super) fn code(&self, column: &'static str) -> String {
        let cell = self.cell(column);
        if !is_code(cell) {
            self.fault(format!(
                "{column}: {cell:?} is not made of capital letters, digits and single hyphens"
            ));
        }
        cell.to_owned()
    }
}

/// Characters that a code may have.
const CODE_MAX: usize = 64;

fn parts_are(text: &str, good: impl Fn(char) -> bool) -> bool {
    let part_is = |part: &str| !part.is_empty() && part.chars().all(&good);
    text.len() <= CODE_MAX && text.split('-').all(part_is)
}

pub(super) fn is_slug(text: &str) -> bool {
    parts_are(text, |c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

fn is_code(text: &str) -> bool {
    parts_are(text, |c| c.is_ascii_uppercase() || c.is_ascii_digit())
}
