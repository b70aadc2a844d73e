//! Signing in and out, and what both doors to a session share.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hazardloop_domain::access::PersonRecord;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{InstallId, PersonId};
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;
use zeroize::Zeroizing;

pub use super::refresh::refresh;

use super::access_token::{self, Bearer, Claims};
use super::attempts::SourceNetwork;
use super::password::Password;
use crate::app::App;
use crate::failure::{Failure, Unauthenticated};
use crate::store::sessions::{self, Ending, RefreshToken, Session};
use crate::store::{StoreError, WriteTx, people};
use crate::usecases::people::{record_event, wake_audit};

/// How refresh tokens begin, so that secret scanners and people know them.
pub const REFRESH_PREFIX: &str = "hlr_";

/// The longest login that is looked up, in characters.
pub const LONGEST_LOGIN: usize = 64;

/// What a client needs to go on.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens {
    /// For the `Authorization` header.
    pub access_token: String,
    /// Until when.
    pub access_expires_at: Timestamp,
    /// For the next refresh.
    pub refresh_token: String,
    /// Until when.
    pub refresh_expires_at: Timestamp,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(..)")
    }
}

/// A session that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Whose.
    pub person: PersonRecord,
    /// Which.
    pub session_id: Uuid,
    /// The device it is bound to.
    pub install_id: Option<InstallId>,
    /// How it goes on.
    pub tokens: Tokens,
}

/// A refresh token and its secret.
pub(super) struct Fresh {
    secret: Zeroizing<String>,
    pub(super) hash: Digest,
    pub(super) id: Uuid,
}

impl Fresh {
    pub(super) fn draw(app: &App, now: Timestamp) -> Self {
        let bytes = Zeroizing::new(app.entropy.bytes::<32>());
        let secret = format!("{REFRESH_PREFIX}{}", URL_SAFE_NO_PAD.encode(*bytes));
        Self {
            hash: Digest::sha256(secret.as_bytes()),
            secret: Zeroizing::new(secret),
            id: app.entropy.uuid_v7(now),
        }
    }
}

pub(super) fn unauthenticated(why: Unauthenticated) -> Failure {
    Failure::Unauthenticated(why)
}

/// Opens a session for who knows the password.
///
/// # Errors
/// [`Unauthenticated::WrongCredentials`] for an unknown login, a wrong password and a disabled
/// account alike; [`Failure::RateLimited`].
pub async fn sign_in(
    app: &App,
    login: &str,
    password: Password,
    source: SourceNetwork,
) -> Result<SignedIn, Failure> {
    let limited = |retry_after_s| Failure::RateLimited { retry_after_s };
    let state = &app.sign_in;
    let admitted = state.sources.admit(login, source).map_err(limited)?;
    let attempt = match state.attempts.begin(login, source) {
        Ok(attempt) => attempt,
        Err(failure) => {
            admitted.undecided();
            return Err(failure);
        }
    };
    match check_and_open(app, login, password).await {
        Ok(signed_in) => {
            admitted.succeeded();
            attempt.succeeded();
            Ok(signed_in)
        }
        Err(failure @ Failure::Unauthenticated(_)) => Err(failure),
        Err(failure) => {
            admitted.undecided();
            attempt.undecided();
            Err(failure)
        }
    }
}

async fn check_and_open(app: &App, login: &str, password: Password) -> Result<SignedIn, Failure> {
    let plausible = login.chars().count() <= LONGEST_LOGIN && !login.contains('\0');
    let wanted = login.to_owned();
    let found = if plausible {
        app.db
            .read(move |tx| people::by_login(tx.conn(), &wanted))
            .await?
    } else {
        None
    };
    let phc = found.as_ref().map(|person| person.password_hash.clone());
    let fits = app.sign_in.hasher.verify(password, phc.clone()).await?;
    let wrong = || unauthenticated(Unauthenticated::WrongCredentials);
    let person = found.filter(|_| fits).ok_or_else(wrong)?;
    open(app, person.id, phc).await
}

