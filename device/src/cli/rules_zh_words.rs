//! The tables of `rules_zh.rs`: what the rules say in English, and in Chinese.

/// Sentences that stand alone.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    (
        "this value stands beside the other already: amend on the record's present version to settle it",
        "您的这一内容已与他人的并存：请核对最新记录，用 amend 写明应采用的内容",
    ),
    (
        "once the correction is handed in, only fields with two values are amended, to settle which one stands",
        "整改提交后只能就有两种说法的内容用 amend 写明应采用哪一种",
    ),
    (
        "what was handed in is not another enterprise's: the re-inspection returns it before another is named",
        "已提交的整改不是另一家企业的：须先由复查退回，再改填企业",
    ),
    (
        "the catalog holds no such edition of a criterion",
        "判定标准库中没有这个版本的判定情形",
    ),
    (
        "the criterion is to be entered from the original, or was retired",
        "该判定情形待录入原文或已停用，不能作为依据",
    ),
    (
        "the criterion was not in force when the hazard was found or confirmed",
        "发现或确认隐患时该判定情形未施行",
    ),
    (
        "this is nothing that is done to a hazard",
        "这不是对隐患的操作",
    ),
    // Anybody, anything
    ("the record names no such photo", "记录中没有这张照片"),
    ("there is no such hazard", "没有这条隐患"),
    // Co-signatures
    (
        "this is no signature of theirs over this command",
        "这不是其本人对此操作的签名",
    ),
    (
        "the key was revoked before it signed",
        "签名所用的密钥此前已被撤销",
    ),
    ("the key was revoked", "签名所用的密钥已被撤销"),
    (
        "it was used before; they sign each act anew",
        "该签名已使用过，每次操作须重新签名",
    ),
    (
        "whoever signed holds no role over this hazard",
        "签名人对这条隐患没有任何角色",
    ),
    (
        "its author is no second person",
        "操作人本人不能作为第二签名人",
    ),
    ("one person signs once", "同一人只能签名一次"),
    (
        "you hold no role over this hazard",
        "您对这条隐患没有任何角色",
    ),
    (
        "a hazard with this id has been reported already",
        "这条隐患已经上报过",
    ),
    ("the hazard exists already", "这条隐患已经存在"),
    // Report
    (
        "name an enterprise, or a position inside a known jurisdiction",
        "请写明企业，或给出已知辖区内的位置",
    ),
    (
        "a report needs a photo, or no_photo_reason says why there is none",
        "请附照片，或用 --no-photo-reason 说明原因",
    ),
    (
        "the plan of a major hazard shows the notice board, or no_photo_reason says why not",
        "重大隐患的整改方案须附公告栏照片，或用 --no-photo-reason 说明原因",
    ),
    (
        "consent needs a photo of the review, or no_photo_reason says why there is none",
        "同意恢复生产须附现场审查照片，或用 --no-photo-reason 说明原因",
    ),
    (
        "a spot check needs a photo, or no_photo_reason says why there is none",
        "抽查须附照片，或用 --no-photo-reason 说明原因",
    ),
    ("only what is closed is spot-checked", "只抽查已销号的隐患"),
    (
        "whoever handed in, passed or closed it may not spot-check it",
        "提交整改、复查合格或销号的人不能抽查",
    ),
    (
        "whoever found the hazard may not pass or close it here",
        "本地规定发现隐患的人不能复查合格或销号",
    ),
    (
        "what was fixed on the spot shows a photo before and one after",
        "即查即改须有整改前和整改后的照片",
    ),
    // Confirmation and grade
    (
        "a major hazard names a criterion with its edition, or a basis in words",
        "重大隐患须写明判定标准及版本，或用文字说明依据",
    ),
    (
        "a basis in words goes with an expert's opinion",
        "用文字说明依据的，须附专家意见",
    ),
    (
        "another confirmation waits for a second inspector; decide_proposal answers it",
        "已有一份确认在等第二名检查人员复核，请用 decide … proposal 答复",
    ),
    (
        "another change of the grade waits for a second approver",
        "已有一项等级调整在等第二人审批",
    ),
    (
        "a hazard under listed supervision is delisted before its grade is lowered",
        "挂牌督办的隐患须先摘牌，才能降低等级",
    ),
    (
        "nothing waits for a second person",
        "没有等待第二人复核的事项",
    ),
    (
        "whoever proposed it may not be the second person",
        "提出的人不能作为第二人复核",
    ),
    (
        "making less of a major hazard is agreed to by the department",
        "重大隐患降为一般隐患须由主管部门同意",
    ),
    (
        "something else waits by now than what this decides on",
        "待决定的事项已经变更，请查看后重新决定",
    ),
    // Plan and extension
    (
        "the due date has moved beyond what was asked for",
        "现在的整改期限已晚于所申请的日期",
    ),
    ("no plan waits for a decision", "没有待审查的整改方案"),
    ("there is no due date yet", "尚未定整改期限"),
    (
        "an extension has been asked for already",
        "已有延期申请待审批",
    ),
    ("no extension has been asked for", "没有待审批的延期申请"),
    (
        "whoever asked for it may not decide on it",
        "申请人不能自己审批",
    ),
    // Correction, re-inspection, closure
    (
        "a rectification shows at least one photo taken after it",
        "提交整改至少要有一张整改后的照片",
    ),
    (
        "a major hazard is corrected by a plan that the department has acknowledged",
        "重大隐患须按主管部门已确认的整改方案整改",
    ),
    (
        "a major hazard is accepted by the enterprise itself before it is handed in",
        "重大隐患提交前须由企业自行验收（--accepted-by、--acceptance）",
    ),
    ("nothing was submitted", "尚未提交整改"),
    (
        "you have passed this submission already; another inspector must",
        "您已复查合格，须由另一名检查人员复查",
    ),
    (
        "no photo of this correction has arrived; attach one, or return it",
        "本次整改的照片一张也没有送达；请补附，或退回整改",
    ),
    (
        "a body above yours has listed the hazard: it decides, or one above it",
        "该隐患由上级单位挂牌，须由其或更上级决定",
    ),
    (
        "the body that it was handed to gives the receipt; yours may take it back",
        "回执由接收单位出具；移出单位只能撤回移送",
    ),
    (
        "naming another enterprise than the order takes a second signature",
        "整改指令已下达，变更责任企业须有第二人共同签名",
    ),
    (
        "the enterprise is ordered to stop work, or listed: that ends before another is named",
        "该企业正被责令停产停业或挂牌督办，解除后才能变更责任企业",
    ),
    (
        "whoever submitted the rectification may not pass or close it",
        "提交整改的人不能复查或销号",
    ),
    (
        "passing a major hazard needs the inspector's photo, or no_photo_reason",
        "重大隐患复查合格须附检查人员拍摄的照片，或用 --no-photo-reason 说明原因",
    ),
    (
        "work is ordered to stop; consent to resume comes before closure",
        "停产停用措施尚未解除，须先同意恢复生产才能销号",
    ),
    (
        "work is ordered to stop; consent to resume comes first",
        "停产停用措施尚未解除，须先同意恢复生产",
    ),
    // Merge and transfer
    (
        "the other hazard is not confirmed and open here",
        "对方隐患尚未确认，或已不在办理中",
    ),
    (
        "the other hazard is only a general one",
        "对方只是一般隐患，重大隐患不能合并进去",
    ),
    (
        "a hazard under listed supervision is delisted before it is handed over",
        "挂牌督办的隐患须先摘牌，才能移送",
    ),
    ("a hazard is not merged into itself", "不能合并到自身"),
    (
        "there is no such hazard that you answer for",
        "您的管辖范围内没有这条隐患",
    ),
    (
        "the other hazard is another enterprise's",
        "对方隐患属于另一家企业",
    ),
    ("nothing was handed over", "没有移送"),
    ("its receipt has been recorded", "移送回执已登记"),
    // Measures
    (
        "the hazard is under listed supervision already; another level is a new listing",
        "隐患已在挂牌督办；变更级别须先摘牌再挂牌",
    ),
    (
        "the hazard is not under listed supervision",
        "隐患未在挂牌督办",
    ),
    ("work is ordered to stop already", "已责令停产停用"),
    ("work is not ordered to stop", "没有在执行的停产停用措施"),
    (
        "resuming has been asked for already",
        "已有恢复生产申请待审查",
    ),
    (
        "resuming has not been asked for",
        "没有待审查的恢复生产申请",
    ),
    (
        "whoever found the hazard may not decide on its penalty",
        "发现隐患的人不能决定处罚",
    ),
];

