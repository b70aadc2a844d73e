//! The words of the command line's help, one table a language. A key is the way to a command
//! (`photo give-up`), or that way and an argument (`report --at`, `show HAZARD`); an argument that
//! means the same everywhere stands alone. `help.rs` sets them; a test finds what is missing.

use super::args::Language;
use super::cosign_help;
use super::help_words_beside as beside;
use super::help_words_lists as lists;
use super::help_words_review as review;
use super::help_words_visits as visits;
use super::lock_help;
use super::witness;

pub(super) type Words = &'static [(&'static str, &'static str)];

/// Words of the frame around the tables.
pub(super) struct Frame {
    pub usage: &'static str,
    pub options: &'static str,
    pub option: &'static str,
    pub arguments: &'static str,
    pub commands: &'static str,
    pub command: &'static str,
    pub default: &'static str,
    pub one_of: &'static str,
    pub environment: &'static str,
}

pub(super) const fn frame(lang: Language) -> Frame {
    match lang {
        Language::Zh => Frame {
            usage: "用法：",
            options: "选项：",
            option: "[选项]",
            arguments: "参数：",
            commands: "命令：",
            command: "<命令>",
            default: "默认",
            one_of: "可选",
            environment: "环境变量",
        },
        Language::En => Frame {
            usage: "Usage: ",
            options: "Options:",
            option: "[OPTIONS]",
            arguments: "Arguments:",
            commands: "Commands:",
            command: "<COMMAND>",
            default: "default",
            one_of: "one of",
            environment: "environment",
        },
    }
}

/// The words for an argument of a command, or (`argument` empty) for the command.
pub(super) fn words(lang: Language, command: &str, argument: &str) -> Option<&'static str> {
    let tables: [Words; 8] = match lang {
        Language::Zh => [
            ZH,
            beside::ZH,
            cosign_help::ZH,
            lock_help::ZH,
            visits::ZH,
            review::ZH,
            lists::ZH,
            witness::ZH,
        ],
        Language::En => [
            EN,
            beside::EN,
            cosign_help::EN,
            lock_help::EN,
            visits::EN,
            review::EN,
            lists::EN,
            witness::EN,
        ],
    };
    let of = |key: &str| {
        let mut fits = tables
            .into_iter()
            .flatten()
            .filter(|(name, _)| *name == key);
        fits.next().map(|(_, words)| *words)
    };
    if argument.is_empty() {
        return of(command);
    }
    let own = |command: &str| of(format!("{command} {argument}").trim_start());
    // What is looked up on the server is narrowed as a list is.
    let as_list = || own("list").filter(|_| command == "find");
    own(command).or_else(as_list).or_else(|| of(argument))
}

