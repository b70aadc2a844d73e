//! What people read: lists of what they may see, newest first, and where things are.
//!
//! Hazards have lists and indexes of their own (`hazards`, `keys`). Enterprises: a list is walked along the feed's index, scope by scope, so that its cost follows from the
//! page, not from the size of the district. A filter that few records pass ends a page early
//! rather than searching on: such a page is short, or empty, and still says where to go on.

use std::collections::BTreeSet;

pub use hazardloop_domain::geography::Area;
use hazardloop_domain::geography::{
    BoundingBox, CoordinateReference, MAX_NEAR_M, bounding_box_around, cells_covering,
};
use hazardloop_sync_protocol::wire::{RecordKind, Scope};
use uuid::Uuid;

use crate::failure::Failure;
use crate::store::hazard_lists::Order;
use crate::store::lists::{self, Key, Placed};
use crate::store::{Conn, StoreError};
use going_on::going_on;

pub mod enterprises;
mod going_on;
pub mod hazard;
mod hazard_filters;
pub mod hazards;
pub mod history;
pub mod inspection;
pub mod inspections;
mod keys;
pub mod orders;
pub mod recurrences;
mod text_walk;

#[cfg(test)]
mod cursor_tests;
#[cfg(test)]
mod filters_made;
#[cfg(test)]
mod filters_tests;
#[cfg(test)]
mod growth_tests;
#[cfg(test)]
mod large_tests;

/// Records that one filtered page looks through at most, before it says "go on from here".
pub const EXAMINED_PER_PAGE: usize = 5_000;

/// Records that a filtered page looks through in one statement.
const EXAMINED_AT_ONCE: usize = 500;

/// Records of an area that are sorted at once; where there are more, the list is walked instead.
pub const AREA_CANDIDATES: usize = 2_000;

/// The largest radius of a nearby query, metres.
pub const MAX_RADIUS_M: f64 = MAX_NEAR_M;

/// Ranges of cells that an area is covered with.
const AREA_RANGES: usize = 16;

/// How far the shifted coordinate references of public maps lie from WGS-84 at most, degrees.
const SHIFT_MARGIN_DEGREES: f64 = 0.03;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The records, newest first.
    pub items: Vec<T>,
    /// Where the next page begins; absent at the end. The next page may be empty.
    pub next: Option<Key>,
}

/// Which page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// After which record.
    pub after: Option<Key>,
    /// Records at most.
    pub limit: usize,
}

/// A WGS-84 box around the area.
fn bounds(area: &Area) -> Result<BoundingBox, Failure> {
    let bounds = match area {
        Area::Near { centre, radius_m } => bounding_box_around(*centre, *radius_m),
        Area::Box { edges, reference } => {
            let margin = match reference {
                CoordinateReference::Wgs84 | CoordinateReference::Cgcs2000 => 0.0,
                CoordinateReference::Gcj02 | CoordinateReference::Bd09 => SHIFT_MARGIN_DEGREES,
            };
            BoundingBox::new(
                (edges.west() - margin).max(-180.0),
                (edges.south() - margin).max(-90.0),
                (edges.east() + margin).min(180.0),
                (edges.north() + margin).min(90.0),
            )
        }
    };
    bounds.map_err(|error| Failure::invalid("area", error.to_string()))
}

/// Looks an area up in the database.
trait AreaRecords {
    /// The records of the area, exactly; `None` when there are more than [`AREA_CANDIDATES`].
    fn candidates(&self, conn: &mut Conn, kind: RecordKind) -> Result<Option<Vec<Uuid>>, Failure>;

    /// Those of `placed` that lie in it.
    fn only_inside(&self, placed: Vec<Placed>) -> Vec<Uuid>;
}

impl AreaRecords for Area {
    fn candidates(&self, conn: &mut Conn, kind: RecordKind) -> Result<Option<Vec<Uuid>>, Failure> {
        let ranges = cells_covering(&bounds(self)?, AREA_RANGES);
        let most = AREA_CANDIDATES + 1;
        let found = match kind {
            RecordKind::Enterprise => lists::enterprises_in_cells(conn, &ranges, most)?,
            _ => lists::hazards_in_cells(conn, &ranges, most)?,
        };
        if found.len() > AREA_CANDIDATES {
            return Ok(None);
        }
        Ok(Some(self.only_inside(found)))
    }

    fn only_inside(&self, placed: Vec<Placed>) -> Vec<Uuid> {
        let inside = |placed: &Placed| placed.point.is_some_and(|point| self.contains(point));
        placed
            .into_iter()
            .filter(inside)
            .map(|placed| placed.id)
            .collect()
    }
}

/// Which of these records pass the filters.
type Passing<'a> = dyn FnMut(&mut Conn, &[Uuid]) -> Result<BTreeSet<Uuid>, Failure> + 'a;

