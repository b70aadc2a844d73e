//! What administrators do about people: add, grant, end a grant, disable.

use hazardloop_domain::access::{Grant, GrantScope};
use hazardloop_domain::ids::{GrantId, PersonId};
use hazardloop_domain::text::{self, SHORT_TEXT_MAX};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::digest::DigestKey;
use uuid::Uuid;

use super::recorded::record_added;
use super::{
    MOST_GRANTS, NewPerson, PersonView, Standing, Terms, announce_person, check_fields,
    claim_certificate, record_event, register, request_digest, require_narrow, temporary,
    wake_audit,
};
use crate::app::App;
use crate::failure::Failure;
use crate::store::events;
use crate::store::people::{self, Person, PlacedGrant};
use crate::store::sessions::Ending;
use crate::store::{Conn, StoreError, WriteTx, certificates};
use crate::usecases::sign_in::password::Password;
use crate::usecases::sign_in::session;
use crate::usecases::{devices, merge_jurisdictions, sector_names, sectors};

/// A request for an account.
#[derive(Clone, Debug)]
pub struct PersonRequest {
    /// Made by the asker, UUIDv7; the same id again is the same request again.
    pub id: PersonId,
    /// The name by which they will sign in.
    pub login: String,
    /// Their name.
    pub name: String,
    /// Where to reach them.
    pub phone: Option<String>,
    /// Their first password.
    pub password: Password,
    /// What they are from now on; at least one.
    pub grants: Vec<Terms>,
}

/// A request for a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGrant {
    /// Made by the asker, UUIDv7; the same id again is the same request again.
    pub id: GrantId,
    /// What it says.
    pub terms: Terms,
    /// From when; absent: from now.
    pub valid_from: Option<Timestamp>,
    /// Until when; absent: open-ended.
    pub valid_until: Option<Timestamp>,
    /// Why it is held away from home for a time; present: a temporary grant.
    pub temporary_reason: Option<String>,
}

/// Adds a person. Answers them, and whether this request (and not an earlier one) did it.
///
/// # Errors
/// [`Failure::Forbidden`] for others than administrators; out of scope beyond their jurisdiction;
/// [`Failure::Conflict`] when the login is taken; [`Failure::IdReused`]; [`Failure::CertificateTaken`].
pub async fn create(
    app: &App,
    asker: PersonId,
    mut request: PersonRequest,
) -> Result<(PersonView, bool), Failure> {
    let catalog = app.catalog.now();
    for terms in &mut request.grants {
        sector_names::put_codes(&catalog, &mut terms.sectors);
    }
    if !request.id.is_version_7() {
        return Err(Failure::invalid("id", "must be a UUID of version 7"));
    }
    if request.grants.is_empty() {
        return Err(Failure::invalid(
            "grants",
            "at least one: nobody would see this person",
        ));
    }
    let (login, name, phone) = (&request.login, &request.name, request.phone.as_deref());
    check_fields(login, name, phone, &request.grants)?;
    request.password.check_rules()?;
    // May they at all? Before a hash is computed for them.
    if let Some(known) = known_person(app, asker, &request).await? {
        return Ok((known, false));
    }
    match add(app, asker, request.clone()).await {
        // Perhaps it is this very request, which came twice at once.
        Err(Failure::IdReused) => match known_person(app, asker, &request).await? {
            Some(known) => Ok((known, false)),
            None => Err(Failure::IdReused),
        },
        added => Ok((added?, true)),
    }
}

/// The person whom the same request has added before; `None` when nobody has this id.
async fn known_person(
    app: &App,
    asker: PersonId,
    request: &PersonRequest,
) -> Result<Option<PersonView>, Failure> {
    let (login, name, phone) = (&request.login, &request.name, request.phone.as_deref());
    let digest = request_digest(login, name, phone, &request.grants).to_string();
    let (id, grants) = (request.id, request.grants.clone());
    let now = app.clock.now();
    let known = app.db.read(move |tx| {
        Standing::of(tx.conn(), asker, now)
            .map_err(Failure::from)
            .and_then(|standing| require_over_all(tx.conn(), &standing, &grants))?;
        let person = people::by_id(tx.conn(), id)?;
        let first = events::history(tx.conn(), &id.0, 0, 1)?;
        Ok::<_, Failure>(person.map(|person| (person, first.into_iter().next())))
    });
    let Some((person, first)) = known.await? else {
        return Ok(None);
    };
    let same = first.is_some_and(|event| {
        event.actor_id.as_deref() == Some(asker.as_bytes().as_slice())
            && says(&event.body, "request", &digest)
    });
    let (password, hash) = (request.password.clone(), Some(person.password_hash));
    if same && app.sign_in.hasher.verify(password, hash).await? {
        super::one(app, asker, id).await.map(Some)
    } else {
        Err(Failure::IdReused)
    }
}

