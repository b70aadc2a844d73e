//! Which jurisdiction a point lies in: boundaries held in memory under an R-tree.
//!
//! Boundaries come as GeoJSON geometry texts in any coordinate reference and are kept in WGS-84.
//! Where they come from and when they are read again is the caller's business.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use geo::{Area, BoundingRect, Coord, Intersects, LineString, Polygon};
use geojson::{GeometryValue, Position};
use hazardloop_domain::geography::{CoordinateReference, Degrees, Wgs84Point};
use hazardloop_domain::ids::JurisdictionId;
use rstar::{AABB, RTree, RTreeObject, SelectionFunction};

/// The most vertices that one boundary may have, all its rings together.
pub const MAX_VERTICES_PER_BOUNDARY: usize = 200_000;
/// The longest geometry text that is read, bytes.
pub const MAX_BOUNDARY_BYTES: usize = 16 * 1024 * 1024;
/// Vertices of the smallest ring: a triangle with its first vertex repeated (RFC 7946, 3.1.6).
/// Simplified boundaries, the one of 大渡口 in our catalog too, hold islands that have shrunk below
/// this. They enclose nothing, so they are passed over rather than refused.
const MIN_RING_VERTICES: usize = 4;

/// One boundary as it is stored.
#[derive(Clone, Debug)]
pub struct BoundarySource {
    /// Whose boundary it is.
    pub jurisdiction: JurisdictionId,
    /// Steps from the root of the tree: the greater, the narrower the jurisdiction.
    pub depth: u32,
    /// A GeoJSON geometry (RFC 7946): `Polygon` or `MultiPolygon`, holes allowed.
    pub geometry: String,
    /// The reference of its numbers; RFC 7946 says WGS-84, sources in China often differ.
    pub reference: CoordinateReference,
}

/// A boundary cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "管辖区 {jurisdiction} 的边界：{problem} / boundary of jurisdiction {jurisdiction}: {problem}"
)]
pub struct BoundaryError {
    /// Whose boundary it is.
    pub jurisdiction: JurisdictionId,
    /// What is wrong with it.
    pub problem: BoundaryProblem,
}

/// What is wrong with a boundary.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BoundaryProblem {
    /// Longer than [`MAX_BOUNDARY_BYTES`].
    #[error("has {0} bytes, at most {MAX_BOUNDARY_BYTES} are read")]
    TooLong(usize),
    /// More than [`MAX_VERTICES_PER_BOUNDARY`] vertices.
    #[error("has {0} vertices, at most {MAX_VERTICES_PER_BOUNDARY} are allowed")]
    TooManyVertices(usize),
    /// Not a GeoJSON geometry.
    #[error("is not a GeoJSON geometry: {0}")]
    NotGeoJson(String),
    /// A geometry that encloses no area.
    #[error("is a {0}, not a Polygon or MultiPolygon")]
    NotAnArea(&'static str),
    /// There is no ring that encloses anything.
    #[error("encloses nothing")]
    Empty,
    /// A ring without vertices, or whose ends differ.
    #[error("ring {ring} is not closed")]
    OpenRing {
        /// The ring, counted from 0 over the whole geometry.
        ring: usize,
    },
    /// A vertex that is not a longitude and a latitude.
    #[error("vertex {vertex} of ring {ring} is not a place on the earth")]
    OffTheEarth {
        /// The ring, counted from 0 over the whole geometry.
        ring: usize,
        /// The vertex, counted from 0 in its ring.
        vertex: usize,
    },
}

/// Finds the narrowest jurisdiction that contains a point.
#[derive(Debug, Default)]
pub struct JurisdictionIndex {
    held: RwLock<Held>,
}

#[derive(Debug, Default)]
struct Held {
    parts: RTree<Part>,
    /// Which version of a jurisdiction the parts are of, where they were replaced.
    versions: HashMap<JurisdictionId, i64>,
}

/// The parts of one jurisdiction.
struct PartsOf(JurisdictionId);

impl SelectionFunction<Part> for PartsOf {
    fn should_unpack_parent(&self, _: &AABB<[f64; 2]>) -> bool {
        true
    }

    fn should_unpack_leaf(&self, part: &Part) -> bool {
        part.jurisdiction == self.0
    }
}

/// One polygon of a boundary, in WGS-84.
#[derive(Debug)]
struct Part {
    jurisdiction: JurisdictionId,
    depth: u32,
    area: f64,
    envelope: AABB<[f64; 2]>,
    polygon: Polygon<f64>,
}

impl RTreeObject for Part {
    type Envelope = AABB<[f64; 2]>;

    fn envelope(&self) -> Self::Envelope {
        self.envelope
    }
}

impl JurisdictionIndex {
    /// Reads all boundaries; the first that cannot be used is the error.
    pub fn build(
        boundaries: impl IntoIterator<Item = BoundarySource>,
    ) -> Result<Self, BoundaryError> {
        let mut parts = Vec::new();
        for boundary in boundaries {
            parts.extend(parts_of(&boundary)?);
        }
        let held = Held {
            parts: RTree::bulk_load(parts),
            versions: HashMap::new(),
        };
        Ok(Self {
            held: RwLock::new(held),
        })
    }

