//! Hazards follow the corrected sector of their enterprise, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::hazard::Hazard;
use hazardloop_domain::ids::{JurisdictionId, PersonId};
use serde_json::json;

use super::*;
use crate::jobs::run_due;
use crate::sample;
use crate::store::hazards;
use crate::test_support::{
    NOW, TestDevice, enterprise, hazard_id, on_each_database_with, person, report, terms,
    with_packs,
};
use crate::usecases::people::{self, NewPerson, Terms};
use crate::usecases::push::push;
use crate::usecases::{enterprises, read};

const BEFORE: &str = "industry-and-trade";
const AFTER: &str = "town-gas";

fn district() -> JurisdictionId {
    JurisdictionId(sample::id("500153000000"))
}

async fn send(app: &App, author: &mut TestDevice, number: u64, action: Action) {
    let sealed = author.seal(hazard_id(number), action);
    let answer = push(app, author.person_id, author.push(vec![sealed])).await;
    let answer = format!("{:?}", answer.unwrap());
    assert!(answer.contains("Applied"), "{answer}");
}

fn hazard(app: &App, number: u64) -> Hazard {
    let loaded = app
        .db
        .read_blocking(|tx| hazards::load(tx.conn(), hazard_id(number)));
    loaded.unwrap().unwrap().hazard
}

async fn correct(app: &App, seen: i64, sector: &'static str) {
    let change = move |before: Enterprise| Enterprise {
        sector: sector.to_owned(),
        ..before
    };
    let firm = enterprise("polishing");
    let corrected = enterprises::correct(
        app,
        person("admin"),
        firm,
        seen,
        enterprises::Correction::of(change),
    );
    corrected.await.unwrap();
}

/// A reviewer of the district for one sector.
async fn reviewer_of(app: &App, sector: &str) -> PersonId {
    let id = person(sector);
    let new = NewPerson {
        id,
        login: sector.to_owned(),
        name: sector.to_owned(),
        phone: None,
        password_hash: "-".to_owned(),
        grants: vec![Terms {
            sectors: vec![sector.to_owned()],
            ..terms(
                Role::DepartmentReviewer,
                GrantScope::Jurisdiction(district()),
            )
        }],
    };
    let key = app.digest_key;
    let write = app
        .db
        .write(move |tx| people::register(tx, &key, new.clone(), None, NOW).map(drop));
    write.await.unwrap();
    id
}

async fn listed(app: &App, who: PersonId) -> Vec<HazardId> {
    let (filters, wanted) = (
        read::hazards::Filters::default(),
        read::Wanted {
            after: None,
            limit: 50,
        },
    );
    let order = read::hazards::Order::Newest;
    let page = read::hazards::list(app, who, filters, order, wanted, NOW).await;
    let mut ids: Vec<_> = page.unwrap().items.iter().map(|it| it.id).collect();
    ids.sort();
    ids
}

#[test]
fn open_hazards_of_the_old_sector_get_the_new_one_and_its_department_sees_them() {
    on_each_database_with(
        |settings| settings.hazards.moved_at_once = 2,
        async |server| {
            let app = &server.app;
            with_packs(&server).await;
            let mut phone = TestDevice::enrol(app, "employee", 1).await;
            let mut reviewer = TestDevice::enrol(app, "reviewer", 2).await;
            for number in 1..=6 {
                send(app, &mut phone, number, Action::Report(report("积尘"))).await;
            }
            // The fifth is over; the sixth was given to somebody by a person.
            let reject = serde_json::from_value(json!({"reason": "不属实"})).unwrap();
            send(app, &mut reviewer, 5, Action::Reject(reject)).await;
            let assign = json!({"sector": "fire-safety", "department": "区消防救援局（示例）"});
            let assign = serde_json::from_value(assign).unwrap();
            send(app, &mut reviewer, 6, Action::AssignSector(assign)).await;
            let (old, new) = (
                reviewer_of(app, BEFORE).await,
                reviewer_of(app, AFTER).await,
            );

            correct(app, 1, AFTER).await;
            run_due(app).await.unwrap();
            for number in 1..=4 {
                let hazard = hazard(app, number);
                assert_eq!(hazard.sector.as_deref(), Some(AFTER), "{number}");
                assert_eq!(hazard.department.as_deref(), Some("区经济信息委（示例）"));
            }
            assert_eq!(hazard(app, 5).sector.as_deref(), Some(BEFORE));
            assert_eq!(hazard(app, 6).sector.as_deref(), Some("fire-safety"));
            let moved: Vec<_> = (1..=4).map(hazard_id).collect();
            assert_eq!(listed(app, new).await, moved);
            assert_eq!(listed(app, old).await, [hazard_id(5)]);

            // Once more, by a runner that does not know that it was done: nothing happens.
            let version = hazard(app, 1).version;
            let corrected = Corrected {
                enterprise_id: enterprise("polishing"),
                before: BEFORE.to_owned(),
            };
            follow(app, &corrected).await.unwrap();
            assert_eq!(hazard(app, 1).version, version);
            // And back again.
            correct(app, 2, BEFORE).await;
            run_due(app).await.unwrap();
            assert_eq!(hazard(app, 1).sector.as_deref(), Some(BEFORE));
        },
    );
}

#[test]
fn a_correction_reads_back_from_its_text() {
    let corrected = Corrected {
        enterprise_id: enterprise("polishing"),
        before: "工贸 行业".to_owned(),
    };
    assert_eq!(corrected.to_string().parse(), Ok(corrected));
    assert_eq!("polishing".parse::<Corrected>(), Err(BadCorrection));
    assert_eq!("polishing 工贸".parse::<Corrected>(), Err(BadCorrection));
}
