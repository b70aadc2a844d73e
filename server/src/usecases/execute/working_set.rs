//! What one transaction has read, and what the rules have decided and is yet to be written.
//!
//! Each thing is read once: what a transaction has seen holds for it. What is decided is written
//! by [`WorkingSet::store`], each kind of row in as few statements as there can be.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use hazardloop_domain::access::Grant;
use hazardloop_domain::hazard::{EventRecord, Hazard, HazardEvent, PhotoState};
use hazardloop_domain::ids::{EnterpriseId, HazardId, JurisdictionId, PersonId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};
use uuid::Uuid;

use super::{Door, Sender, lineage, scopes_of};
use crate::failure::Failure;
use crate::store::enterprises::{self, Seat};
use crate::store::events::{self, Head, Linked, NewEvent};
use crate::store::feed::{self, Announced, News};
use crate::store::hazard_lists::{self, Listed};
use crate::store::hazards::{self, Loaded, NamedPhoto, Saved};
use crate::store::lists::Key;
use crate::store::places::Lineage;
use crate::store::{Conn, WriteTx, access, calendars, search};

/// See the top of this file. It belongs to one transaction and one moment.
pub struct WorkingSet<'a> {
    door: &'a Door,
    now: Timestamp,
    /// By id, so that rows are written, and locked, in one order by everybody.
    hazards: BTreeMap<HazardId, Subject>,
    /// In the order in which they were decided.
    events: Vec<Linked>,
    grants: BTreeMap<PersonId, Vec<Grant>>,
    seats: BTreeMap<EnterpriseId, Option<Seat>>,
    lineages: BTreeMap<JurisdictionId, Lineage>,
}

/// A hazard that was looked for.
#[derive(Default)]
struct Subject {
    /// As the database holds it.
    stored: Option<Hazard>,
    /// As the rules have left it.
    current: Option<Loaded>,
    /// Whether the rules have changed it.
    changed: bool,
    /// There is no such hazard, and something else has this id.
    taken: bool,
}

impl From<Option<Loaded>> for Subject {
    fn from(loaded: Option<Loaded>) -> Self {
        Self {
            stored: loaded.as_ref().map(|loaded| loaded.hazard.clone()),
            current: loaded,
            changed: false,
            taken: false,
        }
    }
}

impl<'a> WorkingSet<'a> {
    pub(super) fn new(door: &'a Door, now: Timestamp) -> Self {
        Self {
            door,
            now,
            hazards: BTreeMap::new(),
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

    /// Reads the hazards that commands are about to name, in one statement.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn expect(&mut self, conn: &mut Conn, ids: &[HazardId]) -> Result<(), Failure> {
        for loaded in hazards::load_all(conn, ids)? {
            self.hazards
                .insert(loaded.hazard.id, Subject::from(Some(loaded)));
        }
        let unknown = ids.iter().filter(|id| !self.hazards.contains_key(id));
        let unknown: Vec<Uuid> = unknown.map(|id| id.0).collect();
        let taken = events::known(conn, &unknown)?;
        for id in unknown {
            let subject = self.hazards.entry(HazardId(id)).or_default();
            subject.taken = taken.contains(&id);
        }
        Ok(())
    }

    /// Whether the id is that of something else than a hazard.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn is_taken(&mut self, conn: &mut Conn, id: HazardId) -> Result<bool, Failure> {
        self.hazard(conn, id)?;
        Ok(self.hazards.get(&id).is_some_and(|subject| subject.taken))
    }

    /// A hazard as it is now, decided and not yet written things included; `None`: there is none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn hazard(&mut self, conn: &mut Conn, id: HazardId) -> Result<Option<&Loaded>, Failure> {
        if !self.hazards.contains_key(&id) {
            self.expect(conn, &[id])?;
        }
        let subject = self.hazards.get(&id);
        Ok(subject.and_then(|subject| subject.current.as_ref()))
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

