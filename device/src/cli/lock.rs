//! What unlocks this device, and wiping it.

use std::path::Path;

use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::Failure;
use serde_json::json;
use zeroize::Zeroizing;

use super::args::{Arguments, Language};
use super::exit;
use super::lock_args::{LockTask, WipeArgs};
use super::show::Answer;
use super::trouble::Trouble;
use super::words::say;
use crate::ambient::Ambient;
use crate::driver::Device;
use crate::home::Profile;
use crate::key_store::{KeyFiles, KeyStore as _};
use crate::transport::Transport;
use crate::vault::{self, Keyring, Lock};
use crate::wipe::{Cause, Wiped, wipe};
use crate::{sealing, session};

/// The key files of this call.
pub(super) fn key_files(arguments: &Arguments) -> KeyFiles {
    match &arguments.unlocking.key_dir {
        Some(dir) => KeyFiles(dir.clone()),
        None => KeyFiles::beside(&arguments.home),
    }
}

/// Does something with what this call can unlock with.
pub(super) fn with_keyring<T>(arguments: &Arguments, doing: impl FnOnce(&Keyring<'_>) -> T) -> T {
    let store = key_files(arguments);
    let pin = || {
        let asks = say(arguments.lang, "本机口令", "PIN of this device");
        typed(
            arguments.unlocking.unlock_file.as_deref(),
            asks,
            arguments.lang,
        )
    };
    doing(&Keyring {
        store: &store,
        pin: &pin,
    })
}

fn typed(file: Option<&Path>, asks: &str, lang: Language) -> Result<Zeroizing<String>, String> {
    match super::secret(file, asks) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(Trouble::Usage(zh, en)) => Err(match lang {
            Language::Zh => zh,
            Language::En => en,
        }),
        Err(_) => Err(asks.to_owned()),
    }
}

pub(super) fn run(
    profile: &Profile,
    ambient: &mut Ambient,
    arguments: &Arguments,
    task: &LockTask,
) -> Result<Answer, Trouble> {
    let lang = arguments.lang;
    match task {
        LockTask::Status => {}
        LockTask::Pin(new) => {
            let asks = say(lang, "新口令", "New PIN");
            // The present one first: whoever cannot unlock is not asked for another.
            with_keyring(arguments, |keyring| {
                let present = std::cell::OnceCell::new();
                let once = || present.get_or_init(|| (keyring.pin)()).clone();
                let keyring = Keyring {
                    store: keyring.store,
                    pin: &once,
                };
                let key = vault::unlock(profile, &keyring, ambient)?;
                sealing::seal(profile, &key, ambient.generator())?;
                let new_pin = Zeroizing::new(super::secret(new.new_pin_file.as_deref(), asks)?);
                vault::set_pin(profile, &keyring, ambient, &new_pin, new.cost())?;
                Ok::<_, Trouble>(())
            })?;
        }
        LockTask::KeyFile => {
            with_keyring(arguments, |keyring| {
                vault::unlock(profile, keyring, ambient)?;
                vault::use_key_store(profile, keyring, ambient)
            })?;
        }
    }
    status(profile, arguments)
}

fn status(profile: &Profile, arguments: &Arguments) -> Result<Answer, Trouble> {
    let place = key_files(arguments).place(&vault::key_name(profile));
    let (by, text) = match (vault::lock_of(profile)?, arguments.lang) {
        (Some(Lock::Pin(cost)), Language::Zh) => (
            "pin",
            format!(
                "由口令解锁（Argon2id {} KiB，{} 遍）",
                cost.memory_kib, cost.passes
            ),
        ),
        (Some(Lock::Pin(cost)), Language::En) => (
            "pin",
            format!(
                "unlocked by a PIN (argon2id, {} KiB, {} passes)",
                cost.memory_kib, cost.passes
            ),
        ),
        (Some(Lock::KeyStore), Language::Zh) => ("key_file", format!("由密钥文件解锁：{place}")),
        (Some(Lock::KeyStore), Language::En) => {
            ("key_file", format!("unlocked by the key file {place}"))
        }
        (None, Language::Zh) => ("nothing", "尚未加密，下次使用时自动加密".to_owned()),
        (None, Language::En) => (
            "nothing",
            "not encrypted yet: the next use does it".to_owned(),
        ),
    };
    Ok(Answer {
        json: json!({ "unlocked_by": by, "message": text }),
        lines: vec![text],
    })
}

