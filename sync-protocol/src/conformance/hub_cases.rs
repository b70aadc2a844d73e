//! The cases that every hub passes, each on a hub of its own: `hub_cases!(run)` makes a test of each.

use hazardloop_domain::command::{Action, Close};
use hazardloop_domain::ids::JurisdictionId;
use hazardloop_domain::refusal::RefusalCode;

use super::hub::{HubUnderTest, NoAnswer, Phone, hazard_id, id_of, outcomes};
use super::hub_world::{
    ELSEWHERE, INSPECTOR, NEIGHBOUR, WORKER, amend, firm, note, outcome, person, phone, report,
    reported, town, waits_for_a_person, world,
};
use crate::wire::{
    Bytes, Checkpoint, Outcome, PROTOCOL_MAX, PushResult, ResetReason, Scope, ScopeCursor,
    ScopeUpdate,
};

pub use super::hub_beginnings::{
    a_report_made_before_a_move_waits_for_a_person,
    a_report_made_before_a_role_ended_waits_for_a_person,
};
pub use super::hub_choices::{
    what_a_revoked_device_offers_is_kept_and_not_carried_out,
    what_is_given_up_is_its_authors_and_took_no_effect,
    what_is_sent_again_takes_effect_once_and_its_author_is_told_everywhere,
    what_is_sent_in_the_place_of_another_settles_it,
    what_took_effect_elsewhere_gives_what_is_sent_again_no_version,
    what_was_sent_again_in_turn_takes_effect_once_however_the_queue_is_cut,
};
pub use super::hub_co_signed::{
    a_co_signature_that_is_not_that_persons_over_that_act_is_refused,
    what_takes_two_is_done_by_one_command_that_two_signed,
};
pub use super::hub_forgets::what_is_forgotten_is_missed_by_nobody;
pub use super::hub_proofs::what_others_had_seen_is_proven_however_it_arrives;
pub use super::hub_sectors::{
    an_enterprise_of_a_sector_that_moves_leaves_its_sectors_scope_too,
    whoever_answers_for_some_sectors_holds_those_and_no_others,
};
pub use super::hub_windows::{
    a_first_pull_that_is_cut_while_the_window_moves_ends_as_any_other,
    beyond_the_bytes_the_oldest_go_first,
    what_came_to_its_end_leaves_in_its_time_and_open_work_stays,
    what_moves_after_its_end_enters_no_further_than_the_window_reaches,
};

/// Makes a test of every case: `hub_cases!(run)`, where `run` is handed each case and runs it on a new hub.
#[macro_export]
macro_rules! hub_cases {
    ($run:path) => {
        $crate::hub_cases!(@each $run:
            every_command_has_an_outcome_and_a_second_push_the_same_receipts,
            a_gap_is_named_and_a_used_number_is_not_taken,
            a_forged_command_is_kept_apart_and_the_next_goes_on,
            what_builds_on_a_failed_report_is_blocked_by_it_in_one_batch_or_in_two,
            edits_merge_or_both_are_kept_however_the_queue_is_cut,
            a_request_that_is_none_is_refused_as_a_whole,
            any_size_of_page_ends_the_same_and_then_nothing_is_said,
            one_change_brings_one_record,
            a_neighbour_sees_nothing_and_cannot_ask_for_it,
            an_enterprise_that_moves_leaves_whole_and_arrives_whole,
            work_done_before_a_move_waits_for_a_person,
            a_role_that_ends_takes_its_scopes_and_its_late_work_waits_for_a_person,
            a_differing_sum_begins_that_scope_anew_and_no_other,
            a_cursor_from_elsewhere_and_another_epoch_begin_anew,
            a_revoked_device_and_a_strangers_get_nothing,
            what_came_to_its_end_leaves_in_its_time_and_open_work_stays,
            beyond_the_bytes_the_oldest_go_first,
            what_moves_after_its_end_enters_no_further_than_the_window_reaches,
            a_first_pull_that_is_cut_while_the_window_moves_ends_as_any_other,
            what_others_had_seen_is_proven_however_it_arrives,
            what_is_forgotten_is_missed_by_nobody,
            what_is_sent_again_takes_effect_once_and_its_author_is_told_everywhere,
            what_is_sent_in_the_place_of_another_settles_it,
            what_was_sent_again_in_turn_takes_effect_once_however_the_queue_is_cut,
            what_took_effect_elsewhere_gives_what_is_sent_again_no_version,
            what_is_given_up_is_its_authors_and_took_no_effect,
            what_a_revoked_device_offers_is_kept_and_not_carried_out,
            a_report_made_before_a_move_waits_for_a_person,
            a_report_made_before_a_role_ended_waits_for_a_person,
            whoever_answers_for_some_sectors_holds_those_and_no_others,
            an_enterprise_of_a_sector_that_moves_leaves_its_sectors_scope_too,
            what_takes_two_is_done_by_one_command_that_two_signed,
            a_co_signature_that_is_not_that_persons_over_that_act_is_refused,
        );
    };
    (@each $run:path: $($case:ident,)+) => {
        $(
            #[test]
            fn $case() {
                $run($crate::conformance::hub_cases::$case);
            }
        )+
    };
}

