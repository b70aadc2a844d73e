//! Writing what a transaction has decided, each kind of row in as few statements as there can be.

use std::collections::BTreeSet;

use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::{Hazard, PhotoState};
use hazardloop_domain::ids::{EnterpriseId, SubjectId};
use hazardloop_domain::inspection::Inspection;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::Scope;

use super::super::aggregate::{Aggregate, Slot};
use super::super::queue::Turned;
use super::WorkingSet;
use crate::failure::Failure;
use crate::store::feed::{self, Announced, News};
use crate::store::hazard_lists::{self, Listed};
use crate::store::hazards::{self, NamedPhoto, Saved};
use crate::store::lists::Key;
use crate::store::windows::{self, Falls};
use crate::store::{
    Conn, WriteTx, calendars, enterprises, events, inspections, planned_members, search,
};
use crate::usecases::tasks;
use crate::usecases::windows::windows_of;

impl WorkingSet<'_> {
    /// Writes what was decided: events, states, feed rows and photo references. Whoever waits for
    /// events is woken once the transaction is committed.
    ///
    /// # Errors
    /// [`crate::store::StoreError::Stale`] inside when somebody else changed one of the hazards meanwhile.
    pub fn store(mut self, tx: &mut WriteTx<'_>) -> Result<(), Failure> {
        if self.events.is_empty() {
            return Ok(());
        }
        // Before anything is written: whoever moves an enterprise holds it while it waits for what belongs to it.
        let firms = self.firms_to_follow();
        for firm in &firms {
            enterprises::hold_against_moves(tx, *firm)?;
        }
        let hazards = std::mem::take(&mut self.hazards);
        let inspections = std::mem::take(&mut self.inspections);
        let (mut news, mut photos) = (News::default(), Vec::new());
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        let (mut provisional, mut turned) = (Vec::new(), Vec::new());
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
            turned.extend(Turned::of(stored, hazard));
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
        let mut teams = Vec::new();
        for slot in inspections.into_values().filter(|slot| slot.changed) {
            let Some((inspection, record)) = self.publish(tx, &slot, &mut news, &mut photos)?
            else {
                continue;
            };
            teams.push((slot.stored.clone(), inspection.clone()));
            let saved = inspections::Saved::new(inspection, record, slot.head);
            match &slot.stored {
                None => begun.push(saved),
                Some(stored) => gone_on.push((saved, stored.version)),
            }
        }
        events::append_all(tx, std::mem::take(&mut self.events))?;
        hazards::insert_all(tx, new)?;
        for (saved, before) in changed {
            hazards::update(tx, saved, before)?;
        }
        calendars::mark(tx, &provisional)?;
        self.settle_queue(tx, turned)?;
        inspections::insert_all(tx, begun)?;
        for (saved, before) in gone_on {
            inspections::update(tx, saved, before)?;
        }
        for (before, now) in &teams {
            planned_members::note(tx, before.as_ref(), now)?;
        }
        feed::publish(tx, news)?;
        tasks::follow_inspections(tx, &self.door.key, &firms, self.now)?;
        hazard_lists::store(tx, &listed)?;
        search::put_waiting(tx, &searched)?;
        hazards::name_photos(tx, photos)?;
        let app = self.door.app.clone();
        tx.after_commit(Box::new(move || app.events_wake.notify_one()));
        Ok(())
    }

    /// The enterprises of inspections that wait for others than before, or for nobody any more: for these people the
    /// enterprise comes and goes with them.
    fn firms_to_follow(&self) -> BTreeSet<EnterpriseId> {
        let mut firms = BTreeSet::new();
        for slot in self.inspections.values().filter(|slot| slot.changed) {
            let standing = |of: &Option<Inspection>| {
                let of = of.as_ref();
                of.map(|it| (it.enterprise_id, it.carried_out_by()))
            };
            let (before, now) = (standing(&slot.stored), standing(&slot.current));
            if before != now {
                firms.extend(before.into_iter().chain(now).filter_map(|(firm, _)| firm));
            }
        }
        firms
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
        if !subject.is_settled() {
            news.put(&self.door.key, &scopes, announced);
            return Ok(());
        }
        let settled_at = match stored.filter(|stored| stored.is_settled()) {
            // A clock that was set back must not make it old at once: it came to its end after all that is known of it.
            None => {
                let before = stored.map_or(subject.received_at(), Aggregate::updated_at);
                self.now.max(subject.received_at()).max(before)
            }
            Some(stored) => self.settled_at(conn, stored)?,
        };
        let placed = self.placed(conn, &scopes, settled_at)?;
        news.put_ended(&self.door.key, &placed, announced, settled_at);
        Ok(())
    }

    /// When a subject came to its end that had done so before: every scope that holds it knows.
    fn settled_at<T: Aggregate>(
        &mut self,
        conn: &mut Conn,
        stored: &T,
    ) -> Result<Timestamp, Failure> {
        let held = self.scopes_holding(conn, &stored.standing())?;
        let known = match held.first() {
            Some(scope) => windows::settled_at(conn, *scope, T::KIND, &stored.id())?,
            None => None,
        };
        Ok(known.unwrap_or(self.now))
    }

    /// Where in the window of each scope something falls that came to its end at `settled_at`.
    fn placed(
        &mut self,
        conn: &mut Conn,
        scopes: &[Scope],
        settled_at: Timestamp,
    ) -> Result<Vec<(Scope, Falls)>, Failure> {
        let kinds = windows_of(conn, scopes)?;
        let set = &self.door.app.settings.sync.windows;
        if kinds.len() != scopes.len() {
            // Written without it, a scope would go on holding the record as open.
            return Err(Failure::Internal("a scope without a window".to_owned()));
        }
        let falls = |(scope, window)| {
            let too_old = settled_at < set.of(window).begins(self.now);
            (scope, Falls { window, too_old })
        };
        Ok(kinds.into_iter().map(falls).collect())
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
