//! Prints `docs/INSPECTIONS.md` from the policy table and holds the file against it. After a change:
//! `UPDATE_DOCS=1 cargo test -p hazardloop-domain inspections_document`.

use std::fmt::Write as _;

use super::*;
use crate::inspection::policy::{TABLE, Who};

fn document() -> String {
    let mut out = String::from(
        "# 检查与自查 / Inspections and self-checks\n\n\
         Printed from the rules (`domain/src/inspection/policy.rs`) by\n\
         `UPDATE_DOCS=1 cargo test -p hazardloop-domain inspections_document`; a test fails while it differs.\n\
         What it should say is written out by hand in `domain/src/inspection/tests/table.rs`.\n\n\
         由规则代码生成。“本组”指只有该次检查的检查人员可以操作。\n\
         \"Team\": only those of the role who carry out this very inspection.\n\n\
         Beside the table: a department's inspection is begun and completed by a certified inspector; two of them\n\
         sign, and the enterprise signs or its refusal is recorded; a result that becomes another afterwards voids\n\
         the signatures that covered it; \"nothing found\" is said, and then no item of anybody may be wrong; a\n\
         self-check that says so has looked at one item or more. What is wrong in a department's inspection is\n\
         named by a finding, item by item (Art. 65); in a self-check the note of the result says what was done.\n\
         After completion only what somebody recorded who could not know of it is still added, marked as late:\n\
         whose device had no contact with the server since, whatever its clock says.\n\n\
         | 操作 action | 状态 from | 检查类型 kinds | 谁 who | 角色 roles |\n|---|---|---|---|---|\n",
    );
    for row in TABLE {
        let states: Vec<_> = row.from.iter().map(|state| state.as_str()).collect();
        let kinds: Vec<_> = row.kinds.iter().map(|kind| kind.as_str()).collect();
        let roles: Vec<_> = row.roles.iter().map(|role| role.as_str()).collect();
        let who = match row.who {
            Who::Anyone => "全部 anyone",
            Who::OnTeam => "本组 team",
        };
        let every = kinds.len() == InspectionKind::ALL.len();
        writeln!(
            out,
            "| `{}` | {} | {} | {who} | {} |",
            row.action.as_str(),
            states.join(", "),
            if every {
                "*".to_owned()
            } else {
                kinds.join(", ")
            },
            roles.join(", ")
        )
        .unwrap();
    }
    out
}

#[test]
fn inspections_document() {
    crate::printed_tests::check("INSPECTIONS.md", &document(), "inspections_document");
}
