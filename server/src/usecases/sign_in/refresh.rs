//! Refreshing a session.
//!
//! A refresh token is answered with a successor. The old one stays good until a successor of its
//! is first presented, so that an answer lost on the way does not lock a phone out; presented
//! after that, it is in two hands, and the whole session ends.

use hazardloop_domain::access::PersonRecord;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use super::session::{
    Fresh, REFRESH_PREFIX, SignedIn, answer, end_in, refresh_expiry, unauthenticated,
    void_after_commit,
};
use crate::app::App;
use crate::failure::{Failure, Unauthenticated};
use crate::store::sessions::{self, Ending, RefreshToken, Session};
use crate::store::{StoreError, WriteTx, installs, people};
use crate::usecases::people::wake_audit;

/// Characters of a refresh token: the prefix and 32 bytes as base64url without padding.
const REFRESH_LENGTH: usize = 47;

/// For how long the session remembers used tokens, milliseconds. One that is presented later is
/// refused all the same, only it raises no alarm.
const USED_REMEMBERED_MS: i64 = 2 * 86_400_000;

/// Unused successors of one token that are good at once; of more, the oldest are dropped.
const SIBLINGS: i64 = 32;

/// A sibling of the successor in use is what a client holds that asked twice at once. Within this
/// time of the first use it is refused and no more; after it, somebody else holds it, and the
/// session ends. Milliseconds.
const RACE_MS: i64 = 60_000;

/// What became of a presented refresh token, inside the transaction.
enum Presented {
    Renewed(Session, PersonRecord),
    /// In two hands: the session ended, and that is to be stored.
    Reused(PersonId),
}

/// Answers a refresh token with a successor and a new access token.
///
/// # Errors
/// [`Unauthenticated`] when it is unknown, expired, void, reused, or its session has ended;
/// [`Failure::DeviceRevoked`] when its device was revoked.
pub async fn refresh(app: &App, presented: &str) -> Result<SignedIn, Failure> {
    if presented.len() != REFRESH_LENGTH || !presented.starts_with(REFRESH_PREFIX) {
        return Err(unauthenticated(Unauthenticated::Invalid));
    }
    let now = app.clock.now();
    let presented = Digest::sha256(presented.as_bytes());
    // Whoever holds nothing does not get as far as the writer.
    let known = app
        .db
        .read(move |tx| sessions::token_by_hash(tx.conn(), &presented))
        .await?;
    known.ok_or_else(|| unauthenticated(Unauthenticated::Invalid))?;
    let fresh = Fresh::draw(app, now);
    let expires_at = refresh_expiry(app, now);
    let (id, hash, shared) = (fresh.id, fresh.hash, app.clone());
    let outcome = app.db.write(move |tx| {
        let successor = Successor {
            id,
            hash,
            expires_at,
        };
        renew(tx, &shared, &presented, &successor, now)
    });
    match outcome.await? {
        Presented::Renewed(session, person) => answer(
            app,
            person,
            session.id,
            session.install_id,
            &fresh,
            expires_at,
            now,
        ),
        Presented::Reused(person) => {
            tracing::warn!(%person, "a refresh token came a second time: its session was ended");
            Err(unauthenticated(Unauthenticated::SessionEnded))
        }
    }
}

struct Successor {
    id: Uuid,
    hash: Digest,
    expires_at: Timestamp,
}

fn renew(
    tx: &mut WriteTx<'_>,
    app: &App,
    presented: &Digest,
    successor: &Successor,
    now: Timestamp,
) -> Result<Presented, Failure> {
    let invalid = || unauthenticated(Unauthenticated::Invalid);
    let token = sessions::token_by_hash(tx.conn(), presented)?.ok_or_else(invalid)?;
    // From here on, nobody else refreshes this session: what is read below stays true.
    let open = sessions::hold(tx, token.session_id, now)?;
    let session = sessions::by_id(tx.conn(), token.session_id)?.ok_or_else(invalid)?;
    if !open {
        return Err(why_closed(tx, &session)?);
    }
    let token = sessions::token_by_hash(tx.conn(), presented)?.ok_or_else(invalid)?;
    if token.expires_at <= now {
        return Err(unauthenticated(Unauthenticated::Expired));
    }
    let succeeded = sessions::child_used_at(tx.conn(), token.id)?.is_some();
    let displaced_at = match (token.first_used_at, token.parent_id) {
        (None, Some(parent)) => sessions::child_used_at(tx.conn(), parent)?,
        _ => None,
    };
    let racing = |at: Timestamp| now < at.plus_millis(RACE_MS);
    if succeeded || displaced_at.is_some_and(|at| !racing(at)) {
        let (ending, person) = (Ending::One(session.id), session.person_id);
        let ended = end_in(tx, ending, person, None, "refresh_token_reused", now)?;
        void_after_commit(tx, app, ended, now);
        wake_audit(tx, app);
        return Ok(Presented::Reused(person));
    }
    if displaced_at.is_some() {
        return Err(invalid());
    }
    if !people::hold(tx, session.person_id)? {
        return Err(unauthenticated(Unauthenticated::SessionEnded));
    }
    let next = RefreshToken {
        id: successor.id,
        session_id: session.id,
        parent_id: Some(token.id),
        issued_at: now,
        expires_at: successor.expires_at,
        first_used_at: None,
    };
    sessions::mark_used(tx, token.id, now)?;
    sessions::insert_token(tx, &next, &successor.hash)?;
    sessions::forget_tokens(tx, &token, now.plus_millis(-USED_REMEMBERED_MS), SIBLINGS)?;
    if let Some(install) = session.install_id {
        installs::seen(tx, install, now)?;
    }
    let person = people::record(tx.conn(), session.person_id)?.ok_or_else(invalid)?;
    Ok(Presented::Renewed(session, person))
}

/// A phone whose device was revoked is told so: it then keeps its queue for a person to settle.
fn why_closed(tx: &mut WriteTx<'_>, session: &Session) -> Result<Failure, StoreError> {
    if let Some(id) = session.install_id {
        let install = installs::by_id(tx.conn(), id)?;
        if install.is_some_and(|install| install.revoked_at.is_some()) {
            return Ok(Failure::DeviceRevoked);
        }
    }
    Ok(unauthenticated(Unauthenticated::SessionEnded))
}
