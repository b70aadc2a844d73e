//! What the replica knows of places and people beside the records themselves: names, and which
//! jurisdiction lies below which.

use std::collections::BTreeMap;

use hazardloop_domain::access::{GrantScope, PersonRecord};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, PersonId};
use hazardloop_domain::jurisdiction::Jurisdiction;
use hazardloop_domain::pack::{CriteriaSearch, PackHead};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::RecordKind;

use super::{catalog, find};
use crate::driver::Device;
use crate::pin_keys::PinKeys;

/// Levels of jurisdictions that are followed upwards; more means a circle in the data.
const MAX_LEVELS: usize = 16;

/// Places and people by their ids.
pub(super) struct Ground {
    pub enterprises: BTreeMap<EnterpriseId, Enterprise>,
    pub jurisdictions: BTreeMap<JurisdictionId, Jurisdiction>,
    /// Whose device this is, where its record is known.
    pub me: Option<PersonRecord>,
    people: BTreeMap<PersonId, String>,
}

impl Ground {
    pub(super) fn of(device: &Device, now: Timestamp) -> Self {
        let engine = &device.engine;
        let enterprises = find::enterprises(device).into_iter();
        let nodes: Vec<Jurisdiction> = catalog::records(engine, RecordKind::Jurisdiction);
        let me = engine.person(now);
        // A damaged file of a key costs a name here; `pin-key list` says what is wrong with it.
        let keys = PinKeys(&device.profile).all().unwrap_or_default();
        let keys = keys.into_iter().map(|key| (key.person_id, key.name));
        let own = me.iter().map(|me| (me.id, me.name.clone()));
        Self {
            enterprises: enterprises.map(|one| (one.id, one)).collect(),
            jurisdictions: nodes.into_iter().map(|node| (node.id, node)).collect(),
            people: keys.chain(own).collect(),
            me,
        }
    }

    /// The name of an enterprise that is held here.
    pub(super) fn enterprise(&self, id: Option<EnterpriseId>) -> Option<&str> {
        let held = self.enterprises.get(&id?)?;
        Some(held.name.as_str())
    }

    /// The name of a jurisdiction that is held here.
    pub(super) fn jurisdiction(&self, id: JurisdictionId) -> Option<&str> {
        let held = self.jurisdictions.get(&id)?;
        Some(held.name.as_str())
    }

    /// The name of somebody who is known here: the owner, and who signs here with a PIN.
    pub(super) fn person(&self, id: PersonId) -> Option<&str> {
        self.people.get(&id).map(String::as_str)
    }

    /// The jurisdictions from the highest that is known here down to `id`.
    pub(super) fn ancestors(&self, id: JurisdictionId) -> Vec<JurisdictionId> {
        let (mut chain, mut next) = (Vec::new(), Some(id));
        while let Some(id) = next.filter(|_| chain.len() < MAX_LEVELS) {
            chain.push(id);
            next = self.jurisdictions.get(&id).and_then(|node| node.parent_id);
        }
        chain.reverse();
        chain
    }

    /// Where the owner's first role that holds now is held.
    pub(super) fn home(&self, now: Timestamp) -> Option<JurisdictionId> {
        let mut held = self.me.iter().flat_map(|me| &me.grants);
        held.find_map(|grant| match grant.scope {
            _ if !grant.holds_at(now) => None,
            GrantScope::Jurisdiction(id) => Some(id),
            GrantScope::Enterprise(id) => self.enterprises.get(&id).map(|one| one.jurisdiction_id),
        })
    }
}

/// The sector's code where a pack on this device knows the name, else the name itself.
pub(super) fn sector_code(device: &Device, name: &str) -> String {
    let packs: Vec<PackHead> = catalog::records(&device.engine, RecordKind::Pack);
    let search = CriteriaSearch::new(&[], &packs);
    search.sector(name).unwrap_or(name.trim()).to_owned()
}

/// All names by which records may have the sector: as it was typed, its code, and the code's other names.
pub(super) fn sector_names(device: &Device, name: &str) -> Vec<String> {
    let code = sector_code(device, name);
    let packs: Vec<PackHead> = catalog::records(&device.engine, RecordKind::Pack);
    let sectors = packs.into_iter().flat_map(|head| head.sectors);
    let mut names = vec![name.trim().to_owned()];
    for sector in sectors.filter(|sector| sector.code == code) {
        names.extend([sector.zh, sector.en]);
        names.extend(sector.aliases);
    }
    names.push(code);
    names
}
