//! A revoked device hands over all that the server lacks, whatever it was told before.

use ed25519_dalek::SigningKey;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{InstallId, SubjectId};
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use super::*;
use crate::chain::seal;
use crate::device::StoredCommand;
use crate::wire::{Outcome, PROTOCOL_MAX, Receipt};

fn receipt(seq: i64) -> Receipt {
    Receipt {
        seq,
        received_at: Timestamp::from_millis(1),
        outcome: Outcome::Applied { version: 1 },
    }
}

/// So many commands, of which the first have receipts.
fn queue(count: i64, receipted: i64) -> State {
    let key = SigningKey::from_bytes(&[7; 32]);
    let install = InstallId(Uuid::from_u128(1));
    let mut state = State::default();
    for seq in 1..=count {
        let envelope = seal(&key, install, seq, "note", 1, Digest::ZERO, vec![1]);
        state.apply(&[StoreOp::PutCommand(StoredCommand {
            envelope,
            subject_id: SubjectId(Uuid::from_u128(2)),
            queued_at: Timestamp::from_millis(0),
            receipt: (seq <= receipted).then(|| receipt(seq)),
            awaiting_pull: false,
            oversize: None,
            earlier: None,
            chosen: None,
        })]);
    }
    state
}

fn answer(last: i64, results: Vec<PushResult>, expected: Option<i64>) -> OfferResponse {
    OfferResponse {
        protocol: PROTOCOL_MAX,
        server_time: Timestamp::from_millis(2),
        last,
        results,
        expected,
        full: false,
    }
}

fn seqs(next: NextOffer) -> Vec<i64> {
    match next {
        NextOffer::Offer { commands, .. } => commands.iter().map(|command| command.seq).collect(),
        other => panic!("{other:?}"),
    }
}

fn offering() -> Offering {
    let key = SigningKey::from_bytes(&[7; 32]);
    Offering::new(InstallId(Uuid::from_u128(1)), key, Vec::new())
}

fn done() -> NextOffer {
    NextOffer::Ended(OfferEnd::Done)
}

#[test]
fn a_server_that_was_restored_is_offered_what_it_had_receipts_for() {
    let mut state = queue(3, 3);
    let mut offering = offering();
    assert_eq!(seqs(offering.next(&state)), Vec::<i64>::new());
    let ops = offering.handle_answer(&state, Ok(answer(1, Vec::new(), None)));
    state.apply(&ops);
    assert_eq!(seqs(offering.next(&state)), [2, 3]);
    let results = [2, 3].map(|seq| PushResult::Receipt(receipt(seq)));
    let ops = offering.handle_answer(&state, Ok(answer(3, results.to_vec(), None)));
    state.apply(&ops);
    assert_eq!(offering.next(&state), done());
    assert!(state.commands.values().all(|c| !c.is_unsent()));
}

#[test]
fn what_is_offered_too_late_begins_where_the_server_expects_it() {
    let mut state = queue(3, 2);
    let mut offering = offering();
    assert_eq!(seqs(offering.next(&state)), [3]);
    let ops = offering.handle_answer(&state, Ok(answer(0, Vec::new(), Some(1))));
    state.apply(&ops);
    assert_eq!(seqs(offering.next(&state)), [1, 2, 3]);
    // A server that goes on asking for what it was just offered is at fault: nothing is let go of.
    for _ in 0..16 {
        let again = answer(0, Vec::new(), Some(1));
        let ops = offering.handle_answer(&state, Ok(again));
        state.apply(&ops);
        match offering.next(&state) {
            NextOffer::Offer { commands, .. } => assert_eq!(commands.len(), 3),
            ended => {
                let failed = OfferEnd::Failed(Failure::ServerError);
                assert_eq!(ended, NextOffer::Ended(failed));
                assert_eq!(state.commands.len(), 3);
                return;
            }
        }
    }
    panic!("it never ends");
}

#[test]
fn what_another_copy_of_the_phone_has_used_is_offered_behind_it() {
    let mut state = queue(2, 0);
    let mut offering = offering();
    assert_eq!(seqs(offering.next(&state)), [1, 2]);
    let reused = PushResult::IdReused { seq: 1 };
    let results = vec![reused, PushResult::Receipt(receipt(2))];
    let ops = offering.handle_answer(&state, Ok(answer(2, results, None)));
    state.apply(&ops);
    assert_eq!(seqs(offering.next(&state)), [3], "it goes behind them");
    let results = vec![PushResult::Receipt(receipt(3))];
    let ops = offering.handle_answer(&state, Ok(answer(3, results, None)));
    state.apply(&ops);
    assert_eq!(offering.next(&state), done());
}

#[test]
fn what_the_server_finds_too_large_goes_last_and_is_never_let_go_of() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let install = InstallId(Uuid::from_u128(1));
    let mut state = queue(3, 0);
    let large = seal(&key, install, 1, "note", 1, Digest::ZERO, vec![9; 99]);
    state.commands.get_mut(&1).unwrap().envelope = large;
    let mut offering = offering();
    let too_large = || Err(Failure::PayloadTooLarge { ours: true });
    assert_eq!(seqs(offering.next(&state)), [1, 2, 3]);
    assert!(offering.handle_answer(&state, too_large()).is_empty());
    assert_eq!(seqs(offering.next(&state)), [1]);
    let ops = offering.handle_answer(&state, too_large());
    state.apply(&ops);
    assert_eq!(seqs(offering.next(&state)), [1, 2], "the two behind it");
    let results = [1, 2].map(|seq| PushResult::Receipt(receipt(seq)));
    let ops = offering.handle_answer(&state, Ok(answer(2, results.to_vec(), None)));
    state.apply(&ops);
    assert_eq!(offering.next(&state), NextOffer::Ended(OfferEnd::TooLarge));
    assert_eq!(state.commands[&3].envelope.payload.0, vec![9; 99]);
    // Nor for an offer that did not arrive.
    let state = queue(1, 0);
    let mut offering = self::offering();
    assert_eq!(seqs(offering.next(&state)), [1]);
    assert!(
        offering
            .handle_answer(&state, Err(Failure::Offline))
            .is_empty()
    );
    let ended = NextOffer::Ended(OfferEnd::Failed(Failure::Offline));
    assert_eq!(offering.next(&state), ended);
}
