//! The command line: arguments in, commands queued or lanes run, an answer and an exit code out.

mod acts;
pub mod args;
mod find;
mod parse;
mod show;
mod words;

use std::io::{BufRead as _, Write};

use hazardloop_domain::refusal::Refusal;
use hazardloop_sync_protocol::device::{EngineConfig, Failure, LaneName, Notice, Standing};
use serde_json::json;

use crate::ambient::Ambient;
use crate::driver::{Device, DeviceError, RunReport};
use crate::enrol::{EnrolError, enrol};
use crate::home::{HomeError, Owner, Profile, normal_server};
use crate::photos::PhotoError;
use crate::transport::Transport;
use args::{Arguments, Enroll, Language, Task};
use show::Answer;

/// Exit codes.
pub mod exit {
    /// Done.
    pub const DONE: u8 = 0;
    /// This device's own disk or files failed.
    pub const BROKEN: u8 = 1;
    /// Wrong usage.
    pub const USAGE: u8 = 2;
    /// The rules refuse it; nothing was queued.
    pub const REFUSED: u8 = 3;
    /// The server is not reachable or busy; work is kept.
    pub const UNREACHABLE: u8 = 4;
    /// Something needs a person's attention.
    pub const ATTENTION: u8 = 5;
}

/// Words that the system gives in one language only.
pub(crate) fn untranslated(text: &impl ToString) -> Trouble {
    Trouble::Usage(text.to_string(), text.to_string())
}

/// Why a task was not done.
pub(crate) enum Trouble {
    /// Chinese, English.
    Usage(String, String),
    Refused(Box<Refusal>),
    /// As `Refused`, with the rule in Chinese.
    Photo(Box<Refusal>, String),
    Server(Failure),
    /// Nothing is wrong here; later it will go: exit code, Chinese, English.
    Said(u8, &'static str, &'static str),
    Broken(String),
}

impl From<DeviceError> for Trouble {
    fn from(error: DeviceError) -> Self {
        match error {
            DeviceError::Refused(refusal) => Self::Refused(Box::new(refusal)),
            DeviceError::Home(error) => error.into(),
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
            HomeError::Ambiguous(ref names) => {
                let zh = format!("此处登记了多人（{names}），请用 --user 和 --server 指定");
                Self::Usage(zh, error.to_string())
            }
        }
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
                let zh = format!("{}：{size} 字节，照片最大 {most} 字节", path.display());
                Self::Photo(Box::new(no_photo(&error)), zh)
            }
            PhotoError::NotAPhoto { ref path } => {
                let zh = format!("{}：不是 JPEG、PNG 或 WebP 图片", path.display());
                Self::Photo(Box::new(no_photo(&error)), zh)
            }
        }
    }
}

fn no_photo(error: &PhotoError) -> Refusal {
    Refusal::invalid_field("photo", &error.to_string())
}

/// Runs one task; `out` gets the answer, `err` what went wrong. Gives the exit code.
pub fn run(
    arguments: &Arguments,
    ambient: &mut Ambient,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    let outcome = match &arguments.task {
        Task::Enroll(enrolment) => enroll(arguments, enrolment, ambient),
        _ => on_device(arguments, ambient),
    };
    // A reader that went away (`| head`) is no reason to fail.
    match outcome {
        Ok((answer, code)) => {
            if arguments.json {
                drop(writeln!(out, "{}", answer.json));
            } else {
                answer
                    .lines
                    .iter()
                    .for_each(|line| drop(writeln!(out, "{line}")));
            }
            code
        }
        Err(trouble) => tell(arguments, trouble, out, err),
    }
}

