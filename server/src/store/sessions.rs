//! Sessions and their refresh tokens: only hashes of tokens are stored.

use diesel::prelude::*;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{InstallId, PersonId};
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use super::schema::{refresh_tokens, sessions};
use super::{Conn, StoreError, WriteTx};

/// A sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Which.
    pub id: Uuid,
    /// Whose.
    pub person_id: PersonId,
    /// The device it is bound to, if any.
    pub install_id: Option<InstallId>,
    /// When they signed in.
    pub created_at: Timestamp,
    /// When it was last refreshed.
    pub last_used_at: Timestamp,
    /// When it ended.
    pub revoked_at: Option<Timestamp>,
}

/// One refresh token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// Which.
    pub id: Uuid,
    /// Of which session.
    pub session_id: Uuid,
    /// The token it was issued for; absent: the sign-in itself.
    pub parent_id: Option<Uuid>,
    /// When.
    pub issued_at: Timestamp,
    /// Until when it may be used.
    pub expires_at: Timestamp,
    /// When it was first presented.
    pub first_used_at: Option<Timestamp>,
}

fn uuid(bytes: &[u8]) -> Result<Uuid, StoreError> {
    let what = || "an id that is not 16 bytes".to_owned();
    Uuid::from_slice(bytes).map_err(|_| StoreError::Corrupt { what: what() })
}

/// Stores a new session.
///
/// # Errors
/// When the database does not answer.
pub fn insert(tx: &mut WriteTx<'_>, session: &Session) -> Result<(), StoreError> {
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(session.id.as_bytes().to_vec()),
            sessions::person_id.eq(session.person_id.as_bytes().to_vec()),
            sessions::install_id.eq(session.install_id.map(|id| id.as_bytes().to_vec())),
            sessions::created_at.eq(session.created_at.as_millis()),
            sessions::last_used_at.eq(session.last_used_at.as_millis()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// One session.
///
/// # Errors
/// When the database does not answer.
pub fn by_id(conn: &mut Conn, id: Uuid) -> Result<Option<Session>, StoreError> {
    type Row = (Vec<u8>, Option<Vec<u8>>, i64, i64, Option<i64>);
    let row: Option<Row> = sessions::table
        .find(id.as_bytes().to_vec())
        .select((
            sessions::person_id,
            sessions::install_id,
            sessions::created_at,
            sessions::last_used_at,
            sessions::revoked_at,
        ))
        .first(conn)
        .optional()?;
    let Some((person, install, created_at, last_used_at, revoked_at)) = row else {
        return Ok(None);
    };
    Ok(Some(Session {
        id,
        person_id: PersonId(uuid(&person)?),
        install_id: install.map(|id| uuid(&id).map(InstallId)).transpose()?,
        created_at: Timestamp::from_millis(created_at),
        last_used_at: Timestamp::from_millis(last_used_at),
        revoked_at: revoked_at.map(Timestamp::from_millis),
    }))
}

/// Marks the session as used now and holds it until the end of the transaction; answers whether
/// it is still open.
///
/// # Errors
/// When the database does not answer.
pub fn hold(tx: &mut WriteTx<'_>, id: Uuid, now: Timestamp) -> Result<bool, StoreError> {
    let held = diesel::update(
        sessions::table
            .find(id.as_bytes().to_vec())
            .filter(sessions::revoked_at.is_null()),
    )
    .set(sessions::last_used_at.eq(now.as_millis()))
    .execute(tx.conn())?;
    Ok(held == 1)
}

/// Binds an open session to a device; answers whether it was unbound, or bound to this one.
///
/// # Errors
/// When the database does not answer.
pub fn bind(tx: &mut WriteTx<'_>, id: Uuid, install: InstallId) -> Result<bool, StoreError> {
    let bytes = install.as_bytes().to_vec();
    let bound = diesel::update(
        sessions::table
            .find(id.as_bytes().to_vec())
            .filter(sessions::revoked_at.is_null())
            .filter(
                sessions::install_id
                    .is_null()
                    .or(sessions::install_id.eq(bytes.clone())),
            ),
    )
    .set(sessions::install_id.eq(bytes))
    .execute(tx.conn())?;
    Ok(bound == 1)
}

/// Whose sessions end.
#[derive(Clone, Copy, Debug)]
pub enum Ending {
    /// One session.
    One(Uuid),
    /// All of a person.
    OfPerson(PersonId),
    /// All of a device.
    OfInstall(InstallId),
}

/// Ends open sessions; answers which.
///
/// # Errors
/// When the database does not answer.
pub fn revoke(
    tx: &mut WriteTx<'_>,
    ending: Ending,
    reason: &str,
    now: Timestamp,
) -> Result<Vec<Uuid>, StoreError> {
    let open = sessions::table.filter(sessions::revoked_at.is_null());
    let end = (
        sessions::revoked_at.eq(now.as_millis()),
        sessions::revoked_reason.eq(reason.to_owned()),
    );
    let ended: Vec<Vec<u8>> = match ending {
        Ending::One(id) => diesel::update(open.filter(sessions::id.eq(id.as_bytes().to_vec())))
            .set(end)
            .returning(sessions::id)
            .get_results(tx.conn())?,
        Ending::OfPerson(id) => {
            diesel::update(open.filter(sessions::person_id.eq(id.as_bytes().to_vec())))
                .set(end)
                .returning(sessions::id)
                .get_results(tx.conn())?
        }
        Ending::OfInstall(id) => {
            diesel::update(open.filter(sessions::install_id.eq(id.as_bytes().to_vec())))
                .set(end)
                .returning(sessions::id)
                .get_results(tx.conn())?
        }
    };
    ended.iter().map(|id| uuid(id)).collect()
}

/// Sessions that ended after `after`, each with the instant.
///
/// # Errors
/// When the database does not answer.
pub fn revoked_after(
    conn: &mut Conn,
    after: Timestamp,
) -> Result<Vec<(Uuid, Timestamp)>, StoreError> {
    let rows: Vec<(Vec<u8>, Option<i64>)> = sessions::table
        .filter(sessions::revoked_at.gt(after.as_millis()))
        .select((sessions::id, sessions::revoked_at))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, at)| Ok((uuid(&id)?, Timestamp::from_millis(at.unwrap_or_default()))))
        .collect()
}

