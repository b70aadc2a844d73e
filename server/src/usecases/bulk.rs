//! Many hazards at once, as benchmarks and tests need them: whole histories, written as the one door writes them but
//! without asking the rules. Not part of a server: built for tests, and with the feature `bulk`.

use hazardloop_domain::command::{
    Close, Confirm, CriterionRef, Grade, Origin, Reinspect, Reject, Report, Source,
    SubmitRectification,
};
use hazardloop_domain::geography::{CoordinateReference, Measurement, Position, Wgs84Point};
use hazardloop_domain::hazard::{Authority, HazardEvent, StatusName};
use hazardloop_domain::ids::{EnterpriseId, HazardId, JurisdictionId, PersonId};
use hazardloop_domain::time::{LocalDate, Timestamp};

use super::execute::{Door, Sender};
use crate::failure::Failure;
use crate::store::WriteTx;

/// The sample rows: place and description.
const CORPUS: &str = include_str!("../../../catalog/samples/hazard-corpus.tsv");

/// A hazard to be made, and how far it is to come.
#[derive(Clone, Debug)]
pub struct Made {
    /// Its id.
    pub id: HazardId,
    /// Its enterprise.
    pub enterprise_id: Option<EnterpriseId>,
    /// Who answers for it.
    pub jurisdiction_id: JurisdictionId,
    /// Its sector, that of its enterprise.
    pub sector: Option<String>,
    /// Who reported it, and does everything else.
    pub person_id: PersonId,
    /// How it came to be known.
    pub source: Source,
    /// Its grade.
    pub grade: Grade,
    /// Code of its criterion.
    pub criterion: Option<String>,
    /// What is wrong.
    pub description: String,
    /// 部位.
    pub place_text: String,
    /// Where.
    pub point: Option<Wgs84Point>,
    /// Where it is to stand: any state but unreported and rectifying.
    pub status: StatusName,
    /// The last day, where it is confirmed.
    pub due_date: LocalDate,
}

/// Place and description of a row of the sample, counted round.
pub fn words(number: usize) -> (&'static str, &'static str) {
    let rows = CORPUS.lines().count().saturating_sub(1).max(1);
    let row = CORPUS.lines().nth(1 + number % rows).unwrap_or_default();
    let mut fields = row.split('\t').skip(3);
    let place = fields.next().unwrap_or_default();
    (place, fields.next().unwrap_or_default())
}

impl Made {
    fn criterion(&self) -> Option<CriterionRef> {
        let code = self.criterion.clone();
        code.map(|code| CriterionRef { code, edition: 1 })
    }

    /// The report.
    pub fn report(&self, found_at: Timestamp) -> Report {
        let measured = self.point.map(|point| {
            Measurement::at(point.longitude, point.latitude, CoordinateReference::Wgs84)
        });
        Report {
            source: self.source,
            grade: self.grade,
            enterprise_id: self.enterprise_id,
            description: self.description.clone(),
            place_text: self.place_text.clone(),
            position: measured.and_then(|measured| Position::new(measured).ok()),
            found_at,
            photos: Vec::new(),
            no_photo_reason: Some("试验".to_owned()),
            criterion: self.criterion(),
            immediate_measure: None,
            fixed_on_spot: None,
            recurrence_of: None,
            nature: None,
        }
    }

    /// The confirmation.
    pub fn confirmation(&self) -> Confirm {
        Confirm {
            grade: self.grade,
            criterion: self.criterion(),
            basis: None,
            responsible_person: "周小河".to_owned(),
            requirement: "每班清扫".to_owned(),
            due_date: self.due_date,
            period: None,
            expert_opinion: None,
            responsible_unit: None,
            served: None,
            category: Some("生产设备设施".to_owned()),
        }
    }

    fn events(&self, now: Timestamp) -> Vec<HazardEvent> {
        let mut events = vec![HazardEvent::Reported {
            claim_unfounded: false,
            report: self.report(now),
            jurisdiction_id: self.jurisdiction_id,
            sector: self.sector.clone(),
        }];
        let text = || "试验".to_owned();
        match self.status {
            StatusName::Rejected => {
                let rejection = Reject { reason: text() };
                events.push(HazardEvent::Rejected { rejection });
            }
            StatusName::Confirmed | StatusName::PendingReinspection | StatusName::Closed => {
                events.push(HazardEvent::Confirmed {
                    confirmation: self.confirmation(),
                    deadline: None,
                    authority: Authority::default(),
                    second: None,
                    self_declared: false,
                });
            }
            _ => {}
        }
        if matches!(
            self.status,
            StatusName::PendingReinspection | StatusName::Closed
        ) {
            let submission = SubmitRectification {
                measures: text(),
                completed_at: now,
                photos: Vec::new(),
                cost_fen: None,
                pairs: Vec::new(),
                self_acceptance: None,
            };
            events.push(HazardEvent::RectificationSubmitted { submission });
        }
        if self.status == StatusName::Closed {
            let reinspection = Reinspect {
                passed: true,
                opinion: text(),
                photos: Vec::new(),
                new_due_date: None,
                document_no: None,
                items: Vec::new(),
                no_photo_reason: None,
                on: None,
            };
            let closure = Close {
                opinion: text(),
                on: None,
            };
            events.push(HazardEvent::Reinspected {
                reinspection,
                second: None,
            });
            events.push(HazardEvent::Closed { closure });
        }
        events
    }
}

/// Writes hazards that do not exist yet, all received at `now`.
///
/// # Errors
/// When the database does not answer.
pub fn write(
    door: &Door,
    tx: &mut WriteTx<'_>,
    now: Timestamp,
    all: &[Made],
) -> Result<(), Failure> {
    let mut set = door.open(now);
    for made in all {
        let sender = Sender {
            person_id: Some(made.person_id),
            origin: Origin::DIRECT,
            made_at: None,
            heard_at: None,
        };
        set.record(made.id, &made.events(now), &sender)?;
    }
    set.store(tx)
}

#[cfg(test)]
#[path = "bulk_tests.rs"]
mod tests;
