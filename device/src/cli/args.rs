//! The command line's form. The words that people read are in `help_words.rs`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::EngineConfig;

use super::attention_args::AttentionArgs;
use super::cosign_args::{CosignTask, PinKeyTask, Signing};
use super::inspection_args::{InspectTask, SelfCheckArgs};
use super::list_args::{
    ChecklistArgs, CriteriaArgs, HandOverArgs, HandOversArgs, ListArgs, OrdersArgs, PacksArgs,
    ResponsibilitiesArgs, UnclaimedArgs,
};
use super::lock_args::{LockTask, Unlocking, WipeArgs};
use super::parse;
use super::steps::{
    AmendArgs, AttachArgs, ConfirmArgs, FixArgs, LostPhotoArgs, NoteArgs, OpinionArgs, ReasonArgs,
    ReinspectArgs, ReopenArgs, ReportArgs,
};
use super::steps_beside::{
    AssignArgs, DecideArgs, DelistArgs, ExtendArgs, GradeArgs, MergeArgs, PenaltyArgs, PlanArgs,
    ReceiveArgs, ResumeArgs, SpotCheckArgs, SuperviseArgs, SuspendArgs, TransferArgs,
};
use super::witness::WitnessTask;

/// The language of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// 中文.
    Zh,
    /// English.
    En,
}

impl Language {
    /// The language that a text like `zh`, `zh_CN.UTF-8` or `C` names.
    pub fn of(text: &str) -> Self {
        match text.to_ascii_lowercase().starts_with("zh") {
            true => Self::Zh,
            false => Self::En,
        }
    }
}

/// A field device on the command line. Every command but enrolment and sync works offline.
#[derive(Debug, Parser)]
#[command(name = "hazardloop-device", version)]
pub struct Arguments {
    /// Where this device keeps its things.
    #[arg(
        long,
        global = true,
        env = "HAZARDLOOP_DEVICE_HOME",
        default_value = ".hazardloop-device"
    )]
    pub home: PathBuf,
    /// Base address of the server, where several are enrolled.
    #[arg(long, global = true)]
    pub server: Option<String>,
    /// The name to sign in with, where several are enrolled.
    #[arg(long, global = true)]
    pub user: Option<String>,
    /// Language of messages: zh or en.
    #[arg(long, global = true, env = "LANG", default_value = "en", value_parser = parse::language)]
    pub lang: Language,
    /// Answers as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// A fixed clock for reproducible runs (RFC 3339); tests only.
    #[arg(long, global = true, hide = true, env = "HAZARDLOOP_TEST_NOW", value_parser = parse::instant)]
    pub test_now: Option<Timestamp>,
    /// A fixed seed for reproducible runs; tests only: keys made from it are no secret.
    #[arg(long, global = true, hide = true, env = "HAZARDLOOP_TEST_SEED",
        value_parser = parse::whole::<u64>)]
    pub test_seed: Option<u64>,
    /// The command that took no effect and whose place this one takes.
    #[arg(
        long,
        global = true,
        value_name = "NUMBER",
        allow_negative_numbers = true
    )]
    pub instead_of: Option<i64>,
    /// Who else signs a step.
    #[command(flatten)]
    pub signing: Signing,
    /// What unlocks this device.
    #[command(flatten)]
    pub unlocking: Unlocking,
    /// What to do.
    #[command(subcommand)]
    pub task: Task,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// Registers this device for one person (needs the server).
    Enroll(Enroll),
    /// Brings the records up to date.
    Pull(Patience),
    /// Sends queued commands.
    Push(Patience),
    /// Sends commands and photos and brings the records up to date, until quiet or a failure.
    Sync(Patience),
    /// Reports a hazard.
    Report(Box<ReportArgs>),
    /// Confirms a hazard with its due date.
    Confirm(Box<ConfirmArgs>),
    /// Rejects a report.
    Reject(ReasonArgs),
    /// Takes one's own general report back before it is confirmed.
    Withdraw(ReasonArgs),
    /// Hands in the plan of a correction.
    Plan(Box<PlanArgs>),
    /// Asks for a later due date.
    Extend(Box<ExtendArgs>),
    /// Decides on what waits: a plan, an extension, a proposal, resuming work.
    Decide(Box<DecideArgs>),
    /// Changes the grade.
    Grade(Box<GradeArgs>),
    /// Submits a completed rectification.
    Fix(Box<FixArgs>),
    /// Re-inspects a submission.
    Reinspect(Box<ReinspectArgs>),
    /// Closes a hazard.
    Close(OpinionArgs),
    /// Reopens a closed hazard.
    Reopen(ReopenArgs),
    /// Looks at a closed hazard again.
    SpotCheck(Box<SpotCheckArgs>),
    /// Says that a report repeats another.
    Merge(MergeArgs),
    /// Hands a hazard to another body.
    Transfer(Box<TransferArgs>),
    /// Records the receipt for a transfer.
    Receive(ReceiveArgs),
    /// Puts a hazard under listed supervision.
    Supervise(Box<SuperviseArgs>),
    /// Takes it off the list.
    Delist(DelistArgs),
    /// Orders work to stop.
    Suspend(Box<SuspendArgs>),
    /// Asks to resume.
    Resume(Box<ResumeArgs>),
    /// Notes a penalty case.
    Penalty(Box<PenaltyArgs>),
    /// Says which sector and department a hazard belongs to.
    Assign(AssignArgs),
    /// Adds a note.
    Note(NoteArgs),
    /// Corrects a report.
    Amend(Box<AmendArgs>),
    /// Adds photos.
    Attach(AttachArgs),
    /// Records that a photo is lost for good.
    LostPhoto(LostPhotoArgs),
    /// Photos on this device: list, give up, try again.
    #[command(subcommand)]
    Photo(PhotoTask),
    /// Hands in a whole self-check.
    SelfCheck(Box<SelfCheckArgs>),
    /// Inspections: begin, record, sign, complete, list, show.
    #[command(subcommand)]
    Inspect(InspectTask),
    /// Signing together: show, sign, queue.
    #[command(subcommand)]
    Cosign(CosignTask),
    /// Witnessing each other: show, take.
    #[command(subcommand)]
    Witness(WitnessTask),
    /// People who sign here with a PIN: add, list, remove.
    #[command(subcommand)]
    PinKey(PinKeyTask),
    /// What unlocks this device: status, pin, key-file.
    #[command(subcommand)]
    Lock(LockTask),
    /// Deletes one person's work and keys from this device.
    Wipe(WipeArgs),
    /// Lists the hazards on this device.
    List(Box<ListArgs>),
    /// Shows one hazard.
    Show(ShowArgs),
    /// Lists the rectification orders in force, or shows one.
    Orders(OrdersArgs),
    /// Lists what took no effect, and settles it: sent again, given up.
    Attention(AttentionArgs),
    /// Lists queued commands: on this device, arrived, in need of attention.
    Queue,
    /// Says what has not left this device, and when it last met its server.
    Status,
    /// Lists the enterprises on this device.
    Enterprises,
    /// Finds the criteria that fit what is wrong.
    Criteria(CriteriaArgs),
    /// Lists the checklists on this device, or the items of one.
    Checklists(ChecklistArgs),
    /// Lists the packs on this device, or the standards and checklists of one.
    Packs(PacksArgs),
    /// Looks hazards up that are not on this device (needs the server).
    Find(ListArgs),
    /// Lists hazards that nobody answers for (needs the server).
    Unclaimed(UnclaimedArgs),
    /// Says which department answers for what (needs the server).
    Responsibilities(ResponsibilitiesArgs),
    /// Lists hand-overs of roles (needs the server).
    HandOvers(HandOversArgs),
    /// Hands roles over from one person to another (needs the server).
    HandOver(HandOverArgs),
}

