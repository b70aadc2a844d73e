//! Names that payloads use: grades, sources, what a photo shows, why something is reopened.

use super::{Decode, Deserialize, Encode, Serialize};

wire_names! {
    /// The two levels that the law knows (安全生产法; Order 16 of 2007, Art. 3).
    pub enum Grade {
        /// 一般隐患: easy, fixed at once.
        General = 0, "general";
        /// 重大事故隐患: work must stop, or needs time, or is beyond the enterprise's own power.
        Major = 1, "major";
    }
}

wire_names! {
    /// How the hazard came to be known; fixed at creation.
    pub enum Source {
        /// 企业自查.
        EnterpriseSelfCheck = 0, "enterprise_self_check";
        /// 内部报告.
        EmployeeReport = 1, "employee_report";
        /// 部门检查.
        DeptInspection = 2, "dept_inspection";
        /// 明查.
        OpenVisit = 3, "open_visit";
        /// 暗访.
        UnannouncedVisit = 4, "unannounced_visit";
        /// 网格.
        Grid = 5, "grid";
        /// 专家.
        Expert = 6, "expert";
        /// 举报.
        Tipoff = 7, "tipoff";
        /// 安责险服务.
        Insurer = 8, "insurer";
        /// 检验检测机构.
        ThirdParty = 9, "third_party";
        /// 移送, from a body outside this system.
        Transfer = 10, "transfer";
        /// 监测预警.
        Sensor = 11, "sensor";
        /// 导入.
        Import = 12, "import";
    }
}

impl Source {
    /// Whether the enterprise found and told it itself.
    pub const fn is_self_found(self) -> bool {
        matches!(self, Self::EnterpriseSelfCheck | Self::EmployeeReport)
    }
}

wire_names! {
    /// What a photo shows.
    pub enum PhotoKind {
        /// The hazard before it is corrected.
        Before = 0, "before";
        /// The same place after the correction.
        After = 1, "after";
        /// The surroundings, documents, labels.
        Scene = 2, "scene";
        /// A document: invoice, test report, minutes, notice.
        Document = 3, "document";
        /// A handwritten signature.
        Signature = 4, "signature";
    }
}

wire_names! {
    /// Which side of safety a hazard belongs to.
    pub enum HazardDomain {
        /// 安全生产.
        Safety = 0, "safety";
        /// 消防.
        Fire = 1, "fire";
        /// 自然灾害.
        NaturalDisaster = 2, "natural_disaster";
        /// 特种设备.
        SpecialEquipment = 3, "special_equipment";
    }
}

wire_names! {
    /// What leads to reopening.
    pub enum ReopenCause {
        /// 反弹: the same hazard is there again because the correction never worked.
        Recurrence = 0, "recurrence";
        /// 虚假整改.
        FalseClosure = 1, "false_closure";
        /// 抽查不合格.
        SpotCheckFailed = 2, "spot_check_failed";
        /// 举报.
        Tipoff = 3, "tipoff";
        /// Anything else, as the reason says.
        Other = 4, "other";
    }
}
