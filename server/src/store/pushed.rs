//! Push streams: every pushed command as it came, its receipt, and how far each install is.

use diesel::QueryResult;
use diesel::prelude::*;
use hazardloop_domain::command::ActionKind;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{InstallId, PersonId, SubjectId};
use hazardloop_domain::time::Timestamp;
use hazardloop_domain::time_proof::ClockCheck;
use hazardloop_sync_protocol::hub::{self, StreamState};

use super::batch::in_arrays;
use super::packing::{self, Both, Packing};
use super::prepared::{Bind, Prepared};
use super::schema::{installs, pushed_commands};
use super::{Conn, StoreError, WriteTx, on_any};

/// An install, as pushes and pulls need it.
#[derive(Clone, Debug)]
pub struct Install {
    /// Its push stream.
    pub stream: StreamState,
    /// Whose it is.
    pub person_id: PersonId,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// Loads an install.
///
/// # Errors
/// When the database does not answer or holds damaged ids.
pub fn install(conn: &mut Conn, id: InstallId) -> Result<Option<Install>, StoreError> {
    let found = installs::table
        .find(id.as_bytes().to_vec())
        .select(InstallRow::as_select())
        .first(conn)
        .optional()?;
    found.map(|row| row.read(id)).transpose()
}

/// An install as its row holds it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = installs)]
pub(super) struct InstallRow {
    person_id: Vec<u8>,
    public_key: Vec<u8>,
    last_seq: i64,
    last_hash: Vec<u8>,
    revoked_at: Option<i64>,
}

impl InstallRow {
    /// What it says of the install `id`.
    pub(super) fn read(self, id: InstallId) -> Result<Install, StoreError> {
        let corrupt = || StoreError::Corrupt {
            what: format!("install {id}"),
        };
        Ok(Install {
            person_id: PersonId::from_slice(&self.person_id).ok_or_else(corrupt)?,
            stream: StreamState {
                install_id: id,
                public_key: self.public_key,
                last_seq: self.last_seq,
                last_hash: Digest::from_slice(&self.last_hash).ok_or_else(corrupt)?,
            },
            revoked: self.revoked_at.is_some(),
        })
    }
}

/// Moves an install's stream on, insisting that nobody else has.
///
/// # Errors
/// [`StoreError::Stale`] when another push of the same install was faster.
pub fn advance(
    tx: &mut WriteTx<'_>,
    before: i64,
    stream: &StreamState,
    now: Timestamp,
) -> Result<(), StoreError> {
    // Revoked meanwhile: run again, and be told so.
    let changed = Prepared::new(
        "UPDATE installs SET last_seq = ?, last_hash = ?, last_seen_at = ? \
         WHERE id = ? AND last_seq = ? AND revoked_at IS NULL",
        vec![
            Bind::Big(stream.last_seq),
            Bind::Bytes(stream.last_hash.as_bytes().to_vec()),
            Bind::Big(now.as_millis()),
            Bind::Bytes(stream.install_id.as_bytes().to_vec()),
            Bind::Big(before),
        ],
    )
    .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Stale {
            what: "push stream",
        })
    }
}

/// As [`advance`], of an install that is revoked.
///
/// # Errors
/// As there.
pub fn advance_revoked(
    tx: &mut WriteTx<'_>,
    before: i64,
    stream: &StreamState,
) -> Result<(), StoreError> {
    let revoked = installs::table
        .find(stream.install_id.as_bytes().to_vec())
        .filter(installs::last_seq.eq(before))
        .filter(installs::revoked_at.is_not_null());
    let changed = diesel::update(revoked)
        .set((
            installs::last_seq.eq(stream.last_seq),
            installs::last_hash.eq(stream.last_hash.as_bytes().to_vec()),
        ))
        .execute(tx.conn())?;
    match changed {
        1 => Ok(()),
        _ => Err(StoreError::Stale {
            what: "offered stream",
        }),
    }
}

