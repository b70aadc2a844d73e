//! A table of the limit in one transaction, and the limits of the settings.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fmt::Write as _;

use super::*;
use crate::test_support::{NOW, on_each_database, on_each_database_with, person, seal_everything};
use crate::usecases::audit;

fn brought(app: &App, text: String) -> Brought {
    Brought {
        id: ImportId(app.entropy.uuid_v7(NOW)),
        bytes: text.into_bytes(),
        format: Format::Csv,
    }
}

fn table(rows: usize) -> String {
    let mut text = "名称,监管行业,管辖单位,主要负责人,主要负责人电话,风险等级\n".to_owned();
    for row in 0..rows {
        writeln!(
            text,
            "第{row}厂,工贸,荣昌区/广顺街道,王{row},1380000{row:04},黄"
        )
        .unwrap();
    }
    text
}

#[test]
fn a_large_table_is_one_transaction_and_its_history_verifies() {
    on_each_database(|server| async move {
        let app = &server.app;
        let reviewer = person("reviewer");
        let first = brought(app, table(600));
        let (report, new) = import(app, reviewer, first.clone()).await.unwrap();
        assert!(new);
        assert_eq!((report.rows, report.created, report.errors), (600, 600, 0));
        // The same import again: the first answer, to the millisecond.
        assert_eq!(
            import(app, reviewer, first).await.unwrap(),
            (report.clone(), false)
        );
        // The same file as another import: nothing to do.
        let (again, _) = import(app, reviewer, brought(app, table(600)))
            .await
            .unwrap();
        assert_eq!((again.created, again.updated, again.unchanged), (0, 0, 600));
        seal_everything(&app.db);
        assert_eq!(audit::verify(&app.db, None).unwrap().faults, 0);
        let undone = undo(app, reviewer, report.id.unwrap()).await.unwrap();
        assert_eq!(undone.undone_at, Some(NOW));
        seal_everything(&app.db);
        assert_eq!(audit::verify(&app.db, None).unwrap().faults, 0);
    });
}

#[test]
fn the_limits_of_the_settings_are_kept() {
    let small = |settings: &mut crate::settings::Settings| {
        settings.imports.file_bytes = 400;
        settings.imports.rows = 3;
        settings.imports.problems = 2;
    };
    on_each_database_with(small, |server| async move {
        let app = &server.app;
        let admin = person("admin");
        let three = import(app, admin, brought(app, table(3))).await.unwrap();
        assert_eq!(three.0.created, 3);
        let four = import(app, admin, brought(app, table(4)))
            .await
            .unwrap_err();
        assert!(four.to_string().contains("more than 3 rows"), "{four}");
        let many = import(app, admin, brought(app, table(9)))
            .await
            .unwrap_err();
        assert!(
            matches!(many, Failure::TooLarge { limit: 400, .. }),
            "{many}"
        );
        let wrong = "name,sector,jurisdiction\na,b,x\na,b,y\na,b,z\n";
        let report = try_out(app, admin, brought(app, wrong.to_owned()))
            .await
            .unwrap();
        assert_eq!((report.errors, report.problems.len()), (3, 2));
    });
}
