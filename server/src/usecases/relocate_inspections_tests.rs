//! Inspections follow their enterprise as hazards do, behind them, on both databases.

use hazardloop_domain::command::{
    Cadence, CheckResult, ChecklistRef, CompleteInspection, InspectionKind, InspectionSetup,
    ItemOutcome, ItemRef, PlanInspection, StartInspection, SubmitSelfCheck, TeamMember,
};
use hazardloop_domain::inspection::Inspection;

use super::*;
use crate::store::inspections;
use crate::test_support::{seal_everything, with_pack};
use crate::usecases::read::{self, Wanted};

/// Self-checks that are on record before the enterprise moves.
const CHECKS: u64 = 3;

fn inspection_id(number: u64) -> InspectionId {
    InspectionId(hazard_id(1_000 + number).0)
}

fn setup(kind: InspectionKind) -> InspectionSetup {
    let team = ["inspector1", "inspector2"].map(|login| TeamMember {
        person_id: person(login),
        department: None,
    });
    let own = kind == InspectionKind::SelfCheck;
    InspectionSetup {
        kind,
        enterprise_id: Some(enterprise("polishing")),
        position: None,
        checklists: vec![ChecklistRef {
            code: "GM-CK-D-DUST".to_owned(),
            edition: 1,
            mandatory: Vec::new(),
        }],
        team: if own { Vec::new() } else { team.into() },
        basis: Some("年度监督检查计划".to_owned()),
        departments: Vec::new(),
        cadence: own.then_some(Cadence::Daily),
        reason: None,
        approval_no: None,
        notice_no: None,
    }
}

fn self_check() -> Action {
    Action::SubmitSelfCheck(SubmitSelfCheck {
        start: Box::new(StartInspection {
            setup: Some(setup(InspectionKind::SelfCheck)),
            started_at: NOW,
            place_text: "打磨车间".to_owned(),
            position: None,
            certificates_shown: false,
            rights_told: false,
            attendees: Vec::new(),
        }),
        results: vec![CheckResult {
            item: ItemRef {
                checklist: "GM-CK-D-DUST".to_owned(),
                item: "1".to_owned(),
            },
            outcome: ItemOutcome::Ok,
            note: None,
            photos: Vec::new(),
        }],
        findings: Vec::new(),
        completion: CompleteInspection {
            completed_at: NOW,
            situation: "正常".to_owned(),
            no_hazard_found: true,
        },
    })
}

/// Planned and not begun: the enterprise knows nothing of it.
fn unannounced() -> Action {
    Action::PlanInspection(PlanInspection {
        setup: setup(InspectionKind::UnannouncedVisit),
        window_from: "2026-11-23".parse().unwrap(),
        window_to: "2026-11-27".parse().unwrap(),
    })
}

async fn send(app: &App, author: &mut TestDevice, number: u64, action: Action) {
    let command = author.seal_on(inspection_id(number).into(), action);
    let answer = push(app, author.person_id, author.push(vec![command])).await;
    let answer = format!("{:?}", answer.unwrap().results);
    assert!(answer.contains("Applied"), "{answer}");
}

fn inspection(app: &App, number: u64) -> Inspection {
    let id = inspection_id(number);
    let loaded = app.db.read_blocking(|tx| inspections::load(tx.conn(), id));
    loaded.unwrap().unwrap()
}

fn inspections_in(app: &App, place: JurisdictionId) -> usize {
    let in_place = |number: &u64| inspection(app, *number).jurisdiction_id == place;
    (1..=CHECKS + 1).filter(in_place).count()
}

/// What REST lists to somebody.
async fn listed(app: &App, whom: PersonId) -> usize {
    let wanted = Wanted {
        after: None,
        limit: 50,
    };
    let page = read::inspections::list(app, whom, Default::default(), wanted).await;
    page.unwrap().items.len()
}

fn of_kind(device: TestDevice, scope: Scope) -> Phone {
    Phone::holding(RecordKind::Inspection, device, scope)
}

