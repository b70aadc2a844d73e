//! Statements written out as text, for the few that every request runs: the query builder takes
//! upserts and updates for statements whose text may change with their values, and has them parsed
//! and planned anew each time (on PostgreSQL with a round trip more). These are prepared once.

use std::borrow::Cow;
use std::marker::PhantomData;

use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
use diesel::{QueryResult, RunQueryDsl};

use super::conn::{Conn, MultiBackend};

/// A value to bind.
#[derive(Clone, Debug)]
pub(super) enum Bind {
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// 64 bits.
    Big(i64),
    /// 32 bits.
    Small(i32),
    /// 64 bits, or nothing.
    MaybeBig(Option<i64>),
    /// Yes or no.
    Flag(bool),
}

/// SQL that both databases understand, with `?` where the values go. The text must be one of few;
/// whatever comes from outside is a value. As a query it answers rows of the types `T`.
#[derive(Clone, Debug)]
pub(super) struct Prepared<T = BigInt> {
    sql: Cow<'static, str>,
    binds: Vec<Bind>,
    rows: PhantomData<fn() -> T>,
}

impl Prepared {
    /// One statement.
    pub(super) fn new(sql: &'static str, binds: Vec<Bind>) -> Self {
        Self {
            sql: Cow::Borrowed(sql),
            binds,
            rows: PhantomData,
        }
    }

    /// A statement over several rows: `before`, then `row` for each of `rows`, then `after`.
    pub(super) fn rows<const N: usize>(
        before: &'static str,
        row: &'static str,
        after: &'static str,
        rows: [Vec<Bind>; N],
    ) -> Self {
        let groups = vec![row; N].join(", ");
        Self {
            sql: Cow::Owned(format!("{before}{groups}{after}")),
            binds: rows.into_iter().flatten().collect(),
            rows: PhantomData,
        }
    }
}

impl<T> Prepared<T> {
    /// A statement put together from parts that are written in the program.
    pub(super) fn of_parts(sql: String, binds: Vec<Bind>) -> Self {
        Self {
            sql: Cow::Owned(sql),
            binds,
            rows: PhantomData,
        }
    }
}

impl<T> QueryFragment<MultiBackend> for Prepared<T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        let mut parts = self.sql.split('?');
        out.push_sql(parts.next().unwrap_or_default());
        for (bind, part) in self.binds.iter().zip(parts) {
            match bind {
                Bind::Text(text) => out.push_bind_param::<Text, _>(text)?,
                Bind::Bytes(bytes) => out.push_bind_param::<Binary, _>(bytes)?,
                Bind::Big(number) => out.push_bind_param::<BigInt, _>(number)?,
                Bind::MaybeBig(number) => out.push_bind_param::<Nullable<BigInt>, _>(number)?,
                Bind::Small(number) => out.push_bind_param::<Integer, _>(number)?,
                Bind::Flag(flag) => out.push_bind_param::<Bool, _>(flag)?,
            }
            out.push_sql(part);
        }
        Ok(())
    }
}

impl<T> QueryId for Prepared<T> {
    type QueryId = ();
    // A connection then remembers the prepared statement by its text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T> Query for Prepared<T> {
    type SqlType = T;
}

impl<T> RunQueryDsl<Conn> for Prepared<T> {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::{Arc, Mutex};

    use crate::store::test_support::each_database;
    use diesel::connection::{Connection as _, Instrumentation, InstrumentationEvent};

    use super::super::StoreError;
    use super::super::test_support::opened;
    use super::*;

    #[test]
    fn a_statement_is_prepared_once_and_its_values_are_values() {
        each_database(|url| {
            let db = opened(url);
            let prepared = Arc::new(Mutex::new(0));
            let kept = prepared.clone();
            db.write_blocking(move |tx| {
                let kept = kept.clone();
                let listen = move |event: InstrumentationEvent<'_>| {
                    if let InstrumentationEvent::CacheQuery { .. } = event {
                        *kept.lock().unwrap() += 1;
                    }
                };
                let listen: Box<dyn Instrumentation> = Box::new(listen);
                tx.conn().set_instrumentation(listen);
                for number in 0..5 {
                    let row =
                        |name: String| vec![Bind::Text(name), Bind::Text("'); --".to_owned())];
                    let rows = [row(format!("a{number}?")), row(format!("b{number}"))];
                    Prepared::rows(
                        "INSERT INTO server_meta (name, value) VALUES ",
                        "(?, ?)",
                        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                        rows,
                    )
                    .execute(tx.conn())?;
                }
                let stored = Prepared::new(
                    "SELECT COUNT(*) FROM server_meta WHERE value = ?",
                    vec![Bind::Text("'); --".to_owned())],
                );
                assert_eq!(stored.get_result::<i64>(tx.conn())?, 10);
                tx.conn()
                    .set_instrumentation(None::<Box<dyn Instrumentation>>);
                Ok::<_, StoreError>(())
            })
            .unwrap();
            assert_eq!(*prepared.lock().unwrap(), 2, "one for each text");
        });
    }
}
