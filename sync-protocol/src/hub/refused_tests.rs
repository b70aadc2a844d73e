//! What is refused as a whole, and what is not for the sake of one command in it.

use super::push_tests::{APPLIED, batch, begun, driven, note, report};
use super::stream_tests::{INSTALL, stream};
use super::*;
use crate::wire::{
    Envelope, Outcome, PROTOCOL_MAX, PushRequest, PushResult, QuarantineReason, WireLimits,
};

#[test]
fn a_batch_out_of_order_or_too_large_is_refused_as_a_whole() {
    let commands = batch(&[report(), note(), note()]);
    let check = |commands: Vec<Envelope>, limits: &WireLimits| {
        let request = PushRequest {
            protocol: PROTOCOL_MAX,
            install_id: INSTALL,
            commands,
            settled: Vec::new(),
        };
        check_push(&request, limits)
    };
    let usual = WireLimits::default();
    assert_eq!(check(commands.clone(), &usual), Ok(()));
    let backwards = commands.iter().rev().cloned().collect();
    let refused = check(backwards, &usual);
    assert!(matches!(refused, Err(RequestRefused::Invalid { .. })));
    let mut early = commands.clone();
    early[0].seq = 0;
    assert!(check(early, &usual).is_err());
    let mut long = commands.clone();
    long[0].kind = "x".repeat(KIND_BYTES + 1);
    // Which one it is, its device finds out as of any that is too large.
    let what = "the name of a command's kind";
    let limit = KIND_BYTES;
    assert_eq!(
        check(long, &usual),
        Err(RequestRefused::TooLarge { what, limit })
    );
    let mut signed = commands.clone();
    signed[0].signature.0 = vec![0; usual.payload_bytes + 1];
    let what = "a command's signature";
    let limit = usual.payload_bytes;
    assert_eq!(
        check(signed, &usual),
        Err(RequestRefused::TooLarge { what, limit })
    );
    let few = WireLimits {
        commands: 2,
        ..usual.clone()
    };
    assert_eq!(
        check(commands.clone(), &few),
        Err(RequestRefused::TooLarge {
            what: "the number of commands",
            limit: 2
        })
    );
    let short = WireLimits {
        payload_bytes: 8,
        ..usual
    };
    assert!(matches!(
        check(commands, &short),
        Err(RequestRefused::TooLarge { limit: 8, .. })
    ));
}

#[test]
fn a_signature_that_only_a_newer_hub_knows_keeps_nothing_back() {
    let mut commands = batch(&[report(), note(), note()]);
    // As long as those of algorithms to come.
    commands[1].signature_algorithm = 9;
    commands[1].signature.0 = vec![1; 4_627];
    let limits = WireLimits::default();
    assert_eq!(check_commands(&commands, &limits), Ok(()));
    let mut push = begun(stream(), &commands);
    driven(&mut push, vec![APPLIED, APPLIED], false);
    let answer = push.response("one".to_owned(), Vec::new());
    let names: Vec<&str> = answer
        .results
        .iter()
        .map(|result| match result {
            PushResult::Receipt(receipt) => receipt.outcome.name(),
            PushResult::IdReused { .. } => "reused",
        })
        .collect();
    assert_eq!(names, ["applied", "quarantined", "applied"]);
    let PushResult::Receipt(receipt) = &answer.results[1] else {
        panic!("{answer:?}");
    };
    assert!(matches!(
        receipt.outcome,
        Outcome::Quarantined {
            reason: QuarantineReason::BadSignature,
            ..
        }
    ));
}
