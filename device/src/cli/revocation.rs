//! Whatever hears from the server that this device was revoked ends like this: what was not sent is offered, then
//! everything here is wiped.

use hazardloop_sync_protocol::device::{EngineConfig, StoredCommand};
use serde_json::{Value, json};

use super::args::{Arguments, Language};
use super::show::{self, Answer};
use super::trouble::{Trouble, code_of};
use super::words::{self, say};
use super::{exit, lock};
use crate::ambient::Ambient;
use crate::driver::Device;
use crate::home::Profile;
use crate::revoked::{self, Ended};
use crate::transport::Transport;
use crate::vault;

/// Offers and wipes; the process is the one that speaks to the server
/// ([`crate::home::Profile::enter_network`]).
pub(super) fn conclude(
    device: &mut Device,
    ambient: &Ambient,
    arguments: &Arguments,
) -> Result<(Answer, u8), Trouble> {
    let transport = Transport::new(&device.account.server);
    let ended = revoked::conclude(device, ambient, &transport, &lock::key_files(arguments))?;
    Ok(told(device, &ended, arguments.lang))
}

/// The same of the install that somebody wanted to enrol once more, as which a new one begins after that.
pub(super) fn conclude_enrolled(
    profile: Profile,
    ambient: &mut Ambient,
    arguments: &Arguments,
) -> Result<(Answer, u8), Trouble> {
    let key = lock::with_keyring(arguments, |keyring| {
        vault::unlock(&profile, keyring, ambient)
    })?;
    let mut device = Device::open(profile, key, EngineConfig::default(), ambient)?;
    let (mut answer, code) = conclude(&mut device, ambient, arguments)?;
    let wiped = answer.json.get("wiped").is_some_and(Value::is_object);
    if let (true, Some(members)) = (wiped, answer.json.as_object_mut()) {
        let again = say(
            arguments.lang,
            "请再次运行 enroll，重新登记此设备",
            "run enroll again: this device begins anew",
        );
        members.insert("next".to_owned(), json!(again));
        answer.lines.push(again.to_owned());
    }
    Ok((answer, code))
}

/// What a contact of a revoked device led to.
fn told(device: &Device, ended: &Ended, lang: Language) -> (Answer, u8) {
    let ((zh, en), wiped, code) = match ended {
        Ended::Wiped(note) => (lock::what_became(note), json!(note), exit::ATTENTION),
        Ended::Kept(waiting, failure) => (
            (
                format!(
                    "此设备已被注销，记录已清除；还有 {waiting} 条操作等待移交服务器（{}），\
                     移交后本机数据全部清除",
                    words::failure(Language::Zh, failure)
                ),
                format!(
                    "this device was revoked and its records are gone; {waiting} commands wait to be \
                     handed over to the server ({}), then everything here is wiped",
                    words::failure(Language::En, failure)
                ),
            ),
            Value::Null,
            code_of(failure),
        ),
        Ended::TooLarge(kept) => (too_large(kept.len()), Value::Null, exit::ATTENTION),
    };
    let text = match lang {
        Language::Zh => zh,
        Language::En => en,
    };
    let kept: &[StoredCommand] = match ended {
        Ended::TooLarge(kept) => kept,
        _ => &[],
    };
    let mut lines = vec![text.clone()];
    lines.extend(kept.iter().map(|command| show::short(command, lang)));
    let whole = |command| show::whole(device, command, lang);
    let kept: Vec<_> = kept.iter().map(whole).collect();
    let json = json!({ "revoked": true, "wiped": wiped, "kept": kept, "message": text });
    (Answer { json, lines }, code)
}

/// What is told of commands that are larger than the server takes, Chinese and English.
fn too_large(kept: usize) -> (String, String) {
    (
        format!(
            "此设备已被注销，记录已清除，其余操作已交服务器保管；还有 {kept} 条操作因超过服务器的单条上限\
             而无法移交，仍在本机（下列）。要另存为文件：sync --json > 文件；管理员调高上限（sync.body_bytes）后\
             再次 sync 即可移交；不再需要的，wipe --lose 数量 清除"
        ),
        format!(
            "this device was revoked, its records are gone and all else is kept by the server; {kept} \
             commands are larger than the server takes and are still here (below). To save them as a file: \
             sync --json > FILE; once an administrator has raised the limit (sync.body_bytes), sync hands \
             them over; wipe --lose COUNT deletes what is needed no more"
        ),
    )
}
