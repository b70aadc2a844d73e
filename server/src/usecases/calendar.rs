//! The published working days that due dates are counted by: those that the program was shipped
//! with, and the tables that were imported since. A new table reaches every server and device, and
//! provisional due dates are counted again through the one door.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use hazardloop_domain::calendar::{WorkdayCalendar, parse_calendar};
use hazardloop_domain::calendar_year::CalendarYear;
use hazardloop_domain::command::{Action, Command, RecomputeDeadline, Subject};
use hazardloop_domain::ids::{HazardId, PersonId};
use hazardloop_domain::operations::Operation;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};
use minicbor::{Decode, Encode};

use super::execute::{Door, Sender};
use super::jurisdictions::encoded;
use super::others::CATCH_UP_EVERY_S;
use super::whole_tree;
use crate::app::App;
use crate::failure::Failure;
use crate::store::events::{self, NewEvent};
use crate::store::feed::{self, Announced};
use crate::store::jobs::{self, JobKind};
use crate::store::{Db, StoreError, WriteTx, calendars};

/// The tables that this build was shipped with; see `catalog/README.md` for their source.
const SHIPPED: &str = include_str!("../../../catalog/calendars/china-workdays-2020-2026.csv");

/// What the jobs that count again are called, each by the number of the import it follows: one that is
/// under way may not know the tables of a later import.
const RECOMPUTE: &str = "recompute_deadlines";

/// Milliseconds until due dates are counted once more: another server that had not yet learnt of the
/// import may have set one meanwhile. Twice as long as learning takes.
pub const ONCE_MORE_AFTER_MS: i64 = 2_000 * CATCH_UP_EVERY_S as i64;

/// What the history of a year's table keeps of one import: the bytes that are hashed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CalendarEvent {
    /// The table.
    #[n(0)]
    pub table: CalendarYear,
    /// Who; absent: from the command line of the server.
    #[n(1)]
    pub actor_id: Option<PersonId>,
    /// When the server recorded it.
    #[n(2)]
    pub recorded_at: Timestamp,
}

/// The working days that this server knows.
#[derive(Debug, Default)]
pub struct Calendar {
    current: RwLock<Arc<WorkdayCalendar>>,
    /// How many imports `current` has.
    imports: Mutex<i64>,
}

/// The shipped tables alone.
fn shipped() -> Result<WorkdayCalendar, Failure> {
    let rows = parse_calendar(SHIPPED)
        .map_err(|error| Failure::Internal(format!("the shipped calendar: {error}")))?;
    Ok(WorkdayCalendar::from_rows(rows))
}

impl Calendar {
    /// The shipped tables and those that were imported.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open(db: &Db) -> Result<Self, Failure> {
        let calendar = Self {
            current: RwLock::new(Arc::new(shipped()?)),
            imports: Mutex::new(0),
        };
        calendar.catch_up(db).await?;
        Ok(calendar)
    }

    /// The working days as they are known now.
    pub fn now(&self) -> Arc<WorkdayCalendar> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }

    /// Learns what was imported since the last look, here or on another server.
    ///
    /// # Errors
    /// When the database does not answer; what was known stays.
    pub async fn catch_up(&self, db: &Db) -> Result<(), Failure> {
        let known = *self.imports.lock().unwrap_or_else(PoisonError::into_inner);
        let read = db.read(move |tx| {
            let imports = calendars::imports(tx.conn())?;
            let tables = match imports == known {
                true => Vec::new(),
                false => calendars::all(tx.conn())?,
            };
            Ok::<_, StoreError>((imports, tables))
        });
        let (imports, tables) = read.await?;
        if imports != known {
            self.hold(&tables, imports)?;
        }
        Ok(())
    }

    fn hold(&self, tables: &[CalendarYear], imports: i64) -> Result<(), Failure> {
        let calendar = Arc::new(shipped()?.with_years(tables));
        let mut held = self.imports.lock().unwrap_or_else(PoisonError::into_inner);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = calendar;
        *held = imports;
        Ok(())
    }
}

/// Stores a table, tells every device, and has provisional due dates counted again. Who may is the
/// caller's question. Answers the table as stored, and whether that changed anything.
///
/// # Errors
/// [`Failure::Refused`] when the table is not one; [`Failure::PreconditionFailed`] when the year's
/// table is not the version `seen`.
pub fn import(
    tx: &mut WriteTx<'_>,
    key: &DigestKey,
    table: &CalendarYear,
    seen: Option<i64>,
    actor: Option<PersonId>,
    now: Timestamp,
) -> Result<(CalendarYear, bool), Failure> {
    table.check()?;
    let before = calendars::of_year(tx.conn(), table.year)?;
    if let Some(before) = &before
        && (&before.days, &before.source) == (&table.days, &table.source)
    {
        return Ok((before.clone(), false));
    }
    let version = before.map_or(0, |before| before.version);
    if seen.is_some_and(|seen| seen != version) {
        return Err(Failure::PreconditionFailed { current: version });
    }
    let table = CalendarYear {
        version: version.saturating_add(1),
        ..table.clone()
    };
    let record = encoded(&table)?;
    calendars::save(tx, &table, &record, (version > 0).then_some(version), now)?;
    let id = CalendarYear::record_id(table.year);
    let announced = Announced {
        kind: RecordKind::Calendar,
        id: &id,
        version: table.version,
        body: &record,
        created_at: now,
    };
    feed::put(tx, key, &[Scope::Catalog], announced)?;
    let event = encoded(&CalendarEvent {
        table: table.clone(),
        actor_id: actor,
        recorded_at: now,
    })?;
    let event = NewEvent {
        subject_kind: "calendar",
        subject_id: &id,
        kind: "imported",
        actor,
        recorded_at: now,
        body: &event,
    };
    events::append(tx, event)?;
    Ok((table, true))
}

