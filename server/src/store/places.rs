//! Jurisdictions and enterprises: the tree that scopes are made of, and who belongs where.

use diesel::prelude::*;
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::geography::{CoordinateReference, cell_of};
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId};
use hazardloop_domain::jurisdiction::{Jurisdiction, Level};
use hazardloop_domain::time::Timestamp;

use super::schema::{enterprises, jurisdictions, sector_scopes as sector_rows};
use super::sector_scopes::{self, SectorOf};
use super::{Conn, StoreError, WriteTx, on_any};

/// A jurisdiction's way from the root, and the district it lies in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lineage {
    /// From the root down to and including the jurisdiction itself.
    pub ancestors: Vec<JurisdictionId>,
    /// Division code of the district it lies in; empty above districts and for bare zones.
    pub district_code: String,
    /// The sectors of these jurisdictions that have a scope of their own.
    pub sectors: Vec<SectorOf>,
}

/// The way from the root down to a jurisdiction.
///
/// # Errors
/// When the database does not answer or the stored path is damaged.
pub fn lineage(conn: &mut Conn, id: JurisdictionId) -> Result<Option<Lineage>, StoreError> {
    // The sectors in the same statement, which most installations answer with "none". It is also what
    // makes whoever opens the first one wait for this transaction.
    let any_sector = diesel::dsl::exists(sector_rows::table.select(sector_rows::sector));
    let found: Option<(String, Option<String>, bool)> = jurisdictions::table
        .find(id.as_bytes().to_vec())
        .select((
            jurisdictions::path,
            jurisdictions::division_code,
            any_sector,
        ))
        .first(conn)
        .optional()?;
    let Some((path, code, any_sector)) = found else {
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
    let ancestors = ancestors.ok_or_else(corrupt)?;
    let sectors = match any_sector {
        true => sector_scopes::of_jurisdictions(conn, &ancestors)?,
        false => Vec::new(),
    };
    Ok(Some(Lineage {
        ancestors,
        district_code,
        sectors,
    }))
}

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
    let point = enterprise
        .position
        .as_ref()
        .map(|position| position.to_wgs84());
    let columns = (
        enterprises::credit_code.eq(enterprise.credit_code.clone()),
        enterprises::name.eq(enterprise.name.clone()),
        enterprises::jurisdiction_id.eq(enterprise.jurisdiction_id.as_bytes().to_vec()),
        enterprises::district_code.eq(district_code.to_owned()),
        enterprises::sector.eq(enterprise.sector.clone()),
        enterprises::longitude.eq(point.map(|point| point.longitude)),
        enterprises::latitude.eq(point.map(|point| point.latitude)),
        enterprises::cell.eq(point.map(cell_of)),
        enterprises::version.eq(enterprise.version),
        enterprises::record.eq(record.to_vec()),
    );
    let id = enterprise.id.as_bytes().to_vec();
    let Some(before) = before else {
        diesel::insert_into(enterprises::table)
            .values((
                enterprises::id.eq(id),
                enterprises::created_at.eq(now.as_millis()),
                columns,
            ))
            .execute(tx.conn())?;
        return Ok(());
    };
    let changed = diesel::update(enterprises::table)
        .filter(enterprises::id.eq(id))
        .filter(enterprises::version.eq(before))
        .set(columns)
        .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Stale { what: "enterprise" })
    }
}
