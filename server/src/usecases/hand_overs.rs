//! Hand-overs (人员变动交接): the roles of one person end and another holds the same from that instant
//! on, in one transaction. What was the predecessor's to do shows at the successor's devices with their
//! next pull, because scopes follow grants; what the predecessor did offline before is taken or kept for
//! a person to decide, as after every other reassignment. The predecessor's places on the teams of planned
//! inspections go along ([`hand_over_teams`]).
//!
//! Who may: an administrator or department head over all that is handed over; a principal, for roles in
//! the own enterprise. Administrators' roles are handed over by administrators alone, nobody makes
//! themselves the successor, and a certificate stays with whose it is: an inspector who takes over acts
//! by their own, where they hold one.

use std::collections::{BTreeMap, BTreeSet};

use hazardloop_domain::access::{Certificate, Grant, GrantScope, Role};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{GrantId, PersonId};
use hazardloop_domain::operations::{Operation, granted_by};
use hazardloop_domain::refusal::{Refusal, RefusalCode};
use hazardloop_domain::text::{self, SHORT_TEXT_MAX};
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use super::hand_over_teams;
use super::people::{self, MOST_GRANTS, OfWhom, Standing, wake_audit};
use crate::app::App;
use crate::failure::Failure;
use crate::store::hand_overs::{self, HandOver, Seen};
use crate::store::people::{self as stored, PlacedGrant};
use crate::store::{Conn, StoreError, WriteTx, lists};

/// A request to hand over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewHandOver {
    /// Made by the asker, UUIDv7; the same id again is the same request again.
    pub id: Uuid,
    /// Whose roles.
    pub from_person: PersonId,
    /// To whom.
    pub to_person: PersonId,
    /// Which of them; `None`: all that hold then.
    pub grants: Option<Vec<GrantId>>,
    /// Why.
    pub reason: String,
    /// From when on; absent: from now.
    pub effective_at: Option<Timestamp>,
}

impl NewHandOver {
    fn digest(&self, asker: PersonId) -> Digest {
        let grants = self.grants.as_ref().map(|grants| {
            let ids: Vec<String> = grants.iter().map(ToString::to_string).collect();
            ids.join(",")
        });
        let at = self.effective_at.map(|at| at.as_millis().to_string());
        Digest::sha256_of_parts(&[
            asker.as_bytes(),
            self.from_person.as_bytes(),
            self.to_person.as_bytes(),
            grants.as_deref().unwrap_or("all").as_bytes(),
            self.reason.as_bytes(),
            at.as_deref().unwrap_or("now").as_bytes(),
        ])
    }

    fn check(&self, now: Timestamp) -> Result<(), Failure> {
        if self.id.get_version_num() != 7 {
            return Err(Failure::invalid("id", "must be a UUID of version 7"));
        }
        if self.from_person == self.to_person {
            return Err(Failure::invalid("to_person", "is the same person"));
        }
        let grants = self.grants.as_deref();
        if grants.is_some_and(|grants| grants.is_empty() || grants.len() > MOST_GRANTS) {
            let why = format!("name 1 to {MOST_GRANTS}, or leave it out for all");
            return Err(Failure::invalid("grants", why));
        }
        if self.effective_at.is_some_and(|at| at < now) {
            return Err(Failure::invalid("effective_at", "must not be in the past"));
        }
        Ok(text::required("reason", &self.reason, SHORT_TEXT_MAX)?)
    }
}

/// Hands over. Answers what was done, and whether this request (and not an earlier one) did it.
///
/// # Errors
/// [`Failure::NotFound`] for people who are not the asker's to see; [`Failure::Forbidden`] without the
/// role; out of scope for roles beyond the asker's own place; [`Failure::IdReused`];
/// [`Failure::Conflict`] when there is nothing to hand over, a grant is handed over already, or the
/// successor's account is disabled.
pub async fn make(
    app: &App,
    asker: PersonId,
    new: NewHandOver,
) -> Result<(HandOver, bool), Failure> {
    let (app, now) = (app.clone(), app.clock.now());
    app.clone()
        .db
        .write(move |tx| make_in(&app, tx, asker, &new, now))
        .await
}

