//! The pull machine without any store: which scopes it asks for, in which order, and what it makes of the answers.

use super::*;
use crate::digest::DigestKey;
use crate::wire::{
    Bytes, Checkpoint, PROTOCOL_MAX, Page, PullRequest, PullResponse, RecordKind, ResetReason,
    Scope, ScopeAnswer, ScopeCursor, ScopeUpdate, WireLimits,
};
use hazardloop_domain::ids::{EnterpriseId, InstallId, JurisdictionId, PersonId};
use hazardloop_domain::time::Timestamp;
use std::collections::BTreeSet;
use uuid::Uuid;

const KEY: DigestKey = DigestKey([5; 16]);
const ME: Scope = Scope::Person(PersonId(Uuid::from_u128(1)));
const FIRM: Scope = Scope::Enterprise(EnterpriseId(Uuid::from_u128(2)));
const TOWN: Scope = Scope::Jurisdiction(JurisdictionId(Uuid::from_u128(3)));

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct At(u64);

impl FeedPosition for At {
    const START: Self = Self(0);

    fn to_cursor(self) -> Bytes {
        Bytes(self.0.to_be_bytes().to_vec())
    }

    fn from_cursor(cursor: &[u8]) -> Option<Self> {
        cursor.try_into().ok().map(u64::from_be_bytes).map(Self)
    }
}

fn change(number: u64, present: bool) -> Change<At> {
    Change {
        kind: RecordKind::Hazard,
        id: Uuid::from_u128(u128::from(number)),
        present,
        version: 1,
        position: At(number),
        settled_at: None,
    }
}

fn bodies(changes: &[Change<At>], size: usize) -> Bodies {
    let present = changes.iter().filter(|change| change.present);
    present
        .map(|change| ((change.kind, change.id), (1, vec![7; size])))
        .collect()
}

fn sum(count: u64) -> Option<Checkpoint> {
    Some(Checkpoint { count, digest: 9 })
}

fn held(scope: Scope, at: u64, count: u64) -> ScopeCursor {
    ScopeCursor {
        scope,
        cursor: Some(At(at).to_cursor()),
        checkpoint: sum(count),
    }
}

fn request(epoch: &str, scopes: Vec<ScopeCursor>) -> PullRequest {
    PullRequest {
        protocol: PROTOCOL_MAX,
        install_id: InstallId(Uuid::from_u128(9)),
        epoch: Some(epoch.to_owned()),
        scopes,
        max_records: None,
    }
}

fn begun(request: &PullRequest, granted: &[Scope], limits: &WireLimits) -> Pull<At> {
    let reader = Reader {
        granted: BTreeSet::from_iter(granted.iter().copied()),
        epoch: "one",
        reached: At(50),
        unreached: At(100),
        limits,
    };
    Pull::begin(request, reader)
}

fn usual(request: &PullRequest, granted: &[Scope]) -> Pull<At> {
    begun(request, granted, &WireLimits::default())
}

fn answered(pull: Pull<At>) -> PullResponse {
    assert!(matches!(pull.step(), PullStep::Done), "{:?}", pull.step());
    pull.response(&KEY, Timestamp::from_millis(0), 0, Vec::new())
}

fn page(answer: &PullResponse, index: usize) -> &Page {
    match &answer.answers[index].update {
        ScopeUpdate::Page(page) => page,
        ScopeUpdate::Drop { .. } => panic!("dropped"),
    }
}

#[test]
fn scopes_are_served_as_named_then_new_ones_and_what_is_no_longer_granted_is_dropped_last() {
    let request = request("one", vec![held(TOWN, 5, 0), held(FIRM, 5, 0)]);
    let mut pull = usual(&request, &[ME, FIRM]);
    let mut asked = Vec::new();
    loop {
        match pull.step() {
            PullStep::Changes { scope, after, .. } => {
                asked.push((scope, after));
                pull.handle_changes(At::START, vec![change(6, false)])
                    .unwrap();
            }
            PullStep::First { scope, upto, .. } => {
                asked.push((scope, upto));
                pull.handle_first(Vec::new()).unwrap();
            }
            PullStep::Sum(_) => pull.handle_sum(sum(0)).unwrap(),
            PullStep::Bodies { .. } => panic!("there are none"),
            PullStep::Done => break,
        }
    }
    assert_eq!(asked, [(FIRM, At(5)), (ME, At(50))]);
    let answer = answered(pull);
    let scopes: Vec<Scope> = answer.answers.iter().map(|answer| answer.scope).collect();
    assert_eq!(scopes, [FIRM, ME, TOWN]);
    assert!(matches!(answer.answers[2].update, ScopeUpdate::Drop { .. }));
    assert_eq!(page(&answer, 0).removals.len(), 1);
    assert_eq!(page(&answer, 1).reset, Some(ResetReason::First));
    assert!(page(&answer, 1).removals.is_empty(), "nothing to remove");
    assert_eq!((answer.digest_key, answer.more), (None, false));
}

