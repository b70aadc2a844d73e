//! Bytes that are not JSON, for the description of the API: the media type says what they are.

use utoipa::openapi::schema::{ObjectBuilder, SchemaType};
use utoipa::openapi::{RefOr, Schema};

/// A body of raw bytes. OpenAPI 3.1 describes one by a schema without a type.
pub struct Binary;

impl utoipa::PartialSchema for Binary {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::AnyValue)
            .description(Some(
                "Raw bytes of the media type that is stated beside them",
            ))
            .into()
    }
}

impl utoipa::ToSchema for Binary {}
