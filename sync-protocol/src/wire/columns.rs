//! Records in columns: what stands in the same place of many records stands together, where it packs well.
//!
//! A record is taken apart into its shape and its leaves (numbers, byte strings, texts). Equal shapes are
//! written once; leaves go into the column of their place, numbers as differences, ids once. Nothing is
//! lost: the records come out byte for byte.

use std::collections::{BTreeMap, HashMap};

use hazardloop_domain::hazard::hazard_number;
use hazardloop_domain::ids::HazardId;
use minicbor::data::Type;
use minicbor::decode::Decoder;
use minicbor::encode::Encoder;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::varint::{Reading, put, put_signed};
use super::{Bytes, Record, RecordKind};
use crate::codec::check_well_formed;

/// Levels of nesting that a record may have.
const DEPTH: usize = 16;
/// What a record takes beside its body, for the bound on all of them.
const BESIDE_BODY: usize = 32;

/// Codes of a byte string in its column; from [`FIRST_KNOWN`] on: one that came before.
const OTHER: u64 = 0;
const NEW_ID: u64 = 1;
const NEW_DIGEST: u64 = 2;
const OWN_ID: u64 = 3;
const FIRST_KNOWN: u64 = 4;

/// Records, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
#[cbor(map)]
pub struct Columns {
    /// The distinct bodies with every number 0, and every byte string and text empty; keys of maps stay.
    #[n(0)]
    pub shapes: Vec<Bytes>,
    /// Of each record, the number of its shape.
    #[n(1)]
    pub rows: Bytes,
    /// The columns, in the order in which their places first occur.
    #[n(2)]
    pub columns: Vec<Bytes>,
    /// All texts, in their order.
    #[n(3)]
    pub texts: Bytes,
}

/// Why columns are no records.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ColumnsError {
    /// A column or the texts break off, or a number in them is none.
    #[error("a column breaks off or holds what is none")]
    Damaged,
    /// A shape is no record's body.
    #[error("a shape cannot be read: {0}")]
    Shape(String),
    /// Bytes are left over.
    #[error("a column holds more than the records need")]
    Trailing,
    /// Together they have more bytes than allowed.
    #[error("the records have more than {most} bytes")]
    TooLarge {
        /// Bytes allowed.
        most: usize,
    },
}

impl From<minicbor::decode::Error> for ColumnsError {
    fn from(error: minicbor::decode::Error) -> Self {
        Self::Shape(error.to_string())
    }
}

/// The place of a leaf: the way to it through maps and arrays.
type Place = Vec<u8>;

fn into_map(place: &Place, key: &[u8]) -> Place {
    [place, &[0xa0][..], key].concat()
}

fn into_array(place: &Place, at: u64) -> Place {
    // Beyond the fifteenth they are alike.
    let at = u8::try_from(at.min(15)).unwrap_or(15);
    [place, &[0x80, at][..]].concat()
}

/// The places of what stands beside a body.
const KIND: &[u8] = &[0];
const ID: &[u8] = &[1];
const VERSION: &[u8] = &[2];
const BODY: &[u8] = &[3];

/// What the reader and the writer both remember of a column.
#[derive(Default)]
struct Memory {
    number: i128,
    time: u64,
}

/// The text that a record's own number is, if it has one.
fn own_number(kind: RecordKind, id: Uuid) -> Option<String> {
    (kind == RecordKind::Hazard).then(|| hazard_number(HazardId(id)))
}

