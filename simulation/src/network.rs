//! What lies between device and hub: bytes that are lost, doubled, delayed, cut, or answered by somebody else.

use hazardloop_domain::ids::InstallId;
use hazardloop_sync_protocol::codec;
use hazardloop_sync_protocol::device::{Failure, Request, ResponseBody};
use hazardloop_sync_protocol::wire::{
    LeanPush, PackedPullResponse, PackedPush, PullRequest, PullResponse, PushRequest, WireLimits,
};

use crate::dice::Dice;

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NetFault {
    /// It never arrives.
    RequestLost,
    /// It takes effect, and the answer is lost.
    AnswerLost,
    /// It arrives twice, and both answers do.
    Doubled,
    /// The device gives up waiting; it arrives later, before the next one or behind some.
    Late,
    /// It takes effect, the device gives up waiting, and the answer comes when others are under way.
    AnswerLate,
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
        Self::AnswerLate,
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
            Self::RequestLost
            | Self::AnswerLost
            | Self::Late
            | Self::AnswerLate
            | Self::Damaged => Failure::Offline,
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
        matches!(
            self,
            Self::AnswerLost | Self::AnswerLate | Self::Doubled | Self::AnswerCut
        )
    }
}

/// In which form a phone says what it pushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// In full.
    Full,
    /// Without what follows from what the hub has.
    Lean,
    /// The same, packed after what it has.
    Packed,
}

/// A request on its way. What the hub reads of a push or a pull is what the codec makes of its bytes.
#[derive(Clone, Debug)]
pub enum Carried {
    /// A push, in full.
    Push(Vec<u8>),
    /// A push in the lean form.
    Lean(Vec<u8>),
    /// A push in the packed form.
    Packed(Vec<u8>),
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

    /// A request as it travels where it may in this form; `before` is the payload of the command before a push.
    pub fn in_form(request: &Request, form: Form, before: Option<&[u8]>) -> Option<Self> {
        let lean = match request {
            Request::Push(push) if form != Form::Full => LeanPush::of(push),
            _ => None,
        };
        let Some(lean) = lean else {
            return Self::of(request);
        };
        let packed = match form {
            Form::Packed => PackedPush::of(&lean, before),
            Form::Full | Form::Lean => None,
        };
        Some(match packed {
            Some(packed) => Self::Packed(codec::encode(&packed)),
            None => Self::Lean(codec::encode(&lean)),
        })
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

/// Most requests of a device that go before one that is late, or before a late answer.
pub const OVERTAKING: usize = 5;

/// Most that go before one that is very late: it may well have another name by then.
pub const LONGEST: usize = 20;

/// A request that its device has given up waiting for, and that is still on its way.
#[derive(Clone, Debug)]
pub struct Straggler {
    /// What.
    pub carried: Carried,
    /// By which install.
    pub install_id: InstallId,
    /// So many requests go before it still.
    pub behind: usize,
    /// Some went before it.
    pub overtaken: bool,
}

/// An answer that its device has given up waiting for. It goes with the app that asked.
#[derive(Clone, Debug)]
pub struct LateAnswer {
    /// To which request.
    pub to: u64,
    /// What.
    pub answer: Result<ResponseBody, Failure>,
    /// So many requests go before it still.
    pub behind: usize,
}

/// A message as who it is for reads it from its bytes.
pub fn through_bytes<T>(message: &T) -> Option<T>
where
    T: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()>,
{
    let bytes = minicbor::to_vec(message).ok()?;
    minicbor::decode(&bytes).ok()
}

/// A push from its bytes.
pub fn push_from(bytes: &[u8]) -> Option<PushRequest> {
    minicbor::decode(bytes).ok()
}

/// A pull from its bytes.
pub fn pull_from(bytes: &[u8]) -> Option<PullRequest> {
    minicbor::decode(bytes).ok()
}

/// What a device makes of an answer that was cut somewhere: it is to be nothing, wherever that was. What is said about a
/// photo has no body of ours to be cut.
pub fn cut(body: &ResponseBody, dice: &mut Dice) -> Option<ResponseBody> {
    let depth = WireLimits::default().depth;
    let mut begun = |mut bytes: Vec<u8>| {
        bytes.truncate(dice.below(bytes.len()));
        bytes
    };
    match body {
        ResponseBody::Push(push) => {
            let bytes = begun(codec::encode(push));
            let read = codec::decode_strict(&bytes, depth);
            read.ok().map(ResponseBody::Push)
        }
        ResponseBody::Pull(pull) => {
            let bytes = begun(codec::encode(pull));
            let read = codec::decode_strict(&bytes, depth);
            read.ok().map(ResponseBody::Pull)
        }
        _ => None,
    }
}

/// An answer to a pull as the device reads it from its bytes where it travels packed, if it can.
pub fn through_the_packed_form(answer: PullResponse) -> Option<PullResponse> {
    let depth = WireLimits::default().depth;
    match PackedPullResponse::of(answer) {
        Ok(packed) => {
            let bytes = codec::encode(&packed);
            let read: PackedPullResponse = codec::decode_strict(&bytes, depth).ok()?;
            read.in_full(bytes.len().saturating_mul(1_000)).ok()
        }
        Err(plain) => through_bytes(plain.as_ref()),
    }
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