/// Imports a table for `person_id`.
///
/// # Errors
/// [`Failure::Forbidden`] unless the person administers the whole installation; else as [`import`].
pub async fn import_for(
    app: &App,
    person_id: PersonId,
    table: CalendarYear,
    seen: i64,
) -> Result<CalendarYear, Failure> {
    let app = app.clone();
    let shared = app.clone();
    let stored = app.db.write(move |tx| {
        let now = shared.clock.now();
        // A table holds for everybody.
        whole_tree::require(tx.conn(), person_id, Operation::ManageCalendars, now)?;
        let key = &shared.digest_key;
        let (table, changed) = import(tx, key, &table, Some(seen), Some(person_id), now)?;
        if changed {
            recompute_later(tx, &shared, now)?;
        }
        Ok::<_, Failure>(table)
    });
    let stored = stored.await?;
    app.calendar.catch_up(&app.db).await?;
    Ok(stored)
}

/// Has provisional due dates counted again by whichever server runs jobs, after what this
/// transaction has imported: now, and once more when every server has learnt of it.
///
/// # Errors
/// When the database does not answer.
pub fn recompute_from_outside(
    tx: &mut WriteTx<'_>,
    ids: [uuid::Uuid; 2],
    now: Timestamp,
) -> Result<(), Failure> {
    let imports = calendars::imports(tx.conn())?;
    let later = now.plus_millis(ONCE_MORE_AFTER_MS);
    for ((id, run_at), when) in ids.into_iter().zip([now, later]).zip(["now", "once_more"]) {
        let job = jobs::NewJob {
            id,
            kind: JobKind::RecomputeDeadlines,
            dedup_key: Some(format!("{RECOMPUTE}:{imports}:{when}")),
            payload: String::new(),
            run_at,
        };
        jobs::enqueue(tx.conn(), &job)?;
    }
    Ok(())
}

fn recompute_later(tx: &mut WriteTx<'_>, app: &App, now: Timestamp) -> Result<(), Failure> {
    let ids = [(); 2].map(|()| app.entropy.uuid_v7(now));
    recompute_from_outside(tx, ids, now)?;
    let app = app.clone();
    tx.after_commit(Box::new(move || {
        app.jobs_wake.notify_one();
        app.events_wake.notify_one();
    }));
    Ok(())
}

/// Counts every provisional due date again, as acts of the server, a bounded lot a transaction.
///
/// # Errors
/// When the database does not answer; what was counted stays.
pub async fn recompute(app: &App) -> Result<(), Failure> {
    app.calendar.catch_up(&app.db).await?;
    let mut after = None;
    loop {
        let door = Door::new(app);
        let (clock, most) = (app.clock.clone(), app.settings.hazards.moved_at_once.max(1));
        let lot = app.db.write(move |tx| {
            let limit = i64::try_from(most).unwrap_or(i64::MAX);
            let ids = calendars::provisional(tx.conn(), after, limit)?;
            let mut set = door.open(clock.now());
            let subjects: Vec<Subject> = ids.iter().copied().map(Subject::Hazard).collect();
            set.expect(tx.conn(), &subjects)?;
            for id in &ids {
                let action = Action::RecomputeDeadline(RecomputeDeadline {});
                set.decide(tx, &Command::new(*id, action), &Sender::SERVER)?;
            }
            set.store(tx)?;
            Ok::<Option<HazardId>, Failure>(ids.last().copied())
        });
        after = lot.await?;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// The years of which a table is known, ascending, each with the imported one where there is one.
///
/// # Errors
/// When the database does not answer.
pub async fn years(app: &App) -> Result<Vec<(i16, Option<CalendarYear>)>, Failure> {
    let imported = app.db.read(|tx| calendars::all(tx.conn())).await?;
    let calendar = shipped()?.with_years(&imported);
    let of = |year| imported.iter().find(|table| table.year == year).cloned();
    Ok(calendar
        .published_years()
        .map(|year| (year, of(year)))
        .collect())
}

#[cfg(test)]
#[path = "calendar_tests.rs"]
mod tests;
