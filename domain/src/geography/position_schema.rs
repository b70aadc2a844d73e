//! The OpenAPI schema of a position: the JSON form, with the ranges that are checked.

use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Schema};

use super::{MAX_ACCURACY_M, MAX_ALTITUDE_M, MIN_ALTITUDE_M, Position};

fn number(what: &str, minimum: f64, maximum: f64) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Number)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Double)))
        .description(Some(what))
        .minimum(Some(minimum))
        .maximum(Some(maximum))
}

/// An optional field may be absent or null alike.
fn nullable(schema: ObjectBuilder, kind: Type) -> ObjectBuilder {
    schema.schema_type(SchemaType::from_iter([kind, Type::Null]))
}

fn accuracy() -> ObjectBuilder {
    let metres = number("Radius of uncertainty, metres.", 0.0, MAX_ACCURACY_M);
    nullable(metres, Type::Number)
}

fn altitude() -> ObjectBuilder {
    let what = "Height as stated by the device, metres.";
    nullable(number(what, MIN_ALTITUDE_M, MAX_ALTITUDE_M), Type::Number)
}

fn fixed_at() -> ObjectBuilder {
    let text = ObjectBuilder::new()
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .description(Some(
            "When the receiver had this fix, by the device's clock.",
        ));
    nullable(text, Type::String)
}

impl utoipa::PartialSchema for Position {
    fn schema() -> RefOr<Schema> {
        let longitude = number("Degrees east in `reference`.", -180.0, 180.0);
        let latitude = number("Degrees north in `reference`.", -90.0, 90.0);
        ObjectBuilder::new()
            .description(Some(
                "A position as measured, with the coordinate reference of its numbers.",
            ))
            .property("longitude", longitude)
            .property("latitude", latitude)
            .property("reference", Ref::from_schema_name("CoordinateReference"))
            .property("accuracy_m", accuracy())
            .property("altitude_m", altitude())
            .property("fixed_at", fixed_at())
            .required("longitude")
            .required("latitude")
            .required("reference")
            .into()
    }
}

impl utoipa::ToSchema for Position {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((
            "CoordinateReference".to_owned(),
            <super::CoordinateReference as utoipa::PartialSchema>::schema(),
        ));
    }
}
