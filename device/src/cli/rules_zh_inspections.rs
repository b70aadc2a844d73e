//! The tables of `rules_zh.rs` for the rules of inspections.

/// Sentences that stand alone.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    (
        "the certificate was valid when this was signed and has run out since: a person must decide",
        "签字时执法证有效，送达时已过期，须由人工处理",
    ),
    (
        "a department's inspection is begun and completed by a certified inspector",
        "部门检查须由持有效执法证件的人员开始和完成",
    ),
    (
        "setup.reason must say why a department comes without a plan",
        "计划外的部门检查须写明原因",
    ),
    (
        "a finding with this id is recorded already",
        "这个问题已经记录",
    ),
    ("the inspection has no such finding", "本次检查没有这个问题"),
    (
        "this advice has become a hazard already",
        "这条专家意见已转为隐患",
    ),
    (
        "hazard_id names no hazard of this enterprise",
        "所指的隐患不属于这家企业",
    ),
    ("no expert has signed", "专家尚未签字"),
    (
        "the enterprise has neither signed nor was its refusal recorded",
        "企业尚未签字，也没有记录拒签",
    ),
    (
        "the inspection is completed; only what was recorded before that was known may still arrive",
        "检查已经完成；只能补送完成之前的记录",
    ),
    (
        "you hold no role over this inspection",
        "您对这次检查没有职权",
    ),
    (
        "an inspection with this id exists already",
        "这个编号的检查已经存在",
    ),
    (
        "you are not one of those who carry out this inspection",
        "您不是这次检查的检查人员",
    ),
    ("there is no such inspection", "没有这次检查"),
    (
        "a co-signer is neither on the team nor of the enterprise",
        "共同签名人既不是检查人员，也不是企业人员",
    ),
    (
        "of an inspection, only sign_inspection is signed by others too",
        "检查只有签字这一步可以共同签名",
    ),
];

/// What is said of a field; its Chinese name goes before it.
pub(super) const OF_A_FIELD: &[(&str, &str)] = &[
    (
        "must be so: inspectors show their certificates first (安全生产法 Art. 67)",
        "须先出示证件（《安全生产法》第六十七条）",
    ),
    ("must name at least one item", "至少要有一项"),
    ("is answered twice", "填写了两次"),
    ("must say what is not as it should be", "须写明不符合之处"),
    (
        "must say what the expert advises; a hazard is named later",
        "须写明专家意见；隐患在转办时再填",
    ),
    ("is a finding of it already", "已经是本次检查发现的问题"),
    (
        "must name the hazard, without advice",
        "须填写隐患，不填专家意见",
    ),
    ("must say what was ordered or done", "须写明如何处理"),
    (
        "goes with a department's inspection: nobody else orders",
        "只用于部门检查",
    ),
    (
        "contradicts a finding or an item that is not ok",
        "与已发现的问题或不符合项矛盾",
    ),
    (
        "rests on no item that was looked at and is ok",
        "没有任何一项检查过且符合",
    ),
    (
        "must be said where nothing was found",
        "未发现问题时须选“未发现隐患”",
    ),
    ("names no checklist of any pack", "不在任何检查表中"),
    ("is no edition of it", "没有这个版本"),
    ("is no item of the checklist", "不是检查表中的项目"),
    (
        "is not one of this inspection's checklists",
        "不是本次检查的检查表",
    ),
    ("must name the enterprise", "须填写企业"),
    ("must say by what it is made", "须写明检查依据"),
    ("must say how often it is made", "须写明检查频次"),
    ("goes with self-checks and patrols", "只用于自查和网格巡查"),
    ("is named twice", "填写了两次"),
    ("must name two departments or more", "须有两个以上部门"),
    ("lies before window_from", "早于开始日期"),
    ("lies in the past", "已经过去"),
    ("is not what you sign as here", "与您的身份不符"),
    (
        "must show the handwritten signature of somebody without an account here",
        "须拍下手写签名（签字人没有账号）",
    ),
    (
        "cannot be another's account: they sign by their own",
        "不能是他人的账号，须由其本人签字",
    ),
    ("goes with a signature by hand", "只用于手写签名"),
    ("must be your own account", "须是您自己的账号"),
];

/// Sentences with something in them.
pub(super) const PATTERNS: &[(&str, &str)] = &[
    (
        "# mandatory item(s) have no result, the first is # of #",
        "还有 # 个必查项没有结果，第一个是 #（检查表 #）",
    ),
    (
        "# certified inspectors must take part and sign, # have signed",
        "须有 # 名持证检查人员参加并签字，现有 # 名",
    ),
    (
        "name no hazard for item # of #, which is not ok",
        "没有对应不符合项 #（检查表 #）的隐患",
    ),
    ("your role may not # here", "您的角色不能在此进行“#”"),
    (
        "# is nothing that is done to an inspection",
        "“#”不是对检查的操作",
    ),
    ("must name # or more", "至少须有 # 人"),
    ("lies more than # days ahead", "超过 # 天"),
    ("one inspection has at most # #", "一次检查最多 # #"),
];

/// What there is at most so much of.
pub(super) const NOUNS: &[(&str, &str)] = &[
    ("attendees", "名参加人员"),
    ("findings", "个问题"),
    ("signatures", "个签名"),
    ("departments", "个部门"),
    ("checklists", "份检查表"),
    ("people in the team", "名检查人员"),
];

/// Fields by their whole name, or by the last part of it.
pub(super) const FIELDS: &[(&str, &str)] = &[
    ("advice", "专家意见"),
    ("approval_no", "审批编号"),
    ("attendees", "参加人员"),
    ("attendees.name", "参加人员姓名"),
    ("attendees.post", "参加人员职务"),
    ("attendees.phone", "参加人员电话"),
    ("cadence", "检查频次"),
    ("certificates_shown", "出示证件"),
    ("checklist", "检查表"),
    ("checklists", "检查表"),
    ("checklists.code", "检查表编码"),
    ("checklists.edition", "检查表版本"),
    ("checklists.mandatory", "必查项"),
    ("co_signatures", "共同签名"),
    ("departments", "部门"),
    ("enterprise_id", "企业"),
    ("finding_id", "问题"),
    ("handling", "处理方式"),
    ("hazard_id", "隐患"),
    ("item", "检查项"),
    ("name", "姓名"),
    ("no_hazard_found", "未发现隐患"),
    ("notice_no", "通知书编号"),
    ("person_id", "签字人"),
    ("phone", "电话"),
    ("post", "职务"),
    ("photo", "签名照片"),
    ("photos", "照片"),
    ("refused_at", "拒签时间"),
    ("refused_by", "拒签人"),
    ("results", "检查结果"),
    ("role", "签字身份"),
    ("signed_at", "签字时间"),
    ("situation", "检查情况"),
    ("started_at", "开始时间"),
    ("team", "检查人员"),
    ("window_to", "结束日期"),
    ("witness", "见证人"),
];
