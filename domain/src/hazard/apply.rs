//! From events to state. Events are facts: applying one never fails and never refuses.

use super::apply_order::first_order_of;
use crate::command::{Amend, PhotoKind, PhotoRef, Reinspect, Report};
use crate::hash::Digest;
use crate::hazard::{
    Authority, Disputed, EventRecord, FieldName, FieldVersions, Hazard, HazardEvent, NoteEntry,
    Photo, PhotoState, Status, Submission, hazard_number,
};
use crate::ids::{EnterpriseId, JurisdictionId, PersonId};

/// Stands for the server where a person's id is required in a record.
pub(super) const NOBODY: PersonId = PersonId(uuid::Uuid::nil());

impl Hazard {
    /// The hazard that a history makes; `None` when it does not begin with a report.
    pub fn from_history(history: &[EventRecord]) -> Option<Self> {
        let (first, rest) = history.split_first()?;
        let mut hazard = Self::begin(first)?;
        for record in rest {
            hazard.apply(record);
        }
        Some(hazard)
    }

    /// The hazard after its first event; `None` when that is not a report.
    pub fn begin(record: &EventRecord) -> Option<Self> {
        let HazardEvent::Reported {
            report,
            jurisdiction_id,
            sector,
            claim_unfounded,
        } = &record.event
        else {
            return None;
        };
        let mut hazard = Self::reported(record, report, *jurisdiction_id);
        hazard.recurrence_of = report.recurrence_of.filter(|_| !claim_unfounded);
        hazard.sector.clone_from(sector);
        hazard.name_photos(&report.photos, record.actor_id.unwrap_or(NOBODY));
        Some(hazard)
    }

    /// This hazard after one more event.
    pub fn apply(&mut self, record: &EventRecord) {
        let by = record.actor_id.unwrap_or(NOBODY);
        let at = record.recorded_at;
        self.version = record.seq;
        self.updated_at = at;
        match &record.event {
            // A second report of the same hazard does not exist: the first stands.
            HazardEvent::Reported { .. } => {}
            HazardEvent::Amended {
                change,
                jurisdiction_id,
                sector,
            } => {
                self.amend(change, *jurisdiction_id);
                if sector.is_some() {
                    self.be_of_sector(sector);
                }
            }
            HazardEvent::AmendmentDisputed { change, fields } => {
                for field in fields.iter().copied() {
                    let other_value = change.value_as_text(field);
                    self.disputed.push(Disputed {
                        field,
                        other_value,
                        by,
                        at,
                        version: record.seq,
                    });
                }
            }
            HazardEvent::PhotoAttached { attached } => {
                self.name_photos(std::slice::from_ref(&attached.photo), by);
            }
            HazardEvent::Confirmed {
                confirmation,
                deadline,
                authority,
                second,
                self_declared,
            } => {
                self.proposal = None;
                let deadline = deadline.as_ref();
                self.confirm(confirmation, deadline, *authority, (by, at), *second);
                if let Some(order) = self.status.order_mut() {
                    order.self_declared = *self_declared;
                }
            }
            HazardEvent::Rejected { rejection } => {
                self.proposal = None;
                let reason = rejection.reason.clone();
                self.status = Status::Rejected {
                    rejected_by: by,
                    reason,
                };
            }
            HazardEvent::RectificationSubmitted { submission } => {
                self.name_photos(&submission.photos, by);
                let paired = submission.pairs.iter().map(|pair| pair.after);
                let shown_by = after(&submission.photos).chain(paired).collect();
                self.lapse_extension();
                self.submit(Submission {
                    submitted_by: by,
                    submitted_at: at,
                    measures: submission.measures.clone(),
                    completed_at: submission.completed_at,
                    cost_fen: submission.cost_fen,
                    passed_by: Vec::new(),
                    pairs: submission.pairs.clone(),
                    self_acceptance: submission.self_acceptance.clone(),
                    shown_by,
                });
            }
            HazardEvent::Reinspected {
                reinspection,
                second,
            } => self.reinspect(reinspection, by, *second),
            HazardEvent::Closed { closure } => {
                self.proposal = None;
                self.lapse_extension();
                if let Status::PendingReinspection {
                    order,
                    submission,
                    returns,
                } = &self.status
                {
                    self.status = Status::Closed {
                        order: order.clone(),
                        submission: submission.clone(),
                        closed_by: by,
                        closed_at: at,
                        opinion: closure.opinion.clone(),
                        returns: *returns,
                    };
                }
            }
            HazardEvent::Reopened { reopening } => {
                self.false_closure |= reopening.false_closure;
                self.reopened = self.reopened.saturating_add(1);
                self.reopen(&reopening.reason);
            }
            HazardEvent::Noted { note } => {
                self.notes.push(NoteEntry {
                    by,
                    at,
                    text: note.text.clone(),
                });
            }
            HazardEvent::PhotoLost { loss } => {
                let state = PhotoState::Lost {
                    recorded_by: by,
                    reason: loss.reason.clone(),
                };
                self.set_photo_state(&loss.sha256, state);
            }
            HazardEvent::PhotoVerified { receipt } => {
                self.set_photo_state(&receipt.sha256, PhotoState::Verified);
            }
            HazardEvent::Withdrawn { withdrawal } => {
                self.proposal = None;
                self.status = Status::Withdrawn {
                    reason: withdrawal.reason.clone(),
                };
            }
            HazardEvent::EnterpriseFollowed { change } => {
                self.answered_in(change.jurisdiction_id);
            }
            // Who was named to answer for it stays named: only the name of the place is another.
            HazardEvent::JurisdictionMerged { change } => {
                self.lie_in(change.jurisdiction_id);
            }
            beside => self.apply_beside(beside, by, at),
        }
    }