const ZH: Words = &[
    (
        "",
        "现场设备（命令行）。除 enroll、pull、push、sync、find、unclaimed、responsibilities、hand-overs、hand-over 外都可离线使用。\n\n\
         退出码：0 完成；1 本机磁盘或文件出错；2 用法有误；3 规则不允许，未入队；\
         4 服务器不可达或另一进程正在同步（数据已保留）；5 有事项需人工处理。",
    ),
    ("--home", "本机数据目录"),
    ("--server", "服务器地址（登记了多个时用来选择）"),
    ("--user", "登录名（登记了多人时用来选择）"),
    ("--lang", "提示语言：zh 或 en"),
    ("--json", "以 JSON 回答"),
    (
        "--instead-of",
        "代替队列中未生效的第几条（见 attention）：该条由本次操作代替",
    ),
    ("--help", "显示帮助"),
    ("--version", "显示版本"),
    ("help", "显示某个命令的帮助"),
    (
        "HAZARD",
        "隐患：id、形如 HZ-261122-XXXXXXXX 的编号，或二者的开头（须唯一）",
    ),
    ("SHA256", "照片的 SHA-256，或其开头（须唯一）"),
    ("enroll", "为一个人登记本设备（需要服务器）"),
    ("enroll --password-file", "存有密码的文件；不给则提示输入"),
    ("enroll --name", "这台设备叫什么"),
    ("enroll --unguarded", "即使本机有他人的工作未设口令，也登记"),
    ("--wait", "服务器繁忙时最多共等待多少秒"),
    (
        "--keep-days",
        "已生效的操作在本机保留多少天（按服务器时间）；应不短于服务器备份的间隔",
    ),
    ("--keep-commands", "已生效的操作在本机最多保留多少条"),
    ("pull", "取回最新记录"),
    ("push", "发送排队的操作"),
    ("sync", "发送操作和照片并取回记录，直到没有可做的或失败"),
    ("report", "上报隐患"),
    (
        "report --photo",
        "隐患照片（JPEG、PNG、WebP）、短视频（MP4）或资料（PDF）",
    ),
    (
        "report --at",
        "位置：经度,纬度[@wgs84|cgcs2000|gcj02|bd09][±米]；定位模块给出的是 wgs84",
    ),
    ("report --place", "部位：哪个车间、产线、设备"),
    ("report --text", "问题描述"),
    ("report --enterprise", "企业：id 或名称；默认为本人所在企业"),
    ("--major", "重大事故隐患"),
    ("report --general", "一般隐患（默认）"),
    ("report --source", "隐患来源；默认按本人角色"),
    ("--criterion", "符合的判定标准：编码@版本"),
    ("report --found-at", "发现时间（RFC 3339）；默认为现在"),
    ("report --no-photo-reason", "没有照片的原因"),
    ("--measure", "已采取的临时措施"),
    ("confirm", "核实确认隐患并定整改期限"),
    ("confirm --general", "一般隐患；默认与上报一致"),
    ("confirm --basis", "判定依据（没有对应标准时用文字说明）"),
    ("confirm --responsible", "整改责任人"),
    ("confirm --requirement", "整改要求"),
    ("confirm --due", "整改期限（最后一天）：YYYY-MM-DD"),
    ("reject", "不予认定"),
    ("withdraw", "撤回本人上报、尚未确认的一般隐患"),
    ("--reason", "原因"),
    ("fix", "提交整改"),
    ("fix --photo", "整改后的照片"),
    ("fix --measures", "整改措施"),
    ("fix --completed-at", "完成时间（RFC 3339）；默认为现在"),
    (
        "fix --cost-fen",
        "整改资金，单位为分（重大隐患必填，可为 0）",
    ),
    ("reinspect", "复查"),
    ("reinspect --pass", "已整改合格"),
    ("reinspect --return", "不合格，退回"),
    ("--opinion", "意见"),
    ("reinspect --due", "退回后的新期限：YYYY-MM-DD"),
    ("reinspect --photo", "检查人员拍摄的照片"),
    ("close", "销号"),
    ("reopen", "重新开启已销号的隐患"),
    ("reopen --false-closure", "属于虚假整改"),
    ("note", "添加备注"),
    ("note --text", "备注内容"),
    ("amend", "更正上报内容"),
    ("amend --text", "新的问题描述"),
    ("amend --place", "新的部位"),
    ("amend --at", "新的位置，写法同 report"),
    ("amend --enterprise", "企业（查明后）：id 或名称"),
    ("attach", "补充照片、短视频或资料"),
    ("attach --photo", "要补充的照片"),
    (
        "attach --kind",
        "照片内容：before 整改前，after 整改后，scene 现场，document 资料（PDF 一律为资料），signature 签名",
    ),
    ("lost-photo", "登记照片确已遗失（管理员）"),
    ("lost-photo --photo", "照片的 SHA-256，或其开头（须唯一）"),
    ("photo", "本机的照片：列出、放弃、重试"),
    ("photo list", "列出本机保存的照片"),
    (
        "photo give-up",
        "不再发送一张无法送达的照片。隐患仍显示缺照片，直到其他设备送来这张照片，\
         或管理员登记其遗失。可用 photo retry 撤销。",
    ),
    ("photo give-up --delete", "同时从本机删除照片文件，不可恢复"),
    ("photo retry", "重新发送一张照片，放弃过的也可以"),
    (
        "photo retry --file",
        "内容相同的照片文件，用于替换本机已损坏的副本",
    ),
    ("show", "显示一条隐患"),
    ("show --online", "同时向服务器查询其报告时间的证明"),
    ("queue", "列出排队的操作：仍在本机、已送达、需要处理"),
    ("status", "哪些还没有离开本机，上次何时联系服务器"),
    ("enterprises", "列出本机的企业"),
    ("--sector", "行业：编码、名称或别名，如 工贸、粉尘涉爆"),
    ("self-check", "提交一次自查；可离线，无隐患也是一条记录"),
    (
        "INSPECTION",
        "检查：id、形如 IN-261122-XXXXXXXX 的编号，或二者的开头（须唯一）",
    ),
    ("--enterprise", "企业：id 或名称；默认为本人所在企业"),
    ("--checklist", "检查表：编码@版本"),
    ("--must", "第一张检查表的必查项"),
    ("--place", "部位：哪个车间、产线、设备"),
    ("--ok", "合格的项：项号，或 检查表:项号"),
    ("--not-ok", "不合格的项：项号=情况"),
    ("--not-applicable", "不适用的项"),
    ("--not-checked", "未检查的项"),
    ("self-check --photo", "不合格项的照片"),
    (
        "self-check --cadence",
        "多久一次：shift、daily、weekly、monthly、quarterly、half_yearly、yearly、once",
    ),
    ("self-check --finding", "由此上报的隐患"),
    ("--situation", "检查情况"),
    ("--nothing-found", "未发现隐患"),
    ("inspect start", "开始检查，计划内或计划外"),
    (
        "inspect start --kind",
        "检查类型，例如 tip、open_visit、unannounced_visit、expert_visit、grid_patrol",
    ),
    ("inspect start --at", "位置，写法同 report"),
    ("inspect start --with", "其他检查人员的账号 id"),
    ("inspect start --basis", "检查依据"),
    ("inspect start --certificates-shown", "已出示执法证件"),
    ("inspect start --rights-told", "已告知权利和回避事项"),
    (
        "inspect start --present",
        "企业到场人员：姓名、姓名:职务 或 姓名:职务:电话；第一位为负责人",
    ),
    ("inspect result", "登记检查项结果，可多次"),
    ("inspect result --photo", "不合格项的照片"),
    ("inspect finding", "登记检查发现"),
    ("inspect finding --hazard", "已上报的隐患"),
    ("inspect finding --advice", "专家意见"),
    ("inspect finding --item", "发现于哪一项"),
    (
        "inspect finding --handling",
        "处理：corrected_on_spot、rectify_by_deadline、work_suspended",
    ),
    ("inspect sign", "签字；--name 为在本机签字的企业代表"),
    ("inspect sign --name", "企业代表姓名"),
    ("inspect sign --post", "企业代表职务"),
    ("inspect sign --photo", "手写签名的照片"),
    ("inspect refuse", "登记企业拒绝签字"),
    ("inspect refuse --name", "拒签人"),
    ("inspect refuse --witness", "见证人"),
    ("inspect complete", "检查结束"),
    ("inspect list", "列出本机的检查"),
    ("inspect show", "查看一次检查"),
];

