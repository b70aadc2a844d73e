//! What a table would do: each row read against the enterprise that it speaks of, and everything
//! that is wrong with any of them, before anything is stored.

use std::collections::HashMap;

use hazardloop_domain::enterprise::{Enterprise, EnterpriseProfile};
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId};
use uuid::Uuid;

use super::columns::{self, COLUMNS, Column};
use super::draft::Draft;
use super::existing::{Existing, Match};
use super::places::Places;
use super::problems::{Finding, Problems};
use crate::failure::Failure;
use crate::store::Conn;
use crate::tables::{Cell, Row};
use crate::usecases::catalog::Snapshot;
use crate::usecases::{enterprises, sector_names};

/// Rows among which the headings must be.
const HEADING_WITHIN: u32 = 10;

/// Headings that must be known for a row to be that of the headings.
const HEADINGS_MIN: usize = 2;

/// What empties a field.
const EMPTIES: [&str; 2] = ["-", "—"];

/// What a row does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Did {
    Created,
    Updated,
    Unchanged,
}

impl Did {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
        }
    }
}

/// One row that can be stored.
pub(super) struct Planned {
    pub row: u32,
    pub enterprise: Enterprise,
    pub before: Option<Enterprise>,
}

impl Planned {
    pub fn did(&self) -> Did {
        match &self.before {
            None => Did::Created,
            Some(before) if *before == self.enterprise => Did::Unchanged,
            Some(_) => Did::Updated,
        }
    }
}

/// Everything that a table would do.
pub(super) struct Plan {
    pub rows: Vec<Planned>,
    /// Rows that are there, also those that cannot be stored.
    pub count: u32,
    pub problems: Problems,
}

