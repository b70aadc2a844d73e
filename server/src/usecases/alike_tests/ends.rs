//! What came to its end, and what the windows then leave out, told by the records themselves.

use hazardloop_domain::access::Grant;
use hazardloop_domain::hazard::Hazard;
use hazardloop_domain::inspection::Inspection;
use hazardloop_domain::jurisdiction::Level;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::hub::scopes_granted;

use super::*;
use crate::settings::{WindowSettings, Windows};
use crate::store::places::{self, Lineage};
use crate::store::{hazards, inspections};
use crate::usecases::reach::handed_in_by;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Windows of a few days, each kind its own.
pub(super) fn set(windows: &mut Windows) {
    let of = |closed_days| WindowSettings {
        closed_days,
        closed_bytes: 1 << 30,
    };
    *windows = Windows {
        reports: of(2),
        enterprise: of(3),
        city: of(0),
        district: of(1),
        town: of(2),
        village: of(2),
        grid: of(2),
    };
}

fn all(world: &World<'_>) -> (Vec<Hazard>, Vec<Inspection>) {
    let (wanted, visits) = (world.hazards.clone(), world.inspections.clone());
    let db = &world.app().db;
    db.read_blocking(|tx| {
        let loaded = hazards::load_all(tx.conn(), &wanted)?;
        let visits = inspections::load_all(tx.conn(), &visits)?;
        let loaded = loaded.into_iter().map(|loaded| loaded.hazard).collect();
        let visits = visits.into_iter().map(|(visit, _)| visit).collect();
        Ok::<_, crate::store::StoreError>((loaded, visits))
    })
    .unwrap()
}

/// Notes what has just come to its end, or goes on.
pub(super) fn note(world: &mut World<'_>) {
    let now = world.app().clock.now();
    let (hazards, visits) = all(world);
    let hazards = hazards.iter().map(|it| (it.id.0, it.is_settled()));
    let visits = visits.iter().map(|it| (it.id.0, it.is_settled()));
    for (id, settled) in hazards.chain(visits) {
        match settled {
            true => drop(world.ended.entry(id).or_insert(now)),
            false => drop(world.ended.remove(&id)),
        }
    }
}

/// Of what is shown to somebody, what the windows of their scopes leave, and how much they do not.
pub(super) fn windowed(
    world: &World<'_>,
    who: PersonId,
    grants: &[Grant],
    shown: &Versions,
) -> (Versions, usize) {
    let now = world.app().clock.now();
    let scopes = scopes_granted(who, grants, now);
    let mut within = shown.clone();
    let (hazards, visits) = all(world);
    let standing = hazards.iter().map(|it| {
        let own = handed_in_by(it) == Some(who);
        let places = [Some(it.jurisdiction_id), it.handed_over_by()];
        (it.id.0, it.enterprise_id, places, it.sector.clone(), own)
    });
    let visits = visits.iter().map(|it| {
        let places = [Some(it.jurisdiction_id), None];
        (it.id.0, it.announced_to(), places, it.sector.clone(), false)
    });
    for (id, enterprise, places, sector, own) in standing.chain(visits) {
        let Some(ended) = world.ended.get(&id) else {
            continue;
        };
        let ways: Vec<Lineage> = places
            .into_iter()
            .flatten()
            .map(|id| way(world, id))
            .collect();
        let among = |id| ways.iter().any(|way| way.ancestors.contains(&id));
        let reaches = scopes.iter().any(|scope| {
            let holds = match scope {
                Scope::Enterprise(id) => enterprise == Some(*id),
                Scope::Jurisdiction(id) => among(*id),
                Scope::JurisdictionSector(id, of) => {
                    among(*id) && sector.as_deref() == Some(of.as_str())
                }
                Scope::OwnReports(_) => own,
                // What has ended waits for nobody.
                Scope::Person(_) | Scope::Tasks(..) | Scope::Catalog => false,
            };
            holds && *ended >= begins(world, scope, now)
        });
        if !reaches {
            within.retain(|(_, held), _| *held != id);
        }
    }
    let outside = shown.len() - within.len();
    (within, outside)
}

fn way(world: &World<'_>, id: hazardloop_domain::ids::JurisdictionId) -> Lineage {
    let db = &world.app().db;
    let way = db.read_blocking(|tx| places::lineage(tx.conn(), id));
    way.unwrap().unwrap()
}

/// When the window of a scope begins.
fn begins(world: &World<'_>, scope: &Scope, now: Timestamp) -> Timestamp {
    let days = match scope {
        Scope::OwnReports(_) => 2,
        Scope::Enterprise(_) => 3,
        Scope::Jurisdiction(id) | Scope::JurisdictionSector(id, _) => {
            let db = &world.app().db;
            let level = db.read_blocking(|tx| places::level_of(tx.conn(), *id));
            match level.unwrap().unwrap() {
                Level::City => 0,
                Level::District => 1,
                Level::Town | Level::Village | Level::Grid => 2,
            }
        }
        Scope::Person(_) | Scope::Tasks(..) | Scope::Catalog => 0,
    };
    now.plus_millis(-days * DAY_MS)
}
