//! The cases about windows: what came to its end is given out for so many days and so many bytes, the newest.

use std::collections::BTreeSet;

use hazardloop_domain::command::{Action, Withdraw};
use hazardloop_domain::ids::HazardId;

use super::hub::{HubUnderTest, Phone, hazard_id, outcomes};
use super::hub_world::{
    ELSEWHERE, INSPECTOR, WORKER, firm, note, person, phone, report, reported, town,
};
use crate::wire::Scope;

const HOUR: i64 = 60 * 60 * 1000;

fn later(hub: &mut dyn HubUnderTest, hours: i64) {
    let now = hub.now().plus_millis(hours * HOUR);
    hub.set_now(now);
}

fn hours_of_the_window(hub: &dyn HubUnderTest) -> i64 {
    i64::from(hub.window().closed_days) * 24
}

/// The worker takes these reports back, now.
fn withdraw(hub: &mut dyn HubUnderTest, worker: &mut Phone, numbers: &[u8]) {
    let action = || {
        let reason = "误报".to_owned();
        Action::Withdraw(Withdraw { reason })
    };
    let sealed = numbers
        .iter()
        .map(|number| worker.seal(hazard_id(*number), action()));
    let sealed = sealed.collect();
    let answer = worker.push(hub, sealed);
    assert!(outcomes(&answer).iter().all(|name| *name == "applied"));
}

fn these(numbers: &[u8]) -> BTreeSet<HazardId> {
    numbers.iter().map(|number| hazard_id(*number)).collect()
}

/// It leaves every scope in its time, and comes back by no change of it; open work stays for ever.
pub fn what_came_to_its_end_leaves_in_its_time_and_open_work_stays(hub: &mut dyn HubUnderTest) {
    let window = hours_of_the_window(hub);
    let mut worker = reported(hub, 3);
    let mut inspector = phone(hub, INSPECTOR);
    withdraw(hub, &mut worker, &[1]);
    later(hub, window - 1);
    withdraw(hub, &mut worker, &[2]);
    for (hours, left) in [(0, &[1, 2, 3][..]), (2, &[2, 3]), (24, &[2, 3])] {
        later(hub, hours);
        hub.keep_windows();
        for phone in [&mut worker, &mut inspector] {
            phone.pull_until(hub, |phone| phone.hazards() == these(left));
        }
    }
    let told = worker.windows[&Scope::Enterprise(firm(1))];
    assert_eq!(told.closed_days, hub.window().closed_days);
    assert!(told.complete_after.is_some_and(|since| since < hub.now()));
    // Who is still to act on it may, without holding it, and is answered as ever.
    let remark = worker.seal(hazard_id(1), note("补记"));
    let answer = worker.push(hub, vec![remark]);
    assert_eq!(outcomes(&answer), ["applied"]);
    hub.keep_windows();
    worker.pull_until(hub, |phone| phone.hazards() == these(&[2, 3]));
    later(hub, window);
    hub.keep_windows();
    worker.pull_until(hub, |phone| phone.hazards() == these(&[3]));
    let mut fresh = Phone::enrolled(hub, 9, person(WORKER));
    fresh.pull_until(hub, |phone| phone.hazards() == these(&[3]));
    assert_eq!(fresh.scopes[&Scope::Enterprise(firm(1))].rows.len(), 2);
}

/// Beyond the bytes of the window the oldest go first.
pub fn beyond_the_bytes_the_oldest_go_first(hub: &mut dyn HubUnderTest) {
    let mut worker = reported(hub, 12);
    for number in 1..=11 {
        later(hub, 1);
        withdraw(hub, &mut worker, &[number]);
        hub.keep_windows();
    }
    let scope = Scope::Enterprise(firm(1));
    let whole = |phone: &Phone| phone.hazards().contains(&hazard_id(12));
    worker.pull_until(hub, whole);
    let held = worker.hazards();
    let oldest = (1..=11).find(|number| held.contains(&hazard_id(*number)));
    let oldest = oldest.expect("the newest is there");
    assert!(oldest > 1, "not all fit");
    let expected: Vec<u8> = (oldest..=12).collect();
    assert_eq!(held, these(&expected), "the newest, without gaps");
    let rows = worker.scopes[&scope].rows.values();
    let ended =
        rows.filter(|row| these(&expected[..expected.len() - 1]).contains(&HazardId(row.id)));
    let bytes: usize = ended.map(|row| row.body.0.len()).sum();
    assert!(u64::try_from(bytes).unwrap() <= hub.window().closed_bytes);
}

/// What moves after its end enters only as far as the window of where it comes to reaches back.
pub fn what_moves_after_its_end_enters_no_further_than_the_window_reaches(
    hub: &mut dyn HubUnderTest,
) {
    let window = hours_of_the_window(hub);
    let mut worker = reported(hub, 3);
    withdraw(hub, &mut worker, &[1]);
    later(hub, window + 1);
    withdraw(hub, &mut worker, &[2]);
    hub.move_enterprise(firm(1), town(2));
    hub.keep_windows();
    let mut there = phone(hub, ELSEWHERE);
    there.pull_until(hub, |phone| phone.hazards().contains(&hazard_id(3)));
    let reached = Scope::Jurisdiction(town(2));
    let ids: BTreeSet<HazardId> = there.hazards_in(reached).into_keys().collect();
    assert!(!ids.contains(&hazard_id(1)), "{ids:?}");
}

/// A first pull may be cut after any page while the window moves on, and ends as one that was not.
pub fn a_first_pull_that_is_cut_while_the_window_moves_ends_as_any_other(
    hub: &mut dyn HubUnderTest,
) {
    let window = hours_of_the_window(hub);
    let mut worker = reported(hub, 9);
    withdraw(hub, &mut worker, &[1, 2, 3, 4]);
    hub.keep_windows();
    for cut in 0..6 {
        let mut phone = Phone::enrolled(hub, 20 + cut, person(WORKER));
        for _ in 0..cut {
            phone.pull_once(hub, Some(2));
        }
        // This answer is lost.
        let request = phone.request(Some(2));
        drop(hub.pull(person(WORKER), request));
        later(hub, window / 5);
        let begun = worker.seal(hazard_id(30 + cut), report(hub, 1));
        worker.push(hub, vec![begun]);
        withdraw(hub, &mut worker, &[30 + cut]);
        hub.keep_windows();
        let mut fresh = Phone::enrolled(hub, 40 + cut, person(WORKER));
        fresh.pull_until(hub, |phone| phone.hazards().contains(&hazard_id(9)));
        let expected = fresh.hazards();
        phone.pull_pages_until(hub, Some(2), |phone| phone.hazards() == expected);
        assert_eq!(
            phone.resets.len(),
            3,
            "each scope began once: {:?}",
            phone.resets
        );
    }
}
