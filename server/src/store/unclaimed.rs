//! The queue of open hazards that no department answers for, row by row. What it is for, and who
//! keeps it true: `usecases/unclaimed.rs`.

use std::collections::BTreeSet;

use diesel::QueryResult;
use diesel::prelude::*;
use hazardloop_domain::hazard::{Hazard, StatusName};
use hazardloop_domain::ids::{HazardId, JurisdictionId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};
use uuid::Uuid;

use super::batch::in_arrays;
use super::lists::Key;
use super::prepared::{Bind, Prepared};
use super::schema::{hazards, scope_rows, unclaimed_hazards};
use super::{Conn, StoreError, WriteTx, on_any};

/// The queue of a jurisdiction and all below it: all of it, or the hazards of one sector.
pub type QueueOf = (JurisdictionId, Option<String>);

fn uuid(bytes: &[u8]) -> Result<Uuid, StoreError> {
    Uuid::from_slice(bytes).map_err(|_| StoreError::Corrupt {
        what: "a hazard id that is not 16 bytes".to_owned(),
    })
}

fn bytes_of(ids: &[HazardId]) -> Vec<Vec<u8>> {
    ids.iter().map(|id| id.as_bytes().to_vec()).collect()
}

/// An open hazard whose department nobody has named, and what decides whether it is in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Which.
    pub id: HazardId,
    /// Since when.
    pub received_at: Timestamp,
    /// Who answers for the place.
    pub jurisdiction_id: JurisdictionId,
    /// 监管行业; `None`: nobody knows yet.
    pub sector: Option<String>,
}

impl Waiting {
    /// The hazard, if it is such a one.
    pub fn of(hazard: &Hazard) -> Option<Self> {
        hazard.wants_a_department().then(|| Self {
            id: hazard.id,
            received_at: hazard.received_at,
            jurisdiction_id: hazard.jurisdiction_id,
            sector: hazard.sector.clone(),
        })
    }

    /// Its rows: one for each of `way`, which leads from the root to its jurisdiction.
    pub fn rows(&self, way: &[JurisdictionId]) -> impl Iterator<Item = Row> {
        let sector = self.sector.as_deref().unwrap_or_default();
        way.iter().map(move |place| {
            Row(vec![
                Bind::Bytes(place.as_bytes().to_vec()),
                Bind::Big(self.received_at.as_millis()),
                Bind::Bytes(self.id.as_bytes().to_vec()),
                Bind::Text(sector.to_owned()),
            ])
        })
    }
}

/// One row about to be written.
#[derive(Clone, Debug)]
pub struct Row(Vec<Bind>);

/// Puts hazards into the queue; those that are there stay.
///
/// # Errors
/// When the database does not answer.
pub fn put(tx: &mut WriteTx<'_>, rows: Vec<Row>) -> Result<(), StoreError> {
    in_arrays!(rows, |array| insert(tx.conn(), array)?);
    Ok(())
}

fn insert<const N: usize>(conn: &mut Conn, rows: [Row; N]) -> QueryResult<usize> {
    Prepared::rows(
        "INSERT INTO unclaimed_hazards (jurisdiction_id, received_at, hazard_id, sector) VALUES ",
        "(?, ?, ?, ?)",
        " ON CONFLICT (jurisdiction_id, received_at, hazard_id) DO NOTHING",
        rows.map(|row| row.0),
    )
    .execute(conn)
}

/// Takes hazards out of the queue, wherever they stand in it.
///
/// # Errors
/// When the database does not answer.
pub fn remove(tx: &mut WriteTx<'_>, ids: &[HazardId]) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let ids = bytes_of(ids);
    on_any!(tx.conn(), |c| diesel::delete(unclaimed_hazards::table)
        .filter(unclaimed_hazards::hazard_id.eq_any(ids))
        .execute(c))?;
    Ok(())
}

