//! Uploads as a phone with a bad line sees them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod rights;

use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::PhotoState;
use hazardloop_domain::ids::PersonId;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use sha1::Digest as _;

use super::test_support::*;
use super::*;
use crate::photos::samples;
use crate::usecases::photos::{self, PhotoSize, Served};

async fn original(world: &World, by: PersonId, sha256: Digest) -> Result<Vec<u8>, Failure> {
    use futures_util::TryStreamExt;
    match photos::open(&world.app, by, sha256, PhotoSize::Original, None).await? {
        Served::Content(content) => {
            let parts: Vec<_> = content.bytes.try_collect().await?;
            Ok(parts.concat())
        }
        Served::NotYet | Served::Never => panic!("an original is there or not"),
    }
}

#[test]
fn a_photo_arrives_and_its_hazard_learns_of_it() {
    each_world(|world| async move {
        let photo = samples::jpeg_with(64, 48, Some(samples::phone_exif()));
        let sha256 = Digest::sha256(&photo);
        let hazard = world.report(1, WORKER, &[&photo]).await;
        assert_eq!(
            world.photo_states(hazard).await,
            [PhotoState::AwaitingPhoto]
        );
        let unseen = original(&world, INSPECTOR, sha256).await.unwrap_err();
        assert!(unseen.is_not_found());

        let done = world.bring(WORKER, &photo).await.unwrap();
        assert_eq!(done.status.offset, photo.len() as u64);
        assert_eq!(done.status.expires_at, None);
        assert_eq!(world.photo_states(hazard).await, [PhotoState::Verified]);
        assert_eq!(original(&world, INSPECTOR, sha256).await.unwrap(), photo);
        assert_eq!(original(&world, WORKER, sha256).await.unwrap(), photo);
        let unseen = original(&world, STRANGER, sha256).await.unwrap_err();
        assert!(unseen.is_not_found());
        assert_eq!(world.files("uploads"), 0);
        assert_eq!(world.files("objects"), 1);
    });
}

#[test]
fn an_upload_goes_on_where_it_was_cut_even_by_a_kill() {
    each_world(|world| async move {
        let photo = samples::jpeg(400, 300);
        let id = world.begin(WORKER, &photo).await.id;
        let whole = Append {
            offset: 0,
            declared: Some(photo.len() as u64),
            checksum: None,
        };
        let cut = world
            .send_as(WORKER, id, whole, pieces(&photo[..1500], false))
            .await
            .unwrap();
        assert_eq!((cut.ending, cut.status.offset), (Ending::Cut, 1500));
        // A kill after bytes reached the disk and before they were counted.
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .open(world.part_path(id))
            .unwrap();
        std::io::Write::write_all(&mut file, b"bytes that nobody counted").unwrap();
        assert_eq!(status(&world.app, WORKER, id).await.unwrap().offset, 1500);

        let done = world.send(WORKER, id, 1500, &photo[1500..]).await.unwrap();
        assert_eq!(done.status.expires_at, None);
        let read = original(&world, WORKER, Digest::sha256(&photo))
            .await
            .unwrap();
        assert_eq!(read, photo);
    });
}

#[test]
fn who_lost_sight_of_an_upload_begins_it_again_and_goes_on() {
    each_world_with(
        |settings| settings.photos.uploads_per_person = 2,
        |world| async move {
            let photo = samples::jpeg(400, 300);
            let id = world.begin(WORKER, &photo).await.id;
            world.send(WORKER, id, 0, &photo[..1500]).await.unwrap();
            for _ in 0..3 {
                let again = world.begin(WORKER, &photo).await;
                assert_eq!((again.id, again.offset), (id, 1500));
            }
            // Neither another photo, nor another length under this hash, nor another person is answered it.
            let other = world.begin(WORKER, &samples::jpeg(64, 64)).await;
            assert_eq!(other.offset, 0);
            let longer = Announcement {
                length: photo.len() as u64 + 1,
                ..announcement(&photo)
            };
            let refused = create(&world.app, WORKER, longer).await.unwrap_err();
            assert!(matches!(refused, Failure::Conflict(_)), "{refused:?}");
            let others = world.begin(COLLEAGUE, &photo).await;
            assert_eq!(others.offset, 0);
            assert_ne!(others.id, id);
            // Nor is another device of theirs, which may be in other hands.
            terminate(&world.app, WORKER, other.id).await.unwrap();
            let elsewhere = Announcement {
                by: Uuid::from_u128(31),
                ..announcement(&photo)
            };
            let elsewhere = create(&world.app, WORKER, elsewhere).await.unwrap();
            assert!(elsewhere.is_new && elsewhere.status.id != id);

            let done = world.send(WORKER, id, 1500, &photo[1500..]).await.unwrap();
            assert_eq!(done.status.expires_at, None);

            // One whose time is over is not gone on with.
            let late = world.begin(COLLEAGUE, &photo).await;
            assert_eq!(late.id, others.id);
            world.pass(world.app.settings.photos.upload_life_s * 1000);
            assert_ne!(world.begin(COLLEAGUE, &photo).await.id, others.id);
        },
    );
}

