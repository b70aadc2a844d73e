//! Schedules in which the protocol once did not hold, each as short as the shrinker made it.

use hazardloop_domain::command_fate::ChoiceKind;
use hazardloop_simulation::network::NetFault;
use hazardloop_simulation::schedule::{Schedule, Step};
use hazardloop_simulation::variant::Variant;
use hazardloop_simulation::world::play;

fn holds(seed: u64, steps: &[(u64, Step)]) {
    let steps = steps.to_vec();
    let found = play(&Schedule { seed, steps }, Variant::Sound).found;
    assert!(found.is_empty(), "seed {seed}: {found:#?}");
}

/// Whether an invariant does not hold of the same, broken in this way.
fn breaks(seed: u64, steps: &[(u64, Step)], variant: Variant, invariant: u8) -> bool {
    let steps = steps.to_vec();
    let found = play(&Schedule { seed, steps }, variant).found;
    found.iter().any(|found| found.invariant == invariant)
}

/// The hub finds a report too large; a placeholder travels in its place, and the note behind it is sealed anew and takes
/// effect. Then the phone is as it was before. Its copy of the note has the same number and the same content behind
/// another link: the hub says that the number was used, the phone seals it under a new install, and it takes effect
/// again.
#[test]
fn a_copy_of_a_phone_from_before_a_command_was_set_aside_doubles_nothing() {
    let steps = [
        (2, Step::Report(4)),
        (18, Step::Photograph(4)),
        (29, Step::Note(4)),
        (30, Step::BackUpPhone(4)),
        (40, Step::TooLarge(4, 2)),
        (43, Step::Sync(4)),
        (107, Step::RestorePhone(4)),
    ];
    holds(13_162, &steps);
}

/// A push is under way for long. Its phone pushes the same again, and gets receipts. The hub goes back to before both,
/// and then the first push arrives: its author is elsewhere by now, and the hub does not carry out what it carried out in
/// its earlier life. The phone hears that the hub has its commands, goes by the receipts that it holds, and offers nothing again:
/// the report took effect as far as its author knows, and is nowhere.
#[test]
fn what_arrives_behind_a_restore_of_the_hub_loses_nothing() {
    let steps = [
        (10, Step::Report(3)),
        (25, Step::Net(3, NetFault::Late, 3)),
        (36, Step::Sync(3)),
        (38, Step::BackUpHub),
        (45, Step::Sync(3)),
        (55, Step::Sync(3)),
        (63, Step::RestoreHub),
        (75, Step::MoveInspector(3)),
    ];
    holds(5_016_019, &steps);
}

/// Somebody's note is refused, for the enterprise is elsewhere. The hub goes back to before that, judges the note anew,
/// and takes it. By then its author has sent it again: the hub took that for another note.
#[test]
fn what_is_sent_again_and_was_taken_meanwhile_by_a_restored_hub_takes_effect_once() {
    let steps = [
        (12, Step::MoveFirm(0)),
        (24, Step::Photograph(4)),
        (27, Step::BackUpHub),
        (73, Step::MoveFirm(0)),
        (74, Step::Note(4)),
        (75, Step::Sync(4)),
        // Something else, so that the note alone is listed.
        (93, Step::Choose(4, ChoiceKind::GivenUp)),
        (96, Step::RestoreHub),
        (104, Step::Choose(4, ChoiceKind::Retried)),
    ];
    holds(1_069, &steps);
}

/// The same, and its author gives the note up: a hub that judges it anew all the same carries it out.
#[test]
fn what_was_given_up_is_carried_out_by_no_restored_hub() {
    let steps = [
        (12, Step::MoveFirm(0)),
        (24, Step::Photograph(4)),
        (27, Step::BackUpHub),
        (73, Step::MoveFirm(0)),
        (74, Step::Note(4)),
        (75, Step::Sync(4)),
        (93, Step::Choose(4, ChoiceKind::GivenUp)),
        (94, Step::Choose(4, ChoiceKind::GivenUp)),
        (96, Step::RestoreHub),
    ];
    let seeds = 1_060..1_080;
    seeds.clone().for_each(|seed| holds(seed, &steps));
    let variant = Variant::JudgesWhatWasSettled;
    assert!(seeds.clone().any(|seed| breaks(seed, &steps, variant, 22)));
}

