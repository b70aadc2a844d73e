//! The composition root of a running server: opens everything, serves, and shuts down cleanly.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::{App as ActixApp, HttpServer, web};
use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::hub::AnchorKey;
use object_store::local::LocalFileSystem;
use tokio::sync::watch;

use crate::app::{App, Parts};
use crate::checkpoints::Checkpoints;
use crate::clock::Clock;
use crate::command_line::{TaskError, database_url, make_data_dir, print};
use crate::entropy::Entropy;
use crate::failure::Failure;
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::store::identity::EPOCH;
use crate::store::{Db, StoreError, meta, migrate};
use crate::turns::Turns;
use crate::usecases::boundaries::Boundaries;
use crate::usecases::calendar::Calendar;
use crate::usecases::catalog::Catalog;
use crate::usecases::sign_in::SignInState;
use crate::{http, jobs, sample, shipped, usecases};

/// Requests under way are given this long to finish after SIGTERM.
const SHUTDOWN_S: u64 = 10;

/// How long events may wait for others before they are added to the audit chain together.
const SEAL_PAUSE: Duration = Duration::from_millis(200);

/// How often the audit chain is looked after even if nothing woke it (another server may have
/// been stopped before it sealed its last events).
const SEAL_EVERY: Duration = Duration::from_secs(30);

/// How often hazards that wait are made documents of the text index; until then a search looks through them.
const INDEX_EVERY: Duration = Duration::from_secs(1);

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// [`TaskError`] when the server cannot start.
pub fn run(settings: Settings, clock: Clock, entropy: Entropy) -> Result<(), TaskError> {
    start_log();
    actix_web::rt::System::new().block_on(serve(settings, clock, entropy))
}

fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,actix_server=warn"));
    // A second subscriber in one process is no reason to stop.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .try_init();
}

async fn serve(settings: Settings, clock: Clock, entropy: Entropy) -> Result<(), TaskError> {
    make_data_dir(&settings)?;
    let url = database_url(&settings)?;
    migrate::migrate(&url)?;
    let db = Db::open(&url, settings.database.options())?;
    let loaded = if settings.demo {
        let loaded = sample::load(&db, &settings, &clock, &entropy).await?;
        shipped::load(&db, &clock, &entropy).await?;
        Some(loaded)
    } else {
        sample::require_absent(&db).await?;
        None
    };
    let app = assemble(db, settings, clock, entropy).await?;
    usecases::rule_limits::announce(&app).await?;
    let (stop, stopping) = watch::channel(false);
    let background = [
        tokio::spawn(jobs::run(app.clone(), stopping.clone())),
        tokio::spawn(keep_sealing(app.clone(), stopping.clone())),
        tokio::spawn(keep_indexed(app.clone(), stopping)),
    ];
    let current = tokio::spawn(usecases::others::keep_current(app.clone()));
    let server = listen(&app)?;
    let ended = serve_until(server, loaded.as_ref(), &app).await;
    // Requests are over; what follows them may finish its present step.
    stop.send_replace(true);
    for task in background {
        if let Err(error) = task.await {
            tracing::error!(%error, "a background task ended unexpectedly");
        }
    }
    current.abort();
    app.db.close().await;
    ended
}

/// Serves until a signal, or until the database turns out to be another one than was opened.
async fn serve_until(
    server: Listening,
    sample: Option<&sample::Loaded>,
    app: &App,
) -> Result<(), TaskError> {
    let Listening { addrs, mut running } = server;
    let serving = running.handle();
    // Signals are heard from the first look on; whoever is told before may send one too early.
    let ended = std::future::poll_fn(|context| Poll::Ready(Pin::new(&mut running).poll(context)));
    if let Poll::Ready(ended) = ended.await {
        return ended.map_err(TaskError::io("serving"));
    }
    announce(&addrs, sample)?;
    let why = tokio::select! {
        ended = &mut running => return ended.map_err(TaskError::io("serving")),
        why = usecases::restore::watch(app.clone()) => why,
    };
    tracing::error!(%why, "stopping");
    // It stops only while it is looked at.
    let ((), _ended) = tokio::join!(serving.stop(true), running);
    Err(why.into())
}

/// Puts the shared parts together.
///
/// # Errors
/// When the database does not answer or a folder cannot be made.
pub async fn assemble(
    db: Db,
    settings: Settings,
    clock: Clock,
    entropy: Entropy,
) -> Result<App, TaskError> {
    let (epoch, digest_key) = identity(&db, &entropy).await?;
    let anchor_key = anchor_key(&db, &entropy).await?;
    let boundaries = Boundaries::open(&db).await?;
    let calendar = Calendar::open(&db).await?;
    let catalog = Catalog::open(&db).await?;
    let folder = settings.data_dir.join("objects");
    std::fs::create_dir_all(&folder)
        .map_err(TaskError::io(format!("creating {}", folder.display())))?;
    let objects = LocalFileSystem::new_with_prefix(&folder)
        .map_err(|error| Failure::Internal(format!("the object store: {error}")))?
        .with_fsync(true);
    let sign_in = SignInState::open(&db, &settings, &clock, &entropy).await?;
    let turns = Turns::new(&settings);
    Ok(App::new(Parts {
        db,
        clock,
        entropy,
        settings,
        objects: Arc::new(objects),
        boundaries,
        calendar,
        catalog,
        epoch,
        digest_key,
        anchor_key,
        jobs_wake: tokio::sync::Notify::new(),
        events_wake: tokio::sync::Notify::new(),
        checkpoints: Checkpoints::default(),
        settled: crate::store::order::Settled::default(),
        metrics: Metrics::new()?,
        turns,
        sign_in,
    }))
}

