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
    Ok(())
}
