//! The jurisdiction tree: one node, or all of them in the order of their paths; their boundaries.

use diesel::prelude::*;
use hazardloop_domain::geography::CoordinateReference;
use hazardloop_domain::ids::JurisdictionId;
use hazardloop_domain::jurisdiction::Jurisdiction;

use super::schema::jurisdictions;
use super::{Conn, StoreError, WriteTx, merges};
use crate::geography::BoundarySource;

/// A node and how it lies in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The node.
    pub node: Jurisdiction,
    /// Steps from the root; the root itself has 1.
    pub depth: u32,
    /// Whether it has a boundary of its own.
    pub has_boundary: bool,
    /// Of one that was merged: whether its records are still on their way.
    pub is_merging: bool,
}

type Row = (Vec<u8>, String, Option<String>, Option<i32>);

const COLUMNS: (
    jurisdictions::record,
    jurisdictions::path,
    jurisdictions::boundary_reference,
    jurisdictions::merge_stage,
) = (
    jurisdictions::record,
    jurisdictions::path,
    jurisdictions::boundary_reference,
    jurisdictions::merge_stage,
);

fn read((record, path, reference, stage): Row) -> Result<Node, StoreError> {
    let node = minicbor::decode(&record).map_err(|error| StoreError::Corrupt {
        what: format!("a jurisdiction: {error}"),
    })?;
    let depth = u32::try_from(path.matches('/').count()).unwrap_or(u32::MAX);
    Ok(Node {
        node,
        depth,
        has_boundary: reference.is_some(),
        is_merging: merges::is_under_way(stage),
    })
}

/// One node.
///
/// # Errors
/// When the database does not answer or the stored record cannot be read.
pub fn one(conn: &mut Conn, id: JurisdictionId) -> Result<Option<Node>, StoreError> {
    let row: Option<Row> = jurisdictions::table
        .find(id.as_bytes().to_vec())
        .select(COLUMNS)
        .first(conn)
        .optional()?;
    row.map(read).transpose()
}

/// Nodes after `after` in the order of their paths (a parent before its children), at most
/// `limit`; only the children of `parent` when one is given. Nothing when `after` does not exist.
///
/// # Errors
/// When the database does not answer or a stored record cannot be read.
pub fn list(
    conn: &mut Conn,
    after: Option<JurisdictionId>,
    parent: Option<JurisdictionId>,
    limit: i64,
) -> Result<Vec<Node>, StoreError> {
    // Every path is greater than the empty one.
    let mut path = String::new();
    if let Some(after) = after {
        let found: Option<String> = jurisdictions::table
            .find(after.as_bytes().to_vec())
            .select(jurisdictions::path)
            .first(conn)
            .optional()?;
        let Some(found) = found else {
            return Ok(Vec::new());
        };
        path = found;
    }
    let mut query = jurisdictions::table
        .select(COLUMNS)
        .filter(jurisdictions::path.gt(path))
        .order(jurisdictions::path)
        .limit(limit)
        .into_boxed();
    if let Some(parent) = parent {
        query = query.filter(jurisdictions::parent_id.eq(parent.as_bytes().to_vec()));
    }
    query.load::<Row>(conn)?.into_iter().map(read).collect()
}

/// All boundaries, for the index in memory.
///
/// # Errors
/// When the database does not answer or holds an unknown reference.
pub fn boundaries(conn: &mut Conn) -> Result<Vec<BoundarySource>, StoreError> {
    let rows: Vec<BoundaryRow> = jurisdictions::table
        .filter(jurisdictions::boundary.is_not_null())
        .select(BOUNDARY_COLUMNS)
        .load(conn)?;
    let mut sources = Vec::with_capacity(rows.len());
    for row in rows {
        sources.extend(read_boundary(row)?.1);
    }
    Ok(sources)
}

/// The version of a jurisdiction and the boundary that it has then.
///
/// # Errors
/// When the database does not answer or holds an unknown reference.
pub fn boundary(
    conn: &mut Conn,
    id: JurisdictionId,
) -> Result<Option<(i64, Option<BoundarySource>)>, StoreError> {
    let row: Option<BoundaryRow> = jurisdictions::table
        .find(id.as_bytes().to_vec())
        .select(BOUNDARY_COLUMNS)
        .first(conn)
        .optional()?;
    row.map(read_boundary).transpose()
}

type BoundaryRow = (Vec<u8>, String, i64, Option<String>, Option<String>);

const BOUNDARY_COLUMNS: (
    jurisdictions::id,
    jurisdictions::path,
    jurisdictions::version,
    jurisdictions::boundary,
    jurisdictions::boundary_reference,
) = (
    jurisdictions::id,
    jurisdictions::path,
    jurisdictions::version,
    jurisdictions::boundary,
    jurisdictions::boundary_reference,
);

fn read_boundary(row: BoundaryRow) -> Result<(i64, Option<BoundarySource>), StoreError> {
    let (id, path, version, geometry, reference) = row;
    let Some(geometry) = geometry else {
        return Ok((version, None));
    };
    let source = || {
        Some(BoundarySource {
            jurisdiction: JurisdictionId::from_slice(&id)?,
            depth: u32::try_from(path.matches('/').count()).ok()?,
            geometry,
            reference: reference?.parse().ok()?,
        })
    };
    let source = source().ok_or_else(|| StoreError::Corrupt {
        what: "a stored boundary".to_owned(),
    })?;
    Ok((version, Some(source)))
}

/// Stores a jurisdiction that has another boundary than before, or none; its version is one more
/// than the one that is stored.
///
/// # Errors
/// [`StoreError::Stale`] when somebody else changed it meanwhile.
pub fn set_boundary(
    tx: &mut WriteTx<'_>,
    jurisdiction: &Jurisdiction,
    record: &[u8],
    boundary: Option<(&str, CoordinateReference)>,
) -> Result<(), StoreError> {
    let reference = boundary.map(|(_, reference)| reference.as_str().to_owned());
    let changed = diesel::update(jurisdictions::table)
        .filter(jurisdictions::id.eq(jurisdiction.id.as_bytes().to_vec()))
        .filter(jurisdictions::version.eq(jurisdiction.version.saturating_sub(1)))
        .set((
            jurisdictions::boundary.eq(boundary.map(|(text, _)| text.to_owned())),
            jurisdictions::boundary_reference.eq(reference),
            jurisdictions::version.eq(jurisdiction.version),
            jurisdictions::record.eq(record.to_vec()),
        ))
        .execute(tx.conn())?;
    match changed {
        1 => Ok(()),
        _ => Err(StoreError::Stale {
            what: "jurisdiction",
        }),
    }
}
