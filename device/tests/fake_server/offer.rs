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
    /// What it keeps of them.
    kept: std::collections::BTreeMap<i64, Envelope>,
    /// It answers offers and settles nothing by that.
    idle: bool,
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

    /// It is put back to a backup, made before it had the commands from `seq` on.
    pub fn forget_from(&self, seq: i64) {
        let mut inner = self.inner.lock().unwrap();
        inner.accepted.retain(|(_, known), _| *known < seq);
    }

    /// Another copy of the one phone that it knows has used this place.
    pub fn used_by_another_copy(&self, seq: i64) {
        let mut inner = self.inner.lock().unwrap();
        let ((install, _), known) = inner.accepted.first_key_value().unwrap();
        let (install, mut other) = (*install, known.clone());
        (other.seq, other.payload) = (seq, Bytes(vec![0xa0]));
        inner.accepted.insert((install, seq), other);
    }

    /// From now on it settles nothing, or goes on.
    pub fn settle_no_offer(&self, idle: bool) {
        self.inner.lock().unwrap().revoked.idle = idle;
    }

    /// What it keeps of what was offered, as `kind` and place.
    pub fn keeps(&self) -> Vec<(String, i64)> {
        let inner = self.inner.lock().unwrap();
        let kept = inner.revoked.kept.values();
        kept.map(|kept| (kept.kind.clone(), kept.seq)).collect()
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
            let most = inner.payload_limit.unwrap_or(usize::MAX);
            let too_large = |envelope: &Envelope| envelope.payload.0.len() > most;
            if offer.commands.iter().any(too_large) {
                return Some(problem("413 Payload Too Large", "PAYLOAD_TOO_LARGE"));
            }
            let answer = taken(inner, &offer);
            inner.revoked.offered.push(offer);
            Some(reply("200 OK", MEDIA_TYPE_CBOR, codec::encode(&answer)))
        }
        "/api/v1/sessions" => None,
        // The person may enrol anew, but not this install. (Phones of these tests draw the same ids every time: once
        // its work is handed over, it is another one.)
        "/api/v1/devices" if inner.revoked.offered.is_empty() => {
            let asked: serde_json::Value = serde_json::from_slice(body).unwrap();
            let is = |install: &Uuid| asked["install_id"] == install.to_string();
            let mut known = inner.accepted.keys();
            match known.any(|(install, _)| is(install)) {
                true => refused(),
                false => None,
            }
        }
        "/api/v1/devices" => None,
        _ if inner.revoked.long_ago => Some(problem("401 Unauthorized", "UNAUTHENTICATED")),
        _ => refused(),
    }
}

/// As the real one: places follow one another, and each is given once.
fn taken(inner: &mut Inner, offer: &OfferRequest) -> OfferResponse {
    let now = Timestamp::from_millis(1_795_305_600_000);
    let install = offer.install_id.0;
    let (mut results, mut expected) = (Vec::new(), None);
    let offered = offer.commands.iter().filter(|_| !inner.revoked.idle);
    for envelope in offered {
        let kept = inner
            .revoked
            .kept
            .last_key_value()
            .map_or(0, |(seq, _)| *seq);
        let last = kept.max(inner.last_of(install));
        let seq = envelope.seq;
        if seq > last + 1 {
            expected = Some(last + 1);
            break;
        }
        let known = inner.revoked.kept.get(&seq);
        let known = known.or(inner.accepted.get(&(install, seq)));
        if known.is_some_and(|known| known.payload != envelope.payload) {
            results.push(PushResult::IdReused { seq });
            continue;
        }
        if known.is_none() {
            inner.revoked.kept.insert(seq, envelope.clone());
        }
        results.push(PushResult::Receipt(Receipt {
            seq,
            received_at: now,
            outcome: Outcome::Quarantined {
                reason: QuarantineReason::OfferedAfterRevocation,
                detail: "kept".into(),
            },
        }));
    }
    let kept = inner
        .revoked
        .kept
        .last_key_value()
        .map_or(0, |(seq, _)| *seq);
    OfferResponse {
        protocol: 1,
        server_time: now,
        last: kept.max(inner.last_of(install)),
        results,
        expected,
        full: false,
    }
}
