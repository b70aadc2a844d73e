//! Pull: records down, one answer a scope.

use hazardloop_domain::command::AnchorToken;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::InstallId;
use hazardloop_domain::time::Timestamp;
use minicbor::decode::Decoder;
use minicbor::encode::{Encoder, Write};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Bytes, Scope};

macro_rules! message {
    ($(#[$doc:meta])* pub struct $name:ident { $($body:tt)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
        #[cbor(map)]
        pub struct $name { $($body)* }
    };
}

message! {
    /// What the device holds and wants brought up to date.
    pub struct PullRequest {
        /// Protocol version of this message.
        #[n(0)]
        pub protocol: u16,
        /// Who asks.
        #[n(1)]
        pub install_id: InstallId,
        /// The epoch of the server's last answer; absent at the first pull.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub epoch: Option<String>,
        /// What it holds. The server adds scopes that it does not hold yet.
        #[n(3)]
        pub scopes: Vec<ScopeCursor>,
        /// At most this many records; the server may send fewer.
        #[n(4)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub max_records: Option<u32>,
    }
}

message! {
    /// One scope as the device holds it.
    pub struct ScopeCursor {
        /// Which.
        #[n(0)]
        pub scope: Scope,
        /// The server's own mark of how far it got; opaque; absent: from the beginning.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub cursor: Option<Bytes>,
        /// How many records it holds, and their digest (see [`crate::digest`]).
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub checkpoint: Option<Checkpoint>,
    }
}

/// What a scope holds at a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct Checkpoint {
    /// Number of records.
    #[n(0)]
    pub count: u64,
    /// Sum of their digests, wrapping.
    #[n(1)]
    #[serde(with = "digest_as_text")]
    pub digest: u64,
}

message! {
    /// The hub's answer.
    pub struct PullResponse {
        /// Newest protocol version the server speaks.
        #[n(0)]
        pub protocol: u16,
        /// The server's epoch; a new one means it was restored from a backup.
        #[n(1)]
        pub epoch: String,
        /// Key of the record digests; sent whenever the device's epoch was not this one.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub digest_key: Option<Bytes>,
        /// The server's time.
        #[n(3)]
        pub server_time: Timestamp,
        /// Highest sequence of this install that has a receipt.
        #[n(4)]
        pub last: i64,
        /// One answer a scope.
        #[n(5)]
        pub answers: Vec<ScopeAnswer>,
        /// There is more: pull again at once.
        #[n(6)]
        #[cbor(default)]
        pub more: bool,
        /// Photos that this person named and whose bytes the server still lacks (bounded list).
        #[n(7)]
        #[cbor(default)]
        #[serde(default)]
        pub missing_photos: Vec<Digest>,
        /// As in the answer to a push.
        #[n(8)]
        #[cbor(default, skip_if = "Option::is_none")]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub anchor: Option<AnchorToken>,
    }
}

message! {
    /// What became of one scope.
    pub struct ScopeAnswer {
        /// Which.
        #[n(0)]
        pub scope: Scope,
        /// What.
        #[n(1)]
        pub update: ScopeUpdate,
    }
}

/// What the device does with one scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
pub enum ScopeUpdate {
    /// Records to put and to remove.
    #[n(0)]
    Page(#[n(0)] Page),
    /// No longer this device's: forget the scope.
    #[n(1)]
    Drop {
        /// Why.
        #[n(0)]
        reason: DropReason,
    },
}

message! {
    /// A part of a scope's changes. Staged until a page carries a checkpoint.
    pub struct Page {
        /// Begin the scope anew: what is staged and held is replaced at the next checkpoint.
        #[n(0)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub reset: Option<ResetReason>,
        /// Records that are there.
        #[n(1)]
        pub records: Vec<Record>,
        /// Records that are no longer there.
        #[n(2)]
        pub removals: Vec<RecordKey>,
        /// How far this page got.
        #[n(3)]
        pub cursor: Bytes,
        /// The scope is complete up to here: show it, and hold it against this.
        #[n(4)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub checkpoint: Option<Checkpoint>,
        /// How much the scope is, for people to be told; nothing is decided by it.
        #[n(5)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub extent: Option<Extent>,
    }
}

/// How much a scope is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct Extent {
    /// Records that the scope held when its first read began; told while more pages follow.
    #[n(0)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// What the scope holds of the records that came to their end; told with a checkpoint.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<ClosedWindow>,
}

/// Which records that came to their end a scope still holds: the newest of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct ClosedWindow {
    /// Days for which they stay.
    #[n(0)]
    pub closed_days: u32,
    /// Bytes of their bodies at most.
    #[n(1)]
    pub closed_bytes: u64,
    /// Whatever came to its end after this is there; absent: everything is.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete_after: Option<Timestamp>,
}

