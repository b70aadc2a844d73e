//! What people read, in Chinese and English.

use hazardloop_domain::command::{ActionKind, ItemOutcome, Subject, SubjectKind};
use hazardloop_domain::evidence::MediaType;
use hazardloop_domain::hazard::hazard_number;
use hazardloop_domain::hazard::{PhotoState, StatusName};
use hazardloop_domain::ids::SubjectId;
use hazardloop_domain::inspection::{InspectionState, inspection_number};
use hazardloop_domain::refusal::Refusal;
use hazardloop_sync_protocol::device::{
    Failure, Oversize, PhotoStage, Standing, State, StoredCommand, StoredPhoto,
};
use hazardloop_sync_protocol::wire::{Outcome, QuarantineReason, SpokenVersions, WITNESS_KIND};

use super::args::Language;
use super::rules_zh;

/// The words of one language.
pub(super) const fn say(lang: Language, zh: &'static str, en: &'static str) -> &'static str {
    match lang {
        Language::Zh => zh,
        Language::En => en,
    }
}

pub(super) fn refusal(lang: Language, refusal: &Refusal) -> String {
    match lang {
        Language::Zh => {
            let rule = rules_zh::rule(refusal).unwrap_or_else(|| refusal.rule.clone());
            format!("{}（{rule}）", refusal.code.wording_zh())
        }
        Language::En => {
            format!(
                "{} ({})",
                refusal.code.wording_en(),
                rules_zh::rule_en(refusal)
            )
        }
    }
}

/// What a command does, by the name of its kind.
pub(super) fn kind(lang: Language, name: &str) -> &str {
    if lang == Language::En {
        return name;
    }
    match name {
        "report" => "上报",
        "confirm" => "核实确认",
        "reject" => "不予认定",
        "withdraw" => "撤回",
        "submit_rectification" => "提交整改",
        "reinspect" => "复查",
        "close" => "销号",
        "reopen" => "重新开启",
        "note" => "备注",
        "give_up" => "放弃",
        "witness" => "见证",
        "amend" => "更正",
        "attach_photo" => "补充照片",
        "record_photo_lost" => "登记照片遗失",
        "submit_plan" => "提交整改方案",
        "decide_plan" => "方案审查",
        "request_extension" => "申请延期",
        "decide_extension" => "延期审批",
        "change_grade" => "调整等级",
        "decide_proposal" => "第二人复核",
        "merge" => "合并",
        "transfer" => "移送",
        "receive_transfer" => "移送回执",
        "list_supervision" => "挂牌督办",
        "delist" => "摘牌",
        "order_suspension" => "责令停产停用",
        "request_resumption" => "申请恢复生产",
        "decide_resumption" => "恢复生产审查",
        "record_penalty" => "登记处罚案件",
        "assign_sector" => "明确主管部门",
        "spot_check" => "抽查",
        "plan_inspection" => "制定检查计划",
        "start_inspection" => "开始检查",
        "record_results" => "登记检查项结果",
        "link_finding" => "登记检查发现",
        "convert_finding" => "专家意见转隐患",
        "record_attendance" => "登记到场人员",
        "sign_inspection" => "检查记录签字",
        "record_refusal" => "登记拒绝签字",
        "complete_inspection" => "检查结束",
        "cancel_inspection" => "取消检查计划",
        "submit_self_check" => "提交自查",
        "attach_inspection_photo" => "补充检查照片",
        "record_inspection_photo_lost" => "登记检查照片遗失",
        "change_team" => "调整检查人员",
        // Of a newer build.
        other => other,
    }
}

