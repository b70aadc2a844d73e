//! The source tree as the house rules see it: its root, its files, and what cargo says about its packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The top of the checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the checkout")
        .to_owned()
}

/// A text file of the checkout.
pub struct SourceFile {
    /// Its path from the top of the checkout, with `/`.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// Every file of the checkout whose name ends in `.` and one of `extensions`, in order of path. Leaves out what is
/// built or run there: hidden folders, `target`, `data`, `node_modules`, and folders that cargo has marked as its own.
pub fn files(extensions: &[&str]) -> Vec<SourceFile> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                // Cargo does not mark a target folder that somebody else made first.
                let built = path.join("CACHEDIR.TAG").exists()
                    || ["target", "data", "node_modules"].contains(&name.as_str());
                if !built && !name.starts_with('.') {
                    folders.push(path);
                }
            } else if extensions
                .iter()
                .any(|extension| name.ends_with(&format!(".{extension}")))
            {
                let text =
                    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
                let path = path
                    .strip_prefix(&root)
                    .unwrap()
                    .to_string_lossy()
                    .replace('\\', "/");
                found.push(SourceFile { path, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "no files below {root:?}");
    found
}

/// `cargo metadata`: the packages that a build on this platform uses, as Cargo.lock names them. Asks no network:
/// whoever runs this test has built it, and so has them.
pub fn cargo_metadata() -> serde_json::Value {
    let host = run(Command::new(env!("CARGO")).args(["--version", "--verbose"]));
    let host = host
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .expect("cargo names its host");
    let answer = run(Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", host])
        .current_dir(root()));
    serde_json::from_str(&answer).expect("cargo metadata answers in JSON")
}

fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{complaint}");
    String::from_utf8(output.stdout).expect("UTF-8")
}