    /// Puts the boundary that a jurisdiction has in `version` in the place of the one held, or
    /// takes that away where it has none. One of an older version than was put there before is
    /// passed over: changes may be heard of in any order.
    pub fn replace(
        &self,
        jurisdiction: JurisdictionId,
        version: i64,
        boundary: Option<&BoundarySource>,
    ) -> Result<(), BoundaryError> {
        let known = |held: &Held| held.versions.get(&jurisdiction) >= Some(&version);
        if known(&self.read()) {
            return Ok(());
        }
        // Read while others may still ask.
        let parts = boundary.map(parts_of).transpose()?.unwrap_or_default();
        let mut held = self.write();
        if known(&held) {
            return Ok(());
        }
        held.versions.insert(jurisdiction, version);
        held.parts
            .drain_with_selection_function(PartsOf(jurisdiction))
            .for_each(drop);
        for part in parts {
            held.parts.insert(part);
        }
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The deepest jurisdiction whose boundary contains the point; its very edge counts as inside.
    /// Of several equally deep ones, the one whose polygon is smallest, then the lowest id.
    pub fn locate(&self, point: Wgs84Point) -> Option<JurisdictionId> {
        if !is_on_earth(point.longitude, point.latitude) {
            return None;
        }
        let here = AABB::from_point([point.longitude, point.latitude]);
        let coordinate = Coord {
            x: point.longitude,
            y: point.latitude,
        };
        self.read()
            .parts
            .locate_in_envelope_intersecting(here)
            .filter(|part| part.polygon.intersects(&coordinate))
            .max_by(|a, b| a.narrower_than(b))
            .map(|part| part.jurisdiction)
    }

    /// How many polygons are held.
    pub fn polygon_count(&self) -> usize {
        self.read().parts.size()
    }
}

impl Part {
    fn new(source: &BoundarySource, polygon: Polygon<f64>) -> Option<Self> {
        let bounds = polygon.bounding_rect()?;
        let envelope = AABB::from_corners(
            [bounds.min().x, bounds.min().y],
            [bounds.max().x, bounds.max().y],
        );
        let area = polygon.unsigned_area();
        let BoundarySource {
            jurisdiction,
            depth,
            ..
        } = *source;
        Some(Self {
            jurisdiction,
            depth,
            area,
            envelope,
            polygon,
        })
    }

    fn narrower_than(&self, other: &Self) -> Ordering {
        self.depth
            .cmp(&other.depth)
            .then(other.area.total_cmp(&self.area))
            .then(other.jurisdiction.cmp(&self.jurisdiction))
    }
}

fn parts_of(boundary: &BoundarySource) -> Result<Vec<Part>, BoundaryError> {
    let polygons =
        read_polygons(&boundary.geometry, boundary.reference).map_err(|problem| BoundaryError {
            jurisdiction: boundary.jurisdiction,
            problem,
        })?;
    let parts = polygons
        .into_iter()
        .filter_map(|polygon| Part::new(boundary, polygon));
    Ok(parts.collect())
}

fn is_on_earth(longitude: f64, latitude: f64) -> bool {
    (-180.0..=180.0).contains(&longitude) && (-90.0..=90.0).contains(&latitude)
}

/// Checks one stored boundary without keeping it: what an import calls before it stores.
pub fn check_boundary(
    geometry: &str,
    reference: CoordinateReference,
) -> Result<(), BoundaryProblem> {
    read_polygons(geometry, reference).map(drop)
}

fn read_polygons(
    text: &str,
    reference: CoordinateReference,
) -> Result<Vec<Polygon<f64>>, BoundaryProblem> {
    if text.len() > MAX_BOUNDARY_BYTES {
        return Err(BoundaryProblem::TooLong(text.len()));
    }
    let geometry: geojson::Geometry = text
        .parse()
        .map_err(|e: geojson::Error| BoundaryProblem::NotGeoJson(e.to_string()))?;
    let polygons = match geometry.value {
        GeometryValue::Polygon { coordinates } => vec![coordinates],
        GeometryValue::MultiPolygon { coordinates } => coordinates,
        other => return Err(BoundaryProblem::NotAnArea(other.type_name())),
    };
    let vertices = polygons.iter().flatten().map(Vec::len).sum();
    if vertices > MAX_VERTICES_PER_BOUNDARY {
        return Err(BoundaryProblem::TooManyVertices(vertices));
    }
    let mut ring_number = 0..;
    let mut read = Vec::with_capacity(polygons.len());
    for polygon in polygons {
        let mut rings = polygon
            .iter()
            .zip(ring_number.by_ref())
            .map(|(ring, number)| read_ring(ring, number, reference));
        let outer = rings.next().ok_or(BoundaryProblem::Empty)??;
        let holes: Vec<_> = rings
            .filter_map(Result::transpose)
            .collect::<Result<_, _>>()?;
        read.extend(outer.map(|outer| Polygon::new(outer, holes)));
    }
    if read.is_empty() {
        Err(BoundaryProblem::Empty)
    } else {
        Ok(read)
    }
}

/// The ring in WGS-84, or nothing when it has too few vertices to enclose anything.
fn read_ring(
    ring: &[Position],
    number: usize,
    reference: CoordinateReference,
) -> Result<Option<LineString<f64>>, BoundaryProblem> {
    if ring.is_empty() || ring.first() != ring.last() {
        return Err(BoundaryProblem::OpenRing { ring: number });
    }
    let vertex = |(index, position): (usize, &Position)| match *position.as_slice() {
        // A third number is the altitude, which no boundary needs.
        [longitude, latitude, ..] if is_on_earth(longitude, latitude) => {
            let point = reference.to_wgs84(Degrees {
                longitude,
                latitude,
            });
            Ok(Coord {
                x: point.longitude,
                y: point.latitude,
            })
        }
        _ => Err(BoundaryProblem::OffTheEarth {
            ring: number,
            vertex: index,
        }),
    };
    let line = ring
        .iter()
        .enumerate()
        .map(vertex)
        .collect::<Result<LineString<f64>, _>>()?;
    Ok(Some(line).filter(|_| ring.len() >= MIN_RING_VERTICES))
}

#[cfg(test)]
#[path = "geography_tests.rs"]
mod tests;
