//! What lies between device and hub: bytes that are lost, doubled, delayed, cut, or answered by somebody else.

use hazardloop_sync_protocol::device::{Failure, Request, ResponseBody};
use hazardloop_sync_protocol::wire::{PullRequest, PushRequest};

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NetFault {
    /// It never arrives.
    RequestLost,
    /// It takes effect, and the answer is lost.
    AnswerLost,
    /// It arrives twice, and both answers do.
    Doubled,
    /// The device gives up waiting; it arrives later, behind others.
    Late,
    /// The answer is cut on its way.
    AnswerCut,
    /// A captive portal answers 200 with a page of its own.
    CaptivePortal,
    /// A proxy answers 502 with a page of its own.
    BadGateway,
    /// A proxy finds it too large.
    ProxyTooLarge,
    /// The hub's token has run out.
    Unauthorized,
    /// The hub asks to wait.
    RateLimited,
    /// The hub fails after doing nothing.
    ServerError,
    /// It arrives with a byte that is another: of a photo the hub notices, of anything else the connection.
    Damaged,
}

impl NetFault {
    /// Every fault.
    pub const ALL: &'static [Self] = &[
        Self::RequestLost,
        Self::AnswerLost,
        Self::Doubled,
        Self::Late,
        Self::AnswerCut,
        Self::CaptivePortal,
        Self::BadGateway,
        Self::ProxyTooLarge,
        Self::Unauthorized,
        Self::RateLimited,
        Self::ServerError,
        Self::Damaged,
    ];

    /// What the device is told where the hub did not answer.
    pub const fn failure(self) -> Option<Failure> {
        Some(match self {
            Self::RequestLost | Self::AnswerLost | Self::Late | Self::Damaged => Failure::Offline,
            Self::AnswerCut | Self::CaptivePortal | Self::BadGateway => Failure::NotOurs,
            Self::ProxyTooLarge => Failure::PayloadTooLarge { ours: false },
            Self::Unauthorized => Failure::Unauthorized,
            Self::RateLimited => Failure::RateLimited {
                retry_after_ms: 30_000,
            },
            Self::ServerError => Failure::ServerError,
            Self::Doubled => return None,
        })
    }

    /// Whether the request reaches the hub now.
    pub const fn arrives(self) -> bool {
        matches!(self, Self::AnswerLost | Self::Doubled | Self::AnswerCut)
    }
}

/// A request on its way. What the hub reads of a push or a pull is what the codec makes of its bytes.
#[derive(Clone, Debug)]
pub enum Carried {
    /// A push.
    Push(Vec<u8>),
    /// A pull.
    Pull(Vec<u8>),
    /// About a photo: HTTP without a body of ours.
    Photo(Request),
}

impl Carried {
    /// A request as it travels.
    pub fn of(request: &Request) -> Option<Self> {
        match request {
            Request::Push(push) => minicbor::to_vec(push).ok().map(Self::Push),
            Request::Pull(pull) => minicbor::to_vec(pull).ok().map(Self::Pull),
            photo => Some(Self::Photo(photo.clone())),
        }
    }

    /// With a byte that is another.
    pub fn damage(&mut self) {
        if let Self::Photo(Request::PatchChunk { bytes, .. }) = self
            && let Some(first) = bytes.first_mut()
        {
            *first ^= 1;
        }
    }
}

/// A push from its bytes.
pub fn push_from(bytes: &[u8]) -> Option<PushRequest> {
    minicbor::decode(bytes).ok()
}

/// A pull from its bytes.
pub fn pull_from(bytes: &[u8]) -> Option<PullRequest> {
    minicbor::decode(bytes).ok()
}

/// An answer as the device reads it from its bytes.
pub fn through_the_codec(body: &ResponseBody) -> Option<ResponseBody> {
    match body {
        ResponseBody::Push(push) => {
            let bytes = minicbor::to_vec(push).ok()?;
            minicbor::decode(&bytes).ok().map(ResponseBody::Push)
        }
        ResponseBody::Pull(pull) => {
            let bytes = minicbor::to_vec(pull).ok()?;
            minicbor::decode(&bytes).ok().map(ResponseBody::Pull)
        }
        other => Some(other.clone()),
    }
}
