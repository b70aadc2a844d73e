//! `hazardloop pack`: looks through folders of packs, adds them, says what there is and what differs.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use hazardloop_domain::pack::{self, Pack, Problem, TABLE_BYTES_MAX};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::digest::DigestKey;

use super::TaskError;
use crate::failure::Failure;
use crate::shipped;
use crate::store::{Db, packs as stored};
use crate::usecases::packs::{self, Added};

/// What to do about packs.
#[derive(Debug, Subcommand)]
pub enum PackTask {
    /// Look through folders, and say everything that is wrong with file, line and reason.
    /// (检查行业包，一次报告全部问题。)
    Check(Folders),
    /// Add them to the database: all or none. What is there already stays as it is. (加入行业包。)
    Add(AddPacks),
    /// List the packs of the database with their versions. (列出行业包。)
    List,
    /// Say what differs between a version in the database and a folder or another version. (比较两版。)
    Diff(Diff),
}

/// See [`PackTask::Check`].
#[derive(Debug, Args)]
pub struct Folders {
    /// Folders, one a pack.
    #[arg(required = true, value_name = "DIR")]
    pub folders: Vec<PathBuf>,
    /// Print each pack as one JSON document (catalog/packs/pack.schema.json).
    #[arg(long)]
    pub json: bool,
}

/// See [`PackTask::Add`].
#[derive(Debug, Args)]
pub struct AddPacks {
    /// Folders, one a pack.
    #[arg(required_unless_present = "shipped", value_name = "DIR")]
    pub folders: Vec<PathBuf>,
    /// Those that come with this program.
    #[arg(long)]
    pub shipped: bool,
}

/// See [`PackTask::Diff`].
#[derive(Debug, Args)]
pub struct Diff {
    /// A pack of the database; without a version the newest.
    #[arg(value_name = "NAME[@VERSION]")]
    pub from: String,
    /// A folder, or another version.
    #[arg(value_name = "DIR|NAME@VERSION")]
    pub to: String,
}

/// Looks through folders; needs no database.
///
/// # Errors
/// [`TaskError::FaultsFound`] when something is wrong, which was printed.
pub fn check(folders: &Folders, out: &mut dyn Write) -> Result<(), TaskError> {
    let (packs, problems) = read_each(&folders.folders)?;
    for pack in &packs {
        // Whoever reads documents gets nothing else.
        if folders.json && problems.is_empty() {
            let text = serde_json::to_string(pack)
                .map_err(|error| Failure::Internal(error.to_string()))?;
            say(out, &text)?;
        } else if !folders.json {
            say(out, &format!("{}: good", described(pack)))?;
        }
    }
    match problems.as_slice() {
        [] => Ok(()),
        some => told(some, out),
    }
}

fn described(pack: &Pack) -> String {
    let (head, criteria, lists) = (&pack.head, pack.criteria.len(), pack.checklists.len());
    let (name, version, title) = (&head.name, head.version, &head.title_zh);
    format!("{name}@{version} {title}: {criteria} criteria, {lists} checklists")
}

/// What the tasks work with.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The database.
    pub db: &'a Db,
    /// The key of the record digests.
    pub key: DigestKey,
    /// The present instant.
    pub now: Timestamp,
}

/// Does what needs a database, and says what was done.
///
/// # Errors
/// As the use cases; [`TaskError::FaultsFound`] when a folder is no good pack; when nobody listens.
pub fn run(context: Context<'_>, task: &PackTask, out: &mut dyn Write) -> Result<(), TaskError> {
    match task {
        PackTask::Check(folders) => check(folders, out),
        PackTask::Add(add) => context.add(add, out),
        PackTask::List => context.list(out),
        PackTask::Diff(diff) => context.diff(diff, out),
    }
}