/// A bad command has its receipt like any other, nothing waits behind it, and a receipt never becomes another.
pub fn every_command_has_an_outcome_and_a_second_push_the_same_receipts(
    hub: &mut dyn HubUnderTest,
) {
    world(hub);
    let mut worker = phone(hub, WORKER);
    let id = hazard_id(1);
    let on = None;
    let opinion = "好".to_owned();
    let batch = vec![
        worker.seal(id, report(hub, 1)),
        worker.seal_raw("teleport", 1, vec![1, 2, 3]),
        worker.seal(id, note("第一次")),
        worker.seal(id, Action::Close(Close { opinion, on })),
        worker.seal_raw("note", 9, vec![0xa0]),
        worker.seal_raw("note", 1, vec![0xff]),
        worker.seal(hazard_id(2), note("没有这条")),
        worker.seal_raw("te\u{0}le", 1, vec![1]),
        worker.seal(id, note("第二次")),
    ];
    let first = worker.push(hub, batch.clone());
    let expected = [
        "applied",
        "quarantined",
        "applied",
        "conflict",
        "quarantined",
        "quarantined",
        "rejected",
        "quarantined",
        "applied",
    ];
    assert_eq!(outcomes(&first), expected);
    assert_eq!((first.last, first.expected), (9, None));
    assert!(matches!(
        outcome(&first, 3),
        Outcome::Conflict { current: 2, .. }
    ));
    hub.set_now(hub.now().plus_millis(60_000));
    let again = worker.push(hub, batch.clone());
    assert_eq!(again.results, first.results);
    // Beside what is new, and only a part of it.
    let mut more = batch[4..].to_vec();
    more.push(worker.seal(id, note("第三次")));
    let third = worker.push(hub, more);
    assert_eq!(third.results[..5], first.results[4..]);
    assert_eq!(outcomes(&third)[5], "applied");
    assert_eq!(third.last, 10);
}

/// What comes too early is not looked at; another command under a number that is used is not taken.
pub fn a_gap_is_named_and_a_used_number_is_not_taken(hub: &mut dyn HubUnderTest) {
    world(hub);
    let mut worker = phone(hub, WORKER);
    let one = worker.seal(hazard_id(1), report(hub, 1));
    let two = worker.seal(hazard_id(1), note("二"));
    let early = worker.push(hub, vec![two]);
    assert_eq!((early.expected, early.last), (Some(1), 0));
    assert!(early.results.is_empty());
    worker.push(hub, vec![one]);
    let mut set_back = Phone::new(WORKER, person(WORKER), hub.now());
    let other = set_back.seal(hazard_id(3), report(hub, 1));
    let answer = set_back.push(hub, vec![other]);
    assert_eq!(answer.results, [PushResult::IdReused { seq: 1 }]);
    assert_eq!(answer.last, 1);
}

/// A forged command is quarantined and blocks nothing.
pub fn a_forged_command_is_kept_apart_and_the_next_goes_on(hub: &mut dyn HubUnderTest) {
    world(hub);
    let mut worker = phone(hub, WORKER);
    let mut forged = worker.seal(hazard_id(1), report(hub, 1));
    forged.signature.0[0] ^= 1;
    let next = worker.seal(hazard_id(2), report(hub, 1));
    let answer = worker.push(hub, vec![forged, next]);
    assert_eq!(outcomes(&answer), ["quarantined", "applied"]);
    worker.pull_until(hub, |phone| phone.hazards().contains(&hazard_id(2)));
    assert!(!worker.hazards().contains(&hazard_id(1)));
}