/// Why a command stands where it stands.
pub(super) fn reason(lang: Language, state: &State, command: &StoredCommand) -> String {
    if command.is_replaced() {
        return say(
            lang,
            "内容超过服务器限制，未被接收；全文保留在本机（queue --json 可见），\
             请分成几条较短的重新提交",
            "too large for the server, which did not take it; its whole text is kept here \
             (queue --json shows it): send it again in shorter pieces",
        )
        .to_owned();
    }
    if command.receipt.is_none() && command.oversize == Some(Oversize::Unanswered) {
        return say(
            lang,
            "服务器可能已收到，但内容超过其限制，无法取得回执；请与服务器记录核对",
            "the server may have it, but it is too large to ask again for the receipt: \
             compare with the record",
        )
        .to_owned();
    }
    let Some(receipt) = &command.receipt else {
        if state.standing(command) == Standing::NeedsAttention {
            return too_large(lang, state, command);
        }
        return say(lang, "尚未送达服务器", "has not reached the server yet").to_owned();
    };
    became(lang, &receipt.outcome)
}

/// What became of a command, and why.
pub(super) fn became(lang: Language, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Applied { .. } => say(lang, "已生效", "took effect").to_owned(),
        Outcome::Merged { .. } => say(
            lang,
            "已与他人的修改合并",
            "took effect beside somebody else's change",
        )
        .to_owned(),
        Outcome::Conflict {
            refusal: Some(rule),
            ..
        } => {
            let first = say(lang, "他人已先处理", "somebody was faster");
            format!("{first}: {}", refusal(lang, rule))
        }
        Outcome::Conflict { .. } => say(
            lang,
            "同一内容被他人同时修改，两个值都已保留",
            "the same field was changed by somebody else; both values are kept",
        )
        .to_owned(),
        Outcome::Rejected { refusal: rule } => refusal(lang, rule),
        Outcome::Quarantined { reason, detail } => {
            format!("{} ({detail})", quarantine(lang, *reason))
        }
        Outcome::BlockedBy { seq } => match lang {
            Language::Zh => format!("依赖的第 {seq} 条未生效"),
            Language::En => format!("builds on number {seq}, which did not take effect"),
        },
    }
}

/// A command that something on the way will not let through; a stream has no gaps, so the rest
/// waits with it.
fn too_large(lang: Language, state: &State, command: &StoredCommand) -> String {
    let next = command.envelope.seq.saturating_add(1);
    let behind = state.commands.range(next..).count();
    match lang {
        Language::Zh => format!(
            "内容过大，被途中的设备（例如代理）拦下，并非服务器的答复；已保留在本机，\
             其后 {behind} 条操作随之等待，请联系管理员"
        ),
        Language::En => format!(
            "something on the way (a proxy?) finds it too large, not the server itself; kept here, \
             and {behind} commands behind it wait with it: ask an administrator"
        ),
    }
}

fn quarantine(lang: Language, reason: QuarantineReason) -> &'static str {
    match reason {
        QuarantineReason::UnknownKind | QuarantineReason::UnknownVersion => say(
            lang,
            "服务器版本较旧，待人工处理",
            "the server does not know this yet; kept for a person",
        ),
        QuarantineReason::MalformedPayload => say(
            lang,
            "内容无法读取，待人工处理",
            "cannot be read; kept for a person",
        ),
        QuarantineReason::BadSignature | QuarantineReason::BrokenChain => say(
            lang,
            "签名或顺序不符，待人工处理",
            "signature or order does not fit; kept for a person",
        ),
        QuarantineReason::Reassigned => say(
            lang,
            "送达时您（或共同签名人）在此处的职权或执法证已失效，待人工处理",
            "your role or certificate here (or a co-signer's) had ended when this arrived; kept for a person",
        ),
        QuarantineReason::OfferedAfterRevocation => say(
            lang,
            "设备注销后移交，由管理人员处理，尚未生效",
            "handed over after this device was revoked; administrators settle it",
        ),
        QuarantineReason::CoSignerRevoked => say(
            lang,
            "共同签名人的密钥已被撤销，待人工处理",
            "a co-signer's key was revoked since; kept for a person",
        ),
    }
}

