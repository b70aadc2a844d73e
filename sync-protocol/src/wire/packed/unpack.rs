//! Reads packed items.

use std::collections::HashSet;

use hazardloop_domain::command::AnchorToken;
use hazardloop_domain::hazard::hazard_number;
use hazardloop_domain::ids::HazardId;
use hazardloop_domain::time::Timestamp;
use minicbor::Encoder;
use uuid::Uuid;

use super::super::ColumnsError;
use super::bits::BitReader;
use super::column::{Memory, Mode, Numbers, signed};
use super::pack::{is_new_id, time_of};
use super::places::{Leaf, LeafKind, Places, take_apart};
use super::reading::{Plan, Write};
use super::{BESIDE_BODY, Packed, Sort, Unpacked, code, text_code};
use crate::wire::RecordKind;
use crate::wire::varint::Reading;

/// What the reader has already.
pub(in crate::wire) struct Known<'a> {
    /// The body of the item before the first.
    pub before: Option<&'a [u8]>,
    /// The token that was given out with a time.
    pub anchor: &'a dyn Fn(Timestamp) -> Option<AnchorToken>,
}

/// The items again; together they may have `most` bytes.
///
/// # Errors
/// [`ColumnsError`]; takes memory in proportion to `most` and to what is read, and no more than so many leaves.
pub(in crate::wire) fn unpack<'a>(
    packed: &'a Packed,
    sort: Sort,
    known: &Known<'a>,
    most: usize,
) -> Result<Vec<Unpacked<'a>>, ColumnsError> {
    let mut places = Places::default();
    let plan = Plan::read(&packed.plan.0, sort, &mut places)?;
    let (anchor_time, token) = places.anchor(sort);
    let columns = places.kinds().len();
    let mut unpacking = Unpacking {
        modes: plan.modes,
        texts: Reading(&packed.texts.0),
        columns: Reading(&packed.columns.0),
        noise: BitReader::new(&packed.noise.0),
        known: Vec::new(),
        known_here: vec![Vec::new(); columns],
        known_texts: vec![Vec::new(); columns],
        memories: vec![Memory::default(); columns],
        rows: vec![Row::default(); plan.rows.len()],
        anchor: known.anchor,
    };
    if let Some(before) = known.before {
        unpacking.prime(&mut places, before);
    }
    let mut values = Vec::with_capacity(columns);
    for (column, entries) in plan.entries.iter().enumerate() {
        let kind = places.kinds().get(column);
        if column == 0 && sort == Sort::Records {
            for (row, shape) in unpacking.rows.iter_mut().zip(&plan.rows) {
                let head = plan.shapes.get(*shape).map(|shape| shape.head);
                row.is_hazard = head.is_some_and(is_hazard);
            }
        }
        let read = match kind.ok_or(ColumnsError::Damaged)? {
            LeafKind::Number => unpacking.numbers(column, entries, anchor_time == Some(column)),
            LeafKind::Bytes => {
                let is_own = column == 0 && sort == Sort::Records;
                unpacking.bytes(column, entries, (is_own, token == Some(column)))
            }
            LeafKind::Text => unpacking.texts(column, entries),
        };
        values.push(read?.into_iter());
    }
    unpacking.is_done()?;
    let mut items = Vec::with_capacity(plan.rows.len());
    let mut left = most;
    for shape in &plan.rows {
        let shape = plan.shapes.get(*shape).ok_or(ColumnsError::Damaged)?;
        let mut together = Together {
            values: &mut values,
            left,
            most,
        };
        together.take(BESIDE_BODY)?;
        let record = match sort {
            Sort::Records => Some(together.beside()?),
            Sort::Commands => None,
        };
        let body = together.body(&shape.steps)?;
        left = together.left;
        items.push(Unpacked {
            head: shape.head,
            record,
            body,
        });
    }
    Ok(items)
}

fn is_hazard(head: &[u8]) -> bool {
    let kind = minicbor::decode::<RecordKind>(head);
    kind.is_ok_and(|kind| kind == RecordKind::Hazard)
}

