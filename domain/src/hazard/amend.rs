//! Amendments: changes to different fields merge; two changes to the same field keep both values.

use crate::command::Amend;
use crate::hazard::{FieldName, Hazard};

impl Amend {
    /// The fields that this amendment changes.
    pub fn fields(&self) -> Vec<FieldName> {
        let mut fields = Vec::new();
        let mut note = |present: bool, field| {
            if present {
                fields.push(field);
            }
        };
        note(self.description.is_some(), FieldName::Description);
        note(self.place_text.is_some(), FieldName::PlaceText);
        note(self.position.is_some(), FieldName::Position);
        note(
            self.immediate_measure.is_some(),
            FieldName::ImmediateMeasure,
        );
        note(self.enterprise_id.is_some(), FieldName::EnterpriseId);
        fields
    }

    /// The same amendment with only those fields for which `keep` holds.
    pub(super) fn only(&self, keep: impl Fn(FieldName) -> bool) -> Self {
        Self {
            based_on: self.based_on,
            description: self
                .description
                .clone()
                .filter(|_| keep(FieldName::Description)),
            place_text: self
                .place_text
                .clone()
                .filter(|_| keep(FieldName::PlaceText)),
            position: self.position.filter(|_| keep(FieldName::Position)),
            immediate_measure: self
                .immediate_measure
                .clone()
                .filter(|_| keep(FieldName::ImmediateMeasure)),
            enterprise_id: self.enterprise_id.filter(|_| keep(FieldName::EnterpriseId)),
        }
    }

    /// The wanted value of a field, as text that people can compare.
    pub(super) fn value_as_text(&self, field: FieldName) -> String {
        let text = match field {
            FieldName::Description => self.description.clone(),
            FieldName::PlaceText => self.place_text.clone(),
            FieldName::Position => self.position.as_ref().map(position_as_text),
            FieldName::ImmediateMeasure => self.immediate_measure.clone(),
            FieldName::EnterpriseId => self.enterprise_id.map(|id| id.to_string()),
        };
        text.unwrap_or_default()
    }
}

impl Hazard {
    /// The version of this record at which `field` last changed.
    pub fn field_version(&self, field: FieldName) -> i64 {
        let versions = &self.field_versions;
        match field {
            FieldName::Description => versions.description,
            FieldName::PlaceText => versions.place_text,
            FieldName::Position => versions.position,
            FieldName::ImmediateMeasure => versions.immediate_measure,
            FieldName::EnterpriseId => versions.enterprise_id,
        }
    }

    /// Whether the field already has the value that the amendment wants.
    pub(super) fn already_says(&self, change: &Amend, field: FieldName) -> bool {
        match field {
            FieldName::Description => change.description.as_ref() == Some(&self.description),
            FieldName::PlaceText => change.place_text.as_ref() == Some(&self.place_text),
            FieldName::Position => change.position == self.position,
            FieldName::ImmediateMeasure => change.immediate_measure == self.immediate_measure,
            FieldName::EnterpriseId => change.enterprise_id == self.enterprise_id,
        }
    }
}

fn position_as_text(position: &crate::geography::Position) -> String {
    let degrees = |e7: i32| f64::from(e7) / 1e7;
    format!(
        "{:.7}, {:.7} ({:?})",
        degrees(position.longitude_e7()),
        degrees(position.latitude_e7()),
        position.reference()
    )
}
