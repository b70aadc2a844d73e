//! More words of the command line's help: lists, orders, packs, and what is asked of the server. The
//! keys are those of `help_words.rs`.

use super::help_words::Words;

/// In Chinese.
pub(super) const ZH: Words = &[
    (
        "list",
        "列出本机的隐患。给出的条件须同时满足；不给 --limit 时最多显示 200 条（--json 时不限）",
    ),
    (
        "list --search",
        "只列出编号、描述、部位或企业名称中含有所有这些词的隐患",
    ),
    (
        "list --state",
        "状态，可给多个：reported、confirmed、rectifying、pending_reinspection、closed、rejected、withdrawn、\
         merged、transferred，或其中文名称，如 整改中",
    ),
    ("--grade", "隐患等级：major（重大）或 general（一般）"),
    ("--overdue", "只列出已逾期的"),
    ("--not-overdue", "只列出未逾期的，没有期限的也算"),
    (
        "list --sector",
        "监管行业：编码、名称或别名；按隐患记录中的行业",
    ),
    ("list --enterprise", "企业：id 或名称"),
    ("--jurisdiction", "辖区及其以下：id 或名称"),
    ("list --criterion", "符合的判定标准：编码，或 编码@版本"),
    ("list --source", "隐患来源"),
    (
        "list --since",
        "此时及以后上报的：YYYY-MM-DD 或 RFC 3339 时刻；尚未送达的按本机保存时间",
    ),
    (
        "list --until",
        "此时及以前上报的，写法同上；日期算到当天结束",
    ),
    ("list --due-from", "整改期限在这一天或以后：YYYY-MM-DD"),
    ("list --due-until", "整改期限在这一天或以前：YYYY-MM-DD"),
    (
        "list --near",
        "某点周围：经度,纬度,米[@wgs84|cgcs2000|gcj02|bd09]，不写坐标系为 wgs84；最大 50000 米。\
         没有位置的隐患不列入，只说明有几条",
    ),
    (
        "list --bbox",
        "某范围内：西经度,南纬度,东经度,北纬度[@wgs84|cgcs2000|gcj02|bd09]，不写坐标系为 wgs84",
    ),
    ("list --mine", "只列出本人上报的"),
    (
        "list --sort",
        "次序：newest 最新上报的在前，due 整改期限最早的在前（没有有效期限的排在后面）",
    ),
    ("list --limit", "最多显示几条；默认 200，--json 时不限"),
    ("criteria", "按问题描述查找相符的判定标准（离线）"),
    (
        "criteria TEXT",
        "问题描述，中文或英文；不写时按编码列出符合其他条件的全部条款",
    ),
    ("criteria --standard", "判定标准：其编码或文号"),
    ("criteria --citable", "只列出可作为依据引用的"),
    ("criteria --not-citable", "只列出不可作为依据引用的"),
    ("criteria --in-force-on", "其标准在这一天有效的：YYYY-MM-DD"),
    (
        "criteria --limit",
        "最多显示几条；有问题描述时默认 5，否则默认 200，--json 时不限",
    ),
    ("checklists", "列出本机的检查表，或显示一份的全部检查项"),
    ("checklists CODE", "检查表编码；给出时显示其检查项"),
    (
        "checklists --site-type",
        "场所类型：行业包中的编码；适用于任何场所的检查表也列出",
    ),
    ("checklists --cadence", "检查频次，如 daily"),
    ("checklists --retired", "也列出新版行业包已停用的版本"),
    (
        "orders",
        "责令限期整改指令书：列出整改期限有效的，期限最早的在前；或显示某条隐患的指令书全文",
    ),
    (
        "orders HAZARD",
        "显示这条隐患的指令书：id、编号，或二者的开头（须唯一）",
    ),
    ("orders --enterprise", "发给哪家企业：id 或名称"),
    ("orders --limit", "最多显示几份；默认 200，--json 时不限"),
    (
        "orders --online",
        "向服务器查询签发人的姓名和执法证（需要网络；本机只保存本人的）",
    ),
    (
        "packs",
        "列出本机的行业包及其标准、检查表；待录入原文的条款不得作为判定依据",
    ),
    (
        "packs NAME",
        "行业包名称；给出时逐一列出标准（文号、日期、状态）和检查表（版本、项数）",
    ),
    (
        "find",
        "在服务器上查找隐患，包括早已办结、不在本机的；条件与 list 相同（需要网络）",
    ),
    ("find --limit", "最多显示几条；默认 50"),
    ("find --criterion", "符合的判定标准：编码（不写版本）"),
    (
        "unclaimed",
        "列出无主隐患：行业不明，或没有部门负责（需要网络；督办人员、部门负责人、管理员）",
    ),
    ("unclaimed --limit", "最多显示几条"),
    (
        "responsibilities",
        "查询哪个部门负责哪个行业：某辖区自行明确的，或用 --sector 查一个行业（需要网络）",
    ),
    (
        "responsibilities --sector",
        "行业：编码、名称或别名；本辖区没有明确时按上级辖区",
    ),
    (
        "responsibilities --jurisdiction",
        "辖区：id 或名称；默认为本人所在辖区",
    ),
    (
        "hand-overs",
        "列出涉及本人的工作移交，最近的在前（需要网络）",
    ),
    (
        "hand-overs --all",
        "也列出他人之间的，以服务器准许查看的为限",
    ),
    ("hand-overs --limit", "最多显示几次"),
    (
        "attention",
        "列出未生效的操作：为什么、记录现在怎样、您现在可以做什么；重发或放弃",
    ),
    ("attention --all", "也列出已有处理结果的"),
    (
        "attention --online",
        "向服务器查询，也列出本人其他设备发送的",
    ),
    ("attention retry", "原样重发"),
    (
        "attention retry --of",
        "由哪台设备发送，如不是本机（attention --online 可见）",
    ),
    (
        "attention give-up",
        "放弃：不再要求生效；记录在案并告知服务器",
    ),
    (
        "attention give-up --of",
        "由哪台设备发送，如不是本机（attention --online 可见）",
    ),
    ("attention give-up --reason", "原因，记录在案"),
    ("NUMBER", "队列中的编号"),
    (
        "hand-over",
        "办理工作移交：一人的职权终止，另一人自同一时刻起承接（需要网络；限管理员、部门负责人、主要负责人）",
    ),
    ("hand-over --from", "移交人：账号、姓名或 id"),
    ("hand-over --to", "承接人：账号、姓名或 id"),
    ("hand-over --reason", "事由，记录在案"),
    ("hand-over --at", "何时起；默认即时"),
    (
        "hand-over --grant",
        "移交哪些授权（可多次）；默认为届时有效的全部",
    ),
    (
        "hand-over --again",
        "答复丢失的请求的 id：再次提交也不会重复办理",
    ),
];

