//! A device that speaks the sync protocol from memory: for hostile messages, and to measure without a device's own cost.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a harness that cannot do its work fails the test, with the reason"
)]

use ed25519_dalek::{Signer as _, SigningKey};
use hazardloop_domain::command::{Action, ClockReading, Command, Grade, Note, Report, Source};
use hazardloop_domain::geography::{CoordinateReference, Measurement, Position};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{EnterpriseId, HazardId, InstallId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::chain::{link_hash, seal};
use hazardloop_sync_protocol::codec;
use hazardloop_sync_protocol::wire::{
    Bytes, CommandPayload, Envelope, MEDIA_TYPE_CBOR, PROTOCOL_MAX, PushRequest, PushResponse,
};
use serde_json::json;
use uuid::Uuid;

use crate::rest::{Answer, Rest};

/// Begins what an enrolling device signs.
const ENROLMENT: &[u8] = b"hazardloop enrolment v1";

/// Depth of nesting that answers may have.
const DEPTH: usize = 16;

/// A UUIDv7 of the instant `ms`, the same for the same `ms` and `salt`.
#[must_use]
pub fn uuid_v7(ms: i64, salt: &str) -> Uuid {
    let digest = Digest::sha256_of_parts(&[&ms.to_be_bytes(), salt.as_bytes()]);
    let mut random = [0; 10];
    random.copy_from_slice(digest.as_bytes().get(..10).expect("32 bytes"));
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(ms).unwrap_or_default(), &random)
        .into_uuid()
}

/// An enrolled install with its key and its place in its stream.
pub struct Install {
    /// Which.
    pub id: InstallId,
    /// Its key.
    pub key: SigningKey,
    /// The sequence that the next command gets.
    pub next: i64,
    /// Link hash of the command before.
    pub previous: Digest,
    /// A client with its token.
    pub rest: Rest,
    salt: String,
}

impl Install {
    /// Enrols a new install of `login`; `salt` makes it unlike every other.
    ///
    /// # Panics
    /// When the server refuses.
    #[must_use]
    pub fn enrol(rest: &Rest, login: &str, salt: &str, now: Timestamp) -> Self {
        let id = InstallId(uuid_v7(now.as_millis(), &format!("install {salt}")));
        let key = SigningKey::from_bytes(Digest::sha256(salt.as_bytes()).as_bytes());
        let session = rest.session(login);
        let text = |value: &serde_json::Value| {
            value
                .as_str()
                .unwrap_or_else(|| panic!("missing in {session}"))
                .to_owned()
        };
        let person: Uuid = text(&session["person"]["id"])
            .parse()
            .expect("a person's id");
        let public_key = key.verifying_key().to_bytes();
        let proof =
            Digest::sha256_of_parts(&[ENROLMENT, id.as_bytes(), person.as_bytes(), &public_key]);
        let body = json!({
            "install_id": id,
            "device_name": format!("device {salt}"),
            "key_algorithm": "ed25519",
            "public_key": Bytes(public_key.to_vec()),
            "proof": Bytes(key.sign(proof.as_bytes()).to_bytes().to_vec()),
        });
        let signed_in = rest.with_token(&text(&session["access_token"]));
        let answer = signed_in
            .post("/api/v1/devices", &body)
            .expect_status(&[201])
            .json();
        let token = answer["session"]["access_token"]
            .as_str()
            .expect("a token of the device");
        Self {
            id,
            key,
            next: 1,
            previous: Digest::ZERO,
            rest: rest.with_token(token),
            salt: salt.to_owned(),
        }
    }

    /// Seals the next command.
    pub fn seal(&mut self, now: Timestamp, hazard_id: HazardId, action: Action) -> Envelope {
        let kind = action.kind();
        let payload = CommandPayload::pack(clock(now), &Command::new(hazard_id, action));
        self.seal_payload(kind.as_str(), kind.version(), payload)
    }

    /// Seals the next command from bytes that may be anything.
    pub fn seal_payload(&mut self, kind: &str, version: u16, payload: Vec<u8>) -> Envelope {
        let envelope = seal(
            &self.key,
            self.id,
            self.next,
            kind,
            version,
            self.previous,
            payload,
        );
        self.previous = link_hash(self.id, &envelope);
        self.next += 1;
        envelope
    }

    /// Seals the report of a new hazard.
    pub fn seal_report(
        &mut self,
        now: Timestamp,
        enterprise_id: EnterpriseId,
    ) -> (HazardId, Envelope) {
        let hazard_id = HazardId(uuid_v7(
            now.as_millis(),
            &format!("{} {}", self.salt, self.next),
        ));
        let envelope = self.seal(now, hazard_id, Action::Report(report(now, enterprise_id)));
        (hazard_id, envelope)
    }

    /// Seals a note.
    pub fn seal_note(&mut self, now: Timestamp, hazard_id: HazardId, text: &str) -> Envelope {
        self.seal(
            now,
            hazard_id,
            Action::Note(Note {
                text: text.to_owned(),
            }),
        )
    }

    /// The bytes of a push.
    #[must_use]
    pub fn push_body(&self, commands: Vec<Envelope>) -> Vec<u8> {
        codec::encode(&PushRequest {
            protocol: PROTOCOL_MAX,
            install_id: self.id,
            commands,
            settled: Vec::new(),
        })
    }

    /// Pushes; the server's answer, whatever it is.
    #[must_use]
    pub fn post_push(&self, body: &[u8]) -> Answer {
        self.rest.ask(
            "POST",
            "/api/v1/sync/push",
            &[("content-type", MEDIA_TYPE_CBOR)],
            Some(body),
        )
    }

    /// Pushes; the results.
    ///
    /// # Panics
    /// When the server does not take the batch.
    #[must_use]
    pub fn push(&self, commands: Vec<Envelope>) -> PushResponse {
        let answer = self
            .post_push(&self.push_body(commands))
            .expect_status(&[200]);
        read_push(&answer.body)
    }
}

/// Reads the answer to a push.
///
/// # Panics
/// When it is none.
#[must_use]
pub fn read_push(body: &[u8]) -> PushResponse {
    codec::decode_strict(body, DEPTH).unwrap_or_else(|error| panic!("an answer to a push: {error}"))
}

/// Clocks that agree with the server's.
fn clock(now: Timestamp) -> ClockReading {
    ClockReading {
        wall: now,
        monotonic_ms: None,
        boot_id: None,
        server_anchor: None,
        anchor_monotonic_ms: None,
        anchor_token: None,
    }
}

/// A general hazard, reported with its place and without a photo.
///
/// # Panics
/// Never: its position is one.
#[must_use]
pub fn report(now: Timestamp, enterprise_id: EnterpriseId) -> Report {
    let measured = Measurement {
        longitude: 105.594,
        latitude: 29.405,
        reference: CoordinateReference::Wgs84,
        accuracy_m: Some(8.5),
        altitude_m: None,
        fixed_at: Some(now),
    };
    Report {
        source: Source::EnterpriseSelfCheck,
        grade: Grade::General,
        enterprise_id: Some(enterprise_id),
        description: "打磨车间除尘系统灰斗积尘未及时清理，泄爆口被货物遮挡。".to_owned(),
        place_text: "一号打磨车间，三号除尘器".to_owned(),
        position: Some(Position::new(measured).expect("a position")),
        found_at: now,
        photos: Vec::new(),
        no_photo_reason: Some("防爆区内不得使用手机".to_owned()),
        criterion: None,
        immediate_measure: Some("停机清理".to_owned()),
        fixed_on_spot: None,
        recurrence_of: None,
        nature: None,
    }
}
