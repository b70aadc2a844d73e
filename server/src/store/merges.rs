//! Jurisdictions that were merged into another one: how far that has got, and the tree as it is then.
//!
//! Whoever writes a record reads the way down to its place first, and with it the list of sectors (`places::lineage`).
//! Whatever changes ways therefore waits, on PostgreSQL, for every transaction that has read them, and makes later
//! ones wait for its own end, as opening the scope of a sector does: afterwards nobody works by the old way. SQLite has
//! one writer.

mod lots;

pub(super) use lots::hold;
pub use lots::{Lot, lot};

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};
use hazardloop_domain::access::Grant;
use hazardloop_domain::ids::{JurisdictionId, PersonId};
use hazardloop_domain::jurisdiction::Jurisdiction;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::Scope;

use super::people::GrantRow;
use super::prepared::{Bind, Prepared};
use super::schema::{grants, jurisdictions, scope_rows};
use super::{Conn, StoreError, WriteTx, on_any};

/// How far a merger has got; the numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The successor is told of what was filed in the other one before, which lies below it from now on.
    Telling,
    /// Roles over the one become roles over the successor.
    People,
    /// All that was in it belongs to the successor; its own scopes are emptied.
    Emptying,
    /// Nothing is left.
    Done,
}

impl Stage {
    const fn number(self) -> i32 {
        match self {
            Self::Telling => 1,
            Self::People => 2,
            Self::Emptying => 3,
            Self::Done => 4,
        }
    }

    fn from_number(number: i32) -> Option<Self> {
        let all = [Self::Telling, Self::People, Self::Emptying, Self::Done];
        all.into_iter().find(|stage| stage.number() == number)
    }
}

/// Whether at this stored stage a jurisdiction is no place of its own any more.
pub(super) fn has_given_way(stage: Option<i32>) -> bool {
    stage.is_some_and(|stage| stage >= Stage::Emptying.number())
}

/// Whether at this stored stage something is left to do.
pub(super) fn is_under_way(stage: Option<i32>) -> bool {
    stage.is_some_and(|stage| stage < Stage::Done.number())
}

/// After which record of a scope to go on: kind and id.
pub type After = (i32, Vec<u8>);

/// Before every record.
pub const NOTHING_YET: After = (-1, Vec::new());

/// Behind every record that lies in the jurisdiction: enterprises that only name it, of which the id says which one was
/// the last. It is no kind of record, and stored.
pub const NAMED_BY: i32 = 1_000;

/// A merger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// Which jurisdiction was merged.
    pub from: JurisdictionId,
    /// Into which.
    pub into: JurisdictionId,
    /// How far that has got.
    pub stage: Stage,
    /// After which record the next lot of this stage goes on.
    pub after: After,
}

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt {
        what: what.to_owned(),
    }
}

fn bytes(id: JurisdictionId) -> Vec<u8> {
    id.as_bytes().to_vec()
}

fn read_id(id: &[u8]) -> Result<JurisdictionId, StoreError> {
    JurisdictionId::from_slice(id).ok_or_else(|| corrupt("the id of a jurisdiction"))
}

type MergeRow = (Option<Vec<u8>>, Option<i32>, Option<i32>, Option<Vec<u8>>);

/// The merger of a jurisdiction, which no other runner works on until this transaction ends; `None`: it was not
/// merged.
///
/// # Errors
/// When the database does not answer or holds an unknown stage.
pub fn held(tx: &mut WriteTx<'_>, from: JurisdictionId) -> Result<Option<Merge>, StoreError> {
    macro_rules! wanted {
        () => {
            jurisdictions::table.find(bytes(from)).select((
                jurisdictions::merged_into,
                jurisdictions::merge_stage,
                jurisdictions::merge_after_kind,
                jurisdictions::merge_after_id,
            ))
        };
    }
    let row: Option<MergeRow> = match tx.conn() {
        Conn::Sqlite(conn) => wanted!().first(conn).optional()?,
        Conn::Postgres(conn) => wanted!().for_no_key_update().first(conn).optional()?,
    };
    let Some((Some(into), stage, kind, id)) = row else {
        return Ok(None);
    };
    let stage = stage.and_then(Stage::from_number);
    Ok(Some(Merge {
        from,
        into: read_id(&into)?,
        stage: stage.ok_or_else(|| corrupt("the stage of a merger"))?,
        after: kind.zip(id).unwrap_or(NOTHING_YET),
    }))
}

