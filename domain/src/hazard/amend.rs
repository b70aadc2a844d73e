//! Amendments: changes to different fields merge; two changes to the same field keep both values.

use super::checks::{limit, no_jurisdiction};
use super::decide::{Decision, Facts, Outcome};
use super::grading;
use crate::access::Actor;
use crate::command::Amend;
use crate::hazard::{Disputed, FieldName, Hazard, HazardEvent, StatusName};
use crate::refusal::{Refusal, RefusalCode};
use crate::text::{self, LONG_TEXT_MAX, SHORT_TEXT_MAX};

/// An amendment: what nobody changed meanwhile takes effect, what somebody did stands in dispute.
pub(super) fn decide(
    hazard: &Hazard,
    change: &Amend,
    actor: &Actor,
    facts: &Facts,
) -> Result<Decision, Refusal> {
    if let Some(description) = &change.description {
        text::required("description", description, LONG_TEXT_MAX)?;
    }
    if let Some(place_text) = &change.place_text {
        text::required("place_text", place_text, SHORT_TEXT_MAX)?;
    }
    text::optional(
        "immediate_measure",
        change.immediate_measure.as_deref(),
        LONG_TEXT_MAX,
    )?;
    let fields = change.fields();
    if fields.is_empty() {
        return Err(Refusal::invalid_field(
            "fields",
            "must name at least one field to change",
        ));
    }
    if change.based_on < 1 || change.based_on > hazard.version {
        return Err(Refusal::invalid_field(
            "based_on",
            "is not a version of this record",
        ));
    }
    if hazard.status_name() == StatusName::PendingReinspection {
        check_only_settles(hazard, &fields, change)?;
    }
    if change
        .enterprise_id
        .is_some_and(|new| hazard.enterprise_id != Some(new))
    {
        check_addressee(hazard, actor, facts)?;
    }
    let jurisdiction_id = match change.enterprise_id {
        Some(_) => Some(facts.jurisdiction_id.ok_or_else(no_jurisdiction)?),
        None => None,
    };
    let in_dispute = |field: FieldName| {
        hazard.field_version(field) > change.based_on && !hazard.already_says(change, field)
    };
    let disputed: Vec<_> = fields
        .iter()
        .copied()
        .filter(|field| in_dispute(*field))
        .collect();
    let mut events = Vec::new();
    if fields.len() > disputed.len() {
        let change = change.only(|field| !in_dispute(field));
        let moves = change.enterprise_id.is_some();
        events.push(HazardEvent::Amended {
            jurisdiction_id: jurisdiction_id.filter(|_| moves),
            sector: facts.sector.clone().filter(|_| moves),
            change,
        });
    }
    if disputed.is_empty() {
        let seen = change.based_on == hazard.version;
        let outcome = if seen {
            Outcome::Applied
        } else {
            Outcome::Merged
        };
        return Ok(Decision { events, outcome });
    }
    // Who sends the same again, as they saw it then, says nothing that does not stand there already.
    let is_new = |field: FieldName| in_dispute(field) && !hazard.keeps(change, field, actor);
    let new: Vec<_> = disputed.iter().copied().filter(|f| is_new(*f)).collect();
    if hazard.disputed.len() + new.len() > facts.limits.disputes {
        return Err(limit("disputed fields", facts.limits.disputes));
    }
    if !new.is_empty() {
        events.push(HazardEvent::AmendmentDisputed {
            change: change.only(is_new),
            fields: new,
        });
    } else if events.is_empty() {
        return Err(Refusal {
            field: disputed.first().map(|field| field.as_str().to_owned()),
            ..Refusal::new(
                RefusalCode::AlreadyDisputed,
                "this value stands beside the other already: amend on the record's present version to settle it",
            )
        });
    }
    Ok(Decision {
        events,
        outcome: Outcome::Disputed(disputed),
    })
}

/// What waits for re-inspection is no longer changed but where two values stand: one of them is said to be right. That
/// it is another enterprise's is no such settlement, for what was handed in is not theirs.
fn check_only_settles(
    hazard: &Hazard,
    fields: &[FieldName],
    change: &Amend,
) -> Result<(), Refusal> {
    let stands_in_dispute = |field: FieldName| {
        let mut marks = hazard.disputed.iter();
        marks.any(|mark| mark.field == field)
    };
    let refused = |field: FieldName, rule: &str| Refusal {
        field: Some(field.as_str().to_owned()),
        ..Refusal::new(RefusalCode::NotAllowedInState, rule)
    };
    if let Some(other) = fields.iter().find(|field| !stands_in_dispute(**field)) {
        return Err(refused(
            *other,
            "once the correction is handed in, only fields with two values are amended, to settle which one stands",
        ));
    }
    if fields.contains(&FieldName::EnterpriseId)
        && !hazard.already_says(change, FieldName::EnterpriseId)
    {
        return Err(refused(
            FieldName::EnterpriseId,
            "what was handed in is not another enterprise's: the re-inspection returns it before another is named",
        ));
    }
    Ok(())
}

/// Whom an order is addressed to does not change by one person's word, nor while a measure that names
/// them is in force. Naming one where nobody knew is no such change.
fn check_addressee(hazard: &Hazard, actor: &Actor, facts: &Facts) -> Result<(), Refusal> {
    if hazard.order().is_none() || hazard.enterprise_id.is_none() {
        return Ok(());
    }
    if hazard.is_suspended() || hazard.is_listed() {
        return Err(Refusal::new(
            RefusalCode::AlreadyInForce,
            "the enterprise is ordered to stop work, or listed: that ends before another is named",
        ));
    }
    if grading::second_decider(actor, facts).is_none() {
        return Err(Refusal {
            field: Some("enterprise_id".to_owned()),
            ..Refusal::new(
                RefusalCode::SecondPersonRequired,
                "naming another enterprise than the order takes a second signature",
            )
        });
    }
    Ok(())
}

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
    /// Ends the disputes over the fields of an amendment whose author had seen them: what it says is what
    /// stands. One that came meanwhile goes on.
    pub(super) fn settle_disputes(&mut self, change: &Amend) {
        let fields = change.fields();
        // Of marks of an earlier release it is not known when they came: the record as it was just before has them all.
        let had_seen_all = change.based_on.saturating_add(1) >= self.version;
        let had_seen = |mark: &Disputed| match mark.version {
            0 => had_seen_all,
            version => version <= change.based_on,
        };
        self.disputed
            .retain(|mark| !fields.contains(&mark.field) || !had_seen(mark));
    }

    /// Whether this value of theirs stands in dispute already.
    fn keeps(&self, change: &Amend, field: FieldName, actor: &Actor) -> bool {
        let mut marks = self.disputed.iter();
        marks.any(|mark| {
            mark.field == field
                && Some(mark.by) == actor.person_id()
                && mark.other_value == change.value_as_text(field)
        })
    }

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
