//! The whole device against a scripted server on the loopback: what networks really answer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "loopback/cosign.rs"]
mod cosign;
#[path = "loopback/desk.rs"]
mod desk;
mod fake_server;
#[path = "loopback/inspections.rs"]
mod inspections;
#[path = "loopback/lifecycle.rs"]
mod lifecycle;
#[path = "loopback/lists.rs"]
mod lists;
#[path = "loopback/network.rs"]
mod network;
#[path = "loopback/orders.rs"]
mod orders;
#[path = "loopback/packs.rs"]
mod packs;
#[path = "loopback/people.rs"]
mod people;
#[path = "loopback/phone.rs"]
mod phone;
#[path = "loopback/photos.rs"]
mod photos;
#[path = "loopback/replica.rs"]
mod replica;
#[path = "loopback/revoked.rs"]
mod revoked;
#[path = "loopback/sealed.rs"]
mod sealed;
#[path = "loopback/too_large.rs"]
mod too_large;
#[path = "loopback/windows.rs"]
mod windows;
#[path = "loopback/with_photos.rs"]
mod with_photos;
#[path = "loopback/witness.rs"]
mod witness;
#[path = "loopback/words.rs"]
mod words;

use std::path::Path;

use fake_server::Mishap;
use hazardloop_device::cli::exit;
use phone::Phone;
