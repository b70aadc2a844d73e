//! Cases of what authors choose to do about commands that took no effect, and of what revoked devices offer.

use hazardloop_domain::command::{Action, Command};
use hazardloop_domain::command_fate::{Choice, ChoiceKind, CommandFate, SentCommand};
use hazardloop_domain::ids::HazardId;
use uuid::Uuid;

use super::hub::{HubUnderTest, NoAnswer, Phone, hazard_id, outcomes};
use super::hub_world::{
    INSPECTOR, NEIGHBOUR, WORKER, another_phone, firm, note, outcome, person, phone, report,
    reported,
};
use crate::wire::{
    CommandPayload, Envelope, GIVE_UP_KIND, GIVE_UP_VERSION, GiveUp, OfferResponse, Outcome,
    PLACEHOLDER_KIND, PLACEHOLDER_VERSION, PushResult, QuarantineReason, RecordKind, Scope,
};

fn about(command: SentCommand, how: ChoiceKind) -> Choice {
    let reason = (how == ChoiceKind::GivenUp).then(|| "重复".to_owned());
    Choice {
        about: command,
        how,
        reason,
    }
}

/// What a phone was told of a command, once it has this version.
fn told(
    hub: &mut dyn HubUnderTest,
    phone: &mut Phone,
    command: SentCommand,
    version: i64,
) -> CommandFate {
    let (scope, id) = (Scope::Person(phone.person_id), command.fate_id());
    let row = |phone: &Phone, id: Uuid| {
        let held = phone.scopes.get(&scope)?;
        held.rows.get(&(RecordKind::CommandFate, id)).cloned()
    };
    phone.pull_until(hub, |phone| {
        row(phone, id).is_some_and(|row| row.version == version)
    });
    let row = row(phone, id).unwrap();
    let fate: CommandFate = minicbor::decode(&row.body.0).unwrap();
    assert_eq!((fate.command, fate.version), (command, version));
    fate
}

/// A worker with two phones, and a note of theirs on what was not reported yet and is by now.
fn refused(hub: &mut dyn HubUnderTest) -> (Phone, Phone, SentCommand) {
    let mut worker = reported(hub, 1);
    let other = another_phone(hub, WORKER, 20);
    let early = worker.seal(hazard_id(9), note("早了"));
    assert_eq!(outcomes(&worker.push(hub, vec![early])), ["rejected"]);
    let begun = worker.seal(hazard_id(9), report(hub, 1));
    assert_eq!(outcomes(&worker.push(hub, vec![begun])), ["applied"]);
    let early = worker.sent(2);
    (worker, other, early)
}

/// However often, and from whichever copy of a phone: in one batch with the first time and in another.
pub fn what_is_sent_again_takes_effect_once_and_its_author_is_told_everywhere(
    hub: &mut dyn HubUnderTest,
) {
    let (mut worker, mut other, early) = refused(hub);
    let again = about(early, ChoiceKind::Retried);
    let retry = |phone: &mut Phone| phone.seal_choosing(hazard_id(9), note("早了"), again.clone());
    let batch = vec![retry(&mut worker), retry(&mut worker)];
    let first = worker.push(hub, batch.clone());
    assert_eq!(outcome(&first, 0), &Outcome::Applied { version: 2 });
    assert_eq!(outcome(&first, 1), outcome(&first, 0), "not twice");
    assert_eq!(worker.push(hub, batch).results, first.results);
    let elsewhere = retry(&mut other);
    let elsewhere = other.push(hub, vec![elsewhere]);
    assert_eq!(outcome(&elsewhere, 0), outcome(&first, 0));
    let by = Some(worker.sent(4));
    for phone in [&mut worker, &mut other] {
        let chosen = told(hub, phone, early, 1).chosen.unwrap();
        assert_eq!((chosen.how, chosen.by), (ChoiceKind::Retried, by));
        let version = phone.hazards_in(Scope::Enterprise(firm(1)));
        assert_eq!(version[&hazard_id(9)], 2);
    }
    let too_late = other.seal_giving_up(hazard_id(9), about(early, ChoiceKind::GivenUp));
    let too_late = other.push(hub, vec![too_late]);
    assert_eq!(outcomes(&too_late), ["rejected"], "it took effect");
}

/// What takes a command's place is judged by itself, and says what became of the other; a retry comes too late then.
pub fn what_is_sent_in_the_place_of_another_settles_it(hub: &mut dyn HubUnderTest) {
    let (mut worker, mut other, early) = refused(hub);
    let instead = about(early, ChoiceKind::Amended);
    let instead = worker.seal_choosing(hazard_id(9), note("这样才对"), instead);
    let instead = worker.push(hub, vec![instead]);
    assert_eq!(outcome(&instead, 0), &Outcome::Applied { version: 2 });
    let chosen = told(hub, &mut other, early, 1).chosen.unwrap();
    assert_eq!(chosen.how, ChoiceKind::Amended);
    let again = about(early, ChoiceKind::Retried);
    let again = other.seal_choosing(hazard_id(9), note("早了"), again);
    let again = other.push(hub, vec![again]);
    assert_eq!(outcome(&again, 0), outcome(&instead, 0));
    let applied = about(worker.sent(4), ChoiceKind::Amended);
    let applied = worker.seal_choosing(hazard_id(9), note("再一条"), applied);
    let applied = worker.push(hub, vec![applied]);
    assert_eq!(outcome(&applied, 0), &Outcome::Applied { version: 3 });
}