    fn reported(record: &EventRecord, report: &Report, jurisdiction_id: JurisdictionId) -> Self {
        let first = record.seq;
        Self {
            id: record.hazard_id,
            number: hazard_number(record.hazard_id),
            version: first,
            enterprise_id: report.enterprise_id,
            jurisdiction_id,
            source: report.source,
            grade: report.grade,
            criterion: report.criterion.clone(),
            description: report.description.clone(),
            place_text: report.place_text.clone(),
            position: report.position,
            found_at: report.found_at,
            reported_by: record.actor_id.unwrap_or(NOBODY),
            received_at: record.recorded_at,
            immediate_measure: report.immediate_measure.clone(),
            no_photo_reason: report.no_photo_reason.clone(),
            status: first_status(record, report),
            photos: Vec::new(),
            notes: Vec::new(),
            disputed: Vec::new(),
            field_versions: FieldVersions {
                description: first,
                place_text: first,
                position: first,
                immediate_measure: first,
                enterprise_id: first,
            },
            false_closure: false,
            updated_at: record.recorded_at,
            sector: None,
            department: None,
            nature: report.nature.clone(),
            fixed_on_spot: report.fixed_on_spot.is_some(),
            recurrence_of: report.recurrence_of,
            plan: None,
            extensions: Vec::new(),
            proposal: None,
            listing: None,
            suspension: None,
            penalties: Vec::new(),
            taken_over: false,
            spot_checks: Vec::new(),
            reopened: 0,
            readdressed: false,
        }
    }

    fn amend(&mut self, change: &Amend, jurisdiction_id: Option<JurisdictionId>) {
        for field in change.fields() {
            let changed_at = match field {
                FieldName::Description => &mut self.field_versions.description,
                FieldName::PlaceText => &mut self.field_versions.place_text,
                FieldName::Position => &mut self.field_versions.position,
                FieldName::ImmediateMeasure => &mut self.field_versions.immediate_measure,
                FieldName::EnterpriseId => &mut self.field_versions.enterprise_id,
            };
            *changed_at = self.version;
        }
        self.settle_disputes(change);
        let change = change.clone();
        if let Some(description) = change.description {
            self.description = description;
        }
        if let Some(place_text) = change.place_text {
            self.place_text = place_text;
        }
        self.position = change.position.or(self.position.take());
        self.immediate_measure = change.immediate_measure.or(self.immediate_measure.take());
        if let Some(id) = change.enterprise_id {
            self.be_of_enterprise(id);
        }
        self.answered_in(jurisdiction_id.unwrap_or(self.jurisdiction_id));
    }

    /// What one enterprise planned, asked for or signed is not another's.
    fn be_of_enterprise(&mut self, id: EnterpriseId) {
        let before = self.enterprise_id.replace(id);
        if before.is_none_or(|before| before == id) {
            return;
        }
        self.readdressed = true;
        self.plan = None;
        self.lapse_extension();
        if let Some(order) = self.status.order_mut() {
            order.served = None;
            order.authority = Authority::Department;
            order.self_declared = false;
        }
        self.await_plan();
    }