impl Columns {
    /// Takes records apart; `None` when a body is not CBOR as this protocol writes it.
    pub fn of(records: &[Record]) -> Option<Self> {
        let mut apart = Apart::default();
        for record in records {
            check_well_formed(&record.body.0, DEPTH).ok()?;
            apart.own = (Some(record.id), own_number(record.kind, record.id));
            apart.number(KIND, i128::from(record.kind.number()));
            apart.id(ID, record.id.as_bytes());
            apart.number(VERSION, i128::from(record.version));
            let mut shape = Vec::new();
            apart.item(
                &mut Decoder::new(&record.body.0),
                &mut shape,
                &BODY.to_vec(),
            )?;
            let next = apart.shapes.len();
            let number = *apart.shapes.entry(shape).or_insert(next);
            put(&mut apart.rows, number as u64);
        }
        let mut shapes: Vec<(Vec<u8>, usize)> = apart.shapes.into_iter().collect();
        shapes.sort_unstable_by_key(|(_, number)| *number);
        Some(Self {
            shapes: shapes.into_iter().map(|(shape, _)| Bytes(shape)).collect(),
            rows: Bytes(apart.rows),
            columns: apart
                .columns
                .into_iter()
                .map(|(bytes, _)| Bytes(bytes))
                .collect(),
            texts: Bytes(apart.texts),
        })
    }

    /// The records again; together they may have `most` bytes.
    ///
    /// # Errors
    /// [`ColumnsError`]; takes no more memory than `most` and the columns themselves.
    pub fn records(&self, most: usize) -> Result<Vec<Record>, ColumnsError> {
        let mut together = Together {
            columns: self
                .columns
                .iter()
                .map(|bytes| (Reading(&bytes.0), Memory::default()))
                .collect(),
            places: BTreeMap::new(),
            known: Vec::new(),
            texts: Reading(&self.texts.0),
            own: (None, None),
            left: most,
            most,
        };
        for shape in &self.shapes {
            let sound = check_well_formed(&shape.0, DEPTH);
            sound.map_err(|error| ColumnsError::Shape(error.to_string()))?;
        }
        let mut rows = Reading(&self.rows.0);
        let mut records = Vec::new();
        while !rows.is_empty() {
            let shape = usize::try_from(rows.number()?).ok();
            let shape = shape.and_then(|at| self.shapes.get(at));
            records.push(together.record(&shape.ok_or(ColumnsError::Damaged)?.0)?);
        }
        let done = together.columns.iter().all(|(column, _)| column.is_empty());
        if done && together.texts.is_empty() {
            Ok(records)
        } else {
            Err(ColumnsError::Trailing)
        }
    }
}

#[derive(Default)]
struct Apart {
    shapes: HashMap<Vec<u8>, usize>,
    rows: Vec<u8>,
    places: BTreeMap<Place, usize>,
    columns: Vec<(Vec<u8>, Memory)>,
    known: HashMap<Vec<u8>, u64>,
    texts: Vec<u8>,
    own: (Option<Uuid>, Option<String>),
}

impl Apart {
    fn column(&mut self, place: &[u8]) -> Option<&mut (Vec<u8>, Memory)> {
        let at = match self.places.get(place) {
            Some(at) => *at,
            None => {
                self.columns.push(Default::default());
                let at = self.columns.len().saturating_sub(1);
                self.places.insert(place.to_vec(), at);
                at
            }
        };
        self.columns.get_mut(at)
    }

    fn number(&mut self, place: &[u8], number: i128) {
        if let Some((column, memory)) = self.column(place) {
            put_signed(column, number - memory.number);
            memory.number = number;
        }
    }

    fn id(&mut self, place: &[u8], bytes: &[u8]) {
        let own = place != ID && self.own.0.is_some_and(|id| id.as_bytes() == bytes);
        let known = self.known.get(bytes).copied();
        let is_new = known.is_none() && !own && matches!(bytes.len(), 16 | 32);
        let next = self.known.len() as u64;
        if let Some((column, memory)) = self.column(place) {
            match (own, known, bytes.split_first_chunk::<6>()) {
                (true, ..) => put(column, OWN_ID),
                (_, Some(known), _) => put(column, FIRST_KNOWN + known),
                (_, None, Some((time, rest))) if bytes.len() == 16 => {
                    put(column, NEW_ID);
                    let time = time
                        .iter()
                        .fold(0, |time, byte| (time << 8) | u64::from(*byte));
                    put_signed(column, i128::from(time) - i128::from(memory.time));
                    memory.time = time;
                    column.extend_from_slice(rest);
                }
                (_, None, _) if bytes.len() == 32 => {
                    put(column, NEW_DIGEST);
                    column.extend_from_slice(bytes);
                }
                _ => {
                    put(column, OTHER);
                    put(column, bytes.len() as u64);
                    column.extend_from_slice(bytes);
                }
            }
        }
        if is_new {
            self.known.insert(bytes.to_vec(), next);
        }
    }

