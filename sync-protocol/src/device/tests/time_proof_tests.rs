//! Anchors in one's own commands, and others' chains.

use super::*;
use crate::witness::ChainHead;
use hazardloop_domain::time_proof::{ClockCheck, ProofLevel};

const BOOT: InstallId = InstallId(Uuid::from_u128(0xb007));

fn note(text: &str) -> Action {
    Action::Note(Note { text: text.into() })
}

/// A reading by a device that has been on for so many milliseconds.
fn reading(wall: Timestamp, monotonic_ms: i64) -> ClockReading {
    ClockReading {
        wall,
        monotonic_ms: Some(monotonic_ms),
        boot_id: Some(BOOT),
        ..clock()
    }
}

impl World {
    fn queue_read(&mut self, made: ClockReading) -> i64 {
        let id = hazard_id(1);
        self.engine
            .handle_command(self.now, made, id, note("看过"))
            .unwrap();
        while let Some(Output::Write { id, ops }) = self.engine.poll_output_of(self.now, &[]) {
            self.store.apply(&ops);
            self.engine.handle_stored(id);
            self.notices.clear();
            while let Some(Output::Notice(_)) = self.engine.poll_output_of(self.now, &[]) {}
        }
        self.engine.state().highest_seq()
    }

    fn clocks_of(&self, seq: i64) -> ClockReading {
        let command = &self.engine.state().commands[&seq];
        let read: CommandPayload = minicbor::decode(&command.envelope.payload.0).unwrap();
        read.made
    }

    fn check_of(&self, seq: i64) -> Option<ClockCheck> {
        self.proof_of(seq).clock
    }

    fn proof_of(&self, seq: i64) -> hazardloop_domain::time_proof::TimeProof {
        let command = hazardloop_domain::command_fate::SentCommand {
            install_id: install(),
            seq,
        };
        self.hub.memory.tables.time_proof(command).unwrap()
    }
}

#[test]
fn an_anchor_is_told_once_and_holds_for_all_that_follow() {
    let mut world = World::new();
    // The contact, with the monotonic clock at 5,000.
    world.engine.handle_monotonic(world.now, BOOT, 5_000);
    world.pull();
    let contact = world.now;
    let told = world.queue_read(reading(contact.plus_millis(3_600_000), 3_605_000));
    let next = world.queue_read(reading(contact.plus_millis(7_200_000), 7_205_000));
    let set_back = world.queue_read(reading(contact.plus_millis(60_000), 10_805_000));
    let first = world.clocks_of(told);
    assert_eq!(first.server_anchor, Some(contact));
    assert!(first.anchor_token.is_some());
    assert_eq!(first.anchor_monotonic_ms, Some(5_000));
    for seq in [next, set_back] {
        assert_eq!(world.clocks_of(seq).anchor_token, None, "{seq}");
        assert_eq!(world.clocks_of(seq).server_anchor, Some(contact));
    }
    world.now = contact.plus_millis(20_000_000);
    world.settle();
    assert_eq!(world.check_of(told), Some(ClockCheck::Consistent));
    assert_eq!(world.check_of(next), Some(ClockCheck::Consistent));
    assert_eq!(world.check_of(set_back), Some(ClockCheck::Contradicted));
    for seq in [told, next, set_back] {
        assert_eq!(world.proof_of(seq).not_before, Some(contact));
    }
    // After another contact the new anchor is told, by the first command only, whatever process makes it.
    let later = world.queue_read(reading(world.now, 0));
    world.reload();
    let again = world.queue_read(reading(world.now, 0));
    assert!(world.clocks_of(later).anchor_token.is_some());
    assert_eq!(world.clocks_of(later).anchor_monotonic_ms, None, "not told");
    assert_eq!(world.clocks_of(again).anchor_token, None);
}

#[test]
fn a_made_up_anchor_is_seen_and_refuses_nothing() {
    let mut world = World::new();
    world.pull();
    let forged = ClockReading {
        server_anchor: Some(world.now.plus_millis(1)),
        anchor_token: hazardloop_domain::command::AnchorToken::from_slice(&[0; 8]),
        ..clock()
    };
    let seq = world.queue_read(forged);
    world.settle();
    assert_eq!(world.check_of(seq), Some(ClockCheck::AnchorForged));
    assert_eq!(world.proof_of(seq).not_before, None);
    assert!(world.engine.state().commands[&seq].receipt.is_some());
}

#[test]
fn another_device_is_witnessed_once() {
    let mut world = World::new();
    assert_eq!(world.engine.chain_head(), None, "nothing to show yet");
    let other = InstallId(Uuid::from_u128(88));
    let shown = ChainHead::sign(&SigningKey::from_bytes(&[9; 32]), other, 4, Digest([4; 32]));
    let now = world.now;
    let mut damaged = shown.clone();
    damaged.head.seq = 5;
    let refused = world.engine.handle_witness(now, clock(), &damaged);
    assert_eq!(refused, Err(WitnessError::Damaged));
    world.engine.handle_witness(now, clock(), &shown).unwrap();
    world.settle();
    let again = world.engine.handle_witness(now, clock(), &shown);
    assert_eq!(again, Err(WitnessError::Known));
    // It arrived like any command, and asks for nobody's attention.
    assert_eq!(world.standing(1), Standing::Arrived);
    let own = world.engine.chain_head().unwrap();
    assert!(own.is_whole());
    assert_eq!(own.head.seq, 1);
    let refused = world.engine.handle_witness(now, clock(), &own);
    assert_eq!(refused, Err(WitnessError::OneOwn));
}

#[test]
fn the_owner_of_a_chain_is_told_who_witnessed_it() {
    let mut world = World::new();
    let now = world.now;
    let colleague = InstallId(Uuid::from_u128(88));
    let key = SigningKey::from_bytes(&[9; 32]);
    let public = key.verifying_key().to_bytes().to_vec();
    let other = PersonId(Uuid::from_u128(89));
    world.hub.memory.tables.enrol(colleague, other, public);
    let seq = world.queue_read(clock());
    let shown = world.engine.chain_head().unwrap();
    // The colleague comes home first.
    let payload = Witness {
        made: clock(),
        install_id: shown.install_id,
        head: shown.head,
    }
    .pack();
    let zero = Digest::ZERO;
    let sealed = crate::chain::seal(&key, colleague, 1, WITNESS_KIND, 1, zero, payload);
    let request = PushRequest {
        protocol: PROTOCOL_MAX,
        install_id: colleague,
        commands: vec![sealed],
        settled: Vec::new(),
    };
    let home = now.plus_millis(60_000);
    world.hub.memory.push(other, &request, home).unwrap();
    world.now = now.plus_millis(86_400_000);
    world.settle();
    world.pull();
    let command = world.engine.state().commands[&seq].clone();
    let proof = world.engine.time_proof(&command).unwrap();
    assert_eq!(proof.level, ProofLevel::Witnessed);
    assert_eq!(proof.proven_at, Some(home));
    assert_eq!(proof.witnessed_by.unwrap().person_id, other);
    let kept_by_the_hub = world.proof_of(seq);
    assert_eq!(kept_by_the_hub.level, ProofLevel::Witnessed);
    assert_eq!(kept_by_the_hub.proven_at, Some(home));
    assert_eq!(kept_by_the_hub.received_at, Some(world.now));
}
