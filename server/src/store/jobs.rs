//! The list of jobs: put in with the change they follow, taken by lease, retried with pauses.

use diesel::prelude::*;
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use super::Conn;
use super::error::StoreError;
use super::portable::Portable;
use super::schema::jobs;

/// How many due jobs a runner looks at before it says that others were faster with all of them.
const CANDIDATES: i64 = 8;
/// Characters of a failure's text that are kept.
const ERROR_CHARS: usize = 500;

/// Every kind of job there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum JobKind {
    /// Makes the thumbnail of one photo; payload: its SHA-256, hex.
    Thumbnail,
    /// Removes expired uploads; comes back every hour. No payload.
    ExpireUploads,
    /// Brings hazards after an enterprise that has moved; payload: its id.
    FollowEnterprise,
    /// Counts provisional due dates again after a calendar arrived. No payload.
    RecomputeDeadlines,
    /// Fills the scope of a sector of a jurisdiction; payload: the scope.
    FillSector,
    /// Looks again at who answers for hazards after a jurisdiction said so; payload: which, and how far.
    RecountUnclaimed,
    /// Gives open hazards the sector to which their enterprise was corrected; payload: its id, and the
    /// sector before.
    FollowSector,
    /// Gives open hazards the department that answers for their sector from now on; payload: which jurisdiction said so,
    /// the department before, and how far.
    FollowDepartment,
    /// Has planned inspections go with a desk that was handed over; payload: the hand-over's id.
    HandOverTeams,
    /// Keeps the windows of what devices hold; comes back every few minutes. No payload.
    KeepWindows,
    /// Forgets removals that were told for long enough; comes back every day. No payload.
    ForgetRemovals,
    /// Brings what was filed in a jurisdiction to the one that it was merged into; payload: its id.
    MergeJurisdiction,
    /// Packs commands that were settled long ago, with their receipts; comes back every day. No payload.
    PackReceipts,
    /// Weighs statements about chains that found no room in a push. No payload.
    WeighChains,
}

impl JobKind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::Thumbnail,
        Self::ExpireUploads,
        Self::FollowEnterprise,
        Self::RecomputeDeadlines,
        Self::FillSector,
        Self::RecountUnclaimed,
        Self::FollowSector,
        Self::FollowDepartment,
        Self::HandOverTeams,
        Self::KeepWindows,
        Self::ForgetRemovals,
        Self::PackReceipts,
        Self::MergeJurisdiction,
        Self::WeighChains,
    ];

    /// The identifier that the table holds.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Thumbnail => "thumbnail",
            Self::ExpireUploads => "expire_uploads",
            Self::FollowEnterprise => "follow_enterprise",
            Self::RecomputeDeadlines => "recompute_deadlines",
            Self::FillSector => "fill_sector",
            Self::RecountUnclaimed => "recount_unclaimed",
            Self::FollowSector => "follow_sector",
            Self::FollowDepartment => "follow_department",
            Self::HandOverTeams => "hand_over_teams",
            Self::KeepWindows => "keep_windows",
            Self::ForgetRemovals => "forget_removals",
            Self::PackReceipts => "pack_receipts",
            Self::MergeJurisdiction => "merge_jurisdiction",
            Self::WeighChains => "weigh_chains",
        }
    }

    /// The kind with this identifier.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A job to put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// Made by the caller.
    pub id: Uuid,
    /// What kind.
    pub kind: JobKind,
    /// Two jobs with the same key are one job.
    pub dedup_key: Option<String>,
    /// What to work on, in the form its kind says.
    pub payload: String,
    /// Not before this.
    pub run_at: Timestamp,
}

/// A job that somebody has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Which.
    pub id: Uuid,
    /// Its kind, as the table holds it: a newer server may have put it there.
    pub kind: String,
    /// What to work on.
    pub payload: String,
    /// Which attempt this is, from 1. With the id it proves that the job is still one's own.
    pub attempt: i32,
}

/// How a job stands that was put in with a deduplication key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Done, or never put in.
    Absent,
    /// To be done or under way.
    Pending,
    /// Given up.
    Failed {
        /// Why.
        last_error: String,
    },
}

/// Puts `job` in, unless one with its key is to be done; answers whether it was put in. One that was
/// given up gives way: what it could not do then may be done now.
///
/// A job that is under way still counts as to be done, so a kind whose work may be overtaken by a
/// second change must look at the present state when it ends, or have another key for each change.
///
/// # Errors
/// When the database does not answer.
pub fn enqueue(conn: &mut Conn, job: &NewJob) -> Result<bool, StoreError> {
    let row = (
        jobs::id.eq(job.id.as_bytes().to_vec()),
        jobs::kind.eq(job.kind.as_str()),
        jobs::dedup_key.eq(job.dedup_key.clone()),
        jobs::payload.eq(job.payload.clone()),
        jobs::run_at.eq(job.run_at.as_millis()),
        jobs::attempts.eq(0),
        jobs::lease_until.eq(0_i64),
    );
    let anew = (
        // With another id: a runner that has the old one has no say over this.
        jobs::id.eq(job.id.as_bytes().to_vec()),
        jobs::kind.eq(job.kind.as_str()),
        jobs::payload.eq(job.payload.clone()),
        jobs::run_at.eq(job.run_at.as_millis()),
        jobs::attempts.eq(0),
        jobs::lease_until.eq(0_i64),
        jobs::last_error.eq(None::<String>),
        jobs::failed_at.eq(None::<i64>),
    );
    let statement = diesel::insert_into(jobs::table)
        .values(row)
        .on_conflict(jobs::dedup_key)
        .do_update()
        .set(anew);
    let given_up = jobs::failed_at.is_not_null();
    let statement = diesel::query_dsl::methods::FilterDsl::filter(statement, given_up);
    Ok(Portable(statement).execute(conn)? == 1)
}

