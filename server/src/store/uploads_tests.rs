//! What is asked of uploads costs what is unfinished, or one photo's, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use crate::store::test_support::each_database;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use super::plan_support::{enters, fill_with, walk_no_table};
use super::test_support::opened;
use super::uploads;

/// One person has brought half of them, in years; the others have each begun one.
const BROUGHT: [&str; 3] = [
    "INSERT INTO people (id, login, name, password_hash, created_at, version) \
     SELECT {id}, 'p' || {i}, 'x', '-', {i}, 1 FROM {counted}",
    "INSERT INTO uploads (id, person_id, total_length, received, sha256, metadata, created_at, \
     expires_at, finished_at) SELECT {id}, {one}, 1, 1, {id}, '', {i}, {i}, {i} FROM {counted} \
     WHERE {i} % 2 = 0",
    "INSERT INTO uploads (id, person_id, total_length, received, sha256, metadata, created_at, \
     expires_at, finished_at) SELECT {id}, {id}, 1, 0, {id}, '', {i}, {i}, NULL FROM {counted} \
     WHERE {i} % 2 = 1",
];

#[test]
fn years_of_photos_brought_cost_the_next_one_nothing() {
    each_database(|url| {
        let db = opened(url);
        fill_with(&db, &BROUGHT);
        let (person, now) = (PersonId(Uuid::from_u128(1)), Timestamp::from_millis(1));
        let sha256 = Digest::sha256(b"a photo");
        enters(&db, "uploads_unfinished", |conn| {
            uploads::unfinished_of(conn, person, now).map(drop)
        });
        enters(&db, "uploads_by_expiry", |conn| {
            uploads::expired(conn, now, None, 10).map(drop)
        });
        // Those of one person and photo are few, and those that one person has begun are limited: both may be sorted.
        for (statement, plan) in walk_no_table(&db, |conn| {
            uploads::brought(conn, person, sha256)?;
            uploads::begun(conn, (person, Uuid::nil()), (sha256, 1), now).map(drop)
        }) {
            let entered = ["uploads_by_photo", "uploads_unfinished"];
            assert!(
                entered.iter().any(|index| plan.contains(index)),
                "{statement}\n{plan}"
            );
        }
    });
}