/// Somebody sends a note again that was refused. It takes effect; then the phone is as it was before, and lists the note
/// still. Its owner, who has no network, sends it again.
#[test]
fn what_is_sent_again_from_a_copy_of_a_phone_takes_effect_once() {
    let steps = [
        (10, Step::Report(3)),
        (20, Step::Sync(3)),
        (30, Step::MoveInspector(3)),
        (40, Step::Note(3)),
        (50, Step::Sync(3)),
        (60, Step::MoveInspector(3)),
        (70, Step::Sync(3)),
        (80, Step::BackUpPhone(3)),
        (90, Step::Choose(3, ChoiceKind::Retried)),
        (100, Step::Sync(3)),
        (110, Step::RestorePhone(3)),
        (120, Step::Choose(3, ChoiceKind::Retried)),
        (130, Step::Sync(3)),
    ];
    let seeds = 1..21;
    seeds.clone().for_each(|seed| holds(seed, &steps));
    let variant = Variant::JudgesRetriesAnew;
    assert!(seeds.clone().any(|seed| breaks(seed, &steps, variant, 2)));
}

/// What its author chose about a report goes by a command that the hub finds too large, and of which it gets a
/// placeholder only: the hub must know of the choice all the same.
#[test]
fn a_choice_in_a_command_that_is_too_large_is_recorded() {
    for (seed, how) in [
        (1_030, ChoiceKind::Amended),
        (1_209, ChoiceKind::GivenUp),
        (1_030, ChoiceKind::Retried),
    ] {
        let steps = [
            (26, Step::Report(3)),
            (38, Step::Sync(3)),
            (67, Step::Choose(3, how)),
            (96, Step::TooLarge(3, 2)),
            (116, Step::Sync(3)),
        ];
        holds(seed, &steps);
    }
}

/// A phone is as it was some time ago. What its owner gives up then goes by a command that the hub finds too large, and
/// before its placeholder arrives the phone has to take a new install: under that it stayed aside, and nobody could give
/// the same up again.
#[test]
fn what_is_given_up_on_a_copy_of_a_phone_is_given_up_whatever_its_install() {
    let steps = [
        (23, Step::Report(4)),
        (36, Step::Report(4)),
        (37, Step::Sync(4)),
        (44, Step::BackUpPhone(4)),
        (71, Step::Note(4)),
        (74, Step::Sync(4)),
        (102, Step::RestorePhone(4)),
        (105, Step::TooLarge(4, 2)),
        (114, Step::Choose(4, ChoiceKind::GivenUp)),
        (120, Step::Sync(4)),
    ];
    holds(2_368, &steps);
}

/// A phone has its receipt. The hub goes back to before it, and lacks what the phone sent; and the phone is revoked before
/// it hears of that. It had nothing without a receipt to offer, and was wiped: the report was nowhere any more.
#[test]
fn a_revoked_phone_hands_over_what_a_restored_hub_has_lost() {
    let steps = [
        (84, Step::Photograph(0)),
        (97, Step::BackUpHub),
        (105, Step::Sync(0)),
        (109, Step::RestoreHub),
        (115, Step::Revoke(0, false)),
    ];
    holds(2_312, &steps);
}

