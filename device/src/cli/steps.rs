//! The command line's form: what each step of a hazard takes. The words are in `help_words.rs`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hazardloop_domain::command::{CriterionRef, PhotoKind, Source};
use hazardloop_domain::geography::Position;
use hazardloop_domain::time::{LocalDate, Timestamp};

use super::args::OneHazard;
use super::parse;

/// A report.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Photos of the hazard.
    #[arg(long, num_args = 1..)]
    pub photo: Vec<PathBuf>,
    /// Where: LON,LAT[@wgs84|cgcs2000|gcj02|bd09][±METRES]; wgs84 is what receivers report.
    #[arg(long, value_parser = parse::position, allow_hyphen_values = true)]
    pub at: Option<Position>,
    /// Which workshop, line, machine.
    #[arg(long)]
    pub place: String,
    /// What is wrong.
    #[arg(long)]
    pub text: String,
    /// Enterprise: id or name; by default the one you belong to.
    #[arg(long)]
    pub enterprise: Option<String>,
    /// A major hazard.
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
    /// What was done at once.
    #[arg(long)]
    pub measure: Option<String>,
}

/// A confirmation.
#[derive(Debug, Args)]
pub struct ConfirmArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneHazard,
    /// A major hazard.
    #[arg(long, conflicts_with = "general")]
    pub major: bool,
    /// A general hazard; by default as reported.
    #[arg(long)]
    pub general: bool,
    /// The criterion: CODE@EDITION.
    #[arg(long, value_parser = parse::criterion)]
    pub criterion: Option<CriterionRef>,
    /// The basis in words, where no criterion fits.
    #[arg(long)]
    pub basis: Option<String>,
    /// Who must correct it.
    #[arg(long)]
    pub responsible: String,
    /// What must be done.
    #[arg(long)]
    pub requirement: String,
    /// The last day: YYYY-MM-DD.
    #[arg(long, value_parser = parse::date)]
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
    /// The correction was false.
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
    /// What was done.
    #[arg(long)]
    pub measures: String,
    /// When it was completed; now by default.
    #[arg(long, value_parser = parse::instant)]
    pub completed_at: Option<Timestamp>,
    /// What it cost, in fen (1/100 CNY).
    #[arg(long, value_parser = parse::whole::<u64>)]
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
    ///.
    #[arg(long)]
    pub opinion: String,
    /// A new working deadline after a return.
    #[arg(long, value_parser = parse::date)]
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
    ///.
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