/// A leaf that was read.
#[derive(Clone, Debug)]
enum Value<'a> {
    Number(i128),
    Bytes(Vec<u8>),
    Text(&'a str),
    OwnNumber(Uuid),
}

/// What is remembered of an item.
#[derive(Clone, Debug, Default)]
struct Row {
    numbers: Numbers,
    own: Option<Uuid>,
    is_hazard: bool,
    anchored_at: Option<i128>,
}

struct Unpacking<'a, 'k> {
    modes: Reading<'a>,
    texts: Reading<'a>,
    columns: Reading<'a>,
    noise: BitReader<'a>,
    known: Vec<Vec<u8>>,
    known_here: Vec<Vec<Vec<u8>>>,
    known_texts: Vec<Vec<&'a str>>,
    memories: Vec<Memory>,
    rows: Vec<Row>,
    anchor: &'k dyn Fn(Timestamp) -> Option<AnchorToken>,
}

const DAMAGED: ColumnsError = ColumnsError::Damaged;

impl<'a> Unpacking<'a, '_> {
    fn prime(&mut self, places: &mut Places<'a>, before: &'a [u8]) {
        let mut leaves = Vec::new();
        if take_apart(before, places, &mut Vec::new(), &mut leaves).is_none() {
            return;
        }
        let (mut bytes_met, mut met_here) = (HashSet::new(), HashSet::new());
        let mut texts_met = HashSet::new();
        for (place, leaf) in leaves {
            let column = places
                .known_column(place, leaf.kind())
                .unwrap_or(usize::MAX);
            match leaf {
                Leaf::Number(number) => {
                    if let Some(memory) = self.memories.get_mut(column) {
                        memory.prime(number);
                    }
                }
                Leaf::Text(text) => {
                    let known = self.known_texts.get_mut(column);
                    if let Some(known) = known.filter(|_| texts_met.insert((column, text))) {
                        known.push(text);
                    }
                }
                Leaf::Bytes(bytes) if matches!(bytes.len(), 16 | 32) => {
                    if bytes_met.insert(bytes) {
                        self.known.push(bytes.to_vec());
                    }
                    let here = self.known_here.get_mut(column);
                    if let Some(here) = here.filter(|_| met_here.insert((column, bytes))) {
                        here.push(bytes.to_vec());
                    }
                    if let Some(memory) = self.memories.get_mut(column).filter(|_| is_new_id(bytes))
                    {
                        memory.prime(time_of(bytes));
                    }
                }
                Leaf::Bytes(_) => {}
            }
        }
    }

    fn mode(&mut self) -> Result<Mode, ColumnsError> {
        Mode::from_number(self.modes.number()?)
    }

    fn difference(&mut self, mode: Mode) -> Result<i128, ColumnsError> {
        let noise = self.noise.take(mode.noise)?;
        signed((self.columns.wide()? << mode.noise) | noise)
    }

    fn numbers(
        &mut self,
        column: usize,
        entries: &[usize],
        of_anchor: bool,
    ) -> Result<Vec<Value<'a>>, ColumnsError> {
        let mode = self.mode_of(entries)?;
        let mut values = Vec::with_capacity(entries.len());
        for row in entries {
            let difference = self.difference(mode)?;
            let memory = self.memories.get_mut(column).ok_or(DAMAGED)?;
            let row = self.rows.get_mut(*row).ok_or(DAMAGED)?;
            let number = row
                .numbers
                .base(mode.relation, memory)
                .checked_add(difference);
            let number = number.filter(|number| minicbor::data::Int::try_from(*number).is_ok());
            let number = number.ok_or(DAMAGED)?;
            row.numbers.note(number, memory);
            if of_anchor {
                row.anchored_at = Some(number);
            }
            values.push(Value::Number(number));
        }
        Ok(values)
    }

    /// A column without leaves has no mode.
    fn mode_of(&mut self, entries: &[usize]) -> Result<Mode, ColumnsError> {
        if entries.is_empty() {
            return Mode::from_number(0);
        }
        self.mode()
    }

    fn bytes(
        &mut self,
        column: usize,
        entries: &[usize],
        (is_own, is_token): (bool, bool),
    ) -> Result<Vec<Value<'a>>, ColumnsError> {
        let mode = self.mode_of(entries)?;
        let mut codes = Vec::with_capacity(entries.len());
        for _ in entries {
            let of_it = self.columns.number()?;
            let length = if of_it == code::OTHER {
                self.columns.number()?
            } else {
                0
            };
            codes.push((of_it, length));
        }
        let mut values = Vec::with_capacity(entries.len());
        for (row, (of_it, length)) in entries.iter().zip(codes) {
            let new = match of_it {
                code::OTHER => {
                    let length = usize::try_from(length).map_err(|_| DAMAGED)?;
                    values.push(Value::Bytes(self.noise.take_bytes(length)?));
                    continue;
                }
                code::NEW_ID => {
                    let difference = self.difference(mode)?;
                    let memory = self.memories.get_mut(column).ok_or(DAMAGED)?;
                    let numbers = self.rows.get(*row).ok_or(DAMAGED)?.numbers;
                    let time = numbers.base(mode.relation, memory).checked_add(difference);
                    let time = time.ok_or(DAMAGED)?;
                    let id = u128::try_from(time).ok().filter(|time| time >> 48 == 0);
                    let first = self.noise.take(12)?;
                    let id = (id.ok_or(DAMAGED)? << 80) | (7 << 76) | (first << 64) | (2 << 62);
                    memory.prime(time);
                    (id | self.noise.take(62)?).to_be_bytes().to_vec()
                }
                code::DIGEST => self.noise.take_bytes(32)?,
                code::SIXTEEN => self.noise.take_bytes(16)?,
                _ => {
                    let known = self.known_bytes(column, *row, of_it, is_token)?;
                    if is_own {
                        self.own(*row, &known)?;
                    }
                    values.push(Value::Bytes(known));
                    continue;
                }
            };
            if is_own {
                self.own(*row, &new)?;
            }
            self.known.push(new.clone());
            self.known_here
                .get_mut(column)
                .ok_or(DAMAGED)?
                .push(new.clone());
            values.push(Value::Bytes(new));
        }
        Ok(values)
    }

    /// Bytes that the reader has, or had before.
    fn known_bytes(
        &mut self,
        column: usize,
        row: usize,
        of_it: u64,
        is_token: bool,
    ) -> Result<Vec<u8>, ColumnsError> {
        let row = self.rows.get(row).ok_or(DAMAGED)?;
        let here = self.known_here.get_mut(column).ok_or(DAMAGED)?;
        match of_it {
            code::OWN_ID => row.own.map(|own| own.as_bytes().to_vec()).ok_or(DAMAGED),
            code::ANCHOR if is_token => {
                let at = row.anchored_at.and_then(|at| i64::try_from(at).ok());
                let token = (self.anchor)(Timestamp::from_millis(at.ok_or(DAMAGED)?));
                Ok(token.ok_or(DAMAGED)?.as_bytes().to_vec())
            }
            code::ANCHOR => Err(DAMAGED),
            _ => {
                let which = of_it - code::FIRST_KNOWN;
                let at = usize::try_from(which / 2).map_err(|_| DAMAGED)?;
                if which.is_multiple_of(2) {
                    return here.get(at).cloned().ok_or(DAMAGED);
                }
                let known = self.known.get(at).cloned().ok_or(DAMAGED)?;
                here.push(known.clone());
                Ok(known)
            }
        }
    }

    fn own(&mut self, row: usize, id: &[u8]) -> Result<(), ColumnsError> {
        let row = self.rows.get_mut(row).ok_or(DAMAGED)?;
        row.own = Some(Uuid::from_slice(id).map_err(|_| DAMAGED)?);
        row.numbers = Numbers::at(time_of(id));
        Ok(())
    }

    fn texts(&mut self, column: usize, entries: &[usize]) -> Result<Vec<Value<'a>>, ColumnsError> {
        let known = self.known_texts.get_mut(column).ok_or(DAMAGED)?;
        let mut values = Vec::with_capacity(entries.len());
        for row in entries {
            let value = match self.columns.number()? {
                text_code::OWN_NUMBER => {
                    let row = self.rows.get(*row).filter(|row| row.is_hazard);
                    Value::OwnNumber(row.and_then(|row| row.own).ok_or(DAMAGED)?)
                }
                text_code::KNOWN => {
                    let at = usize::try_from(self.columns.number()?).map_err(|_| DAMAGED)?;
                    Value::Text(known.get(at).ok_or(DAMAGED)?)
                }
                length => {
                    let text = self.texts.bytes(length - text_code::FIRST_LENGTH)?;
                    let text = std::str::from_utf8(text).map_err(|_| DAMAGED)?;
                    known.push(text);
                    Value::Text(text)
                }
            };
            values.push(value);
        }
        Ok(values)
    }

    fn is_done(&mut self) -> Result<(), ColumnsError> {
        let done = self.modes.is_empty() && self.texts.is_empty() && self.columns.is_empty();
        if done && self.noise.is_done() {
            Ok(())
        } else {
            Err(ColumnsError::Trailing)
        }
    }
}

