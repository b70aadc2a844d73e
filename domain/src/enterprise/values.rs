//! The closed lists of an enterprise's file, with the names that data and people use.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// A closed list: variant, number in CBOR, identifier, Chinese name. The identifier is the
/// variant's name in snake case.
macro_rules! closed_list {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $number:literal, $text:literal, $zh:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        #[cbor(index_only)]
        pub enum $name { $(#[doc = $zh] $(#[$of])* #[n($number)] $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The identifier that databases, JSON and tables use.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// The name in Chinese.
            pub const fn zh(self) -> &'static str {
                match self { $(Self::$variant => $zh),* }
            }

            /// The value with this identifier or Chinese name.
            pub fn from_name(name: &str) -> Option<Self> {
                let known = |value: &Self| value.as_str() == name || value.zh() == name;
                Self::ALL.iter().copied().find(known)
            }
        }
    };
}

closed_list! {
    /// Size class (规模).
    SizeClass {
        AboveScale = 0, "above_scale", "规上";
        BelowScale = 1, "below_scale", "规下";
        SmallMicro = 2, "small_micro", "小微";
    }
}

closed_list! {
    /// Level of work-safety standardization (安全生产标准化等级).
    StandardizationLevel {
        None = 0, "none", "无";
        First = 1, "first", "一级";
        Second = 2, "second", "二级";
        Third = 3, "third", "三级";
    }
}

closed_list! {
    /// Level of the major hazard source (重大危险源等级, GB 18218): the first is the gravest.
    MajorSourceLevel {
        None = 0, "none", "无";
        First = 1, "first", "一级";
        Second = 2, "second", "二级";
        Third = 3, "third", "三级";
        Fourth = 4, "fourth", "四级";
    }
}

closed_list! {
    /// Which level of government supervises it (监管层级).
    AdminLevel {
        National = 0, "national", "国家级";
        Province = 1, "province", "省级";
        City = 2, "city", "市级";
        District = 3, "district", "区县级";
        Town = 4, "town", "镇街级";
    }
}

closed_list! {
    /// Risk level in the four colours (风险等级, 四色图); red is the highest.
    RiskLevel {
        Red = 0, "red", "红";
        Orange = 1, "orange", "橙";
        Yellow = 2, "yellow", "黄";
        Blue = 3, "blue", "蓝";
    }
}

closed_list! {
    /// Whether it works (状态).
    #[derive(Default)]
    OperatingStatus {
        #[default]
        Operating = 0, "operating", "在业";
        Suspended = 1, "suspended", "停产";
        Closed = 2, "closed", "关闭";
        Moved = 3, "moved", "搬迁";
    }
}

closed_list! {
    /// What another unit on its premises is to it (承包承租单位).
    RelatedPartyKind {
        Contractor = 0, "contractor", "承包";
        Tenant = 1, "tenant", "承租";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_json_and_read_back_in_both_languages() {
        macro_rules! read_back {
            ($($name:ident),*) => {$(
                for value in $name::ALL {
                    assert_eq!(serde_json::to_value(value).unwrap(), value.as_str());
                    assert_eq!($name::from_name(value.as_str()), Some(*value));
                    assert_eq!($name::from_name(value.zh()), Some(*value));
                }
                assert_eq!($name::from_name("?"), None);
            )*};
        }
        read_back!(
            SizeClass,
            StandardizationLevel,
            MajorSourceLevel,
            AdminLevel,
            RiskLevel,
            OperatingStatus,
            RelatedPartyKind
        );
    }
}
