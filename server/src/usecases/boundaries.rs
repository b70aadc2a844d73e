//! Boundaries of jurisdictions: set and removed by whoever administers the node above, held in memory
//! by every server. What other servers change is learned from the feed of the reference data, which
//! tells which jurisdictions changed, in order and below the horizon; only those are read again.

use std::sync::{Mutex, PoisonError};

use hazardloop_domain::geography::{CoordinateReference, Wgs84Point};
use hazardloop_domain::ids::{JurisdictionId, PersonId};
use hazardloop_sync_protocol::wire::{RecordKind, Scope};

use super::jurisdictions::{self as tree, Change, encoded, root_is_fixed};
use super::merge_jurisdictions;
use super::reach::{self, Seat};
use crate::app::App;
use crate::failure::Failure;
use crate::geography::{BoundarySource, JurisdictionIndex, check_boundary};
use crate::store::jurisdictions::{self, Node};
use crate::store::{Db, Position, StoreError, WriteTx, feed, merges, order};
use hazardloop_domain::operations::Operation;
use hazardloop_domain::time::Timestamp;

/// Changes of reference data that are read at once.
const CHANGES_AT_ONCE: i64 = 16;

/// The boundaries that this server knows.
#[derive(Debug, Default)]
pub struct Boundaries {
    index: JurisdictionIndex,
    /// Up to where in the feed of the reference data the index has followed.
    followed: Mutex<Position>,
}

impl Boundaries {
    /// Reads all boundaries that there are.
    ///
    /// # Errors
    /// When the database does not answer or holds one that cannot be used.
    pub async fn open(db: &Db) -> Result<Self, Failure> {
        let opened = db.read(|tx| {
            // In this order: what changes in between is read once more, and nothing is missed.
            let horizon = order::horizon(tx.conn())?;
            let (followed, _) = feed::newest(tx.conn(), Scope::Catalog, horizon)?;
            Ok::<_, StoreError>((jurisdictions::boundaries(tx.conn())?, followed))
        });
        let (sources, followed) = opened.await?;
        let index = JurisdictionIndex::build(sources)
            .map_err(|error| Failure::Internal(format!("stored boundaries: {error}")))?;
        Ok(Self {
            index,
            followed: Mutex::new(followed),
        })
    }

    /// See [`JurisdictionIndex::locate`].
    pub fn locate(&self, point: Wgs84Point) -> Option<JurisdictionId> {
        self.index.locate(point)
    }

    /// Learns what changed since the last look, here or on another server.
    ///
    /// # Errors
    /// When the database does not answer; what was known stays.
    pub async fn catch_up(&self, db: &Db) -> Result<(), StoreError> {
        loop {
            let after = *self.followed.lock().unwrap_or_else(PoisonError::into_inner);
            let (changes, boundaries) = db.read(move |tx| changed(tx.conn(), after)).await?;
            for (id, version, boundary) in boundaries {
                self.hold(id, version, boundary.as_ref());
            }
            let Some(last) = changes.last() else {
                return Ok(());
            };
            let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
            *followed = (*followed).max(last.position);
        }
    }

    /// A boundary that was stored can be used; where it cannot after all, the one before stays.
    fn hold(&self, id: JurisdictionId, version: i64, boundary: Option<&BoundarySource>) {
        if let Err(error) = self.index.replace(id, version, boundary) {
            tracing::error!(%error, "a stored boundary cannot be used");
        }
    }
}

type Changed = (JurisdictionId, i64, Option<BoundarySource>);

fn changed(
    conn: &mut crate::store::Conn,
    after: Position,
) -> Result<(Vec<feed::Change>, Vec<Changed>), StoreError> {
    let horizon = order::horizon(conn)?;
    let changes = feed::changes(conn, Scope::Catalog, after, horizon, CHANGES_AT_ONCE)?;
    let mut boundaries = Vec::new();
    for change in &changes {
        let id = JurisdictionId(change.id);
        if change.kind == RecordKind::Jurisdiction
            && let Some((version, boundary)) = jurisdictions::boundary(conn, id)?
        {
            boundaries.push((id, version, boundary));
        }
    }
    Ok((changes, boundaries))
}

/// Holds the boundary that a jurisdiction has in `version`, once that is committed.
pub(super) fn hold_after_commit(
    tx: &mut WriteTx<'_>,
    app: &App,
    id: JurisdictionId,
    version: i64,
    boundary: Option<BoundarySource>,
) {
    let app = app.clone();
    tx.after_commit(Box::new(move || {
        app.boundaries.hold(id, version, boundary.as_ref());
    }));
}

