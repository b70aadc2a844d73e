//! Who is limited to sectors sees and pulls those and no others, on both databases: over random data
//! a pull holds exactly what REST shows, however things came about.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::{BTreeMap, BTreeSet};

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::command::{Action, Note, Report, Source};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::ids::{EnterpriseId, HazardId, JurisdictionId, PersonId};
use hazardloop_sync_protocol::wire::{RecordKind, Scope};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;
use uuid::Uuid;

use super::enterprises::Correction;
use super::people::{self, NewPerson, Terms};
use super::phone_tests::{Phone, Versions};
use super::pull_tests::second_town;
use super::push::push;
use super::read::{self, Wanted};
use super::{enterprises, relocate, sectors};
use crate::app::App;
use crate::failure::Failure;
use crate::jobs::run_due;
use crate::sample;
use crate::store::sector_scopes;
use crate::test_support::{
    NOW, TestDevice, TestServer, firm_of, hazard_id, on_each_database, on_each_database_with,
    person, report, terms,
};

const TRADE: &str = "industry-and-trade";
const GAS: &str = "town-gas";
const SECTORS: [&str; 3] = [TRADE, "hazardous-chemicals", GAS];

fn v7(kind: u8, number: usize) -> Uuid {
    let mut tail = [kind; 10];
    tail[8..].copy_from_slice(&u16::try_from(number).unwrap().to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(1_795_309_200_000, &tail).into_uuid()
}

fn limited(role: Role, scope: GrantScope, sectors: &[&str]) -> Terms {
    Terms {
        sectors: sectors.iter().map(|name| (*name).to_owned()).collect(),
        ..terms(role, scope)
    }
}

async fn add(app: &App, number: usize, grants: Vec<Terms>) -> PersonId {
    let id = PersonId(v7(1, number));
    let new = NewPerson {
        id,
        login: format!("p{number}"),
        name: "某人".to_owned(),
        phone: None,
        password_hash: "-".to_owned(),
        grants,
    };
    let key = app.digest_key;
    app.db
        .write(move |tx| people::register(tx, &key, new.clone(), None, NOW).map(drop))
        .await
        .unwrap();
    id
}

type Held = BTreeSet<(bool, Uuid)>;

fn key(kind: RecordKind, id: Uuid) -> Option<(bool, Uuid)> {
    matches!(kind, RecordKind::Hazard | RecordKind::Enterprise)
        .then_some((kind == RecordKind::Hazard, id))
}

/// What of it is compared here: there are no inspections.
fn keys(held: Versions) -> Held {
    let held = held.into_keys();
    held.filter_map(|(kind, id)| key(kind, id)).collect()
}

/// What there is, and who looks.
struct World<'a> {
    server: &'a TestServer,
    towns: [JurisdictionId; 2],
    firms: Vec<EnterpriseId>,
    hazards: Vec<HazardId>,
    phones: Vec<Phone>,
    authors: [TestDevice; 4],
}

impl<'a> World<'a> {
    async fn build(server: &'a TestServer) -> Self {
        let app = &server.app;
        let (second, worker) = second_town(app).await;
        let first = JurisdictionId(sample::id("500153003000"));
        Self {
            server,
            towns: [first, second],
            firms: ["polishing", "chemicals", "machinery"]
                .map(|key| EnterpriseId(sample::id(key)))
                .to_vec(),
            hazards: Vec::new(),
            phones: Vec::new(),
            authors: [
                TestDevice::enrol(app, "inspector1", 201).await,
                TestDevice::enrol(app, "grid", 202).await,
                TestDevice::enrol_as(app, worker, 203).await,
                TestDevice::enrol(app, "reviewer", 204).await,
            ],
        }
    }

