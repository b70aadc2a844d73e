//! Jobs run once, by whoever is first, and a broken one is nobody else's trouble.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::hash::Digest;
use tokio::sync::watch;
use uuid::Uuid;

use super::runner::{ATTEMPTS, LEASE_MS, run, run_due};
use crate::photos::samples;
use crate::store::StoreError;
use crate::store::jobs::{self, Claimed, JobKind, JobState, NewJob};
use crate::usecases::photos::{self, PhotoSize, Served, thumbnail_job_key};
use crate::usecases::upload::test_support::{WORKER, World, each_world};

async fn put_in(world: &World, number: u128, kind: JobKind, key: Option<&str>, payload: &str) {
    let job = NewJob {
        id: Uuid::from_u128(number),
        kind,
        dedup_key: key.map(str::to_owned),
        payload: payload.to_owned(),
        run_at: world.now(),
    };
    let write = world.app.db.write(move |tx| jobs::enqueue(tx.conn(), &job));
    write.await.unwrap();
}

async fn claim(world: &World) -> Option<Claimed> {
    let now = world.now();
    let until = now.plus_millis(LEASE_MS);
    let write = world
        .app
        .db
        .write(move |tx| jobs::claim(tx.conn(), now, until));
    write.await.unwrap()
}

async fn state(world: &World, key: &str) -> JobState {
    let key = key.to_owned();
    let read = world.app.db.read(move |tx| jobs::state_of(tx.conn(), &key));
    read.await.unwrap()
}

async fn thumbnail(world: &World, sha256: Digest) -> Served {
    let opened = photos::open(&world.app, WORKER, sha256, PhotoSize::Thumbnail, None);
    opened.await.unwrap()
}

#[test]
fn a_photo_that_came_gets_its_thumbnail() {
    each_world(|world| async move {
        let photo = samples::jpeg(640, 480);
        let sha256 = Digest::sha256(&photo);
        world.bring(WORKER, &photo).await.unwrap();
        assert!(matches!(thumbnail(&world, sha256).await, Served::NotYet));
        assert_eq!(run_due(&world.app).await.unwrap(), 1);
        let Served::Content(content) = thumbnail(&world, sha256).await else {
            panic!("the thumbnail is there")
        };
        assert_eq!(content.media_type, "image/jpeg");
        assert_eq!(
            state(&world, &thumbnail_job_key(sha256)).await,
            JobState::Absent
        );
        assert_eq!(run_due(&world.app).await.unwrap(), 0);
    });
}

#[test]
fn a_broken_photo_fails_its_own_job_and_stays_visible() {
    each_world(|world| async move {
        // Its header is sound, its picture is not.
        let mut broken = samples::png(64, 64);
        let picture = broken.len() - 60..broken.len() - 20;
        broken[picture].fill(0xAA);
        let sound = samples::jpeg(64, 48);
        world.bring(WORKER, &broken).await.unwrap();
        world.bring(WORKER, &sound).await.unwrap();
        assert_eq!(run_due(&world.app).await.unwrap(), 2);
        let served = thumbnail(&world, Digest::sha256(&sound)).await;
        assert!(matches!(served, Served::Content(_)));
        let served = thumbnail(&world, Digest::sha256(&broken)).await;
        assert!(matches!(served, Served::Never));
        let JobState::Failed { last_error } =
            state(&world, &thumbnail_job_key(Digest::sha256(&broken))).await
        else {
            panic!("the failure is recorded")
        };
        assert!(last_error.contains("decoded"), "{last_error}");
        world.pass(365 * 86_400_000);
        assert_eq!(
            run_due(&world.app).await.unwrap(),
            0,
            "it is not tried again"
        );
    });
}

#[test]
fn a_job_that_was_given_up_gives_way_to_a_new_one_and_no_other_does() {
    each_world(|world| async move {
        put_in(&world, 1, JobKind::FillSector, Some("key"), "no scope").await;
        put_in(&world, 2, JobKind::FillSector, Some("key"), "second").await;
        let first = claim(&world).await.unwrap();
        assert_eq!(first.payload, "no scope");
        put_in(&world, 3, JobKind::FillSector, Some("key"), "third").await;
        assert!(claim(&world).await.is_none(), "one under way is there");
        let (given_up, now) = (first.clone(), world.now());
        let failed = world
            .app
            .db
            .write(move |tx| jobs::failed(tx.conn(), &given_up, "no", None, now));
        assert!(failed.await.unwrap());
        assert!(matches!(
            state(&world, "key").await,
            JobState::Failed { .. }
        ));
        put_in(&world, 4, JobKind::FillSector, Some("key"), "fourth").await;
        assert_eq!(state(&world, "key").await, JobState::Pending);
        let done = world.app.db.write(move |tx| jobs::done(tx.conn(), &first));
        assert!(!done.await.unwrap(), "the old runner has no say");
        let again = claim(&world).await.unwrap();
        assert_eq!((again.payload.as_str(), again.attempt), ("fourth", 1));
    });
}

#[test]
fn two_runners_run_each_job_once() {
    each_world(|world| async move {
        for number in 1..=20 {
            put_in(&world, number, JobKind::Thumbnail, None, "no hash").await;
        }
        let runners: Vec<_> = (0..2)
            .map(|_| {
                let app = world.app.clone();
                tokio::spawn(async move { run_due(&app).await })
            })
            .collect();
        let mut ran = 0;
        for runner in runners {
            ran += runner.await.unwrap().unwrap();
        }
        assert_eq!(ran, 20);
    });
}

