//! What is asked of a merged jurisdiction later: lists, who answers, where a place lies, and a second merger.

use hazardloop_domain::command::Source;
use hazardloop_domain::geography::{CoordinateReference, Wgs84Point};
use hazardloop_domain::responsibility::Matrix;
use hazardloop_sync_protocol::wire::RecordKind;

use super::world::listed_in;
use super::*;
use crate::store::jobs::{self, JobKind};
use crate::usecases::read::Wanted;
use crate::usecases::{boundaries, jurisdictions as nodes, unclaimed};

#[test]
fn one_merger_after_another_ends_at_the_last_successor() {
    in_small_lots(async |server| {
        let app = &server.app;
        let mut world = World::build(&server).await;
        world.merge(app).await.unwrap();
        advance_once(app, world.old).await.unwrap();
        let early = world.merge_one(app, world.successor, world.third).await;
        assert!(matches!(early, Err(Failure::Conflict(_))), "{early:?}");
        run_due(app).await.unwrap();
        let back = world.merge_one(app, world.successor, world.old).await;
        assert!(matches!(back, Err(Failure::Merged { into, .. }) if into == world.successor));
        world
            .merge_one(app, world.successor, world.third)
            .await
            .unwrap();
        let mut lots = 0;
        while stage(app, world.successor) != Stage::Done {
            advance_once(app, world.successor).await.unwrap();
            let at = stage(app, world.successor);
            let behind: &[usize] = if at == Stage::Telling { &[4] } else { &[] };
            world.check_all(app, behind).await;
            lots += 1;
            assert!(lots < 200);
        }
        let held = world.check_all(app, &[]).await;
        assert_eq!(held[0], held[4]);
        assert_eq!(held[2], held[4]);
        for number in 1..=9 {
            let expected = match number {
                6 | 7 => world.village,
                _ => world.third,
            };
            assert_eq!(hazard(app, number).jurisdiction_id, expected, "{number}");
        }
        // Lists of any of them are those of the last one.
        for asked in [world.old, world.successor, world.third] {
            assert_eq!(listed_in(app, person("grid"), Some(asked)).await, held[4]);
            assert!(listed_in(app, person("villager"), Some(asked)).await.len() <= held[1].len());
        }
        world.file(app, "grid", 110, None).await;
        assert_eq!(hazard(app, 110).jurisdiction_id, world.third);
        let first = nodes::one(app, world.old).await.unwrap().node;
        assert_eq!(
            first.merged_into,
            Some(world.successor),
            "what was decided stays"
        );
        assert_eq!(first.division_code.as_deref(), Some("500153003000"));
        verified(app);
    });
}

#[test]
fn a_list_by_the_old_town_is_its_own_until_it_gave_way_and_the_successors_then() {
    in_small_lots(async |server| {
        let app = &server.app;
        let mut world = World::build(&server).await;
        let before = world.check_all(app, &[]).await;
        let ids = |held: &Versions| held.keys().copied().collect::<BTreeSet<_>>();
        world.merge(app).await.unwrap();
        assert_eq!(
            listed_in(app, person("reviewer"), Some(world.old)).await,
            before[0]
        );
        run_due(app).await.unwrap();
        let all: BTreeSet<_> = ids(&before[0]).union(&ids(&before[2])).copied().collect();
        for who in ["reviewer", "grid", "grid2"] {
            let found = listed_in(app, person(who), Some(world.old)).await;
            assert_eq!(ids(&found), all, "{who}");
        }
        let found = listed_in(app, person("grid3"), Some(world.old)).await;
        assert!(
            found.is_empty(),
            "who holds neither finds nothing: {found:?}"
        );
    });
}

async fn say(app: &App, place: JurisdictionId, rows: &[(&str, &str)], fallback: Option<&str>) {
    let matrix = Matrix {
        rows: rows
            .iter()
            .map(|(of, by)| ((*of).to_owned(), (*by).to_owned()))
            .collect(),
        fallback: fallback.map(str::to_owned),
    };
    let now = app.clock.now();
    let said = app
        .db
        .write(move |tx| responsibilities::say(tx, place, (&matrix, 0), None, now));
    said.await.unwrap();
}

