//! What one transaction has read, and what the rules have decided and is yet to be written.
//!
//! Each thing is read once: what a transaction has seen holds for it. What is decided is written
//! by [`WorkingSet::store`], each kind of row in as few statements as there can be.

mod storing;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use hazardloop_domain::access::{Grant, Place};
use hazardloop_domain::command::Subject;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::{Hazard, HazardEvent, Photo};
use hazardloop_domain::ids::{EnterpriseId, HazardId, InspectionId, JurisdictionId, PersonId};
use hazardloop_domain::inspection::{Inspection, InspectionEvent};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::Scope;
use uuid::Uuid;

use super::aggregate::{Aggregate, Slot, Standing};
use super::{Door, Sender, lineage, scopes_of, tasks_of};
use crate::failure::Failure;
use crate::store::enterprises::{self, Seat};
use crate::store::events::{self, Linked};
use crate::store::hazards::{self, Loaded};
use crate::store::places::Lineage;
use crate::store::{Conn, access, inspections};

/// See the top of this file. It belongs to one transaction and one moment.
pub struct WorkingSet<'a> {
    door: &'a Door,
    now: Timestamp,
    /// By id, so that rows are written, and locked, in one order by everybody.
    hazards: BTreeMap<HazardId, Slot<Hazard>>,
    inspections: BTreeMap<InspectionId, Slot<Inspection>>,
    /// In the order in which they were decided.
    events: Vec<Linked>,
    /// Statements whose co-signatures took effect in this transaction.
    pub(super) co_signed: BTreeSet<Digest>,
    grants: BTreeMap<PersonId, Vec<Grant>>,
    seats: BTreeMap<EnterpriseId, Option<Seat>>,
    lineages: BTreeMap<JurisdictionId, Lineage>,
}

impl<'a> WorkingSet<'a> {
    pub(super) fn new(door: &'a Door, now: Timestamp) -> Self {
        Self {
            door,
            now,
            hazards: BTreeMap::new(),
            inspections: BTreeMap::new(),
            events: Vec::new(),
            co_signed: BTreeSet::new(),
            grants: BTreeMap::new(),
            seats: BTreeMap::new(),
            lineages: BTreeMap::new(),
        }
    }

