//! More words of the command line's help: what a plan, a review and a spot check say beside the rest.
//! The keys are those of `help_words.rs`.

use super::help_words::Words;

/// In Chinese.
pub(super) const ZH: Words = &[
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
