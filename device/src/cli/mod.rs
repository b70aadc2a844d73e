//! The command line: arguments in, commands queued or lanes run, an answer and an exit code out.

mod acts;
mod acts_beside;
mod acts_order;
mod acts_report;
pub mod args;
mod attention;
mod attention_args;
mod attention_online;
mod catalog;
mod cosign;
pub mod cosign_args;
mod cosign_help;
mod cosign_words;
mod desk;
mod desk_words;
mod find;
mod find_online;
mod ground;
mod hand_over;
pub mod help;
mod help_words;
mod help_words_beside;
mod help_words_lists;
mod help_words_review;
mod help_words_visits;
mod inspect;
pub mod inspection_args;
mod list;
pub mod list_args;
mod lock;
pub mod lock_args;
mod lock_help;
mod orders;
mod packs;
mod pairs;
mod parse;
mod parse_lists;
mod photo;
mod pin_key;
mod recurring;
mod revocation;
mod rules_zh;
mod rules_zh_fields;
mod rules_zh_inspections;
mod rules_zh_words;
mod shared_phone;
mod show;
mod show_beside;
mod show_disputed;
mod show_enterprises;
mod show_measures;
mod show_online;
mod show_run;
mod steps;
mod steps_beside;
mod trouble;
pub mod visit_args;
mod visits;
mod windows;
pub mod witness;
mod words;

use std::io::{BufRead as _, Write};
use std::path::Path;

use hazardloop_domain::command::Subject;
use hazardloop_sync_protocol::device::{EngineConfig, Failure, LaneName, Notice, Standing};
use serde_json::json;

use crate::ambient::Ambient;
use crate::driver::{Device, RunReport};
use crate::enrol::{EnrolError, enrol};
use crate::home::{Owner, Profile, normal_server};
use crate::transport::Transport;
use crate::{vault, wipe};
use args::{Arguments, Enroll, Language, PhotoTask, Task};
use attention_args::AttentionArgs;
use cosign_args::{CosignTask, PinKeyTask};
use inspection_args::InspectTask;
use show::Answer;
use trouble::{Trouble, code_of, tell};

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

/// Runs one task; `out` gets the answer, `err` what went wrong. Gives the exit code.
pub fn run(
    arguments: &Arguments,
    ambient: &mut Ambient,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    let outcome = match &arguments.task {
        _ if arguments.signing.is_given() && !takes_signatures(&arguments.task) => {
            Err(Trouble::Usage(
                "--draft、--co-signature、--second、--pin-file 只用于隐患的各项操作".to_owned(),
                "--draft, --co-signature, --second and --pin-file go with the steps of a hazard"
                    .to_owned(),
            ))
        }
        _ if arguments.instead_of.is_some() && !queues(arguments) => Err(Trouble::Usage(
            "--instead-of 只用于会入队的操作（草稿在 cosign queue 时给出）".to_owned(),
            "--instead-of goes with what is queued (of a draft: with cosign queue)".to_owned(),
        )),
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
    let owner = Owner { server, login };
    if !enrolment.unguarded {
        shared_phone::require_guarded(&arguments.home, &owner)?;
    }
    let password = password(enrolment, arguments.lang)?;
    let transport = Transport::new(&owner.server);
    wipe::resume(&arguments.home, &lock::key_files(arguments))?;
    let profile = Profile::create(&arguments.home, owner)?;
    let name = &enrolment.name;
    let enrolled = lock::with_keyring(arguments, |keyring| {
        enrol(&profile, &transport, &password, name, keyring, ambient)
    });
    if let Err(EnrolError::Server(Failure::Revoked)) = enrolled {
        return revocation::conclude_enrolled(profile, ambient, arguments);
    }
    let account = enrolled.map_err(|error| match error {
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
    })?;
    let lang = arguments.lang;
    let done = words::say(lang, "设备已登记", "enrolled");
    let mut lines = vec![format!(
        "{done}: {} ({})",
        account.person.name, account.install_id
    )];
    lines.extend(shared_phone::notice(&profile, arguments)?);
    let json = json!({ "install_id": account.install_id, "person": account.person });
    Ok((Answer { json, lines }, exit::DONE))
}

fn password(enrolment: &Enroll, lang: Language) -> Result<String, Trouble> {
    let asks = words::say(lang, "密码", "Password");
    match (&enrolment.password_file, &enrolment.password) {
        (None, Some(password)) => Ok(without_line_end(password)),
        (file, _) => secret(file.as_deref(), asks),
    }
}

/// A password or PIN from its file; without one it is asked for.
fn secret(file: Option<&Path>, asks: &str) -> Result<String, Trouble> {
    let Some(path) = file else {
        drop(write!(std::io::stderr(), "{asks}: "));
        return typed_line(asks);
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| unreadable(&path.display().to_string(), &error))?;
    Ok(without_line_end(&text))
}

/// One line of the standard input.
fn typed_line(asks: &str) -> Result<String, Trouble> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|error| unreadable(asks, &error))?;
    Ok(without_line_end(&line))
}