    fn app(&self) -> &'a App {
        &self.server.app
    }

    async fn send(&mut self, author: usize, hazard: HazardId, action: Action) {
        let device = &mut self.authors[author];
        let sealed = device.seal(hazard, action);
        let (who, batch) = (device.person_id, device.push(vec![sealed]));
        push(&self.server.app, who, batch).await.unwrap();
    }

    async fn report(&mut self, rng: &mut StdRng) {
        let id = hazard_id(u64::try_from(self.hazards.len()).unwrap() + 1);
        let author = rng.random_range(0..3);
        let firm = self.firms[rng.random_range(0..self.firms.len())];
        let report = Report {
            source: match author {
                0 => Source::DeptInspection,
                _ => Source::Grid,
            },
            enterprise_id: (author == 0).then_some(firm),
            ..report("积尘")
        };
        self.send(author, id, Action::Report(report)).await;
        self.hazards.push(id);
    }

    async fn firm(&mut self, rng: &mut StdRng) {
        let firm = firm_of(
            v7(2, self.firms.len()),
            self.towns[rng.random_range(0..2)],
            SECTORS[rng.random_range(0..3)].to_owned(),
        );
        let made = enterprises::create(self.app(), person("admin"), firm).await;
        self.firms.push(made.unwrap().0.id);
    }

    async fn relocate(&mut self, rng: &mut StdRng) {
        let firm = self.firms[rng.random_range(0..self.firms.len())];
        let now = enterprises::one(self.app(), person("admin"), firm)
            .await
            .unwrap();
        let asked = relocate::Move {
            seen: now.version,
            to: self.towns[rng.random_range(0..2)],
            reason: "搬迁".to_owned(),
        };
        relocate::relocate(self.app(), person("admin"), firm, asked)
            .await
            .unwrap();
    }

    async fn amend(&mut self, rng: &mut StdRng) {
        if self.hazards.is_empty() {
            return;
        }
        let hazard = self.hazards[rng.random_range(0..self.hazards.len())];
        let firm = self.firms[rng.random_range(0..self.firms.len())];
        let amend = json!({"based_on": 1, "enterprise_id": firm});
        let amend = Action::Amend(serde_json::from_value(amend).unwrap());
        self.send(0, hazard, amend).await;
        let note = Note {
            text: "看过".to_owned(),
        };
        self.send(0, hazard, Action::Note(note)).await;
    }

    /// Somebody says of which sector a hazard is.
    async fn assign(&mut self, rng: &mut StdRng) {
        if self.hazards.is_empty() {
            return;
        }
        let hazard = self.hazards[rng.random_range(0..self.hazards.len())];
        let sector = SECTORS[rng.random_range(0..3)];
        let assign = json!({"sector": sector, "department": "某局"});
        let assign = Action::AssignSector(serde_json::from_value(assign).unwrap());
        self.send(3, hazard, assign).await;
    }

    /// An enterprise turns out to be of another sector; its hazards keep theirs.
    async fn correct(&mut self, rng: &mut StdRng) {
        let firm = self.firms[rng.random_range(0..self.firms.len())];
        let now = enterprises::one(self.app(), person("admin"), firm).await;
        let sector = SECTORS[rng.random_range(0..3)];
        let correction = move |before: Enterprise| Enterprise {
            sector: sector.to_owned(),
            ..before
        };
        let (seen, correction) = (now.unwrap().version, Correction::of(correction));
        let done = enterprises::correct(self.app(), person("admin"), firm, seen, correction);
        done.await.unwrap();
    }

    /// Somebody who looks, by a random role over a random place within random sectors.
    async fn person(&mut self, rng: &mut StdRng) {
        let number = self.phones.len();
        let roles = [
            Role::DepartmentReviewer,
            Role::Supervisor,
            Role::Expert,
            Role::Inspector,
            Role::Public,
        ];
        let district = JurisdictionId(sample::id("500153000000"));
        let places = [district, self.towns[0], self.towns[1]];
        let mut grants = Vec::new();
        for place in 0..rng.random_range(1..3) {
            let role = roles[rng.random_range(0..roles.len())];
            let over = GrantScope::Jurisdiction(places[(number + place) % 3]);
            let some: Vec<&str> = SECTORS
                .into_iter()
                .filter(|_| rng.random_range(0..2) == 0)
                .collect();
            grants.push(limited(role, over, &some));
        }
        if rng.random_range(0..4) == 0 {
            let firm = GrantScope::Enterprise(self.firms[0]);
            grants.push(terms(Role::Expert, firm));
        }
        let id = add(self.app(), number, grants).await;
        let phone = Phone::of(self.app(), id, u8::try_from(number).unwrap()).await;
        self.phones.push(phone);
    }

    async fn listed(&self, who: PersonId, filters: read::hazards::Filters) -> Held {
        let (mut after, mut all) = (None, Held::new());
        loop {
            let wanted = Wanted { after, limit: 7 };
            let (filters, newest) = (filters.clone(), read::hazards::Order::Newest);
            let page = read::hazards::list(self.app(), who, filters, newest, wanted, NOW).await;
            let page = page.unwrap();
            all.extend(page.items.iter().map(|hazard| (true, hazard.id.0)));
            after = page.next;
            if after.is_none() {
                return all;
            }
        }
    }

    /// What `who` may see one by one.
    async fn shown(&self, who: PersonId) -> Held {
        let mut shown = Held::new();
        for id in &self.hazards {
            if read::hazard::one(self.app(), who, *id).await.is_ok() {
                shown.insert((true, id.0));
            }
        }
        for id in &self.firms {
            if enterprises::one(self.app(), who, *id).await.is_ok() {
                shown.insert((false, id.0));
            }
        }
        shown
    }

    async fn check(&mut self) {
        run_due(self.app()).await.unwrap();
        let mut phones = std::mem::take(&mut self.phones);
        for phone in &mut phones {
            let who = phone.device.person_id;
            let shown = self.shown(who).await;
            let grants = self
                .app()
                .db
                .read(move |tx| crate::store::access::grants_of(tx.conn(), who));
            let grants = grants.await.unwrap();
            assert_eq!(
                keys(phone.pull(self.app()).await),
                shown,
                "{grants:?}, by sync"
            );
            let mut listed = self.listed(who, read::hazards::Filters::default()).await;
            let wanted = Wanted {
                after: None,
                limit: 200,
            };
            let filters = read::enterprises::Filters::default();
            let firms = read::enterprises::list(self.app(), who, filters, wanted).await;
            listed.extend(firms.unwrap().items.iter().map(|firm| (false, firm.id.0)));
            assert_eq!(listed, shown, "{grants:?}, in the lists");
            self.check_narrowed(who, &shown).await;
        }
        self.phones = phones;
    }

    /// A list of one enterprise or one town holds what is shown of it and no more.
    async fn check_narrowed(&self, who: PersonId, shown: &Held) {
        let (mut of_firm, mut of_town) = (BTreeMap::new(), BTreeMap::new());
        for id in &self.hazards {
            let hazard = read::hazard::one(self.app(), person("admin"), *id).await;
            let hazard = hazard.unwrap().hazard;
            let row = (true, id.0);
            if shown.contains(&row) {
                of_town
                    .entry(hazard.jurisdiction_id)
                    .or_insert_with(Held::new)
                    .insert(row);
                let firm = hazard.enterprise_id;
                of_firm.entry(firm).or_insert_with(Held::new).insert(row);
            }
        }
        for firm in &self.firms {
            let filters = read::hazards::Filters {
                enterprise_id: Some(*firm),
                ..Default::default()
            };
            let expected = of_firm.remove(&Some(*firm)).unwrap_or_default();
            assert_eq!(self.listed(who, filters).await, expected);
        }
        for town in self.towns {
            let filters = read::hazards::Filters {
                jurisdiction_id: Some(town),
                ..Default::default()
            };
            let expected = of_town.remove(&town).unwrap_or_default();
            assert_eq!(self.listed(who, filters).await, expected);
        }
    }
}

