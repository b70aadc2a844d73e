//! What an author chose before the server had anything that it could be told of.
//!
//! Of a command that is held up, or set aside and not answered yet, the server has nothing: its author's choice is noted
//! on the device alone. Then the placeholder gets its receipt, or, put back, the command itself does, and from there
//! on the server would list it for ever as in need of its author. So it is told with that receipt, in one write: a
//! [`GiveUp`] about that very number. Only by then is it sure what the server has under the number: said before, it could be
//! heard as being about what another copy of this phone has sent.

use hazardloop_domain::command_fate::{Choice, ChoiceKind, Chosen, SentCommand};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::time::Timestamp;

use crate::chain::{link_hash, seal};
use crate::codec;
use crate::wire::{CommandPayload, GIVE_UP_KIND, GIVE_UP_VERSION, GiveUp, Receipt};

use super::engine::Engine;
use super::oversize::clocks_of;
use super::{StoreOp, StoredCommand};

/// Why a command is given up that its author sent again, or for which they sent another.
const SENT_OTHERWISE: &str = "已另行发送";

impl Engine {
    /// The commands by which the server is told of choices about what these receipts are for.
    pub(super) fn tell_late<'a>(
        &self,
        now: Timestamp,
        receipts: impl Iterator<Item = &'a Receipt>,
    ) -> Vec<StoreOp> {
        let install_id = self.identity.install_id;
        let newest = self.state.commands.last_key_value();
        let (mut seq, mut previous) = newest.map_or((0, Digest::ZERO), |(seq, newest)| {
            (*seq, link_hash(install_id, &newest.envelope))
        });
        let mut ops = Vec::new();
        for receipt in receipts.filter(|receipt| !receipt.outcome.took_effect()) {
            let about = SentCommand {
                install_id,
                seq: receipt.seq,
            };
            let command = self.state.commands.get(&receipt.seq);
            let chosen = command.and_then(|command| Some((command, command.chosen.as_ref()?)));
            let Some((command, chosen)) = chosen.filter(|_| !self.tells_of(about)) else {
                continue;
            };
            let payload = GiveUp {
                made: clocks_of(now),
                subject_id: command.subject_id,
                choice: given_up(about, chosen),
            }
            .pack();
            seq = seq.saturating_add(1);
            let (kind, version) = (GIVE_UP_KIND, GIVE_UP_VERSION);
            let envelope = seal(&self.key, install_id, seq, kind, version, previous, payload);
            previous = link_hash(install_id, &envelope);
            ops.push(StoreOp::PutCommand(StoredCommand {
                envelope,
                subject_id: command.subject_id,
                queued_at: now,
                receipt: None,
                awaiting_pull: false,
                oversize: None,
                earlier: None,
                chosen: None,
            }));
        }
        ops
    }

    /// Whether something of the queue says what is to become of a command.
    fn tells_of(&self, about: SentCommand) -> bool {
        self.state.commands.values().any(|command| {
            let payload = &command.content().payload.0;
            let said: Option<CommandPayload> =
                codec::decode_strict(payload, self.config.wire.depth).ok();
            said.and_then(|said| said.choice)
                .is_some_and(|choice| choice.about == about)
        })
    }
}

/// A choice, as it is told late: under this number there is nothing that could have another in its place.
fn given_up(about: SentCommand, chosen: &Chosen) -> Choice {
    let reason = match chosen.how {
        ChoiceKind::GivenUp => chosen.reason.clone(),
        ChoiceKind::Retried | ChoiceKind::Amended => None,
    };
    Choice {
        about,
        how: ChoiceKind::GivenUp,
        reason: Some(reason.unwrap_or_else(|| SENT_OTHERWISE.to_owned())),
    }
}
