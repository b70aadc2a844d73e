//! Commands that others have signed too.

use super::*;
use crate::cosign::Statement;
use hazardloop_domain::command::{Confirm, Served};
use hazardloop_domain::hazard::StatusName;
use hazardloop_domain::ids::KeyId;
use hazardloop_domain::refusal::RefusalCode;

/// An order that the enterprise signs for by a co-signature alone.
fn order() -> Command {
    let confirm = Confirm {
        grade: Grade::General,
        criterion: None,
        basis: None,
        responsible_person: "王强".into(),
        requirement: "装门".into(),
        due_date: at(5 * 86_400_000).shanghai_date(),
        period: None,
        expert_opinion: None,
        responsible_unit: None,
        served: Some(Served {
            name: "王强".into(),
            post: None,
            signature: None,
            refused_because: None,
            witness: None,
        }),
        category: Some("消防".into()),
    };
    Command::new(hazard_id(1), Action::Confirm(confirm))
}

fn signed_by(person: u128) -> CoSignature {
    let key_id = KeyId(Uuid::from_u128(person + 100));
    let key = SigningKey::from_bytes(&[8; 32]);
    let person = PersonId(Uuid::from_u128(person));
    Statement::of(&order()).sign(&key, person, key_id, at(0))
}

fn take(world: &mut World, by: &[CoSignature]) -> Result<(), RefusalCode> {
    let taken = world
        .engine
        .handle_signed_command(world.now, clock(), &order(), by);
    taken.map(drop).map_err(|refused| refused.0.code)
}

/// Without network: only the store answers.
fn store(world: &mut World) {
    while let Some(output) = world.engine.poll_output_of(world.now, &[]) {
        if let Output::Write { id, ops } = output {
            world.store.apply(&ops);
            world.engine.handle_stored(id);
        }
    }
}

#[test]
fn the_rules_count_co_signers_on_trust_and_the_payload_carries_them() {
    let mut world = World::new();
    world.pull();
    world.queue(hazard_id(1), report(vec![]));
    assert_eq!(take(&mut world, &[]), Err(RefusalCode::InvalidField));
    take(&mut world, &[signed_by(50)]).unwrap();
    store(&mut world);
    world.reload();
    let view = world.engine.hazard(world.now, hazard_id(1)).unwrap();
    assert_eq!(view.hazard.status_name(), StatusName::Confirmed);
    assert_eq!((view.pending, view.doubtful), (vec![1, 2], vec![]));
    let envelope = &world.engine.state().commands[&2].envelope;
    let opened = CommandPayload::open("confirm", 1, &envelope.payload.0, 16).unwrap();
    assert_eq!(opened.co_signatures, [signed_by(50)]);
}

#[test]
fn ones_own_signature_the_same_twice_and_too_many_are_refused_before_they_are_queued() {
    let mut world = World::new();
    world.pull();
    world.queue(hazard_id(1), report(vec![]));
    let own = signed_by(me().0.as_u128());
    let many: Vec<_> = (50..55).map(signed_by).collect();
    for by in [vec![own], vec![signed_by(50), signed_by(50)], many.clone()] {
        let refused = take(&mut world, &by);
        assert_eq!(refused, Err(RefusalCode::CoSignatureInvalid));
    }
    take(&mut world, &many[..4]).unwrap();
}

#[test]
fn co_signatures_outlive_a_new_install() {
    let mut world = World::new();
    world.pull();
    world.queue(hazard_id(1), report(vec![]));
    take(&mut world, &[signed_by(50)]).unwrap();
    store(&mut world);
    let (install_id, key) = (
        InstallId(Uuid::from_u128(70)),
        SigningKey::from_bytes(&[9; 32]),
    );
    world.engine.handle_rekeyed(install_id, key);
    store(&mut world);
    let envelope = &world.engine.state().commands[&2].envelope;
    let opened = CommandPayload::open("confirm", 1, &envelope.payload.0, 16).unwrap();
    assert_eq!(opened.co_signatures, [signed_by(50)]);
}
