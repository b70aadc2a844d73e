//! What the scripted server does about a device that was revoked.

use super::*;

/// How a device was revoked, and what it offered then.
#[derive(Default)]
pub struct Revoked {
    is: bool,
    stolen: bool,
    /// So long ago that no session of it is known.
    long_ago: bool,
    offered: Vec<OfferRequest>,
}

impl FakeServer {
    /// From now on every device is revoked.
    pub fn revoke(&self, stolen: bool) {
        let revoked = &mut self.inner.lock().unwrap().revoked;
        (revoked.is, revoked.stolen) = (true, stolen);
    }

    /// The same, so long ago that its session is not known any more.
    pub fn revoke_long_ago(&self) {
        self.revoke(false);
        self.inner.lock().unwrap().revoked.long_ago = true;
    }

    /// What was offered, in order.
    pub fn offered(&self) -> Vec<OfferRequest> {
        self.inner.lock().unwrap().revoked.offered.clone()
    }
}

/// The answer to a revoked device; `None`: it is not, or this door is open to it.
pub(super) fn answer(inner: &mut Inner, path: &str, body: &[u8]) -> Option<Reply> {
    let refused = || Some(problem("403 Forbidden", "DEVICE_REVOKED"));
    match path {
        _ if !inner.revoked.is => None,
        "/api/v1/sync/offer" if !inner.revoked.stolen => {
            let offer: OfferRequest = codec::decode_strict(body, 16).unwrap();
            let answer = taken(&offer);
            inner.revoked.offered.push(offer);
            Some(reply("200 OK", MEDIA_TYPE_CBOR, answer))
        }
        // The person may enrol anew.
        "/api/v1/sessions" | "/api/v1/devices" => None,
        _ if inner.revoked.long_ago => Some(problem("401 Unauthorized", "UNAUTHENTICATED")),
        _ => refused(),
    }
}

fn taken(offer: &OfferRequest) -> Vec<u8> {
    let now = Timestamp::from_millis(1_795_305_600_000);
    let kept = |envelope: &Envelope| {
        PushResult::Receipt(Receipt {
            seq: envelope.seq,
            received_at: now,
            outcome: Outcome::Quarantined {
                reason: QuarantineReason::OfferedAfterRevocation,
                detail: "kept".into(),
            },
        })
    };
    codec::encode(&OfferResponse {
        protocol: 1,
        server_time: now,
        last: offer.commands.last().map_or(0, |command| command.seq),
        results: offer.commands.iter().map(kept).collect(),
        expected: None,
        full: false,
    })
}
