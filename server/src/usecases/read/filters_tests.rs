//! Lists of hazards by any combination of filters, in both orders, page by page, and counted, against a check by hand; for
//! people of several scopes; before, while and after the text index is made; on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeMap;

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::command::{Action, Amend, Grade, Source};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::geography::{Wgs84Point, distance_m};
use hazardloop_domain::hazard::{Hazard, StatusName};
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, PersonId};
use hazardloop_domain::search_text::Query;
use hazardloop_domain::time::Timestamp;

use super::filters_made::{AUTHORS, CODES, Dice, FIRMS, SECTORS, STATES, made, town};
use super::hazards::{Count, Filters, Order, Span, count, list};
use super::{Area, Wanted};
use crate::sample;
use crate::store::test_support::dump;
use crate::store::{WriteTx, hazards, places};
use crate::test_support::{
    NOW, TestDevice, TestServer, enterprise, hazard_id, on_each_database_with, person,
};
use crate::usecases::bulk::{self, Made};
use crate::usecases::execute::Door;
use crate::usecases::people::NewPerson;
use crate::usecases::pull_tests::second_town;
use crate::usecases::push::push;
use crate::usecases::{enterprises, index_text, people, relocate};

/// Hazards in all, and how many come at one moment.
const HAZARDS: u64 = 360;
const AT_ONCE: u64 = 9;

/// Names of sectors that are looked for; one that no hazard has.
const ASKED: [&str; 4] = [SECTORS[0], SECTORS[1], SECTORS[0], "露营地"];

/// What a count tells exactly.
const COUNTED: usize = 40;

/// A server with hazards in two towns, and who may see which.
struct World {
    server: TestServer,
    second: JurisdictionId,
    people: Vec<PersonId>,
    now: Timestamp,
}