async fn add(app: &App, asker: PersonId, request: PersonRequest) -> Result<PersonView, Failure> {
    let (id, now) = (request.id, app.clock.now());
    let salt = app.entropy.bytes();
    let password_hash = app.sign_in.hasher.hash(request.password, salt).await?;
    let new = NewPerson {
        id,
        login: request.login,
        name: request.name,
        phone: request.phone,
        password_hash,
        grants: request.grants,
    };
    let shared = app.clone();
    let added = app.db.write(move |tx| {
        let standing = Standing::of(tx.conn(), asker, now)?;
        require_over_all(tx.conn(), &standing, &new.grants)?;
        for terms in &new.grants {
            if let GrantScope::Jurisdiction(id) = terms.scope {
                merge_jurisdictions::require_standing(tx.conn(), id)?;
            }
            sector_names::check_grant(tx.conn(), &shared.catalog.now(), terms)?;
        }
        register(tx, &shared.digest_key, new.clone(), Some(asker), now)?;
        wake_audit(tx, &shared);
        let (person, grants) = standing.find(tx.conn(), id)?;
        Ok::<_, Failure>(standing.show(person, grants))
    });
    added.await
}

fn says(body: &[u8], field: &str, value: &str) -> bool {
    let read: Result<std::collections::BTreeMap<String, String>, _> = minicbor::decode(body);
    read.is_ok_and(|fields| fields.get(field).is_some_and(|found| found == value))
}

fn require_over_all(conn: &mut Conn, standing: &Standing, grants: &[Terms]) -> Result<(), Failure> {
    for terms in grants {
        let path = people::path_of(conn, &terms.scope)?;
        standing.require_over(path.as_deref())?;
    }
    Ok(())
}

/// Refuses a change of somebody who is not as the asker saw them, and holds them as they are until
/// the end of the transaction. To be called once everything else allows the change.
fn require_version(tx: &mut WriteTx<'_>, person: &Person, seen: i64) -> Result<(), Failure> {
    if person.version != seen {
        return Err(Failure::PreconditionFailed {
            current: person.version,
        });
    }
    if people::hold_version(tx, person.id, seen)? {
        return Ok(());
    }
    // Somebody was faster: look again, perhaps it was this very request.
    Err(StoreError::Stale { what: "person" }.into())
}

/// Gives a person who still has version `seen` one more role. Answers the grant, and whether this
/// request did it; one that was taken before is answered whatever version they have now.
///
/// # Errors
/// [`Failure::NotFound`] for people elsewhere; [`Failure::Forbidden`] for others than
/// administrators, and for oneself; out of scope beyond their jurisdiction; [`Failure::IdReused`];
/// [`Failure::PreconditionFailed`]; [`Failure::CertificateTaken`].
pub async fn grant(
    app: &App,
    asker: PersonId,
    person: PersonId,
    seen: i64,
    mut new: NewGrant,
) -> Result<(Grant, bool), Failure> {
    sector_names::put_codes(&app.catalog.now(), &mut new.terms.sectors);
    if !new.id.is_version_7() {
        return Err(Failure::invalid("id", "must be a UUID of version 7"));
    }
    new.terms.check()?;
    let (shared, now) = (app.clone(), app.clock.now());
    let from = new.valid_from.unwrap_or(now);
    if new.valid_until.is_some_and(|until| until <= from) {
        return Err(Failure::invalid("valid_until", "must be after valid_from"));
    }
    let wanted = Grant {
        valid_until: new.valid_until,
        temporary_reason: new.temporary_reason.clone(),
        ..new.terms.clone().granted(new.id, from)
    };
    temporary::check_temporary(&wanted, &app.settings.people)?;
    let granted = app.db.write(move |tx| {
        let standing = Standing::of(tx.conn(), asker, now)?;
        // Asked before the grants are read: what is taken by now must be among those.
        let taken = people::holder_of(tx.conn(), wanted.id)?.is_some();
        let (row, grants) = standing.find(tx.conn(), person)?;
        let path = people::path_of(tx.conn(), &wanted.scope)?;
        standing.require_over(path.as_deref())?;
        if person == asker {
            let why = "nobody gives roles to themselves: another administrator has to";
            return Err(Failure::Forbidden(why.to_owned()));
        }
        if taken || grants.iter().any(|placed| placed.grant.id == new.id) {
            return known_grant(&grants, &new).ok_or(Failure::IdReused);
        }
        if let GrantScope::Jurisdiction(id) = wanted.scope {
            merge_jurisdictions::require_standing(tx.conn(), id)?;
        }
        require_version(tx, &row, seen)?;
        if row.disabled_at.is_some() {
            return Err(Failure::Conflict("this account is disabled".to_owned()));
        }
        if let Some(path) = &path {
            temporary::require_at_home(tx.conn(), &wanted, path, &grants, now)?;
        }
        sector_names::check_grant(tx.conn(), &shared.catalog.now(), &new.terms)?;
        if grants.len() >= MOST_GRANTS {
            let why = format!("this person has had {MOST_GRANTS} grants; that is the limit");
            return Err(Failure::Conflict(why));
        }
        let held = grants.iter().map(|placed| &placed.grant);
        require_narrow(person, held.chain([&wanted]), now)?;
        add_grant(tx, &shared.digest_key, person, &wanted, Some(asker), now)?;
        wake_audit(tx, &shared);
        Ok((wanted.clone(), true))
    });
    granted.await
}

