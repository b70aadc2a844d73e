//! The part of the one door that keeps the queue of what no department answers for: see
//! [`crate::usecases::unclaimed`].

use hazardloop_domain::hazard::Hazard;
use hazardloop_domain::ids::HazardId;

use super::WorkingSet;
use crate::failure::Failure;
use crate::store::WriteTx;
use crate::store::unclaimed::{self, Waiting};
use crate::usecases::unclaimed::Answers;

/// A hazard about which the queue has to learn something.
pub(super) struct Turned {
    /// It may be in the queue, as what it was.
    left: Option<HazardId>,
    /// It belongs there if nobody answers for it.
    waits: Option<Waiting>,
}

impl Turned {
    /// `None`: nothing changed that the queue goes by.
    pub(super) fn of(stored: Option<&Hazard>, current: &Hazard) -> Option<Self> {
        let (before, waits) = (stored.and_then(Waiting::of), Waiting::of(current));
        (before != waits).then(|| Self {
            left: before.map(|before| before.id),
            waits,
        })
    }
}

impl WorkingSet<'_> {
    /// To be called once the hazards are written: whoever recounts the queue at the same time waits
    /// for their rows, or they for the recount.
    pub(super) fn settle_queue(
        &mut self,
        tx: &mut WriteTx<'_>,
        turned: Vec<Turned>,
    ) -> Result<(), Failure> {
        let (mut left, mut rows) = (Vec::new(), Vec::new());
        let mut answers = Answers::default();
        for Turned { left: was, waits } in turned {
            left.extend(was);
            let Some(waits) = waits else { continue };
            let way = &self.lineage(tx.conn(), waits.jurisdiction_id)?.ancestors;
            if !answers.is_somebody(tx.conn(), way, waits.sector.as_deref())? {
                rows.extend(waits.rows(way));
            }
        }
        unclaimed::remove(tx, &left)?;
        unclaimed::put(tx, rows)?;
        Ok(())
    }
}
