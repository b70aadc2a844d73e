//! `hazardloop restore`: what to say about a database that was restored, copied or moved.

use std::io::Write;

use clap::{Args, Subcommand};

use super::TaskError;
use crate::usecases::restore::{Kind, Said};

/// What is known about the database.
#[derive(Debug, Subcommand)]
pub enum RestoreTask {
    /// It comes from a backup: devices begin anew and offer again what it lost. With every server
    /// on it stopped. (从备份恢复：设备重新同步，并补报备份之后的内容。)
    BeginEpoch(Settling),
    /// It is all there, at another place (pg_upgrade, a dump taken with every server stopped):
    /// devices go on. When in doubt, begin an epoch. (数据完整迁移，没有任何丢失。)
    KeepEpoch(Settling),
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

impl RestoreTask {
    /// What is known, and who says so.
    pub(super) fn said(self) -> (Kind, Said) {
        let (kind, settling) = match self {
            Self::BeginEpoch(settling) => (Kind::Restored, settling),
            Self::KeepEpoch(settling) => (Kind::Moved, settling),
        };
        let Settling { by, reason } = settling;
        (kind, Said { by, reason })
    }
}

/// Says what was done.
pub(super) fn tell(kind: Kind, out: &mut dyn Write) -> Result<(), TaskError> {
    let told = match kind {
        Kind::Restored => {
            "a new epoch has begun; start the servers, and devices offer again what is missing \
             (新纪元已开始，可以启动服务)"
        }
        Kind::Moved => "the epoch goes on; start the servers (纪元不变，可以启动服务)",
    };
    writeln!(out, "{told}").map_err(TaskError::io("writing what was done"))
}
