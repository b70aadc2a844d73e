//! From events to what lies over the main line.

use crate::command::{Grade, ReceiveTransfer, Transfer};
use crate::hazard::{
    Delisting, Extension, ExtensionDecision, Hazard, HazardEvent, Listing, Mark, Penalty, Plan,
    PlanDecision, Proposal, ResumptionDecision, ResumptionRequest, SpotCheckRecord, Status,
    Suspension, TransferReceipt, TransferRecord,
};
use crate::ids::PersonId;
use crate::time::Timestamp;

impl Hazard {
    pub(super) fn apply_beside(&mut self, event: &HazardEvent, by: PersonId, at: Timestamp) {
        let mark = Mark { by, at };
        match event {
            HazardEvent::PlanSubmitted { plan } => {
                self.name_photos(&plan.photos, by);
                self.plan = Some(Plan {
                    plan: plan.clone(),
                    submitted: mark,
                    decision: None,
                });
                if self.grade == Grade::General {
                    self.begin_rectifying();
                }
            }
            HazardEvent::PlanDecided { decision } => {
                if let Some(plan) = &mut self.plan {
                    plan.decision = Some(PlanDecision {
                        decision: decision.clone(),
                        decided: mark,
                    });
                }
                if decision.accepted {
                    self.bind_plan();
                    self.begin_rectifying();
                }
            }
            HazardEvent::ExtensionRequested {
                request,
                time_unproven,
                by_principal,
            } => {
                let due_date_before = self.order().map(|order| order.due_date);
                self.extensions.push(Extension {
                    request: request.clone(),
                    requested: mark,
                    due_date_before: due_date_before.unwrap_or(request.new_due_date),
                    time_unproven: *time_unproven,
                    decision: None,
                    lapsed: false,
                    by_principal: *by_principal,
                });
            }
            HazardEvent::ExtensionDecided { decision } => {
                let Some(extension) = self.extensions.last_mut() else {
                    return;
                };
                let new_due_date = extension.request.new_due_date;
                extension.decision = Some(ExtensionDecision {
                    decision: decision.clone(),
                    decided: mark,
                });
                if let Some(order) = self.status.order_mut()
                    && decision.granted
                {
                    order.due_date = new_due_date;
                    order.deadline = None;
                }
            }
            HazardEvent::GradeChanged { change } => self.change_grade(change),
            HazardEvent::ProposalMade { proposed } => {
                let proposed = proposed.clone();
                self.proposal = Some(Proposal { proposed, mark });
            }
            HazardEvent::ProposalDecided { decision } => {
                let proposal = self.proposal.take().filter(|_| decision.agreed);
                if let Some(proposal) = proposal {
                    self.carry_out(proposal, by, at);
                }
            }
            HazardEvent::Merged { merge } => {
                self.proposal = None;
                self.status = Status::Merged {
                    merged_by: by,
                    into: merge.into,
                    reason: merge.reason.clone(),
                };
            }
            HazardEvent::Transferred { transfer } => self.hand_over(transfer, mark),
            HazardEvent::TransferReceived { receipt } => self.take_receipt(receipt, mark),
            HazardEvent::SectorAssigned { assignment } => {
                self.sector = Some(assignment.sector.clone());
                self.department = Some(assignment.department.clone());
            }
            HazardEvent::DeadlineRecomputed { deadline } => self.recompute(deadline),
            HazardEvent::SpotChecked { check } => {
                self.name_photos(&check.photos, by);
                self.spot_checks.push(SpotCheckRecord {
                    check: check.clone(),
                    mark,
                });
            }
            measures => self.apply_measures(measures, mark),
        }
    }

