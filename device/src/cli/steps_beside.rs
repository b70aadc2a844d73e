//! The command line's form: what each step beside the main line takes. The words are in
//! `help_words_beside.rs`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hazardloop_domain::command::{CriterionRef, ExpertOpinion, ListingLevel, Milestone};
use hazardloop_domain::time::LocalDate;

use super::args::OneHazard;
use super::parse;

/// What an expert said.
#[derive(Debug, Args)]
pub struct ExpertArgs {
    /// Who.
    #[arg(long, requires = "expert_opinion")]
    pub expert: Option<String>,
    /// The opinion.
    #[arg(long, requires = "expert")]
    pub expert_opinion: Option<String>,
    /// On which day.
    #[arg(long, requires = "expert", value_parser = parse::date)]
    pub expert_on: Option<LocalDate>,
}

impl ExpertArgs {
    /// The opinion, where one is given.
    pub(super) fn opinion(&self) -> Option<ExpertOpinion> {
        let (name, opinion) = self.expert.clone().zip(self.expert_opinion.clone())?;
        Some(ExpertOpinion {
            name,
            opinion,
            given_on: self.expert_on,
        })
    }
}

/// A plan: who does what by when; of a major hazard with the five fulfilments.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneHazard,
    /// 责任: the leader.
    #[arg(long)]
    pub leader: Option<String>,
    /// 职务.
    #[arg(long, requires = "leader")]
    pub leader_post: Option<String>,
    /// Phone.
    #[arg(long, requires = "leader")]
    pub leader_phone: Option<String>,
    /// 责任: who carries it out.
    #[arg(long)]
    pub responsible: String,
    /// 职务.
    #[arg(long)]
    pub responsible_post: Option<String>,
    /// Phone.
    #[arg(long)]
    pub responsible_phone: Option<String>,
    /// 措施: until it is corrected.
    #[arg(long, default_value = "")]
    pub interim: String,
    /// 措施: that correct it.
    #[arg(long)]
    pub permanent: String,
    /// 资金, fen.
    #[arg(long, value_parser = parse::whole::<u64>)]
    pub funds_fen: Option<u64>,
    /// 资金来源.
    #[arg(long, default_value = "")]
    pub funds_source: String,
    /// 时限.
    #[arg(long, value_parser = parse::date)]
    pub due: LocalDate,
    /// 阶段目标: DATE=WHAT.
    #[arg(long, value_parser = parse::milestone)]
    pub milestone: Vec<Milestone>,
    /// 预案.
    #[arg(long, default_value = "")]
    pub contingency: String,
    /// On which day the workers were told.
    #[arg(long, requires = "congress_how", value_parser = parse::date)]
    pub congress_on: Option<LocalDate>,
    /// How.
    #[arg(long, requires = "congress_on")]
    pub congress_how: Option<String>,
    /// 治理目标.
    #[arg(long)]
    pub goal: Option<String>,
    /// Documents, the notice board.
    #[arg(long, num_args = 1..)]
    pub photo: Vec<PathBuf>,
    /// Why there is no photo of the notice board.
    #[arg(long, visible_alias = "no-photo")]
    pub no_photo_reason: Option<String>,
}

/// An application for a later due date.
#[derive(Debug, Args)]
pub struct ExtendArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneHazard,
    /// The last day asked for.
    #[arg(long, value_parser = parse::date)]
    pub until: LocalDate,
    /// Why.
    #[arg(long)]
    pub reason: String,
    /// What keeps it safe until then.
    #[arg(long)]
    pub controls: String,
    /// An expert.
    #[command(flatten)]
    pub expert: ExpertArgs,
}

/// What is decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pending {
    /// A plan.
    Plan,
    /// A later due date.
    Extension,
    /// What waits for a second person.
    Proposal,
    /// Resuming work.
    Resumption,
}

/// A spot check.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("holds").required(true).args(["pass", "fail"]))]
pub struct SpotCheckArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneHazard,
    /// The correction holds.
    #[arg(long)]
    pub pass: bool,
    /// It does not: the hazard is open again.
    #[arg(long)]
    pub fail: bool,
    /// The correction was false.
    #[arg(long, requires = "fail")]
    pub false_closure: bool,
    ///.
    #[arg(long)]
    pub opinion: String,
    /// Photos of the place as it is now.
    #[arg(long, num_args = 1..)]
    pub photo: Vec<PathBuf>,
    /// Why there is none.
    #[arg(long, visible_alias = "no-photo")]
    pub no_photo_reason: Option<String>,
}

