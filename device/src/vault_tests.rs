//! A data key opens with its PIN or its key file, and with nothing else.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::ambient::Clock;
use crate::home::Owner;
use crate::key_store::KeyFiles;
use hazardloop_domain::ids::InstallId;
use rand::SeedableRng as _;
use std::os::unix::fs::PermissionsExt as _;

const START: i64 = 1_795_309_200_000;
const CHEAP: PinCost = PinCost {
    memory_kib: LEAST_MEMORY_KIB,
    passes: LEAST_PASSES,
};

struct At(i64);

impl Clock for At {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0)
    }
    fn monotonic_ms(&self) -> Option<i64> {
        None
    }
    fn boot_id(&self) -> Option<InstallId> {
        None
    }
    fn sleep_ms(&self, _: i64) {}
}

fn ambient(seed: u64, ms: i64) -> Ambient {
    Ambient {
        clock: Box::new(At(START + ms)),
        rng: rand::rngs::StdRng::seed_from_u64(seed),
        seed: None,
    }
}

struct Phone {
    dir: tempfile::TempDir,
}

impl Phone {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir }
    }

    fn profile(&self, login: &str) -> Profile {
        let owner = Owner {
            server: "http://127.0.0.1:8080".into(),
            login: login.into(),
        };
        Profile::create(&self.dir.path().join("home"), owner).unwrap()
    }

    fn keys(&self) -> KeyFiles {
        KeyFiles(self.dir.path().join("keys"))
    }

    fn with<T>(&self, pin: &str, doing: impl FnOnce(&Keyring<'_>) -> T) -> T {
        let pin = || Ok(Zeroizing::new(pin.to_owned()));
        doing(&Keyring {
            store: &self.keys(),
            pin: &pin,
        })
    }

    /// The name that the key gives, as its fingerprint.
    fn unlocks(&self, profile: &Profile, pin: &str, ms: i64) -> Result<[u8; 16], VaultError> {
        self.with(pin, |ring| {
            let key = unlock(profile, ring, &mut ambient(9, ms))?;
            Ok(key.name(&[b"fingerprint"]))
        })
    }

    fn set_pin(&self, profile: &Profile, old: &str, new: &str) -> Result<(), VaultError> {
        self.with(old, |ring| {
            set_pin(profile, ring, &mut ambient(3, 0), new, CHEAP)
        })
    }
}

#[test]
fn a_new_directory_gets_a_key_file_and_a_pin_takes_its_place_and_gives_it_back() {
    let phone = Phone::new();
    let li = phone.profile("li");
    assert_eq!(lock_of(&li).unwrap(), None);
    let first = phone.unlocks(&li, "", 0).unwrap();
    assert_eq!(lock_of(&li).unwrap(), Some(Lock::KeyStore));
    let file = phone.keys().0.join(format!("{}.key", key_name(&li)));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(&phone.keys().0)), (0o600, 0o700));
    std::fs::write(li.dir.join(crate::home::DATABASE), b"work").unwrap();

    phone.set_pin(&li, "", "314159").unwrap();
    assert_eq!(lock_of(&li).unwrap(), Some(Lock::Pin(CHEAP)));
    assert!(!file.exists(), "the key file opens nothing any more");
    assert_eq!(
        phone.unlocks(&li, "314159", 0).unwrap(),
        first,
        "the same data key"
    );
    phone.set_pin(&li, "314159", "a longer phrase").unwrap();
    assert!(phone.unlocks(&li, "314159", 0).is_err());
    assert_eq!(phone.unlocks(&li, "a longer phrase", 0).unwrap(), first);
    phone.with("a longer phrase", |ring| {
        use_key_store(&li, ring, &mut ambient(4, 0)).unwrap();
    });
    assert_eq!(phone.unlocks(&li, "", 0).unwrap(), first);
    assert_eq!(
        std::fs::read(li.dir.join(crate::home::DATABASE)).unwrap(),
        b"work",
        "nothing but the wrapping was written"
    );
}

#[test]
fn one_persons_key_does_not_unlock_the_others() {
    let phone = Phone::new();
    let (li, wang) = (phone.profile("li"), phone.profile("wang"));
    let (of_li, of_wang) = (
        phone.unlocks(&li, "", 0).unwrap(),
        phone.with("", |ring| {
            unlock(&wang, ring, &mut ambient(10, 0))
                .unwrap()
                .name(&[b"fingerprint"])
        }),
    );
    assert_ne!(of_li, of_wang);
    // The second person puts their own vault and key in the first one's place.
    let keys = phone.keys().0;
    let file = |of: &Profile| keys.join(format!("{}.key", key_name(of)));
    std::fs::copy(file(&wang), file(&li)).unwrap();
    let error = phone.unlocks(&li, "", 0).unwrap_err();
    assert!(matches!(error, VaultError::WrongKey(_)), "{error}");
    std::fs::copy(wang.dir.join(VAULT), li.dir.join(VAULT)).unwrap();
    assert!(phone.unlocks(&li, "", 0).is_err(), "bound to its directory");
}

