//! A device dies while it writes down what its person says, or while it syncs with a photo under way.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use hazardloop_tests::TestDatabase;
use hazardloop_tests::process::{PATIENCE, described};

use super::field::{Field, Said};
use super::{Chance, play};

/// Changes to its files that a device may live to see.
const CHANGES: usize = 8;

#[test]
fn what_a_killed_device_acknowledged_arrives_once_on_sqlite() {
    play(TestDatabase::sqlite(), round);
}

#[test]
fn what_a_killed_device_acknowledged_arrives_once_on_postgres() {
    play(TestDatabase::postgres(), round);
}

fn round(field: &mut Field, chance: Chance) {
    // In turn, so that a few rounds have each of them, and a photo under way.
    match chance.round % 5 {
        0 => dies_reporting(field, chance),
        2 => dies_noting(field, chance),
        3 => dies_syncing_at_a_write(field, chance),
        _ => dies_syncing_at_a_byte(field, chance),
    }
    field.agree_on_what_to_speak_of();
}

/// The person takes a photo and reports; the battery is empty before the phone has said "kept".
fn dies_reporting(field: &mut Field, chance: Chance) {
    let running = field.start_report(chance);
    let output = killed_at_a_write(field.devices[0].home(), chance, running);
    field.heard_report(chance, &output);
}

fn dies_noting(field: &mut Field, chance: Chance) {
    field.report(chance);
    let device = chance.below("who", field.devices.len());
    if let Some((running, text)) = field.start_note(device) {
        let output = killed_at_a_write(field.devices[device].home(), chance, running);
        let said = match output.status.success() {
            true => Said::Acknowledged,
            false => Said::Cut,
        };
        field.heard_note(text, said);
    }
}

fn dies_syncing_at_a_write(field: &mut Field, chance: Chance) {
    field.report(chance);
    field.note(0);
    let device = &field.devices[0];
    let output = killed_at_a_write(device.home(), chance, device.start(&["sync"]));
    assert!(
        matches!(output.status.code(), None | Some(0)),
        "{}",
        described(&output)
    );
}

fn dies_syncing_at_a_byte(field: &mut Field, chance: Chance) {
    field.report(chance);
    field.note(0);
    let planned = field.stop_somewhere(chance);
    let syncing = field.devices[0].start(&["sync"]);
    planned.wait();
    let output = syncing.killed_when(PATIENCE, || true);
    assert_eq!(output.status.code(), None, "{}", described(&output));
    field.link.cut();
    field.link.restore();
}

/// Lets it run until its files have changed so often, and kills it.
fn killed_at_a_write(
    home: &Path,
    chance: Chance,
    running: hazardloop_tests::process::Running,
) -> std::process::Output {
    let mut changes_left = chance.below("writes", CHANGES);
    let mut before = files(home);
    running.killed_when(PATIENCE, || {
        let seen = files(home);
        if seen != before {
            before = seen;
            changes_left = changes_left.saturating_sub(1);
            return changes_left == 0;
        }
        false
    })
}

/// Every file below `folder`: its size, and when it was written last.
fn files(folder: &Path) -> BTreeMap<PathBuf, (u64, Option<SystemTime>)> {
    let mut found = BTreeMap::new();
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let path = entry.path();
        match entry.metadata() {
            Ok(about) if about.is_dir() => found.append(&mut files(&path)),
            Ok(about) => drop(found.insert(path, (about.len(), about.modified().ok()))),
            // Gone since.
            Err(_) => {}
        }
    }
    found
}
