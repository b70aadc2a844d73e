//! The command line of tables: template, dry run, import, list, undo, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;
use crate::test_support::{NOW, TestServer, on_each_database};

fn importer(server: &TestServer) -> Importer {
    Importer {
        person_id: None,
        key: server.app.digest_key,
        limits: server.app.settings.imports.clone(),
        entropy: server.app.entropy.clone(),
        catalog: server.app.catalog.now(),
        now: NOW,
    }
}

fn done(server: &TestServer, task: EnterpriseTask) -> (String, Result<(), TaskError>) {
    let mut out = Vec::new();
    let done = run(&server.app.db, importer(server), task, &mut out);
    (String::from_utf8(out).unwrap(), done)
}

#[test]
fn the_template_is_a_table_without_rows_in_both_languages() {
    for english in [false, true] {
        let text = template_text(english);
        assert!(text.starts_with('\u{feff}'), "as Excel knows UTF-8");
        let limits = crate::settings::ImportLimits::default().of_table();
        let rows = crate::tables::read(text.as_bytes(), Format::Csv, &limits).unwrap();
        assert_eq!((rows.len(), rows[0].cells.len()), (2, COLUMNS.len()));
        for (column, of) in COLUMNS.iter().enumerate() {
            assert!(of.is_headed(rows[0].text(column).unwrap()));
        }
        assert!(rows[1].text(0).unwrap().starts_with('#'));
    }
}

#[test]
fn a_file_is_tried_out_imported_listed_and_taken_back() {
    on_each_database(|server| async move {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("企业.csv");
        let bring = |text: &str, dry_run: bool, id: Option<ImportId>| {
            std::fs::write(&file, text).unwrap();
            let file = file.clone();
            let import = Import { file, dry_run, id };
            done(&server, EnterpriseTask::Import(import))
        };
        let wrong = "名称,监管行业,管辖单位,风险等级\n甲厂,工贸,无此地,紫\n";
        for dry_run in [true, false] {
            let (said, refused) = bring(wrong, dry_run, None);
            assert!(
                said.contains("row 2\t管辖单位 jurisdiction\terror JURISDICTION_UNKNOWN"),
                "{said}"
            );
            assert!(
                said.contains("row 2\t风险等级 risk_level\terror NOT_ONE_OF"),
                "{said}"
            );
            assert!(
                matches!(refused, Err(TaskError::FaultsFound(2))),
                "{refused:?}"
            );
        }
        let good = "名称,监管行业,管辖单位\n甲厂,工贸,500153003000\n";
        let (said, tried) = bring(good, true, None);
        assert!(tried.is_ok() && said.contains("dry run, nothing stored: 1 row(s), 1 created"));
        assert_eq!(done(&server, EnterpriseTask::Imports).0, "");
        let id = ImportId(server.app.entropy.uuid_v7(NOW));
        let (said, taken) = bring(good, false, Some(id));
        assert!(
            taken.is_ok() && said.starts_with(&format!("imported {id}: 1 row(s)")),
            "{said}"
        );
        let (said, again) = bring(good, false, Some(id));
        assert!(
            again.is_ok() && said.contains("had been imported before"),
            "{said}"
        );
        let (listed, _) = done(&server, EnterpriseTask::Imports);
        assert!(
            listed.contains(&id.to_string()) && listed.contains("command line"),
            "{listed}"
        );
        let (said, undone) = done(&server, EnterpriseTask::Undo(Undo { id }));
        assert!(undone.is_ok() && said.contains("undone"), "{said}");
        let nowhere = Import {
            file: folder.path().join("nowhere.csv"),
            dry_run: false,
            id: None,
        };
        let (_, lost) = done(&server, EnterpriseTask::Import(nowhere));
        assert!(matches!(lost, Err(TaskError::Io { .. })));
    });
}