/// The columns of a table: where each stands, and its heading.
struct Headings {
    columns: HashMap<usize, (&'static Column, String)>,
    /// The last cell that has a heading, known or not.
    last: Option<usize>,
    row: u32,
}

/// What a row says of which enterprise it means.
pub(super) struct Keys {
    pub id: Option<EnterpriseId>,
    pub credit_code: Option<String>,
    pub name: Option<String>,
    pub jurisdiction_id: Option<JurisdictionId>,
}

/// Reads a table. Ids of new enterprises come from `new_id`.
///
/// # Errors
/// When the database does not answer; what is wrong with the table is in the plan.
pub(super) fn plan(
    conn: &mut Conn,
    table: &[Row],
    (places, catalog): (&Places, &Snapshot),
    mut problems: Problems,
    mut new_id: impl FnMut() -> Uuid,
) -> Result<Plan, Failure> {
    let headings = headings(table, &mut problems);
    let is_data = |row: &&Row| row.number > headings.row && !is_comment(row);
    let data: Vec<&Row> = table.iter().filter(is_data).collect();
    if headings.row < u32::MAX && data.is_empty() {
        problems.add(0, (None, None), &Finding::NoRows);
    }
    let mut reader = Reader {
        headings: &headings,
        places,
        catalog,
        codes: HashMap::new(),
        problems,
    };
    let keys: Vec<Keys> = data.iter().map(|row| reader.keys(row)).collect();
    let existing = Existing::load(conn, &keys, places)?;
    let mut codes = Codes::default();
    for (row, keys) in data.iter().zip(&keys) {
        let before = match existing.of(keys) {
            Match::One(before) => Some(before.jurisdiction_id),
            _ => None,
        };
        let sector = reader.text(row, "sector");
        if let (Some(sector), Some(place)) = (sector, before.or(keys.jurisdiction_id))
            && let Some(code) = codes.of(conn, (places, catalog), place, sector)?
        {
            reader.codes.insert(row.number, code);
        }
    }
    let mut rows = Vec::with_capacity(data.len());
    let mut seen = Seen::default();
    for (row, keys) in data.iter().zip(&keys) {
        let before = match existing.of(keys) {
            Match::None => None,
            Match::One(before) => Some(before.clone()),
            Match::Unknown => {
                reader.found(row, "id", &Finding::EnterpriseUnknown);
                continue;
            }
            Match::Several => {
                reader.found(row, "credit_code", &Finding::EnterpriseAmbiguous);
                continue;
            }
        };
        let first = seen.other(row.number, keys, before.as_ref());
        if let Some(first) = first {
            reader.found(row, "credit_code", &Finding::SameAsRow(first));
        }
        let enterprise = reader.enterprise(row, keys, before.as_ref(), &mut new_id);
        if let Some(enterprise) = enterprise.filter(|_| first.is_none()) {
            rows.push(Planned {
                row: row.number,
                enterprise,
                before,
            });
        }
    }
    Ok(Plan {
        rows,
        count: u32::try_from(data.len()).unwrap_or(u32::MAX),
        problems: reader.problems,
    })
}

/// The codes of what sectors are called, each looked up once.
#[derive(Default)]
struct Codes(HashMap<(JurisdictionId, String), Option<String>>);

impl Codes {
    fn of(
        &mut self,
        conn: &mut Conn,
        (places, catalog): (&Places, &Snapshot),
        place: JurisdictionId,
        sector: &str,
    ) -> Result<Option<String>, Failure> {
        let key = (place, sector.to_owned());
        if let Some(known) = self.0.get(&key) {
            return Ok(known.clone());
        }
        let code = sector_names::code_for(conn, catalog, places.ancestors(place), sector)?;
        self.0.insert(key, code.clone());
        Ok(code)
    }
}

/// A row that explains something to people.
fn is_comment(row: &Row) -> bool {
    let first = row.cells.first();
    matches!(first, Some((_, Cell::Text(text))) if text.starts_with('#'))
}

fn headings(table: &[Row], problems: &mut Problems) -> Headings {
    let known = |cell: &(usize, Cell)| match &cell.1 {
        Cell::Text(text) => COLUMNS.iter().find(|column| column.is_headed(text)),
        _ => None,
    };
    let is_heading =
        |row: &&Row| row.cells.iter().filter_map(known).count() >= HEADINGS_MIN && !is_comment(row);
    let within = table.iter().take_while(|row| row.number <= HEADING_WITHIN);
    let Some(row) = within.into_iter().find(is_heading) else {
        problems.add(0, (None, None), &Finding::NoHeading);
        return Headings {
            columns: HashMap::new(),
            last: None,
            row: u32::MAX,
        };
    };
    let mut columns: HashMap<usize, (&'static Column, String)> = HashMap::new();
    for cell in &row.cells {
        let heading = match &cell.1 {
            Cell::Text(text) => text.clone(),
            _ => String::new(),
        };
        match known(cell) {
            None => problems.add(row.number, (None, Some(&heading)), &Finding::UnknownColumn),
            Some(column) => {
                let mut before = columns.values();
                if before.any(|(other, _)| other.name == column.name) {
                    let place = (Some(column.name), Some(heading.as_str()));
                    problems.add(row.number, place, &Finding::ColumnTwice);
                } else {
                    columns.insert(cell.0, (column, heading));
                }
            }
        }
    }
    Headings {
        columns,
        last: row.cells.iter().map(|cell| cell.0).max(),
        row: row.number,
    }
}

struct Reader<'a> {
    headings: &'a Headings,
    places: &'a Places,
    catalog: &'a Snapshot,
    /// The codes that take the place of what rows call their sector, by row.
    codes: HashMap<u32, String>,
    problems: Problems,
}

impl Reader<'_> {
    fn found(&mut self, row: &Row, column: &str, finding: &Finding) {
        let heading = self.headings.columns.values();
        let heading = heading
            .clone()
            .find(|(of, _)| of.name == column)
            .map(|(_, heading)| heading.as_str());
        self.problems
            .add(row.number, (Some(column), heading), finding);
    }

