//! Two values of one field are settled by whoever has seen both, also once the correction is handed in. On both databases.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use hazardloop_domain::command::{
    Action, Amend, Confirm, Grade, PhotoKind, PhotoRef, SubmitRectification,
};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::{Hazard, StatusName};
use hazardloop_domain::ids::HazardId;
use hazardloop_domain::refusal::RefusalCode;
use hazardloop_sync_protocol::wire::{Outcome, PushResult};

use super::push::push;
use crate::app::App;
use crate::test_support::{TestDevice, hazard_id, on_each_database, report};

async fn outcome(app: &App, device: &mut TestDevice, id: HazardId, action: Action) -> Outcome {
    let batch = vec![device.seal(id, action)];
    let answer = push(app, device.person_id, device.push(batch)).await;
    match answer.unwrap().results.remove(0) {
        PushResult::Receipt(receipt) => receipt.outcome,
        PushResult::IdReused { seq } => panic!("{seq} was used before"),
    }
}

fn amend(based_on: i64, description: Option<&str>, place_text: Option<&str>) -> Action {
    Action::Amend(Amend {
        based_on,
        description: description.map(str::to_owned),
        place_text: place_text.map(str::to_owned),
        position: None,
        immediate_measure: None,
        enterprise_id: None,
    })
}

fn confirm() -> Action {
    Action::Confirm(Confirm {
        grade: Grade::General,
        criterion: None,
        basis: None,
        responsible_person: "周小河".to_owned(),
        requirement: "每班清扫".to_owned(),
        due_date: "2026-12-02".parse().unwrap(),
        period: None,
        expert_opinion: None,
        responsible_unit: None,
        served: None,
        category: Some("生产设备设施".to_owned()),
    })
}

fn hand_in() -> Action {
    let photo = PhotoRef {
        sha256: Digest([7; 32]),
        size: 9,
        media_type: "image/jpeg".to_owned(),
        kind: PhotoKind::After,
        taken_at: None,
        position: None,
    };
    Action::SubmitRectification(SubmitRectification {
        measures: "已清扫".to_owned(),
        completed_at: crate::test_support::NOW,
        cost_fen: None,
        photos: vec![photo],
        pairs: Vec::new(),
        self_acceptance: None,
    })
}

async fn stored(app: &App, id: HazardId) -> Hazard {
    let load = app
        .db
        .read(move |tx| crate::store::hazards::load(tx.conn(), id));
    load.await.unwrap().unwrap().hazard
}

#[test]
fn what_two_people_said_is_settled_while_it_waits_for_reinspection() {
    on_each_database(async |server| {
        let app = &server.app;
        let mut phone = TestDevice::enrol(app, "employee", 1).await;
        let mut office = TestDevice::enrol(app, "safety", 2).await;
        let mut inspector = TestDevice::enrol(app, "inspector1", 3).await;
        let id = hazard_id(1);
        outcome(app, &mut phone, id, Action::Report(report("原文"))).await;
        outcome(app, &mut phone, id, amend(1, Some("甲"), None)).await;
        outcome(app, &mut office, id, amend(1, Some("乙"), None)).await;
        let confirmed = outcome(app, &mut inspector, id, confirm()).await;
        assert!(
            matches!(confirmed, Outcome::Applied { .. } | Outcome::Merged { .. }),
            "{confirmed:?}"
        );
        let handed_in = outcome(app, &mut office, id, hand_in()).await;
        assert!(
            matches!(handed_in, Outcome::Applied { .. } | Outcome::Merged { .. }),
            "{handed_in:?}"
        );
        let hazard = stored(app, id).await;
        assert_eq!(hazard.status_name(), StatusName::PendingReinspection);
        assert_eq!(hazard.disputed.len(), 1);

        let seen = hazard.version;
        let other = amend(seen, None, Some("三号线"));
        let Outcome::Conflict { refusal, .. } = outcome(app, &mut inspector, id, other).await
        else {
            panic!("the place has one value only")
        };
        let refusal = refusal.unwrap();
        assert_eq!(refusal.code, RefusalCode::NotAllowedInState);
        assert_eq!(refusal.field.as_deref(), Some("place_text"));
        let settled = amend(seen, Some("丙"), None);
        let done = outcome(app, &mut inspector, id, settled).await;
        assert!(matches!(done, Outcome::Applied { .. }), "{done:?}");
        let hazard = stored(app, id).await;
        assert_eq!(hazard.description, "丙");
        assert!(hazard.disputed.is_empty());
        assert_eq!(hazard.status_name(), StatusName::PendingReinspection);
    });
}