#[test]
fn wrong_pins_are_counted_and_waited_for_and_destroy_nothing() {
    let phone = Phone::new();
    let li = phone.profile("li");
    let key = phone.unlocks(&li, "", 0).unwrap();
    phone.set_pin(&li, "", "271828").unwrap();
    let mut ms = 0;
    for failures in 1..=12 {
        let tried = phone.unlocks(&li, "000000", ms);
        let counted = matches!(tried, Err(VaultError::WrongPin { failures: n }) if n == failures);
        assert!(counted, "{failures}: {tried:?}");
        let wait = match failures {
            1 | 2 => 0,
            3 => 60_000,
            4 => 300_000,
            5 => 900_000,
            6..=9 => 3_600_000,
            _ => DAY_MS,
        };
        if wait > 0 {
            let early = phone.unlocks(&li, "271828", ms + wait - 1);
            assert!(matches!(early, Err(VaultError::Wait(_))), "{failures}");
        }
        ms += wait;
    }
    let set_back = phone.unlocks(&li, "271828", -DAY_MS);
    assert!(
        matches!(set_back, Err(VaultError::Wait(_))),
        "nor by the clock"
    );
    assert_eq!(
        phone.unlocks(&li, "271828", ms).unwrap(),
        key,
        "after weeks of guesses"
    );
    assert!(matches!(
        phone.unlocks(&li, "000000", ms),
        Err(VaultError::WrongPin { failures: 1 })
    ));
}

#[test]
fn an_attempt_counts_before_it_is_tried() {
    let phone = Phone::new();
    let li = phone.profile("li");
    phone.unlocks(&li, "", 0).unwrap();
    phone.set_pin(&li, "", "271828").unwrap();
    // The program ends while the key is derived: what is on the disk counts.
    let text = std::fs::read_to_string(li.dir.join(VAULT)).unwrap();
    drop(phone.unlocks(&li, "999999", 0));
    let after = std::fs::read_to_string(li.dir.join(VAULT)).unwrap();
    assert!(text.contains("\"failures\": 0") && after.contains("\"failures\": 1"));
}

#[test]
fn what_is_missing_damaged_or_open_to_others_is_said_and_nothing_new_takes_its_place() {
    let phone = Phone::new();
    let li = phone.profile("li");
    phone.unlocks(&li, "", 0).unwrap();
    std::fs::write(li.dir.join(crate::home::DATABASE), b"work").unwrap();
    let file = phone.keys().0.join(format!("{}.key", key_name(&li)));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = phone.unlocks(&li, "", 0).unwrap_err();
    assert!(matches!(open, VaultError::KeyStore(_)), "{open}");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let away = phone.dir.path().join("away");
    std::fs::rename(&file, &away).unwrap();
    assert!(matches!(
        phone.unlocks(&li, "", 0),
        Err(VaultError::NoKey(_))
    ));
    assert!(!file.exists(), "no new key is made");
    std::fs::rename(&away, &file).unwrap();
    phone.unlocks(&li, "", 0).unwrap();
    let vault = std::fs::read(li.dir.join(VAULT)).unwrap();
    std::fs::write(li.dir.join(VAULT), b"{").unwrap();
    assert!(matches!(
        phone.unlocks(&li, "", 0),
        Err(VaultError::Damaged(_))
    ));
    std::fs::remove_file(li.dir.join(VAULT)).unwrap();
    assert!(matches!(
        phone.unlocks(&li, "", 0),
        Err(VaultError::Missing(_))
    ));
    std::fs::write(li.dir.join(VAULT), vault).unwrap();
    phone.unlocks(&li, "", 0).unwrap();
}

#[test]
fn pins_and_costs_have_bounds() {
    let phone = Phone::new();
    let li = phone.profile("li");
    phone.unlocks(&li, "", 0).unwrap();
    assert!(matches!(
        phone.set_pin(&li, "", "12345"),
        Err(VaultError::Length)
    ));
    for (memory_kib, passes) in [
        (LEAST_MEMORY_KIB - 1, 3),
        (MOST_MEMORY_KIB + 1, 3),
        (LEAST_MEMORY_KIB, LEAST_PASSES - 1),
        (LEAST_MEMORY_KIB, MOST_PASSES + 1),
    ] {
        let cost = PinCost { memory_kib, passes };
        let set = phone.with("", |ring| {
            set_pin(&li, ring, &mut ambient(3, 0), "123456", cost)
        });
        assert!(matches!(set, Err(VaultError::Cost)), "{cost:?}");
    }
    assert_eq!(lock_of(&li).unwrap(), Some(Lock::KeyStore), "as before");
}
