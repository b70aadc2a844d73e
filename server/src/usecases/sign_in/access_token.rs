//! Access tokens: JWT (RFC 7519, RFC 9068) signed with EdDSA, checked against the server's clock.

use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{InstallId, PersonId};
use hazardloop_domain::time::Timestamp;
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::keys::{KeyRing, Signer};
use super::read_tokens::Read;
use crate::failure::{Failure, Unauthenticated};
use crate::settings::SignIn;
use crate::store::Db;

/// Who issues.
pub const ISSUER: &str = "hazardloop";

/// For whom.
pub const AUDIENCE: &str = "hazardloop-api";

/// Media type in the header (RFC 9068, section 2.1).
pub const TOKEN_TYPE: &str = "at+jwt";

/// Longer ones are not looked at, bytes; ours have about 500.
pub const LONGEST_TOKEN: usize = 4_096;

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// [`ISSUER`].
    pub iss: String,
    /// [`AUDIENCE`].
    pub aud: String,
    /// The person.
    pub sub: PersonId,
    /// The session.
    pub sid: Uuid,
    /// The device that the session is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iid: Option<InstallId>,
    /// Issued at, seconds since the Unix epoch.
    pub iat: i64,
    /// Not before, seconds.
    pub nbf: i64,
    /// Expires at, seconds.
    pub exp: i64,
    /// This token.
    pub jti: Uuid,
}

/// Whom a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The person.
    pub person_id: PersonId,
    /// The session.
    pub session_id: Uuid,
    /// The device.
    pub install_id: Option<InstallId>,
}

impl Claims {
    /// What a token issued at `now` says.
    pub fn new(bearer: Bearer, settings: &SignIn, now: Timestamp, jti: Uuid) -> Self {
        let iat = now.as_millis().div_euclid(1_000);
        Self {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: bearer.person_id,
            sid: bearer.session_id,
            iid: bearer.install_id,
            iat,
            nbf: iat,
            exp: iat.saturating_add(settings.access_token_s),
            jti,
        }
    }

    /// When the token expires.
    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(self.exp.saturating_mul(1_000))
    }

    /// Whom the token is for.
    pub fn bearer(&self) -> Bearer {
        Bearer {
            person_id: self.sub,
            session_id: self.sid,
            install_id: self.iid,
        }
    }

    fn check(&self, settings: &SignIn, now: Timestamp) -> Result<(), Unauthenticated> {
        let now = now.as_millis().div_euclid(1_000);
        let latest = now.saturating_add(settings.leeway_s);
        if self.iss != ISSUER || self.aud != AUDIENCE || self.iat > latest || self.nbf > latest {
            return Err(Unauthenticated::Invalid);
        }
        if self.exp.saturating_add(settings.leeway_s) <= now {
            return Err(Unauthenticated::Expired);
        }
        Ok(())
    }
}

/// Signs `claims`.
///
/// # Errors
/// [`Failure::Internal`] when signing fails.
pub fn issue(signer: &Signer, claims: &Claims) -> Result<String, Failure> {
    let header = Header {
        typ: Some(TOKEN_TYPE.to_owned()),
        kid: Some(signer.kid.clone()),
        ..Header::new(Algorithm::EdDSA)
    };
    jsonwebtoken::encode(&header, claims, &signer.key)
        .map_err(|error| Failure::Internal(format!("signing a token: {error}")))
}

/// Reads and checks a token. Whether its session still lasts is another question.
///
/// # Errors
/// [`Unauthenticated::Invalid`] for anything that this server did not issue in this form, or has
/// issued for later; [`Unauthenticated::Expired`].
pub async fn read(
    token: &str,
    keys: &KeyRing,
    db: &Db,
    settings: &SignIn,
    now: Timestamp,
) -> Result<Claims, Failure> {
    let invalid = || Failure::Unauthenticated(Unauthenticated::Invalid);
    if token.len() > LONGEST_TOKEN {
        return Err(invalid());
    }
    let fingerprint = Digest::sha256(token.as_bytes());
    if let Some(read) = keys.read_tokens().get(&fingerprint)
        && keys.verifier(&read.kid, now).is_some()
    {
        let checked = read.claims.check(settings, now);
        checked.map_err(Failure::Unauthenticated)?;
        return Ok(read.claims);
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| invalid())?;
    let ours = header.alg == Algorithm::EdDSA
        && header.typ.as_deref() == Some(TOKEN_TYPE)
        && header.crit.is_none();
    let kid = header.kid.filter(|_| ours).ok_or_else(invalid)?;
    let mut key = keys.verifier(&kid, now);
    if key.is_none() && keys.look_again(db, now).await? {
        key = keys.verifier(&kid, now);
    }
    let key = key.ok_or_else(invalid)?;
    let claims = jsonwebtoken::decode::<Claims>(token, &key, &signature_only());
    let claims = claims.map_err(|_| invalid())?.claims;
    claims
        .check(settings, now)
        .map_err(Failure::Unauthenticated)?;
    let read = Read {
        kid,
        claims: claims.clone(),
    };
    keys.read_tokens().put(fingerprint, read);
    Ok(claims)
}

/// The library checks the signature; times are checked here, by the server's own clock.
fn signature_only() -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    validation
}