#[test]
fn inspections_leave_the_old_town_and_arrive_in_the_new_one_each_once() {
    two_at_once(async |server| {
        let app = &server.app;
        with_pack(&server, "industry-and-trade").await;
        let (town, worker) = second_town(app).await;
        let mut author = TestDevice::enrol(app, "employee", 1).await;
        let mut inspector = TestDevice::enrol(app, "inspector1", 4).await;
        file(app, &mut author, 1..=1).await;
        for number in 1..=CHECKS {
            send(app, &mut author, number, self_check()).await;
        }
        send(app, &mut inspector, CHECKS + 1, unannounced()).await;
        let firm = Scope::Enterprise(enterprise("polishing"));
        let mut old = of_kind(
            TestDevice::enrol(app, "grid", 2).await,
            Scope::Jurisdiction(old_town()),
        );
        let mut new = of_kind(
            TestDevice::enrol_as(app, worker, 3).await,
            Scope::Jurisdiction(town),
        );
        let mut own = of_kind(TestDevice::enrol(app, "principal", 5).await, firm);
        for phone in [&mut old, &mut new, &mut own] {
            phone.pull(app, false).await;
        }
        assert_eq!((old.held.len(), new.held.len(), own.held.len()), (4, 0, 3));

        // With the enterprise go its hazard and one inspection.
        move_to(app, 1, town).await.unwrap();
        assert_eq!(hazard(app, 1).jurisdiction_id, town);
        assert_eq!(inspections_in(app, town), 1);
        old.pull(app, true).await;
        new.pull(app, true).await;
        assert_eq!((old.held.len(), new.held.len()), (3, 1));
        // What begins meanwhile is the new town's.
        send(app, &mut author, 9, self_check()).await;
        assert_eq!(inspection(app, 9).jurisdiction_id, town);

        // A server brings the next lot and dies; another one begins the job anew.
        let more = follow_once(app, enterprise("polishing"), Behind::ALL).await;
        assert!(
            matches!(more, Ok(Some(Behind::Inspections(Some(_))))),
            "{more:?}"
        );
        run_due(app).await.unwrap();
        assert_eq!(inspections_in(app, town), 4);
        for phone in [&mut old, &mut new, &mut own] {
            phone.pull(app, true).await;
        }
        assert!(old.held.is_empty());
        let all: BTreeSet<Uuid> = (1..=4).map(|number| inspection_id(number).0).collect();
        assert_eq!(each_once(old.went), all);
        let and_later = all.iter().copied().chain([inspection_id(9).0]).collect();
        assert_eq!(each_once(new.came), and_later);
        assert_eq!(own.held.len(), 4, "and nothing of the visit");
        assert!(own.went.is_empty());
        for number in 1..=CHECKS + 1 {
            assert_eq!(moves_of_record(app, inspection_id(number).0), 1, "{number}");
        }
        assert_eq!(
            (listed(app, person("grid")).await, listed(app, worker).await),
            (0, 5)
        );
        assert_eq!(listed(app, person("principal")).await, 4);
        let read = read::inspection::one(app, person("grid"), inspection_id(1)).await;
        assert_eq!(read.map(drop), Err(Failure::NotFound("inspection")));
        seal_everything(&app.db);
        assert_eq!(audit::verify(&app.db, None).unwrap().faults, 0);
        assert_eq!(run_due(app).await.unwrap(), 0, "nothing is left to do");
    });
}

#[test]
fn a_full_lot_of_hazards_leaves_the_inspections_to_the_next() {
    two_at_once(async |server| {
        let app = &server.app;
        with_pack(&server, "industry-and-trade").await;
        let (town, _) = second_town(app).await;
        let mut author = TestDevice::enrol(app, "employee", 1).await;
        file(app, &mut author, 1..=2).await;
        send(app, &mut author, 1, self_check()).await;
        move_to(app, 1, town).await.unwrap();
        assert_eq!(inspection(app, 1).jurisdiction_id, old_town());
        let more = follow_once(app, enterprise("polishing"), Behind::Inspections(None)).await;
        assert_eq!(more, Ok(None));
        assert_eq!(inspection(app, 1).jurisdiction_id, town);
    });
}