/// A phone is as it was before the hub took its queue, the first of it as a placeholder. What it sends now is known to the
/// hub under those numbers, all but that first one; it asked for a part, and sealed the rest anew unasked.
#[test]
fn what_stands_behind_anothers_command_is_asked_for_before_it_is_sealed_anew() {
    let steps = [
        (2, Step::Report(3)),
        (4, Step::MoveInspector(3)),
        (12, Step::Note(3)),
        (13, Step::Report(3)),
        (17, Step::Note(3)),
        (34, Step::TooLarge(3, 2)),
        (39, Step::MoveInspector(3)),
        (40, Step::BackUpPhone(3)),
        (69, Step::Sync(3)),
        (95, Step::RestorePhone(3)),
    ];
    holds(10_427, &steps);
}

/// What was chosen goes by a command that is too large, so by its placeholder; then the phone is revoked, and offers that
/// command whole under another number. The placeholder has said it all the same.
#[test]
fn a_choice_that_a_placeholder_told_stands_when_its_phone_is_revoked() {
    let steps = [
        (17, Step::MoveInspector(3)),
        (22, Step::Report(3)),
        (42, Step::Sync(3)),
        (43, Step::TooLarge(3, 1)),
        (66, Step::Choose(3, ChoiceKind::Amended)),
        (104, Step::Sync(3)),
        (114, Step::Revoke(3, false)),
    ];
    holds(23_039, &steps);
}

/// The hub finds a note too large, and its placeholder as well. Its author gives it up, or sends it again: the hub was told
/// of neither, and the note was listed once more for the placeholder's sake. Sent again twice, it took effect twice.
#[test]
fn what_was_chosen_is_not_to_be_chosen_again_while_its_placeholder_is_held_up() {
    let steps = [
        (12, Step::Photograph(2)),
        (13, Step::Sync(2)),
        (14, Step::Sync(4)),
        (23, Step::TooLarge(4, 4)),
        (32, Step::Note(4)),
        (42, Step::Sync(4)),
        (46, Step::Choose(4, ChoiceKind::Retried)),
        (91, Step::Choose(4, ChoiceKind::Retried)),
    ];
    holds(7_800_519, &steps);
    let steps = [
        (10, Step::Report(3)),
        (19, Step::TooLarge(3, 6)),
        (21, Step::Sync(3)),
        (34, Step::Choose(3, ChoiceKind::GivenUp)),
    ];
    holds(7_700_423, &steps);
}

/// A push is under way for long; the hub finds the next one too large, and the note is set aside. Its author sends it again
/// before the placeholder is answered; then the first push arrives, and the note takes effect by both.
#[test]
fn what_was_set_aside_is_sent_again_only_once_it_is_known_that_the_hub_has_it_not() {
    let steps = [
        (2, Step::Report(0)),
        (12, Step::Sync(0)),
        (14, Step::Net(0, NetFault::Late, 3)),
        (18, Step::Note(0)),
        (29, Step::Sync(0)),
        (92, Step::TooLarge(0, 4)),
        (113, Step::Sync(0)),
        (120, Step::Choose(0, ChoiceKind::Retried)),
    ];
    holds(7_802_360, &steps);
}

/// With a wrong clock and without it a town was merged one step further when a report of its inspector arrived, so that
/// other roles judged it: the check left out the step that sets the clock, and the second it takes at the hub with it.
#[test]
fn a_clock_that_is_set_while_towns_are_merged_changes_nothing_beside_it() {
    let steps = [
        (13, Step::HeldUp(1, ChoiceKind::Amended)),
        (14, Step::HeldUp(3, ChoiceKind::Amended)),
        (15, Step::Sync(3)),
        (28, Step::MoveInspector(4)),
        (29, Step::Report(0)),
        (47, Step::Report(4)),
        (51, Step::Sync(0)),
        (56, Step::Sync(1)),
        (77, Step::MergeInto(1)),
        (78, Step::Net(3, NetFault::BadGateway, 2)),
        (79, Step::Note(4)),
        (80, Step::Sync(1)),
        (81, Step::Clock(2, 1_296_000_000)),
        (82, Step::Crash(0, 4, false)),
        (83, Step::Sync(4)),
    ];
    holds(96_354, &steps);
}
