//! What may lie over the main line: plan, extensions, proposals, transfer, listed supervision,
//! suspension, penalties. Each is a record of who said what when; none of them is a state.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::state::{Status, is_false};
use crate::calendar::DayKind;
use crate::command::{
    ChangeGrade, Confirm, DecideExtension, DecidePlan, DecideResumption, Delist, ListSupervision,
    OrderSuspension, ReceiveTransfer, RecordPenalty, RequestExtension, RequestResumption,
    SpotCheck, SubmitPlan, Transfer,
};
use crate::ids::{JurisdictionId, PersonId};
use crate::time::{LocalDate, Timestamp};

record! {
    /// Who took a step, and when the server recorded it.
    pub struct Mark {
        /// Who.
        #[n(0)]
        pub by: PersonId,
        /// When.
        #[n(1)]
        pub at: Timestamp,
    }
}

record! {
    /// A due date that came of counting days.
    pub struct Deadline {
        /// The last day.
        #[n(0)]
        pub date: LocalDate,
        /// The day on which counting began; it is not counted itself.
        #[n(1)]
        pub start: LocalDate,
        /// Days.
        #[n(2)]
        pub days: u32,
        /// Which days count.
        #[n(3)]
        pub kind: DayKind,
        /// The rule, a code of the configuration.
        #[n(4)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub rule: Option<String>,
        /// Whether a calendar that is not published yet may move it.
        #[n(5)]
        pub provisional: bool,
        /// Counting began on a day before the order was received, as the device claims that made it: what that is worth
        /// is in the event's `time_proof`.
        #[n(6)]
        #[cbor(default, skip_if = "is_false")]
        #[serde(default, skip_serializing_if = "is_false")]
        pub start_claimed: bool,
    }
}

/// Who set a due date, and so decides on extending it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Authority {
    /// The department.
    #[n(0)]
    #[default]
    Department,
    /// The enterprise itself, for a general hazard that it found.
    #[n(1)]
    Enterprise,
}

impl Authority {
    #[allow(clippy::trivially_copy_pass_by_ref)] // the codec's signature
    pub(super) const fn is_department(&self) -> bool {
        matches!(self, Self::Department)
    }
}

record! {
    /// A plan and what became of it.
    pub struct Plan {
        /// As handed in.
        #[n(0)]
        pub plan: SubmitPlan,
        /// By whom and when.
        #[n(1)]
        pub submitted: Mark,
        /// The department's word; absent: waiting, or a general hazard that needs none.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub decision: Option<PlanDecision>,
    }
}

record! {
    /// The department's word on a plan.
    pub struct PlanDecision {
        /// As decided.
        #[n(0)]
        pub decision: DecidePlan,
        /// By whom and when.
        #[n(1)]
        pub decided: Mark,
    }
}

impl Plan {
    /// Whether it waits for the department.
    pub const fn is_waiting(&self) -> bool {
        self.decision.is_none()
    }

    /// Whether the department has acknowledged it.
    pub fn is_acknowledged(&self) -> bool {
        let decision = self.decision.as_ref();
        decision.is_some_and(|decision| decision.decision.accepted)
    }
}

record! {
    /// An application for a later due date, and what became of it.
    pub struct Extension {
        /// As asked for.
        #[n(0)]
        pub request: RequestExtension,
        /// By whom and when.
        #[n(1)]
        pub requested: Mark,
        /// The due date in force then.
        #[n(2)]
        pub due_date_before: LocalDate,
        /// It reached the server after the due date, and only the device's clock says that it was
        /// made before.
        #[n(3)]
        pub time_unproven: bool,
        /// The authority's word; absent: waiting.
        #[n(4)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub decision: Option<ExtensionDecision>,
        /// The correction was handed in, or the hazard closed or reopened, before anybody decided.
        #[n(5)]
        pub lapsed: bool,
        /// The principal asked: nobody in the enterprise decides on that.
        #[n(6)]
        #[cbor(default, skip_if = "is_false")]
        #[serde(default)]
        pub by_principal: bool,
    }
}

record! {
    /// The authority's word on an extension.
    pub struct ExtensionDecision {
        /// As decided.
        #[n(0)]
        pub decision: DecideExtension,
        /// By whom and when.
        #[n(1)]
        pub decided: Mark,
    }
}

