//! Reading the jurisdiction tree for people: one node, or all of them in the order of their paths.

use diesel::prelude::*;
use hazardloop_domain::ids::JurisdictionId;
use hazardloop_domain::jurisdiction::Jurisdiction;

use super::schema::jurisdictions;
use super::{Conn, StoreError};

/// A node and how it lies in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The node.
    pub node: Jurisdiction,
    /// Steps from the root; the root itself has 1.
    pub depth: u32,
    /// Whether it has a boundary of its own.
    pub has_boundary: bool,
}

type Row = (Vec<u8>, String, Option<String>);

fn read((record, path, reference): Row) -> Result<Node, StoreError> {
    let node = minicbor::decode(&record).map_err(|error| StoreError::Corrupt {
        what: format!("a jurisdiction: {error}"),
    })?;
    let depth = u32::try_from(path.matches('/').count()).unwrap_or(u32::MAX);
    Ok(Node {
        node,
        depth,
        has_boundary: reference.is_some(),
    })
}

/// One node.
///
/// # Errors
/// When the database does not answer or the stored record cannot be read.
pub fn one(conn: &mut Conn, id: JurisdictionId) -> Result<Option<Node>, StoreError> {
    let row: Option<Row> = jurisdictions::table
        .find(id.as_bytes().to_vec())
        .select((
            jurisdictions::record,
            jurisdictions::path,
            jurisdictions::boundary_reference,
        ))
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
        .select((
            jurisdictions::record,
            jurisdictions::path,
            jurisdictions::boundary_reference,
        ))
        .filter(jurisdictions::path.gt(path))
        .order(jurisdictions::path)
        .limit(limit)
        .into_boxed();
    if let Some(parent) = parent {
        query = query.filter(jurisdictions::parent_id.eq(parent.as_bytes().to_vec()));
    }
    query.load::<Row>(conn)?.into_iter().map(read).collect()
}
