//! Importing a table of enterprises: every problem of every row at once, all or nothing, under an id
//! that makes sending it again harmless; and undoing it.
//!
//! Each enterprise goes through the same storing as one that is registered or corrected alone, so
//! that its history, the lists and the devices know of it in the same way.

pub mod columns;
mod draft;
mod existing;
mod places;
mod plan;
mod problems;
mod seen;
mod undo;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

use hazardloop_domain::access::Role;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{EnterpriseId, ImportId, JurisdictionId, PersonId};
use hazardloop_domain::operations::Operation;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::digest::DigestKey;
use serde::{Deserialize, Serialize};

use super::catalog::Snapshot;
use super::enterprises::{Change, Storing, wake};
use super::reach::Reach;
use crate::app::App;
use crate::entropy::Entropy;
use crate::failure::{Failure, RowsRefused};
use crate::settings::ImportLimits;
use crate::store::imports::{self as stored, StoredImport, StoredRow};
use crate::store::{Conn, WriteTx};
use crate::tables::{self, Format};
use places::Places;
use plan::{Did, Plan, Planned};
use problems::Problems;

pub use problems::{RowProblem, Severity};
pub use seen::{ImportView, RowView, list, list_all, one};
pub use undo::{undo, undo_in};

/// Who may import, over the jurisdiction and sector of each row.
const KEEPERS: &[Role] = Operation::ImportEnterprises.roles();

/// What an import did, or would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ImportReport {
    /// The import; absent in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<ImportId>,
    /// Whether this was only to see what would happen.
    pub dry_run: bool,
    /// Rows below the headings.
    pub rows: u32,
    /// Enterprises that are new.
    pub created: u32,
    /// Enterprises that are changed.
    pub updated: u32,
    /// Enterprises that are so already.
    pub unchanged: u32,
    /// Errors; with any, nothing is stored.
    pub errors: u32,
    /// Warnings.
    pub warnings: u32,
    /// What was found, by row; those beyond a limit of the settings are counted and not listed.
    pub problems: Vec<RowProblem>,
    /// Milliseconds that it took.
    pub took_ms: u64,
}

/// A table that somebody brings.
#[derive(Clone, Debug)]
pub struct Brought {
    /// The import; the same id is the same import.
    pub id: ImportId,
    /// The file.
    pub bytes: Vec<u8>,
    /// Its format.
    pub format: Format,
}

/// Who imports, and with what.
#[derive(Clone)]
pub struct Importer {
    /// Who; absent: whoever runs the server, who may keep everything.
    pub person_id: Option<PersonId>,
    /// Key of the record digests.
    pub key: DigestKey,
    /// Limits on the table.
    pub limits: ImportLimits,
    /// Ids of new enterprises.
    pub entropy: Entropy,
    /// The packs, which know sectors by their codes.
    pub catalog: Arc<Snapshot>,
    /// The present instant.
    pub now: Timestamp,
}

impl Importer {
    /// A person, on this server.
    pub fn of(app: &App, person_id: PersonId) -> Self {
        Self {
            person_id: Some(person_id),
            key: app.digest_key,
            limits: app.settings.imports.clone(),
            entropy: app.entropy.clone(),
            catalog: app.catalog.now(),
            now: app.clock.now(),
        }
    }

    fn reach(&self, conn: &mut Conn) -> Result<Option<Reach>, Failure> {
        let reach = |person_id| Reach::of(conn, person_id, self.now);
        self.person_id.map(reach).transpose()
    }

    fn places(&self, conn: &mut Conn) -> Result<Places, Failure> {
        let reach = self.reach(conn)?;
        Ok(Places::new(stored::all_places(conn)?, reach))
    }
}

/// A table, read and not yet understood.
pub struct Table {
    rows: Vec<tables::Row>,
    bytes: Digest,
    format: Format,
    began: Instant,
}

