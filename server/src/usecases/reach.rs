//! What a person may see, and where they hold which role, read inside the transaction that
//! decides by it.

use hazardloop_domain::access::{Actor, Grant, GrantScope, Place, Role};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::hazard::Hazard;
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, PersonId};
use hazardloop_domain::inspection::Inspection;
use hazardloop_domain::operations::Operation;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::hub::shows;
pub use hazardloop_sync_protocol::hub::{
    handed_in_by, hands_in, scopes_of_grant, scopes_seen, tasks_of_grant,
};
use hazardloop_sync_protocol::wire::Scope;

use super::execute::lineage;
use super::merge_jurisdictions::standing_for;
use crate::failure::Failure;
use crate::store::{Conn, access, places};

/// What one person's roles cover at one moment.
#[derive(Clone, Debug)]
pub struct Reach {
    person_id: PersonId,
    grants: Vec<Grant>,
    now: Timestamp,
}

impl Reach {
    /// What `person_id` covers at `now`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn of(conn: &mut Conn, person_id: PersonId, now: Timestamp) -> Result<Self, Failure> {
        let grants = access::grants_of(conn, person_id)?;
        Ok(Self {
            person_id,
            grants,
            now,
        })
    }

    /// The person as an actor over `place`.
    pub fn actor_over(&self, place: &Place) -> Actor {
        Actor::over(self.person_id, &self.grants, place, self.now)
    }

    /// Whether the person may see what stands at `place`.
    pub fn sees(&self, place: &Place) -> bool {
        sees(&self.actor_over(place))
    }

    /// What the person is to a hazard; `None`: they may not see it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn seen(&self, conn: &mut Conn, hazard: &Hazard) -> Result<Option<SeenAs>, Failure> {
        let place = hazard.place(lineage(conn, hazard.jurisdiction_id)?.ancestors);
        let actor = self.actor_over(&place);
        // The public and machines see what they handed in themselves, wherever it went, and nothing else.
        let own = handed_in_by(hazard) == Some(self.person_id) && hands_in(&self.grants, self.now);
        if sees(&actor) || own {
            let onlooker = actor.clone();
            return Ok(Some(SeenAs { actor, onlooker }));
        }
        let Some(from) = hazard.handed_over_by() else {
            return Ok(None);
        };
        let onlooker = self.actor_over(&hazard.place(lineage(conn, from)?.ancestors));
        Ok(sees(&onlooker).then_some(SeenAs { actor, onlooker }))
    }

    /// The person as an actor over an inspection that they may see; `None`: they may not.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn seen_inspection(
        &self,
        conn: &mut Conn,
        inspection: &Inspection,
    ) -> Result<Option<Actor>, Failure> {
        let ancestors = lineage(conn, inspection.jurisdiction_id)?.ancestors;
        let actor = self.actor_over(&inspection.place(ancestors));
        Ok(Some(actor).filter(sees))
    }

    /// The jurisdictions over which the person holds one of `roles` now, if only for some sectors.
    pub fn jurisdictions_of(&self, roles: &[Role]) -> Vec<JurisdictionId> {
        self.jurisdictions_where(roles, |_| true)
    }

    /// The jurisdictions over which the person holds one of `roles` now, for every sector.
    pub fn whole_jurisdictions_of(&self, roles: &[Role]) -> Vec<JurisdictionId> {
        self.jurisdictions_where(roles, |grant| grant.sectors.is_empty())
    }

    /// The jurisdictions over which the person holds one of `roles` now: each for every sector, or for
    /// each of the sectors that a grant is limited to.
    pub fn held_over(&self, roles: &[Role]) -> Vec<Seat> {
        let held = |grant: &&Grant| grant.holds_at(self.now) && roles.contains(&grant.role);
        let mut seats = Vec::new();
        for grant in self.grants.iter().filter(held) {
            let GrantScope::Jurisdiction(id) = grant.scope else {
                continue;
            };
            if grant.sectors.is_empty() {
                seats.push(Seat::whole(id));
            }
            seats.extend(grant.sectors.iter().map(|sector| Seat {
                jurisdiction_id: id,
                sector: Some(sector.clone()),
            }));
        }
        seats
    }

    fn jurisdictions_where(
        &self,
        roles: &[Role],
        wanted: impl Fn(&Grant) -> bool,
    ) -> Vec<JurisdictionId> {
        let held = |grant: &&Grant| grant.holds_at(self.now) && roles.contains(&grant.role);
        let held = self
            .grants
            .iter()
            .filter(held)
            .filter(|grant| wanted(grant));
        held.filter_map(|grant| match grant.scope {
            GrantScope::Jurisdiction(id) => Some(id),
            GrantScope::Enterprise(_) => None,
        })
        .collect()
    }

    /// The scopes of records that the person's roles cover, apart from their own record and the
    /// reference data.
    pub fn scopes(&self) -> Vec<Scope> {
        scopes_seen(&self.grants, self.now).into_iter().collect()
    }

    /// Narrows [`Reach::scopes`] to one enterprise, one jurisdiction's subtree, or both. Empty
    /// when that lies outside of what the person covers.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn narrowed(
        &self,
        conn: &mut Conn,
        enterprise: Option<EnterpriseId>,
        jurisdiction: Option<JurisdictionId>,
    ) -> Result<Narrowed, Failure> {
        let in_jurisdiction = match jurisdiction {
            None => None,
            Some(id) => {
                // What was merged is looked for where it is now.
                let id = match places::lineage(conn, id)? {
                    Some(_) => standing_for(conn, id)?,
                    None => return Ok(Narrowed::NOTHING),
                };
                let found = lineage(conn, id)?;
                let place = Place {
                    jurisdictions: found.ancestors,
                    ..Place::default()
                };
                Some((id, self.in_jurisdiction(conn, id, &place)?))
            }
        };
        let Some(id) = enterprise else {
            return Ok(match in_jurisdiction {
                Some((_, narrowed)) => narrowed,
                None => Narrowed {
                    scopes: self.scopes(),
                    within: None,
                },
            });
        };
        let Some(found) = places::enterprise(conn, id)? else {
            return Ok(Narrowed::NOTHING);
        };
        // Each of an enterprise's hazards is where it is answered for, and of its own sector: one that
        // was transferred is another's. So where the enterprise stands opens nothing by itself.
        let within = match in_jurisdiction {
            None => Some(self.scopes()).filter(|own| !own.contains(&Scope::Enterprise(id))),
            Some((wanted, there)) => {
                let all_of_it = there.within.is_none();
                let ancestors = lineage(conn, found.jurisdiction_id)?.ancestors;
                if !all_of_it && !ancestors.contains(&wanted) {
                    return Ok(Narrowed::NOTHING);
                }
                Some(there.scopes)
            }
        };
        if within.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Narrowed::NOTHING);
        }
        Ok(Narrowed {
            scopes: vec![Scope::Enterprise(id)],
            within,
        })
    }

    /// One jurisdiction: all of it, or what the person's sectors and enterprises hold of it.
    fn in_jurisdiction(
        &self,
        conn: &mut Conn,
        id: JurisdictionId,
        place: &Place,
    ) -> Result<Narrowed, Failure> {
        let whole = vec![Scope::Jurisdiction(id)];
        if self.sees(place) {
            return Ok(Narrowed {
                scopes: whole,
                within: None,
            });
        }
        let mut scopes = self.limited_scopes(place);
        for grant in self.grants.iter().filter(|grant| shows(grant, self.now)) {
            if let GrantScope::Enterprise(enterprise) = grant.scope
                && let Some(found) = places::enterprise(conn, enterprise)?
                && lineage(conn, found.jurisdiction_id)?
                    .ancestors
                    .contains(&id)
            {
                scopes.push(Scope::Enterprise(enterprise));
            }
        }
        scopes.sort_unstable();
        scopes.dedup();
        Ok(Narrowed {
            scopes,
            within: Some(whole),
        })
    }

    /// The scopes of the sectors that the person covers at `place`.
    fn limited_scopes(&self, place: &Place) -> Vec<Scope> {
        let covers = |grant: &&Grant| {
            let sector = grant.sectors.first().cloned();
            let place = Place {
                sector,
                ..place.clone()
            };
            !grant.sectors.is_empty() && shows(grant, self.now) && grant.covers(&place)
        };
        let limited = self.grants.iter().filter(covers);
        limited.flat_map(scopes_of_grant).collect()
    }
}

