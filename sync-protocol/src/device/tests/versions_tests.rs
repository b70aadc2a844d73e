//! A device and a server of other versions of the protocol: they meet in the highest that both speak, or a person is
//! told.

use super::*;

const fn spoken(oldest: u16, newest: u16) -> SpokenVersions {
    SpokenVersions { oldest, newest }
}

fn device_that_speaks(oldest: u16, newest: u16) -> World {
    World::with(EngineConfig {
        speaks: spoken(oldest, newest),
        ..EngineConfig::default()
    })
}

fn refused(world: &mut World, by: Option<SpokenVersions>) {
    let failure = Failure::UpgradeRequired { spoken: by };
    world.faults.push_back(Fault::Fail(failure));
}

/// The versions of the pulls that were sent, in order.
fn asked(world: &World) -> Vec<u16> {
    let pulls = world.sent.iter().filter_map(|request| match request {
        Request::Pull(pull) => Some(pull.protocol),
        _ => None,
    });
    pulls.collect()
}

fn told(world: &World) -> bool {
    let is = |notice: &Notice| matches!(notice, Notice::UpgradeRequired { .. });
    world.notices.iter().any(is)
}

#[test]
fn a_newer_device_pulls_at_once_in_the_newest_version_that_the_server_speaks() {
    let mut world = device_that_speaks(1, 4);
    // The hub of these tests speaks version 1.
    refused(&mut world, Some(spoken(1, 1)));
    world.pull();
    assert_eq!(asked(&world)[..2], [4, 1]);
    assert!(!told(&world), "nobody has to do anything");
    world.pull();
    assert_eq!(asked(&world).last(), Some(&1), "and remembers");
}

#[test]
fn what_an_answer_to_a_push_says_spares_the_refusal() {
    let mut world = device_that_speaks(1, 2);
    world.queue(hazard_id(1), report(vec![]));
    assert!(world.pump());
    world.pull();
    assert_eq!(asked(&world).iter().max(), Some(&1));
}

#[test]
fn a_server_that_does_not_say_what_it_speaks_is_asked_in_the_next_older_version() {
    let mut world = device_that_speaks(1, 3);
    refused(&mut world, None);
    refused(&mut world, None);
    world.pull();
    assert_eq!(asked(&world)[..3], [3, 2, 1]);
    assert!(!told(&world));
}

#[test]
fn without_a_common_version_pulls_end_pushes_go_on_and_a_person_is_told_which_side() {
    for theirs in [spoken(5, 6), spoken(1, 2)] {
        let mut world = device_that_speaks(3, 4);
        refused(&mut world, Some(theirs));
        world.engine.handle_pull_wanted();
        world.pump();
        let notice = Notice::UpgradeRequired {
            spoken: Some(theirs),
        };
        assert!(world.notices.contains(&notice));
        world.queue(hazard_id(1), report(vec![]));
        world.pump();
        assert_eq!(asked(&world), [4], "no further");
        assert_eq!(world.standing(1), Standing::Arrived);
    }
}

/// A server that was set back to an earlier version, or a proxy that is taken out of the way, needs no restart here.
#[test]
fn without_a_common_version_the_newest_is_asked_again_after_long_and_a_person_is_told_each_time() {
    let mut world = device_that_speaks(1, 4);
    // Twice a newer server, and then the one of these tests.
    for by in [spoken(5, 6), spoken(5, 6), spoken(1, 1)] {
        refused(&mut world, Some(by));
    }
    world.engine.handle_pull_wanted();
    world.pump();
    let mut begun = world.now;
    let hour = world.engine.config.version_retry_ms;
    for refusals in 1..=2 {
        assert_eq!(asked(&world).len(), refusals);
        let notices = world.notices.iter();
        let told = notices.filter(|notice| matches!(notice, Notice::UpgradeRequired { .. }));
        assert_eq!(told.count(), refusals);
        let wake = world.engine.next_wake().unwrap();
        let wait = wake.as_millis() - begun.as_millis();
        assert!((hour / 2..=hour).contains(&wait), "{wait}");
        // Neither what is wanted nor a network that is back makes it sooner.
        world.engine.handle_pull_wanted();
        world.engine.handle_online();
        world.now = wake.plus_millis(-1);
        world.pump();
        assert_eq!(asked(&world).len(), refusals, "not before");
        world.now = wake;
        begun = wake;
        world.pump();
    }
    assert_eq!(asked(&world)[..4], [4, 4, 4, 1]);
    assert!(world.engine.state().meta.epoch.is_some(), "it goes on");
}

#[test]
fn a_clock_that_jumps_back_does_not_make_the_rest_longer() {
    let mut world = device_that_speaks(3, 4);
    refused(&mut world, Some(spoken(5, 6)));
    world.engine.handle_pull_wanted();
    world.pump();
    world.now = world.now.plus_millis(-100 * 24 * 3_600_000);
    world.pump();
    assert!(asked(&world).len() > 1);
}

#[test]
fn answers_that_contradict_each_other_come_to_an_end() {
    let mut world = device_that_speaks(1, 2);
    refused(&mut world, Some(spoken(1, 1)));
    refused(&mut world, Some(spoken(2, 2)));
    world.engine.handle_pull_wanted();
    world.pump();
    assert_eq!(asked(&world), [2, 1]);
    assert!(told(&world));
}
