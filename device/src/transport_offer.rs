//! What a revoked install has not sent, offered without a token.

use hazardloop_sync_protocol::codec;
use hazardloop_sync_protocol::device::Failure;
use hazardloop_sync_protocol::wire::{MEDIA_TYPE_CBOR, OfferRequest, OfferResponse, WireLimits};

use super::{Transport, expect, read};

impl Transport {
    /// Offers what a revoked install has not sent. No token goes along: none is good for anything.
    ///
    /// # Errors
    /// [`Failure::Revoked`]: nothing of it is taken. Else as [`Self::send`].
    pub fn offer(&self, offer: &OfferRequest) -> Result<OfferResponse, Failure> {
        let request = self
            .agent
            .post(self.address("/api/v1/sync/offer"))
            .header("content-type", MEDIA_TYPE_CBOR)
            .header("accept", MEDIA_TYPE_CBOR);
        let answer = read(request.send(codec::encode(offer)))?;
        expect(&answer, &[200])?;
        if answer.media_type() != MEDIA_TYPE_CBOR {
            return Err(Failure::NotOurs);
        }
        let depth = WireLimits::default().depth;
        codec::decode_strict(&answer.body, depth).map_err(|_| Failure::NotOurs)
    }
}
