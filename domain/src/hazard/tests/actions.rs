//! Steps beside the main line that are acceptable in every field.

use super::*;

pub(super) fn plan() -> SubmitPlan {
    let party = |name: &str| Party {
        name: name.to_owned(),
        post: None,
        phone: Some("023-46730000".to_owned()),
    };
    SubmitPlan {
        leader: Some(party("赵建国")),
        responsible: party("王强"),
        measures_interim: "停机，撤出人员".to_owned(),
        measures_permanent: "重新安装泄爆片".to_owned(),
        funds_fen: Some(2_000_000),
        funds_source: "安全生产费用".to_owned(),
        due_date: date("2026-12-02"),
        milestones: vec![Milestone {
            due_date: date("2026-11-26"),
            goal: "拆除封板".to_owned(),
        }],
        contingency: "粉尘爆炸现场处置方案".to_owned(),
        workers_congress: Some(WorkersCongress {
            reported_on: date("2026-11-22"),
            how: "公告栏公示".to_owned(),
        }),
        photos: Vec::new(),
        goal: None,
        no_photo_reason: Some("公告栏在防爆区".to_owned()),
    }
}

pub(super) fn submit_plan() -> Action {
    Action::SubmitPlan(plan())
}

pub(super) fn decide_plan(accepted: bool) -> Action {
    Action::DecidePlan(DecidePlan {
        accepted,
        opinion: "方案可行".to_owned(),
        on: None,
    })
}

pub(super) fn request_extension(day: &str) -> Action {
    Action::RequestExtension(RequestExtension {
        new_due_date: date(day),
        reason: "泄爆片到货延迟".to_owned(),
        interim_controls: "继续停机".to_owned(),
        expert_opinion: None,
    })
}

pub(super) fn decide_extension(granted: bool) -> Action {
    Action::DecideExtension(DecideExtension {
        granted,
        opinion: "同意延期".to_owned(),
        on: None,
    })
}

pub(super) fn change_grade(grade: Grade) -> Action {
    Action::ChangeGrade(ChangeGrade {
        grade,
        reason: "现场复核".to_owned(),
        criterion: Some(CriterionRef {
            code: "GM-10-3-2".to_owned(),
            edition: 2,
        }),
        basis: None,
        expert_opinion: None,
    })
}

pub(super) fn agree() -> Action {
    Action::DecideProposal(DecideProposal {
        agreed: true,
        opinion: "同意".to_owned(),
        on: None,
    })
}

pub(super) fn merge() -> Action {
    Action::Merge(Merge {
        into: HazardId(Uuid::from_u128(0x019a_b000_0000_7000_8000_0000_0000_0001)),
        reason: "同一处".to_owned(),
    })
}

pub(super) fn transfer(to_jurisdiction: Option<JurisdictionId>) -> Action {
    Action::Transfer(Transfer {
        to_body: "市场监督管理局".to_owned(),
        to_jurisdiction,
        reason: "属特种设备".to_owned(),
        document_no: Some("移送〔2026〕3号".to_owned()),
    })
}

pub(super) fn receipt(accepted: bool) -> Action {
    Action::ReceiveTransfer(ReceiveTransfer {
        accepted,
        receipt_no: "回执〔2026〕8号".to_owned(),
        note: Some("已接收".to_owned()),
    })
}

pub(super) fn list() -> Action {
    Action::ListSupervision(ListSupervision {
        level: ListingLevel::District,
        document_no: "挂牌〔2026〕1号".to_owned(),
        authority: "区安委会".to_owned(),
        requirement: "按期完成整改".to_owned(),
        deadline: Some(date("2026-12-20")),
    })
}

pub(super) fn delist() -> Action {
    Action::Delist(Delist {
        document_no: "摘牌〔2026〕1号".to_owned(),
        opinion: "整改到位".to_owned(),
    })
}

pub(super) fn suspend() -> Action {
    Action::OrderSuspension(OrderSuspension {
        document_no: "停产〔2026〕1号".to_owned(),
        scope: "抛光车间".to_owned(),
        basis: "安全生产法第六十五条".to_owned(),
        evacuate: true,
    })
}

pub(super) fn ask_to_resume() -> Action {
    Action::RequestResumption(RequestResumption {
        application: "申请恢复生产".to_owned(),
        assessment: "评估合格".to_owned(),
        photos: Vec::new(),
    })
}

pub(super) fn resume(granted: bool) -> Action {
    Action::DecideResumption(DecideResumption {
        granted,
        document_no: "复产〔2026〕1号".to_owned(),
        opinion: "现场审查".to_owned(),
        photos: Vec::new(),
        on: None,
        reviewed_on: Some(date("2026-11-22")),
        no_photo_reason: Some("防爆区禁止使用手机".to_owned()),
    })
}

pub(super) fn spot_check(passed: bool) -> Action {
    Action::SpotCheck(SpotCheck {
        passed,
        opinion: "抽查：泄爆口再次被封堵".to_owned(),
        photos: Vec::new(),
        no_photo_reason: Some("防爆区禁止使用手机".to_owned()),
        on: None,
        false_closure: false,
    })
}

pub(super) fn penalty() -> Action {
    Action::RecordPenalty(RecordPenalty {
        case_no: "应急罚〔2026〕5号".to_owned(),
        decision: None,
    })
}

pub(super) fn assign_sector() -> Action {
    Action::AssignSector(AssignSector {
        sector: "工贸".to_owned(),
        department: "区应急管理局".to_owned(),
        by_fallback: false,
    })
}