impl Table {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Failure::TooLarge`] or [`Failure::Invalid`] for a file that is no table within the limits.
    pub fn read(brought: &Brought, limits: &ImportLimits) -> Result<Self, Failure> {
        #[allow(
            clippy::disallowed_methods,
            reason = "a stopwatch: says how long it took"
        )]
        let began = Instant::now();
        if brought.bytes.len() > limits.file_bytes {
            let limit = u64::try_from(limits.file_bytes).unwrap_or(u64::MAX);
            let what = "the file, in bytes,";
            return Err(Failure::TooLarge { what, limit });
        }
        let rows = tables::read(&brought.bytes, brought.format, &limits.of_table())
            .map_err(|error| Failure::invalid("body", error.to_string()))?;
        Ok(Self {
            rows,
            bytes: Digest::sha256(&brought.bytes),
            format: brought.format,
            began,
        })
    }

    /// Milliseconds since the file began to be read.
    fn took_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Refuses unless the person may keep enterprises anywhere: before a file is even read.
///
/// # Errors
/// [`Failure::Forbidden`].
pub async fn require_keeper_somewhere(app: &App, person_id: PersonId) -> Result<(), Failure> {
    let now = app.clock.now();
    app.db
        .read(move |tx| {
            let reach = Reach::of(tx.conn(), person_id, now)?;
            kept_by(&reach).map(drop)
        })
        .await
}

/// The jurisdictions of which the person keeps all enterprises, whatever their sector.
///
/// # Errors
/// [`Failure::Forbidden`] for whoever keeps none at all.
fn kept_by(reach: &Reach) -> Result<Vec<JurisdictionId>, Failure> {
    if reach.jurisdictions_of(KEEPERS).is_empty() {
        let names: Vec<_> = KEEPERS.iter().map(|role| role.as_str()).collect();
        let needed = format!("needs one of these roles: {}", names.join(", "));
        return Err(Failure::Forbidden(needed));
    }
    Ok(reach.whole_jurisdictions_of(KEEPERS))
}

/// Says what a table would do, and stores nothing.
///
/// # Errors
/// As [`Table::read`]; what is wrong with rows is in the report.
pub async fn try_out(
    app: &App,
    person_id: PersonId,
    brought: Brought,
) -> Result<ImportReport, Failure> {
    let importer = Importer::of(app, person_id);
    let table = read_apart(brought, &importer.limits).await?;
    app.db
        .read(move |tx| try_out_in(tx.conn(), &importer, &table))
        .await
}

/// Reads a file on a thread of its own, before any connection is asked for: what takes long to read
/// keeps nobody waiting.
async fn read_apart(brought: Brought, limits: &ImportLimits) -> Result<Table, Failure> {
    let limits = limits.clone();
    let table = crate::held::blocking(move || Table::read(&brought, &limits));
    let lost = |error| Failure::Internal(format!("reading a table: {error}"));
    table.await.map_err(lost)?
}

/// See [`try_out`].
///
/// # Errors
/// When the database does not answer.
pub fn try_out_in(
    conn: &mut Conn,
    importer: &Importer,
    table: &Table,
) -> Result<ImportReport, Failure> {
    let places = importer.places(conn)?;
    let planned = planned(conn, importer, table, &places)?;
    Ok(report(planned, None, table).0)
}

/// Stores a table, all or nothing. Answers `true` when it is new, `false` with the first answer when
/// this very import had been taken before.
///
/// # Errors
/// [`Failure::Rows`] when any row has an error; [`Failure::IdReused`] when the id was used for
/// another file; as [`Table::read`].
pub async fn import(
    app: &App,
    person_id: PersonId,
    brought: Brought,
) -> Result<(ImportReport, bool), Failure> {
    if !brought.id.is_version_7() {
        return Err(Failure::invalid("id", "must be a UUID of version 7"));
    }
    let importer = Importer::of(app, person_id);
    let id = brought.id;
    let table = read_apart(brought, &importer.limits).await?;
    let app = app.clone();
    let db = app.db.clone();
    db.write(move |tx| {
        let done = import_in(tx, &importer, id, &table)?;
        wake(&app, tx);
        Ok(done)
    })
    .await
}

/// See [`import`].
///
/// # Errors
/// As [`import`].
pub fn import_in(
    tx: &mut WriteTx<'_>,
    importer: &Importer,
    id: ImportId,
    table: &Table,
) -> Result<(ImportReport, bool), Failure> {
    let who = importer
        .person_id
        .map(|id| *id.as_bytes())
        .unwrap_or_default();
    let format = [u8::from(table.format == Format::Xlsx)];
    let request_hash = Digest::sha256_of_parts(&[&who, &format, table.bytes.as_bytes()]);
    if let Some(first) = stored::find(tx.conn(), id)? {
        if first.request_hash != request_hash.as_bytes() {
            return Err(Failure::IdReused);
        }
        return Ok((seen::report_of(&first)?, false));
    }
    let places = importer.places(tx.conn())?;
    let planned = planned(tx.conn(), importer, table, &places)?;
    let (mut report, rows) = report(planned, Some(id), table);
    if report.errors > 0 {
        return Err(Failure::Rows(RowsRefused {
            of_undo: false,
            errors: report.errors,
            problems: report.problems,
        }));
    }
    store(tx, importer, id, &rows)?;
    report.took_ms = table.took_ms();
    let answer = serde_json::to_string(&report)
        .map_err(|error| Failure::Internal(format!("an answer: {error}")))?;
    let import = StoredImport {
        id: id.as_bytes().to_vec(),
        person_id: importer.person_id.map(|id| id.as_bytes().to_vec()),
        request_hash: request_hash.as_bytes().to_vec(),
        received_at: importer.now.as_millis(),
        answer,
        undone_at: None,
        undone_by: None,
    };
    let ways = rows
        .iter()
        .map(|row| places.ancestors(row.enterprise.jurisdiction_id));
    let common = places::common(ways);
    let rows: Result<Vec<_>, _> = rows.iter().map(|row| stored_row(id, row)).collect();
    stored::keep(tx, &import, &common, rows?)?;
    Ok((report, true))
}

fn planned(
    conn: &mut Conn,
    importer: &Importer,
    table: &Table,
    places: &Places,
) -> Result<Plan, Failure> {
    let problems = Problems::new(importer.limits.problems);
    let new_id = || importer.entropy.uuid_v7(importer.now);
    let known = (places, &*importer.catalog);
    plan::plan(conn, &table.rows, known, problems, new_id)
}

fn report(plan: Plan, id: Option<ImportId>, table: &Table) -> (ImportReport, Vec<Planned>) {
    let count = |did: Did| {
        let found = plan.rows.iter().filter(|row| row.did() == did).count();
        u32::try_from(found).unwrap_or(u32::MAX)
    };
    let report = ImportReport {
        id,
        dry_run: id.is_none(),
        rows: plan.count,
        created: count(Did::Created),
        updated: count(Did::Updated),
        unchanged: count(Did::Unchanged),
        errors: plan.problems.errors,
        warnings: plan.problems.warnings,
        problems: plan.problems.listed(),
        took_ms: table.took_ms(),
    };
    (report, plan.rows)
}

fn store(
    tx: &mut WriteTx<'_>,
    importer: &Importer,
    id: ImportId,
    rows: &[Planned],
) -> Result<(), Failure> {
    let reason = format!("import {id}");
    let mut storing = Storing::new(&importer.key);
    for row in rows {
        let kind = match row.did() {
            Did::Created => "registered",
            Did::Updated => "changed",
            Did::Unchanged => continue,
        };
        let change = Change {
            kind,
            actor: importer.person_id,
            reason: Some(&reason),
            now: importer.now,
        };
        storing.put(tx, &row.enterprise, row.before.as_ref(), &change)?;
    }
    storing.finish(tx)
}

fn stored_row(id: ImportId, row: &Planned) -> Result<StoredRow, Failure> {
    let did = row.did();
    let before = row.before.as_ref().filter(|_| did == Did::Updated);
    let encoded = |before| {
        minicbor::to_vec(before).map_err(|error| Failure::Internal(format!("encoding: {error}")))
    };
    Ok(StoredRow {
        import_id: id.as_bytes().to_vec(),
        row_number: i32::try_from(row.row).unwrap_or(i32::MAX),
        enterprise_id: row.enterprise.id.as_bytes().to_vec(),
        did: did.as_str().to_owned(),
        version: row.enterprise.version,
        before: before.map(encoded).transpose()?,
    })
}

/// The id in a stored row.
fn enterprise_id(bytes: &[u8]) -> Result<EnterpriseId, Failure> {
    EnterpriseId::from_slice(bytes)
        .ok_or_else(|| Failure::Internal("an enterprise id that is not 16 bytes".to_owned()))
}
