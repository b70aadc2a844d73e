//! People who sign here with a PIN: add, list, remove.

use serde_json::{Value, json};

use super::args::{Arguments, Language};
use super::cosign_args::{AddPinKey, PinKeyTask, RemovePinKey};
use super::show::Answer;
use super::trouble::Trouble;
use super::words::say;
use crate::ambient::Ambient;
use crate::driver::Device;
use crate::pin_keys::{Chance, PinError, PinKey, PinKeys, Signer};
use crate::session;
use crate::transport::Transport;
use hazardloop_domain::ids::KeyId;
use hazardloop_sync_protocol::device::Failure;

pub(super) fn run(
    device: &Device,
    ambient: &mut Ambient,
    arguments: &Arguments,
    task: &PinKeyTask,
) -> Result<Answer, Trouble> {
    let lang = arguments.lang;
    match task {
        PinKeyTask::Add(args) => add(device, ambient, arguments, args),
        PinKeyTask::List => {
            let keys = PinKeys(&device.profile).all()?;
            Ok(Answer {
                json: keys.iter().map(as_json).collect(),
                lines: keys.iter().map(|key| line(key, lang)).collect(),
            })
        }
        PinKeyTask::Remove(RemovePinKey { login }) => {
            let keys = PinKeys(&device.profile);
            let key = keys.of(login)?;
            keys.remove(&key)?;
            let left = say(
                lang,
                "已从本机删除；服务器上的登记由本人或管理员撤销",
                "deleted from this device; the owner or an administrator revokes it on the server",
            );
            Ok(Answer {
                json: json!({ "removed": key.key_id, "message": left }),
                lines: vec![format!("{login}: {left}")],
            })
        }
    }
}

fn as_json(key: &PinKey) -> Value {
    json!({
        "login": key.login, "name": key.name, "person_id": key.person_id, "key_id": key.key_id,
        "made_at": key.made_at, "registered": key.registered, "usable": key.is_usable(),
        "failures": key.failures,
    })
}

fn line(key: &PinKey, lang: Language) -> String {
    let state = match (key.is_usable(), key.registered) {
        (true, _) => say(lang, "可签名", "may sign"),
        (false, true) => say(lang, "已删除（口令多次错误）", "deleted after wrong PINs"),
        (false, false) => say(lang, "尚未登记", "not registered yet"),
    };
    format!("{}  {}  {state}  {}", key.login, key.name, key.key_id)
}

fn add(
    device: &Device,
    ambient: &mut Ambient,
    arguments: &Arguments,
    args: &AddPinKey,
) -> Result<Answer, Trouble> {
    let (lang, login) = (arguments.lang, &args.login);
    let asks = format!("{} ({login})", say(lang, "密码", "Password"));
    let password = super::secret(args.password_file.as_deref(), &asks)?;
    let transport = Transport::new(&device.account.server);
    let away = |slow: &dyn Fn() -> Result<session::Session, Failure>| device.profile.away(slow);
    let opened = away(&|| session::sign_in(&transport, login, &password))?;
    let opened = opened.map_err(|failure| match failure {
        Failure::Unauthorized => Trouble::Said(
            super::exit::ATTENTION,
            "用户名或密码不正确，未登记签名口令",
            "wrong login or password; no PIN was set up",
        ),
        other => Trouble::Server(other),
    })?;
    let added = with_session(device, ambient, arguments, &transport, login, &opened);
    // The sign-in was for this alone. Where that fails it ends by itself in time.
    drop(
        device
            .profile
            .away(|| session::sign_out(&transport, &opened))?,
    );
    added
}

fn with_session(
    device: &Device,
    ambient: &mut Ambient,
    arguments: &Arguments,
    transport: &Transport,
    login: &str,
    opened: &session::Session,
) -> Result<Answer, Trouble> {
    let lang = arguments.lang;
    if opened.person.id == device.engine.identity().person_id {
        let zh = "本人用本机的密钥签名，不需要口令".to_owned();
        let en = "you sign with this device's own key and need no PIN".to_owned();
        return Err(Trouble::Usage(zh, en));
    }
    let asks = format!("{} ({login})", say(lang, "新的签名口令", "New PIN"));
    let pin = super::secret(arguments.signing.pin_file.as_deref(), &asks)?;
    let keys = PinKeys(&device.profile);
    let before = match keys.of(login) {
        Ok(key) => Some(key.key_id),
        Err(PinError::Unknown(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let signer = Signer {
        login: login.to_owned(),
        person_id: opened.person.id,
        name: opened.person.name.clone(),
    };
    // In a reproducible run: another key than what a command draws, and than the one before.
    let position = device.engine.state().highest_seq();
    ambient.stir(&format!("pin-key {login} {before:?}"), position);
    let (key_id, now) = (KeyId(ambient.uuid_v7()), ambient.clock.now());
    let chance = Chance {
        secret: ambient.bytes(),
        salt: ambient.bytes(),
        nonce: ambient.bytes(),
    };
    let (mut key, secret) = PinKey::new(signer, key_id, now, &pin, &chance)?;
    // On the disk before the server hears of it: what it has taken can be used.
    keys.keep(&key)?;
    let host = device.account.install_id;
    let register = || session::register_key(transport, opened, key_id, host, &secret);
    let registered = device.profile.away(register)?;
    registered.map_err(Trouble::Server)?;
    key.registered = true;
    keys.keep(&key)?;
    if let Some(before) = before {
        // It is no longer here; the server may have forgotten it, or be asked later.
        let revoke = || session::revoke_key(transport, opened, before);
        drop(device.profile.away(revoke)?);
    }
    let done = say(lang, "可在本机用口令共同签名", "may sign here with the PIN");
    Ok(Answer {
        json: as_json(&key),
        lines: vec![format!("{login}  {}  {done}", key.name)],
    })
}
