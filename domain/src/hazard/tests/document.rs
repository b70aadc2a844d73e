//! Prints `docs/LIFECYCLE.md` from the rules themselves and holds the file against it. After a
//! change of the rules: `UPDATE_DOCS=1 cargo test -p hazardloop-domain lifecycle_document`.

use super::measured::MEASURES;
use super::table::{actors, of_hazards, sample};
use super::*;
use crate::policy::{self, When};
use std::fmt::Write as _;

const ROLES_ZH: [&str; 15] = [
    "从业人员",
    "安全员",
    "主要负责人",
    "网格员",
    "检查人员",
    "部门审核",
    "督办",
    "管理员",
    "专家",
    "部门负责人",
    "挂牌机关",
    "网关",
    "保险",
    "导入",
    "公众",
];

/// A kind of hazard for which outcomes are printed.
struct Kind {
    zh: &'static str,
    en: &'static str,
    source: Source,
    grade: Grade,
}

const KINDS: [Kind; 4] = [
    Kind {
        zh: "企业自查自报的一般隐患",
        en: "general, found by the enterprise",
        source: Source::EnterpriseSelfCheck,
        grade: Grade::General,
    },
    Kind {
        zh: "企业自查自报的重大隐患",
        en: "major, found by the enterprise",
        source: Source::EnterpriseSelfCheck,
        grade: Grade::Major,
    },
    Kind {
        zh: "部门检查发现的一般隐患",
        en: "general, found by an inspection",
        source: Source::DeptInspection,
        grade: Grade::General,
    },
    Kind {
        zh: "部门检查发现的重大隐患",
        en: "major, found by an inspection",
        source: Source::DeptInspection,
        grade: Grade::Major,
    },
];

fn heading(out: &mut String, text: &str) {
    writeln!(out, "\n{text}\n").unwrap();
}

fn columns(out: &mut String) {
    out.push_str("| 操作 action |");
    for role in ROLES_ZH {
        write!(out, " {role} |").unwrap();
    }
    out.push_str("\n|---|");
    out.push_str(&"---|".repeat(ROLES_ZH.len()));
    out.push('\n');
}

fn outcome(outcome: &Result<Outcome, Refusal>) -> String {
    match outcome {
        Ok(_) => "✓".to_owned(),
        Err(refusal) => match refusal.code {
            RefusalCode::NotPermitted => "·".to_owned(),
            code => code.as_str().to_lowercase(),
        },
    }
}

/// One line an action that anybody can take, or is told something else of than "not permitted".
fn outcomes(out: &mut String, case: &Case, source: Source, grade: Grade, actors: &[Actor]) {
    columns(out);
    for action in of_hazards().filter(|action| !action.is_servers_own()) {
        let sample = sample(*action, case, source, grade);
        let cells: Vec<String> = actors
            .iter()
            .take(ROLES_ZH.len())
            .map(|actor| outcome(&case.clone().act(actor, sample.clone())))
            .collect();
        let nobody = ["·", "not_allowed_in_state", "not_found", "already_exists"];
        if cells.iter().all(|cell| nobody.contains(&cell.as_str())) {
            continue;
        }
        writeln!(out, "| `{}` | {} |", action.as_str(), cells.join(" | ")).unwrap();
    }
}

fn policy_rows(out: &mut String) {
    heading(out, "## 谁可以做什么 / Who may do what");
    out.push_str("| 操作 action | 状态 from | 条件 when | 角色 roles |\n|---|---|---|---|\n");
    for row in policy::TABLE {
        let states: Vec<_> = row.from.iter().map(|state| state.as_str()).collect();
        let words = |when: &When| format!("{} ({})", when.wording().0, when.wording().1);
        let when: Vec<_> = row.when.iter().map(words).collect();
        let roles: Vec<_> = row.roles.iter().map(|role| role.as_str()).collect();
        writeln!(
            out,
            "| `{}` | {} | {} | {} |",
            row.action.as_str(),
            states.join(", "),
            when.join("; "),
            roles.join(", ")
        )
        .unwrap();
    }
}

fn codes(out: &mut String) {
    heading(out, "## 不予办理的原因 / Why a step is refused");
    out.push_str("| code | 中文 | English |\n|---|---|---|\n");
    for code in RefusalCode::ALL {
        let (zh, en) = (code.wording_zh(), code.wording_en());
        writeln!(out, "| `{}` | {zh} | {en} |", code.as_str()).unwrap();
    }
}

fn document() -> String {
    let mut out = String::from(
        "# 隐患生命周期 / The life of a hazard\n\n\
         Printed from the rules (`domain/src/policy/table.rs`, `domain/src/hazard/`) by\n\
         `UPDATE_DOCS=1 cargo test -p hazardloop-domain lifecycle_document`; a test fails while it differs.\n\
         What it should say is written out by hand in `domain/src/hazard/tests/table.rs` and `measured.rs`.\n\n\
         由规则代码生成。✓ 允许；· 该角色不可；其余为不予办理的代码。\n\
         ✓ allowed; · not with this role; anything else is the code of the refusal. Actions that\n\
         nobody can take in a state are left out. Inspectors hold a valid certificate here; without one,\n\
         confirming, re-inspecting, closing and reopening are refused with `CERTIFICATE_NEEDED`.\n\
         Overdue is no state: it is computed from the due date and the time of asking.\n\n\
         Asked of major hazards, and taken where it is given for general ones: the acknowledged plan, pairs of\n\
         photos, cost, self-acceptance, number and items of the re-inspection, the item that a return is for. A\n\
         position is never required (no fix in a basement loses a report); the place in words always is.\n\
         Work is ordered to stop on any hazard that is open or between two bodies; a closed one is reopened first.\n",
    );
    policy_rows(&mut out);
    codes(&mut out);
    heading(&mut out, "## 各状态下的结果 / Outcomes state by state");
    for kind in &KINDS {
        heading(&mut out, &format!("### {} / {}", kind.zh, kind.en));
        let states = [StatusName::Unreported].into_iter();
        for state in states.chain(StatusName::EXISTING.iter().copied()) {
            heading(&mut out, &format!("`{}`", state.as_str()));
            outcomes(
                &mut out,
                &Case::in_state(state, kind.source, kind.grade),
                kind.source,
                kind.grade,
                &actors(),
            );
        }
    }
    heading(
        &mut out,
        "## 措施、事实改变的结果 / What a measure or a fact changes",
    );
    for measure in MEASURES {
        let state = measure.state.as_str();
        heading(
            &mut out,
            &format!("### {} / {} (`{state}`)", measure.zh, measure.en),
        );
        outcomes(
            &mut out,
            &(measure.case)(),
            measure.source,
            measure.grade,
            &(measure.actors)(),
        );
    }
    out
}

#[test]
fn lifecycle_document() {
    crate::printed_tests::check("LIFECYCLE.md", &document(), "lifecycle_document");
}
