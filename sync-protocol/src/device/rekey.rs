//! A restored phone: the queue is sealed anew under a new install.

use ed25519_dalek::SigningKey;
use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::InstallId;
use uuid::Builder;

use crate::chain::{link_hash, seal};
use crate::wire::GIVE_UP_KIND;

use super::engine::Engine;
use super::jobs::{Job, Writing};
use super::{Oversize, State, StoreOp, StoredPhoto};

/// Separates the keys of successors from every other use of the same hash function.
const KEY_DOMAIN: &[u8] = b"hazardloop successor key v1";

/// Separates the ids of successors likewise.
const INSTALL_DOMAIN: &[u8] = b"hazardloop successor install v1";

/// The identity that takes over what `install_id` has not sent; `None`: all is settled, and any new one will do.
///
/// It is the same for every copy of one phone, and to be known by nobody without its key. A copy that was made before
/// the queue was sealed anew, and is restored after what was in it took effect, so seals the same bytes under the same
/// install, and is given the receipts that there are.
pub fn successor(
    state: &State,
    install_id: InstallId,
    key: &SigningKey,
) -> Option<(InstallId, SigningKey)> {
    state.commands.values().find(|c| c.is_unsent())?;
    let secret = key.to_bytes();
    let of = |domain| Digest::sha256_of_parts(&[domain, install_id.as_bytes(), &secret]).0;
    let mut id = [0; 16];
    id.copy_from_slice(&of(INSTALL_DOMAIN)[..16]);
    let id = Builder::from_random_bytes(id).into_uuid();
    Some((InstallId(id), SigningKey::from_bytes(&of(KEY_DOMAIN))))
}

impl Engine {
    /// This install got a new identity (restored phone): everything that has no receipt is
    /// sealed anew under it, in the old order. The host stores identity and key beforehand. While anything has none,
    /// the identity is the [`successor`].
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
            let content = old.content();
            // Nobody can send in shorter pieces that something is given up.
            let whole = old.oversize.is_none() || content.kind == GIVE_UP_KIND;
            if old.is_unsent() && whole {
                seq += 1;
                let bytes = content.payload.0.clone();
                let (kind, version) = (&content.kind, content.version);
                command.oversize = None;
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
