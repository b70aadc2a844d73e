//! Typed identifiers: all are UUIDs, made by whoever creates the thing (UUIDv7 for new ones).

use minicbor::decode::{Decoder, Error};
use minicbor::encode::{Encoder, Write};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The identifier from its 16 bytes; `None` when there are not exactly 16.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                Uuid::from_slice(bytes).ok().map(Self)
            }

            /// The 16 bytes, as databases and the wire carry them.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// Whether this is a UUID of version 7 in the RFC 9562 variant, as creates must send.
            pub fn is_version_7(&self) -> bool {
                self.0.get_version_num() == 7 && self.0.get_variant() == uuid::Variant::RFC4122
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: Write>(
                &self,
                e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(self.0.as_bytes())?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, Error> {
                let bytes = d.bytes()?;
                Self::from_slice(bytes)
                    .ok_or_else(|| Error::message("an identifier has exactly 16 bytes"))
            }
        }
    };
}

identifier!(
    /// One hazard (隐患).
    HazardId
);
identifier!(
    /// One inspection or self-check (检查、自查).
    InspectionId
);
identifier!(
    /// One finding of an inspection, made by whoever recorded it.
    FindingId
);
identifier!(
    /// What one command acts upon; the kind of the action says what that is.
    SubjectId
);
identifier!(
    /// One enterprise (生产经营单位).
    EnterpriseId
);
identifier!(
    /// One node of the jurisdiction tree (管辖): city, district, town, village, zone.
    JurisdictionId
);
identifier!(
    /// One person with an account.
    PersonId
);
identifier!(
    /// One installation of the app on one device, bound to one person.
    InstallId
);
identifier!(
    /// One command sent over REST; the same id means the same command.
    CommandId
);
identifier!(
    /// One role held by one person over one scope.
    GrantId
);
identifier!(
    /// One edition of one judgement criterion.
    CriterionId
);

impl From<HazardId> for SubjectId {
    fn from(id: HazardId) -> Self {
        Self(id.0)
    }
}

impl From<InspectionId> for SubjectId {
    fn from(id: InspectionId) -> Self {
        Self(id.0)
    }
}

identifier!(
    /// One import of a table of enterprises; the same id means the same import.
    ImportId
);
identifier!(
    /// One edition of one checklist.
    ChecklistId
);
identifier!(
    /// One version of one pack.
    PackId
);
