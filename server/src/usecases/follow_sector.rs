//! Hazards of an enterprise whose sector was corrected. A report takes the sector that its enterprise has
//! then; when that turns out to be wrong, the open ones among them get the right one, as acts of the
//! server, and with it the department that answers for it where they are. Else the new department would
//! not see them, and the old one would have them for ever.
//!
//! What stays: hazards of another sector than the enterprise had, which a person assigned; those that
//! another body took over; those that are closed or on their way to another body; and those for whose
//! new sector no department answers, since an assignment names one.

use std::fmt;
use std::str::FromStr;

use hazardloop_domain::command::{Action, AssignSector, Command, Subject};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::StatusName;
use hazardloop_domain::ids::{EnterpriseId, HazardId};
use hazardloop_domain::responsibility::Basis;
use hazardloop_domain::time::Timestamp;

use super::execute::{Door, Sender, WorkingSet};
use super::responsibilities;
use crate::app::App;
use crate::failure::Failure;
use crate::store::jobs::{self, JobKind, NewJob};
use crate::store::lists::Key;
use crate::store::{StoreError, WriteTx, enterprises, places};

/// A correction: whose sector, and what it was before. What it is now is read when the job runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corrected {
    /// The enterprise.
    pub enterprise_id: EnterpriseId,
    /// 监管行业 before.
    pub before: String,
}

impl fmt::Display for Corrected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.enterprise_id, self.before)
    }
}

/// A text that is no correction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an enterprise and a sector")]
pub struct BadCorrection;

impl FromStr for Corrected {
    type Err = BadCorrection;

    fn from_str(text: &str) -> Result<Self, BadCorrection> {
        let (id, before) = text.split_once(' ').ok_or(BadCorrection)?;
        Ok(Self {
            enterprise_id: id.parse().map_err(|_| BadCorrection)?,
            before: before.to_owned(),
        })
    }
}

/// Has the hazards of an enterprise follow its correction to `after`.
///
/// # Errors
/// When the database does not answer.
pub(super) fn follow_later(
    tx: &mut WriteTx<'_>,
    after: &Enterprise,
    before: &Enterprise,
    now: Timestamp,
) -> Result<(), StoreError> {
    let corrected = Corrected {
        enterprise_id: after.id,
        before: before.sector.clone(),
    };
    // Its id follows from the correction: whoever imports on the command line has no server whose ids
    // to take. Without a key: an earlier correction may be followed at this very moment.
    let name = Digest::sha256_of_parts(&[
        b"hazardloop follow sector",
        after.id.as_bytes(),
        &after.version.to_be_bytes(),
    ]);
    let mut tail = [0; 10];
    tail.iter_mut()
        .zip(name.as_bytes())
        .for_each(|(to, from)| *to = *from);
    let ms = u64::try_from(now.as_millis()).unwrap_or_default();
    let job = NewJob {
        id: uuid::Builder::from_unix_timestamp_millis(ms, &tail).into_uuid(),
        kind: JobKind::FollowSector,
        dedup_key: None,
        payload: corrected.to_string(),
        run_at: now,
    };
    jobs::enqueue(tx.conn(), &job)?;
    Ok(())
}

/// Gives the hazards their sector, a bounded lot a transaction. Running it again changes nothing more.
///
/// # Errors
/// When the database does not answer; what was changed by then stays.
pub async fn follow(app: &App, corrected: &Corrected) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let door = Door::new(app);
        let (clock, corrected) = (app.clock.clone(), corrected.clone());
        let most = app.settings.hazards.moved_at_once.max(1);
        let lot = app
            .db
            .write(move |tx| follow_lot(tx, &door, &corrected, (after, most), clock.now()));
        after = lot.await?;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// Answers after which hazard to go on; `None`: that was all.
fn follow_lot(
    tx: &mut WriteTx<'_>,
    door: &Door,
    corrected: &Corrected,
    (after, most): (Option<Key>, usize),
    now: Timestamp,
) -> Result<Option<Key>, Failure> {
    let id = corrected.enterprise_id;
    // Its sector stays what it is until this lot is stored.
    enterprises::hold_against_moves(tx, id)?;
    let Some(enterprise) = places::enterprise(tx.conn(), id)? else {
        return Ok(None);
    };
    if enterprise.sector == corrected.before {
        return Ok(None);
    }
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let keys = enterprises::hazards_of_sector(tx.conn(), id, &corrected.before, after, limit)?;
    let ids: Vec<HazardId> = keys.iter().map(|key| HazardId(key.id)).collect();
    let mut set = door.open(now);
    let subjects: Vec<Subject> = ids.iter().copied().map(Subject::Hazard).collect();
    set.expect(tx.conn(), &subjects)?;
    for id in ids {
        let Some(assignment) = assignment(&mut set, tx, id, &enterprise.sector)? else {
            continue;
        };
        let command = Command::new(id, Action::AssignSector(assignment));
        match set.decide(tx, &command, &Sender::SERVER) {
            // A sector that nobody knows any more is assigned by nobody.
            Err(Failure::Refused(refusal)) => {
                tracing::warn!(hazard = %id, %refusal, "its enterprise's sector was not assigned");
            }
            done => drop(done?),
        }
    }
    set.store(tx)?;
    Ok(keys.last().copied().filter(|_| keys.len() >= most))
}

/// What is assigned to a hazard; `None`: it stays as it is.
fn assignment(
    set: &mut WorkingSet<'_>,
    tx: &mut WriteTx<'_>,
    id: HazardId,
    sector: &str,
) -> Result<Option<AssignSector>, Failure> {
    let Some(hazard) = set.hazard(tx.conn(), id)? else {
        return Ok(None);
    };
    let open = StatusName::OPEN.contains(&hazard.status_name());
    if !open || hazard.taken_over {
        return Ok(None);
    }
    let place = hazard.jurisdiction_id;
    let way = set.lineage(tx.conn(), place)?.ancestors.clone();
    let answer = responsibilities::answering(tx.conn(), &way, sector)?;
    let by_fallback = answer.basis == Basis::Fallback;
    Ok(answer.department.map(|department| AssignSector {
        sector: sector.to_owned(),
        department,
        by_fallback,
    }))
}

#[cfg(test)]
#[path = "follow_sector_tests.rs"]
mod tests;
