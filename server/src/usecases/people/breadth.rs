//! How much the roles of one person may cover: as many scopes as a device asks for in one pull. Of more, some would
//! never be asked for, and never be dropped once they are taken away.

use hazardloop_domain::access::Grant;
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::hub::scopes_granted;
use hazardloop_sync_protocol::wire::WireLimits;

use crate::failure::Failure;

/// Refuses more than fits. What has ended is not counted, what begins later is.
///
/// # Errors
/// [`Failure::Conflict`].
pub fn require_narrow<'a>(
    person: PersonId,
    grants: impl IntoIterator<Item = &'a Grant>,
    now: Timestamp,
) -> Result<(), Failure> {
    let unended = |grant: &&Grant| grant.valid_until.is_none_or(|until| until > now);
    let as_if_begun = |grant: &Grant| Grant {
        valid_from: grant.valid_from.min(now),
        ..grant.clone()
    };
    let held: Vec<Grant> = grants
        .into_iter()
        .filter(unended)
        .map(as_if_begun)
        .collect();
    let (covered, most) = (
        scopes_granted(person, &held, now).len(),
        WireLimits::default().scopes,
    );
    if covered <= most {
        return Ok(());
    }
    Err(Failure::Conflict(format!(
        "these roles cover {covered} places and sectors together; a device holds {most}: give one over a larger place, or for fewer sectors"
    )))
}
