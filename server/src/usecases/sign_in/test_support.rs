//! A server without doors, with two districts and people in them, for tests of sign-in, people
//! and devices.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::store::test_support::each_database;
use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, PersonId};
use hazardloop_domain::jurisdiction::{Jurisdiction, Level};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::digest::DigestKey;
use object_store::memory::InMemory;
use rand::SeedableRng;
use uuid::Uuid;

use super::SignInState;
use super::attempts::SourceNetwork;
use super::password::Password;
use super::session::{self, SignedIn};
use crate::app::{App, Parts};
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::store::{Db, DbOptions, migrate, places};
use crate::usecases::people;

/// The instant at which every test begins.
pub(crate) const START: i64 = 1_795_312_800_000;

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// The city above both districts.
pub(crate) const CITY: JurisdictionId = JurisdictionId(Uuid::from_u128(1));
/// A district.
pub(crate) const EAST: JurisdictionId = JurisdictionId(Uuid::from_u128(2));
/// A town in it.
pub(crate) const EAST_TOWN: JurisdictionId = JurisdictionId(Uuid::from_u128(3));
/// Its neighbour.
pub(crate) const WEST: JurisdictionId = JurisdictionId(Uuid::from_u128(4));
/// An enterprise in the eastern town.
pub(crate) const EAST_FIRM: EnterpriseId = EnterpriseId(Uuid::from_u128(10));
/// An enterprise in the west.
pub(crate) const WEST_FIRM: EnterpriseId = EnterpriseId(Uuid::from_u128(11));

/// Everybody: login, role, scope. Their ids count from 100.
pub(crate) const PEOPLE: [(&str, Role, GrantScope); 9] = [
    (
        "city-admin",
        Role::Administrator,
        GrantScope::Jurisdiction(CITY),
    ),
    (
        "east-admin",
        Role::Administrator,
        GrantScope::Jurisdiction(EAST),
    ),
    (
        "west-admin",
        Role::Administrator,
        GrantScope::Jurisdiction(WEST),
    ),
    (
        "town-admin",
        Role::Administrator,
        GrantScope::Jurisdiction(EAST_TOWN),
    ),
    (
        "east-inspector",
        Role::Inspector,
        GrantScope::Jurisdiction(EAST),
    ),
    (
        "east-supervisor",
        Role::Supervisor,
        GrantScope::Jurisdiction(EAST),
    ),
    (
        "principal",
        Role::Principal,
        GrantScope::Enterprise(EAST_FIRM),
    ),
    ("worker", Role::Employee, GrantScope::Enterprise(EAST_FIRM)),
    (
        "west-worker",
        Role::Employee,
        GrantScope::Enterprise(WEST_FIRM),
    ),
];

/// The person who signs in as `login`.
pub(crate) fn id_of(login: &str) -> PersonId {
    let place = PEOPLE.iter().position(|(name, _, _)| *name == login);
    PersonId(Uuid::from_u128(100 + place.unwrap() as u128))
}

/// A server, its clock, and where its database lies.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) url: String,
    now: Arc<AtomicI64>,
}

/// Runs `test` on a world on each database.
pub(crate) fn each_world<F: Future<Output = ()>>(test: impl Fn(World) -> F) {
    each_world_with(|_| (), test);
}

/// The same with other settings.
pub(crate) fn each_world_with<F: Future<Output = ()>>(
    set: impl Fn(&mut Settings),
    test: impl Fn(World) -> F,
) {
    each_database(|url| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async { test(World::new(url, &set).await).await });
    });
}

