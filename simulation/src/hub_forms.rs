//! The lean and packed forms of a push, as the simulated hub reads them from what it has: what it lost, or has otherwise, it
//! wants said in full.

use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::InstallId;
use hazardloop_sync_protocol::chain::{link_hash, signature_fits};
use hazardloop_sync_protocol::codec;
use hazardloop_sync_protocol::hub::memory::Install;
use hazardloop_sync_protocol::wire::{LeanPush, PackedPush, PushRequest, WireLimits};

use crate::hub::Hub;
use crate::network::Carried;
use crate::variant::Variant;

/// Most bytes of what is unpacked.
const MOST: usize = 1024 * 1024;

impl Hub {
    /// A push in full; `None`: it is to be said so.
    pub(crate) fn in_full(&self, install_id: InstallId, carried: &Carried) -> Option<PushRequest> {
        let depth = WireLimits::default().depth;
        let install = self.memory.tables.installs.get(&install_id)?;
        let lean = match carried {
            Carried::Lean(bytes) => codec::decode_strict::<LeanPush>(bytes, depth).ok()?,
            Carried::Packed(bytes) => {
                let packed: PackedPush = codec::decode_strict(bytes, depth).ok()?;
                let place = packed.first.checked_sub(1)?;
                let mut before = self.payloads.get(&(install_id, place));
                if self.variant() == Variant::TakesWhatDoesNotFit {
                    // As if it had mistaken the place.
                    let earlier = (install_id, i64::MIN)..(install_id, place);
                    let mut earlier = self.payloads.range(earlier);
                    before = earlier.next_back().map(|(_, payload)| payload).or(before);
                }
                let anchor = |at| self.memory.anchors.token(at);
                let before = before.map(Vec::as_slice);
                packed.unpacked(before, &anchor, MOST).ok()?
            }
            _ => return None,
        };
        let before = link_before(install, lean.first)?;
        let request = lean.in_full(install_id, before.unwrap_or(Digest::ZERO))?;
        let last = request.commands.last()?;
        let signed = signature_fits(&install.stream.public_key, install_id, last);
        // Where something is missing before the first, that alone is what the answer says.
        let fits = signed || before.is_none() || self.variant() == Variant::TakesWhatDoesNotFit;
        fits.then_some(request)
    }

    /// Keeps what was received, for what comes packed after it.
    pub(crate) fn keep_payloads(&mut self, request: &PushRequest) {
        let install_id = request.install_id;
        let Some(install) = self.memory.tables.installs.get(&install_id) else {
            return;
        };
        for envelope in &request.commands {
            let kept = install.receipts.get(&envelope.seq);
            if kept.is_some_and(|kept| kept.link_hash == link_hash(install_id, envelope)) {
                let payload = envelope.payload.0.clone();
                self.payloads.insert((install_id, envelope.seq), payload);
            }
        }
    }
}

/// The link hash of the command before a place; within: the stream has not come so far. `None`: it is not kept any more.
fn link_before(install: &Install, first: i64) -> Option<Option<Digest>> {
    let place = first.checked_sub(1).filter(|place| *place >= 0)?;
    let stream = &install.stream;
    if place == 0 {
        return Some(Some(Digest::ZERO));
    }
    if place >= stream.last_seq {
        return Some((place == stream.last_seq).then_some(stream.last_hash));
    }
    Some(Some(install.receipts.get(&place)?.link_hash))
}
