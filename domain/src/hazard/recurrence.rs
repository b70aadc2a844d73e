//! 反弹: whether a hazard repeats one that was closed. Suggested to people, decided by them.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::decide::Facts;
use crate::command::Report;
use crate::hazard::{Hazard, Status, StatusName};
use crate::ids::EnterpriseId;
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// What is known of the hazard that a report says it repeats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Repeated {
    /// Whoever decides holds no such record, and does not know of all.
    #[default]
    NotLookedUp,
    /// There is none that the author may see.
    Unknown,
    /// This one.
    Known {
        /// Its state.
        status: StatusName,
        /// Its enterprise.
        enterprise_id: Option<EnterpriseId>,
    },
}

/// What a later hazard has in common with an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Likeness {
    /// The same criterion, in whatever edition.
    #[n(0)]
    Criterion,
    /// The same category.
    #[n(1)]
    Category,
}

/// The claim of a report is checked where it can be: one that names the wrong hazard would make a first
/// offence a repeated one. Answers whether it is kept beside, not in force: what a device sent is not refused
/// for a hint that went stale on the way, since the hazard itself would be lost with it.
pub(super) fn check_claim(report: &Report, facts: &Facts) -> Result<bool, Refusal> {
    match check_against(report, &facts.repeated) {
        Ok(()) => Ok(false),
        Err(_) if facts.made_at.is_some() => Ok(true),
        Err(refusal) => Err(refusal),
    }
}

fn check_against(report: &Report, repeated: &Repeated) -> Result<(), Refusal> {
    let refused = |why: &str| Err(Refusal::invalid_field("recurrence_of", why));
    let (status, enterprise_id) = match repeated {
        Repeated::NotLookedUp => return Ok(()),
        Repeated::Unknown => return refused("names no hazard that you may see"),
        Repeated::Known {
            status,
            enterprise_id,
        } => (*status, *enterprise_id),
    };
    if matches!(
        status,
        StatusName::Rejected | StatusName::Withdrawn | StatusName::Merged
    ) {
        return refused("names a hazard that was found to be none");
    }
    let differ = |(one, other): (EnterpriseId, EnterpriseId)| one != other;
    if report.enterprise_id.zip(enterprise_id).is_some_and(differ) {
        return refused("names a hazard of another enterprise");
    }
    Ok(())
}

impl Hazard {
    /// When it was closed, while it is.
    pub fn closed_at(&self) -> Option<Timestamp> {
        match &self.status {
            Status::Closed { closed_at, .. } => Some(*closed_at),
            _ => None,
        }
    }

    /// Whether `later` looks like the same again: of the same enterprise, by the same criterion or of
    /// the same category, at the same risk point where both name one, and found within `months` after
    /// this one was closed. A clock in the field may say that it was found before: what counts there is when
    /// it came.
    pub fn may_recur_in(&self, later: &Self, months: u32) -> Option<Likeness> {
        let closed_at = self.closed_at()?;
        let months = jiff::Span::new().try_months(months).ok()?;
        let closed_on = closed_at.shanghai_date().date();
        let until = closed_on.checked_add(months).ok()?;
        let found_on = later.found_at.shanghai_date();
        if self.id == later.id
            || later.received_at < closed_at
            || found_on.date() > until
            || self.enterprise_id.is_none()
            || self.enterprise_id != later.enterprise_id
        {
            return None;
        }
        let risk_point = |hazard: &Self| hazard.nature.as_ref()?.risk_point.clone();
        let elsewhere = |(one, other): (String, String)| one.trim() != other.trim();
        if risk_point(self)
            .zip(risk_point(later))
            .is_some_and(elsewhere)
        {
            return None;
        }
        let same = |(one, other): (&str, &str)| one.trim() == other.trim();
        let code = |hazard: &Self| hazard.criterion.as_ref().map(|c| c.code.clone());
        let category = |hazard: &Self| hazard.nature.as_ref()?.category.clone();
        let (one, other) = (code(self), code(later));
        if one.as_deref().zip(other.as_deref()).is_some_and(same) {
            return Some(Likeness::Criterion);
        }
        let (one, other) = (category(self), category(later));
        let alike = one.as_deref().zip(other.as_deref()).is_some_and(same);
        alike.then_some(Likeness::Category)
    }
}
