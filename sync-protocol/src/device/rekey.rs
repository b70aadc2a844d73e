//! A restored phone: the queue is sealed anew under a new install.

use ed25519_dalek::SigningKey;
use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::InstallId;

use crate::chain::{link_hash, seal};

use super::engine::Engine;
use super::jobs::{Job, Writing};
use super::{Oversize, StoreOp, StoredPhoto};

impl Engine {
    /// This install got a new identity (restored phone): everything that has no receipt is
    /// sealed anew under it, in the old order. The host stores identity and key beforehand.
    pub fn handle_rekeyed(&mut self, install_id: InstallId, key: SigningKey) {
        self.inbox.push_back(Job::Rekey { install_id, key });
    }

    pub(super) fn rekey_job(&self, install_id: InstallId, key: SigningKey) -> Writing {
        let mut ops: Vec<_> = self
            .state
            .commands
            .keys()
            .map(|seq| StoreOp::DeleteCommand(*seq))
            .collect();
        let mut previous = Digest::ZERO;
        let (mut seq, mut settled) = (
            0,
            self.state.commands.keys().next().map_or(0, |s| *s).min(0),
        );
        for old in self.state.commands.values() {
            let mut command = old.clone();
            let before = old.envelope.seq;
            if old.is_unsent() && old.oversize.is_none() {
                seq += 1;
                let bytes = old.envelope.payload.0.clone();
                let (kind, version) = (&old.envelope.kind, old.envelope.version);
                command.envelope = seal(&key, install_id, seq, kind, version, previous, bytes);
                previous = link_hash(install_id, &command.envelope);
            } else {
                // Settled under the old install, or left to a person who may have sent it again
                // in shorter pieces: kept for people, under a sequence below zero.
                settled -= 1;
                let sent = SentCommand {
                    install_id: self.identity.install_id,
                    seq: before,
                };
                command.earlier = old.earlier.or((before > 0).then_some(sent));
                command.envelope.seq = settled;
                if command.oversize == Some(Oversize::Offered) {
                    command.oversize = Some(Oversize::Unanswered);
                }
            }
            // Each photo goes on with the command that names it.
            let seq = command.envelope.seq;
            let named = self.state.photos.values().filter(|p| p.seq == before);
            ops.extend(named.map(|p| StoreOp::PutPhoto(StoredPhoto { seq, ..p.clone() })));
            ops.push(StoreOp::PutCommand(command));
        }
        let meta = super::Meta {
            must_rekey: false,
            // Under its new sequence it is noticed again.
            too_large: None,
            ..self.state.meta.clone()
        };
        ops.push(StoreOp::PutMeta(meta));
        let mut writing = Writing::of(ops);
        writing.rekey = Some((install_id, key));
        writing
    }
}
