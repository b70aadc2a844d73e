//! What the server's tests share: a whole server without a socket, on either database.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::any::Any;
use std::cell::OnceCell;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ed25519_dalek::SigningKey;
use hazardloop_domain::access::{Certificate, GrantScope, Role};
use hazardloop_domain::command::{Action, ClockReading, Command, Grade, Report, Source};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{
    EnterpriseId, HazardId, InstallId, JurisdictionId, PersonId, SubjectId,
};
use hazardloop_domain::jurisdiction::{Jurisdiction, Level};
use hazardloop_domain::pack::Pack;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::chain::{link_hash, seal};
use hazardloop_sync_protocol::wire::{
    CommandPayload, Envelope, PROTOCOL_MAX, PullRequest, PushRequest, ScopeCursor,
};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use uuid::Uuid;

use crate::app::App;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::settings::Settings;
use crate::store::test_support::all_is_safe;
use crate::store::{DatabaseUrl, Db, DbOptions, ReadTx, installs, migrate};
use crate::usecases::people::Terms;
use crate::usecases::{audit, jurisdictions};
use crate::{sample, serve};

/// 2026-11-22 09:00 in Shanghai.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_309_200_000);

/// A server without a socket, with the sample loaded and a clock that can be set.
pub(crate) struct TestServer {
    pub app: App,
    /// The routes over `app`, once the first request has built them (`http::test_client`): building
    /// them takes longer than most requests.
    pub routes: OnceCell<Rc<dyn Any>>,
    url: DatabaseUrl,
    now: Arc<AtomicI64>,
    _data: tempfile::TempDir,
}

impl TestServer {
    pub async fn start(url: &str) -> Self {
        Self::start_with(url, |_| ()).await
    }

    /// The same with other settings.
    pub async fn start_with(url: &str, set: impl Fn(&mut Settings)) -> Self {
        let url: DatabaseUrl = url.parse().unwrap();
        migrate::migrate(&url).unwrap();
        let db = Db::open(&url, DbOptions::default()).unwrap();
        let data = tempfile::tempdir().unwrap();
        let mut settings = Settings {
            data_dir: data.path().to_owned(),
            sign_in: crate::settings::SignIn {
                argon2_memory_kib: 64,
                argon2_passes: 1,
                ..Default::default()
            },
            ..Settings::default()
        };
        set(&mut settings);
        let now = Arc::new(AtomicI64::new(NOW.as_millis()));
        let clock = clock_showing(&now);
        let entropy = Entropy::new(StdRng::seed_from_u64(7));
        sample::load(&db, &settings, &clock, &entropy)
            .await
            .unwrap();
        let app = serve::assemble(db, settings, clock, entropy).await.unwrap();
        crate::usecases::rule_limits::announce(&app).await.unwrap();
        Self {
            app,
            routes: OnceCell::new(),
            url,
            now,
            _data: data,
        }
    }

    /// Another server process over the same database.
    pub async fn beside(&self) -> App {
        self.beside_with(DbOptions::default()).await
    }

    /// The same with other options of the store.
    pub async fn beside_with(&self, options: DbOptions) -> App {
        let db = Db::open(&self.url, options).unwrap();
        let entropy = Entropy::new(StdRng::seed_from_u64(8));
        let settings = self.app.settings.clone();
        serve::assemble(db, settings, clock_showing(&self.now), entropy)
            .await
            .unwrap()
    }

    pub fn set_now(&self, now: Timestamp) {
        self.now.store(now.as_millis(), Ordering::SeqCst);
    }

    /// What the clock shows, for tasks that set it.
    pub fn hand(&self) -> Arc<AtomicI64> {
        self.now.clone()
    }
}

fn clock_showing(now: &Arc<AtomicI64>) -> Clock {
    let shown = now.clone();
    Clock::new(move || Timestamp::from_millis(shown.load(Ordering::SeqCst)))
}

/// Seals until nothing is left: on PostgreSQL a transaction of another test, in another database of
/// the same cluster, holds back what it cannot be proved to have no part in.
pub(crate) fn seal_everything(db: &Db) {
    for _ in 0..10_000 {
        audit::seal_all(db).unwrap();
        if audit::verify(db, None).unwrap().unsealed == 0 {
            return;
        }
    }
    panic!("not everything was sealed within 10,000 rounds");
}