/// What a sentence says of the field that it begins with.
pub(super) const OF_A_FIELD: &[(&str, &str)] = &[
    ("must not be blank", "不能为空"),
    ("holds a control character", "含有控制字符"),
    (
        "must be image/jpeg, image/png, image/webp, application/pdf or video/mp4",
        "须为 JPEG、PNG、WebP、PDF 或 MP4",
    ),
    (
        "must be document for a PDF: it shows no place",
        "须为 document：PDF 只能作为资料",
    ),
    ("names a photo that is already there", "这张照片已经附上"),
    ("names a photo that is not awaited", "这张照片并不缺"),
    (
        "names no photo of a signature in the record",
        "不是这条记录中的签名照片",
    ),
    (
        "name none that failed: a major hazard is returned for what is still wrong",
        "须写明仍不合格的项目：重大隐患因何退回",
    ),
    (
        "new_due_date is set by an inspector; the enterprise asks for an extension",
        "新的期限由检查人员确定；企业须申请延期",
    ),
    (
        "names no photo before the correction",
        "不是这条记录中整改前的照片",
    ),
    (
        "names no photo after the correction",
        "不是这条记录中整改后的照片",
    ),
    ("is not a plausible time", "时间不合理"),
    ("is not a plausible day", "日期不合理"),
    ("goes with a return, not a pass", "只用于退回"),
    (
        "is false in a re-inspection that passes",
        "不合格，复查不能判为合格",
    ),
    (
        "does not fit your role: who found it decides the source",
        "与您的角色不符，来源由谁发现决定",
    ),
    ("must be a UUID of version 7", "须为第 7 版 UUID"),
    ("names the hazard itself", "就是这条隐患本身"),
    (
        "is for general hazards; a major one is corrected by a plan",
        "只用于一般隐患；重大隐患须按方案整改",
    ),
    ("must name at least one field to change", "至少要更正一项"),
    (
        "must name the submission that a second person signs for",
        "共同签名须指明所复查的是哪一次提交",
    ),
    (
        "is above the body that you list for",
        "高于您所在督办单位的级别",
    ),
    (
        "is said by the enterprise, grid workers, inspectors and the department",
        "只能由企业、网格员、检查人员和主管部门填写",
    ),
    ("is not a version of this record", "不是这条记录的版本"),
    ("cannot go with a signature", "不能与签名同时填写"),
    (
        "needs a signature, or why it was refused",
        "须有签名，或写明拒签原因",
    ),
    (
        "must say why a hazard reported as major is none",
        "须写明上报为重大的隐患为何不属重大",
    ),
    (
        "are more than there are photos before the correction",
        "多于整改前的照片",
    ),
    (
        "has been recorded for this case; it can be corrected, not removed",
        "已登记，只能更正，不能删去",
    ),
    ("is the grade it has", "与现在的等级相同"),
    (
        "lies after the order's; an extension is asked for first",
        "晚于整改期限，须先申请延期",
    ),
    ("lies after the plan's own", "晚于方案的完成期限"),
    (
        "is missing: without it the plan is not complete",
        "没有填写：整改方案不完整（重大隐患须做到“五落实”）",
    ),
    (
        "is missing: neither the report nor the confirmation names one",
        "没有填写：上报和确认都没有写",
    ),
    (
        "is missing: a major hazard's correction states its cost, be it 0",
        "没有填写：重大隐患须写明整改花费，没有花费写 0",
    ),
    (
        "is missing: passing a major hazard is a document with a number",
        "没有填写：重大隐患复查合格须有复查意见书编号",
    ),
    (
        "are missing: passing a major hazard says what was looked at",
        "没有填写：重大隐患复查合格须写明逐项结果",
    ),
    ("lies before the order to stop", "早于责令停产停用的日期"),
    (
        "is missing: consent follows a review on site",
        "没有填写：同意恢复生产须先现场审查",
    ),
    ("goes with a spot check that fails", "只用于不合格的抽查"),
    ("names no hazard that you may see", "不是您能看到的隐患"),
    (
        "names a hazard that was found to be none",
        "是不予认定、已撤回或已合并的隐患",
    ),
    ("names a hazard of another enterprise", "是另一家企业的隐患"),
    ("is not later than the present one", "不晚于现在的期限"),
    ("answers for the hazard already", "本来就负责这条隐患"),
    ("must say why the hazard is sent back", "须写明退回的原因"),
];

