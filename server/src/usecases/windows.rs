//! Keeping the windows: what came to its end leaves the devices of a scope in its time, and comes back where the window
//! was set wider. Bounded parts; a pass that was cut or repeated does no harm.

use std::sync::Arc;

use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::{ClosedWindow, Scope};

use crate::app::App;
use crate::failure::Failure;
use crate::settings::Windows;
use crate::store::windows::{self, Bound, WindowKind};
use crate::store::{Conn, Db, StoreError, WriteTx, meta, places};

/// Rows that one part has leave or come.
pub const ROWS_AT_ONCE: usize = 200;

/// Scopes that one transaction looks at after other bytes were set.
pub const SCOPES_AT_ONCE: usize = 500;

/// The fact that holds by which bytes all scopes were weighed, and the one that says how far a new weighing got.
const WEIGHED_BY: &str = "windows_weighed_by";
const WEIGHED_TO: &str = "windows_weighed_to";

/// The window of each scope that has one, in the same order. People and reference data have none: their records do not
/// come to an end. What waits for somebody leaves when it does.
///
/// # Errors
/// When the database does not answer.
pub fn windows_of(
    conn: &mut Conn,
    scopes: &[Scope],
) -> Result<Vec<(Scope, WindowKind)>, StoreError> {
    let place = |scope: &Scope| match scope {
        Scope::Jurisdiction(id) | Scope::JurisdictionSector(id, _) => Some(*id),
        _ => None,
    };
    let wanted: Vec<_> = scopes.iter().filter_map(place).collect();
    let levels = match wanted.is_empty() {
        true => Default::default(),
        false => places::levels_of(conn, &wanted)?,
    };
    let window = |scope: &Scope| {
        let kind = match scope {
            Scope::OwnReports(_) => WindowKind::Reports,
            Scope::Enterprise(_) => WindowKind::Enterprise,
            Scope::Jurisdiction(id) | Scope::JurisdictionSector(id, _) => {
                WindowKind::of_level(*levels.get(id)?)
            }
            Scope::Person(_) | Scope::Tasks(..) | Scope::Catalog => return None,
        };
        Some((*scope, kind))
    };
    Ok(scopes.iter().filter_map(window).collect())
}

/// What devices are told of a scope's window.
///
/// # Errors
/// When the database does not answer.
pub fn told(
    conn: &mut Conn,
    set: &Windows,
    scope: Scope,
) -> Result<Option<ClosedWindow>, StoreError> {
    let found = windows_of(conn, &[scope])?;
    let Some((_, kind)) = found.first() else {
        return Ok(None);
    };
    let set = set.of(*kind);
    Ok(Some(ClosedWindow {
        closed_days: set.closed_days,
        closed_bytes: set.closed_bytes,
        complete_after: windows::left_out_until(conn, scope)?,
    }))
}

/// Does a part of what is to be done. Answers whether there may be more.
///
/// # Errors
/// When the database does not answer.
pub async fn keep(app: &App) -> Result<bool, Failure> {
    let set = Arc::new(app.settings.sync.windows.clone());
    let turned = part(&app.db, &set, app.clock.now()).await?;
    Ok(turned >= ROWS_AT_ONCE)
}

/// Turns [`ROWS_AT_ONCE`] rows at most. Answers how many, a scope in which nothing turned counted as one; as many as
/// may be: there may be more.
async fn part(db: &Db, set: &Arc<Windows>, now: Timestamp) -> Result<usize, Failure> {
    let shared = Arc::clone(set);
    let aged = db.write(move |tx| by_age(tx, &shared, now));
    let mut left = aged.await?;
    let mut after = String::new();
    // Each scope in a transaction of its own: one that cannot be weighed holds up no other, and no row that is old.
    while left > 0 {
        let shared = Arc::clone(set);
        let weighed = db.write(move |tx| weigh_next(tx, &shared, now, (&after, left)));
        let Some((scope, done)) = weighed.await? else {
            break;
        };
        left = left.saturating_sub(done.max(1));
        after = scope;
    }
    Ok(ROWS_AT_ONCE - left)
}

fn bound_of(set: &Windows, kind: WindowKind, now: Timestamp) -> Bound {
    Bound {
        kind,
        begins: set.of(kind).begins(now),
        bytes: set.of(kind).closed_bytes,
    }
}

/// Turns what became too old, or is so no longer. Answers how many rows may still turn.
fn by_age(tx: &mut WriteTx<'_>, set: &Windows, now: Timestamp) -> Result<usize, Failure> {
    let mut left = ROWS_AT_ONCE;
    for kind in WindowKind::ALL {
        let ahead = windows::from_ahead(tx, kind, now, left)?;
        left = left.saturating_sub(ahead);
        let done = windows::by_age(tx, &bound_of(set, kind, now), left)?;
        left = left.saturating_sub(done);
    }
    match follow_settings(tx, set)? {
        true => Ok(left),
        // There are more scopes to look at.
        false => Ok(0),
    }
}

/// Weighs the next scope after this one that is to be weighed. Answers which, and how many rows turned; `None`: there
/// is none.
fn weigh_next(
    tx: &mut WriteTx<'_>,
    set: &Windows,
    now: Timestamp,
    (after, most): (&str, usize),
) -> Result<Option<(String, usize)>, Failure> {
    let Some((scope, kind)) = windows::to_weigh(tx.conn(), after)? else {
        return Ok(None);
    };
    let bound = kind.map(|kind| bound_of(set, kind, now));
    let done = windows::weigh(tx, &scope, bound.as_ref(), most)?;
    Ok(Some((scope, done)))
}

/// Where other bytes are set than all scopes were weighed by, has them weighed again, some at a time. Answers whether all
/// are marked.
fn follow_settings(tx: &mut WriteTx<'_>, set: &Windows) -> Result<bool, Failure> {
    let bytes = WindowKind::ALL.map(|kind| set.of(kind).closed_bytes.to_string());
    let bytes = bytes.join(" ");
    if meta::get(tx.conn(), WEIGHED_BY)?.as_deref() == Some(bytes.as_str()) {
        return Ok(true);
    }
    let reached = meta::get(tx.conn(), WEIGHED_TO)?.unwrap_or_default();
    // Set otherwise once more meanwhile: from the beginning.
    let (by, after) = reached.split_once('|').unwrap_or_default();
    let after = if by == bytes { after } else { "" };
    match windows::mark(tx, after, SCOPES_AT_ONCE)? {
        Some(reached) => {
            meta::put(tx, WEIGHED_TO, &format!("{bytes}|{reached}"))?;
            Ok(false)
        }
        None => {
            meta::take(tx, WEIGHED_TO)?;
            meta::put(tx, WEIGHED_BY, &bytes)?;
            Ok(true)
        }
    }
}

#[cfg(test)]
mod tests;
