//! What clients send of an enterprise: all of it to register one, the fields to change to correct one.

use hazardloop_domain::enterprise::{
    AdminLevel, Contact, Enterprise, EnterpriseProfile, Insurance, Licence, MajorSourceLevel,
    OperatingStatus, RelatedParty, RiskLevel, SafetyManager, SizeClass, StandardizationLevel,
};
use hazardloop_domain::geography::Position;
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

/// Tells an absent field from one that is emptied (RFC 7396).
fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// The fields of the file, for both bodies: written out once, so that none is missing in either.
macro_rules! bodies {
    ($($(#[$meta:meta])* $name:ident: $type:ty;)*) => {
        /// A new enterprise.
        #[derive(Debug, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        #[schema(example = json!({
            "id": "019aab12-0000-7000-8000-000000000010",
            "name": "某某家具有限公司",
            "short_name": "某某家具",
            "credit_code": "91500153MA00T0005Y",
            "jurisdiction_id": "019aab12-0000-7000-8000-000000000002",
            "sector": "furniture",
            "subsectors": ["粉尘涉爆", "喷涂"],
            "industry_code": "C2110",
            "address": "工业园一路 8 号",
            "position": {"longitude": 105.594, "latitude": 29.405, "reference": "gcj02"},
            "legal_rep": "陈某",
            "principal": {"name": "王某", "phone": "13800000000"},
            "safety_manager": {"name": "赵某", "certificate_no": "渝安B0001"},
            "size_class": "above_scale",
            "employee_count": 120,
            "risk_level": "orange",
            "licences": [{"kind": "排污许可证", "number": "P-1", "valid_to": "2028-06-30"}],
            "related_parties": [{"name": "某某物流", "kind": "tenant", "from": "2025-01-01"}]
        }))]
        pub struct NewEnterprise {
            /// UUID of version 7, made by the client; the same id is the same registration.
            id: EnterpriseId,
            /// 名称.
            #[schema(min_length = 1, max_length = 500)]
            name: String,
            /// 统一社会信用代码; a code that does not check out is answered with a warning.
            #[serde(default)]
            #[schema(max_length = 18)]
            credit_code: Option<String>,
            /// The jurisdiction that answers for it.
            jurisdiction_id: JurisdictionId,
            /// 监管行业: the code of a pack's sector, or its name in Chinese or English, which is stored by the
            /// code; what no pack knows stays as it is, with a warning.
            #[schema(min_length = 1, max_length = 500)]
            sector: String,
            /// 地址.
            #[serde(default)]
            #[schema(max_length = 500)]
            address: Option<String>,
            /// Where it is.
            #[serde(default)]
            position: Option<Position>,
            $($(#[$meta])* #[serde(default)] $name: $type,)*
        }

        impl From<NewEnterprise> for Enterprise {
            fn from(new: NewEnterprise) -> Self {
                Self {
                    id: new.id,
                    name: new.name,
                    credit_code: new.credit_code,
                    jurisdiction_id: new.jurisdiction_id,
                    sector: new.sector,
                    address: new.address,
                    position: new.position,
                    version: 1,
                    profile: EnterpriseProfile { $($name: new.$name,)* },
                }
            }
        }

        /// What is to be corrected. A field that is absent stays; `null` empties one that may be
        /// empty. A list is sent whole.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        #[schema(example = json!({"address": "工业园一路 10 号", "risk_level": "red", "short_name": null}))]
        pub struct EnterpriseCorrections {
            /// 名称.
            #[serde(default)]
            #[schema(min_length = 1, max_length = 500)]
            name: Option<String>,
            /// 监管行业.
            #[serde(default)]
            #[schema(min_length = 1, max_length = 500)]
            sector: Option<String>,
            /// 统一社会信用代码.
            #[serde(default, deserialize_with = "given")]
            #[schema(value_type = Option<String>, max_length = 18)]
            credit_code: Option<Option<String>>,
            /// 地址.
            #[serde(default, deserialize_with = "given")]
            #[schema(value_type = Option<String>, max_length = 500)]
            address: Option<Option<String>>,
            /// Where it is.
            #[serde(default, deserialize_with = "given")]
            #[schema(value_type = Option<Position>)]
            position: Option<Option<Position>>,
            $(
                $(#[$meta])*
                #[serde(default, deserialize_with = "given")]
                #[schema(value_type = $type)]
                $name: Option<$type>,
            )*
        }

        impl EnterpriseCorrections {
            /// Whether there is nothing to correct.
            pub fn is_empty(&self) -> bool {
                *self == Self::default()
            }

            /// Whether it says of which sector the enterprise is.
            pub const fn names_sector(&self) -> bool {
                self.sector.is_some()
            }

            /// The enterprise as corrected.
            pub fn applied_to(&self, mut enterprise: Enterprise) -> Enterprise {
                let new = self.clone();
                enterprise.name = new.name.unwrap_or(enterprise.name);
                enterprise.sector = new.sector.unwrap_or(enterprise.sector);
                enterprise.credit_code = new.credit_code.unwrap_or(enterprise.credit_code);
                enterprise.address = new.address.unwrap_or(enterprise.address);
                enterprise.position = new.position.unwrap_or(enterprise.position);
                let before = enterprise.profile;
                enterprise.profile = EnterpriseProfile {
                    $($name: new.$name.unwrap_or(before.$name),)*
                };
                enterprise
            }
        }
    };
}

bodies! {
    /// 简称.
    #[schema(max_length = 500)]
    short_name: Option<String>;
    /// 法定代表人.
    #[schema(max_length = 500)]
    legal_rep: Option<String>;
    /// 主要负责人.
    principal: Option<Contact>;
    /// 实际控制人.
    #[schema(max_length = 500)]
    actual_controller: Option<String>;
    /// 分管负责人.
    #[schema(max_length = 500)]
    safety_director: Option<String>;
    /// 安全管理人员.
    safety_manager: Option<SafetyManager>;
    /// 总工程师 or 技术负责人.
    #[schema(max_length = 500)]
    chief_engineer: Option<String>;
    /// 行业代码 of GB/T 4754: the section's letter and two to four digits.
    #[schema(pattern = "^[A-T][0-9]{2,4}$")]
    industry_code: Option<String>;
    /// 重点领域标签.
    #[schema(max_items = 20)]
    subsectors: Vec<String>;
    /// 规模.
    size_class: Option<SizeClass>;
    /// 从业人数.
    #[schema(maximum = 10_000_000)]
    employee_count: Option<u32>;
    /// 行政区划代码: where it is registered, apart from who answers for it.
    #[schema(pattern = "^[0-9]{12}$")]
    division_code: Option<String>;
    /// 网格: a jurisdiction of level `grid`.
    grid_id: Option<JurisdictionId>;
    /// 许可证.
    #[schema(max_items = 50)]
    licences: Vec<Licence>;
    /// 安全生产标准化等级.
    standardization_level: Option<StandardizationLevel>;
    /// 安责险.
    insurance: Option<Insurance>;
    /// 重大危险源等级.
    major_source_level: Option<MajorSourceLevel>;
    /// 行业主管部门.
    #[schema(max_length = 500)]
    supervising_dept: Option<String>;
    /// 监管层级.
    admin_level: Option<AdminLevel>;
    /// 风险等级.
    risk_level: Option<RiskLevel>;
    /// 诚信等级, as the place's own scheme names it.
    #[schema(max_length = 500)]
    credit_class: Option<String>;
    /// 状态; `operating` where nothing is said.
    status: OperatingStatus;
    /// 承包承租单位.
    #[schema(max_items = 100)]
    related_parties: Vec<RelatedParty>;
    /// 一企一策: how it is to be supervised.
    #[schema(max_length = 4_000)]
    supervision_plan: Option<String>;
}
