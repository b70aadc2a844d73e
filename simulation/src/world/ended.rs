//! Invariant 8 without a network: what only a role gave whose known end has come is not shown, though it is still there.

use hazardloop_domain::access::PersonRecord;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::Meta;
use hazardloop_sync_protocol::hub::scopes_granted;
use hazardloop_sync_protocol::wire::RecordKind;

use super::World;
use crate::device::{Device, Profile};
use crate::oracle::Found;
use crate::variant::Variant;

impl World {
    /// By what each phone itself knows of its people's roles, and of the time.
    pub(super) fn look_for_ended_roles(&mut self, found: &mut Vec<Found>) {
        let mut ended = 0;
        for device in &self.devices {
            let wall = device.wall(self.hub.now);
            for profile in device.profiles() {
                let state = profile.engine.state();
                let now = at_the_hub(&state.meta, wall);
                let Some(person) = known(profile) else {
                    continue;
                };
                let has_ended = |until: Timestamp| until <= now;
                let mut grants = person.grants.iter();
                if !grants.any(|grant| grant.valid_until.is_some_and(has_ended)) {
                    continue;
                }
                ended += 1;
                let given = scopes_granted(person.id, &person.grants, now);
                // The variant goes by the last contact, as if no time passed without a network.
                let asked = match self.variant {
                    Variant::ShowsAfterTheEnd => Timestamp::from_millis(0),
                    _ => wall,
                };
                for view in profile.engine.hazards(asked) {
                    let key = (RecordKind::Hazard, view.hazard.id.0);
                    let mut holders = state.members.iter();
                    let mut holders = holders
                        .by_ref()
                        .filter(|(_, rows)| rows.contains_key(&key))
                        .map(|(scope, _)| scope)
                        .peekable();
                    if holders.peek().is_some() && !holders.any(|scope| given.contains(scope)) {
                        found.push(shown(device, &view.hazard.id));
                    }
                }
            }
        }
        if ended > 0 {
            self.count("role ended on a phone");
        }
    }
}

fn shown(device: &Device, id: &impl std::fmt::Debug) -> Found {
    let number = device.number;
    Found::new(8, format!("device {number} shows {id:?} by an ended role"))
}

/// The person as their phone knows them.
fn known(profile: &Profile) -> Option<PersonRecord> {
    let key = (RecordKind::Person, profile.person.id.0);
    let row = profile.engine.state().rows.get(&key)?;
    minicbor::decode(&row.body).ok()
}

/// What the hub's clock may say, by the phone's own and by what the hub said last.
fn at_the_hub(meta: &Meta, wall: Timestamp) -> Timestamp {
    let (Some(told), Some(own)) = (meta.server_time, meta.contact_at) else {
        return wall;
    };
    let ahead = told.as_millis() - own.as_millis();
    wall.plus_millis(ahead).max(told)
}
