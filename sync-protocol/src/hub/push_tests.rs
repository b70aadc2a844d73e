//! The push machine without any store: its steps, their order, and what each answer becomes.

use super::stream_tests::{HAZARD, INSTALL, clocks, key, stream};
use super::*;
use crate::chain::seal;
use crate::wire::{
    CommandPayload, Envelope, GIVE_UP_KIND, GIVE_UP_VERSION, GiveUp, Outcome, PushResponse,
    PushResult, QuarantineReason, WITNESS_KIND, WITNESS_VERSION, WireLimits, Witness,
};
use crate::witness::ChainHead;
use hazardloop_domain::command::{Action, ActionKind, Command, Note, Subject};
use hazardloop_domain::command_fate::{Choice, ChoiceKind, SentCommand};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::Outcome as Effect;
use hazardloop_domain::ids::{InstallId, PersonId};
use hazardloop_domain::refusal::{Refusal, RefusalCode};
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

const AUTHOR: PersonId = PersonId(Uuid::from_u128(3));
const NOW: Timestamp = Timestamp::from_millis(1_795_309_200_000);

pub(super) fn note() -> Command {
    let text = "一".to_owned();
    Command::new(HAZARD, Action::Note(Note { text }))
}

pub(super) fn report() -> Command {
    let json = r#"{"kind": "report", "source": "grid", "grade": "general", "description": "a",
        "place_text": "b", "found_at": "2026-11-22T01:00:00Z"}"#;
    Command::new(HAZARD, serde_json::from_str::<Action>(json).unwrap())
}

/// These commands in one install's chain, from the first.
pub(super) fn batch(commands: &[Command]) -> Vec<Envelope> {
    let packed = commands.iter().map(|command| {
        let kind = command.action.kind();
        let payload = CommandPayload::pack(clocks(), command);
        (kind.as_str(), kind.version(), payload)
    });
    chained(packed.collect())
}

fn chained(payloads: Vec<(&str, u16, Vec<u8>)>) -> Vec<Envelope> {
    let mut stream = stream();
    let sealed = payloads.into_iter().map(|(kind, version, payload)| {
        let (seq, previous) = (stream.last_seq + 1, stream.last_hash);
        let sealed = seal(&key(), INSTALL, seq, kind, version, previous, payload);
        stream.advance(&sealed);
        sealed
    });
    sealed.collect()
}

pub(super) fn begun<'r>(stream: StreamState, commands: &'r [Envelope]) -> Push<'r> {
    Push::begin(stream, AUTHOR, commands, &WireLimits::default(), NOW)
}

fn name(step: &PushStep<'_>) -> &'static str {
    match step {
        PushStep::Expect(_) => "expect",
        PushStep::Receipts { .. } => "receipts",
        PushStep::Recall(_) => "recall",
        PushStep::Witness(_) => "witness",
        PushStep::Decide { .. } => "decide",
        PushStep::FailedBeginning(_) => "failed beginning",
        PushStep::Version(_) => "version",
        PushStep::WasResponsible(_) => "was responsible",
        PushStep::Store(_) => "store",
        PushStep::Done => "done",
    }
}

/// Answers every step: the decisions in turn, no receipts, nothing failed before, version 4, and `was` to who was
/// responsible. Says which steps there were.
pub(super) fn driven(
    push: &mut Push<'_>,
    decisions: Vec<Decision>,
    was: bool,
) -> Vec<&'static str> {
    let mut decisions = decisions.into_iter();
    let mut steps = Vec::new();
    loop {
        let step = push.step();
        steps.push(name(&step));
        let answered = match step {
            PushStep::Expect(_) => push.handle_expected(),
            PushStep::Receipts { .. } => push.handle_receipts(Vec::new()),
            PushStep::Recall(_) => push.handle_recalled(None),
            PushStep::Witness(_) => push.handle_witness(Witnessing::Counts),
            PushStep::Decide { .. } => push.handle_decision(decisions.next().unwrap()),
            PushStep::FailedBeginning(_) => push.handle_failed_beginning(None),
            PushStep::Version(_) => push.handle_version(Some(4)),
            PushStep::WasResponsible(_) => push.handle_was_responsible(was),
            PushStep::Store(_) => push.handle_stored(),
            PushStep::Done => return steps,
        };
        answered.unwrap();
    }
}

pub(super) const APPLIED: Decision = Decision::TookEffect {
    version: 1,
    effect: Effect::Applied,
};

fn refused(code: RefusalCode) -> Decision {
    Decision::Refused(Refusal::new(code, "a rule"))
}