    pub(super) fn door(&self) -> &'a Door {
        self.door
    }

    /// Co-signatures that one command may have.
    pub fn most_co_signatures(&self) -> usize {
        self.door.most_co_signatures
    }

    /// When the transaction's commands are received.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Reads what commands are about to name, in one statement a kind.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn expect(&mut self, conn: &mut Conn, subjects: &[Subject]) -> Result<(), Failure> {
        let (mut hazards, mut inspections) = (Vec::new(), Vec::new());
        for subject in subjects {
            match subject {
                Subject::Hazard(id) => hazards.push(*id),
                Subject::Inspection(id) => inspections.push(*id),
            }
        }
        if !hazards.is_empty() {
            for Loaded { hazard, head } in hazards::load_all(conn, &hazards)? {
                self.hazards.insert(hazard.id, Slot::loaded(hazard, head));
            }
        }
        if !inspections.is_empty() {
            for (inspection, head) in inspections::load_all(conn, &inspections)? {
                let id = inspection.id;
                self.inspections.insert(id, Slot::loaded(inspection, head));
            }
        }
        hazards.retain(|id| !self.hazards.contains_key(id));
        inspections.retain(|id| !self.inspections.contains_key(id));
        let unknown = hazards.iter().map(|id| id.0);
        let unknown: Vec<Uuid> = unknown.chain(inspections.iter().map(|id| id.0)).collect();
        let taken = events::known(conn, &unknown)?;
        for id in hazards {
            self.hazards.insert(id, Slot::empty(taken.contains(&id.0)));
        }
        for id in inspections {
            let slot = Slot::empty(taken.contains(&id.0));
            self.inspections.insert(id, slot);
        }
        Ok(())
    }

    /// Whether there is no such subject and the id is that of something else, were it begun in
    /// this very transaction.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn is_taken(&mut self, conn: &mut Conn, subject: Subject) -> Result<bool, Failure> {
        Ok(match subject {
            Subject::Hazard(id) => {
                self.hazard(conn, id)?;
                let twin = self.inspections.get(&InspectionId(id.0));
                self.hazards.get(&id).is_some_and(|slot| slot.taken)
                    || twin.is_some_and(|slot| slot.current.is_some())
            }
            Subject::Inspection(id) => {
                self.inspection(conn, id)?;
                let twin = self.hazards.get(&HazardId(id.0));
                self.inspections.get(&id).is_some_and(|slot| slot.taken)
                    || twin.is_some_and(|slot| slot.current.is_some())
            }
        })
    }

    /// A hazard as it is now, decided and not yet written things included; `None`: there is none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn hazard(&mut self, conn: &mut Conn, id: HazardId) -> Result<Option<&Hazard>, Failure> {
        if !self.hazards.contains_key(&id) {
            self.expect(conn, &[Subject::Hazard(id)])?;
        }
        let slot = self.hazards.get(&id);
        Ok(slot.and_then(|slot| slot.current.as_ref()))
    }

    /// An inspection, likewise.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn inspection(
        &mut self,
        conn: &mut Conn,
        id: InspectionId,
    ) -> Result<Option<&Inspection>, Failure> {
        if !self.inspections.contains_key(&id) {
            self.expect(conn, &[Subject::Inspection(id)])?;
        }
        let slot = self.inspections.get(&id);
        Ok(slot.and_then(|slot| slot.current.as_ref()))
    }

    /// The version of a subject as it is now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn version(&mut self, conn: &mut Conn, of: Subject) -> Result<Option<i64>, Failure> {
        Ok(match of {
            Subject::Hazard(id) => self.hazard(conn, id)?.map(|hazard| hazard.version),
            Subject::Inspection(id) => self.inspection(conn, id)?.map(|it| it.version),
        })
    }

    /// The photos that a subject names.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn photos_of(&mut self, conn: &mut Conn, of: Subject) -> Result<Vec<Photo>, Failure> {
        let photos = match of {
            Subject::Hazard(id) => self.hazard(conn, id)?.map(|hazard| hazard.photos.clone()),
            Subject::Inspection(id) => self.inspection(conn, id)?.map(|it| it.photos.clone()),
        };
        Ok(photos.unwrap_or_default())
    }

    /// Where a subject stands in the world of scopes; `None`: there is none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn place_of(&mut self, conn: &mut Conn, of: Subject) -> Result<Option<Place>, Failure> {
        match of {
            Subject::Hazard(id) => {
                let Some(hazard) = self.hazard(conn, id)?.cloned() else {
                    return Ok(None);
                };
                let lineage = self.lineage(conn, hazard.jurisdiction_id)?;
                Ok(Some(hazard.place(lineage.ancestors.clone())))
            }
            Subject::Inspection(id) => {
                let Some(inspection) = self.inspection(conn, id)?.cloned() else {
                    return Ok(None);
                };
                let lineage = self.lineage(conn, inspection.jurisdiction_id)?;
                Ok(Some(inspection.place(lineage.ancestors.clone())))
            }
        }
    }

    /// All grants of a person, past and present.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn grants(&mut self, conn: &mut Conn, of: PersonId) -> Result<&[Grant], Failure> {
        Ok(match self.grants.entry(of) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unread) => unread.insert(access::grants_of(conn, of)?),
        })
    }

    /// The way from the root to a jurisdiction that is known to exist.
    ///
    /// # Errors
    /// When the database does not answer, or the jurisdiction is gone.
    pub fn lineage(&mut self, conn: &mut Conn, of: JurisdictionId) -> Result<&Lineage, Failure> {
        Ok(match self.lineages.entry(of) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unread) => unread.insert(lineage(conn, of)?),
        })
    }

    /// Where the enterprise stands, and stays until the transaction ends; `None`: there is no such
    /// enterprise.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn seat(&mut self, conn: &mut Conn, of: EnterpriseId) -> Result<Option<Seat>, Failure> {
        Ok(match self.seats.entry(of) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unread) => unread.insert(enterprises::seat_held(conn, of)?),
        }
        .clone())
    }

    /// Whether what was decided so far has taken the subject out of one of `scopes`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn has_left(
        &mut self,
        conn: &mut Conn,
        subject: Subject,
        scopes: &[Scope],
    ) -> Result<bool, Failure> {
        match subject {
            Subject::Hazard(id) => {
                let slot = self.hazards.get(&id).cloned();
                self.slot_has_left(conn, slot, scopes)
            }
            Subject::Inspection(id) => {
                let slot = self.inspections.get(&id).cloned();
                self.slot_has_left(conn, slot, scopes)
            }
        }
    }

    fn slot_has_left<T: Aggregate>(
        &mut self,
        conn: &mut Conn,
        slot: Option<Slot<T>>,
        scopes: &[Scope],
    ) -> Result<bool, Failure> {
        let slot = slot.filter(|slot| slot.changed);
        let both = slot.and_then(|slot| slot.stored.zip(slot.current));
        let Some((before, now)) = both else {
            return Ok(false);
        };
        if before.standing() == now.standing() {
            return Ok(false);
        }
        let before = self.scopes_holding(conn, &before.standing())?;
        let now = self.scopes_holding(conn, &now.standing())?;
        let left = |scope: &Scope| before.contains(scope) && !now.contains(scope);
        Ok(scopes.iter().any(left))
    }

    /// Chains events onto the history of a hazard that was looked for, and applies them.
    pub(in crate::usecases) fn record(
        &mut self,
        id: HazardId,
        new_events: &[HazardEvent],
        sender: &Sender,
    ) -> Result<Hazard, Failure> {
        let slot = self.hazards.entry(id).or_insert(Slot::empty(false));
        let (hazard, mut linked) = slot.chain(id.0, new_events, self.now, sender)?;
        if !linked.is_empty() {
            let signed = sender.origin.co_signers.iter();
            self.co_signed.extend(signed.map(|by| by.statement));
        }
        self.events.append(&mut linked);
        Ok(hazard)
    }

    /// The same of an inspection.
    pub(in crate::usecases) fn record_inspection(
        &mut self,
        id: InspectionId,
        new_events: &[InspectionEvent],
        sender: &Sender,
    ) -> Result<Inspection, Failure> {
        let slot = self.inspections.entry(id).or_insert(Slot::empty(false));
        let (inspection, mut linked) = slot.chain(id.0, new_events, self.now, sender)?;
        if !linked.is_empty() {
            let signed = sender.origin.co_signers.iter();
            self.co_signed.extend(signed.map(|by| by.statement));
        }
        self.events.append(&mut linked);
        Ok(inspection)
    }

    /// The scopes that hold a subject: of its enterprise, of who answers for it and all above, of who
    /// handed it in, of those for whom it waits, and while it is being handed over, of who hands it over.
    fn scopes_holding(
        &mut self,
        conn: &mut Conn,
        standing: &Standing<'_>,
    ) -> Result<Vec<Scope>, Failure> {
        let lineage = self.lineage(conn, standing.jurisdiction)?;
        let mut scopes = scopes_of(standing.enterprise, lineage, standing.sector);
        scopes.extend(tasks_of(&standing.tasked, lineage, standing.sector));
        scopes.extend(standing.handed_in_by.map(Scope::OwnReports));
        if let Some(from) = standing.handed_over_by {
            scopes.extend(scopes_of(None, self.lineage(conn, from)?, standing.sector));
            scopes.sort_unstable();
            scopes.dedup();
        }
        Ok(scopes)
    }
}
