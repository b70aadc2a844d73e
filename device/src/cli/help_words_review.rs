//! More words of the command line's help: plans, reviews on site, spot checks.
//! The keys are those of `help_words.rs`.

use super::help_words::Words;

/// In Chinese.
pub(super) const ZH: Words = &[
    (
        "plan",
        "提交整改方案；一般隐患写明谁、做什么、何时，重大隐患做到“五落实”（责任、措施、资金、时限、预案）",
    ),
    ("plan --leader", "责任：整改责任领导（重大隐患必填）"),
    ("plan --leader-post", "整改责任领导的职务"),
    ("plan --leader-phone", "整改责任领导的电话（重大隐患必填）"),
    ("plan --responsible", "责任：整改责任人"),
    ("plan --responsible-post", "整改责任人的职务"),
    (
        "plan --responsible-phone",
        "整改责任人的电话（重大隐患必填）",
    ),
    (
        "plan --interim",
        "措施：整改完成前的临时措施（重大隐患必填）",
    ),
    ("plan --permanent", "措施：治理措施"),
    ("plan --funds-fen", "资金，单位为分（重大隐患必填）"),
    ("plan --funds-source", "资金来源（重大隐患必填）"),
    ("plan --due", "时限（最后一天，不晚于整改期限）：YYYY-MM-DD"),
    (
        "plan --milestone",
        "阶段目标：日期=目标，可多次给出（重大隐患必填）",
    ),
    ("plan --contingency", "应急预案（重大隐患必填）"),
    (
        "plan --congress-on",
        "向职工代表大会或职工报告的日期（重大隐患必填）",
    ),
    ("plan --congress-how", "报告方式：职工代表大会、公告栏等"),
    ("plan --goal", "治理目标"),
    ("plan --photo", "资料（PDF）或公告栏照片"),
    ("confirm --category", "隐患类别；上报时没有写的必须写"),
    (
        "plan --no-photo-reason",
        "没有公告栏照片的原因（重大隐患须附照片或说明原因）",
    ),
    (
        "decide --reviewed-on",
        "现场审查的日期（仅 resumption，同意时必填）",
    ),
    (
        "decide --no-photo-reason",
        "没有现场审查照片的原因（仅 resumption）",
    ),
    ("spot-check", "抽查已销号的隐患；不合格的重新开启"),
    ("spot-check --pass", "整改保持良好"),
    ("spot-check --fail", "不合格：隐患重新开启，恢复最初期限"),
    ("spot-check --false-closure", "属于虚假整改"),
    ("spot-check --opinion", "抽查意见"),
    ("spot-check --photo", "现场照片"),
    ("spot-check --no-photo-reason", "没有照片的原因"),
];

/// In English.
pub(super) const EN: Words = &[
    (
        "plan",
        "Hand in the plan of a correction: who does what by when; of a major hazard with the five fulfilments",
    ),
    (
        "plan --leader",
        "The leader who answers for it; a major hazard needs it",
    ),
    ("plan --leader-post", "The leader's post"),
    (
        "plan --leader-phone",
        "The leader's phone; a major hazard needs it",
    ),
    ("plan --responsible", "Who carries it out"),
    ("plan --responsible-post", "Their post"),
    (
        "plan --responsible-phone",
        "Their phone; a major hazard needs it",
    ),
    (
        "plan --interim",
        "Measures until it is corrected; a major hazard needs it",
    ),
    ("plan --permanent", "Measures that correct it"),
    (
        "plan --funds-fen",
        "Funds, in fen (1/100 CNY); a major hazard needs it",
    ),
    (
        "plan --funds-source",
        "Where the funds come from; a major hazard needs it",
    ),
    (
        "plan --due",
        "The last day, not after the order's: YYYY-MM-DD",
    ),
    (
        "plan --milestone",
        "A stage: DATE=WHAT; may be given several times; a major hazard needs one",
    ),
    (
        "plan --contingency",
        "What is done if it goes wrong; a major hazard needs it",
    ),
    (
        "plan --congress-on",
        "Day on which the workers were told (needed for a major hazard)",
    ),
    (
        "plan --congress-how",
        "How they were told: congress, notice board",
    ),
    ("plan --goal", "What is to be reached"),
    (
        "plan --photo",
        "Documents (PDF), photos of the notice board",
    ),
    (
        "confirm --category",
        "Category of the hazard; needed where the report names none",
    ),
    (
        "plan --no-photo-reason",
        "Why there is no photo of the notice board (a major hazard's plan has one or the other)",
    ),
    (
        "decide --reviewed-on",
        "The day of the review on site (resumption only; consent needs it)",
    ),
    (
        "decide --no-photo-reason",
        "Why the review has no photo (resumption only)",
    ),
    (
        "spot-check",
        "Look at a closed hazard again; one that fails is open again",
    ),
    ("spot-check --pass", "The correction holds"),
    (
        "spot-check --fail",
        "It does not: the hazard is open again, with its first due date",
    ),
    ("spot-check --false-closure", "The correction was false"),
    ("spot-check --opinion", "What was found"),
    ("spot-check --photo", "Photos of the place as it is now"),
    ("spot-check --no-photo-reason", "Why there is no photo"),
];