fn make_in(
    app: &App,
    tx: &mut WriteTx<'_>,
    asker: PersonId,
    new: &NewHandOver,
    now: Timestamp,
) -> Result<(HandOver, bool), Failure> {
    let request = new.digest(asker);
    if let Some(known) = hand_overs::one(tx.conn(), new.id)? {
        return match known.request == request {
            true => Ok((known, false)),
            false => Err(Failure::IdReused),
        };
    }
    new.check(now)?;
    let own = handing(tx.conn(), asker, now)?;
    if own.is_empty() {
        let why = "administrators, department heads and principals hand over";
        return Err(Failure::Forbidden(why.to_owned()));
    }
    if new.to_person == asker {
        let why = "nobody makes themselves the successor";
        return Err(Failure::Forbidden(why.to_owned()));
    }
    // Before anything is read of them: of two who hand over the same role, the later sees what the
    // first one did.
    stored::hold_all(tx, &[new.from_person, new.to_person])?;
    let standing = Standing::of(tx.conn(), asker, now)?;
    let (_, held) = standing.find(tx.conn(), new.from_person)?;
    let (successor, theirs) = standing.find(tx.conn(), new.to_person)?;
    if successor.disabled_at.is_some() {
        let why = "the successor's account is disabled";
        return Err(Failure::Conflict(why.to_owned()));
    }
    let at = new.effective_at.unwrap_or(now);
    let ids: Vec<GrantId> = held.iter().map(|placed| placed.grant.id).collect();
    let gone = hand_overs::handed_over(tx.conn(), &ids)?;
    let chosen = chosen(new, &held, &gone, at)?;
    for placed in &chosen {
        require(&own, placed)?;
    }
    let gives = Gives {
        app,
        new,
        asker,
        at,
        now,
    };
    let made = HandOver {
        id: new.id,
        from_person: new.from_person,
        to_person: new.to_person,
        reason: new.reason.clone(),
        effective_at: at,
        made_by: asker,
        made_at: now,
        request,
        grants: gives.all(tx, &chosen, &theirs)?,
        inspections: Vec::new(),
    };
    let insert = hand_overs::insert(tx, &made);
    insert.map_err(|error| {
        let taken = |table| error.is_duplicate_in(table);
        match taken("hand_overs") || taken("hand_over_grants") {
            // Somebody was faster with the same id or grant: look again at what it says.
            true => StoreError::Stale { what: "hand-over" },
            false => error,
        }
    })?;
    hand_over_teams::begin(app, tx, &made, now)?;
    wake_audit(tx, app);
    let made = hand_overs::one(tx.conn(), new.id)?.ok_or(StoreError::Missing)?;
    Ok((made, true))
}

/// The grants by which somebody may hand over.
fn handing(conn: &mut Conn, asker: PersonId, now: Timestamp) -> Result<Vec<PlacedGrant>, Failure> {
    let person = stored::by_id(conn, asker)?;
    if person.is_none_or(|person| person.disabled_at.is_some()) {
        return Ok(Vec::new());
    }
    let mut own = stored::grants_of(conn, &[asker])?;
    let roles = Operation::HandOver.roles();
    own.retain(|placed| placed.grant.holds_at(now) && roles.contains(&placed.grant.role));
    Ok(own)
}