/// A server over a migrated database.
pub(crate) async fn serve(url: &str, now: &Arc<AtomicI64>, seed: u64, settings: Settings) -> App {
    let db = Db::open(&url.parse().unwrap(), DbOptions::default()).unwrap();
    let read = Arc::clone(now);
    let clock = Clock::new(move || Timestamp::from_millis(read.load(Ordering::SeqCst)));
    let entropy = Entropy::new(rand::rngs::StdRng::seed_from_u64(seed));
    let sign_in = SignInState::open(&db, &settings, &clock, &entropy).await;
    let turns = crate::turns::Turns::new(&settings);
    App::new(Parts {
        db,
        clock,
        entropy,
        settings,
        objects: Arc::new(InMemory::new()),
        boundaries: crate::usecases::boundaries::Boundaries::default(),
        calendar: crate::usecases::calendar::Calendar::default(),
        catalog: crate::usecases::catalog::Catalog::default(),
        epoch: "test".to_owned(),
        digest_key: DigestKey([1; 16]),
        anchor_key: hazardloop_sync_protocol::hub::AnchorKey([2; 32]),
        jobs_wake: tokio::sync::Notify::new(),
        events_wake: tokio::sync::Notify::new(),
        checkpoints: crate::checkpoints::Checkpoints::default(),
        settled: crate::store::order::Settled::default(),
        metrics: crate::metrics::Metrics::new().unwrap(),
        turns,
        sign_in: sign_in.unwrap(),
    })
}

/// Settings with a password hash that costs next to nothing.
pub(crate) fn cheap() -> Settings {
    let mut settings = Settings::default();
    settings.sign_in.argon2_memory_kib = 8;
    settings.sign_in.argon2_passes = 1;
    settings
}

impl World {
    async fn new(url: &str, set: impl Fn(&mut Settings)) -> Self {
        migrate::migrate(&url.parse().unwrap()).unwrap();
        let now = Arc::new(AtomicI64::new(START));
        let mut settings = cheap();
        set(&mut settings);
        let app = serve(url, &now, 7, settings).await;
        let world = Self {
            app,
            url: url.to_owned(),
            now,
        };
        world.settle().await;
        world
    }

    /// Another server process over the same database.
    pub(crate) async fn another_server(&self) -> App {
        serve(&self.url, &self.now, 8, self.app.settings.clone()).await
    }

    pub(crate) fn pass(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
    }

    async fn settle(&self) {
        let (app, now) = (self.app.clone(), self.app.clock.now());
        let rules = &app.settings.sign_in;
        let hash = people::hash_password(rules, &app.entropy, PASSWORD).unwrap();
        let key = app.digest_key;
        let write = app.db.write(move |tx| {
            for (id, parent, level) in [
                (CITY, None, Level::City),
                (EAST, Some(CITY), Level::District),
                (EAST_TOWN, Some(EAST), Level::Town),
                (WEST, Some(CITY), Level::District),
            ] {
                let jurisdiction = Jurisdiction {
                    id,
                    parent_id: parent,
                    name: "某地".to_owned(),
                    level,
                    division_code: None,
                    version: 1,
                    merged_into: None,
                    merged_at: None,
                };
                places::add_jurisdiction(tx, &jurisdiction, None)?;
            }
            for (id, jurisdiction_id) in [(EAST_FIRM, EAST_TOWN), (WEST_FIRM, WEST)] {
                let firm = Enterprise {
                    id,
                    name: "某厂".to_owned(),
                    credit_code: None,
                    jurisdiction_id,
                    sector: "工贸".to_owned(),
                    address: None,
                    position: None,
                    version: 1,
                    profile: hazardloop_domain::enterprise::EnterpriseProfile::default(),
                };
                let record = minicbor::to_vec(&firm).unwrap();
                places::save_enterprise(tx, &firm, &record, "", None, now)?;
            }
            for (login, role, scope) in PEOPLE {
                let new = people::NewPerson {
                    id: id_of(login),
                    login: login.to_owned(),
                    name: "某人".to_owned(),
                    phone: Some("13800000000".to_owned()),
                    password_hash: hash.clone(),
                    grants: vec![crate::test_support::terms(role, scope)],
                };
                people::register(tx, &key, new, None, now)?;
            }
            Ok::<_, Failure>(())
        });
        write.await.unwrap();
    }

    /// Signs in with everybody's password.
    pub(crate) async fn sign_in(&self, login: &str) -> SignedIn {
        try_sign_in(&self.app, login, PASSWORD, "192.0.2.1")
            .await
            .unwrap()
    }
}

/// Tries to sign in.
pub(crate) async fn try_sign_in(
    app: &App,
    login: &str,
    password: &str,
    source: &str,
) -> Result<SignedIn, Failure> {
    let source = SourceNetwork::from(source.parse::<std::net::IpAddr>().unwrap());
    session::sign_in(app, login, Password::from(password.to_owned()), source).await
}
