//! Rows as sealed boxes in one table, and a sum over all of them that shows what was taken out,
//! put back or exchanged behind the program's back.
//!
//! A box is tied to its table, its names and its sequence. The sum is over a keyed hash of each
//! row's place and nonce, lane by lane modulo 2^64; every transaction that changes rows changes
//! it, and it lies sealed in a row of its own. Work that was altered is an error; a replica that
//! was altered is dropped, for the server gives it again. A whole file that is put back is consistent in
//! itself: that is a restored phone, which the server notices.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Binary, Integer, Nullable};
use diesel::sqlite::{Sqlite, SqliteConnection};
use minicbor::{Decode, Encode};
use rand::rngs::StdRng;

use super::StoreError;
use crate::data_key::{DataKey, NAME, NONCE, nonce};

mod reading;

pub(super) use reading::{Reading, beyond};

diesel::table! {
    sealed (tbl, grp, key) {
        tbl -> Integer,
        grp -> Binary,
        key -> Binary,
        seq -> Nullable<BigInt>,
        nonce -> Binary,
        body -> Binary,
    }
}

/// Separates rows from other boxes of the same key.
const ROW_DOMAIN: &[u8] = b"hazardloop row v1";

/// What was a table of its own before; the numbers are on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    /// The sum over all other rows.
    Sum = 0,
    Account = 1,
    Meta = 2,
    Commands = 3,
    Scopes = 4,
    Records = 5,
    Members = 6,
    Staged = 7,
    Photos = 8,
}

impl Table {
    /// Whether the server has all that is in it, and can give it again.
    const fn is_replica(self) -> bool {
        matches!(
            self,
            Self::Scopes | Self::Records | Self::Members | Self::Staged
        )
    }

    const fn has_sequence(self) -> bool {
        matches!(self, Self::Commands | Self::Staged | Self::Photos)
    }

    const fn what(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Account => "account",
            Self::Meta => "contact",
            Self::Commands => "command",
            Self::Scopes => "scope",
            Self::Records => "record",
            Self::Members => "membership",
            Self::Staged => "staged page",
            Self::Photos => "photo entry",
        }
    }
}

/// A row's place: what it is called, in clear while in memory.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub table: Table,
    /// What rows are deleted by together; empty where nothing is.
    pub group: &'a [u8],
    pub key: &'a [u8],
    /// In clear on the disk; 0 where there is none (no row of either table has that).
    pub seq: i64,
}

impl<'a> Place<'a> {
    pub fn of(table: Table, key: &'a [u8]) -> Self {
        Self {
            table,
            group: &[],
            key,
            seq: 0,
        }
    }

    pub fn within(table: Table, group: &'a [u8], key: &'a [u8]) -> Self {
        Self {
            group,
            ..Self::of(table, key)
        }
    }

    pub fn at(self, seq: i64) -> Self {
        Self { seq, ..self }
    }
}

/// How many rows there are, and the sum over them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Part {
    #[n(0)]
    rows: u64,
    #[n(1)]
    lanes: [u64; 4],
}

/// Two sums: the person's own work must be as it was written; the replica can be fetched again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Sum {
    /// Transactions that changed something.
    #[n(0)]
    generation: u64,
    #[n(1)]
    work: Part,
    #[n(2)]
    replica: Part,
}

/// Writes a row. An insertion of diesel's is parsed anew each time, which a first pull does tens of thousands of times.
struct PutRow<'a> {
    table: i32,
    group: &'a [u8],
    key: &'a [u8],
    seq: Option<i64>,
    nonce: &'a [u8],
    body: &'a [u8],
}

impl QueryId for PutRow<'_> {
    type QueryId = PutRow<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Sqlite> for PutRow<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("REPLACE INTO sealed (tbl, grp, key, seq, nonce, body) VALUES (");
        out.push_bind_param::<Integer, _>(&self.table)?;
        out.push_sql(", ");
        out.push_bind_param::<Binary, _>(self.group)?;
        out.push_sql(", ");
        out.push_bind_param::<Binary, _>(self.key)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<BigInt>, _>(&self.seq)?;
        out.push_sql(", ");
        out.push_bind_param::<Binary, _>(self.nonce)?;
        out.push_sql(", ");
        out.push_bind_param::<Binary, _>(self.body)?;
        out.push_sql(")");
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for PutRow<'_> {}

type Name = [u8; NAME];
type Row = (i32, Vec<u8>, Vec<u8>, Option<i64>, Vec<u8>, Vec<u8>);

