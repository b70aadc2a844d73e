//! What one transaction has read, and what the rules have decided and is yet to be written.
//!
//! Each thing is read once: what a transaction has seen holds for it. What is decided is written
//! by [`WorkingSet::store`], each kind of row in as few statements as there can be.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use hazardloop_domain::access::{Grant, Place};
use hazardloop_domain::command::Subject;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::{Hazard, HazardEvent, Photo, PhotoState};
use hazardloop_domain::ids::{
    EnterpriseId, HazardId, InspectionId, JurisdictionId, PersonId, SubjectId,
};
use hazardloop_domain::inspection::{Inspection, InspectionEvent};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::Scope;
use uuid::Uuid;

use super::aggregate::{Aggregate, Slot, Standing};
use super::{Door, Sender, lineage, scopes_of};
use crate::failure::Failure;
use crate::store::enterprises::{self, Seat};
use crate::store::events::{self, Linked};
use crate::store::feed::{self, Announced, News};
use crate::store::hazard_lists::{self, Listed};
use crate::store::hazards::{self, Loaded, NamedPhoto, Saved};
use crate::store::lists::Key;
use crate::store::places::Lineage;
use crate::store::{Conn, WriteTx, access, calendars, inspections, search};

/// See the top of this file. It belongs to one transaction and one moment.
pub struct WorkingSet<'a> {
    door: &'a Door,
    now: Timestamp,
    /// By id, so that rows are written, and locked, in one order by everybody.
    hazards: BTreeMap<HazardId, Slot<Hazard>>,
    inspections: BTreeMap<InspectionId, Slot<Inspection>>,
    /// In the order in which they were decided.
    events: Vec<Linked>,
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
            grants: BTreeMap::new(),
            seats: BTreeMap::new(),
            lineages: BTreeMap::new(),
        }
    }

    pub(super) fn door(&self) -> &'a Door {
        self.door
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
        self.events.append(&mut linked);
        Ok(hazard)
    }

    /// The same of an inspection.
    pub(super) fn record_inspection(
        &mut self,
        id: InspectionId,
        new_events: &[InspectionEvent],
        sender: &Sender,
    ) -> Result<Inspection, Failure> {
        let slot = self.inspections.entry(id).or_insert(Slot::empty(false));
        let (inspection, mut linked) = slot.chain(id.0, new_events, self.now, sender)?;
        self.events.append(&mut linked);
        Ok(inspection)
    }

    /// Writes what was decided: events, states, feed rows and photo references. Whoever waits for
    /// events is woken once the transaction is committed.
    ///
    /// # Errors
    /// [`crate::store::StoreError::Stale`] inside when somebody else changed one of the hazards meanwhile.
    pub fn store(mut self, tx: &mut WriteTx<'_>) -> Result<(), Failure> {
        if self.events.is_empty() {
            return Ok(());
        }
        let hazards = std::mem::take(&mut self.hazards);
        let inspections = std::mem::take(&mut self.inspections);
        let (mut news, mut photos) = (News::default(), Vec::new());
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        let mut provisional = Vec::new();
        let (mut listed, mut searched) = (Vec::new(), Vec::new());
        for slot in hazards.into_values().filter(|slot| slot.changed) {
            let Some((hazard, record)) = self.publish(tx, &slot, &mut news, &mut photos)? else {
                continue;
            };
            let stored = slot.stored.as_ref();
            listed.push(self.listed(tx.conn(), hazard, stored)?);
            if stored.is_none_or(|stored| search::is_touched(stored, hazard)) {
                searched.push(key_of(hazard));
            }
            if stored.is_some_and(is_provisional) != is_provisional(hazard) {
                provisional.push((hazard.id, is_provisional(hazard)));
            }
            let district_code = &self
                .lineage(tx.conn(), hazard.jurisdiction_id)?
                .district_code;
            let saved = Saved::new(hazard, record, slot.head, district_code);
            match &slot.stored {
                None => new.push(saved),
                Some(stored) => changed.push((saved, stored.version)),
            }
        }
        let (mut begun, mut gone_on) = (Vec::new(), Vec::new());
        for slot in inspections.into_values().filter(|slot| slot.changed) {
            let Some((inspection, record)) = self.publish(tx, &slot, &mut news, &mut photos)?
            else {
                continue;
            };
            let saved = inspections::Saved::new(inspection, record, slot.head);
            match &slot.stored {
                None => begun.push(saved),
                Some(stored) => gone_on.push((saved, stored.version)),
            }
        }
        events::append_all(tx, self.events)?;
        hazards::insert_all(tx, new)?;
        for (saved, before) in changed {
            hazards::update(tx, saved, before)?;
        }
        calendars::mark(tx, &provisional)?;
        inspections::insert_all(tx, begun)?;
        for (saved, before) in gone_on {
            inspections::update(tx, saved, before)?;
        }
        feed::publish(tx, news)?;
        hazard_lists::store(tx, &listed)?;
        search::put_waiting(tx, &searched)?;
        hazards::name_photos(tx, photos)?;
        let app = self.door.app.clone();
        tx.after_commit(Box::new(move || app.events_wake.notify_one()));
        Ok(())
    }

    /// What the feed and the photo references must learn of a subject; the subject and its CBOR.
    fn publish<'s, T: Aggregate>(
        &mut self,
        tx: &mut WriteTx<'_>,
        slot: &'s Slot<T>,
        news: &mut News,
        photos: &mut Vec<NamedPhoto>,
    ) -> Result<Option<(&'s T, Vec<u8>)>, Failure> {
        let Some(subject) = &slot.current else {
            return Ok(None);
        };
        let record = minicbor::to_vec(subject)
            .map_err(|error| Failure::Internal(format!("encoding a record: {error}")))?;
        let stored = slot.stored.as_ref();
        self.announce(tx.conn(), news, subject, &record, stored)?;
        photos.extend(named_photos(subject, stored, self.now));
        Ok(Some((subject, record)))
    }

    /// The scopes that hold a subject: of its enterprise, of who answers for it and all above, and
    /// while it is being handed over, of who hands it over.
    fn scopes_holding(
        &mut self,
        conn: &mut Conn,
        standing: &Standing<'_>,
    ) -> Result<Vec<Scope>, Failure> {
        let lineage = self.lineage(conn, standing.jurisdiction)?;
        let mut scopes = scopes_of(standing.enterprise, lineage, standing.sector);
        if let Some(from) = standing.handed_over_by {
            scopes.extend(scopes_of(None, self.lineage(conn, from)?, standing.sector));
            scopes.sort_unstable();
            scopes.dedup();
        }
        Ok(scopes)
    }

    /// Where the hazard stood in the lists of its scopes, and where it stands.
    fn listed(
        &mut self,
        conn: &mut Conn,
        hazard: &Hazard,
        stored: Option<&Hazard>,
    ) -> Result<hazard_lists::Moved, Failure> {
        let mut of = |hazard: &Hazard| -> Result<Listed, Failure> {
            let scopes = self.scopes_holding(conn, &hazard.standing())?;
            Ok(Listed::new(hazard, &scopes))
        };
        Ok((stored.map(&mut of).transpose()?, of(hazard)?))
    }

    /// Tells the scopes that hold the subject now, and those that it has left.
    fn announce<T: Aggregate>(
        &mut self,
        conn: &mut Conn,
        news: &mut News,
        subject: &T,
        record: &[u8],
        stored: Option<&T>,
    ) -> Result<(), Failure> {
        let scopes = self.scopes_holding(conn, &subject.standing())?;
        let id = subject.id();
        if let Some(stored) = stored
            && stored.standing() != subject.standing()
        {
            let mut left = self.scopes_holding(conn, &stored.standing())?;
            left.retain(|scope| !scopes.contains(scope));
            news.remove(&left, T::KIND, &id, subject.version(), self.now);
        }
        let announced = Announced {
            kind: T::KIND,
            id: &id,
            version: subject.version(),
            body: record,
            created_at: subject.received_at(),
        };
        news.put(&self.door.key, &scopes, announced);
        Ok(())
    }
}

