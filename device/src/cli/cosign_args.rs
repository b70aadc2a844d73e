//! The command line's form: signing together. The words are in `help_words.rs`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Who else signs a step. Goes with every step.
#[derive(Clone, Debug, Default, Args)]
pub struct Signing {
    /// Writes the step to a file for others to sign; nothing is queued.
    #[arg(long, global = true, value_name = "FILE", conflicts_with_all = ["co_signature", "second"])]
    pub draft: Option<PathBuf>,
    /// What another person's device answered.
    #[arg(long, global = true, value_name = "TEXT")]
    pub co_signature: Vec<String>,
    /// Somebody who signs here with a PIN.
    #[arg(long, global = true, value_name = "LOGIN")]
    pub second: Vec<String>,
    /// A file that holds the PIN.
    #[arg(long, global = true, value_name = "FILE")]
    pub pin_file: Option<PathBuf>,
}

impl Signing {
    /// Whether anything was given.
    pub(super) fn is_given(&self) -> bool {
        self.draft.is_some() || self.is_signed() || self.pin_file.is_some()
    }

    /// Whether somebody signs.
    pub(super) fn is_signed(&self) -> bool {
        !self.co_signature.is_empty() || !self.second.is_empty()
    }
}

/// Whether the help of a command, by its way, tells of this argument: signatures go with steps.
pub(super) fn goes_with(path: &str, argument: &str) -> bool {
    const SIGNING: [&str; 4] = ["draft", "co_signature", "second", "pin_file"];
    if !SIGNING.contains(&argument) {
        return true;
    }
    match path {
        "cosign queue" => argument != "draft",
        "pin-key add" => argument == "pin_file",
        // Of an inspection, others sign the signing.
        "inspect sign" => true,
        "self-check" => false,
        of_inspections if of_inspections.starts_with("inspect") => false,
        _ => !matches!(
            path.split(' ').next().unwrap_or_default(),
            "" | "enroll"
                | "pull"
                | "push"
                | "sync"
                | "photo"
                | "cosign"
                | "witness"
                | "pin-key"
                | "lock"
                | "wipe"
                | "list"
                | "show"
                | "queue"
                | "status"
                | "enterprises"
        ),
    }
}

/// Signing together.
#[derive(Debug, Subcommand)]
pub enum CosignTask {
    /// Shows a draft, and the text for another device.
    Show(DraftFile),
    /// Signs what another person's device asks for.
    Sign(SignArgs),
    /// Queues a draft with the signatures of others.
    Queue(DraftFile),
}

/// A draft.
#[derive(Debug, Args)]
pub struct DraftFile {
    /// The file that `--draft` wrote.
    pub file: PathBuf,
}

/// Signing.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// The text; `-` reads it from the standard input.
    pub text: String,
    /// Without being asked.
    #[arg(long)]
    pub yes: bool,
}

/// Keys under a PIN.
#[derive(Debug, Subcommand)]
pub enum PinKeyTask {
    /// Lets somebody sign here with a PIN (needs the server).
    Add(AddPinKey),
    /// Lists them.
    List,
    /// Deletes one.
    Remove(RemovePinKey),
}

/// Somebody who is to sign here.
#[derive(Debug, Args)]
pub struct AddPinKey {
    /// The name they sign in with.
    pub login: String,
    /// A file that holds their password.
    #[arg(long)]
    pub password_file: Option<PathBuf>,
}

/// Somebody who signs here no more.
#[derive(Debug, Args)]
pub struct RemovePinKey {
    /// The name they sign in with.
    pub login: String,
}