/// Whatever was sent again was sent again in turn, and only the last of them took effect: however the queue is cut, in
/// one batch or in several, the first is not carried out once more.
pub fn what_was_sent_again_in_turn_takes_effect_once_however_the_queue_is_cut(
    hub: &mut dyn HubUnderTest,
) {
    let mut worker = reported(hub, 1);
    for cut in 1..=4 {
        let number = 20 + cut;
        let id = hazard_id(number);
        let first = worker.seal(id, note("早了"));
        let again = |phone: &mut Phone, seq: i64| {
            let choice = about(phone.sent(seq), ChoiceKind::Retried);
            phone.seal_choosing(id, note("早了"), choice)
        };
        let begins = first.seq;
        let mut queue = vec![first];
        queue.push(again(&mut worker, begins));
        queue.push(worker.seal(id, report(hub, 1)));
        queue.push(again(&mut worker, begins + 1));
        queue.push(again(&mut worker, begins));
        queue.push(again(&mut worker, begins + 1));
        let give_up = about(worker.sent(begins), ChoiceKind::GivenUp);
        queue.push(worker.seal_giving_up(id, give_up));
        let behind = queue.split_off(usize::from(cut));
        let mut results = worker.push(hub, queue).results;
        results.extend(worker.push(hub, behind).results);
        let receipts = results.iter().map(|result| match result {
            PushResult::Receipt(receipt) => &receipt.outcome,
            PushResult::IdReused { seq } => panic!("{seq} is used"),
        });
        let outcomes: Vec<&Outcome> = receipts.collect();
        assert!(!outcomes[0].took_effect() && !outcomes[1].took_effect());
        let effect = &Outcome::Applied { version: 2 };
        assert_eq!(outcomes[3..6], [effect, effect, effect], "cut at {cut}");
        assert!(!outcomes[6].took_effect(), "nothing to give up, {cut}");
    }
    worker.pull_until(hub, |phone| phone.hazards().len() == 5);
    let held = worker.hazards_in(Scope::Enterprise(firm(1)));
    assert!((21..=24).all(|number| held[&hazard_id(number)] == 2));
}

/// What takes a command's place may act upon another record. The version that it gives that one says nothing of the
/// record of the command that it stands for.
pub fn what_took_effect_elsewhere_gives_what_is_sent_again_no_version(hub: &mut dyn HubUnderTest) {
    let (mut worker, _, early) = refused(hub);
    let notes = (1..=3).map(|_| worker.seal(hazard_id(1), note("另一条")));
    let notes: Vec<Envelope> = notes.collect();
    worker.push(hub, notes);
    let elsewhere = about(early, ChoiceKind::Amended);
    let elsewhere = worker.seal_choosing(hazard_id(1), note("应在此处"), elsewhere);
    let again = about(early, ChoiceKind::Retried);
    let again = worker.seal_choosing(hazard_id(9), note("早了"), again);
    // In one batch with it, and behind it.
    let both = worker.push(hub, vec![elsewhere, again]);
    assert_eq!(outcome(&both, 0), &Outcome::Applied { version: 5 });
    assert_eq!(outcome(&both, 1), &Outcome::Applied { version: 0 });
    let again = about(early, ChoiceKind::Retried);
    let again = worker.seal_choosing(hazard_id(9), note("早了"), again);
    let again = worker.push(hub, vec![again]);
    assert_eq!(outcome(&again, 0), &Outcome::Applied { version: 0 });
    let held = |phone: &Phone| phone.hazards_in(Scope::Enterprise(firm(1)));
    worker.pull_until(hub, |phone| held(phone).len() == 2);
    assert_eq!(held(&worker)[&hazard_id(9)], 1, "nothing came of it there");
}

/// Only its author gives a command up, and only what took no effect; the same is said by a placeholder.
pub fn what_is_given_up_is_its_authors_and_took_no_effect(hub: &mut dyn HubUnderTest) {
    let (mut worker, mut other, early) = refused(hub);
    let mut neighbour = phone(hub, NEIGHBOUR);
    let give_up = |phone: &mut Phone, command| {
        phone.seal_giving_up(hazard_id(9), about(command, ChoiceKind::GivenUp))
    };
    for (command, expected) in [
        (worker.sent(3), "rejected"),
        (worker.sent(99), "rejected"),
        (early, "applied"),
    ] {
        let envelope = give_up(&mut other, command);
        let answer = other.push(hub, vec![envelope]);
        assert_eq!(outcomes(&answer), [expected], "{command:?}");
    }
    let envelope = give_up(&mut neighbour, early);
    assert_eq!(outcomes(&neighbour.push(hub, vec![envelope])), ["rejected"]);
    let chosen = told(hub, &mut worker, early, 1).chosen.unwrap();
    assert_eq!(chosen.by, Some(other.sent(3)));
    assert_eq!(chosen.reason.as_deref(), Some("重复"));
    let late = worker.seal(hazard_id(8), note("也没有这条"));
    worker.push(hub, vec![late]);
    let late = worker.sent(4);
    let choice = about(late, ChoiceKind::GivenUp);
    let payload = worker.payload_choosing(hazard_id(8), &note("占位"), choice);
    let placeholder = worker.seal_raw(PLACEHOLDER_KIND, PLACEHOLDER_VERSION, payload);
    let answer = worker.push(hub, vec![placeholder]);
    assert_eq!(outcomes(&answer), ["quarantined"]);
    let chosen = told(hub, &mut other, late, 1).chosen.unwrap();
    assert_eq!(
        (chosen.how, chosen.by),
        (ChoiceKind::GivenUp, Some(worker.sent(5)))
    );
}

