//! Roles and scopes: who holds which role over which enterprise or jurisdiction subtree, when.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::ids::{EnterpriseId, GrantId, JurisdictionId, PersonId};
use crate::time::Timestamp;

/// What somebody is, within a scope.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Role {
    /// 从业人员: anyone who works at the enterprise.
    #[n(0)]
    Employee,
    /// 安全管理人员 of the enterprise.
    #[n(1)]
    SafetyOfficer,
    /// 主要负责人 of the enterprise.
    #[n(2)]
    Principal,
    /// 网格员 of a grid, village or town.
    #[n(3)]
    GridWorker,
    /// 执法/检查人员 with a certificate.
    #[n(4)]
    Inspector,
    /// 行业主管部门审核人员.
    #[n(5)]
    DepartmentReviewer,
    /// 督办人员 (安委办 and above): sees and presses, does not decide single hazards.
    #[n(6)]
    Supervisor,
    /// Runs the installation: people, devices, lost photos.
    #[n(7)]
    Administrator,
}

impl Role {
    /// Every role, for tables and tests.
    pub const ALL: [Self; 8] = [
        Self::Employee,
        Self::SafetyOfficer,
        Self::Principal,
        Self::GridWorker,
        Self::Inspector,
        Self::DepartmentReviewer,
        Self::Supervisor,
        Self::Administrator,
    ];

    /// The identifier that databases, JSON and documents use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Employee => "employee",
            Self::SafetyOfficer => "safety_officer",
            Self::Principal => "principal",
            Self::GridWorker => "grid_worker",
            Self::Inspector => "inspector",
            Self::DepartmentReviewer => "department_reviewer",
            Self::Supervisor => "supervisor",
            Self::Administrator => "administrator",
        }
    }

    /// The role with this identifier.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// Whether the role is held over one enterprise (otherwise over a jurisdiction subtree).
    pub const fn is_of_enterprise(self) -> bool {
        matches!(self, Self::Employee | Self::SafetyOfficer | Self::Principal)
    }
}

/// Over what a role is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GrantScope {
    /// One enterprise.
    #[n(0)]
    Enterprise(#[n(0)] EnterpriseId),
    /// One jurisdiction and everything below it.
    #[n(1)]
    Jurisdiction(#[n(0)] JurisdictionId),
}

/// One role held over one scope, from when until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cbor(map)]
pub struct Grant {
    /// This grant.
    #[n(0)]
    pub id: GrantId,
    /// The role.
    #[n(1)]
    pub role: Role,
    /// Over what.
    #[n(2)]
    pub scope: GrantScope,
    /// First instant at which it holds.
    #[n(3)]
    pub valid_from: Timestamp,
    /// First instant at which it no longer holds; absent: open-ended.
    #[n(4)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
}

impl Grant {
    /// Whether the grant holds at `now`.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.valid_from <= now && self.valid_until.is_none_or(|until| now < until)
    }

    fn covers(&self, place: &Place) -> bool {
        match self.scope {
            GrantScope::Enterprise(id) => place.enterprise_id == Some(id),
            GrantScope::Jurisdiction(id) => place.jurisdictions.contains(&id),
        }
    }
}

/// What a person's own devices know of them: who they are and what they may do where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cbor(map)]
pub struct PersonRecord {
    /// Who.
    #[n(0)]
    pub id: PersonId,
    /// The name by which they sign in.
    #[n(1)]
    pub login: String,
    /// Their name.
    #[n(2)]
    pub name: String,
    /// Their roles.
    #[n(3)]
    pub grants: Vec<Grant>,
    /// Counts changes.
    #[n(4)]
    pub version: i64,
}

/// Where a subject stands in the world of scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The enterprise it belongs to, when known.
    pub enterprise_id: Option<EnterpriseId>,
    /// The jurisdiction that answers for it and all its ancestors, root first.
    pub jurisdictions: Vec<JurisdictionId>,
}

/// Who acts, and what they are with regard to the subject of one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A person, with the roles they hold over this subject now.
    Person {
        /// Who.
        person_id: PersonId,
        /// Their roles over this subject; empty: out of scope.
        roles: Vec<Role>,
    },
    /// The server itself, reporting a fact it witnessed (a photo's bytes arrived).
    System,
}

impl Actor {
    /// The actor as `grants` make them with regard to `place` at `now`.
    pub fn over(person_id: PersonId, grants: &[Grant], place: &Place, now: Timestamp) -> Self {
        let mut roles: Vec<Role> = grants
            .iter()
            .filter(|grant| grant.holds_at(now) && grant.covers(place))
            .map(|grant| grant.role)
            .collect();
        roles.sort_unstable();
        roles.dedup();
        Self::Person { person_id, roles }
    }

    /// The person, unless it is the server itself.
    pub fn person_id(&self) -> Option<PersonId> {
        match self {
            Self::Person { person_id, .. } => Some(*person_id),
            Self::System => None,
        }
    }

    /// Whether the actor holds any of `roles` here.
    pub fn is_any_of(&self, roles: &[Role]) -> bool {
        match self {
            Self::Person { roles: held, .. } => held.iter().any(|role| roles.contains(role)),
            Self::System => false,
        }
    }

    /// Whether the actor holds no role at all over the subject.
    pub fn is_outside(&self) -> bool {
        matches!(self, Self::Person { roles, .. } if roles.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn grant(role: Role, scope: GrantScope, until: Option<i64>) -> Grant {
        Grant {
            id: GrantId(Uuid::from_u128(9)),
            role,
            scope,
            valid_from: Timestamp::from_millis(100),
            valid_until: until.map(Timestamp::from_millis),
        }
    }

    #[test]
    fn a_grant_over_the_district_covers_the_town_but_not_the_neighbour() {
        let district = JurisdictionId(Uuid::from_u128(1));
        let town = JurisdictionId(Uuid::from_u128(2));
        let me = PersonId(Uuid::from_u128(3));
        let grants = [grant(
            Role::Inspector,
            GrantScope::Jurisdiction(district),
            None,
        )];
        let inside = Place {
            enterprise_id: None,
            jurisdictions: vec![district, town],
        };
        let outside = Place {
            enterprise_id: None,
            jurisdictions: vec![town],
        };
        let now = Timestamp::from_millis(200);
        assert!(Actor::over(me, &grants, &inside, now).is_any_of(&[Role::Inspector]));
        assert!(Actor::over(me, &grants, &outside, now).is_outside());
    }

    #[test]
    fn a_grant_holds_from_its_first_instant_and_not_at_its_last() {
        let firm = EnterpriseId(Uuid::from_u128(1));
        let grant = grant(Role::Employee, GrantScope::Enterprise(firm), Some(200));
        assert!(!grant.holds_at(Timestamp::from_millis(99)));
        assert!(grant.holds_at(Timestamp::from_millis(100)));
        assert!(grant.holds_at(Timestamp::from_millis(199)));
        assert!(!grant.holds_at(Timestamp::from_millis(200)));
    }

    #[test]
    fn role_names_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.as_str()), Some(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
        assert_eq!(Role::from_name("king"), None);
    }
}
