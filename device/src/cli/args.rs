//! The command line's form.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use hazardloop_domain::command::{CriterionRef, PhotoKind, Source};
use hazardloop_domain::geography::Position;
use hazardloop_domain::time::{LocalDate, Timestamp};

use super::parse;

/// The language of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// 中文.
    Zh,
    /// English.
    En,
}

/// A field device on the command line 现场设备. Every command but `enroll` works offline.
///
/// Exit codes: 0 done; 1 this device's own disk failed; 2 wrong usage; 3 refused by the rules;
/// 4 the server is not reachable or another process speaks to it (work is kept); 5 something needs a person's attention.
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
    #[arg(long, global = true, hide = true, env = "HAZARDLOOP_TEST_SEED")]
    pub test_seed: Option<u64>,
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
    /// Reports a hazard 上报.
    Report(Box<ReportArgs>),
    /// Confirms a hazard with its due date 核实确认.
    Confirm(ConfirmArgs),
    /// Rejects a report 不予认定.
    Reject(ReasonArgs),
    /// Takes one's own general report back before it is confirmed 撤回.
    Withdraw(ReasonArgs),
    /// Submits a completed rectification 提交整改.
    Fix(FixArgs),
    /// Re-inspects a submission 复查.
    Reinspect(ReinspectArgs),
    /// Closes a hazard 销号.
    Close(OpinionArgs),
    /// Reopens a closed hazard 重新开启.
    Reopen(ReopenArgs),
    /// Adds a note 备注.
    Note(NoteArgs),
    /// Corrects a report 更正.
    Amend(Box<AmendArgs>),
    /// Adds photos 补充照片.
    Attach(AttachArgs),
    /// Records that a photo is lost for good 登记照片遗失.
    LostPhoto(LostPhotoArgs),
    /// Lists the hazards on this device.
    List,
    /// Shows one hazard.
    Show(OneHazard),
    /// Lists queued commands: on this device, arrived, in need of attention.
    Queue,
    /// Says what has not left this device, and when it last met its server.
    Status,
    /// Lists the enterprises on this device.
    Enterprises,
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
}

/// How long to try.
#[derive(Debug, Args)]
pub struct Patience {
    /// Seconds that waiting for a busy server may take altogether.
    #[arg(long, default_value_t = 5)]
    pub wait: u32,
}

/// A hazard: id, number, or the beginning of either where only one fits.
#[derive(Debug, Args)]
pub struct OneHazard {
    /// Id, number like HZ-261122-XXXXXXXX, or the beginning of either.
    pub hazard: String,
}

/// A report.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Photos of the hazard.
    #[arg(long, num_args = 1..)]
    pub photo: Vec<PathBuf>,
    /// Where: LON,LAT[@wgs84|cgcs2000|gcj02|bd09][±METRES]; wgs84 is what receivers report.
    #[arg(long, value_parser = parse::position, allow_hyphen_values = true)]
    pub at: Option<Position>,
    /// Which workshop, line, machine 部位.
    #[arg(long)]
    pub place: String,
    /// What is wrong.
    #[arg(long)]
    pub text: String,
    /// Enterprise: id or name; by default the one you belong to.
    #[arg(long)]
    pub enterprise: Option<String>,
    /// A major hazard 重大事故隐患.
    #[arg(long, conflicts_with = "general")]
    pub major: bool,
    /// A general hazard 一般隐患 (the default).
    #[arg(long)]
    pub general: bool,
    /// How it came to be known; by default what fits your role.
    #[arg(long, value_parser = parse::source)]
    pub source: Option<Source>,
    /// The criterion it meets: CODE@EDITION.
    #[arg(long, value_parser = parse::criterion)]
    pub criterion: Option<CriterionRef>,
    /// When it was found; now by default.
    #[arg(long, value_parser = parse::instant)]
    pub found_at: Option<Timestamp>,
    /// Why there is no photo.
    #[arg(long, visible_alias = "no-photo")]
    pub no_photo_reason: Option<String>,
    /// What was done at once 临时措施.
    #[arg(long)]
    pub measure: Option<String>,
}

