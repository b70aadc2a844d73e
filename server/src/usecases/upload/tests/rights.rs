//! Who may see a photo and what it says, and who counts as having brought it.

use super::*;

#[test]
fn a_held_photo_costs_nothing_to_who_brought_it_and_is_unknown_to_others() {
    each_world(|world| async move {
        let photo = samples::jpeg(64, 64);
        let length = photo.len() as u64;
        let first = world.report(1, WORKER, &[&photo]).await;
        world.bring(WORKER, &photo).await.unwrap();
        assert_eq!(world.photo_states(first).await, [PhotoState::Verified]);
        let known = world.begin(WORKER, &photo).await;
        assert_eq!((known.offset, known.expires_at), (length, None));
        let mut announced = announcement(&photo);
        announced.length += 1;
        let other = create(&world.app, WORKER, announced).await.unwrap().status;
        assert_eq!(
            other.offset, 0,
            "a photo of another length is another photo"
        );
        for person in [COLLEAGUE, INSPECTOR, STRANGER] {
            let unknown = world.begin(person, &photo).await;
            assert_eq!(unknown.offset, 0, "{person}");
            assert!(unknown.expires_at.is_some(), "{person}");
            // They have it all the same, and bring it like any other.
            world.send(person, unknown.id, 0, &photo).await.unwrap();
            let known = world.begin(person, &photo).await;
            assert_eq!((known.id, known.offset), (unknown.id, length), "{person}");
        }
        assert_eq!(world.files("objects"), 1);
    });
}

#[test]
fn announcing_a_photo_gives_no_more_right_to_it_than_seeing_it() {
    each_world(|world| async move {
        let photo = samples::jpeg_with(64, 48, Some(samples::phone_exif()));
        let sha256 = Digest::sha256(&photo);
        world.report(1, WORKER, &[&photo]).await;
        world.bring(WORKER, &photo).await.unwrap();
        world.begin(COLLEAGUE, &photo).await;
        assert_eq!(original(&world, COLLEAGUE, sha256).await.unwrap(), photo);
        let refused = photos::metadata(&world.app, COLLEAGUE, sha256).await;
        assert!(matches!(refused, Err(Failure::Forbidden(_))), "{refused:?}");
        world.end_grants(COLLEAGUE).await;
        world.pass(1);
        let unseen = original(&world, COLLEAGUE, sha256).await.unwrap_err();
        assert!(unseen.is_not_found(), "not after they left the firm");
    });
}

#[test]
fn a_disabled_account_sees_no_photo() {
    each_world(|world| async move {
        let photo = samples::jpeg(64, 64);
        let sha256 = Digest::sha256(&photo);
        world.report(1, WORKER, &[&photo]).await;
        world.bring(WORKER, &photo).await.unwrap();
        assert_eq!(original(&world, INSPECTOR, sha256).await.unwrap(), photo);
        let now = world.now();
        let write = world
            .app
            .db
            .write(move |tx| crate::store::people::disable(tx, INSPECTOR, now));
        assert!(write.await.unwrap());
        let unseen = original(&world, INSPECTOR, sha256).await.unwrap_err();
        assert!(unseen.is_not_found());
    });
}

#[test]
fn bringing_a_photo_again_and_again_leaves_one_record_of_it() {
    each_world(|world| async move {
        let photo = samples::jpeg(64, 64);
        let sha256 = Digest::sha256(&photo);
        let unnamed = || Announcement {
            sha256: None,
            ..announcement(&photo)
        };
        let mut ids = Vec::new();
        for _ in 0..3 {
            let id = create(&world.app, WORKER, unnamed())
                .await
                .unwrap()
                .status
                .id;
            world.send(WORKER, id, 0, &photo).await.unwrap();
            ids.push(id);
            for _ in 0..3 {
                assert_eq!(world.begin(WORKER, &photo).await.id, id);
            }
        }
        for (place, id) in ids.into_iter().enumerate() {
            let asked = status(&world.app, WORKER, id).await;
            assert_eq!(asked.is_ok(), place == 2, "{asked:?}");
        }
        assert_eq!(original(&world, WORKER, sha256).await.unwrap(), photo);
    });
}

#[test]
fn what_the_camera_wrote_is_for_those_who_judge_and_who_brought_it() {
    each_world(|world| async move {
        let photo = samples::jpeg_with(64, 48, Some(samples::phone_exif()));
        let sha256 = Digest::sha256(&photo);
        world.report(1, WORKER, &[&photo]).await;
        world.bring(WORKER, &photo).await.unwrap();
        for person in [WORKER, INSPECTOR] {
            let metadata = photos::metadata(&world.app, person, sha256).await.unwrap();
            assert_eq!(metadata.make.as_deref(), Some("HUAWEI"));
            assert!(metadata.position.is_some() && metadata.taken_at.is_some());
        }
        let refused = photos::metadata(&world.app, COLLEAGUE, sha256)
            .await
            .unwrap_err();
        assert!(matches!(refused, Failure::Forbidden(_)), "{refused:?}");
        let refused = photos::metadata(&world.app, STRANGER, sha256)
            .await
            .unwrap_err();
        assert!(refused.is_not_found());
    });
}

#[test]
fn naming_a_hash_does_not_show_its_photo() {
    each_world(|world| async move {
        let photo = samples::jpeg(64, 64);
        let sha256 = Digest::sha256(&photo);
        world.bring(STRANGER, &photo).await.unwrap();
        let hazard = world.report(1, WORKER, &[&photo]).await;
        assert_eq!(
            world.photo_states(hazard).await,
            [PhotoState::AwaitingPhoto]
        );
        assert!(
            original(&world, WORKER, sha256)
                .await
                .unwrap_err()
                .is_not_found()
        );
        assert_eq!(world.begin(WORKER, &photo).await.offset, 0);
        // Not even when its owner announces it once more.
        assert_eq!(
            world.begin(STRANGER, &photo).await.offset,
            photo.len() as u64
        );
        assert!(
            original(&world, WORKER, sha256)
                .await
                .unwrap_err()
                .is_not_found()
        );
    });
}

/// Nobody holds the writer by naming one picture everywhere; what is not told at once is when the phone brings it again.
#[test]
fn a_photo_that_one_person_names_in_hundreds_of_records_is_told_in_parts() {
    each_world(|world| async move {
        let photo = samples::jpeg(64, 64);
        let mut hazards = Vec::new();
        for number in 1..=203 {
            hazards.push(world.report(number, WORKER, &[&photo]).await);
        }
        world.bring(WORKER, &photo).await.unwrap();
        for expected in [200, 203] {
            let mut told = 0;
            for hazard in &hazards {
                told += usize::from(world.photo_states(*hazard).await == [PhotoState::Verified]);
            }
            assert_eq!(told, expected);
            world.begin(WORKER, &photo).await;
        }
    });
}
