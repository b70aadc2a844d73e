//! What a list of hazards may be narrowed to.

use std::collections::BTreeMap;

use hazardloop_domain::command::{Grade, Source};
use hazardloop_domain::hazard::{Hazard, StatusName};
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, PersonId};
use hazardloop_domain::search_text::Query;
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use super::Area;
use crate::failure::Failure;
use crate::store::Conn;
use crate::store::hazard_lists::{Bucket, Span};
use crate::store::lists::{self, HazardFilter};
use crate::usecases::index_text;

/// What the list is narrowed to; everything that is set must be met.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filters {
    /// Where the hazard stands: any of these; empty: anywhere.
    pub statuses: Vec<StatusName>,
    /// Grade.
    pub grade: Option<Grade>,
    /// Of one enterprise.
    pub enterprise_id: Option<EnterpriseId>,
    /// Of one jurisdiction and everything below it.
    pub jurisdiction_id: Option<JurisdictionId>,
    /// Whether the due date has passed.
    pub overdue: Option<bool>,
    /// When the server received the report.
    pub received: Option<Span>,
    /// When the correction is due.
    pub due: Option<Span>,
    /// How it came to be known.
    pub source: Option<Source>,
    /// The sector of its enterprise, by any of these names; empty: any.
    pub sectors: Vec<String>,
    /// Code of the criterion.
    pub criterion: Option<String>,
    /// Who reported it.
    pub reported_by: Option<PersonId>,
    /// The number by which people quote it.
    pub number: Option<String>,
    /// Where.
    pub area: Option<Area>,
    /// What its text must hold.
    pub text: Option<Query>,
}

impl Filters {
    pub(super) fn of_columns(&self, now: Timestamp) -> HazardFilter {
        HazardFilter {
            statuses: self.statuses.iter().map(|status| status.as_str()).collect(),
            grade: self.grade.map(Grade::as_str),
            overdue: self.overdue.map(|wanted| (now.as_millis(), wanted)),
            received: self.received,
            due: self.due,
            source: self.source.map(Source::as_str),
            sectors: self.sectors.clone(),
            criterion: self.criterion.clone(),
            reported_by: self.reported_by.map(|id| id.as_bytes().to_vec()),
        }
    }

    /// The states and grades that are asked for.
    pub(super) fn buckets(&self) -> Vec<Bucket> {
        let statuses = match self.statuses.as_slice() {
            [] => StatusName::EXISTING,
            some => some,
        };
        let grades = self.grade.map_or(Grade::ALL.to_vec(), |grade| vec![grade]);
        let pairs = statuses
            .iter()
            .flat_map(|status| grades.iter().map(|grade| (*status, *grade)));
        let pairs: BTreeMap<_, _> = pairs
            .map(|(status, grade)| ((status, grade.as_str()), (status, grade)))
            .collect();
        pairs.into_values().collect()
    }

    /// Between which times the due dates that are asked for lie.
    pub(super) fn due_span(&self, now: Timestamp) -> Span {
        let Span {
            mut from,
            mut until,
        } = self.due.unwrap_or(Span::ALL);
        match self.overdue {
            Some(true) => until = until.min(now.as_millis().saturating_sub(1)),
            Some(false) => from = from.max(now.as_millis()),
            None => {}
        }
        Span { from, until }
    }
}

/// Those of these hazards whose text holds what is searched for.
///
/// # Errors
/// When the database does not answer.
pub(super) fn saying(conn: &mut Conn, query: &Query, ids: &[Uuid]) -> Result<Vec<Uuid>, Failure> {
    let hazards = lists::hazards(conn, ids)?;
    let enterprises = index_text::enterprises_of(&hazards);
    let names = lists::enterprise_names(conn, &enterprises)?;
    let says = |hazard: &&Hazard| {
        let name = hazard.enterprise_id.and_then(|id| names.get(&id.0));
        query.matches(&index_text::text_of(hazard, name.map(String::as_str)))
    };
    Ok(hazards
        .iter()
        .filter(says)
        .map(|hazard| hazard.id.0)
        .collect())
}