    /// A text: 0 where it is the record's own number, else its length and one more.
    fn text(&mut self, text: &str) {
        if self.own.1.as_deref() == Some(text) {
            put(&mut self.texts, 0);
        } else {
            put(&mut self.texts, text.len() as u64 + 1);
            self.texts.extend_from_slice(text.as_bytes());
        }
    }

    /// One item of a body: its shape is added to `shape`, its leaves go to their columns.
    fn item(&mut self, d: &mut Decoder<'_>, shape: &mut Vec<u8>, place: &Place) -> Option<()> {
        let mut e = Encoder::new(&mut *shape);
        match d.datatype().ok()? {
            Type::Map => {
                let entries = d.map().ok()??;
                e.map(entries).ok()?;
                for _ in 0..entries {
                    let start = d.position();
                    d.skip().ok()?;
                    let key = d.input().get(start..d.position())?;
                    shape.extend_from_slice(key);
                    self.item(d, shape, &into_map(place, key))?;
                }
            }
            Type::Array => {
                let items = d.array().ok()??;
                e.array(items).ok()?;
                for at in 0..items {
                    self.item(d, shape, &into_array(place, at))?;
                }
            }
            Type::Bytes => {
                e.bytes(&[]).ok()?;
                self.id(place, d.bytes().ok()?);
            }
            Type::String => {
                e.str("").ok()?;
                self.text(d.str().ok()?);
            }
            Type::Bool | Type::Null => {
                let start = d.position();
                d.skip().ok()?;
                shape.extend_from_slice(d.input().get(start..d.position())?);
            }
            _ => {
                e.u8(0).ok()?;
                let number = d.int().ok()?;
                self.number(place, i128::from(number));
            }
        }
        Some(())
    }
}

struct Together<'a> {
    columns: Vec<(Reading<'a>, Memory)>,
    places: BTreeMap<Place, usize>,
    known: Vec<Vec<u8>>,
    texts: Reading<'a>,
    own: (Option<Uuid>, Option<String>),
    left: usize,
    most: usize,
}

impl<'a> Together<'a> {
    fn column(&mut self, place: &[u8]) -> Result<&mut (Reading<'a>, Memory), ColumnsError> {
        let next = self.places.len();
        let at = match self.places.get(place) {
            Some(at) => *at,
            None => {
                self.places.insert(place.to_vec(), next);
                next
            }
        };
        self.columns.get_mut(at).ok_or(ColumnsError::Damaged)
    }

    fn take(&mut self, bytes: usize) -> Result<(), ColumnsError> {
        let most = self.most;
        self.left = self
            .left
            .checked_sub(bytes)
            .ok_or(ColumnsError::TooLarge { most })?;
        Ok(())
    }

    fn record(&mut self, shape: &[u8]) -> Result<Record, ColumnsError> {
        self.take(BESIDE_BODY)?;
        let kind = i32::try_from(self.number(KIND)?).ok();
        let kind = kind.and_then(RecordKind::from_number);
        let kind = kind.ok_or(ColumnsError::Damaged)?;
        self.own = (None, None);
        let id = Uuid::from_slice(&self.id(ID)?).map_err(|_| ColumnsError::Damaged)?;
        self.own = (Some(id), own_number(kind, id));
        let version = i64::try_from(self.number(VERSION)?).map_err(|_| ColumnsError::Damaged)?;
        let mut body = Vec::new();
        self.item(&mut Decoder::new(shape), &mut body, &BODY.to_vec())?;
        Ok(Record {
            kind,
            id,
            version,
            body: Bytes(body),
        })
    }

