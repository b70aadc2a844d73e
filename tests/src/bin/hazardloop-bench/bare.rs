//! The same statements without a server: one thread a connection, through the same database library, prepared once.

use std::borrow::Cow;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Binary, Double, HasSqlType, Integer, Nullable, Text};
use diesel::{Connection, PgConnection, SqliteConnection};

use crate::figures::Figures;
use crate::ids::Ids;
use crate::pushes::{self, stopwatch};
use crate::statements::{self, Row};

/// Which statements.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Those of a push of so many reports.
    Same(usize),
    /// One inserted row a transaction, and nothing else.
    OneRow,
}

impl What {
    /// Reports in one transaction.
    pub fn reports(self) -> usize {
        match self {
            Self::Same(reports) => reports,
            Self::OneRow => 1,
        }
    }

    fn name(self) -> String {
        match self {
            Self::Same(reports) => reports.to_string(),
            Self::OneRow => ONE_ROW.to_owned(),
        }
    }
}

const ONE_ROW: &str = "one-row";

/// A value to bind.
#[derive(Clone, Debug)]
pub enum Value {
    /// Bytes.
    Blob(Vec<u8>),
    /// Text.
    Text(String),
    /// 64 bits.
    Big(i64),
    /// 32 bits.
    Small(i32),
    /// Floating point.
    Float(f64),
    /// No number.
    NoBig,
}

/// SQL with `?` where the values go.
pub struct Statement {
    /// The SQL.
    pub sql: Cow<'static, str>,
    /// Its values.
    pub values: Vec<Value>,
}

impl QueryId for Statement {
    type QueryId = ();
    // The connection then remembers the prepared statement by its SQL.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB> QueryFragment<DB> for Statement
where
    DB: Backend
        + HasSqlType<Binary>
        + HasSqlType<Text>
        + HasSqlType<BigInt>
        + HasSqlType<Integer>
        + HasSqlType<Double>
        + HasSqlType<Nullable<BigInt>>,
    Vec<u8>: ToSql<Binary, DB>,
    String: ToSql<Text, DB>,
    i64: ToSql<BigInt, DB>,
    i32: ToSql<Integer, DB>,
    f64: ToSql<Double, DB>,
    Option<i64>: ToSql<Nullable<BigInt>, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> diesel::QueryResult<()> {
        let mut parts = self.sql.split('?');
        out.push_sql(parts.next().unwrap_or_default());
        for (value, part) in self.values.iter().zip(parts) {
            match value {
                Value::Blob(bytes) => out.push_bind_param::<Binary, _>(bytes)?,
                Value::Text(text) => out.push_bind_param::<Text, _>(text)?,
                Value::Big(number) => out.push_bind_param::<BigInt, _>(number)?,
                Value::Small(number) => out.push_bind_param::<Integer, _>(number)?,
                Value::Float(number) => out.push_bind_param::<Double, _>(number)?,
                Value::NoBig => {
                    out.push_bind_param::<Nullable<BigInt>, _>(const { &None::<i64> })?
                }
            }
            out.push_sql(part);
        }
        Ok(())
    }
}

/// Runs transactions for `each` over `connections` connections, in a process of its own, so that a `tracer` can be put
/// before it and what this process holds does not matter.
pub fn measure(
    url: &str,
    tracer: &[String],
    ids: &Ids,
    connections: usize,
    what: What,
    each: Duration,
) -> Figures {
    let this = std::env::current_exe().expect("the path of this program");
    let mut command = match tracer.split_first() {
        Some((first, rest)) => {
            let mut command = Command::new(first);
            command.args(rest).arg(this);
            command
        }
        None => Command::new(this),
    };
    let start = pushes::now().as_millis().to_string();
    let (connections, each) = (connections.to_string(), each.as_millis().to_string());
    command.args([
        WORKER,
        url,
        &connections,
        &what.name(),
        &each,
        &start,
        &ids.to_argument(),
    ]);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .expect("this program");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    Figures::from_line(&printed)
        .unwrap_or_else(|| panic!("a bare run failed: {}: {printed}", output.status))
}

/// The first argument of such a process.
pub const WORKER: &str = "bare-worker";

/// What such a process does; `None` when its arguments are not those of [`measure`].
pub fn worker_process(arguments: &[String]) -> Option<Figures> {
    let [url, connections, what, each, start, ids] = arguments else {
        return None;
    };
    let each = Duration::from_millis(each.parse().ok()?);
    let what = if what == ONE_ROW {
        What::OneRow
    } else {
        What::Same(what.parse().ok()?)
    };
    let (connections, start) = (connections.parse().ok()?, start.parse::<i64>().ok()?);
    Some(here(
        url,
        &Ids::from_argument(ids)?,
        connections,
        start * 1_000_000,
        what,
        each,
    ))
}

fn here(
    url: &str,
    ids: &Ids,
    connections: usize,
    start: i64,
    what: What,
    each: Duration,
) -> Figures {
    let begun = stopwatch();
    let took: Vec<Duration> = thread::scope(|scope| {
        let workers: Vec<_> = (0..connections)
            .map(|number| {
                scope.spawn(move || worker(url, Row::new(ids, number, start, what), each))
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|_| panic!("a worker failed")))
            .collect()
    });
    Figures::of(took, what.reports() as u64, begun.elapsed())
}

fn worker(url: &str, mut row: Row<'_>, each: Duration) -> Vec<Duration> {
    let mut took = Vec::new();
    let begun = stopwatch();
    if let Some(path) = url.strip_prefix("sqlite://") {
        let mut conn =
            SqliteConnection::establish(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        conn.batch_execute(statements::SQLITE_SESSION)
            .unwrap_or_else(|error| panic!("{error}"));
        while begun.elapsed() < each {
            took.push(transaction(&mut conn, &row.statements_sqlite()));
        }
    } else {
        let mut conn = PgConnection::establish(url).unwrap_or_else(|error| panic!("{error}"));
        while begun.elapsed() < each {
            took.push(transaction(&mut conn, &row.statements_postgres()));
        }
    }
    took
}

fn transaction<C: Connection>(conn: &mut C, statements: &[Statement]) -> Duration
where
    Statement: QueryFragment<C::Backend>,
{
    let started = stopwatch();
    for statement in statements {
        let sql = &*statement.sql;
        let ran = if statement.values.is_empty() && statements::is_control(sql) {
            conn.batch_execute(sql)
        } else {
            conn.execute_returning_count(statement).map(drop)
        };
        if let Err(error) = ran {
            panic!("{sql}: {error}");
        }
    }
    started.elapsed()
}
