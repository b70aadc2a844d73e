//! What really reached the hub of a schedule, in order and with what the hub said: to be replayed against another hub,
//! which must say the same. And what its phones wrote, to be written by real stores.

use std::collections::BTreeMap;

use hazardloop_domain::access::Grant;
use hazardloop_domain::ids::{EnterpriseId, GrantId, InstallId, JurisdictionId, PersonId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::{ResponseBody, StoreOp};
use hazardloop_sync_protocol::wire::{PullResponse, PushResponse};

use crate::hub::Hub;
use crate::network::Carried;
use crate::schedule::{Schedule, Step};
use crate::variant::Variant;
use crate::world::World;

/// Most events of one trace.
const MOST_EVENTS: usize = 5_000;

/// Most bytes of requests in one trace.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// One thing that the hub was told, or that happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A new install was enrolled.
    Enrolled {
        /// Which.
        install_id: InstallId,
        /// Whose.
        person_id: PersonId,
        /// Its key.
        public_key: Vec<u8>,
    },
    /// A push arrived.
    Push {
        /// Whose.
        by: PersonId,
        /// As it came.
        bytes: Vec<u8>,
        /// What the hub said; `None`: it refused the whole request.
        answer: Option<PushResponse>,
    },
    /// A pull arrived.
    Pull {
        /// Whose.
        by: PersonId,
        /// As it came. Its cursors are those of this hub: another one has to be asked with its own.
        bytes: Vec<u8>,
        /// What the hub said; `None`: it refused the whole request.
        answer: Option<PullResponse>,
    },
    /// An enterprise moved.
    EnterpriseMoved {
        /// Which.
        id: EnterpriseId,
        /// Where to.
        to: JurisdictionId,
    },
    /// Somebody's roles ended, and another one began.
    RoleMoved {
        /// Whose.
        person_id: PersonId,
        /// Those that ended.
        ended: Vec<GrantId>,
        /// The one that began.
        begun: Grant,
    },
    /// The hub forgot what its scopes hold no longer.
    RemovalsForgotten,
    /// The hub left out what is outside of its windows.
    WindowsKept,
}

/// An event, and the true time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Event,
}

/// All that a hub heard, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// What.
    pub heard: Vec<Heard>,
    /// There was more than a trace holds: it is the beginning.
    pub cut: bool,
    bytes: usize,
}

impl Trace {
    fn note(&mut self, at: Timestamp, what: Event) {
        let bytes = match &what {
            Event::Push { bytes, .. } | Event::Pull { bytes, .. } => bytes.len(),
            _ => 0,
        };
        self.cut |= self.heard.len() >= MOST_EVENTS || self.bytes + bytes > MOST_BYTES;
        if !self.cut {
            self.bytes += bytes;
            self.heard.push(Heard { at, what });
        }
    }
}

/// Whether all that comes of a step are pushes, pulls, and what a trace can say. Going back to a backup, another build
/// of the hub, its reference data and the bytes of photos are not.
const fn is_a_request(step: Step) -> bool {
    !matches!(
        step,
        Step::ChangeCatalog
            | Step::BackUpHub
            | Step::RestoreHub
            | Step::UpgradeHub
            | Step::Revoke(..)
            | Step::EndRole(_)
            | Step::MergeInto(_)
            | Step::Photograph(_)
            | Step::SpoilPhoto(_)
            | Step::Chunk(..)
    )
}

/// Plays a schedule once and answers what its hub heard, without the steps of which more comes than a trace can say.
pub fn record(schedule: &Schedule) -> Trace {
    let mut world = World::new(Variant::Sound);
    world.hub.begin_trace();
    let mut schedule = schedule.clone();
    schedule.steps.retain(|(_, step)| is_a_request(*step));
    world.go(&schedule);
    world.hub.trace.take().unwrap_or_default()
}

/// What became durable on phones, by whose it is, write by write.
pub type Writes = BTreeMap<PersonId, Vec<Vec<StoreOp>>>;

/// Plays a schedule once and answers what its phones wrote: to be written by a real store, whose power is cut. A phone
/// that is put back to an earlier state, or wiped, is left out: no write does that.
pub fn record_writes(schedule: &Schedule) -> Writes {
    let mut world = World::new(Variant::Sound);
    world.writes = Some(Writes::new());
    let mut schedule = schedule.clone();
    let steps = &mut schedule.steps;
    steps.retain(|(_, step)| !matches!(step, Step::RestorePhone(_) | Step::Revoke(..)));
    world.go(&schedule);
    world.writes.take().unwrap_or_default()
}

impl Hub {
    /// Notes from now on what it hears, first of all who is enrolled.
    fn begin_trace(&mut self) {
        self.trace = Some(Trace::default());
        let installs = self.memory.tables.installs.iter();
        let enrolled = installs.map(|(id, install)| Event::Enrolled {
            install_id: *id,
            person_id: install.person_id,
            public_key: install.stream.public_key.clone(),
        });
        for event in enrolled.collect::<Vec<_>>() {
            self.note(|| event);
        }
    }

    /// Notes what happened, if anybody wants to know.
    pub(crate) fn note(&mut self, what: impl FnOnce() -> Event) {
        if let Some(trace) = &mut self.trace {
            trace.note(self.now, what());
        }
    }

    /// Notes a request that arrived, as whose, and what was said to it.
    pub(crate) fn note_request(
        &mut self,
        by: PersonId,
        carried: &Carried,
        said: Option<&ResponseBody>,
    ) {
        let event = match (carried, said) {
            (Carried::Push(bytes), said) => Event::Push {
                by,
                bytes: bytes.clone(),
                answer: match said {
                    Some(ResponseBody::Push(answer)) => Some(answer.clone()),
                    _ => None,
                },
            },
            (Carried::Pull(bytes), said) => Event::Pull {
                by,
                bytes: bytes.clone(),
                answer: match said {
                    Some(ResponseBody::Pull(answer)) => Some(answer.clone()),
                    _ => None,
                },
            },
            // What is recorded is said in full.
            (Carried::Lean(_) | Carried::Packed(_) | Carried::Photo(_), _) => return,
        };
        self.note(|| event);
    }
}
