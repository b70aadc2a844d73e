//! The command line of `hazardloop`: what can be asked, and where settings come from.

mod audit;
mod calendar;
pub mod enterprise;
pub mod keys;
mod openapi;
pub mod packs;
mod restore;
mod settings;
pub mod user;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use hazardloop_sync_protocol::digest::DigestKey;

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::failure::Failure;
use crate::store::{DatabaseUrl, Db, DbOptions, StoreError, meta, migrate};
use crate::usecases::catalog::Snapshot;

pub use settings::SettingsError;
pub(crate) use settings::{database_url, make_data_dir};

/// Hazardloop: major accident hazards, self-checked, self-reported, self-corrected
/// (重大事故隐患自查自报自改).
#[derive(Debug, Parser)]
#[command(name = "hazardloop", version, about)]
pub struct CommandLine {
    /// Settings that several subcommands share.
    #[command(flatten)]
    pub shared: Shared,
    /// What to do.
    #[command(subcommand)]
    pub task: Task,
}

/// Settings that several subcommands share; each overrides file and environment.
#[derive(Debug, Args)]
pub struct Shared {
    /// Settings file (TOML); default: hazardloop.toml in the data folder, if there is one.
    #[arg(long, global = true)]
    pub config: Option<PathBuf>,
    /// Folder of the database, photos and temporary files.
    #[arg(long, global = true)]
    pub data_dir: Option<PathBuf>,
    /// sqlite://PATH or postgres://USER@HOST/NAME; default: SQLite in the data folder.
    #[arg(long, global = true)]
    pub database_url: Option<String>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// Serve the API.
    Serve(Serve),
    /// Bring the database to this program's version.
    Migrate,
    /// Print the OpenAPI document (YAML).
    Openapi,
    /// Check the record of who did what.
    #[command(subcommand)]
    Audit(audit::AuditTask),
    /// Add people, give them roles, help those who are locked out.
    #[command(subcommand)]
    User(user::UserTask),
    /// Import tables of enterprises, and take imports back.
    #[command(subcommand)]
    Enterprise(enterprise::EnterpriseTask),
    /// Change the keys that sign access tokens.
    #[command(subcommand)]
    Keys(keys::KeysTask),
    /// Import a year's working days, list the years that are known.
    #[command(subcommand)]
    Calendar(calendar::CalendarTask),
    /// Packs of criteria and checklists: check, add, list, compare.
    #[command(subcommand)]
    Pack(packs::PackTask),
    /// Make a database usable that was restored from a backup, copied or moved.
    #[command(subcommand)]
    Restore(restore::RestoreTask),
}

/// See [`Task::Serve`].
#[derive(Debug, Args)]
pub struct Serve {
    /// Address to listen on.
    #[arg(long)]
    pub listen: Option<std::net::SocketAddr>,
    /// Load sample data and accounts for trying out.
    #[arg(long)]
    pub demo: bool,
    /// Allow --demo on an address that others can reach: its accounts are known to everybody.
    #[arg(long, requires = "demo")]
    pub demo_on_public_address: bool,
}

/// Why a task could not be done.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The settings are not usable.
    #[error("{0}")]
    Settings(#[from] SettingsError),
    /// The database did not do its part.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// A use case failed.
    #[error("{0}")]
    Failure(#[from] Failure),
    /// Output, listening, files.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// What came back.
        error: std::io::Error,
    },
    /// The check found faults; they were printed.
    #[error("{0} fault(s) found")]
    FaultsFound(u64),
}

impl TaskError {
    /// 2: wrong settings; 3: faults found; 1: everything else.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Settings(_) => ExitCode::from(2),
            Self::FaultsFound(_) => ExitCode::from(3),
            Self::Store(_) | Self::Failure(_) | Self::Io { .. } => ExitCode::FAILURE,
        }
    }

    /// An I/O failure with what was tried.
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |error| Self::Io { what, error }
    }
}

impl CommandLine {
    /// A fixed clock would make every deadline and token a lie: only a demo may have one.
    pub fn fixed_time_is_allowed(&self) -> bool {
        matches!(&self.task, Task::Serve(serve) if serve.demo)
    }
}

