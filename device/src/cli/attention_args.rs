//! The command line's form: what is done about commands that took no effect.

use clap::{Args, Subcommand};
use uuid::Uuid;

/// What took no effect.
#[derive(Debug, Args)]
pub struct AttentionArgs {
    /// Also what is settled.
    #[arg(long)]
    pub all: bool,
    /// What the owner's other devices sent too, asked of the server.
    #[arg(long)]
    pub online: bool,
    /// What to do about one.
    #[command(subcommand)]
    pub task: Option<AttentionTask>,
}

impl AttentionArgs {
    /// Whether the server is asked.
    pub fn asks(&self) -> bool {
        match &self.task {
            None => self.online,
            Some(AttentionTask::Retry(which)) => which.of.is_some(),
            Some(AttentionTask::GiveUp(args)) => args.which.of.is_some(),
        }
    }
}

/// What to do about one.
#[derive(Debug, Subcommand)]
pub enum AttentionTask {
    /// Sends it again as it was.
    Retry(WhichCommand),
    /// Gives it up: it is to have no effect.
    GiveUp(GiveUpCommandArgs),
}

/// One command of this device, or of another device of its owner.
#[derive(Debug, Args)]
pub struct WhichCommand {
    /// Its number in the queue.
    #[arg(allow_negative_numbers = true)]
    pub number: i64,
    /// The device that sent it, where it is another one: `attention --online` shows which.
    #[arg(long, value_name = "DEVICE")]
    pub of: Option<Uuid>,
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
