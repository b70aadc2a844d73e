//! Uploads of those who err, and of those who mean harm.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::PhotoState;

use super::test_support::*;
use super::*;
use crate::photos::samples;

#[test]
fn what_is_not_a_photo_is_refused_and_leaves_nothing() {
    each_world(|world| async move {
        let html = b"<!DOCTYPE html><script>alert(1)</script>".to_vec();
        let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>".to_vec();
        let gif = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;".to_vec();
        for bytes in [html, svg, gif] {
            let refused = world.bring(WORKER, &bytes).await.unwrap_err();
            assert!(
                matches!(refused, Failure::UnsupportedMedia(_)),
                "{refused:?}"
            );
        }
        let stub = samples::jpeg(64, 64)[..40].to_vec();
        let refused = world.bring(WORKER, &stub).await.unwrap_err();
        assert!(matches!(refused, Failure::Invalid { .. }), "{refused:?}");
        let bomb = samples::png_claiming(60_000, 60_000);
        let refused = world.bring(WORKER, &bomb).await.unwrap_err();
        assert!(matches!(refused, Failure::TooLarge { .. }), "{refused:?}");
        assert_eq!((world.files("uploads"), world.files("objects")), (0, 0));
        let now = world.now();
        let left = world
            .app
            .db
            .read(move |tx| uploads::unfinished_of(tx.conn(), WORKER, now));
        assert_eq!(left.await.unwrap(), 0);
    });
}

#[test]
fn bytes_with_another_hash_are_refused_and_the_upload_is_gone() {
    each_world(|world| async move {
        let (named, sent) = (samples::another_jpeg(1), samples::another_jpeg(2));
        let announced = Announcement {
            length: sent.len() as u64,
            ..announcement(&named)
        };
        let id = create(&world.app, WORKER, announced)
            .await
            .unwrap()
            .status
            .id;
        let refused = world.send(WORKER, id, 0, &sent).await.unwrap_err();
        assert_eq!(refused, UploadFailure::HashMismatch.into());
        assert!(
            status(&world.app, WORKER, id)
                .await
                .unwrap_err()
                .is_not_found()
        );
        assert_eq!((world.files("uploads"), world.files("objects")), (0, 0));
    });
}

#[test]
fn impossible_lengths_are_refused_before_anything_is_stored() {
    each_world(|world| async move {
        let photo = samples::jpeg(8, 8);
        for length in [world.app.settings.photos.largest() + 1, u64::MAX] {
            let announced = Announcement {
                length,
                ..announcement(&photo)
            };
            let refused = create(&world.app, WORKER, announced).await.unwrap_err();
            assert!(matches!(refused, Failure::TooLarge { .. }), "{refused:?}");
        }
        let announced = Announcement {
            length: 0,
            ..announcement(&photo)
        };
        let refused = create(&world.app, WORKER, announced).await.unwrap_err();
        assert!(matches!(refused, Failure::Invalid { .. }), "{refused:?}");
    });
}

#[test]
fn each_type_has_its_own_limit_also_where_another_was_declared() {
    let (minutes, clip, photo) = (samples::pdf("a"), samples::mp4(99), samples::jpeg(9, 9));
    let set = |settings: &mut crate::settings::Settings| {
        settings.photos.document_bytes = samples::pdf("a").len() as u64;
        settings.photos.clip_bytes = samples::mp4(99).len() as u64;
        settings.photos.bytes = samples::jpeg(9, 9).len() as u64;
    };
    let all = [&minutes, &clip, &photo];
    each_world_with(set, |world| async move {
        for whole in all {
            world.bring(WORKER, whole).await.unwrap();
        }
        let longer = samples::pdf("one byte more");
        let said = |media_type| Announcement {
            media_type,
            ..announcement(&longer)
        };
        let declared = said(Some(MediaType::Pdf));
        let refused = create(&world.app, WORKER, declared).await.unwrap_err();
        let what = "the document";
        let limit = all[0].len() as u64;
        assert_eq!(refused, Failure::TooLarge { what, limit });
        // Declared as something that may be larger, it is found out at its end.
        assert!(longer.len() < all[1].len().max(all[2].len()));
        let id = create(&world.app, WORKER, said(None))
            .await
            .unwrap()
            .status
            .id;
        let refused = world.send(WORKER, id, 0, &longer).await.unwrap_err();
        assert_eq!(refused, Failure::TooLarge { what, limit });
        assert_eq!((world.files("uploads"), world.files("objects")), (0, 3));
    });
}

#[test]
fn a_document_that_a_record_calls_a_picture_is_not_counted_as_one() {
    each_world(|world| async move {
        let (minutes, photo) = (samples::pdf("minutes"), samples::jpeg(9, 9));
        // Before and after the bytes came; the report says JPEG of both.
        let before = world.report(1, WORKER, &[&minutes, &photo]).await;
        world.bring(WORKER, &minutes).await.unwrap();
        world.bring(WORKER, &photo).await.unwrap();
        let after = world.report(2, WORKER, &[&minutes, &photo]).await;
        for hazard in [before, after] {
            let states = world.photo_states(hazard).await;
            let wanted = [PhotoState::AwaitingPhoto, PhotoState::Verified];
            assert_eq!(states, wanted, "the document goes on being awaited");
        }
    });
}