/// Its place in lists that are ordered by when the report was received.
fn key_of(hazard: &Hazard) -> Key {
    Key {
        at: hazard.received_at.as_millis(),
        id: hazard.id.0,
    }
}

/// Whether a calendar that is not here yet may move its first due date: figures count by it, also of
/// what is closed.
fn is_provisional(hazard: &Hazard) -> bool {
    let first = hazard
        .order()
        .and_then(|order| order.deadline_original.as_ref());
    first.is_some_and(|deadline| deadline.provisional)
}

/// What the references table must learn: new names, and states that changed.
fn named_photos<T: Aggregate>(
    subject: &T,
    stored: Option<&T>,
    now: Timestamp,
) -> impl Iterator<Item = NamedPhoto> {
    let known = move |sha256: &Digest| {
        let photos = stored.map_or(&[][..], T::photos);
        photos
            .iter()
            .find(|photo| photo.reference.sha256 == *sha256)
    };
    let changed = subject.photos().iter().filter(move |photo| {
        let known = known(&photo.reference.sha256);
        known.map(|known| &known.state) != Some(&photo.state)
    });
    let of = T::SUBJECT.with(SubjectId(subject.id()));
    changed.map(move |photo| {
        let state = match photo.state {
            PhotoState::AwaitingPhoto => "awaiting_photo",
            PhotoState::Verified => "verified",
            PhotoState::Lost { .. } => "lost",
        };
        let (sha256, by) = (&photo.reference.sha256, photo.named_by);
        NamedPhoto::new(of, sha256, by, state, now)
    })
}
