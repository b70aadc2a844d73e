//! Merging a jurisdiction into another one beside it (撤并): a town is dissolved, and all that was filed in it belongs
//! to its successor from then on.
//!
//! The dissolved one is hung below its successor in one transaction. So whoever answers for the successor answers for
//! it at once, by the rules that hold for everything below: no rule asks what was merged. A job does the rest in
//! bounded lots ([`advance`]):
//!
//! 1. `telling`: the successor's lists and devices are told of what was filed in the dissolved one before. Whoever holds
//!    a role over that one goes on as ever.
//! 2. `people`: once all of it is there, roles over the dissolved one become the same roles over the successor. So nobody
//!    misses a record for a moment: what their devices drop with the one scope, they have with the other.
//! 3. `emptying`: what was filed right in the dissolved one is filed in the successor, as events by the server; its
//!    children hang below the successor; its own scopes, which nobody holds any more, are emptied. Of a grid, enterprises
//!    elsewhere that name it name the successor then.
//!
//! Each lot follows from what is stored alone: a server that dies in between leaves nothing behind, and two runners
//! do nothing twice.

mod emptying;
mod naming;
mod people;
mod telling;

use hazardloop_domain::ids::{JurisdictionId, PersonId};
use hazardloop_domain::operations::Operation;
use hazardloop_domain::text::{self, SHORT_TEXT_MAX};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::Scope;

use super::boundaries;
use super::enqueue::enqueue;
use super::execute::lineage;
use super::jurisdictions::{self as tree, Change, encoded, root_is_fixed};
use super::reach::{self, Seat};
use super::{responsibilities, sectors};
use crate::app::App;
use crate::failure::Failure;
use crate::store::jobs::JobKind;
use crate::store::jurisdictions::{self, Node};
use crate::store::merges::{self, Merge, NOTHING_YET, Stage};
use crate::store::{Conn, StoreError, WriteTx, sector_scopes};

/// Lots that one run of the job does before other jobs have their turn.
pub const LOTS_AT_A_TIME: usize = 10;

/// A merger that somebody asks for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The version of the jurisdiction that they saw.
    pub seen: i64,
    /// Into which one.
    pub into: JurisdictionId,
    /// Why: the decision by which it is dissolved.
    pub reason: String,
}

/// What was done.
#[derive(Clone, Debug)]
pub struct Merged {
    /// The dissolved jurisdiction as it is now.
    pub node: Node,
    /// Whether the successor's boundary has to be drawn anew. Until then places within the old boundary are its own.
    pub boundary_to_redraw: bool,
}

/// Merges a jurisdiction that still has version `asked.seen` into another one. What has been merged into that one
/// already stays as it is, whatever its version.
///
/// # Errors
/// [`Failure::Invalid`] for a successor that does not fit; [`Failure::Merged`] when either was merged before;
/// [`Failure::NotFound`]; [`Failure::Forbidden`] unless the person administers the node above both;
/// [`Failure::Conflict`] while another one is still on its way into it; [`Failure::PreconditionFailed`].
pub async fn merge(
    app: &App,
    person_id: PersonId,
    id: JurisdictionId,
    asked: Asked,
) -> Result<Merged, Failure> {
    text::required("reason", &asked.reason, SHORT_TEXT_MAX)?;
    let app = app.clone();
    app.clone()
        .db
        .write(move |tx| merge_in(&app, tx, person_id, id, &asked))
        .await
}