fn after_revocation(answer: &OfferResponse, index: usize) -> bool {
    let PushResult::Receipt(receipt) = &answer.results[index] else {
        return false;
    };
    let reason = QuarantineReason::OfferedAfterRevocation;
    matches!(&receipt.outcome, Outcome::Quarantined { reason: why, .. } if *why == reason)
}

/// Whoever holds the key of a revoked device hands over what it has not sent. It is kept, and nothing comes of it.
pub fn what_a_revoked_device_offers_is_kept_and_not_carried_out(hub: &mut dyn HubUnderTest) {
    let mut worker = reported(hub, 1);
    let early = worker.seal(hazard_id(9), note("早了"));
    worker.push(hub, vec![early]);
    let unsent: Vec<Envelope> = vec![
        worker.seal(hazard_id(1), note("未发出")),
        worker.seal(hazard_id(2), report(hub, 1)),
        worker.seal_giving_up(hazard_id(9), about(worker.sent(2), ChoiceKind::GivenUp)),
        worker.seal_raw("teleport", 1, vec![1]),
    ];
    let pushes = worker.offer(unsent.clone());
    assert_eq!(hub.offer(pushes).unwrap_err(), NoAnswer::NotRevoked);
    hub.revoke(worker.install_id);
    let mut forged = worker.offer(unsent.clone());
    forged.commands.pop();
    assert_eq!(hub.offer(forged).unwrap_err(), NoAnswer::UnknownDevice);
    let nothing = hub.offer(worker.offer(Vec::new())).unwrap();
    assert_eq!((nothing.last, nothing.results.len()), (2, 0));
    let early = hub.offer(worker.offer(unsent[1..].to_vec())).unwrap();
    assert_eq!((early.expected, early.results.len()), (Some(3), 0));
    let kept = hub.offer(worker.offer(unsent[..2].to_vec())).unwrap();
    assert!(after_revocation(&kept, 0) && after_revocation(&kept, 1));
    hub.set_now(hub.now().plus_millis(60_000));
    let all = hub.offer(worker.offer(unsent.clone())).unwrap();
    assert_eq!(all.results[..2], kept.results, "the same receipts");
    assert!(after_revocation(&all, 2), "nothing is given up");
    assert!(!after_revocation(&all, 3), "nobody could judge it anyway");
    assert_eq!((all.last, all.expected, all.full), (6, None, false));
    let pushed = worker.try_push(hub, unsent);
    assert_eq!(pushed.unwrap_err(), NoAnswer::Revoked);
    let mut anew = another_phone(hub, WORKER, 21);
    anew.pull_until(hub, |phone| !phone.hazards().is_empty());
    let held = anew.hazards_in(Scope::Enterprise(firm(1)));
    assert_eq!(held, [(hazard_id(1), 1)].into(), "nothing came of it");
    let fates = anew.scopes[&Scope::Person(person(WORKER))].rows.keys();
    assert!(
        !fates
            .clone()
            .any(|(kind, _)| *kind == RecordKind::CommandFate)
    );
    let stranger = phone(hub, INSPECTOR);
    let offered = stranger.offer(Vec::new());
    assert_eq!(hub.offer(offered).unwrap_err(), NoAnswer::NotRevoked);
}

impl Phone {
    fn payload_choosing(&self, id: HazardId, action: &Action, choice: Choice) -> Vec<u8> {
        let command = Command::new(id, action.clone());
        CommandPayload::pack_instead(self.clocks(), &command, &[], Some(choice))
    }

    /// Seals a command that says what is to become of an earlier one.
    fn seal_choosing(&mut self, id: HazardId, action: Action, choice: Choice) -> Envelope {
        let kind = action.kind();
        let payload = self.payload_choosing(id, &action, choice);
        self.seal_raw(kind.as_str(), kind.version(), payload)
    }

    /// Seals that an earlier command is given up.
    fn seal_giving_up(&mut self, id: HazardId, choice: Choice) -> Envelope {
        let payload = GiveUp {
            made: self.clocks(),
            subject_id: id.into(),
            choice,
        };
        let (kind, version) = (GIVE_UP_KIND, GIVE_UP_VERSION);
        self.seal_raw(kind, version, payload.pack())
    }
}
