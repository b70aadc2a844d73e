//! The file of an enterprise (企业档案, 一企一策一档) beyond its name and place: who is responsible, what
//! it does, its papers, its class, who else works on its premises.
//!
//! Everybody in scope sees all of it: whoever holds a role over an enterprise may have to call. No
//! log line and no metric holds any of it; a phone number does not even show in debugging output.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::values::{
    AdminLevel, MajorSourceLevel, OperatingStatus, RelatedPartyKind, RiskLevel, SizeClass,
    StandardizationLevel,
};
use crate::ids::JurisdictionId;
use crate::time::LocalDate;

/// A telephone number as people write it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, max_length = 50, example = "13800000000"))]
#[serde(transparent)]
#[cbor(transparent)]
pub struct Phone(#[n(0)] pub String);

impl std::fmt::Debug for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Phone(…)")
    }
}

macro_rules! part {
    ($(#[$doc:meta])* $name:ident { $($body:tt)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(deny_unknown_fields)]
        #[cbor(map)]
        pub struct $name { $($body)* }
    };
}

part! {
    /// Somebody and how to reach them.
    Contact {
        /// Name.
        #[n(0)]
        pub name: String,
        /// Telephone.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub phone: Option<Phone>,
    }
}

part! {
    /// 安全管理人员.
    SafetyManager {
        /// Name.
        #[n(0)]
        pub name: String,
        /// Telephone.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub phone: Option<Phone>,
        /// Number of the certificate of competence (安全生产知识和管理能力考核合格证).
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub certificate_no: Option<String>,
    }
}

part! {
    /// A licence (许可证).
    Licence {
        /// Which, such as 安全生产许可证.
        #[n(0)]
        pub kind: String,
        /// Its number.
        #[n(1)]
        pub number: String,
        /// The last day on which it holds; absent: without end, or not known.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub valid_to: Option<LocalDate>,
    }
}

part! {
    /// Work-safety liability insurance (安责险).
    Insurance {
        /// Number of the policy.
        #[n(0)]
        pub number: String,
        /// The last day that it covers.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub valid_to: Option<LocalDate>,
        /// Who insures.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub insurer: Option<String>,
    }
}

part! {
    /// Another unit that works on its premises (承包承租单位).
    RelatedParty {
        /// Name.
        #[n(0)]
        pub name: String,
        /// 统一社会信用代码; checked as the enterprise's own, never refused for its check digit.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub credit_code: Option<String>,
        /// What it is to the enterprise.
        #[n(2)]
        pub kind: RelatedPartyKind,
        /// Since which day.
        #[n(3)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub from: Option<LocalDate>,
        /// Until and with which day.
        #[n(4)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub to: Option<LocalDate>,
    }
}

/// The file of an enterprise. Every field may be absent; a key that was released keeps its meaning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cbor(map)]
pub struct EnterpriseProfile {
    /// 简称.
    #[n(0)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_name: Option<String>,
    /// 法定代表人.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_rep: Option<String>,
    /// 主要负责人.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<Contact>,
    /// 实际控制人.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual_controller: Option<String>,
    /// 分管负责人.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safety_director: Option<String>,
    /// 安全管理人员.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safety_manager: Option<SafetyManager>,
    /// 总工程师 or 技术负责人.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chief_engineer: Option<String>,
    /// 行业代码 of GB/T 4754: the section's letter and two to four digits, such as `C3311`.
    #[n(7)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub industry_code: Option<String>,
    /// 重点领域标签, such as 粉尘涉爆.
    #[n(8)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subsectors: Vec<String>,
    /// 规模.
    #[n(9)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_class: Option<SizeClass>,
    /// 从业人数.
    #[n(10)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee_count: Option<u32>,
    /// 行政区划代码, twelve digits: where it is registered, apart from who answers for it.
    #[n(11)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub division_code: Option<String>,
    /// 网格: a jurisdiction of level `grid`.
    #[n(12)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grid_id: Option<JurisdictionId>,
    /// 许可证.
    #[n(13)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub licences: Vec<Licence>,
    /// 安全生产标准化等级.
    #[n(14)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standardization_level: Option<StandardizationLevel>,
    /// 安责险.
    #[n(15)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insurance: Option<Insurance>,
    /// 重大危险源等级.
    #[n(16)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub major_source_level: Option<MajorSourceLevel>,
    /// 行业主管部门.
    #[n(17)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supervising_dept: Option<String>,
    /// 监管层级.
    #[n(18)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin_level: Option<AdminLevel>,
    /// 风险等级.
    #[n(19)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk_level: Option<RiskLevel>,
    /// 诚信等级, as the place's own scheme names it.
    #[n(20)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit_class: Option<String>,
    /// 状态.
    #[n(21)]
    #[cbor(default)]
    #[serde(default)]
    pub status: OperatingStatus,
    /// 承包承租单位.
    #[n(22)]
    #[cbor(default)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related_parties: Vec<RelatedParty>,
    /// 一企一策: how it is to be supervised.
    #[n(23)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supervision_plan: Option<String>,
}
