//! The area that a list is narrowed to: around a point, or between two meridians and two parallels.

use super::cell::BoundingBox;
use super::distance::distance_m;
use super::reference::{CoordinateReference, Degrees, Wgs84Point};

/// The largest radius around a point that a list is narrowed to, metres.
pub const MAX_NEAR_M: f64 = 50_000.0;

/// A piece of the earth's surface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Area {
    /// Within a distance of a point.
    Near {
        /// The point.
        centre: Wgs84Point,
        /// Metres, at most [`MAX_NEAR_M`].
        radius_m: f64,
    },
    /// Between two meridians and two parallels of a coordinate reference.
    Box {
        /// The edges.
        edges: BoundingBox,
        /// The reference of their numbers.
        reference: CoordinateReference,
    },
}

impl Area {
    /// Whether the point lies in the area, its edge included.
    pub fn contains(&self, point: Wgs84Point) -> bool {
        match self {
            Self::Near { centre, radius_m } => distance_m(*centre, point) <= *radius_m,
            // In the reference of the edges: there the box is a box.
            Self::Box { edges, reference } => {
                let Degrees {
                    longitude,
                    latitude,
                } = reference.from_wgs84(point);
                edges.contains(Wgs84Point {
                    longitude,
                    latitude,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn point(longitude: f64, latitude: f64) -> Wgs84Point {
        Wgs84Point {
            longitude,
            latitude,
        }
    }

    #[test]
    fn the_edge_belongs_to_a_circle_and_to_a_box() {
        let centre = point(105.0, 29.0);
        let north = point(105.0, 29.001);
        let radius_m = distance_m(centre, north);
        assert!(Area::Near { centre, radius_m }.contains(north));
        let closer = radius_m - 0.01;
        let near = Area::Near {
            centre,
            radius_m: closer,
        };
        assert!(!near.contains(north));
        let edges = BoundingBox::new(105.0, 29.0, 105.5, 29.001).unwrap();
        let reference = CoordinateReference::Wgs84;
        assert!(Area::Box { edges, reference }.contains(north));
    }

    #[test]
    fn a_box_of_a_shifted_map_is_one_on_that_map() {
        let edges = BoundingBox::new(105.0, 29.0, 105.001, 29.001).unwrap();
        let inside = point(105.0005, 29.0005);
        let of = |reference| Area::Box { edges, reference };
        assert!(of(CoordinateReference::Wgs84).contains(inside));
        // On the map of 高德 the same point lies some hundred metres off.
        assert!(!of(CoordinateReference::Gcj02).contains(inside));
    }
}
