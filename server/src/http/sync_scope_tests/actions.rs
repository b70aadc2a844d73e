//! One command of each kind, acceptable in every field.

use hazardloop_domain::access::Role;
use hazardloop_domain::command::{Action, ActionKind as K};
use hazardloop_domain::ids::PersonId;
use serde_json::{Value, json};

use super::super::authorization_world::self_check;
use super::super::test_client::{confirmation, new_id};
use super::World;
use crate::sample;

/// Who sends it.
pub(super) struct Who {
    pub person_id: PersonId,
    pub role: Role,
    pub login: String,
}

/// The sources by which each role reports.
pub(super) fn source_of(role: Role) -> &'static str {
    match role {
        Role::Employee | Role::SafetyOfficer | Role::Principal => "enterprise_self_check",
        Role::GridWorker => "grid",
        Role::Expert => "expert",
        Role::Insurer => "insurer",
        Role::Public => "tipoff",
        Role::Importer => "import",
        _ => "dept_inspection",
    }
}

pub(super) fn report(source: &str, grade: &str) -> Value {
    json!({
        "kind": "report", "source": source, "grade": grade, "enterprise_id": sample::id("polishing"),
        "description": "横梁积尘", "place_text": "2#除尘器", "found_at": "2026-11-22T00:58:00Z",
        "no_photo_reason": "试验",
    })
}

pub(super) fn major() -> Value {
    let mut confirm = confirmation();
    confirm["grade"] = json!("major");
    confirm["basis"] = json!("泄爆口被封堵");
    confirm["expert_opinion"] = json!({"name": "周工", "opinion": "构成重大事故隐患"});
    confirm
}

fn photo(byte: &str, kind: &str) -> Value {
    json!({"sha256": byte.repeat(32), "size": 2_048, "media_type": "image/jpeg", "kind": kind})
}

pub(super) fn attach(kind: &str) -> Value {
    json!({"kind": kind, "photo": photo("02", "scene")})
}

pub(super) fn loss(kind: &str) -> Value {
    json!({"kind": kind, "sha256": "02".repeat(32), "reason": "手机落水"})
}

pub(super) fn submission(photo: &Value) -> Value {
    json!({
        "kind": "submit_rectification", "measures": "拆除封板", "completed_at": "2026-11-22T00:59:30Z",
        "photos": [photo],
    })
}

pub(super) fn pass() -> Value {
    json!({"kind": "reinspect", "passed": true, "opinion": "合格", "photos": [],
        "no_photo_reason": "防爆区禁止使用手机"})
}

pub(super) fn close() -> Value {
    json!({"kind": "close", "opinion": "同意销号"})
}

pub(super) fn plan() -> Value {
    let party = |name: &str| json!({"name": name, "phone": "023-46770000"});
    json!({
        "kind": "submit_plan", "leader": party("赵建国"), "responsible": party("王强"),
        "measures_interim": "停机，撤出人员", "measures_permanent": "重新安装泄爆片",
        "funds_fen": 2_000_000, "funds_source": "安全生产费用", "due_date": "2026-12-01",
        "milestones": [{"due_date": "2026-11-26", "goal": "拆除封板"}],
        "contingency": "现场处置方案", "photos": [], "no_photo_reason": "公告栏在防爆区",
        "workers_congress": {"reported_on": "2026-11-22", "how": "公告栏公示"},
    })
}

pub(super) fn extension() -> Value {
    json!({"kind": "request_extension", "new_due_date": "2026-12-12", "reason": "到货延迟",
        "interim_controls": "继续停机"})
}

pub(super) fn list() -> Value {
    json!({"kind": "list_supervision", "level": "district", "document_no": "挂牌〔2026〕1号",
        "authority": "区安委会", "requirement": "按期完成整改", "deadline": "2026-12-20"})
}

pub(super) fn suspend() -> Value {
    json!({"kind": "order_suspension", "document_no": "停产〔2026〕1号", "scope": "抛光车间",
        "basis": "安全生产法第六十五条", "evacuate": true})
}

pub(super) fn ask_to_resume() -> Value {
    json!({"kind": "request_resumption", "application": "申请恢复生产", "assessment": "评估合格",
        "photos": []})
}

pub(super) fn transfer() -> Value {
    json!({"kind": "transfer", "to_body": "市场监督管理局", "reason": "属特种设备"})
}

fn setup(kind: &str, world: &World<'_>) -> Value {
    json!({
        "kind": kind, "enterprise_id": sample::id("polishing"), "basis": "年度监督检查计划",
        "reason": "接到举报", "team": world.team,
        "checklists": [{"code": "GM-CK-I-DUST", "edition": 1, "mandatory": ["1"]}],
    })
}

pub(super) fn plan_visit(world: &World<'_>) -> Value {
    json!({"kind": "plan_inspection", "setup": setup("plan", world),
        "window_from": "2026-11-22", "window_to": "2026-11-29"})
}

pub(super) fn start() -> Value {
    json!({"kind": "start_inspection", "started_at": "2026-11-22T00:30:00Z", "place_text": "打磨车间",
        "certificates_shown": true, "rights_told": true, "attendees": []})
}

pub(super) fn expert_visit(world: &World<'_>) -> Value {
    let mut start = start();
    start["setup"] = setup("expert_visit", world);
    start
}

pub(super) fn advice() -> Value {
    json!({"kind": "link_finding", "finding_id": new_id(50), "advice": "建议更换泄爆片"})
}