    fn text<'r>(&self, row: &'r Row, column: &str) -> Option<&'r str> {
        let mut columns = self.headings.columns.iter();
        let (at, _) = columns.find(|(_, (of, _))| of.name == column)?;
        row.text(*at).filter(|text| !EMPTIES.contains(text))
    }

    fn keys(&mut self, row: &Row) -> Keys {
        let id = self.text(row, "id").map(str::parse::<EnterpriseId>);
        if matches!(id, Some(Err(_))) {
            self.found(row, "id", &Finding::NotAnId);
        }
        // Where nobody says otherwise, whoever answers for the division answers for it.
        let named = self.text(row, "jurisdiction");
        let of_division = self.text(row, "division_code");
        let jurisdiction_id = match (named, of_division) {
            (Some(text), _) => match self.places.find(text) {
                Ok(id) => Some(id),
                Err(finding) => {
                    self.found(row, "jurisdiction", &finding);
                    None
                }
            },
            (None, Some(code)) => self.places.find(code).ok(),
            (None, None) => None,
        };
        Keys {
            id: id.and_then(Result::ok),
            credit_code: self.text(row, "credit_code").map(str::to_owned),
            name: self.text(row, "name").map(str::to_owned),
            jurisdiction_id,
        }
    }

    /// The enterprise after this row; `None` when it cannot be stored.
    fn enterprise(
        &mut self,
        row: &Row,
        keys: &Keys,
        before: Option<&Enterprise>,
        new_id: &mut impl FnMut() -> Uuid,
    ) -> Option<Enterprise> {
        let errors = self.problems.errors;
        let base = match before {
            Some(before) => before.clone(),
            None => self.new_one(row, keys, new_id),
        };
        if before.is_some() {
            self.check_place(row, keys, &base);
        }
        let mut draft = Draft::of(base);
        self.read_cells(row, &mut draft);
        if let Some(text) = draft.grid.take() {
            match self.places.find_grid(&text) {
                Ok(id) => draft.enterprise.profile.grid_id = Some(id),
                Err(finding) => self.found(row, "grid", &finding),
            }
        }
        let (mut enterprise, incomplete) = draft.finish();
        if let Some(code) = self.codes.get(&row.number).cloned() {
            sector_names::put_code(self.catalog, &mut enterprise, code);
        }
        for (column, finding) in incomplete {
            self.found(row, column, &finding);
        }
        let changed = before.is_none_or(|before| before.sector != enterprise.sector);
        let (place, sector) = (keys.jurisdiction_id, &enterprise.sector);
        let place = before.map(|before| before.jurisdiction_id).or(place);
        // Also no enterprise of a sector that somebody else keeps.
        if changed && place.is_some_and(|place| !self.places.may_keep(place, sector)) {
            self.found(row, "jurisdiction", &Finding::JurisdictionForbidden);
        }
        self.check(row, before, &enterprise);
        if self.problems.errors > errors {
            return None;
        }
        if before.is_some_and(|before| *before != enterprise) {
            enterprise.version = enterprise.version.saturating_add(1);
        }
        Some(enterprise)
    }

    fn new_one(&mut self, row: &Row, keys: &Keys, new_id: &mut impl FnMut() -> Uuid) -> Enterprise {
        for (column, given) in [
            ("name", keys.name.is_some()),
            ("sector", self.text(row, "sector").is_some()),
        ] {
            if !given {
                self.found(row, column, &Finding::Required);
            }
        }
        match keys.jurisdiction_id {
            Some(_) => {}
            // One that is named and unknown has been told of.
            None if self.text(row, "jurisdiction").is_some() => {}
            None => self.found(row, "jurisdiction", &Finding::Required),
        }
        Enterprise {
            id: EnterpriseId(new_id()),
            name: String::new(),
            credit_code: None,
            jurisdiction_id: keys.jurisdiction_id.unwrap_or(JurisdictionId(Uuid::nil())),
            sector: String::new(),
            address: None,
            position: None,
            version: 1,
            profile: EnterpriseProfile::default(),
        }
    }

    /// A table does not move anything: its hazards would have to move with it.
    fn check_place(&mut self, row: &Row, keys: &Keys, before: &Enterprise) {
        let named = self.text(row, "jurisdiction").is_some();
        let elsewhere = keys
            .jurisdiction_id
            .is_some_and(|id| id != before.jurisdiction_id);
        if named && elsewhere {
            self.found(row, "jurisdiction", &Finding::JurisdictionDiffers);
        }
    }

    fn read_cells(&mut self, row: &Row, draft: &mut Draft) {
        for (at, cell) in &row.cells {
            let Some((column, heading)) = self.headings.columns.get(at) else {
                self.beyond(row, *at);
                continue;
            };
            let done = match cell {
                Cell::Text(text) if EMPTIES.contains(&text.as_str()) => match column.name {
                    "grid" => {
                        draft.enterprise.profile.grid_id = None;
                        Ok(())
                    }
                    _ => (column.set)(draft, None),
                },
                Cell::Text(text) => (column.set)(draft, Some(text)),
                Cell::TooLong(most) => Err(Finding::CellTooLong(*most)),
                Cell::Rounded => Err(Finding::Rounded),
                Cell::Error => Err(Finding::FormulaError),
            };
            if let Err(finding) = done {
                let place = (Some(column.name), Some(heading.as_str()));
                self.problems.add(row.number, place, &finding);
            }
        }
    }

    /// A cell below no heading; below one that is not known, that has been told of.
    fn beyond(&mut self, row: &Row, at: usize) {
        if self.headings.last.is_some_and(|last| at > last) {
            self.problems
                .add(row.number, (None, None), &Finding::BeyondHeadings);
        }
    }

    fn check(&mut self, row: &Row, before: Option<&Enterprise>, enterprise: &Enterprise) {
        for fault in enterprise.faults() {
            let column = columns::of_field(&fault.field);
            // That a new one needs it has been said.
            let known = before.is_none() && matches!(column, Some("name" | "sector"));
            if !known || !matches!(fault.kind, hazardloop_domain::enterprise::FaultKind::Blank) {
                match column {
                    Some(column) => self.found(row, column, &Finding::Field(fault.kind)),
                    None => {
                        let finding = Finding::Field(fault.kind);
                        self.problems.add(row.number, (None, None), &finding);
                    }
                }
            }
        }
        for (field, finding) in enterprises::warnings(enterprise) {
            let column = columns::of_field(&field).unwrap_or("credit_code");
            self.found(row, column, &Finding::CreditCode(finding));
        }
        if let Some(finding) = sector_names::finding(self.catalog, &enterprise.sector) {
            self.found(row, "sector", &Finding::Sector(finding));
        }
    }
}

/// Which row spoke of which enterprise first.
#[derive(Default)]
struct Seen {
    by_id: HashMap<EnterpriseId, u32>,
    by_code: HashMap<String, u32>,
    by_name: HashMap<(JurisdictionId, String), u32>,
}

impl Seen {
    /// The earlier row that speaks of the same enterprise.
    fn other(&mut self, row: u32, keys: &Keys, before: Option<&Enterprise>) -> Option<u32> {
        let mut first = None;
        if let Some(before) = before {
            let known = *self.by_id.entry(before.id).or_insert(row);
            first = first.or(Some(known).filter(|known| *known != row));
        }
        if let Some(code) = &keys.credit_code {
            let known = *self.by_code.entry(code.clone()).or_insert(row);
            first = first.or(Some(known).filter(|known| *known != row));
        }
        if let (Some(name), Some(place)) = (&keys.name, keys.jurisdiction_id) {
            let known = *self.by_name.entry((place, name.clone())).or_insert(row);
            let same = keys.credit_code.is_none() && before.is_none();
            first = first.or(Some(known).filter(|known| *known != row && same));
        }
        first
    }
}