/// Has the job with this key run no later than `at`: while a clock was wrong it may have been put off for years.
///
/// # Errors
/// When the database does not answer.
pub fn bring_forward(conn: &mut Conn, dedup_key: &str, at: Timestamp) -> Result<(), StoreError> {
    let later = jobs::table
        .filter(jobs::dedup_key.eq(dedup_key.to_owned()))
        .filter(jobs::run_at.gt(at.as_millis()));
    diesel::update(later)
        .set(jobs::run_at.eq(at.as_millis()))
        .execute(conn)?;
    Ok(())
}

/// Takes the job that is due longest, until `lease_until`; whoever has not finished it by then
/// loses it to the next. `None` when nothing is due.
///
/// # Errors
/// When the database does not answer.
pub fn claim(
    conn: &mut Conn,
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Option<Claimed>, StoreError> {
    loop {
        let due = jobs::table
            .filter(jobs::failed_at.is_null())
            .filter(jobs::run_at.le(now.as_millis()))
            .filter(jobs::lease_until.le(now.as_millis()))
            .order((jobs::run_at, jobs::id))
            .limit(CANDIDATES)
            .select(jobs::id)
            .load::<Vec<u8>>(conn)?;
        if due.is_empty() {
            return Ok(None);
        }
        for id in due {
            if let Some(claimed) = take(conn, id, now, lease_until)? {
                return Ok(Some(claimed));
            }
        }
        // All were taken by others meanwhile, and so are no longer due.
    }
}

/// The guard on the lease lets exactly one of two takers succeed.
fn take(
    conn: &mut Conn,
    id: Vec<u8>,
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Option<Claimed>, StoreError> {
    let free = jobs::table
        .find(id)
        .filter(jobs::failed_at.is_null())
        .filter(jobs::run_at.le(now.as_millis()))
        .filter(jobs::lease_until.le(now.as_millis()));
    let taken = diesel::update(free)
        .set((
            jobs::lease_until.eq(lease_until.as_millis()),
            jobs::attempts.eq(jobs::attempts + 1),
        ))
        .returning((jobs::id, jobs::kind, jobs::payload, jobs::attempts))
        .get_result::<(Vec<u8>, String, String, i32)>(conn)
        .optional()?;
    let Some((id, kind, payload, attempt)) = taken else {
        return Ok(None);
    };
    let id = Uuid::from_slice(&id).map_err(|_| StoreError::Corrupt {
        what: "a job".to_owned(),
    })?;
    Ok(Some(Claimed {
        id,
        kind,
        payload,
        attempt,
    }))
}

/// Takes a job that is done off the list. `false`: it was somebody else's by then.
///
/// # Errors
/// When the database does not answer.
pub fn done(conn: &mut Conn, job: &Claimed) -> Result<bool, StoreError> {
    let own = jobs::table
        .find(job.id.as_bytes().to_vec())
        .filter(jobs::attempts.eq(job.attempt));
    Ok(diesel::delete(own).execute(conn)? == 1)
}

/// Puts a recurring job that is done back, for `run_at`. `false`: it was somebody else's by then.
///
/// # Errors
/// When the database does not answer.
pub fn again(conn: &mut Conn, job: &Claimed, run_at: Timestamp) -> Result<bool, StoreError> {
    let own = jobs::table
        .find(job.id.as_bytes().to_vec())
        .filter(jobs::attempts.eq(job.attempt));
    let set = diesel::update(own).set((
        jobs::run_at.eq(run_at.as_millis()),
        jobs::lease_until.eq(0_i64),
        jobs::attempts.eq(0),
        jobs::last_error.eq(None::<String>),
    ));
    Ok(set.execute(conn)? == 1)
}

/// Records that an attempt failed: to be tried again at `retry_at`, or given up at `now` when
/// there is no such time. A job that was given up stays in the table, with its reason.
///
/// # Errors
/// When the database does not answer.
pub fn failed(
    conn: &mut Conn,
    job: &Claimed,
    error: &str,
    retry_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let own = jobs::table
        .find(job.id.as_bytes().to_vec())
        .filter(jobs::attempts.eq(job.attempt));
    // PostgreSQL refuses zero bytes in text.
    let error: String = error
        .chars()
        .filter(|c| *c != '\0')
        .take(ERROR_CHARS)
        .collect();
    let set = diesel::update(own).set((
        jobs::run_at.eq(retry_at.unwrap_or(now).as_millis()),
        jobs::lease_until.eq(0_i64),
        jobs::last_error.eq(Some(error)),
        jobs::failed_at.eq(retry_at.is_none().then_some(now.as_millis())),
    ));
    Ok(set.execute(conn)? == 1)
}

/// How the job with `dedup_key` stands.
///
/// # Errors
/// When the database does not answer.
pub fn state_of(conn: &mut Conn, dedup_key: &str) -> Result<JobState, StoreError> {
    let found = jobs::table
        .filter(jobs::dedup_key.eq(dedup_key))
        .select((jobs::failed_at, jobs::last_error))
        .first::<(Option<i64>, Option<String>)>(conn)
        .optional()?;
    Ok(match found {
        None => JobState::Absent,
        Some((None, _)) => JobState::Pending,
        Some((Some(_), last_error)) => JobState::Failed {
            last_error: last_error.unwrap_or_default(),
        },
    })
}
