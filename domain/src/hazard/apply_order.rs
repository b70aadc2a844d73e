//! From events to the order: confirmation, grade, due dates.

use crate::command::{ChangeGrade, Confirm, FixedOnSpot, Grade, Nature, Report};
use crate::hazard::{Authority, Deadline, Hazard, Order, Proposal, Proposed, Status};
use crate::ids::PersonId;
use crate::time::Timestamp;

impl Hazard {
    pub(super) fn confirm(
        &mut self,
        confirmation: &Confirm,
        deadline: Option<&Deadline>,
        authority: Authority,
        (by, at): (PersonId, Timestamp),
        second: Option<PersonId>,
    ) {
        self.grade = confirmation.grade;
        // What the finder named is no basis of the order: that is what the confirmation cites.
        self.criterion.clone_from(&confirmation.criterion);
        if confirmation.category.is_some() {
            let nature = self.nature.get_or_insert_with(Nature::default);
            nature.category.clone_from(&confirmation.category);
        }
        let due_date = deadline.map_or(confirmation.due_date, |deadline| deadline.date);
        self.status = Status::Confirmed {
            order: Order {
                confirmed_by: by,
                confirmed_at: at,
                responsible_person: confirmation.responsible_person.clone(),
                requirement: confirmation.requirement.clone(),
                due_date_original: due_date,
                due_date,
                basis: confirmation.basis.clone(),
                deadline: deadline.cloned(),
                deadline_original: deadline.cloned(),
                self_declared: false,
                authority,
                second,
                expert_opinion: confirmation.expert_opinion.clone(),
                responsible_unit: confirmation.responsible_unit.clone(),
                served: confirmation.served.clone(),
                fact: Some(self.description.clone()),
                issued_in: None,
            },
        };
    }

    /// What a second person agreed to takes effect.
    pub(super) fn carry_out(&mut self, proposal: Proposal, second: PersonId, at: Timestamp) {
        match proposal.proposed {
            Proposed::Confirmation {
                confirmation,
                deadline,
            } => {
                let (deadline, first) = (deadline.as_ref(), (proposal.mark.by, at));
                let authority = Authority::Department;
                self.confirm(&confirmation, deadline, authority, first, Some(second));
            }
            Proposed::GradeChange { change } => self.change_grade(&change),
        }
    }

    /// A hazard that becomes major while it waits for re-inspection goes back: what was handed in
    /// had no plan behind it.
    pub(super) fn change_grade(&mut self, change: &ChangeGrade) {
        self.grade = change.grade;
        // The grounds of the grade before do not carry the new one.
        self.criterion.clone_from(&change.criterion);
        if let Some(order) = self.status.order_mut() {
            if change.basis.is_some() {
                order.basis.clone_from(&change.basis);
            }
            if change.expert_opinion.is_some() {
                order.expert_opinion.clone_from(&change.expert_opinion);
            }
            if change.grade == Grade::Major {
                order.authority = Authority::Department;
            }
        }
        self.await_plan();
        if let Status::PendingReinspection { order, returns, .. } = &self.status
            && change.grade == Grade::Major
        {
            self.status = Status::Rectifying {
                order: order.clone(),
                returned_because: Some(change.reason.clone()),
                returns: returns.saturating_add(1),
            };
        }
    }

    /// The days of the order counted again over a calendar that has arrived. A date that was extended does
    /// not fall behind the first one; one that a plan has brought forward stays, and grants itself no more.
    pub(super) fn recompute(&mut self, deadline: &Deadline) {
        let Some(order) = self.status.order_mut() else {
            return;
        };
        let was_extended = order.due_date > order.due_date_original;
        let same = |counted: &Option<Deadline>| {
            counted.as_ref().is_some_and(|counted| {
                (counted.start, counted.days, counted.kind)
                    == (deadline.start, deadline.days, deadline.kind)
            })
        };
        if same(&order.deadline_original) {
            order.due_date_original = deadline.date;
            order.deadline_original = Some(deadline.clone());
        }
        if same(&order.deadline) {
            order.due_date = deadline.date;
            order.deadline = Some(deadline.clone());
        }
        let behind = was_extended && order.due_date < order.due_date_original;
        let ahead = !was_extended && order.due_date > order.due_date_original;
        if behind || ahead {
            order.due_date = order.due_date_original;
            order.deadline.clone_from(&order.deadline_original);
        }
    }
}

/// How long before its receipt something may have been fixed on the spot: sixty days.
const LONGEST_OFFLINE_MS: i64 = 60 * 86_400_000;

/// 即查即改: found and fixed the same day, its finder answering for both until it is re-inspected.
pub(super) fn first_order_of(
    fixed: &FixedOnSpot,
    report: &Report,
    by: PersonId,
    at: Timestamp,
) -> Order {
    // Both times are a device's word: the day of receipt at the latest, and not absurdly long before.
    let claimed = fixed.completed_at.max(report.found_at);
    let due_date = claimed
        .clamp(at.plus_millis(-LONGEST_OFFLINE_MS), at)
        .shanghai_date();
    Order {
        confirmed_by: by,
        confirmed_at: at,
        responsible_person: fixed.responsible_person.clone(),
        requirement: fixed.measures.clone(),
        due_date_original: due_date,
        due_date,
        basis: None,
        deadline: None,
        deadline_original: None,
        self_declared: false,
        authority: if report.source.is_self_found() {
            Authority::Enterprise
        } else {
            Authority::Department
        },
        second: None,
        expert_opinion: None,
        responsible_unit: None,
        served: None,
        fact: Some(report.description.clone()),
        issued_in: None,
    }
}
