//! A photo that can never arrive: a person gives it up, tries again, or lets it go.

use super::*;

fn given_up() -> GivenUp {
    GivenUp {
        reason: "the card broke".into(),
        at: at(5_000),
    }
}

fn unreadable() -> (World, Digest) {
    let mut world = World::new();
    let named = photo(&[1; 30]);
    world.queue(hazard_id(1), report(vec![named.clone()]));
    for _ in 0..3 {
        world.pump();
    }
    let sha256 = named.sha256;
    assert!(world.notices.contains(&Notice::PhotoUnreadable { sha256 }));
    (world, sha256)
}

#[test]
fn a_photo_given_up_is_tried_no_more_and_stays() {
    let (mut world, sha256) = unreadable();
    assert!(world.engine.handle_photo_given_up(sha256, given_up()));
    assert!(world.pump());
    assert!(world.notices.contains(&Notice::PhotoDecided { sha256 }));
    assert_eq!(world.engine.next_wake(), None, "nothing is waited for");
    assert!(!world.engine.photo_is_awaited(&world.store.photos[&sha256]));
    world.reload();
    world.settle();
    assert_eq!(world.store.photos[&sha256].given_up, Some(given_up()));
    let view = world.engine.hazard(world.now, hazard_id(1)).unwrap();
    assert_eq!(view.hazard.photos_awaited(), 1, "the record still waits");
}

#[test]
fn it_can_be_taken_up_again() {
    let (mut world, sha256) = unreadable();
    world.engine.handle_photo_given_up(sha256, given_up());
    assert!(world.pump());
    world.files.insert(sha256, vec![1; 30]);
    assert!(world.engine.handle_photo_retry(sha256));
    world.settle();
    assert_eq!(world.store.photos[&sha256].stage, PhotoStage::Sent);
    assert_eq!(world.store.photos[&sha256].given_up, None);
}

#[test]
fn a_server_that_asks_for_it_does_not_undo_the_decision() {
    let (mut world, sha256) = unreadable();
    world.engine.handle_photo_given_up(sha256, given_up());
    assert!(world.pump());
    world.files.insert(sha256, vec![1; 30]);
    world.hub.missing = vec![sha256];
    world.pull();
    assert_eq!(world.store.photos[&sha256].given_up, Some(given_up()));
    assert_eq!(world.store.photos[&sha256].stage, PhotoStage::Waiting);
    assert_eq!(world.engine.next_wake(), None);
}

#[test]
fn an_answer_that_was_under_way_does_not_undo_the_decision() {
    let mut world = World::new();
    let named = photo(&[1; 30]);
    let sha256 = named.sha256;
    world.queue(hazard_id(1), report(vec![named]));
    let create = loop {
        match world.engine.poll_output(world.now).unwrap() {
            Output::Send {
                id,
                request: Request::CreateUpload { .. },
            } => break id,
            Output::Send { id, request } => world.carry(id, request),
            Output::Write { id, ops } => {
                world.store.apply(&ops);
                world.engine.handle_stored(id);
            }
            _ => {}
        }
    };
    world.engine.handle_photo_given_up(sha256, given_up());
    let upload = "/photos/1".to_owned();
    let answer = ResponseBody::UploadCreated { upload, offset: 0 };
    world.engine.handle_response(create, world.now, answer);
    assert!(world.pump());
    assert_eq!(world.store.photos[&sha256].given_up, Some(given_up()));
}

#[test]
fn one_that_another_device_brought_goes_when_it_is_verified() {
    let (mut world, sha256) = unreadable();
    world.engine.handle_photo_given_up(sha256, given_up());
    world.pull();
    assert!(world.store.photos.contains_key(&sha256));
    world.hub.verify(hazard_id(1), sha256);
    world.pull();
    assert!(world.store.photos.is_empty());
}

#[test]
fn only_a_photo_let_go_is_deleted() {
    let (mut world, sha256) = unreadable();
    assert!(!world.engine.handle_photo_forgotten(Digest([9; 32])));
    assert!(world.engine.handle_photo_forgotten(sha256));
    let Some(Output::Write { id, ops }) = world.engine.poll_output(world.now) else {
        panic!()
    };
    assert_eq!(ops, [StoreOp::DeletePhoto(sha256)]);
    world.store.apply(&ops);
    world.engine.handle_stored(id);
    world.settle();
    assert!(world.store.photos.is_empty());
}

#[test]
fn a_command_that_names_it_anew_takes_it_up_again() {
    let (mut world, sha256) = unreadable();
    world.engine.handle_photo_given_up(sha256, given_up());
    assert!(world.pump());
    world.files.insert(sha256, vec![1; 30]);
    world.queue(hazard_id(2), report(vec![photo(&[1; 30])]));
    assert_eq!(world.store.photos[&sha256].given_up, None);
    world.settle();
    assert_eq!(world.store.photos[&sha256].stage, PhotoStage::Sent);
}

#[test]
fn what_the_server_never_takes_is_sent_once_and_told() {
    let refusals = [
        Failure::PayloadTooLarge { ours: true },
        Failure::Refused {
            code: "UNSUPPORTED_MEDIA_TYPE".into(),
            detail: "not a picture".into(),
        },
    ];
    for refusal in refusals {
        let mut world = World::with(EngineConfig {
            photo_chunk: StrideLimits::always(10),
            ..EngineConfig::default()
        });
        world.pull();
        let named = photo(&[1; 30]);
        let sha256 = named.sha256;
        world.files.insert(sha256, vec![1; 30]);
        world.hub.bad_photo = Some(sha256);
        world.hub.bad_answer = refusal;
        world.hub.bad_at_once = false;
        world.queue(hazard_id(1), report(vec![named]));
        world.settle();
        let chunks = world.sent.iter();
        let chunks = chunks.filter(|sent| matches!(sent, Request::PatchChunk { .. }));
        assert_eq!(chunks.count(), 3, "each byte once");
        let told = |notice: &Notice| matches!(notice, Notice::PhotoRefused { sha256: s, .. } if *s == sha256);
        assert_eq!(world.notices.iter().filter(|n| told(n)).count(), 1);
        assert!(world.store.photos[&sha256].given_up.is_some(), "and kept");
        // An administrator raised the limit.
        world.hub.bad_photo = None;
        world.engine.handle_photo_retry(sha256);
        world.settle();
        assert_eq!(world.store.photos[&sha256].stage, PhotoStage::Sent);
    }
}

#[test]
fn a_chunk_in_the_middle_that_is_refused_makes_no_photo_final() {
    let mut world = World::with(EngineConfig {
        photo_chunk: StrideLimits::always(10),
        ..EngineConfig::default()
    });
    let named = photo(&[1; 30]);
    let sha256 = named.sha256;
    world.files.insert(sha256, vec![1; 30]);
    world.hub.bad_photo = Some(sha256);
    world.hub.bad_answer = Failure::PayloadTooLarge { ours: true };
    world.queue(hazard_id(1), report(vec![named]));
    assert!(world.pump());
    assert!(world.store.photos[&sha256].given_up.is_none());
}