/// What seals and opens.
pub(super) struct Sealer {
    pub key: DataKey,
    pub rng: StdRng,
}

impl Sealer {
    fn names(&self, place: &Place<'_>) -> (Name, Name) {
        let table = [place.table as u8];
        (
            self.key.name(&[b"group", &table, place.group]),
            self.key.name(&[b"row", &table, place.group, place.key]),
        )
    }

    fn lanes(&self, parts: (i32, &[u8], &[u8], i64, &[u8])) -> [u64; 4] {
        let (table, group, key, seq, nonce) = parts;
        let hash = self
            .key
            .summand(&[&table.to_be_bytes(), group, key, &seq.to_be_bytes(), nonce]);
        let mut lanes = [0; 4];
        for (lane, bytes) in lanes.iter_mut().zip(hash.0.as_chunks::<8>().0) {
            *lane = u64::from_be_bytes(*bytes);
        }
        lanes
    }
}

fn bound_to(table: i32, group: &[u8], key: &[u8], seq: i64) -> Vec<u8> {
    [
        ROW_DOMAIN,
        &table.to_be_bytes(),
        group,
        key,
        &seq.to_be_bytes(),
    ]
    .concat()
}

impl Sum {
    fn of(&mut self, table: Table) -> &mut Part {
        match table.is_replica() {
            true => &mut self.replica,
            false => &mut self.work,
        }
    }
}

impl Part {
    fn add(&mut self, lanes: [u64; 4]) {
        self.rows = self.rows.wrapping_add(1);
        for (sum, lane) in self.lanes.iter_mut().zip(lanes) {
            *sum = sum.wrapping_add(lane);
        }
    }

    fn take(&mut self, lanes: [u64; 4]) {
        self.rows = self.rows.wrapping_sub(1);
        for (sum, lane) in self.lanes.iter_mut().zip(lanes) {
            *sum = sum.wrapping_sub(lane);
        }
    }
}

/// The rows within one transaction that changes them. [`Rows::finish`] keeps the sum.
pub(super) struct Rows<'a> {
    pub conn: &'a mut SqliteConnection,
    sealer: &'a mut Sealer,
    sum: Sum,
    changed: bool,
}

impl<'a> Rows<'a> {
    pub fn begin(
        conn: &'a mut SqliteConnection,
        sealer: &'a mut Sealer,
    ) -> Result<Self, StoreError> {
        let sum = kept_sum(conn, sealer)?;
        Ok(Self {
            conn,
            sealer,
            sum,
            changed: false,
        })
    }

    pub fn put(&mut self, place: Place<'_>, row: &impl Encode<()>) -> Result<(), StoreError> {
        self.delete(place)?;
        let plain = minicbor::to_vec(row).map_err(|_| StoreError::Damaged(place.table.what()))?;
        let (group, key) = self.sealer.names(&place);
        let nonce = self.write(place.table, (&group, &key), place.seq, &plain)?;
        let table = place.table as i32;
        let lanes = self.sealer.lanes((table, &group, &key, place.seq, &nonce));
        self.sum.of(place.table).add(lanes);
        Ok(())
    }

    fn write(
        &mut self,
        table: Table,
        (group, key): (&Name, &Name),
        seq: i64,
        plain: &[u8],
    ) -> Result<[u8; NONCE], StoreError> {
        self.changed = true;
        let number = table as i32;
        let nonce = nonce(&mut self.sealer.rng);
        let bound = bound_to(number, group, key, seq);
        let body = self.sealer.key.seal(&nonce, &bound, plain);
        let body = body.ok_or(StoreError::Damaged(table.what()))?;
        let row = PutRow {
            table: number,
            group,
            key,
            seq: (seq != 0).then_some(seq),
            nonce: &nonce,
            body: &body,
        };
        row.execute(self.conn)?;
        Ok(nonce)
    }

    /// The row at this place.
    pub fn get<T: for<'b> Decode<'b, ()>>(
        &mut self,
        place: Place<'_>,
    ) -> Result<Option<T>, StoreError> {
        let (group, key) = self.sealer.names(&place);
        let found = sealed::table
            .find((place.table as i32, group.as_slice(), key.as_slice()))
            .first::<Row>(self.conn)
            .optional()?;
        found
            .map(|row| opened(&self.sealer.key, place.table, &row))
            .transpose()
    }