fn merge_in(
    app: &App,
    tx: &mut WriteTx<'_>,
    person_id: PersonId,
    id: JurisdictionId,
    asked: &Asked,
) -> Result<Merged, Failure> {
    let now = app.clock.now();
    // Asked twice: nobody makes others wait for what they may not do, and after waiting it may be otherwise.
    let ready = ready(app, tx.conn(), (person_id, now), id, asked)?;
    let Some(_) = ready else {
        // Asked again: if the work was given up, it goes on.
        go_on(app, tx, id, now)?;
        return merged(tx.conn(), id, asked.into);
    };
    merges::hold_ways(tx)?;
    let ready = self::ready(app, tx.conn(), (person_id, now), id, asked)?;
    let Some(mut node) = ready else {
        return merged(tx.conn(), id, asked.into);
    };
    for of in sector_scopes::of_jurisdictions(tx.conn(), &[id])? {
        sectors::open(tx, (asked.into, of.1), now)?;
    }
    node.parent_id = Some(asked.into);
    node.merged_into = Some(asked.into);
    node.merged_at = Some(now);
    node.version = node.version.saturating_add(1);
    merges::hang(tx, &node, encoded(&node)?)?;
    merges::reach(tx, id, asked.into, (Stage::Telling, &NOTHING_YET))?;
    let change = Change {
        kind: "merged",
        boundary: None,
        actor: Some(person_id),
        reason: Some(&asked.reason),
        now,
    };
    tree::record(tx, &app.digest_key, &node, &change)?;
    boundaries::hold_as_stored(tx, app, id)?;
    responsibilities::take_over(app, tx, (id, asked.into), person_id, now)?;
    merges::show_imports_too(tx, (id, asked.into))?;
    go_on(app, tx, id, now)?;
    wake(tx, app);
    merged(tx.conn(), id, asked.into)
}

/// Has the job work on a merger that is not done; one that was given up is taken up again.
fn go_on(
    app: &App,
    tx: &mut WriteTx<'_>,
    id: JurisdictionId,
    now: Timestamp,
) -> Result<(), Failure> {
    if !one(tx.conn(), id)?.is_merging {
        return Ok(());
    }
    let kind = JobKind::MergeJurisdiction;
    let key = format!("{} {id}", kind.as_str());
    enqueue(tx, app, kind, Some(key), id.to_string(), now)
}

/// Takes up again every merger that is not done: a server that starts looks after what others have given up.
///
/// # Errors
/// When the database does not answer.
pub async fn go_on_with_all(app: &App) -> Result<(), Failure> {
    let shared = app.clone();
    app.db
        .write(move |tx| {
            let now = shared.clock.now();
            for id in merges::under_way(tx.conn())? {
                go_on(&shared, tx, id, now)?;
            }
            Ok(())
        })
        .await
}

fn wake(tx: &mut WriteTx<'_>, app: &App) {
    let app = app.clone();
    tx.after_commit(Box::new(move || app.events_wake.notify_one()));
}

fn merged(conn: &mut Conn, id: JurisdictionId, into: JurisdictionId) -> Result<Merged, Failure> {
    let node = one(conn, id)?;
    let successor = one(conn, into)?;
    let mut to_redraw = node.has_boundary || (successor.has_boundary && node.is_merging);
    // What was merged into it before may have one that counts still.
    for earlier in merges::all_merged_into(conn, &[id])? {
        to_redraw |= one(conn, earlier)?.has_boundary;
    }
    Ok(Merged {
        boundary_to_redraw: to_redraw,
        node,
    })
}

fn one(conn: &mut Conn, id: JurisdictionId) -> Result<Node, Failure> {
    let found = jurisdictions::one(conn, id)?;
    found.ok_or(Failure::NotFound("jurisdiction"))
}

/// The jurisdiction as it may be merged; `None`: it has been merged into this very one.
fn ready(
    app: &App,
    conn: &mut Conn,
    (person_id, now): (PersonId, Timestamp),
    id: JurisdictionId,
    asked: &Asked,
) -> Result<Option<hazardloop_domain::jurisdiction::Jurisdiction>, Failure> {
    let node = one(conn, id)?.node;
    let unfit = |why: &str| Failure::invalid("into", why);
    let into = jurisdictions::one(conn, asked.into)?;
    let done = node.merged_into == Some(asked.into);
    // Of what was merged, the node above both is that above its successor.
    let above = match (&into, done) {
        (Some(into), true) => into.node.parent_id,
        _ => node.parent_id,
    };
    let above = above.ok_or_else(root_is_fixed)?;
    let operation = Operation::MergeJurisdictions;
    reach::require(conn, person_id, &Seat::whole(above), operation, now)?;
    if done {
        return Ok(None);
    }
    require_standing(conn, id)?;
    let into = into.ok_or_else(|| unfit("names no jurisdiction"))?.node;
    if into.id == id {
        return Err(unfit("is the jurisdiction itself"));
    }
    require_standing(conn, into.id)?;
    if into.parent_id != node.parent_id {
        return Err(unfit("must lie below the same jurisdiction"));
    }
    if into.level != node.level {
        return Err(unfit("must be of the same level"));
    }
    if node.version != asked.seen {
        return Err(Failure::PreconditionFailed {
            current: node.version,
        });
    }
    responsibilities::require_room(conn, app, (id, into.id))?;
    if merges::is_receiving(conn, id)? {
        let why = "what was merged into it is still on its way; try again when that is done";
        return Err(Failure::Conflict(why.to_owned()));
    }
    Ok(Some(node))
}