type TokenRow = (Vec<u8>, Vec<u8>, Option<Vec<u8>>, i64, i64, Option<i64>);

/// The token whose secret has this hash.
///
/// # Errors
/// When the database does not answer.
pub fn token_by_hash(conn: &mut Conn, hash: &Digest) -> Result<Option<RefreshToken>, StoreError> {
    let row: Option<TokenRow> = refresh_tokens::table
        .filter(refresh_tokens::token_hash.eq(hash.as_bytes().to_vec()))
        .select((
            refresh_tokens::id,
            refresh_tokens::session_id,
            refresh_tokens::parent_id,
            refresh_tokens::issued_at,
            refresh_tokens::expires_at,
            refresh_tokens::first_used_at,
        ))
        .first(conn)
        .optional()?;
    let Some((id, session, parent, issued_at, expires_at, first_used_at)) = row else {
        return Ok(None);
    };
    Ok(Some(RefreshToken {
        id: uuid(&id)?,
        session_id: uuid(&session)?,
        parent_id: parent.map(|id| uuid(&id)).transpose()?,
        issued_at: Timestamp::from_millis(issued_at),
        expires_at: Timestamp::from_millis(expires_at),
        first_used_at: first_used_at.map(Timestamp::from_millis),
    }))
}

/// When a child of `parent` was first used; `None`: none was.
///
/// # Errors
/// When the database does not answer.
pub fn child_used_at(conn: &mut Conn, parent: Uuid) -> Result<Option<Timestamp>, StoreError> {
    let used: Option<Option<i64>> = refresh_tokens::table
        .filter(refresh_tokens::parent_id.eq(parent.as_bytes().to_vec()))
        .filter(refresh_tokens::first_used_at.is_not_null())
        .order(refresh_tokens::first_used_at)
        .select(refresh_tokens::first_used_at)
        .first(conn)
        .optional()?;
    Ok(used.flatten().map(Timestamp::from_millis))
}