    /// Whether what was decided so far has taken the hazard out of one of `scopes`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn has_left(
        &mut self,
        conn: &mut Conn,
        id: HazardId,
        scopes: &[Scope],
    ) -> Result<bool, Failure> {
        let Some(subject) = self.hazards.get(&id).filter(|subject| subject.changed) else {
            return Ok(false);
        };
        let stored = subject.stored.clone();
        let current = subject.current.as_ref().map(|loaded| loaded.hazard.clone());
        let (Some(before), Some(now)) = (stored, current) else {
            return Ok(false);
        };
        if Standing::of(&before) == Standing::of(&now) {
            return Ok(false);
        }
        let before = self.scopes_holding(conn, &before)?;
        let now = self.scopes_holding(conn, &now)?;
        let left = |scope: &Scope| before.contains(scope) && !now.contains(scope);
        Ok(scopes.iter().any(left))
    }

    /// Chains events onto the history of a hazard that was looked for, and applies them.
    pub(in crate::usecases) fn record(
        &mut self,
        hazard_id: HazardId,
        new_events: &[HazardEvent],
        sender: &Sender,
    ) -> Result<Hazard, Failure> {
        let subject = self.hazards.entry(hazard_id).or_default();
        let (mut hazard, mut head) = match &subject.current {
            Some(loaded) => (Some(loaded.hazard.clone()), loaded.head),
            None => (None, Head::NONE),
        };
        let mut linked = Vec::with_capacity(new_events.len());
        for event in new_events {
            let record = EventRecord {
                hazard_id,
                seq: head.seq.saturating_add(1),
                actor_id: sender.person_id,
                recorded_at: self.now,
                origin: sender.origin.clone(),
                event: event.clone(),
            };
            let (row, after) = link(head, &record)?;
            linked.push(row);
            head = after;
            match &mut hazard {
                Some(hazard) => hazard.apply(&record),
                None => hazard = Hazard::begin(&record),
            }
        }
        let hazard =
            hazard.ok_or_else(|| Failure::Internal("a history without a report".to_owned()))?;
        if !linked.is_empty() {
            subject.changed = true;
            subject.current = Some(Loaded {
                hazard: hazard.clone(),
                head,
            });
            self.events.append(&mut linked);
        }
        Ok(hazard)
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
        let subjects = std::mem::take(&mut self.hazards);
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        let (mut news, mut photos) = (News::default(), Vec::new());
        let mut provisional = Vec::new();
        let (mut listed, mut searched) = (Vec::new(), Vec::new());
        for subject in subjects.into_values().filter(|subject| subject.changed) {
            let Some(Loaded { hazard, head }) = subject.current else {
                continue;
            };
            let record = minicbor::to_vec(&hazard)
                .map_err(|error| Failure::Internal(format!("encoding a hazard: {error}")))?;
            let stored = subject.stored.as_ref();
            self.announce(tx.conn(), &mut news, &hazard, &record, stored)?;
            listed.push(self.listed(tx.conn(), &hazard, stored)?);
            if stored.is_none_or(|stored| search::is_touched(stored, &hazard)) {
                let at = hazard.received_at.as_millis();
                searched.push(Key {
                    at,
                    id: hazard.id.0,
                });
            }
            photos.extend(named_photos(&hazard, stored, self.now));
            if stored.is_some_and(is_provisional) != is_provisional(&hazard) {
                provisional.push((hazard.id, is_provisional(&hazard)));
            }
            let district_code = &self
                .lineage(tx.conn(), hazard.jurisdiction_id)?
                .district_code;
            let mut saved = Saved::new(&hazard, record, head, district_code);
            if stored.map(|stored| &stored.sector) != Some(&hazard.sector) {
                saved = saved.of_sector(hazard.sector.clone());
            }
            match stored {
                None => new.push(saved),
                Some(stored) => changed.push((saved, stored.version)),
            }
        }
        events::append_all(tx, self.events)?;
        hazards::insert_all(tx, new)?;
        for (saved, before) in changed {
            hazards::update(tx, saved, before)?;
        }
        calendars::mark(tx, &provisional)?;
        feed::publish(tx, news)?;
        hazard_lists::store(tx, &listed)?;
        search::put_waiting(tx, &searched)?;
        hazards::name_photos(tx, photos)?;
        let app = self.door.app.clone();
        tx.after_commit(Box::new(move || app.events_wake.notify_one()));
        Ok(())
    }

    /// The scopes that hold a hazard: of its enterprise, of who answers for it and all above, and
    /// while it is being handed over, of who hands it over.
    fn scopes_holding(&mut self, conn: &mut Conn, hazard: &Hazard) -> Result<Vec<Scope>, Failure> {
        let ancestors = &self.lineage(conn, hazard.jurisdiction_id)?.ancestors;
        let mut scopes = scopes_of(hazard.enterprise_id, ancestors);
        if let Some(from) = hazard.handed_over_by() {
            scopes.extend(scopes_of(None, &self.lineage(conn, from)?.ancestors));
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
            let scopes = self.scopes_holding(conn, hazard)?;
            Ok(Listed::new(hazard, &scopes))
        };
        Ok((stored.map(&mut of).transpose()?, of(hazard)?))
    }

    /// Tells the scopes that hold the hazard now, and those that it has left.
    fn announce(
        &mut self,
        conn: &mut Conn,
        news: &mut News,
        hazard: &Hazard,
        record: &[u8],
        stored: Option<&Hazard>,
    ) -> Result<(), Failure> {
        let scopes = self.scopes_holding(conn, hazard)?;
        if let Some(stored) = stored
            && Standing::of(stored) != Standing::of(hazard)
        {
            let mut left = self.scopes_holding(conn, stored)?;
            left.retain(|scope| !scopes.contains(scope));
            let (id, version) = (&hazard.id.0, hazard.version);
            news.remove(&left, RecordKind::Hazard, id, version, self.now);
        }
        let announced = Announced {
            kind: RecordKind::Hazard,
            id: &hazard.id.0,
            version: hazard.version,
            body: record,
            created_at: hazard.received_at,
        };
        news.put(&self.door.key, &scopes, announced);
        Ok(())
    }
}

