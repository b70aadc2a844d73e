//! Photo lane: after the commands, chunk by chunk, fairly, and kept until verified.

use super::*;

fn small_chunks() -> EngineConfig {
    EngineConfig {
        photo_chunk: StrideLimits::always(10),
        ..EngineConfig::default()
    }
}

fn with_photo(world: &mut World, n: u128, bytes: &[u8]) -> Digest {
    let photo = photo(bytes);
    let sha256 = photo.sha256;
    world.files.insert(sha256, bytes.to_vec());
    world.queue(hazard_id(n), report(vec![photo]));
    sha256
}

fn chunks(world: &World) -> Vec<(String, u64)> {
    let patches = world.sent.iter().filter_map(|request| match request {
        Request::PatchChunk { upload, offset, .. } => Some((upload.clone(), *offset)),
        _ => None,
    });
    patches.collect()
}

#[test]
fn a_photo_goes_after_its_command_and_stays_until_the_record_says_verified() {
    let mut world = World::with(small_chunks());
    let sha256 = with_photo(&mut world, 1, &[1; 35]);
    world.settle();
    assert!(matches!(world.sent[0], Request::Push(_)));
    assert_eq!(chunks(&world).len(), 4);
    assert_eq!(world.hub.uploads["/photos/0"].2, vec![1; 35]);
    world.pull();
    assert_eq!(
        world.store.photos[&sha256].stage,
        PhotoStage::Sent,
        "sent is not verified"
    );
    world.hub.verify(hazard_id(1), sha256);
    world.pull();
    assert!(world.store.photos.is_empty());
    assert!(world.notices.contains(&Notice::PhotoVerified { sha256 }));
}

#[test]
fn after_a_cut_at_most_one_chunk_is_sent_again() {
    let mut world = World::with(small_chunks());
    world.queue(hazard_id(9), report(vec![]));
    // push, create, chunk, then a chunk whose answer is lost.
    with_photo(&mut world, 1, &[1; 50]);
    for fault in [
        Fault::None,
        Fault::None,
        Fault::None,
        Fault::LoseAnswer,
        Fault::Fail(Failure::Offline),
    ] {
        world.faults.push_back(fault);
    }
    world.settle();
    let sent = chunks(&world);
    assert!(sent.len() <= 6, "{sent:?}");
    assert_eq!(world.hub.uploads["/photos/0"].2.len(), 50);
}

#[test]
fn a_start_in_the_middle_asks_how_far_it_got() {
    let mut world = World::with(small_chunks());
    with_photo(&mut world, 1, &[1; 40]);
    for fault in [
        Fault::None,
        Fault::None,
        Fault::None,
        Fault::Fail(Failure::Offline),
    ] {
        world.faults.push_back(fault);
    }
    assert!(world.pump());
    world.reload();
    let before = world.sent.len();
    world.settle();
    assert!(
        matches!(world.sent[before], Request::UploadStatus { .. }),
        "{:?}",
        world.sent[before]
    );
    assert_eq!(world.hub.uploads.len(), 1, "no second upload");
    assert_eq!(world.hub.uploads["/photos/0"].2.len(), 40);
}

#[test]
fn one_bad_photo_starves_nobody() {
    let mut world = World::with(small_chunks());
    world.faults.push_back(Fault::Fail(Failure::Offline));
    let bad = with_photo(&mut world, 1, &[1; 30]);
    let good = with_photo(&mut world, 2, &[2; 30]);
    world.hub.bad_photo = Some(bad);
    for _ in 0..40 {
        world.pump();
        if let Some(wake) = world.engine.next_wake() {
            world.now = world.now.max(wake);
        }
    }
    assert_eq!(world.store.photos[&good].stage, PhotoStage::Sent);
    assert_eq!(world.store.photos[&bad].stage, PhotoStage::Waiting);
    assert!(chunks(&world).len() < 50, "and the bad one is not hammered");
}

#[test]
fn two_photos_take_turns() {
    let mut world = World::with(small_chunks());
    world.faults.push_back(Fault::Fail(Failure::Offline));
    with_photo(&mut world, 1, &[1; 30]);
    with_photo(&mut world, 2, &[2; 30]);
    world.settle();
    let order: Vec<_> = chunks(&world)
        .into_iter()
        .map(|(upload, _)| upload)
        .collect();
    assert_eq!(
        order,
        [
            "/photos/0",
            "/photos/1",
            "/photos/0",
            "/photos/1",
            "/photos/0",
            "/photos/1"
        ]
    );
}

