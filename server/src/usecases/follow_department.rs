//! Open hazards follow when a jurisdiction says that another department answers for their sector. Else they would go on
//! naming one that no longer does, in lists and in the orders that are printed.
//!
//! It is the department that the jurisdiction named before which is replaced: what a person gave to yet another one stays,
//! as does what another body took over and what has come to its end. Where nobody answers for the sector any more,
//! the hazard keeps the name: somebody has to be named before it can be taken away.
//!
//! Who sees and does what in a sector are questions of roles, not of this name.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use hazardloop_domain::command::{Action, AssignSector, Command, Subject};
use hazardloop_domain::hazard::Hazard;
use hazardloop_domain::ids::{HazardId, JurisdictionId};
use hazardloop_domain::responsibility::{Answer, Basis, Matrix};
use hazardloop_domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::enqueue::enqueue;
use super::execute::{Door, Sender, lineage};
use super::responsibilities;
use crate::app::App;
use crate::failure::Failure;
use crate::store::jobs::JobKind;
use crate::store::{Conn, WriteTx, unclaimed};

/// Lots that one run of the job looks at before other jobs have their turn.
pub const LOTS_AT_A_TIME: usize = 10;

/// A walk of the job through the hazards of a jurisdiction, and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    /// The jurisdiction that says so.
    pub place: JurisdictionId,
    /// The departments that answered before.
    pub replaced: Vec<Replaced>,
    /// After which hazard.
    pub after: Option<HazardId>,
}

/// A department that stops to answer for something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// 监管行业; absent: what no department plainly answers for (业务相近).
    pub sector: Option<String>,
    /// The department.
    pub department: String,
}

impl Replaced {
    /// Whether a hazard of this sector goes on naming the department because of what the jurisdiction says.
    fn is_named_by(&self, hazard: &Hazard) -> bool {
        hazard.department.as_ref() == Some(&self.department)
            && (self.sector.is_none() || self.sector == hazard.sector)
    }
}

/// The departments that stop to answer for something when a jurisdiction says `after` instead of `before`. To be asked
/// while it still says the latter.
///
/// # Errors
/// When the database does not answer.
pub(super) fn replaced(
    conn: &mut Conn,
    place: JurisdictionId,
    (before, after): (&Matrix, &Matrix),
) -> Result<Vec<Replaced>, Failure> {
    let way = lineage(conn, place)?.ancestors;
    let mut replaced = Vec::new();
    let mut note = |sector: Option<&String>, department: &str| {
        replaced.push(Replaced {
            sector: sector.cloned(),
            department: department.to_owned(),
        });
    };
    for (sector, department) in &before.rows {
        if after.rows.get(sector) != Some(department) {
            note(Some(sector), department);
        }
    }
    for sector in after.rows.keys() {
        if before.rows.contains_key(sector) {
            continue;
        }
        // It was left to whoever took what is left, or one above said who answers.
        if let Some(department) = responsibilities::answering(conn, &way, sector)?.department {
            note(Some(sector), &department);
        }
    }
    let fallback = before.fallback.as_ref();
    if let Some(department) = fallback.filter(|_| before.fallback != after.fallback) {
        note(None, department);
    }
    Ok(replaced)
}

/// Has hazards follow what a jurisdiction says from now on.
///
/// # Errors
/// When the database does not answer.
pub(super) fn follow_later(
    tx: &mut WriteTx<'_>,
    app: &App,
    walk: &Walk,
    now: Timestamp,
) -> Result<(), Failure> {
    if walk.replaced.is_empty() {
        return Ok(());
    }
    let payload = serde_json::to_string(walk)
        .map_err(|error| Failure::Internal(format!("encoding a job: {error}")))?;
    // Without a key: an earlier walk may be at its end already.
    enqueue(tx, app, JobKind::FollowDepartment, None, payload, now)
}

