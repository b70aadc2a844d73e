//! A portable index cell: one integer per WGS-84 point, so that "within this box" becomes a few
//! `cell BETWEEN a AND b` conditions on an ordinary index of any database.
//!
//! The cell is the Morton code (Z-order) of longitude and latitude, [`LEVEL`] bits each. It has 52
//! bits, so it is also exact as a JavaScript number. Ranges cover the box and somewhat more:
//! whoever queries still compares the point itself.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::distance::EARTH_RADIUS_M;
use super::reference::Wgs84Point;

/// Bits for each of longitude and latitude: a cell is 0.6 m by 0.3 m at the equator.
pub const LEVEL: u32 = 26;

/// The largest number of ranges that [`cells_covering`] returns, whatever is asked.
pub const MAX_RANGES: usize = 64;

/// Radii beyond this cover the whole earth; larger ones are refused, in metres.
pub const MAX_RADIUS_M: f64 = 20_100_000.0;

/// How many quadrants are kept while covering, for each range that may be returned.
const QUADRANTS_PER_RANGE: usize = 8;

/// A box of degrees. When `west` exceeds `east`, the box crosses the 180th meridian.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoundingBox {
    west: f64,
    south: f64,
    east: f64,
    north: f64,
}

/// Why four numbers are not a box, or a radius is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BoundingBoxError {
    /// West or east is not a longitude.
    #[error("经度须在 -180 至 180 之间 / west and east must lie between -180 and 180")]
    Longitude,
    /// South or north is not a latitude.
    #[error("纬度须在 -90 至 90 之间 / south and north must lie between -90 and 90")]
    Latitude,
    /// South lies north of north.
    #[error("南界不得大于北界 / south must not exceed north")]
    SouthAboveNorth,
    /// The radius is negative, not a number, or beyond [`MAX_RADIUS_M`].
    #[error("半径须在 0 至 20100000 米之间 / the radius must lie between 0 and 20100000 metres")]
    Radius,
}

impl BoundingBox {
    /// West, south, east and north, degrees.
    pub const fn edges(&self) -> [f64; 4] {
        [self.west, self.south, self.east, self.north]
    }

    /// A box from its four edges in WGS-84 degrees; `west > east` crosses the 180th meridian.
    pub fn new(west: f64, south: f64, east: f64, north: f64) -> Result<Self, BoundingBoxError> {
        let longitudes = -180.0..=180.0;
        let latitudes = -90.0..=90.0;
        if !longitudes.contains(&west) || !longitudes.contains(&east) {
            Err(BoundingBoxError::Longitude)
        } else if !latitudes.contains(&south) || !latitudes.contains(&north) {
            Err(BoundingBoxError::Latitude)
        } else if south > north {
            Err(BoundingBoxError::SouthAboveNorth)
        } else {
            Ok(Self {
                west,
                south,
                east,
                north,
            })
        }
    }

    /// West edge, degrees.
    pub const fn west(&self) -> f64 {
        self.west
    }

    /// South edge, degrees.
    pub const fn south(&self) -> f64 {
        self.south
    }

    /// East edge, degrees.
    pub const fn east(&self) -> f64 {
        self.east
    }

    /// North edge, degrees.
    pub const fn north(&self) -> f64 {
        self.north
    }

    /// Whether the point lies in the box or on its edge.
    pub fn contains(&self, point: Wgs84Point) -> bool {
        let between = if self.west <= self.east {
            (self.west..=self.east).contains(&point.longitude)
        } else {
            point.longitude >= self.west || point.longitude <= self.east
        };
        between && (self.south..=self.north).contains(&point.latitude)
    }

    /// The one or two rectangles of cells that the box is made of.
    fn rectangles(&self) -> Vec<Rectangle> {
        let rows = (row(self.south), row(self.north));
        let part = |west, east| Rectangle {
            columns: (column(west), column(east)),
            rows,
        };
        if self.west <= self.east {
            vec![part(self.west, self.east)]
        } else {
            vec![part(self.west, 180.0), part(-180.0, self.east)]
        }
    }
}

/// A rectangle of cells, edges included.
#[derive(Clone, Copy)]
struct Rectangle {
    columns: (u32, u32),
    rows: (u32, u32),
}

/// A square block of `2^size` by `2^size` cells, which is one run of consecutive codes.
#[derive(Clone, Copy)]
struct Quadrant {
    column: u32,
    row: u32,
    size: u32,
}

impl Quadrant {
    fn last(self) -> (u32, u32) {
        let span = (1_u32 << self.size) - 1;
        (self.column + span, self.row + span)
    }

    fn touches(self, r: &Rectangle) -> bool {
        let (column, row) = self.last();
        self.column <= r.columns.1
            && column >= r.columns.0
            && self.row <= r.rows.1
            && row >= r.rows.0
    }

    fn inside(self, r: &Rectangle) -> bool {
        let (column, row) = self.last();
        self.column >= r.columns.0
            && column <= r.columns.1
            && self.row >= r.rows.0
            && row <= r.rows.1
    }

    fn children(self) -> [Self; 4] {
        let size = self.size.saturating_sub(1);
        let half = 1_u32 << size;
        // Z-order: west before east, then south before north.
        [(0, 0), (half, 0), (0, half), (half, half)].map(|(east, north)| Self {
            column: self.column + east,
            row: self.row + north,
            size,
        })
    }

    fn codes(self) -> (i64, i64) {
        let first = interleave(self.column, self.row);
        (first, first + ((1_i64 << (2 * self.size)) - 1))
    }
}

