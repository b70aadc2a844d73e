//! The suites over what keeps everything in memory.

use std::collections::BTreeMap;

use hazardloop_domain::access::{Certificate, Grant, GrantScope, PersonRecord, Role};
use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::enterprise::{Enterprise, EnterpriseProfile};
use hazardloop_domain::ids::{EnterpriseId, GrantId, InstallId, JurisdictionId, PersonId};
use hazardloop_domain::time::Timestamp;
use hazardloop_domain::time_proof::TimeProof;

use super::device::DeviceUnderTest;
use super::hub::{HubUnderTest, NoAnswer};
use crate::device::{State, StoreOp};
use crate::digest::DigestKey;
use crate::hub::RequestRefused;
use crate::hub::memory::{DomainRules, MemoryHub, NotAnswered, Window};
use crate::wire::{
    ClosedWindow, OfferRequest, OfferResponse, PullRequest, PullResponse, PushRequest, PushResponse,
};

struct InMemory {
    hub: MemoryHub,
    now: Timestamp,
}

fn refused(reason: NotAnswered) -> NoAnswer {
    match reason {
        NotAnswered::Refused(RequestRefused::TooLarge { .. }) => NoAnswer::TooLarge,
        NotAnswered::Refused(RequestRefused::Invalid { .. }) => NoAnswer::Invalid,
        NotAnswered::Refused(RequestRefused::UpgradeRequired { .. }) => NoAnswer::UpgradeRequired,
        NotAnswered::UnknownInstall => NoAnswer::UnknownDevice,
        NotAnswered::Revoked => NoAnswer::Revoked,
        NotAnswered::NotRevoked => NoAnswer::NotRevoked,
        NotAnswered::OutOfStep(_) => NoAnswer::Other,
    }
}

impl HubUnderTest for InMemory {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn set_now(&mut self, now: Timestamp) {
        self.now = now;
    }

    fn add_town(&mut self, _: JurisdictionId) {}

    fn add_enterprise_of(&mut self, sector: &str, id: EnterpriseId, town: JurisdictionId) {
        self.hub.tables.put_enterprise(Enterprise {
            id,
            name: "某厂".to_owned(),
            credit_code: None,
            jurisdiction_id: town,
            sector: sector.to_owned(),
            address: None,
            position: None,
            version: 1,
            profile: EnterpriseProfile::default(),
        });
    }

    fn add_person_for(&mut self, sectors: &[&str], id: PersonId, role: Role, over: GrantScope) {
        let certificate = (role == Role::Inspector).then(|| Certificate {
            number: format!("渝A-{id}"),
            valid_to: None,
        });
        let grant = Grant {
            certificate,
            sectors: sectors.iter().map(|name| (*name).to_owned()).collect(),
            ..Grant::new(GrantId(id.0), role, over, self.now)
        };
        self.hub.tables.put_person(PersonRecord {
            id,
            login: id.to_string(),
            name: "某人".to_owned(),
            grants: vec![grant],
            version: 1,
        });
    }

    fn end_role(&mut self, id: PersonId) {
        let mut person = self.hub.tables.people[&id].clone();
        person.grants[0].valid_until = Some(self.now);
        person.version += 1;
        self.hub.tables.put_person(person);
    }

    fn move_enterprise(&mut self, id: EnterpriseId, to: JurisdictionId) {
        self.hub.tables.move_enterprise(id, to, self.now);
    }

    fn window(&self) -> ClosedWindow {
        let Window {
            closed_days,
            closed_bytes,
        } = self.hub.tables.window.unwrap();
        ClosedWindow {
            closed_days,
            closed_bytes,
            complete_after: None,
        }
    }

    fn keep_windows(&mut self) {
        self.hub.tables.keep_windows(self.now);
    }

    fn forget_removals(&mut self) {
        let scopes: Vec<_> = self.hub.tables.scopes.keys().copied().collect();
        for scope in scopes {
            self.hub.tables.forget_removals(scope);
        }
    }