/// How many commands of an install the server received from this instant on.
///
/// # Errors
/// When the database does not answer.
pub fn count_since(
    conn: &mut Conn,
    install_id: InstallId,
    since: Timestamp,
) -> Result<i64, StoreError> {
    Ok(pushed_commands::table
        .filter(pushed_commands::install_id.eq(install_id.as_bytes().to_vec()))
        .filter(pushed_commands::received_at.ge(since.as_millis()))
        .count()
        .get_result(conn)?)
}

/// A command as it came.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Its kind, by name.
    pub kind: String,
    /// The version of its payload.
    pub version: u16,
    /// The payload.
    pub payload: Vec<u8>,
}

/// One command as it came; `None` when there is none.
///
/// # Errors
/// When the database does not answer or holds a version that is none.
pub fn sent(conn: &mut Conn, install_id: InstallId, seq: i64) -> Result<Option<Sent>, StoreError> {
    type Found = (String, i32, Packing, Vec<u8>, Vec<u8>);
    let found: Option<Found> = pushed_commands::table
        .find((install_id.as_bytes().to_vec(), seq))
        .select((
            pushed_commands::kind,
            pushed_commands::kind_version,
            pushed_commands::packing,
            pushed_commands::payload,
            pushed_commands::receipt,
        ))
        .first(conn)
        .optional()?;
    let read = |(kind, version, packing, payload, receipt): Found| {
        let corrupt = || StoreError::Corrupt {
            what: format!("command {seq} of install {install_id}"),
        };
        let both = packing::unpacked(packing, payload, receipt).ok_or_else(corrupt)?;
        Ok(Sent {
            kind,
            version: u16::try_from(version).map_err(|_| corrupt())?,
            payload: both.payload,
        })
    };
    found.map(read).transpose()
}

/// A link of an install's chain, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its place.
    pub seq: i64,
    /// Its kind.
    pub kind: String,
    /// The version of its payload.
    pub kind_version: i32,
    /// Its payload.
    pub payload: Vec<u8>,
    /// Its hash.
    pub link_hash: Vec<u8>,
    /// That of the one before.
    pub previous_hash: Vec<u8>,
    /// When it was received, milliseconds.
    pub received_at: i64,
    /// Whether its receipt says the same.
    pub is_received_as_receipted: bool,
}

/// The links of an install's chain from `last` on backwards, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn links_before(
    conn: &mut Conn,
    install_id: InstallId,
    last: i64,
    limit: i64,
) -> Result<Vec<Link>, StoreError> {
    type Found = (
        i64,
        String,
        i32,
        (Packing, Vec<u8>, Vec<u8>),
        Vec<u8>,
        Vec<u8>,
        i64,
    );
    let found: Vec<Found> = pushed_commands::table
        .filter(pushed_commands::install_id.eq(install_id.as_bytes().to_vec()))
        .filter(pushed_commands::seq.le(last))
        .order(pushed_commands::seq.desc())
        .limit(limit)
        .select((
            pushed_commands::seq,
            pushed_commands::kind,
            pushed_commands::kind_version,
            (
                pushed_commands::packing,
                pushed_commands::payload,
                pushed_commands::receipt,
            ),
            pushed_commands::link_hash,
            pushed_commands::previous_hash,
            pushed_commands::received_at,
        ))
        .load(conn)?;
    let read = |(seq, kind, kind_version, columns, link_hash, previous_hash, at): Found| {
        let (packing, payload, receipt) = columns;
        // What cannot be unpacked is not what was sent: its hash will show it.
        let both = packing::unpacked(packing, payload, receipt);
        let receipt = both.as_ref().and_then(Both::receipt);
        Link {
            seq,
            kind,
            kind_version,
            payload: both.map(|both| both.payload).unwrap_or_default(),
            link_hash,
            previous_hash,
            received_at: at,
            is_received_as_receipted: receipt
                .is_some_and(|receipt| receipt.received_at.as_millis() == at),
        }
    };
    Ok(found.into_iter().map(read).collect())
}

