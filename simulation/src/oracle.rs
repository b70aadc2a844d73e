//! What must hold, and what is found wrong: the invariants of `docs/PROTOCOL.md` by their numbers.

use std::collections::{BTreeMap, BTreeSet};

use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{HazardId, PersonId};
use hazardloop_sync_protocol::device::Standing;
use hazardloop_sync_protocol::wire::{CommandPayload, RecordKind, Scope, WireLimits};

use crate::device::{Device, Profile};
use crate::hub::{Hub, WINDOW};
use crate::hub_rules::marker_of;

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which invariant.
    pub invariant: u8,
    /// What was seen.
    pub what: String,
}

impl Found {
    /// A finding.
    pub fn new(invariant: u8, what: impl Into<String>) -> Self {
        Self {
            invariant,
            what: what.into(),
        }
    }
}

/// A photo that somebody took.
#[derive(Clone, Debug)]
pub struct Pictured {
    /// Which.
    pub sha256: Digest,
    /// Its only file changed by itself, the phone was set back to before it, or the hub would not take it for its size.
    pub undone: bool,
}

/// Something that a person did on a device.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// On which device.
    pub device: usize,
    /// Who.
    pub person: PersonId,
    /// By which it is found again.
    pub marker: String,
    /// On what.
    pub hazard: HazardId,
    /// Whether it is the report itself.
    pub report: bool,
    /// What it shows.
    pub photo: Option<Pictured>,
    /// The person was told that it is kept.
    pub acknowledged: bool,
    /// The phone was set back to before it: what only the phone held is gone by its owner's hand.
    pub undone: bool,
    /// The phone was wiped since, for it was revoked.
    pub wiped: bool,
    /// Its author chose, or tried to choose, what is to become of it.
    pub chosen: bool,
}

/// All that must hold once the network has healed and nothing moves any more.
pub fn check_quiet(
    hub: &Hub,
    devices: &[Device],
    attempts: &[Attempt],
    received: &BTreeSet<String>,
) -> Vec<Found> {
    let mut found = Vec::new();
    for attempt in attempts {
        let times = effects_of(hub, attempt);
        if times > 1 {
            let what = format!("{} took effect {times} times", attempt.marker);
            found.push(Found::new(2, what));
        }
        let mut own = devices
            .get(attempt.device)
            .into_iter()
            .flat_map(Device::profiles);
        let own = own.find(|profile| profile.person.id == attempt.person);
        let kept = own.is_some_and(|profile| is_kept_for_a_person(profile, attempt))
            || (attempt.wiped && received.contains(&attempt.marker));
        if attempt.acknowledged && !attempt.undone && times == 0 && !kept {
            let what = format!("{} was acknowledged and is nowhere", attempt.marker);
            found.push(Found::new(1, what));
        }
    }
    check_authors(hub, attempts, &mut found);
    check_photos(hub, attempts, &mut found);
    for device in devices {
        for profile in device.profiles() {
            check_device(hub, (device.number, profile), &mut found);
        }
    }
    found
}

/// Invariant 16: whatever took effect is its author's.
fn check_authors(hub: &Hub, attempts: &[Attempt], found: &mut Vec<Found>) {
    let authors: BTreeMap<&str, PersonId> = attempts
        .iter()
        .map(|attempt| (attempt.marker.as_str(), attempt.person))
        .collect();
    for (person, marker) in &hub.memory.rules.effects {
        if authors
            .get(marker.as_str())
            .is_some_and(|author| author != person)
        {
            found.push(Found::new(16, format!("{marker} as {person:?}")));
        }
    }
}

/// Invariant 17: what took effect has its photo, and each photo is what its name says.
fn check_photos(hub: &Hub, attempts: &[Attempt], found: &mut Vec<Found>) {
    for attempt in attempts.iter().filter(|attempt| attempt.acknowledged) {
        let photo = attempt.photo.as_ref().filter(|photo| !photo.undone);
        let missing = photo.is_some_and(|photo| !hub.photos.holds(&photo.sha256));
        if missing && effects_of(hub, attempt) > 0 {
            let what = format!("the photo of {} never arrived", attempt.marker);
            found.push(Found::new(17, what));
        }
    }
    for sha256 in hub.photos.wrong() {
        found.push(Found::new(17, format!("{sha256:?} is another photo")));
    }
}

