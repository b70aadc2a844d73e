//! Reading rows back: all of them, held against the sum, or those of one table beyond a sequence.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer};
use diesel::sqlite::SqliteConnection;
use minicbor::Decode;

use super::{Row, Sealer, Sum, Table, kept_sum, opened, sealed};
use crate::store::StoreError;

/// All rows of a table beyond a sequence, in order of it.
pub(in crate::store) fn beyond<T: for<'b> Decode<'b, ()>>(
    conn: &mut SqliteConnection,
    sealer: &Sealer,
    table: Table,
    seq: i64,
) -> Result<Vec<T>, StoreError> {
    let rows = sealed::table
        .filter(sealed::tbl.eq(table as i32))
        .filter(sealed::seq.gt(seq))
        .order(sealed::seq)
        .load::<Row>(conn)?;
    let open = |row: &Row| opened(&sealer.key, table, row);
    rows.iter().map(open).collect()
}

/// Everything, read once and held against the sum.
pub(in crate::store) struct Reading<'a> {
    conn: &'a mut SqliteConnection,
    sealer: &'a Sealer,
    kept: Sum,
    found: Sum,
}

impl<'a> Reading<'a> {
    pub fn begin(conn: &'a mut SqliteConnection, sealer: &'a Sealer) -> Result<Self, StoreError> {
        let kept = kept_sum(conn, sealer)?;
        let found = Sum {
            generation: kept.generation,
            ..Sum::default()
        };
        Ok(Self {
            conn,
            sealer,
            kept,
            found,
        })
    }

    /// All rows of a table, in order of sequence.
    pub fn all<T: for<'b> Decode<'b, ()>>(&mut self, table: Table) -> Result<Vec<T>, StoreError> {
        let rows = match table.has_sequence() {
            true => sealed::table
                .filter(sealed::tbl.eq(table as i32))
                .order((sealed::tbl, sealed::seq))
                .load::<Row>(self.conn)?,
            // As they lie. By the index of names each would be looked for.
            false => sealed::table
                .filter(sql::<Bool>("+tbl = ").bind::<Integer, _>(table as i32))
                .load::<Row>(self.conn)?,
        };
        let mut all = Vec::with_capacity(rows.len());
        for row in &rows {
            let (number, group, key, seq, nonce, _) = row;
            let lanes = self
                .sealer
                .lanes((*number, group, key, seq.unwrap_or(0), nonce));
            self.found.of(table).add(lanes);
            all.push(opened(&self.sealer.key, table, row)?);
        }
        Ok(all)
    }

    /// Whether these were all rows of the replica that there ought to be, and no others.
    pub fn is_replica_whole(&self) -> bool {
        self.found.replica == self.kept.replica
    }

    /// Whether these were all rows of the person's work that there ought to be, and no others.
    pub fn finish(self) -> Result<(), StoreError> {
        match self.found.work == self.kept.work {
            true => Ok(()),
            false => Err(StoreError::Altered),
        }
    }
}
