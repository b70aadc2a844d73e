//! `hazardloop restore`: what to say about a database that was restored, copied or moved.

use std::io::Write;

use clap::{Args, Subcommand};

use super::TaskError;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::serve;
use crate::settings::Settings;
use crate::usecases::restore::{self, Kind, Said};
use crate::usecases::upload::recover::{Recovered, recover};

/// What is known about the database.
#[derive(Debug, Subcommand)]
pub enum RestoreTask {
    /// It comes from a backup: devices begin anew and offer again what it lost. With every server
    /// on it stopped. (从备份恢复：设备重新同步，并补报备份之后的内容。)
    BeginEpoch(Settling),
    /// It is all there, at another place (pg_upgrade, a dump taken with every server stopped):
    /// devices go on. When in doubt, begin an epoch. (数据完整迁移，没有任何丢失。)
    KeepEpoch(Settling),
    /// Later, once devices have offered again what was lost: take up the photos that came after the
    /// backup and still lie in the data folder. May be repeated, also while serving.
    /// (设备补报之后：找回数据目录中仍在的照片。)
    Photos,
}

/// Who does this and why, for the record.
#[derive(Debug, Args)]
pub struct Settling {
    /// Who.
    #[arg(long)]
    pub by: String,
    /// Why.
    #[arg(long)]
    pub reason: String,
}

/// Does it, and says what was done.
pub(super) fn run(
    settings: Settings,
    clock: Clock,
    entropy: Entropy,
    task: RestoreTask,
    out: &mut dyn Write,
) -> Result<(), TaskError> {
    let (kind, Settling { by, reason }) = match task {
        RestoreTask::BeginEpoch(settling) => (Kind::Restored, settling),
        RestoreTask::KeepEpoch(settling) => (Kind::Moved, settling),
        RestoreTask::Photos => return take_up_photos(settings, clock, entropy, out),
    };
    let url = super::existing(&settings)?;
    restore::settle(&url, &entropy, kind, Said { by, reason }, clock.now())?;
    restore::record_now(&super::open(&settings)?)?;
    let told = match kind {
        Kind::Restored => {
            "a new epoch has begun; start the servers, and devices offer again what is missing \
             (新纪元已开始，可以启动服务)"
        }
        Kind::Moved => "the epoch goes on; start the servers (纪元不变，可以启动服务)",
    };
    tell(out, told)
}

fn take_up_photos(
    settings: Settings,
    clock: Clock,
    entropy: Entropy,
    out: &mut dyn Write,
) -> Result<(), TaskError> {
    let db = super::open(&settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(TaskError::io("starting the runtime"))?;
    let Recovered {
        photos,
        absent,
        damaged,
    } = runtime.block_on(async {
        let app = serve::assemble(db, settings, clock, entropy).await?;
        let recovered = recover(&app).await?;
        app.db.close().await;
        Ok::<_, TaskError>(recovered)
    })?;
    let told = format!(
        "{photos} photo(s) taken up, {absent} not here and still awaited, {damaged} damaged"
    );
    tell(out, &told)
}

fn tell(out: &mut dyn Write, told: &str) -> Result<(), TaskError> {
    writeln!(out, "{told}").map_err(TaskError::io("writing what was done"))
}
