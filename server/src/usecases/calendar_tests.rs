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
use hazardloop_domain::command::{
    ActionKind, ClockReading, Close, Command, Confirm, DecideExtension, Grade, Period, Reinspect,
    RequestExtension, SubmitRectification,
};
use hazardloop_domain::hazard::{Hazard, HazardEvent};
use hazardloop_domain::ids::SubjectId;
use hazardloop_domain::time::{LocalDate, Timestamp};
use hazardloop_sync_protocol::wire::CommandPayload;

use super::*;
use crate::jobs::run_due;
use crate::store::hazards;
use crate::test_support::{
    NOW, TestDevice, TestServer, clocks, hazard_id, on_each_database, on_each_database_with,
    person, report,
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
        category: Some("生产设备设施".to_owned()),
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
fn a_table_that_is_there_already_moves_nothing() {
    on_each_database(|server| async move {
        let app = &server.app;
        file(&server, &[40]).await;
        let version = hazard(app, 1).version;
        import_for(app, person("admin"), table(), 0).await.unwrap();
        run_due(app).await.unwrap();
        import_for(app, person("admin"), table(), 7).await.unwrap();
        recompute(app).await.unwrap();
        assert_eq!(hazard(app, 1).version, version + 1);
    });
}

/// Corrects a hazard and closes it.
async fn close(app: &App, number: u64) {
    let text = || "试验".to_owned();
    let events = [
        HazardEvent::RectificationSubmitted {
            submission: SubmitRectification {
                measures: text(),
                completed_at: NOW,
                photos: Vec::new(),
                cost_fen: None,
                pairs: Vec::new(),
                self_acceptance: None,
            },
        },
        HazardEvent::Reinspected {
            reinspection: Reinspect {
                passed: true,
                opinion: text(),
                photos: Vec::new(),
                new_due_date: None,
                document_no: None,
                items: Vec::new(),
                no_photo_reason: None,
                on: None,
            },
            second: None,
        },
        HazardEvent::Closed {
            closure: Close {
                opinion: text(),
                on: None,
            },
        },
    ];
    let door = Door::new(app);
    let write = app.db.write(move |tx| {
        let mut set = door.open(NOW);
        set.hazard(tx.conn(), hazard_id(number))?;
        set.record(hazard_id(number), &events, &Sender::SERVER)?;
        set.store(tx)
    });
    write.await.unwrap();
}

#[test]
fn a_moved_due_date_stays_and_a_closed_hazard_stays_closed_while_the_first_dates_are_put_right() {
    on_each_database(|server| async move {
        let app = &server.app;
        file(&server, &[40, 40]).await;
        let (first, _) = due(app, 1);
        let mut principal = TestDevice::enrol(app, "principal", 3).await;
        let mut reviewer = TestDevice::enrol(app, "reviewer", 4).await;
        let moved = LocalDate::new(first.date().tomorrow().unwrap());
        let ask = Action::RequestExtension(RequestExtension {
            new_due_date: moved,
            reason: "等待配件".to_owned(),
            interim_controls: "专人值守".to_owned(),
            expert_opinion: None,
        });
        let grant = Action::DecideExtension(DecideExtension {
            granted: true,
            opinion: "同意".to_owned(),
            on: None,
        });
        for (device, action) in [(&mut principal, ask), (&mut reviewer, grant)] {
            let batch = vec![device.seal(hazard_id(1), action)];
            let answer = push(app, device.person_id, device.push(batch)).await;
            let answer = answer.unwrap();
            assert!(format!("{answer:?}").contains("Applied"), "{answer:?}");
        }
        close(app, 2).await;
        assert_eq!(hazard(app, 1).order().unwrap().due_date, moved);
        let status = hazard(app, 2).status_name();

        import_for(app, person("admin"), table(), 0).await.unwrap();
        run_due(app).await.unwrap();
        let order = hazard(app, 1).order().unwrap().clone();
        // Figures count by the first date, and what was extended does not end before it.
        assert!(order.due_date_original > moved);
        assert_eq!(order.due_date, order.due_date_original);
        let closed = hazard(app, 2);
        assert_eq!(closed.status_name(), status);
        assert!(closed.order().unwrap().due_date_original > first);
        assert_eq!(waiting(app), 0);
    });
}

/// An enterprise that let its date pass puts its phone's clock back. What its chain has seen of the server's time since
/// is held against it, also where the late request itself does not show that.
#[test]
fn a_clock_that_is_put_back_does_not_make_a_late_request_timely() {
    on_each_database(|server| async move {
        let app = &server.app;
        file(&server, &[40, 40]).await;
        let (due, _) = due(app, 1);
        let in_time = NOW.plus_millis(3_600_000);
        let late = due.end_of_day().plus_millis(86_400_000);
        let ask = || {
            Action::RequestExtension(RequestExtension {
                new_due_date: LocalDate::new(due.date().tomorrow().unwrap()),
                reason: "等待配件".to_owned(),
                interim_controls: "专人值守".to_owned(),
                expert_opinion: None,
            })
        };
        let claimed = |hazard: u8, seen: Option<Timestamp>| {
            let clock = ClockReading {
                server_anchor: seen,
                anchor_token: seen.and_then(|at| app.anchor_key.token(at)),
                ..clocks(in_time)
            };
            let subject: SubjectId = hazard_id(hazard.into()).into();
            CommandPayload::pack(clock, &Command::new(subject, ask()))
        };
        let mut honest = TestDevice::enrol(app, "principal", 3).await;
        let mut other = TestDevice::enrol(app, "principal", 4).await;
        server.set_now(late);
        // One that had no signal in between: late, and marked as not proven.
        let kind = ActionKind::RequestExtension;
        let mut outcomes = Vec::new();
        for (device, commands) in [
            (&mut honest, vec![claimed(1, None)]),
            // The server's time of after the date in the same push, and before it in the one of a day ago.
            (&mut other, vec![claimed(2, Some(late)), claimed(2, None)]),
        ] {
            let sealed = |payload| device.seal_raw(kind.as_str(), kind.version(), payload);
            let batch: Vec<_> = commands.into_iter().map(sealed).collect();
            let request = device.push(batch);
            let answer = push(app, device.person_id, request).await.unwrap();
            outcomes.extend(
                answer
                    .results
                    .into_iter()
                    .map(|result| format!("{result:?}")),
            );
        }
        assert!(outcomes[0].contains("Applied"), "{outcomes:?}");
        for refused in &outcomes[1..] {
            assert!(refused.contains("ExtensionTooLate"), "{refused}");
        }
        // And in a push of its own.
        let payload = claimed(2, None);
        let batch = vec![other.seal_raw(kind.as_str(), kind.version(), payload)];
        let answer = push(app, other.person_id, other.push(batch)).await.unwrap();
        let refused = format!("{answer:?}");
        assert!(refused.contains("ExtensionTooLate"), "{refused}");
    });
}

/// The table of a year after it, for one more import.
fn another_table() -> CalendarYear {
    let mut table = table();
    table.year = 2028;
    for day in &mut table.days {
        day.date = day
            .date
            .to_string()
            .replace("2027", "2028")
            .parse()
            .unwrap();
    }
    table
}

/// Takes the next due job and does not work on it yet.
async fn take(app: &App) -> jobs::Claimed {
    let now = app.clock.now();
    let until = now.plus_millis(crate::jobs::runner::LEASE_MS);
    let claim = app.db.write(move |tx| jobs::claim(tx.conn(), now, until));
    claim.await.unwrap().unwrap()
}

#[test]
fn an_import_while_due_dates_are_counted_has_them_counted_again() {
    on_each_database(|server| async move {
        let app = &server.app;
        file(&server, &[40]).await;
        import_for(app, person("admin"), another_table(), 0)
            .await
            .unwrap();
        // Another server counts by what it knew when it began.
        let under_way = take(app).await;
        import_for(app, person("admin"), table(), 0).await.unwrap();
        let done = app.db.write(move |tx| jobs::done(tx.conn(), &under_way));
        assert!(done.await.unwrap());
        assert!(due(app, 1).1);
        run_due(app).await.unwrap();
        assert!(!due(app, 1).1);
    });
}

#[test]
fn a_counting_that_was_given_up_keeps_no_later_one_away() {
    on_each_database(|server| async move {
        let app = &server.app;
        file(&server, &[40]).await;
        import_for(app, person("admin"), another_table(), 0)
            .await
            .unwrap();
        let failing = take(app).await;
        let failed = app
            .db
            .write(move |tx| jobs::failed(tx.conn(), &failing, "broken", None, NOW));
        assert!(failed.await.unwrap());
        import_for(app, person("admin"), table(), 0).await.unwrap();
        run_due(app).await.unwrap();
        assert!(!due(app, 1).1);
    });
}

#[test]
fn what_another_server_set_before_it_learnt_of_the_table_is_counted_too() {
    on_each_database(|server| async move {
        let app = &server.app;
        let other = server.beside().await;
        import_for(app, person("admin"), table(), 0).await.unwrap();
        run_due(app).await.unwrap();
        let mut phone = TestDevice::enrol(&other, "employee", 1).await;
        let mut inspector = TestDevice::enrol(&other, "inspector1", 2).await;
        let batch = vec![phone.seal(hazard_id(1), Action::Report(report("粉尘")))];
        push(&other, phone.person_id, phone.push(batch))
            .await
            .unwrap();
        let batch = vec![inspector.seal(hazard_id(1), confirm(40))];
        push(&other, inspector.person_id, inspector.push(batch))
            .await
            .unwrap();
        assert!(due(app, 1).1);
        server.set_now(NOW.plus_millis(ONCE_MORE_AFTER_MS));
        run_due(app).await.unwrap();
        assert!(!due(app, 1).1);
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
