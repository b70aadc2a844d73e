//! Documents that are printed from the rules: a test holds the file against what the rules say now.
#![allow(clippy::unwrap_used, clippy::panic)]

/// Holds `docs/{name}` against `printed`; with `UPDATE_DOCS` set, writes it first.
///
/// # Panics
/// When the file differs, with the command that writes it.
#[track_caller]
pub(crate) fn check(name: &str, printed: &str, test: &str) {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let path = docs.join(name);
    #[allow(
        clippy::disallowed_methods,
        reason = "only says whether to write the file again"
    )]
    let write = std::env::var_os("UPDATE_DOCS").is_some();
    if write {
        std::fs::write(&path, printed).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == printed,
        "docs/{name} differs from the rules: UPDATE_DOCS=1 cargo test -p hazardloop-domain {test}"
    );
}
