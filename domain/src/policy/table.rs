//! The table. Shape: lifecycle of Order 16 (2007) Art. 15-23 and 安全生产法 Art. 41, 65, 68; which
//! roles stand for the authority is this product's design.

use super::{Row, When};
use crate::access::Role;
use crate::command::ActionKind as A;
use crate::hazard::StatusName as S;
use Role::{
    Administrator, DepartmentHead, DepartmentReviewer, Employee, Expert, GridWorker, Importer,
    Inspector, Insurer, ListingAuthority, Principal, Public, SafetyOfficer, Supervisor,
};
use When::{
    ActorReportedIt, AskedByPrincipal, Certified, Disputed, DueByDepartment, DueByEnterprise,
    General, Listed, Major, NoEnterprise, NotListed, NotLowered, OnlySaidToBeFixed, SelfFound,
    StandsGeneral,
};

/// States in which work on the hazard goes on.
const OPEN: &[S] = S::OPEN;
/// The same, and between two bodies: danger does not wait for a receipt.
const STANDING: &[S] = &[
    S::Reported,
    S::Confirmed,
    S::Rectifying,
    S::PendingReinspection,
    S::Transferred,
];
/// Where a due date runs that may still be met.
const DATED: &[S] = &[S::Confirmed, S::Rectifying, S::Transferred];
/// From confirmation until closure.
const ORDERED: &[S] = &[S::Confirmed, S::Rectifying, S::PendingReinspection];
/// Being corrected.
const TO_CORRECT: &[S] = &[S::Confirmed, S::Rectifying];
/// Every state of an existing hazard.
const ANY: &[S] = S::EXISTING;

/// Whoever may report.
const REPORTERS: &[Role] = &[
    Employee,
    SafetyOfficer,
    Principal,
    GridWorker,
    Inspector,
    DepartmentReviewer,
    DepartmentHead,
    Expert,
    Insurer,
    Importer,
    Public,
];
/// Whoever works on open hazards in their scope.
const AT_WORK: &[Role] = &[
    Employee,
    SafetyOfficer,
    Principal,
    GridWorker,
    Inspector,
    DepartmentReviewer,
    DepartmentHead,
    ListingAuthority,
    Expert,
    Insurer,
];
/// Whoever leads the enterprise's own safety work.
const ENTERPRISE: &[Role] = &[SafetyOfficer, Principal];
/// The department.
const DEPARTMENT: &[Role] = &[DepartmentReviewer, DepartmentHead];

const fn row(action: A, from: &'static [S], when: &'static [When], roles: &'static [Role]) -> Row {
    Row {
        action,
        from,
        when,
        roles,
    }
}

