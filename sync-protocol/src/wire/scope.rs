//! Scopes: the buckets of records that a device may hold.

use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, PersonId};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// One bucket of records. Text form: `catalog`, `person:UUID`, `enterprise:UUID`,
/// `jurisdiction:UUID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Scope {
    /// One person's own record and roles.
    #[n(0)]
    Person(#[n(0)] PersonId),
    /// One enterprise and its hazards.
    #[n(1)]
    Enterprise(#[n(0)] EnterpriseId),
    /// One jurisdiction with everything below it.
    #[n(2)]
    Jurisdiction(#[n(0)] JurisdictionId),
    /// Reference data that everybody may read.
    #[n(3)]
    Catalog,
}

/// Why a text is not a scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a scope: expected catalog, or person, enterprise or jurisdiction with ':' and a UUID")]
pub struct ScopeError;

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Person(id) => write!(f, "person:{id}"),
            Self::Enterprise(id) => write!(f, "enterprise:{id}"),
            Self::Jurisdiction(id) => write!(f, "jurisdiction:{id}"),
            Self::Catalog => f.write_str("catalog"),
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        if text == "catalog" {
            return Ok(Self::Catalog);
        }
        let (kind, id) = text.split_once(':').ok_or(ScopeError)?;
        match kind {
            "person" => id.parse().map(Self::Person).map_err(|_| ScopeError),
            "enterprise" => id.parse().map(Self::Enterprise).map_err(|_| ScopeError),
            "jurisdiction" => id.parse().map(Self::Jurisdiction).map_err(|_| ScopeError),
            _ => Err(ScopeError),
        }
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(de::Error::custom)
    }
}
