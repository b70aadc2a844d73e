//! Rules about the source tree itself: which way imports run, licences, and how files look.

mod arrows;
mod files;
mod layers;
mod licences;
mod paths;
mod spdx;
mod tokens;
mod tree;