/// A device that has lost its network in between shows what it had, and not nothing.
#[test]
fn nothing_is_dropped_before_what_may_come_in_its_place_is_there() {
    let mut dropped = Vec::new();
    for (rows, more) in [(2, true), (1, false)] {
        let request = PullRequest {
            max_records: Some(1),
            ..request("one", vec![held(TOWN, 5, 0)])
        };
        let mut pull = usual(&request, &[FIRM]);
        loop {
            match pull.step() {
                PullStep::First { .. } => {
                    let changes = (1..=rows).map(|number| change(number, true));
                    pull.handle_first(changes.collect()).unwrap();
                }
                PullStep::Bodies { changes, .. } => {
                    let bodies = bodies(changes, 10);
                    pull.handle_bodies(bodies).unwrap();
                }
                PullStep::Sum(_) => pull.handle_sum(sum(rows)).unwrap(),
                PullStep::Changes { .. } => panic!("it begins anew"),
                PullStep::Done => break,
            }
        }
        let answer = answered(pull);
        assert_eq!(answer.more, more);
        let is_drop = |answer: &ScopeAnswer| matches!(answer.update, ScopeUpdate::Drop { .. });
        dropped.push(answer.answers.iter().filter(|one| is_drop(one)).count());
    }
    assert_eq!(dropped, [0, 1]);
}

#[test]
fn what_did_not_change_is_not_mentioned_and_costs_no_body() {
    let request = request("one", vec![held(FIRM, 5, 3)]);
    let mut pull = usual(&request, &[FIRM]);
    pull.handle_changes(At::START, Vec::new()).unwrap();
    assert!(matches!(pull.step(), PullStep::Sum(FIRM)));
    pull.handle_sum(sum(3)).unwrap();
    let answer = answered(pull);
    assert!(answer.answers.is_empty() && !answer.more);
}

#[test]
fn another_sum_begins_the_scope_anew() {
    let request = request("one", vec![held(FIRM, 5, 3)]);
    let mut pull = usual(&request, &[FIRM]);
    pull.handle_changes(At::START, Vec::new()).unwrap();
    pull.handle_sum(sum(2)).unwrap();
    let PullStep::First { after: None, .. } = pull.step() else {
        panic!("{:?}", pull.step())
    };
    let changes = vec![change(1, true), change(5, true)];
    let found = bodies(&changes, 10);
    pull.handle_first(changes).unwrap();
    pull.handle_bodies(found).unwrap();
    pull.handle_sum(sum(2)).unwrap();
    let answer = answered(pull);
    let page = page(&answer, 0);
    assert_eq!(page.reset, Some(ResetReason::DigestMismatch));
    assert_eq!((page.records.len(), page.removals.len()), (2, 0));
    assert_eq!(
        (&page.cursor, page.checkpoint),
        (&At(50).to_cursor(), sum(2)),
        "up to where everything was safe to deliver"
    );
}

#[test]
fn a_cursor_of_another_epoch_of_another_store_or_not_given_out_yet_does_not_count() {
    let broken = ScopeCursor {
        cursor: Some(Bytes(vec![1, 2])),
        ..held(FIRM, 5, 3)
    };
    for (epoch, cursor, ahead) in [
        ("two", held(FIRM, 5, 3), 0),
        ("one", broken, 0),
        ("one", held(FIRM, 100, 3), 1),
    ] {
        let request = request(epoch, vec![cursor]);
        let mut pull = usual(&request, &[FIRM]);
        let PullStep::First { after: None, .. } = pull.step() else {
            panic!("{:?}", pull.step())
        };
        assert_eq!(pull.cursors_ahead().len(), ahead);
        pull.handle_first(Vec::new()).unwrap();
        pull.handle_sum(sum(0)).unwrap();
        let answer = answered(pull);
        assert_eq!(page(&answer, 0).reset, Some(ResetReason::CursorUnknown));
        assert_eq!(answer.digest_key.is_some(), epoch == "two");
    }
}

#[test]
fn below_the_floor_only_the_whole_scope_is_right() {
    let request = request("one", vec![held(FIRM, 5, 3)]);
    let mut pull = usual(&request, &[FIRM]);
    pull.handle_changes(At(6), vec![change(7, true)]).unwrap();
    let PullStep::First { after: None, .. } = pull.step() else {
        panic!("{:?}", pull.step())
    };
    let changes = vec![change(1, true), change(7, true)];
    let found = bodies(&changes, 10);
    pull.handle_first(changes).unwrap();
    pull.handle_bodies(found).unwrap();
    pull.handle_sum(sum(2)).unwrap();
    let answer = answered(pull);
    assert_eq!(page(&answer, 0).reset, Some(ResetReason::CursorUnknown));
    assert_eq!(page(&answer, 0).records.len(), 2);
}