fn outcomes(response: PushResponse) -> Vec<Outcome> {
    let results = response.results.into_iter();
    let receipts = results.map(|result| match result {
        PushResult::Receipt(receipt) => receipt.outcome,
        PushResult::IdReused { seq } => panic!("{seq} is used"),
    });
    receipts.collect()
}

/// What becomes of one command on which the rules say this.
fn outcome(command: Command, decision: Decision, was: bool) -> Outcome {
    let commands = batch(&[command]);
    let mut push = begun(stream(), &commands);
    driven(&mut push, vec![decision], was);
    outcomes(push.response("one".to_owned(), Vec::new())).remove(0)
}

#[test]
fn the_steps_come_in_the_stated_order_and_all_is_stored_at_the_end() {
    let commands = batch(&[report(), note(), note()]);
    let mut push = begun(stream(), &commands);
    let decisions = vec![APPLIED, refused(RefusalCode::NotAllowedInState), APPLIED];
    let steps = driven(&mut push, decisions, false);
    let stated = [
        "expect", "decide", "decide", "version", "decide", "store", "done",
    ];
    assert_eq!(steps, stated);
}

#[test]
fn a_step_is_stated_until_it_is_answered_and_takes_no_other_answer() {
    let commands = batch(&[note()]);
    let mut push = begun(stream(), &commands);
    assert_eq!(name(&push.step()), "expect");
    assert_eq!(
        push.handle_decision(APPLIED).unwrap_err().given,
        "a decision"
    );
    assert_eq!(name(&push.step()), "expect");
    push.handle_expected().unwrap();
    assert!(push.handle_expected().is_err());
    assert!(push.handle_version(None).is_err());
    assert!(push.handle_failed_beginning(None).is_err());
    assert!(push.handle_was_responsible(true).is_err());
    assert!(push.handle_receipts(Vec::new()).is_err());
    assert!(push.handle_stored().is_err());
    assert_eq!(name(&push.step()), "decide", "nothing was lost by asking");
}

#[test]
fn what_is_to_be_kept_is_every_new_command_with_its_receipt_and_the_stream_behind_them() {
    let mut commands = batch(&[report(), note()]);
    commands[1].signature.0[0] ^= 1;
    let mut push = begun(stream(), &commands);
    push.handle_expected().unwrap();
    push.handle_decision(APPLIED).unwrap();
    let PushStep::Store(writes) = push.step() else {
        panic!("{:?}", push.step())
    };
    let kept: Vec<_> = writes.commands().collect();
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[0].subject, Some(HAZARD.into()));
    assert_eq!(kept[1].subject, None, "a forged command speaks of nothing");
    assert_eq!(kept[1].receipt.outcome.name(), "quarantined");
    assert_eq!(kept[1].link_hash, writes.stream.last_hash);
    assert_eq!((writes.before, writes.stream.last_seq), (0, 2));
    assert!(writes.advances());
}

#[test]
fn what_was_pushed_before_has_its_stored_receipt_and_is_not_decided_on() {
    let commands = batch(&[report(), note()]);
    let mut first = begun(stream(), &commands);
    driven(&mut first, vec![APPLIED, APPLIED], false);
    let PushStep::Done = first.step() else {
        panic!("not done")
    };
    let mut stored = Vec::new();
    let mut behind = stream();
    let before = first.response("one".to_owned(), Vec::new());
    for (envelope, result) in commands.iter().zip(&before.results) {
        behind.advance(envelope);
        let PushResult::Receipt(receipt) = result.clone() else {
            panic!("no receipt")
        };
        stored.push(StoredReceipt {
            link_hash: behind.last_hash,
            content: Some(super::content_of(
                &envelope.kind,
                envelope.version,
                &envelope.payload.0,
            )),
            receipt,
        });
    }
    let later = Timestamp::from_millis(NOW.as_millis() + 60_000);
    let limits = WireLimits::default();
    let mut again = Push::begin(behind.clone(), AUTHOR, &commands, &limits, later);
    let PushStep::Receipts { first: 1, last: 2 } = again.step() else {
        panic!("{:?}", again.step())
    };
    again.handle_receipts(stored.clone()).unwrap();
    let PushStep::Store(writes) = again.step() else {
        panic!("{:?}", again.step())
    };
    assert!(!writes.advances());
    assert_eq!(writes.commands().count(), 0);
    again.handle_stored().unwrap();
    let answer = again.response("one".to_owned(), Vec::new());
    assert_eq!(answer.results, before.results);
    // Another command under a used number, and one whose receipt is not there.
    let mut other = commands.clone();
    other[0].payload.0.push(0);
    let mut reused = Push::begin(behind, AUTHOR, &other, &limits, later);
    stored.truncate(1);
    reused.handle_receipts(stored).unwrap();
    reused.handle_stored().unwrap();
    let answer = reused.response("one".to_owned(), Vec::new());
    let used = [1, 2].map(|seq| PushResult::IdReused { seq });
    assert_eq!(answer.results, used);
}

