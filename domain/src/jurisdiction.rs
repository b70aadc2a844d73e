//! A node of the jurisdiction tree (管辖), apart from the division-code tree: development zones
//! answer for hazards without having a code.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::ids::JurisdictionId;
use crate::time::Timestamp;

/// The level of a jurisdiction.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Encode, Decode,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Level {
    /// 市.
    #[n(0)]
    City,
    /// 区县, and development zones of that rank.
    #[n(1)]
    District,
    /// 镇街.
    #[n(2)]
    Town,
    /// 村（社区）.
    #[n(3)]
    Village,
    /// 网格.
    #[n(4)]
    Grid,
}

impl Level {
    /// The identifier that databases and JSON use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::District => "district",
            Self::Town => "town",
            Self::Village => "village",
            Self::Grid => "grid",
        }
    }

    /// The level with this identifier.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::City,
            Self::District,
            Self::Town,
            Self::Village,
            Self::Grid,
        ]
        .into_iter()
        .find(|level| level.as_str() == name)
    }
}

/// One jurisdiction as the record that devices hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cbor(map)]
pub struct Jurisdiction {
    /// Identifier; its own key, not a division code.
    #[n(0)]
    pub id: JurisdictionId,
    /// The node above; absent at the root.
    #[n(1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<JurisdictionId>,
    /// Name.
    #[n(2)]
    pub name: String,
    /// Level.
    #[n(3)]
    pub level: Level,
    /// 12-digit division code, where it has one.
    #[n(4)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub division_code: Option<String>,
    /// Counts changes; the ETag.
    #[n(5)]
    pub version: i64,
    /// The jurisdiction that it became part of, of the same level, when it was dissolved (撤并). It stays as a
    /// record below that one; nothing new is placed in it.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<JurisdictionId>,
    /// When that was decided.
    #[n(7)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_at: Option<Timestamp>,
}