#[test]
fn concurrent_claims_never_give_one_job_to_two() {
    each_world(|world| async move {
        for number in 1..=12 {
            put_in(&world, number, JobKind::Thumbnail, None, "").await;
        }
        let now = world.now();
        let claims: Vec<_> = (0..4)
            .map(|_| {
                let db = world.app.db.clone();
                tokio::spawn(async move {
                    let mut mine = Vec::new();
                    let until = now.plus_millis(LEASE_MS);
                    while let Some(job) = db
                        .write(move |tx| jobs::claim(tx.conn(), now, until))
                        .await?
                    {
                        mine.push(job.id);
                    }
                    Ok::<_, StoreError>(mine)
                })
            })
            .collect();
        let mut ids = Vec::new();
        for claimed in claims {
            ids.extend(claimed.await.unwrap().unwrap());
        }
        ids.sort_unstable();
        let all: Vec<_> = (1..=12).map(Uuid::from_u128).collect();
        assert_eq!(ids, all);
    });
}

#[test]
fn a_job_whose_runner_died_is_taken_again_and_the_dead_one_has_no_say() {
    each_world(|world| async move {
        put_in(&world, 1, JobKind::Thumbnail, Some("key"), "").await;
        let first = claim(&world).await.unwrap();
        assert_eq!(claim(&world).await, None);
        world.pass(LEASE_MS);
        let second = claim(&world).await.unwrap();
        assert_eq!((second.id, second.attempt), (first.id, 2));
        let late = world.app.db.write(move |tx| jobs::done(tx.conn(), &first));
        assert!(!late.await.unwrap());
        let done = world.app.db.write(move |tx| jobs::done(tx.conn(), &second));
        assert!(done.await.unwrap());
        assert_eq!(state(&world, "key").await, JobState::Absent);
    });
}

#[test]
fn a_passing_failure_is_retried_with_growing_pauses_and_then_given_up() {
    each_world(|world| async move {
        let photo = samples::jpeg(64, 48);
        let sha256 = Digest::sha256(&photo);
        world.bring(WORKER, &photo).await.unwrap();
        std::fs::remove_dir_all(world.folder.path().join("objects")).unwrap();
        let key = thumbnail_job_key(sha256);
        let mut waited = 0;
        for attempt in 1..=ATTEMPTS {
            let mut pause = 0;
            while run_due(&world.app).await.unwrap() == 0 {
                world.pass(10_000);
                pause += 10_000;
            }
            assert!(
                attempt < 3 || pause > waited || pause >= 3_600_000,
                "attempt {attempt}"
            );
            waited = pause;
            let failed = matches!(state(&world, &key).await, JobState::Failed { .. });
            assert_eq!(failed, attempt == ATTEMPTS, "attempt {attempt}");
        }
        world.pass(365 * 86_400_000);
        assert_eq!(run_due(&world.app).await.unwrap(), 0);
    });
}

#[test]
fn a_job_that_kills_its_runners_is_given_up() {
    each_world(|world| async move {
        put_in(&world, 1, JobKind::Thumbnail, Some("key"), "").await;
        for _ in 0..ATTEMPTS {
            claim(&world).await.unwrap();
            world.pass(LEASE_MS);
        }
        assert_eq!(run_due(&world.app).await.unwrap(), 1);
        assert!(matches!(
            state(&world, "key").await,
            JobState::Failed { .. }
        ));
    });
}

#[test]
fn two_jobs_with_one_key_are_one_job() {
    each_world(|world| async move {
        put_in(&world, 1, JobKind::Thumbnail, Some("key"), "").await;
        put_in(&world, 2, JobKind::Thumbnail, Some("key"), "").await;
        put_in(&world, 3, JobKind::Thumbnail, None, "").await;
        put_in(&world, 4, JobKind::Thumbnail, None, "").await;
        assert_eq!(run_due(&world.app).await.unwrap(), 3);
    });
}

#[test]
fn the_runner_wakes_for_a_new_job_clears_uploads_and_stops_when_told() {
    each_world(|world| async move {
        let (stop, stopping) = watch::channel(false);
        let runner = tokio::spawn(run(world.app.clone(), stopping));
        let photo = samples::jpeg(64, 48);
        world.bring(WORKER, &photo).await.unwrap();
        let key = thumbnail_job_key(Digest::sha256(&photo));
        while state(&world, &key).await != JobState::Absent {
            tokio::task::yield_now().await;
        }
        stop.send(true).unwrap();
        runner.await.unwrap();
        let clearing = state(&world, JobKind::ExpireUploads.as_str()).await;
        assert_eq!(clearing, JobState::Pending, "it comes back in an hour");
    });
}

#[test]
fn kinds_read_back() {
    for kind in JobKind::ALL {
        assert_eq!(JobKind::from_name(kind.as_str()), Some(kind));
    }
}

#[test]
fn windows_are_kept_by_one_job_for_all_servers_that_comes_back() {
    each_world(|world| async move {
        use super::keep_windows::{EVERY_MS, schedule};
        schedule(&world.app).await.unwrap();
        schedule(&world.app).await.unwrap();
        assert_eq!(run_due(&world.app).await.unwrap(), 1, "one for both");
        assert_eq!(
            run_due(&world.app).await.unwrap(),
            0,
            "nothing more is due now"
        );
        let key = JobKind::KeepWindows.as_str();
        assert_eq!(state(&world, key).await, JobState::Pending);
        world.pass(EVERY_MS);
        assert_eq!(run_due(&world.app).await.unwrap(), 1);
    });
}
