//! The command line's form: what is looked up on this device, and what is asked of the server.

use clap::{Args, ValueEnum};
use hazardloop_domain::command::{Grade, Source};
use hazardloop_domain::hazard::StatusName;
use hazardloop_domain::ids::GrantId;
use hazardloop_domain::pack::Cadence;
use hazardloop_domain::search_text::Query;
use hazardloop_domain::time::{LocalDate, Timestamp};

use uuid::Uuid;

use super::parse;
use super::parse_lists::{self, CriterionCode, Frame, Moment, Near};

/// Lines of a list that people are shown where they name no number; programs (`--json`) get all.
pub const LISTED: usize = 200;

/// Criteria that are shown of those that fit a text, where nobody names a number.
pub const FITTING: u32 = 5;

/// Records that are asked of the server where nobody names a number.
pub const ASKED: u32 = 50;

/// In which order hazards are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    /// The newest report first.
    #[default]
    Newest,
    /// The earliest due date in force first; those without one behind them.
    Due,
}

/// Which hazards. All that is given must be met.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only those whose number, description, place or enterprise's name hold all these words.
    #[arg(long, value_name = "TEXT", value_parser = parse::query)]
    pub search: Option<Query>,
    /// In any of these states.
    #[arg(long, num_args = 1.., value_delimiter = ',', value_parser = parse_lists::state)]
    pub state: Vec<StatusName>,
    /// Of this grade.
    #[arg(long, value_parser = parse_lists::grade)]
    pub grade: Option<Grade>,
    /// Past their due date.
    #[arg(long)]
    pub overdue: bool,
    /// Not past their due date, or without one.
    #[arg(long, conflicts_with = "overdue")]
    pub not_overdue: bool,
    /// Of this sector: code, name or alias.
    #[arg(long)]
    pub sector: Option<String>,
    /// Of this enterprise: id or name.
    #[arg(long)]
    pub enterprise: Option<String>,
    /// Of this jurisdiction and all below it: id or name.
    #[arg(long)]
    pub jurisdiction: Option<String>,
    /// Those that meet this criterion: CODE, or CODE@EDITION.
    #[arg(long, value_parser = parse_lists::criterion_code)]
    pub criterion: Option<CriterionCode>,
    /// How it came to be known.
    #[arg(long, value_parser = parse::source)]
    pub source: Option<Source>,
    /// Reported then or later.
    #[arg(long, value_name = "TIME", value_parser = parse_lists::moment)]
    pub since: Option<Moment>,
    /// Reported then or earlier.
    #[arg(long, value_name = "TIME", value_parser = parse_lists::moment)]
    pub until: Option<Moment>,
    /// Due on this day or later.
    #[arg(long, value_name = "DATE", value_parser = parse::date)]
    pub due_from: Option<LocalDate>,
    /// Due on this day or earlier.
    #[arg(long, value_name = "DATE", value_parser = parse::date)]
    pub due_until: Option<LocalDate>,
    /// Around a point: LON,LAT,METRES[@reference].
    #[arg(long, value_parser = parse_lists::near, allow_hyphen_values = true)]
    pub near: Option<Near>,
    /// Between meridians and parallels: WEST,SOUTH,EAST,NORTH[@reference].
    #[arg(long, value_parser = parse_lists::frame, allow_hyphen_values = true,
        conflicts_with = "near")]
    pub bbox: Option<Frame>,
    /// Reported by the person whose device this is.
    #[arg(long)]
    pub mine: bool,
    /// The order.
    #[arg(long, value_enum, default_value_t)]
    pub sort: Sort,
    /// Most hazards that are shown.
    #[arg(long, value_name = "COUNT", value_parser = parse::whole::<u32>)]
    pub limit: Option<u32>,
}

/// Which rectification orders, or which one.
#[derive(Debug, Args)]
pub struct OrdersArgs {
    /// One order, by its hazard.
    #[arg(conflicts_with_all = [
        "grade", "overdue", "not_overdue", "enterprise", "jurisdiction", "limit",
    ])]
    pub hazard: Option<String>,
    /// Of hazards of this grade.
    #[arg(long, value_parser = parse_lists::grade)]
    pub grade: Option<Grade>,
    /// Past their due date.
    #[arg(long)]
    pub overdue: bool,
    /// Not past their due date.
    #[arg(long, conflicts_with = "overdue")]
    pub not_overdue: bool,
    /// To this enterprise: id or name.
    #[arg(long)]
    pub enterprise: Option<String>,
    /// Of this jurisdiction and all below it: id or name.
    #[arg(long)]
    pub jurisdiction: Option<String>,
    /// Most orders that are shown.
    #[arg(long, value_name = "COUNT", value_parser = parse::whole::<u32>)]
    pub limit: Option<u32>,
    /// Asks the server for names and certificates of those who signed.
    #[arg(long, requires = "hazard")]
    pub online: bool,
}

