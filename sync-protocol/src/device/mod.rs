//! The device half, sans-I/O: queue, replica, optimistic view, retries, photo lane.
//!
//! # Contract
//! [`Engine`] is a state machine. It has no socket, file, clock, thread or randomness: the host
//! (an app, a command line, a browser worker) passes time in and carries outputs out.
//!
//! **Start.** [`Engine::new`] takes what the store holds ([`State`], empty at first) and goes on
//! from there; there is no other recovery. A host that crashed anywhere does just that.
//!
//! **Inputs.** [`Engine::handle_command`], [`Engine::handle_stored`],
//! [`Engine::handle_store_failed`], [`Engine::handle_response`], [`Engine::handle_failure`],
//! [`Engine::handle_photo_bytes`], [`Engine::handle_photo_unreadable`],
//! [`Engine::handle_credentials_renewed`], [`Engine::handle_pull_wanted`],
//! [`Engine::handle_online`], [`Engine::handle_rekeyed`], [`Engine::handle_queued_elsewhere`],
//! [`Engine::handle_photo_given_up`], [`Engine::handle_photo_retry`],
//! [`Engine::handle_photo_forgotten`], [`Engine::handle_witness`], [`Engine::handle_monotonic`].
//!
//! **Outputs.** After every input, and whenever [`Engine::next_wake`] is due, the host calls
//! [`Engine::poll_output`] until it gives `None`. Order: a [`Output::Write`] first (at most one is
//! outstanding), then [`Output::Notice`]s, then [`Output::Send`]s: push, pull, photo.
//!
//! * `Write{id, ops}`: the host applies all operations in one durable transaction, in order, and
//!   answers with `handle_stored(id)` or `handle_store_failed(id)`. The engine's own state changes
//!   at `handle_stored` and by the same operations, so memory never runs ahead of the disk.
//! * `Send{id, request}`: answered exactly once, by `handle_response` or `handle_failure` with the
//!   same id. Only a typed body from our own server is a response. At most one request a lane is
//!   under way; the lanes (push, pull, photo) do not wait for one another, except that photo bytes
//!   yield to commands that could go now.
//! * `ReadPhoto{id, ..}`: answered by `handle_photo_bytes(id, ..)` or `handle_photo_unreadable`.
//! * `Notice`: tells people or the host; [`Notice::Queued`] comes only after the command is stored.
//!
//! **What a person sees** ([`Engine::hazard`], [`Engine::hazards`]) is server rows with the
//! commands that the rows do not reflect yet replayed on top, by the same rules as the server's.

mod answers;
mod apply;
mod choices;
mod commands;
mod compact;
mod config;
mod contact;
mod engine;
mod inspections;
mod jobs;
mod lapsed;
mod offer_sealing;
mod offering;
mod ops;
mod output;
mod oversize;
mod pages;
mod photo_decisions;
mod photos;
mod pull;
mod push;
mod rekey;
mod replay;
mod retry;
mod state;
mod stride;
mod time_proof;
mod told_late;
mod versions;
mod view;

#[cfg(test)]
mod tests;

pub use choices::ChoiceError;
pub use commands::{CommandRefused, Ticket};
pub use config::{EngineConfig, Identity};
pub use engine::Engine;
pub use offer_sealing::sealed_to_offer;
pub use offering::{NextOffer, OfferEnd, Offering};
pub use ops::StoreOp;
pub use output::{Failure, LaneName, Notice, Output, Request, RequestId, ResponseBody, WriteId};
pub use rekey::successor;
pub use state::{
    GivenUp, Member, Meta, Oversize, PhotoStage, Row, RowKey, ScopeState, Standing, State,
    StoredCommand, StoredPhoto,
};
pub use stride::StrideLimits;
pub use time_proof::{KeptAnchor, WitnessError};
pub use view::{HazardView, InspectionView};
