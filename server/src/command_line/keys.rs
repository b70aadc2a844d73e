//! `hazardloop keys`: the keys that sign access tokens.

use std::io::Write;

use clap::Subcommand;

use super::TaskError;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::store::Db;
use crate::usecases::sign_in::keys;

/// What to do about the keys.
#[derive(Debug, Subcommand)]
pub enum KeysTask {
    /// Make a new key the active one. Nobody is signed out: tokens of the old key stay valid
    /// until they expire, and running servers notice within seconds.
    Rotate,
}

/// Does it, and says what was done.
///
/// # Errors
/// When the database does not answer, or nobody listens.
pub fn run(
    db: &Db,
    clock: &Clock,
    entropy: &Entropy,
    task: &KeysTask,
    out: &mut dyn Write,
) -> Result<(), TaskError> {
    let KeysTask::Rotate = task;
    let (active, retired) = keys::rotate(db, clock.now(), entropy)?;
    let retired = match retired.as_slice() {
        [] => "none".to_owned(),
        kids => kids.join(", "),
    };
    writeln!(out, "active key: {active}\nretired: {retired}")
        .map_err(TaskError::io("writing what was done"))
}