#[test]
fn a_wrong_offset_is_told_the_right_one_and_changes_nothing() {
    each_world(|world| async move {
        let photo = samples::jpeg(64, 64);
        let id = world.begin(WORKER, &photo).await.id;
        world.send(WORKER, id, 0, &photo[..200]).await.unwrap();
        for offset in [0, 199, 201, u64::MAX] {
            let refused = world.send(WORKER, id, offset, b"x").await.unwrap_err();
            assert_eq!(
                refused,
                UploadFailure::OffsetMismatch { offset: 200 }.into()
            );
        }
        world.send(WORKER, id, 200, &photo[200..]).await.unwrap();
    });
}

#[test]
fn bytes_beyond_the_announced_length_are_refused_and_not_counted() {
    each_world(|world| async move {
        let photo = samples::jpeg(64, 64);
        let id = world.begin(WORKER, &photo).await.id;
        let more = [photo.clone(), vec![0; 5000]].concat();
        let refused = world.send(WORKER, id, 0, &more).await.unwrap_err();
        assert!(matches!(refused, Failure::TooLarge { .. }), "{refused:?}");
        // The same without saying how much will come.
        let part = Append {
            offset: 0,
            declared: None,
            checksum: None,
        };
        let refused = world
            .send_as(WORKER, id, part, pieces(&more, true))
            .await
            .unwrap_err();
        assert!(matches!(refused, Failure::TooLarge { .. }), "{refused:?}");
        assert_eq!(status(&world.app, WORKER, id).await.unwrap().offset, 0);
        world.send(WORKER, id, 0, &photo).await.unwrap();
    });
}

#[test]
fn a_checksummed_part_beyond_the_limit_is_refused() {
    each_world_with(
        |settings| settings.photos.chunk_bytes = 1000,
        |world| async move {
            let photo = samples::jpeg(200, 200);
            let id = world.begin(WORKER, &photo).await.id;
            let checksum = Checksum {
                algorithm: ChecksumAlgorithm::Sha256,
                sum: Digest::sha256(&photo[..1500]).as_bytes().to_vec(),
            };
            for declared in [Some(1500), None] {
                let part = Append {
                    offset: 0,
                    declared,
                    checksum: Some(checksum.clone()),
                };
                let sent = pieces(&photo[..1500], true);
                let refused = world.send_as(WORKER, id, part, sent).await.unwrap_err();
                assert!(
                    matches!(refused, Failure::TooLarge { limit: 1000, .. }),
                    "{refused:?}"
                );
            }
            assert_eq!(status(&world.app, WORKER, id).await.unwrap().offset, 0);
        },
    );
}

#[test]
fn somebody_elses_upload_does_not_exist() {
    each_world(|world| async move {
        let photo = samples::jpeg(64, 64);
        let id = world.begin(WORKER, &photo).await.id;
        for person in [COLLEAGUE, INSPECTOR, STRANGER] {
            assert!(
                status(&world.app, person, id)
                    .await
                    .unwrap_err()
                    .is_not_found()
            );
            let refused = world.send(person, id, 0, &photo).await.unwrap_err();
            assert!(refused.is_not_found());
            assert!(
                terminate(&world.app, person, id)
                    .await
                    .unwrap_err()
                    .is_not_found()
            );
        }
        let nobodys = Uuid::from_u128(99);
        assert!(
            status(&world.app, WORKER, nobodys)
                .await
                .unwrap_err()
                .is_not_found()
        );
        world.send(WORKER, id, 0, &photo).await.unwrap();
    });
}

#[test]
fn unfinished_uploads_are_limited_and_giving_one_up_makes_room() {
    each_world_with(
        |settings| settings.photos.uploads_per_person = 2,
        |world| async move {
            let photo = |number| samples::another_jpeg(number);
            let first = world.begin(WORKER, &photo(1)).await.id;
            world.begin(WORKER, &photo(2)).await;
            let refused = create(&world.app, WORKER, announcement(&photo(3)))
                .await
                .unwrap_err();
            assert!(matches!(refused, Failure::Conflict(_)), "{refused:?}");
            world.begin(COLLEAGUE, &photo(3)).await;
            terminate(&world.app, WORKER, first).await.unwrap();
            world.begin(WORKER, &photo(3)).await;
        },
    );
}

#[test]
fn a_slow_body_is_told_apart_and_keeps_what_came() {
    each_world(|world| async move {
        let photo = samples::jpeg(400, 300);
        let id = world.begin(WORKER, &photo).await.id;
        let mut sent = pieces(&photo[..600], false);
        sent.push(BodyPart::TooSlow);
        let part = Append {
            offset: 0,
            declared: None,
            checksum: None,
        };
        let slow = world.send_as(WORKER, id, part, sent).await.unwrap();
        assert_eq!((slow.ending, slow.status.offset), (Ending::TooSlow, 600));
        // A body that ends early, though it looks complete.
        let part = Append {
            offset: 600,
            declared: Some(500),
            checksum: None,
        };
        let sent = pieces(&photo[600..700], true);
        let short = world.send_as(WORKER, id, part, sent).await.unwrap();
        assert_eq!((short.ending, short.status.offset), (Ending::Cut, 700));
    });
}
