//! From events to state. Events are facts: applying one never fails and never refuses.

use crate::command::{
    Attendee, CheckResult, CompleteInspection, InspectionSetup, LinkFinding, PhotoRef,
    SignInspection, StartInspection,
};
use crate::hash::Digest;
use crate::hazard::{Photo, PhotoState};
use crate::ids::{InstallId, JurisdictionId, PersonId};
use crate::inspection::{
    Conversion, Finding, Inspection, InspectionEvent, InspectionEventRecord, InspectionState,
    InspectionStatus, ItemRecord, PersonResult, Present, Signature, SignatureRefused, Started,
    Window, inspection_number,
};

/// Stands for the server where a person's id is required in a record.
const NOBODY: PersonId = PersonId(uuid::Uuid::nil());

impl Inspection {
    /// The inspection that a history makes; `None` when it begins with neither a plan nor a start.
    pub fn from_history(history: &[InspectionEventRecord]) -> Option<Self> {
        let (first, rest) = history.split_first()?;
        let mut inspection = Self::begin(first)?;
        for record in rest {
            inspection.apply(record);
        }
        Some(inspection)
    }

    /// The inspection after its first event; `None` when that begins none.
    pub fn begin(record: &InspectionEventRecord) -> Option<Self> {
        match &record.event {
            InspectionEvent::Planned {
                plan,
                jurisdiction_id,
                sector,
            } => {
                let at = (*jurisdiction_id, sector.clone());
                let mut planned = Self::of_setup(record, &plan.setup, at);
                planned.window = Some(Window {
                    from: plan.window_from,
                    to: plan.window_to,
                });
                Some(planned)
            }
            InspectionEvent::Started {
                start,
                jurisdiction_id,
                sector,
            } => {
                let setup = start.setup.as_ref()?;
                let at = ((*jurisdiction_id)?, sector.clone());
                let mut begun = Self::of_setup(record, setup, at);
                begun.start(start, record);
                Some(begun)
            }
            _ => None,
        }
    }

    /// This inspection after one more event.
    pub fn apply(&mut self, record: &InspectionEventRecord) {
        let by = record.actor_id.unwrap_or(NOBODY);
        let at = record.recorded_at;
        let signed_version = self.version;
        self.version = record.seq;
        self.updated_at = at;
        match &record.event {
            // A second plan of the same inspection does not exist: the first stands.
            InspectionEvent::Planned { .. } => {}
            InspectionEvent::Started { start, .. } => self.start(start, record),
            InspectionEvent::ResultsRecorded { results } => {
                for result in &results.results {
                    self.record_result(result, record);
                }
            }
            InspectionEvent::FindingLinked { finding } => self.find(finding, record),
            InspectionEvent::FindingConverted { conversion } => {
                let hazard_id = conversion.hazard_id;
                let mut findings = self.findings.iter_mut();
                if let Some(finding) = findings.find(|f| f.id == conversion.finding_id) {
                    finding.converted = Some(Conversion { hazard_id, by, at });
                }
            }
            InspectionEvent::AttendanceRecorded { attendance } => {
                self.attend(&attendance.attendees, by);
            }
            InspectionEvent::Signed {
                signing,
                certified,
                seconds,
            } => {
                self.sign(signing, *certified, record, signed_version);
                for second in seconds {
                    let own = SignInspection {
                        role: second.role,
                        person_id: Some(second.person_id),
                        name: None,
                        post: None,
                        signed_at: signing.signed_at,
                        photo: None,
                        seen: signing.seen,
                    };
                    self.sign(&own, second.certified, record, signed_version);
                }
            }
            InspectionEvent::SigningRefused { refusal } => {
                self.refusal = Some(SignatureRefused {
                    reason: refusal.reason.clone(),
                    refused_by: refusal.refused_by.clone(),
                    witness: refusal.witness.clone(),
                    claimed_at: refusal.refused_at,
                    recorded_at: at,
                    recorded_by: by,
                    of_version: signed_version,
                });
            }
            InspectionEvent::Completed {
                completion,
                photos_awaited,
            } => self.complete(completion, *photos_awaited, record),
            InspectionEvent::Cancelled { cancellation } => {
                self.status = InspectionStatus::Cancelled {
                    cancelled_by: by,
                    cancelled_at: at,
                    reason: cancellation.reason.clone(),
                };
            }
            InspectionEvent::PhotoAttached { attached } => {
                self.name_photos(std::slice::from_ref(&attached.photo), by);
            }
            InspectionEvent::PhotoLost { loss } => {
                let reason = loss.reason.clone();
                let state = PhotoState::Lost {
                    recorded_by: by,
                    reason,
                };
                self.set_photo_state(&loss.sha256, state);
            }
            InspectionEvent::PhotoVerified { receipt } => {
                self.set_photo_state(&receipt.sha256, PhotoState::Verified);
            }
            InspectionEvent::TeamChanged { change } => self.team.clone_from(&change.team),
            InspectionEvent::EnterpriseFollowed { change }
            | InspectionEvent::JurisdictionMerged { change } => {
                self.jurisdiction_id = change.jurisdiction_id;
            }
        }
    }

