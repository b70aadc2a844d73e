//! A directory from before is sealed whole, wherever it is interrupted.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::home::Owner;
use crate::store::{Account, plain_writes};
use hazardloop_domain::access::PersonRecord;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{PersonId, SubjectId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::{PhotoStage, StoreOp, StoredCommand, StoredPhoto};
use hazardloop_sync_protocol::wire::{Bytes, Envelope, Record, RecordKind};
use uuid::Uuid;

const PHOTO: &[u8] = b"\xff\xd8\xff a photo of the distribution box";
const INSTALL: InstallId = InstallId(Uuid::from_u128(77));

fn command(seq: i64) -> StoreOp {
    StoreOp::PutCommand(StoredCommand {
        envelope: Envelope {
            seq,
            kind: "note".into(),
            version: 1,
            previous: Digest::ZERO,
            payload: Bytes("配电箱无门".as_bytes().to_vec()),
            signature_algorithm: 1,
            signature: Bytes(vec![0; 64]),
        },
        subject_id: SubjectId(Uuid::from_u128(7)),
        queued_at: Timestamp::from_millis(5),
        receipt: None,
        awaiting_pull: false,
        oversize: None,
        earlier: None,
        chosen: None,
    })
}

fn work() -> Vec<StoreOp> {
    let mut ops: Vec<StoreOp> = (1..=20).map(command).collect();
    ops.push(StoreOp::PutRow(Record {
        kind: RecordKind::Hazard,
        id: Uuid::from_u128(3),
        version: 4,
        body: Bytes("一号车间".as_bytes().to_vec()),
    }));
    ops.push(StoreOp::PutPhoto(StoredPhoto {
        sha256: Digest::sha256(PHOTO),
        size: PHOTO.len() as u64,
        media_type: "image/jpeg".into(),
        seq: 1,
        subject_id: SubjectId(Uuid::from_u128(7)),
        upload: None,
        stage: PhotoStage::Waiting,
        given_up: None,
    }));
    ops
}

fn account() -> Account {
    let person = PersonRecord {
        id: PersonId(Uuid::from_u128(9)),
        login: "li".into(),
        name: "李四".into(),
        version: 1,
        grants: Vec::new(),
    };
    Account {
        server: "http://127.0.0.1:8080".into(),
        login: "li".into(),
        install_id: INSTALL,
        person,
        access_token: "access-secret".into(),
        refresh_token: "refresh-secret".into(),
    }
}

struct Before {
    _home: tempfile::TempDir,
    profile: Profile,
}

/// A directory as an older build left it: database, key and photo in clear.
fn before() -> Before {
    let home = tempfile::tempdir().unwrap();
    let owner = Owner {
        server: "http://127.0.0.1:8080".into(),
        login: "li".into(),
    };
    let profile = Profile::create(home.path(), owner).unwrap();
    let dir = &profile.dir;
    plain_writes::database(&dir.join(PLAIN_DATABASE), &work(), Some(&account()));
    std::fs::write(dir.join(format!("{PLAIN_KEY}{INSTALL}")), [42; 32]).unwrap();
    std::fs::create_dir(dir.join("photos")).unwrap();
    let photo = dir.join("photos").join(Digest::sha256(PHOTO).to_string());
    std::fs::write(photo, PHOTO).unwrap();
    Before {
        _home: home,
        profile,
    }
}

fn key(n: u8) -> DataKey {
    DataKey::new(&Zeroizing::new([n; 32]))
}

fn rng(n: u64) -> StdRng {
    StdRng::seed_from_u64(n)
}

/// All work is there, sealed, and nothing of it in clear.
fn is_sealed_whole(profile: &Profile, when: &str) {
    let path = profile.dir.join(DATABASE);
    let (state, kept) = Store::open(&path, &key(1), rng(8))
        .unwrap()
        .load_all()
        .unwrap();
    let mut expected = State::default();
    expected.apply(&work());
    assert_eq!((state, kept), (expected, Some(account())), "{when}");
    assert_eq!(profile.key(INSTALL, &key(1)).unwrap().to_bytes(), [42; 32]);
    let photos = PhotoDir::open(&profile.dir, &key(1), rng(9)).unwrap();
    let sha256 = Digest::sha256(PHOTO);
    assert_eq!(photos.read(&sha256, 0, PHOTO.len() as u32).unwrap(), PHOTO);
    let secrets: [&[u8]; 6] = [
        "配电箱无门".as_bytes(),
        "一号车间".as_bytes(),
        b"refresh-secret",
        b"access-secret",
        &[42; 32],
        b"distribution box",
    ];
    for dir in [profile.dir.clone(), profile.dir.join("photos")] {
        for file in std::fs::read_dir(dir).unwrap().flatten() {
            if file.path().is_dir() {
                continue;
            }
            let name = file.file_name().into_string().unwrap();
            assert!(!name.contains(&sha256.to_string()), "{when}: {name}");
            let bytes = std::fs::read(file.path()).unwrap();
            for secret in secrets {
                let found = bytes.windows(secret.len()).any(|part| part == secret);
                assert!(!found, "{when}: {secret:?} is in {name}");
            }
        }
    }
}

#[test]
fn a_directory_from_before_is_sealed_with_all_its_work() {
    let before = before();
    seal(&before.profile, &key(1), rng(1)).unwrap();
    is_sealed_whole(&before.profile, "at once");
    seal(&before.profile, &key(1), rng(2)).unwrap();
    is_sealed_whole(&before.profile, "again");
}

#[test]
fn sealing_that_is_interrupted_anywhere_goes_on_at_the_next_open() {
    for done in 0..=STEPS.len() {
        let before = before();
        let mut sealing = Sealing {
            profile: &before.profile,
            key: &key(1),
            rng: rng(1),
        };
        for (_, step) in &STEPS[..done] {
            step(&mut sealing).unwrap();
        }
        seal(&before.profile, &key(1), rng(2)).unwrap();
        let when = STEPS.get(done).map_or("the end", |(name, _)| name);
        is_sealed_whole(&before.profile, &format!("a crash before: {when}"));
    }
}

#[test]
fn what_a_crash_left_half_written_is_made_anew() {
    let before = before();
    let dir = &before.profile.dir;
    std::fs::write(dir.join(PART), b"half a database").unwrap();
    std::fs::write(dir.join(format!("{PART}-wal")), b"half a log").unwrap();
    std::fs::write(dir.join("photos").join("incoming"), b"half a photo").unwrap();
    seal(&before.profile, &key(1), rng(2)).unwrap();
    is_sealed_whole(&before.profile, "half-written files");
}

#[test]
fn a_disk_that_is_full_leaves_the_old_work_as_it_was() {
    let before = before();
    // A directory where the file has to be: the write fails as on a full disk.
    std::fs::create_dir(before.profile.dir.join(PART)).unwrap();
    assert!(seal(&before.profile, &key(1), rng(1)).is_err());
    let (ops, kept) = plain::read(&before.profile.dir.join(PLAIN_DATABASE)).unwrap();
    assert_eq!((ops.len(), kept), (work().len(), Some(account())));
    std::fs::remove_dir(before.profile.dir.join(PART)).unwrap();
    seal(&before.profile, &key(1), rng(1)).unwrap();
    is_sealed_whole(&before.profile, "once there is room");
}
