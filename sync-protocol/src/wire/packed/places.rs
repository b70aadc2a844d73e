//! Where leaves stand: the way to them through maps, arrays and what is embedded; and the shapes of items.

use std::collections::HashMap;

use minicbor::data::Type;
use minicbor::decode::Decoder;
use minicbor::encode::Encoder;

use super::{DEPTH, MOST_PLACES, Sort};
use crate::codec::check_well_formed;

/// What stands in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum LeafKind {
    Number,
    Bytes,
    Text,
}

/// A leaf of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaf<'a> {
    Number(i128),
    Bytes(&'a [u8]),
    Text(&'a str),
}

impl Leaf<'_> {
    pub(super) const fn kind(&self) -> LeafKind {
        match self {
            Self::Number(_) => LeafKind::Number,
            Self::Bytes(_) => LeafKind::Bytes,
            Self::Text(_) => LeafKind::Text,
        }
    }
}

/// One step on the way to a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Step<'a> {
    /// The id beside a body.
    Id,
    /// The version beside a body.
    Version,
    /// The body itself.
    Body,
    /// Into the value of a map's key.
    Key(&'a [u8]),
    /// Into an array; beyond the fifteenth all are alike.
    Index(u8),
    /// Into a byte string that holds an item.
    Embedded,
}

/// Steps from one place that are remembered in their order: more than any kind of record has keys.
const MOST_REMEMBERED: usize = 64;

/// Where every way begins.
pub(super) const ROOT: usize = 0;

/// All places that were met, numbered, and the columns of those that hold leaves. A way is kept as its last step and
/// the place before: however long its keys are, they are never copied.
#[derive(Debug, Default)]
pub(super) struct Places<'a> {
    places: HashMap<(usize, Step<'a>), usize>,
    /// By place, the steps from it in the order in which they were first met.
    steps: Vec<Steps<'a>>,
    /// By place and kind of leaf.
    columns: Vec<[Option<usize>; 3]>,
    kinds: Vec<LeafKind>,
}

/// The steps from one place. Items of a kind are written alike, so that the next step is nearly always the one that
/// followed last time: then nothing is hashed.
#[derive(Clone, Debug, Default)]
struct Steps<'a> {
    known: Vec<(Step<'a>, usize)>,
    next: usize,
}

impl<'a> Steps<'a> {
    fn next_is(&mut self, step: Step<'a>) -> Option<usize> {
        let at = if self.next < self.known.len() {
            self.next
        } else {
            0
        };
        let (known, place) = self.known.get(at)?;
        if *known != step {
            return None;
        }
        self.next = at + 1;
        Some(*place)
    }

    /// After a step that was not the next one: on from there.
    fn took(&mut self, place: usize) {
        let at = self.known.iter().position(|(_, known)| *known == place);
        self.next = at.map_or(self.next, |at| at + 1);
    }
}

impl<'a> Places<'a> {
    /// The place one step further.
    pub(super) fn step(&mut self, from: usize, step: Step<'a>) -> usize {
        if self.steps.len() <= from {
            self.steps.resize_with(from + 1, Steps::default);
        }
        if let Some(steps) = self.steps.get_mut(from)
            && let Some(place) = steps.next_is(step)
        {
            return place;
        }
        let next = self.places.len() + 1;
        let place = *self.places.entry((from, step)).or_insert(next);
        if let Some(steps) = self.steps.get_mut(from) {
            match place == next {
                // Of very many, as in no honest message, the first are remembered.
                true if steps.known.len() < MOST_REMEMBERED => {
                    steps.known.push((step, place));
                    steps.next = steps.known.len();
                }
                true => {}
                false => steps.took(place),
            }
        }
        place
    }

    /// Whether there are more places than an honest message has.
    pub(super) fn are_too_many(&self) -> bool {
        self.places.len() > MOST_PLACES
    }