#[test]
fn few_uploads_are_under_way_however_many_photos_wait() {
    // A server keeps so many unfinished uploads of one person and no more; and what is begun everywhere ends nowhere.
    let mut world = World::with(EngineConfig {
        photos_at_once: 3,
        ..small_chunks()
    });
    let all: Vec<Digest> = (1..=9)
        .map(|n| with_photo(&mut world, n.into(), &[n; 35]))
        .collect();
    // Photo 2 cannot be read, which must not keep its place from the others.
    world.files.remove(&all[1]);
    // The app is killed again and again.
    for writes in [6, 3, 2, 5] {
        world.crash_at = Some((world.writes + writes, true));
        world.engine.handle_online();
        world.pump();
        let unfinished = world.hub.uploads.values().filter(|u| u.2.len() < 35);
        assert!(unfinished.count() <= 4, "three, and the one that fails");
    }
    world.crash_at = None;
    for _ in 0..3 {
        world.pump();
        let wake = world.engine.next_wake();
        world.now = world.now.max(wake.unwrap_or(world.now));
    }
    let whole = world.hub.uploads.values().filter(|u| u.2.len() == 35);
    assert_eq!(whole.count(), 8);
}

#[test]
fn an_upload_that_expired_is_begun_again() {
    let mut world = World::with(small_chunks());
    let sha256 = with_photo(&mut world, 1, &[1; 30]);
    for fault in [
        Fault::None,
        Fault::None,
        Fault::None,
        Fault::Fail(Failure::UploadGone),
    ] {
        world.faults.push_back(fault);
    }
    world.settle();
    assert_eq!(world.store.photos[&sha256].stage, PhotoStage::Sent);
    assert_eq!(world.hub.uploads.len(), 2);
}

#[test]
fn a_missing_file_is_told_and_stops_nothing() {
    let mut world = World::with(small_chunks());
    let sha256 = with_photo(&mut world, 1, &[1; 30]);
    world.files.clear();
    world.queue(hazard_id(2), note("x"));
    for _ in 0..5 {
        world.pump();
    }
    assert!(world.notices.contains(&Notice::PhotoUnreadable { sha256 }));
    assert_eq!(world.standing(2), Standing::NeedsAttention);
}

#[test]
fn a_photo_whose_hazard_left_scope_goes_once_the_server_has_all_of_it() {
    let mut world = World::with(small_chunks());
    let sha256 = with_photo(&mut world, 1, &[1; 30]);
    world.settle();
    world.pull();
    assert_eq!(world.store.photos[&sha256].stage, PhotoStage::Sent);
    world.hub.memory.rules.dropped.insert(firm_scope());
    world.pull();
    assert_eq!(
        world.store.photos[&sha256].stage,
        PhotoStage::Held,
        "asked by its hash, since no record will tell"
    );
    world.pull();
    assert!(world.store.photos.is_empty());
    assert!(world.notices.contains(&Notice::PhotoVerified { sha256 }));
    assert_eq!(chunks(&world).len(), 3, "no byte went twice");
}

#[test]
fn a_photo_out_of_sight_that_the_server_does_not_hold_goes_up_again() {
    let mut world = World::with(small_chunks());
    let sha256 = with_photo(&mut world, 1, &[1; 30]);
    world.settle();
    world.pull();
    // Its bytes are gone there, and the hazard is out of sight here.
    world.hub.uploads.clear();
    world.hub.memory.rules.dropped.insert(firm_scope());
    world.pull();
    assert_eq!(world.store.photos[&sha256].stage, PhotoStage::Sent);
    assert_eq!(chunks(&world).len(), 6);
    world.pull();
    world.pull();
    assert!(world.store.photos.is_empty());
}

