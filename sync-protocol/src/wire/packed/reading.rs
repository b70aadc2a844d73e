//! What a packed message says before its columns: the shapes, as steps to write items by, and the shape of each item.

use std::ops::Range;

use minicbor::data::Type;
use minicbor::decode::Decoder;
use minicbor::encode::Encoder;

use super::super::ColumnsError;
use super::places::{LeafKind, Places, ROOT, Step, index};
use super::{DEPTH, LEAST_OF_ITEM, MOST_LEAVES, MOST_OF_SHAPES, MOST_PLACES, Sort};
use crate::codec::check_well_formed;
use crate::wire::varint::Reading;

/// One step of writing an item.
#[derive(Clone, Debug)]
pub(super) enum Write {
    /// Bytes as they are.
    Bytes(Vec<u8>),
    /// The next leaf of a column.
    Leaf(usize),
    /// What follows, to the matching end, is within a byte string.
    Open,
    /// See [`Write::Open`].
    Close,
}

/// A shape, read.
#[derive(Debug)]
pub(super) struct Shape<'a> {
    pub head: &'a [u8],
    pub steps: Vec<Write>,
    /// The columns of all its leaves; those beside the body first.
    pub leaves: Vec<usize>,
}

/// All shapes, and which one each item has.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub shapes: Vec<Shape<'a>>,
    pub rows: Vec<usize>,
    /// How the columns are written.
    pub modes: Reading<'a>,
    /// The items in which each column has leaves, in order.
    pub entries: Vec<Vec<usize>>,
}

impl<'a> Plan<'a> {
    pub(super) fn read(
        plan: &'a [u8],
        sort: Sort,
        places: &mut Places<'a>,
    ) -> Result<Self, ColumnsError> {
        let mut plan = Reading(plan);
        let (mut shapes, mut of_shapes) = (Vec::new(), 0_usize);
        for _ in 0..plan.number()? {
            let length = plan.number()?;
            let of_shape = plan.bytes(length)?;
            of_shapes = of_shapes.saturating_add(of_shape.len());
            if of_shapes > MOST_OF_SHAPES {
                let most = MOST_OF_SHAPES;
                return Err(ColumnsError::TooLarge { most });
            }
            shapes.push(shape(of_shape, sort, places)?);
        }
        let (mut rows, mut count) = (Vec::new(), 0_usize);
        let mut entries = vec![Vec::new(); places.kinds().len()];
        for row in 0..plan.number()? {
            let at = usize::try_from(plan.number()?).map_err(|_| ColumnsError::Damaged)?;
            let shape = shapes.get(at).ok_or(ColumnsError::Damaged)?;
            // An item of no leaves takes memory too.
            count = count.saturating_add(shape.leaves.len().max(LEAST_OF_ITEM));
            if count > MOST_LEAVES {
                return Err(ColumnsError::TooLarge { most: MOST_LEAVES });
            }
            let row = usize::try_from(row).map_err(|_| ColumnsError::Damaged)?;
            for column in &shape.leaves {
                entries
                    .get_mut(*column)
                    .ok_or(ColumnsError::Damaged)?
                    .push(row);
            }
            rows.push(at);
        }
        Ok(Self {
            shapes,
            rows,
            modes: plan,
            entries,
        })
    }
}

fn shape<'a>(
    shape: &'a [u8],
    sort: Sort,
    places: &mut Places<'a>,
) -> Result<Shape<'a>, ColumnsError> {
    let mut d = Decoder::new(shape);
    for _ in 0..sort.heads() {
        d.skip()?;
    }
    let (head, body) = shape
        .split_at_checked(d.position())
        .ok_or(ColumnsError::Damaged)?;
    let sound = check_well_formed(body, DEPTH);
    sound.map_err(|error| ColumnsError::Shape(error.to_string()))?;
    let mut writing = Writing {
        places,
        steps: Vec::new(),
        leaves: Vec::new(),
        plain: Vec::new(),
    };
    if sort == Sort::Records {
        let place = writing.places.step(ROOT, Step::Id);
        writing
            .leaves
            .push(writing.places.column(place, LeafKind::Bytes));
        let place = writing.places.step(ROOT, Step::Version);
        writing
            .leaves
            .push(writing.places.column(place, LeafKind::Number));
    }
    let place = writing.places.step(ROOT, Step::Body);
    writing.item(&mut Decoder::new(body), (place, DEPTH))?;
    writing.flush();
    Ok(Shape {
        head,
        steps: writing.steps,
        leaves: writing.leaves,
    })
}

struct Writing<'p, 'a> {
    places: &'p mut Places<'a>,
    steps: Vec<Write>,
    leaves: Vec<usize>,
    plain: Vec<u8>,
}

impl<'a> Writing<'_, 'a> {
    fn flush(&mut self) {
        if !self.plain.is_empty() {
            self.steps
                .push(Write::Bytes(std::mem::take(&mut self.plain)));
        }
    }

    fn leaf(&mut self, place: usize, kind: LeafKind) {
        self.flush();
        let column = self.places.column(place, kind);
        self.leaves.push(column);
        self.steps.push(Write::Leaf(column));
    }

    fn keep(&mut self, d: &Decoder<'a>, range: Range<usize>) {
        let kept = d.input().get(range).unwrap_or_default();
        self.plain.extend_from_slice(kept);
    }

    fn item(
        &mut self,
        d: &mut Decoder<'a>,
        (place, depth): (usize, usize),
    ) -> Result<(), ColumnsError> {
        if self.places.are_too_many() {
            return Err(ColumnsError::TooLarge { most: MOST_PLACES });
        }
        let written = |_| ColumnsError::Damaged;
        let deeper = depth.checked_sub(1).ok_or(ColumnsError::Damaged);
        match d.datatype()? {
            Type::Map => {
                let entries = d.map()?.ok_or(ColumnsError::Damaged)?;
                Encoder::new(&mut self.plain)
                    .map(entries)
                    .map_err(written)?;
                for _ in 0..entries {
                    let start = d.position();
                    d.skip()?;
                    let key = d.input().get(start..d.position()).unwrap_or_default();
                    self.plain.extend_from_slice(key);
                    let inner = self.places.step(place, Step::Key(key));
                    self.item(d, (inner, deeper.clone()?))?;
                }
            }
            Type::Array => {
                let items = d.array()?.ok_or(ColumnsError::Damaged)?;
                Encoder::new(&mut self.plain)
                    .array(items)
                    .map_err(written)?;
                for at in 0..items {
                    let inner = self.places.step(place, index(at));
                    self.item(d, (inner, deeper.clone()?))?;
                }
            }
            Type::Bytes => {
                let bytes = d.bytes()?;
                if bytes.is_empty() {
                    self.leaf(place, LeafKind::Bytes);
                    return Ok(());
                }
                let sound = check_well_formed(bytes, deeper.clone()?);
                sound.map_err(|error| ColumnsError::Shape(error.to_string()))?;
                self.flush();
                self.steps.push(Write::Open);
                let inner = self.places.step(place, Step::Embedded);
                self.item(&mut Decoder::new(bytes), (inner, deeper?))?;
                self.flush();
                self.steps.push(Write::Close);
            }
            Type::String => {
                d.str()?;
                self.leaf(place, LeafKind::Text);
            }
            Type::Bool | Type::Null => {
                let start = d.position();
                d.skip()?;
                self.keep(d, start..d.position());
            }
            _ => {
                d.int()?;
                self.leaf(place, LeafKind::Number);
            }
        }
        Ok(())
    }
}