    fn of_setup(
        record: &InspectionEventRecord,
        setup: &InspectionSetup,
        (jurisdiction_id, sector): (JurisdictionId, Option<String>),
    ) -> Self {
        Self {
            id: record.inspection_id,
            number: inspection_number(record.inspection_id),
            version: record.seq,
            kind: setup.kind,
            enterprise_id: setup.enterprise_id,
            jurisdiction_id,
            cadence: setup.cadence,
            checklists: setup.checklists.clone(),
            team: setup.team.clone(),
            departments: setup.departments.clone(),
            basis: setup.basis.clone(),
            reason: setup.reason.clone(),
            approval_no: setup.approval_no.clone(),
            notice_no: setup.notice_no.clone(),
            window: None,
            created_by: record.actor_id.unwrap_or(NOBODY),
            received_at: record.recorded_at,
            started: None,
            status: InspectionStatus::Planned,
            items: Vec::new(),
            findings: Vec::new(),
            attendees: Vec::new(),
            signatures: Vec::new(),
            refusal: None,
            photos: Vec::new(),
            updated_at: record.recorded_at,
            sector,
        }
    }

    fn start(&mut self, start: &StartInspection, record: &InspectionEventRecord) {
        let by = record.actor_id.unwrap_or(NOBODY);
        self.started = Some(Started {
            by,
            recorded_at: record.recorded_at,
            claimed_at: start.started_at,
            place_text: start.place_text.clone(),
            position: start.position,
            certificates_shown: start.certificates_shown,
            rights_told: start.rights_told,
        });
        self.status = InspectionStatus::InProgress;
        self.attend(&start.attendees, by);
    }

    /// Of one person's results the last one counts; a late one replaces only their late one.
    fn record_result(&mut self, result: &CheckResult, record: &InspectionEventRecord) {
        let by = record.actor_id.unwrap_or(NOBODY);
        let late = self.state() != InspectionState::InProgress;
        self.name_photos(&result.photos, by);
        let before = self.item(&result.item).and_then(|known| {
            let mut results = known.results.iter();
            results.find(|old| old.by == by && old.late == late)
        });
        let changed = before.is_some_and(|before| before.outcome != result.outcome);
        let changed_before = before.and_then(|before| before.changed_at);
        let changed_before_on = before.and_then(|before| before.changed_on);
        if let Some(before) = before.filter(|_| changed) {
            self.void_what_covers(before.version, record.seq);
        }
        let new = PersonResult {
            by,
            at: record.recorded_at,
            outcome: result.outcome,
            note: result.note.clone(),
            photos: result.photos.iter().map(|photo| photo.sha256).collect(),
            late,
            version: record.seq,
            changed_at: changed.then_some(record.seq).or(changed_before),
            changed_on: match changed {
                true => record.origin.install_id,
                false => changed_before_on,
            },
        };
        let mut items = self.items.iter_mut();
        if let Some(known) = items.find(|known| known.item == result.item) {
            known.results.retain(|old| old.by != by || old.late != late);
            known.results.push(new);
        } else {
            self.items.push(ItemRecord {
                item: result.item.clone(),
                results: vec![new],
            });
        }
    }