/// A confirmation.
#[derive(Debug, Args)]
pub struct ConfirmArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneHazard,
    /// A major hazard 重大事故隐患.
    #[arg(long, conflicts_with = "general")]
    pub major: bool,
    /// A general hazard 一般隐患; by default as reported.
    #[arg(long)]
    pub general: bool,
    /// The criterion: CODE@EDITION.
    #[arg(long, value_parser = parse::criterion)]
    pub criterion: Option<CriterionRef>,
    /// The basis in words, where no criterion fits.
    #[arg(long)]
    pub basis: Option<String>,
    /// Who must correct it 整改责任人.
    #[arg(long)]
    pub responsible: String,
    /// What must be done 整改要求.
    #[arg(long)]
    pub requirement: String,
    /// The last day: YYYY-MM-DD 整改期限.
    #[arg(long)]
    pub due: LocalDate,
}

/// A step that takes a reason.
#[derive(Debug, Args)]
pub struct ReasonArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneHazard,
    /// Why.
    #[arg(long)]
    pub reason: String,
}

/// A reopening.
#[derive(Debug, Args)]
pub struct ReopenArgs {
    /// Which, and why.
    #[command(flatten)]
    pub reason: ReasonArgs,
    /// The correction was false 虚假整改.
    #[arg(long)]
    pub false_closure: bool,
}

/// A rectification.
#[derive(Debug, Args)]
pub struct FixArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneHazard,
    /// Photos after the correction.
    #[arg(long, num_args = 1..)]
    pub photo: Vec<PathBuf>,
    /// What was done 整改措施.
    #[arg(long)]
    pub measures: String,
    /// When it was completed; now by default.
    #[arg(long, value_parser = parse::instant)]
    pub completed_at: Option<Timestamp>,
    /// What it cost 整改资金, in fen (1/100 CNY).
    #[arg(long)]
    pub cost_fen: Option<u64>,
}

/// A re-inspection.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("verdict").required(true).args(["pass", "return_"]))]
pub struct ReinspectArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneHazard,
    /// It is corrected.
    #[arg(long)]
    pub pass: bool,
    /// It is not.
    #[arg(long = "return")]
    pub return_: bool,
    /// 复查意见.
    #[arg(long)]
    pub opinion: String,
    /// A new working deadline after a return.
    #[arg(long)]
    pub due: Option<LocalDate>,
    /// The inspector's own photos.
    #[arg(long, num_args = 1..)]
    pub photo: Vec<PathBuf>,
}

/// A step that takes an opinion.
#[derive(Debug, Args)]
pub struct OpinionArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneHazard,
    /// 销号意见.
    #[arg(long)]
    pub opinion: String,
}

/// A note.
#[derive(Debug, Args)]
pub struct NoteArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneHazard,
    /// The note.
    #[arg(long)]
    pub text: String,
}

/// An amendment.
#[derive(Debug, Args)]
pub struct AmendArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneHazard,
    /// New description.
    #[arg(long)]
    pub text: Option<String>,
    /// New place within the site.
    #[arg(long)]
    pub place: Option<String>,
    /// New position, as in `report`.
    #[arg(long, value_parser = parse::position, allow_hyphen_values = true)]
    pub at: Option<Position>,
    /// New immediate measure.
    #[arg(long)]
    pub measure: Option<String>,
    /// The enterprise, once known: id or name.
    #[arg(long)]
    pub enterprise: Option<String>,
}

/// What a photo shows.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Shows {
    /// The hazard before it is corrected.
    Before,
    /// The same place after the correction.
    After,
    /// The surroundings, documents, labels.
    Scene,
}

impl From<Shows> for PhotoKind {
    fn from(shows: Shows) -> Self {
        match shows {
            Shows::Before => Self::Before,
            Shows::After => Self::After,
            Shows::Scene => Self::Scene,
        }
    }
}

/// Photos to add.
#[derive(Debug, Args)]
pub struct AttachArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneHazard,
    /// The photos.
    #[arg(long, num_args = 1.., required = true)]
    pub photo: Vec<PathBuf>,
    /// What they show.
    #[arg(long, value_enum, default_value_t = Shows::Scene)]
    pub kind: Shows,
}

/// A lost photo.
#[derive(Debug, Args)]
pub struct LostPhotoArgs {
    /// Which, and why.
    #[command(flatten)]
    pub reason: ReasonArgs,
    /// The photo's SHA-256, or its beginning where only one fits.
    #[arg(long)]
    pub photo: String,
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
