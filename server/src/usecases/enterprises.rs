//! Enterprises: registering and correcting. Moving one is in `relocate`.

use hazardloop_domain::access::Place;
use hazardloop_domain::credit_code::{self, CreditCodeFinding};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::geography::Position;
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, PersonId};
use hazardloop_domain::text::{self, SHORT_TEXT_MAX};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};
use minicbor::{Decode, Encode};

use super::execute::{lineage, scopes_of};
use super::reach::{KEEPERS_OF_ENTERPRISES, Reach, require_role_over};
use crate::app::App;
use crate::failure::Failure;
use crate::store::events::{self, NewEvent};
use crate::store::feed::{self, Announced};
use crate::store::{Conn, StoreError, WriteTx, enterprises, hazards, places, search};

/// Characters of a credit code (GB 32100-2015); one with more is refused, any other only warned of.
pub const CREDIT_CODE_LENGTH: usize = 18;

/// What the history of an enterprise keeps of one change: the bytes that are hashed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EnterpriseEvent {
    /// The enterprise after the change.
    #[n(0)]
    pub enterprise: Enterprise,
    /// Who; absent: the server itself.
    #[n(1)]
    pub actor_id: Option<PersonId>,
    /// When the server recorded it.
    #[n(2)]
    pub recorded_at: Timestamp,
    /// Why, where a reason was asked for.
    #[n(3)]
    pub reason: Option<String>,
}

/// Registers an enterprise and tells the devices of everybody it concerns. Who may is the caller's
/// question; so is whether the id is new.
///
/// # Errors
/// [`Failure::Refused`] or [`Failure::Invalid`] for a field; [`Failure::Store`] when the id is
/// taken or the database does not answer.
pub fn register(
    tx: &mut WriteTx<'_>,
    key: &DigestKey,
    enterprise: &Enterprise,
    actor: Option<PersonId>,
    now: Timestamp,
) -> Result<(), Failure> {
    let change = Change {
        kind: "registered",
        actor,
        reason: None,
        now,
    };
    store(tx, key, enterprise, None, &change)
}

/// The warnings that go with a credit code: advice, never a reason to refuse.
pub fn warnings(enterprise: &Enterprise) -> Vec<CreditCodeFinding> {
    let finding = enterprise.credit_code.as_deref().map(credit_code::check);
    finding
        .into_iter()
        .filter(|finding| !finding.is_valid())
        .collect()
}

/// A change of an enterprise, as its history is to keep it.
pub(super) struct Change<'a> {
    pub kind: &'static str,
    pub actor: Option<PersonId>,
    pub reason: Option<&'a str>,
    pub now: Timestamp,
}

/// Stores an enterprise with its event and its feed rows; `before` is what it was.
pub(super) fn store(
    tx: &mut WriteTx<'_>,
    key: &DigestKey,
    enterprise: &Enterprise,
    before: Option<&Enterprise>,
    change: &Change<'_>,
) -> Result<(), Failure> {
    check(enterprise)?;
    let place = places::lineage(tx.conn(), enterprise.jurisdiction_id)?
        .ok_or_else(|| Failure::invalid("jurisdiction_id", "names no jurisdiction"))?;
    let record = encoded(enterprise)?;
    let version = before.map(|before| before.version);
    if let Some(before) = before {
        tell_hazards(tx, before, enterprise)?;
    }
    places::save_enterprise(
        tx,
        enterprise,
        &record,
        &place.district_code,
        version,
        change.now,
    )?;
    let scopes = scopes_of(Some(enterprise.id), &place.ancestors);
    if let Some(before) = before {
        let earlier = lineage(tx.conn(), before.jurisdiction_id)?;
        let mut left = scopes_of(Some(enterprise.id), &earlier.ancestors);
        left.retain(|scope| !scopes.contains(scope));
        let (id, version) = (&enterprise.id.0, enterprise.version);
        feed::remove(tx, &left, RecordKind::Enterprise, id, version, change.now)?;
    }
    announce(tx, key, &scopes, enterprise, &record, change.now)?;
    let event = EnterpriseEvent {
        enterprise: enterprise.clone(),
        actor_id: change.actor,
        recorded_at: change.now,
        reason: change.reason.map(str::to_owned),
    };
    let event = encoded(&event)?;
    let event = NewEvent {
        subject_kind: "enterprise",
        subject_id: &enterprise.id.0,
        kind: change.kind,
        actor: change.actor,
        recorded_at: change.now,
        body: &event,
    };
    events::append(tx, event)?;
    Ok(())
}