#[test]
fn a_kill_between_the_last_byte_and_the_end_is_made_good_by_beginning_again() {
    each_world(|world| async move {
        let photo = samples::jpeg(80, 60);
        let id = world.begin(WORKER, &photo).await.id;
        let (path, length) = (world.part_path(id), photo.len() as u64);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &photo).unwrap();
        let write = world
            .app
            .db
            .write(move |tx| uploads::advance(tx.conn(), id, 0, length));
        assert!(write.await.unwrap());

        let again = world.begin(WORKER, &photo).await;
        assert_eq!((again.offset, again.expires_at), (length, None));
        let read = original(&world, WORKER, Digest::sha256(&photo)).await;
        assert_eq!(read.unwrap(), photo);
    });
}

#[test]
fn a_kill_between_file_and_row_is_made_good_by_asking() {
    each_world(|world| async move {
        let photo = samples::jpeg(80, 60);
        let sha256 = Digest::sha256(&photo);
        let hazard = world.report(1, WORKER, &[&photo]).await;
        let id = world.begin(WORKER, &photo).await.id;
        // As a kill leaves it: all bytes counted, the original stored, nothing recorded.
        let path = world.part_path(id);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &photo).unwrap();
        let length = photo.len() as u64;
        let write = world
            .app
            .db
            .write(move |tx| uploads::advance(tx.conn(), id, 0, length));
        assert!(write.await.unwrap());
        originals::store(&world.app.objects, &path, sha256, length, id)
            .await
            .unwrap();
        assert!(
            original(&world, WORKER, sha256)
                .await
                .unwrap_err()
                .is_not_found()
        );

        let asked = status(&world.app, WORKER, id).await.unwrap();
        assert_eq!((asked.offset, asked.expires_at), (length, None));
        assert_eq!(world.photo_states(hazard).await, [PhotoState::Verified]);
        assert_eq!(original(&world, WORKER, sha256).await.unwrap(), photo);
        assert_eq!((world.files("uploads"), world.files("objects")), (0, 1));
    });
}

#[test]
fn a_last_part_that_is_sent_again_is_no_error() {
    each_world(|world| async move {
        let photo = samples::jpeg(40, 40);
        let id = world.bring(WORKER, &photo).await.unwrap().status.id;
        let length = photo.len() as u64;
        let again = world.send(WORKER, id, length, &[]).await.unwrap();
        assert_eq!(
            (again.ending, again.status.offset),
            (Ending::Complete, length)
        );
        let more = world.send(WORKER, id, length, b"more").await.unwrap_err();
        assert!(matches!(more, Failure::TooLarge { .. }), "{more:?}");
        let stays = terminate(&world.app, WORKER, id).await.unwrap_err();
        assert!(matches!(stays, Failure::Conflict(_)), "{stays:?}");
    });
}