/// What a list is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Narrowed {
    /// The records that these scopes hold,
    pub scopes: Vec<Scope>,
    /// and of those only what one of these holds too; `None`: all of them.
    pub within: Option<Vec<Scope>>,
}

impl Narrowed {
    const NOTHING: Self = Self {
        scopes: Vec::new(),
        within: None,
    };
}

/// Whether the actor may see what they are an actor over. Machines and the public hand in, and see
/// nothing.
pub fn sees(actor: &Actor) -> bool {
    matches!(actor, Actor::System) || actor.is_any_of(Operation::ViewHazards.roles())
}

/// What somebody is to a hazard that they may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenAs {
    /// As whom they act on it.
    pub actor: Actor,
    /// As whom they look at it: the same, or, of whoever hands it over and looks on until there is a
    /// receipt, an actor who decides nothing.
    pub onlooker: Actor,
}

/// A jurisdiction, and the sector in it that something is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The jurisdiction.
    pub jurisdiction_id: JurisdictionId,
    /// 监管行业; `None`: it is about all of them.
    pub sector: Option<String>,
}

impl Seat {
    /// Where an enterprise is.
    pub fn of(enterprise: &Enterprise) -> Self {
        Self {
            jurisdiction_id: enterprise.jurisdiction_id,
            sector: Some(enterprise.sector.clone()),
        }
    }

    /// All sectors of a jurisdiction: for those alone whose grants are not limited to some.
    pub const fn whole(jurisdiction_id: JurisdictionId) -> Self {
        Self {
            jurisdiction_id,
            sector: None,
        }
    }
}

/// Refuses unless `person_id` holds a role for the operation over `seat`.
///
/// # Errors
/// [`Failure::NotFound`] when there is no such jurisdiction, [`Failure::Forbidden`] without a role.
pub fn require(
    conn: &mut Conn,
    person_id: PersonId,
    seat: &Seat,
    operation: Operation,
    now: Timestamp,
) -> Result<(), Failure> {
    let roles = operation.roles();
    let found = places::lineage(conn, seat.jurisdiction_id)?;
    let found = found.ok_or(Failure::NotFound("jurisdiction"))?;
    let place = Place {
        enterprise_id: None,
        jurisdictions: found.ancestors,
        sector: seat.sector.clone(),
    };
    if Reach::of(conn, person_id, now)?
        .actor_over(&place)
        .is_any_of(roles)
    {
        return Ok(());
    }
    let names: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
    Err(Failure::Forbidden(format!(
        "needs one of these roles there: {}",
        names.join(", ")
    )))
}
