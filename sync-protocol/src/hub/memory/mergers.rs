//! A jurisdiction that is merged into another one beside it, stage by stage as in `docs/adr/0013`. What happens between
//! two stages is for whoever drives them to say.

use hazardloop_domain::access::{Grant, GrantScope};
use hazardloop_domain::command::{Action, Command, FollowEnterprise, Origin};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::{Facts, Hazard};
use hazardloop_domain::ids::{GrantId, JurisdictionId, PersonId};
use hazardloop_domain::time::Timestamp;
use uuid::Builder;

use super::rules::{Author, decided};
use super::tables::Tables;
use crate::wire::{Record, Scope};

/// Separates the ids of roles that a merger moved from every other use of the same hash function.
const MOVED_ROLE_DOMAIN: &[u8] = b"hazardloop memory merged grant";

impl Tables {
    /// The dissolved one is hung below its successor: whoever answers for that answers for it from here on.
    pub fn begin_merger(&mut self, from: JurisdictionId, into: JurisdictionId) {
        self.above.insert(from, into);
    }

    /// Tells the successor of what was filed in the dissolved one before, of `most` records at once. `true`: of all.
    pub fn tell_successor(
        &mut self,
        from: JurisdictionId,
        into: JurisdictionId,
        most: usize,
    ) -> bool {
        let successor = |scope: &Scope| match scope {
            Scope::Jurisdiction(id) if *id == from => Some(Scope::Jurisdiction(into)),
            Scope::JurisdictionSector(id, sector) if *id == from => {
                Some(Scope::JurisdictionSector(into, *sector))
            }
            _ => None,
        };
        let mut untold: Vec<(Scope, Record)> = Vec::new();
        for (scope, rows) in &self.scopes {
            let Some(there) = successor(scope) else {
                continue;
            };
            let told = self.scopes.get(&there);
            for (key, row) in &rows.rows {
                let told = told.and_then(|told| told.rows.get(key));
                let told = told.is_some_and(|told| told.record.is_some());
                let record = row.record.as_ref().filter(|_| !told);
                untold.extend(record.map(|record| (there, record.clone())));
            }
        }
        let all = untold.len() <= most;
        for (there, record) in untold.into_iter().take(most) {
            self.put(there, record);
        }
        all
    }

    /// Who holds a role over a jurisdiction, or will.
    pub fn lasting_holders(&self, of: JurisdictionId, now: Timestamp) -> Vec<PersonId> {
        let people = self.people.values();
        let held = people.filter(|person| person.grants.iter().any(|grant| lasts(grant, of, now)));
        held.map(|person| person.id).collect()
    }

    /// The roles of one person over the dissolved one become the same roles over its successor. What they hold there
    /// already is not given twice.
    pub fn move_merged_roles(
        &mut self,
        person: PersonId,
        (from, into): (JurisdictionId, JurisdictionId),
        now: Timestamp,
    ) {
        let Some(mut record) = self.people.get(&person).cloned() else {
            return;
        };
        let mut begun: Vec<Grant> = Vec::new();
        for grant in &mut record.grants {
            if !lasts(grant, from, now) {
                continue;
            }
            begun.push(Grant {
                id: moved_id(grant.id, into),
                scope: GrantScope::Jurisdiction(into),
                valid_from: grant.valid_from.max(now),
                ..grant.clone()
            });
            // One that was to begin later never does.
            grant.valid_until = Some(now.max(grant.valid_from));
        }
        let held = record.grants.clone();
        begun.retain(|given| !held.iter().any(|held| covers(held, given)));
        record.grants.extend(begun);
        record.version = record.version.saturating_add(1);
        self.put_person(record);
    }

    /// Files what was filed in the dissolved one in its successor, `most` enterprises and hazards at once. `true`: all.
    pub fn file_in_successor(
        &mut self,
        (from, into): (JurisdictionId, JurisdictionId),
        most: usize,
        now: Timestamp,
    ) -> bool {
        let firms = self.enterprises.values();
        let firms = firms.filter(|firm| firm.jurisdiction_id == from);
        let firms: Vec<Enterprise> = firms.take(most).cloned().collect();
        let hazards = self.hazards.values();
        let hazards = hazards.filter(|hazard| hazard.jurisdiction_id == from);
        let hazards: Vec<Hazard> = hazards.take(most).cloned().collect();
        let all = firms.len() < most && hazards.len() < most;
        for firm in firms {
            self.put_enterprise(Enterprise {
                jurisdiction_id: into,
                version: firm.version.saturating_add(1),
                ..firm
            });
        }
        let facts = Facts::at(now, Default::default(), Default::default());
        let by = Author {
            actor: &hazardloop_domain::access::Actor::System,
            person_id: None,
            origin: &Origin::DIRECT,
            received_at: now,
        };
        for hazard in hazards {
            let follow = Action::FollowEnterprise(FollowEnterprise {
                jurisdiction_id: into,
                merged_from: Some(from),
            });
            let command = Command::new(hazard.id, follow);
            if let Ok((hazard, _)) = decided(Some(&hazard), &command, &by, &facts) {
                self.put_hazard(hazard);
            }
        }
        all
    }
}

fn lasts(grant: &Grant, of: JurisdictionId, now: Timestamp) -> bool {
    let over = grant.scope == GrantScope::Jurisdiction(of);
    over && grant
        .valid_until
        .is_none_or(|until| until > now.max(grant.valid_from))
}

/// Whether a role says all that another one would say.
fn covers(held: &Grant, given: &Grant) -> bool {
    let sectors = held.sectors.is_empty()
        || (!given.sectors.is_empty() && given.sectors.iter().all(|of| held.sectors.contains(of)));
    let until = match (held.valid_until, given.valid_until) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(held), Some(given)) => held >= given,
    };
    (held.scope, held.role) == (given.scope, given.role)
        && sectors
        && until
        && held.valid_from <= given.valid_from
}

/// It follows from the role that ended.
fn moved_id(ended: GrantId, into: JurisdictionId) -> GrantId {
    let parts = [MOVED_ROLE_DOMAIN, ended.as_bytes(), into.as_bytes()];
    let digest = Digest::sha256_of_parts(&parts);
    let mut first = [0; 16];
    first.copy_from_slice(digest.as_bytes().split_at(16).0);
    GrantId(Builder::from_custom_bytes(first).into_uuid())
}
