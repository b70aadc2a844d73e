//! Scopes of single sectors: opened when the first grant is limited to one, and filled with what was
//! there before, in bounded lots.
//!
//! The first lot is brought in the transaction of the grant; a job brings the others. What is reported
//! or changed meanwhile is told to the new scope by whoever changes it.

use hazardloop_domain::access::Grant;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::Scope;

use super::reach::{scopes_of_grant, tasks_of_grant};
use crate::app::App;
use crate::failure::Failure;
use crate::store::jobs::{self, JobKind, NewJob};
use crate::store::sector_scopes::{self, SectorOf};
use crate::store::{StoreError, WriteTx, tasks};

/// Records that the transaction of the grant looks through for each sector.
pub const FIRST_LOT: usize = 200;

/// Lots that one run of the job brings before other jobs have their turn.
pub const LOTS_AT_A_TIME: usize = 10;

/// Opens the scopes that a grant over sectors needs and that there are not yet, and brings what waits for its person
/// by name.
///
/// # Errors
/// When the database does not answer.
pub fn open_for(
    tx: &mut WriteTx<'_>,
    person: PersonId,
    grant: &Grant,
    now: Timestamp,
) -> Result<(), StoreError> {
    for scope in scopes_of_grant(grant) {
        if let Scope::JurisdictionSector(id, sector) = scope {
            open(tx, (id, sector), now)?;
        }
    }
    for scope in tasks_of_grant(person, grant) {
        if let Scope::Tasks(person, id, Some(sector)) = scope {
            tasks::fill(tx, person, (id, sector))?;
        }
    }
    Ok(())
}

/// Opens the scope of a sector, unless it has one.
///
/// # Errors
/// When the database does not answer.
pub(super) fn open(tx: &mut WriteTx<'_>, of: SectorOf, now: Timestamp) -> Result<(), StoreError> {
    let opened = sector_scopes::open(tx, of, now)?;
    if opened && !sector_scopes::fill(tx, of, FIRST_LOT, now)? {
        enqueue_fill(tx, of, now)?;
    }
    Ok(())
}

/// Puts in the job that fills the scope of a sector.
///
/// # Errors
/// When the database does not answer.
pub(crate) fn enqueue_fill(
    tx: &mut WriteTx<'_>,
    of: SectorOf,
    now: Timestamp,
) -> Result<(), StoreError> {
    let scope = Scope::JurisdictionSector(of.0, of.1);
    jobs::enqueue(tx.conn(), &job(scope, now))?;
    Ok(())
}

/// Its id follows from the scope: whoever grants on the command line has no server whose ids to take.
fn job(scope: Scope, now: Timestamp) -> NewJob {
    let scope = scope.to_string();
    let name = Digest::sha256_of_parts(&[b"hazardloop fill", scope.as_bytes()]);
    let mut tail = [0; 10];
    tail.iter_mut()
        .zip(name.as_bytes())
        .for_each(|(to, from)| *to = *from);
    let ms = u64::try_from(now.as_millis()).unwrap_or_default();
    NewJob {
        id: uuid::Builder::from_unix_timestamp_millis(ms, &tail).into_uuid(),
        kind: JobKind::FillSector,
        dedup_key: Some(scope.clone()),
        payload: scope,
        run_at: now,
    }
}

/// Brings records into the scope of a sector, [`LOTS_AT_A_TIME`]. Answers whether all are there.
///
/// # Errors
/// When the database does not answer; what was brought by then stays.
pub async fn fill(app: &App, of: SectorOf) -> Result<bool, Failure> {
    let most = app.settings.hazards.moved_at_once;
    for _ in 0..LOTS_AT_A_TIME {
        let now = app.clock.now();
        let filled = app
            .db
            .write(move |tx| sector_scopes::fill(tx, of, most, now));
        if filled.await? {
            return Ok(true);
        }
    }
    Ok(false)
}
