//! Messages on the wire. CBOR with integer keys is canonical; JSON of the same types is for
//! debugging and third parties. `docs/PROTOCOL.md` is the prose of this module.

mod co_signature;
mod columns;
#[cfg(test)]
mod columns_tests;
mod envelope;
mod give_up;
mod lean;
#[cfg(test)]
mod lean_tests;
mod limits;
mod offer;
mod packed;
mod packed_pull;
mod packed_push;
#[cfg(test)]
mod packed_tests;
mod placeholder;
mod pull;
mod push;
mod scope;
mod sector;
mod varint;
mod versions;
#[cfg(test)]
mod wire_tests;
mod witness;

pub use co_signature::CoSignature;
pub use columns::{Columns, ColumnsError};
pub use envelope::{
    Bytes, CommandPayload, Envelope, KEY_ED25519, Opened, PayloadError, SIGNATURE_LENGTH,
    SIGNED_BY_RUN,
};
pub use give_up::{GIVE_UP_KIND, GIVE_UP_VERSION, GiveUp};
pub use lean::{LeanCommand, LeanPull, LeanPullResponse, LeanPush, STATE_BYTES};
pub use limits::WireLimits;
pub use offer::{OFFERED_PHOTOS, OfferRequest, OfferResponse};
pub use packed::Packed;
pub use packed_pull::PackedPullResponse;
pub use packed_push::PackedPush;
pub use placeholder::{PLACEHOLDER_KIND, PLACEHOLDER_VERSION, Placeholder};
pub use pull::{
    Checkpoint, ClosedWindow, DropReason, Extent, Page, PullRequest, PullResponse, Record,
    RecordKey, RecordKind, ResetReason, ScopeAnswer, ScopeCursor, ScopeUpdate,
};
pub use push::{Outcome, PushRequest, PushResponse, PushResult, QuarantineReason, Receipt};
pub use scope::{Scope, ScopeError};
pub use sector::{SECTOR_BYTES, SectorName, SectorNameError};
pub use versions::SpokenVersions;
pub use witness::{WITNESS_KIND, WITNESS_VERSION, Witness, WitnessedHead};

/// The protocol versions that this build speaks, oldest and newest.
pub const PROTOCOL_MIN: u16 = 1;
/// See [`PROTOCOL_MIN`].
pub const PROTOCOL_MAX: u16 = 1;

/// Media type of CBOR messages; only a body of this type from the server settles a command.
pub const MEDIA_TYPE_CBOR: &str = "application/vnd.hazardloop.sync+cbor";
/// Media type of the lean forms: of the requests [`LeanPush`] and [`LeanPull`], whose answers are of
/// [`MEDIA_TYPE_CBOR`], and of the answer [`LeanPullResponse`] to whoever accepts it.
pub const MEDIA_TYPE_LEAN: &str = "application/vnd.hazardloop.sync-lean+cbor";
/// Media type of the packed forms: of the request [`PackedPush`], whose answer is of [`MEDIA_TYPE_CBOR`], and of the
/// answer [`PackedPullResponse`] to whoever accepts it.
pub const MEDIA_TYPE_PACKED: &str = "application/vnd.hazardloop.sync-packed+cbor";
/// Code of the problem that asks for a lean request again in its full form.
pub const SAY_IN_FULL: &str = "SAY_IN_FULL";
/// Code of the problem that asks for a body again without its content coding.
pub const CODING_UNKNOWN: &str = "CONTENT_CODING_UNKNOWN";
/// Media type of the same messages as JSON.
pub const MEDIA_TYPE_JSON: &str = "application/vnd.hazardloop.sync+json";