pub(crate) fn effects_of(hub: &Hub, attempt: &Attempt) -> usize {
    let Some(hazard) = hub.memory.tables.hazards.get(&attempt.hazard) else {
        return 0;
    };
    if attempt.report {
        return 1;
    }
    let notes = hazard.notes.iter();
    notes.filter(|note| note.text == attempt.marker).count()
}

/// Whether it lies under "needs attention" on its device, or did until its author chose.
fn is_kept_for_a_person(profile: &Profile, attempt: &Attempt) -> bool {
    profile.disk.commands.values().any(|command| {
        let envelope = command.content();
        let depth = WireLimits::default().depth;
        let payload = &envelope.payload.0;
        let opened = CommandPayload::open(&envelope.kind, envelope.version, payload, depth);
        let same = opened
            .is_ok_and(|opened| marker_of(&opened.command.action) == Some(attempt.marker.as_str()));
        same && match profile.engine.standing(command) {
            Standing::NeedsAttention => true,
            Standing::Settled => attempt.chosen,
            Standing::OnDevice | Standing::Arrived => false,
        }
    })
}

fn check_device(hub: &Hub, (number, device): (usize, &Profile), found: &mut Vec<Found>) {
    let disk = &device.disk;
    let mut unsent = disk.commands.values().filter(|c| c.is_unsent());
    if let Some(stuck) = unsent.next() {
        let what = format!("device {number}: {} is unsent", stuck.envelope.seq);
        found.push(Found::new(5, what));
    }
    if let Some(behind) = unsent.next() {
        let what = format!("device {number}: {} waits behind it", behind.envelope.seq);
        found.push(Found::new(6, what));
    }
    if device.engine.state() != disk {
        let what = format!("device {number}: memory and disk differ");
        found.push(Found::new(11, what));
    }
    let granted = hub.granted(device.person.id);
    check_readable(hub, (number, device), found);
    check_catalog(hub, (number, device), found);
    for scope in disk.scopes.keys().filter(|scope| !granted.contains(scope)) {
        let what = format!("device {number} still holds {scope}");
        found.push(Found::new(8, what));
    }
    for scope in granted {
        let rows = hub.memory.tables.scopes.get(&scope);
        let rows = rows.into_iter().flat_map(|rows| &rows.rows);
        let there = rows.filter_map(|(key, row)| Some((key, row.given()?)));
        let mut expected = 0;
        for (key, record) in there {
            expected += 1;
            let row = disk.rows.get(key);
            let member = disk.members.get(&scope).and_then(|rows| rows.get(key));
            let same =
                row.is_some_and(|row| row.version == record.version && row.body == record.body.0);
            if !same || member.is_none_or(|member| member.version != record.version) {
                let what = format!("device {number}, {scope}: {key:?} is not as at the hub");
                found.push(Found::new(7, what));
            }
        }
        check_whole(hub, (number, device), scope, found);
        let held = disk.members.get(&scope).map_or(0, |rows| rows.len());
        if held != expected {
            let what = format!("device {number}, {scope}: {held} rows instead of {expected}");
            found.push(Found::new(7, what));
        }
        let sum = disk.scopes.get(&scope).and_then(|scope| scope.held);
        if sum != Some(hub.checkpoint(scope)) {
            let what = format!("device {number}, {scope}: {sum:?}");
            found.push(Found::new(13, what));
        }
    }
}

/// Invariant 18: whatever a newer hub says beside what is known here, the rest is read.
fn check_readable(hub: &Hub, (number, device): (usize, &Profile), found: &mut Vec<Found>) {
    let shown = device.engine.hazards(hub.now);
    let shown: BTreeSet<HazardId> = shown.iter().map(|view| view.hazard.id).collect();
    let held = device.disk.rows.iter();
    let held = held.filter(|((kind, _), row)| *kind == RecordKind::Hazard && row.holders > 0);
    for ((_, id), _) in held {
        if !shown.contains(&HazardId(*id)) {
            found.push(Found::new(
                18,
                format!("device {number} does not show {id}"),
            ));
        }
    }
}

