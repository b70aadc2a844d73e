//! A server without doors, with people, places and a folder of its own.
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
use hazardloop_domain::access::{Grant, GrantScope, Role};
use hazardloop_domain::command::{
    Action, Command, Grade, Origin, PhotoKind, PhotoRef, Report, Source,
};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::{Hazard, PhotoState};
use hazardloop_domain::ids::{EnterpriseId, GrantId, HazardId, JurisdictionId, PersonId};
use hazardloop_domain::jurisdiction::{Jurisdiction, Level};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::digest::DigestKey;
use object_store::local::LocalFileSystem;
use rand::SeedableRng;
use uuid::Uuid;

use super::*;
use crate::app::Parts;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::store::{Db, DbOptions, hazards, migrate, people, places};
use crate::usecases::execute::{Door, Sender};

/// The instant at which every test begins.
pub(crate) const START: i64 = 1_795_312_800_000;

/// A server, and what belongs to it.
pub(crate) struct World {
    pub(crate) app: App,
    now: Arc<AtomicI64>,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) const DISTRICT: JurisdictionId = JurisdictionId(Uuid::from_u128(1));
pub(crate) const TOWN: JurisdictionId = JurisdictionId(Uuid::from_u128(2));
pub(crate) const OTHER_TOWN: JurisdictionId = JurisdictionId(Uuid::from_u128(3));
pub(crate) const FIRM: EnterpriseId = EnterpriseId(Uuid::from_u128(10));
/// The device that brings photos, where nothing else is said.
pub(crate) const PHONE: Uuid = Uuid::from_u128(30);
/// An employee of the firm.
pub(crate) const WORKER: PersonId = PersonId(Uuid::from_u128(20));
/// Another employee of the firm.
pub(crate) const COLLEAGUE: PersonId = PersonId(Uuid::from_u128(21));
/// An inspector of the firm's town.
pub(crate) const INSPECTOR: PersonId = PersonId(Uuid::from_u128(22));
/// An inspector of the other town.
pub(crate) const STRANGER: PersonId = PersonId(Uuid::from_u128(23));

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
        runtime.block_on(async {
            let world = World::new(url, &set).await;
            test(world).await;
        });
    });
}

