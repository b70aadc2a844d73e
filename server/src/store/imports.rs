//! Imports of enterprises: what came, what each row did, who may see it, and what undoing it needs to know.

use std::collections::BTreeSet;

use diesel::QueryResult;
use diesel::prelude::*;
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::ids::{EnterpriseId, ImportId, JurisdictionId, PersonId};
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use super::batch::in_arrays;
use super::lists::Key;
use super::schema::{
    enterprises, grants, hazards, import_places, import_rows, imports, inspections, jurisdictions,
};
use super::{Conn, StoreError, WriteTx, on_any};

/// An import as stored.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = imports, treat_none_as_default_value = false)]
pub struct StoredImport {
    /// Its id.
    pub id: Vec<u8>,
    /// Who; absent: whoever runs the server.
    pub person_id: Option<Vec<u8>>,
    /// Hash over who asked and what came.
    pub request_hash: Vec<u8>,
    /// When, milliseconds.
    pub received_at: i64,
    /// The first answer, JSON.
    pub answer: String,
    /// When it was undone, milliseconds.
    pub undone_at: Option<i64>,
    /// Who undid it.
    pub undone_by: Option<Vec<u8>>,
}

/// What one row of an import did.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = import_rows, treat_none_as_default_value = false)]
pub struct StoredRow {
    /// Of which import.
    pub import_id: Vec<u8>,
    /// Its number in the file.
    pub row_number: i32,
    /// Which enterprise.
    pub enterprise_id: Vec<u8>,
    /// `created`, `updated` or `unchanged`.
    pub did: String,
    /// The version that it has through this row.
    pub version: i64,
    /// The record before, of one that was updated.
    pub before: Option<Vec<u8>>,
}

/// A jurisdiction as tables name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPlace {
    /// From the root down to and including itself.
    pub ancestors: Vec<JurisdictionId>,
    /// Name.
    pub name: String,
    /// Division code, twelve digits.
    pub division_code: Option<String>,
    /// Whether it is a grid.
    pub is_grid: bool,
    /// The jurisdiction that it was merged into.
    pub merged_into: Option<JurisdictionId>,
}

/// Path, name, division code, level, and what it was merged into.
type PlaceRow = (String, String, Option<String>, String, Option<Vec<u8>>);

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt {
        what: what.to_owned(),
    }
}

fn decoded(records: &[Vec<u8>]) -> Result<Vec<Enterprise>, StoreError> {
    let read = |record: &Vec<u8>| {
        minicbor::decode(record).map_err(|error| corrupt(&format!("an enterprise: {error}")))
    };
    records.iter().map(read).collect()
}