impl World {
    async fn new(server: TestServer, indexed_midway: bool) -> Self {
        let (second, grid2) = second_town(&server.app).await;
        let both = NewPerson {
            id: PersonId(sample::id("both")),
            login: "both".to_owned(),
            name: "两处".to_owned(),
            phone: None,
            password_hash: "-".to_owned(),
            grants: [
                (
                    Role::Employee,
                    GrantScope::Enterprise(enterprise("polishing")),
                ),
                (Role::GridWorker, GrantScope::Jurisdiction(second)),
                (Role::GridWorker, GrantScope::Jurisdiction(town())),
            ]
            .map(Into::into)
            .to_vec(),
        };
        let (key, both_id) = (server.app.digest_key, both.id);
        let register = move |tx: &mut WriteTx<'_>| {
            people::register(tx, &key, both.clone(), None, NOW).map(drop)
        };
        server.app.db.write(register).await.unwrap();
        let mut dice = Dice(7);
        for start in (0..HAZARDS).step_by(usize::try_from(AT_ONCE).unwrap()) {
            let all: Vec<Made> = (start..start + AT_ONCE)
                .map(|number| made(number, &mut dice, second))
                .collect();
            let at = NOW.plus_millis(i64::try_from(start).unwrap() * 1_000);
            let door = Door::new(&server.app);
            let write = move |tx: &mut WriteTx<'_>| bulk::write(&door, tx, at, &all);
            server.app.db.write(write).await.unwrap();
            if indexed_midway && start == HAZARDS / 2 {
                index_text::index_all(&server.app.db).unwrap();
            }
        }
        let people = ["supervisor", "inspector1", "grid", "employee"].map(person);
        let people = people.into_iter().chain([grid2, both_id]).collect();
        let now = Timestamp::parse("2026-12-12T04:00:00Z").unwrap();
        server.set_now(now);
        Self {
            server,
            second,
            people,
            now,
        }
    }

    fn all(&self) -> Vec<Hazard> {
        let ids: Vec<_> = (0..HAZARDS).map(hazard_id).collect();
        let db = &self.server.app.db;
        let loaded = db
            .read_blocking(|tx| hazards::load_all(tx.conn(), &ids))
            .unwrap();
        loaded.into_iter().map(|loaded| loaded.hazard).collect()
    }

    /// Names of the enterprises.
    fn firms(&self) -> BTreeMap<EnterpriseId, String> {
        let db = &self.server.app.db;
        let one = |key: &&str| {
            let id = enterprise(key);
            let found = db.read_blocking(|tx| places::enterprise(tx.conn(), id));
            let found = found.unwrap().unwrap();
            (id, found.name)
        };
        FIRMS.iter().map(one).collect()
    }

    fn sees(&self, who: usize, hazard: &Hazard) -> bool {
        let polishing = hazard.enterprise_id == Some(enterprise("polishing"));
        let (first, second) = (town(), self.second);
        match who {
            0 | 1 => true,
            2 => hazard.jurisdiction_id == first,
            3 => polishing,
            4 => hazard.jurisdiction_id == second,
            _ => polishing || [first, second].contains(&hazard.jurisdiction_id),
        }
    }

    /// Whether somebody has a role over the whole of a jurisdiction.
    fn covers(&self, who: usize, id: JurisdictionId) -> bool {
        match who {
            0 | 1 => true,
            2 => id == town(),
            3 => false,
            4 => id == self.second,
            _ => [town(), self.second].contains(&id),
        }
    }

    fn by_hand(&self, who: usize, filters: &Filters, order: Order) -> Vec<Hazard> {
        // Of a jurisdiction that they do not cover, people see what is of their own enterprise.
        let only_own = matches!(
            filters.jurisdiction_id,
            Some(id) if !self.covers(who, id)
        );
        let own = |hazard: &Hazard| {
            [3, 5].contains(&who) && hazard.enterprise_id == Some(enterprise("polishing"))
        };
        let firms = self.firms();
        let now = self.now;
        let passes = |hazard: &Hazard| {
            let firm = hazard.enterprise_id.and_then(|id| firms.get(&id));
            let due = hazard.due_at().map(Timestamp::as_millis);
            let point = hazard.position.as_ref().map(|position| position.to_wgs84());
            let code = hazard
                .criterion
                .as_ref()
                .map(|criterion| criterion.code.clone());
            let text = index_text::text_of(hazard, firm.map(String::as_str));
            (!only_own || own(hazard))
                && (filters.statuses.is_empty() || filters.statuses.contains(&hazard.status_name()))
                && filters.grade.is_none_or(|grade| hazard.grade == grade)
                && filters
                    .enterprise_id
                    .is_none_or(|id| hazard.enterprise_id == Some(id))
                && filters.jurisdiction_id.is_none_or(|id| {
                    id == hazard.jurisdiction_id || id == JurisdictionId(sample::id("500153000000"))
                })
                && filters
                    .overdue
                    .is_none_or(|wanted| hazard.is_overdue(now) == wanted)
                && filters
                    .received
                    .is_none_or(|span| span.contains(hazard.received_at.as_millis()))
                && filters
                    .due
                    .is_none_or(|span| due.is_some_and(|due| span.contains(due)))
                && filters.source.is_none_or(|source| hazard.source == source)
                && (filters.sectors.is_empty()
                    || hazard
                        .sector
                        .as_ref()
                        .is_some_and(|sector| filters.sectors.contains(sector)))
                && (filters.criterion.is_none() || filters.criterion == code)
                && filters
                    .reported_by
                    .is_none_or(|id| hazard.reported_by == id)
                && filters
                    .number
                    .as_ref()
                    .is_none_or(|number| hazard.number == *number)
                && filters
                    .area
                    .is_none_or(|area| point.is_some_and(|point| area.contains(point)))
                && filters
                    .text
                    .as_ref()
                    .is_none_or(|query| query.matches(&text))
                && (order == Order::Newest || due.is_some())
        };
        let mut found: Vec<Hazard> = self.all();
        found.retain(|hazard| passes(hazard) && self.sees(who, hazard));
        found.sort_by_key(|hazard| (hazard.received_at, hazard.id));
        match order {
            Order::Newest => found.reverse(),
            Order::Due => found.sort_by_key(|hazard| (hazard.due_at(), hazard.id)),
        }
        found
    }

    fn filters(&self, dice: &mut Dice) -> Filters {
        let millis = |seconds: u64| NOW.as_millis() + i64::try_from(seconds).unwrap() * 1_000;
        let day = |day: u64| {
            let date: hazardloop_domain::time::LocalDate =
                format!("2026-12-{day:02}").parse().unwrap();
            date.end_of_day().as_millis()
        };
        let words = [
            "粉尘",
            "除尘器",
            "尘",
            "安全 出口",
            "示例化工",
            "泄爆片",
            "龙卷风",
            "HZ-2611",
            "配电箱 接地",
        ];
        Filters {
            statuses: dice
                .maybe(3, |dice| vec![dice.one(&STATES), dice.one(&STATES)])
                .unwrap_or_default(),
            grade: dice.maybe(4, |dice| dice.one(Grade::ALL)),
            enterprise_id: dice.maybe(6, |dice| enterprise(dice.one(&FIRMS))),
            jurisdiction_id: dice.maybe(4, |dice| {
                dice.one(&[
                    town(),
                    self.second,
                    JurisdictionId(sample::id("500153000000")),
                ])
            }),
            overdue: dice.maybe(5, |dice| dice.roll(2) == 0),
            received: dice.maybe(5, |dice| {
                let from = dice.roll(HAZARDS);
                let until = millis(from + dice.roll(200));
                Span {
                    from: millis(from),
                    until,
                }
            }),
            due: dice.maybe(6, |dice| {
                let from = 1 + dice.roll(20);
                let until = day(from + dice.roll(8));
                Span {
                    from: day(from),
                    until,
                }
            }),
            source: dice.maybe(6, |dice| dice.one(Source::ALL)),
            sectors: dice
                .maybe(6, |dice| {
                    let some = 1 + dice.roll(2);
                    (0..some).map(|_| dice.one(&ASKED).to_owned()).collect()
                })
                .unwrap_or_default(),
            criterion: dice.maybe(7, |dice| dice.one(&CODES).to_owned()),
            reported_by: dice.maybe(7, |dice| person(dice.one(&AUTHORS))),
            number: dice.maybe(25, |dice| {
                hazardloop_domain::hazard::hazard_number(hazard_id(dice.roll(HAZARDS)))
            }),
            area: dice.maybe(6, |dice| Area::Near {
                centre: Wgs84Point {
                    longitude: 105.597,
                    latitude: 29.405,
                },
                radius_m: 50.0 + dice.roll(600) as f64,
            }),
            text: dice.maybe(3, |dice| Query::new(dice.one(&words)).unwrap()),
        }
    }

    /// Walks lists that the dice choose.
    async fn check(&self, seed: u64, rounds: usize) {
        let mut dice = Dice(seed);
        let mut answered = 0;
        for round in 0..rounds {
            let filters = if round < 2 {
                Filters::default()
            } else {
                self.filters(&mut dice)
            };
            let who = usize::try_from(dice.roll(6)).unwrap();
            let order = dice.one(&[Order::Newest, Order::Due]);
            let limit = dice.one(&[3, 20, 200]);
            let expected = self.by_hand(who, &filters, order);
            let what = format!("{round}: {who} {order:?} {limit} {filters:?}");
            let found = self.walk(who, &filters, order, limit).await;
            let ids = |hazards: &[Hazard]| hazards.iter().map(|h| h.id).collect::<Vec<_>>();
            assert_eq!(ids(&found), ids(&expected), "{what}");
            let counted = count(&self.server.app, self.people[who], filters, order, self.now)
                .await
                .unwrap();
            let all = Count {
                count: expected.len().min(COUNTED),
                more: expected.len() > COUNTED,
            };
            assert_eq!(counted, all, "{what}");
            answered += usize::from(!expected.is_empty());
        }
        assert!(
            answered > rounds / 4,
            "{answered} of {rounds} found anything"
        );
    }

    async fn walk(&self, who: usize, filters: &Filters, order: Order, limit: usize) -> Vec<Hazard> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let wanted = Wanted { after, limit };
            let app = &self.server.app;
            let page = list(
                app,
                self.people[who],
                filters.clone(),
                order,
                wanted,
                self.now,
            );
            let page = page.await.unwrap();
            assert!(page.items.len() <= limit);
            all.extend(page.items);
            after = page.next;
            assert!(all.len() <= 400, "the list does not end");
            if after.is_none() {
                return all;
            }
        }
    }

    /// What may move a hazard from list to list, beside a change of state.
    async fn change(&self) {
        let app = &self.server.app;
        let mut device = TestDevice::enrol(app, "inspector1", 1).await;
        let amend = |description: Option<&str>, firm: Option<&str>| {
            Action::Amend(Amend {
                based_on: 1,
                description: description.map(str::to_owned),
                place_text: None,
                position: None,
                immediate_measure: None,
                enterprise_id: firm.map(enterprise),
            })
        };
        let all = self.all();
        let open = all
            .iter()
            .filter(|hazard| hazard.status_name() == StatusName::Reported);
        let commands = open.take(20).enumerate().map(|(number, hazard)| {
            let change = match number % 2 {
                0 => amend(Some("龙卷风刮倒配电箱"), None),
                _ => amend(None, Some("chemicals")),
            };
            device.seal(hazard.id, change)
        });
        let commands: Vec<_> = commands.collect();
        let answer = push(app, device.person_id, device.push(commands))
            .await
            .unwrap();
        let applied = |result: &_| format!("{result:?}").contains("Applied");
        assert!(answer.results.iter().all(applied));
        let correction = |before| Enterprise {
            name: "荣昌区龙卷风铸造厂".to_owned(),
            sector: "hazardous-chemicals".to_owned(),
            ..before
        };
        let id = enterprise("machinery");
        enterprises::correct(
            app,
            person("admin"),
            id,
            1,
            enterprises::Correction::of(correction),
        )
        .await
        .unwrap();
        let asked = relocate::Move {
            seen: 1,
            to: self.second,
            reason: "搬迁".to_owned(),
        };
        relocate::relocate(app, person("admin"), enterprise("polishing"), asked)
            .await
            .unwrap();
    }

    /// The lists hold what the feed and the hazards say, no more and no less.
    fn lists_follow(&self) {
        let db = &self.server.app.db;
        let rows = db
            .read_blocking(|tx| dump(tx.conn(), "hazard_lists"))
            .unwrap();
        let expected: usize = self
            .all()
            .iter()
            .map(|hazard| {
                // City, district, town, enterprise.
                let scopes = 3 + usize::from(hazard.enterprise_id.is_some());
                scopes * (1 + usize::from(hazard.due_at().is_some()))
            })
            .sum();
        assert_eq!(rows.len(), expected);
    }
}

