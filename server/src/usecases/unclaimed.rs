//! Open hazards that no department answers for (监管盲区): of no known sector, or of one that neither
//! their jurisdiction nor any above it names, where nobody takes what is left.
//!
//! Who answers follows from the hazard and from what the jurisdictions above it say (`responsibilities`),
//! so a list of those for whom nobody does could only be had by looking through all hazards. The queue is
//! therefore stored: a row for each such hazard in each jurisdiction that it is in (`unclaimed_hazards`),
//! read along one index, so that a page costs what it shows, whatever else there is. It stays true in
//! two ways. Whatever changes a hazard settles its rows in the same transaction
//! (`execute/queue.rs`). When a jurisdiction says something else, a job looks again at what that may have
//! changed, in bounded lots: where it only names more, at its own queue; where it names something no
//! longer, at all hazards in it. Until the job has come by, the queue passes over what is answered for
//! by now, since every hazard is judged once more as it is shown; what has just lost its department
//! appears as the job reaches it.
//!
//! Oldest first, unlike the other lists: it is there to be worked off, and what has been nobody's for
//! longest is what must not sink.
//!
//! A hazard leaves by being assigned (`assign_sector`), by its sector becoming known, by somebody's
//! saying who answers for that sector or for what is left, or by its end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use hazardloop_domain::hazard::Hazard;
use hazardloop_domain::ids::{HazardId, JurisdictionId, PersonId};
use hazardloop_domain::operations::Operation;
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use super::enqueue::enqueue;
use super::execute::lineage;
use super::merge_jurisdictions::standing_for;
use super::reach::{Reach, Seat};
use super::read::{EXAMINED_PER_PAGE, Page, Wanted};
use super::responsibilities;
use crate::app::App;
use crate::failure::Failure;
use crate::store::jobs::JobKind;
use crate::store::lists::{self, Key};
use crate::store::unclaimed::{self, QueueOf, Waiting};
use crate::store::{Conn, WriteTx, places};

/// Lots that one run of the job looks at before other jobs have their turn.
pub const LOTS_AT_A_TIME: usize = 10;

/// Who answers where, as one transaction has read it.
#[derive(Debug, Default)]
pub(super) struct Answers {
    ways: BTreeMap<JurisdictionId, Vec<JurisdictionId>>,
    known: BTreeMap<(JurisdictionId, String), bool>,
}

impl Answers {
    /// Whether some department answers for a sector in the last jurisdiction of `way`. For an unknown
    /// sector nobody does, not even who takes what is left: whether that is theirs is to be seen.
    pub fn is_somebody(
        &mut self,
        conn: &mut Conn,
        way: &[JurisdictionId],
        sector: Option<&str>,
    ) -> Result<bool, Failure> {
        let (Some(place), Some(sector)) = (way.last(), sector) else {
            return Ok(false);
        };
        let key = (*place, sector.to_owned());
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let somebody = responsibilities::answering(conn, way, sector)?.is_somebody();
        self.known.insert(key, somebody);
        Ok(somebody)
    }

    /// The rows by which a hazard is in the queue; `None`: it is not.
    fn rows(
        &mut self,
        conn: &mut Conn,
        hazard: &Hazard,
    ) -> Result<Option<Vec<unclaimed::Row>>, Failure> {
        let Some(waiting) = Waiting::of(hazard) else {
            return Ok(None);
        };
        let place = waiting.jurisdiction_id;
        let way = match self.ways.get(&place) {
            Some(way) => way.clone(),
            None => {
                let way = lineage(conn, place)?.ancestors;
                self.ways.insert(place, way.clone());
                way
            }
        };
        let somebody = self.is_somebody(conn, &way, waiting.sector.as_deref())?;
        Ok((!somebody).then(|| waiting.rows(&way).collect()))
    }
}