#[test]
fn the_successors_own_word_goes_before_and_what_nobody_answers_for_waits_there() {
    in_small_lots(async |server| {
        let app = &server.app;
        let mut world = World::build(&server).await;
        say(
            app,
            world.old,
            &[("town-gas", "甲办"), ("fire-safety", "甲办")],
            Some("甲镇"),
        )
        .await;
        say(app, world.successor, &[("town-gas", "乙办")], None).await;
        // Of no sector: nobody answers for it, whatever is said.
        world.file(app, "grid", 120, None).await;
        let queue = async |within| {
            let wanted = Wanted {
                after: None,
                limit: 100,
            };
            let page = unclaimed::list(app, person("head"), Some(within), wanted).await;
            page.unwrap()
                .items
                .into_iter()
                .map(|it| it.id)
                .collect::<BTreeSet<_>>()
        };
        let (old, own) = (queue(world.old).await, queue(world.successor).await);
        assert!(old.contains(&hazard_id(120)) && !own.contains(&hazard_id(120)));
        world.merge(app).await.unwrap();
        run_due(app).await.unwrap();
        let (said, _) = responsibilities::of(app, world.successor).await.unwrap();
        assert_eq!(said.rows["town-gas"], "乙办");
        assert_eq!(said.rows["fire-safety"], "甲办");
        assert_eq!(said.fallback.as_deref(), Some("甲镇"));
        let (left, version) = responsibilities::of(app, world.old).await.unwrap();
        assert_eq!((left, version), (Matrix::default(), 2));
        let all: BTreeSet<_> = old.union(&own).copied().collect();
        assert_eq!(queue(world.successor).await, all);
        assert_eq!(queue(world.old).await, all, "looked for where it is now");
        verified(app);
    });
}

fn square(west: f64, south: f64) -> Option<(String, CoordinateReference)> {
    let (east, north) = (west + 0.1, south + 0.1);
    let geometry = format!(
        r#"{{"type":"Polygon","coordinates":[[[{west},{south}],[{east},{south}],[{east},{north}],[{west},{north}],[{west},{south}]]]}}"#
    );
    Some((geometry, CoordinateReference::Wgs84))
}

#[test]
fn a_place_within_the_old_boundary_is_the_successors_until_that_is_drawn_anew() {
    in_small_lots(async |server| {
        let app = &server.app;
        let mut world = World::build(&server).await;
        let admin = person("admin");
        boundaries::change(app, admin, world.old, 1, square(10.0, 10.0))
            .await
            .unwrap();
        boundaries::change(app, admin, world.village, 1, square(10.02, 10.02))
            .await
            .unwrap();
        boundaries::change(app, admin, world.successor, 1, square(11.0, 10.0))
            .await
            .unwrap();
        let located = async |longitude| {
            let point = Wgs84Point {
                longitude,
                latitude: 10.01,
            };
            let way = nodes::locate(app, point).await;
            way.ok().and_then(|way| way.last().map(|node| node.node.id))
        };
        assert_eq!(located(10.01).await, Some(world.old));
        let done = world.merge(app).await.unwrap();
        assert!(done.boundary_to_redraw);
        assert_eq!(located(10.01).await, Some(world.successor));
        run_due(app).await.unwrap();
        assert_eq!(located(10.01).await, Some(world.successor));
        assert_eq!(located(11.01).await, Some(world.successor));
        // A report by somebody of the whole district goes by the place.
        let mut found = crate::test_support::report("占道");
        (found.source, found.enterprise_id) = (Source::DeptInspection, None);
        found.position = serde_json::from_value(serde_json::json!(
            {"longitude": 10.01, "latitude": 10.01, "reference": "wgs84"}
        ))
        .unwrap();
        world
            .send(app, "inspector1", 130, Action::Report(found))
            .await;
        assert_eq!(hazard(app, 130).jurisdiction_id, world.successor);
        // Drawn anew, it alone counts.
        let successor = nodes::one(app, world.successor).await.unwrap().node.version;
        boundaries::change(app, admin, world.successor, successor, square(12.0, 10.0))
            .await
            .unwrap();
        assert_eq!(located(10.01).await, None);
        assert_eq!(located(12.01).await, Some(world.successor));
        assert!(!nodes::one(app, world.old).await.unwrap().has_boundary);
        let held = world.check_all(app, &[]).await;
        assert!(held[2].contains_key(&(RecordKind::Hazard, hazard_id(130).0)));
        verified(app);
    });
}

/// The database did not answer for an hour, or eight servers died over it: whoever starts next, or asks again, has it go on.
#[test]
fn a_merger_that_was_given_up_goes_on() {
    in_small_lots(async |server| {
        let app = &server.app;
        let world = World::build(&server).await;
        world.merge(app).await.unwrap();
        let give_up = || {
            let now = app.clock.now();
            let given_up = app.db.write(move |tx| {
                let claimed = jobs::claim(tx.conn(), now, now.plus_millis(1_000))?;
                let claimed = claimed.expect("the job of the merger");
                assert_eq!(claimed.kind, JobKind::MergeJurisdiction.as_str());
                jobs::failed(tx.conn(), &claimed, "no", None, now)
            });
            async { assert!(given_up.await.unwrap()) }
        };
        give_up().await;
        assert_eq!(run_due(app).await.unwrap(), 0);
        assert_eq!(stage(app, world.old), Stage::Telling);
        world.merge(app).await.unwrap();
        give_up().await;
        go_on_with_all(app).await.unwrap();
        run_due(app).await.unwrap();
        assert_eq!(stage(app, world.old), Stage::Done);
        go_on_with_all(app).await.unwrap();
        assert_eq!(run_due(app).await.unwrap(), 0);
    });
}
