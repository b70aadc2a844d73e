//! The parts of a record that there may be several of: photos, notes, fields in dispute.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::command::PhotoRef;
use crate::ids::PersonId;
use crate::time::Timestamp;

/// Whether a named photo's bytes are here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum PhotoState {
    /// Named; bytes not here yet.
    #[n(0)]
    AwaitingPhoto,
    /// Bytes here, hash checked.
    #[n(1)]
    Verified,
    /// Will never come.
    #[n(2)]
    Lost {
        /// Who says so.
        #[n(0)]
        recorded_by: PersonId,
        /// Why; stays visible.
        #[n(1)]
        reason: String,
    },
}

record! {
    /// One photo of the record.
    pub struct Photo {
        /// Which.
        #[n(0)]
        pub reference: PhotoRef,
        /// Who named it.
        #[n(1)]
        pub named_by: PersonId,
        /// Whether it is here.
        #[n(2)]
        pub state: PhotoState,
    }
}

record! {
    /// A note.
    pub struct NoteEntry {
        /// Whose.
        #[n(0)]
        pub by: PersonId,
        /// When the server recorded it.
        #[n(1)]
        pub at: Timestamp,
        /// The text.
        #[n(2)]
        pub text: String,
    }
}

/// The fields that can be amended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum FieldName {
    /// Description.
    #[n(0)]
    Description,
    /// Place within the site.
    #[n(1)]
    PlaceText,
    /// Position.
    #[n(2)]
    Position,
    /// Immediate measure.
    #[n(3)]
    ImmediateMeasure,
    /// Enterprise.
    #[n(4)]
    EnterpriseId,
}

impl FieldName {
    /// The stable name, as documents carry it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Description => "description",
            Self::PlaceText => "place_text",
            Self::Position => "position",
            Self::ImmediateMeasure => "immediate_measure",
            Self::EnterpriseId => "enterprise_id",
        }
    }
}

record! {
    /// Two people changed the same field without seeing each other's change: both values stay.
    pub struct Disputed {
        /// The field.
        #[n(0)]
        pub field: FieldName,
        /// The value that came second and is not in force, as text.
        #[n(1)]
        pub other_value: String,
        /// Whose it is.
        #[n(2)]
        pub by: PersonId,
        /// When the server recorded it.
        #[n(3)]
        pub at: Timestamp,
        /// The record's version with it: whoever amends the field having seen that version settles it.
        #[n(4)]
        #[cbor(default)]
        #[serde(default)]
        pub version: i64,
    }
}

record! {
    /// The record's version at which each field last changed.
    pub struct FieldVersions {
        /// Description.
        #[n(0)]
        pub description: i64,
        /// Place within the site.
        #[n(1)]
        pub place_text: i64,
        /// Position.
        #[n(2)]
        pub position: i64,
        /// Immediate measure.
        #[n(3)]
        pub immediate_measure: i64,
        /// Enterprise.
        #[n(4)]
        pub enterprise_id: i64,
    }
}