#[test]
fn a_part_with_a_checksum_is_kept_whole_or_not_at_all() {
    each_world(|world| async move {
        let photo = samples::jpeg(200, 100);
        let id = world.begin(WORKER, &photo).await.id;
        let first = &photo[..700];
        let part = |checksum| Append {
            offset: 0,
            declared: Some(700),
            checksum: Some(checksum),
        };
        let sha256 = Checksum {
            algorithm: ChecksumAlgorithm::Sha256,
            sum: Digest::sha256(first).as_bytes().to_vec(),
        };
        let mut altered = first.to_vec();
        altered[350] ^= 1;
        let refused = world
            .send_as(WORKER, id, part(sha256.clone()), pieces(&altered, true))
            .await;
        assert_eq!(refused.unwrap_err(), UploadFailure::ChecksumMismatch.into());
        let cut = world.send_as(
            WORKER,
            id,
            part(sha256.clone()),
            pieces(&first[..600], false),
        );
        assert_eq!(cut.await.unwrap().status.offset, 0);
        let kept = world
            .send_as(WORKER, id, part(sha256), pieces(first, true))
            .await
            .unwrap();
        assert_eq!(kept.status.offset, 700);

        let rest = &photo[700..];
        let sha1 = Checksum {
            algorithm: ChecksumAlgorithm::Sha1,
            sum: sha1::Sha1::digest(rest).to_vec(),
        };
        let part = Append {
            offset: 700,
            declared: None,
            checksum: Some(sha1),
        };
        let done = world
            .send_as(WORKER, id, part, pieces(rest, true))
            .await
            .unwrap();
        assert_eq!(done.status.offset, photo.len() as u64);
    });
}

#[test]
fn only_one_request_writes_at_a_time() {
    each_world(|world| async move {
        let photo = samples::jpeg(200, 100);
        let id = world.begin(WORKER, &photo).await.id;
        let (sender, body) = tokio::sync::mpsc::channel(1);
        let app = world.app.clone();
        let part = Append {
            offset: 0,
            declared: None,
            checksum: None,
        };
        let first = tokio::spawn(async move { append(&app, WORKER, id, part, body).await });
        sender
            .send(BodyPart::Bytes(bytes::Bytes::copy_from_slice(
                &photo[..500],
            )))
            .await
            .unwrap();
        // Once a second piece finds room, the first has been taken, and so the file is held.
        sender
            .send(BodyPart::Bytes(bytes::Bytes::copy_from_slice(
                &photo[500..900],
            )))
            .await
            .unwrap();
        sender.reserve().await.unwrap();
        let second = world.send(WORKER, id, 0, &photo).await.unwrap_err();
        assert!(matches!(second, Failure::Conflict(_)), "{second:?}");
        let stays = terminate(&world.app, WORKER, id).await.unwrap_err();
        assert!(matches!(stays, Failure::Conflict(_)), "{stays:?}");
        drop(sender);
        assert_eq!(first.await.unwrap().unwrap().status.offset, 900);
        world.send(WORKER, id, 900, &photo[900..]).await.unwrap();
    });
}

#[test]
fn a_store_that_takes_nothing_does_not_hold_the_clearing_up() {
    let many = |settings: &mut crate::settings::Settings| settings.photos.uploads_per_person = 300;
    each_world_with(many, |world| async move {
        let photo = samples::jpeg(16, 16);
        let length = photo.len() as u64;
        std::fs::create_dir_all(world.folder.path().join("uploads")).unwrap();
        for _ in 0..101 {
            // Who names no hash begins each time another.
            let unnamed = Announcement {
                sha256: None,
                ..announcement(&photo)
            };
            let id = create(&world.app, WORKER, unnamed).await.unwrap().status.id;
            std::fs::write(world.part_path(id), &photo).unwrap();
            let write = world
                .app
                .db
                .write(move |tx| uploads::advance(tx.conn(), id, 0, length));
            assert!(write.await.unwrap());
        }
        world.pass(1);
        let abandoned = world.begin(WORKER, &photo).await.id;
        // As a disk that broke: something else lies where the original belongs.
        let key = Path::from(originals::original_key(Digest::sha256(&photo)));
        let wrong = b"something else".to_vec().into();
        world.app.objects.put(&key, wrong).await.unwrap();
        world.pass(world.app.settings.photos.upload_life_s * 1000);
        let clearing =
            tokio::time::timeout(std::time::Duration::from_secs(120), expire(&world.app));
        let cleared = clearing.await.expect("it comes to an end").unwrap();
        assert_eq!(cleared, 1, "the abandoned one, behind a full batch");
        let gone = status(&world.app, WORKER, abandoned).await.unwrap_err();
        assert!(gone.is_not_found());
        assert_eq!(world.files("uploads"), 101, "the others wait for the store");
    });
}

