//! The two kinds of subject that commands act upon, as a transaction reads, chains and writes them.

use hazardloop_domain::command::{Action, ReceivePhoto, SubjectKind};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::{EventRecord, Hazard, HazardEvent, Photo};
use hazardloop_domain::ids::{EnterpriseId, HazardId, InspectionId, JurisdictionId, PersonId};
use hazardloop_domain::inspection::{Inspection, InspectionEvent, InspectionEventRecord};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::RecordKind;
use uuid::Uuid;

use super::super::reach::handed_in_by;
use super::Sender;
use crate::failure::Failure;
use crate::store::events::{self, Head, Linked, NewEvent};

/// A kind of subject.
pub(super) trait Aggregate: Clone + minicbor::Encode<()> {
    /// One thing that happened.
    type Event: Clone;
    /// The same with who, when and by which door.
    type Record: minicbor::Encode<()>;
    /// As what events and photos know it.
    const SUBJECT: SubjectKind;
    /// As what devices receive it.
    const KIND: RecordKind;

    fn id(&self) -> Uuid;
    fn version(&self) -> i64;
    fn received_at(&self) -> Timestamp;
    /// When it last changed.
    fn updated_at(&self) -> Timestamp;
    fn photos(&self) -> &[Photo];
    /// Whether it came to its end.
    fn is_settled(&self) -> bool;
    /// What decides which scopes hold it.
    fn standing(&self) -> Standing<'_>;

    fn event_kind(event: &Self::Event) -> &'static str;
    fn record_of(
        id: Uuid,
        seq: i64,
        at: Timestamp,
        by: &Sender,
        event: Self::Event,
    ) -> Self::Record;
    fn begin(record: &Self::Record) -> Option<Self>;
    fn apply(&mut self, record: &Self::Record);

    /// The server's own step: a photo that it names has arrived.
    fn receipt(sha256: Digest) -> Action;
}

/// What decides which scopes hold a subject.
#[derive(PartialEq, Eq)]
pub(super) struct Standing<'a> {
    pub enterprise: Option<EnterpriseId>,
    pub jurisdiction: JurisdictionId,
    pub handed_over_by: Option<JurisdictionId>,
    /// Who handed it in from outside of the enterprise.
    pub handed_in_by: Option<PersonId>,
    /// For whom it waits by name.
    pub tasked: Vec<PersonId>,
    pub sector: Option<&'a str>,
}

impl Aggregate for Hazard {
    type Event = HazardEvent;
    type Record = EventRecord;
    const SUBJECT: SubjectKind = SubjectKind::Hazard;
    const KIND: RecordKind = RecordKind::Hazard;

    fn id(&self) -> Uuid {
        self.id.0
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn received_at(&self) -> Timestamp {
        self.received_at
    }

    fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    fn photos(&self) -> &[Photo] {
        &self.photos
    }

    fn is_settled(&self) -> bool {
        self.is_settled()
    }

    fn standing(&self) -> Standing<'_> {
        Standing {
            enterprise: self.enterprise_id,
            jurisdiction: self.jurisdiction_id,
            handed_over_by: self.handed_over_by(),
            handed_in_by: handed_in_by(self),
            tasked: Vec::new(),
            sector: self.sector.as_deref(),
        }
    }

    fn event_kind(event: &HazardEvent) -> &'static str {
        event.kind()
    }

    fn record_of(
        id: Uuid,
        seq: i64,
        at: Timestamp,
        by: &Sender,
        event: HazardEvent,
    ) -> EventRecord {
        EventRecord {
            hazard_id: HazardId(id),
            seq,
            actor_id: by.person_id,
            recorded_at: at,
            origin: by.origin.clone(),
            event,
        }
    }

    fn begin(record: &EventRecord) -> Option<Self> {
        Self::begin(record)
    }

    fn apply(&mut self, record: &EventRecord) {
        self.apply(record);
    }

    fn receipt(sha256: Digest) -> Action {
        Action::ReceivePhoto(ReceivePhoto { sha256 })
    }
}

