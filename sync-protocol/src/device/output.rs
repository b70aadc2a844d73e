//! What goes out of the engine, and what may come back.

use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::SubjectId;
use hazardloop_domain::time::Timestamp;

use crate::wire::{
    DropReason, PullRequest, PullResponse, PushRequest, PushResponse, Scope, SpokenVersions,
};

use super::{StoreOp, Ticket};

/// Names a request; never used twice by one engine.
pub type RequestId = u64;
/// Names a write; never used twice by one engine.
pub type WriteId = u64;

/// Something for the host to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Apply all operations in one durable transaction.
    Write {
        /// Answer with this.
        id: WriteId,
        /// In this order.
        ops: Vec<StoreOp>,
    },
    /// Tell somebody.
    Notice(Notice),
    /// Send to the server.
    Send {
        /// Answer with this.
        id: RequestId,
        /// What.
        request: Request,
    },
    /// Read a part of a photo that the device keeps.
    ReadPhoto {
        /// Answer with this.
        id: RequestId,
        /// Which photo.
        sha256: Digest,
        /// From which byte.
        offset: u64,
        /// How many bytes.
        len: u32,
    },
}

/// A request to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Commands up.
    Push(PushRequest),
    /// Records down.
    Pull(PullRequest),
    /// tus creation.
    CreateUpload {
        /// Of the whole photo.
        sha256: Digest,
        /// Bytes of the whole photo.
        size: u64,
        /// Its media type.
        media_type: String,
    },
    /// tus HEAD: how far did it get?
    UploadStatus {
        /// The upload, as the server named it.
        upload: String,
    },
    /// tus PATCH: one chunk.
    PatchChunk {
        /// The upload, as the server named it.
        upload: String,
        /// Where the chunk begins.
        offset: u64,
        /// SHA-256 of the chunk.
        checksum: Digest,
        /// The chunk.
        bytes: Vec<u8>,
    },
}

/// A typed body from our own server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseBody {
    /// Answers [`Request::Push`].
    Push(PushResponse),
    /// Answers [`Request::Pull`].
    Pull(PullResponse),
    /// Answers [`Request::CreateUpload`].
    UploadCreated {
        /// The server's name for the upload.
        upload: String,
        /// Bytes it has already; the whole size when it holds the photo.
        offset: u64,
    },
    /// Answers [`Request::UploadStatus`] and [`Request::PatchChunk`].
    UploadOffset {
        /// Bytes the server has.
        offset: u64,
    },
}

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No connection, or it broke.
    Offline,
    /// Something answered that is not our server, or its answer was cut: captive portal, proxy
    /// page, wrong media type, truncated body.
    NotOurs,
    /// A typed answer that brought nothing forward although there is more: the server is busy.
    NothingNew,
    /// Our server could not (5xx).
    ServerError,
    /// Our server asks to wait.
    RateLimited {
        /// How long, milliseconds.
        retry_after_ms: i64,
    },
    /// 401: the access token is no longer good. Everything waits for new credentials.
    Unauthorized,
    /// 403: this device was revoked.
    Revoked,
    /// 413: the body was too large.
    PayloadTooLarge {
        /// Our own server says so, by a typed body: only then is it final for a command.
        ours: bool,
    },
    /// 426: the server does not speak this protocol version.
    UpgradeRequired {
        /// Those that it speaks, where it said so.
        spoken: Option<SpokenVersions>,
    },
    /// tus 409: the server is at another offset.
    OffsetMismatch,
    /// tus 404 or 410: the upload no longer exists.
    UploadGone,
    /// tus 460: the chunk arrived damaged.
    ChecksumMismatch,
    /// 422: the whole photo does not have the hash it was announced with.
    PhotoHashMismatch,
    /// Any other typed refusal of the request as a whole.
    Refused {
        /// The server's stable code.
        code: String,
        /// In words.
        detail: String,
    },
}

/// A lane of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LaneName {
    /// Commands up.
    Push,
    /// Records down.
    Pull,
    /// Photos up.
    Photo,
}

impl LaneName {
    /// Every lane, in the order in which requests start.
    pub const ALL: &'static [Self] = &[Self::Push, Self::Pull, Self::Photo];
}

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The command is stored durably: it may be acknowledged.
    Queued {
        /// As `handle_command` returned it.
        ticket: Ticket,
        /// Its place in this install's stream.
        seq: i64,
        /// On what.
        subject_id: SubjectId,
    },
    /// The command could not be stored: it does not exist.
    NotKept {
        /// As `handle_command` returned it.
        ticket: Ticket,
    },
    /// A choice is stored that the server is not told of: it has nothing of the command.
    ChoiceNoted {
        /// As `handle_given_up` returned it.
        ticket: Ticket,
    },
    /// A command has its receipt now.
    Settled {
        /// Which.
        seq: i64,
    },
    /// Our server finds this command alone too large. It is kept on this device and needs
    /// attention; those behind it go on.
    SetAside {
        /// Which.
        seq: i64,
    },
    /// Something on the way, which is not known to be our server, finds this command alone too
    /// large. It is kept; it and those behind it are offered again after the longest wait.
    TooLarge {
        /// Which.
        seq: i64,
        /// How many wait behind it.
        behind: usize,
    },
    /// A scope that is read for the first time has come so far.
    Reading {
        /// Which.
        scope: Scope,
        /// Rows that are here.
        rows: usize,
        /// Rows that the scope held when the reading began.
        whole: u64,
    },
    /// A scope is complete and shown.
    ScopeReady {
        /// Which.
        scope: Scope,
    },
    /// A scope is no longer this device's.
    ScopeDropped {
        /// Which.
        scope: Scope,
        /// Why.
        reason: DropReason,
    },
    /// What is held differs from what the server holds: the scope is fetched anew.
    ScopeDiffers {
        /// Which.
        scope: Scope,
    },
    /// The server was restored from a backup, or lost receipts.
    ServerRestored {
        /// Commands that are offered again.
        offered_again: usize,
        /// Commands that it lost and this device no longer keeps.
        gone: i64,
    },
    /// This phone was restored from a backup, or its stream is in use elsewhere: it needs a new
    /// install and key, see [`super::Engine::handle_rekeyed`]. Nothing is pushed until then.
    MustRekey,
    /// New credentials are needed; the queue is kept.
    CredentialsNeeded,
    /// The server has revoked this device; nothing is sent any more, the queue is kept.
    Revoked,
    /// The server speaks no version of the protocol that this build does: one of the two must be renewed.
    UpgradeRequired {
        /// Those that it speaks, where it said so.
        spoken: Option<SpokenVersions>,
    },
    /// The server has verified a photo; the device's copy goes.
    PhotoVerified {
        /// Which.
        sha256: Digest,
    },
    /// A photo that is still needed cannot be read on this device, or is no longer the same.
    PhotoUnreadable {
        /// Which.
        sha256: Digest,
    },
    /// The server never takes this photo. It is given up, its bytes stay.
    PhotoRefused {
        /// Which.
        sha256: Digest,
        /// The server's code, and what it says.
        reason: String,
    },
    /// A person's decision about a photo is stored.
    PhotoDecided {
        /// Which.
        sha256: Digest,
    },
    /// A request failed and is tried again.
    Retrying {
        /// In which lane.
        lane: LaneName,
        /// Why.
        failure: Failure,
        /// When.
        at: Timestamp,
    },
}