/// See the top of this file.
pub const TABLE: &[Row] = &[
    row(A::Report, &[S::Unreported], &[], REPORTERS),
    row(A::Amend, &[S::Reported], &[ActorReportedIt], REPORTERS),
    row(A::Amend, &[S::Reported], &[], ENTERPRISE),
    row(A::Amend, &[S::Reported], &[], &[Inspector]),
    row(A::Amend, TO_CORRECT, &[Certified], &[Inspector]),
    row(
        A::Amend,
        &[S::Reported, S::Confirmed, S::Rectifying],
        &[],
        DEPARTMENT,
    ),
    // Two values of one field: what is handed in closes with one of them, so whoever may say which still may.
    row(
        A::Amend,
        &[S::PendingReinspection],
        &[Disputed, Certified],
        &[Inspector],
    ),
    row(A::Amend, &[S::PendingReinspection], &[Disputed], DEPARTMENT),
    row(A::AttachPhoto, OPEN, &[], AT_WORK),
    row(
        A::AttachPhoto,
        OPEN,
        &[ActorReportedIt],
        &[Importer, Public],
    ),
    // Confirmation and grade
    row(
        A::Confirm,
        &[S::Reported],
        &[NotLowered, Certified],
        &[Inspector],
    ),
    row(A::Confirm, &[S::Reported], &[], DEPARTMENT),
    row(
        A::Confirm,
        &[S::Reported],
        &[SelfFound, StandsGeneral, General],
        ENTERPRISE,
    ),
    row(
        A::Confirm,
        &[S::Reported],
        &[SelfFound, Major],
        &[Principal],
    ),
    row(
        A::DecideProposal,
        &[S::Reported],
        &[Certified],
        &[Inspector],
    ),
    row(A::DecideProposal, OPEN, &[], DEPARTMENT),
    row(A::ChangeGrade, ORDERED, &[], DEPARTMENT),
    // Out of the main line
    row(
        A::Withdraw,
        &[S::Reported],
        &[ActorReportedIt, StandsGeneral],
        REPORTERS,
    ),
    row(A::Reject, &[S::Reported], &[], DEPARTMENT),
    row(
        A::Reject,
        &[S::PendingReinspection],
        &[OnlySaidToBeFixed],
        DEPARTMENT,
    ),
    row(A::Merge, &[S::Reported], &[], DEPARTMENT),
    row(
        A::Transfer,
        &[S::Reported, S::Confirmed, S::Rectifying],
        &[],
        DEPARTMENT,
    ),
    row(A::ReceiveTransfer, &[S::Transferred], &[], DEPARTMENT),
    row(
        A::AssignSector,
        OPEN,
        &[],
        &[DepartmentReviewer, DepartmentHead, Supervisor],
    ),
    // Plan and extension
    row(A::SubmitPlan, TO_CORRECT, &[General], ENTERPRISE),
    row(A::SubmitPlan, TO_CORRECT, &[Major], &[Principal]),
    // Where nobody knows the enterprise, the department sees to the correction itself.
    row(A::SubmitPlan, TO_CORRECT, &[NoEnterprise], DEPARTMENT),
    row(A::DecidePlan, TO_CORRECT, &[Major], DEPARTMENT),
    row(A::RequestExtension, DATED, &[General], ENTERPRISE),
    row(A::RequestExtension, DATED, &[Major], &[Principal]),
    row(
        A::DecideExtension,
        TO_CORRECT,
        &[NotListed, DueByDepartment],
        DEPARTMENT,
    ),
    row(
        A::DecideExtension,
        TO_CORRECT,
        &[NotListed, DueByEnterprise],
        &[Principal],
    ),
    // What the principal asks for, nobody above decides in the enterprise.
    row(
        A::DecideExtension,
        TO_CORRECT,
        &[NotListed, DueByEnterprise, AskedByPrincipal],
        DEPARTMENT,
    ),
    row(
        A::DecideExtension,
        TO_CORRECT,
        &[Listed],
        &[ListingAuthority],
    ),
    // Correction, re-inspection, closure
    row(
        A::SubmitRectification,
        TO_CORRECT,
        &[General],
        &[Employee, SafetyOfficer, Principal],
    ),
    row(A::SubmitRectification, TO_CORRECT, &[Major], &[Principal]),
    row(
        A::SubmitRectification,
        TO_CORRECT,
        &[NoEnterprise],
        DEPARTMENT,
    ),
    row(
        A::Reinspect,
        &[S::PendingReinspection],
        &[Certified],
        &[Inspector],
    ),
    row(
        A::Reinspect,
        &[S::PendingReinspection],
        &[SelfFound, General],
        ENTERPRISE,
    ),
    row(
        A::Close,
        &[S::PendingReinspection],
        &[NotListed, Certified],
        &[Inspector],
    ),
    row(
        A::Close,
        &[S::PendingReinspection],
        &[NotListed],
        DEPARTMENT,
    ),
    row(
        A::Close,
        &[S::PendingReinspection],
        &[SelfFound, General, NotListed],
        ENTERPRISE,
    ),
    row(
        A::Close,
        &[S::PendingReinspection],
        &[Listed],
        &[ListingAuthority],
    ),
    row(A::Reopen, &[S::Closed], &[Certified], &[Inspector]),
    row(
        A::Reopen,
        &[S::Closed],
        &[],
        &[DepartmentReviewer, DepartmentHead, ListingAuthority],
    ),
    row(A::SpotCheck, &[S::Closed], &[Certified], &[Inspector]),
    row(A::SpotCheck, &[S::Closed], &[], DEPARTMENT),
    // Measures
    row(A::ListSupervision, ORDERED, &[Major], &[ListingAuthority]),
    row(
        A::Delist,
        &[
            S::Confirmed,
            S::Rectifying,
            S::PendingReinspection,
            S::Closed,
        ],
        &[],
        &[ListingAuthority],
    ),
    row(A::OrderSuspension, STANDING, &[], &[DepartmentHead]),
    row(A::RequestResumption, STANDING, &[], &[Principal]),
    row(A::DecideResumption, STANDING, &[], DEPARTMENT),
    row(
        A::RecordPenalty,
        &[
            S::Reported,
            S::Confirmed,
            S::Rectifying,
            S::PendingReinspection,
            S::Closed,
        ],
        &[],
        DEPARTMENT,
    ),
    row(
        A::Note,
        ANY,
        &[],
        &[
            Employee,
            SafetyOfficer,
            Principal,
            GridWorker,
            Inspector,
            DepartmentReviewer,
            DepartmentHead,
            ListingAuthority,
            Supervisor,
            Expert,
            Insurer,
        ],
    ),
    row(A::RecordPhotoLost, ANY, &[], &[Administrator]),
];
