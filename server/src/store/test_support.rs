//! What the store's tests share.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;

use diesel::connection::{Instrumentation, InstrumentationEvent};
use diesel::prelude::*;

use hazardloop_tests::template::Template;

use super::schema::{people, scope_rows, server_meta};
use super::{Conn, Db, DbOptions, StoreError, StoreFailure, migrate, order};

/// The schema, and nothing in it; not yet known as a database of its own.
static MIGRATED: Template = Template::new("migrated", |url| {
    migrate::locked_up(&url.parse().unwrap(), |_| Ok(())).unwrap();
});

/// Runs `test` twice: on an SQLite file and on a PostgreSQL database that have the schema.
pub(crate) fn each_database(test: impl Fn(&str)) {
    MIGRATED.on_each(test);
}

/// The database at `url`, migrated and open.
pub(super) fn opened(url: &str) -> Db {
    opened_with(url, DbOptions::default())
}

pub(super) fn opened_with(url: &str, options: DbOptions) -> Db {
    let url = url.parse().unwrap();
    migrate::migrate(&url).unwrap();
    Db::open(&url, options).unwrap()
}

/// Stores one small fact; the names of facts are unique.
pub(super) fn put_fact(conn: &mut Conn, name: &str) -> Result<(), StoreError> {
    diesel::insert_into(server_meta::table)
        .values((server_meta::name.eq(name), server_meta::value.eq("")))
        .execute(conn)?;
    Ok(())
}

/// All facts that tests have put, sorted.
pub(super) fn facts(db: &Db) -> Vec<String> {
    db.read_blocking(|tx| {
        let names = server_meta::table
            .filter(server_meta::name.ne(super::identity::IDENTITY))
            .filter(server_meta::name.ne(super::planned_members::FILLED))
            .filter(server_meta::name.ne(super::tasks::FILLED))
            .select(server_meta::name)
            .order(server_meta::name);
        Ok::<_, StoreError>(names.load(tx.conn())?)
    })
    .unwrap()
}

/// A person whose `version` counts changes.
pub(super) fn put_person(db: &Db, id: u8) {
    db.write_blocking(move |tx| {
        diesel::insert_into(people::table)
            .values((
                people::id.eq(vec![id; 16]),
                people::login.eq(format!("login{id}")),
                people::name.eq("某人"),
                people::password_hash.eq("-"),
                people::created_at.eq(0),
                people::version.eq(0),
            ))
            .execute(tx.conn())?;
        Ok::<_, StoreError>(())
    })
    .unwrap();
}

pub(super) fn version_of(conn: &mut Conn, id: u8) -> Result<i64, StoreError> {
    let found = people::table.find(vec![id; 16]).select(people::version);
    Ok(found.first::<i64>(conn)?)
}

/// Counts up under a version guard, as use cases do.
pub(super) fn count_up(conn: &mut Conn, id: u8) -> Result<i64, StoreError> {
    let before = version_of(conn, id)?;
    raise(conn, id, before)
}

/// Raises the version if it still is `before`.
pub(super) fn raise(conn: &mut Conn, id: u8, before: i64) -> Result<i64, StoreError> {
    diesel::update(
        people::table
            .find(vec![id; 16])
            .filter(people::version.eq(before)),
    )
    .set(people::version.eq(before + 1))
    .returning(people::version)
    .get_result::<i64>(conn)
    .optional()?
    .ok_or(StoreError::Stale { what: "person" })
}

/// Holds a writer inside a transaction until told to go on, so that a group forms behind it.
pub(super) fn hold_writer(db: &Db) -> (mpsc::Sender<()>, JoinHandle<Result<(), StoreError>>) {
    let (go, wait) = mpsc::channel();
    let (entered, inside) = mpsc::channel();
    let holder = db.clone();
    let thread = std::thread::spawn(move || {
        holder.write_blocking(move |_| {
            entered.send(()).unwrap();
            wait.recv().unwrap();
            Ok(())
        })
    });
    inside.recv().unwrap();
    (go, thread)
}

/// The column `line` of what a statement finds, sorted.
pub(crate) fn lines(conn: &mut Conn, sql: String) -> Result<Vec<String>, StoreError> {
    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = diesel::sql_types::Text)]
        line: String,
    }
    let found: Vec<Line> = diesel::sql_query(sql).load(conn)?;
    let mut all: Vec<String> = found.into_iter().map(|line| line.line).collect();
    all.sort_unstable();
    Ok(all)
}

/// Whether all that the feed holds may be delivered, from now on.
pub(crate) fn all_is_safe(conn: &mut Conn) -> Result<bool, StoreError> {
    let horizon = order::lowest_running(conn)?;
    let newest: Option<i64> = scope_rows::table
        .select(diesel::dsl::max(scope_rows::tx))
        .first(conn)?;
    Ok(newest.is_none_or(|newest| newest < horizon))
}

/// Every row of a table as text, sorted, without its place in the commit order and what a job still has to do.
pub(crate) fn dump(conn: &mut Conn, table: &str) -> Result<Vec<String>, StoreError> {
    let sql = match conn {
        Conn::Postgres(_) => {
            format!(
                "SELECT (to_jsonb(t) - 'tx' - 'ordinal' - 'to_weigh')::text AS line FROM {table} t"
            )
        }
        Conn::Sqlite(_) => {
            let columns = format!(
                "SELECT 'quote(' || name || ')' AS line FROM pragma_table_info('{table}') \
                 WHERE name NOT IN ('tx', 'ordinal', 'to_weigh')"
            );
            let columns = lines(conn, columns)?.join(" || ' ' || ");
            format!("SELECT {columns} AS line FROM {table}")
        }
    };
    lines(conn, sql)
}

/// Takes the database back to before there were lists by state and a text index.
pub(crate) fn before_this_release(url: &str) {
    migrate::revert_to(&url.parse().unwrap(), "hazard_search").unwrap();
}

/// Takes the database back to before the feed knew own reports, certificates were one person's, and planned
/// inspections went with a desk.
pub(crate) fn before_the_last_migration(url: &str) {
    migrate::revert_to(&url.parse().unwrap(), "reporters_certificates_teams").unwrap();
}

/// Takes the database back to before scopes had windows.
pub(crate) fn before_windows(url: &str) {
    migrate::revert_to(&url.parse().unwrap(), "windows").unwrap();
}

/// The statements that `work` runs.
pub(crate) fn statements<E: StoreFailure + std::fmt::Debug>(
    db: &Db,
    work: impl Fn(&mut Conn) -> Result<(), E>,
) -> Vec<String> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    db.read_blocking(|tx| {
        let kept = seen.clone();
        let listen = move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                let text = query.to_string();
                let text = text.split("-- binds").next().unwrap().trim().to_owned();
                kept.lock().unwrap().push(text);
            }
        };
        let listen: Box<dyn Instrumentation> = Box::new(listen);
        tx.conn().set_instrumentation(listen);
        let done = work(tx.conn());
        tx.conn()
            .set_instrumentation(None::<Box<dyn Instrumentation>>);
        match done {
            // The rows are made up: what is asked is what counts here.
            Err(error) if matches!(error.store_error(), Some(StoreError::Corrupt { .. })) => Ok(()),
            done => done,
        }
    })
    .unwrap();
    seen.lock().unwrap().clone()
}
