//! What commands say of jurisdictions that were merged: devices that were off for weeks name them still.

use hazardloop_domain::command::{Action, Command, FollowEnterprise, Subject};
use hazardloop_domain::hazard::{Hazard, HazardEvent};
use hazardloop_domain::ids::JurisdictionId;
use hazardloop_domain::refusal::Refusal;

use super::{Sender, WorkingSet};
use crate::failure::Failure;
use crate::store::{Conn, merges};

impl WorkingSet<'_> {
    /// Who answers for what is said to be in `id`: itself, or, once it has given way, the last of its successors.
    pub(super) fn standing_for(
        &mut self,
        conn: &mut Conn,
        mut id: JurisdictionId,
    ) -> Result<JurisdictionId, Failure> {
        while let Some(into) = self.lineage(conn, id)?.gave_way_to {
            id = into;
        }
        Ok(id)
    }

    /// A hazard that a command has left in a jurisdiction that gave way (handed over to it, or sent back to it) is its
    /// successor's, in the same transaction. What was signed stays as it was signed.
    pub(super) fn out_of_merged(
        &mut self,
        conn: &mut Conn,
        hazard: Hazard,
    ) -> Result<Hazard, Failure> {
        let into = self.standing_for(conn, hazard.jurisdiction_id)?;
        if into == hazard.jurisdiction_id {
            return Ok(hazard);
        }
        let change = FollowEnterprise {
            jurisdiction_id: into,
            merged_from: Some(hazard.jurisdiction_id),
        };
        let followed = [HazardEvent::JurisdictionMerged { change }];
        self.record(hazard.id, &followed, &Sender::SERVER)
    }

    /// Refuses to hand a hazard over to what was merged into the very jurisdiction that answers for it.
    pub(super) fn not_to_where_it_is(
        &mut self,
        conn: &mut Conn,
        command: &Command,
    ) -> Result<(), Failure> {
        let (Action::Transfer(transfer), Subject::Hazard(id)) =
            (&command.action, command.subject())
        else {
            return Ok(());
        };
        let here = self.hazard(conn, id)?.map(|hazard| hazard.jurisdiction_id);
        if let Some((named, here)) = transfer.to_jurisdiction.zip(here)
            && named != here
            && self.standing_for(conn, named)? == here
        {
            let rule = "was merged into the one that answers for the hazard already";
            return Err(Refusal::invalid_field("to_jurisdiction", rule).into());
        }
        Ok(())
    }

    /// These jurisdictions and all that was merged into one of them: what such a body has decided, its successor may
    /// take back.
    pub(super) fn with_predecessors(
        conn: &mut Conn,
        mut these: Vec<JurisdictionId>,
    ) -> Result<Vec<JurisdictionId>, Failure> {
        these.extend(merges::all_merged_into(conn, &these)?);
        Ok(these)
    }
}