/// Whether a calendar that is not here yet may move its due date.
fn is_provisional(hazard: &Hazard) -> bool {
    let deadline = hazard.order().and_then(|order| order.deadline.as_ref());
    hazard.due_at().is_some() && deadline.is_some_and(|deadline| deadline.provisional)
}

/// What decides which scopes hold a hazard.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Standing {
    enterprise: Option<EnterpriseId>,
    jurisdiction: JurisdictionId,
    handed_over_by: Option<JurisdictionId>,
}

impl Standing {
    fn of(hazard: &Hazard) -> Self {
        Self {
            enterprise: hazard.enterprise_id,
            jurisdiction: hazard.jurisdiction_id,
            handed_over_by: hazard.handed_over_by(),
        }
    }
}

fn link(head: Head, record: &EventRecord) -> Result<(Linked, Head), Failure> {
    let body = minicbor::to_vec(record)
        .map_err(|error| Failure::Internal(format!("encoding an event: {error}")))?;
    let event = NewEvent {
        subject_kind: "hazard",
        subject_id: &record.hazard_id.0,
        kind: record.event.kind(),
        actor: record.actor_id,
        recorded_at: record.recorded_at,
        body: &body,
    };
    Ok(events::link(head, event))
}

/// What the references table must learn: new names, and states that changed.
fn named_photos(hazard: &Hazard, stored: Option<&Hazard>, now: Timestamp) -> Vec<NamedPhoto> {
    let changed = hazard.photos.iter().filter(|photo| {
        let known = stored.and_then(|stored| stored.photo(&photo.reference.sha256));
        known.map(|known| &known.state) != Some(&photo.state)
    });
    changed
        .map(|photo| {
            let state = match photo.state {
                PhotoState::AwaitingPhoto => "awaiting_photo",
                PhotoState::Verified => "verified",
                PhotoState::Lost { .. } => "lost",
            };
            let (sha256, by) = (&photo.reference.sha256, photo.named_by);
            NamedPhoto::new(hazard.id, sha256, by, state, now)
        })
        .collect()
}