pub(super) fn results() -> Value {
    json!({"kind": "record_results", "results": [
        {"item": {"checklist": "GM-CK-I-DUST", "item": "1"}, "outcome": "ok"},
    ]})
}

pub(super) fn sign(role: &str, who: PersonId) -> Value {
    json!({"kind": "sign_inspection", "role": role, "person_id": who,
        "signed_at": "2026-11-22T00:50:00Z"})
}

pub(super) fn refuse_to_sign() -> Value {
    json!({"kind": "record_refusal", "reason": "对检查结果有异议", "refused_by": "王强",
        "witness": "社区干部 李芳", "refused_at": "2026-11-22T00:52:00Z"})
}

/// A new kind is written down here, and in the table.
pub(super) fn action(kind: K, who: &Who, world: &World<'_>) -> Action {
    let value = match kind {
        K::Report => report(source_of(who.role), "general"),
        K::Amend => json!({"kind": "amend", "based_on": 1, "description": "泄爆口被钢板封堵"}),
        K::AttachPhoto => attach("attach_photo"),
        K::Confirm => confirmation(),
        K::Reject => json!({"kind": "reject", "reason": "不构成隐患"}),
        K::SubmitRectification => submission(&photo("03", "after")),
        K::Reinspect => pass(),
        K::Close => close(),
        K::Reopen => json!({"kind": "reopen", "reason": "再次封堵", "false_closure": true}),
        K::SpotCheck => json!({"kind": "spot_check", "passed": true, "opinion": "抽查合格",
            "photos": [], "no_photo_reason": "防爆区禁止使用手机"}),
        K::Note => json!({"kind": "note", "text": "已电话提醒"}),
        K::RecordPhotoLost => loss("record_photo_lost"),
        K::Withdraw => json!({"kind": "withdraw", "reason": "重复上报"}),
        K::SubmitPlan => plan(),
        K::DecidePlan => json!({"kind": "decide_plan", "accepted": true, "opinion": "方案可行"}),
        K::RequestExtension => extension(),
        K::DecideExtension => {
            json!({"kind": "decide_extension", "granted": true, "opinion": "同意延期"})
        }
        K::ChangeGrade => json!({"kind": "change_grade", "grade": "major", "reason": "现场复核",
            "basis": "现场核查", "expert_opinion": {"name": "周工", "opinion": "须停炉检修"}}),
        K::DecideProposal => json!({"kind": "decide_proposal", "agreed": true, "opinion": "同意"}),
        K::Merge => json!({"kind": "merge", "into": world.other, "reason": "同一处"}),
        K::Transfer => transfer(),
        K::ReceiveTransfer => {
            json!({"kind": "receive_transfer", "accepted": true, "receipt_no": "回执8号"})
        }
        K::ListSupervision => list(),
        K::Delist => json!({"kind": "delist", "document_no": "摘牌1号", "opinion": "整改到位"}),
        K::OrderSuspension => suspend(),
        K::RequestResumption => ask_to_resume(),
        K::DecideResumption => json!({"kind": "decide_resumption", "granted": true,
            "document_no": "复产1号", "opinion": "合格", "photos": [],
            "reviewed_on": "2026-11-22", "no_photo_reason": "防爆区禁止使用手机"}),
        K::RecordPenalty => json!({"kind": "record_penalty", "case_no": "应急罚5号"}),
        K::AssignSector => json!({"kind": "assign_sector", "sector": "industry-and-trade",
            "department": "区应急管理局"}),
        K::ReceivePhoto | K::ReceiveInspectionPhoto => {
            json!({"kind": kind.as_str(), "sha256": "02".repeat(32)})
        }
        K::FollowEnterprise | K::InspectionFollowEnterprise => {
            json!({"kind": kind.as_str(), "jurisdiction_id": sample::id("500153003000")})
        }
        K::RecomputeDeadline => json!({"kind": "recompute_deadline"}),
        K::PlanInspection => plan_visit(world),
        K::SubmitSelfCheck => self_check(),
        K::StartInspection => start(),
        K::RecordResults => results(),
        K::LinkFinding => json!({"kind": "link_finding", "finding_id": new_id(50),
            "hazard_id": world.other, "handling": "rectify_by_deadline"}),
        K::ConvertFinding => json!({"kind": "convert_finding", "finding_id": new_id(50),
            "hazard_id": world.other}),
        K::RecordAttendance => json!({"kind": "record_attendance", "attendees": [
            {"part": "opening", "role": "principal", "name": "王强"}]}),
        K::SignInspection => sign(signs_as(who.role), who.person_id),
        K::RecordRefusal => refuse_to_sign(),
        K::CompleteInspection => json!({"kind": "complete_inspection", "no_hazard_found": true,
            "completed_at": "2026-11-22T00:55:00Z", "situation": "检查完毕"}),
        K::CancelInspection => json!({"kind": "cancel_inspection", "reason": "企业已停业"}),
        K::AttachInspectionPhoto => attach("attach_inspection_photo"),
        K::RecordInspectionPhotoLost => loss("record_inspection_photo_lost"),
        K::ChangeTeam => json!({"kind": "change_team", "team": world.team, "reason": "回避"}),
    };
    serde_json::from_value(value).unwrap()
}

fn signs_as(role: Role) -> &'static str {
    match role {
        Role::Employee | Role::SafetyOfficer | Role::Principal => "enterprise_representative",
        Role::Expert => "expert",
        _ => "inspector",
    }
}
