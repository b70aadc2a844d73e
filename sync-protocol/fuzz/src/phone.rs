//! A phone with something to tell, and a server that answers whatever it likes.

use hazardloop_simulation::cast;
use hazardloop_sync_protocol::device::{
    Engine, EngineConfig, Failure, Identity, Notice, Output, Request, ResponseBody, State,
};
use hazardloop_sync_protocol::wire::{
    LeanPullResponse, Outcome, PackedPullResponse, PullResponse, PushResponse,
};

use crate::messages::read;
use crate::{frames, hub};

/// Most things that the engine does in one input.
const STEPS: usize = 400;

fn engine(disk: State) -> Engine {
    let (install_id, key) = hub::device(hub::HOSTILE);
    let person = cast::people().into_iter().nth(hub::HOSTILE);
    let identity = Identity {
        install_id,
        person_id: cast::person(hub::HOSTILE),
        person,
    };
    Engine::new(identity, key, EngineConfig::default(), disk, 1)
}

/// Each frame answers the next request. What was told to be kept is kept, until it is told what became of it.
pub fn run(bytes: &[u8]) {
    let mut answers = frames::of(bytes).into_iter();
    let mut now = cast::BEGIN;
    let mut phone = engine(State::default());
    let report = cast::report(cast::firm(0), true, now, "灭火器过期", None);
    let queued = phone.handle_command(now, hub::clocks(now), cast::hazard(1), report);
    assert!(queued.is_ok(), "{queued:?}");
    let note = phone.handle_command(now, hub::clocks(now), cast::hazard(1), cast::note("补充"));
    assert!(note.is_ok(), "{note:?}");
    let mut disk = State::default();
    // Payloads: what a command is numbered changes with the install.
    let (mut kept, mut settled) = (Vec::new(), Vec::new());
    let mut rekeyed = false;
    for _ in 0..STEPS {
        let Some(output) = phone.poll_output(now) else {
            let Some(next) = phone.next_wake() else { break };
            now = now.max(next);
            continue;
        };
        let payload = |seq| {
            let command = disk.commands.get(&seq);
            command.map(|command| command.content().payload.clone())
        };
        match output {
            Output::Write { id, ops } => {
                disk.apply(&ops);
                phone.handle_stored(id);
            }
            Output::Notice(Notice::Queued { seq, .. }) => kept.extend(payload(seq)),
            Output::Notice(Notice::Settled { seq }) => settled.extend(payload(seq)),
            Output::Notice(Notice::MustRekey) if !rekeyed => {
                rekeyed = true;
                let (install_id, key) = hub::device(hub::HOSTILE + 1);
                phone.handle_rekeyed(install_id, key);
            }
            Output::Notice(_) => {}
            Output::Send { id, request } => {
                let Some(answer) = answers.next() else { break };
                match answered(&request, answer) {
                    Some(body) => phone.handle_response(id, now, body),
                    None => phone.handle_failure(id, now, Failure::NotOurs),
                }
            }
            Output::ReadPhoto { sha256, .. } => {
                let there = disk.photos.contains_key(&sha256);
                assert!(there, "{sha256:?} was never kept");
                break;
            }
        }
    }
    assert_eq!(kept.len(), 2, "not both were taken");
    for payload in kept {
        let mut there = disk.commands.values();
        let there = there.any(|command| command.content().payload == payload);
        assert!(there || settled.contains(&payload), "{payload:?} is gone");
    }
    for (seq, command) in &disk.commands {
        // Under an earlier install it had another number, and so has its receipt.
        let sent_as = command.earlier.map_or(*seq, |earlier| earlier.seq);
        let receipt = command.receipt.as_ref();
        let its_own = receipt.is_none_or(|receipt| receipt.seq == sent_as);
        assert!(its_own, "another's receipt: {command:?}");
        let took_effect = receipt.is_some_and(|receipt| {
            matches!(
                receipt.outcome,
                Outcome::Applied { .. } | Outcome::Merged { .. }
            )
        });
        assert!(took_effect || !command.awaiting_pull, "{command:?}");
    }
    // The app is killed: from what is durable it goes on, and shows the same hazards.
    let before: Vec<_> = phone
        .hazards(now)
        .into_iter()
        .map(|view| view.hazard.id)
        .collect();
    let durable = *phone.state() == disk;
    let mut anew = engine(disk);
    if durable && !rekeyed {
        let after: Vec<_> = anew
            .hazards(now)
            .into_iter()
            .map(|view| view.hazard.id)
            .collect();
        assert_eq!(before, after, "another view after a restart");
    }
    while let Some(Output::Write { id, .. } | Output::Send { id, .. }) = anew.poll_output(now) {
        anew.handle_stored(id);
    }
}

fn answered(request: &Request, bytes: &[u8]) -> Option<ResponseBody> {
    match request {
        Request::Push(_) => read::<PushResponse>(bytes).map(ResponseBody::Push),
        Request::Pull(_) => read::<PullResponse>(bytes)
            .or_else(|| read::<LeanPullResponse>(bytes)?.in_full(1024 * 1024).ok())
            .or_else(|| read::<PackedPullResponse>(bytes)?.in_full(1024 * 1024).ok())
            .map(ResponseBody::Pull),
        _ => None,
    }
}