fn tell(arguments: &Arguments, trouble: Trouble, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
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
        Trouble::Broken(text) => (exit::BROKEN, json!({ "error": text }), text),
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

fn code_of(failure: &Failure) -> u8 {
    match failure {
        Failure::Unauthorized
        | Failure::Revoked
        | Failure::UpgradeRequired
        | Failure::PayloadTooLarge
        | Failure::PhotoHashMismatch
        | Failure::Refused { .. } => exit::ATTENTION,
        _ => exit::UNREACHABLE,
    }
}

fn enroll(
    arguments: &Arguments,
    enrolment: &Enroll,
    ambient: &mut Ambient,
) -> Result<(Answer, u8), Trouble> {
    let usage = |zh: &str, en: &str| Trouble::Usage(zh.to_owned(), en.to_owned());
    let server = arguments.server.as_deref().ok_or_else(|| {
        usage(
            "enroll 需要 --server 服务器地址",
            "enroll needs --server URL",
        )
    })?;
    let login = arguments
        .user
        .clone()
        .ok_or_else(|| usage("enroll 需要 --user 用户名", "enroll needs --user LOGIN"))?;
    let server = normal_server(server);
    if !server.starts_with("http://") && !server.starts_with("https://") {
        return Err(usage(
            "--server 须以 https:// 或 http:// 开头",
            "--server is an address that begins with https:// or http://",
        ));
    }
    let password = password(enrolment)?;
    let transport = Transport::new(&server);
    let profile = Profile::create(&arguments.home, Owner { server, login })?;
    let account =
        enrol(&profile, &transport, &password, &enrolment.name, ambient).map_err(|error| {
            match error {
                EnrolError::OtherPerson => Trouble::Usage(
                    "此设备的该用户名下保存着另一个人的工作".to_owned(),
                    error.to_string(),
                ),
                EnrolError::WrongPassword => Trouble::Said(
                    exit::ATTENTION,
                    "用户名或密码不正确，设备未登记",
                    "wrong login or password; this device was not enrolled",
                ),
                EnrolError::Server(failure) => Trouble::Server(failure),
                EnrolError::Device(error) => error.into(),
            }
        })?;
    let lang = arguments.lang;
    let done = words::say(lang, "设备已登记", "enrolled");
    let lines = vec![format!(
        "{done}: {} ({})",
        account.person.name, account.install_id
    )];
    let json = json!({ "install_id": account.install_id, "person": account.person });
    Ok((Answer { json, lines }, exit::DONE))
}

fn password(enrolment: &Enroll) -> Result<String, Trouble> {
    let text = match (&enrolment.password_file, &enrolment.password) {
        (Some(path), _) => std::fs::read_to_string(path)
            .map_err(|error| untranslated(&format!("{}: {error}", path.display())))?,
        (None, Some(password)) => password.clone(),
        (None, None) => {
            drop(write!(std::io::stderr(), "密码 password: "));
            let mut line = String::new();
            let read = std::io::stdin().lock().read_line(&mut line);
            read.map_err(|error| untranslated(&error))?;
            line
        }
    };
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn on_device(arguments: &Arguments, ambient: &mut Ambient) -> Result<(Answer, u8), Trouble> {
    let (server, user) = (arguments.server.as_deref(), arguments.user.as_deref());
    let profile = Profile::find(&arguments.home, server, user)?;
    if matches!(
        arguments.task,
        Task::Pull(_) | Task::Push(_) | Task::Sync(_)
    ) {
        profile.enter_network(|ms| ambient.clock.sleep_ms(ms))?;
    }
    let mut device = Device::open(profile, EngineConfig::default(), ambient)?;
    let (now, lang) = (ambient.clock.now(), arguments.lang);
    let answer = match &arguments.task {
        Task::Pull(patience) => {
            device.engine.handle_pull_wanted();
            return network(&mut device, ambient, &[LaneName::Pull], patience.wait, lang);
        }
        Task::Push(patience) => {
            return network(&mut device, ambient, &[LaneName::Push], patience.wait, lang);
        }
        Task::Sync(patience) => {
            device.engine.handle_pull_wanted();
            return network(&mut device, ambient, LaneName::ALL, patience.wait, lang);
        }
        Task::List => show::list(&device, now, lang),
        Task::Show(which) => {
            let (_, view) = find::hazard(&device.engine, now, &which.hazard)?;
            let absent = || find::no_such_hazard(&which.hazard);
            show::one(&view.ok_or_else(absent)?, now, lang)
        }
        Task::Queue => show::queue(&device, lang),
        Task::Status => show::status(&device, now, lang),
        Task::Enterprises => show::enterprises(&device),
        task => act(&mut device, ambient, task, lang)?,
    };
    Ok((answer, exit::DONE))
}

fn act(
    device: &mut Device,
    ambient: &mut Ambient,
    task: &Task,
    lang: Language,
) -> Result<Answer, Trouble> {
    let Some((hazard_id, actions)) = acts::commands(device, ambient, task)? else {
        return Err(untranslated(&"not a task of this device"));
    };
    let number = hazardloop_domain::hazard::hazard_number(hazard_id);
    // All or none: half of what was asked would be queued twice at the next attempt.
    if actions.len() > 1 {
        device.check(ambient, hazard_id, &actions)?;
    }
    let mut seqs = Vec::new();
    for action in actions {
        seqs.push(device.queue(ambient, hazard_id, action)?.seq);
    }
    let kept = words::say(
        lang,
        "已保存在本机，待发送",
        "kept on this device, to be sent",
    );
    Ok(Answer {
        lines: vec![format!("{number} {kept} {seqs:?}")],
        json: json!({ "hazard_id": hazard_id, "number": number, "seqs": seqs }),
    })
}

fn network(
    device: &mut Device,
    ambient: &Ambient,
    lanes: &[LaneName],
    wait_s: u32,
    lang: Language,
) -> Result<(Answer, u8), Trouble> {
    let transport = Transport::new(&device.account.server);
    let patience_ms = i64::from(wait_s).saturating_mul(1_000);
    let mut run = device.run(ambient, &transport, lanes, patience_ms)?;
    // What this very run brought back (a photo's verification) is asked for once more.
    if run.failure.is_none() && lanes == LaneName::ALL && run.requests > 1 {
        device.engine.handle_pull_wanted();
        let again = device.run(ambient, &transport, lanes, patience_ms)?;
        run.requests += again.requests;
        run.notices.extend(again.notices);
        run.failure = again.failure;
    }
    let attention: Vec<i64> = run
        .settled()
        .into_iter()
        .filter(|seq| needs_attention(device, *seq))
        .collect();
    let code = code_of_run(device, &run, &attention);
    Ok((show::run(device, &run, &attention, lang), code))
}

fn needs_attention(device: &Device, seq: i64) -> bool {
    let state = device.engine.state();
    let command = state.commands.get(&seq);
    command.is_some_and(|command| state.standing(command) == Standing::NeedsAttention)
}

fn code_of_run(device: &Device, run: &RunReport, attention: &[i64]) -> u8 {
    if let Some(failure) = &run.failure {
        return code_of(failure);
    }
    let unreadable = |notice: &Notice| matches!(notice, Notice::PhotoUnreadable { .. });
    let told = run.notices.iter().any(unreadable) || device.engine.state().meta.must_rekey;
    if told || !attention.is_empty() {
        exit::ATTENTION
    } else {
        exit::DONE
    }
}
