//! What the history of a person says of a grant.

use hazardloop_domain::access::{Grant, GrantScope};
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::time::Timestamp;

use super::record_event;
use crate::store::{StoreError, WriteTx};

/// Records that a grant was added.
///
/// # Errors
/// When the database does not answer.
pub(super) fn record_added(
    tx: &mut WriteTx<'_>,
    person: PersonId,
    grant: &Grant,
    actor: Option<PersonId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let over = match grant.scope {
        GrantScope::Enterprise(id) => format!("enterprise:{id}"),
        GrantScope::Jurisdiction(id) => format!("jurisdiction:{id}"),
    };
    let fields = added_fields(grant, over);
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    record_event(tx, person, "grant_added", actor, &fields, now)
}

/// What the history says of a grant that was added.
fn added_fields(grant: &Grant, over: String) -> Vec<(&'static str, String)> {
    let until = grant.valid_until.map(|until| until.to_string());
    let mut fields = vec![
        ("grant_id", grant.id.to_string()),
        ("role", grant.role.as_str().to_owned()),
        ("scope", over),
        ("valid_from", grant.valid_from.to_string()),
        ("valid_until", until.unwrap_or_default()),
    ];
    if !grant.sectors.is_empty() {
        fields.push(("sectors", grant.sectors.join("\n")));
    }
    if let Some(certificate) = &grant.certificate {
        let valid_to = certificate.valid_to.map(|day| day.to_string());
        fields.push(("certificate_number", certificate.number.clone()));
        fields.push(("certificate_valid_to", valid_to.unwrap_or_default()));
    }
    if let Some(reason) = &grant.temporary_reason {
        fields.push(("temporary_reason", reason.clone()));
    }
    fields
}