/// What an index holds before a key, newest first.
type Newest<'a> = dyn FnMut(&mut Conn, Option<Key>, usize) -> Result<Vec<Key>, StoreError> + 'a;

/// A list of one kind of record in some scopes.
struct List<'a> {
    scopes: &'a [Scope],
    /// Only what one of these holds too.
    within: Option<&'a [Scope]>,
    kind: RecordKind,
    wanted: Wanted,
}

impl List<'_> {
    /// Walks the list itself. `filtered`: whether some records may fail to pass.
    fn walk(
        &self,
        conn: &mut Conn,
        filtered: bool,
        passing: &mut Passing<'_>,
    ) -> Result<Page<Key>, Failure> {
        let newest = &mut |conn: &mut Conn, before, limit| {
            lists::newest_first(conn, self.scopes, self.kind, before, limit)
        };
        self.walk_along(conn, newest, filtered, passing)
    }

    /// Walks along another index: `newest` answers what it holds before a key, newest first, at
    /// most so many.
    fn walk_along(
        &self,
        conn: &mut Conn,
        newest: &mut Newest<'_>,
        filtered: bool,
        passing: &mut Passing<'_>,
    ) -> Result<Page<Key>, Failure> {
        let Wanted { after, limit } = self.wanted;
        let filtered = filtered || self.within.is_some();
        let at_once = if filtered {
            EXAMINED_AT_ONCE
        } else {
            limit.saturating_add(1)
        };
        let mut items = Vec::new();
        let mut before = after;
        let mut examined = 0;
        // The last that the asker may see.
        let mut seen = None;
        loop {
            let keys = newest(conn, before, at_once)?;
            let ids: Vec<Uuid> = keys.iter().map(|key| key.id).collect();
            let passed = if filtered {
                let mut passed = passing(conn, &ids)?;
                self.keep_within(conn, &ids, &mut passed)?;
                Some(passed)
            } else {
                None
            };
            for key in &keys {
                if items.len() == limit {
                    return Ok(Page {
                        next: items.last().copied(),
                        items,
                    });
                }
                let passes = passed.as_ref().is_none_or(|ids| ids.contains(&key.id));
                if passes {
                    items.push(*key);
                }
                if passes || self.within.is_none() {
                    seen = Some(*key);
                }
            }
            examined += keys.len();
            if keys.len() < at_once {
                return Ok(Page { items, next: None });
            }
            before = keys.last().copied();
            if items.len() == limit {
                let next = items.last().copied();
                return Ok(Page { items, next });
            }
            if examined >= EXAMINED_PER_PAGE
                && let Some(last) = before
                && let Some(next) = going_on(Order::Newest, after, seen, last)
            {
                let next = Some(next);
                return Ok(Page { items, next });
            }
        }
    }

    fn keep_within(
        &self,
        conn: &mut Conn,
        ids: &[Uuid],
        passed: &mut BTreeSet<Uuid>,
    ) -> Result<(), Failure> {
        if let Some(scopes) = self.within {
            let held = lists::held_by(conn, scopes, self.kind, ids)?;
            let held: BTreeSet<Uuid> = held.into_iter().map(|key| key.id).collect();
            passed.retain(|id| held.contains(id));
        }
        Ok(())
    }

    /// Sorts some records into a page.
    fn of_candidates(
        &self,
        conn: &mut Conn,
        candidates: &[Uuid],
        passing: &mut Passing<'_>,
    ) -> Result<Page<Key>, Failure> {
        let Wanted { after, limit } = self.wanted;
        let mut keys = BTreeSet::new();
        for ids in candidates.chunks(EXAMINED_AT_ONCE) {
            let mut passed = passing(conn, ids)?;
            self.keep_within(conn, ids, &mut passed)?;
            let held = lists::held_by(conn, self.scopes, self.kind, ids)?;
            keys.extend(held.into_iter().filter(|key| passed.contains(&key.id)));
        }
        let mut following = keys
            .into_iter()
            .rev()
            .filter(|key| after.is_none_or(|after| *key < after));
        let items: Vec<Key> = following.by_ref().take(limit).collect();
        let next = following.next().and_then(|_| items.last().copied());
        Ok(Page { items, next })
    }
}

/// Puts loaded records into the order of their keys. One that is gone meanwhile is left out.
fn in_order<T>(page: Page<Key>, records: Vec<T>, id: impl Fn(&T) -> Uuid) -> Page<T> {
    let mut by_id: std::collections::BTreeMap<Uuid, T> = records
        .into_iter()
        .map(|record| (id(&record), record))
        .collect();
    let items = page
        .items
        .iter()
        .filter_map(|key| by_id.remove(&key.id))
        .collect();
    Page {
        items,
        next: page.next,
    }
}
