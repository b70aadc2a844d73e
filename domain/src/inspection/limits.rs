//! The limits that the rules of inspections work with.

use minicbor::{Decode, Encode};

use crate::evidence::MediaType;

/// Counts and sizes that one inspection may reach. Configuration; these are the defaults.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct InspectionLimits {
    /// Checklists of one inspection.
    #[n(0)]
    pub checklists: usize,
    /// Items that have a result.
    #[n(1)]
    pub items: usize,
    /// Findings.
    #[n(2)]
    pub findings: usize,
    /// People present; also signatures.
    #[n(3)]
    pub attendees: usize,
    /// People in the team; also departments.
    #[n(4)]
    pub team: usize,
    /// Photos.
    #[n(5)]
    pub photos: usize,
    /// Bytes of one photo.
    #[n(6)]
    pub photo_bytes: u64,
    /// Days from the present to the last day of a plan.
    #[n(7)]
    pub plan_days: i64,
    /// How far a claimed time may lie ahead of the server's, milliseconds.
    #[n(8)]
    pub clock_ahead_ms: i64,
    /// Bytes of one document (PDF).
    #[n(9)]
    pub document_bytes: u64,
    /// Bytes of one clip (MP4).
    #[n(10)]
    pub clip_bytes: u64,
}

impl InspectionLimits {
    /// Bytes of one piece of evidence of this type.
    pub const fn bytes_of(&self, media_type: MediaType) -> u64 {
        media_type.most_bytes(self.photo_bytes, self.document_bytes, self.clip_bytes)
    }
}

impl Default for InspectionLimits {
    fn default() -> Self {
        Self {
            checklists: 20,
            items: 500,
            findings: 200,
            attendees: 100,
            team: 30,
            photos: 200,
            photo_bytes: 64 * 1024 * 1024,
            plan_days: 730,
            clock_ahead_ms: 366 * 86_400_000,
            document_bytes: 32 * 1024 * 1024,
            clip_bytes: 64 * 1024 * 1024,
        }
    }
}