#[test]
fn a_photo_that_came_before_its_report_counts_at_once() {
    each_world(|world| async move {
        let photo = samples::jpeg(64, 64);
        world.bring(WORKER, &photo).await.unwrap();
        let hazard = world.report(1, WORKER, &[&photo]).await;
        assert_eq!(world.photo_states(hazard).await, [PhotoState::Verified]);
    });
}

#[test]
fn an_altered_original_is_noticed_and_never_written_over() {
    each_world(|world| async move {
        let photo = samples::jpeg(64, 64);
        let sha256 = Digest::sha256(&photo);
        let key = Path::from(originals::original_key(sha256));
        world
            .app
            .objects
            .put(&key, b"something else".to_vec().into())
            .await
            .unwrap();
        let refused = world.bring(WORKER, &photo).await.unwrap_err();
        assert!(matches!(refused, Failure::Internal(_)), "{refused:?}");
        let there = world
            .app
            .objects
            .get(&key)
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
        assert_eq!(&there[..], b"something else");
        assert!(
            original(&world, WORKER, sha256)
                .await
                .unwrap_err()
                .is_not_found()
        );
    });
}

#[test]
fn expired_uploads_are_cleared_and_complete_ones_finished() {
    each_world(|world| async move {
        let (left, whole) = (samples::jpeg(64, 64), samples::jpeg(32, 32));
        let left_id = world.begin(WORKER, &left).await.id;
        world.send(WORKER, left_id, 0, &left[..100]).await.unwrap();
        let whole_id = world.begin(WORKER, &whole).await.id;
        let length = whole.len() as u64;
        std::fs::write(world.part_path(whole_id), &whole).unwrap();
        let write = world
            .app
            .db
            .write(move |tx| uploads::advance(tx.conn(), whole_id, 0, length));
        assert!(write.await.unwrap());
        assert_eq!(expire(&world.app).await.unwrap(), 0);

        let life = world.app.settings.photos.upload_life_s * 1000;
        world.pass(life - 1);
        assert_eq!(
            status(&world.app, WORKER, left_id).await.unwrap().offset,
            100
        );
        world.pass(1);
        let gone = status(&world.app, WORKER, left_id).await.unwrap_err();
        assert_eq!(gone, UploadFailure::Gone.into());
        expire(&world.app).await.unwrap();
        let gone = status(&world.app, WORKER, left_id).await.unwrap_err();
        assert!(gone.is_not_found());
        assert_eq!(world.files("uploads"), 0);
        let read = original(&world, WORKER, Digest::sha256(&whole))
            .await
            .unwrap();
        assert_eq!(read, whole);
    });
}

#[test]
fn an_upload_that_is_given_up_leaves_nothing() {
    each_world(|world| async move {
        let photo = samples::jpeg(64, 64);
        let id = world.begin(WORKER, &photo).await.id;
        world.send(WORKER, id, 0, &photo[..100]).await.unwrap();
        terminate(&world.app, WORKER, id).await.unwrap();
        assert!(
            status(&world.app, WORKER, id)
                .await
                .unwrap_err()
                .is_not_found()
        );
        assert_eq!(world.files("uploads"), 0);
    });
}

#[test]
fn bytes_that_a_broken_disk_lost_are_asked_for_again() {
    each_world(|world| async move {
        let photo = samples::jpeg(64, 64);
        let id = world.begin(WORKER, &photo).await.id;
        world.send(WORKER, id, 0, &photo[..300]).await.unwrap();
        std::fs::remove_file(world.part_path(id)).unwrap();
        let lost = world
            .send(WORKER, id, 300, &photo[300..])
            .await
            .unwrap_err();
        assert_eq!(lost, UploadFailure::OffsetMismatch { offset: 0 }.into());
        assert_eq!(status(&world.app, WORKER, id).await.unwrap().offset, 0);
        world.send(WORKER, id, 0, &photo).await.unwrap();
    });
}