fn without_line_end(text: &str) -> String {
    text.trim_end_matches(['\r', '\n']).to_owned()
}

fn unreadable(what: &str, error: &std::io::Error) -> Trouble {
    let zh = format!("无法读取 {what}：{error}");
    Trouble::Usage(zh, format!("{what}: {error}"))
}

fn on_device(arguments: &Arguments, ambient: &mut Ambient) -> Result<(Answer, u8), Trouble> {
    let (server, user) = (arguments.server.as_deref(), arguments.user.as_deref());
    wipe::resume(&arguments.home, &lock::key_files(arguments))?;
    let profile = Profile::find(&arguments.home, server, user)?;
    if matches!(
        arguments.task,
        Task::Pull(_)
            | Task::Push(_)
            | Task::Sync(_)
            // Nor must it go on where everything is deleted.
            | Task::Wipe(_)
            // A sync under way must not write over what is decided about a photo or a command.
            | Task::Photo(PhotoTask::GiveUp(_) | PhotoTask::Retry(_))
            | Task::Attention(AttentionArgs { task: Some(_), .. })
    ) || arguments.instead_of.is_some()
        || desk::asks(&arguments.task)
    {
        profile.enter_network(|ms| ambient.clock.sleep_ms(ms))?;
    }
    let usual = EngineConfig {
        calendar: crate::calendar::shipped(),
        ..EngineConfig::default()
    };
    let config = match &arguments.task {
        Task::Pull(patience) | Task::Push(patience) | Task::Sync(patience) => {
            patience.config(usual)
        }
        _ => usual,
    };
    match &arguments.task {
        Task::Lock(task) => {
            return Ok((lock::run(&profile, ambient, arguments, task)?, exit::DONE));
        }
        Task::Wipe(args) if args.forgotten => {
            let answer = lock::wipe_forgotten(&profile, ambient, arguments, args)?;
            return Ok((answer, exit::DONE));
        }
        _ => {}
    }
    let key = lock::with_keyring(arguments, |keyring| {
        vault::unlock(&profile, keyring, ambient)
    })?;
    let mut device = Device::open(profile, key, config, ambient)?;
    device.instead_of = arguments.instead_of;
    match on_opened(&mut device, arguments, ambient) {
        // Desk work hears it as a sync does.
        Err(Trouble::Server(Failure::Revoked)) => {
            revocation::conclude(&mut device, ambient, arguments)
        }
        done => done,
    }
}