/// The cell of a point, 0 to 2^52 - 1. Degrees off the earth are drawn to its edge.
pub fn cell_of(point: Wgs84Point) -> i64 {
    interleave(column(point.longitude), row(point.latitude))
}

/// Ranges of cells that hold every point of the box: at most `max_ranges` of them (at least 1, at
/// most [`MAX_RANGES`]), ascending and disjoint. Fewer ranges cover more ground outside the box.
pub fn cells_covering(area: &BoundingBox, max_ranges: usize) -> Vec<RangeInclusive<i64>> {
    let max_ranges = max_ranges.clamp(1, MAX_RANGES);
    let quadrants = quadrants_covering(&area.rectangles(), max_ranges * QUADRANTS_PER_RANGE);
    let mut runs: Vec<(i64, i64)> = quadrants.into_iter().map(Quadrant::codes).collect();
    runs.sort_unstable();
    join_nearest(&runs, max_ranges)
        .into_iter()
        .map(|(first, last)| first..=last)
        .collect()
}

/// The box that holds every point within `radius_m` metres of `centre`. Near a pole it reaches
/// round the earth; across the 180th meridian it has `west > east`.
pub fn bounding_box_around(
    centre: Wgs84Point,
    radius_m: f64,
) -> Result<BoundingBox, BoundingBoxError> {
    if !(0.0..=MAX_RADIUS_M).contains(&radius_m) {
        return Err(BoundingBoxError::Radius);
    }
    // Validates the centre before anything is computed from it.
    BoundingBox::new(
        centre.longitude,
        centre.latitude,
        centre.longitude,
        centre.latitude,
    )?;
    // A hair wider (0.1 mm), so that rounding leaves no point outside.
    let angle = (radius_m + 1e-4) / EARTH_RADIUS_M;
    let south = centre.latitude - angle.to_degrees();
    let north = centre.latitude + angle.to_degrees();
    if south <= -90.0 || north >= 90.0 {
        return BoundingBox::new(-180.0, south.max(-90.0), 180.0, north.min(90.0));
    }
    // No pole within reach, so the sine of the radius is below the cosine of the latitude.
    let half_width = (angle.sin() / centre.latitude.to_radians().cos())
        .min(1.0)
        .asin()
        .to_degrees();
    let wrap = |longitude: f64| {
        if longitude < -180.0 {
            longitude + 360.0
        } else if longitude > 180.0 {
            longitude - 360.0
        } else {
            longitude
        }
    };
    let west = wrap(centre.longitude - half_width);
    let east = wrap(centre.longitude + half_width);
    BoundingBox::new(west, south, east, north)
}

/// Splits the earth into quadrants that touch the rectangles, until all lie inside or there would
/// be more than `limit`.
fn quadrants_covering(rectangles: &[Rectangle], limit: usize) -> Vec<Quadrant> {
    let mut whole: Vec<Quadrant> = Vec::new();
    let mut partial = vec![Quadrant {
        column: 0,
        row: 0,
        size: LEVEL,
    }];
    while !partial.is_empty() {
        let touching = partial
            .iter()
            .flat_map(|quadrant| quadrant.children())
            .filter(|child| rectangles.iter().any(|r| child.touches(r)));
        let (inside, edge): (Vec<_>, Vec<_>) = touching
            .partition(|child| child.size == 0 || rectangles.iter().any(|r| child.inside(r)));
        if whole.len() + inside.len() + edge.len() > limit {
            break;
        }
        whole.extend(inside);
        partial = edge;
    }
    whole.extend(partial);
    whole
}

/// Joins neighbouring runs, leaving open only the `max - 1` widest gaps.
fn join_nearest(sorted: &[(i64, i64)], max: usize) -> Vec<(i64, i64)> {
    let mut gaps: Vec<(i64, i64)> = sorted
        .iter()
        .zip(sorted.iter().skip(1))
        .map(|(earlier, later)| (later.0 - earlier.1, later.0))
        .filter(|(gap, _)| *gap > 1)
        .collect();
    gaps.sort_unstable_by(|a, b| b.cmp(a));
    gaps.truncate(max.saturating_sub(1));
    let starts: BTreeSet<i64> = gaps.into_iter().map(|(_, start)| start).collect();
    let mut joined: Vec<(i64, i64)> = Vec::with_capacity(max);
    for &(first, last) in sorted {
        match joined.last_mut() {
            Some(previous) if !starts.contains(&first) => previous.1 = last,
            _ => joined.push((first, last)),
        }
    }
    joined
}

/// Column of a longitude. Rounding down is monotonic, so box edges and points agree.
fn column(longitude: f64) -> u32 {
    step((longitude + 180.0) / 360.0)
}

/// Row of a latitude.
fn row(latitude: f64) -> u32 {
    step((latitude + 90.0) / 180.0)
}

fn step(share: f64) -> u32 {
    let steps = f64::from(1_u32 << LEVEL);
    // `as` saturates, and makes NaN zero: no input can leave the grid.
    ((share * steps) as u32).min((1 << LEVEL) - 1)
}

/// Interleaves the bits: longitude on the even places, latitude on the odd ones.
fn interleave(column: u32, row: u32) -> i64 {
    spread(column) | (spread(row) << 1)
}

/// Puts a zero between each two bits of a number of at most 31 bits.
fn spread(number: u32) -> i64 {
    let mut bits = i64::from(number);
    bits = (bits | (bits << 16)) & 0x0000_ffff_0000_ffff;
    bits = (bits | (bits << 8)) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | (bits << 4)) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | (bits << 2)) & 0x3333_3333_3333_3333;
    (bits | (bits << 1)) & 0x5555_5555_5555_5555
}

#[cfg(test)]
#[path = "cell_tests.rs"]
mod tests;
