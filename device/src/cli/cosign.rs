//! Signing together without network: drafts, what another person's device is asked and answers,
//! and whoever signs here with a PIN.

use std::io::{Read as _, Write as _};
use std::path::Path;

use hazardloop_domain::command::{Action, Command};
use hazardloop_domain::ids::SubjectId;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::cosign::Statement;
use hazardloop_sync_protocol::cosign_text::{
    MOST_CHARACTERS, SigningAnswer, SigningRequest, TextError,
};
use hazardloop_sync_protocol::wire::{Bytes, CoSignature};
use serde_json::json;

use super::args::{Arguments, Language};
use super::cosign_args::{CosignTask, SignArgs, Signing};
use super::cosign_words;
use super::show::Answer;
use super::trouble::Trouble;
use super::words::{self, say};
use crate::ambient::Ambient;
use crate::driver::Device;
use crate::pin_keys::{PinError, PinKeys};

fn usage(zh: impl Into<String>, en: impl Into<String>) -> Trouble {
    Trouble::Usage(zh.into(), en.into())
}

impl From<TextError> for Trouble {
    fn from(error: TextError) -> Self {
        let zh = match &error {
            TextError::TooLong { actual } => {
                format!("文本有 {actual} 个字符，最多 {MOST_CHARACTERS} 个")
            }
            TextError::NotThis(prefix) => format!("不是此处所需的文本（应以 {prefix} 开头）"),
            TextError::Damaged(why) => format!("文本损坏或不完整：{why}"),
            TextError::NotShowable(why) => format!("本程序不能完整显示其内容，因此不能签名：{why}"),
        };
        Self::Usage(zh, error.to_string())
    }
}

impl From<PinError> for Trouble {
    fn from(error: PinError) -> Self {
        let en = error.to_string();
        let zh = match error {
            PinError::Home(error) => return error.into(),
            PinError::Damaged(_) => return Self::Broken(en),
            PinError::Unknown(login) => format!("{login} 未在本机登记签名口令，见 pin-key list"),
            PinError::NotRegistered(login) => {
                format!("{login} 的签名密钥尚未在服务器登记，请重新运行 pin-key add")
            }
            PinError::Length => "口令须为 6 至 64 个字符".to_owned(),
            PinError::Wrong { left } => format!("口令不正确，还可尝试 {left} 次"),
            PinError::Wait(until) => format!("口令多次不正确，{until} 之前不能再试"),
            PinError::Deleted => "口令多次不正确，密钥已删除，请重新运行 pin-key add".to_owned(),
        };
        Self::Usage(zh, en)
    }
}

pub(super) fn run(
    device: &mut Device,
    ambient: &mut Ambient,
    arguments: &Arguments,
    task: &CosignTask,
) -> Result<Answer, Trouble> {
    let lang = arguments.lang;
    match task {
        CosignTask::Show(draft) => {
            let request = read_draft(&draft.file)?;
            let (command, _) = request.open()?;
            let lines = cosign_words::describe(device, ambient.clock.now(), &command, lang);
            Ok(shown(device, request, lines))
        }
        CosignTask::Sign(args) => sign(device, ambient, args, lang),
        CosignTask::Queue(draft) => {
            let request = read_draft(&draft.file)?;
            let identity = device.engine.identity();
            if request.author != identity.person_id || !is_ours(device, &request) {
                return Err(usage(
                    "这份草稿不是本人在本服务器上的",
                    "this draft is not yours, or of another server",
                ));
            }
            let (command, _) = request.open()?;
            queue(device, ambient, &arguments.signing, command, lang)
        }
    }
}