/// Enrolment.
#[derive(Debug, Args)]
pub struct Enroll {
    /// A file that holds the password.
    #[arg(long)]
    pub password_file: Option<PathBuf>,
    /// The password (better: --password-file, or none and it is asked for).
    #[arg(long, env = "HAZARDLOOP_PASSWORD", hide_env_values = true, hide = true)]
    pub password: Option<String>,
    /// How people call this device.
    #[arg(long, default_value = "hazardloop-device")]
    pub name: String,
    /// Also beside somebody whose work no PIN guards.
    #[arg(long)]
    pub unguarded: bool,
}

/// How long to try, and what is kept afterwards.
#[derive(Debug, Args)]
pub struct Patience {
    /// Seconds that waiting for a busy server may take altogether.
    #[arg(long, default_value = "5", value_parser = parse::whole::<u32>)]
    pub wait: u32,
    /// How long commands that took effect are kept.
    #[arg(long, value_name = "DAYS", default_value = "30", value_parser = parse::whole::<u16>)]
    pub keep_days: u16,
    /// How many of them are kept.
    #[arg(long, value_name = "COUNT", default_value = "2000", value_parser = parse::whole::<u32>)]
    pub keep_commands: u32,
}

impl Patience {
    /// The engine's settings with what is given here.
    pub(super) fn config(&self, usual: EngineConfig) -> EngineConfig {
        EngineConfig {
            keep_settled_ms: i64::from(self.keep_days) * 24 * 3_600_000,
            keep_settled: usize::try_from(self.keep_commands).unwrap_or(usize::MAX),
            ..usual
        }
    }
}

/// A hazard: id, number, or the beginning of either where only one fits.
#[derive(Debug, Args)]
pub struct OneHazard {
    /// Id, number like HZ-261122-XXXXXXXX, or the beginning of either.
    pub hazard: String,
}

/// Which hazard is shown, and what of it.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneHazard,
    /// Also what the server knows of when it was reported.
    #[arg(long)]
    pub online: bool,
}

/// What to do about photos.
#[derive(Debug, Subcommand)]
pub enum PhotoTask {
    /// Lists the photos that are kept here.
    List,
    /// Stops trying to deliver a photo.
    GiveUp(GiveUpArgs),
    /// Tries again, also after giving up.
    Retry(RetryArgs),
}

/// Giving up.
#[derive(Debug, Args)]
pub struct GiveUpArgs {
    /// SHA-256, or its beginning where only one fits.
    #[arg(value_name = "SHA256")]
    pub sha256: String,
    /// Why.
    #[arg(long)]
    pub reason: String,
    /// Deletes the bytes from this device, for good.
    #[arg(long)]
    pub delete: bool,
}

/// Trying again.
#[derive(Debug, Args)]
pub struct RetryArgs {
    /// SHA-256, or its beginning where only one fits.
    #[arg(value_name = "SHA256")]
    pub sha256: String,
    /// A file that holds the same photo, where the copy here is damaged.
    #[arg(long)]
    pub file: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn the_form_of_the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Arguments::command().debug_assert();
    }
}