fn on_opened(
    device: &mut Device,
    arguments: &Arguments,
    ambient: &mut Ambient,
) -> Result<(Answer, u8), Trouble> {
    let (now, lang) = (ambient.clock.now(), arguments.lang);
    let answer = match &arguments.task {
        Task::Pull(patience) => {
            device.engine.handle_pull_wanted();
            return network(device, ambient, arguments, &[LaneName::Pull], patience.wait);
        }
        Task::Push(patience) => {
            return network(device, ambient, arguments, &[LaneName::Push], patience.wait);
        }
        Task::Sync(patience) => {
            device.engine.handle_pull_wanted();
            return network(device, ambient, arguments, LaneName::ALL, patience.wait);
        }
        Task::List(args) => list::list(device, now, args, arguments.json, lang)?,
        Task::Orders(args) => orders::run(device, now, args, arguments.json, lang)?,
        Task::Packs(args) => packs::packs(device, args, lang)?,
        Task::Show(args) if !args.online => {
            show_online::on_device(device, now, &args.which.hazard, lang)?.1
        }
        Task::Attention(args) if !args.asks() => attention::run(device, ambient, args, lang)?,
        Task::Wipe(args) => lock::wipe_device(device, ambient, arguments, args)?,
        Task::Queue => show::queue(device, lang),
        Task::Status => show::status(device, now, lang),
        Task::Enterprises => show_enterprises::enterprises(device, lang),
        Task::Criteria(args) => catalog::criteria(device, args, arguments.json, lang)?,
        Task::Checklists(args) => catalog::checklists(device, args, lang)?,
        Task::Inspect(InspectTask::List) => inspect::list(device, now, lang),
        Task::Inspect(InspectTask::Show(which)) => {
            let (_, view) = find::inspection(&device.engine, now, &which.inspection)?;
            let absent = || find::no_such_inspection(&which.inspection);
            let view = view.ok_or_else(absent)?;
            let mut answer = inspect::one(&view, lang);
            let subject = (view.inspection.id.into(), None);
            witness::add_times(&mut answer, device, subject, lang);
            answer
        }
        Task::Photo(PhotoTask::List) => photo::list(device, lang),
        Task::Photo(PhotoTask::GiveUp(args)) => photo::give_up(device, ambient, args, lang)?,
        Task::Photo(PhotoTask::Retry(args)) => photo::retry(device, ambient, args, lang)?,
        Task::Witness(task) => witness::run(device, ambient, task, lang)?,
        Task::Cosign(task) => cosign::run(device, ambient, arguments, task)?,
        Task::PinKey(task) => pin_key::run(device, ambient, arguments, task)?,
        _ => match desk::run(device, ambient, arguments)? {
            Some(answer) => answer,
            None => act(device, ambient, arguments)?,
        },
    };
    Ok((answer, exit::DONE))
}

/// Whether this puts a command into the queue.
fn queues(arguments: &Arguments) -> bool {
    match &arguments.task {
        Task::Inspect(InspectTask::List | InspectTask::Show(_)) => false,
        Task::Inspect(_) | Task::SelfCheck(_) => arguments.signing.draft.is_none(),
        Task::PinKey(_) | Task::Criteria(_) | Task::Checklists(_) => false,
        other => takes_signatures(other) && arguments.signing.draft.is_none(),
    }
}

/// Whether others may sign what this does, or it is about how they do.
fn takes_signatures(task: &Task) -> bool {
    match task {
        Task::Enroll(_) | Task::Pull(_) | Task::Push(_) | Task::Sync(_) => false,
        Task::Photo(_) | Task::List(_) | Task::Find(_) => false,
        Task::Orders(_) | Task::Packs(_) => false,
        Task::Unclaimed(_) | Task::Responsibilities(_) => false,
        Task::HandOvers(_) | Task::HandOver(_) => false,
        Task::Show(_) | Task::Queue | Task::Status | Task::Enterprises => false,
        Task::Attention(_) | Task::Witness(_) => false,
        Task::Cosign(task) => matches!(task, CosignTask::Queue(_)),
        Task::PinKey(task) => matches!(task, PinKeyTask::Add(_)),
        // Of an inspection, others sign the signing.
        Task::Inspect(task) => matches!(task, InspectTask::Sign(_)),
        Task::SelfCheck(_) | Task::Lock(_) | Task::Wipe(_) => false,
        _ => true,
    }
}

