//! Why a task was not done, and how that is told.

use std::io::Write;

use hazardloop_domain::refusal::Refusal;
use hazardloop_sync_protocol::device::Failure;
use serde_json::json;

use super::args::{Arguments, Language};
use super::{exit, words};
use crate::driver::DeviceError;
use crate::home::HomeError;
use crate::photos::PhotoError;
use crate::vault::{LEAST_MEMORY_KIB, LEAST_PASSES, MOST_MEMORY_KIB, MOST_PASSES, VaultError};

/// Why a task was not done.
pub(super) enum Trouble {
    /// Chinese, English.
    Usage(String, String),
    Refused(Box<Refusal>),
    /// As `Refused`, with the rule in Chinese.
    Photo(Box<Refusal>, String),
    Server(Failure),
    /// Nothing is wrong here; later it will go: exit code, Chinese, English.
    Said(u8, &'static str, &'static str),
    /// As `Said`, in words made for the occasion.
    Told(u8, String, String),
    /// This device's own disk or files: in the words that the system gives.
    Broken(String),
}

impl From<DeviceError> for Trouble {
    fn from(error: DeviceError) -> Self {
        match error {
            DeviceError::Refused(refusal) => Self::Refused(Box::new(refusal)),
            DeviceError::Home(error) => error.into(),
            DeviceError::Choice(error) => error.into(),
            DeviceError::Vault(error) => error.into(),
            other => Self::Broken(other.to_string()),
        }
    }
}

impl From<HomeError> for Trouble {
    fn from(error: HomeError) -> Self {
        match error {
            HomeError::Io { .. } | HomeError::BadKey(_) => Self::Broken(error.to_string()),
            HomeError::NetworkInUse(_) => Self::Said(
                exit::UNREACHABLE,
                "另一个进程正在与服务器同步，请稍后再试；数据已保留",
                "another process is syncing with the server; try later, work is kept",
            ),
            HomeError::NotEnrolled(ref home) => {
                let zh = format!("{} 尚无人登记，请先运行 enroll", home.display());
                Self::Usage(zh, error.to_string())
            }
            HomeError::Wiped(ref note) => {
                let (zh, en) = super::lock::what_became(note);
                Self::Told(exit::ATTENTION, zh, en)
            }
            HomeError::Ambiguous(ref names) => {
                let zh = format!("此处登记了多人（{names}），请用 --user 和 --server 指定");
                Self::Usage(zh, error.to_string())
            }
        }
    }
}

impl From<VaultError> for Trouble {
    fn from(error: VaultError) -> Self {
        let en = error.to_string();
        let zh = match error {
            VaultError::Home(error) => return error.into(),
            VaultError::KeyStore(text) => return Self::Broken(text),
            VaultError::Missing(path) => {
                format!("缺少 {}：此目录中已加密的内容无法打开", path.display())
            }
            VaultError::Damaged(path) => format!("{} 已损坏", path.display()),
            VaultError::NoKey(place) => {
                format!("没有解锁此目录的密钥文件（{place}）；请放回，或用 --key-dir 指明目录")
            }
            VaultError::WrongKey(place) => format!("密钥文件不是此目录的密钥（{place}）"),
            VaultError::Unread(text) => return Self::Usage(text.clone(), text),
            VaultError::Length => "口令须为 6 至 64 个字符".to_owned(),
            VaultError::Cost => format!(
                "Argon2id 的内存须为 {LEAST_MEMORY_KIB} 至 {MOST_MEMORY_KIB} KiB，遍数须为 \
                 {LEAST_PASSES} 至 {MOST_PASSES}"
            ),
            VaultError::WrongPin { failures } => format!("口令不正确（已连续 {failures} 次）"),
            VaultError::Wait(until) => format!("口令输错次数过多，{until} 之后才能再试"),
        };
        Self::Told(exit::ATTENTION, zh, en)
    }
}

impl From<PhotoError> for Trouble {
    fn from(error: PhotoError) -> Self {
        match error {
            PhotoError::Home(error) => error.into(),
            PhotoError::Unreadable {
                ref path,
                ref source,
            } => {
                let zh = format!("无法读取 {}：{source}", path.display());
                Self::Usage(zh, error.to_string())
            }
            PhotoError::TooLarge {
                ref path,
                size,
                most,
            } => {
                let zh = format!("{}：{size} 字节，最大 {most} 字节", path.display());
                Self::Photo(Box::new(no_photo(&error)), zh)
            }
            PhotoError::NotAPhoto { ref path } => {
                let zh = format!(
                    "{}：不是 JPEG、PNG 或 WebP 图片，也不是 PDF 或 MP4 文件",
                    path.display()
                );
                Self::Photo(Box::new(no_photo(&error)), zh)
            }
        }
    }
}

fn no_photo(error: &PhotoError) -> Refusal {
    Refusal::invalid_field("photo", &error.to_string())
}

pub(super) fn tell(
    arguments: &Arguments,
    trouble: Trouble,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    let lang = arguments.lang;
    let (code, json, text) = match trouble {
        Trouble::Usage(zh, en) => {
            let text = if lang == Language::Zh { zh } else { en };
            (exit::USAGE, json!({ "error": text }), text)
        }
        Trouble::Photo(refusal, zh) => {
            let text = match lang {
                Language::Zh => format!("{}（{zh}）", refusal.code.wording_zh()),
                Language::En => words::refusal(lang, &refusal),
            };
            (
                exit::REFUSED,
                json!({ "refused": refusal, "message": text }),
                text,
            )
        }
        Trouble::Said(code, zh, en) => {
            let text = words::say(lang, zh, en).to_owned();
            (code, json!({ "error": text }), text)
        }
        Trouble::Told(code, zh, en) => {
            let text = if lang == Language::Zh { zh } else { en };
            (code, json!({ "error": text }), text)
        }
        Trouble::Broken(text) => {
            let what = words::say(lang, "本机磁盘或文件出错：", "");
            let text = format!("{what}{text}");
            (exit::BROKEN, json!({ "error": text }), text)
        }
        Trouble::Refused(refusal) => {
            let text = words::refusal(lang, &refusal);
            (
                exit::REFUSED,
                json!({ "refused": refusal, "message": text }),
                text,
            )
        }
        Trouble::Server(failure) => {
            let text = words::failure(lang, &failure);
            (
                code_of(&failure),
                json!({ "failure": format!("{failure:?}"), "message": text }),
                text,
            )
        }
    };
    if arguments.json {
        drop(writeln!(out, "{json}"));
    }
    drop(writeln!(err, "{text}"));
    code
}

pub(super) fn code_of(failure: &Failure) -> u8 {
    match failure {
        Failure::Unauthorized
        | Failure::Revoked
        | Failure::UpgradeRequired { .. }
        | Failure::PayloadTooLarge { .. }
        | Failure::PhotoHashMismatch
        | Failure::Refused { .. } => exit::ATTENTION,
        _ => exit::UNREACHABLE,
    }
}
