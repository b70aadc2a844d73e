//! The words of the help on locking and wiping, as in `help_words.rs`.

use super::help_words::Words;

pub(super) const ZH: Words = &[
    (
        "--key-dir",
        "存放密钥文件的目录，须与数据分开；不给则在 --home 旁边的同名 -keys 目录",
    ),
    (
        "--unlock-file",
        "存有本机口令的文件；设了口令而不给则提示输入",
    ),
    (
        "lock",
        "本机数据已加密：查看、设置口令（PIN），或改用密钥文件（可离线）",
    ),
    ("lock status", "本机数据由什么解锁"),
    (
        "lock pin",
        "设置或更换口令，至少 6 个字符；只改写被包裹的密钥，不改写数据。忘记口令，未送达的工作就无法取回。",
    ),
    (
        "lock pin --new-pin-file",
        "存有新口令的文件；不给则提示输入",
    ),
    (
        "lock pin --memory-kib",
        "每猜一次口令要占用的内存（Argon2id，KiB）",
    ),
    ("lock pin --passes", "每猜一次口令要计算的遍数（Argon2id）"),
    (
        "lock key-file",
        "不再用口令，改由密钥文件解锁（能读取该文件的人即可解锁）",
    ),
    (
        "wipe",
        "从本机删除此人的全部数据和密钥；还有未送达的工作时不删除，并说明数量",
    ),
    (
        "wipe --lose",
        "确认丢失未送达的操作和照片；须写出准确的总数",
    ),
    (
        "wipe --forgotten",
        "忘记口令：用登录密码证明本人后删除（需要服务器）",
    ),
    ("wipe --password-file", "存有登录密码的文件；不给则提示输入"),
];

pub(super) const EN: Words = &[
    (
        "--key-dir",
        "Directory of key files, apart from the work; without it beside --home, under its name and -keys",
    ),
    (
        "--unlock-file",
        "File that holds this device's PIN; where one is set and no file is given, it is asked for",
    ),
    (
        "lock",
        "What is on this device is encrypted: see what unlocks it, set a PIN or use a key file",
    ),
    ("lock status", "Say what unlocks this device"),
    (
        "lock pin",
        "Set or change the PIN (6 characters or more). Only the wrapped key is written anew. Without \
         the PIN, work that was not sent cannot be brought back.",
    ),
    (
        "lock pin --new-pin-file",
        "File that holds the new PIN; without one it is asked for",
    ),
    (
        "lock pin --memory-kib",
        "Memory that each guess of the PIN takes (argon2id)",
    ),
    (
        "lock pin --passes",
        "Passes that each guess of the PIN takes (argon2id)",
    ),
    (
        "lock key-file",
        "Use a key file instead of a PIN: whoever may read that file unlocks the device",
    ),
    (
        "wipe",
        "Delete all of this person's work and keys from this device; refuses while something was \
         not sent, and says how much",
    ),
    (
        "wipe --lose",
        "Lose what was not sent: the exact number of commands and photos together",
    ),
    (
        "wipe --forgotten",
        "The PIN is forgotten: prove who you are with the password (needs the server)",
    ),
    (
        "wipe --password-file",
        "File that holds the password; without one it is asked for",
    ),
];
