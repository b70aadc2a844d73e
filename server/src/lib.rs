//! The `hazardloop` server: HTTP, use cases, SQL and jobs around the rules of the domain crate.
//!
//! `http` -> `usecases` -> `store`; `jobs` -> `usecases`. Only `store` knows diesel, only `http`
//! knows actix, only `photos` decodes images, only `tables` reads files of tables. `serve` puts them together.

pub mod app;
pub mod checkpoints;
pub mod clock;
pub mod command_line;
pub mod entropy;
pub mod failure;
pub mod geography;
pub mod held;
pub mod http;
pub mod jobs;
pub mod metrics;
pub mod photos;
pub mod sample;
pub mod serve;
pub mod settings;
pub mod shipped;
pub mod store;
pub mod tables;
pub mod turns;
pub mod usecases;

#[cfg(test)]
mod test_support;
