//! What is recorded of a schedule is what its hub heard.

use std::collections::BTreeSet;

use hazardloop_simulation::cast;
use hazardloop_simulation::network::{pull_from, push_from};
use hazardloop_simulation::schedule::{Schedule, Step};
use hazardloop_simulation::trace::{Event, record};

#[test]
fn a_trace_is_the_same_again_and_has_all_that_happens_to_a_hub() {
    let mut kinds = BTreeSet::new();
    for seed in 1..21 {
        let schedule = Schedule::of(seed, 120);
        let trace = record(&schedule);
        assert_eq!(trace, record(&schedule));
        assert!(!trace.cut);
        let mut enrolled = BTreeSet::new();
        let mut before = cast::BEGIN;
        for heard in &trace.heard {
            assert!(heard.at >= before);
            before = heard.at;
            kinds.insert(match &heard.what {
                Event::Enrolled { install_id, .. } => {
                    assert!(enrolled.insert(*install_id));
                    "enrolled"
                }
                Event::Push { bytes, answer, .. } => {
                    let request = push_from(bytes).unwrap();
                    assert!(enrolled.contains(&request.install_id));
                    let results = answer.as_ref().map(|answer| answer.results.len());
                    assert!(results <= Some(request.commands.len()));
                    "push"
                }
                Event::Pull { bytes, .. } => {
                    let request = pull_from(bytes).unwrap();
                    assert!(enrolled.contains(&request.install_id));
                    "pull"
                }
                Event::EnterpriseMoved { .. } => "enterprise moved",
                Event::RoleMoved { .. } => "role moved",
                Event::RemovalsForgotten => "removals forgotten",
                Event::WindowsKept => "windows kept",
            });
        }
    }
    assert_eq!(kinds.len(), 7, "{kinds:?}");
}

#[test]
fn going_back_to_a_backup_of_the_hub_is_left_out() {
    let steps = [
        Step::BackUpHub,
        Step::Report(0),
        Step::Sync(0),
        Step::RestoreHub,
        Step::Sync(0),
    ];
    let trace = record(&Schedule {
        seed: 1,
        steps: (1..).zip(steps).collect(),
    });
    let epochs = trace.heard.iter().filter_map(|heard| match &heard.what {
        Event::Push { answer, .. } => answer.as_ref().map(|answer| answer.epoch.clone()),
        Event::Pull { answer, .. } => answer.as_ref().map(|answer| answer.epoch.clone()),
        _ => None,
    });
    assert_eq!(epochs.collect::<BTreeSet<_>>().len(), 1);
}