/// What an install builds on its own refused report is told which, wherever the batch was cut.
pub fn what_builds_on_a_failed_report_is_blocked_by_it_in_one_batch_or_in_two(
    hub: &mut dyn HubUnderTest,
) {
    world(hub);
    let mut worker = phone(hub, WORKER);
    let batch = vec![
        worker.seal(hazard_id(1), report(hub, 2)),
        worker.seal(hazard_id(1), note("跟着")),
        worker.seal(hazard_id(2), report(hub, 1)),
    ];
    let answer = worker.push(hub, batch);
    let Outcome::Rejected { refusal } = outcome(&answer, 0) else {
        panic!("{:?}", outcome(&answer, 0))
    };
    assert_eq!(refusal.code, RefusalCode::OutOfScope);
    assert_eq!(*outcome(&answer, 1), Outcome::BlockedBy { seq: 1 });
    assert_eq!(outcome(&answer, 2).name(), "applied");
    let later = worker.seal(hazard_id(1), note("又一次"));
    let answer = worker.push(hub, vec![later]);
    assert_eq!(*outcome(&answer, 0), Outcome::BlockedBy { seq: 1 });
}

/// The same commands on two hazards, in one batch and one by one: edits of other fields merge, of the same one both
/// values are kept.
pub fn edits_merge_or_both_are_kept_however_the_queue_is_cut(hub: &mut dyn HubUnderTest) {
    let mut worker = reported(hub, 2);
    let mut office = Phone::enrolled(hub, 9, person(WORKER));
    for whole in [true, false] {
        let id = hazard_id(if whole { 1 } else { 2 });
        let first = worker.seal(id, amend(Some("甲"), None));
        worker.push(hub, vec![first]);
        let batch = vec![
            office.seal(id, amend(None, Some("3#除尘器"))),
            office.seal(id, amend(Some("乙"), None)),
            office.seal(id, note("看过")),
        ];
        let names: Vec<_> = if whole {
            outcomes(&office.push(hub, batch))
        } else {
            let each = batch.into_iter();
            each.flat_map(|envelope| outcomes(&office.push(hub, vec![envelope])))
                .collect()
        };
        assert_eq!(names, ["merged", "conflict", "applied"]);
    }
}

/// Too many scopes, a version that nobody speaks, a batch out of order.
pub fn a_request_that_is_none_is_refused_as_a_whole(hub: &mut dyn HubUnderTest) {
    let mut worker = reported(hub, 1);
    let mut newer = worker.request(None);
    newer.protocol = PROTOCOL_MAX + 1;
    let refused = hub.pull(person(WORKER), newer).unwrap_err();
    assert_eq!(refused, NoAnswer::UpgradeRequired);
    let mut wide = worker.request(None);
    let number = |number| JurisdictionId(id_of(3, number));
    wide.scopes = (0..129)
        .map(|n| ScopeCursor {
            scope: Scope::Jurisdiction(number(n)),
            cursor: None,
            checkpoint: None,
        })
        .collect();
    let refused = hub.pull(person(WORKER), wide).unwrap_err();
    assert_eq!(refused, NoAnswer::TooLarge);
    let (two, three) = (
        worker.seal(hazard_id(1), note("二")),
        worker.seal(hazard_id(1), note("三")),
    );
    let refused = worker.try_push(hub, vec![three.clone(), two.clone()]);
    assert_eq!(refused.unwrap_err(), NoAnswer::Invalid);
    let taken = worker.push(hub, vec![two, three]);
    assert_eq!(
        outcomes(&taken),
        ["applied", "applied"],
        "nothing was taken before"
    );
}

/// However many records an answer has, the replica ends the same; then there is nothing more to say.
pub fn any_size_of_page_ends_the_same_and_then_nothing_is_said(hub: &mut dyn HubUnderTest) {
    let mut whole = reported(hub, 7);
    whole.pull_until(hub, |phone| phone.hazards().len() == 7);
    for size in [1, 2, 3, 1_000] {
        let mut parts = Phone::new(WORKER, person(WORKER), hub.now());
        let same = |phone: &Phone| {
            let rows = |phone: &Phone, scope: &Scope| phone.scopes.get(scope).cloned();
            let all = whole.scopes.keys();
            let mut pairs = all.map(|scope| (rows(phone, scope), rows(&whole, scope)));
            pairs.all(|(one, other)| {
                one.map(|held| (held.rows, held.checkpoint))
                    == other.map(|held| (held.rows, held.checkpoint))
            })
        };
        parts.pull_pages_until(hub, Some(size), same);
        assert_eq!(parts.scopes.len(), whole.scopes.len());
    }
    let quiet = hub.pull(person(WORKER), whole.request(None)).unwrap();
    assert!(quiet.answers.is_empty() && !quiet.more);
    assert_eq!((quiet.digest_key, quiet.last), (None, 7));
}