/// The queue of all that `asker` looks after, or of one jurisdiction within it, oldest first. A page
/// may be short, or empty, and still say where to go on.
///
/// # Errors
/// [`Failure::Forbidden`] without a role for it anywhere.
pub async fn list(
    app: &App,
    asker: PersonId,
    within: Option<JurisdictionId>,
    wanted: Wanted,
) -> Result<Page<Hazard>, Failure> {
    let now = app.clock.now();
    app.db
        .read(move |tx| {
            let queues = queues(tx.conn(), asker, within, now)?;
            page(tx.conn(), &queues, wanted)
        })
        .await
}

fn queues(
    conn: &mut Conn,
    asker: PersonId,
    within: Option<JurisdictionId>,
    now: Timestamp,
) -> Result<Vec<QueueOf>, Failure> {
    let roles = Operation::ViewUnclaimed.roles();
    let held = Reach::of(conn, asker, now)?.held_over(roles);
    if held.is_empty() {
        let names: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
        let why = format!("needs one of these roles: {}", names.join(", "));
        return Err(Failure::Forbidden(why));
    }
    let within = match within {
        Some(id) if places::lineage(conn, id)?.is_some() => Some(standing_for(conn, id)?),
        other => other,
    };
    let mut queues = Vec::with_capacity(held.len());
    for Seat {
        jurisdiction_id: own,
        sector,
    } in held
    {
        let place = match within {
            None => Some(own),
            Some(wanted) => narrower(conn, own, wanted)?,
        };
        queues.extend(place.map(|place| (place, sector)));
    }
    Ok(queues)
}

/// That of two jurisdictions which lies in the other.
fn narrower(
    conn: &mut Conn,
    one: JurisdictionId,
    other: JurisdictionId,
) -> Result<Option<JurisdictionId>, Failure> {
    for (inner, outer) in [(other, one), (one, other)] {
        let found = places::lineage(conn, inner)?;
        if found.is_some_and(|found| found.ancestors.contains(&outer)) {
            return Ok(Some(inner));
        }
    }
    Ok(None)
}

fn page(conn: &mut Conn, queues: &[QueueOf], wanted: Wanted) -> Result<Page<Hazard>, Failure> {
    let at_once = wanted.limit.saturating_add(1);
    let mut answers = Answers::default();
    let (mut items, mut after, mut examined) = (Vec::new(), wanted.after, 0);
    loop {
        let keys = unclaimed::oldest_first(conn, queues, after, at_once)?;
        let ids: Vec<Uuid> = keys.iter().map(|key| key.id).collect();
        let found = lists::hazards(conn, &ids)?.into_iter();
        let mut found: BTreeMap<Uuid, Hazard> = found.map(|hazard| (hazard.id.0, hazard)).collect();
        for key in &keys {
            if items.len() == wanted.limit {
                return Ok(Page { items, next: after });
            }
            after = Some(*key);
            if let Some(hazard) = found.remove(&key.id)
                && answers.rows(conn, &hazard)?.is_some()
            {
                items.push(hazard);
            }
        }
        examined += keys.len();
        if keys.len() < at_once {
            return Ok(Page { items, next: None });
        }
        if examined >= EXAMINED_PER_PAGE {
            return Ok(Page { items, next: after });
        }
    }
}

/// A walk of the job through hazards of one jurisdiction, and how far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    /// Through all of them; else through those in its queue.
    pub whole: bool,
    /// The jurisdiction.
    pub place: JurisdictionId,
    /// After which; `at` counts for the queue alone.
    pub after: Option<Key>,
}

impl fmt::Display for Walk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let through = if self.whole { "all" } else { "queue" };
        write!(f, "{through} {}", self.place)?;
        match self.after {
            Some(Key { at, id }) => write!(f, " {at} {id}"),
            None => Ok(()),
        }
    }
}

/// A text that is no walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a walk through hazards")]
pub struct BadWalk;

impl FromStr for Walk {
    type Err = BadWalk;

