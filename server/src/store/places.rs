//! Jurisdictions and enterprises: the tree that scopes are made of, and who belongs where.

use std::collections::BTreeMap;

use diesel::QueryResult;
use diesel::prelude::*;
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::geography::{CoordinateReference, cell_of};
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId};
use hazardloop_domain::jurisdiction::{Jurisdiction, Level};
use hazardloop_domain::time::Timestamp;

use super::batch::in_arrays;
use super::schema::{enterprises, jurisdictions, sector_scopes as sector_rows};
use super::sector_scopes::{self, SectorOf};
use super::{Conn, StoreError, WriteTx, merges, on_any};

/// A jurisdiction's way from the root, and the district it lies in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lineage {
    /// From the root down to and including the jurisdiction itself.
    pub ancestors: Vec<JurisdictionId>,
    /// Division code of the district it lies in; empty above districts and for bare zones.
    pub district_code: String,
    /// The sectors of these jurisdictions that have a scope of their own.
    pub sectors: Vec<SectorOf>,
    /// The jurisdiction that it was merged into: nothing new is placed in it.
    pub merged_into: Option<JurisdictionId>,
    /// The same, once all that was in it belongs there: `ancestors` then ends with that one and not with itself.
    pub gave_way_to: Option<JurisdictionId>,
}

/// The way from the root down to a jurisdiction.
///
/// # Errors
/// When the database does not answer or the stored path is damaged.
pub fn lineage(conn: &mut Conn, id: JurisdictionId) -> Result<Option<Lineage>, StoreError> {
    // The sectors in the same statement, which most installations answer with "none". It is also what
    // makes whoever opens the first one wait for this transaction.
    let any_sector = diesel::dsl::exists(sector_rows::table.select(sector_rows::sector));
    let found: Option<LineageRow> = jurisdictions::table
        .find(id.as_bytes().to_vec())
        .select((
            jurisdictions::path,
            jurisdictions::division_code,
            jurisdictions::merged_into,
            jurisdictions::merge_stage,
            any_sector,
        ))
        .first(conn)
        .optional()?;
    let Some((path, code, merged_into, stage, any_sector)) = found else {
        return Ok(None);
    };
    let corrupt = || StoreError::Corrupt {
        what: format!("the path of jurisdiction {id}"),
    };
    let ancestors: Option<Vec<_>> = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| part.parse::<JurisdictionId>().ok())
        .collect();
    let district_code = code
        .map(|code| code.chars().take(6).collect())
        .unwrap_or_default();
    let mut ancestors = ancestors.ok_or_else(corrupt)?;
    let merged_into = match merged_into {
        Some(id) => Some(JurisdictionId::from_slice(&id).ok_or_else(corrupt)?),
        None => None,
    };
    let gave_way_to = merged_into.filter(|_| merges::has_given_way(stage));
    if gave_way_to.is_some() {
        ancestors.pop();
    }
    let sectors = match any_sector {
        true => sector_scopes::of_jurisdictions(conn, &ancestors)?,
        false => Vec::new(),
    };
    Ok(Some(Lineage {
        ancestors,
        district_code,
        sectors,
        merged_into,
        gave_way_to,
    }))
}

/// Path, division code, what it was merged into, how far that has got, and whether any sector has a scope.
type LineageRow = (String, Option<String>, Option<Vec<u8>>, Option<i32>, bool);

/// The path of the outermost district on the way down to `path`, itself included; `None` when there is none.
///
/// # Errors
/// When the database does not answer.
pub fn district_path(conn: &mut Conn, path: &str) -> Result<Option<String>, StoreError> {
    let ends = path.char_indices().filter(|(_, letter)| *letter == '/');
    let above: Vec<String> = ends
        .filter_map(|(end, _)| path.get(..=end))
        .map(str::to_owned)
        .collect();
    Ok(on_any!(conn, |c| jurisdictions::table
        .filter(jurisdictions::path.eq_any(above))
        .filter(jurisdictions::level.eq(Level::District.as_str()))
        .order(jurisdictions::path)
        .select(jurisdictions::path)
        .first(c)
        .optional())?)
}

