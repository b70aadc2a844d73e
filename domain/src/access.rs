//! Roles and scopes: who holds which role over which enterprise or jurisdiction subtree, when.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::ids::{EnterpriseId, GrantId, JurisdictionId, PersonId};
use crate::time::{LocalDate, Timestamp};

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
    /// 专家: visits and advises; what an expert finds is advice until somebody answerable takes it up.
    #[n(8)]
    Expert,
    /// 部门负责人: orders suspensions, approves what needs a second hand.
    #[n(9)]
    DepartmentHead,
    /// 挂牌督办机关: puts hazards under listed supervision, decides on them, takes them off the list.
    #[n(10)]
    ListingAuthority,
    /// 短报文网关: a machine that hands in what devices sent over other links.
    #[n(11)]
    Gateway,
    /// 安责险服务机构: reports what its service visits find.
    #[n(12)]
    Insurer,
    /// 数据导入: a machine or clerk that brings in records of other systems.
    #[n(13)]
    Importer,
    /// 公众: anyone who reports from outside.
    #[n(14)]
    Public,
}

impl Role {
    /// Every role, for tables and tests.
    pub const ALL: [Self; 15] = [
        Self::Employee,
        Self::SafetyOfficer,
        Self::Principal,
        Self::GridWorker,
        Self::Inspector,
        Self::DepartmentReviewer,
        Self::Supervisor,
        Self::Administrator,
        Self::Expert,
        Self::DepartmentHead,
        Self::ListingAuthority,
        Self::Gateway,
        Self::Insurer,
        Self::Importer,
        Self::Public,
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
            Self::Expert => "expert",
            Self::DepartmentHead => "department_head",
            Self::ListingAuthority => "listing_authority",
            Self::Gateway => "gateway",
            Self::Insurer => "insurer",
            Self::Importer => "importer",
            Self::Public => "public",
        }
    }

    /// The role with this identifier.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// Whether the role is one of the enterprise's own people.
    pub const fn is_of_enterprise(self) -> bool {
        matches!(self, Self::Employee | Self::SafetyOfficer | Self::Principal)
    }

    /// Whether the role can be held over a scope of this kind: an enterprise's own people over
    /// their enterprise; experts and insurers over either; everybody else over a jurisdiction.
    pub const fn may_be_held_over(self, scope: GrantScope) -> bool {
        match scope {
            GrantScope::Enterprise(_) => {
                self.is_of_enterprise() || matches!(self, Self::Expert | Self::Insurer)
            }
            GrantScope::Jurisdiction(_) => !self.is_of_enterprise(),
        }
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

/// An officer's certificate (执法证): without one that is valid, an inspector assists but does not
/// decide (应急〔2025〕11号: off-roster staff only assist).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
#[cbor(map)]
pub struct Certificate {
    /// 证号.
    #[n(0)]
    pub number: String,
    /// The last day on which it is valid, Asia/Shanghai; absent: no expiry is printed on it.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<LocalDate>,
}

impl Certificate {
    /// Whether it is valid at `now`.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.valid_to.is_none_or(|day| now.shanghai_date() <= day)
    }
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
    /// Only subjects of these sectors (监管行业); empty: of every sector, and those whose sector
    /// nobody knows yet.
    #[n(5)]
    #[cbor(default, skip_if = "Vec::is_empty")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sectors: Vec<String>,
    /// The certificate by which an inspector acts.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
    /// Why it is held away from home for a time (异地交叉执法); present on temporary grants alone,
    /// which always have an end.
    #[n(7)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temporary_reason: Option<String>,
}

impl Grant {
    /// A grant that is open-ended and not limited in any way.
    pub const fn new(id: GrantId, role: Role, scope: GrantScope, valid_from: Timestamp) -> Self {
        Self {
            id,
            role,
            scope,
            valid_from,
            valid_until: None,
            sectors: Vec::new(),
            certificate: None,
            temporary_reason: None,
        }
    }

    /// Whether the grant holds at `now`.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.valid_from <= now && self.valid_until.is_none_or(|until| now < until)
    }

    /// Whether a subject at `place` lies within this grant.
    pub fn covers(&self, place: &Place) -> bool {
        let within = match self.scope {
            GrantScope::Enterprise(id) => place.enterprise_id == Some(id),
            GrantScope::Jurisdiction(id) => place.jurisdictions.contains(&id),
        };
        let sector = place.sector.as_ref();
        within
            && (self.sectors.is_empty()
                || sector.is_some_and(|sector| self.sectors.contains(sector)))
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
    /// 监管行业 of the enterprise, when known.
    pub sector: Option<String>,
}