/// Which of two programs that share no version of the protocol has to be renewed, by what the server said.
fn upgrade(lang: Language, spoken: Option<SpokenVersions>) -> String {
    let own = SpokenVersions::OURS;
    let (who_zh, who_en) = match spoken {
        Some(theirs) if theirs.newest < own.oldest => (
            "服务器的程序过旧，请管理员升级服务器",
            "the server is too old for this program: its administrator must renew it",
        ),
        Some(theirs) if theirs.oldest > own.newest => (
            "本程序过旧，请升级本程序",
            "this program is too old for the server: renew it",
        ),
        _ => (
            "本程序与服务器的协议版本不合，须升级其中较旧的一方",
            "this program and the server share no version of the protocol: the older one must be renewed",
        ),
    };
    match (lang, spoken) {
        (Language::Zh, Some(theirs)) => {
            format!("{who_zh}（协议版本：本程序 {own}，服务器 {theirs}）；数据已保留，仍可发送")
        }
        (Language::Zh, None) => format!("{who_zh}；数据已保留，仍可发送"),
        (Language::En, Some(theirs)) => format!(
            "{who_en} (versions of the protocol: {own} here, {theirs} there); work is kept, and is still sent"
        ),
        (Language::En, None) => format!("{who_en}; work is kept, and is still sent"),
    }
}

/// Why the server was of no use.
pub(super) fn failure(lang: Language, failure: &Failure) -> String {
    match failure {
        Failure::Offline => say(
            lang,
            "无法连接服务器，数据已保留",
            "the server cannot be reached; work is kept",
        ),
        Failure::NotOurs => say(
            lang,
            "应答并非来自本系统服务器（可能是认证网页），数据已保留",
            "something else answered in the server's place (a sign-in page?); work is kept",
        ),
        Failure::Unauthorized => say(
            lang,
            "登录已失效，请重新登记设备",
            "signed out: enroll again; work is kept",
        ),
        Failure::Revoked => say(
            lang,
            "此设备已被停用，数据已保留",
            "this device was revoked; work is kept",
        ),
        Failure::UpgradeRequired { spoken } => return upgrade(lang, *spoken),
        Failure::RateLimited { .. } | Failure::ServerError | Failure::NothingNew => say(
            lang,
            "服务器繁忙，稍后再试，数据已保留",
            "the server is busy; try later, work is kept",
        ),
        Failure::PayloadTooLarge { .. } => {
            say(lang, "内容超过服务器限制", "too large for the server")
        }
        Failure::PhotoHashMismatch | Failure::ChecksumMismatch => say(
            lang,
            "照片传输有误，将重传",
            "a photo arrived damaged and is sent again",
        ),
        Failure::OffsetMismatch | Failure::UploadGone => {
            say(lang, "照片将继续上传", "a photo's upload goes on later")
        }
        Failure::Refused { code, detail } => {
            let who = say(lang, "服务器拒绝", "the server refuses");
            return format!("{who}: {code}: {detail}");
        }
    }
    .to_owned()
}

/// What a piece of evidence is.
pub(super) fn evidence(lang: Language, media_type: &str) -> &'static str {
    match MediaType::from_name(media_type) {
        Some(MediaType::Pdf) => say(lang, "资料", "document"),
        Some(MediaType::Mp4) => say(lang, "视频", "clip"),
        _ => say(lang, "照片", "photo"),
    }
}

/// Where a photo stands on the server.
pub(super) fn photo(lang: Language, state: &PhotoState) -> String {
    match state {
        PhotoState::AwaitingPhoto => {
            say(lang, "待上传", "the server does not have it yet").to_owned()
        }
        PhotoState::Verified => say(lang, "已上传并核验", "on the server, verified").to_owned(),
        PhotoState::Lost { reason, .. } => {
            format!(
                "{}: {reason}",
                say(lang, "已登记为遗失", "recorded as lost")
            )
        }
    }
}

/// Where a photo stands on this device: a stable name, and words.
pub(super) fn photo_stage(
    lang: Language,
    photo: &StoredPhoto,
    awaited: bool,
) -> (&'static str, &'static str) {
    let (name, zh, en) = match photo.stage {
        _ if photo.given_up.is_some() => ("given_up", "已放弃发送", "given up"),
        PhotoStage::Sent | PhotoStage::Held => ("sent", "已发送，待核验", "sent, not verified yet"),
        _ if !awaited => (
            "without_effect",
            "所属操作未生效，仅保留",
            "kept with a command that took no effect",
        ),
        _ => ("waiting", "待发送", "to be sent"),
    };
    (name, say(lang, zh, en))
}

