//! What can be asked of a hazard: computed from its record, never stored.

use super::overlays::{Extension, Plan, Proposed, Suspension};
use crate::access::Place;
use crate::command::Grade;
use crate::hash::Digest;
use crate::hazard::{Hazard, Order, Photo, PhotoState, Status, StatusName};
use crate::ids::JurisdictionId;
use crate::time::Timestamp;

impl Status {
    /// The order in force, from confirmation on; through a transfer too.
    pub fn order(&self) -> Option<&Order> {
        match self {
            Self::Confirmed { order }
            | Self::Rectifying { order, .. }
            | Self::PendingReinspection { order, .. }
            | Self::Closed { order, .. } => Some(order),
            Self::Transferred { transfer } => transfer.before.order(),
            Self::Reported
            | Self::Rejected { .. }
            | Self::Withdrawn { .. }
            | Self::Merged { .. } => None,
        }
    }

    /// The same, to be changed.
    pub(super) fn order_mut(&mut self) -> Option<&mut Order> {
        match self {
            Self::Confirmed { order }
            | Self::Rectifying { order, .. }
            | Self::PendingReinspection { order, .. }
            | Self::Closed { order, .. } => Some(order),
            Self::Transferred { transfer } => transfer.before.order_mut(),
            Self::Reported
            | Self::Rejected { .. }
            | Self::Withdrawn { .. }
            | Self::Merged { .. } => None,
        }
    }
}

impl Hazard {
    /// The name of the present state.
    pub fn status_name(&self) -> StatusName {
        match &self.status {
            Status::Reported => StatusName::Reported,
            Status::Confirmed { .. } => StatusName::Confirmed,
            Status::Rectifying { .. } => StatusName::Rectifying,
            Status::PendingReinspection { .. } => StatusName::PendingReinspection,
            Status::Closed { .. } => StatusName::Closed,
            Status::Rejected { .. } => StatusName::Rejected,
            Status::Withdrawn { .. } => StatusName::Withdrawn,
            Status::Merged { .. } => StatusName::Merged,
            Status::Transferred { .. } => StatusName::Transferred,
        }
    }

    /// The order in force, from confirmation on.
    pub fn order(&self) -> Option<&Order> {
        self.status.order()
    }

    /// The order that somebody issued. Of what was fixed on the spot its finder alone has said so far that it is
    /// done: that is no order to anybody.
    pub fn issued_order(&self) -> Option<&Order> {
        self.order().filter(|order| {
            let finders = (self.reported_by, self.received_at);
            !self.fixed_on_spot || (order.confirmed_by, order.confirmed_at) != finders
        })
    }

    /// Whether the enterprise that it is of found and told it itself.
    pub const fn is_self_found(&self) -> bool {
        self.source.is_self_found() && !self.readdressed
    }

    /// Whether it has a plan that the department has acknowledged.
    pub fn is_planned(&self) -> bool {
        self.plan.as_ref().is_some_and(Plan::is_acknowledged)
    }

    /// Whether listed supervision is in force.
    pub fn is_listed(&self) -> bool {
        let listing = self.listing.as_ref();
        listing.is_some_and(|listing| listing.delisting.is_none())
    }

    /// Whether it came to its end: nobody has anything to do about it any more, unless somebody opens it again.
    /// Under listed supervision, while work is ordered to stand still, or while somebody is asked to decide, it is not
    /// there yet.
    pub fn is_settled(&self) -> bool {
        let ended = match &self.status {
            Status::Reported
            | Status::Confirmed { .. }
            | Status::Rectifying { .. }
            | Status::PendingReinspection { .. } => false,
            Status::Closed { .. }
            | Status::Rejected { .. }
            | Status::Withdrawn { .. }
            | Status::Merged { .. } => true,
            Status::Transferred { transfer } => transfer.receipt.is_some(),
        };
        ended && !self.is_listed() && !self.is_suspended() && self.proposal.is_none()
    }

    /// Whether work is ordered to stand still.
    pub fn is_suspended(&self) -> bool {
        let suspension = self.suspension.as_ref();
        suspension.is_some_and(Suspension::is_in_force)
    }

    /// Whether an inspector has confirmed it as major and a second one has yet to agree.
    pub fn is_proposed_as_major(&self) -> bool {
        let proposed = self.proposal.as_ref().map(|proposal| &proposal.proposed);
        matches!(proposed, Some(Proposed::Confirmation { confirmation, .. })
            if confirmation.grade == Grade::Major)
    }

    /// Whether its finder alone says that it was fixed on the spot: nobody has looked.
    pub fn is_only_said_to_be_fixed(&self) -> bool {
        let unseen = matches!(&self.status, Status::PendingReinspection { submission, returns, .. }
            if submission.passed_by.is_empty() && *returns == 0);
        self.fixed_on_spot && unseen
    }

    /// The application for a later due date that waits for a decision.
    pub fn extension_waiting(&self) -> Option<&Extension> {
        let last = self.extensions.last();
        last.filter(|extension| extension.decision.is_none() && !extension.lapsed)
    }

    /// Who handed it over and may still see it while its receipt is awaited.
    pub fn handed_over_by(&self) -> Option<JurisdictionId> {
        match &self.status {
            Status::Transferred { transfer } => Some(transfer.from_jurisdiction),
            _ => None,
        }
    }

    /// The instant after which the hazard, if still open, is overdue. Overdue itself is computed
    /// by whoever asks, never stored.
    pub fn due_at(&self) -> Option<Timestamp> {
        match &self.status {
            Status::Closed { .. } => None,
            // Another body, outside this system, answers for it.
            Status::Transferred { transfer } if transfer.receipt.is_some() => None,
            _ => self.order().map(|order| order.due_date.end_of_day()),
        }
    }

    /// Whether the correction is still outstanding after its due date at `now`.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.due_at().is_some_and(|due| due < now)
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

    /// How many different inspectors must pass a re-inspection before closure: two for major
    /// hazards.
    pub fn passes_needed(&self) -> usize {
        match self.grade {
            Grade::General => 1,
            Grade::Major => 2,
        }
    }

    /// Where it stands in the world of scopes; `ancestors` are the jurisdictions from the root
    /// down to and including [`Hazard::jurisdiction_id`].
    pub fn place(&self, ancestors: Vec<JurisdictionId>) -> Place {
        Place {
            enterprise_id: self.enterprise_id,
            jurisdictions: ancestors,
            sector: self.sector.clone(),
        }
    }
}
