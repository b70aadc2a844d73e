//! The dialect bridge: statements that both databases understand and the combined backend of
//! diesel does not know that they do.
//!
//! Both databases write `ON CONFLICT … DO UPDATE / DO NOTHING`, `RETURNING` and multi-row VALUES.
//! [`Portable`] hands a statement to whichever backend is live; [`on_any!`](crate::on_any) runs an
//! expression against the concrete connection, where a type must be chosen per backend.

use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::{Connection, PgConnection, QueryResult, RunQueryDsl, SqliteConnection};

use super::conn::{Conn, MultiBackend};

type SqliteBackend = <SqliteConnection as Connection>::Backend;
type PostgresBackend = <PgConnection as Connection>::Backend;

/// A statement that is valid on both backends, made valid on the combined one.
///
/// `Portable(diesel::insert_into(t).values(v).on_conflict(t::id).do_nothing()).execute(conn)`
#[derive(Debug, Clone, Copy)]
pub struct Portable<Q>(pub Q);

impl<Q> QueryFragment<MultiBackend> for Portable<Q>
where
    Q: QueryFragment<SqliteBackend> + QueryFragment<PostgresBackend>,
{
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        MultiBackend::walk_variant_ast(&self.0, pass)
    }
}

impl<Q: QueryId> QueryId for Portable<Q> {
    type QueryId = Q::QueryId;
    const HAS_STATIC_QUERY_ID: bool = Q::HAS_STATIC_QUERY_ID;
}

impl<Q: Query> Query for Portable<Q> {
    type SqlType = Q::SqlType;
}

impl<Q> RunQueryDsl<Conn> for Portable<Q> {}

/// Evaluates an expression with the concrete connection bound to a name, once per database:
/// `on_any!(conn, |c| diesel::insert_into(t).values(&rows).execute(c))`.
#[macro_export]
macro_rules! on_any {
    ($conn:expr, |$concrete:ident| $expression:expr) => {
        match $conn {
            $crate::store::conn::Conn::Sqlite($concrete) => $expression,
            $crate::store::conn::Conn::Postgres($concrete) => $expression,
        }
    };
}
pub use on_any;
