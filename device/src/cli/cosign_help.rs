//! The words of the help on signing together, as in `help_words.rs`.

use super::help_words::Words;

pub(super) const ZH: Words = &[
    ("--draft", "把这项操作写入文件，供他人签名；不入队"),
    ("--co-signature", "他人设备签名后给出的文本；可给多次"),
    ("--second", "在本机用口令共同签名的人（登录名）；可给多次"),
    ("--pin-file", "存有签名口令的文件；不给则提示输入"),
    ("--yes", "不再询问"),
    ("FILE", "--draft 写成的文件"),
    ("LOGIN", "签名人的登录名"),
    ("cosign", "共同签名：出示、签名、入队（可离线）"),
    ("cosign show", "显示草稿的内容，以及供他人设备扫描的文本"),
    (
        "cosign sign",
        "显示他人请求签名的内容，同意后签名，给出回答文本",
    ),
    (
        "cosign sign TEXT",
        "他人设备出示的文本；- 表示从标准输入读取",
    ),
    (
        "cosign queue",
        "把草稿连同他人的签名（--co-signature 或 --second）入队",
    ),
    ("pin-key", "在本机用口令签名的人：登记、列出、删除"),
    (
        "pin-key add",
        "为没有自己设备的人在本机登记签名口令（需要服务器和其密码）。口令至少 6 个字符；\
         连续输错 10 次后密钥删除。",
    ),
    (
        "pin-key add --password-file",
        "存有其密码的文件；不给则提示输入",
    ),
    ("pin-key list", "列出可在本机用口令签名的人"),
    ("pin-key remove", "从本机删除一个人的签名密钥"),
];

pub(super) const EN: Words = &[
    (
        "--draft",
        "Write this step to a file for others to sign; nothing is queued",
    ),
    (
        "--co-signature",
        "Text that another person's device answered; may be given again",
    ),
    (
        "--second",
        "Somebody who signs here too, with a PIN (name to sign in with); may be given again",
    ),
    (
        "--pin-file",
        "File that holds the PIN; without one it is asked for",
    ),
    ("--yes", "Do not ask"),
    ("FILE", "File that --draft wrote"),
    ("LOGIN", "Name that they sign in with"),
    ("cosign", "Sign together: show, sign, queue (works offline)"),
    (
        "cosign show",
        "Show what a draft says, and the text for another person's device",
    ),
    (
        "cosign sign",
        "Show what another person's device asks to have signed, sign it and show the answer",
    ),
    (
        "cosign sign TEXT",
        "Text that the other device shows; - reads it from the standard input",
    ),
    (
        "cosign queue",
        "Queue a draft with the signatures of others (--co-signature or --second)",
    ),
    (
        "pin-key",
        "People who sign on this device with a PIN: add, list, remove",
    ),
    (
        "pin-key add",
        "Let somebody without a device sign on this one with a PIN (needs the server and their \
         password). A PIN has 6 characters or more; after 10 wrong ones in a row the key is deleted.",
    ),
    (
        "pin-key add --password-file",
        "File that holds their password; without one it is asked for",
    ),
    ("pin-key list", "List who may sign here with a PIN"),
    ("pin-key remove", "Delete somebody's key from this device"),
];