    fn from_str(text: &str) -> Result<Self, BadWalk> {
        let parts: Vec<&str> = text.split(' ').collect();
        let (through, place, after) = match parts.as_slice() {
            [through, place] => (*through, *place, None),
            [through, place, at, id] => (*through, *place, Some((*at, *id))),
            _ => return Err(BadWalk),
        };
        let after = match after {
            None => None,
            Some((at, id)) => Some(Key {
                at: at.parse().map_err(|_| BadWalk)?,
                id: id.parse().map_err(|_| BadWalk)?,
            }),
        };
        Ok(Self {
            whole: match through {
                "all" => true,
                "queue" => false,
                _ => return Err(BadWalk),
            },
            place: place.parse().map_err(|_| BadWalk)?,
            after,
        })
    }
}

/// Has hazards looked at again.
///
/// # Errors
/// When the database does not answer.
pub(super) fn recount_later(
    tx: &mut WriteTx<'_>,
    app: &App,
    walk: Walk,
    now: Timestamp,
) -> Result<(), Failure> {
    // Without a key: an earlier walk may be at its end already.
    let kind = JobKind::RecountUnclaimed;
    enqueue(tx, app, kind, None, walk.to_string(), now)
}

/// Looks at hazards again, [`LOTS_AT_A_TIME`]; where there are more behind them, another job goes on.
///
/// # Errors
/// When the database does not answer; what was settled by then stays.
pub async fn recount(app: &App, mut walk: Walk) -> Result<(), Failure> {
    let most = app.settings.hazards.moved_at_once.max(1);
    for _ in 0..LOTS_AT_A_TIME {
        let from = walk;
        let lot = app.db.write(move |tx| recount_lot(tx, from, most));
        match lot.await? {
            Some(next) => walk = next,
            None => return Ok(()),
        }
    }
    let (shared, now) = (app.clone(), app.clock.now());
    let go_on = app
        .db
        .write(move |tx| recount_later(tx, &shared, walk, now));
    go_on.await
}

/// Looks at one lot. Answers how to go on, when there may be more behind it.
fn recount_lot(tx: &mut WriteTx<'_>, walk: Walk, most: usize) -> Result<Option<Walk>, Failure> {
    let keys = if walk.whole {
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let after = walk.after.map(|after| after.id);
        let ids = unclaimed::held_after(tx.conn(), walk.place, after, limit)?;
        ids.into_iter().map(|id| Key { at: 0, id: id.0 }).collect()
    } else {
        unclaimed::oldest_first(tx.conn(), &[(walk.place, None)], walk.after, most)?
    };
    let ids: Vec<HazardId> = keys.iter().map(|key| HazardId(key.id)).collect();
    settle(tx, &ids)?;
    let last = keys.last().copied().filter(|_| keys.len() >= most);
    Ok(last.map(|last| Walk {
        after: Some(last),
        ..walk
    }))
}

/// Judges hazards again: those that nobody answers for are in the queue of every jurisdiction on the way to them,
/// others in none.
///
/// # Errors
/// When the database does not answer.
pub(super) fn settle(tx: &mut WriteTx<'_>, ids: &[HazardId]) -> Result<(), Failure> {
    // First held, then judged: whoever changes one of them reads who answers after that as well.
    let open = unclaimed::open_ones_held(tx, ids)?;
    let (mut answers, mut rows, mut stay) = (Answers::default(), Vec::new(), BTreeSet::new());
    for hazard in &open {
        if let Some(own) = answers.rows(tx.conn(), hazard)? {
            rows.extend(own);
            stay.insert(hazard.id);
        }
    }
    let gone: Vec<HazardId> = ids
        .iter()
        .copied()
        .filter(|id| !stay.contains(id))
        .collect();
    unclaimed::remove(tx, &gone)?;
    Ok(unclaimed::put(tx, rows)?)
}

#[cfg(test)]
#[path = "unclaimed_tests.rs"]
mod tests;
