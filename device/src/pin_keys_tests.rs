//! A PIN opens its key, and guessing does not.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::home::Owner;
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_millis(1_795_309_200_000);
const PIN: &str = "271828";

struct Home {
    _dir: tempfile::TempDir,
    profile: Profile,
}

fn home() -> Home {
    let dir = tempfile::tempdir().unwrap();
    let owner = Owner {
        server: "http://127.0.0.1:8080".into(),
        login: "li".into(),
    };
    let profile = Profile::create(dir.path(), owner).unwrap();
    Home { _dir: dir, profile }
}

fn chance(seed: u8) -> Chance {
    Chance {
        secret: [seed; 32],
        salt: [seed; 16],
        nonce: [seed; 24],
    }
}

fn made(login: &str, pin: &str) -> Result<(PinKey, SigningKey), PinError> {
    let number = login.bytes().map(u128::from).sum();
    let signer = Signer {
        login: login.to_owned(),
        person_id: PersonId(Uuid::from_u128(number)),
        name: "王芳".to_owned(),
    };
    PinKey::new(signer, KeyId(Uuid::from_u128(number)), NOW, pin, &chance(5))
}

/// A registered key of `wang` on the disk.
fn kept(home: &Home) -> SigningKey {
    let (mut key, secret) = made("wang", PIN).unwrap();
    key.registered = true;
    PinKeys(&home.profile).keep(&key).unwrap();
    secret
}

#[test]
fn the_pin_opens_the_key_and_its_file_does_not_show_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = home();
    let secret = kept(&home);
    let keys = PinKeys(&home.profile);
    let (key, opened) = keys.open("wang", PIN, NOW).unwrap();
    assert_eq!(opened.to_bytes(), secret.to_bytes());
    assert_eq!(key.failures, 0);
    let path = home.profile.dir.join(PinKeys::file(&key));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains(&URL_SAFE_NO_PAD.encode(secret.to_bytes())));
    let mode = std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(matches!(
        keys.open("zhao", PIN, NOW),
        Err(PinError::Unknown(_))
    ));
    keys.remove(&key).unwrap();
    assert!(keys.all().unwrap().is_empty());
}

#[test]
fn short_and_long_pins_are_refused() {
    for pin in ["", "12345", &"7".repeat(LONGEST_PIN + 1)] {
        assert!(matches!(made("wang", pin), Err(PinError::Length)), "{pin}");
    }
    assert!(made("wang", "口令口令口令").is_ok());
}

#[test]
fn wrong_pins_cost_growing_waits_that_outlive_the_program_and_in_the_end_the_key() {
    let home = home();
    kept(&home);
    let (mut now, mut waits) = (NOW, Vec::new());
    for attempt in 1..MOST_FAILURES {
        let wrong = PinKeys(&home.profile).open("wang", "000000", now);
        let left = MOST_FAILURES - attempt;
        assert!(matches!(wrong, Err(PinError::Wrong { left: told }) if told == left));
        // Not even the right one, and a clock set back does not help.
        if let Err(PinError::Wait(until)) = PinKeys(&home.profile).open("wang", PIN, now) {
            let early = now.plus_millis(-86_400_000);
            let back = PinKeys(&home.profile).open("wang", PIN, early);
            assert!(matches!(back, Err(PinError::Wait(_))));
            waits.push(until.as_millis() - now.as_millis());
            now = until;
        } else if attempt < 3 {
            let (mut key, _) = made("wang", PIN).unwrap();
            key.registered = true;
            key.failures = attempt;
            key.failed_at = Some(now);
            PinKeys(&home.profile).keep(&key).unwrap();
        } else {
            panic!("no wait after {attempt}");
        }
    }
    assert_eq!(waits[..4], [60_000, 300_000, 900_000, 3_600_000]);
    let last = PinKeys(&home.profile).open("wang", "000000", now);
    assert!(matches!(last, Err(PinError::Deleted)));
    let gone = PinKeys(&home.profile).open("wang", PIN, now.plus_millis(1 << 40));
    assert!(matches!(gone, Err(PinError::Deleted)));
}

#[test]
fn the_right_pin_forgives_earlier_wrong_ones() {
    let home = home();
    kept(&home);
    let keys = PinKeys(&home.profile);
    assert!(keys.open("wang", "000000", NOW).is_err());
    assert_eq!(keys.of("wang").unwrap().failures, 1);
    keys.open("wang", PIN, NOW).unwrap();
    assert_eq!(keys.of("wang").unwrap().failures, 0);
}

#[test]
fn an_unregistered_key_does_not_sign_and_a_swapped_file_does_not_open() {
    let home = home();
    let keys = PinKeys(&home.profile);
    let (key, _) = made("wang", PIN).unwrap();
    keys.keep(&key).unwrap();
    let unregistered = keys.open("wang", PIN, NOW);
    assert!(matches!(unregistered, Err(PinError::NotRegistered(_))));
    let (mut other, _) = made("zhao", PIN).unwrap();
    other.registered = true;
    other.sealed = key.sealed;
    keys.keep(&other).unwrap();
    let swapped = keys.open("zhao", PIN, NOW);
    assert!(matches!(swapped, Err(PinError::Wrong { .. })));
}