fn known_grant(grants: &[PlacedGrant], new: &NewGrant) -> Option<(Grant, bool)> {
    let known = &grants
        .iter()
        .find(|placed| placed.grant.id == new.id)?
        .grant;
    let asked = Grant {
        valid_until: new.valid_until,
        temporary_reason: new.temporary_reason.clone(),
        ..new.terms.clone().granted(new.id, known.valid_from)
    };
    let same = asked == *known && new.valid_from.is_none_or(|from| from == known.valid_from);
    same.then(|| (known.clone(), false))
}

/// Stores a grant, records it, and announces it to the person's devices. The rules on who may do
/// that are not asked here.
///
/// # Errors
/// [`Failure::CertificateTaken`]; when the database does not answer, or there is no such person or scope.
pub fn add_grant(
    tx: &mut WriteTx<'_>,
    digest_key: &DigestKey,
    person: PersonId,
    grant: &Grant,
    actor: Option<PersonId>,
    now: Timestamp,
) -> Result<(), Failure> {
    sectors::open_for(tx, person, grant, now)?;
    people::bump(tx, person)?;
    people::insert_grant(tx, person, grant).map_err(|error| {
        match error.is_duplicate_in("grants") {
            // Somebody was faster with the same id: look again at whose it is, and what it says.
            true => StoreError::Stale { what: "grant" },
            false => error,
        }
    })?;
    claim_certificate(tx, person, grant)?;
    record_added(tx, person, grant, actor, now)?;
    announce_person(tx, digest_key, person)?;
    Ok(())
}

/// Ends a grant of a person who still has version `seen`, now. One that has ended stays as it is,
/// whatever version they have.
///
/// # Errors
/// [`Failure::NotFound`] for people elsewhere and for grants that are not theirs;
/// [`Failure::Forbidden`]; out of scope; [`Failure::PreconditionFailed`].
pub async fn end_grant(
    app: &App,
    asker: PersonId,
    person: PersonId,
    seen: i64,
    grant: GrantId,
) -> Result<(), Failure> {
    let (shared, now) = (app.clone(), app.clock.now());
    let ended = app.db.write(move |tx| {
        let standing = Standing::of(tx.conn(), asker, now)?;
        let (row, grants) = standing.find(tx.conn(), person)?;
        standing.require_administrator()?;
        let placed = grants.iter().find(|placed| placed.grant.id == grant);
        let placed = placed.ok_or(Failure::NotFound("grant"))?;
        standing.require_over(Some(&placed.path))?;
        if placed.grant.valid_until.is_some_and(|until| until <= now) {
            return Ok(());
        }
        require_version(tx, &row, seen)?;
        if !people::end_grant(tx, grant, now)? {
            return Ok(());
        }
        people::bump(tx, person)?;
        let fields = [("grant_id", grant.to_string())];
        let fields = fields
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        record_event(tx, person, "grant_ended", Some(asker), &fields, now)?;
        announce_person(tx, &shared.digest_key, person)?;
        wake_audit(tx, &shared);
        Ok::<_, Failure>(())
    });
    ended.await
}