/// Empties the queue of a jurisdiction, `most` rows at once; those of others stay. Answers how many.
///
/// # Errors
/// When the database does not answer.
pub fn empty(tx: &mut WriteTx<'_>, place: JurisdictionId, most: i64) -> Result<usize, StoreError> {
    let emptied = <Prepared>::new(
        "DELETE FROM unclaimed_hazards WHERE (jurisdiction_id, received_at, hazard_id) IN (\
         SELECT jurisdiction_id, received_at, hazard_id FROM unclaimed_hazards \
         WHERE jurisdiction_id = ? LIMIT ?)",
        vec![Bind::Bytes(place.as_bytes().to_vec()), Bind::Big(most)],
    );
    Ok(emptied.execute(tx.conn())?)
}

fn of_one(
    conn: &mut Conn,
    (place, sector): &QueueOf,
    after: Option<Key>,
    limit: i64,
) -> Result<Vec<Key>, StoreError> {
    let mut query = unclaimed_hazards::table
        .filter(unclaimed_hazards::jurisdiction_id.eq(place.as_bytes().to_vec()))
        .order((unclaimed_hazards::received_at, unclaimed_hazards::hazard_id))
        .limit(limit)
        .select((unclaimed_hazards::received_at, unclaimed_hazards::hazard_id))
        .into_boxed();
    if let Some(sector) = sector {
        query = query.filter(unclaimed_hazards::sector.eq(sector.clone()));
    }
    if let Some(Key { at, id }) = after {
        let id = id.as_bytes().to_vec();
        query = query.filter(unclaimed_hazards::received_at.ge(at)).filter(
            unclaimed_hazards::received_at
                .gt(at)
                .or(unclaimed_hazards::hazard_id.gt(id)),
        );
    }
    let rows: Vec<(i64, Vec<u8>)> = query.load(conn)?;
    rows.into_iter()
        .map(|(at, id)| Ok(Key { at, id: uuid(&id)? }))
        .collect()
}

/// What these queues together hold after `after`, each hazard once, oldest first, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn oldest_first(
    conn: &mut Conn,
    queues: &[QueueOf],
    after: Option<Key>,
    limit: usize,
) -> Result<Vec<Key>, StoreError> {
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut keys = BTreeSet::new();
    for queue in queues {
        keys.extend(of_one(conn, queue, after, most)?);
    }
    Ok(keys.into_iter().take(limit).collect())
}

/// All hazards that the scope of a jurisdiction holds, after `after` in the order of ids, at most
/// `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn held_after(
    conn: &mut Conn,
    place: JurisdictionId,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<HazardId>, StoreError> {
    let after = after.map(|id| id.as_bytes().to_vec()).unwrap_or_default();
    let ids: Vec<Vec<u8>> = scope_rows::table
        .filter(scope_rows::scope.eq(Scope::Jurisdiction(place).to_string()))
        .filter(scope_rows::record_kind.eq(RecordKind::Hazard.number()))
        .filter(scope_rows::record_id.gt(after))
        .order(scope_rows::record_id)
        .limit(limit)
        .select(scope_rows::record_id)
        .load(conn)?;
    ids.iter().map(|id| Ok(HazardId(uuid(id)?))).collect()
}

/// Those of these hazards that are open, kept as they are until this transaction ends: nobody closes
/// one while it is put into the queue. In the order of ids, in which everybody locks them.
///
/// # Errors
/// When the database does not answer or a record cannot be read.
pub fn open_ones_held(tx: &mut WriteTx<'_>, ids: &[HazardId]) -> Result<Vec<Hazard>, StoreError> {
    let open = StatusName::OPEN.iter().map(|status| status.as_str());
    let (ids, open): (_, Vec<&str>) = (bytes_of(ids), open.collect());
    macro_rules! wanted {
        () => {
            hazards::table
                .filter(hazards::id.eq_any(ids))
                .filter(hazards::status.eq_any(open))
                .order(hazards::id)
                .select(hazards::record)
        };
    }
    let records: Vec<Vec<u8>> = match tx.conn() {
        Conn::Sqlite(conn) => wanted!().load(conn)?,
        Conn::Postgres(conn) => wanted!().for_no_key_update().load(conn)?,
    };
    let read = |record: &Vec<u8>| {
        minicbor::decode(record).map_err(|error| StoreError::Corrupt {
            what: format!("the record of a hazard: {error}"),
        })
    };
    records.iter().map(read).collect()
}