/// The highest jurisdiction over `place` for which these grants give `role` at `now`, with those below it on the way down.
pub fn highest_seat<'a>(
    grants: &[Grant],
    role: Role,
    place: &'a Place,
    now: Timestamp,
) -> Option<&'a [JurisdictionId]> {
    let held = |id: &JurisdictionId| {
        grants.iter().any(|grant| {
            grant.role == role
                && grant.holds_at(now)
                && grant.covers(place)
                && grant.scope == GrantScope::Jurisdiction(*id)
        })
    };
    let at = place.jurisdictions.iter().position(held)?;
    place.jurisdictions.get(at..)
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
        /// Whether they hold an inspector's certificate that is valid now.
        certified: bool,
    },
    /// The server itself, reporting a fact it witnessed (a photo's bytes arrived).
    System,
}

impl Actor {
    /// The actor as `grants` make them with regard to `place` at `now`.
    pub fn over(person_id: PersonId, grants: &[Grant], place: &Place, now: Timestamp) -> Self {
        let held = grants
            .iter()
            .filter(|grant| grant.holds_at(now) && grant.covers(place));
        Self::with(person_id, held, now)
    }

    /// The actor by exactly these grants.
    pub fn with<'a>(
        person_id: PersonId,
        held: impl Iterator<Item = &'a Grant>,
        now: Timestamp,
    ) -> Self {
        let (mut roles, mut certified) = (Vec::new(), false);
        for grant in held {
            roles.push(grant.role);
            let certificate = grant.certificate.as_ref();
            certified |= grant.role == Role::Inspector
                && certificate.is_some_and(|certificate| certificate.is_valid_at(now));
        }
        roles.sort_unstable();
        roles.dedup();
        Self::Person {
            person_id,
            roles,
            certified,
        }
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

    /// Whether their certificate was valid at `then`, by these grants over `place`, and is no more.
    pub fn has_run_out_since(&self, then: Timestamp, grants: &[Grant], place: &Place) -> bool {
        let Self::Person {
            person_id,
            certified,
            ..
        } = self
        else {
            return false;
        };
        !certified && Self::over(*person_id, grants, place, then).is_certified()
    }

    /// Whether the actor acts by an inspector's certificate that is valid now.
    pub const fn is_certified(&self) -> bool {
        matches!(
            self,
            Self::Person {
                certified: true,
                ..
            }
        )
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
        let id = GrantId(Uuid::from_u128(9));
        Grant {
            valid_until: until.map(Timestamp::from_millis),
            ..Grant::new(id, role, scope, Timestamp::from_millis(100))
        }
    }

    #[test]
    fn a_grant_for_one_sector_covers_neither_the_others_nor_the_unknown() {
        let town = JurisdictionId(Uuid::from_u128(2));
        let over_town = GrantScope::Jurisdiction(town);
        let gas = Grant {
            sectors: vec!["城镇燃气".to_owned()],
            ..grant(Role::DepartmentReviewer, over_town, None)
        };
        let place = |sector: Option<&str>| Place {
            jurisdictions: vec![town],
            sector: sector.map(str::to_owned),
            ..Place::default()
        };
        assert!(gas.covers(&place(Some("城镇燃气"))));
        assert!(!gas.covers(&place(Some("工贸"))));
        assert!(!gas.covers(&place(None)));
        assert!(grant(Role::Inspector, over_town, None).covers(&place(None)));
    }

    #[test]
    fn a_certificate_holds_to_the_end_of_its_last_day_in_shanghai() {
        let town = JurisdictionId(Uuid::from_u128(2));
        let grant = Grant {
            certificate: Some(Certificate {
                number: "渝A-001".to_owned(),
                valid_to: "2026-11-22".parse().ok(),
            }),
            valid_from: Timestamp::from_millis(0),
            ..grant(Role::Inspector, GrantScope::Jurisdiction(town), None)
        };
        let place = Place {
            jurisdictions: vec![town],
            ..Place::default()
        };
        let at = |text: &str| {
            let now = Timestamp::parse(text).unwrap();
            let me = PersonId(Uuid::from_u128(3));
            Actor::over(me, std::slice::from_ref(&grant), &place, now)
        };
        assert!(at("2026-11-22T15:59:59Z").is_certified());
        assert!(!at("2026-11-22T16:00:00Z").is_certified());
        assert!(at("2026-11-22T16:00:00Z").is_any_of(&[Role::Inspector]));
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
            jurisdictions: vec![district, town],
            ..Place::default()
        };
        let outside = Place {
            jurisdictions: vec![town],
            ..Place::default()
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