impl Aggregate for Inspection {
    type Event = InspectionEvent;
    type Record = InspectionEventRecord;
    const SUBJECT: SubjectKind = SubjectKind::Inspection;
    const KIND: RecordKind = RecordKind::Inspection;

    fn id(&self) -> Uuid {
        self.id.0
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn received_at(&self) -> Timestamp {
        self.received_at
    }

    fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    fn photos(&self) -> &[Photo] {
        &self.photos
    }

    fn is_settled(&self) -> bool {
        self.is_settled()
    }

    fn standing(&self) -> Standing<'_> {
        Standing {
            enterprise: self.announced_to(),
            jurisdiction: self.jurisdiction_id,
            handed_over_by: None,
            handed_in_by: None,
            tasked: self.carried_out_by(),
            sector: self.sector.as_deref(),
        }
    }

    fn event_kind(event: &InspectionEvent) -> &'static str {
        event.kind()
    }

    fn record_of(
        id: Uuid,
        seq: i64,
        at: Timestamp,
        by: &Sender,
        event: InspectionEvent,
    ) -> InspectionEventRecord {
        InspectionEventRecord {
            inspection_id: InspectionId(id),
            seq,
            actor_id: by.person_id,
            recorded_at: at,
            origin: by.origin.clone(),
            event,
        }
    }

    fn begin(record: &InspectionEventRecord) -> Option<Self> {
        Self::begin(record)
    }

    fn apply(&mut self, record: &InspectionEventRecord) {
        self.apply(record);
    }

    fn receipt(sha256: Digest) -> Action {
        Action::ReceiveInspectionPhoto(ReceivePhoto { sha256 })
    }
}

/// A subject that was looked for.
#[derive(Clone, Debug)]
pub(super) struct Slot<T> {
    /// As the database holds it.
    pub stored: Option<T>,
    /// As the rules have left it.
    pub current: Option<T>,
    /// The end of its history.
    pub head: Head,
    /// Whether the rules have changed it.
    pub changed: bool,
    /// There is no such subject, and something else has this id.
    pub taken: bool,
}

impl<T> Slot<T> {
    /// There is none.
    pub(super) const fn empty(taken: bool) -> Self {
        Self {
            stored: None,
            current: None,
            head: Head::NONE,
            changed: false,
            taken,
        }
    }
}

impl<T: Aggregate> Slot<T> {
    /// As the database holds it.
    pub(super) fn loaded(subject: T, head: Head) -> Self {
        Self {
            stored: Some(subject.clone()),
            current: Some(subject),
            head,
            changed: false,
            taken: false,
        }
    }

    /// Chains events onto the history and applies them: the subject as it is then, and the events'
    /// rows.
    pub(super) fn chain(
        &mut self,
        id: Uuid,
        new_events: &[T::Event],
        at: Timestamp,
        by: &Sender,
    ) -> Result<(T, Vec<Linked>), Failure> {
        let (mut subject, mut head) = (self.current.clone(), self.head);
        let mut linked = Vec::with_capacity(new_events.len());
        for event in new_events {
            let kind = T::event_kind(event);
            let seq = head.seq.saturating_add(1);
            let record = T::record_of(id, seq, at, by, event.clone());
            let body = minicbor::to_vec(&record)
                .map_err(|error| Failure::Internal(format!("encoding an event: {error}")))?;
            let event = NewEvent {
                subject_kind: T::SUBJECT.as_str(),
                subject_id: &id,
                kind,
                actor: by.person_id,
                recorded_at: at,
                body: &body,
            };
            let (row, after) = events::link(head, event);
            linked.push(row);
            head = after;
            match &mut subject {
                Some(subject) => subject.apply(&record),
                None => subject = T::begin(&record),
            }
        }
        let subject =
            subject.ok_or_else(|| Failure::Internal("a history without a beginning".to_owned()))?;
        if !linked.is_empty() {
            self.changed = true;
            self.current = Some(subject.clone());
            self.head = head;
        }
        Ok((subject, linked))
    }
}