/// The enterprise's hazards have its sector, and are found by its name.
fn tell_hazards(
    tx: &mut WriteTx<'_>,
    before: &Enterprise,
    after: &Enterprise,
) -> Result<(), StoreError> {
    if (&before.sector, &before.name) == (&after.sector, &after.name) {
        return Ok(());
    }
    enterprises::hold_for_move(tx, after.id)?;
    if before.sector != after.sector {
        hazards::set_sector(tx, after.id, &before.sector, &after.sector)?;
    }
    search::put_waiting_of(tx, after.id)
}

fn announce(
    tx: &mut WriteTx<'_>,
    key: &DigestKey,
    scopes: &[Scope],
    enterprise: &Enterprise,
    record: &[u8],
    now: Timestamp,
) -> Result<(), Failure> {
    let created_at = enterprises::created_at(tx.conn(), enterprise.id)?.unwrap_or(now);
    let announced = Announced {
        kind: RecordKind::Enterprise,
        id: &enterprise.id.0,
        version: enterprise.version,
        body: record,
        created_at,
    };
    Ok(feed::put(tx, key, scopes, announced)?)
}

fn encoded<T: Encode<()>>(value: &T) -> Result<Vec<u8>, Failure> {
    minicbor::to_vec(value).map_err(|error| Failure::Internal(format!("encoding: {error}")))
}

fn check(enterprise: &Enterprise) -> Result<(), Failure> {
    text::required("name", &enterprise.name, SHORT_TEXT_MAX)?;
    text::required("sector", &enterprise.sector, SHORT_TEXT_MAX)?;
    text::optional("address", enterprise.address.as_deref(), SHORT_TEXT_MAX)?;
    text::optional(
        "credit_code",
        enterprise.credit_code.as_deref(),
        CREDIT_CODE_LENGTH,
    )?;
    Ok(())
}

/// Registers an enterprise for `person_id`. Answers `true` when it is new, `false` when this very
/// request had been taken before.
///
/// # Errors
/// [`Failure::Forbidden`] without the role over its jurisdiction; [`Failure::IdReused`] when the id
/// was used for something else.
pub async fn create(
    app: &App,
    person_id: PersonId,
    enterprise: Enterprise,
) -> Result<(Enterprise, bool), Failure> {
    let app = app.clone();
    app.clone()
        .db
        .write(move |tx| create_in(&app, tx, person_id, &enterprise))
        .await
}

fn create_in(
    app: &App,
    tx: &mut WriteTx<'_>,
    person_id: PersonId,
    enterprise: &Enterprise,
) -> Result<(Enterprise, bool), Failure> {
    let now = app.clock.now();
    if !enterprise.id.is_version_7() {
        return Err(Failure::invalid("id", "must be a UUID of version 7"));
    }
    require_keeper(tx.conn(), person_id, enterprise.jurisdiction_id, now)?;
    if let Some(first) = events::history(tx.conn(), &enterprise.id.0, 0, 1)?.first() {
        let first: Option<EnterpriseEvent> = minicbor::decode(&first.body).ok();
        let same = first.is_some_and(|first| {
            first.enterprise == *enterprise && first.actor_id == Some(person_id)
        });
        if !same {
            return Err(Failure::IdReused);
        }
        // It may have changed or moved since: what may be seen of it is decided by its place now.
        return Ok((visible(tx.conn(), person_id, enterprise.id, now)?.0, false));
    }
    register(tx, &app.digest_key, enterprise, Some(person_id), now)
        .map_err(|failure| taken_meanwhile(failure, "enterprises"))?;
    wake(app, tx);
    Ok((enterprise.clone(), true))
}

/// Refuses unless the person may register and change enterprises in this jurisdiction.
pub(super) fn require_keeper(
    conn: &mut Conn,
    person_id: PersonId,
    jurisdiction_id: JurisdictionId,
    now: Timestamp,
) -> Result<(), Failure> {
    require_role_over(
        conn,
        person_id,
        jurisdiction_id,
        KEEPERS_OF_ENTERPRISES,
        now,
    )
    .map_err(|failure| match failure {
        Failure::NotFound(_) => Failure::invalid("jurisdiction_id", "names no jurisdiction"),
        other => other,
    })
}

