//! Keeping the windows: what came to its end leaves the devices of a scope in its time, and comes back where the window
//! was set wider. Bounded parts, each a transaction; a pass that was cut or repeated does no harm.

use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::{ClosedWindow, Scope};

use crate::app::App;
use crate::failure::Failure;
use crate::settings::Windows;
use crate::store::windows::{self, Bound, WindowKind};
use crate::store::{Conn, StoreError, WriteTx, meta, places};

/// Rows that one transaction has leave or come.
pub const ROWS_AT_ONCE: usize = 200;

/// Scopes that one transaction looks at after other bytes were set.
pub const SCOPES_AT_ONCE: usize = 500;

/// The fact that holds by which bytes all scopes were weighed, and the one that says how far a new weighing got.
const WEIGHED_BY: &str = "windows_weighed_by";
const WEIGHED_TO: &str = "windows_weighed_to";

/// The window of each scope that has one, in the same order. People and reference data have none: their records do not
/// come to an end.
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
            Scope::Person(_) | Scope::Catalog => return None,
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
    let (shared, now) = (app.clone(), app.clock.now());
    let kept = app
        .db
        .write(move |tx| part(tx, &shared.settings.sync.windows, now));
    let turned = kept.await?;
    Ok(turned >= ROWS_AT_ONCE)
}

fn part(tx: &mut WriteTx<'_>, set: &Windows, now: Timestamp) -> Result<usize, Failure> {
    let bounds = WindowKind::ALL.map(|kind| Bound {
        kind,
        begins: set.of(kind).begins(now),
        bytes: set.of(kind).closed_bytes,
    });
    let mut left = ROWS_AT_ONCE;
    for bound in &bounds {
        let done = windows::by_age(tx, bound, left)?;
        left = left.saturating_sub(done);
    }
    if !follow_settings(tx, set)? {
        // There are more scopes to look at.
        left = 0;
    }
    let mut after = String::new();
    while left > 0 {
        let Some((scope, kind)) = windows::to_weigh(tx.conn(), &after)? else {
            break;
        };
        let bound = kind.and_then(|kind| bounds.iter().find(|bound| bound.kind == kind));
        let done = windows::weigh(tx, &scope, bound, left)?;
        // A scope in which nothing turns has its share too.
        left = left.saturating_sub(done.max(1));
        after = scope;
    }
    Ok(ROWS_AT_ONCE - left)
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
