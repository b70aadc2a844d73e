//! More words of the command line's help: what goes with an inspection beside its own steps. The keys
//! are those of `help_words.rs`.

use super::help_words::Words;

/// In Chinese.
pub(super) const ZH: Words = &[
    (
        "inspect",
        "检查：计划、开始、登记、签字、结束、取消、列出、查看",
    ),
    (
        "inspect plan",
        "制定检查计划；检查人员制定时本人在检查人员之列",
    ),
    (
        "inspect plan --kind",
        "检查类型，例如 plan、special、joint、unannounced_visit、expert_visit、self_check、grid_patrol",
    ),
    ("inspect plan --at", "无企业的巡查：位置，写法同 report"),
    ("inspect plan --from", "可进行检查的第一天：YYYY-MM-DD"),
    (
        "inspect plan --to",
        "最后一天：YYYY-MM-DD；默认与第一天相同",
    ),
    (
        "inspect plan --cadence",
        "自查、巡查多久一次：shift、daily、weekly、monthly、quarterly、half_yearly、yearly、once",
    ),
    ("inspect plan --with", "其他检查人员的账号 id"),
    ("inspect plan --basis", "检查依据"),
    ("inspect plan --reason", "检查缘由"),
    ("--department", "部门名称；联合检查须写两个以上"),
    ("--approval-no", "审批编号"),
    ("--notice-no", "检查通知书编号"),
    ("inspect attend", "登记到场人员"),
    (
        "inspect attend --present",
        "姓名、姓名:职务 或 姓名:职务:电话",
    ),
    (
        "inspect attend --role",
        "身份：principal、safety_manager、operator、expert、witness、inspector、other",
    ),
    (
        "inspect attend --part",
        "环节：opening 首次会议，on_site 现场检查，closing 末次会议",
    ),
    (
        "inspect convert",
        "专家意见转为隐患：先上报隐患，再在此写明",
    ),
    (
        "inspect convert --finding",
        "哪条意见：inspect show 中的序号，或其 id",
    ),
    ("inspect convert --hazard", "据此上报的隐患"),
    ("inspect team", "调整检查人员"),
    (
        "inspect team --member",
        "调整后的全部检查人员：人员 id，其他部门的写作 id:部门",
    ),
    ("inspect cancel", "取消尚未开始的检查"),
];

/// In English.
pub(super) const EN: Words = &[
    (
        "inspect",
        "Inspections: plan, begin, record, sign, complete, cancel, list, show",
    ),
    (
        "inspect plan",
        "Plan an inspection; an inspector who plans is one of those who inspect",
    ),
    (
        "inspect plan --kind",
        "What kind, for example plan, special, joint, unannounced_visit, expert_visit, self_check, grid_patrol",
    ),
    (
        "inspect plan --at",
        "Where, for a patrol without an enterprise; written as in report",
    ),
    (
        "inspect plan --from",
        "The first day on which it may take place: YYYY-MM-DD",
    ),
    (
        "inspect plan --to",
        "The last day: YYYY-MM-DD; by default the first",
    ),
    (
        "inspect plan --cadence",
        "How often a self-check or patrol is made: shift, daily, weekly, monthly, quarterly, half_yearly, yearly, once",
    ),
    (
        "inspect plan --with",
        "The others who inspect, by the ids of their accounts",
    ),
    ("inspect plan --basis", "By what it is made"),
    ("inspect plan --reason", "What it is made for"),
    (
        "--department",
        "Departments by name; a joint inspection takes two or more",
    ),
    ("--approval-no", "Number of the approval"),
    ("--notice-no", "Number of the notice of inspection"),
    ("inspect attend", "Record who was there"),
    (
        "inspect attend --present",
        "Who: NAME, NAME:POST or NAME:POST:PHONE",
    ),
    (
        "inspect attend --role",
        "As what: principal, safety_manager, operator, expert, witness, inspector, other",
    ),
    (
        "inspect attend --part",
        "At which part: opening, on_site, closing",
    ),
    (
        "inspect convert",
        "Say which hazard an expert's advice has become; the hazard is reported first",
    ),
    (
        "inspect convert --finding",
        "Which advice: its place in inspect show, or its id",
    ),
    (
        "inspect convert --hazard",
        "The hazard that was reported upon it",
    ),
    ("inspect team", "Change who inspects"),
    (
        "inspect team --member",
        "All who inspect from now on: ids of people, each with :DEPARTMENT where it is another's",
    ),
    ("inspect cancel", "Cancel an inspection that has not begun"),
];
