//! Writes the first seeds of every target: `cargo run -p hazardloop-fuzz --example write_seeds`. What is there already
//! stays, so that finds are never lost.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use hazardloop_domain::command::{Action, ActionKind, Command};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::KeyId;
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::time::Timestamp;
use hazardloop_fuzz::{frames, hub};
use hazardloop_simulation::cast;
use hazardloop_sync_protocol::chain::{link_hash, seal};
use hazardloop_sync_protocol::codec::encode;
use hazardloop_sync_protocol::compress::{self, Coding};
use hazardloop_sync_protocol::cosign::Statement;
use hazardloop_sync_protocol::cosign_text::{SigningAnswer, SigningRequest};
use hazardloop_sync_protocol::device::{
    Engine, EngineConfig, Identity, Notice, Output, Request, ResponseBody, State,
};
use hazardloop_sync_protocol::hub::memory::{DomainRules, MemoryHub};
use hazardloop_sync_protocol::wire::{
    Bytes, CommandPayload, LeanPullResponse, PROTOCOL_MAX, PackedPullResponse, PullRequest,
    PullResponse, PushRequest, ScopeCursor, ScopeUpdate,
};
use hazardloop_sync_protocol::witness::{ChainHead, ShownHead};
use uuid::Uuid;

/// The first letters of the fixtures that a target is seeded with.
const FROM_FIXTURES: &[(&str, &[&str])] = &[
    (
        "push",
        &[
            "push-request",
            "lean-push",
            "packed-push",
            "offer-request",
            "witness",
        ],
    ),
    ("pull", &["pull-request", "lean-pull."]),
    (
        "answers",
        &[
            "push-response",
            "pull-response",
            "lean-pull-response",
            "packed-pull-response",
            "offer-response",
        ],
    ),
];

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = here.join("corpus");
    let mut fixtures: Vec<PathBuf> = fs::read_dir(here.join("../fixtures/v1"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    fixtures.retain(|path| path.extension().is_some_and(|end| end == "cbor"));
    fixtures.sort();
    for path in &fixtures {
        let file = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let bytes = fs::read(path)?;
        for (target, beginnings) in FROM_FIXTURES {
            if beginnings
                .iter()
                .any(|beginning| file.starts_with(beginning))
            {
                write(&corpus, target, file, &bytes)?;
            }
        }
        let codings = [Coding::ReportsZh1, Coding::Zstd, Coding::ReportsZh2];
        for (number, coding) in codings.into_iter().enumerate() {
            if let Some(coded) = compress::encode(coding, &bytes).filter(|_| bytes.len() > 400) {
                let number = u8::try_from(number)?;
                let name = format!("{file}.{}", coding.name());
                write(
                    &corpus,
                    "coding",
                    &name,
                    &[&[number], coded.as_slice()].concat(),
                )?;
            }
        }
        if let Some(command) = file.strip_prefix("command-") {
            write(
                &corpus,
                "envelope",
                command,
                &command_frame(command, &bytes)?,
            )?;
        }
    }
    write(&corpus, "envelope", "own-hazard", &on_own_hazard()?)?;
    for (name, seed) in cursors() {
        write(&corpus, "cursors", name, &seed)?;
    }
    for (name, world) in [
        ("served", Served::default()),
        (
            "served-in-columns",
            Served {
                in_columns: true,
                ..Served::default()
            },
        ),
        (
            "served-packed",
            Served {
                packed: true,
                ..Served::default()
            },
        ),
        (
            "restored",
            Served {
                restored: true,
                ..Served::default()
            },
        ),
    ] {
        write(&corpus, "phone", name, &served(world))?;
    }
    for (name, text) in texts() {
        write(&corpus, "texts", name, text.as_bytes())?;
    }
    Ok(())
}

fn write(corpus: &Path, target: &str, name: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    let folder = corpus.join(target);
    fs::create_dir_all(&folder)?;
    let path = folder.join(name);
    if !path.exists() {
        fs::write(&path, bytes)?;
        println!("wrote {}", path.display());
    }
    Ok(())
}

fn number_of(kind: ActionKind) -> Result<u8, Box<dyn Error>> {
    let place = ActionKind::ALL.iter().position(|known| *known == kind);
    Ok(u8::try_from(place.ok_or("a kind of no number")?)?)
}

fn frame(kind: ActionKind, payload: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let version = u8::try_from(kind.version())?;
    Ok([&[number_of(kind)?, version], payload].concat())
}

/// A fixture's payload, by the kind that its name begins with.
fn command_frame(file: &str, payload: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let name = file.split(['-', '.']).next().unwrap_or_default();
    let kind = ActionKind::from_name(name).ok_or_else(|| format!("no kind is called {name}"))?;
    Ok(frames::join([frame(kind, payload)?.as_slice()]))
}

/// A note, a change and a taking back, on a hazard that the hub has.
fn on_own_hazard() -> Result<Vec<u8>, Box<dyn Error>> {
    let [id, _] = hub::hazards_of(hub::HOSTILE);
    let mut made = Vec::new();
    for action in [
        cast::note("补充"),
        cast::amend(1, "粉尘堆积"),
        cast::withdraw(),
    ] {
        let kind = action.kind();
        let payload = CommandPayload::pack(hub::clocks(cast::BEGIN), &Command::new(id, action));
        made.push(frame(kind, &payload)?);
    }
    Ok(frames::join(made.iter().map(Vec::as_slice)))
}

/// Pulls at every stage of a first read, and when all is known.
fn cursors() -> Vec<(&'static str, Vec<u8>)> {
    let hub = hub::world();
    let mut request = PullRequest {
        protocol: PROTOCOL_MAX,
        install_id: hub::device(hub::HOSTILE).0,
        epoch: None,
        scopes: Vec::new(),
        max_records: Some(1),
    };
    let mut seeds = Vec::new();
    for name in ["first", "second", "third", "fourth", "fifth", "sixth"] {
        seeds.push((name, encode(&request)));
        let Ok(answer) = hub.pull(cast::person(hub::HOSTILE), &request, cast::BEGIN) else {
            break;
        };
        request.epoch = Some(answer.epoch);
        for of in answer.answers {
            request
                .scopes
                .retain(|held: &ScopeCursor| held.scope != of.scope);
            if let ScopeUpdate::Page(page) = of.update {
                request.scopes.push(ScopeCursor {
                    scope: of.scope,
                    cursor: Some(page.cursor),
                    checkpoint: page.checkpoint,
                });
            }
        }
    }
    seeds
}

/// What befalls the phone of the target.
#[derive(Clone, Copy, Default)]
struct Served {
    /// It is answered in columns.
    in_columns: bool,
    /// It is answered in packed records.
    packed: bool,
    /// It is an old copy: another one has sent something else as its second command.
    restored: bool,
}

/// What a good server answers to the phone of the target.
fn served(world: Served) -> Vec<u8> {
    let mut hub = hub::world();
    hub.limits.records = 50;
    let (install_id, key) = hub::device(hub::HOSTILE);
    let person_id: PersonId = cast::person(hub::HOSTILE);
    // Its stream begins anew: the phone of the target has sent nothing yet.
    let public = key.verifying_key().to_bytes().to_vec();
    hub.tables.enrol(install_id, person_id, public);
    let identity = Identity {
        install_id,
        person_id,
        person: cast::people().into_iter().nth(hub::HOSTILE),
    };
    let mut phone = Engine::new(identity, key, EngineConfig::default(), State::default(), 1);
    let now = cast::BEGIN;
    let report = cast::report(cast::firm(0), true, now, "灭火器过期", None);
    let actions: [Action; 2] = [report, cast::note("补充")];
    for action in actions {
        let _ = phone.handle_command(now, hub::clocks(now), cast::hazard(1), action);
    }
    if world.restored {
        send_the_others(&mut hub, now);
    }
    let mut answers = Vec::new();
    while let Some(output) = phone.poll_output(now) {
        match output {
            Output::Write { id, .. } => phone.handle_stored(id),
            Output::Notice(Notice::MustRekey) => {
                let (install_id, key) = hub::device(hub::HOSTILE + 1);
                let public = key.verifying_key().to_bytes().to_vec();
                hub.tables.enrol(install_id, person_id, public);
                phone.handle_rekeyed(install_id, key);
            }
            Output::Send { id, request } => {
                let body = match request {
                    Request::Push(push) => hub.push(person_id, &push, now).ok().map(|answer| {
                        answers.push(encode(&answer));
                        ResponseBody::Push(answer)
                    }),
                    Request::Pull(pull) => hub.pull(person_id, &pull, now).ok().map(|answer| {
                        answers.push(pulled(answer.clone(), world));
                        ResponseBody::Pull(answer)
                    }),
                    _ => None,
                };
                let Some(body) = body else { break };
                phone.handle_response(id, now, body);
            }
            _ => {}
        }
    }
    frames::join(answers.iter().map(Vec::as_slice))
}

/// The same report, and then another note than the phone has.
fn send_the_others(hub: &mut MemoryHub<DomainRules>, now: Timestamp) {
    let (install_id, key) = hub::device(hub::HOSTILE);
    let report = cast::report(cast::firm(0), true, now, "灭火器过期", None);
    let (mut previous, mut commands) = (Digest::ZERO, Vec::new());
    for (seq, action) in [(1, report), (2, cast::note("另一台"))] {
        let kind = action.kind();
        let command = Command::new(cast::hazard(1), action);
        let payload = CommandPayload::pack(hub::clocks(now), &command);
        let (name, version) = (kind.as_str(), kind.version());
        let sealed = seal(&key, install_id, seq, name, version, previous, payload);
        previous = link_hash(install_id, &sealed);
        commands.push(sealed);
    }
    let request = PushRequest {
        protocol: PROTOCOL_MAX,
        install_id,
        commands,
        settled: Vec::new(),
    };
    let _ = hub.push(cast::person(hub::HOSTILE), &request, now);
}

fn pulled(answer: PullResponse, world: Served) -> Vec<u8> {
    if let Ok(packed) = PackedPullResponse::of(answer.clone())
        && world.packed
    {
        return encode(&packed);
    }
    match LeanPullResponse::of(answer.clone()) {
        Ok(lean) if world.in_columns => encode(&lean),
        _ => encode(&answer),
    }
}

fn texts() -> Vec<(&'static str, String)> {
    let (install_id, key) = hub::device(1);
    let [id, _] = hub::hazards_of(hub::HOSTILE);
    let command = Command::new(id, cast::note("补充"));
    let server = "https://hz.example";
    let request = SigningRequest::of(server, Some("e1"), cast::person(0), &command);
    let head = ChainHead::sign(&key, install_id, 12, Digest([5; 32]));
    let key_id = KeyId(Uuid::from_u128(9));
    let answer = SigningAnswer {
        co_signature: Statement::of(&command).sign(&key, cast::person(1), key_id, cast::BEGIN),
        public_key: Bytes(key.verifying_key().to_bytes().to_vec()),
        head: Some(head.clone()),
    };
    let shown = ShownHead {
        server: server.to_owned(),
        epoch: Some("e1".to_owned()),
        head,
    };
    vec![
        ("request", request.to_text().unwrap_or_default()),
        ("answer", answer.to_text()),
        ("head", shown.to_text()),
    ]
}