    /// Whoever signed a result that now is another has signed something else: they sign anew, and an
    /// enterprise that refused is asked again. What was added to what they signed changes nothing.
    fn void_what_covers(&mut self, result_of: i64, now: i64) {
        for signature in &mut self.signatures {
            if signature.of_version >= result_of {
                signature.voided_by.get_or_insert(now);
            }
        }
        let refusal = self.refusal.as_ref();
        if refusal.is_some_and(|refusal| refusal.of_version >= result_of) {
            self.refusal = None;
        }
    }

    /// Whether a result became another after what lay before the signer, but by the same author on the same
    /// device: that they saw.
    fn is_changed_since(&self, seen: Option<i64>, here: (PersonId, Option<InstallId>)) -> bool {
        let mut results = self.items.iter().flat_map(|item| &item.results);
        seen.is_some_and(|seen| {
            results.any(|result| {
                (result.by, result.changed_on) != here && result.changed_at > Some(seen)
            })
        })
    }

    fn find(&mut self, finding: &LinkFinding, record: &InspectionEventRecord) {
        self.findings.push(Finding {
            id: finding.finding_id,
            hazard_id: finding.hazard_id,
            advice: finding.advice.clone(),
            item: finding.item.clone(),
            handling: finding.handling,
            by: record.actor_id.unwrap_or(NOBODY),
            at: record.recorded_at,
            late: self.state() != InspectionState::InProgress,
            converted: None,
        });
    }

    fn attend(&mut self, attendees: &[Attendee], recorded_by: PersonId) {
        for attendee in attendees {
            let known = self.attendees.iter().any(|known| {
                known.attendee.part == attendee.part && known.attendee.name == attendee.name
            });
            if !known {
                self.attendees.push(Present {
                    attendee: attendee.clone(),
                    recorded_by,
                });
            }
        }
    }

    fn sign(
        &mut self,
        signing: &SignInspection,
        certified: bool,
        record: &InspectionEventRecord,
        of_version: i64,
    ) {
        let by = record.actor_id.unwrap_or(NOBODY);
        if let Some(photo) = &signing.photo {
            self.name_photos(std::slice::from_ref(photo), by);
        }
        let here = (by, record.origin.install_id);
        let unseen = self.is_changed_since(signing.seen, here);
        self.signatures.push(Signature {
            role: signing.role,
            person_id: signing.person_id,
            name: signing.name.clone(),
            post: signing.post.clone(),
            claimed_at: signing.signed_at,
            recorded_at: record.recorded_at,
            recorded_by: by,
            of_version,
            certified,
            voided_by: unseen.then_some(record.seq),
            photo: signing.photo.as_ref().map(|photo| photo.sha256),
        });
    }

    fn complete(
        &mut self,
        completion: &CompleteInspection,
        photos_awaited: u32,
        record: &InspectionEventRecord,
    ) {
        self.status = InspectionStatus::Completed {
            completed_by: record.actor_id.unwrap_or(NOBODY),
            completed_at: record.recorded_at,
            claimed_at: completion.completed_at,
            situation: completion.situation.clone(),
            no_hazard_found: completion.no_hazard_found,
            photos_awaited,
        };
    }

    fn name_photos(&mut self, photos: &[PhotoRef], by: PersonId) {
        for reference in photos {
            if self.photo(&reference.sha256).is_none() {
                self.photos.push(Photo {
                    reference: reference.clone(),
                    named_by: by,
                    state: PhotoState::AwaitingPhoto,
                });
            }
        }
    }

    fn set_photo_state(&mut self, sha256: &Digest, state: PhotoState) {
        let mut photos = self.photos.iter_mut();
        if let Some(photo) = photos.find(|photo| photo.reference.sha256 == *sha256) {
            photo.state = state;
        }
    }
}
