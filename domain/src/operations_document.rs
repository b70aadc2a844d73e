//! Prints `docs/ROLES.md` from the tables and holds the file against it. After a change:
//! `UPDATE_DOCS=1 cargo test -p hazardloop-domain roles_document`.
#![allow(clippy::unwrap_used)]

use super::{Operation, granted_by};
use crate::access::{GrantScope, Role};
use crate::command::ActionKind;
use crate::ids::{EnterpriseId, JurisdictionId};
use crate::policy::TABLE;

/// Title and where it is held.
fn title(role: Role) -> (&'static str, &'static str) {
    match role {
        Role::Employee => ("从业人员", "Employee"),
        Role::SafetyOfficer => ("安全管理人员", "Safety officer"),
        Role::Principal => ("主要负责人", "Principal"),
        Role::GridWorker => ("网格员", "Grid worker"),
        Role::Inspector => ("执法/检查人员", "Inspector, with a certificate"),
        Role::DepartmentReviewer => ("行业主管部门审核人员", "Department reviewer"),
        Role::Supervisor => ("督办人员（安委办）", "Supervisor"),
        Role::Administrator => ("系统管理员", "Administrator"),
        Role::Expert => ("专家", "Expert"),
        Role::DepartmentHead => ("部门负责人", "Department head"),
        Role::ListingAuthority => ("挂牌督办机关", "Listing authority"),
        Role::Gateway => ("短报文网关", "Gateway (a machine)"),
        Role::Insurer => ("安责险服务机构", "Insurer"),
        Role::Importer => ("数据导入", "Importer (a machine or clerk)"),
        Role::Public => ("公众", "Public"),
    }
}

fn scopes(role: Role) -> &'static str {
    let enterprise = GrantScope::Enterprise(EnterpriseId(uuid::Uuid::nil()));
    let jurisdiction = GrantScope::Jurisdiction(JurisdictionId(uuid::Uuid::nil()));
    match (
        role.may_be_held_over(enterprise),
        role.may_be_held_over(jurisdiction),
    ) {
        (true, true) => "企业或辖区 / enterprise or jurisdiction",
        (true, false) => "企业 / enterprise",
        (false, true) => "辖区 / jurisdiction",
        (false, false) => "-",
    }
}

fn names(roles: &[Role]) -> String {
    let names = Role::ALL.into_iter().filter(|role| roles.contains(role));
    let names: Vec<_> = names.map(|role| format!("`{}`", role.as_str())).collect();
    names.join(", ")
}

fn opens_nothing(role: Role) -> bool {
    let operates = Operation::ALL
        .iter()
        .any(|operation| operation.roles().contains(&role));
    let commands = TABLE.iter().any(|row| row.roles.contains(&role));
    let inspects = crate::inspection::policy::TABLE
        .iter()
        .any(|row| row.roles.contains(&role));
    !operates && !commands && !inspects
}

fn document() -> String {
    let mut text = String::from(
        "# 角色 / Roles\n\n\
         Printed from `domain/src/operations.rs` and `domain/src/policy/table.rs`; do not edit.\n\n\
         角色只在授权范围内有效：一个企业，或一个辖区及其下级（可再限定监管行业）。\
         Every role holds within the scope of its grant: one enterprise, or one jurisdiction and all \
         below it, perhaps for some sectors alone. A jurisdiction outside of the districts of a \
         person's standing roles needs a temporary grant, with a reason and an end (异地交叉执法).\n\n\
         ## 角色 / The roles\n\n| | | | 范围 / held over | 授予 / given by |\n|---|---|---|---|---|\n",
    );
    for role in Role::ALL {
        let (zh, en) = title(role);
        let (over, by) = (scopes(role), names(granted_by(role)));
        text += &format!("| `{}` | {zh} | {en} | {over} | {by} |\n", role.as_str());
    }
    let idle: Vec<Role> = Role::ALL
        .into_iter()
        .filter(|role| opens_nothing(*role))
        .collect();
    text += &format!(
        "\n{}：目前不开放任何操作或指令，仅可授予。{} may be granted and opens no operation and no command yet: \
         it reads nothing and changes nothing.\n",
        names(&idle),
        names(&idle)
    );
    text += "\n## 操作 / Operations\n\n| | | | 角色 / roles |\n|---|---|---|---|\n";
    for operation in Operation::ALL {
        text += &format!(
            "| `{}` | {} | {} | {} |\n",
            operation.as_str(),
            operation.wording_zh(),
            operation.wording_en(),
            names(operation.roles())
        );
    }
    text += "\n## 隐患指令 / Commands on hazards\n\n\
             在哪些状态、对哪些隐患可用，见 [LIFECYCLE.md](LIFECYCLE.md)。In which states and for which \
             hazards: LIFECYCLE.md.\n\n| | 角色 / roles |\n|---|---|\n";
    for action in ActionKind::ALL {
        let rows = TABLE.iter().filter(|row| row.action == *action);
        let roles: Vec<Role> = rows.flat_map(|row| row.roles.iter().copied()).collect();
        if roles.is_empty() {
            // The server's own, or not of a hazard.
            continue;
        }
        text += &format!("| `{}` | {} |\n", action.as_str(), names(&roles));
    }
    text
}

#[test]
fn roles_document_equals_the_tables() {
    crate::printed_tests::check("ROLES.md", &document(), "roles_document");
}
