//! Schedules in which the protocol once did not hold, each as short as the shrinker made it.

use hazardloop_simulation::network::NetFault;
use hazardloop_simulation::schedule::{Schedule, Step};
use hazardloop_simulation::variant::Variant;
use hazardloop_simulation::world::play;

fn holds(seed: u64, steps: &[(u64, Step)]) {
    let steps = steps.to_vec();
    let found = play(&Schedule { seed, steps }, Variant::Sound).found;
    assert!(found.is_empty(), "{found:#?}");
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
