//! The working days of China, and due dates counted in calendar or working days.
//!
//! The State Council publishes each year which days are holidays and which weekend days are worked
//! instead. Until a year's table is here, its days are counted Monday to Friday and the answer
//! says `provisional`: shown as such, and computed again once the table is imported. All dates are
//! those of Asia/Shanghai.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

use crate::time::{LocalDate, Timestamp};

/// The longest period that can be counted, in days: ten years.
pub const MAX_DAYS_ADDED: u32 = 3_660;
/// Holidays that a year's rows must hold to count as its published table: the statutory days of
/// the years before 2025 (13 since). A stray row does not make a table.
pub const MIN_HOLIDAYS_OF_A_TABLE: usize = 11;
/// The most lines read from one calendar text; 2020 to 2026 have 254.
pub const MAX_CALENDAR_LINES: usize = 20_000;
/// The most wrong lines reported at once.
pub const MAX_LINES_REPORTED: usize = 50;
/// The first line of a calendar text.
pub const CALENDAR_HEADER: &str = "date,kind,occasion";

/// What a published row makes of its day.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, minicbor::Encode, minicbor::Decode,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum DayMark {
    /// A day off, whichever weekday it is.
    #[n(0)]
    Holiday,
    /// A worked day, whichever weekday it is (调休).
    #[n(1)]
    Workday,
}

/// One row of a published table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarRow {
    /// The day.
    pub date: Date,
    /// What it is.
    pub mark: DayMark,
    /// The holiday it belongs to, such as 春节.
    pub occasion: String,
}

/// Why one line of a calendar text is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarLineProblem {
    /// The first line is not [`CALENDAR_HEADER`].
    #[error("首行须为 date,kind,occasion / the first line must be date,kind,occasion")]
    Header,
    /// Not three fields.
    #[error("须有三个字段 / must have three fields")]
    Fields,
    /// Not a date of the form YYYY-MM-DD.
    #[error("日期须为 YYYY-MM-DD / the date must be YYYY-MM-DD")]
    Date,
    /// Neither `holiday` nor `workday`.
    #[error("类别须为 holiday 或 workday / the kind must be holiday or workday")]
    Kind,
    /// The date stands in an earlier line.
    #[error("日期重复 / the date is there already")]
    Duplicate,
    /// More than [`MAX_CALENDAR_LINES`] lines.
    #[error("行数过多 / too many lines")]
    TooManyLines,
}

/// One wrong line of a calendar text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CalendarLineError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: CalendarLineProblem,
}

/// The wrong lines of a calendar text, at most [`MAX_LINES_REPORTED`]. Nothing of it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarTextError {
    /// The lines, ascending.
    pub lines: Vec<CalendarLineError>,
}

/// Which days a period counts.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    minicbor::Encode,
    minicbor::Decode,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum DayKind {
    /// Every day (日、天).
    #[n(0)]
    Calendar,
    /// Working days only (工作日).
    #[n(1)]
    Working,
}

/// What becomes of a calendar-day period that ends on a day off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndOnDayOff {
    /// It ends there all the same.
    Keep,
    /// It ends with the next working day (Civil Code, Art. 203).
    NextWorkday,
}

/// Whether a day is worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayAnswer {
    /// Whether it is a working day.
    pub workday: bool,
    /// Whether this only follows from the weekday, because the year has no published table yet.
    pub provisional: bool,
}

/// A due date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The last day of the period; it ends with the end of this day.
    pub date: Date,
    /// Whether a table not yet published may move it.
    pub provisional: bool,
}

/// Why no due date could be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DueError {
    /// The period is longer than [`MAX_DAYS_ADDED`].
    #[error("期限最长 {MAX_DAYS_ADDED} 天 / a period has at most {MAX_DAYS_ADDED} days")]
    TooLong,
    /// The period ends beyond the last date that can be written.
    #[error("日期超出范围 / the date is out of range")]
    OutOfRange,
}

/// The days that published tables mark, and the years that have one.
#[derive(Clone, Debug, Default)]
pub struct WorkdayCalendar {
    marks: BTreeMap<Date, DayMark>,
    published: BTreeSet<i16>,
}

impl WorkdayCalendar {
    /// A calendar of these rows; of two rows for one day the later holds. A year counts as
    /// published when its rows hold at least [`MIN_HOLIDAYS_OF_A_TABLE`] holidays; a marked day
    /// counts as marked in any case.
    pub fn from_rows(rows: impl IntoIterator<Item = CalendarRow>) -> Self {
        let marks: BTreeMap<Date, DayMark> =
            rows.into_iter().map(|row| (row.date, row.mark)).collect();
        let mut holidays: BTreeMap<i16, usize> = BTreeMap::new();
        for (date, _) in marks.iter().filter(|(_, mark)| **mark == DayMark::Holiday) {
            *holidays.entry(date.year()).or_default() += 1;
        }
        let published = holidays
            .into_iter()
            .filter(|(_, days)| *days >= MIN_HOLIDAYS_OF_A_TABLE)
            .map(|(year, _)| year)
            .collect();
        Self { marks, published }
    }

    /// Puts another table in the place of a year's, whole.
    pub(crate) fn replace_year(&mut self, year: i16, rows: impl Iterator<Item = CalendarRow>) {
        self.marks.retain(|date, _| date.year() != year);
        self.marks.extend(rows.map(|row| (row.date, row.mark)));
        self.published.insert(year);
    }