/// Waits until all that has been committed may be delivered: on PostgreSQL a transaction of another test, in another
/// database of the same cluster, may hold it up. What is safe once stays so.
pub(crate) async fn until_safe(app: &App) {
    let safe = |tx: &mut ReadTx<'_>| all_is_safe(tx.conn());
    for _ in 0..1_000_000 {
        if app.db.read(safe).await.unwrap() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("a transaction stays open");
}

/// Runs `test` on a fresh server over each database.
pub(crate) fn on_each_database<F: Future<Output = ()>>(test: impl Fn(TestServer) -> F) {
    on_each_database_with(|_| (), test);
}

/// The same with other settings.
pub(crate) fn on_each_database_with<F: Future<Output = ()>>(
    set: impl Fn(&mut Settings),
    test: impl Fn(TestServer) -> F,
) {
    crate::store::test_support::each_database(|url| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async { test(TestServer::start_with(url, &set).await).await });
    });
}

/// Somebody of the sample.
pub(crate) fn person(login: &str) -> PersonId {
    PersonId(sample::id(login))
}

/// An enterprise of the sample.
pub(crate) fn enterprise(key: &str) -> EnterpriseId {
    EnterpriseId(sample::id(key))
}

/// Certificates given out, so that each is another's.
static CERTIFICATES: AtomicI64 = AtomicI64::new(0);

/// What somebody is who holds this role over this scope: an inspector, with a certificate of their own.
pub(crate) fn terms(role: Role, scope: GrantScope) -> Terms {
    let certificate = (role == Role::Inspector).then(|| Certificate {
        number: format!("渝A-{:06}", CERTIFICATES.fetch_add(1, Ordering::Relaxed)),
        valid_to: "2030-12-31".parse().ok(),
    });
    Terms {
        certificate,
        ..(role, scope).into()
    }
}

/// A new hazard id, the same for the same number.
pub(crate) fn hazard_id(number: u64) -> HazardId {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    let ms = u64::try_from(NOW.as_millis()).unwrap();
    HazardId(uuid::Builder::from_unix_timestamp_millis(ms, &random).into_uuid())
}

/// A report without photo at the first enterprise.
pub(crate) fn report(description: &str) -> Report {
    Report {
        source: Source::EnterpriseSelfCheck,
        grade: Grade::General,
        enterprise_id: Some(enterprise("polishing")),
        description: description.to_owned(),
        place_text: "2#除尘器".to_owned(),
        position: None,
        found_at: NOW,
        photos: Vec::new(),
        no_photo_reason: Some("试验".to_owned()),
        criterion: None,
        immediate_measure: None,
        fixed_on_spot: None,
        recurrence_of: None,
        nature: None,
    }
}

/// A field device's queue, without its storage.
pub(crate) struct TestDevice {
    pub person_id: PersonId,
    pub install_id: InstallId,
    key: SigningKey,
    seq: i64,
    last: Digest,
}

impl TestDevice {
    pub async fn enrol(app: &App, login: &str, number: u8) -> Self {
        Self::enrol_as(app, person(login), number).await
    }

    /// As [`Self::enrol`], for somebody who is not of the sample.
    pub async fn enrol_as(app: &App, person_id: PersonId, number: u8) -> Self {
        let mut device = Self::enrol_again(number, "employee");
        device.person_id = person_id;
        let row = installs::Install {
            id: device.install_id,
            person_id: device.person_id,
            device_name: "test".to_owned(),
            key_algorithm: 1,
            public_key: device.key.verifying_key().to_bytes().to_vec(),
            enrolled_at: NOW,
            last_seen_at: None,
            revoked_at: None,
            revoked_reason: None,
            stolen: false,
        };
        app.db
            .write(move |tx| installs::insert(tx, &row))
            .await
            .unwrap();
        device
    }

    /// The same phone after it was restored from a backup: the queue begins again.
    pub fn enrol_again(number: u8, login: &str) -> Self {
        Self {
            person_id: person(login),
            install_id: InstallId(Uuid::from_bytes([number; 16])),
            key: SigningKey::from_bytes(&[number; 32]),
            seq: 0,
            last: Digest::ZERO,
        }
    }

    /// The private half of its key.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// Queues one command on a hazard.
    pub fn seal(&mut self, hazard_id: HazardId, action: Action) -> Envelope {
        self.seal_on(hazard_id.into(), action)
    }

