//! Who answers for what, on both databases: who may say it, what it then means, what is kept of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::ids::GrantId;
use hazardloop_domain::responsibility::Basis;

use super::*;
use crate::sample;
use crate::test_support::{NOW, on_each_database, on_each_database_with, person, seal_everything};
use crate::usecases::audit;
use crate::usecases::people::{self, NewPerson, Terms};
use crate::usecases::pull_tests::second_town;

fn district() -> JurisdictionId {
    JurisdictionId(sample::id("500153000000"))
}

fn town() -> JurisdictionId {
    JurisdictionId(sample::id("500153003000"))
}

fn said(seen: i64, rows: &[(&str, &str)], fallback: Option<&str>) -> Change {
    let rows = rows.iter();
    Change {
        seen,
        rows: rows
            .map(|(sector, department)| ((*sector).to_owned(), (*department).to_owned()))
            .collect(),
        fallback: fallback.map(str::to_owned),
    }
}

async fn with_role(app: &App, name: &str, terms: Terms) -> PersonId {
    let id = PersonId(sample::id(name));
    let new = NewPerson {
        id,
        login: name.to_owned(),
        name: "某人".to_owned(),
        phone: None,
        password_hash: "-".to_owned(),
        grants: vec![terms],
    };
    let key = app.digest_key;
    app.db
        .write(move |tx| people::register(tx, &key, new.clone(), None, NOW).map(drop))
        .await
        .unwrap();
    id
}

async fn asked(app: &App, place: JurisdictionId, sector: &str) -> (Basis, Option<String>) {
    let answer = who_answers(app, place, sector.to_owned()).await.unwrap();
    (answer.basis, answer.department)
}

#[test]
fn what_a_jurisdiction_says_holds_below_it_and_is_kept_in_its_history() {
    on_each_database(async |server| {
        let (app, supervisor) = (&server.app, person("supervisor"));
        let (before, version) = of(app, town()).await.unwrap();
        assert_eq!((before, version), (Matrix::default(), 0));
        let some = |name: &str| Some(name.to_owned());
        // The sample's district answers for the town.
        let (basis, department) = asked(app, town(), "town-gas").await;
        assert_eq!((basis, department.is_some()), (Basis::Inherited, true));
        let own = said(0, &[("town-gas", "街道办"), ("露营地", "街道办")], None);
        let (_, version) = replace(app, supervisor, town(), own.clone()).await.unwrap();
        assert_eq!(version, 1);
        assert_eq!(
            asked(app, town(), "town-gas").await,
            (Basis::Own, some("街道办"))
        );
        assert_eq!(asked(app, town(), "漂流").await.0, Basis::Fallback);
        assert_eq!(asked(app, district(), "露营地").await.0, Basis::Fallback);
        let city = JurisdictionId(sample::id("500000000000"));
        assert_eq!(asked(app, city, "town-gas").await, (Basis::None, None));
        // Said again, it changes nothing; by whoever saw nothing of it, neither.
        assert_eq!(
            replace(app, supervisor, town(), own).await.unwrap().1,
            version
        );
        let blind = replace(app, supervisor, town(), said(0, &[], None)).await;
        assert_eq!(
            blind.unwrap_err(),
            Failure::PreconditionFailed { current: 1 }
        );
        let (_, version) = replace(app, supervisor, town(), said(1, &[], None))
            .await
            .unwrap();
        assert_eq!(version, 2);
        let history = app
            .db
            .read(|tx| events::history(tx.conn(), &town().0, 0, 10))
            .await
            .unwrap();
        let kinds: Vec<&str> = history.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(
            kinds,
            ["added", "responsibilities_set", "responsibilities_set"]
        );
        let event: ResponsibilitiesEvent = minicbor::decode(&history[1].body).unwrap();
        assert_eq!(event.rows["露营地"], "街道办");
        assert_eq!((event.version, event.actor_id), (1, Some(supervisor)));
        seal_everything(&app.db);
        let report = audit::verify(&app.db, None).unwrap();
        assert_eq!((report.faults, report.unsealed), (0, 0));
    });
}

