//! Query parameters that are written as one text and read into something narrower.

/// Several values in one parameter, with commas between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed<T>(pub Vec<T>);

impl<'de, T: serde::de::DeserializeOwned> serde::Deserialize<'de> for Listed<T> {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(d)?;
        let one = |name| T::deserialize(serde::de::value::StrDeserializer::new(name));
        text.split(',').map(one).collect::<Result<_, _>>().map(Self)
    }
}

macro_rules! query_text {
    ($name:ident, $pattern:literal, $example:literal, $what:literal) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(d)?
                    .parse()
                    .map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::schema::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some($pattern))
                    .examples([$example])
                    .description(Some($what))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}
pub(super) use query_text;