fn on_each(test: impl AsyncFn(TestServer)) {
    on_each_database_with(
        |settings| {
            settings.hazards.counted = COUNTED;
            settings.hazards.moved_at_once = 1_000;
        },
        |server| test(server),
    );
}

#[test]
fn any_filters_in_any_order_find_exactly_what_passes() {
    on_each(async |server| {
        let world = World::new(server, true).await;
        world.lists_follow();
        world.check(1, 120).await;
        index_text::index_all(&world.server.app.db).unwrap();
        world.check(2, 120).await;
        world.change().await;
        world.lists_follow();
        world.check(3, 120).await;
        index_text::index_all(&world.server.app.db).unwrap();
        assert_eq!(index_text::index_all(&world.server.app.db).unwrap(), 0);
        world.check(4, 120).await;
    });
}

#[test]
fn nothing_indexed_is_found_too() {
    on_each(async |server| {
        let world = World::new(server, false).await;
        world.check(5, 60).await;
        let near = distance_m(
            Wgs84Point {
                longitude: 105.594,
                latitude: 29.405,
            },
            Wgs84Point {
                longitude: 105.597,
                latitude: 29.405,
            },
        );
        assert!(
            (200.0..400.0).contains(&near),
            "areas are of the size of the world"
        );
    });
}