#[test]
fn neighbours_and_those_of_some_sectors_may_not_say_who_answers() {
    on_each_database(async |server| {
        let app = &server.app;
        let (beside, _) = second_town(app).await;
        let neighbour = (Role::Supervisor, GrantScope::Jurisdiction(beside)).into();
        let neighbour = with_role(app, "neighbour", neighbour).await;
        let gas = Terms {
            sectors: vec!["town-gas".to_owned()],
            ..(Role::Supervisor, GrantScope::Jurisdiction(town())).into()
        };
        let gas = with_role(app, "gas", gas).await;
        let mine = said(0, &[("town-gas", "我局")], None);
        for who in [neighbour, gas, person("reviewer"), person("head")] {
            let refused = replace(app, who, town(), mine.clone()).await.unwrap_err();
            assert!(matches!(refused, Failure::Forbidden(_)), "{refused}");
        }
        assert_eq!(of(app, town()).await.unwrap().1, 0);
        replace(app, neighbour, beside, mine.clone()).await.unwrap();
        let nowhere = JurisdictionId(sample::id("nowhere"));
        for failure in [
            replace(app, neighbour, nowhere, mine).await.unwrap_err(),
            of(app, nowhere).await.unwrap_err(),
            who_answers(app, nowhere, "x".to_owned()).await.unwrap_err(),
        ] {
            assert_eq!(failure, Failure::NotFound("jurisdiction"));
        }
    });
}

#[test]
fn a_row_that_is_none_is_refused_and_how_many_there_may_be_is_a_setting() {
    on_each_database_with(
        |settings| settings.people.responsibility_rows = 2,
        async |server| {
            let (app, admin) = (&server.app, person("admin"));
            for (rows, field) in [
                (vec![("煤矿", "局"), ("煤矿", "委")], "rows[煤矿].sector"),
                (vec![("煤矿", " ")], "rows[煤矿].department"),
                (vec![(" ", "局")], "rows[ ].sector"),
                (vec![("甲", "局"), ("乙", "局"), ("丙", "局")], "rows"),
            ] {
                let refused = replace(app, admin, town(), said(0, &rows, None)).await;
                let refused = refused.unwrap_err();
                let told = match &refused {
                    Failure::Refused(refusal) => refusal.field.as_deref(),
                    Failure::Invalid { field, .. } => Some(field.as_str()),
                    _ => None,
                };
                assert_eq!(told, Some(field), "{refused}");
            }
            let two = said(0, &[("甲", "局"), ("乙", "局")], Some("局"));
            replace(app, admin, town(), two).await.unwrap();
        },
    );
}

#[test]
fn a_grant_within_a_sector_that_nobody_knows_is_refused() {
    on_each_database(async |server| {
        let (app, admin) = (&server.app, person("admin"));
        let asked = |number: u8, sector: &str| people::NewGrant {
            id: GrantId(uuid::Builder::from_unix_timestamp_millis(1, &[number; 10]).into_uuid()),
            terms: Terms {
                sectors: vec![sector.to_owned()],
                ..(Role::Expert, GrantScope::Jurisdiction(town())).into()
            },
            valid_from: None,
            valid_until: None,
            temporary_reason: None,
        };
        let expert = person("expert");
        let grant = async |number, sector: &str| {
            let row = app
                .db
                .read(move |tx| crate::store::people::by_id(tx.conn(), expert));
            let seen = row.await.unwrap().unwrap().version;
            people::grant(app, admin, expert, seen, asked(number, sector)).await
        };
        let refused = grant(1, "露营地").await.unwrap_err();
        assert!(
            matches!(&refused, Failure::Refused(refusal)
                if refusal.field.as_deref() == Some("sectors") && refusal.rule.contains("露营地")),
            "{refused}"
        );
        // An enterprise of the town has this sector, the district says who answers for that one,
        grant(2, "hazardous-chemicals").await.unwrap();
        grant(3, "road-transport").await.unwrap();
        // and this one is known once somebody does.
        let own = said(0, &[("露营地", "街道办")], None);
        replace(app, admin, town(), own).await.unwrap();
        grant(4, "露营地").await.unwrap();
    });
}
