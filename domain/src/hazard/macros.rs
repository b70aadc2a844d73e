//! How records are declared: one declaration makes CBOR, JSON and the schema.

macro_rules! record {
    ($(#[$doc:meta])* pub struct $name:ident { $($body:tt)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cbor(map)]
        pub struct $name { $($body)* }
    };
}
