//! What holds for every sequence of commands, whoever sends them and in whatever order they come.

use super::*;
use crate::inspection::policy;
use proptest::prelude::*;

fn any_actor() -> impl Strategy<Value = Actor> {
    let role = (0..Role::ALL.len()).prop_map(|index| Role::ALL[index]);
    let anyone = (role, 1_u128..4).prop_map(|(role, number)| person(role, number));
    prop_oneof![
        8 => (1_u128..4).prop_map(inspector),
        2 => Just(principal()),
        2 => Just(expert()),
        3 => anyone,
        1 => Just(Actor::System),
    ]
}

fn any_outcome() -> impl Strategy<Value = ItemOutcome> {
    (0..ItemOutcome::ALL.len()).prop_map(|index| ItemOutcome::ALL[index])
}

fn any_results() -> impl Strategy<Value = Action> {
    let one = (1_u8..5, any_outcome(), proptest::option::of(1_u8..4));
    one.prop_map(|(code, outcome, number)| {
        let mut result = result(&code.to_string(), outcome);
        result.photos = number.map(photo).into_iter().collect();
        record(vec![result])
    })
}

fn step(kind: InspectionKind) -> impl Strategy<Value = (Actor, Action, bool)> {
    let signs = any_actor().prop_map(move |actor| sign(&actor, kind));
    let receives = (1_u8..4).prop_map(|number| {
        Action::ReceiveInspectionPhoto(ReceivePhoto {
            sha256: Digest([number; 32]),
        })
    });
    let follows = any::<bool>().prop_map(|away| follow(if away { OTHER_TOWN } else { TOWN }));
    let action = prop_oneof![
        1 => Just(start(None)),
        1 => Just(cancel()),
        6 => any_results(),
        3 => Just(all_ok()),
        2 => (1_u128..6).prop_map(move |number| finding(kind, number)),
        1 => (1_u128..6).prop_map(convert),
        6 => signs,
        2 => Just(representative()),
        1 => Just(refuse()),
        3 => any::<bool>().prop_map(complete),
        2 => receives,
        1 => follows,
    ];
    (any_actor(), action, any::<bool>())
}

fn any_kind() -> impl Strategy<Value = InspectionKind> {
    (0..K::ALL.len()).prop_map(|index| K::ALL[index])
}

fn sequence() -> impl Strategy<Value = (InspectionKind, Vec<(Actor, Action, bool)>)> {
    any_kind().prop_flat_map(|kind| (Just(kind), proptest::collection::vec(step(kind), 1..80)))
}

fn check_completion(it: &Inspection) {
    let InspectionStatus::Completed {
        no_hazard_found, ..
    } = it.status
    else {
        return;
    };
    assert!(it.started.is_some());
    assert!(it.items_open().is_empty());
    let on_time = it.findings.iter().filter(|finding| !finding.late);
    assert!(!no_hazard_found || on_time.count() == 0);
    if it.kind.is_departments() {
        assert!(it.inspectors_signed().len() >= 2);
        assert!(it.refusal.is_some() || it.is_signed_by(SignerRole::EnterpriseRepresentative));
        assert!(it.findings.iter().all(|finding| finding.handling.is_some()));
    }
    if it.kind == K::ExpertVisit {
        assert!(
            it.findings
                .iter()
                .all(|f| f.handling.is_none() && f.hazard_id.is_none())
        );
    }
}

proptest! {
    #[test]
    fn completion_always_has_what_the_law_asks_and_nothing_recorded_is_lost(
        (kind, steps) in sequence()
    ) {
        let mut case = Case::new();
        case.must(&Case::lead(kind), plan(kind));
        case.must(&Case::lead(kind), start(None));
        let mut accepted: Vec<(PersonId, ItemRef, ItemOutcome)> = Vec::new();
        let mut findings = 0;
        for (actor, action, offline) in steps {
            case.facts.now = case.facts.now.plus_millis(1_000);
            // Offline: made long before it arrives.
            case.facts.made_at = offline.then_some(NOW);
            case.facts.knew = match offline {
                true => Knew::AsOf(Some(NOW)),
                false => Knew::All,
            };
            let before = case.it().clone();
            let verdict = policy::verdict(
                action.kind(),
                policy::Case::of(&before, &actor),
                &actor,
            );
            match case.act(&actor, action.clone()) {
                Err(_) => prop_assert_eq!(case.it(), &before),
                Ok(_) => {
                    prop_assert_eq!(verdict, policy::Verdict::Allowed);
                    if let Action::RecordResults(results) = &action {
                        for result in &results.results {
                            accepted.push((id_of(&actor), result.item.clone(), result.outcome));
                        }
                    }
                    findings += usize::from(matches!(action, Action::LinkFinding(_)));
                }
            }
            check_completion(case.it());
            // What ended stays ended.
            let ended = [S::Completed, S::Cancelled].contains(&before.state());
            prop_assert!(!ended || case.state() == before.state());
        }
        let it = case.it();
        prop_assert_eq!(it.findings.len(), findings);
        let mut last = std::collections::BTreeMap::new();
        for (by, item, outcome) in accepted {
            last.insert((by, item.item), outcome);
        }
        for ((by, code), outcome) in last {
            let record = it.item(&item(&code)).unwrap();
            let mut own = record.results.iter().filter(|result| result.by == by);
            prop_assert_eq!(own.next_back().map(|result| result.outcome), Some(outcome));
        }
        let again = Inspection::from_history(&case.history);
        prop_assert_eq!(again.as_ref(), Some(it));
    }

    #[test]
    fn the_order_in_which_two_peoples_offline_results_arrive_loses_neither(
        mine in proptest::collection::vec((1_u8..4, any_outcome()), 1..6),
        theirs in proptest::collection::vec((1_u8..4, any_outcome()), 1..6),
        order in any::<[bool; 12]>(),
    ) {
        let (one, two) = (inspector(1), inspector(2));
        let mut case = Case::started(K::Plan);
        let (mut left, mut right) = (mine.iter(), theirs.iter());
        let take = |case: &mut Case, actor: &Actor, next: Option<&(u8, ItemOutcome)>| {
            if let Some((code, outcome)) = next {
                case.must(actor, record(vec![result(&code.to_string(), *outcome)]));
            }
        };
        for first in order {
            if first {
                take(&mut case, &one, left.next());
            } else {
                take(&mut case, &two, right.next());
            }
        }
        left.for_each(|next| take(&mut case, &one, Some(next)));
        right.for_each(|next| take(&mut case, &two, Some(next)));
        for (actor, sent) in [(&one, &mine), (&two, &theirs)] {
            for (code, _) in sent {
                let last = sent.iter().rev().find(|(other, _)| other == code);
                let kept = case.it().item(&item(&code.to_string())).unwrap();
                let own = kept.results.iter().find(|result| result.by == id_of(actor));
                prop_assert_eq!(own.map(|result| result.outcome), last.map(|(_, o)| *o));
            }
        }
    }
}