/// The epoch and digest key of this database, made at its first start.
///
/// # Errors
/// When the database does not answer.
pub async fn identity(db: &Db, entropy: &Entropy) -> Result<(String, DigestKey), TaskError> {
    let fresh_epoch = usecases::restore::fresh_epoch(entropy);
    let fresh_key = hex::encode(entropy.bytes::<16>());
    let (epoch, key) = db
        .write(move |tx| {
            usecases::restore::record(tx)?;
            let epoch = meta::get_or_set(tx, EPOCH, &fresh_epoch)?;
            let key = meta::get_or_set(tx, "digest_key", &fresh_key)?;
            Ok::<_, StoreError>((epoch, key))
        })
        .await?;
    let key = hex::decode(&key)
        .ok()
        .and_then(|bytes| DigestKey::from_slice(&bytes))
        .ok_or_else(|| StoreError::Corrupt {
            what: "the digest key".to_owned(),
        })?;
    Ok((epoch, key))
}

/// The key of this database's anchors, made at its first start. A new epoch goes on with it: what was anchored before
/// stays proven.
///
/// # Errors
/// When the database does not answer.
async fn anchor_key(db: &Db, entropy: &Entropy) -> Result<AnchorKey, TaskError> {
    let fresh = hex::encode(entropy.bytes::<32>());
    let key = db
        .write(move |tx| meta::get_or_set(tx, "anchor_key", &fresh))
        .await?;
    let bytes = hex::decode(&key).ok();
    let key = bytes.and_then(|bytes| AnchorKey::from_slice(&bytes));
    Ok(key.ok_or_else(|| StoreError::Corrupt {
        what: "the key of the anchors".to_owned(),
    })?)
}

struct Listening {
    addrs: Vec<std::net::SocketAddr>,
    running: actix_web::dev::Server,
}

fn listen(app: &App) -> Result<Listening, TaskError> {
    let settings = &app.settings;
    let limits = &settings.http;
    let workers = match limits.workers {
        0 => std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
        workers => workers,
    };
    let shared = app.clone();
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(web::Data::new(shared.clone()))
            .wrap(from_fn(http::count_requests))
            .configure(http::configure)
    })
    .workers(workers)
    // A worker counts its own.
    .max_connections(limits.connections.div_ceil(workers.max(1)).max(1))
    .client_request_timeout(Duration::from_secs(limits.head_timeout_s))
    .shutdown_timeout(SHUTDOWN_S)
    .bind(settings.listen)
    .map_err(TaskError::io(format!("listening on {}", settings.listen)))?;
    let addrs = server.addrs();
    Ok(Listening {
        addrs,
        running: server.run(),
    })
}

fn announce(
    addrs: &[std::net::SocketAddr],
    sample: Option<&sample::Loaded>,
) -> Result<(), TaskError> {
    let mut text = String::new();
    for address in addrs {
        text += &format!("Hazardloop serves at http://{address}\n");
    }
    if let (Some(sample), Some(address)) = (sample, addrs.first()) {
        text += &sample.introduction(address);
    }
    print(&text)
}

/// Adds committed events to the audit chain, soon after each commit.
async fn keep_sealing(app: App, mut stopping: watch::Receiver<bool>) {
    loop {
        let stop = tokio::select! {
            () = app.events_wake.notified() => false,
            () = tokio::time::sleep(SEAL_EVERY) => false,
            _ = stopping.wait_for(|stop| *stop) => true,
        };
        if !stop {
            tokio::time::sleep(SEAL_PAUSE).await;
        }
        let db = app.db.clone();
        match crate::held::blocking(move || usecases::audit::seal_all(&db)).await {
            Ok(Ok(sealed)) => app
                .metrics
                .sealed_last_round
                .set(i64::try_from(sealed).unwrap_or(i64::MAX)),
            Ok(Err(error)) => tracing::warn!(%error, "the audit chain could not be extended"),
            Err(error) => tracing::error!(%error, "sealing ended unexpectedly"),
        }
        if stop {
            return;
        }
    }
}

/// Makes documents of the text index of what has changed, some at a time.
async fn keep_indexed(app: App, mut stopping: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(INDEX_EVERY) => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        let db = app.db.clone();
        match crate::held::blocking(move || usecases::index_text::index_all(&db)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the text index could not be extended"),
            Err(error) => tracing::error!(%error, "indexing ended unexpectedly"),
        }
    }
}