fn act(
    device: &mut Device,
    ambient: &mut Ambient,
    arguments: &Arguments,
) -> Result<Answer, Trouble> {
    let lang = arguments.lang;
    let (subject, actions, paired) = match inspect::commands(device, ambient, &arguments.task)? {
        Some((id, actions)) => (Subject::Inspection(id), actions, Vec::new()),
        None => {
            let Some(acts) = acts::commands(device, ambient, &arguments.task)? else {
                let zh = "本设备不能执行此命令".to_owned();
                return Err(Trouble::Usage(zh, "not a task of this device".to_owned()));
            };
            (Subject::Hazard(acts.hazard_id), acts.actions, acts.paired)
        }
    };
    let (key, number) = words::subject(subject);
    let id = subject.id();
    if arguments.signing.is_given() {
        return cosign::step(device, ambient, arguments, id, actions);
    }
    // All or none: half of what was asked would be queued twice at the next attempt.
    if actions.len() > 1 {
        device.check(ambient, id, &actions)?;
    }
    let mut seqs = Vec::new();
    for action in actions {
        seqs.push(device.queue(ambient, id, action)?.seq);
    }
    let kept = words::say(
        lang,
        "已保存在本机，待发送",
        "kept on this device, to be sent",
    );
    let mut lines = vec![format!("{number} {kept} {seqs:?}")];
    lines.extend(paired.iter().map(|pair| pairs::line(pair, lang)));
    let mut json = json!({ key: id, "number": number, "seqs": seqs });
    if !paired.is_empty()
        && let Some(members) = json.as_object_mut()
    {
        members.insert("paired".to_owned(), json!(paired));
    }
    Ok(Answer { json, lines })
}

fn network(
    device: &mut Device,
    ambient: &Ambient,
    arguments: &Arguments,
    lanes: &[LaneName],
    wait_s: u32,
) -> Result<(Answer, u8), Trouble> {
    let lang = arguments.lang;
    let transport = Transport::new(&device.account.server);
    let patience_ms = i64::from(wait_s).saturating_mul(1_000);
    device.watch = (!arguments.json).then_some(windows::watch(lang));
    let mut run = device.run(ambient, &transport, lanes, patience_ms)?;
    // What this very run brought back (a photo's verification) is asked for once more.
    if run.failure.is_none() && lanes == LaneName::ALL && run.requests > 1 {
        device.engine.handle_pull_wanted();
        let again = device.run(ambient, &transport, lanes, patience_ms)?;
        run.requests += again.requests;
        run.notices.extend(again.notices);
        run.failure = again.failure;
    }
    if run.failure == Some(Failure::Revoked) {
        return revocation::conclude(device, ambient, arguments);
    }
    let set_aside = run.notices.iter().filter_map(|notice| match notice {
        Notice::SetAside { seq } => Some(*seq),
        _ => None,
    });
    let attention: Vec<i64> = run
        .settled()
        .into_iter()
        .chain(set_aside)
        .collect::<std::collections::BTreeSet<i64>>()
        .into_iter()
        .filter(|seq| needs_attention(device, *seq))
        .collect();
    let code = code_of_run(device, &run, &attention);
    Ok((show_run::run(device, &run, &attention, lang), code))
}

fn needs_attention(device: &Device, seq: i64) -> bool {
    let engine = &device.engine;
    let command = engine.state().commands.get(&seq);
    command.is_some_and(|command| engine.standing(command) == Standing::NeedsAttention)
}

fn code_of_run(device: &Device, run: &RunReport, attention: &[i64]) -> u8 {
    if let Some(failure) = &run.failure {
        return code_of(failure);
    }
    let lacking = |notice: &Notice| {
        matches!(
            notice,
            Notice::PhotoUnreadable { .. } | Notice::PhotoRefused { .. }
        )
    };
    let told = run.notices.iter().any(lacking) || device.engine.state().meta.must_rekey;
    if told || !attention.is_empty() {
        exit::ATTENTION
    } else {
        exit::DONE
    }
}
