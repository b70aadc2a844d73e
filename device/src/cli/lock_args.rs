//! The command line's form: what unlocks this device, and wiping it. The words are in
//! `lock_help.rs`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::parse;
use crate::vault::PinCost;

/// What unlocks this device.
#[derive(Clone, Debug, Default, Args)]
pub struct Unlocking {
    /// Where keys are kept, apart from the work; without it beside the home.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "HAZARDLOOP_DEVICE_KEYS"
    )]
    pub key_dir: Option<PathBuf>,
    /// A file that holds the PIN of this device.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "HAZARDLOOP_UNLOCK_FILE"
    )]
    pub unlock_file: Option<PathBuf>,
}

/// What unlocks this device.
#[derive(Debug, Subcommand)]
pub enum LockTask {
    /// Says what unlocks it.
    Status,
    /// Puts it under a PIN, or another one.
    Pin(NewPin),
    /// Puts it under the key file again.
    KeyFile,
}

/// A new PIN.
#[derive(Debug, Args)]
pub struct NewPin {
    /// A file that holds the new PIN.
    #[arg(long, value_name = "FILE")]
    pub new_pin_file: Option<PathBuf>,
    /// Memory that a guess takes.
    #[arg(long, value_name = "KIB", default_value = "65536", value_parser = parse::whole::<u32>)]
    pub memory_kib: u32,
    /// Passes that a guess takes.
    #[arg(long, value_name = "COUNT", default_value = "3", value_parser = parse::whole::<u32>)]
    pub passes: u32,
}

impl NewPin {
    pub(super) const fn cost(&self) -> PinCost {
        PinCost {
            memory_kib: self.memory_kib,
            passes: self.passes,
        }
    }
}

/// Wiping.
#[derive(Debug, Args)]
pub struct WipeArgs {
    /// How many commands and photos are nowhere else and are to be lost.
    #[arg(long, value_name = "COUNT", value_parser = parse::whole::<u64>)]
    pub lose: Option<u64>,
    /// The PIN is forgotten: sign in instead.
    #[arg(long, conflicts_with = "lose")]
    pub forgotten: bool,
    /// A file that holds the password.
    #[arg(long, requires = "forgotten")]
    pub password_file: Option<PathBuf>,
}