    fn number(&mut self, place: &[u8]) -> Result<i128, ColumnsError> {
        let (column, memory) = self.column(place)?;
        let number = memory.number.checked_add(column.signed()?);
        memory.number = number.ok_or(ColumnsError::Damaged)?;
        Ok(memory.number)
    }

    fn id(&mut self, place: &[u8]) -> Result<Vec<u8>, ColumnsError> {
        let (column, memory) = self.column(place)?;
        let bytes = match column.number()? {
            OTHER => {
                let length = column.number()?;
                return Ok(column.bytes(length)?.to_vec());
            }
            NEW_ID => {
                let time = i128::from(memory.time) + column.signed()?;
                let time = u64::try_from(time).ok().filter(|time| time >> 48 == 0);
                memory.time = time.ok_or(ColumnsError::Damaged)?;
                let mut bytes = memory
                    .time
                    .to_be_bytes()
                    .get(2..)
                    .unwrap_or_default()
                    .to_vec();
                bytes.extend_from_slice(column.bytes(10)?);
                bytes
            }
            NEW_DIGEST => column.bytes(32)?.to_vec(),
            OWN_ID => {
                let own = self.own.0.ok_or(ColumnsError::Damaged)?;
                return Ok(own.as_bytes().to_vec());
            }
            known => {
                let at = usize::try_from(known - FIRST_KNOWN).ok();
                let known = at.and_then(|at| self.known.get(at));
                return known.cloned().ok_or(ColumnsError::Damaged);
            }
        };
        self.known.push(bytes.clone());
        Ok(bytes)
    }

    fn item(
        &mut self,
        d: &mut Decoder<'_>,
        body: &mut Vec<u8>,
        place: &Place,
    ) -> Result<(), ColumnsError> {
        let before = body.len();
        let written = |_| ColumnsError::Damaged;
        let mut e = Encoder::new(&mut *body);
        match d.datatype()? {
            Type::Map => {
                let entries = d.map()?.ok_or(ColumnsError::Damaged)?;
                e.map(entries).map_err(written)?;
                self.take(body.len() - before)?;
                for _ in 0..entries {
                    let start = d.position();
                    d.skip()?;
                    let key = d.input().get(start..d.position()).unwrap_or_default();
                    self.take(key.len())?;
                    body.extend_from_slice(key);
                    self.item(d, body, &into_map(place, key))?;
                }
                return Ok(());
            }
            Type::Array => {
                let items = d.array()?.ok_or(ColumnsError::Damaged)?;
                e.array(items).map_err(written)?;
                self.take(body.len() - before)?;
                for at in 0..items {
                    self.item(d, body, &into_array(place, at))?;
                }
                return Ok(());
            }
            Type::Bytes => {
                d.bytes()?;
                e.bytes(&self.id(place)?).map_err(written)?;
            }
            Type::String => {
                d.str()?;
                let text = match self.texts.number()? {
                    0 => self.own.1.clone().ok_or(ColumnsError::Damaged)?,
                    length => {
                        let text = self.texts.bytes(length - 1)?;
                        let text = std::str::from_utf8(text).map_err(|_| ColumnsError::Damaged)?;
                        text.to_owned()
                    }
                };
                e.str(&text).map_err(written)?;
            }
            Type::Bool | Type::Null => {
                let start = d.position();
                d.skip()?;
                body.extend_from_slice(d.input().get(start..d.position()).unwrap_or_default());
            }
            _ => {
                d.int()?;
                let number = self.number(place)?;
                let number = minicbor::data::Int::try_from(number);
                e.int(number.map_err(|_| ColumnsError::Damaged)?)
                    .map_err(written)?;
            }
        }
        self.take(body.len() - before)
    }
}
