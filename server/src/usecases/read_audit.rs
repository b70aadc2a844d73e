//! The audit chain as people read it: what happened, by whom and when, and where it stands in the
//! chain. What an event says is read with its subject.

use hazardloop_domain::access::Place;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{EnterpriseId, HazardId, InspectionId, JurisdictionId, PersonId};
use hazardloop_domain::operations::Operation;
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use super::execute::lineage;
use super::reach::Reach;
use super::read::{Page, Wanted};
use super::whole_tree;
use crate::app::App;
use crate::failure::Failure;
use crate::store::audit_entries::{self, Witnessed};
use crate::store::lists::{self, Key};
use crate::store::{Conn, Position, StoreError, hazards, inspections, order, places};

/// One event, and where it stands in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// The event.
    pub event: Witnessed,
    /// The name of who did it now; absent for the server itself.
    pub actor_name: Option<String>,
    /// Its place in the chain, and the chain's hash there; absent: it is not in the chain yet.
    pub link: Option<(i64, Digest)>,
}

/// Events newest first: of one subject, or of all for whoever answers for the whole tree.
///
/// # Errors
/// [`Failure::Forbidden`] without a role for it; [`Failure::NotFound`] when there is no such subject,
/// or none within the person's scope.
pub async fn list(
    app: &App,
    person_id: PersonId,
    subject: Option<Uuid>,
    wanted: Wanted,
) -> Result<Page<AuditEntry>, Failure> {
    let now = app.clock.now();
    app.db
        .read(move |tx| list_in(tx.conn(), person_id, subject, wanted, now))
        .await
}

fn list_in(
    conn: &mut Conn,
    person_id: PersonId,
    subject: Option<Uuid>,
    wanted: Wanted,
    now: Timestamp,
) -> Result<Page<AuditEntry>, Failure> {
    // One more than is shown tells whether there is more.
    let limit = i64::try_from(wanted.limit.saturating_add(1)).unwrap_or(i64::MAX);
    let whole = whole_tree::holds(conn, person_id, Operation::ReadAudit, now)?;
    let mut events = match subject {
        None if whole => {
            let horizon = order::horizon(conn)?;
            let before = wanted.after.map_or(Position::END, position_of);
            audit_entries::newest_first(conn, before, horizon, limit)?
        }
        None => {
            let why = "of all subjects only whoever answers for the whole tree; name a subject";
            return Err(Failure::Forbidden(why.to_owned()));
        }
        Some(id) => {
            let reach = Reach::of(conn, person_id, now)?;
            if reach
                .jurisdictions_of(Operation::ReadAudit.roles())
                .is_empty()
            {
                let why = "needs the role administrator or supervisor";
                return Err(Failure::Forbidden(why.to_owned()));
            }
            let unknown = Failure::NotFound("subject");
            let kind = audit_entries::kind_of(conn, &id)?;
            let kind = kind.ok_or_else(|| unknown.clone())?;
            if !whole && !is_within(conn, &reach, &kind, id)? {
                return Err(unknown);
            }
            let before = wanted.after.map_or(i64::MAX, |key| key.at);
            audit_entries::of_subject(conn, (&kind, &id), before, limit)?
        }
    };
    let more = events.len() > wanted.limit;
    events.truncate(wanted.limit);
    let last = events.last().filter(|_| more);
    let next = last.map(|last| match subject {
        Some(_) => Key {
            at: last.subject_seq,
            id: Uuid::nil(),
        },
        None => key_of(last.position()),
    });
    let items = entries(conn, events)?;
    Ok(Page { items, next })
}

/// A place in the commit order as a cursor has it.
fn key_of(position: Position) -> Key {
    let ordinal = u128::try_from(position.ordinal).unwrap_or_default();
    Key {
        at: position.tx,
        id: Uuid::from_u128(ordinal),
    }
}

fn position_of(key: Key) -> Position {
    Position {
        tx: key.at,
        ordinal: i32::try_from(key.id.as_u128()).unwrap_or(i32::MAX),
    }
}

/// Whether the subject stands where the person may read the audit chain. Accounts, devices and
/// what holds for everybody are for those who answer for the whole tree.
fn is_within(conn: &mut Conn, reach: &Reach, kind: &str, id: Uuid) -> Result<bool, Failure> {
    let place = match kind {
        "hazard" => {
            let Some(loaded) = hazards::load(conn, HazardId(id))? else {
                return Ok(false);
            };
            let at = loaded.hazard.jurisdiction_id;
            loaded.hazard.place(lineage(conn, at)?.ancestors)
        }
        "inspection" => {
            let Some(inspection) = inspections::load(conn, InspectionId(id))? else {
                return Ok(false);
            };
            inspection.place(lineage(conn, inspection.jurisdiction_id)?.ancestors)
        }
        "enterprise" => {
            let Some(enterprise) = places::enterprise(conn, EnterpriseId(id))? else {
                return Ok(false);
            };
            Place {
                enterprise_id: Some(enterprise.id),
                jurisdictions: lineage(conn, enterprise.jurisdiction_id)?.ancestors,
                sector: Some(enterprise.sector),
            }
        }
        "jurisdiction" => Place {
            enterprise_id: None,
            jurisdictions: lineage(conn, JurisdictionId(id))?.ancestors,
            sector: None,
        },
        _ => return Ok(false),
    };
    let roles = Operation::ReadAudit.roles();
    Ok(reach.actor_over(&place).is_any_of(roles))
}

fn entries(conn: &mut Conn, events: Vec<Witnessed>) -> Result<Vec<AuditEntry>, Failure> {
    let mut actors: Vec<Vec<u8>> = events.iter().filter_map(|it| it.actor_id.clone()).collect();
    actors.sort_unstable();
    actors.dedup();
    let names = lists::names_of_people(conn, &actors)?;
    let links = audit_entries::links_of(conn, &events)?;
    let entry = |event: Witnessed| {
        let link = links.get(&event.position());
        let link = link.map(|link| {
            let hash = Digest::from_slice(&link.chain_hash);
            let hash = hash.ok_or_else(|| StoreError::Corrupt {
                what: format!("audit link {}", link.position),
            })?;
            Ok::<_, Failure>((link.position, hash))
        });
        Ok(AuditEntry {
            actor_name: event
                .actor_id
                .as_ref()
                .and_then(|id| names.get(id))
                .cloned(),
            link: link.transpose()?,
            event,
        })
    };
    events.into_iter().map(entry).collect()
}
