//! What a push makes of witness statements.

use super::push::{Push, Stage};
use super::push_steps::Stated;
use super::refused::OutOfStep;
use crate::wire::{Outcome, Witness};
use hazardloop_domain::ids::SubjectId;
use hazardloop_domain::refusal::{Refusal, RefusalCode};

/// What a driver says to [`super::PushStep::Witness`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Witnessing {
    /// It is to be weighed, once all is stored.
    Counts,
    /// It can prove nothing: of an unknown install, of its own, or not signed by the device of that chain. Its
    /// author is not told which, for whether an install is there is not for everybody to know.
    IsPassedOver,
    /// This install has made as many as it may.
    TooMany,
}

impl Push<'_> {
    /// Answers [`super::PushStep::Witness`].
    ///
    /// # Errors
    /// [`OutOfStep`] where it was not asked.
    pub fn handle_witness(&mut self, what: Witnessing) -> Result<(), OutOfStep> {
        match std::mem::replace(&mut self.stage, Stage::Stored) {
            Stage::Witnessing(read) => {
                self.witness(*read, what);
                self.go_on();
                Ok(())
            }
            other => self.put_back(other, "whether a statement counts"),
        }
    }

    fn witness(&mut self, read: Witness, what: Witnessing) {
        let spoken = Some((SubjectId(read.install_id.0), false));
        let seq = self.current.map_or(0, |(envelope, _)| envelope.seq);
        let outcome = match what {
            Witnessing::TooMany => {
                let rule = "this device has witnessed as often as it may in a day";
                let refusal = Refusal::new(RefusalCode::LimitReached, rule);
                Outcome::Rejected { refusal }
            }
            Witnessing::Counts | Witnessing::IsPassedOver => Outcome::Applied { version: 0 },
        };
        if what == Witnessing::Counts {
            self.stated.push(Stated {
                seq,
                install_id: read.install_id,
                head: read.head,
            });
        }
        self.keep(outcome, spoken);
    }
}