    /// Listed supervision, suspension, penalties.
    fn apply_measures(&mut self, event: &HazardEvent, mark: Mark) {
        match event {
            HazardEvent::Listed {
                listing,
                by_jurisdiction,
            } => {
                self.listing = Some(Listing {
                    listing: listing.clone(),
                    listed: mark,
                    delisting: None,
                    by_jurisdiction: *by_jurisdiction,
                });
            }
            HazardEvent::Delisted { delisting } => {
                if let Some(listing) = &mut self.listing {
                    listing.delisting = Some(Delisting {
                        delisting: delisting.clone(),
                        delisted: mark,
                    });
                }
            }
            HazardEvent::SuspensionOrdered { suspension } => {
                self.suspension = Some(Suspension {
                    order: suspension.clone(),
                    ordered: mark,
                    application: None,
                    decision: None,
                });
            }
            HazardEvent::ResumptionRequested { application } => {
                self.name_photos(&application.photos, mark.by);
                if let Some(suspension) = &mut self.suspension {
                    suspension.decision = None;
                    suspension.application = Some(ResumptionRequest {
                        application: application.clone(),
                        applied: mark,
                    });
                }
            }
            HazardEvent::ResumptionDecided { decision } => {
                self.name_photos(&decision.photos, mark.by);
                if let Some(suspension) = &mut self.suspension {
                    suspension.decision = Some(ResumptionDecision {
                        decision: decision.clone(),
                        decided: mark,
                    });
                }
            }
            HazardEvent::PenaltyRecorded { penalty } => {
                let entry = Penalty {
                    penalty: penalty.clone(),
                    recorded: mark,
                };
                let mut known = self.penalties.iter_mut();
                match known.find(|known| known.penalty.case_no == penalty.case_no) {
                    Some(known) => *known = entry,
                    None => self.penalties.push(entry),
                }
            }
            // Everything else is applied elsewhere.
            _ => {}
        }
    }

    /// An acknowledged plan that ends earlier than the order binds. Where the enterprise had set the due
    /// date itself, that of its first acknowledged plan is the first formal one, unless it is later: what
    /// was granted in between is an extension and moves nothing that figures count by.
    fn bind_plan(&mut self) {
        let planned = self.plan.as_ref().map(|plan| plan.plan.due_date);
        let Some((order, planned)) = self.status.order_mut().zip(planned) else {
            return;
        };
        let first = std::mem::take(&mut order.self_declared);
        if first && planned < order.due_date_original {
            order.due_date_original = planned;
            order.deadline_original = None;
        }
        if planned < order.due_date {
            order.due_date = planned;
            order.deadline = None;
        }
    }

    /// What was asked for before the correction was handed in is not decided on afterwards.
    pub(super) fn lapse_extension(&mut self) {
        if let Some(extension) = self.extensions.last_mut()
            && extension.decision.is_none()
        {
            extension.lapsed = true;
        }
    }

    /// A major hazard is being corrected from when its plan is acknowledged. One that has come back stays
    /// where it is, with the reason.
    pub(super) fn await_plan(&mut self) {
        if let Status::Rectifying {
            order,
            returned_because: None,
            ..
        } = &self.status
            && self.grade == Grade::Major
            && !self.is_planned()
        {
            self.status = Status::Confirmed {
                order: order.clone(),
            };
        }
    }

    fn begin_rectifying(&mut self) {
        if let Status::Confirmed { order } = &self.status {
            self.status = Status::Rectifying {
                order: order.clone(),
                returned_because: None,
                returns: 0,
            };
        }
    }

    /// The receiving body answers from now on, and whoever handed it over goes on seeing it until
    /// there is a receipt.
    fn hand_over(&mut self, transfer: &Transfer, mark: Mark) {
        let before = Box::new(self.status.clone());
        self.status = Status::Transferred {
            transfer: TransferRecord {
                transfer: transfer.clone(),
                handed_over: mark,
                from_jurisdiction: self.jurisdiction_id,
                before,
                receipt: None,
            },
        };
        self.lie_in(transfer.to_jurisdiction.unwrap_or(self.jurisdiction_id));
    }

    fn take_receipt(&mut self, receipt: &ReceiveTransfer, mark: Mark) {
        let Status::Transferred { transfer } = &mut self.status else {
            return;
        };
        if !receipt.accepted {
            let from = transfer.from_jurisdiction;
            self.status = transfer.before.as_ref().clone();
            self.lie_in(from);
        } else if transfer.transfer.to_jurisdiction.is_some() {
            self.taken_over = true;
            // That of whoever handed it over; a refused transfer finds it as it was.
            self.department = None;
            self.status = transfer.before.as_ref().clone();
        } else {
            transfer.receipt = Some(TransferReceipt {
                receipt: receipt.clone(),
                recorded: mark,
            });
        }
    }
}