/// The jurisdictions whose merger is not done. There are few.
///
/// # Errors
/// When the database does not answer.
pub fn under_way(conn: &mut Conn) -> Result<Vec<JurisdictionId>, StoreError> {
    let found: Vec<Vec<u8>> = jurisdictions::table
        .filter(jurisdictions::merged_into.is_not_null())
        .filter(jurisdictions::merge_stage.lt(Stage::Done.number()))
        .select(jurisdictions::id)
        .load(conn)?;
    found.iter().map(|id| read_id(id)).collect()
}

/// Whether something is still on its way into this jurisdiction.
///
/// # Errors
/// When the database does not answer.
pub fn is_receiving(conn: &mut Conn, into: JurisdictionId) -> Result<bool, StoreError> {
    let found: Option<Vec<u8>> = jurisdictions::table
        .filter(jurisdictions::merged_into.eq(bytes(into)))
        .filter(jurisdictions::merge_stage.lt(Stage::Done.number()))
        .select(jurisdictions::id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

/// Those, and whatever had been merged into them before.
///
/// # Errors
/// When the database does not answer.
pub fn all_merged_into(
    conn: &mut Conn,
    these: &[JurisdictionId],
) -> Result<Vec<JurisdictionId>, StoreError> {
    let (mut all, mut newest) = (Vec::new(), these.to_vec());
    while !newest.is_empty() {
        newest = merged_into(conn, &newest)?;
        newest.retain(|id| !all.contains(id) && !these.contains(id));
        all.extend(&newest);
    }
    Ok(all)
}

/// The jurisdictions that were merged into one of these.
///
/// # Errors
/// When the database does not answer.
pub fn merged_into(
    conn: &mut Conn,
    these: &[JurisdictionId],
) -> Result<Vec<JurisdictionId>, StoreError> {
    let these: Vec<Vec<u8>> = these.iter().copied().map(bytes).collect();
    let found: Vec<Vec<u8>> = on_any!(conn, |c| jurisdictions::table
        .filter(jurisdictions::merged_into.eq_any(these))
        .select(jurisdictions::id)
        .load(c))?;
    found.iter().map(|id| read_id(id)).collect()
}

/// Waits for whoever has read a way down the tree and not committed yet, and makes others wait. To be called before
/// the tree is changed.
///
/// # Errors
/// When the database does not answer.
pub fn hold_ways(tx: &mut WriteTx<'_>) -> Result<(), StoreError> {
    if let Conn::Postgres(conn) = tx.conn() {
        conn.batch_execute("LOCK TABLE sector_scopes IN ACCESS EXCLUSIVE MODE")?;
    }
    Ok(())
}

/// Notes how far a merger has got.
///
/// # Errors
/// When the database does not answer.
pub fn reach(
    tx: &mut WriteTx<'_>,
    from: JurisdictionId,
    into: JurisdictionId,
    (stage, after): (Stage, &After),
) -> Result<(), StoreError> {
    diesel::update(jurisdictions::table.find(bytes(from)))
        .set((
            jurisdictions::merged_into.eq(bytes(into)),
            jurisdictions::merge_stage.eq(stage.number()),
            jurisdictions::merge_after_kind.eq(after.0),
            jurisdictions::merge_after_id.eq(after.1.clone()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Hangs a jurisdiction, with all below it, below the parent that it names; its version is one more than the one that
/// is stored. Under [`hold_ways`].
///
/// # Errors
/// [`StoreError::Stale`] when somebody else changed it meanwhile.
pub fn hang(tx: &mut WriteTx<'_>, node: &Jurisdiction, record: Vec<u8>) -> Result<(), StoreError> {
    let parent = node.parent_id.ok_or(StoreError::Missing)?;
    let path_of = |conn: &mut Conn, id| -> Result<String, StoreError> {
        let found = jurisdictions::table
            .find(bytes(id))
            .select(jurisdictions::path)
            .first(conn)
            .optional()?;
        found.ok_or(StoreError::Missing)
    };
    let (old, above) = (path_of(tx.conn(), node.id)?, path_of(tx.conn(), parent)?);
    let own = old.trim_end_matches('/').rsplit('/').next();
    let new = format!("{above}{}/", own.unwrap_or_default());
    let kept_from = i32::try_from(old.len())
        .unwrap_or(i32::MAX)
        .saturating_add(1);
    // '0' is the character after '/': all that begins with the old path, along the index of paths.
    let beyond = format!("{}0", old.trim_end_matches('/'));
    diesel::sql_query(
        "UPDATE jurisdictions SET path = $1 || SUBSTR(path, $2) WHERE path >= $3 AND path < $4",
    )
    .bind::<Text, _>(new)
    .bind::<Integer, _>(kept_from)
    .bind::<Text, _>(old)
    .bind::<Text, _>(beyond)
    .execute(tx.conn())?;
    let changed = diesel::update(jurisdictions::table.find(bytes(node.id)))
        .filter(jurisdictions::version.eq(node.version.saturating_sub(1)))
        .set((
            jurisdictions::parent_id.eq(bytes(parent)),
            jurisdictions::version.eq(node.version),
            jurisdictions::record.eq(record),
        ))
        .execute(tx.conn())?;
    match changed {
        1 => Ok(()),
        _ => Err(StoreError::Stale {
            what: "jurisdiction",
        }),
    }
}

/// The jurisdictions right below one.
///
/// # Errors
/// When the database does not answer or a record cannot be read.
pub fn children(conn: &mut Conn, of: JurisdictionId) -> Result<Vec<Jurisdiction>, StoreError> {
    let records: Vec<Vec<u8>> = jurisdictions::table
        .filter(jurisdictions::parent_id.eq(bytes(of)))
        .select(jurisdictions::record)
        .load(conn)?;
    let read = |record: &Vec<u8>| minicbor::decode(record);
    let read = records.iter().map(read).collect::<Result<Vec<_>, _>>();
    let mut found = read.map_err(|error| corrupt(&format!("a jurisdiction: {error}")))?;
    found.sort_unstable_by_key(|node: &Jurisdiction| node.id);
    Ok(found)
}

/// Whether a scope holds anything; read off the two indexes of first reads.
///
/// # Errors
/// When the database does not answer.
pub fn holds_anything(conn: &mut Conn, scope: Scope) -> Result<bool, StoreError> {
    // In the order of an index each: else a large table would be looked through for what is not there.
    macro_rules! any {
        ($ended:expr, $order:expr) => {{
            let found: Option<Vec<u8>> = scope_rows::table
                .filter(scope_rows::scope.eq(scope.to_string()))
                .filter($ended)
                .order($order)
                .select(scope_rows::record_id)
                .first(conn)
                .optional()?;
            found.is_some()
        }};
    }
    let open = any!(
        scope_rows::present.and(scope_rows::settled_at.is_null()),
        (scope_rows::tx, scope_rows::ordinal)
    );
    let ended = any!(
        scope_rows::settled_at.is_not_null(),
        (
            scope_rows::aside,
            scope_rows::settled_at,
            scope_rows::tx,
            scope_rows::ordinal
        )
    );
    Ok(open || ended)
}

/// Roles over a jurisdiction that have not ended by `now`, `most` at once, in no order that matters.
///
/// # Errors
/// When the database does not answer or holds an unknown role.
pub fn lasting_grants(
    conn: &mut Conn,
    over: JurisdictionId,
    now: Timestamp,
    most: i64,
) -> Result<Vec<(PersonId, Grant)>, StoreError> {
    let rows: Vec<GrantRow> = grants::table
        .filter(grants::jurisdiction_id.eq(bytes(over)))
        .filter(
            grants::valid_until
                .is_null()
                .or(grants::valid_until.gt(now.as_millis())),
        )
        .limit(most)
        .select(GrantRow::as_select())
        .load(conn)?;
    let read = |row: GrantRow| row.read().ok_or_else(|| corrupt("a grant"));
    rows.into_iter().map(read).collect()
}

/// Lets the imports of one jurisdiction be found in another as well.
///
/// # Errors
/// When the database does not answer.
pub fn show_imports_too(
    tx: &mut WriteTx<'_>,
    (from, into): (JurisdictionId, JurisdictionId),
) -> Result<(), StoreError> {
    <Prepared>::new(
        "INSERT INTO import_places (jurisdiction_id, received_at, import_id) \
         SELECT j.id, p.received_at, p.import_id FROM import_places AS p \
         JOIN jurisdictions AS j ON j.id = ? \
         WHERE p.jurisdiction_id = ? \
         ON CONFLICT (jurisdiction_id, received_at, import_id) DO NOTHING",
        vec![Bind::Bytes(bytes(into)), Bind::Bytes(bytes(from))],
    )
    .execute(tx.conn())?;
    Ok(())
}
