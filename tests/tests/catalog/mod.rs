//! Packs from the folder to the phone: what an operator adds to a running server, REST shows and a device
//! finds without signal.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hazardloop_tests::device::Device;
use hazardloop_tests::each_database;
use hazardloop_tests::process::described;
use hazardloop_tests::server::{Server, ServerOptions};
use serde_json::Value;

/// How long a running server may take to notice what another process added (it looks every three seconds).
const NOTICED: Duration = Duration::from_secs(60);

fn codes(found: &Value) -> Vec<&str> {
    let all = found.as_array().expect("a list").iter();
    all.map(|one| one["code"].as_str().expect("a code"))
        .collect()
}

#[test]
fn a_device_finds_clause_and_checklist_without_a_server() {
    each_database(|database| {
        let mut server = Server::start(database, ServerOptions::default());
        let rest = server.rest();
        let device = Device::new(&format!("http://{}", server.address()), "inspector1");
        device.ok(&["enroll"]);
        let before = device.run(&["criteria", "粉尘"]);
        assert_eq!(before.status.code(), Some(2), "{}", described(&before));
        device.ok(&["sync"]);
        let shown = rest
            .signed_in("inspector1")
            .get("/criteria?q=%E7%B2%89%E5%B0%98%E6%B2%A1%E6%9C%89%E6%B3%84%E7%88%86");
        let shown = shown.expect_status(&[200]).json();
        server.stop();

        let found = device.json(&["criteria", "粉尘没有泄爆"]);
        assert_eq!(codes(&found)[0], "GM-10-11-3");
        assert_eq!(
            codes(&found),
            codes(&shown["items"])[..5],
            "the same rules everywhere"
        );
        let said = device.ok(&[
            "criteria",
            "--sector",
            "工贸",
            "--lang",
            "zh",
            "横梁积灰",
            "没有清扫",
        ]);
        assert!(said.starts_with("GM-10-11-10@1"), "{said}");
        assert!(said.contains("检查方法"), "{said}");
        let old = device.json(&["criteria", "--limit", "50", "城市建成区内一级加油加气站"]);
        let old = old
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["code"] == "XF-2017-6-3");
        assert_eq!(
            old.expect("history is found too")["citability"],
            "not_citable"
        );

        let lists = device.json(&["checklists", "--sector", "煤矿"]);
        assert!(codes(&lists).contains(&"MK-CK-S-FACE"));
        let list = device.json(&["checklists", "MK-CK-S-FACE"]);
        assert_eq!(list["items"][0]["criterion"], "MK-21-5-2");
    });
}

/// A pack of one criterion, as somebody in a bureau writes it.
fn write_pack(folder: &Path, version: u32, text: &str) -> PathBuf {
    let folder = folder.join("cable-cars");
    std::fs::create_dir_all(&folder).unwrap();
    let write = |file: &str, text: String| std::fs::write(folder.join(file), text).unwrap();
    write(
        "pack.tsv",
        format!(
            "field\tvalue\nname\tcable-cars\nversion\t{version}\ntitle_zh\t缆车\ntitle_en\tCable cars\n\
             source\tmade up for a test\nlicence\tApache-2.0\n"
        ),
    );
    write(
        "sectors.tsv",
        "code\tzh\ten\taliases\ncable-cars\t缆车\tCable cars\t索道\n".to_owned(),
    );
    write(
        "standards.tsv",
        "code\tnumber\ttitle_zh\ttitle_en\tsector\tissued_on\teffective_from\teffective_until\tstatus\t\
         identity_verified\tnote_zh\tnote_en\n\
         LC-1\t缆〔2026〕1号\t缆车标准\tCable cars\tcable-cars\t2026-01-01\t\t\tin_force\tyes\t\t\n"
            .to_owned(),
    );
    write(
        "criteria.tsv",
        format!(
            "code\tedition\tstandard\tclause\tzh\ten\tcheck_zh\tcheck_en\tevidence\tsource\n\
             LC-1-1\t{version}\tLC-1\t第一条\t{text}\tHaul rope worn\t\t\tV\tmade up\n"
        ),
    );
    folder
}

#[test]
fn a_new_sector_needs_a_folder_and_nothing_else() {
    each_database(|database| {
        let server = Server::start(database, ServerOptions::default());
        let rest = server.rest().signed_in("inspector1");
        let device = Device::new(&format!("http://{}", server.address()), "inspector1");
        device.ok(&["enroll"]);
        let within = tempfile::tempdir().unwrap();
        let folder = write_pack(within.path(), 1, "牵引索断丝超限");
        let added = server.task(&["pack", "add", folder.to_str().unwrap()]);
        assert!(added.status.success(), "{}", described(&added));
        noticed(|| rest.get("/criteria/LC-1-1").status == 200);
        device.ok(&["sync"]);
        assert_eq!(
            codes(&device.json(&["criteria", "牵引索断丝"]))[0],
            "LC-1-1"
        );

        // The text under the same edition may not change; a new edition retires the old one.
        write_pack(within.path(), 1, "牵引索断丝或锈蚀");
        let refused = server.task(&["pack", "add", folder.to_str().unwrap()]);
        assert_eq!(refused.status.code(), Some(1), "{}", described(&refused));
        write_pack(within.path(), 2, "牵引索断丝或锈蚀");
        let added = server.task(&["pack", "add", folder.to_str().unwrap()]);
        assert!(added.status.success(), "{}", described(&added));
        noticed(|| {
            rest.get("/criteria/LC-1-1").json()["items"]
                .as_array()
                .unwrap()
                .len()
                == 2
        });
        let editions = rest.get("/criteria/LC-1-1").json();
        assert_eq!(editions["items"][0]["citability"], "not_citable");
        assert_eq!(editions["items"][1]["citability"], "full_text");
        device.ok(&["sync"]);
        let found = device.json(&["criteria", "牵引索锈蚀"]);
        assert_eq!(found[0]["code"], "LC-1-1");
        assert_eq!(found[0]["edition"], 2);
        let audit = server.task(&["audit", "verify"]);
        assert!(audit.status.success(), "{}", described(&audit));
    });
}

/// Asks until the server has seen it: it looks on its own, and each question takes its time.
fn noticed(mut seen: impl FnMut() -> bool) {
    #[allow(
        clippy::disallowed_methods,
        reason = "bounds how long another process is waited for"
    )]
    let began = std::time::Instant::now();
    while !seen() {
        assert!(began.elapsed() < NOTICED, "not noticed within {NOTICED:?}");
    }
}
