//! Push and pull: in the packed form, else in the lean one, else in full; coded or not.

use hazardloop_sync_protocol::codec;
use hazardloop_sync_protocol::device::Failure;
use hazardloop_sync_protocol::wire::{
    LeanPull, LeanPullResponse, LeanPush, MEDIA_TYPE_CBOR, MEDIA_TYPE_LEAN, MEDIA_TYPE_PACKED,
    PackedPullResponse, PackedPush, PullRequest, PullResponse, PushRequest, PushResponse,
    WireLimits,
};

use super::{ANSWER_BYTES, Transport, bearer, expect, read};
use crate::thrift::AfterPacked;

impl Transport {
    pub(super) fn push(
        &self,
        token: &str,
        push: &PushRequest,
        before: Option<&[u8]>,
    ) -> Result<PushResponse, Failure> {
        const PATH: &str = "/api/v1/sync/push";
        self.thrift.pushed();
        let lean = self
            .thrift
            .says_lean()
            .then(|| LeanPush::of(push))
            .flatten();
        if let Some(lean) = lean {
            let packs = self.thrift.packs();
            let packed = packs.then(|| PackedPush::of(&lean, before)).flatten();
            if let Some(packed) = packed {
                let body = codec::encode(&packed);
                let answer = self.exchange(token, (PATH, MEDIA_TYPE_PACKED), &body, read_push);
                match self.thrift.after_packed(&answer) {
                    AfterPacked::Answered => return answer,
                    AfterPacked::SayLean => {}
                    AfterPacked::SayInFull => {
                        let body = codec::encode(push);
                        return self.exchange(token, (PATH, MEDIA_TYPE_CBOR), &body, read_push);
                    }
                }
            }
            let body = codec::encode(&lean);
            let answer = self.exchange(token, (PATH, MEDIA_TYPE_LEAN), &body, read_push);
            if !self.thrift.wants_it_in_full(&answer) {
                return answer;
            }
        }
        let body = codec::encode(push);
        self.exchange(token, (PATH, MEDIA_TYPE_CBOR), &body, read_push)
    }

    pub(super) fn pull(&self, token: &str, pull: &PullRequest) -> Result<PullResponse, Failure> {
        const PATH: &str = "/api/v1/sync/pull";
        let lean = self
            .thrift
            .asks_lean()
            .then(|| LeanPull::of(pull))
            .flatten();
        if let Some(lean) = lean {
            let body = codec::encode(&lean);
            let answer = self.exchange(token, (PATH, MEDIA_TYPE_LEAN), &body, read_pull);
            if !self.thrift.wants_it_in_full(&answer) {
                return answer;
            }
        }
        let body = codec::encode(pull);
        let answer = self.exchange(token, (PATH, MEDIA_TYPE_CBOR), &body, read_pull);
        self.thrift.pulled(answer.is_ok());
        answer
    }

    /// One message there and one back, coded where that may be: who does not know the coding gets the
    /// message once more without.
    fn exchange<T>(
        &self,
        token: &str,
        (path, media_type): (&str, &str),
        body: &[u8],
        read_answer: fn(&str, &[u8]) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let once = |body: &[u8], coding: Option<&str>| {
            let (media, answer) = self.once(token, (path, media_type), body, coding)?;
            read_answer(&media, &answer)
        };
        if let Some((name, coded)) = self.thrift.coded(body) {
            let answer = once(&coded, Some(name));
            if !self.thrift.wants_it_plain(&answer) {
                return answer;
            }
        }
        let answer = once(body, None);
        self.thrift.went_plain(&answer);
        answer
    }

    /// The media type and the body of an answer of our server's.
    fn once(
        &self,
        token: &str,
        (path, media_type): (&str, &str),
        body: &[u8],
        coding: Option<&str>,
    ) -> Result<(String, Vec<u8>), Failure> {
        let mut request = self
            .agent
            .post(self.address(path))
            .header("authorization", bearer(token))
            .header("content-type", media_type);
        request = match self.thrift.accepted() {
            Some(codings) => request
                .header(
                    "accept",
                    format!("{MEDIA_TYPE_PACKED}, {MEDIA_TYPE_LEAN}, {MEDIA_TYPE_CBOR}"),
                )
                .header("accept-encoding", codings),
            None => request.header("accept", MEDIA_TYPE_CBOR),
        };
        if let Some(coding) = coding {
            request = request.header("content-encoding", coding);
        }
        let answer = read(request.send(body))?;
        expect(&answer, &[200])?;
        let plain = answer.uncoded()?.into_owned();
        Ok((answer.media_type().to_owned(), plain))
    }
}

/// Reads one message of this server's, and nothing else.
fn read_message<T: for<'b> minicbor::Decode<'b, ()>>(body: &[u8]) -> Result<T, Failure> {
    let depth = WireLimits::default().depth;
    codec::decode_strict(body, depth).map_err(|_| Failure::NotOurs)
}

pub(super) fn read_push(media_type: &str, body: &[u8]) -> Result<PushResponse, Failure> {
    match media_type {
        MEDIA_TYPE_CBOR => read_message(body),
        _ => Err(Failure::NotOurs),
    }
}

pub(super) fn read_pull(media_type: &str, body: &[u8]) -> Result<PullResponse, Failure> {
    let most = usize::try_from(ANSWER_BYTES).unwrap_or(usize::MAX);
    match media_type {
        MEDIA_TYPE_CBOR => read_message(body),
        MEDIA_TYPE_LEAN => {
            let lean: LeanPullResponse = read_message(body)?;
            lean.in_full(most).map_err(|_| Failure::NotOurs)
        }
        MEDIA_TYPE_PACKED => {
            let packed: PackedPullResponse = read_message(body)?;
            packed.in_full(most).map_err(|_| Failure::NotOurs)
        }
        _ => Err(Failure::NotOurs),
    }
}
