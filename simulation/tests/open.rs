//! Schedules in which the protocol does not hold yet. Each is taken out of here, and its step put into every schedule,
//! once it does.

use hazardloop_simulation::schedule::{Schedule, Step};
use hazardloop_simulation::variant::Variant;
use hazardloop_simulation::world::play;

/// The hub finds a report too large; a placeholder travels in its place, and the note behind it is sealed anew and takes
/// effect. Then the phone is as it was before. Its copy of the note has the same number and the same content behind
/// another link: the hub says that the number was used, the phone seals it under a new install, and it takes effect
/// again.
#[test]
#[ignore = "invariant 2 does not hold: a replay is told by its link alone, and not by its content"]
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
    let schedule = Schedule {
        seed: 13_162,
        steps: steps.to_vec(),
    };
    let found = play(&schedule, Variant::Sound).found;
    assert!(found.is_empty(), "{found:#?}");
}