/// The level of a jurisdiction.
///
/// # Errors
/// When the database does not answer or holds an unknown level.
pub fn level_of(conn: &mut Conn, id: JurisdictionId) -> Result<Option<Level>, StoreError> {
    let level: Option<String> = jurisdictions::table
        .find(id.as_bytes().to_vec())
        .select(jurisdictions::level)
        .first(conn)
        .optional()?;
    let known = |level: String| {
        Level::from_name(&level).ok_or_else(|| StoreError::Corrupt {
            what: format!("the level of jurisdiction {id}"),
        })
    };
    level.map(known).transpose()
}

/// The levels of jurisdictions.
///
/// # Errors
/// When the database does not answer or holds an unknown level.
pub fn levels_of(
    conn: &mut Conn,
    ids: &[JurisdictionId],
) -> Result<BTreeMap<JurisdictionId, Level>, StoreError> {
    let wanted: Vec<Vec<u8>> = ids.iter().map(|id| id.as_bytes().to_vec()).collect();
    let rows: Vec<(Vec<u8>, String)> = on_any!(conn, |c| jurisdictions::table
        .filter(jurisdictions::id.eq_any(wanted))
        .select((jurisdictions::id, jurisdictions::level))
        .load(c))?;
    let read = |(id, level): (Vec<u8>, String)| {
        let both = JurisdictionId::from_slice(&id).zip(Level::from_name(&level));
        both.ok_or_else(|| StoreError::Corrupt {
            what: "the level of a jurisdiction".to_owned(),
        })
    };
    rows.into_iter().map(read).collect()
}

/// One part of a path.
fn step(id: JurisdictionId) -> String {
    format!("{}/", id.0.simple())
}

