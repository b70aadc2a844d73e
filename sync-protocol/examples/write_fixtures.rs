//! Writes the golden fixtures of the protocol: `cargo run -p hazardloop-sync-protocol --example
//! write_fixtures`. Existing files are left alone unless `--replace` is given: what a release
//! has sent must stay readable, so a changed fixture is a changed protocol.

use hazardloop_sync_protocol as protocol;
use std::path::Path;

#[path = "../fixtures/samples.rs"]
mod samples;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let replace = std::env::args().any(|argument| argument == "--replace");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/v1");
    std::fs::create_dir_all(&folder)?;
    for sample in samples::all()? {
        let files = [("cbor", sample.cbor), ("json", sample.json.into_bytes())];
        for (ending, contents) in files
            .into_iter()
            .filter(|(_, contents)| !contents.is_empty())
        {
            let path = folder.join(format!("{}.{ending}", sample.name));
            if replace || !path.exists() {
                std::fs::write(&path, contents)?;
                println!("wrote {}", path.display());
            }
        }
    }
    coded(&folder, replace)
}

/// Some of them as they travel, in each coding.
#[cfg(feature = "zstd")]
fn coded(folder: &Path, replace: bool) -> Result<(), Box<dyn std::error::Error>> {
    use protocol::compress::{Coding, encode};
    let into = folder.with_file_name("coded");
    std::fs::create_dir_all(&into)?;
    for name in ["push-request", "packed-push", "packed-pull-response"] {
        let plain = std::fs::read(folder.join(format!("{name}.cbor")))?;
        for coding in Coding::ALL {
            let path = into.join(format!("{name}.{}", coding.name()));
            if let (true, Some(coded)) = (replace || !path.exists(), encode(coding, &plain)) {
                std::fs::write(&path, coded)?;
                println!("wrote {}", path.display());
            }
        }
    }
    Ok(())
}

#[cfg(not(feature = "zstd"))]
fn coded(_: &Path, _: bool) -> Result<(), Box<dyn std::error::Error>> {
    Ok(())
}
