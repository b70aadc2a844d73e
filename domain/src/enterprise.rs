//! An enterprise (生产经营单位) as the record that devices hold.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::geography::Position;
use crate::ids::{EnterpriseId, JurisdictionId};

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
}
