//! The server dies while three devices sync at once.

use hazardloop_tests::TestDatabase;
use hazardloop_tests::process::{PATIENCE, described};

use super::field::Field;
use super::{Chance, play};

/// Exit codes of a device: done, or the server was not reachable.
const EXPECTED: [Option<i32>; 2] = [Some(0), Some(4)];

#[test]
fn nothing_acknowledged_is_lost_or_doubled_on_sqlite() {
    play(TestDatabase::sqlite(), round);
}

#[test]
fn nothing_acknowledged_is_lost_or_doubled_on_postgres() {
    play(TestDatabase::postgres(), round);
}

fn round(field: &mut Field, chance: Chance) {
    field.report(chance);
    for device in 0..field.devices.len() {
        field.note(device);
    }
    let planned = field.stop_somewhere(chance);
    let syncing: Vec<_> = field
        .devices
        .iter()
        .map(|device| device.start(&["sync"]))
        .collect();
    planned.wait();
    field.server.kill();
    field.link.cut();
    for one in syncing {
        let output = one.finish(PATIENCE);
        assert!(
            EXPECTED.contains(&output.status.code()),
            "round {}: {}",
            chance.round,
            described(&output)
        );
    }
    field.server.restart();
    field.link.lead_to(field.server.address());
    field.link.restore();
    field.agree_on_what_to_speak_of();
}