/// Looks at hazards, [`LOTS_AT_A_TIME`]; where there are more behind them, another job goes on. Running it again
/// changes nothing more.
///
/// # Errors
/// When the database does not answer; what was changed by then stays.
pub async fn follow(app: &App, mut walk: Walk) -> Result<(), Failure> {
    let most = app.settings.hazards.moved_at_once.max(1);
    for _ in 0..LOTS_AT_A_TIME {
        let (door, from, now) = (Door::new(app), walk.clone(), app.clock.now());
        let lot = app
            .db
            .write(move |tx| follow_lot(tx, &door, &from, most, now));
        match lot.await? {
            Some(last) => walk.after = Some(last),
            None => return Ok(()),
        }
    }
    let (shared, now) = (app.clone(), app.clock.now());
    let go_on = app
        .db
        .write(move |tx| follow_later(tx, &shared, &walk, now));
    go_on.await
}

/// Answers after which hazard to go on; `None`: that was all.
fn follow_lot(
    tx: &mut WriteTx<'_>,
    door: &Door,
    walk: &Walk,
    most: usize,
    now: Timestamp,
) -> Result<Option<HazardId>, Failure> {
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let after = walk.after.map(|id| id.0);
    let ids = unclaimed::held_after(tx.conn(), walk.place, after, limit)?;
    // First held, then judged.
    let open = unclaimed::open_ones_held(tx, &ids)?;
    let named = |hazard: &Hazard| {
        !hazard.taken_over && walk.replaced.iter().any(|it| it.is_named_by(hazard))
    };
    let hazards: Vec<Hazard> = open.into_iter().filter(named).collect();
    let mut set = door.open(now);
    let subjects: Vec<Subject> = hazards.iter().map(|it| Subject::Hazard(it.id)).collect();
    set.expect(tx.conn(), &subjects)?;
    let mut known = BTreeMap::new();
    for hazard in hazards {
        let Some(sector) = &hazard.sector else {
            continue;
        };
        let place = hazard.jurisdiction_id;
        let way = set.lineage(tx.conn(), place)?.ancestors.clone();
        let answer = match known.entry((place, sector.clone())) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                unknown.insert(responsibilities::answering(tx.conn(), &way, sector)?)
            }
        };
        let replaced = walk.replaced.iter().filter(|it| it.is_named_by(&hazard));
        let Some(department) = of_others(walk.place, &way, answer, replaced) else {
            continue;
        };
        let assignment = AssignSector {
            sector: sector.clone(),
            department: department.to_owned(),
            by_fallback: answer.basis == Basis::Fallback,
        };
        let command = Command::new(hazard.id, Action::AssignSector(assignment));
        match set.decide(tx, &command, &Sender::SERVER) {
            // A sector that nobody knows any more is assigned by nobody.
            Err(Failure::Refused(refusal)) => {
                tracing::warn!(hazard = %hazard.id, %refusal, "its department was not replaced");
            }
            done => drop(done?),
        }
    }
    set.store(tx)?;
    Ok(ids.last().copied().filter(|_| ids.len() >= most))
}

/// The department that answers now in place of one of these, by what `place` says or no longer says; `None`: what it says
/// has never counted where the hazard is, or nobody answers, or it is still the same one.
fn of_others<'a>(
    place: JurisdictionId,
    way: &[JurisdictionId],
    answer: &'a Answer,
    mut replaced: impl Iterator<Item = &'a Replaced>,
) -> Option<&'a str> {
    let department = answer.department.as_deref()?;
    let at = |id: JurisdictionId| way.iter().position(|above| *above == id);
    let below = answer.said_by.and_then(at) > at(place);
    let fallback = answer.basis == Basis::Fallback;
    // One that lies nearer has said so before. But a row here was heard before any fallback, were that nearer.
    let counted = |it: &Replaced| match (&it.sector, fallback) {
        (Some(_), true) => true,
        (Some(_), false) => !below,
        (None, true) => !below,
        (None, false) => false,
    };
    let is_other = |it: &Replaced| it.department != department && counted(it);
    replaced.any(is_other).then_some(department)
}