/// Commands and photos of a device that are nowhere else, as far as it knows.
pub(super) fn unsent(device: &Device) -> (usize, usize) {
    let state = device.engine.state();
    let only_here = state
        .commands
        .values()
        .filter(|command| command.is_unsent() || command.oversize.is_some());
    (only_here.count(), device.photos_awaited())
}

pub(super) fn wipe_device(
    device: &Device,
    ambient: &Ambient,
    arguments: &Arguments,
    args: &WipeArgs,
) -> Result<Answer, Trouble> {
    let (commands, photos) = unsent(device);
    let total = (commands + photos) as u64;
    if args.lose.unwrap_or(0) != total {
        return Err(Trouble::Told(
            exit::ATTENTION,
            format!(
                "没有删除：还有 {commands} 条操作、{photos} 张照片未送达服务器。请先 sync；\
                 确实要丢失它们，请加 --lose {total}"
            ),
            format!(
                "nothing was deleted: {commands} commands and {photos} photos have not reached the \
                 server. Run sync first; to lose them, add --lose {total}"
            ),
        ));
    }
    done(
        &device.profile,
        arguments,
        ambient.clock.now(),
        (commands, photos),
    )
}

/// Wipes what nobody can unlock any more, for whoever proves at the server whose it is.
pub(super) fn wipe_forgotten(
    profile: &Profile,
    ambient: &Ambient,
    arguments: &Arguments,
    args: &WipeArgs,
) -> Result<Answer, Trouble> {
    let asks = say(arguments.lang, "密码", "Password");
    let password = super::secret(args.password_file.as_deref(), asks)?;
    let (transport, login) = (Transport::new(&profile.owner.server), &profile.owner.login);
    let opened = profile.away(|| session::sign_in(&transport, login, &password))?;
    let opened = opened.map_err(|failure| match failure {
        Failure::Unauthorized => Trouble::Said(
            exit::ATTENTION,
            "用户名或密码不正确，没有删除",
            "wrong login or password; nothing was deleted",
        ),
        other => Trouble::Server(other),
    })?;
    drop(profile.away(|| session::sign_out(&transport, &opened))?);
    done(profile, arguments, ambient.clock.now(), (0, 0))
}

fn done(
    profile: &Profile,
    arguments: &Arguments,
    at: Timestamp,
    (commands_lost, photos_lost): (usize, usize),
) -> Result<Answer, Trouble> {
    let note = Wiped {
        cause: Cause::Asked,
        at,
        handed_over: 0,
        commands_lost,
        photos_lost,
    };
    wipe(profile, &key_files(arguments), &note)?;
    let text = say(
        arguments.lang,
        "已从本机删除此人的全部数据和密钥",
        "all of this person's work and keys were deleted from this device",
    );
    Ok(Answer {
        json: json!({ "wiped": note, "message": text }),
        lines: vec![text.to_owned()],
    })
}

/// What became of a device that was wiped after its revocation, Chinese and English.
pub(super) fn what_became(note: &Wiped) -> (String, String) {
    let Wiped {
        cause,
        at,
        handed_over,
        commands_lost,
        photos_lost,
    } = note;
    let (why_zh, why_en) = match cause {
        Cause::RevokedRefused => (
            "；服务器不接收此设备的任何内容（设备已报失，或期限已过）",
            "; the server takes nothing of it (lost or stolen, or too late)",
        ),
        Cause::Revoked | Cause::Asked => ("", ""),
    };
    let mut zh = format!("此设备已被注销，本机数据和密钥已于 {at} 清除{why_zh}。");
    let mut en = format!("this device was revoked; its work and keys were wiped at {at}{why_en}.");
    if *handed_over > 0 {
        zh += &format!("未送达的 {handed_over} 条操作已交服务器保管，由管理人员处理，尚未生效。");
        en += &format!(
            " {handed_over} commands that had not been sent are kept by the server, without \
             effect, for its administrators to settle."
        );
    }
    if *commands_lost > 0 || *photos_lost > 0 {
        zh += &format!("另有 {commands_lost} 条操作、{photos_lost} 张照片无法移交，已丢失。");
        en += &format!(
            " {commands_lost} commands and {photos_lost} photos could not be handed over and are lost."
        );
    }
    (zh, en)
}
