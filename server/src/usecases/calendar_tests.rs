//! A year's working days arrive: due dates that waited for them move once, all others stay, and
//! every server and device learns of it; on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::calendar::{DayKind, DayMark};
use hazardloop_domain::calendar_year::CalendarDay;
use hazardloop_domain::command::{Confirm, Grade, Period};
use hazardloop_domain::hazard::Hazard;
use hazardloop_domain::time::LocalDate;

use super::*;
use crate::jobs::run_due;
use crate::store::hazards;
use crate::test_support::{
    TestDevice, TestServer, hazard_id, on_each_database, on_each_database_with, person, report,
};
use crate::usecases::push::push;

/// Thirteen holidays from 1 to 13 January: no real year's table.
fn table() -> CalendarYear {
    let day = |n: u8| CalendarDay {
        date: format!("2027-01-{n:02}").parse().unwrap(),
        kind: DayMark::Holiday,
        occasion: "元旦".to_owned(),
    };
    CalendarYear {
        year: 2027,
        days: (1..=13).map(day).collect(),
        source: "测试用".to_owned(),
        version: 0,
    }
}

fn confirm(days: u32) -> Action {
    Action::Confirm(Confirm {
        grade: Grade::General,
        criterion: None,
        basis: None,
        responsible_person: "周小河".to_owned(),
        requirement: "每班清扫".to_owned(),
        due_date: "2026-12-02".parse().unwrap(),
        period: Some(Period {
            days,
            kind: DayKind::Working,
            rule: None,
        }),
        expert_opinion: None,
        responsible_unit: None,
        served: None,
    })
}

/// Hazards 1 to `numbers`, each confirmed with so many working days.
async fn file(server: &TestServer, days: &[u32]) {
    let app = &server.app;
    let mut phone = TestDevice::enrol(app, "employee", 1).await;
    let mut inspector = TestDevice::enrol(app, "inspector1", 2).await;
    for (number, days) in (1..).zip(days) {
        let id = hazard_id(number);
        let batch = vec![phone.seal(id, Action::Report(report("粉尘")))];
        push(app, phone.person_id, phone.push(batch)).await.unwrap();
        let batch = vec![inspector.seal(id, confirm(*days))];
        push(app, inspector.person_id, inspector.push(batch))
            .await
            .unwrap();
    }
}

fn hazard(app: &App, number: u64) -> Hazard {
    let loaded = app
        .db
        .read_blocking(|tx| hazards::load(tx.conn(), hazard_id(number)));
    loaded.unwrap().unwrap().hazard
}

fn due(app: &App, number: u64) -> (LocalDate, bool) {
    let hazard = hazard(app, number);
    let order = hazard.order().unwrap();
    (order.due_date, order.deadline.as_ref().unwrap().provisional)
}

fn waiting(app: &App) -> usize {
    let ids = app
        .db
        .read_blocking(|tx| calendars::provisional(tx.conn(), None, 100));
    ids.unwrap().len()
}

#[test]
fn provisional_due_dates_are_counted_again_and_all_others_stay() {
    on_each_database_with(
        |settings| settings.hazards.moved_at_once = 1,
        |server| async move {
            let app = &server.app;
            file(&server, &[40, 5, 45]).await;
            let (before, provisional) = due(app, 1);
            assert!(provisional);
            let firm = due(app, 2);
            assert!(!firm.1);
            assert_eq!(waiting(app), 2);

            let stored = import_for(app, person("admin"), table(), 0).await.unwrap();
            assert_eq!(stored.version, 1);
            run_due(app).await.unwrap();
            let (after, provisional) = due(app, 1);
            assert!(!provisional);
            assert!(before < after, "{before} {after}");
            assert_eq!(hazard(app, 1).order().unwrap().due_date_original, after);
            assert!(!due(app, 3).1);
            assert_eq!(due(app, 2), firm);
            assert_eq!(hazard(app, 2).version, 2, "a firm date leaves no event");
            assert_eq!(waiting(app), 0);
        },
    );
}

#[test]
fn a_closed_or_moved_due_date_waits_for_no_calendar() {
    on_each_database(|server| async move {
        let app = &server.app;
        file(&server, &[40]).await;
        let version = hazard(app, 1).version;
        import_for(app, person("admin"), table(), 0).await.unwrap();
        run_due(app).await.unwrap();
        // The same table again, and another job: nothing more happens.
        import_for(app, person("admin"), table(), 7).await.unwrap();
        recompute(app).await.unwrap();
        assert_eq!(hazard(app, 1).version, version + 1);
    });
}

#[test]
fn only_who_administers_the_whole_tree_imports_and_only_what_they_have_seen() {
    on_each_database(|server| async move {
        let app = &server.app;
        for login in ["inspector1", "reviewer", "principal", "supervisor"] {
            let refused = import_for(app, person(login), table(), 0).await;
            assert!(matches!(refused, Err(Failure::Forbidden(_))), "{login}");
        }
        let stale = import_for(app, person("admin"), table(), 3).await;
        assert!(matches!(
            stale,
            Err(Failure::PreconditionFailed { current: 0 })
        ));
        let mut short = table();
        short.days.truncate(3);
        let refused = import_for(app, person("admin"), short, 0).await;
        assert!(matches!(refused, Err(Failure::Refused(_))));
        assert!(
            app.calendar
                .now()
                .published_years()
                .all(|year| year != 2027)
        );
        import_for(app, person("admin"), table(), 0).await.unwrap();
        assert!(
            app.calendar
                .now()
                .published_years()
                .any(|year| year == 2027)
        );
    });
}

#[test]
fn another_server_over_the_same_database_learns_of_it() {
    on_each_database(|server| async move {
        let app = &server.app;
        let other = Calendar::open(&app.db).await.unwrap();
        import_for(app, person("admin"), table(), 0).await.unwrap();
        assert!(other.now().published_years().all(|year| year != 2027));
        other.catch_up(&app.db).await.unwrap();
        assert!(other.now().published_years().any(|year| year == 2027));
    });
}
