//! Lists of hazards by state and grade, of each enterprise and each jurisdiction subtree, in two orders: when
//! received, newest first, and when due, earliest first. A page is read off the index: its cost follows from
//! its length, not from the size of the district.
//!
//! Kept in the transaction that changes the hazard: a report adds a row for each scope that holds it (two
//! statements for five scopes), a change of state moves them (one statement), a due date adds as many, and whatever
//! leaves state, grade and due date alone writes nothing here.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary};
use hazardloop_domain::command::Grade;
use hazardloop_domain::hazard::{Hazard, StatusName};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::Scope;
use uuid::Uuid;

use super::batch::in_arrays;
use super::lists::Key;
use super::prepared::{Bind, Prepared};
use super::{Conn, StoreError, WriteTx};

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// By when the server received the report, newest first.
    Newest,
    /// By when the correction is due, earliest first; only hazards with a due date in force.
    Due,
}

impl Order {
    const BOTH: [Self; 2] = [Self::Newest, Self::Due];

    const fn number(self) -> i32 {
        match self {
            Self::Newest => 0,
            Self::Due => 1,
        }
    }
}

/// State and grade.
pub type Bucket = (StatusName, Grade);

/// Both ends of a list, inclusive, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The least.
    pub from: i64,
    /// The greatest.
    pub until: i64,
}

impl Span {
    /// Everything.
    pub const ALL: Self = Self {
        from: i64::MIN,
        until: i64::MAX,
    };

    /// Whether `at` lies in it.
    pub fn contains(&self, at: i64) -> bool {
        (self.from..=self.until).contains(&at)
    }
}

/// How a scope is named here: the 16 bytes of its enterprise or jurisdiction. Others have no lists of their own: what is
/// of a sector is in the list of its jurisdiction.
fn scope_bytes(scope: &Scope) -> Option<Vec<u8>> {
    match scope {
        Scope::Enterprise(id) => Some(id.as_bytes().to_vec()),
        Scope::Jurisdiction(id) => Some(id.as_bytes().to_vec()),
        _ => None,
    }
}

/// The list in which everything is that a scope holds.
pub fn list_holding(scope: &Scope) -> Scope {
    match scope {
        Scope::JurisdictionSector(id, _) => Scope::Jurisdiction(*id),
        other => *other,
    }
}

/// Where a hazard stands in the lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    id: Vec<u8>,
    scopes: Vec<Vec<u8>>,
    status: &'static str,
    grade: &'static str,
    received_at: i64,
    due_at: Option<i64>,
}

impl Listed {
    /// A hazard that these scopes hold.
    pub fn new(hazard: &Hazard, scopes: &[Scope]) -> Self {
        let mut scopes: Vec<Vec<u8>> = scopes.iter().filter_map(scope_bytes).collect();
        scopes.sort_unstable();
        scopes.dedup();
        Self {
            id: hazard.id.as_bytes().to_vec(),
            scopes,
            status: hazard.status_name().as_str(),
            grade: hazard.grade.as_str(),
            received_at: hazard.received_at.as_millis(),
            due_at: hazard.due_at().map(Timestamp::as_millis),
        }
    }

    fn at(&self, order: Order) -> Option<i64> {
        match order {
            Order::Newest => Some(self.received_at),
            Order::Due => self.due_at,
        }
    }

    /// State, grade and time, as they stand in the rows of one order.
    fn place(&self, at: i64) -> [Bind; 3] {
        [
            Bind::Text(self.status.to_owned()),
            Bind::Text(self.grade.to_owned()),
            Bind::Big(at),
        ]
    }

    fn rows(&self, order: Order, rows: &mut Vec<Vec<Bind>>) {
        let Some(at) = self.at(order) else { return };
        for scope in &self.scopes {
            let mut row = vec![Bind::Bytes(scope.clone()), Bind::Small(order.number())];
            row.extend(self.place(at));
            row.push(Bind::Bytes(self.id.clone()));
            rows.push(row);
        }
    }

    /// The condition that names this hazard's rows of one order, with its values.
    fn those_of(&self, order: Order, at: i64) -> (String, Vec<Bind>) {
        let scopes = vec!["?"; self.scopes.len()].join(", ");
        let sql = format!(
            " WHERE scope IN ({scopes}) AND sorted_by = ? AND status = ? AND grade = ? AND at = ? \
             AND hazard_id = ?"
        );
        let mut binds: Vec<Bind> = self.scopes.iter().cloned().map(Bind::Bytes).collect();
        binds.push(Bind::Small(order.number()));
        binds.extend(self.place(at));
        binds.push(Bind::Bytes(self.id.clone()));
        (sql, binds)
    }
}

