//! Writes items packed.

use std::collections::HashMap;

use super::bits::BitWriter;
use super::choose::best;
use super::column::{Memory, Mode, Numbers, Relation, unsigned};
use super::places::{Leaf, LeafKind, Places, ROOT, Step, take_apart};
use super::{
    Bytes, Item, LEAST_OF_ITEM, MOST_LEAVES, MOST_OF_SHAPES, Packed, Sort, code, text_code,
};
use crate::wire::varint::{put, put_wide};

/// Relations that the time of an id may have.
const OF_TIMES: [Relation; 3] = [Relation::Before, Relation::FirstTime, Relation::LastTime];

/// Packs items. `before` is one that the reader has already, and that comes before the first. `None` where one of them
/// is not written as this protocol writes, or there is too much.
pub(in crate::wire) fn pack(
    sort: Sort,
    items: &[Item<'_>],
    before: Option<&[u8]>,
) -> Option<Packed> {
    let mut places = Places::default();
    let mut shapes: HashMap<Vec<u8>, u64> = HashMap::new();
    let (mut plan, mut rows) = (Vec::new(), Vec::new());
    let mut entries: Vec<Vec<(usize, Leaf<'_>)>> = Vec::new();
    let (mut count, mut leaves) = (0_usize, Vec::new());
    for (row, item) in items.iter().enumerate() {
        let mut shape = item.head.clone();
        leaves.clear();
        if let Some((id, version, _)) = &item.record {
            let place = places.step(ROOT, Step::Id);
            leaves.push((place, Leaf::Bytes(id.as_bytes())));
            let place = places.step(ROOT, Step::Version);
            leaves.push((place, Leaf::Number(i128::from(*version))));
        }
        take_apart(item.body, &mut places, &mut shape, &mut leaves)?;
        count = count.saturating_add(leaves.len().max(LEAST_OF_ITEM));
        if count > MOST_LEAVES {
            return None;
        }
        for (place, leaf) in leaves.drain(..) {
            let column = places.column(place, leaf.kind());
            if entries.len() <= column {
                entries.resize_with(column + 1, Vec::new);
            }
            entries.get_mut(column)?.push((row, leaf));
        }
        let next = shapes.len() as u64;
        let number = match shapes.get(&shape) {
            Some(known) => *known,
            None => {
                put(&mut plan, shape.len() as u64);
                plan.extend_from_slice(&shape);
                shapes.insert(shape, next);
                next
            }
        };
        rows.push(number);
        if plan.len() > MOST_OF_SHAPES {
            return None;
        }
    }
    let (anchor_time, token) = places.anchor(sort);
    let mut packing = Packing {
        plan: Vec::new(),
        texts: Vec::new(),
        columns: Vec::new(),
        noise: BitWriter::default(),
        known: HashMap::new(),
        known_here: vec![HashMap::new(); entries.len()],
        known_texts: vec![HashMap::new(); entries.len()],
        memories: vec![Memory::default(); entries.len()],
        rows: items.iter().map(Row::of).collect(),
        token,
    };
    put(&mut packing.plan, shapes.len() as u64);
    packing.plan.append(&mut plan);
    put(&mut packing.plan, rows.len() as u64);
    for number in rows {
        put(&mut packing.plan, number);
    }
    if let Some(before) = before {
        packing.prime(&mut places, before);
    }
    for (column, entries) in entries.iter().enumerate() {
        match places.kinds().get(column)? {
            LeafKind::Number => packing.numbers(column, entries, anchor_time == Some(column))?,
            LeafKind::Bytes => packing.bytes(column, entries)?,
            LeafKind::Text => packing.texts(column, entries)?,
        }
    }
    Some(Packed {
        plan: Bytes(packing.plan),
        texts: Bytes(packing.texts),
        columns: Bytes(packing.columns),
        noise: Bytes(packing.noise.into_bytes()),
    })
}

/// What is remembered of an item.
struct Row<'a> {
    numbers: Numbers,
    own: Option<(&'a [u8], Option<&'a str>)>,
    anchored: bool,
}

impl<'a> Row<'a> {
    fn of(item: &'a Item<'_>) -> Self {
        let own = item.record.as_ref();
        Self {
            numbers: own.map_or_else(Numbers::default, |(id, ..)| {
                Numbers::at(time_of(id.as_bytes()))
            }),
            own: own.map(|(id, _, number)| (&id.as_bytes()[..], number.as_deref())),
            anchored: false,
        }
    }
}

/// The first six bytes of an id as a number.
pub(super) fn time_of(id: &[u8]) -> i128 {
    let time = id.iter().take(6);
    time.fold(0, |time, byte| (time << 8) | i128::from(*byte))
}

/// Whether an id is one of version 7, so that 74 of its bits are free beside the time.
pub(super) fn is_new_id(id: &[u8]) -> bool {
    let at = |at: usize| id.get(at).copied().unwrap_or_default();
    id.len() == 16 && at(6) >> 4 == 7 && at(8) >> 6 == 2
}

struct Packing<'a> {
    plan: Vec<u8>,
    texts: Vec<u8>,
    columns: Vec<u8>,
    noise: BitWriter,
    known: HashMap<&'a [u8], u64>,
    known_here: Vec<HashMap<&'a [u8], u64>>,
    known_texts: Vec<HashMap<&'a str, u64>>,
    memories: Vec<Memory>,
    rows: Vec<Row<'a>>,
    token: Option<usize>,
}

