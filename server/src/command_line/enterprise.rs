//! `hazardloop enterprise`: tables of enterprises on the database itself, for whoever runs the server.

use std::io::{Read as _, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use hazardloop_domain::ids::ImportId;

use super::TaskError;
use crate::failure::{Failure, RowsRefused};
use crate::store::Db;
use crate::tables::Format;
use crate::usecases::imports::columns::COLUMNS;
use crate::usecases::imports::{
    self, Brought, ImportReport, ImportView, Importer, RowProblem, Severity, Table,
};
use crate::usecases::read::Wanted;

/// Imports read at once; more come in further rounds.
const LISTED_AT_ONCE: usize = 500;

/// What to do about tables of enterprises.
#[derive(Debug, Subcommand)]
pub enum EnterpriseTask {
    /// Print an empty table (CSV) with every column and what its cells hold.
    Template(Template),
    /// Store the enterprises of a table (CSV or XLSX), all or nothing.
    Import(Import),
    /// List what was imported.
    Imports,
    /// Take an import back, all or nothing.
    Undo(Undo),
}

/// See [`EnterpriseTask::Template`].
#[derive(Debug, Args)]
pub struct Template {
    /// Headings in English.
    #[arg(long)]
    pub english: bool,
}

/// See [`EnterpriseTask::Import`].
#[derive(Debug, Args)]
pub struct Import {
    /// The file; whether it is CSV or XLSX is told from its content.
    pub file: PathBuf,
    /// Say what would happen and store nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// The import; the same id is the same import. A new one where nothing is said.
    #[arg(long)]
    pub id: Option<ImportId>,
}

/// See [`EnterpriseTask::Undo`].
#[derive(Debug, Args)]
pub struct Undo {
    /// The import.
    pub id: ImportId,
}

/// Does it, and says what was done.
///
/// # Errors
/// [`TaskError::FaultsFound`] after the problems of the rows were printed; as the use cases; when
/// nobody listens.
pub fn run(
    db: &Db,
    importer: Importer,
    task: EnterpriseTask,
    out: &mut dyn Write,
) -> Result<(), TaskError> {
    let said = match task {
        // Needs no database: the caller has printed it.
        EnterpriseTask::Template(template) => template_text(template.english),
        EnterpriseTask::Import(import) => return bring(db, importer, &import, out),
        EnterpriseTask::Imports => return list(db, out),
        EnterpriseTask::Undo(undo) => {
            let undone = db.write_blocking(move |tx| imports::undo_in(tx, &importer, undo.id));
            match undone {
                Ok(view) => format!("undone: {}\n", line(&view)),
                Err(Failure::Rows(refused)) => return refused_rows(out, refused),
                Err(other) => return Err(other.into()),
            }
        }
    };
    write(out, &said)
}

fn write(out: &mut dyn Write, text: &str) -> Result<(), TaskError> {
    out.write_all(text.as_bytes())
        .map_err(TaskError::io("writing what was done"))
}

fn bring(
    db: &Db,
    importer: Importer,
    import: &Import,
    out: &mut dyn Write,
) -> Result<(), TaskError> {
    let what = format!("reading {}", import.file.display());
    let file = std::fs::File::open(&import.file).map_err(TaskError::io(what.clone()))?;
    // One byte more than allowed tells that there is more.
    let most = u64::try_from(importer.limits.file_bytes).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let mut limited = file.take(most.saturating_add(1));
    limited
        .read_to_end(&mut bytes)
        .map_err(TaskError::io(what))?;
    let new_id = || ImportId(importer.entropy.uuid_v7(importer.now));
    let brought = Brought {
        id: import.id.unwrap_or_else(new_id),
        format: Format::of_content(&bytes),
        bytes,
    };
    let table = Table::read(&brought, &importer.limits)?;
    let done = if import.dry_run {
        db.read_blocking(|tx| imports::try_out_in(tx.conn(), &importer, &table))
            .map(|report| (report, true))
    } else {
        db.write_blocking(move |tx| imports::import_in(tx, &importer, brought.id, &table))
    };
    match done {
        Ok((report, new)) => say(out, &report, new),
        Err(Failure::Rows(refused)) => refused_rows(out, refused),
        Err(other) => Err(other.into()),
    }
}

fn say(out: &mut dyn Write, report: &ImportReport, new: bool) -> Result<(), TaskError> {
    for problem in &report.problems {
        write(out, &problem_line(problem))?;
    }
    let ImportReport {
        rows,
        created,
        updated,
        unchanged,
        errors,
        warnings,
        took_ms,
        ..
    } = report;
    let head = match (report.id, new) {
        (Some(id), true) => format!("imported {id}"),
        (Some(id), false) => format!("{id} had been imported before"),
        (None, _) => "dry run, nothing stored".to_owned(),
    };
    let counts = format!(
        "{head}: {rows} row(s), {created} created, {updated} updated, {unchanged} unchanged, \
         {errors} error(s), {warnings} warning(s), {took_ms} ms\n"
    );
    write(out, &counts)?;
    match errors {
        0 => Ok(()),
        errors => Err(TaskError::FaultsFound(u64::from(*errors))),
    }
}

fn refused_rows(out: &mut dyn Write, refused: RowsRefused) -> Result<(), TaskError> {
    for problem in &refused.problems {
        write(out, &problem_line(problem))?;
    }
    write(out, "nothing was stored\n")?;
    Err(TaskError::FaultsFound(u64::from(refused.errors)))
}

fn problem_line(problem: &RowProblem) -> String {
    let severity = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let place = [problem.heading.as_deref(), problem.column.as_deref()];
    let place: Vec<&str> = place.into_iter().flatten().collect();
    let RowProblem {
        row,
        code,
        message_zh,
        message_en,
        ..
    } = problem;
    let place = place.join(" ");
    format!("row {row}\t{place}\t{severity} {code}\t{message_zh} / {message_en}\n")
}

fn line(view: &ImportView) -> String {
    let who = view.person_id.map(|id| id.to_string());
    let undone = view.undone_at.map(|at| format!("\tundone {at}"));
    format!(
        "{}\t{}\t{}\t{} created, {} updated, {} unchanged{}",
        view.id,
        view.received_at,
        who.as_deref().unwrap_or("command line"),
        view.created,
        view.updated,
        view.unchanged,
        undone.unwrap_or_default(),
    )
}

fn list(db: &Db, out: &mut dyn Write) -> Result<(), TaskError> {
    let mut after = None;
    loop {
        let wanted = Wanted {
            after,
            limit: LISTED_AT_ONCE,
        };
        let page = db.read_blocking(|tx| imports::list_all(tx.conn(), wanted))?;
        for view in &page.items {
            write(out, &format!("{}\n", line(view)))?;
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// The headings, and below them a comment that says what goes into each column. Excel takes a text
/// for UTF-8 by its byte order mark.
pub(super) fn template_text(english: bool) -> String {
    let headings = COLUMNS.iter().map(|column| match english {
        true => column.name.to_owned(),
        false => column.zh.to_owned(),
    });
    let forms = COLUMNS.iter().map(|column| match english {
        true => column.form_en.to_owned(),
        false => column.form_zh.to_owned(),
    });
    let quoted = |cell: String| format!("\"{}\"", cell.replace('"', "\"\""));
    let headings: Vec<String> = headings.collect();
    let forms: Vec<String> = forms.map(quoted).collect();
    let forms = forms.join(",");
    // A row that begins with # is for people.
    let forms = forms.replacen('"', "\"# ", 1);
    format!("\u{feff}{}\r\n{forms}\r\n", headings.join(","))
}

#[cfg(test)]
#[path = "enterprise_tests.rs"]
mod tests;
