//! `hazardloop audit`: check the record of who did what.

use clap::{Args, Subcommand};
use hazardloop_domain::hash::Digest;

use super::{TaskError, print};
use crate::store::Db;
use crate::usecases::audit::{self, AuditReport};

/// What to do about the record.
#[derive(Debug, Subcommand)]
pub enum AuditTask {
    /// Check every event and print the head of the chain, to be kept elsewhere.
    Verify(Verify),
}

/// See [`AuditTask::Verify`].
#[derive(Debug, Args)]
pub struct Verify {
    /// A head that was printed earlier (POSITION:HASH): it must still be in the chain.
    #[arg(long, value_parser = parse_head)]
    pub kept_head: Option<(i64, Digest)>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

fn parse_head(text: &str) -> Result<(i64, Digest), String> {
    let form = "expected POSITION:HASH as `audit verify` prints it";
    let (position, hash) = text.split_once(':').ok_or(form)?;
    let position = position.parse().map_err(|_| form)?;
    let hash = hash.parse().map_err(|_| form)?;
    Ok((position, hash))
}

/// Does it.
pub(super) fn run(db: &Db, task: &AuditTask) -> Result<(), TaskError> {
    let AuditTask::Verify(verify) = task;
    audit::seal_all(db)?;
    let report = audit::verify(db, verify.kept_head)?;
    print(&if verify.json {
        as_json(&report)?
    } else {
        as_text(&report)
    })?;
    match report.faults {
        0 => Ok(()),
        faults => Err(TaskError::FaultsFound(faults)),
    }
}

fn as_json(report: &AuditReport) -> Result<String, TaskError> {
    serde_json::to_string(report)
        .map(|text| text + "\n")
        .map_err(|error| crate::failure::Failure::Internal(error.to_string()).into())
}

fn as_text(report: &AuditReport) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let subject = finding
            .subject_id
            .map(|id| id.to_string())
            .unwrap_or_default();
        text += &format!("{:?}: {subject}: {}\n", finding.fault, finding.detail);
    }
    let listed = report.findings.len() as u64;
    if report.faults > listed {
        text += &format!("and {} more\n", report.faults - listed);
    }
    if report.not_weighed > 0 {
        text += &format!(
            "{} statement(s) about chains are not weighed yet; the server does so while it runs\n",
            report.not_weighed
        );
    }
    text += &format!(
        "{} events checked, {} not yet in the chain, {} fault(s)\nhead {}:{}\n",
        report.events, report.unsealed, report.faults, report.head.position, report.head.hash
    );
    text
}