/// One step that is drafted for others to sign, or queued with their signatures.
pub(super) fn step(
    device: &mut Device,
    ambient: &Ambient,
    arguments: &Arguments,
    subject_id: SubjectId,
    actions: Vec<Action>,
) -> Result<Answer, Trouble> {
    let (Some(action), 1) = (actions.first().cloned(), actions.len()) else {
        return Err(usage(
            "共同签名一次只能用于一项操作",
            "others sign one act at a time",
        ));
    };
    let command = Command::new(subject_id, action);
    let Some(file) = &arguments.signing.draft else {
        return queue(device, ambient, &arguments.signing, command, arguments.lang);
    };
    let epoch = device.engine.state().meta.epoch.clone();
    let (server, author) = (&device.account.server, device.engine.identity().person_id);
    let request = SigningRequest::of(server, epoch.as_deref(), author, &command);
    let text = request.to_text().ok_or_else(too_long)?;
    keep_draft(file, &text)?;
    let lines = cosign_words::describe(device, ambient.clock.now(), &command, arguments.lang);
    Ok(shown(device, request, lines))
}

fn too_long() -> Trouble {
    usage(
        format!("内容过长，不能以文本交换（最多 {MOST_CHARACTERS} 个字符）"),
        format!("too much to exchange as text (at most {MOST_CHARACTERS} characters)"),
    )
}

/// With how far this device's chain is, for the signer's to witness, where there is room for it.
fn shown(device: &Device, request: SigningRequest, mut lines: Vec<String>) -> Answer {
    let with_head = SigningRequest {
        head: device.engine.chain_head(),
        ..request.clone()
    };
    let text = with_head.to_text().or_else(|| request.to_text());
    let text = text.unwrap_or_default();
    let json = json!({ "subject_id": request.subject_id, "says": lines, "text": text });
    lines.push(text);
    Answer { json, lines }
}

/// A draft that is there already is somebody's work.
fn keep_draft(file: &Path, text: &str) -> Result<(), Trouble> {
    let unwritable = |error: std::io::Error| {
        let file = file.display();
        usage(
            format!("无法写入 {file}：{error}"),
            format!("{file}: {error}"),
        )
    };
    let mut options = std::fs::OpenOptions::new();
    let mut opened = options
        .write(true)
        .create_new(true)
        .open(file)
        .map_err(unwritable)?;
    writeln!(opened, "{text}").map_err(unwritable)?;
    opened.sync_all().map_err(unwritable)
}

fn read_draft(file: &Path) -> Result<SigningRequest, Trouble> {
    let opened = std::fs::File::open(file).map_err(|error| {
        let file = file.display();
        usage(
            format!("无法读取 {file}：{error}"),
            format!("{file}: {error}"),
        )
    })?;
    Ok(SigningRequest::from_text(&bounded(opened))?)
}

/// Not much more than a text may have: more is refused by who reads it.
fn bounded(source: impl std::io::Read) -> String {
    let mut bytes = Vec::new();
    drop(
        source
            .take(2 * MOST_CHARACTERS as u64)
            .read_to_end(&mut bytes),
    );
    String::from_utf8_lossy(&bytes).into_owned()
}

fn is_ours(device: &Device, request: &SigningRequest) -> bool {
    let epoch = device.engine.state().meta.epoch.as_deref();
    request.is_for(&device.account.server, epoch)
}

/// The text itself, or what the standard input has.
pub(super) fn given(text: &str) -> String {
    match text {
        "-" => bounded(std::io::stdin().lock()),
        text => text.to_owned(),
    }
}

