//! How files look: what each is for, how long it may be, nothing left undone, both databases alike.

use std::collections::BTreeSet;
use std::fs;

use super::tree::{self, SourceFile};

/// Lines of source a file may have; past that it is two files.
const LONGEST: usize = 500;

/// Words that mark something left for later; in pieces, so that this file does not hold them.
const UNDONE: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("unimple", "mented"),
];

fn all(files: &[SourceFile], fault: impl Fn(&SourceFile) -> Vec<String>) {
    let faults: Vec<_> = files.iter().flat_map(fault).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_rust_file_says_first_what_it_is_for() {
    all(&tree::files(&["rs"]), says_what_it_is_for);
}

#[test]
fn no_file_is_too_long() {
    all(&tree::files(&["rs", "sql", "sh", "ts"]), length);
}

#[test]
fn nothing_is_left_undone() {
    all(&tree::files(&["rs", "sql", "sh", "ts"]), undone);
}

fn says_what_it_is_for(file: &SourceFile) -> Vec<String> {
    let first = file.text.lines().next().unwrap_or_default();
    let purpose = first.strip_prefix("//!").unwrap_or_default().trim();
    if purpose.is_empty() {
        vec![format!(
            "{}:1: the first line is to be `//! …`: what the file is for",
            file.path
        )]
    } else {
        Vec::new()
    }
}

fn length(file: &SourceFile) -> Vec<String> {
    let lines = file.text.lines().count();
    if lines > LONGEST {
        vec![format!("{}: {lines} lines, more than {LONGEST}", file.path)]
    } else {
        Vec::new()
    }
}

fn undone(file: &SourceFile) -> Vec<String> {
    let words = |line: &str| -> Vec<String> {
        line.split(|c: char| !c.is_alphanumeric() && c != '_')
            .map(str::to_owned)
            .collect()
    };
    let marked = |line: &str| {
        words(line)
            .into_iter()
            .find(|word| UNDONE.contains(&word.as_str()))
    };
    file.text
        .lines()
        .enumerate()
        .filter_map(|(at, line)| {
            marked(line).map(|word| format!("{}:{}: {word}", file.path, at + 1))
        })
        .collect()
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |database: &str| -> BTreeSet<String> {
        let folder = tree::root().join("migrations").join(database);
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
        let names: BTreeSet<_> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        for (name, script) in names
            .iter()
            .flat_map(|name| [(name, "up.sql"), (name, "down.sql")])
        {
            let text = fs::read_to_string(folder.join(name).join(script)).unwrap_or_default();
            assert!(
                !text.trim().is_empty(),
                "migrations/{database}/{name} lacks {script}"
            );
        }
        names
    };
    let (sqlite, postgres) = (names("sqlite"), names("postgres"));
    assert!(!sqlite.is_empty(), "no migrations");
    let differing: Vec<_> = sqlite.symmetric_difference(&postgres).collect();
    assert!(
        differing.is_empty(),
        "migrations that only one database has: {differing:?}"
    );
}

#[test]
fn both_readmes_name_the_two_commands() {
    for name in ["README.md", "README.zh.md"] {
        let text = fs::read_to_string(tree::root().join(name))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        for command in ["make run", "make test"] {
            assert!(text.contains(command), "{name} does not name `{command}`");
        }
    }
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    for file in tree::files(&["toml"])
        .iter()
        .filter(|file| file.path.ends_with("/Cargo.toml"))
    {
        assert!(
            file.text.contains("[lints]\nworkspace = true"),
            "{} does not take the lints",
            file.path
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, SourceFile, UNDONE, length, says_what_it_is_for, undone};

    fn file(text: &str) -> SourceFile {
        SourceFile {
            path: "a.rs".to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn faults_are_found_and_named() {
        assert_eq!(says_what_it_is_for(&file("//! Times.")).len(), 0);
        assert_eq!(
            says_what_it_is_for(&file("use std::fs;\n//! Times.")).len(),
            1
        );
        assert_eq!(says_what_it_is_for(&file("//!\n")).len(), 1);

        assert_eq!(length(&file(&"a\n".repeat(LONGEST))).len(), 0);
        assert_eq!(
            length(&file(&"a\n".repeat(LONGEST + 1))),
            ["a.rs: 501 lines, more than 500"]
        );

        for word in UNDONE {
            assert_eq!(
                undone(&file(&format!("fine\n// {word}: later"))),
                [format!("a.rs:2: {word}")]
            );
            assert_eq!(undone(&file(&format!("{word}ish"))).len(), 0);
        }
    }
}
