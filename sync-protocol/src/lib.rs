//! The offline sync protocol, sans-I/O: messages and codecs, the device half, the hub half.
//!
//! Devices push signed, hash-chained commands and pull records of the scopes they may see. No
//! sockets, files, clocks or threads here: time comes in, storage and transport go out as data.

pub mod chain;
pub mod codec;
#[cfg(test)]
mod codec_tests;
pub mod compress;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod cosign;
pub mod cosign_faults;
pub mod cosign_text;
pub mod device;
pub mod digest;
pub mod hub;
pub mod wire;
pub mod witness;
