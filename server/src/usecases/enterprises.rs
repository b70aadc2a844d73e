//! Enterprises: registering and correcting. Moving one is in `relocate`.

mod storing;

use hazardloop_domain::access::Place;
use hazardloop_domain::credit_code::{self, CreditCodeFinding};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::ids::{EnterpriseId, PersonId};
use hazardloop_domain::operations::Operation;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::digest::DigestKey;
use minicbor::{Decode, Encode};

use super::execute::lineage;
use super::reach::{self, Reach, Seat};
use super::sector_names;
use crate::app::App;
use crate::failure::Failure;
use crate::store::events;
use crate::store::{Conn, StoreError, WriteTx, places};
pub(super) use storing::Storing;

const MANAGE: Operation = Operation::ManageEnterprises;

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

/// The warnings that go with credit codes, each with its field: advice, never a reason to refuse.
pub fn warnings(enterprise: &Enterprise) -> Vec<(String, CreditCodeFinding)> {
    let own = [("credit_code".to_owned(), &enterprise.credit_code)];
    let parties = enterprise.profile.related_parties.iter().enumerate();
    let theirs = parties.map(|(at, party)| {
        let field = format!("related_parties[{at}].credit_code");
        (field, &party.credit_code)
    });
    own.into_iter()
        .chain(theirs)
        .filter_map(|(field, code)| Some((field, credit_code::check(code.as_deref()?))))
        .filter(|(_, finding)| !finding.is_valid())
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
    let mut storing = Storing::new(key);
    storing.put(tx, enterprise, before, change)?;
    storing.finish(tx)
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
    let typed = enterprise;
    let enterprise = &by_code(app, tx.conn(), typed.clone())?;
    require_keeper(tx.conn(), person_id, MANAGE, &Seat::of(enterprise), now)?;
    if let Some(first) = events::history(tx.conn(), &enterprise.id.0, 0, 1)?.first() {
        let first: Option<EnterpriseEvent> = minicbor::decode(&first.body).ok();
        let same = first.is_some_and(|first| {
            // Its sector may have been taken as it was typed, before there was a code for it.
            [enterprise, typed].contains(&&first.enterprise) && first.actor_id == Some(person_id)
        });
        if !same {
            return Err(Failure::IdReused);
        }
        if places::enterprise(tx.conn(), enterprise.id)?.is_none() {
            // Registered once and taken back: an id that has a history is not used again.
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

/// The enterprise with its sector by the code, where the packs have one for what was typed.
fn by_code(app: &App, conn: &mut Conn, mut enterprise: Enterprise) -> Result<Enterprise, Failure> {
    let catalog = app.catalog.now();
    // Of no jurisdiction: to be refused by whoever asks next.
    let way = places::lineage(conn, enterprise.jurisdiction_id)?;
    let way = way.map_or_else(Vec::new, |found| found.ancestors);
    let code = sector_names::code_for(conn, &catalog, &way, &enterprise.sector)?;
    if let Some(code) = code {
        sector_names::put_code(&catalog, &mut enterprise, code);
    }
    Ok(enterprise)
}

/// Refuses unless the person may do this with enterprises there.
pub(super) fn require_keeper(
    conn: &mut Conn,
    person_id: PersonId,
    operation: Operation,
    seat: &Seat,
    now: Timestamp,
) -> Result<(), Failure> {
    reach::require(conn, person_id, seat, operation, now).map_err(|failure| match failure {
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
    tx.after_commit(Box::new(move || {
        app.events_wake.notify_one();
        // Hazards may have to follow a corrected sector.
        app.jobs_wake.notify_one();
    }));
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
        sector: Some(enterprise.sector.clone()),
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

/// What somebody asks to be corrected.
pub struct Correction {
    /// The enterprise before, the enterprise after.
    pub apply: Box<dyn Fn(Enterprise) -> Enterprise + Send>,
    /// Whether it names the sector, if only as it is: then it is stored by its code.
    pub names_sector: bool,
}

impl Correction {
    /// One that says nothing of the sector's name.
    #[cfg(test)]
    pub fn of(apply: impl Fn(Enterprise) -> Enterprise + Send + 'static) -> Self {
        Self {
            apply: Box::new(apply),
            names_sector: false,
        }
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
    correction: Correction,
) -> Result<Enterprise, Failure> {
    let app = app.clone();
    app.clone()
        .db
        .write(move |tx| {
            let now = app.clock.now();
            let (before, _) = visible(tx.conn(), person_id, id, now)?;
            require_keeper(tx.conn(), person_id, MANAGE, &Seat::of(&before), now)?;
            if before.version != seen {
                return Err(Failure::PreconditionFailed {
                    current: before.version,
                });
            }
            let mut after = (correction.apply)(before.clone());
            // Whatever the correction says: these are changed in other ways.
            (after.id, after.jurisdiction_id) = (before.id, before.jurisdiction_id);
            if correction.names_sector {
                after = by_code(&app, tx.conn(), after)?;
            }
            if after == before {
                return Ok(before);
            }
            // Nobody gives an enterprise away into a sector that is not theirs.
            require_keeper(tx.conn(), person_id, MANAGE, &Seat::of(&after), now)?;
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
