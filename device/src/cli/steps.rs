//! The command line's form: what each step of a hazard takes. The words are in `help_words.rs`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hazardloop_domain::command::{
    CriterionRef, HazardDomain, ItemResult, Period, PhotoKind, ReopenCause, Source,
};
use hazardloop_domain::geography::Position;
use hazardloop_domain::time::{LocalDate, Timestamp};

use super::args::OneHazard;
use super::parse;
use super::steps_beside::ExpertArgs;

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
    /// The closed hazard that it repeats.
    #[arg(long, value_name = "HAZARD")]
    pub recurrence_of: Option<String>,
    /// Corrected on the spot.
    #[command(flatten)]
    pub fixed: FixedArgs,
    /// What kind of hazard it is.
    #[command(flatten)]
    pub nature: NatureArgs,
}

/// 即查即改: what was done on the spot.
#[derive(Debug, Args)]
pub struct FixedArgs {
    /// It was corrected on the spot.
    #[arg(long, requires_all = ["fixed_photo", "fixed_measures", "fixed_by"])]
    pub fixed_on_spot: bool,
    /// Photos after the correction.
    #[arg(long, num_args = 1.., requires = "fixed_on_spot")]
    pub fixed_photo: Vec<PathBuf>,
    /// What was done.
    #[arg(long, requires = "fixed_on_spot")]
    pub fixed_measures: Option<String>,
    /// Who did it.
    #[arg(long, requires = "fixed_on_spot")]
    pub fixed_by: Option<String>,
    /// When; now by default.
    #[arg(long, requires = "fixed_on_spot", value_parser = parse::instant)]
    pub fixed_at: Option<Timestamp>,
    /// What it cost, in fen (1/100 CNY).
    #[arg(long, requires = "fixed_on_spot", value_parser = parse::whole::<u64>)]
    pub fixed_cost_fen: Option<u64>,
}

/// What kind of hazard it is, and what may come of it.
#[derive(Debug, Args)]
pub struct NatureArgs {
    /// Which side of safety.
    #[arg(long, value_parser = parse::domain)]
    pub domain: Option<HazardDomain>,
    /// 隐患类别.
    #[arg(long)]
    pub category: Option<String>,
    /// 可能事故类型.
    #[arg(long)]
    pub accident_type: Option<String>,
    /// 产生原因.
    #[arg(long)]
    pub cause: Option<String>,
    /// 危害程度.
    #[arg(long)]
    pub consequence: Option<String>,
    /// 整改难易程度.
    #[arg(long)]
    pub difficulty: Option<String>,
    /// 风险点.
    #[arg(long)]
    pub risk_point: Option<String>,
}

/// A confirmation.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("deadline").required(true).args(["due", "within"]))]
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
    pub due: Option<LocalDate>,
    /// So many calendar or working days from today: 10d, 10wd.
    #[arg(long, value_parser = parse::period)]
    pub within: Option<Period>,
    /// The rule that set the number of days.
    #[arg(long, requires = "within")]
    pub rule: Option<String>,
    /// The unit that must correct it, where it is not the enterprise itself.
    #[arg(long)]
    pub unit: Option<String>,
    /// 隐患类别; needed where the report names none.
    #[arg(long)]
    pub category: Option<String>,
    /// An expert.
    #[command(flatten)]
    pub expert: ExpertArgs,
    /// How the enterprise took the order.
    #[command(flatten)]
    pub served: ServedArgs,
}

/// How a representative of the enterprise took a document.
#[derive(Debug, Args)]
pub struct ServedArgs {
    /// To whom it was handed.
    #[arg(long)]
    pub served_by: Option<String>,
    /// Their post.
    #[arg(long, requires = "served_by")]
    pub served_post: Option<String>,
    /// A photo of the handwritten signature, or the SHA-256 of one in the record.
    #[arg(long, requires = "served_by", conflicts_with = "refused")]
    pub signature: Option<PathBuf>,
    /// Why it was not signed.
    #[arg(long, requires = "served_by")]
    pub refused: Option<String>,
    /// Who saw that it was not.
    #[arg(long, requires = "refused")]
    pub witness: Option<String>,
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
    /// What led to it.
    #[arg(long, value_parser = parse::reopen_cause)]
    pub cause: Option<ReopenCause>,
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
    /// Which photo after shows the place of which before: BEFORE=AFTER.
    #[arg(long, value_parser = parse::pair)]
    pub pair: Vec<parse::Pair>,
    /// Who accepted it for the enterprise.
    #[arg(long, num_args = 1.., requires = "acceptance")]
    pub accepted_by: Vec<String>,
    /// Their opinion.
    #[arg(long, requires = "accepted_by")]
    pub acceptance: Option<String>,
    /// On which day; today by default.
    #[arg(long, requires = "accepted_by", value_parser = parse::date)]
    pub accepted_on: Option<LocalDate>,
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
    /// Why there is none.
    #[arg(long, visible_alias = "no-photo")]
    pub no_photo_reason: Option<String>,
    /// 整改复查意见书 number.
    #[arg(long)]
    pub document_no: Option<String>,
    /// The result item by item: ITEM=pass|fail[:NOTE].
    #[arg(long, value_parser = parse::item)]
    pub item: Vec<ItemResult>,
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
    /// The surroundings, labels.
    Scene,
    /// A document.
    Document,
    /// A handwritten signature.
    Signature,
}

impl From<Shows> for PhotoKind {
    fn from(shows: Shows) -> Self {
        match shows {
            Shows::Before => Self::Before,
            Shows::After => Self::After,
            Shows::Scene => Self::Scene,
            Shows::Document => Self::Document,
            Shows::Signature => Self::Signature,
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
