//! A field device: SQLite store, photo files, HTTP transport and a command line around the device
//! half of the sync protocol. Everything but enrolment works offline.

pub mod ambient;
mod ask;
pub mod calendar;
mod choose;
pub mod cli;
mod connection;
pub mod data_key;
pub mod driver;
pub mod enrol;
pub mod home;
pub mod key_store;
pub mod photos;
pub mod pin_keys;
pub mod revoked;
pub mod sealed_file;
pub mod sealing;
pub mod session;
pub mod store;
mod thrift;
pub mod transport;
pub mod vault;
pub mod wipe;
pub mod witness;