/// Two requests with the same new id at one moment: the later runs again and finds the first.
pub(super) fn taken_meanwhile(failure: Failure, table: &'static str) -> Failure {
    match failure {
        Failure::Store(error) if error.is_duplicate_in(table) => {
            Failure::Store(StoreError::Stale { what: table })
        }
        other => other,
    }
}

pub(super) fn wake(app: &App, tx: &mut WriteTx<'_>) {
    let app = app.clone();
    tx.after_commit(Box::new(move || app.events_wake.notify_one()));
}

/// The enterprise and where it stands, for somebody who may see it.
///
/// # Errors
/// [`Failure::NotFound`] for everybody else.
pub fn visible(
    conn: &mut Conn,
    person_id: PersonId,
    id: EnterpriseId,
    now: Timestamp,
) -> Result<(Enterprise, Place), Failure> {
    let unknown = Failure::NotFound("enterprise");
    let Some(enterprise) = places::enterprise(conn, id)? else {
        return Err(unknown);
    };
    let jurisdictions = lineage(conn, enterprise.jurisdiction_id)?.ancestors;
    let place = Place {
        enterprise_id: Some(id),
        jurisdictions,
        ..Place::default()
    };
    if Reach::of(conn, person_id, now)?.sees(&place) {
        Ok((enterprise, place))
    } else {
        Err(unknown)
    }
}

/// One enterprise as `person_id` may see it.
///
/// # Errors
/// [`Failure::NotFound`] when there is none, or none for this person.
pub async fn one(app: &App, person_id: PersonId, id: EnterpriseId) -> Result<Enterprise, Failure> {
    let now = app.clock.now();
    app.db
        .read(move |tx| Ok(visible(tx.conn(), person_id, id, now)?.0))
        .await
}

/// Corrections to an enterprise; what is absent stays, an inner `None` empties the field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Corrections {
    /// 名称.
    pub name: Option<String>,
    /// 监管行业.
    pub sector: Option<String>,
    /// 统一社会信用代码.
    pub credit_code: Option<Option<String>>,
    /// 地址.
    pub address: Option<Option<String>>,
    /// Where it is.
    pub position: Option<Option<Position>>,
}

impl Corrections {
    /// Whether there is nothing to correct.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn applied_to(self, mut enterprise: Enterprise) -> Enterprise {
        enterprise.name = self.name.unwrap_or(enterprise.name);
        enterprise.sector = self.sector.unwrap_or(enterprise.sector);
        enterprise.credit_code = self.credit_code.unwrap_or(enterprise.credit_code);
        enterprise.address = self.address.unwrap_or(enterprise.address);
        enterprise.position = self.position.unwrap_or(enterprise.position);
        enterprise
    }
}

/// Corrects an enterprise that still has version `seen`.
///
/// # Errors
/// [`Failure::PreconditionFailed`] when it has another version; [`Failure::Forbidden`] without the
/// role over its jurisdiction.
pub async fn correct(
    app: &App,
    person_id: PersonId,
    id: EnterpriseId,
    seen: i64,
    corrections: Corrections,
) -> Result<Enterprise, Failure> {
    if corrections.is_empty() {
        return Err(Failure::invalid(
            "body",
            "must name at least one field to change",
        ));
    }
    let app = app.clone();
    app.clone()
        .db
        .write(move |tx| {
            let now = app.clock.now();
            let (before, _) = visible(tx.conn(), person_id, id, now)?;
            require_keeper(tx.conn(), person_id, before.jurisdiction_id, now)?;
            if before.version != seen {
                return Err(Failure::PreconditionFailed {
                    current: before.version,
                });
            }
            let mut after = corrections.clone().applied_to(before.clone());
            if after == before {
                return Ok(before);
            }
            after.version = before.version.saturating_add(1);
            let change = Change {
                kind: "changed",
                actor: Some(person_id),
                reason: None,
                now,
            };
            store(tx, &app.digest_key, &after, Some(&before), &change)?;
            wake(&app, tx);
            Ok(after)
        })
        .await
}