impl<'a> Packing<'a> {
    fn prime(&mut self, places: &mut Places<'a>, before: &'a [u8]) {
        let mut leaves = Vec::new();
        if take_apart(before, places, &mut Vec::new(), &mut leaves).is_none() {
            return;
        }
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
                    if let Some(known) = self.known_texts.get_mut(column) {
                        let next = known.len() as u64;
                        known.entry(text).or_insert(next);
                    }
                }
                Leaf::Bytes(bytes) if matches!(bytes.len(), 16 | 32) => {
                    let next = self.known.len() as u64;
                    self.known.entry(bytes).or_insert(next);
                    if let Some(known) = self.known_here.get_mut(column) {
                        let next = known.len() as u64;
                        known.entry(bytes).or_insert(next);
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

    fn numbers(
        &mut self,
        column: usize,
        entries: &[(usize, Leaf<'a>)],
        of_anchor: bool,
    ) -> Option<()> {
        let memory = self.memories.get_mut(column)?;
        let mut differences: [Vec<u128>; 6] =
            std::array::from_fn(|_| Vec::with_capacity(entries.len()));
        for (row, leaf) in entries {
            let Leaf::Number(number) = *leaf else {
                return None;
            };
            let row = self.rows.get_mut(*row)?;
            for (relation, differences) in Relation::ALL.into_iter().zip(&mut differences) {
                differences.push(unsigned(number - row.numbers.base(relation, memory)));
            }
            row.numbers.note(number, memory);
            row.anchored |= of_anchor;
        }
        let (mode, differences) = best(Relation::ALL.into_iter().zip(differences))?;
        put(&mut self.plan, mode.number());
        for difference in differences {
            self.difference(mode, difference);
        }
        Some(())
    }

    fn difference(&mut self, mode: Mode, difference: u128) {
        self.noise.put(difference, mode.noise);
        put_wide(&mut self.columns, difference >> mode.noise);
    }

    fn bytes(&mut self, column: usize, entries: &[(usize, Leaf<'a>)]) -> Option<()> {
        let mut differences: [Vec<u128>; 3] = Default::default();
        let mut new = Vec::new();
        for (row, leaf) in entries {
            let Leaf::Bytes(bytes) = *leaf else {
                return None;
            };
            let row = self.rows.get(*row)?;
            let memory = self.memories.get_mut(column)?;
            let here = self.known_here.get_mut(column)?;
            let next = here.len() as u64;
            // The first column is that of the ids themselves.
            let own =
                (column > 0 && row.own.is_some_and(|(id, _)| id == bytes)).then_some(code::OWN_ID);
            let token = (self.token == Some(column) && row.anchored).then_some(code::ANCHOR);
            let known = own.or(token).or_else(|| {
                let known = here.get(bytes).map(|at| code::FIRST_KNOWN + 2 * at);
                known.or_else(|| {
                    let at = self.known.get(bytes)?;
                    here.insert(bytes, next);
                    Some(code::FIRST_KNOWN + 1 + 2 * at)
                })
            });
            if let Some(known) = known {
                put(&mut self.columns, known);
                continue;
            }
            let of_it = match bytes.len() {
                16 if is_new_id(bytes) => code::NEW_ID,
                16 => code::SIXTEEN,
                32 => code::DIGEST,
                _ => code::OTHER,
            };
            put(&mut self.columns, of_it);
            if of_it == code::OTHER {
                put(&mut self.columns, bytes.len() as u64);
            } else {
                let all = self.known.len() as u64;
                self.known.insert(bytes, all);
                here.insert(bytes, next);
            }
            if of_it == code::NEW_ID {
                let time = time_of(bytes);
                for (relation, differences) in OF_TIMES.into_iter().zip(&mut differences) {
                    // The id itself gives the time that others are held against.
                    let base = match (column, &row.own) {
                        (0, Some(_)) => Numbers::default().base(relation, memory),
                        _ => row.numbers.base(relation, memory),
                    };
                    differences.push(unsigned(time - base));
                }
                memory.prime(time);
            }
            new.push((of_it, bytes));
        }
        let (mode, differences) = best(OF_TIMES.into_iter().zip(differences))?;
        put(&mut self.plan, mode.number());
        let mut differences = differences.into_iter();
        for (of_it, bytes) in new {
            if of_it == code::NEW_ID {
                self.difference(mode, differences.next()?);
                let free = bytes
                    .iter()
                    .skip(6)
                    .fold(0, |all, byte| (all << 8) | u128::from(*byte));
                self.noise.put(free >> 64, 12);
                self.noise.put(free, 62);
            } else {
                self.noise.put_bytes(bytes);
            }
        }
        Some(())
    }

    fn texts(&mut self, column: usize, entries: &[(usize, Leaf<'a>)]) -> Option<()> {
        let known = self.known_texts.get_mut(column)?;
        for (row, leaf) in entries {
            let Leaf::Text(text) = *leaf else {
                return None;
            };
            let own = self.rows.get(*row)?.own.and_then(|(_, number)| number);
            if own == Some(text) {
                put(&mut self.columns, text_code::OWN_NUMBER);
            } else if let Some(known) = known.get(text) {
                put(&mut self.columns, text_code::KNOWN);
                put(&mut self.columns, *known);
            } else {
                let next = known.len() as u64;
                known.insert(text, next);
                put(
                    &mut self.columns,
                    text_code::FIRST_LENGTH + text.len() as u64,
                );
                self.texts.extend_from_slice(text.as_bytes());
            }
        }
        Some(())
    }
}
