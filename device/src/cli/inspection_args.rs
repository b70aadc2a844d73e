//! The command line's form: inspections and self-checks. The words are in `help_words.rs`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hazardloop_domain::command::{Cadence, ChecklistRef, Handling, InspectionKind, ItemOutcome};
use hazardloop_domain::geography::Position;

use super::parse;
use super::visit_args::{AttendArgs, CancelArgs, ConvertArgs, PapersArgs, TeamArgs, VisitPlanArgs};

/// What to do about inspections.
#[derive(Debug, Subcommand)]
pub enum InspectTask {
    /// Plans an inspection.
    Plan(Box<VisitPlanArgs>),
    /// Begins an inspection, planned or not.
    Start(Box<StartArgs>),
    /// Records results of checklist items.
    Result(ResultArgs),
    /// Names a hazard, or an expert's advice, that it led to.
    Finding(FindingArgs),
    /// Signs, or records a representative's signature.
    Sign(SignArgs),
    /// Records that the enterprise refused to sign.
    Refuse(RefuseArgs),
    /// Records who was there.
    Attend(AttendArgs),
    /// Says which hazard an advice has become.
    Convert(ConvertArgs),
    /// Completes an inspection.
    Complete(CompleteArgs),
    /// Changes who inspects.
    Team(TeamArgs),
    /// Cancels an inspection that has not begun.
    Cancel(CancelArgs),
    /// Lists the inspections on this device.
    List,
    /// Shows one inspection.
    Show(OneInspection),
}

/// An inspection: id, number, or the beginning of either where only one fits.
#[derive(Debug, Args)]
pub struct OneInspection {
    /// Id, number like IN-261122-XXXXXXXX, or the beginning of either.
    pub inspection: String,
}

/// Which enterprise and which checklists.
#[derive(Debug, Args)]
pub struct SubjectArgs {
    /// Enterprise: id or name; by default the one you belong to.
    #[arg(long)]
    pub enterprise: Option<String>,
    /// Checklists: CODE@EDITION.
    #[arg(long, num_args = 1.., value_parser = parse::checklist)]
    pub checklist: Vec<ChecklistRef>,
    /// Items that must have a result, of the first checklist.
    #[arg(long, num_args = 1..)]
    pub must: Vec<String>,
}

/// The same, and where.
#[derive(Debug, Args)]
pub struct WhatArgs {
    /// What is inspected.
    #[command(flatten)]
    pub subject: SubjectArgs,
    /// Which workshop, line, machine.
    #[arg(long)]
    pub place: String,
}

/// Results of items.
#[derive(Debug, Args)]
pub struct Outcomes {
    /// Items that are as they should be: ITEM, or CHECKLIST:ITEM.
    #[arg(long, num_args = 1..)]
    pub ok: Vec<String>,
    /// Items that are not: ITEM=NOTE.
    #[arg(long, num_args = 1..)]
    pub not_ok: Vec<String>,
    /// Items that do not apply here.
    #[arg(long, num_args = 1..)]
    pub not_applicable: Vec<String>,
    /// Items that were not checked.
    #[arg(long, num_args = 1..)]
    pub not_checked: Vec<String>,
    /// Photos of the items that are not as they should be.
    #[arg(long, num_args = 1..)]
    pub photo: Vec<PathBuf>,
}

impl Outcomes {
    /// Each item as written, with what came of it.
    pub(super) fn all(&self) -> Vec<(&str, ItemOutcome)> {
        let groups = [
            (&self.ok, ItemOutcome::Ok),
            (&self.not_ok, ItemOutcome::NotOk),
            (&self.not_applicable, ItemOutcome::NotApplicable),
            (&self.not_checked, ItemOutcome::NotChecked),
        ];
        groups
            .into_iter()
            .flat_map(|(items, outcome)| items.iter().map(move |item| (item.as_str(), outcome)))
            .collect()
    }
}

/// A whole self-check.
#[derive(Debug, Args)]
pub struct SelfCheckArgs {
    /// What is checked.
    #[command(flatten)]
    pub what: WhatArgs,
    /// How often it is made.
    #[arg(long, value_parser = parse::cadence)]
    pub cadence: Cadence,
    /// What came of the items.
    #[command(flatten)]
    pub outcomes: Outcomes,
    /// Hazards that were reported from it.
    #[arg(long, num_args = 1..)]
    pub finding: Vec<String>,
    /// The state of things in words.
    #[arg(long)]
    pub situation: String,
    /// Nothing was found.
    #[arg(long)]
    pub nothing_found: bool,
}

/// A beginning.
#[derive(Debug, Args)]
pub struct StartArgs {
    /// The planned inspection; none: it was not planned, and --kind says what it is.
    pub inspection: Option<String>,
    /// What kind of inspection.
    #[arg(long, value_parser = parse::inspection_kind)]
    pub kind: Option<InspectionKind>,
    /// What is inspected.
    #[command(flatten)]
    pub what: WhatArgs,
    /// Where, as measured.
    #[arg(long, value_parser = parse::position, allow_hyphen_values = true)]
    pub at: Option<Position>,
    /// Who inspects, and by what.
    #[command(flatten)]
    pub papers: PapersArgs,
    /// Certificates were shown.
    #[arg(long)]
    pub certificates_shown: bool,
    /// Rights were told.
    #[arg(long)]
    pub rights_told: bool,
    /// Who of the enterprise is there: NAME, NAME:POST or NAME:POST:PHONE; the first is the one in charge.
    #[arg(long, num_args = 1..)]
    pub present: Vec<String>,
}

/// Results.
#[derive(Debug, Args)]
pub struct ResultArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneInspection,
    /// What came of the items.
    #[command(flatten)]
    pub outcomes: Outcomes,
}

/// A finding.
#[derive(Debug, Args)]
pub struct FindingArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneInspection,
    /// The hazard that was reported.
    #[arg(long, conflicts_with = "advice", required_unless_present = "advice")]
    pub hazard: Option<String>,
    /// An expert's advice.
    #[arg(long)]
    pub advice: Option<String>,
    /// The item that showed it.
    #[arg(long)]
    pub item: Option<String>,
    /// What was ordered or done.
    #[arg(long, value_parser = parse::handling)]
    pub handling: Option<Handling>,
}

/// A signature.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneInspection,
    /// Name of a representative without an account, who signs on this device.
    #[arg(long, requires = "post")]
    pub name: Option<String>,
    /// Their post.
    #[arg(long, requires = "name")]
    pub post: Option<String>,
    /// Photo of their handwritten signature.
    #[arg(long, value_name = "FILE", requires = "name")]
    pub photo: Option<PathBuf>,
}

/// A refusal to sign.
#[derive(Debug, Args)]
pub struct RefuseArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneInspection,
    /// Why they refused.
    #[arg(long)]
    pub reason: String,
    /// Who refused.
    #[arg(long)]
    pub name: Option<String>,
    /// Who witnessed it.
    #[arg(long)]
    pub witness: String,
}

/// A completion.
#[derive(Debug, Args)]
pub struct CompleteArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneInspection,
    /// The state of things in words.
    #[arg(long)]
    pub situation: String,
    /// Nothing was found.
    #[arg(long)]
    pub nothing_found: bool,
}