#[test]
fn a_pull_holds_what_rest_shows_and_the_reverse_over_random_data() {
    on_each_database_with(
        |settings| settings.hazards.moved_at_once = 3,
        async |server| {
            let mut rng = StdRng::seed_from_u64(20_261_126);
            let mut world = World::build(&server).await;
            for step in 0..120 {
                match rng.random_range(0..10) {
                    0 | 1 if world.phones.len() < 12 => world.person(&mut rng).await,
                    2 => world.firm(&mut rng).await,
                    3 => world.relocate(&mut rng).await,
                    4 => world.amend(&mut rng).await,
                    5 => world.assign(&mut rng).await,
                    6 => world.correct(&mut rng).await,
                    _ => world.report(&mut rng).await,
                }
                if step % 20 == 19 {
                    world.check().await;
                }
            }
            assert!(world.phones.len() > 8 && world.hazards.len() > 30);
        },
    );
}

#[test]
fn what_was_there_before_comes_in_lots_and_what_changes_meanwhile_comes_once() {
    on_each_database_with(
        |settings| settings.hazards.moved_at_once = 2,
        async |server| {
            let mut rng = StdRng::seed_from_u64(7);
            let mut world = World::build(&server).await;
            for _ in 0..12 {
                world.report(&mut rng).await;
            }
            let district = JurisdictionId(sample::id("500153000000"));
            let over = GrantScope::Jurisdiction(district);
            let grant = limited(Role::DepartmentReviewer, over, &[TRADE])
                .granted(hazardloop_domain::ids::GrantId(v7(3, 1)), NOW);
            let Scope::JurisdictionSector(_, sector) = super::reach::scopes_of_grant(&grant)[0]
            else {
                panic!("{grant:?}");
            };
            // Opened, and nothing brought yet.
            let opened = world.app().db.write(move |tx| {
                let opened = sector_scopes::open(tx, (district, sector), NOW)?;
                sectors::enqueue_fill(tx, (district, sector), NOW)?;
                Ok::<_, Failure>(opened)
            });
            assert!(opened.await.unwrap());
            add(
                world.app(),
                0,
                vec![limited(Role::DepartmentReviewer, over, &[TRADE])],
            )
            .await;
            let phone = Phone::of(world.app(), PersonId(v7(1, 0)), 1).await;
            world.phones.push(phone);
            let lot = || {
                world
                    .app()
                    .db
                    .write(move |tx| sector_scopes::fill(tx, (district, sector), 3, NOW))
            };
            assert!(!lot().await.unwrap());
            assert!(!lot().await.unwrap());
            world.amend(&mut rng).await;
            world.relocate(&mut rng).await;
            world.report(&mut rng).await;
            world.check().await;
            world.amend(&mut rng).await;
            world.check().await;
            let again = world
                .app()
                .db
                .write(move |tx| sector_scopes::open(tx, (district, sector), NOW));
            assert!(!again.await.unwrap());
        },
    );
}

