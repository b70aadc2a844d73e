//! Fuzzing of the protocol. A [`Target`] takes any bytes at all, as they may come from a hostile or broken sender, and
//! asserts what must hold whatever they are: no panic, no more than stated comes of it, what is read is what would be
//! written, nobody's scope is left, nothing queued is lost.
//!
//! `cargo test` runs every target over its seeds and over a bounded number of damaged ones. `make soak` seeks further
//! bytes by coverage, with `cargo fuzz`. What was found once belongs into `corpus/`, and is run ever after.

pub mod coding;
pub mod envelope;
pub mod frames;
pub mod hub;
pub mod messages;
pub mod phone;
pub mod texts;

#[cfg(test)]
mod bounded_tests;

/// One way in.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its folder below `corpus/`.
    pub name: &'static str,
    /// Takes bytes; panics where something does not hold.
    pub run: fn(&[u8]),
}

/// Every way in.
pub const TARGETS: &[Target] = &[
    Target {
        name: "push",
        run: messages::push,
    },
    Target {
        name: "pull",
        run: messages::pull,
    },
    Target {
        name: "answers",
        run: messages::answers,
    },
    Target {
        name: "envelope",
        run: envelope::run,
    },
    Target {
        name: "coding",
        run: coding::run,
    },
    Target {
        name: "cursors",
        run: hub::run,
    },
    Target {
        name: "phone",
        run: phone::run,
    },
    Target {
        name: "texts",
        run: texts::run,
    },
];

/// Runs the target of this name.
///
/// # Panics
/// Where something does not hold, and where there is no such target.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    assert!(target.is_some(), "no target is called {name}");
    if let Some(target) = target {
        (target.run)(bytes);
    }
}

#[doc(hidden)]
#[cfg(fuzzing)]
pub use libfuzzer_sys;

/// The program of one target: libFuzzer's where it is built for it, and else one that says how to.
#[cfg(fuzzing)]
#[macro_export]
macro_rules! fuzz_program {
    ($name:literal) => {
        use $crate::libfuzzer_sys;
        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $crate::run($name, bytes));
    };
}

/// The program of one target: libFuzzer's where it is built for it, and else one that says how to.
#[cfg(not(fuzzing))]
#[macro_export]
macro_rules! fuzz_program {
    ($name:literal) => {
        fn main() {
            println!(concat!("cargo fuzz run --sanitizer none ", $name));
        }
    };
}