const EN: Words = &[
    (
        "",
        "A field device on the command line. All but enroll, pull, push, sync, find, \
         unclaimed, responsibilities, hand-overs and hand-over works offline.\n\n\
         Exit codes: 0 done; 1 this device's own disk or files failed; 2 wrong usage; 3 refused by \
         the rules, nothing was queued; 4 the server is not reachable or another process speaks to \
         it (work is kept); 5 something needs a person's attention.",
    ),
    ("--home", "Where this device keeps its things"),
    (
        "--server",
        "Address of the server, to choose where several are enrolled",
    ),
    (
        "--user",
        "Name to sign in with, to choose where several are enrolled",
    ),
    ("--lang", "Language of what is said: zh or en"),
    ("--json", "Answer as JSON"),
    (
        "--instead-of",
        "Number of the command that took no effect and whose place this one takes (see attention)",
    ),
    ("--help", "Show help"),
    ("--version", "Show the version"),
    ("help", "Show the help of a command"),
    (
        "HAZARD",
        "Hazard: id, number like HZ-261122-XXXXXXXX, or the beginning of either where only one fits",
    ),
    (
        "SHA256",
        "SHA-256 of the photo, or its beginning where only one fits",
    ),
    (
        "enroll",
        "Register this device for one person (needs the server)",
    ),
    (
        "enroll --password-file",
        "File that holds the password; without one it is asked for",
    ),
    ("enroll --name", "How people call this device"),
    (
        "enroll --unguarded",
        "Also beside somebody whose work no PIN guards",
    ),
    (
        "--wait",
        "Seconds that waiting for a busy server may take altogether",
    ),
    (
        "--keep-days",
        "Days that commands which took effect are kept here, by the server's clock; not less than \
         between two backups of the server",
    ),
    (
        "--keep-commands",
        "Most of such commands that are kept here",
    ),
    ("pull", "Bring the records up to date"),
    ("push", "Send queued commands"),
    (
        "sync",
        "Send commands and photos and bring the records up to date, until quiet or a failure",
    ),
    ("report", "Report a hazard"),
    (
        "report --photo",
        "Photos of the hazard (JPEG, PNG, WebP), short clips (MP4) or documents (PDF)",
    ),
    (
        "report --at",
        "Position: LON,LAT[@wgs84|cgcs2000|gcj02|bd09][±METRES]; receivers report wgs84",
    ),
    ("report --place", "Which workshop, line, machine"),
    ("report --text", "What is wrong"),
    (
        "report --enterprise",
        "Enterprise: id or name; by default the one you belong to",
    ),
    ("--major", "A major hazard"),
    ("report --general", "A general hazard (the default)"),
    (
        "report --source",
        "How it came to be known; by default what fits your role",
    ),
    ("--criterion", "The criterion it meets: CODE@EDITION"),
    (
        "report --found-at",
        "When it was found (RFC 3339); by default now",
    ),
    ("report --no-photo-reason", "Why there is no photo"),
    ("--measure", "What was done at once"),
    ("confirm", "Confirm a hazard and set its due date"),
    (
        "confirm --general",
        "A general hazard; by default as reported",
    ),
    (
        "confirm --basis",
        "The basis in words, where no criterion fits",
    ),
    ("confirm --responsible", "Who must correct it"),
    ("confirm --requirement", "What must be done"),
    ("confirm --due", "The last day to correct it: YYYY-MM-DD"),
    ("reject", "Reject a report"),
    (
        "withdraw",
        "Take back your own report of a general hazard before it is confirmed",
    ),
    ("--reason", "Why"),
    ("fix", "Submit a completed rectification"),
    ("fix --photo", "Photos after the correction"),
    ("fix --measures", "What was done"),
    (
        "fix --completed-at",
        "When it was completed (RFC 3339); by default now",
    ),
    (
        "fix --cost-fen",
        "What it cost, in fen (1/100 CNY); a major hazard needs it, be it 0",
    ),
    ("reinspect", "Re-inspect a submission"),
    ("reinspect --pass", "It is corrected"),
    ("reinspect --return", "It is not: back to the enterprise"),
    ("--opinion", "Your opinion"),
    (
        "reinspect --due",
        "A new deadline after a return: YYYY-MM-DD",
    ),
    ("reinspect --photo", "The inspector's own photos"),
    ("close", "Close a hazard"),
    ("reopen", "Reopen a closed hazard"),
    ("reopen --false-closure", "The correction was false"),
    ("note", "Add a note"),
    ("note --text", "The note"),
    ("amend", "Correct a report"),
    ("amend --text", "New description"),
    ("amend --place", "New place within the site"),
    ("amend --at", "New position, written as in report"),
    (
        "amend --enterprise",
        "The enterprise, once known: id or name",
    ),
    ("attach", "Add photos, short clips or documents"),
    ("attach --photo", "The photos"),
    (
        "attach --kind",
        "What they show: before or after the correction, scene (surroundings), document (a PDF always \
         is one) or signature",
    ),
    (
        "lost-photo",
        "Record that a photo is lost for good (administrators)",
    ),
    (
        "lost-photo --photo",
        "SHA-256 of the photo, or its beginning where only one fits",
    ),
    ("photo", "Photos on this device: list, give up, try again"),
    ("photo list", "List the photos that are kept here"),
    (
        "photo give-up",
        "Stop trying to deliver a photo that can never arrive. The hazard goes on awaiting it, until \
         another device brings it or an administrator records it as lost. Undone by photo retry.",
    ),
    (
        "photo give-up --delete",
        "Delete the bytes from this device too, for good",
    ),
    (
        "photo retry",
        "Deliver a photo again, also one that was given up",
    ),
    (
        "photo retry --file",
        "File that holds the same photo, where the copy here is damaged",
    ),
    ("show", "Show one hazard"),
    (
        "show --online",
        "Also what the server knows of when it was reported",
    ),
    (
        "queue",
        "List queued commands: on this device, arrived, in need of attention",
    ),
    (
        "status",
        "What has not left this device, and when it last met its server",
    ),
    ("enterprises", "List the enterprises on this device"),
    (
        "--sector",
        "The sector: code, name or alias, such as industry-and-trade",
    ),
];