/// A phone that was restored from a backup must not go on as before.
pub(super) const fn restored(lang: Language) -> &'static str {
    say(
        lang,
        "此设备或服务器是从备份恢复的，请重新登记（enroll），未送达的操作会保留",
        "this device or its server was restored from a backup: enroll again, unsent work is kept",
    )
}

pub(super) const fn status(lang: Language, status: StatusName) -> &'static str {
    match status {
        StatusName::Unreported => say(lang, "未上报", "unreported"),
        StatusName::Reported => say(lang, "已上报", "reported"),
        StatusName::Confirmed => say(lang, "已确认", "confirmed"),
        StatusName::Rectifying => say(lang, "整改中", "rectifying"),
        StatusName::PendingReinspection => say(lang, "待复查", "pending re-inspection"),
        StatusName::Closed => say(lang, "已销号", "closed"),
        StatusName::Withdrawn => say(lang, "已撤回", "withdrawn"),
        StatusName::Rejected => say(lang, "不予认定", "rejected"),
        StatusName::Merged => say(lang, "已合并", "merged"),
        StatusName::Transferred => say(lang, "已移送", "transferred"),
    }
}

pub(super) const fn inspection_state(lang: Language, state: InspectionState) -> &'static str {
    match state {
        InspectionState::Unknown => say(lang, "未知", "unknown"),
        InspectionState::Planned => say(lang, "已计划", "planned"),
        InspectionState::InProgress => say(lang, "检查中", "in progress"),
        InspectionState::Completed => say(lang, "已完成", "completed"),
        InspectionState::Cancelled => say(lang, "已取消", "cancelled"),
    }
}

pub(super) const fn outcome(lang: Language, outcome: ItemOutcome) -> &'static str {
    match outcome {
        ItemOutcome::Ok => say(lang, "合格", "ok"),
        ItemOutcome::NotOk => say(lang, "不合格", "not ok"),
        ItemOutcome::NotApplicable => say(lang, "不适用", "not applicable"),
        ItemOutcome::NotChecked => say(lang, "未检查", "not checked"),
    }
}

/// Under which name JSON gives what a command acts upon, and the number by which people quote it.
pub(super) fn subject(subject: Subject) -> (&'static str, String) {
    match subject {
        Subject::Hazard(id) => ("hazard_id", hazard_number(id)),
        Subject::Inspection(id) => ("inspection_id", inspection_number(id)),
    }
}

/// The same of a queued command, by its kind.
pub(super) fn subject_of(kind: &str, id: SubjectId) -> (&'static str, String) {
    if kind == WITNESS_KIND {
        // Another device: no record has its number.
        return ("witnessed_install", id.to_string());
    }
    let kind = ActionKind::from_name(kind).map(ActionKind::subject);
    subject(kind.unwrap_or(SubjectKind::Hazard).with(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_shares_no_version_is_told_which_side_is_renewed() {
        let told = |lang, oldest, newest| {
            let spoken = Some(SpokenVersions { oldest, newest });
            failure(lang, &Failure::UpgradeRequired { spoken })
        };
        let newer = SpokenVersions::OURS.newest + 1;
        assert!(told(Language::Zh, newer, newer).starts_with("本程序过旧"));
        assert!(told(Language::Zh, 0, 0).starts_with("服务器的程序过旧"));
        let here = told(Language::En, newer, newer);
        assert!(here.starts_with("this program is too old"), "{here}");
        assert!(here.contains(&format!("{newer}-{newer} there")), "{here}");
        assert!(told(Language::En, 0, 0).starts_with("the server is too old"));
    }

    #[test]
    fn every_kind_of_command_that_a_device_queues_has_a_chinese_name() {
        let kinds = ActionKind::ALL.iter();
        for name in kinds
            .filter(|kind| !kind.is_servers_own())
            .map(|kind| kind.as_str())
        {
            assert_ne!(kind(Language::Zh, name), name);
            assert_eq!(kind(Language::En, name), name);
        }
    }
}
