//! A phone with something to tell, and a server that answers whatever it likes.

use hazardloop_simulation::cast;
use hazardloop_sync_protocol::device::{
    Engine, EngineConfig, Failure, Identity, Notice, Output, Request, ResponseBody, State,
};
use hazardloop_sync_protocol::wire::{LeanPullResponse, Outcome, PullResponse, PushResponse};

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
    let report = cast::report(cast::firm(0), true, now, "灭火器过期");
    let queued = phone.handle_command(now, hub::clocks(now), cast::hazard(1), report);
    assert!(queued.is_ok(), "{queued:?}");
    let note = phone.handle_command(now, hub::clocks(now), cast::hazard(1), cast::note("补充"));
    assert!(note.is_ok(), "{note:?}");
    let mut disk = State::default();
    let (mut kept, mut settled) = (Vec::new(), Vec::new());
    for _ in 0..STEPS {
        let Some(output) = phone.poll_output(now) else {
            let Some(next) = phone.next_wake() else { break };
            now = now.max(next);
            continue;
        };
        match output {
            Output::Write { id, ops } => {
                disk.apply(&ops);
                phone.handle_stored(id);
            }
            Output::Notice(Notice::Queued { seq, .. }) => kept.push(seq),
            Output::Notice(Notice::Settled { seq }) => settled.push(seq),
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
    for seq in kept {
        let there = disk.commands.get(&seq);
        let is_settled = settled.contains(&seq);
        assert!(there.is_some() || is_settled, "{seq} is gone");
        let receipt = there.and_then(|command| command.receipt.as_ref());
        let by_name = receipt.is_none_or(|receipt| receipt.seq == seq);
        assert!(by_name, "{seq} has another's receipt: {receipt:?}");
        if let (Some(command), Some(receipt)) = (there, receipt) {
            let waits = matches!(
                receipt.outcome,
                Outcome::Applied { .. } | Outcome::Merged { .. }
            );
            assert!(waits || !command.awaiting_pull, "{command:?}");
        }
    }
    // The app is killed: from what is durable it goes on, and shows the same hazards.
    let before: Vec<_> = phone
        .hazards(now)
        .into_iter()
        .map(|view| view.hazard.id)
        .collect();
    let durable = *phone.state() == disk;
    let mut anew = engine(disk);
    if durable {
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
            .map(ResponseBody::Pull),
        _ => None,
    }
}
