//! What is read off an inspection's state.

use crate::access::Place;
use crate::command::{InspectionKind, ItemOutcome, ItemRef, SignerRole};
use crate::hash::Digest;
use crate::hazard::{Photo, PhotoState};
use crate::ids::{EnterpriseId, FindingId, JurisdictionId, PersonId};
use crate::inspection::policy::has_team_by_name;
use crate::inspection::{Finding, Inspection, InspectionState, InspectionStatus, ItemRecord};

impl Inspection {
    /// The name of the present state.
    pub fn state(&self) -> InspectionState {
        match self.status {
            InspectionStatus::Planned => InspectionState::Planned,
            InspectionStatus::InProgress => InspectionState::InProgress,
            InspectionStatus::Completed { .. } => InspectionState::Completed,
            InspectionStatus::Cancelled { .. } => InspectionState::Cancelled,
        }
    }

    /// Whether it came to its end. A visit whose advice nobody has made a hazard of yet has not: somebody still may.
    pub fn is_settled(&self) -> bool {
        match self.status {
            InspectionStatus::Completed { .. } => {
                self.kind != InspectionKind::ExpertVisit
                    || self.findings.iter().all(|found| found.converted.is_some())
            }
            InspectionStatus::Cancelled { .. } => true,
            InspectionStatus::Planned | InspectionStatus::InProgress => false,
        }
    }

    /// The enterprise, where it may know of the inspection: of an unannounced visit nothing may
    /// reach it before the visit begins (四不两直).
    pub fn announced_to(&self) -> Option<EnterpriseId> {
        let hidden = self.kind == InspectionKind::UnannouncedVisit && self.started.is_none();
        self.enterprise_id.filter(|_| !hidden)
    }

    /// Where it stands in the world of scopes; `ancestors` are the jurisdictions from the root
    /// down to and including [`Inspection::jurisdiction_id`].
    pub fn place(&self, ancestors: Vec<JurisdictionId>) -> Place {
        Place {
            enterprise_id: self.announced_to(),
            jurisdictions: ancestors,
            sector: self.sector.clone(),
        }
    }

    /// Whether this person is one of those who inspect.
    pub fn is_on_team(&self, person: PersonId) -> bool {
        self.team.iter().any(|member| member.person_id == person)
    }

    /// Those who have to carry it out by name: the team, until it is completed or cancelled. What an enterprise or a
    /// grid does by itself, whoever has the role may do.
    pub fn carried_out_by(&self) -> Vec<PersonId> {
        match self.status {
            InspectionStatus::Planned | InspectionStatus::InProgress
                if has_team_by_name(self.kind) =>
            {
                self.team.iter().map(|member| member.person_id).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The inspectors who have signed with their own accounts and by a valid certificate, each
    /// once. Whoever has none assists, and does not count (应急〔2025〕11号).
    pub fn inspectors_signed(&self) -> Vec<PersonId> {
        let signed = self.signatures.iter();
        let mut people: Vec<PersonId> = signed
            .filter(|signature| signature.voided_by.is_none())
            .filter(|signature| signature.role == SignerRole::Inspector && signature.certified)
            .filter_map(|signature| signature.person_id)
            .collect();
        people.sort_unstable();
        people.dedup();
        people
    }

    /// Whether somebody has signed as this.
    pub fn is_signed_by(&self, role: SignerRole) -> bool {
        self.signatures
            .iter()
            .any(|signature| signature.role == role && signature.voided_by.is_none())
    }

    /// The results of an item.
    pub fn item(&self, item: &ItemRef) -> Option<&ItemRecord> {
        self.items.iter().find(|record| record.item == *item)
    }

    /// The finding with this id.
    pub fn finding(&self, id: FindingId) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.id == id)
    }

    /// The photo with this hash.
    pub fn photo(&self, sha256: &Digest) -> Option<&Photo> {
        self.photos
            .iter()
            .find(|photo| photo.reference.sha256 == *sha256)
    }

    /// How many named photos have neither arrived nor been recorded as lost.
    pub fn photos_awaited(&self) -> usize {
        self.photos
            .iter()
            .filter(|photo| photo.state == PhotoState::AwaitingPhoto)
            .count()
    }

    /// The mandatory items that have no result yet.
    pub fn items_open(&self) -> Vec<ItemRef> {
        let mandatory = self.checklists.iter().flat_map(|list| {
            list.mandatory.iter().map(|item| ItemRef {
                checklist: list.code.clone(),
                item: item.clone(),
            })
        });
        mandatory
            .filter(|item| {
                let result = self.item(item).and_then(ItemRecord::result);
                result.is_none_or(|result| result.outcome == ItemOutcome::NotChecked)
            })
            .collect()
    }
}
