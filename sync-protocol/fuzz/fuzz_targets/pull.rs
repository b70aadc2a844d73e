//! `cargo fuzz run pull`: see `hazardloop_fuzz::TARGETS`.
#![cfg_attr(fuzzing, no_main)]

hazardloop_fuzz::fuzz_program!("pull");