/// The hazards of a place that its window leaves out, counted anew by the hazards themselves: those that came to their
/// end too long ago, and beyond the bytes all but the newest.
fn outside_of_the_window(hub: &Hub, scope: Scope) -> BTreeSet<HazardId> {
    let rows = hub.memory.tables.scopes.get(&scope);
    let ended = hub.memory.tables.hazards.values().filter_map(|hazard| {
        let row = rows?.rows.get(&(RecordKind::Hazard, hazard.id.0))?;
        row.record.as_ref().filter(|_| hazard.is_settled())?;
        let bytes = row.record.as_ref()?.body.0.len() as u64;
        Some((row.settled_at?, hazard.id, bytes))
    });
    let mut ended: Vec<_> = ended.collect();
    ended.sort_unstable();
    let begins = -i64::from(WINDOW.closed_days) * 86_400_000;
    let begins = hub.kept_at.plus_millis(begins);
    let (mut bytes, mut full) = (0, false);
    let mut outside = BTreeSet::new();
    for (settled_at, id, size) in ended.into_iter().rev() {
        full |= settled_at < begins || bytes + size > WINDOW.closed_bytes;
        bytes += size;
        if full {
            outside.insert(id);
        }
    }
    outside
}

/// Invariants 7 and 9 of the reference data, by what there is and not by what the hub's feed says of it.
fn check_catalog(hub: &Hub, (number, device): (usize, &Profile), found: &mut Vec<Found>) {
    let members = device.disk.members.get(&Scope::Catalog);
    for (id, (version, body)) in &hub.catalog.held {
        let key = (RecordKind::Criterion, *id);
        let row = device.disk.rows.get(&key);
        if members.is_none_or(|rows| !rows.contains_key(&key)) {
            found.push(Found::new(
                9,
                format!("device {number}: criterion {id} is missing"),
            ));
        } else if row.is_none_or(|row| (row.version, &row.body) != (*version, body)) {
            let what = format!("device {number}: criterion {id} is not as at the hub");
            found.push(Found::new(7, what));
        }
    }
    let held = members.into_iter().flat_map(|rows| rows.keys());
    for (_, id) in held.filter(|(kind, _)| *kind == RecordKind::Criterion) {
        if !hub.catalog.held.contains_key(id) {
            let what = format!("device {number}: criterion {id} was withdrawn");
            found.push(Found::new(7, what));
        }
    }
}

/// Invariants 7, 8 and 9 by the hazards themselves, and not by what the hub's feed says of them: every hazard of a
/// place is there that its window does not leave out, and no other.
fn check_whole(
    hub: &Hub,
    (number, device): (usize, &Profile),
    scope: Scope,
    found: &mut Vec<Found>,
) {
    let rows = device.disk.members.get(&scope);
    let outside = outside_of_the_window(hub, scope);
    for hazard in hub.memory.tables.hazards.values() {
        let within = match scope {
            Scope::Jurisdiction(town) => hazard.jurisdiction_id == town,
            Scope::Enterprise(firm) => hazard.enterprise_id == Some(firm),
            _ => false,
        };
        let key = (RecordKind::Hazard, hazard.id.0);
        let held = rows.is_some_and(|rows| rows.contains_key(&key));
        let id = hazard.id;
        if within && outside.contains(&id) {
            if held {
                let what = format!("device {number}, {scope}: {id:?} is outside of the window");
                found.push(Found::new(7, what));
            }
            continue;
        }
        if within && !held {
            found.push(Found::new(
                9,
                format!("device {number}, {scope}: {id:?} is missing"),
            ));
        }
        if held && !within {
            found.push(Found::new(
                8,
                format!("device {number}, {scope}: {id:?} is elsewhere"),
            ));
        }
    }
}
