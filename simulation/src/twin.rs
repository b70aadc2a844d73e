//! Invariant 20, as far as one process can show it: a second hub that hears the same says the same. What the server's two
//! databases say to the same traces is held against it in the server's own tests.

use hazardloop_sync_protocol::wire::{Outcome, PushResponse, PushResult};

use crate::hub::Hub;
use crate::network::push_from;
use crate::oracle::Found;
use crate::schedule::Schedule;
use crate::trace::{Event, Trace, record};
use crate::variant::Variant;

/// Plays a schedule, and has a second hub hear what the first one heard.
pub fn play_twice(schedule: &Schedule, variant: Variant) -> Vec<Found> {
    let mut said = Twin {
        hub: Hub::new(Variant::Sound),
        altered: variant != Variant::AltersOneReceipt,
    };
    said.differences(&record(schedule))
}

struct Twin {
    hub: Hub,
    /// Nothing is to be altered any more.
    altered: bool,
}

impl Twin {
    fn differences(&mut self, trace: &Trace) -> Vec<Found> {
        let mut found = Vec::new();
        for heard in &trace.heard {
            self.hub.now = heard.at;
            match &heard.what {
                Event::Enrolled {
                    install_id,
                    person_id,
                    public_key,
                } => self.hub.enrol(*install_id, *person_id, public_key.clone()),
                Event::Push { by, bytes, answer } => {
                    let request = push_from(bytes);
                    let mut own = request.and_then(|request| self.hub.push(*by, &request));
                    self.alter(own.as_mut());
                    let (said, own) = (answer.as_ref().map(results), own.as_ref().map(results));
                    if said != own {
                        let what = format!("at {}: {said:?} and {own:?}", heard.at);
                        found.push(Found::new(20, what));
                    }
                }
                // It changes nothing at a hub.
                Event::Pull { .. } => {}
                Event::EnterpriseMoved { id, .. } => self.hub.move_firm(*id),
                Event::RoleMoved {
                    person_id, begun, ..
                } => drop(self.hub.begin_role(*person_id, begun.clone())),
                Event::RemovalsForgotten => self.hub.forget_removals(),
                Event::WindowsKept => self.hub.keep_windows(),
            }
        }
        found
    }

    /// [`Variant::AltersOneReceipt`]: one version of one receipt is another.
    fn alter(&mut self, answer: Option<&mut PushResponse>) {
        for result in answer.into_iter().flat_map(|answer| &mut answer.results) {
            if let PushResult::Receipt(receipt) = result
                && let Outcome::Applied { version, .. } = &mut receipt.outcome
                && !std::mem::replace(&mut self.altered, true)
            {
                *version += 1;
            }
        }
    }
}

fn results(answer: &PushResponse) -> (&[PushResult], i64, Option<i64>) {
    (&answer.results, answer.last, answer.expected)
}