/// Holds the boundary that a jurisdiction has, as this transaction has stored it, where it lies in the tree by now.
///
/// # Errors
/// When the database does not answer.
pub(super) fn hold_as_stored(
    tx: &mut WriteTx<'_>,
    app: &App,
    id: JurisdictionId,
) -> Result<(), StoreError> {
    if let Some((version, boundary)) = jurisdictions::boundary(tx.conn(), id)? {
        hold_after_commit(tx, app, id, version, boundary);
    }
    Ok(())
}

/// Gives a jurisdiction that still has version `seen` another boundary, or takes its boundary away.
/// The one that it has already changes nothing, whatever its version.
///
/// # Errors
/// [`Failure::Invalid`] for a boundary that cannot be used; [`Failure::NotFound`];
/// [`Failure::Forbidden`] unless the person administers the node above, as for a root;
/// [`Failure::PreconditionFailed`].
pub async fn change(
    app: &App,
    person_id: PersonId,
    id: JurisdictionId,
    seen: i64,
    boundary: Option<(String, CoordinateReference)>,
) -> Result<Node, Failure> {
    if let Some((geometry, reference)) = &boundary {
        check_boundary(geometry, *reference)
            .map_err(|problem| Failure::invalid("geometry", problem.to_string()))?;
    }
    let app = app.clone();
    app.clone()
        .db
        .write(move |tx| change_in(&app, tx, person_id, (id, seen), boundary.as_ref()))
        .await
}

fn change_in(
    app: &App,
    tx: &mut WriteTx<'_>,
    person_id: PersonId,
    (id, seen): (JurisdictionId, i64),
    boundary: Option<&(String, CoordinateReference)>,
) -> Result<Node, Failure> {
    let now = app.clock.now();
    let unknown = || Failure::NotFound("jurisdiction");
    let mut node = jurisdictions::one(tx.conn(), id)?.ok_or_else(unknown)?;
    let above = node.node.parent_id.ok_or_else(root_is_fixed)?;
    let above = Seat::whole(above);
    let operation = Operation::ManageBoundaries;
    reach::require(tx.conn(), person_id, &above, operation, now)?;
    let boundary = boundary.map(|(geometry, reference)| (geometry.as_str(), *reference));
    if boundary.is_some() {
        merge_jurisdictions::require_standing(tx.conn(), id)?;
    }
    let (version, held) = jurisdictions::boundary(tx.conn(), id)?.ok_or_else(unknown)?;
    let same = held
        .as_ref()
        .map(|held| (held.geometry.as_str(), held.reference))
        == boundary;
    if same {
        return Ok(node);
    }
    if version != seen {
        return Err(Failure::PreconditionFailed { current: version });
    }
    node.node.version = version.saturating_add(1);
    node.has_boundary = boundary.is_some();
    store(app, tx, &node, boundary, (person_id, now))?;
    if boundary.is_some() {
        put_merged_aside(app, tx, id, (person_id, now))?;
    }
    let app = app.clone();
    tx.after_commit(Box::new(move || app.events_wake.notify_one()));
    Ok(node)
}

/// Once a successor's boundary was drawn anew, those of what was merged into it say nothing any more.
fn put_merged_aside(
    app: &App,
    tx: &mut WriteTx<'_>,
    into: JurisdictionId,
    by: (PersonId, Timestamp),
) -> Result<(), Failure> {
    for id in merges::all_merged_into(tx.conn(), &[into])? {
        let found = jurisdictions::one(tx.conn(), id)?;
        let Some(mut node) = found.filter(|node| node.has_boundary) else {
            continue;
        };
        node.node.version = node.node.version.saturating_add(1);
        node.has_boundary = false;
        store(app, tx, &node, None, by)?;
    }
    Ok(())
}

/// Stores a jurisdiction with the boundary that it has from now on.
fn store(
    app: &App,
    tx: &mut WriteTx<'_>,
    node: &Node,
    boundary: Option<(&str, CoordinateReference)>,
    (person_id, now): (PersonId, Timestamp),
) -> Result<(), Failure> {
    let record = encoded(&node.node)?;
    jurisdictions::set_boundary(tx, &node.node, &record, boundary)?;
    let change = Change {
        kind: match boundary {
            Some(_) => "boundary_set",
            None => "boundary_removed",
        },
        boundary,
        actor: Some(person_id),
        reason: None,
        now,
    };
    tree::record(tx, &app.digest_key, &node.node, &change)?;
    let id = node.node.id;
    let source = boundary.map(|(geometry, reference)| BoundarySource {
        jurisdiction: id,
        depth: node.depth,
        geometry: geometry.to_owned(),
        reference,
    });
    hold_after_commit(tx, app, id, node.node.version, source);
    Ok(())
}

#[cfg(test)]
#[path = "boundaries_tests.rs"]
mod tests;
