//! The limits that the rules of hazards work with.

use minicbor::{Decode, Encode};

use crate::evidence::MediaType;

/// Counts and sizes that one hazard may reach. Configuration; these are the defaults.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Limits {
    /// Photos of one hazard.
    #[n(0)]
    pub photos: usize,
    /// Notes of one hazard.
    #[n(1)]
    pub notes: usize,
    /// Fields in dispute at once.
    #[n(2)]
    pub disputes: usize,
    /// Bytes of one photo.
    #[n(3)]
    pub photo_bytes: u64,
    /// Days from the present to the latest due date.
    #[n(4)]
    pub due_days: i64,
    /// How far a claimed time may lie ahead of the server's, milliseconds.
    #[n(5)]
    pub clock_ahead_ms: i64,
    /// How old a command may say it is, milliseconds, for its days to be counted from then: an order
    /// made by a clock that stands further back is counted from its arrival, not overdue at birth.
    #[n(6)]
    pub clock_behind_ms: i64,
    /// Stages of one plan.
    #[n(7)]
    pub milestones: usize,
    /// Extensions of one hazard.
    #[n(8)]
    pub extensions: usize,
    /// Days by which a due date may be extended without an expert's opinion.
    #[n(9)]
    pub extension_days_without_expert: i64,
    /// Penalty cases of one hazard.
    #[n(10)]
    pub penalties: usize,
    /// Items of one re-inspection.
    #[n(11)]
    pub items: usize,
    /// Bytes of one document (PDF).
    #[n(12)]
    pub document_bytes: u64,
    /// Bytes of one clip (MP4).
    #[n(13)]
    pub clip_bytes: u64,
    /// Spot checks of one hazard.
    #[n(14)]
    #[cbor(default)]
    pub spot_checks: usize,
    /// Months after a closure within which the same again is taken for a recurrence (反弹).
    #[n(15)]
    #[cbor(default)]
    pub recurrence_months: u32,
    /// A confirmation names the category where the report does not.
    #[n(16)]
    #[cbor(default)]
    pub category_required: bool,
    /// Whoever found a hazard may not pass or close it either.
    #[n(17)]
    #[cbor(default)]
    pub finder_may_not_reinspect: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            photos: 60,
            notes: 500,
            disputes: 50,
            photo_bytes: 64 * 1024 * 1024,
            due_days: 730,
            clock_ahead_ms: 366 * 86_400_000,
            clock_behind_ms: 60 * 86_400_000,
            milestones: 50,
            extensions: 12,
            extension_days_without_expert: 30,
            penalties: 20,
            items: 200,
            document_bytes: 32 * 1024 * 1024,
            clip_bytes: 64 * 1024 * 1024,
            spot_checks: 20,
            recurrence_months: 12,
            category_required: true,
            finder_may_not_reinspect: false,
        }
    }
}

impl Limits {
    /// Bytes of one piece of evidence of this type.
    pub const fn bytes_of(&self, media_type: MediaType) -> u64 {
        media_type.most_bytes(self.photo_bytes, self.document_bytes, self.clip_bytes)
    }

    /// Bytes of the largest piece of evidence of any type.
    pub fn evidence_bytes(&self) -> u64 {
        let all = MediaType::ALL.iter().map(|ty| self.bytes_of(*ty));
        all.max().unwrap_or(0)
    }
}