    /// The column of a place.
    pub(super) fn column(&mut self, place: usize, kind: LeafKind) -> usize {
        if self.columns.len() <= place {
            self.columns.resize(place + 1, [None; 3]);
        }
        let next = self.kinds.len();
        let of = self.columns.get_mut(place);
        let of = of.and_then(|of| of.get_mut(kind as usize));
        match of {
            Some(Some(known)) => *known,
            of => {
                if let Some(of) = of {
                    *of = Some(next);
                }
                self.kinds.push(kind);
                next
            }
        }
    }

    /// The column of a place, if there is one.
    pub(super) fn known_column(&self, place: usize, kind: LeafKind) -> Option<usize> {
        *self.columns.get(place)?.get(kind as usize)?
    }

    /// What each column holds.
    pub(super) fn kinds(&self) -> &[LeafKind] {
        &self.kinds
    }

    /// The columns of an anchor's time and token in commands: keys 3 and 5 of the clocks, which are key 0.
    pub(super) fn anchor(&mut self, sort: Sort) -> (Option<usize>, Option<usize>) {
        if sort == Sort::Records {
            return (None, None);
        }
        let body = self.step(ROOT, Step::Body);
        let clocks = self.step(body, Step::Key(&[0]));
        let time = self.step(clocks, Step::Key(&[3]));
        let token = self.step(clocks, Step::Key(&[5]));
        (
            self.known_column(time, LeafKind::Number),
            self.known_column(token, LeafKind::Bytes),
        )
    }
}

/// Takes an item apart: appends its shape, and its leaves with their places. `None` where it is not written as this
/// protocol writes, or nested too deeply.
pub(super) fn take_apart<'a>(
    body: &'a [u8],
    places: &mut Places<'a>,
    shape: &mut Vec<u8>,
    leaves: &mut Vec<(usize, Leaf<'a>)>,
) -> Option<()> {
    check_well_formed(body, DEPTH).ok()?;
    let place = places.step(ROOT, Step::Body);
    item(
        &mut Decoder::new(body),
        places,
        shape,
        leaves,
        (place, DEPTH),
    )
}

fn item<'a>(
    d: &mut Decoder<'a>,
    places: &mut Places<'a>,
    shape: &mut Vec<u8>,
    leaves: &mut Vec<(usize, Leaf<'a>)>,
    (place, depth): (usize, usize),
) -> Option<()> {
    if places.are_too_many() {
        return None;
    }
    let deeper = depth.checked_sub(1);
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
                let inner = places.step(place, Step::Key(key));
                item(d, places, shape, leaves, (inner, deeper?))?;
            }
        }
        Type::Array => {
            let items = d.array().ok()??;
            e.array(items).ok()?;
            for at in 0..items {
                let inner = places.step(place, index(at));
                item(d, places, shape, leaves, (inner, deeper?))?;
            }
        }
        Type::Bytes => {
            let bytes = d.bytes().ok()?;
            let holds = deeper.filter(|deeper| is_embedded(bytes, *deeper));
            if let Some(deeper) = holds {
                let inner = places.step(place, Step::Embedded);
                let mut of_it = Vec::new();
                let mut within = Decoder::new(bytes);
                item(&mut within, places, &mut of_it, leaves, (inner, deeper))?;
                e.bytes(&of_it).ok()?;
            } else {
                e.bytes(&[]).ok()?;
                leaves.push((place, Leaf::Bytes(bytes)));
            }
        }
        Type::String => {
            e.str("").ok()?;
            leaves.push((place, Leaf::Text(d.str().ok()?)));
        }
        Type::Bool | Type::Null => {
            let start = d.position();
            d.skip().ok()?;
            shape.extend_from_slice(d.input().get(start..d.position())?);
        }
        _ => {
            e.u8(0).ok()?;
            leaves.push((place, Leaf::Number(i128::from(d.int().ok()?))));
        }
    }
    Some(())
}

pub(super) fn index<'a>(at: u64) -> Step<'a> {
    Step::Index(u8::try_from(at.min(15)).unwrap_or(15))
}

/// Whether a byte string is a map of few entries, written as this protocol writes.
fn is_embedded(bytes: &[u8], depth: usize) -> bool {
    matches!(bytes.first(), Some(0xa0..=0xb7)) && check_well_formed(bytes, depth).is_ok()
}