#[test]
fn the_budget_of_records_is_one_for_all_scopes_and_nothing_is_passed_over() {
    let request = PullRequest {
        max_records: Some(2),
        ..request("one", vec![held(FIRM, 5, 0), held(TOWN, 5, 0)])
    };
    let mut pull = usual(&request, &[FIRM, TOWN]);
    let PullStep::Changes { most: 3, .. } = pull.step() else {
        panic!("{:?}", pull.step())
    };
    let changes = vec![change(6, true), change(7, true), change(8, true)];
    let found = bodies(&changes, 10);
    pull.handle_changes(At::START, changes).unwrap();
    pull.handle_bodies(found).unwrap();
    let answer = answered(pull);
    let page = page(&answer, 0);
    assert_eq!(answer.answers.len(), 1, "the town waits for the next pull");
    assert_eq!((page.records.len(), page.checkpoint), (2, None));
    assert_eq!(page.cursor, At(7).to_cursor());
    assert!(answer.more);
}

#[test]
fn the_budget_of_bytes_holds_and_a_record_beyond_it_travels_alone() {
    let request = request("one", vec![held(FIRM, 5, 0)]);
    let limits = WireLimits {
        body_bytes: 2_000,
        ..WireLimits::default()
    };
    for (size, sent) in [(300, 2), (5_000, 1)] {
        let mut pull = begun(&request, &[FIRM], &limits);
        let changes = vec![change(6, true), change(7, true), change(8, true)];
        let found = bodies(&changes, size);
        pull.handle_changes(At::START, changes).unwrap();
        pull.handle_bodies(found).unwrap();
        let answer = answered(pull);
        assert_eq!(page(&answer, 0).records.len(), sent, "{size}");
        assert_eq!(page(&answer, 0).cursor, At(5 + sent as u64).to_cursor());
    }
}

#[test]
fn while_something_is_in_flight_there_is_no_checkpoint_and_the_device_asks_again() {
    let request = request("one", vec![held(FIRM, 5, 0)]);
    let mut pull = usual(&request, &[FIRM]);
    pull.handle_changes(At::START, vec![change(6, false)])
        .unwrap();
    pull.handle_sum(None).unwrap();
    let answer = answered(pull);
    assert_eq!(page(&answer, 0).checkpoint, None);
    assert!(answer.more);
    // Nothing new is safe to deliver, and whether it is the same cannot be told: nothing is said.
    let mut pull = usual(&request, &[FIRM]);
    pull.handle_changes(At::START, Vec::new()).unwrap();
    pull.handle_sum(None).unwrap();
    assert!(answered(pull).answers.is_empty());
}

#[test]
fn a_device_that_has_every_page_is_told_that_this_was_all() {
    let every = ScopeCursor {
        checkpoint: None,
        ..held(FIRM, 5, 0)
    };
    let request = request("one", vec![every]);
    let mut pull = usual(&request, &[FIRM]);
    pull.handle_changes(At::START, Vec::new()).unwrap();
    pull.handle_sum(sum(3)).unwrap();
    let answer = answered(pull);
    assert_eq!(page(&answer, 0).reset, None);
    assert_eq!(page(&answer, 0).cursor, At(5).to_cursor());
    assert_eq!(page(&answer, 0).checkpoint, sum(3));
}

#[test]
fn a_step_takes_no_other_answer_than_its_own() {
    let request = request("one", vec![held(FIRM, 5, 0)]);
    let mut pull = usual(&request, &[FIRM]);
    assert_eq!(pull.handle_sum(None).unwrap_err().asked, "changes");
    assert_eq!(
        pull.handle_bodies(Bodies::new()).unwrap_err().given,
        "bodies"
    );
    pull.handle_changes(At::START, vec![change(6, true)])
        .unwrap();
    assert!(pull.handle_changes(At::START, Vec::new()).is_err());
    assert!(matches!(pull.step(), PullStep::Bodies { changes: [_], .. }));
}

#[test]
fn too_many_scopes_and_unknown_versions_are_refused_as_a_whole() {
    let limits = WireLimits {
        scopes: 1,
        ..WireLimits::default()
    };
    let two = request("one", vec![held(FIRM, 5, 0), held(TOWN, 5, 0)]);
    assert_eq!(
        check_pull(&two, &limits),
        Err(RequestRefused::TooLarge {
            what: "the number of scopes",
            limit: 1
        })
    );
    let newer = PullRequest {
        protocol: PROTOCOL_MAX + 1,
        ..request("one", Vec::new())
    };
    assert_eq!(
        check_pull(&newer, &limits),
        Err(RequestRefused::UpgradeRequired {
            spoken: crate::wire::SpokenVersions::OURS
        })
    );
}