/// What became of a hazard: where it stood, if it stood anywhere, and where it stands.
pub type Moved = (Option<Listed>, Listed);

/// Writes where hazards stand now.
///
/// # Errors
/// When the database does not answer.
pub fn store(tx: &mut WriteTx<'_>, moved: &[Moved]) -> Result<(), StoreError> {
    let mut new = Vec::new();
    for (before, after) in moved {
        for order in Order::BOTH {
            match before {
                None => after.rows(order, &mut new),
                Some(before) => one(tx.conn(), order, before, after, &mut new)?,
            }
        }
    }
    in_arrays!(new, |array| insert(tx.conn(), array)?);
    Ok(())
}

fn one(
    conn: &mut Conn,
    order: Order,
    before: &Listed,
    after: &Listed,
    new: &mut Vec<Vec<Bind>>,
) -> Result<(), StoreError> {
    let (was, is) = (before.at(order), after.at(order));
    let same_rows = before.scopes == after.scopes;
    let bucket = |listed: &Listed| (listed.status, listed.grade);
    if same_rows && was == is && (was.is_none() || bucket(before) == bucket(after)) {
        return Ok(());
    }
    if let (true, Some(was), Some(is)) = (same_rows, was, is) {
        let (condition, named) = before.those_of(order, was);
        let sql = format!("UPDATE hazard_lists SET status = ?, grade = ?, at = ?{condition}");
        let mut binds = after.place(is).to_vec();
        binds.extend(named);
        <Prepared>::of_parts(sql, binds).execute(conn)?;
        return Ok(());
    }
    if let Some(was) = was {
        let (condition, binds) = before.those_of(order, was);
        let sql = format!("DELETE FROM hazard_lists{condition}");
        <Prepared>::of_parts(sql, binds).execute(conn)?;
    }
    after.rows(order, new);
    Ok(())
}

/// Puts hazards into more lists, as they stand now; where they are in one already, they stay.
///
/// # Errors
/// When the database does not answer.
pub fn list_too(tx: &mut WriteTx<'_>, listed: &[Listed]) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for order in Order::BOTH {
        listed
            .iter()
            .for_each(|listed| listed.rows(order, &mut rows));
    }
    in_arrays!(rows, |array| insert_unless_there(tx.conn(), array)?);
    Ok(())
}

/// Empties the lists of a scope, `most` rows at once. Answers how many.
///
/// # Errors
/// When the database does not answer.
pub fn empty(tx: &mut WriteTx<'_>, scope: &Scope, most: i64) -> Result<usize, StoreError> {
    let Some(scope) = scope_bytes(scope) else {
        return Ok(0);
    };
    let emptied = <Prepared>::new(
        "DELETE FROM hazard_lists WHERE (scope, sorted_by, status, grade, at, hazard_id) IN (\
         SELECT scope, sorted_by, status, grade, at, hazard_id FROM hazard_lists \
         WHERE scope = ? LIMIT ?)",
        vec![Bind::Bytes(scope), Bind::Big(most)],
    );
    Ok(emptied.execute(tx.conn())?)
}

fn insert_unless_there<const N: usize>(
    conn: &mut Conn,
    rows: [Vec<Bind>; N],
) -> QueryResult<usize> {
    Prepared::rows(
        "INSERT INTO hazard_lists (scope, sorted_by, status, grade, at, hazard_id) VALUES ",
        "(?, ?, ?, ?, ?, ?)",
        " ON CONFLICT (scope, sorted_by, status, grade, at, hazard_id) DO NOTHING",
        rows,
    )
    .execute(conn)
}

fn insert<const N: usize>(conn: &mut Conn, rows: [Vec<Bind>; N]) -> QueryResult<usize> {
    Prepared::rows(
        "INSERT INTO hazard_lists (scope, sorted_by, status, grade, at, hazard_id) VALUES ",
        "(?, ?, ?, ?, ?, ?)",
        "",
        rows,
    )
    .execute(conn)
}

/// One list to read: some buckets of one scope in one order.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Whose.
    pub scope: &'a Scope,
    /// In which order.
    pub order: Order,
    /// Which states and grades.
    pub buckets: &'a [Bucket],
    /// Between which times of that order.
    pub span: Span,
}

