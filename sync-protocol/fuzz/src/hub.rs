//! A hub with records in several scopes, and what one of its people may ask of it.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use ed25519_dalek::SigningKey;
use hazardloop_domain::command::{ClockReading, Command};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{HazardId, InstallId, PersonId};
use hazardloop_domain::time::Timestamp;
use hazardloop_simulation::cast;
use hazardloop_sync_protocol::chain::seal;
use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::hub::memory::{DomainRules, MemoryHub};
use hazardloop_sync_protocol::wire::{
    CommandPayload, PROTOCOL_MAX, PullRequest, PushRequest, Scope, ScopeUpdate,
};
use uuid::Uuid;

use crate::messages::read;

/// Whose the hostile device is: an employee of the first enterprise.
pub const HOSTILE: usize = 0;
/// How many people have a device.
const PEOPLE: usize = 5;
/// Records of one answer, so that there are several.
const PAGE: usize = 4;

/// The install of one of the people, and its key.
pub fn device(number: usize) -> (InstallId, SigningKey) {
    let number = u8::try_from(number).unwrap_or(u8::MAX);
    let install_id = InstallId(Uuid::from_u128(0x1000 + u128::from(number)));
    (install_id, SigningKey::from_bytes(&[number + 1; 32]))
}

/// Clocks that say a time and no more.
pub fn clocks(now: Timestamp) -> ClockReading {
    ClockReading {
        wall: now,
        monotonic_ms: None,
        boot_id: None,
        server_anchor: None,
        anchor_monotonic_ms: None,
        anchor_token: None,
    }
}

/// Everybody enrolled, and two reports at each enterprise. Made once: signing takes longer than most inputs.
pub fn world() -> MemoryHub<DomainRules> {
    static WORLD: OnceLock<MemoryHub<DomainRules>> = OnceLock::new();
    WORLD.get_or_init(made).clone()
}

fn made() -> MemoryHub<DomainRules> {
    let mut hub = MemoryHub::new("epoch-1", DigestKey([9; 16]), DomainRules);
    hub.limits.records = PAGE;
    cast::people()
        .into_iter()
        .for_each(|person| hub.tables.put_person(person));
    cast::firms()
        .into_iter()
        .for_each(|firm| hub.tables.put_enterprise(firm));
    for number in 0..PEOPLE {
        let (install_id, key) = device(number);
        let public = key.verifying_key().to_bytes().to_vec();
        hub.tables.enrol(install_id, cast::person(number), public);
    }
    for number in 0..cast::FIRMS {
        let (install_id, key) = device(number);
        let mut previous = Digest::ZERO;
        let mut commands = Vec::new();
        for seq in 1..=2_i64 {
            let step = u64::try_from(seq).unwrap_or(0) * 10 + number as u64;
            let report = cast::report(cast::firm(number), true, cast::BEGIN, "积尘未清理", None);
            let kind = report.kind();
            let command = Command::new(cast::hazard(step), report);
            let payload = CommandPayload::pack(clocks(cast::BEGIN), &command);
            let name = kind.as_str();
            let sealed = seal(
                &key,
                install_id,
                seq,
                name,
                kind.version(),
                previous,
                payload,
            );
            previous = hazardloop_sync_protocol::chain::link_hash(install_id, &sealed);
            commands.push(sealed);
        }
        let request = PushRequest {
            protocol: PROTOCOL_MAX,
            install_id,
            commands,
            settled: Vec::new(),
        };
        let taken = hub.push(cast::person(number), &request, cast::BEGIN);
        assert!(taken.is_ok(), "{taken:?}");
    }
    hub.tables
        .forget_removals(Scope::Jurisdiction(cast::town(0)));
    hub
}

/// The hazards of one enterprise in [`world`].
pub fn hazards_of(firm: usize) -> [HazardId; 2] {
    [10, 20].map(|step| cast::hazard(step + firm as u64))
}

/// A pull by the hostile device: whatever it names, it is answered with what its person may hold, or not at all.
pub fn run(bytes: &[u8]) {
    let Some(mut request) = read::<PullRequest>(bytes) else {
        return;
    };
    let hub = world();
    let (own, other) = (cast::person(HOSTILE), cast::person(HOSTILE + 1));
    request.install_id = device(HOSTILE).0;
    pulled(&hub, own, &request);
    let somebody_elses = hub.pull(other, &request, cast::BEGIN);
    assert!(somebody_elses.is_err(), "another's install is answered");
}

fn pulled(hub: &MemoryHub<DomainRules>, person: PersonId, request: &PullRequest) {
    let Ok(answer) = hub.pull(person, request, cast::BEGIN) else {
        return;
    };
    let granted: BTreeSet<Scope> = hub.granted(person, cast::BEGIN);
    let mut records = 0;
    for of in &answer.answers {
        let ScopeUpdate::Page(page) = &of.update else {
            assert!(!granted.contains(&of.scope), "{:?} is dropped", of.scope);
            continue;
        };
        assert!(granted.contains(&of.scope), "{:?} is read", of.scope);
        let rows = hub.tables.scopes.get(&of.scope);
        for record in &page.records {
            let held = rows.and_then(|rows| rows.rows.get(&(record.kind, record.id)));
            let held = held.and_then(|row| row.given());
            assert_eq!(held, Some(record), "not of {:?}", of.scope);
        }
        if let Some(checkpoint) = page.checkpoint {
            assert_eq!(checkpoint, hub.sum(of.scope), "of {:?}", of.scope);
        }
        records += page.records.len();
    }
    assert!(records <= PAGE, "{records} records");
}