/// A decision.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("answer").required(true).args(["yes", "no"]))]
pub struct DecideArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneHazard,
    /// On what.
    #[arg(value_enum)]
    pub what: Pending,
    /// Agreed.
    #[arg(long)]
    pub yes: bool,
    /// Not agreed.
    #[arg(long)]
    pub no: bool,
    ///.
    #[arg(long)]
    pub opinion: String,
    /// Of a resumption: the document's number.
    #[arg(long)]
    pub document_no: Option<String>,
    /// Of a resumption: photos of the review on site.
    #[arg(long, num_args = 1..)]
    pub photo: Vec<PathBuf>,
    /// Of a resumption: why there is none.
    #[arg(long, visible_alias = "no-photo")]
    pub no_photo_reason: Option<String>,
    /// Of a resumption: the day of the review on site.
    #[arg(long, value_parser = parse::date)]
    pub reviewed_on: Option<LocalDate>,
}

/// A change of grade.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("grade").required(true).args(["major", "general"]))]
pub struct GradeArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneHazard,
    /// Major from now on.
    #[arg(long)]
    pub major: bool,
    /// General from now on.
    #[arg(long)]
    pub general: bool,
    /// Why.
    #[arg(long)]
    pub reason: String,
    /// The criterion: CODE@EDITION.
    #[arg(long, value_parser = parse::criterion)]
    pub criterion: Option<CriterionRef>,
    /// The basis in words.
    #[arg(long)]
    pub basis: Option<String>,
    /// An expert.
    #[command(flatten)]
    pub expert: ExpertArgs,
}

/// A merge.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneHazard,
    /// The hazard that goes on.
    #[arg(long, value_name = "HAZARD")]
    pub into: String,
    /// Why.
    #[arg(long)]
    pub reason: String,
}

/// A transfer.
#[derive(Debug, Args)]
pub struct TransferArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneHazard,
    /// The receiving body.
    #[arg(long)]
    pub to: String,
    /// Its jurisdiction, when it works in this system: id or name.
    #[arg(long)]
    pub to_jurisdiction: Option<String>,
    /// Why.
    #[arg(long)]
    pub reason: String,
    /// 移送书 number.
    #[arg(long)]
    pub document_no: Option<String>,
}

/// A receipt for a transfer.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("answer").required(true).args(["yes", "no"]))]
pub struct ReceiveArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneHazard,
    /// Taken over.
    #[arg(long)]
    pub yes: bool,
    /// Sent back.
    #[arg(long)]
    pub no: bool,
    /// 回执 number.
    #[arg(long)]
    pub receipt_no: String,
    /// Why it was sent back, or what was agreed.
    #[arg(long)]
    pub note: Option<String>,
}

/// Listed supervision.
#[derive(Debug, Args)]
pub struct SuperviseArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneHazard,
    /// The level.
    #[arg(long, value_parser = parse::listing_level)]
    pub level: ListingLevel,
    /// 挂牌督办通知书 number.
    #[arg(long)]
    pub document_no: String,
    /// 督办单位.
    #[arg(long)]
    pub authority: String,
    /// 督办要求.
    #[arg(long)]
    pub requirement: String,
    /// 督办期限.
    #[arg(long, value_parser = parse::date)]
    pub deadline: Option<LocalDate>,
}

/// The end of listed supervision.
#[derive(Debug, Args)]
pub struct DelistArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneHazard,
    /// 摘牌 document number.
    #[arg(long)]
    pub document_no: String,
    ///.
    #[arg(long)]
    pub opinion: String,
}

/// An order to stop work.
#[derive(Debug, Args)]
pub struct SuspendArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneHazard,
    /// Document number.
    #[arg(long)]
    pub document_no: String,
    /// Which part of the site, equipment or work.
    #[arg(long)]
    pub scope: String,
    /// The article, and why.
    #[arg(long)]
    pub basis: String,
    /// People are ordered out.
    #[arg(long)]
    pub evacuate: bool,
}

/// An application to resume.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneHazard,
    /// The written application.
    #[arg(long)]
    pub application: String,
    /// 评估.
    #[arg(long)]
    pub assessment: String,
    /// Documents and photos.
    #[arg(long, num_args = 1..)]
    pub photo: Vec<PathBuf>,
}

/// A penalty case.
#[derive(Debug, Args)]
pub struct PenaltyArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneHazard,
    /// 案号.
    #[arg(long)]
    pub case_no: String,
    /// 决定书 number.
    #[arg(long, requires_all = ["decided_on", "result"])]
    pub decision_no: Option<String>,
    /// On which day.
    #[arg(long, requires = "decision_no", value_parser = parse::date)]
    pub decided_on: Option<LocalDate>,
    /// What was decided.
    #[arg(long, requires = "decision_no")]
    pub result: Option<String>,
}

/// Sector and department.
#[derive(Debug, Args)]
pub struct AssignArgs {
    /// Which.
    #[command(flatten)]
    pub which: OneHazard,
    /// 监管行业.
    #[arg(long)]
    pub sector: String,
    /// 主管部门.
    #[arg(long)]
    pub department: String,
    /// 业务相近.
    #[arg(long)]
    pub by_fallback: bool,
}
