//! The sealed SQLite store as a store like any other: the cases of the sync protocol's conformance suite.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use hazardloop_sync_protocol::conformance::device::DeviceUnderTest;
use hazardloop_sync_protocol::device::{State, StoreOp};
use hazardloop_sync_protocol::device_cases;

use super::Store;
use super::tests::open;

struct OnDisk {
    path: PathBuf,
    /// Absent only while it is being opened anew.
    store: Option<Store>,
}

impl DeviceUnderTest for OnDisk {
    fn apply(&mut self, ops: &[StoreOp]) {
        self.store.as_mut().unwrap().apply(ops).unwrap();
    }

    fn reopened(&mut self) -> State {
        drop(self.store.take());
        let mut store = open(&self.path).unwrap();
        let state = store.load().unwrap();
        self.store = Some(store);
        state
    }
}

fn on_the_disk(case: impl Fn(&mut dyn DeviceUnderTest)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("device.db");
    let store = Some(open(&path).unwrap());
    case(&mut OnDisk { path, store });
}

device_cases!(on_the_disk);