/// Remembers that a token was presented.
///
/// # Errors
/// When the database does not answer.
pub fn mark_used(tx: &mut WriteTx<'_>, token: Uuid, now: Timestamp) -> Result<(), StoreError> {
    diesel::update(
        refresh_tokens::table
            .find(token.as_bytes().to_vec())
            .filter(refresh_tokens::first_used_at.is_null()),
    )
    .set(refresh_tokens::first_used_at.eq(now.as_millis()))
    .execute(tx.conn())?;
    Ok(())
}

/// Stores a new token, of which only the hash is known here.
///
/// # Errors
/// When the database does not answer.
pub fn insert_token(
    tx: &mut WriteTx<'_>,
    token: &RefreshToken,
    hash: &Digest,
) -> Result<(), StoreError> {
    diesel::insert_into(refresh_tokens::table)
        .values((
            refresh_tokens::id.eq(token.id.as_bytes().to_vec()),
            refresh_tokens::session_id.eq(token.session_id.as_bytes().to_vec()),
            refresh_tokens::token_hash.eq(hash.as_bytes().to_vec()),
            refresh_tokens::parent_id.eq(token.parent_id.map(|id| id.as_bytes().to_vec())),
            refresh_tokens::issued_at.eq(token.issued_at.as_millis()),
            refresh_tokens::expires_at.eq(token.expires_at.as_millis()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Forgets what no longer matters when `parent` has just been presented: tokens of the session
/// issued before `before` other than `parent` and its children, and the oldest children beyond
/// `keep`.
///
/// # Errors
/// When the database does not answer.
pub fn forget_tokens(
    tx: &mut WriteTx<'_>,
    parent: &RefreshToken,
    before: Timestamp,
    keep: i64,
) -> Result<(), StoreError> {
    let parent_id = parent.id.as_bytes().to_vec();
    diesel::delete(
        refresh_tokens::table
            .filter(refresh_tokens::session_id.eq(parent.session_id.as_bytes().to_vec()))
            .filter(refresh_tokens::issued_at.lt(before.as_millis()))
            .filter(refresh_tokens::id.ne(parent_id.clone()))
            .filter(
                refresh_tokens::parent_id
                    .is_null()
                    .or(refresh_tokens::parent_id.ne(parent_id.clone())),
            ),
    )
    .execute(tx.conn())?;
    let surplus: Vec<Vec<u8>> = refresh_tokens::table
        .filter(refresh_tokens::parent_id.eq(parent_id))
        .order((refresh_tokens::issued_at.desc(), refresh_tokens::id.desc()))
        .offset(keep)
        // SQLite knows OFFSET only after LIMIT.
        .limit(1_000)
        .select(refresh_tokens::id)
        .load(tx.conn())?;
    for id in surplus {
        diesel::delete(refresh_tokens::table.find(id)).execute(tx.conn())?;
    }
    Ok(())
}

/// Deletes tokens that expired before `now`, at most `limit`; answers how many.
///
/// # Errors
/// When the database does not answer.
pub fn sweep(tx: &mut WriteTx<'_>, now: Timestamp, limit: i64) -> Result<usize, StoreError> {
    let expired: Vec<Vec<u8>> = refresh_tokens::table
        .filter(refresh_tokens::expires_at.lt(now.as_millis()))
        .select(refresh_tokens::id)
        .limit(limit)
        .load(tx.conn())?;
    for id in &expired {
        diesel::delete(refresh_tokens::table.find(id.clone())).execute(tx.conn())?;
    }
    Ok(expired.len())
}