    /// Queues one command.
    pub fn seal_on(&mut self, subject_id: SubjectId, action: Action) -> Envelope {
        let kind = action.kind();
        let payload = CommandPayload::pack(clocks(NOW), &Command::new(subject_id, action));
        self.seal_raw(kind.as_str(), kind.version(), payload)
    }

    /// Queues bytes of any kind.
    pub fn seal_raw(&mut self, kind: &str, version: u16, payload: Vec<u8>) -> Envelope {
        self.seq += 1;
        let envelope = seal(
            &self.key,
            self.install_id,
            self.seq,
            kind,
            version,
            self.last,
            payload,
        );
        self.last = link_hash(self.install_id, &envelope);
        envelope
    }

    pub fn push(&self, commands: Vec<Envelope>) -> PushRequest {
        PushRequest {
            protocol: PROTOCOL_MAX,
            install_id: self.install_id,
            commands,
            settled: Vec::new(),
        }
    }

    pub fn pull(&self, epoch: Option<String>, scopes: Vec<ScopeCursor>) -> PullRequest {
        PullRequest {
            protocol: PROTOCOL_MAX,
            install_id: self.install_id,
            epoch,
            scopes,
            max_records: None,
        }
    }
}

pub(crate) fn clocks(wall: Timestamp) -> ClockReading {
    ClockReading {
        wall,
        monotonic_ms: None,
        boot_id: None,
        server_anchor: None,
        anchor_monotonic_ms: None,
        anchor_token: None,
    }
}

/// Somebody with an account and no role anywhere near the first enterprise's hazards.
pub(crate) async fn stranger(app: &App) -> PersonId {
    let new = crate::usecases::people::NewPerson {
        id: PersonId(sample::id("stranger")),
        login: "stranger".to_owned(),
        name: "路人".to_owned(),
        phone: None,
        password_hash: "-".to_owned(),
        grants: vec![terms(
            Role::Employee,
            GrantScope::Enterprise(enterprise("machinery")),
        )],
    };
    let (key, id) = (app.digest_key, new.id);
    app.db
        .write(move |tx| {
            crate::usecases::people::register(tx, &key, new.clone(), None, NOW).map(drop)
        })
        .await
        .unwrap();
    id
}

/// An enterprise of which only this much matters.
pub fn firm_of(
    id: Uuid,
    jurisdiction_id: JurisdictionId,
    sector: String,
) -> hazardloop_domain::enterprise::Enterprise {
    hazardloop_domain::enterprise::Enterprise {
        id: EnterpriseId(id),
        name: "某厂".to_owned(),
        credit_code: None,
        jurisdiction_id,
        sector,
        address: None,
        position: None,
        version: 1,
        profile: Default::default(),
    }
}

/// A server with the shipped packs.
pub(crate) async fn with_packs(server: &TestServer) {
    with_these(server, crate::shipped::packs().unwrap()).await;
}

/// A server with one of them.
pub(crate) async fn with_pack(server: &TestServer, name: &str) {
    let mut shipped = crate::shipped::packs().unwrap();
    shipped.retain(|pack| pack.head.name == name);
    with_these(server, shipped).await;
}

/// A server with these packs.
pub(crate) async fn with_these(server: &TestServer, shipped: Vec<Pack>) {
    let key = server.app.digest_key;
    let write = server.app.db.write(move |tx| {
        for pack in &shipped {
            crate::usecases::packs::add(tx, &key, pack, None, NOW)?;
        }
        Ok::<_, crate::failure::Failure>(())
    });
    write.await.unwrap();
    until_safe(&server.app).await;
    server.app.catalog.catch_up(&server.app.db).await.unwrap();
}

/// A node of the tree below another one.
pub(crate) async fn add_place(app: &App, id: JurisdictionId, parent: JurisdictionId, level: Level) {
    let place = Jurisdiction {
        id,
        parent_id: Some(parent),
        name: "某地".to_owned(),
        level,
        division_code: None,
        version: 1,
        merged_into: None,
        merged_at: None,
    };
    let key = app.digest_key;
    let add = app
        .db
        .write(move |tx| jurisdictions::add(tx, &key, &place, None, None, NOW));
    add.await.unwrap();
}
