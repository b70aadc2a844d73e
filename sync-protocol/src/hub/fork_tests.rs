//! A stream that is in use elsewhere: what continues the other branch is left to its device.

use super::push_tests::{APPLIED, batch, begun, driven, note, report};
use super::stream_tests::stream;
use super::*;
use crate::wire::{PushResult, WireLimits};
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

#[test]
fn what_continues_another_command_than_the_newest_is_left_to_its_device() {
    let here = batch(&[report()]);
    let elsewhere = batch(&[note(), note()]);
    let mut known = stream();
    known.advance(&here[0]);
    let mut push = begun(known.clone(), &elsewhere);
    let steps = driven(&mut push, Vec::new(), false);
    assert_eq!(steps, ["receipts", "store", "done"]);
    let answer = push.response("one".to_owned(), Vec::new());
    assert_eq!(answer.results, [PushResult::IdReused { seq: 1 }]);
    assert_eq!((answer.last, answer.expected), (1, None));
    // What a revoked device offers is all that there will ever be of it.
    let (author, now) = (PersonId(Uuid::from_u128(3)), Timestamp::from_millis(0));
    let limits = WireLimits::default();
    let mut offer = Push::begin_offered(known, author, &elsewhere, &limits, now);
    driven(&mut offer, Vec::new(), false);
    assert_eq!(offer.response("one".to_owned(), Vec::new()).last, 2);
}

#[test]
fn what_continues_the_newest_is_looked_at_behind_what_is_known() {
    let commands = batch(&[report(), note()]);
    let mut known = stream();
    known.advance(&commands[0]);
    let mut push = begun(known, &commands);
    driven(&mut push, vec![APPLIED], false);
    assert_eq!(push.response("one".to_owned(), Vec::new()).last, 2);
}