/// Every jurisdiction, for a table whose rows may name any of them.
///
/// # Errors
/// When the database does not answer or holds a damaged path.
pub fn all_places(conn: &mut Conn) -> Result<Vec<NamedPlace>, StoreError> {
    let rows: Vec<PlaceRow> = jurisdictions::table
        .order(jurisdictions::path)
        .select((
            jurisdictions::path,
            jurisdictions::name,
            jurisdictions::division_code,
            jurisdictions::level,
            jurisdictions::merged_into,
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(path, name, division_code, level, merged_into)| {
            let parts = path.split('/').filter(|part| !part.is_empty());
            let ancestors: Result<Vec<JurisdictionId>, _> = parts.map(str::parse).collect();
            Ok(NamedPlace {
                ancestors: ancestors.map_err(|_| corrupt("the path of a jurisdiction"))?,
                name,
                division_code,
                is_grid: level == "grid",
                merged_into: merged_into.as_deref().and_then(JurisdictionId::from_slice),
            })
        })
        .collect()
}

/// The enterprises with these credit codes, of each as many as there are.
///
/// # Errors
/// When the database does not answer or a record cannot be read.
pub fn with_codes(conn: &mut Conn, codes: &[String]) -> Result<Vec<Enterprise>, StoreError> {
    let records: Vec<Vec<u8>> = on_any!(conn, |c| enterprises::table
        .filter(enterprises::credit_code.eq_any(codes))
        .select(enterprises::record)
        .load(c))?;
    decoded(&records)
}

/// The enterprises of a jurisdiction that have one of these names.
///
/// # Errors
/// As [`with_codes`].
pub fn with_names(
    conn: &mut Conn,
    jurisdiction_id: JurisdictionId,
    names: &[String],
) -> Result<Vec<Enterprise>, StoreError> {
    let records: Vec<Vec<u8>> = on_any!(conn, |c| enterprises::table
        .filter(enterprises::jurisdiction_id.eq(jurisdiction_id.as_bytes().to_vec()))
        .filter(enterprises::name.eq_any(names))
        .select(enterprises::record)
        .load(c))?;
    decoded(&records)
}

/// Keeps an import and what its rows did; `places` are the jurisdictions that hold all of it.
///
/// # Errors
/// [`StoreError::Stale`] when the same import was taken at the same moment.
pub fn keep(
    tx: &mut WriteTx<'_>,
    import: &StoredImport,
    places: &[JurisdictionId],
    rows: Vec<StoredRow>,
) -> Result<(), StoreError> {
    let inserted = on_any!(tx.conn(), |c| diesel::insert_into(imports::table)
        .values(import)
        .execute(c));
    inserted.map_err(|error| {
        let error = StoreError::from(error);
        if error.is_duplicate_in("imports") {
            return StoreError::Stale { what: "import" };
        }
        error
    })?;
    for place in places {
        diesel::insert_into(import_places::table)
            .values((
                import_places::jurisdiction_id.eq(place.as_bytes().to_vec()),
                import_places::received_at.eq(import.received_at),
                import_places::import_id.eq(import.id.clone()),
            ))
            .execute(tx.conn())?;
    }
    in_arrays!(rows, |array| insert_rows(tx.conn(), array)?);
    Ok(())
}

fn insert_rows<const N: usize>(conn: &mut Conn, rows: [StoredRow; N]) -> QueryResult<usize> {
    on_any!(conn, |c| diesel::insert_into(import_rows::table)
        .values(rows)
        .execute(c))
}

/// One import.
///
/// # Errors
/// When the database does not answer.
pub fn find(conn: &mut Conn, id: ImportId) -> Result<Option<StoredImport>, StoreError> {
    Ok(imports::table
        .find(id.as_bytes().to_vec())
        .select(StoredImport::as_select())
        .first(conn)
        .optional()?)
}

/// Whether all of an import lies within one of these jurisdictions.
///
/// # Errors
/// When the database does not answer.
pub fn lies_within(
    conn: &mut Conn,
    import: &StoredImport,
    places: &[JurisdictionId],
) -> Result<bool, StoreError> {
    for place in places {
        let key = (
            place.as_bytes().to_vec(),
            import.received_at,
            import.id.clone(),
        );
        let found: Option<i64> = import_places::table
            .find(key)
            .select(import_places::received_at)
            .first(conn)
            .optional()?;
        if found.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn keys(rows: Vec<(i64, Vec<u8>)>) -> Result<Vec<Key>, StoreError> {
    rows.into_iter()
        .map(|(at, id)| {
            let id = Uuid::from_slice(&id).map_err(|_| corrupt("an import id"))?;
            Ok(Key { at, id })
        })
        .collect()
}

/// Limits a query to what comes after a page that ended with `before`, newest first.
macro_rules! page_of {
    ($query:expr, $at:expr, $id:expr, $before:expr, $limit:expr) => {{
        let mut query = $query
            .order(($at.desc(), $id.desc()))
            .limit($limit)
            .select(($at, $id))
            .into_boxed();
        if let Some(Key { at, id }) = $before {
            let id = id.as_bytes().to_vec();
            query = query.filter($at.le(at)).filter($at.lt(at).or($id.lt(id)));
        }
        query
    }};
}

/// Imports that somebody made, and those that lie within one of these jurisdictions, newest first.
///
/// # Errors
/// When the database does not answer.
pub fn seen_by(
    conn: &mut Conn,
    person_id: PersonId,
    places: &[JurisdictionId],
    before: Option<Key>,
    limit: i64,
) -> Result<Vec<Key>, StoreError> {
    let own = imports::table.filter(imports::person_id.eq(person_id.as_bytes().to_vec()));
    let own = page_of!(own, imports::received_at, imports::id, before, limit).load(conn)?;
    let mut found: BTreeSet<Key> = keys(own)?.into_iter().collect();
    for place in places {
        let within = import_places::table
            .filter(import_places::jurisdiction_id.eq(place.as_bytes().to_vec()));
        let (at, id) = (import_places::received_at, import_places::import_id);
        found.extend(keys(page_of!(within, at, id, before, limit).load(conn)?)?);
    }
    let most = usize::try_from(limit).unwrap_or_default();
    Ok(found.into_iter().rev().take(most).collect())
}

/// All imports, newest first.
///
/// # Errors
/// When the database does not answer.
pub fn all(conn: &mut Conn, before: Option<Key>, limit: i64) -> Result<Vec<Key>, StoreError> {
    let (at, id) = (imports::received_at, imports::id);
    keys(page_of!(imports::table, at, id, before, limit).load(conn)?)
}

/// These imports, in no order that matters.
///
/// # Errors
/// When the database does not answer.
pub fn these(conn: &mut Conn, ids: &[Uuid]) -> Result<Vec<StoredImport>, StoreError> {
    let ids: Vec<Vec<u8>> = ids.iter().map(|id| id.as_bytes().to_vec()).collect();
    Ok(on_any!(conn, |c| imports::table
        .filter(imports::id.eq_any(&ids))
        .select(StoredImport::as_select())
        .load(c))?)
}

/// What the rows of an import did, after row `after`, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn rows(
    conn: &mut Conn,
    id: ImportId,
    after: i32,
    limit: i64,
) -> Result<Vec<StoredRow>, StoreError> {
    Ok(import_rows::table
        .filter(import_rows::import_id.eq(id.as_bytes().to_vec()))
        .filter(import_rows::row_number.gt(after))
        .order(import_rows::row_number)
        .limit(limit)
        .select(StoredRow::as_select())
        .load(conn)?)
}

/// Notes that an import was undone.
///
/// # Errors
/// [`StoreError::Stale`] when somebody else undid it meanwhile.
pub fn set_undone(
    tx: &mut WriteTx<'_>,
    id: ImportId,
    by: Option<PersonId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let changed = diesel::update(imports::table)
        .filter(imports::id.eq(id.as_bytes().to_vec()))
        .filter(imports::undone_at.is_null())
        .set((
            imports::undone_at.eq(Some(now.as_millis())),
            imports::undone_by.eq(by.map(|id| id.as_bytes().to_vec())),
        ))
        .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Stale { what: "import" })
    }
}

