//! Temporary grants (异地交叉执法): a role away from home, with a reason and an end.
//!
//! Home is simple: the districts in which a person holds, or will hold, standing grants over
//! jurisdictions; for grants above districts, all that lies below. Whoever holds none has no home yet
//! and is at home wherever the first grant is. Any other jurisdiction is away, and there a grant is
//! temporary or is not given: whoever moves for good ends the old grants first, or hands them over.

use hazardloop_domain::access::{Grant, GrantScope};
use hazardloop_domain::text::{self, SHORT_TEXT_MAX};
use hazardloop_domain::time::Timestamp;

use crate::failure::Failure;
use crate::settings::PeopleLimits;
use crate::store::Conn;
use crate::store::people::PlacedGrant;
use crate::store::places;

const DAY_MS: i64 = 86_400_000;

/// Refuses a temporary grant without a reason or an end, or of more days than the rules allow, or over an
/// enterprise.
///
/// # Errors
/// [`Failure::Invalid`] or [`Failure::Refused`] of the field.
pub fn check_temporary(grant: &Grant, rules: &PeopleLimits) -> Result<(), Failure> {
    let Some(reason) = &grant.temporary_reason else {
        return Ok(());
    };
    text::required("temporary_reason", reason, SHORT_TEXT_MAX)?;
    if matches!(grant.scope, GrantScope::Enterprise(_)) {
        let why = "only a role over a jurisdiction is held away from home";
        return Err(Failure::invalid("temporary_reason", why));
    }
    let most_days = rules.temporary_grant_days;
    let latest = grant
        .valid_from
        .plus_millis(most_days.saturating_mul(DAY_MS));
    if grant.valid_until.is_some_and(|until| until <= latest) {
        return Ok(());
    }
    let why = format!("a temporary grant ends within {most_days} days");
    Err(Failure::invalid("valid_until", why))
}

/// Refuses a standing grant away from the home that `grants` make. `path`: of the jurisdiction that it
/// is over.
///
/// # Errors
/// [`Failure::Invalid`]; when the database does not answer.
pub fn require_at_home(
    conn: &mut Conn,
    grant: &Grant,
    path: &str,
    grants: &[PlacedGrant],
    now: Timestamp,
) -> Result<(), Failure> {
    let GrantScope::Jurisdiction(_) = grant.scope else {
        return Ok(());
    };
    let stands = |placed: &&PlacedGrant| {
        matches!(placed.grant.scope, GrantScope::Jurisdiction(_))
            && placed.grant.temporary_reason.is_none()
            && placed.grant.valid_until.is_none_or(|until| until > now)
    };
    let homes: Vec<&str> = grants
        .iter()
        .filter(stands)
        .map(|placed| placed.path.as_str())
        .collect();
    if homes.is_empty() || grant.temporary_reason.is_some() {
        return Ok(());
    }
    // The district in which the new jurisdiction lies; above districts, itself.
    let district = places::district_path(conn, path)?;
    let district = district.as_deref().unwrap_or(path);
    let near = |home: &&str| home.starts_with(district) || district.starts_with(home);
    if homes.iter().any(near) {
        return Ok(());
    }
    let why =
        "this person's roles are in another district: there a grant needs a reason and an end";
    Err(Failure::invalid("temporary_reason", why))
}
