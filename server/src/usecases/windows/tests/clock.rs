//! A clock that was wrong when something came to its end keeps it on no phone for ever, and hides it from none.

use super::*;

#[test]
fn what_ended_by_a_clock_far_ahead_leaves_in_its_time_after_that_is_noticed() {
    on_each_database_with(small, async |server| {
        let app = &server.app;
        write(&server, days(4_000), vec![made(1, StatusName::Closed)]).await;
        write(&server, days(1), vec![made(2, StatusName::Closed)]).await;
        let mut employee = Phone::of(app, "employee", 1).await;
        for (day, expected) in [
            (2, vec![1, 2]),
            (10, vec![1, 2]),
            (12, vec![1]),
            (13, vec![]),
        ] {
            server.set_now(days(day));
            keep_all(app).await;
            employee.pull(app).await;
            assert_eq!(
                employee.hazards(firm()),
                BTreeSet::from_iter(expected),
                "{day}"
            );
        }
        let before = positions(&server);
        keep_all(app).await;
        assert_eq!(positions(&server), before, "once");
    });
}

#[test]
fn a_clock_that_stands_at_its_beginning_judges_nothing() {
    on_each_database_with(small, async |server| {
        let app = &server.app;
        write(&server, NOW, vec![made(1, StatusName::Closed)]).await;
        server.set_now(Timestamp::from_millis(0));
        keep_all(app).await;
        let mut employee = Phone::of(app, "employee", 1).await;
        for (day, expected) in [(9, vec![1]), (11, vec![])] {
            server.set_now(days(day));
            keep_all(app).await;
            employee.pull(app).await;
            assert_eq!(
                employee.hazards(firm()),
                BTreeSet::from_iter(expected),
                "{day}"
            );
        }
    });
}

#[test]
fn nothing_came_to_its_end_before_what_is_known_of_it() {
    on_each_database_with(small, async |server| {
        let app = &server.app;
        write(&server, NOW, vec![made(1, StatusName::Reported)]).await;
        let mut employee = Phone::of(app, "employee", 1).await;
        let mut reviewer = Phone::of(app, "reviewer", 2).await;
        server.set_now(days(30));
        let outcome = employee.send(app, hazard_id(1), note("补记")).await;
        assert!(outcome.took_effect(), "{outcome:?}");
        server.set_now(days(0).plus_millis(1_000));
        let reject = json!({"kind": "reject", "reason": "现场不构成隐患"});
        let outcome = reviewer.send(app, hazard_id(1), action(reject)).await;
        assert!(outcome.took_effect(), "{outcome:?}");
        for (day, expected) in [(35, vec![1]), (41, vec![])] {
            server.set_now(days(day));
            keep_all(app).await;
            employee.pull(app).await;
            assert_eq!(
                employee.hazards(firm()),
                BTreeSet::from_iter(expected),
                "{day}"
            );
        }
    });
}