/// What is wrong, in words, or which criteria. All that is given must be met.
#[derive(Debug, Args)]
pub struct CriteriaArgs {
    /// What is wrong, Chinese or English; without it, all that meet the rest, by their codes.
    #[arg(
        required_unless_present_any = ["sector", "standard", "citable", "not_citable", "in_force_on"],
        value_name = "TEXT"
    )]
    pub text: Vec<String>,
    /// Of this sector; with a text it brings its criteria to the front, and excludes none.
    #[arg(long)]
    pub sector: Option<String>,
    /// Of this standard: its code or its number.
    #[arg(long)]
    pub standard: Option<String>,
    /// Those that may be picked as a legal basis.
    #[arg(long)]
    pub citable: bool,
    /// Those that may not.
    #[arg(long, conflicts_with = "citable")]
    pub not_citable: bool,
    /// Those whose standard holds on this day.
    #[arg(long, value_name = "DATE", value_parser = parse::date)]
    pub in_force_on: Option<LocalDate>,
    /// Most criteria that are shown.
    #[arg(long, value_name = "COUNT", value_parser = parse::whole::<u32>)]
    pub limit: Option<u32>,
}

/// Which checklists. All that is given must be met.
#[derive(Debug, Args)]
pub struct ChecklistArgs {
    /// One checklist, to see its items.
    #[arg(value_name = "CODE", conflicts_with_all = ["sector", "site_type", "cadence"])]
    pub code: Option<String>,
    /// Of this sector: code, name or alias.
    #[arg(long)]
    pub sector: Option<String>,
    /// For this kind of site, by its code in the pack; lists for any site are among them.
    #[arg(long, value_name = "CODE")]
    pub site_type: Option<String>,
    /// Gone through this often.
    #[arg(long, value_parser = parse::cadence)]
    pub cadence: Option<Cadence>,
    /// Also editions that a newer version of their pack has no longer.
    #[arg(long)]
    pub retired: bool,
}

/// Which packs.
#[derive(Debug, Args)]
pub struct PacksArgs {
    /// One pack, to see its standards and checklists.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Those of this sector: code, name or alias.
    #[arg(long)]
    pub sector: Option<String>,
}

/// Which hazards that nobody answers for.
#[derive(Debug, Args)]
pub struct UnclaimedArgs {
    /// Of this jurisdiction and all below it: id or name.
    #[arg(long)]
    pub jurisdiction: Option<String>,
    /// Most hazards that are shown.
    #[arg(long, value_name = "COUNT", default_value_t = ASKED, value_parser = parse::whole::<u32>)]
    pub limit: u32,
}

/// Who answers for what, and where.
#[derive(Debug, Args)]
pub struct ResponsibilitiesArgs {
    /// The sector: code, name or alias; without it, all that the jurisdiction itself says.
    #[arg(long)]
    pub sector: Option<String>,
    /// The jurisdiction: id or name; by default the one you belong to.
    #[arg(long)]
    pub jurisdiction: Option<String>,
}

/// Which hand-overs.
#[derive(Debug, Args)]
pub struct HandOversArgs {
    /// Also those between others, as far as the server shows them.
    #[arg(long)]
    pub all: bool,
    /// Most hand-overs that are shown.
    #[arg(long, value_name = "COUNT", default_value_t = ASKED, value_parser = parse::whole::<u32>)]
    pub limit: u32,
}

/// A hand-over to be made.
#[derive(Debug, Args)]
pub struct HandOverArgs {
    /// Whose roles end: login, name or id.
    #[arg(long, value_name = "PERSON")]
    pub from: String,
    /// Who holds them from then on: login, name or id.
    #[arg(long, value_name = "PERSON")]
    pub to: String,
    /// Why, for the record.
    #[arg(long)]
    pub reason: String,
    /// From when on; absent: from now.
    #[arg(long, value_name = "TIME", value_parser = parse::instant)]
    pub at: Option<Timestamp>,
    /// Which grants; absent: all that hold then.
    #[arg(long = "grant", value_name = "ID", value_parser = parse::grant)]
    pub grants: Vec<GrantId>,
    /// The id of a request whose answer was lost: asked again, it is not done twice.
    #[arg(long, value_name = "ID", value_parser = parse::request_id)]
    pub again: Option<Uuid>,
}
