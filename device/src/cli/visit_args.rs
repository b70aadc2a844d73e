//! The command line's form: what goes with an inspection beside its own steps. The words are in
//! `help_words_visits.rs`.

use clap::Args;
use hazardloop_domain::command::{AttendeeRole, Cadence, InspectionKind, TeamMember, VisitPart};
use hazardloop_domain::geography::Position;
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::time::LocalDate;

use super::inspection_args::{OneInspection, SubjectArgs};
use super::parse;

/// Who inspects, and by what.
#[derive(Debug, Args)]
pub struct PapersArgs {
    /// The others who inspect, by the ids of their accounts.
    #[arg(long, num_args = 1.., value_parser = parse::person)]
    pub with: Vec<PersonId>,
    /// The departments of a joint inspection.
    #[arg(long, num_args = 1..)]
    pub department: Vec<String>,
    /// By what it is made.
    #[arg(long)]
    pub basis: Option<String>,
    /// Why, when a department comes without a plan.
    #[arg(long)]
    pub reason: Option<String>,
    /// Number of the approval.
    #[arg(long)]
    pub approval_no: Option<String>,
    /// Number of the notice.
    #[arg(long)]
    pub notice_no: Option<String>,
}

/// A plan.
#[derive(Debug, Args)]
pub struct VisitPlanArgs {
    /// What kind of inspection.
    #[arg(long, value_parser = parse::inspection_kind)]
    pub kind: InspectionKind,
    /// What is inspected.
    #[command(flatten)]
    pub subject: SubjectArgs,
    /// Where, for a patrol without an enterprise.
    #[arg(long, value_parser = parse::position, allow_hyphen_values = true)]
    pub at: Option<Position>,
    /// The first day.
    #[arg(long, value_parser = parse::date)]
    pub from: LocalDate,
    /// The last day; by default the first.
    #[arg(long, value_parser = parse::date)]
    pub to: Option<LocalDate>,
    /// How often it is made.
    #[arg(long, value_parser = parse::cadence)]
    pub cadence: Option<Cadence>,
    /// Who inspects, and by what.
    #[command(flatten)]
    pub papers: PapersArgs,
}

/// Who was there.
#[derive(Debug, Args)]
pub struct AttendArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneInspection,
    /// Who: NAME, NAME:POST or NAME:POST:PHONE.
    #[arg(long, num_args = 1.., required = true)]
    pub present: Vec<String>,
    /// As what.
    #[arg(long, value_name = "ROLE", value_parser = parse::attendee_role, default_value = "other")]
    pub role: AttendeeRole,
    /// At which part.
    #[arg(long, value_parser = parse::visit_part, default_value = "on_site")]
    pub part: VisitPart,
}

/// An advice that became a hazard.
#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneInspection,
    /// The advice: its place among the findings, from 1, or its id.
    #[arg(long)]
    pub finding: String,
    /// The hazard that was reported upon it.
    #[arg(long)]
    pub hazard: String,
}

/// Who inspects from now on.
#[derive(Debug, Args)]
pub struct TeamArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneInspection,
    /// All who inspect from now on: ids of people, each with `:DEPARTMENT` where it is another's.
    #[arg(long, num_args = 1.., required = true, value_parser = parse::team_member)]
    pub member: Vec<TeamMember>,
    /// Why.
    #[arg(long)]
    pub reason: String,
}

/// A cancellation.
#[derive(Debug, Args)]
pub struct CancelArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneInspection,
    /// Why.
    #[arg(long)]
    pub reason: String,
}
