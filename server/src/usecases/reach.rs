//! What a person may see, and where they hold which role, read inside the transaction that
//! decides by it.

use hazardloop_domain::access::{Actor, Grant, GrantScope, Place, Role};
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, PersonId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::Scope;

use super::execute::lineage;
use crate::failure::Failure;
use crate::store::{Conn, access, places};

/// Who may register, change and move enterprises.
pub const KEEPERS_OF_ENTERPRISES: &[Role] = &[Role::DepartmentReviewer, Role::Administrator];

/// Who may add jurisdictions.
pub const KEEPERS_OF_THE_TREE: &[Role] = &[Role::Administrator];

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
        !self.actor_over(place).is_outside()
    }

    /// The jurisdictions over which the person holds one of `roles` now, if only for some sectors.
    pub fn jurisdictions_of(&self, roles: &[Role]) -> Vec<JurisdictionId> {
        self.jurisdictions_where(roles, |_| true)
    }

    /// The jurisdictions over which the person holds one of `roles` now, for every sector.
    pub fn whole_jurisdictions_of(&self, roles: &[Role]) -> Vec<JurisdictionId> {
        self.jurisdictions_where(roles, |grant| grant.sectors.is_empty())
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
        let mut scopes: Vec<Scope> = self
            .grants
            .iter()
            .filter(|grant| grant.holds_at(self.now))
            .map(|grant| match grant.scope {
                GrantScope::Enterprise(id) => Scope::Enterprise(id),
                GrantScope::Jurisdiction(id) => Scope::Jurisdiction(id),
            })
            .collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes
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
    ) -> Result<Vec<Scope>, Failure> {
        if let Some(id) = jurisdiction {
            let Some(found) = places::lineage(conn, id)? else {
                return Ok(Vec::new());
            };
            let place = Place {
                enterprise_id: None,
                jurisdictions: found.ancestors,
                ..Place::default()
            };
            if enterprise.is_none() {
                let scope = vec![Scope::Jurisdiction(id)];
                return Ok(if self.sees(&place) { scope } else { Vec::new() });
            }
        }
        let Some(id) = enterprise else {
            return Ok(self.scopes());
        };
        let Some(found) = places::enterprise(conn, id)? else {
            return Ok(Vec::new());
        };
        let place = Place {
            enterprise_id: Some(id),
            jurisdictions: lineage(conn, found.jurisdiction_id)?.ancestors,
            ..Place::default()
        };
        let within = jurisdiction.is_none_or(|wanted| place.jurisdictions.contains(&wanted));
        Ok(if within && self.sees(&place) {
            vec![Scope::Enterprise(id)]
        } else {
            Vec::new()
        })
    }
}

/// Refuses unless `person_id` holds one of `roles` over the jurisdiction `id`.
///
/// # Errors
/// [`Failure::NotFound`] when there is no such jurisdiction, [`Failure::Forbidden`] without a role.
pub fn require_role_over(
    conn: &mut Conn,
    person_id: PersonId,
    id: JurisdictionId,
    roles: &[Role],
    now: Timestamp,
) -> Result<(), Failure> {
    let found = places::lineage(conn, id)?.ok_or(Failure::NotFound("jurisdiction"))?;
    let place = Place {
        enterprise_id: None,
        jurisdictions: found.ancestors,
        ..Place::default()
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
