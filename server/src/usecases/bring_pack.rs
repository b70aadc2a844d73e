//! A pack that an administrator brings as an archive: tried out, or added whole. What is wrong with
//! its files is told all at once, and so is what the packs that are here stand against.

use std::sync::Arc;

use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::operations::Operation;
use hazardloop_domain::pack::{self, Pack};
use serde::Serialize;

use super::enterprises::wake;
use super::jurisdictions::encoded;
use super::packs::{self, Added, Weighed};
use super::whole_tree;
use crate::app::App;
use crate::failure::{Failure, PackRefused};
use crate::settings::PackLimits;
use crate::tables;

/// What is wrong with one place of a pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct PackProblem {
    /// The file, within the folder of packs.
    #[schema(example = "town-gas/criteria.tsv")]
    pub file: String,
    /// The line, from 1; absent: the file as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Why.
    #[schema(example = "edition: \"x\" is not a whole number from 1")]
    pub reason: String,
}

/// What becomes of a pack that is brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PackOutcome {
    /// It is new here: added, or would be.
    Added,
    /// This very version is here already.
    Known,
    /// It would not be taken; of a dry run alone.
    Refused,
}

/// A version of a pack in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PackSummary {
    /// Its name.
    #[schema(example = "town-gas")]
    pub name: String,
    /// The version.
    pub version: u32,
    /// Title.
    pub title_zh: String,
    /// The same in English.
    pub title_en: String,
    /// SHA-256 of the whole version.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// Criteria in it.
    pub criteria: usize,
    /// Checklists in it.
    pub checklists: usize,
}

/// What bringing a pack did, or would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PackReport {
    /// Whether this was only to see what would happen.
    pub dry_run: bool,
    /// What becomes of it.
    pub outcome: PackOutcome,
    /// The pack, where its files could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pack: Option<PackSummary>,
    /// How much is wrong with its files.
    pub errors: u32,
    /// What, up to a limit.
    pub problems: Vec<PackProblem>,
    /// What stands against it here although its files are right.
    pub conflicts: Vec<String>,
}

impl PackReport {
    fn of(pack: &Pack, outcome: PackOutcome, dry_run: bool) -> Result<Self, Failure> {
        let head = &pack.head;
        Ok(Self {
            dry_run,
            outcome,
            pack: Some(PackSummary {
                name: head.name.clone(),
                version: head.version,
                title_zh: head.title_zh.clone(),
                title_en: head.title_en.clone(),
                digest: Digest::sha256(&encoded(pack)?),
                criteria: pack.criteria.len(),
                checklists: pack.checklists.len(),
            }),
            errors: 0,
            problems: Vec::new(),
            conflicts: Vec::new(),
        })
    }
}

/// Refuses unless the person may add packs: before a file is even read.
///
/// # Errors
/// [`Failure::Forbidden`].
pub async fn require_keeper(app: &App, person_id: PersonId) -> Result<(), Failure> {
    let now = app.clock.now();
    let read = app
        .db
        .read(move |tx| whole_tree::require(tx.conn(), person_id, Operation::ManagePacks, now));
    read.await
}

/// Says what adding this archive would do, and stores nothing.
///
/// # Errors
/// [`Failure::Invalid`] and [`Failure::TooLarge`] for what is no archive of one folder within the
/// limits; what is wrong with its files is in the report.
pub async fn try_out(
    app: &App,
    person_id: PersonId,
    bytes: Vec<u8>,
) -> Result<PackReport, Failure> {
    require_keeper(app, person_id).await?;
    let pack = match read(app, bytes).await {
        Ok(pack) => pack,
        Err(Failure::Pack(refused)) => {
            return Ok(PackReport {
                dry_run: true,
                outcome: PackOutcome::Refused,
                pack: None,
                errors: refused.errors,
                problems: refused.problems,
                conflicts: Vec::new(),
            });
        }
        Err(other) => return Err(other),
    };
    let weighed = {
        let (pack, now) = (Arc::clone(&pack), app.clock.now());
        let read = app.db.read(move |tx| packs::weigh(tx.conn(), &pack, now));
        read.await?
    };
    let (outcome, conflicts) = match weighed {
        Weighed::Known => (PackOutcome::Known, Vec::new()),
        Weighed::New(_) => (PackOutcome::Added, Vec::new()),
        Weighed::Against(conflicts) => (PackOutcome::Refused, conflicts),
    };
    Ok(PackReport {
        conflicts,
        ..PackReport::of(&pack, outcome, true)?
    })
}

/// Adds the pack of this archive, all of it or nothing. Sent again it changes nothing.
///
/// # Errors
/// [`Failure::Forbidden`] unless the person administers the whole installation; [`Failure::Pack`]
/// when anything is wrong with its files; as [`packs::add`] and [`try_out`].
pub async fn add(app: &App, person_id: PersonId, bytes: Vec<u8>) -> Result<PackReport, Failure> {
    // Before the one writer is asked for: what cannot be read keeps nobody waiting.
    let pack = read(app, bytes).await?;
    let (shared, adding) = (app.clone(), Arc::clone(&pack));
    let added = app.db.write(move |tx| {
        let now = shared.clock.now();
        whole_tree::require(tx.conn(), person_id, Operation::ManagePacks, now)?;
        let added = packs::add(tx, &shared.digest_key, &adding, Some(person_id), now)?;
        wake(&shared, tx);
        Ok::<_, Failure>(added)
    });
    let outcome = match added.await? {
        Added::New => PackOutcome::Added,
        Added::Known => PackOutcome::Known,
    };
    app.catalog.catch_up(&app.db).await?;
    PackReport::of(&pack, outcome, false)
}

async fn read(app: &App, bytes: Vec<u8>) -> Result<Arc<Pack>, Failure> {
    let limits = app.settings.packs.clone();
    let reading = crate::held::blocking(move || read_archive(&bytes, &limits));
    let lost = |error| Failure::Internal(format!("reading a pack: {error}"));
    reading.await.map_err(lost)?.map(Arc::new)
}

/// Reads the pack of an archive: of files at the top, under the name that they say themselves.
fn read_archive(bytes: &[u8], limits: &PackLimits) -> Result<Pack, Failure> {
    let unpacked = tables::unpack(bytes, &limits.of_archive());
    let folder = unpacked.map_err(|error| Failure::invalid("body", error.to_string()))?;
    let name = folder.name.or_else(|| pack::name_in(&folder.files));
    pack::read(&name.unwrap_or_default(), &folder.files).map_err(|found| {
        let errors = u32::try_from(found.len()).unwrap_or(u32::MAX);
        let problems = found.into_iter().take(limits.archive_problems);
        let problem = |problem: pack::Problem| PackProblem {
            file: problem.file,
            line: problem.line.and_then(|line| u64::try_from(line).ok()),
            reason: problem.reason,
        };
        Failure::Pack(PackRefused {
            errors,
            problems: problems.map(problem).collect(),
        })
    })
}