impl Wanted<'_> {
    /// One statement that reads `part` of every bucket. The parts begin with scope, order, state and grade.
    fn statement(&self, part: &str, more: &[Bind]) -> (String, Vec<Bind>) {
        let mut sql = String::new();
        let mut binds = Vec::new();
        // A scope without a list of its own has an empty one.
        let scope = scope_bytes(self.scope).unwrap_or_default();
        for (number, (status, grade)) in self.buckets.iter().enumerate() {
            if number > 0 {
                sql += " UNION ALL ";
            }
            sql += &part.replace("{number}", &number.to_string());
            binds.push(Bind::Bytes(scope.clone()));
            binds.push(Bind::Small(self.order.number()));
            binds.push(Bind::Text(status.as_str().to_owned()));
            binds.push(Bind::Text(grade.as_str().to_owned()));
            binds.extend_from_slice(more);
        }
        (sql, binds)
    }

    /// What follows `after` in the order, at most `limit`.
    ///
    /// # Errors
    /// When the database does not answer or holds a damaged id.
    pub fn page(
        &self,
        conn: &mut Conn,
        after: Option<Key>,
        limit: usize,
    ) -> Result<Vec<Key>, StoreError> {
        if self.buckets.is_empty() {
            return Ok(Vec::new());
        }
        let part = match self.order {
            Order::Newest => {
                "SELECT at, hazard_id FROM (SELECT at, hazard_id FROM hazard_lists \
                 WHERE scope = ? AND sorted_by = ? AND status = ? AND grade = ? AND at <= ? \
                 AND (at < ? OR hazard_id < ?) AND at >= ? \
                 ORDER BY at DESC, hazard_id DESC LIMIT ?) AS part{number}"
            }
            Order::Due => {
                "SELECT at, hazard_id FROM (SELECT at, hazard_id FROM hazard_lists \
                 WHERE scope = ? AND sorted_by = ? AND status = ? AND grade = ? AND at >= ? \
                 AND (at > ? OR hazard_id > ?) AND at <= ? \
                 ORDER BY at, hazard_id LIMIT ?) AS part{number}"
            }
        };
        let Span { from, until } = self.span;
        let id = |key: Key| key.id.as_bytes().to_vec();
        let (near, near_id, far) = match (self.order, after) {
            (Order::Newest, Some(key)) if key.at <= until => (key.at, id(key), from),
            // Greater than any id.
            (Order::Newest, _) => (until, vec![u8::MAX; 17], from),
            (Order::Due, Some(key)) if key.at >= from => (key.at, id(key), until),
            (Order::Due, _) => (from, Vec::new(), until),
        };
        let more = [
            Bind::Big(near),
            Bind::Big(near),
            Bind::Bytes(near_id),
            Bind::Big(far),
            Bind::Big(i64::try_from(limit).unwrap_or(i64::MAX)),
        ];
        let (sql, binds) = self.statement(part, &more);
        let rows: Vec<(i64, Vec<u8>)> =
            Prepared::<(BigInt, Binary)>::of_parts(sql, binds).load(conn)?;
        let read = |(at, id): (i64, Vec<u8>)| match Uuid::from_slice(&id) {
            Ok(id) => Ok(Key { at, id }),
            Err(_) => Err(StoreError::Corrupt {
                what: "a hazard id that is not 16 bytes".to_owned(),
            }),
        };
        rows.into_iter().map(read).collect()
    }

    /// How many there are, counting no bucket beyond `most`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn count(&self, conn: &mut Conn, most: usize) -> Result<usize, StoreError> {
        if self.buckets.is_empty() {
            return Ok(0);
        }
        let part = "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT at FROM hazard_lists \
                    WHERE scope = ? AND sorted_by = ? AND status = ? AND grade = ? AND at >= ? \
                    AND at <= ? LIMIT ?) AS part{number}";
        let Span { from, until } = self.span;
        let most = Bind::Big(i64::try_from(most).unwrap_or(i64::MAX));
        let (sql, binds) = self.statement(part, &[Bind::Big(from), Bind::Big(until), most]);
        let counts: Vec<i64> = <Prepared>::of_parts(sql, binds).load(conn)?;
        let counts = counts.into_iter().map(usize::try_from);
        Ok(counts.flatten().sum())
    }
}