/// A pushed command and what became of it, about to be kept for good.
#[derive(Clone, Debug, Insertable)]
// Without this the statement is parsed anew each time: it might say DEFAULT.
#[diesel(table_name = pushed_commands, treat_none_as_default_value = false)]
pub struct Kept {
    install_id: Vec<u8>,
    seq: i64,
    person_id: Vec<u8>,
    kind: String,
    kind_version: i32,
    subject_id: Option<Vec<u8>>,
    payload: Vec<u8>,
    link_hash: Vec<u8>,
    previous_hash: Vec<u8>,
    signature: Vec<u8>,
    received_at: i64,
    outcome: &'static str,
    receipt: Vec<u8>,
    waiting_since: Option<i64>,
    not_before: Option<i64>,
    clock_check: Option<&'static str>,
}

impl Kept {
    /// A command of `install` as it came, with what it speaks of where that could be read, and what its clocks are
    /// worth.
    pub fn new(install: &Install, kept: &hub::Kept<'_>, clocks: hub::ClockFacts) -> Self {
        let (envelope, receipt) = (kept.envelope, kept.receipt);
        Self {
            install_id: install.stream.install_id.as_bytes().to_vec(),
            seq: envelope.seq,
            person_id: install.person_id.as_bytes().to_vec(),
            // A hostile name must not make the row unstorable: PostgreSQL takes no NUL in text.
            kind: envelope.kind.replace(char::is_control, "?"),
            kind_version: i32::from(envelope.version),
            subject_id: kept.subject.map(|id| id.as_bytes().to_vec()),
            payload: envelope.payload.0.clone(),
            link_hash: kept.link_hash.as_bytes().to_vec(),
            previous_hash: envelope.previous.as_bytes().to_vec(),
            signature: envelope.signature.0.clone(),
            received_at: receipt.received_at.as_millis(),
            outcome: receipt.outcome.name(),
            receipt: minicbor::to_vec(receipt).unwrap_or_default(),
            waiting_since: (!receipt.outcome.took_effect())
                .then_some(receipt.received_at.as_millis()),
            not_before: clocks.not_before.map(Timestamp::as_millis),
            clock_check: clocks.check.map(ClockCheck::as_str),
        }
    }
}

/// Names as they are stored.
const APPLIED: &str = "applied";

/// Keeps commands with their receipts.
///
/// # Errors
/// [`StoreError::Stale`] when another push of the same install kept one of these places first.
pub fn keep_all(tx: &mut WriteTx<'_>, kept: Vec<Kept>) -> Result<(), StoreError> {
    in_arrays!(kept, |array| insert(tx.conn(), array)
        .map_err(taken_meanwhile)?);
    Ok(())
}

fn insert<const N: usize>(conn: &mut Conn, rows: [Kept; N]) -> QueryResult<usize> {
    on_any!(conn, |c| diesel::insert_into(pushed_commands::table)
        .values(rows)
        .execute(c))
}

fn taken_meanwhile(error: diesel::result::Error) -> StoreError {
    let error = StoreError::from(error);
    if error.is_duplicate_in("pushed_commands") {
        return StoreError::Stale {
            what: "push stream",
        };
    }
    error
}

/// The kinds of command that begin a subject, as they are stored.
const fn beginnings() -> [&'static str; 4] {
    [
        ActionKind::Report.as_str(),
        ActionKind::PlanInspection.as_str(),
        ActionKind::StartInspection.as_str(),
        ActionKind::SubmitSelfCheck.as_str(),
    ]
}

/// The earliest command of this install that would have begun this subject and did not take effect.
///
/// # Errors
/// When the database does not answer.
pub fn failed_report(
    conn: &mut Conn,
    install_id: InstallId,
    subject: SubjectId,
) -> Result<Option<i64>, StoreError> {
    let [report, plan, start, self_check] = beginnings();
    Ok(pushed_commands::table
        .filter(pushed_commands::install_id.eq(install_id.as_bytes().to_vec()))
        .filter(pushed_commands::subject_id.eq(subject.as_bytes().to_vec()))
        .filter(
            pushed_commands::kind
                .eq(report)
                .or(pushed_commands::kind.eq(plan))
                .or(pushed_commands::kind.eq(start))
                .or(pushed_commands::kind.eq(self_check)),
        )
        .filter(pushed_commands::outcome.ne(APPLIED))
        .order(pushed_commands::seq)
        .select(pushed_commands::seq)
        .first(conn)
        .optional()?)
}