/// What changed comes again, and nothing else.
pub fn one_change_brings_one_record(hub: &mut dyn HubUnderTest) {
    let mut worker = reported(hub, 5);
    worker.pull_until(hub, |phone| phone.hazards().len() == 5);
    let changed = worker.seal(hazard_id(3), note("变"));
    worker.push(hub, vec![changed]);
    let scope = Scope::Enterprise(firm(1));
    for _ in 0..10_000 {
        let answer = hub.pull(person(WORKER), worker.request(None)).unwrap();
        assert_eq!(answer.digest_key, None);
        let brought: Vec<_> = answer.answers.iter().collect();
        if let [only] = brought.as_slice() {
            assert_eq!(only.scope, scope);
            let ScopeUpdate::Page(page) = &only.update else {
                panic!("dropped")
            };
            assert_eq!(page.reset, None);
            let ids: Vec<_> = page.records.iter().map(|record| record.id).collect();
            assert_eq!(ids, [hazard_id(3).0]);
            worker.take(answer);
            break;
        }
        assert!(brought.is_empty(), "{brought:?}");
    }
    worker.pull_until(hub, |phone| phone.hazards_in(scope)[&hazard_id(3)] == 2);
}

/// Who has no role over an enterprise holds nothing of it, whatever their device asks.
pub fn a_neighbour_sees_nothing_and_cannot_ask_for_it(hub: &mut dyn HubUnderTest) {
    let mut worker = reported(hub, 2);
    worker.pull_until(hub, |phone| phone.hazards().len() == 2);
    let own = Scope::Enterprise(firm(1));
    let mut neighbour = phone(hub, NEIGHBOUR);
    neighbour.scopes.insert(own, worker.scopes[&own].clone());
    neighbour.epoch = worker.epoch.clone();
    let answer = hub
        .pull(person(NEIGHBOUR), neighbour.request(None))
        .unwrap();
    let asked = answer.answers.iter().find(|answer| answer.scope == own);
    assert!(matches!(asked.unwrap().update, ScopeUpdate::Drop { .. }));
    let mut elsewhere = phone(hub, ELSEWHERE);
    let mut neighbour = Phone::enrolled(hub, 9, person(NEIGHBOUR));
    for other in [&mut elsewhere, &mut neighbour] {
        other.pull_until(hub, |phone| phone.scopes.len() > 1);
        assert!(other.hazards().is_empty());
    }
    // And learns nothing by trying: what is there and what is not are refused alike.
    let there = neighbour.seal(hazard_id(1), note("有"));
    let nowhere = neighbour.seal(hazard_id(9), note("无"));
    let answer = neighbour.push(hub, vec![there, nowhere]);
    assert_eq!(outcome(&answer, 0), outcome(&answer, 1));
}

/// A move takes everything out of the town that is left, and brings everything to the other one.
pub fn an_enterprise_that_moves_leaves_whole_and_arrives_whole(hub: &mut dyn HubUnderTest) {
    let mut worker = reported(hub, 3);
    let (mut here, mut there) = (phone(hub, INSPECTOR), phone(hub, ELSEWHERE));
    here.pull_until(hub, |phone| phone.hazards().len() == 3);
    there.pull_until(hub, |phone| !phone.scopes.is_empty());
    hub.move_enterprise(firm(1), town(2));
    let (left, reached) = (Scope::Jurisdiction(town(1)), Scope::Jurisdiction(town(2)));
    here.pull_until(hub, |phone| phone.scopes[&left].rows.is_empty());
    assert!(here.hazards().is_empty());
    // Two enterprises and three hazards.
    there.pull_until(hub, |phone| phone.scopes[&reached].rows.len() == 5);
    assert_eq!(there.hazards().len(), 3);
    worker.pull_until(hub, |phone| phone.hazards().len() == 3);
    let mut new = Phone::enrolled(hub, 9, person(ELSEWHERE));
    new.pull_until(hub, |phone| phone.hazards().len() == 3);
    assert_eq!(new.scopes[&reached].rows, there.scopes[&reached].rows);
    // What happens from now on reaches the one, and not the other.
    let after = worker.seal(hazard_id(2), note("搬家后"));
    worker.push(hub, vec![after]);
    there.pull_until(hub, |phone| {
        let versions = phone.hazards_in(reached);
        versions[&hazard_id(2)] > versions[&hazard_id(1)]
    });
    here.pull_until(hub, |phone| phone.hazards().is_empty());
}

/// A command made while its author was responsible, and sent after the enterprise moved, is neither carried out nor
/// lost.
pub fn work_done_before_a_move_waits_for_a_person(hub: &mut dyn HubUnderTest) {
    reported(hub, 1);
    let mut inspector = phone(hub, INSPECTOR);
    let before = inspector.seal(hazard_id(1), note("现场已看过"));
    hub.move_enterprise(firm(1), town(2));
    waits_for_a_person(&inspector.push(hub, vec![before]));
}