message! {
    /// One record.
    pub struct Record {
        /// What it is.
        #[n(0)]
        pub kind: RecordKind,
        /// Which one.
        #[n(1)]
        #[cbor(with = "uuid_bytes")]
        pub id: Uuid,
        /// Its version.
        #[n(2)]
        pub version: i64,
        /// Its CBOR, as the server stores it.
        #[n(3)]
        pub body: Bytes,
    }
}

message! {
    /// Names a record.
    pub struct RecordKey {
        /// What it is.
        #[n(0)]
        pub kind: RecordKind,
        /// Which one.
        #[n(1)]
        #[cbor(with = "uuid_bytes")]
        pub id: Uuid,
    }
}

/// What a record is; the number is stored and sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// `domain::hazard::Hazard`.
    Hazard,
    /// `domain::enterprise::Enterprise`.
    Enterprise,
    /// `domain::jurisdiction::Jurisdiction`.
    Jurisdiction,
    /// `domain::access::PersonRecord`.
    Person,
    /// `domain::pack::Criterion`.
    Criterion,
    /// `domain::inspection::Inspection`.
    Inspection,
    /// `domain::pack::Checklist`.
    Checklist,
    /// `domain::pack::PackHead`.
    Pack,
    /// `domain::calendar_year::CalendarYear`.
    Calendar,
    /// `domain::rule_limits::RuleLimits`: absent while the server works with the defaults.
    RuleLimits,
    /// `domain::command_fate::CommandFate`: what became of a command that took no effect, for its author.
    CommandFate,
    /// `domain::time_proof::ChainWitnessed`: another device has shown how far a chain was, for its owner.
    ChainWitnessed,
    /// Of a newer server: held and counted like any other, so that digests agree, and shown nowhere.
    Other(u16),
}

impl<C> Encode<C> for RecordKind {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.i32(self.number())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for RecordKind {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let kind = Self::from_number(d.i32()?);
        kind.ok_or_else(|| minicbor::decode::Error::message("no such kind of record"))
    }
}

impl RecordKind {
    /// The stored number.
    pub const fn number(self) -> i32 {
        match self {
            Self::Hazard => 1,
            Self::Enterprise => 2,
            Self::Jurisdiction => 3,
            Self::Person => 4,
            Self::Criterion => 5,
            Self::Inspection => 6,
            Self::Checklist => 7,
            Self::Pack => 8,
            Self::Calendar => 9,
            Self::RuleLimits => 10,
            Self::CommandFate => 11,
            Self::ChainWitnessed => 12,
            Self::Other(number) => number as i32,
        }
    }

    /// The kind with this number.
    pub const fn from_number(number: i32) -> Option<Self> {
        match number {
            1 => Some(Self::Hazard),
            2 => Some(Self::Enterprise),
            3 => Some(Self::Jurisdiction),
            4 => Some(Self::Person),
            5 => Some(Self::Criterion),
            6 => Some(Self::Inspection),
            7 => Some(Self::Checklist),
            8 => Some(Self::Pack),
            9 => Some(Self::Calendar),
            10 => Some(Self::RuleLimits),
            11 => Some(Self::CommandFate),
            12 => Some(Self::ChainWitnessed),
            13..=0xffff => Some(Self::Other(number as u16)),
            _ => None,
        }
    }
}

/// Why a scope begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum ResetReason {
    /// The device has not held it before.
    #[n(0)]
    First,
    /// The device's count or digest differs from the server's.
    #[n(1)]
    DigestMismatch,
    /// The cursor is not one of this server's, or of an earlier epoch.
    #[n(2)]
    CursorUnknown,
}

/// Why a scope is no longer the device's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum DropReason {
    /// No role over it, any more or ever.
    #[n(0)]
    NoLongerYours,
}

mod uuid_bytes {
    use minicbor::decode::{Decoder, Error};
    use minicbor::encode::{Encoder, Write};
    use uuid::Uuid;

    pub(super) fn encode<C, W: Write>(
        id: &Uuid,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(id.as_bytes())?.ok()
    }

    pub(super) fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<Uuid, Error> {
        Uuid::from_slice(d.bytes()?).map_err(|_| Error::message("an id has exactly 16 bytes"))
    }
}

/// JSON numbers lose 64-bit integers; the digest travels as 16 hexadecimal digits there.
mod digest_as_text {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(digest: &u64, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&format_args!("{digest:016x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        // The number parser alone would take a leading plus sign.
        if text.len() != 16 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(de::Error::custom(
                "a record digest is 16 hexadecimal digits",
            ));
        }
        u64::from_str_radix(&text, 16)
            .map_err(|_| de::Error::custom("a record digest is 16 hexadecimal digits"))
    }
}
