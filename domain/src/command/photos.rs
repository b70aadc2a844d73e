//! Which photos a command brings.

use super::{Action, CheckResult, PhotoRef};

fn of_results(results: &[CheckResult]) -> Vec<&PhotoRef> {
    results.iter().flat_map(|result| &result.photos).collect()
}

impl Action {
    /// The photos that it names, in its order; their bytes travel apart.
    pub fn photos(&self) -> Vec<&PhotoRef> {
        match self {
            Self::Report(report) => report.photos.iter().collect(),
            Self::AttachPhoto(attached) | Self::AttachInspectionPhoto(attached) => {
                vec![&attached.photo]
            }
            Self::SubmitRectification(submission) => submission.photos.iter().collect(),
            Self::Reinspect(reinspection) => reinspection.photos.iter().collect(),
            Self::SubmitPlan(plan) => plan.photos.iter().collect(),
            Self::RequestResumption(application) => application.photos.iter().collect(),
            Self::DecideResumption(decision) => decision.photos.iter().collect(),
            Self::SpotCheck(check) => check.photos.iter().collect(),
            Self::RecordResults(results) => of_results(&results.results),
            Self::SubmitSelfCheck(check) => of_results(&check.results),
            Self::SignInspection(signing) => signing.photo.iter().collect(),
            // Written out, so that whoever adds a kind says whether it brings photos.
            Self::Amend(_)
            | Self::Confirm(_)
            | Self::Reject(_)
            | Self::Close(_)
            | Self::Reopen(_)
            | Self::Note(_)
            | Self::RecordPhotoLost(_)
            | Self::Withdraw(_)
            | Self::ReceivePhoto(_)
            | Self::FollowEnterprise(_)
            | Self::DecidePlan(_)
            | Self::RequestExtension(_)
            | Self::DecideExtension(_)
            | Self::ChangeGrade(_)
            | Self::DecideProposal(_)
            | Self::Merge(_)
            | Self::Transfer(_)
            | Self::ReceiveTransfer(_)
            | Self::ListSupervision(_)
            | Self::Delist(_)
            | Self::OrderSuspension(_)
            | Self::RecordPenalty(_)
            | Self::AssignSector(_)
            | Self::RecomputeDeadline(_)
            | Self::PlanInspection(_)
            | Self::StartInspection(_)
            | Self::LinkFinding(_)
            | Self::ConvertFinding(_)
            | Self::RecordAttendance(_)
            | Self::RecordRefusal(_)
            | Self::CompleteInspection(_)
            | Self::CancelInspection(_)
            | Self::RecordInspectionPhotoLost(_)
            | Self::ChangeTeam(_)
            | Self::InspectionFollowEnterprise(_)
            | Self::ReceiveInspectionPhoto(_) => Vec::new(),
        }
    }
}