#[test]
fn behind_a_gap_nothing_is_looked_at() {
    let commands = batch(&[report(), note(), note()]);
    let mut push = begun(stream(), &commands[1..]);
    assert_eq!(driven(&mut push, Vec::new(), false), ["store", "done"]);
    let answer = push.response("one".to_owned(), Vec::new());
    assert_eq!((answer.expected, answer.last), (Some(1), 0));
    assert!(answer.results.is_empty());
}

#[test]
fn a_command_on_what_failed_to_begin_in_the_same_batch_is_blocked_by_it() {
    let commands = batch(&[report(), note()]);
    let mut push = begun(stream(), &commands);
    let decisions = vec![refused(RefusalCode::AlreadyExists), Decision::NoSuch];
    let steps = driven(&mut push, decisions, false);
    assert!(steps.contains(&"failed beginning"));
    let outcomes = outcomes(push.response("one".to_owned(), Vec::new()));
    assert_eq!(outcomes[1], Outcome::BlockedBy { seq: 1 });
}

#[test]
fn what_took_effect_is_told_with_its_version() {
    let took = |effect| Decision::TookEffect { version: 7, effect };
    let applied = outcome(note(), took(Effect::Applied), false);
    assert_eq!(applied, Outcome::Applied { version: 7 });
    let merged = outcome(note(), took(Effect::Merged), false);
    assert_eq!(merged, Outcome::Merged { version: 7 });
    let disputed = outcome(note(), took(Effect::Disputed(Vec::new())), false);
    assert!(matches!(disputed, Outcome::Conflict { current: 7, .. }));
}

#[test]
fn a_step_that_no_longer_fits_is_a_conflict_with_the_present_version() {
    let conflict = outcome(note(), refused(RefusalCode::NotAllowedInState), false);
    let Outcome::Conflict {
        current: 4,
        refusal: Some(refusal),
        ..
    } = conflict
    else {
        panic!("{conflict:?}")
    };
    assert_eq!(refusal.code, RefusalCode::NotAllowedInState);
}

#[test]
fn who_was_responsible_once_is_heard_by_a_person_and_who_never_was_learns_nothing() {
    for code in [
        RefusalCode::OutOfScope,
        RefusalCode::NotPermitted,
        RefusalCode::CertificateNeeded,
    ] {
        let once = outcome(note(), refused(code), true);
        assert!(matches!(
            once,
            Outcome::Quarantined {
                reason: QuarantineReason::Reassigned,
                ..
            }
        ));
    }
    let never = outcome(note(), refused(RefusalCode::OutOfScope), false);
    let nothing_there = outcome(note(), Decision::NoSuch, false);
    assert_eq!(never, nothing_there, "that it exists is not told");
    let own_report = outcome(report(), refused(RefusalCode::OutOfScope), false);
    assert!(
        matches!(own_report, Outcome::Rejected { refusal } if refusal.code == RefusalCode::OutOfScope)
    );
}

#[test]
fn co_signatures_that_are_none_are_refused_without_asking_the_rules_or_who_was_responsible() {
    let fault = Refusal::new(RefusalCode::CoSignatureInvalid, "not theirs");
    let commands = batch(&[note()]);
    let mut push = begun(stream(), &commands);
    let steps = driven(&mut push, vec![Decision::NotSigned(fault.clone())], true);
    assert!(!steps.contains(&"was responsible"));
    let rejected = outcomes(push.response("one".to_owned(), Vec::new())).remove(0);
    assert_eq!(rejected, Outcome::Rejected { refusal: fault });
    let revoked = outcome(note(), Decision::CoSignerRevoked, true);
    assert_eq!(revoked.name(), "quarantined");
    // A refusal that names no co-signer of the command is about something else.
    let unnamed = outcome(note(), refused(RefusalCode::CoSignatureInvalid), true);
    assert_eq!(unnamed.name(), "rejected");
}

#[test]
fn subjects_are_named_once_each() {
    let commands = batch(&[report(), note(), note()]);
    let push = begun(stream(), &commands);
    let PushStep::Expect(subjects) = push.step() else {
        panic!("{:?}", push.step())
    };
    assert_eq!(subjects, [Subject::Hazard(HAZARD)]);
}