    /// Removes the row at this place, if there is one.
    pub fn delete(&mut self, place: Place<'_>) -> Result<(), StoreError> {
        let (group, key) = self.sealer.names(&place);
        let at = (place.table as i32, group.to_vec(), key.to_vec());
        let known = sealed::table
            .find(at.clone())
            .select((sealed::seq, sealed::nonce))
            .first::<(Option<i64>, Vec<u8>)>(self.conn)
            .optional()?;
        let Some((seq, nonce)) = known else {
            return Ok(());
        };
        let seq = seq.unwrap_or(0);
        let lanes = self.sealer.lanes((at.0, &group, &key, seq, &nonce));
        self.sum.of(place.table).take(lanes);
        self.changed = true;
        diesel::delete(sealed::table.find(at)).execute(self.conn)?;
        Ok(())
    }

    /// The greatest sequence in a group; 0 where there is none.
    pub fn newest_of(&mut self, table: Table, group: &[u8]) -> Result<i64, StoreError> {
        let (group, _) = self.sealer.names(&Place::within(table, group, &[]));
        let newest = sealed::table
            .filter(sealed::tbl.eq(table as i32))
            .filter(sealed::grp.eq(group.to_vec()))
            .select(diesel::dsl::max(sealed::seq))
            .get_result::<Option<i64>>(self.conn)?;
        Ok(newest.unwrap_or(0))
    }

    /// Removes all rows of a group.
    pub fn delete_group(&mut self, table: Table, group: &[u8]) -> Result<(), StoreError> {
        let (group, _) = self.sealer.names(&Place::within(table, group, &[]));
        let of_group = sealed::table
            .filter(sealed::tbl.eq(table as i32))
            .filter(sealed::grp.eq(group.to_vec()));
        let known = of_group
            .select((sealed::key, sealed::seq, sealed::nonce))
            .load::<(Vec<u8>, Option<i64>, Vec<u8>)>(self.conn)?;
        if known.is_empty() {
            return Ok(());
        }
        for (key, seq, nonce) in &known {
            let lanes = self
                .sealer
                .lanes((table as i32, &group, key, seq.unwrap_or(0), nonce));
            self.sum.of(table).take(lanes);
        }
        self.changed = true;
        diesel::delete(
            sealed::table
                .filter(sealed::tbl.eq(table as i32))
                .filter(sealed::grp.eq(group.to_vec())),
        )
        .execute(self.conn)?;
        Ok(())
    }

    /// Removes the whole replica, whatever is left of it.
    pub fn drop_replica(&mut self) -> Result<(), StoreError> {
        let replica =
            sealed::table.filter(sealed::tbl.between(Table::Scopes as i32, Table::Staged as i32));
        diesel::delete(replica).execute(self.conn)?;
        self.sum.replica = Part::default();
        self.changed = true;
        Ok(())
    }

    /// Keeps the sum, if rows changed.
    pub fn finish(mut self) -> Result<(), StoreError> {
        if !self.changed {
            return Ok(());
        }
        self.sum.generation = self.sum.generation.wrapping_add(1);
        let plain = minicbor::to_vec(self.sum).map_err(|_| StoreError::Altered)?;
        let (group, key) = self.sealer.names(&SUM);
        self.write(Table::Sum, (&group, &key), 0, &plain)?;
        Ok(())
    }
}

const SUM: Place<'static> = Place {
    table: Table::Sum,
    group: &[],
    key: &[],
    seq: 0,
};

fn kept_sum(conn: &mut SqliteConnection, sealer: &Sealer) -> Result<Sum, StoreError> {
    let (group, key) = sealer.names(&SUM);
    let found = sealed::table
        .find((Table::Sum as i32, group.as_slice(), key.as_slice()))
        .first::<Row>(conn)
        .optional()?;
    match found {
        Some(row) => opened(&sealer.key, Table::Sum, &row),
        // Rows without a sum: another person's, or somebody took it out.
        None if sealed::table.count().get_result::<i64>(conn)? > 0 => Err(StoreError::Altered),
        None => Ok(Sum::default()),
    }
}

fn opened<T: for<'b> Decode<'b, ()>>(
    key: &DataKey,
    table: Table,
    (number, group, name, seq, nonce, body): &Row,
) -> Result<T, StoreError> {
    let damaged = || StoreError::Damaged(table.what());
    let nonce = nonce.as_slice().try_into().map_err(|_| damaged())?;
    let plain = key.open(
        nonce,
        &bound_to(*number, group, name, seq.unwrap_or(0)),
        body,
    );
    minicbor::decode(&plain.ok_or_else(damaged)?).map_err(|_| damaged())
}
