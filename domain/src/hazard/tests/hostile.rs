//! Commands with whatever contents, for the properties.

use super::*;
use crate::command::{ItemResult, PenaltyDecision, Served};

pub(super) fn hostile_actions(
    text: &str,
    at: Timestamp,
    version: i64,
    due_date: LocalDate,
    photo: &PhotoRef,
) -> Vec<Action> {
    let text = text.to_owned();
    let photos = vec![photo.clone(), photo.clone()];
    let criterion = Some(CriterionRef {
        code: text.clone(),
        edition: u32::MAX,
    });
    let mut all = vec![
        Action::Report(Report {
            description: text.clone(),
            place_text: text.clone(),
            found_at: at,
            photos: photos.clone(),
            criterion: criterion.clone(),
            ..report(Source::EmployeeReport, Grade::Major)
        }),
        Action::Amend(Amend {
            description: Some(text.clone()),
            ..amend(version)
        }),
        Action::AttachPhoto(AttachPhoto {
            photo: photo.clone(),
        }),
        Action::Confirm(Confirm {
            grade: Grade::Major,
            criterion,
            basis: Some(text.clone()),
            responsible_person: text.clone(),
            requirement: text.clone(),
            due_date,
            period: Some(Period {
                days: u32::MAX,
                kind: DayKind::Working,
                rule: Some(text.clone()),
            }),
            expert_opinion: Some(ExpertOpinion {
                name: text.clone(),
                opinion: text.clone(),
                given_on: Some(due_date),
            }),
            responsible_unit: Some(text.clone()),
            served: Some(Served {
                name: text.clone(),
                post: Some(text.clone()),
                signature: Some(photo.sha256),
                refused_because: Some(text.clone()),
                witness: Some(text.clone()),
            }),
            category: Some(text.clone()),
        }),
        Action::SubmitRectification(SubmitRectification {
            measures: text.clone(),
            completed_at: at,
            photos: photos.clone(),
            cost_fen: Some(u64::MAX),
            pairs: vec![PhotoPair {
                before: photo.sha256,
                after: photo.sha256,
            }],
            self_acceptance: Some(SelfAcceptance {
                accepted_by: vec![text.clone()],
                opinion: text.clone(),
                accepted_on: due_date,
            }),
        }),
    ];
    for passed in [true, false] {
        all.push(Action::Reinspect(Reinspect {
            passed,
            opinion: text.clone(),
            photos: photos.clone(),
            new_due_date: Some(due_date),
            document_no: Some(text.clone()),
            items: vec![ItemResult {
                item: text.clone(),
                passed,
                note: Some(text.clone()),
            }],
            no_photo_reason: Some(text.clone()),
            on: None,
        }));
    }
    all.extend(hostile_steps(&text, due_date, &photos));
    all.extend([
        Action::Reject(Reject {
            reason: text.clone(),
        }),
        Action::Close(Close {
            opinion: text.clone(),
            on: None,
        }),
        Action::Reopen(Reopen {
            reason: text.clone(),
            false_closure: false,
            cause: None,
        }),
        Action::Note(Note { text: text.clone() }),
        Action::RecordPhotoLost(RecordPhotoLost {
            sha256: photo.sha256,
            reason: text,
        }),
        Action::ReceivePhoto(ReceivePhoto {
            sha256: photo.sha256,
        }),
    ]);
    all
}

/// The steps beside the main line, likewise.
fn hostile_steps(text: &str, day: LocalDate, photos: &[PhotoRef]) -> Vec<Action> {
    let text = || text.to_owned();
    let photos = || photos.to_vec();
    vec![
        Action::SubmitPlan(SubmitPlan {
            funds_fen: Some(u64::MAX),
            due_date: day,
            measures_interim: text(),
            contingency: text(),
            milestones: vec![Milestone {
                due_date: day,
                goal: text(),
            }],
            workers_congress: Some(WorkersCongress {
                reported_on: day,
                how: text(),
            }),
            photos: photos(),
            no_photo_reason: Some(text()),
            ..plan()
        }),
        Action::SpotCheck(SpotCheck {
            passed: false,
            opinion: text(),
            photos: photos(),
            no_photo_reason: Some(text()),
            on: None,
            false_closure: true,
        }),
        Action::RequestExtension(RequestExtension {
            new_due_date: day,
            reason: text(),
            interim_controls: text(),
            expert_opinion: None,
        }),
        Action::ListSupervision(ListSupervision {
            level: ListingLevel::Nation,
            document_no: text(),
            authority: text(),
            requirement: text(),
            deadline: Some(day),
        }),
        Action::RequestResumption(RequestResumption {
            application: text(),
            assessment: text(),
            photos: photos(),
        }),
        Action::RecordPenalty(RecordPenalty {
            case_no: text(),
            decision: Some(PenaltyDecision {
                document_no: text(),
                decided_on: day,
                result: text(),
            }),
        }),
        Action::Transfer(Transfer {
            to_body: text(),
            to_jurisdiction: None,
            reason: text(),
            document_no: Some(text()),
        }),
    ]
}