/// These enterprises, which nobody else can change or use until this transaction ends.
///
/// # Errors
/// When the database does not answer or a record cannot be read.
pub fn hold(tx: &mut WriteTx<'_>, ids: &[EnterpriseId]) -> Result<Vec<Enterprise>, StoreError> {
    let ids: Vec<Vec<u8>> = ids.iter().map(|id| id.as_bytes().to_vec()).collect();
    let wanted = enterprises::table
        .filter(enterprises::id.eq_any(&ids))
        .order(enterprises::id)
        .select(enterprises::record);
    let records: Vec<Vec<u8>> = match tx.conn() {
        Conn::Sqlite(conn) => wanted.load(conn)?,
        Conn::Postgres(conn) => wanted.for_update().load(conn)?,
    };
    decoded(&records)
}

macro_rules! used_in {
    ($conn:expr, $table:ident, $ids:expr) => {{
        let ids: Vec<Option<Vec<u8>>> =
            $ids.iter().map(|id| Some(id.as_bytes().to_vec())).collect();
        let found: Vec<Option<Vec<u8>>> = on_any!($conn, |c| $table::table
            .filter($table::enterprise_id.eq_any(&ids))
            .select($table::enterprise_id)
            .distinct()
            .load(c))?;
        let used = found.iter().flatten();
        Ok(used.filter_map(|id| EnterpriseId::from_slice(id)).collect())
    }};
}

/// Those of `ids` that have a hazard.
///
/// # Errors
/// When the database does not answer.
pub fn with_hazards(
    conn: &mut Conn,
    ids: &[EnterpriseId],
) -> Result<BTreeSet<EnterpriseId>, StoreError> {
    used_in!(conn, hazards, ids)
}

/// Those of `ids` that have an inspection or a self-check, if only a planned one.
///
/// # Errors
/// When the database does not answer.
pub fn with_inspections(
    conn: &mut Conn,
    ids: &[EnterpriseId],
) -> Result<BTreeSet<EnterpriseId>, StoreError> {
    used_in!(conn, inspections, ids)
}

/// Those of `ids` over which somebody holds or held a role.
///
/// # Errors
/// When the database does not answer.
pub fn with_grants(
    conn: &mut Conn,
    ids: &[EnterpriseId],
) -> Result<BTreeSet<EnterpriseId>, StoreError> {
    used_in!(conn, grants, ids)
}
