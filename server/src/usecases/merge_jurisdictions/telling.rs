//! Telling the successor of what was filed in the dissolved jurisdiction before it was merged. What is filed or
//! changed there since tells the successor by itself, because the one lies below the other.

use std::collections::BTreeMap;

use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::hazard::Hazard;
use hazardloop_domain::ids::{EnterpriseId, HazardId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::Scope;
use uuid::Uuid;

use super::{reach_on, records_at_once, scopes};
use crate::app::App;
use crate::failure::Failure;
use crate::store::enterprise_rows::{self, Row};
use crate::store::hazard_lists::{self, Listed};
use crate::store::lists::{self, Key};
use crate::store::merges::{self, Lot, Merge, NOTHING_YET, Stage};
use crate::store::{StoreError, WriteTx, enterprises, search, sector_scopes, tasks};
use crate::usecases::unclaimed;

/// Tells it of the next lot; after the last one, people's turn has come.
pub(super) fn lot(
    app: &App,
    tx: &mut WriteTx<'_>,
    merge: &Merge,
    now: Timestamp,
) -> Result<(), Failure> {
    let most = records_at_once(app);
    let into = scopes(tx.conn(), merge.into)?;
    let lot = merges::lot(tx, merge.from, &merge.after, most)?;
    lot.tell(tx, &into)?;
    let [firms, hazards, _] = &lot.ids;
    let firms = lists::enterprises(tx.conn(), &uuids(firms)?)?;
    list_firms(tx, &into, &firms)?;
    tell_tasks(tx, &lot, &into, &firms)?;
    let hazards = lists::hazards(tx.conn(), &uuids(hazards)?)?;
    let listed = |hazard: &Hazard| Listed::new(hazard, &[Scope::Jurisdiction(merge.into)]);
    hazard_lists::list_too(tx, &hazards.iter().map(listed).collect::<Vec<_>>())?;
    // A search finds them in the successor too.
    search::put_waiting(tx, &hazards.iter().map(key_of).collect::<Vec<_>>())?;
    let ids: Vec<HazardId> = hazards.iter().map(|hazard| hazard.id).collect();
    unclaimed::settle(tx, &ids)?;
    if let Some(last) = &lot.last {
        return reach_on(tx, merge, Stage::Telling, last);
    }
    // Whoever holds one sector must find all of it in the successor, what was there before as well.
    for scope in &into {
        if let Scope::JurisdictionSector(id, sector) = scope
            && !sector_scopes::fill(tx, (*id, *sector), most, now)?
        {
            return Ok(());
        }
    }
    reach_on(tx, merge, Stage::People, &NOTHING_YET)
}

/// What waits for people by name where it was filed waits for them in the successor too.
fn tell_tasks(
    tx: &mut WriteTx<'_>,
    lot: &Lot,
    into: &[Scope],
    firms: &[Enterprise],
) -> Result<(), Failure> {
    let [_, _, inspections] = &lot.ids;
    let inspections = lists::inspections(tx.conn(), &uuids(inspections)?)?;
    let ids: Vec<EnterpriseId> = firms.iter().map(|firm| firm.id).collect();
    let teams = tasks::teams_at(tx.conn(), &ids)?;
    let of_firms = firms.iter().filter_map(|firm| {
        let team = teams.get(&firm.id)?.clone();
        Some((firm.id.0, team, Some(firm.sector.as_str())))
    });
    let of_inspections = inspections
        .iter()
        .map(|it| (it.id.0, it.carried_out_by(), it.sector.as_deref()));
    let mut told: BTreeMap<Scope, Vec<Uuid>> = BTreeMap::new();
    for (id, team, sector) in of_firms.chain(of_inspections) {
        for (person, scope) in team
            .iter()
            .flat_map(|one| into.iter().map(move |it| (one, it)))
        {
            let scope = match scope {
                Scope::Jurisdiction(id) => Scope::Tasks(*person, *id, None),
                Scope::JurisdictionSector(id, own) if Some(own.as_str()) == sector => {
                    Scope::Tasks(*person, *id, Some(*own))
                }
                _ => continue,
            };
            told.entry(scope).or_default().push(id);
        }
    }
    for (scope, ids) in told {
        lot.tell_of(tx, scope, &ids)?;
    }
    Ok(())
}

/// What filtered lists of enterprises are made of.
fn list_firms(tx: &mut WriteTx<'_>, into: &[Scope], firms: &[Enterprise]) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for firm in firms {
        let created_at = enterprises::created_at(tx.conn(), EnterpriseId(firm.id.0))?;
        let created_at = created_at.ok_or(StoreError::Missing)?;
        let of_it = |scope: &&Scope| match scope {
            Scope::JurisdictionSector(_, sector) => sector.as_str() == firm.sector,
            _ => true,
        };
        let scopes = into.iter().filter(of_it);
        rows.extend(scopes.map(|scope| Row::new(*scope, firm, created_at)));
    }
    Ok(enterprise_rows::put(tx, rows)?)
}

fn key_of(hazard: &Hazard) -> Key {
    Key {
        at: hazard.received_at.as_millis(),
        id: hazard.id.0,
    }
}

pub(super) fn uuids(ids: &[Vec<u8>]) -> Result<Vec<Uuid>, StoreError> {
    let read = |id: &Vec<u8>| {
        Uuid::from_slice(id).map_err(|_| StoreError::Corrupt {
            what: "an id that is not 16 bytes".to_owned(),
        })
    };
    ids.iter().map(read).collect()
}