/// Does what the command line asks.
///
/// # Errors
/// [`TaskError`], to be printed on one line.
pub fn run(command_line: CommandLine, clock: Clock, entropy: Entropy) -> Result<(), TaskError> {
    let settings = settings::gather(&command_line)?;
    match command_line.task {
        Task::Serve(_) => crate::serve::run(settings, clock, entropy),
        Task::Migrate => {
            let url = settings::database_url(&settings)?;
            settings::make_data_dir(&settings)?;
            let applied = migrate::migrate(&url)?;
            print(&match applied.len() {
                0 => "nothing to migrate\n".to_owned(),
                _ => format!("migrated: {}\n", applied.join(", ")),
            })
        }
        Task::Openapi => openapi::run(),
        Task::Audit(task) => {
            let db = open(&settings)?;
            // What it writes is stored when it returns, so there is nothing to close.
            audit::run(&db, &task)
        }
        Task::User(task) => {
            let db = open(&settings)?;
            let context = user::Context {
                db: &db,
                sign_in: &settings.sign_in,
                people: &settings.people,
                now: clock.now(),
                entropy: &entropy,
            };
            let (mut input, mut out) = (std::io::stdin().lock(), std::io::stdout().lock());
            user::run(context, task, &mut input, &mut out)
        }
        Task::Enterprise(enterprise::EnterpriseTask::Template(template)) => {
            print(&enterprise::template_text(template.english))
        }
        Task::Enterprise(task) => {
            let db = open(&settings)?;
            let importer = crate::usecases::imports::Importer {
                person_id: None,
                key: digest_key(&db, &entropy)?,
                limits: settings.imports,
                entropy,
                catalog: Arc::new(Snapshot::of(&db)?),
                now: clock.now(),
            };
            enterprise::run(&db, importer, task, &mut std::io::stdout().lock())
        }
        Task::Keys(task) => {
            let db = open(&settings)?;
            keys::run(&db, &clock, &entropy, &task, &mut std::io::stdout().lock())
        }
        Task::Calendar(task) => {
            let db = open(&settings)?;
            let mut out = std::io::stdout().lock();
            calendar::run(&db, &clock, &entropy, &task, &mut out)
        }
        Task::Pack(packs::PackTask::Check(folders)) => {
            packs::check(&folders, &mut std::io::stdout().lock())
        }
        Task::Pack(task) => {
            let db = open(&settings)?;
            let context = packs::Context {
                db: &db,
                key: digest_key(&db, &entropy)?,
                now: clock.now(),
            };
            packs::run(context, &task, &mut std::io::stdout().lock())
        }
        Task::Restore(task) => {
            let mut out = std::io::stdout().lock();
            restore::run(settings, clock, entropy, task, &mut out)
        }
    }
}

/// The key of this database's record digests: made by the first start of the server, or here if
/// there was none.
fn digest_key(db: &Db, entropy: &Entropy) -> Result<DigestKey, TaskError> {
    let fresh = hex::encode(entropy.bytes::<16>());
    let key = db.write_blocking(move |tx| meta::get_or_set(tx, "digest_key", &fresh))?;
    let key = hex::decode(key)
        .ok()
        .and_then(|key| DigestKey::from_slice(&key));
    let damaged = || Failure::Internal("the digest key is damaged".to_owned());
    Ok(key.ok_or_else(damaged)?)
}

/// Opens an existing, migrated database.
fn open(settings: &crate::settings::Settings) -> Result<Db, TaskError> {
    Ok(Db::open(&existing(settings)?, DbOptions::default())?)
}

/// The address of a database that must be there.
fn existing(settings: &crate::settings::Settings) -> Result<DatabaseUrl, TaskError> {
    let url = settings::database_url(settings)?;
    if let Some(path) = url.sqlite_path().filter(|path| !path.exists()) {
        return Err(SettingsError::NoDatabase {
            path: path.to_owned(),
        }
        .into());
    }
    Ok(url)
}

/// Writes to standard output; a reader that went away is an error, not a panic.
pub(crate) fn print(text: &str) -> Result<(), TaskError> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(TaskError::io("writing to standard output"))
}
