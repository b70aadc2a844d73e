//! Messages on the wire. CBOR with integer keys is canonical; JSON of the same types is for
//! debugging and third parties. `docs/PROTOCOL.md` is the prose of this module.

mod co_signature;
mod envelope;
mod limits;
mod offer;
mod placeholder;
mod pull;
mod push;
mod scope;
mod sector;
#[cfg(test)]
mod wire_tests;

pub use co_signature::CoSignature;
pub use envelope::{
    Bytes, CommandPayload, Envelope, KEY_ED25519, Opened, PayloadError, SIGNATURE_LENGTH,
};
pub use limits::WireLimits;
pub use offer::{OFFERED_PHOTOS, OfferRequest, OfferResponse};
pub use placeholder::{PLACEHOLDER_KIND, PLACEHOLDER_VERSION, Placeholder};
pub use pull::{
    Checkpoint, DropReason, Page, PullRequest, PullResponse, Record, RecordKey, RecordKind,
    ResetReason, ScopeAnswer, ScopeCursor, ScopeUpdate,
};
pub use push::{
    Outcome, PushRequest, PushResponse, PushResult, QuarantineReason, Receipt, SyncProblem,
};
pub use scope::{Scope, ScopeError};
pub use sector::{SECTOR_BYTES, SectorName, SectorNameError};

/// The protocol versions that this build speaks, oldest and newest.
pub const PROTOCOL_MIN: u16 = 1;
/// See [`PROTOCOL_MIN`].
pub const PROTOCOL_MAX: u16 = 1;

/// Media type of CBOR messages; only a body of this type from the server settles a command.
pub const MEDIA_TYPE_CBOR: &str = "application/vnd.hazardloop.sync+cbor";
/// Media type of the same messages as JSON.
pub const MEDIA_TYPE_JSON: &str = "application/vnd.hazardloop.sync+json";
