//! The command line's form: what is done about commands that took no effect.

use clap::{Args, Subcommand};

/// What took no effect.
#[derive(Debug, Args)]
pub struct AttentionArgs {
    /// Also what is settled.
    #[arg(long)]
    pub all: bool,
    /// What to do about one.
    #[command(subcommand)]
    pub task: Option<AttentionTask>,
}

/// What to do about one.
#[derive(Debug, Subcommand)]
pub enum AttentionTask {
    /// Sends it again as it was.
    Retry(WhichCommand),
    /// Gives it up: it is to have no effect.
    GiveUp(GiveUpCommandArgs),
}

/// One command of this device.
#[derive(Debug, Args)]
pub struct WhichCommand {
    /// Its number in the queue.
    #[arg(allow_negative_numbers = true)]
    pub number: i64,
}

/// Which, and why.
#[derive(Debug, Args)]
pub struct GiveUpCommandArgs {
    /// Which.
    #[command(flatten)]
    pub which: WhichCommand,
    /// Why, for the record.
    #[arg(long)]
    pub reason: String,
}
