//! `hazardloop calendar`: the working days that due dates are counted by.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use hazardloop_domain::calendar::{CalendarRow, parse_calendar};
use hazardloop_domain::calendar_year::{CalendarDay, CalendarYear};
use hazardloop_domain::time::LocalDate;

use super::TaskError;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::failure::Failure;
use crate::store::{Db, calendars};
use crate::usecases::calendar;

/// The largest file that is read, bytes: a year's table has about two thousand.
const MAX_BYTES: u64 = 1024 * 1024;

/// What to do about calendars.
#[derive(Debug, Subcommand)]
pub enum CalendarTask {
    /// Import the tables of a file (date,kind,occasion). Running servers and devices follow, and
    /// provisional due dates are counted again.
    Import {
        /// The file, as catalog/calendars shows it; it may hold several years.
        file: PathBuf,
        /// Where it was published: the notice of the State Council's General Office.
        #[arg(long)]
        source: String,
    },
    /// List the imported years.
    List,
}

/// Does it, and says what was done.
///
/// # Errors
/// When the file cannot be read, is no calendar, or the database does not answer.
pub fn run(
    db: &Db,
    clock: &Clock,
    entropy: &Entropy,
    task: &CalendarTask,
    out: &mut dyn Write,
) -> Result<(), TaskError> {
    let text = match task {
        CalendarTask::Import { file, source } => import(db, clock, entropy, file, source)?,
        CalendarTask::List => list(db)?,
    };
    out.write_all(text.as_bytes())
        .map_err(TaskError::io("writing what was done"))
}

fn list(db: &Db) -> Result<String, TaskError> {
    let tables = db.read_blocking(|tx| calendars::all(tx.conn()))?;
    let mut lines = String::new();
    for table in tables {
        let (year, days, source) = (table.year, table.days.len(), &table.source);
        lines.push_str(&format!(
            "{year}\tversion {}\t{days} days\t{source}\n",
            table.version
        ));
    }
    Ok(lines)
}

fn import(
    db: &Db,
    clock: &Clock,
    entropy: &Entropy,
    file: &Path,
    source: &str,
) -> Result<String, TaskError> {
    let named = |error| TaskError::io(file.display().to_string())(error);
    let size = std::fs::metadata(file).map_err(named)?.len();
    if size > MAX_BYTES {
        let why = format!("has more than {MAX_BYTES} bytes");
        return Err(Failure::invalid("file", why).into());
    }
    let text = std::fs::read_to_string(file).map_err(named)?;
    let rows =
        parse_calendar(&text).map_err(|error| Failure::invalid("file", error.to_string()))?;
    let now = clock.now();
    let key = super::digest_key(db, entropy)?;
    let jobs = [(); 2].map(|()| entropy.uuid_v7(now));
    let tables = by_year(rows, source);
    let done = db.write_blocking(move |tx| {
        let mut lines = String::new();
        let mut any = false;
        for table in &tables {
            let (stored, changed) = calendar::import(tx, &key, table, None, None, now)?;
            any |= changed;
            let what = if changed { "imported" } else { "as it was" };
            lines.push_str(&format!("{}\t{what}\n", stored.year));
        }
        if any {
            calendar::recompute_from_outside(tx, jobs, now)?;
        }
        Ok::<_, Failure>(lines)
    });
    done.map_err(TaskError::from)
}

fn by_year(rows: Vec<CalendarRow>, source: &str) -> Vec<CalendarYear> {
    let mut years: BTreeMap<i16, Vec<CalendarDay>> = BTreeMap::new();
    for row in rows {
        years.entry(row.date.year()).or_default().push(CalendarDay {
            date: LocalDate::new(row.date),
            kind: row.mark,
            occasion: row.occasion,
        });
    }
    years
        .into_iter()
        .map(|(year, mut days)| {
            days.sort_unstable_by_key(|day| day.date);
            CalendarYear {
                year,
                days,
                source: source.to_owned(),
                version: 0,
            }
        })
        .collect()
}
