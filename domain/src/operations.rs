//! Who may do what beside the commands on hazards and inspections: one table that HTTP, use cases, sync
//! and documents read. Which states and hazards a command fits is in [`crate::policy`].
//!
//! Every row speaks of what lies within the scope of the grant by which somebody acts. No law says
//! which clerk keeps which record: apart from what the roles are called in law, the rows are this
//! product's design.

use crate::access::Role;

use Role::{
    Administrator, DepartmentHead, DepartmentReviewer, Employee, Expert, GridWorker, Importer,
    Inspector, Insurer, ListingAuthority, Principal, SafetyOfficer, Supervisor,
};

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident, $code:literal, $zh:literal, $en:literal, $roles:expr;)*) => {
        /// Something that people do at the doors, apart from commands.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation {
            $($(#[$doc])* $name,)*
        }

        impl Operation {
            /// Every operation, for tables and tests.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The identifier that documents use.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// What it is, in Chinese.
            pub const fn wording_zh(self) -> &'static str {
                match self { $(Self::$name => $zh),* }
            }

            /// What it is, in English.
            pub const fn wording_en(self) -> &'static str {
                match self { $(Self::$name => $en),* }
            }

            /// Who may.
            pub const fn roles(self) -> &'static [Role] {
                match self { $(Self::$name => $roles),* }
            }
        }
    };
}

/// Whoever holds a role for looking after hazards; machines and the public hand in and see nothing.
const WATCHING: &[Role] = &[
    Employee,
    SafetyOfficer,
    Principal,
    GridWorker,
    Inspector,
    DepartmentReviewer,
    Supervisor,
    Administrator,
    Expert,
    DepartmentHead,
    ListingAuthority,
    Insurer,
];

operations! {
    /// Hazards, their histories and photos: lists, single ones, and what devices pull.
    ViewHazards, "view_hazards",
        "查看隐患、历史和照片（含设备同步）", "See hazards, their histories and photos, also by sync",
        WATCHING;
    /// Enterprises: lists, single ones, and what devices pull. The same roles as for hazards: a scope
    /// holds both.
    ViewEnterprises, "view_enterprises",
        "查看企业（含设备同步）", "See enterprises, also by sync",
        WATCHING;
    /// What the camera wrote into a photo: place, time, device. Whoever brought the photo may too.
    ReadPhotoMetadata, "read_photo_metadata",
        "查看照片的拍摄信息", "Read what the camera wrote into a photo",
        &[Inspector, DepartmentReviewer, DepartmentHead, Supervisor, ListingAuthority];
    /// Registers enterprises and corrects them.
    ManageEnterprises, "manage_enterprises",
        "登记、更正企业", "Register and correct enterprises",
        &[DepartmentReviewer, DepartmentHead, Administrator];
    /// Moves an enterprise, from and to jurisdictions that are both within the scope.
    MoveEnterprises, "move_enterprises",
        "企业迁移（迁出、迁入地均须在管辖内）", "Move enterprises between jurisdictions, both in scope",
        &[DepartmentReviewer, DepartmentHead, Administrator];
    /// Brings in enterprises from files of other systems.
    ImportEnterprises, "import_enterprises",
        "批量导入企业", "Import enterprises",
        &[Importer, DepartmentReviewer, DepartmentHead, Administrator];
    /// Adds jurisdictions below one's own.
    ManageJurisdictions, "manage_jurisdictions",
        "增设下级辖区", "Add jurisdictions below one's own",
        &[Administrator];
    /// Merges a jurisdiction below one's own into another one beside it.
    MergeJurisdictions, "merge_jurisdictions",
        "撤并下级辖区", "Merge jurisdictions below one's own",
        &[Administrator];
    /// Sets and removes boundaries of jurisdictions below one's own.
    ManageBoundaries, "manage_boundaries",
        "划定下级辖区边界", "Set boundaries of jurisdictions below one's own",
        &[Administrator];
    /// People who hold a role in the scope; a principal, those of the own enterprise.
    ViewPeople, "view_people",
        "查看范围内人员", "See the people who hold a role in scope",
        &[Administrator, DepartmentReviewer, DepartmentHead, Supervisor, Principal];
    /// Adds accounts, ends roles, disables accounts, revokes other people's devices. Which roles
    /// somebody may give is in [`granted_by`].
    ManagePeople, "manage_people",
        "管理账号、角色和他人设备", "Manage accounts, roles and other people's devices",
        &[Administrator];
    /// Hands somebody's roles over to a successor; a principal, within the own enterprise.
    HandOver, "hand_over",
        "人员变动交接", "Hand roles over when staff change",
        &[Administrator, DepartmentHead, Principal];
    /// Hazards that no department answers for.
    ViewUnclaimed, "view_unclaimed",
        "查看无主隐患（监管盲区）", "See hazards that no department answers for",
        &[Supervisor, DepartmentHead, Administrator];
    /// Which department answers for which sector, and who takes what is left (业务相近).
    AssignResponsibility, "assign_responsibility",
        "确定行业监管责任部门（三管三必须、业务相近）", "Say which department answers for which sector",
        &[Supervisor, Administrator];
    /// Adds, updates and retires sector packs.
    ManagePacks, "manage_packs",
        "管理行业包", "Manage sector packs",
        &[Administrator];
    /// Enters the working days of a year.
    ManageCalendars, "manage_calendars",
        "维护工作日历", "Manage working-day calendars",
        &[Administrator];
    /// The chain over everything that happened.
    ReadAudit, "read_audit",
        "查看审计链", "Read the audit chain",
        &[Administrator, Supervisor];
    /// Decides on commands that arrived after their author's responsibility had ended.
    SettleQuarantined, "settle_quarantined",
        "处理待定的离线操作", "Settle commands that wait for a person",
        &[Administrator, DepartmentHead];
}

/// Who may give this role to somebody, and end it.
pub const fn granted_by(role: Role) -> &'static [Role] {
    match role {
        Employee
        | SafetyOfficer
        | Principal
        | GridWorker
        | Inspector
        | DepartmentReviewer
        | Supervisor
        | Administrator
        | Expert
        | DepartmentHead
        | ListingAuthority
        | Role::Gateway
        | Insurer
        | Importer
        | Role::Public => Operation::ManagePeople.roles(),
    }
}

#[cfg(test)]
#[path = "operations_document.rs"]
mod document;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_and_the_public_see_nothing_and_manage_nothing() {
        for operation in Operation::ALL {
            let roles = operation.roles();
            assert!(!roles.contains(&Role::Gateway), "{operation:?}");
            assert!(!roles.contains(&Role::Public), "{operation:?}");
            let imports = *operation == Operation::ImportEnterprises;
            assert_eq!(roles.contains(&Importer), imports, "{operation:?}");
        }
    }

    #[test]
    fn a_scope_holds_hazards_and_enterprises_for_the_same_people() {
        let hazards = Operation::ViewHazards.roles();
        assert_eq!(hazards, Operation::ViewEnterprises.roles());
    }

    #[test]
    fn names_are_told_apart() {
        let mut names: Vec<_> = Operation::ALL.iter().map(|o| o.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Operation::ALL.len());
    }
}
