//! Photos whose records were lost: taken up for whoever alone names them, and for nobody else.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::PhotoState;

use super::recover::{Recovered, recover};
use super::test_support::*;
use crate::photos::originals::original_key;
use crate::photos::samples;

/// As after a restore: the original lies there, and the database knows nothing of it.
fn lies_there(world: &World, named_as: &[u8], bytes: &[u8]) {
    let objects = world.app.settings.data_dir.join("objects");
    let path = objects.join(original_key(Digest::sha256(named_as)));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn an_original_without_a_record_is_taken_up_for_whoever_names_it() {
    each_world(|world| async move {
        let (kept, damaged, gone) = (
            samples::another_jpeg(1),
            samples::another_jpeg(2),
            samples::another_jpeg(3),
        );
        lies_there(&world, &kept, &kept);
        lies_there(&world, &damaged, &kept);
        let hazard = world.report(1, WORKER, &[&kept, &damaged, &gone]).await;
        let first = recover(&world.app).await.unwrap();
        let expected = Recovered {
            photos: 1,
            absent: 1,
            damaged: 1,
        };
        assert_eq!(first, expected);
        let states = world.photo_states(hazard).await;
        let (verified, awaited) = (PhotoState::Verified, PhotoState::AwaitingPhoto);
        assert_eq!(states, [verified, awaited.clone(), awaited]);
        let again = recover(&world.app).await.unwrap();
        assert_eq!(
            again,
            Recovered {
                photos: 0,
                ..expected
            }
        );
        // What is missing is still taken from a device.
        world.bring(WORKER, &gone).await.unwrap();
    });
}

#[test]
fn naming_the_hash_of_somebody_elses_photo_brings_nobody_to_it() {
    each_world(|world| async move {
        let (disputed, known) = (samples::another_jpeg(1), samples::another_jpeg(2));
        lies_there(&world, &disputed, &disputed);
        world.bring(WORKER, &known).await.unwrap();
        let mine = world.report(1, WORKER, &[&disputed]).await;
        let theirs = world.report(2, COLLEAGUE, &[&disputed, &known]).await;
        let recovered = recover(&world.app).await.unwrap();
        assert_eq!(recovered.photos, 0, "{recovered:?}");
        for hazard in [mine, theirs] {
            let states = world.photo_states(hazard).await;
            let awaited = states
                .iter()
                .all(|state| *state == PhotoState::AwaitingPhoto);
            assert!(awaited, "{states:?}");
        }
    });
}