async fn open(app: &App, person_id: PersonId, phc: Option<String>) -> Result<SignedIn, Failure> {
    let now = app.clock.now();
    let fresh = Fresh::draw(app, now);
    let session = Session {
        id: app.entropy.uuid_v7(now),
        person_id,
        install_id: None,
        created_at: now,
        last_used_at: now,
        revoked_at: None,
    };
    let expires_at = refresh_expiry(app, now);
    let (id, hash, session_id) = (fresh.id, fresh.hash, session.id);
    let person = app.db.write(move |tx| {
        let wrong = || unauthenticated(Unauthenticated::WrongCredentials);
        let active = people::hold(tx, person_id)?;
        let row = people::by_id(tx.conn(), person_id)?;
        // Disabled, or the password changed, while the hash was computed.
        if !active || row.map(|row| row.password_hash) != phc {
            return Err(wrong());
        }
        sessions::insert(tx, &session)?;
        let token = RefreshToken {
            id,
            session_id,
            parent_id: None,
            issued_at: now,
            expires_at,
            first_used_at: None,
        };
        sessions::insert_token(tx, &token, &hash)?;
        people::record(tx.conn(), person_id)?.ok_or_else(wrong)
    });
    let person = person.await?;
    tracing::info!(person = %person_id, session = %session_id, "signed in");
    answer(app, person, session_id, None, &fresh, expires_at, now)
}

pub(super) fn refresh_expiry(app: &App, now: Timestamp) -> Timestamp {
    let life = app.settings.sign_in.refresh_token_s;
    now.plus_millis(life.saturating_mul(1_000))
}

pub(super) fn answer(
    app: &App,
    person: PersonRecord,
    session_id: Uuid,
    install_id: Option<InstallId>,
    fresh: &Fresh,
    refresh_expires_at: Timestamp,
    now: Timestamp,
) -> Result<SignedIn, Failure> {
    let bearer = Bearer {
        person_id: person.id,
        session_id,
        install_id,
    };
    let (access_token, access_expires_at) = access(app, bearer, now)?;
    Ok(SignedIn {
        person,
        session_id,
        install_id,
        tokens: Tokens {
            access_token,
            access_expires_at,
            refresh_token: fresh.secret.to_string(),
            refresh_expires_at,
        },
    })
}

/// A new access token for `bearer`, and when it expires.
///
/// # Errors
/// [`Failure::Internal`] when signing fails.
pub fn access(app: &App, bearer: Bearer, now: Timestamp) -> Result<(String, Timestamp), Failure> {
    let jti = app.entropy.uuid_v7(now);
    let claims = Claims::new(bearer, &app.settings.sign_in, now, jti);
    let token = access_token::issue(&app.sign_in.keys.signer(), &claims)?;
    Ok((token, claims.expires_at()))
}

/// Ends sessions within a transaction and records it in the person's history; answers which. A
/// running server passes them to [`void_after_commit`].
///
/// # Errors
/// When the database does not answer.
pub fn end_in(
    tx: &mut WriteTx<'_>,
    ending: Ending,
    person: PersonId,
    actor: Option<PersonId>,
    reason: &str,
    now: Timestamp,
) -> Result<Vec<Uuid>, StoreError> {
    let ended = sessions::revoke(tx, ending, reason, now)?;
    for session in &ended {
        let session = session.to_string();
        let fields = [("session_id", session.as_str()), ("reason", reason)];
        record_event(tx, person, "session_ended", actor, &fields, now)?;
    }
    Ok(ended)
}

/// Makes the access tokens of ended sessions void on this server, once that is stored. Other
/// servers learn of it within seconds: see [`crate::usecases::others`].
pub fn void_after_commit(tx: &mut WriteTx<'_>, app: &App, ended: Vec<Uuid>, now: Timestamp) {
    let app = app.clone();
    tx.after_commit(Box::new(move || {
        let ended = ended.into_iter().map(|session| (session, now));
        app.sign_in.ended.add_sessions(ended);
    }));
}

/// Ends the session of `bearer`. Its device stays enrolled.
///
/// # Errors
/// When the database does not answer.
pub async fn sign_out(app: &App, bearer: Bearer) -> Result<(), Failure> {
    let (now, shared) = (app.clock.now(), app.clone());
    let ended = app.db.write(move |tx| {
        let (ending, who) = (Ending::One(bearer.session_id), bearer.person_id);
        let ended = end_in(tx, ending, who, Some(who), "signed_out", now)?;
        void_after_commit(tx, &shared, ended, now);
        wake_audit(tx, &shared);
        Ok::<_, Failure>(())
    });
    ended.await
}

/// The session of `bearer` and its person.
///
/// # Errors
/// [`Unauthenticated::SessionEnded`].
pub async fn current(app: &App, bearer: Bearer) -> Result<(Session, PersonRecord), Failure> {
    let found = app.db.read(move |tx| {
        let ended = || unauthenticated(Unauthenticated::SessionEnded);
        let session = sessions::by_id(tx.conn(), bearer.session_id)?;
        let session = session.filter(|session| session.revoked_at.is_none());
        let person = people::record(tx.conn(), bearer.person_id)?;
        Ok::<_, Failure>((session.ok_or_else(ended)?, person.ok_or_else(ended)?))
    });
    found.await
}