/// What of `held` is handed over. `gone`: what of it stands as handed over already, if only from a
/// later instant on.
fn chosen(
    new: &NewHandOver,
    held: &[PlacedGrant],
    gone: &BTreeSet<GrantId>,
    at: Timestamp,
) -> Result<Vec<PlacedGrant>, Failure> {
    let lasts = |placed: &&PlacedGrant| placed.grant.valid_until.is_none_or(|until| until > at);
    let Some(wanted) = &new.grants else {
        let left = held
            .iter()
            .filter(|placed| !gone.contains(&placed.grant.id));
        let all: Vec<PlacedGrant> = left.filter(lasts).cloned().collect();
        return match all.is_empty() {
            true => Err(Failure::Conflict("no role is left to hand over".to_owned())),
            false => Ok(all),
        };
    };
    let find = |id: &GrantId| {
        let found = held.iter().find(|placed| placed.grant.id == *id);
        let found = found.ok_or(Failure::NotFound("grant"))?;
        if gone.contains(id) {
            let why = format!("grant {id} is handed over already");
            return Err(Failure::Conflict(why));
        }
        match lasts(&found) {
            true => Ok(found.clone()),
            false => Err(Failure::Conflict(format!("grant {id} has ended by then"))),
        }
    };
    wanted.iter().map(find).collect()
}

/// Refuses a grant that none of the asker's own reaches.
fn require(own: &[PlacedGrant], placed: &PlacedGrant) -> Result<(), Failure> {
    let of_administrators = placed.grant.role == Role::Administrator;
    let reaches = |mine: &PlacedGrant| match mine.grant.scope {
        GrantScope::Enterprise(id) => placed.grant.scope == GrantScope::Enterprise(id),
        GrantScope::Jurisdiction(_) => placed.path.starts_with(&mine.path),
    };
    let within = |mine: &PlacedGrant| {
        let limited = &mine.grant.sectors;
        let theirs = &placed.grant.sectors;
        limited.is_empty()
            || (!theirs.is_empty() && theirs.iter().all(|sector| limited.contains(sector)))
    };
    let may = |mine: &&PlacedGrant| {
        !of_administrators || granted_by(Role::Administrator).contains(&mine.grant.role)
    };
    let enough = |mine: &PlacedGrant| reaches(mine) && within(mine);
    if own.iter().filter(may).any(enough) {
        return Ok(());
    }
    let rule = "this role reaches beyond what you may hand over";
    Err(Refusal::new(RefusalCode::OutOfScope, rule).into())
}

struct Gives<'a> {
    app: &'a App,
    new: &'a NewHandOver,
    asker: PersonId,
    at: Timestamp,
    now: Timestamp,
}

impl Gives<'_> {
    /// Ends the grants and gives their like; answers which for which.
    fn all(
        &self,
        tx: &mut WriteTx<'_>,
        chosen: &[PlacedGrant],
        theirs: &[PlacedGrant],
    ) -> Result<Vec<(GrantId, GrantId)>, Failure> {
        if theirs.len().saturating_add(chosen.len()) > MOST_GRANTS {
            let why = format!("the successor would have had more than {MOST_GRANTS} grants");
            return Err(Failure::Conflict(why));
        }
        let together = theirs.iter().chain(chosen).map(|placed| &placed.grant);
        people::require_narrow(self.new.to_person, together, self.now)?;
        let mut pairs = Vec::with_capacity(chosen.len());
        let mut with_given = theirs.to_vec();
        for placed in chosen {
            let given = Grant {
                id: GrantId(self.app.entropy.uuid_v7(self.now)),
                valid_from: placed.grant.valid_from.max(self.at),
                certificate: self.certificate(theirs, placed.grant.role),
                ..placed.grant.clone()
            };
            let (key, to) = (&self.app.digest_key, self.new.to_person);
            let (path, now) = (&placed.path, self.now);
            people::require_at_home(tx.conn(), &given, path, &with_given, now)?;
            people::add_grant(tx, key, to, &given, Some(self.asker), now)?;
            pairs.push((placed.grant.id, given.id));
            with_given.push(PlacedGrant {
                person_id: to,
                grant: given,
                path: path.clone(),
            });
        }
        let ended: Vec<GrantId> = pairs.iter().map(|(ended, _)| *ended).collect();
        let fields = [
            ("hand_over_id", self.new.id.to_string()),
            ("to_person", self.new.to_person.to_string()),
            ("reason", self.new.reason.clone()),
            ("effective_at", self.at.to_string()),
        ];
        let (key, from) = (&self.app.digest_key, self.new.from_person);
        let by = (self.asker, self.now);
        people::hand_over_grants(tx, key, from, (&ended, self.at), &fields, by)?;
        Ok(pairs)
    }

    /// The successor's own certificate.
    fn certificate(&self, theirs: &[PlacedGrant], role: Role) -> Option<Certificate> {
        let held = theirs
            .iter()
            .filter(|placed| placed.grant.holds_at(self.now));
        held.filter(|_| role == Role::Inspector)
            .find_map(|placed| placed.grant.certificate.clone())
    }
}