/// Adds a jurisdiction below its parent, which must exist.
///
/// # Errors
/// [`StoreError::Missing`] when the parent does not exist.
pub fn add_jurisdiction(
    tx: &mut WriteTx<'_>,
    jurisdiction: &Jurisdiction,
    boundary: Option<(&str, CoordinateReference)>,
) -> Result<(), StoreError> {
    let above = match jurisdiction.parent_id {
        None => String::new(),
        Some(parent) => jurisdictions::table
            .find(parent.as_bytes().to_vec())
            .select(jurisdictions::path)
            .first(tx.conn())
            .optional()?
            .ok_or(StoreError::Missing)?,
    };
    let record = minicbor::to_vec(jurisdiction).unwrap_or_default();
    diesel::insert_into(jurisdictions::table)
        .values((
            jurisdictions::id.eq(jurisdiction.id.as_bytes().to_vec()),
            jurisdictions::parent_id.eq(jurisdiction.parent_id.map(|id| id.as_bytes().to_vec())),
            jurisdictions::name.eq(jurisdiction.name.clone()),
            jurisdictions::level.eq(jurisdiction.level.as_str()),
            jurisdictions::division_code.eq(jurisdiction.division_code.clone()),
            jurisdictions::path.eq(above + &step(jurisdiction.id)),
            jurisdictions::boundary.eq(boundary.map(|(text, _)| text.to_owned())),
            jurisdictions::boundary_reference
                .eq(boundary.map(|(_, reference)| reference.as_str().to_owned())),
            jurisdictions::version.eq(jurisdiction.version),
            jurisdictions::record.eq(record),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Loads an enterprise.
///
/// # Errors
/// When the database does not answer or the stored record cannot be read.
pub fn enterprise(conn: &mut Conn, id: EnterpriseId) -> Result<Option<Enterprise>, StoreError> {
    let record: Option<Vec<u8>> = enterprises::table
        .find(id.as_bytes().to_vec())
        .select(enterprises::record)
        .first(conn)
        .optional()?;
    record
        .map(|record| {
            minicbor::decode(&record).map_err(|error| StoreError::Corrupt {
                what: format!("the record of enterprise {id}: {error}"),
            })
        })
        .transpose()
}

/// One enterprise as a row.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = enterprises, treat_none_as_default_value = false)]
pub struct EnterpriseRow {
    id: Vec<u8>,
    created_at: i64,
    #[diesel(embed)]
    columns: EnterpriseColumns,
}

/// What changes when an enterprise does.
#[derive(Clone, Debug, Insertable, AsChangeset)]
#[diesel(table_name = enterprises, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct EnterpriseColumns {
    credit_code: Option<String>,
    name: String,
    jurisdiction_id: Vec<u8>,
    district_code: String,
    sector: String,
    longitude: Option<f64>,
    latitude: Option<f64>,
    cell: Option<i64>,
    version: i64,
    record: Vec<u8>,
}

impl EnterpriseRow {
    /// The row of an enterprise whose record is `record`, registered `now` if it is new.
    pub fn new(
        enterprise: &Enterprise,
        record: &[u8],
        district_code: &str,
        now: Timestamp,
    ) -> Self {
        let point = enterprise
            .position
            .as_ref()
            .map(|position| position.to_wgs84());
        Self {
            id: enterprise.id.as_bytes().to_vec(),
            created_at: now.as_millis(),
            columns: EnterpriseColumns {
                credit_code: enterprise.credit_code.clone(),
                name: enterprise.name.clone(),
                jurisdiction_id: enterprise.jurisdiction_id.as_bytes().to_vec(),
                district_code: district_code.to_owned(),
                sector: enterprise.sector.clone(),
                longitude: point.map(|point| point.longitude),
                latitude: point.map(|point| point.latitude),
                cell: point.map(cell_of),
                version: enterprise.version,
                record: record.to_vec(),
            },
        }
    }
}

/// Adds new enterprises.
///
/// # Errors
/// When an id is taken or the database does not answer.
pub fn add_enterprises(tx: &mut WriteTx<'_>, rows: Vec<EnterpriseRow>) -> Result<(), StoreError> {
    in_arrays!(rows, |array| insert(tx.conn(), array)?);
    Ok(())
}

fn insert<const N: usize>(conn: &mut Conn, rows: [EnterpriseRow; N]) -> QueryResult<usize> {
    on_any!(conn, |c| diesel::insert_into(enterprises::table)
        .values(rows)
        .execute(c))
}

/// Stores an enterprise: new when `before` is `None`, else an update of exactly that version.
///
/// # Errors
/// [`StoreError::Stale`] when somebody else changed it meanwhile.
pub fn save_enterprise(
    tx: &mut WriteTx<'_>,
    enterprise: &Enterprise,
    record: &[u8],
    district_code: &str,
    before: Option<i64>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = EnterpriseRow::new(enterprise, record, district_code, now);
    let Some(before) = before else {
        return add_enterprises(tx, vec![row]);
    };
    let changed = on_any!(tx.conn(), |c| diesel::update(enterprises::table)
        .filter(enterprises::id.eq(row.id))
        .filter(enterprises::version.eq(before))
        .set(row.columns)
        .execute(c))?;
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Stale { what: "enterprise" })
    }
}

/// Removes an enterprise that still has version `version`; what happened to it stays in the events.
///
/// # Errors
/// [`StoreError::Stale`] when it has another version or is gone; a broken foreign key when something
/// belongs to it.
pub fn remove_enterprise(
    tx: &mut WriteTx<'_>,
    id: EnterpriseId,
    version: i64,
) -> Result<(), StoreError> {
    let removed = diesel::delete(enterprises::table)
        .filter(enterprises::id.eq(id.as_bytes().to_vec()))
        .filter(enterprises::version.eq(version))
        .execute(tx.conn())?;
    if removed == 1 {
        Ok(())
    } else {
        Err(StoreError::Stale { what: "enterprise" })
    }
}
