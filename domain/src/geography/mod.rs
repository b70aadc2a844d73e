//! Where things are: coordinate references, measured positions, index cells and distances.
//!
//! A position is kept as it was measured, with its coordinate reference; a WGS-84 copy is what
//! queries, cells and boundaries use. The trigonometric functions of different platforms may
//! differ in the last bit, so the copy (and the cell made from it) is computed by the server and
//! never compared bit for bit between machines.

pub mod area;
pub mod cell;
pub mod distance;
pub mod position;
pub mod reference;

pub use area::{Area, MAX_NEAR_M};
pub use cell::{BoundingBox, BoundingBoxError, bounding_box_around, cell_of, cells_covering};
pub use distance::distance_m;
pub use position::{Measurement, Position, PositionError, PositionField};
pub use reference::{CoordinateReference, Degrees, UnknownReference, Wgs84Point};