impl Context<'_> {
    fn add(self, add: &AddPacks, out: &mut dyn Write) -> Result<(), TaskError> {
        let mut packs = read_all(&add.folders, out)?;
        if add.shipped {
            let shipped = shipped::packs().or_else(|problems| told(&problems, out));
            packs.extend(shipped?);
        }
        let (key, now, adding) = (self.key, self.now, packs.clone());
        let done = self.db.write_blocking(move |tx| {
            let add = |pack| packs::add(tx, &key, pack, None, now);
            adding.iter().map(add).collect::<Result<Vec<_>, Failure>>()
        })?;
        for (pack, added) in packs.iter().zip(done) {
            let what = match added {
                Added::New => "added",
                Added::Known => "is there already",
            };
            say(out, &format!("{}: {what}", described(pack)))?;
        }
        Ok(())
    }

    fn list(self, out: &mut dyn Write) -> Result<(), TaskError> {
        let versions = self
            .db
            .read_blocking(|tx| stored::versions(tx.conn(), None))?;
        for stored in versions {
            let (head, at) = (&stored.head, stored.added_at);
            let (name, version, title) = (&head.name, head.version, &head.title_zh);
            say(
                out,
                &format!("{name}@{version}\t{title}\t{at}\t{}", stored.digest),
            )?;
        }
        Ok(())
    }

    fn diff(self, diff: &Diff, out: &mut dyn Write) -> Result<(), TaskError> {
        let first = self.stored(&diff.from)?;
        let folder = Path::new(&diff.to);
        let second = if folder.is_dir() {
            let mut packs = read_all(&[folder.to_owned()], out)?;
            packs.pop().ok_or(Failure::NotFound("pack"))?
        } else {
            self.stored(&diff.to)?
        };
        let differences = pack::differences(&first, &second);
        let (from, to) = (described(&first), described(&second));
        say(out, &format!("- {from}\n+ {to}"))?;
        for difference in differences {
            say(out, &difference.to_string())?;
        }
        Ok(())
    }

    /// The pack that `NAME` or `NAME@VERSION` means.
    fn stored(self, text: &str) -> Result<Pack, TaskError> {
        let (name, version) = match text.split_once('@') {
            None => (text, None),
            Some((name, version)) => {
                let wrong = |_| Failure::invalid("version", "is no whole number");
                (name, Some(version.parse::<u32>().map_err(wrong)?))
            }
        };
        let name = name.to_owned();
        let found = self.db.read_blocking(move |tx| {
            let newest = stored::versions(tx.conn(), Some(&name))?;
            let newest = newest.last().map(|stored| stored.head.version);
            match version.or(newest) {
                Some(version) => stored::document(tx.conn(), &name, version),
                None => Ok(None),
            }
        })?;
        Ok(found.ok_or(Failure::NotFound("pack"))?)
    }
}

/// The good ones of these folders, and everything that is wrong with the others. What cannot be read, or is no
/// folder (`packs/*` names the README too), is one fault.
fn read_each(folders: &[PathBuf]) -> Result<(Vec<Pack>, Vec<Problem>), TaskError> {
    let (mut packs, mut problems) = (Vec::new(), Vec::new());
    for folder in folders {
        let (name, files) = match files_of(folder) {
            Ok(read) => read,
            Err(TaskError::Io { what, error }) => {
                let reason = match folder.is_file() {
                    true => "is a file; a pack is a folder of tables".to_owned(),
                    false => format!("{what}: {error}"),
                };
                problems.push(Problem {
                    file: folder.display().to_string(),
                    line: None,
                    reason,
                });
                continue;
            }
            Err(other) => return Err(other),
        };
        match pack::read(&name, &files) {
            Ok(pack) => packs.push(pack),
            Err(found) => problems.extend(found),
        }
    }
    Ok((packs, problems))
}

/// Reads folders, or tells everything that is wrong with any of them.
fn read_all(folders: &[PathBuf], out: &mut dyn Write) -> Result<Vec<Pack>, TaskError> {
    let (packs, problems) = read_each(folders)?;
    if problems.is_empty() {
        Ok(packs)
    } else {
        told(&problems, out)
    }
}

fn told<T>(problems: &[Problem], out: &mut dyn Write) -> Result<T, TaskError> {
    for problem in problems {
        say(out, &problem.to_string())?;
    }
    Err(TaskError::FaultsFound(problems.len() as u64))
}

/// The name of a folder and the bytes of its files. No more is read of a file than tells that it is too
/// large; what begins with a dot is the system's.
fn files_of(folder: &Path) -> Result<(String, BTreeMap<String, Vec<u8>>), TaskError> {
    let reading = |path: &Path| TaskError::io(format!("reading {}", path.display()));
    let full = folder.canonicalize().map_err(reading(folder))?;
    let name = full
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(reading(folder))? {
        let path = entry.map_err(reading(folder))?.path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        if name.starts_with('.') {
            continue;
        }
        let file = std::fs::File::open(&path).map_err(reading(&path))?;
        let mut bytes = Vec::new();
        let most = TABLE_BYTES_MAX as u64 + 1;
        std::io::Read::read_to_end(&mut std::io::Read::take(file, most), &mut bytes)
            .map_err(reading(&path))?;
        files.insert(name, bytes);
    }
    Ok((name.unwrap_or_default(), files))
}

fn say(out: &mut dyn Write, line: &str) -> Result<(), TaskError> {
    writeln!(out, "{line}").map_err(TaskError::io("writing what was found"))
}

#[cfg(test)]
#[path = "packs_tests.rs"]
mod tests;