/// What waits for a second person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "name", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "a hazard has one at most")]
pub enum Proposed {
    /// One inspector's confirmation of a major hazard.
    #[n(0)]
    Confirmation {
        /// As confirmed.
        #[n(0)]
        confirmation: Confirm,
        /// The due date that it sets, where days were counted.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deadline: Option<Deadline>,
    },
    /// Making less of a major hazard.
    #[n(1)]
    GradeChange {
        /// The change.
        #[n(0)]
        change: ChangeGrade,
    },
}

record! {
    /// A step that waits for a second person.
    pub struct Proposal {
        /// Which.
        #[n(0)]
        pub proposed: Proposed,
        /// By whom and when.
        #[n(1)]
        pub mark: Mark,
    }
}

record! {
    /// A transfer under way or ended by a receipt from outside.
    pub struct TransferRecord {
        /// As handed over.
        #[n(0)]
        pub transfer: Transfer,
        /// By whom and when.
        #[n(1)]
        pub handed_over: Mark,
        /// Who answered for it before, and answers again if it is sent back.
        #[n(2)]
        pub from_jurisdiction: JurisdictionId,
        /// Where it stood, and stands again afterwards, order and due dates included.
        #[n(3)]
        #[cfg_attr(feature = "openapi", schema(no_recursion))]
        pub before: Box<Status>,
        /// The receipt of a body outside this system; absent: waiting.
        #[n(4)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub receipt: Option<TransferReceipt>,
    }
}

record! {
    /// A receipt for a transfer.
    pub struct TransferReceipt {
        /// As recorded.
        #[n(0)]
        pub receipt: ReceiveTransfer,
        /// By whom and when.
        #[n(1)]
        pub recorded: Mark,
    }
}

record! {
    /// Listed supervision.
    pub struct Listing {
        /// As listed.
        #[n(0)]
        pub listing: ListSupervision,
        /// By whom and when.
        #[n(1)]
        pub listed: Mark,
        /// How it ended; absent: in force.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub delisting: Option<Delisting>,
        /// For which body: it delists, extends and closes, or one above it.
        #[n(3)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub by_jurisdiction: Option<JurisdictionId>,
    }
}

record! {
    /// The end of a listing.
    pub struct Delisting {
        /// As recorded.
        #[n(0)]
        pub delisting: Delist,
        /// By whom and when.
        #[n(1)]
        pub delisted: Mark,
    }
}

record! {
    /// A suspension of work.
    pub struct Suspension {
        /// As ordered.
        #[n(0)]
        pub order: OrderSuspension,
        /// By whom and when.
        #[n(1)]
        pub ordered: Mark,
        /// The last application to resume.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub application: Option<ResumptionRequest>,
        /// The last word on one.
        #[n(3)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub decision: Option<ResumptionDecision>,
    }
}

record! {
    /// An application to resume.
    pub struct ResumptionRequest {
        /// As written.
        #[n(0)]
        pub application: RequestResumption,
        /// By whom and when.
        #[n(1)]
        pub applied: Mark,
    }
}

record! {
    /// The department's word on resuming.
    pub struct ResumptionDecision {
        /// As decided.
        #[n(0)]
        pub decision: DecideResumption,
        /// By whom and when.
        #[n(1)]
        pub decided: Mark,
    }
}

impl Suspension {
    /// Whether work is still to stand still.
    pub fn is_in_force(&self) -> bool {
        let decision = self.decision.as_ref();
        !decision.is_some_and(|decision| decision.decision.granted)
    }

    /// Whether an application to resume waits for the department.
    pub const fn is_resumption_asked_for(&self) -> bool {
        self.application.is_some() && self.decision.is_none()
    }
}

record! {
    /// A penalty case.
    pub struct Penalty {
        /// As noted last.
        #[n(0)]
        pub penalty: RecordPenalty,
        /// By whom and when.
        #[n(1)]
        pub recorded: Mark,
    }
}

record! {
    /// A closed hazard looked at again.
    pub struct SpotCheckRecord {
        /// As found.
        #[n(0)]
        pub check: SpotCheck,
        /// By whom and when.
        #[n(1)]
        pub mark: Mark,
    }
}