/// In English.
pub(super) const EN: Words = &[
    (
        "list",
        "List the hazards on this device. All that is given must be met; without --limit, 200 at most are \
         shown (all of them with --json)",
    ),
    (
        "list --search",
        "Only those whose number, description, place or enterprise's name hold all these words",
    ),
    (
        "list --state",
        "In any of these states: reported, confirmed, rectifying, pending_reinspection, closed, rejected, \
         withdrawn, merged, transferred",
    ),
    ("--grade", "Grade: major or general"),
    ("--overdue", "Only those past their due date"),
    (
        "--not-overdue",
        "Only those that are not past their due date, or have none",
    ),
    (
        "list --sector",
        "Sector as the hazard's record has it: code, name or alias",
    ),
    ("list --enterprise", "Enterprise: id or name"),
    (
        "--jurisdiction",
        "Of this jurisdiction and all below it: id or name",
    ),
    (
        "list --criterion",
        "The criterion that they meet: CODE, or CODE@EDITION",
    ),
    ("list --source", "How they came to be known"),
    (
        "list --since",
        "Reported then or later: YYYY-MM-DD or an RFC 3339 instant; what has not been sent yet counts from \
         when it was kept here",
    ),
    (
        "list --until",
        "Reported then or earlier, likewise; a date counts to its end",
    ),
    ("list --due-from", "Due on this day or later: YYYY-MM-DD"),
    ("list --due-until", "Due on this day or earlier: YYYY-MM-DD"),
    (
        "list --near",
        "Around a point: LON,LAT,METRES[@wgs84|cgcs2000|gcj02|bd09], wgs84 where none is named; 50000 m at \
         most. Hazards without a position are counted, not listed",
    ),
    (
        "list --bbox",
        "Within WEST,SOUTH,EAST,NORTH[@wgs84|cgcs2000|gcj02|bd09], wgs84 where none is named",
    ),
    ("list --mine", "Only what you reported"),
    (
        "list --sort",
        "newest: the newest report first; due: the earliest due date first, those without one in force \
         behind them",
    ),
    (
        "list --limit",
        "Most hazards that are shown; 200, or all of them with --json",
    ),
    (
        "criteria",
        "Find the criteria that fit what is wrong (needs no server)",
    ),
    (
        "criteria TEXT",
        "What is wrong, Chinese or English; without it, all that meet the rest, by their codes",
    ),
    (
        "criteria --standard",
        "Of this standard: its code or its number",
    ),
    (
        "criteria --citable",
        "Only those that may be picked as a legal basis",
    ),
    (
        "criteria --not-citable",
        "Only those that may not be picked as a legal basis",
    ),
    (
        "criteria --in-force-on",
        "Those whose standard holds on this day: YYYY-MM-DD",
    ),
    (
        "criteria --limit",
        "Most criteria that are shown; 5 of those that fit a text, else 200, with --json all",
    ),
    (
        "checklists",
        "List the checklists on this device, or the items of one",
    ),
    ("checklists CODE", "Code of a checklist, to see its items"),
    (
        "checklists --site-type",
        "Kind of site, by its code in the pack; lists for any site are among them",
    ),
    (
        "checklists --cadence",
        "Gone through this often, such as daily",
    ),
    (
        "checklists --retired",
        "Also editions that a newer version of their pack has no longer",
    ),
    (
        "orders",
        "Rectification orders: list those in force, the earliest due first, or show the one over a hazard in \
         full",
    ),
    (
        "orders HAZARD",
        "Show the order over this hazard: id, number, or the beginning of either where only one fits",
    ),
    ("orders --enterprise", "To this enterprise: id or name"),
    (
        "orders --limit",
        "Most orders that are shown; 200, or all of them with --json",
    ),
    (
        "orders --online",
        "Ask the server for names and certificates of those who signed (needs a network; only your own are \
         on this device)",
    ),
    (
        "packs",
        "List the packs on this device with their standards and checklists; criteria to be entered from the \
         original are no legal basis",
    ),
    (
        "packs NAME",
        "A pack, to see its standards (number, dates, status) and checklists (edition, items)",
    ),
    (
        "find",
        "Look hazards up on the server, also those closed long ago that are not on this device; narrowed as \
         list is (needs the server)",
    ),
    (
        "find --limit",
        "Most hazards that are shown; 50 where nothing is said",
    ),
    (
        "find --criterion",
        "Those that meet this criterion: CODE, without an edition",
    ),
    (
        "unclaimed",
        "List hazards of no known sector, or for which no department answers (needs the server; for \
         supervisors, department heads and administrators)",
    ),
    ("unclaimed --limit", "Most hazards that are shown"),
    (
        "responsibilities",
        "Which department answers for which sector: all that a jurisdiction itself says, or one sector by \
         --sector (needs the server)",
    ),
    (
        "responsibilities --sector",
        "The sector: code, name or alias; what the jurisdiction leaves open is said above it",
    ),
    (
        "responsibilities --jurisdiction",
        "The jurisdiction: id or name; by default the one you belong to",
    ),
    (
        "hand-overs",
        "List hand-overs of roles that concern you, newest first (needs the server)",
    ),
    (
        "hand-overs --all",
        "Also those between others, as far as the server shows them",
    ),
    ("hand-overs --limit", "Most hand-overs that are shown"),
    (
        "attention",
        "List what took no effect: why, how the record stands now, what you may do now; send it again or give \
         it up",
    ),
    ("attention --all", "Also what is settled"),
    (
        "attention --online",
        "Ask the server, for what the owner's other devices sent too",
    ),
    ("attention retry", "Send it again as it was"),
    (
        "attention retry --of",
        "The device that sent it, where it is not this one (attention --online shows it)",
    ),
    (
        "attention give-up",
        "Give it up: it is to have no effect; recorded, and the server is told",
    ),
    (
        "attention give-up --of",
        "The device that sent it, where it is not this one (attention --online shows it)",
    ),
    ("attention give-up --reason", "Why, for the record"),
    ("NUMBER", "Its number in the queue"),
    (
        "hand-over",
        "Hand over roles: those of one person end, and another holds them from that instant on (needs the \
         server; for administrators, department heads and principals)",
    ),
    ("hand-over --from", "Whose roles end: login, name or id"),
    (
        "hand-over --to",
        "Who holds them from then on: login, name or id",
    ),
    ("hand-over --reason", "Why, for the record"),
    ("hand-over --at", "From when on; absent: from now"),
    (
        "hand-over --grant",
        "Which grants (several times for several); absent: all that hold then",
    ),
    (
        "hand-over --again",
        "The id of a request whose answer was lost: asked again, it is not done twice",
    ),
];
