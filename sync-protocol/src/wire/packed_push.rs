//! A push, packed: the lean form, of which once more does not travel what the server has, or can compute.

use hazardloop_domain::command::AnchorToken;
use hazardloop_domain::time::Timestamp;
use minicbor::{Decode, Decoder, Encode, Encoder};
use serde::{Deserialize, Serialize};

use super::packed::{Item, Known, Sort, pack, unpack};
use super::{Bytes, ColumnsError, LeanCommand, LeanPush, Packed, SIGNATURE_LENGTH};

/// A run of commands as in [`LeanPush`], packed. Where `after` says so, after the command before the first: what is
/// like in that one does not travel. Nor does the token of an anchor, which the server computes from its time. What
/// is signed has all of it: where the server puts something else in, the signature does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
#[cbor(map)]
pub struct PackedPush {
    /// Protocol version of this message.
    #[n(0)]
    pub protocol: u16,
    /// Place of the first command in the install's stream.
    #[n(1)]
    pub first: i64,
    /// Which algorithm signed, see [`LeanPush`].
    #[n(2)]
    pub signature_algorithm: u8,
    /// Whether they are packed after the command before the first.
    #[n(3)]
    pub after: bool,
    /// The commands. Behind the noise that belongs to them stands the signature over the last one's link hash.
    #[n(4)]
    pub commands: Packed,
}

impl PackedPush {
    /// The packed form of a run; `before` is the payload of the command before it. `None` where it cannot be packed.
    pub fn of(lean: &LeanPush, before: Option<&[u8]>) -> Option<Self> {
        let items = lean.commands.iter().map(|command| {
            let mut head = Vec::new();
            let mut e = Encoder::new(&mut head);
            e.str(&command.kind).ok()?.u16(command.version).ok()?;
            Some(Item {
                head,
                record: None,
                body: &command.payload.0,
            })
        });
        let items: Vec<Item<'_>> = items.collect::<Option<_>>()?;
        let mut commands = pack(Sort::Commands, &items, before)?;
        if lean.signature.0.len() != SIGNATURE_LENGTH {
            return None;
        }
        commands.noise.0.extend_from_slice(&lean.signature.0);
        Some(Self {
            protocol: lean.protocol,
            first: lean.first,
            signature_algorithm: lean.signature_algorithm,
            after: before.is_some(),
            commands,
        })
    }

    /// The run again, its payloads within `most` bytes; `before` is the payload that the server has under the place
    /// before the first, `anchor` gives the token that it gave out with a time.
    ///
    /// # Errors
    /// [`ColumnsError`]; also where what it is packed after is not there.
    pub fn unpacked(
        mut self,
        before: Option<&[u8]>,
        anchor: &dyn Fn(Timestamp) -> Option<AnchorToken>,
        most: usize,
    ) -> Result<LeanPush, ColumnsError> {
        if self.after && before.is_none() {
            return Err(ColumnsError::Damaged);
        }
        let noise = &mut self.commands.noise.0;
        let at = noise.len().checked_sub(SIGNATURE_LENGTH);
        let signature = noise.split_off(at.ok_or(ColumnsError::Damaged)?);
        let known = Known {
            before: before.filter(|_| self.after),
            anchor,
        };
        let mut commands = Vec::new();
        for item in unpack(&self.commands, Sort::Commands, &known, most)? {
            let mut d = Decoder::new(item.head);
            commands.push(LeanCommand {
                kind: d.str()?.to_owned(),
                version: d.u16()?,
                payload: Bytes(item.body),
            });
        }
        Ok(LeanPush {
            protocol: self.protocol,
            first: self.first,
            commands,
            signature_algorithm: self.signature_algorithm,
            signature: Bytes(signature),
        })
    }
}
