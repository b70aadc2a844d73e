//! One command after another on its way through a hub: signed as it should be, and whatever it says.

use hazardloop_domain::command::ActionKind;
use hazardloop_domain::hash::Digest;
use hazardloop_simulation::cast;
use hazardloop_sync_protocol::chain::{link_hash, seal};
use hazardloop_sync_protocol::wire::{
    CommandPayload, PROTOCOL_MAX, PushRequest, PushResult, WireLimits,
};

use crate::{frames, hub};

/// Commands of one input; more say nothing new.
const MOST: usize = 8;

/// Each frame is a command: a byte for its kind, a byte for its version, and its payload.
pub fn run(bytes: &[u8]) {
    let mut hub = hub::world();
    let (install_id, key) = hub::device(hub::HOSTILE);
    let person = cast::person(hub::HOSTILE);
    let (mut seq, mut previous) = hub
        .tables
        .installs
        .get(&install_id)
        .map_or((0, Digest::ZERO), |install| {
            (install.stream.last_seq, install.stream.last_hash)
        });
    let mut commands = Vec::new();
    for frame in frames::of(bytes).into_iter().take(MOST) {
        let Some(([kind, version], payload)) = frame.split_first_chunk::<2>() else {
            continue;
        };
        let kind = ActionKind::ALL
            .get(usize::from(*kind))
            .map_or("no_such_kind", |kind| kind.as_str());
        let version = u16::from(*version);
        opened(kind, version, payload);
        seq += 1;
        let sealed = seal(
            &key,
            install_id,
            seq,
            kind,
            version,
            previous,
            payload.to_vec(),
        );
        previous = link_hash(install_id, &sealed);
        commands.push(sealed);
    }
    let request = PushRequest {
        protocol: PROTOCOL_MAX,
        install_id,
        commands,
        settled: Vec::new(),
    };
    let later = cast::BEGIN.plus_millis(3_600_000);
    let Ok(first) = hub.push(person, &request, later) else {
        return;
    };
    // Whatever a command says, it has its outcome and holds up nothing.
    assert_eq!(first.last, seq, "{:?}", first.results);
    assert_eq!(first.results.len(), request.commands.len());
    let receipts = first
        .results
        .iter()
        .all(|result| matches!(result, PushResult::Receipt(_)));
    assert!(receipts, "{:?}", first.results);
    let again = hub.push(person, &request, later.plus_millis(1));
    let same = again.as_ref().map(|again| &again.results);
    assert_eq!(same, Ok(&first.results), "sent twice");
    // An employee acts upon its own enterprise's hazards alone.
    let untouched = hub::world();
    for firm in 1..cast::FIRMS {
        for id in hub::hazards_of(firm) {
            let (before, after) = (
                untouched.tables.hazards.get(&id),
                hub.tables.hazards.get(&id),
            );
            assert_eq!(before, after, "a neighbour's hazard");
        }
    }
}

/// What a payload says is what is said again when it is packed anew.
fn opened(kind: &str, version: u16, payload: &[u8]) {
    let depth = WireLimits::default().depth;
    let Ok(read) = CommandPayload::open(kind, version, payload, depth) else {
        return;
    };
    let packed = CommandPayload::pack_instead(
        read.made.clone(),
        &read.command,
        &read.co_signatures,
        read.choice.clone(),
    );
    let newest = read.command.action.kind().version();
    let again = CommandPayload::open(kind, newest, &packed, depth);
    let again = again.as_ref().map(|again| (&again.made, &again.command));
    assert_eq!(again, Ok((&read.made, &read.command)));
}