/// One hand-over, for those who took part in it and those who see either person.
///
/// # Errors
/// [`Failure::NotFound`] for everybody else.
pub async fn one(app: &App, asker: PersonId, id: Uuid) -> Result<HandOver, Failure> {
    let now = app.clock.now();
    app.db
        .read(move |tx| {
            let unknown = || Failure::NotFound("hand-over");
            let mut found = hand_overs::one(tx.conn(), id)?.ok_or_else(unknown)?;
            // Somebody's enterprise, which sees them too, does not learn where visits are planned.
            let took_part = [found.made_by, found.from_person, found.to_person];
            if !took_part.contains(&asker) && !is_of_authority(tx.conn(), asker, now)? {
                found.inspections.clear();
            }
            let standing = Standing::of(tx.conn(), asker, now)?;
            match may_see(tx.conn(), &standing, asker, &found)? {
                true => Ok(found),
                false => Err(unknown()),
            }
        })
        .await
}

/// Whether they hold a role over a jurisdiction now.
fn is_of_authority(conn: &mut Conn, asker: PersonId, now: Timestamp) -> Result<bool, Failure> {
    let held = stored::grants_of(conn, &[asker])?;
    Ok(held.iter().any(|placed| {
        let grant = &placed.grant;
        grant.holds_at(now) && matches!(grant.scope, GrantScope::Jurisdiction(_))
    }))
}

fn may_see(
    conn: &mut Conn,
    standing: &Standing,
    asker: PersonId,
    made: &HandOver,
) -> Result<bool, Failure> {
    if [made.made_by, made.from_person, made.to_person].contains(&asker) {
        return Ok(true);
    }
    for person in [made.from_person, made.to_person] {
        match standing.find(conn, person) {
            Ok(_) => return Ok(true),
            Err(failure) if failure.is_not_found() => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(false)
}

/// The present names of those who took part in these hand-overs, for whoever sees the hand-overs.
///
/// # Errors
/// When the database does not answer.
pub async fn names(app: &App, made: &[HandOver]) -> Result<BTreeMap<PersonId, String>, Failure> {
    let people = made
        .iter()
        .flat_map(|made| [made.from_person, made.to_person, made.made_by]);
    let ids: BTreeSet<PersonId> = people.collect();
    let bytes: Vec<Vec<u8>> = ids.iter().map(|id| id.as_bytes().to_vec()).collect();
    let names = app
        .db
        .read(move |tx| lists::names_of_people(tx.conn(), &bytes))
        .await?;
    let of = |(id, name): (Vec<u8>, String)| Some((PersonId::from_slice(&id)?, name));
    Ok(names.into_iter().filter_map(of).collect())
}

/// Hand-overs before `before` that `asker` may see, newest first, at most `limit`; and where to go on.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    app: &App,
    asker: PersonId,
    before: Option<Uuid>,
    limit: usize,
) -> Result<(Vec<HandOver>, Option<Uuid>), Failure> {
    let now = app.clock.now();
    // One more than is shown tells whether there is more.
    let rows = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
    let found = app.db.read(move |tx| {
        let standing = Standing::of(tx.conn(), asker, now)?;
        let seen = Seen {
            person_id: asker,
            holding: standing.view_of(OfWhom::HoldsARole),
            held: standing.view_of(OfWhom::HeldARole),
            now,
        };
        hand_overs::newest(tx.conn(), &seen, before, rows)
    });
    let mut found = found.await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|made| made.id);
    Ok((found, next))
}
