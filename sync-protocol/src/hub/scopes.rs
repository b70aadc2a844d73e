//! Which scopes a person may hold, and which of them a record's beginnings put it into.

use std::collections::BTreeSet;

use hazardloop_domain::access::{Grant, GrantScope};
use hazardloop_domain::hazard::Hazard;
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::inspection::acts_on_team;
use hazardloop_domain::operations::Operation;
use hazardloop_domain::time::Timestamp;

use crate::wire::{Scope, SectorName};

/// What a person may hold: themselves, what waits for them by name, what they handed in where a role of
/// theirs hands in without seeing, the reference data, and what their roles cover now. Most personal
/// first: that is also the order in which a pull serves them.
pub fn scopes_granted(person_id: PersonId, grants: &[Grant], now: Timestamp) -> BTreeSet<Scope> {
    let mut scopes = BTreeSet::from([Scope::Person(person_id), Scope::Catalog]);
    let held = grants.iter().filter(|grant| grant.holds_at(now));
    scopes.extend(held.flat_map(|grant| scopes_given(person_id, grant)));
    scopes
}

/// What a grant gives to its person, while it holds.
pub fn scopes_given(person_id: PersonId, grant: &Grant) -> Vec<Scope> {
    if !sees_hazards(grant) {
        return vec![Scope::OwnReports(person_id)];
    }
    let mut scopes = tasks_of_grant(person_id, grant);
    scopes.extend(scopes_of_grant(grant));
    scopes
}

/// What waits by name for the person of this grant, where it covers it.
pub fn tasks_of_grant(person_id: PersonId, grant: &Grant) -> Vec<Scope> {
    if !sees_hazards(grant) || !acts_on_team(grant.role) {
        return Vec::new();
    }
    let covered = scopes_of_grant(grant).into_iter();
    let tasks = |scope| match scope {
        Scope::Jurisdiction(id) => Some(Scope::Tasks(person_id, id, None)),
        Scope::JurisdictionSector(id, sector) => Some(Scope::Tasks(person_id, id, Some(sector))),
        _ => None,
    };
    covered.filter_map(tasks).collect()
}

fn sees_hazards(grant: &Grant) -> bool {
    Operation::ViewHazards.roles().contains(&grant.role)
}

/// Whether a grant shows what it covers, at `now`.
pub fn shows(grant: &Grant, now: Timestamp) -> bool {
    grant.holds_at(now) && sees_hazards(grant)
}

/// Whether some grant hands in at `now` without showing anything: then what the person handed in
/// themselves is theirs to see.
pub fn hands_in(grants: &[Grant], now: Timestamp) -> bool {
    let mut held = grants.iter().filter(|grant| grant.holds_at(now));
    held.any(|grant| !sees_hazards(grant))
}

/// Who handed a hazard in from outside of the enterprise; `None`: its own people found it, and whoever
/// sees what the enterprise sees needs no more. It does not change, so that one row of the feed a
/// hazard says whose it is.
pub fn handed_in_by(hazard: &Hazard) -> Option<PersonId> {
    Some(hazard.reported_by).filter(|_| !hazard.source.is_self_found())
}

/// The scopes of records that these grants show at `now`.
pub fn scopes_seen(grants: &[Grant], now: Timestamp) -> BTreeSet<Scope> {
    let shown = grants.iter().filter(|grant| shows(grant, now));
    shown.flat_map(scopes_of_grant).collect()
}

/// The scopes of records that a grant covers: one, or one for each sector that it is limited to.
pub fn scopes_of_grant(grant: &Grant) -> Vec<Scope> {
    match grant.scope {
        GrantScope::Enterprise(id) => vec![Scope::Enterprise(id)],
        GrantScope::Jurisdiction(id) if grant.sectors.is_empty() => vec![Scope::Jurisdiction(id)],
        GrantScope::Jurisdiction(id) => {
            let names = grant.sectors.iter().map(|name| SectorName::new(name));
            let scope = |name| Scope::JurisdictionSector(id, name);
            // A name that is none was never granted, and covers nothing.
            names.filter_map(Result::ok).map(scope).collect()
        }
    }
}
