//! An answer to a pull whose records are packed.

use hazardloop_domain::hazard::hazard_number;
use hazardloop_domain::ids::HazardId;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::lean::{put_back, take_out};
use super::packed::{Item, Known, Sort, pack, unpack};
use super::{Bytes, ColumnsError, Packed, PullResponse, Record, RecordKind};
use crate::codec::encode;

/// An answer to a pull; as [`super::LeanPullResponse`], but with its records packed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
#[cbor(map)]
pub struct PackedPullResponse {
    /// The answer; its pages have no records.
    #[n(0)]
    pub answer: PullResponse,
    /// How many records each page has, in the order of the pages.
    #[n(1)]
    pub counts: Vec<u32>,
    /// The records of all pages, in their order.
    #[n(2)]
    pub records: Packed,
}

fn packed(records: &[Record]) -> Option<Packed> {
    let items = records.iter().map(|record| {
        let number =
            (record.kind == RecordKind::Hazard).then(|| hazard_number(HazardId(record.id)));
        Item {
            head: encode(&record.kind),
            record: Some((record.id, record.version, number)),
            body: &record.body.0,
        }
    });
    let items: Vec<Item<'_>> = items.collect();
    pack(Sort::Records, &items, None)
}

impl PackedPullResponse {
    /// The packed form; the answer itself where that has no records, or one that cannot be packed.
    ///
    /// # Errors
    /// The answer as it was.
    pub fn of(mut answer: PullResponse) -> Result<Self, Box<PullResponse>> {
        let (counts, records) = take_out(&mut answer);
        let packed = (!records.is_empty()).then(|| packed(&records));
        match packed.flatten() {
            Some(packed) => Ok(Self {
                answer,
                counts,
                records: packed,
            }),
            None => {
                // As many as were taken out.
                let _ = put_back(&mut answer, counts, records);
                Err(Box::new(answer))
            }
        }
    }

    /// The answer in full; its records may have `most` bytes together.
    ///
    /// # Errors
    /// [`ColumnsError`]; also where pages and records do not come out even.
    pub fn in_full(self, most: usize) -> Result<PullResponse, ColumnsError> {
        let mut answer = self.answer;
        let known = Known {
            before: None,
            anchor: &|_| None,
        };
        let mut records = Vec::new();
        for item in unpack(&self.records, Sort::Records, &known, most)? {
            let (id, version) = item.record.ok_or(ColumnsError::Damaged)?;
            records.push(Record {
                kind: minicbor::decode(item.head)?,
                id,
                version,
                body: Bytes(item.body),
            });
        }
        put_back(&mut answer, self.counts, records)?;
        Ok(answer)
    }
}
