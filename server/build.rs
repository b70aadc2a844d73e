//! Puts the packs of `catalog/packs` into the program, so that it has them wherever it runs. Which there
//! are is read from the folder: a new sector needs no change here.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let variable = |name: &str| {
        #[allow(
            clippy::disallowed_methods,
            reason = "this is how cargo tells a build script where things are"
        )]
        env::var(name).map(PathBuf::from).map_err(io::Error::other)
    };
    let folder = variable("CARGO_MANIFEST_DIR")?.join("../catalog/packs");
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut code = String::from("&[\n");
    for pack in sorted(&folder)?.iter().filter(|path| path.is_dir()) {
        for file in sorted(pack)? {
            let (pack, name) = (name_of(pack), name_of(&file));
            let path = fs::canonicalize(&file)?;
            let line = writeln!(code, "    ({pack:?}, {name:?}, include_bytes!({path:?})),");
            line.map_err(io::Error::other)?;
        }
    }
    code += "]\n";
    fs::write(variable("OUT_DIR")?.join("packs.rs"), code)
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> String {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_default()
}
