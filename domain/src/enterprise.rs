//! An enterprise (生产经营单位) as the record that devices hold.

mod check;
mod profile;
mod values;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::geography::Position;
use crate::ids::{EnterpriseId, JurisdictionId};

pub use check::{
    EMPLOYEES_MAX, Fault, FaultKind, LICENCES_MAX, RECORD_BYTES_MAX, RELATED_PARTIES_MAX,
    SUBSECTORS_MAX,
};
pub use profile::{
    Contact, EnterpriseProfile, Insurance, Licence, Phone, RelatedParty, SafetyManager,
};
pub use values::{
    AdminLevel, MajorSourceLevel, OperatingStatus, RelatedPartyKind, RiskLevel, SizeClass,
    StandardizationLevel,
};

/// What everybody in scope may know of an enterprise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cbor(map)]
pub struct Enterprise {
    /// Identifier.
    #[n(0)]
    pub id: EnterpriseId,
    /// 名称.
    #[n(1)]
    pub name: String,
    /// 统一社会信用代码; a failed check digit is a warning, never a reason to refuse.
    #[n(2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credit_code: Option<String>,
    /// The jurisdiction that answers for it.
    #[n(3)]
    pub jurisdiction_id: JurisdictionId,
    /// 监管行业.
    #[n(4)]
    pub sector: String,
    /// 地址.
    #[n(5)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Where it is.
    #[n(6)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// Counts changes; the ETag.
    #[n(7)]
    pub version: i64,
    /// The rest of its file (企业档案); empty in records from before there was one.
    #[n(8)]
    #[cbor(default)]
    #[serde(flatten)]
    pub profile: EnterpriseProfile,
}

#[cfg(test)]
mod tests;