/// Refuses to place anything new in a jurisdiction that was merged into another one.
///
/// # Errors
/// [`Failure::Merged`], which names the one that answers now; [`Failure::NotFound`].
pub(crate) fn require_standing(conn: &mut Conn, id: JurisdictionId) -> Result<(), Failure> {
    let found = crate::store::places::lineage(conn, id)?;
    let found = found.ok_or(Failure::NotFound("jurisdiction"))?;
    match found.merged_into {
        None => Ok(()),
        Some(into) => Err(refused(conn, into)?),
    }
}

/// Why nothing is placed in what was merged into `into`.
pub(super) fn refused(conn: &mut Conn, into: JurisdictionId) -> Result<Failure, Failure> {
    let into = successor_of(conn, into, |way| way.merged_into)?;
    Ok(Failure::Merged {
        into,
        name: one(conn, into)?.node.name,
    })
}

/// Who answers for what is said to be in `id`: itself, or, once it has given way, the last of its successors.
///
/// # Errors
/// When the database does not answer, or it is no jurisdiction.
pub(super) fn standing_for(conn: &mut Conn, id: JurisdictionId) -> Result<JurisdictionId, Failure> {
    successor_of(conn, id, |way| way.gave_way_to)
}

/// The last successor, from the moment of each merger on.
///
/// # Errors
/// When the database does not answer, or it is no jurisdiction.
pub(super) fn last_successor(
    conn: &mut Conn,
    id: JurisdictionId,
) -> Result<JurisdictionId, Failure> {
    successor_of(conn, id, |way| way.merged_into)
}

fn successor_of(
    conn: &mut Conn,
    mut id: JurisdictionId,
    next: impl Fn(&crate::store::places::Lineage) -> Option<JurisdictionId>,
) -> Result<JurisdictionId, Failure> {
    // Each is merged once, into one that stands then: the way ends.
    while let Some(into) = next(&lineage(conn, id)?) {
        id = into;
    }
    Ok(id)
}

/// Goes on with a merger, [`LOTS_AT_A_TIME`]. Answers whether it is done.
///
/// # Errors
/// When the database does not answer; what was done by then stays.
pub async fn advance(app: &App, from: JurisdictionId) -> Result<bool, Failure> {
    for _ in 0..LOTS_AT_A_TIME {
        if advance_once(app, from).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Does one lot. Answers whether the merger is done.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn advance_once(app: &App, from: JurisdictionId) -> Result<bool, Failure> {
    let app = app.clone();
    app.clone()
        .db
        .write(move |tx| {
            let Some(merge) = merges::held(tx, from)? else {
                return Ok(true);
            };
            let now = app.clock.now();
            match merge.stage {
                Stage::Telling => telling::lot(&app, tx, &merge, now)?,
                Stage::People => people::lot(&app, tx, &merge, now)?,
                Stage::Emptying => emptying::lot(&app, tx, &merge, now)?,
                Stage::Done => return Ok(true),
            }
            wake(tx, &app);
            Ok(false)
        })
        .await
}

fn records_at_once(app: &App) -> usize {
    app.settings.hazards.moved_at_once.max(1)
}

/// The scope of a jurisdiction, and those of the sectors of it that have one.
fn scopes(conn: &mut Conn, of: JurisdictionId) -> Result<Vec<Scope>, StoreError> {
    let sectors = sector_scopes::of_jurisdictions(conn, &[of])?;
    let sectors = sectors.into_iter();
    let sectors = sectors.map(|(id, sector)| Scope::JurisdictionSector(id, sector));
    Ok(std::iter::once(Scope::Jurisdiction(of))
        .chain(sectors)
        .collect())
}

/// Notes how far a merger has got.
fn reach_on(
    tx: &mut WriteTx<'_>,
    merge: &Merge,
    stage: Stage,
    after: &merges::After,
) -> Result<(), Failure> {
    Ok(merges::reach(tx, merge.from, merge.into, (stage, after))?)
}

#[cfg(test)]
mod tests;