/// Sentences with something in the place of each `#`; what stands there keeps its order.
pub(super) const PATTERNS: &[(&str, &str)] = &[
    ("has more than # characters", "超过 # 个字"),
    (
        "a command has at most # co-signatures",
        "一项操作最多 # 个共同签名",
    ),
    ("must be 1 to # bytes", "须为 1 至 # 字节"),
    ("names 1 to # people", "须有 1 至 # 人"),
    (
        "lies in the past or more than # days ahead",
        "早于今天或超过 # 天",
    ),
    (
        "# photo(s) that the record names have not arrived",
        "还缺 # 张照片",
    ),
    (
        "photo # has no counterpart after the correction",
        "照片 # 没有对应的整改后照片",
    ),
    (
        "closure needs # passed re-inspection(s) by different inspectors, there are #",
        "销号须有 # 名不同检查人员复查合格，现有 # 名",
    ),
    (
        "new_due_date of a listed hazard, or more than # days ahead, takes an extension",
        "挂牌督办的隐患，或新期限超过 # 天的，须申请延期",
    ),
    ("the due date # has passed", "整改期限 # 已过"),
    (
        "more than # days need an expert's opinion",
        "延期超过 # 天须附专家意见",
    ),
    ("# is not possible in this state", "当前状态下不能进行“#”"),
    (
        "your role may not # this hazard",
        "您的角色不能对这条隐患进行“#”",
    ),
    (
        "# needs a valid inspector's certificate",
        "“#”须持有效执法证件",
    ),
    ("# is decided elsewhere", "“#”不在此处办理"),
    ("one hazard has at most # #", "一条隐患最多 # #"),
];
