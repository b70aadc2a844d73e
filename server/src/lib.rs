//! The `hazardloop` server: HTTP, use cases, SQL and jobs around the rules of the domain crate.

pub mod store;