struct Together<'v, 'a> {
    values: &'v mut Vec<std::vec::IntoIter<Value<'a>>>,
    left: usize,
    most: usize,
}

impl<'a> Together<'_, 'a> {
    fn take(&mut self, bytes: usize) -> Result<(), ColumnsError> {
        let most = self.most;
        let left = self.left.checked_sub(bytes);
        self.left = left.ok_or(ColumnsError::TooLarge { most })?;
        Ok(())
    }

    fn next(&mut self, column: usize) -> Result<Value<'a>, ColumnsError> {
        let next = self.values.get_mut(column).and_then(Iterator::next);
        next.ok_or(DAMAGED)
    }

    /// Id and version beside a body.
    fn beside(&mut self) -> Result<(Uuid, i64), ColumnsError> {
        let (Value::Bytes(id), Value::Number(version)) = (self.next(0)?, self.next(1)?) else {
            return Err(DAMAGED);
        };
        let id = Uuid::from_slice(&id).map_err(|_| DAMAGED)?;
        Ok((id, i64::try_from(version).map_err(|_| DAMAGED)?))
    }

    fn body(&mut self, steps: &[Write]) -> Result<Vec<u8>, ColumnsError> {
        let written = |_| DAMAGED;
        let mut outer: Vec<Vec<u8>> = Vec::new();
        let mut body = Vec::new();
        for step in steps {
            let before = body.len();
            match step {
                Write::Bytes(bytes) => body.extend_from_slice(bytes),
                Write::Open => {
                    outer.push(std::mem::take(&mut body));
                    continue;
                }
                Write::Close => {
                    let around = outer.pop().ok_or(DAMAGED)?;
                    let length = around.len();
                    let within = std::mem::replace(&mut body, around);
                    Encoder::new(&mut body).bytes(&within).map_err(written)?;
                    // The bytes within were counted already.
                    self.take(body.len() - length - within.len())?;
                    continue;
                }
                Write::Leaf(column) => {
                    let value = self.next(*column)?;
                    let mut e = Encoder::new(&mut body);
                    match value {
                        Value::Number(number) => {
                            let number = minicbor::data::Int::try_from(number);
                            e.int(number.map_err(|_| DAMAGED)?).map_err(written)?;
                        }
                        Value::Bytes(bytes) => {
                            e.bytes(&bytes).map_err(written)?;
                        }
                        Value::Text(text) => {
                            e.str(text).map_err(written)?;
                        }
                        Value::OwnNumber(id) => {
                            e.str(&hazard_number(HazardId(id))).map_err(written)?;
                        }
                    }
                }
            }
            self.take(body.len() - before)?;
        }
        Ok(body)
    }
}
