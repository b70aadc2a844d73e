//! The runner: takes one due job after the other, by lease; several servers share one list.

use std::time::Duration;

use hazardloop_domain::time::Timestamp;
use tokio::sync::watch;

use super::{
    JobEnd, JobFailure, expire_uploads, fill_sector, follow_department, follow_enterprise,
    follow_sector, forget_removals, hand_over_teams, keep_windows, merge_jurisdiction,
    pack_receipts, recompute_deadlines, recount_unclaimed, thumbnail, weigh_chains,
};
use crate::app::App;
use crate::store::StoreError;
use crate::store::jobs::{self, Claimed, JobKind};

/// How long a runner may work on one job before another takes it for lost.
pub const LEASE_MS: i64 = 10 * 60 * 1000;
/// Longest wait before the list is looked at again: jobs that other servers put in, or that were
/// put in for later, wake nobody.
pub const POLL: Duration = Duration::from_secs(5);
/// Attempts before a job is given up.
pub const ATTEMPTS: i32 = 8;
/// Pause after the first failure; it doubles with every further one.
pub const FIRST_PAUSE_MS: i64 = 30 * 1000;
/// Longest pause.
pub const LONGEST_PAUSE_MS: i64 = 60 * 60 * 1000;

/// Runs jobs until `stop` turns true or its sender is gone. A job under way is finished first.
pub async fn run(app: App, mut stop: watch::Receiver<bool>) {
    if let Err(error) = expire_uploads::schedule(&app).await {
        tracing::warn!(%error, "the clearing of uploads could not be scheduled");
    }
    if let Err(error) = keep_windows::schedule(&app).await {
        tracing::warn!(%error, "the windows of what devices hold could not be scheduled");
    }
    if let Err(error) = merge_jurisdiction::schedule(&app).await {
        tracing::warn!(%error, "mergers of jurisdictions could not be taken up again");
    }
    if let Err(error) = weigh_chains::schedule(&app).await {
        tracing::warn!(%error, "statements about chains could not be taken up again");
    }
    if let Err(error) = forget_removals::schedule(&app).await {
        tracing::warn!(%error, "the forgetting of removals could not be scheduled");
    }
    if let Err(error) = pack_receipts::schedule(&app).await {
        tracing::warn!(%error, "the packing of receipts could not be scheduled");
    }
    while !*stop.borrow() {
        match run_one(&app).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the list of jobs is not available"),
        }
        tokio::select! {
            () = app.jobs_wake.notified() => {}
            () = tokio::time::sleep(POLL) => {}
            changed = stop.changed() => if changed.is_err() { return },
        }
    }
}

/// Runs what is due now, and what becomes due by that; answers how many jobs were run.
///
/// # Errors
/// When the database does not answer. A job's own failure is recorded, not answered.
pub async fn run_due(app: &App) -> Result<usize, StoreError> {
    let mut ran = 0;
    while run_one(app).await? {
        ran += 1;
    }
    Ok(ran)
}

/// Takes and runs one job; answers whether there was one. No transaction is open meanwhile.
async fn run_one(app: &App) -> Result<bool, StoreError> {
    let now = app.clock.now();
    let claim = app
        .db
        .write(move |tx| jobs::claim(tx.conn(), now, now.plus_millis(LEASE_MS)));
    let Some(job) = claim.await? else {
        return Ok(false);
    };
    if job.attempt > ATTEMPTS {
        // Nobody lived to record a failure: perhaps it is this job that kills its server.
        let why = format!("{ATTEMPTS} runners ended while they worked on it");
        settle(app, job, Err(JobFailure::Final(why))).await?;
        return Ok(true);
    }
    // A task of its own, so that a panic is that job's failure and not the runner's end.
    let (shared, taken) = (app.clone(), job.clone());
    let ended = tokio::spawn(async move { work(&shared, &taken).await }).await;
    let ended = ended.unwrap_or_else(|error| match error.is_panic() {
        true => Err(JobFailure::Final(error.to_string())),
        false => Err(JobFailure::Passing(error.to_string())),
    });
    settle(app, job, ended).await?;
    Ok(true)
}

async fn work(app: &App, job: &Claimed) -> Result<JobEnd, JobFailure> {
    match JobKind::from_name(&job.kind) {
        Some(JobKind::Thumbnail) => thumbnail::run(app, &job.payload).await,
        Some(JobKind::ExpireUploads) => expire_uploads::run(app).await,
        Some(JobKind::FollowEnterprise) => follow_enterprise::run(app, &job.payload).await,
        Some(JobKind::RecomputeDeadlines) => recompute_deadlines::run(app).await,
        Some(JobKind::FillSector) => fill_sector::run(app, &job.payload).await,
        Some(JobKind::RecountUnclaimed) => recount_unclaimed::run(app, &job.payload).await,
        Some(JobKind::FollowDepartment) => follow_department::run(app, &job.payload).await,
        Some(JobKind::FollowSector) => follow_sector::run(app, &job.payload).await,
        Some(JobKind::HandOverTeams) => hand_over_teams::run(app, &job.payload).await,
        Some(JobKind::KeepWindows) => keep_windows::run(app).await,
        Some(JobKind::ForgetRemovals) => forget_removals::run(app).await,
        Some(JobKind::PackReceipts) => pack_receipts::run(app).await,
        Some(JobKind::MergeJurisdiction) => merge_jurisdiction::run(app, &job.payload).await,
        Some(JobKind::WeighChains) => weigh_chains::run(app).await,
        // A newer server put it there, and will take it.
        None => Err(JobFailure::Passing(format!(
            "this server knows no job {:?}",
            job.kind
        ))),
    }
}

async fn settle(
    app: &App,
    job: Claimed,
    ended: Result<JobEnd, JobFailure>,
) -> Result<(), StoreError> {
    let now = app.clock.now();
    let id = job.id;
    let kind = job.kind.clone();
    let retry_at = match &ended {
        Err(failure) => retry_at(&job, failure, now),
        Ok(_) => Some(now),
    };
    let own = app.db.write(move |tx| match &ended {
        Ok(JobEnd::Done) => jobs::done(tx.conn(), &job),
        Ok(JobEnd::Again(at)) => jobs::again(tx.conn(), &job, *at),
        Err(failure) => {
            tracing::warn!(
                job = %job.id, kind = job.kind, attempt = job.attempt, %failure,
                given_up = retry_at.is_none(), "a job failed"
            );
            jobs::failed(tx.conn(), &job, &failure.to_string(), retry_at, now)
        }
    });
    if !own.await? {
        tracing::warn!(job = %id, kind, "a job took longer than its lease; another runner has it");
    } else if retry_at.is_none() {
        app.metrics.jobs_failed.inc();
    }
    Ok(())
}

fn retry_at(job: &Claimed, failure: &JobFailure, now: Timestamp) -> Option<Timestamp> {
    if matches!(failure, JobFailure::Final(_)) {
        return None;
    }
    pause_ms(job.attempt).map(|pause| now.plus_millis(pause))
}

/// Milliseconds to wait after failed attempt number `attempt`; `None` after the last.
fn pause_ms(attempt: i32) -> Option<i64> {
    if attempt >= ATTEMPTS {
        return None;
    }
    let doublings = u32::try_from(attempt - 1).unwrap_or(0);
    let pause = FIRST_PAUSE_MS.saturating_mul(2_i64.saturating_pow(doublings));
    Some(pause.min(LONGEST_PAUSE_MS))
}
