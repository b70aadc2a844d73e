//! Which of some records a scope holds, on PostgreSQL: each looked up by its key, whatever the planner believes.
//!
//! A prepared statement gets a plan for any values. Most scopes hold a handful of records, so `record_id = ANY ($3)`
//! would be planned as "read all that the scope holds, and compare": right for those, and 70 ms for a scope of 10,000
//! (0.7 ms by the key). Looking up inside of a LATERAL with a LIMIT leaves no other way than the key.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Binary, Integer, Text};

/// See the top of this file. Answers when each came to be, and its id.
#[derive(Debug, Clone)]
pub(super) struct HeldBy {
    pub scope: String,
    pub kind: i32,
    pub ids: Vec<Vec<u8>>,
}

impl QueryFragment<Pg> for HeldBy {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT held.created_at, held.record_id FROM unnest(");
        out.push_bind_param::<Array<Binary>, _>(&self.ids)?;
        out.push_sql(
            "::bytea[]) AS wanted(id) CROSS JOIN LATERAL (SELECT created_at, record_id \
             FROM scope_rows WHERE scope = ",
        );
        out.push_bind_param::<Text, _>(&self.scope)?;
        out.push_sql(" AND record_kind = ");
        out.push_bind_param::<Integer, _>(&self.kind)?;
        out.push_sql(" AND record_id = wanted.id AND present LIMIT 1) AS held");
        Ok(())
    }
}

// One text, prepared once.
impl QueryId for HeldBy {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for HeldBy {
    type SqlType = (BigInt, Binary);
}

impl RunQueryDsl<PgConnection> for HeldBy {}