impl World {
    pub(crate) async fn new(url: &str, set: impl Fn(&mut Settings)) -> Self {
        let url = url.parse().unwrap();
        migrate::migrate(&url).unwrap();
        let db = Db::open(&url, DbOptions::default()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let now = Arc::new(AtomicI64::new(START));
        let read = Arc::clone(&now);
        let clock = Clock::new(move || Timestamp::from_millis(read.load(Ordering::SeqCst)));
        let entropy = Entropy::new(rand::rngs::StdRng::seed_from_u64(7));
        let mut settings = Settings {
            data_dir: folder.path().to_owned(),
            ..Settings::default()
        };
        set(&mut settings);
        let objects = folder.path().join("objects");
        std::fs::create_dir_all(&objects).unwrap();
        let objects = LocalFileSystem::new_with_prefix(objects).unwrap();
        let sign_in = crate::usecases::sign_in::SignInState::open(&db, &settings, &clock, &entropy);
        let sign_in = sign_in.await.unwrap();
        let turns = crate::turns::Turns::new(&settings);
        let app = App::new(Parts {
            db,
            clock,
            entropy,
            settings,
            objects: Arc::new(objects.with_fsync(true)),
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
            sign_in,
        });
        let world = Self { app, now, folder };
        world.settle().await;
        world
    }

    /// The world's present instant.
    pub(crate) fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    pub(crate) fn pass(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
    }

    async fn settle(&self) {
        let now = self.now();
        let write = self.app.db.write(move |tx| {
            for (id, parent, level) in [
                (DISTRICT, None, Level::District),
                (TOWN, Some(DISTRICT), Level::Town),
                (OTHER_TOWN, Some(DISTRICT), Level::Town),
            ] {
                let jurisdiction = Jurisdiction {
                    id,
                    parent_id: parent,
                    name: "某地".to_owned(),
                    level,
                    division_code: Some("500111000000".to_owned()),
                    version: 1,
                    merged_into: None,
                    merged_at: None,
                };
                places::add_jurisdiction(tx, &jurisdiction, None)?;
            }
            let firm = Enterprise {
                id: FIRM,
                name: "某厂".to_owned(),
                credit_code: None,
                jurisdiction_id: TOWN,
                sector: "工贸".to_owned(),
                address: None,
                position: None,
                version: 1,
                profile: hazardloop_domain::enterprise::EnterpriseProfile::default(),
            };
            let record = minicbor::to_vec(&firm).unwrap();
            places::save_enterprise(tx, &firm, &record, "500111", None, now)?;
            let in_firm = GrantScope::Enterprise(FIRM);
            add_person(tx, WORKER, Role::Employee, in_firm)?;
            add_person(tx, COLLEAGUE, Role::Employee, in_firm)?;
            add_person(
                tx,
                INSPECTOR,
                Role::Inspector,
                GrantScope::Jurisdiction(TOWN),
            )?;
            let elsewhere = GrantScope::Jurisdiction(OTHER_TOWN);
            add_person(tx, STRANGER, Role::Inspector, elsewhere)
        });
        write.await.unwrap();
    }

    /// Reports a hazard with these photos, as `by`.
    pub(crate) async fn report(&self, number: u128, by: PersonId, photos: &[&[u8]]) -> HazardId {
        let hazard_id = HazardId(Uuid::from_u128((0x0190_0000_0000_7000_8000 << 48) | number));
        let photos = photos
            .iter()
            .map(|bytes| PhotoRef {
                sha256: Digest::sha256(bytes),
                size: bytes.len() as u64,
                media_type: "image/jpeg".to_owned(),
                kind: PhotoKind::Before,
                taken_at: None,
                position: None,
            })
            .collect();
        let report = Report {
            source: Source::EmployeeReport,
            grade: Grade::General,
            enterprise_id: Some(FIRM),
            description: "配电箱未上锁".to_owned(),
            place_text: "一车间".to_owned(),
            position: None,
            found_at: self.now(),
            photos,
            no_photo_reason: None,
            criterion: None,
            immediate_measure: None,
            fixed_on_spot: None,
            recurrence_of: None,
            nature: None,
        };
        let command = Command::new(hazard_id, Action::Report(report));
        let sender = Sender {
            person_id: Some(by),
            origin: Origin::DIRECT,
            made_at: None,
            heard_at: None,
        };
        let (app, now) = (self.app.clone(), self.now());
        let write = self.app.db.write(move |tx| {
            let door = Door::new(&app);
            let mut set = door.open(now);
            set.decide(tx, &command, &sender)?;
            set.store(tx)
        });
        write.await.unwrap();
        hazard_id
    }

    /// The states of a hazard's photos.
    pub(crate) async fn photo_states(&self, id: HazardId) -> Vec<PhotoState> {
        let read = self.app.db.read(move |tx| hazards::load(tx.conn(), id));
        let hazard: Hazard = read.await.unwrap().unwrap().hazard;
        hazard.photos.into_iter().map(|photo| photo.state).collect()
    }

    /// Ends, now, the one grant that everybody here begins with.
    pub(crate) async fn end_grants(&self, of: PersonId) {
        let (now, grant) = (self.now(), GrantId(Uuid::from_u128(of.0.as_u128() + 1000)));
        let write = self
            .app
            .db
            .write(move |tx| people::end_grant(tx, grant, now));
        assert!(write.await.unwrap());
    }

    /// Begins an upload of `bytes` under their hash.
    pub(crate) async fn begin(&self, by: PersonId, bytes: &[u8]) -> UploadStatus {
        create(&self.app, by, announcement(bytes))
            .await
            .unwrap()
            .status
    }

    /// Sends `bytes` as one part at `offset`.
    pub(crate) async fn send(
        &self,
        by: PersonId,
        id: Uuid,
        offset: u64,
        bytes: &[u8],
    ) -> Result<Appended, Failure> {
        let part = Append {
            offset,
            declared: Some(bytes.len() as u64),
            checksum: None,
        };
        self.send_as(by, id, part, pieces(bytes, true)).await
    }

    pub(crate) async fn send_as(
        &self,
        by: PersonId,
        id: Uuid,
        part: Append,
        pieces: Vec<BodyPart>,
    ) -> Result<Appended, Failure> {
        let (sender, body) = mpsc::channel(pieces.len() + 1);
        for piece in pieces {
            sender.try_send(piece).unwrap();
        }
        drop(sender);
        append(&self.app, by, id, part, body).await
    }

    /// Brings a whole photo.
    pub(crate) async fn bring(&self, by: PersonId, bytes: &[u8]) -> Result<Appended, Failure> {
        let upload = self.begin(by, bytes).await;
        self.send(by, upload.id, 0, bytes).await
    }

    /// Where the bytes of an unfinished upload lie.
    pub(crate) fn part_path(&self, id: Uuid) -> PathBuf {
        self.folder.path().join("uploads").join(id.to_string())
    }

    /// Files below the server's folder that are not the database's.
    pub(crate) fn files(&self, of: &str) -> usize {
        fn count(folder: &std::path::Path) -> usize {
            let Ok(entries) = std::fs::read_dir(folder) else {
                return 0;
            };
            entries
                .map(|entry| entry.unwrap().path())
                .map(|path| if path.is_dir() { count(&path) } else { 1 })
                .sum()
        }
        count(&self.folder.path().join(of))
    }
}

use tokio::sync::mpsc;

fn add_person(
    tx: &mut crate::store::WriteTx<'_>,
    id: PersonId,
    role: Role,
    scope: GrantScope,
) -> Result<(), StoreError> {
    let person = people::Person {
        id,
        login: id.to_string(),
        name: "某人".to_owned(),
        phone: None,
        password_hash: "-".to_owned(),
        created_at: Timestamp::from_millis(START),
        disabled_at: None,
        version: 1,
    };
    people::insert(tx, &person)?;
    let grant = Grant {
        id: GrantId(Uuid::from_u128(id.0.as_u128() + 1000)),
        role,
        scope,
        valid_from: Timestamp::from_millis(0),
        valid_until: None,
        sectors: Vec::new(),
        certificate: None,
        temporary_reason: None,
    };
    people::insert_grant(tx, id, &grant)
}

/// What a device says of a photo before it sends it.
pub(crate) fn announcement(bytes: &[u8]) -> Announcement {
    Announcement {
        length: bytes.len() as u64,
        media_type: None,
        sha256: Some(Digest::sha256(bytes)),
        metadata: String::new(),
        by: PHONE,
    }
}

/// A body in small pieces, with or without its end.
pub(crate) fn pieces(bytes: &[u8], ends: bool) -> Vec<BodyPart> {
    let mut parts: Vec<BodyPart> = bytes
        .chunks(1000)
        .map(|chunk| BodyPart::Bytes(bytes::Bytes::copy_from_slice(chunk)))
        .collect();
    if ends {
        parts.push(BodyPart::End);
    }
    parts
}