    /// The years whose table is here, ascending.
    pub fn published_years(&self) -> impl Iterator<Item = i16> {
        self.published.iter().copied()
    }

    /// Whether the day is worked.
    pub fn is_workday(&self, date: Date) -> DayAnswer {
        match self.marks.get(&date) {
            Some(mark) => DayAnswer {
                workday: *mark == DayMark::Workday,
                provisional: false,
            },
            None => DayAnswer {
                workday: !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday),
                provisional: !self.published.contains(&date.year()),
            },
        }
    }

    /// The last day of a period of `days` that begins on `start`; the first day is not counted
    /// (Civil Code, Art. 201). `end` matters to calendar days only: working days end on one.
    pub fn add_days(
        &self,
        start: Date,
        days: u32,
        kind: DayKind,
        end: EndOnDayOff,
    ) -> Result<Due, DueError> {
        if days > MAX_DAYS_ADDED {
            return Err(DueError::TooLong);
        }
        match (kind, end) {
            (DayKind::Working, _) => self.add_working_days(start, days),
            (DayKind::Calendar, EndOnDayOff::Keep) => Ok(Due {
                date: add_calendar_days(start, days)?,
                provisional: false,
            }),
            (DayKind::Calendar, EndOnDayOff::NextWorkday) => {
                self.same_or_next_workday(add_calendar_days(start, days)?)
            }
        }
    }

    fn add_working_days(&self, start: Date, days: u32) -> Result<Due, DueError> {
        let mut due = Due {
            date: start,
            provisional: false,
        };
        for _ in 0..days {
            let next = self.same_or_next_workday(tomorrow(due.date)?)?;
            due = Due {
                date: next.date,
                provisional: due.provisional || next.provisional,
            };
        }
        Ok(due)
    }

    fn same_or_next_workday(&self, mut date: Date) -> Result<Due, DueError> {
        let mut provisional = false;
        loop {
            let day = self.is_workday(date);
            provisional |= day.provisional;
            if day.workday {
                return Ok(Due { date, provisional });
            }
            // Ends: a table marks finitely many days, and dates do.
            date = tomorrow(date)?;
        }
    }
}

fn tomorrow(date: Date) -> Result<Date, DueError> {
    date.tomorrow().map_err(|_| DueError::OutOfRange)
}

fn add_calendar_days(start: Date, days: u32) -> Result<Date, DueError> {
    let span = jiff::Span::new()
        .try_days(days)
        .map_err(|_| DueError::OutOfRange)?;
    start.checked_add(span).map_err(|_| DueError::OutOfRange)
}

/// The last millisecond of a day in Asia/Shanghai (UTC+8, no daylight saving).
pub fn end_of_day_shanghai(date: Date) -> Timestamp {
    LocalDate::new(date).end_of_day()
}

/// Reads a calendar text: [`CALENDAR_HEADER`], then a row a line. Blank lines are skipped, and a
/// byte order mark and CRLF are understood.
pub fn parse_calendar(text: &str) -> Result<Vec<CalendarRow>, CalendarTextError> {
    let mut rows = Vec::new();
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, content) in text.lines().enumerate() {
        let read = if index >= MAX_CALENDAR_LINES {
            Err(CalendarLineProblem::TooManyLines)
        } else if index == 0 {
            if content.trim() == CALENDAR_HEADER {
                continue;
            } else {
                Err(CalendarLineProblem::Header)
            }
        } else if content.trim().is_empty() {
            continue;
        } else {
            parse_row(content)
        };
        match read {
            Ok(row) if seen.insert(row.date) => rows.push(row),
            Ok(_) => wrong.push((index, CalendarLineProblem::Duplicate)),
            Err(problem) => wrong.push((index, problem)),
        }
        if wrong.len() == MAX_LINES_REPORTED || index >= MAX_CALENDAR_LINES {
            break;
        }
    }
    if text.is_empty() {
        wrong.push((0, CalendarLineProblem::Header));
    }
    if wrong.is_empty() {
        return Ok(rows);
    }
    let lines = wrong
        .into_iter()
        .map(|(index, problem)| CalendarLineError {
            line: index + 1,
            problem,
        })
        .collect();
    Err(CalendarTextError { lines })
}

fn parse_row(line: &str) -> Result<CalendarRow, CalendarLineProblem> {
    let mut fields = line.split(',').map(str::trim);
    let (Some(date), Some(kind), Some(occasion), None) =
        (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(CalendarLineProblem::Fields);
    };
    // The library's own reader also takes times and zones; a table holds plain dates.
    let plain = date.len() == "YYYY-MM-DD".len();
    let date = date
        .parse()
        .ok()
        .filter(|_| plain)
        .ok_or(CalendarLineProblem::Date)?;
    let mark = match kind {
        "holiday" => DayMark::Holiday,
        "workday" => DayMark::Workday,
        _ => return Err(CalendarLineProblem::Kind),
    };
    Ok(CalendarRow {
        date,
        mark,
        occasion: occasion.to_owned(),
    })
}

impl std::fmt::Display for CalendarTextError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, CalendarLineError { line, problem }) in self.lines.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}第 {line} 行 / line {line}: {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for CalendarTextError {}

#[cfg(test)]
#[path = "calendar_tests.rs"]
mod tests;
