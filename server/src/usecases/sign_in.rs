//! Sign-in, sessions and tokens: who is at the door, and how they prove it from then on.

pub mod access_token;
pub mod attempts;
pub mod ended;
pub mod keys;
pub mod password;
pub mod read_tokens;
mod refresh;
pub mod session;
pub mod sources;
pub mod steady;

#[cfg(test)]
mod access_token_tests;
#[cfg(test)]
mod session_tests;
#[cfg(test)]
pub(crate) mod test_support;

use hazardloop_domain::ids::PersonId;
use hazardloop_domain::time::Timestamp;

use self::access_token::Bearer;
use self::attempts::Attempts;
use self::ended::Ended;
use self::keys::KeyRing;
use self::password::Hasher;
use self::sources::{REMEMBERED_SOURCES, Sources};
use self::steady::{Rates, SteadyClock};
use crate::app::App;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::store::{Db, StoreError, installs, sessions};

/// Expired refresh tokens that one transaction deletes.
const SWEEP_ROWS: i64 = 500;

/// People whose rates are remembered at once (about 100 bytes each).
pub const REMEMBERED_RATES: usize = 65_536;

/// Keys and counters that sign-in keeps in memory.
pub struct SignInState {
    /// Keys of access tokens.
    pub keys: KeyRing,
    /// Sessions and devices whose access tokens are void.
    pub ended: Ended,
    /// Password hashing.
    pub hasher: Hasher,
    /// Waiting after failures.
    pub attempts: Attempts,
    /// Failed sign-ins a source network.
    pub sources: Sources,
    /// Requests a person.
    pub people: Rates<PersonId>,
}

impl std::fmt::Debug for SignInState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignInState(..)")
    }
}

impl SignInState {
    /// Loads what sign-in needs from a migrated database; makes the first signing key.
    ///
    /// # Errors
    /// When the database does not answer, or the settings ask Argon2 for the impossible.
    pub async fn open(
        db: &Db,
        settings: &Settings,
        clock: &Clock,
        entropy: &Entropy,
    ) -> Result<Self, Failure> {
        let (rules, now, steady) = (&settings.sign_in, clock.now(), SteadyClock::new(clock));
        let failures_a_minute = rules.attempts_per_minute;
        let (rate, burst) = (
            settings.http.requests_per_second,
            settings.http.request_burst,
        );
        let (memory, requests) = (REMEMBERED_RATES, steady::per_second(rate, burst));
        let state = Self {
            keys: KeyRing::open(db, rules, &steady, now, entropy).await?,
            ended: Ended::default(),
            hasher: Hasher::new(rules, entropy)?,
            attempts: Attempts::new(rules, &steady),
            sources: Sources::new(failures_a_minute, &steady, REMEMBERED_SOURCES),
            people: Rates::new(requests, &steady, memory),
        };
        state.catch_up(db, settings, now).await?;
        Ok(state)
    }

    /// Learns what other servers ended and which keys there are.
    ///
    /// # Errors
    /// When the database does not answer; what was known stays.
    pub async fn catch_up(
        &self,
        db: &Db,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.keys.reload(db, now).await?;
        let since = now.plus_millis(-ended_matters_ms(settings));
        let ended = db.read(move |tx| {
            let sessions = sessions::revoked_after(tx.conn(), since)?;
            Ok::<_, StoreError>((sessions, installs::revoked_after(tx.conn(), since)?))
        });
        let (sessions, installs) = ended.await?;
        self.ended.add_sessions(sessions);
        self.ended.add_installs(installs);
        self.ended.forget(since);
        Ok(())
    }
}

/// Milliseconds after which no access token from before an end can be alive any more; with an
/// hour to spare for servers whose clocks differ.
fn ended_matters_ms(settings: &Settings) -> i64 {
    let rules = &settings.sign_in;
    rules
        .access_token_s
        .saturating_add(rules.leeway_s.saturating_mul(2))
        .saturating_add(3_600)
        .saturating_mul(1_000)
}

/// Deletes refresh tokens that have expired.
///
/// # Errors
/// When the database does not answer.
pub async fn sweep(db: &Db, now: Timestamp) -> Result<(), StoreError> {
    let full = usize::try_from(SWEEP_ROWS).unwrap_or(usize::MAX);
    while db
        .write(move |tx| sessions::sweep(tx, now, SWEEP_ROWS))
        .await?
        >= full
    {}
    Ok(())
}

/// Who bears this access token.
///
/// # Errors
/// [`Failure::Unauthenticated`], [`Failure::DeviceRevoked`], or [`Failure::RateLimited`] when
/// this person asks too often.
pub async fn authenticate(app: &App, access_token: &str) -> Result<Bearer, Failure> {
    let (settings, now) = (&app.settings.sign_in, app.clock.now());
    let state = &app.sign_in;
    let claims = access_token::read(access_token, &state.keys, &app.db, settings, now).await?;
    let bearer = claims.bearer();
    state.ended.check(bearer.session_id, bearer.install_id)?;
    let limited = |retry_after_s| Failure::RateLimited { retry_after_s };
    state.people.count(&bearer.person_id).map_err(limited)?;
    Ok(bearer)
}