#[test]
fn after_a_rekey_a_photo_goes_on_with_the_command_that_names_it() {
    let mut world = World::with(small_chunks());
    let sha256 = with_photo(&mut world, 1, &[1; 30]);
    world.faults.push_back(Fault::None);
    for _ in 0..3 {
        world.faults.push_back(Fault::Fail(Failure::Offline));
    }
    assert!(world.pump());
    assert_eq!(world.standing(1), Standing::Arrived);
    // On a hazard that nobody knows: it will be refused, and takes sequence 1 of the new install.
    world.queue(hazard_id(50), note("on nothing"));
    let new = InstallId(Uuid::from_u128(99));
    world.hub.enrol(new);
    world.engine.handle_rekeyed(new, key());
    world.settle();
    assert_eq!(world.standing(1), Standing::NeedsAttention);
    assert_eq!(world.store.photos[&sha256].stage, PhotoStage::Sent);
}

#[test]
fn a_photo_that_is_not_sent_yet_survives_the_loss_of_its_scope() {
    let mut world = World::with(small_chunks());
    let sha256 = with_photo(&mut world, 1, &[1; 30]);
    world.hub.bad_photo = Some(sha256);
    for _ in 0..4 {
        world.pump();
    }
    world.hub.memory.rules.dropped.insert(firm_scope());
    world.engine.handle_pull_wanted();
    world.pump();
    assert!(world.store.photos.contains_key(&sha256), "the only copy");
}

#[test]
fn a_photo_named_only_without_effect_is_not_awaited_until_it_is_named_again() {
    let mut world = World::with(small_chunks());
    world.pull();
    let bytes = [3; 30];
    let named = photo(&bytes);
    world.files.insert(named.sha256, bytes.to_vec());
    let attach = |photo: &PhotoRef| {
        Action::AttachPhoto(hazardloop_domain::command::AttachPhoto {
            photo: photo.clone(),
        })
    };
    // On a hazard that nobody knows: rejected.
    world.queue(hazard_id(50), attach(&named));
    assert!(
        world
            .engine
            .photo_is_awaited(&world.store.photos[&named.sha256])
    );
    world.settle();
    assert_eq!(world.standing(1), Standing::NeedsAttention);
    let kept = world.store.photos[&named.sha256].clone();
    assert!(!world.engine.photo_is_awaited(&kept));
    assert!(
        world.engine.photo_is_only_here(&kept),
        "nobody has it beside this phone"
    );
    assert!(chunks(&world).is_empty());
    world.queue(hazard_id(1), report(vec![named.clone()]));
    world.settle();
    assert_eq!(world.store.photos[&named.sha256].stage, PhotoStage::Sent);
}

#[test]
fn chunks_grow_while_they_arrive_and_halve_when_one_does_not() {
    let mut world = World::with(EngineConfig::default());
    with_photo(&mut world, 1, &[1; 200_000]);
    // Push, create, four chunks; the fifth is cut.
    let cut = Fault::Fail(Failure::Offline);
    (0..6).for_each(|_| world.faults.push_back(Fault::None));
    world.faults.push_back(cut);
    world.settle();
    let lengths = world.sent.iter().filter_map(|request| match request {
        Request::PatchChunk { bytes, .. } => Some(bytes.len() / 1_024),
        _ => None,
    });
    assert_eq!(lengths.collect::<Vec<_>>(), [8, 16, 32, 64, 75, 64, 11]);
    assert_eq!(world.hub.uploads["/photos/0"].2.len(), 200_000);
}

#[test]
fn that_a_link_takes_little_is_known_again_after_a_stop() {
    let mut world = World::with(EngineConfig::default());
    with_photo(&mut world, 1, &[1; 50_000]);
    // Push, create, and a first chunk that is cut.
    (0..2).for_each(|_| world.faults.push_back(Fault::None));
    world.faults.push_back(Fault::Fail(Failure::Offline));
    assert!(world.pump());
    world.reload();
    let before = world.sent.len();
    world.settle();
    let lengths = world.sent[before..]
        .iter()
        .filter_map(|request| match request {
            Request::PatchChunk { bytes, .. } => Some(bytes.len()),
            _ => None,
        });
    assert_eq!(lengths.take(2).collect::<Vec<_>>(), [4_096, 8_192]);
    assert_eq!(world.hub.uploads["/photos/0"].2.len(), 50_000);
    assert_eq!(world.store.meta.photo_chunk, None, "it takes more by now");
}