/// A role that ends takes its scopes at the next contact; what was made under it waits for a person.
pub fn a_role_that_ends_takes_its_scopes_and_its_late_work_waits_for_a_person(
    hub: &mut dyn HubUnderTest,
) {
    reported(hub, 1);
    let mut inspector = phone(hub, INSPECTOR);
    let scope = Scope::Jurisdiction(town(1));
    inspector.pull_until(hub, |phone| phone.hazards().len() == 1);
    let before = inspector.seal(hazard_id(1), note("职责还在时"));
    hub.set_now(hub.now().plus_millis(60_000));
    hub.end_role(person(INSPECTOR));
    hub.set_now(hub.now().plus_millis(60_000));
    waits_for_a_person(&inspector.push(hub, vec![before]));
    inspector.pull_until(hub, |phone| !phone.scopes.contains_key(&scope));
    assert!(inspector.hazards().is_empty());
}

/// What a device holds against what the hub holds: where they differ, that scope alone begins anew.
pub fn a_differing_sum_begins_that_scope_anew_and_no_other(hub: &mut dyn HubUnderTest) {
    let mut worker = reported(hub, 3);
    worker.pull_until(hub, |phone| phone.hazards().len() == 3);
    let scope = Scope::Enterprise(firm(1));
    let before = worker.scopes.clone();
    worker.resets.clear();
    let held = worker.scopes.get_mut(&scope).unwrap();
    held.checkpoint = Some(Checkpoint {
        count: 99,
        digest: 1,
    });
    worker.pull_until(hub, |phone| !phone.resets.is_empty());
    assert_eq!(worker.resets, [(scope, ResetReason::DigestMismatch)]);
    assert_eq!(worker.scopes[&scope].rows, before[&scope].rows);
    worker.pull_until(hub, |_| true);
    assert_eq!(worker.resets.len(), 1, "and then it is the same");
}

/// Cursors that this hub never gave out, or gave out in another epoch, count for nothing.
pub fn a_cursor_from_elsewhere_and_another_epoch_begin_anew(hub: &mut dyn HubUnderTest) {
    let mut worker = reported(hub, 3);
    worker.pull_until(hub, |phone| phone.hazards().len() == 3);
    let scope = Scope::Enterprise(firm(1));
    let before = worker.scopes[&scope].rows.clone();
    let length = worker.scopes[&scope].cursor.as_ref().unwrap().0.len();
    for cursor in [vec![1, 2, 3], vec![0x7f; length], vec![0xff; length]] {
        worker.resets.clear();
        let held = worker.scopes.get_mut(&scope).unwrap();
        held.cursor = Some(Bytes(cursor));
        worker.pull_until(hub, |phone| !phone.resets.is_empty());
        assert_eq!(worker.resets, [(scope, ResetReason::CursorUnknown)]);
        assert_eq!(worker.scopes[&scope].rows, before);
    }
    worker.resets.clear();
    worker.epoch = Some("another".to_owned());
    let answer = hub.pull(person(WORKER), worker.request(None)).unwrap();
    assert!(answer.digest_key.is_some());
    worker.take(answer);
    worker.pull_until(hub, |phone| phone.hazards().len() == 3);
    assert_eq!(worker.resets.len(), worker.scopes.len());
}

/// A revoked device, a device of somebody else, and one that nobody enrolled.
pub fn a_revoked_device_and_a_strangers_get_nothing(hub: &mut dyn HubUnderTest) {
    let mut worker = reported(hub, 1);
    let next = worker.seal(hazard_id(1), note("二"));
    let unknown = Phone::new(77, person(WORKER), hub.now());
    let refused = hub.pull(person(WORKER), unknown.request(None)).unwrap_err();
    assert_eq!(refused, NoAnswer::UnknownDevice);
    let stranger = hub.pull(person(NEIGHBOUR), worker.request(None));
    assert_eq!(stranger.unwrap_err(), NoAnswer::UnknownDevice);
    worker.person_id = person(NEIGHBOUR);
    let stranger = worker.try_push(hub, vec![next.clone()]);
    assert_eq!(stranger.unwrap_err(), NoAnswer::UnknownDevice);
    worker.person_id = person(WORKER);
    hub.revoke(worker.install_id);
    let refused = worker.try_push(hub, vec![next]);
    assert_eq!(refused.unwrap_err(), NoAnswer::Revoked);
    let refused = hub.pull(person(WORKER), worker.request(None));
    assert_eq!(refused.unwrap_err(), NoAnswer::Revoked);
}
