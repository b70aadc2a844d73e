//! The settings as the rules and the protocol take them.

use hazardloop_domain::hazard::Limits;
use hazardloop_domain::inspection::InspectionLimits;
use hazardloop_sync_protocol::wire::WireLimits;

use super::Settings;

impl Settings {
    /// The limits that the rules work with.
    pub fn rule_limits(&self) -> Limits {
        Limits {
            photos: self.hazards.photos,
            notes: self.hazards.notes,
            due_days: self.hazards.due_days,
            milestones: self.hazards.milestones,
            extensions: self.hazards.extensions,
            extension_days_without_expert: self.hazards.extension_days_without_expert,
            penalties: self.hazards.penalties,
            items: self.hazards.items,
            spot_checks: self.hazards.spot_checks,
            recurrence_months: self.hazards.recurrence_months,
            category_required: self.hazards.category_required,
            finder_may_not_reinspect: self.hazards.finder_may_not_reinspect,
            photo_bytes: self.photos.bytes,
            document_bytes: self.photos.document_bytes,
            clip_bytes: self.photos.clip_bytes,
            ..Limits::default()
        }
    }

    /// The limits that the rules of inspections work with.
    pub fn inspection_limits(&self) -> InspectionLimits {
        let set = &self.inspections;
        InspectionLimits {
            checklists: set.checklists,
            items: set.items,
            findings: set.findings,
            attendees: set.attendees,
            team: set.team,
            photos: set.inspection_photos,
            plan_days: set.plan_days,
            photo_bytes: self.photos.bytes,
            document_bytes: self.photos.document_bytes,
            clip_bytes: self.photos.clip_bytes,
            ..InspectionLimits::default()
        }
    }

    /// The limits that the protocol works with.
    pub fn wire_limits(&self) -> WireLimits {
        WireLimits {
            body_bytes: self.sync.body_bytes,
            commands: self.sync.commands,
            records: self.sync.records,
            co_signatures: self.sync.co_signatures,
            ..WireLimits::default()
        }
    }
}