/// Ends grants of a person at an instant because somebody else takes them over, records it, and
/// announces it to the person's devices. The rules on who may do that are not asked here.
///
/// # Errors
/// [`StoreError::Stale`] when one of them has ended by then; when the database does not answer.
pub fn hand_over_grants(
    tx: &mut WriteTx<'_>,
    digest_key: &DigestKey,
    person: PersonId,
    (grants, at): (&[GrantId], Timestamp),
    fields: &[(&'static str, String)],
    (actor, now): (PersonId, Timestamp),
) -> Result<(), StoreError> {
    people::bump(tx, person)?;
    for grant in grants {
        if !people::end_grant(tx, *grant, at)? {
            // It ended meanwhile: look again whether there is anything to hand over.
            return Err(StoreError::Stale { what: "grant" });
        }
        let id = ("grant_id", grant.to_string());
        let fields: Vec<(&str, &str)> = std::iter::once(&id)
            .chain(fields)
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        record_event(tx, person, "grant_handed_over", Some(actor), &fields, now)?;
    }
    announce_person(tx, digest_key, person)?;
    Ok(())
}

/// Disables the account of a person who still has version `seen`, and ends its sessions. One that is
/// disabled stays so, whatever its version.
///
/// # Errors
/// [`Failure::NotFound`] for people elsewhere; [`Failure::Forbidden`] when they hold any role
/// that the asker does not administer; [`Failure::Conflict`] for oneself;
/// [`Failure::PreconditionFailed`].
pub async fn disable(
    app: &App,
    asker: PersonId,
    person: PersonId,
    seen: i64,
    reason: &str,
) -> Result<PersonView, Failure> {
    text::required("reason", reason, SHORT_TEXT_MAX)?;
    let (shared, now, reason) = (app.clone(), app.clock.now(), reason.to_owned());
    let disabled = app.db.write(move |tx| {
        let standing = Standing::of(tx.conn(), asker, now)?;
        let (row, grants) = standing.find(tx.conn(), person)?;
        standing.require_all_of(&grants)?;
        if person == asker {
            let why = "another administrator has to disable your own account";
            return Err(Failure::Conflict(why.to_owned()));
        }
        if row.disabled_at.is_some() {
            return Ok(standing.show(row, grants));
        }
        require_version(tx, &row, seen)?;
        let ended = disable_in(tx, &shared.digest_key, person, Some(asker), &reason, now)?;
        session::void_after_commit(tx, &shared, ended, now);
        wake_audit(tx, &shared);
        let (row, grants) = standing.find(tx.conn(), person)?;
        Ok(standing.show(row, grants))
    });
    disabled.await
}

/// Disables an account, records it, revokes its devices, and ends its sessions, which it answers. The rules on who may
/// do that are not asked here.
///
/// # Errors
/// When the database does not answer.
pub fn disable_in(
    tx: &mut WriteTx<'_>,
    digest_key: &DigestKey,
    person: PersonId,
    actor: Option<PersonId>,
    reason: &str,
    now: Timestamp,
) -> Result<Vec<Uuid>, StoreError> {
    if !people::disable(tx, person, now)? {
        return Ok(Vec::new());
    }
    people::bump(tx, person)?;
    certificates::release(tx, person)?;
    record_event(
        tx,
        person,
        "person_disabled",
        actor,
        &[("reason", reason)],
        now,
    )?;
    devices::revoke_all_of(tx, person, actor, "account_disabled", now)?;
    let ended = session::end_in(
        tx,
        Ending::OfPerson(person),
        person,
        actor,
        "account_disabled",
        now,
    )?;
    announce_person(tx, digest_key, person)?;
    Ok(ended)
}

/// Replaces a password, records that it was done, and ends all sessions, which it answers. The
/// rules on who may do that are not asked here.
///
/// # Errors
/// When the database does not answer.
pub fn set_password_in(
    tx: &mut WriteTx<'_>,
    person: PersonId,
    password_hash: &str,
    actor: Option<PersonId>,
    now: Timestamp,
) -> Result<Vec<Uuid>, StoreError> {
    people::set_password(tx, person, password_hash)?;
    record_event(tx, person, "password_changed", actor, &[], now)?;
    session::end_in(
        tx,
        Ending::OfPerson(person),
        person,
        actor,
        "password_changed",
        now,
    )
}
