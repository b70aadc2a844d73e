//! Scopes: the buckets of records that a device may hold.

use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, PersonId};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::sector::SectorName;

/// One bucket of records. Text form: `catalog`, `person:UUID`, `tasks:UUID/UUID`, `tasks:UUID/UUID/SECTOR`,
/// `reports:UUID`, `enterprise:UUID`, `jurisdiction:UUID`, `jurisdiction:UUID/SECTOR`. In this order they are read first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Scope {
    /// One person's own record and roles.
    #[n(0)]
    Person(#[n(0)] PersonId),
    /// What waits for one person by name in one jurisdiction and everything below it, of one sector or of all: the
    /// inspections that they carry out, each with its enterprise. What a role shows also comes in a scope of its own;
    /// this one comes before it, and goes with the role.
    #[n(6)]
    Tasks(
        #[n(0)] PersonId,
        #[n(1)] JurisdictionId,
        #[n(2)] Option<SectorName>,
    ),
    /// What one person handed in from outside of the enterprise, wherever it is answered for: for
    /// those whose roles show nothing else (the public, importers).
    #[n(5)]
    OwnReports(#[n(0)] PersonId),
    /// One enterprise and its hazards.
    #[n(1)]
    Enterprise(#[n(0)] EnterpriseId),
    /// One jurisdiction with everything below it.
    #[n(2)]
    Jurisdiction(#[n(0)] JurisdictionId),
    /// What is of one sector (监管行业) in one jurisdiction and everything below it: for those
    /// whose roles are limited to sectors.
    #[n(4)]
    JurisdictionSector(#[n(0)] JurisdictionId, #[n(1)] SectorName),
    /// Reference data that everybody may read.
    #[n(3)]
    Catalog,
}

/// Why a text is not a scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a scope: expected catalog, or person, reports, enterprise or jurisdiction with ':' and a UUID, or tasks with ':', a person's, '/' and a jurisdiction's UUID; and '/' with a sector behind a jurisdiction"
)]
pub struct ScopeError;

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Person(id) => write!(f, "person:{id}"),
            Self::Tasks(id, place, None) => write!(f, "tasks:{id}/{place}"),
            Self::Tasks(id, place, Some(sector)) => write!(f, "tasks:{id}/{place}/{sector}"),
            Self::OwnReports(id) => write!(f, "reports:{id}"),
            Self::Enterprise(id) => write!(f, "enterprise:{id}"),
            Self::Jurisdiction(id) => write!(f, "jurisdiction:{id}"),
            Self::JurisdictionSector(id, sector) => write!(f, "jurisdiction:{id}/{sector}"),
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
            "reports" => id.parse().map(Self::OwnReports).map_err(|_| ScopeError),
            "enterprise" => id.parse().map(Self::Enterprise).map_err(|_| ScopeError),
            "jurisdiction" => Ok(match place(id)? {
                (id, None) => Self::Jurisdiction(id),
                (id, Some(sector)) => Self::JurisdictionSector(id, sector),
            }),
            "tasks" => {
                let (person, within) = id.split_once('/').ok_or(ScopeError)?;
                let person = person.parse().map_err(|_| ScopeError)?;
                let (within, sector) = place(within)?;
                Ok(Self::Tasks(person, within, sector))
            }
            _ => Err(ScopeError),
        }
    }
}

/// A jurisdiction, and behind '/' a sector of it.
fn place(text: &str) -> Result<(JurisdictionId, Option<SectorName>), ScopeError> {
    let (id, sector) = match text.split_once('/') {
        None => (text, None),
        Some((id, sector)) => (id, Some(SectorName::new(sector).map_err(|_| ScopeError)?)),
    };
    Ok((id.parse().map_err(|_| ScopeError)?, sector))
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use uuid::Uuid;

    #[test]
    fn own_reports_read_back_and_are_another_scope_than_the_person() {
        let id = PersonId(Uuid::from_u128(0x72));
        let scope = Scope::OwnReports(id);
        assert_eq!(scope.to_string(), format!("reports:{id}"));
        assert_eq!(scope.to_string().parse::<Scope>().unwrap(), scope);
        let bytes = minicbor::to_vec(scope).unwrap();
        assert_eq!(minicbor::decode::<Scope>(&bytes).unwrap(), scope);
        assert_ne!(bytes, minicbor::to_vec(Scope::Person(id)).unwrap());
    }

    #[test]
    fn tasks_read_back_of_one_sector_and_of_all_and_half_a_name_is_none() {
        let (me, town) = (
            PersonId(Uuid::from_u128(7)),
            JurisdictionId(Uuid::from_u128(8)),
        );
        for sector in [None, Some(SectorName::new("a/b:c").unwrap())] {
            let scope = Scope::Tasks(me, town, sector);
            assert_eq!(scope.to_string().parse::<Scope>().unwrap(), scope);
            let bytes = minicbor::to_vec(scope).unwrap();
            assert_eq!(minicbor::decode::<Scope>(&bytes).unwrap(), scope);
        }
        for bad in [
            format!("tasks:{me}"),
            format!("tasks:{me}/"),
            format!("tasks:{me}/{town}/"),
        ] {
            assert!(bad.parse::<Scope>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_sector_of_a_jurisdiction_reads_back_as_text_and_as_cbor() {
        let id = JurisdictionId(Uuid::from_u128(0x72));
        for name in ["工贸-粉尘", "a/b:c", "危", &"粉".repeat(32)] {
            let scope = Scope::JurisdictionSector(id, SectorName::new(name).unwrap());
            assert_eq!(scope.to_string().parse::<Scope>().unwrap(), scope);
            let bytes = minicbor::to_vec(scope).unwrap();
            assert_eq!(minicbor::decode::<Scope>(&bytes).unwrap(), scope);
        }
        for bad in ["", " ", "a\nb", &"粉".repeat(33)] {
            assert!(SectorName::new(bad).is_err(), "{bad:?}");
            assert!(format!("jurisdiction:{id}/{bad}").parse::<Scope>().is_err());
        }
        let longer = SectorName::new("工贸-粉尘").unwrap();
        assert!(SectorName::new("工贸").unwrap() < longer);
    }
}
