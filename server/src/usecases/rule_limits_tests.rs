//! What devices are told of limits, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;
use crate::test_support::{TestServer, on_each_database};

async fn told(server: &TestServer) -> Option<RuleLimits> {
    let read = server.app.db.read(|tx| rule_limits::told(tx.conn()));
    read.await.unwrap()
}

#[test]
fn devices_are_told_once_and_only_what_is_not_the_default() {
    on_each_database(async |server| {
        assert_eq!(told(&server).await, None, "every device knows the defaults");
        let other = |due_days: i64| {
            let mut limits = RuleLimits::default();
            limits.hazards.due_days = due_days;
            tell(&server.app, limits)
        };
        other(90).await.unwrap();
        other(90).await.unwrap();
        let first = told(&server).await.unwrap();
        assert_eq!((first.version, first.hazards.due_days), (1, 90));
        // Back to the defaults: now they must be told that.
        other(730).await.unwrap();
        let second = told(&server).await.unwrap();
        assert_eq!((second.version, second.hazards.due_days), (2, 730));
    });
}
