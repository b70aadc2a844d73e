//! The queue of a revoked install, sealed anew where it cannot be offered as it stands.
//!
//! Nobody carries out what such an install offers: a person reads it. So the order of its commands is of no
//! consequence any more, and that each of them gets there is. Three things keep some of them from it, and all are
//! answered by sealing what is left anew, under the same key, from the first place that the server has free:
//!
//! * A command that is larger than the server takes stands before others. It goes behind them.
//! * The server was restored and wants a command that this device keeps no more. What it still has takes those places.
//! * Another copy of this phone has used those places. What this one has goes behind them.
//!
//! Where this device does not know the command before, the first one links to nothing: the server keeps it as one
//! whose chain is broken, which a person sees like the others.

use ed25519_dalek::SigningKey;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::InstallId;

use crate::chain::{link_hash, seal};
use crate::wire::Envelope;

use super::{Meta, State, StoreOp, StoredCommand, StoredPhoto};

/// Seals whatever the server still lacks anew, from the place `from` on, what `goes_last` says behind the rest; as one
/// write. Whatever stands at or behind `from` loses its receipt, and a command in whose place a placeholder travels
/// comes again itself.
pub fn sealed_to_offer(
    state: &State,
    (install_id, key): (InstallId, &SigningKey),
    from: i64,
    goes_last: impl Fn(&Envelope) -> bool,
) -> Vec<StoreOp> {
    let moves = |command: &StoredCommand| {
        let seq = command.envelope.seq;
        seq > 0 && (command.is_unsent() || seq >= from)
    };
    let (mut ops, mut moved) = (Vec::new(), Vec::new());
    for (seq, command) in &state.commands {
        if moves(command) {
            ops.push(StoreOp::DeleteCommand(*seq));
            moved.push(command);
        } else if command.is_replaced() && command.chosen.is_none() {
            // The placeholder has had its receipt, and keeps its place.
            ops.push(StoreOp::PutCommand(StoredCommand {
                oversize: None,
                ..command.clone()
            }));
            moved.push(command);
        }
    }
    moved.sort_by_key(|command| goes_last(command.content()));
    let before = from.checked_sub(1).and_then(|seq| state.commands.get(&seq));
    let before = before.filter(|command| !moves(command));
    let mut previous = before.map_or(Digest::ZERO, |command| {
        link_hash(install_id, &command.envelope)
    });
    for (seq, old) in (from..).zip(moved) {
        // What its author gave up or replaced stays what its placeholder says.
        let left_out = old.is_replaced() && old.chosen.is_some();
        let content = if left_out {
            &old.envelope
        } else {
            old.content()
        };
        let envelope = seal(
            key,
            install_id,
            seq,
            &content.kind,
            content.version,
            previous,
            content.payload.0.clone(),
        );
        previous = link_hash(install_id, &envelope);
        // Each photo goes on with the command that names it.
        let named = state.photos.values().filter(|p| p.seq == old.envelope.seq);
        ops.extend(named.map(|p| StoreOp::PutPhoto(StoredPhoto { seq, ..p.clone() })));
        ops.push(StoreOp::PutCommand(StoredCommand {
            envelope,
            receipt: None,
            awaiting_pull: false,
            oversize: old.oversize.clone().filter(|_| left_out),
            ..old.clone()
        }));
    }
    if state.meta.too_large.is_some() {
        ops.push(StoreOp::PutMeta(Meta {
            too_large: None,
            ..state.meta.clone()
        }));
    }
    ops
}
