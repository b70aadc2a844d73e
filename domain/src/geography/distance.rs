//! Distances between WGS-84 points.

use super::reference::Wgs84Point;

/// Mean radius of the earth (IUGG R1), metres.
pub const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// Great-circle distance in metres (haversine on a sphere; within 0.6 % of the ellipsoid).
pub fn distance_m(a: Wgs84Point, b: Wgs84Point) -> f64 {
    let half_latitude = ((b.latitude - a.latitude).to_radians() / 2.0).sin();
    let half_longitude = ((b.longitude - a.longitude).to_radians() / 2.0).sin();
    let parallels = a.latitude.to_radians().cos() * b.latitude.to_radians().cos();
    let chord = half_latitude * half_latitude + parallels * half_longitude * half_longitude;
    // Rounding may carry antipodes just past 1, where asin has no answer.
    2.0 * EARTH_RADIUS_M * chord.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(longitude: f64, latitude: f64) -> Wgs84Point {
        Wgs84Point {
            longitude,
            latitude,
        }
    }

    #[test]
    fn a_degree_of_a_great_circle_is_111_km() {
        let degree_m = distance_m(point(0.0, 0.0), point(1.0, 0.0));
        assert!((degree_m - 111_195.0).abs() < 1.0, "{degree_m}");
        assert!((distance_m(point(105.0, 29.0), point(105.0, 30.0)) - degree_m).abs() < 1e-6);
    }

    #[test]
    fn the_date_line_is_no_obstacle() {
        assert!(distance_m(point(179.999, 0.0), point(-179.999, 0.0)) < 223.0);
        assert!(distance_m(point(180.0, 12.0), point(-180.0, 12.0)) < 1e-6);
    }

    #[test]
    fn antipodes_are_half_a_circumference_apart() {
        let half = std::f64::consts::PI * EARTH_RADIUS_M;
        assert!((distance_m(point(30.0, 40.0), point(-150.0, -40.0)) - half).abs() < 1.0);
        assert!((distance_m(point(0.0, 90.0), point(77.0, -90.0)) - half).abs() < 1.0);
    }
}