    fn enrol(&mut self, install_id: InstallId, person_id: PersonId, public_key: Vec<u8>) {
        self.hub.tables.enrol(install_id, person_id, public_key);
    }

    fn revoke(&mut self, install_id: InstallId) {
        let install = self.hub.tables.installs.get_mut(&install_id);
        install.unwrap().revoked = true;
    }

    fn time_proof(&mut self, command: SentCommand) -> TimeProof {
        self.hub.tables.time_proof(command).unwrap()
    }

    fn push(&mut self, by: PersonId, request: PushRequest) -> Result<PushResponse, NoAnswer> {
        self.hub.push(by, &request, self.now).map_err(refused)
    }

    fn pull(&mut self, by: PersonId, request: PullRequest) -> Result<PullResponse, NoAnswer> {
        self.hub.pull(by, &request, self.now).map_err(refused)
    }

    fn offer(&mut self, request: OfferRequest) -> Result<OfferResponse, NoAnswer> {
        self.hub.offer(&request, self.now).map_err(refused)
    }
}

fn on_a_hub_in_memory(case: impl Fn(&mut dyn HubUnderTest)) {
    let mut hub = MemoryHub::new("one", DigestKey([5; 16]), DomainRules);
    hub.tables.window = Some(Window {
        closed_days: 10,
        closed_bytes: 2_000,
    });
    let now = Timestamp::from_millis(1_795_309_200_000);
    case(&mut InMemory { hub, now });
}

mod hub {
    use super::on_a_hub_in_memory;

    crate::hub_cases!(on_a_hub_in_memory);
}

/// That removals are forgotten is noticed by no device, wherever its cursor is.
#[test]
fn compaction_is_invisible_from_any_cursor() {
    use super::hub::Phone;
    use crate::wire::{Record, RecordKind, Scope};

    let now = Timestamp::from_millis(1_795_309_200_000);
    let me = PersonId(uuid::Uuid::from_u128(1));
    let scope = Scope::Person(me);
    let record = |n: u128| Record {
        kind: RecordKind::Criterion,
        id: uuid::Uuid::from_u128(n),
        version: 1,
        body: crate::wire::Bytes(vec![7; 10]),
    };
    let hub = MemoryHub::new("one", DigestKey([5; 16]), DomainRules);
    let mut hub = InMemory { hub, now };
    let mut newest = Phone::enrolled(&mut hub, 1, me);
    let mut phones: BTreeMap<usize, Phone> = BTreeMap::new();
    for step in 0..12 {
        let n = (step % 5) as u128;
        match step % 3 {
            2 => hub
                .hub
                .tables
                .remove(scope, RecordKind::Criterion, record(n).id),
            _ => hub.hub.tables.put(scope, record(n)),
        }
        let mut phone = Phone::new(1, me, now);
        phone.pull_until(&mut hub, |_| true);
        phones.insert(step, phone);
    }
    hub.hub.tables.forget_removals(scope);
    newest.pull_until(&mut hub, |_| true);
    for (step, mut phone) in phones {
        phone.pull_until(&mut hub, |_| true);
        assert_eq!(
            phone.scopes[&scope].rows, newest.scopes[&scope].rows,
            "{step}"
        );
    }
}

/// What the device half holds in memory is what every store has to be equal to.
#[derive(Default)]
struct OfState(State);

impl DeviceUnderTest for OfState {
    fn apply(&mut self, ops: &[StoreOp]) {
        self.0.apply(ops);
    }

    fn reopened(&mut self) -> State {
        let mut state = self.0.clone();
        state.recompute_held();
        state
    }
}

fn on_a_device_in_memory(case: impl Fn(&mut dyn DeviceUnderTest)) {
    case(&mut OfState::default());
}

mod device {
    use super::on_a_device_in_memory;

    crate::device_cases!(on_a_device_in_memory);
}