#[test]
fn a_role_for_one_sector_acts_on_no_other_and_keeps_no_enterprise_of_another() {
    on_each_database(async |server| {
        let mut world = World::build(&server).await;
        let district = JurisdictionId(sample::id("500153000000"));
        let over = GrantScope::Jurisdiction(district);
        let gas = limited(Role::DepartmentReviewer, over, &[GAS]);
        let reviewer = add(world.app(), 0, vec![gas]).await;
        let polishing = EnterpriseId(sample::id("polishing"));
        world
            .send(
                0,
                hazard_id(1),
                Action::Report(Report {
                    source: Source::DeptInspection,
                    enterprise_id: Some(polishing),
                    ..report("积尘")
                }),
            )
            .await;
        let hidden = read::hazard::one(world.app(), reviewer, hazard_id(1)).await;
        assert!(hidden.unwrap_err().is_not_found());
        let mut firm = firm_of(v7(2, 1), world.towns[0], TRADE.to_owned());
        let refused = enterprises::create(world.app(), reviewer, firm.clone()).await;
        assert!(matches!(refused, Err(Failure::Forbidden(_))));
        firm.sector = GAS.to_owned();
        let (firm, _) = enterprises::create(world.app(), reviewer, firm)
            .await
            .unwrap();
        let away = |firm: Enterprise| Enterprise {
            sector: TRADE.to_owned(),
            ..firm
        };
        let refused =
            enterprises::correct(world.app(), reviewer, firm.id, 1, Correction::of(away)).await;
        assert!(matches!(refused, Err(Failure::Forbidden(_))));
    });
}