    /// Another jurisdiction answers from now on: a department of the one before does not.
    pub(super) fn answered_in(&mut self, id: JurisdictionId) {
        if self.jurisdiction_id != id {
            self.lie_in(id);
            self.department = None;
        }
    }

    /// An order goes on saying who issued it, whoever answers for the place now.
    pub(super) fn lie_in(&mut self, id: JurisdictionId) {
        let before = std::mem::replace(&mut self.jurisdiction_id, id);
        if before != id
            && let Some(order) = self.status.order_mut()
        {
            let issued_in = order.issued_in.unwrap_or(before);
            order.issued_in = Some(issued_in).filter(|of| *of != id);
        }
    }

    /// It turned out to be of another sector: a department of the one before does not answer for it.
    fn be_of_sector(&mut self, sector: &Option<String>) {
        if self.sector != *sector {
            self.sector.clone_from(sector);
            self.department = None;
        }
    }

    fn submit(&mut self, submission: Submission) {
        let (order, returns) = match &self.status {
            Status::Confirmed { order } => (order.clone(), 0),
            Status::Rectifying { order, returns, .. } => (order.clone(), *returns),
            _ => return,
        };
        self.status = Status::PendingReinspection {
            order,
            submission,
            returns,
        };
    }

    fn reinspect(&mut self, reinspection: &Reinspect, by: PersonId, second: Option<PersonId>) {
        self.name_photos(&reinspection.photos, by);
        let Status::PendingReinspection {
            order,
            submission,
            returns,
        } = &mut self.status
        else {
            return;
        };
        if reinspection.passed {
            for inspector in [Some(by), second].into_iter().flatten() {
                if !submission.passed_by.contains(&inspector) {
                    submission.passed_by.push(inspector);
                }
            }
            return;
        }
        let mut order = order.clone();
        // The original due date stays: figures count by it. An inspector has set the new one, so the
        // department decides on extending it.
        if let Some(date) = reinspection.new_due_date {
            order.due_date = date;
            order.deadline = None;
            order.authority = Authority::Department;
        }
        self.status = Status::Rectifying {
            order,
            returned_because: Some(reinspection.opinion.clone()),
            returns: returns.saturating_add(1),
        };
    }

    /// A reopened hazard is overdue since its original due date, as if never closed.
    fn reopen(&mut self, reason: &str) {
        let Status::Closed { order, returns, .. } = &self.status else {
            return;
        };
        let mut order = order.clone();
        order.due_date = order.due_date_original;
        order.deadline.clone_from(&order.deadline_original);
        let returned_because = Some(reason.to_owned());
        self.status = Status::Rectifying {
            order,
            returned_because,
            returns: returns.saturating_add(1),
        };
    }

    pub(super) fn name_photos(&mut self, photos: &[PhotoRef], by: PersonId) {
        for reference in photos {
            if self.photo(&reference.sha256).is_none() {
                let state = PhotoState::AwaitingPhoto;
                self.photos.push(Photo {
                    reference: reference.clone(),
                    named_by: by,
                    state,
                });
            }
        }
        if let Status::PendingReinspection { submission, .. } = &mut self.status {
            submission.shown_by.extend(after(photos));
        }
    }

    fn set_photo_state(&mut self, sha256: &Digest, state: PhotoState) {
        if let Some(photo) = self
            .photos
            .iter_mut()
            .find(|p| p.reference.sha256 == *sha256)
        {
            photo.state = state;
        }
    }
}

/// Of these, those that show the place after its correction.
fn after(photos: &[PhotoRef]) -> impl Iterator<Item = Digest> {
    let shown = photos.iter().filter(|photo| photo.kind == PhotoKind::After);
    shown.map(|photo| photo.sha256)
}

/// A report waits for confirmation; one that was fixed on the spot waits for re-inspection.
fn first_status(record: &EventRecord, report: &Report) -> Status {
    let Some(fixed) = &report.fixed_on_spot else {
        return Status::Reported;
    };
    let by = record.actor_id.unwrap_or(NOBODY);
    Status::PendingReinspection {
        order: first_order_of(fixed, report, by, record.recorded_at),
        submission: Submission {
            submitted_by: by,
            submitted_at: record.recorded_at,
            measures: fixed.measures.clone(),
            completed_at: fixed.completed_at,
            cost_fen: fixed.cost_fen,
            passed_by: Vec::new(),
            pairs: Vec::new(),
            self_acceptance: None,
            // Of the report: they are named next.
            shown_by: Vec::new(),
        },
        returns: 0,
    }
}