fn give_up(about: SentCommand) -> (&'static str, u16, Vec<u8>) {
    let choice = Choice {
        about,
        how: ChoiceKind::GivenUp,
        reason: Some("重复".to_owned()),
    };
    let read = GiveUp {
        made: clocks(),
        subject_id: HAZARD.into(),
        choice,
    };
    (GIVE_UP_KIND, GIVE_UP_VERSION, read.pack())
}

/// What a store is asked about earlier commands, and what is to be noted in the end.
#[test]
fn what_is_given_up_is_recalled_from_the_batch_or_else_from_the_store() {
    let own = |seq| SentCommand {
        install_id: INSTALL,
        seq,
    };
    let elsewhere = SentCommand {
        install_id: InstallId(Uuid::from_u128(77)),
        seq: 5,
    };
    let note = (
        ActionKind::Note.as_str(),
        1,
        CommandPayload::pack(clocks(), &note()),
    );
    let asked = [own(1), own(9), elsewhere];
    let payloads = std::iter::once(note).chain(asked.map(give_up));
    let commands = chained(payloads.collect());
    let mut push = begun(stream(), &commands);
    push.handle_expected().unwrap();
    push.handle_decision(refused(RefusalCode::NotPermitted))
        .unwrap();
    push.handle_was_responsible(false).unwrap();
    // The first is of this batch, the second lies ahead of it: neither is asked for.
    let PushStep::Recall(about) = push.step() else {
        panic!("{:?}", push.step());
    };
    assert_eq!(about, elsewhere);
    assert!(push.handle_version(None).is_err(), "out of step");
    let refusal = Refusal::new(RefusalCode::NotPermitted, "a rule");
    push.handle_recalled(Some(&Became::by_itself(
        Outcome::Rejected { refusal },
        None,
    )))
    .unwrap();
    let PushStep::Store(writes) = push.step() else {
        panic!("{:?}", push.step());
    };
    let noted: Vec<_> = writes
        .choices
        .iter()
        .map(|(choice, by)| (choice.about, *by))
        .collect();
    assert_eq!(noted, [(own(1), 2), (elsewhere, 4)]);
    push.handle_stored().unwrap();
    let outcomes = outcomes(push.response("one".to_owned(), Vec::new()));
    let took_effect: Vec<_> = outcomes.iter().map(Outcome::took_effect).collect();
    assert_eq!(took_effect, [false, true, false, true]);
}

fn witness(seq: i64) -> (&'static str, u16, Vec<u8>) {
    let head = ChainHead::sign(&key(), InstallId(Uuid::from_u128(77)), seq, Digest([7; 32]));
    let read = Witness {
        made: clocks(),
        install_id: head.install_id,
        head: head.head,
    };
    (WITNESS_KIND, WITNESS_VERSION, read.pack())
}

#[test]
fn a_witness_statement_is_asked_about_and_no_rule_is() {
    let payloads = vec![
        witness(1),
        witness(2),
        witness(3),
        (WITNESS_KIND, 2, vec![]),
    ];
    let commands = chained(payloads);
    let mut push = begun(stream(), &commands);
    let answers = [
        Witnessing::Counts,
        Witnessing::IsPassedOver,
        Witnessing::TooMany,
    ];
    for answer in answers {
        assert_eq!(name(&push.step()), "witness");
        assert!(push.handle_version(None).is_err(), "out of step");
        push.handle_witness(answer).unwrap();
    }
    let PushStep::Store(writes) = push.step() else {
        panic!("{:?}", push.step());
    };
    let stated: Vec<i64> = writes.stated.iter().map(|stated| stated.seq).collect();
    assert_eq!(stated, [1]);
    push.handle_stored().unwrap();
    let answer = push.response("e".to_owned(), Vec::new());
    let outcomes: Vec<Outcome> = answer
        .results
        .into_iter()
        .map(|result| match result {
            PushResult::Receipt(receipt) => receipt.outcome,
            PushResult::IdReused { .. } => panic!("reused"),
        })
        .collect();
    // Whether it counts is not to be seen from its receipt.
    assert_eq!(outcomes[0], Outcome::Applied { version: 0 });
    assert_eq!(outcomes[1], outcomes[0]);
    let Outcome::Rejected { refusal } = &outcomes[2] else {
        panic!("{outcomes:?}");
    };
    assert_eq!(refusal.code, RefusalCode::LimitReached);
    let unknown = QuarantineReason::UnknownVersion;
    assert!(matches!(&outcomes[3], Outcome::Quarantined { reason, .. } if *reason == unknown));
}