/// Signs with this device's own key what another person's device asks for.
fn sign(
    device: &mut Device,
    ambient: &Ambient,
    args: &SignArgs,
    lang: Language,
) -> Result<Answer, Trouble> {
    let request = SigningRequest::from_text(&given(&args.text))?;
    if !is_ours(device, &request) {
        return Err(usage(
            "这是另一个服务器的事项，不能在此签名",
            "this is of another server: it cannot be signed here",
        ));
    }
    let identity = device.engine.identity().clone();
    if request.author == identity.person_id {
        return Err(usage(
            "这是本人的操作，须由另一人签名",
            "this is your own act: somebody else signs it",
        ));
    }
    let (command, statement) = request.open()?;
    let now = ambient.clock.now();
    let mut lines = cosign_words::describe(device, now, &command, lang);
    if !args.yes && !agrees(&lines, lang)? {
        return Err(usage("没有签名", "nothing was signed"));
    }
    let key = device.profile.key(identity.install_id, &device.key)?;
    let answer = SigningAnswer {
        co_signature: statement.sign(&key, identity.person_id, identity.install_id.into(), now),
        public_key: Bytes(key.verifying_key().to_bytes().to_vec()),
        head: None,
    };
    // The author's chain is witnessed, and the answer shows one's own with that in it.
    let witnessed = device.witness_along(ambient, request.head.as_ref());
    let answer = SigningAnswer {
        head: device.engine.chain_head(),
        ..answer
    };
    let text = answer.to_text();
    let json = json!({
        "subject_id": request.subject_id, "says": lines, "answer": text, "witnessed": witnessed,
    });
    lines.push(text);
    Ok(Answer { json, lines })
}

/// Shows what is signed, and asks.
fn agrees(lines: &[String], lang: Language) -> Result<bool, Trouble> {
    let asks = say(
        lang,
        "同意并签名请输入“是”：",
        "type yes to agree and sign: ",
    );
    drop(write!(std::io::stderr(), "{}\n{asks}", lines.join("\n")));
    let typed = super::typed_line(asks)?;
    Ok(matches!(typed.trim(), "yes" | "是"))
}

/// Queues a command with the signatures of others.
fn queue(
    device: &mut Device,
    ambient: &Ambient,
    signing: &Signing,
    command: Command,
    lang: Language,
) -> Result<Answer, Trouble> {
    if !signing.is_signed() {
        return Err(usage(
            "须有他人的签名：--co-signature 或 --second",
            "others must sign it: --co-signature or --second",
        ));
    }
    let statement = Statement::of(&command);
    let mut by = Vec::new();
    let mut heads = Vec::new();
    for text in &signing.co_signature {
        let answer = answered(&statement, text)?;
        by.push(answer.co_signature);
        heads.extend(answer.head);
    }
    for login in &signing.second {
        by.push(signed_here(
            device, ambient, &statement, login, signing, lang,
        )?);
    }
    let subject_id = command.subject_id;
    let queued = device.queue_signed(ambient, &command, &by)?;
    for head in &heads {
        device.witness_along(ambient, Some(head));
    }
    let (key, number) = words::subject(command.subject());
    let kept = words::say(
        lang,
        "已保存在本机，待发送",
        "kept on this device, to be sent",
    );
    let signed = say(lang, "共同签名", "co-signatures");
    Ok(Answer {
        lines: vec![format!(
            "{number} {kept} [{}], {signed}: {}",
            queued.seq,
            by.len()
        )],
        json: json!({
            key: subject_id,
            "number": number,
            "seqs": [queued.seq],
            "co_signatures": by,
        }),
    })
}

/// The signature that another device answered, if it is over this very act.
fn answered(statement: &Statement, text: &str) -> Result<SigningAnswer, Trouble> {
    let answer = SigningAnswer::from_text(text)?;
    match statement.fits(&answer.public_key.0, &answer.co_signature) {
        true => Ok(answer),
        false => Err(usage(
            "对方签名的内容与此操作不同",
            "what they signed is something else than this",
        )),
    }
}

/// The signature of somebody who types a PIN here.
fn signed_here(
    device: &Device,
    ambient: &Ambient,
    statement: &Statement,
    login: &str,
    signing: &Signing,
    lang: Language,
) -> Result<CoSignature, Trouble> {
    let now: Timestamp = ambient.clock.now();
    let asks = format!("{} ({login})", say(lang, "签名口令", "PIN"));
    let pin = super::secret(signing.pin_file.as_deref(), &asks)?;
    let (key, secret) = PinKeys(&device.profile).open(login, &pin, now)?;
    Ok(statement.sign(&secret, key.person_id, key.key_id, now))
}
