//! People: registering, granting, disabling, and who may see and administer whom.

mod breadth;
mod changes;
mod merged;
mod recorded;
mod standing;
mod temporary;
mod terms;

#[cfg(test)]
mod tests;

use hazardloop_domain::access::{Grant, GrantScope, PersonRecord};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{GrantId, PersonId};
use hazardloop_domain::text;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};
use serde::Serialize;
use uuid::Uuid;

use crate::app::App;
use crate::entropy::Entropy;
use crate::failure::Failure;
use crate::settings::SignIn;
use crate::store::events::{self, NewEvent};
use crate::store::feed::{self, Announced};
use crate::store::people::{self, PeopleList, Person, PlacedGrant};
use crate::store::{StoreError, WriteTx, certificates};
use crate::usecases::sign_in::password::{self, Password};
use crate::usecases::sign_in::session::LONGEST_LOGIN;
use crate::usecases::{merge_jurisdictions, sectors};

pub use crate::store::people::OfWhom;
pub use breadth::require_narrow;
pub use changes::{
    NewGrant, PersonRequest, add_grant, create, disable, disable_in, end_grant, grant,
    hand_over_grants, set_password_in,
};
pub use merged::move_grants;
pub use standing::Standing;
pub use temporary::{check_temporary, require_at_home};
pub use terms::{LONGEST_CERTIFICATE, MOST_SECTORS, Terms};

/// Grants that one person may hold, past ones counted.
pub const MOST_GRANTS: usize = 200;

/// The longest name, in characters.
pub const LONGEST_NAME: usize = 100;

/// The longest telephone number, in characters.
pub const LONGEST_PHONE: usize = 32;

/// Somebody about to get an account. The rules on who may do that are not asked here.
#[derive(Clone)]
pub struct NewPerson {
    /// Who.
    pub id: PersonId,
    /// The name by which they sign in.
    pub login: String,
    /// Their name.
    pub name: String,
    /// Where to reach them.
    pub phone: Option<String>,
    /// See [`hash_password`].
    pub password_hash: String,
    /// What they are, from now on.
    pub grants: Vec<Terms>,
}

/// A person as others see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PersonView {
    /// Who.
    pub id: PersonId,
    /// The name by which they sign in.
    #[schema(example = "wang.fang")]
    pub login: String,
    /// Their name.
    #[schema(example = "王芳")]
    pub name: String,
    /// Where to reach them; for themselves and their administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Since when the account may not be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<Timestamp>,
    /// Their grants, as far as the asker answers for the same places; past ones too.
    pub grants: Vec<Grant>,
    /// Counts changes.
    pub version: i64,
}

/// The PHC string of a password, computed on this thread.
///
/// # Errors
/// When the password breaks the rules.
pub fn hash_password(
    settings: &SignIn,
    entropy: &Entropy,
    password: &str,
) -> Result<String, Failure> {
    let password = Password::from(password.to_owned());
    password.check_rules()?;
    password::hash(&password::params(settings)?, &password, entropy.bytes())
}

/// Creates an account with its grants, records that, and announces it to the person's devices.
///
/// # Errors
/// [`Failure::Invalid`] for a field, and for standing grants in two districts; [`Failure::Conflict`]
/// when the login is taken; [`Failure::CertificateTaken`]; [`Failure::IdReused`] when the id is; [`Failure::NotFound`] for an unknown scope.
pub fn register(
    tx: &mut WriteTx<'_>,
    digest_key: &DigestKey,
    new: NewPerson,
    actor: Option<PersonId>,
    now: Timestamp,
) -> Result<PersonRecord, Failure> {
    check_fields(&new.login, &new.name, new.phone.as_deref(), &new.grants)?;
    let granted = |terms: &Terms| terms.clone().granted(GrantId(Uuid::nil()), now);
    let granted: Vec<Grant> = new.grants.iter().map(granted).collect();
    require_narrow(new.id, &granted, now)?;
    if people::by_id(tx.conn(), new.id)?.is_some() {
        return Err(Failure::IdReused);
    }
    if let Some(holder) = people::by_login(tx.conn(), &new.login)? {
        // Stored between the two questions, which see each what is committed by then.
        if holder.id == new.id {
            return Err(Failure::IdReused);
        }
        let taken = "somebody else signs in by this login";
        return Err(Failure::Conflict(taken.to_owned()));
    }
    let request = request_digest(&new.login, &new.name, new.phone.as_deref(), &new.grants);
    let person = Person {
        id: new.id,
        login: new.login,
        name: new.name,
        phone: new.phone,
        password_hash: new.password_hash,
        created_at: now,
        disabled_at: None,
        version: 1,
    };
    people::insert(tx, &person).map_err(|error| match error.is_duplicate_in("people") {
        // Somebody was faster with the same id or login: look again at which it is.
        true => StoreError::Stale { what: "person" },
        false => error,
    })?;
    let mut given = Vec::new();
    for terms in new.grants {
        let path = people::path_of(tx.conn(), &terms.scope)?.ok_or(Failure::NotFound("scope"))?;
        if let GrantScope::Jurisdiction(id) = terms.scope {
            merge_jurisdictions::require_standing(tx.conn(), id)?;
        }
        let grant = first_grant(person.id, terms, now);
        require_at_home(tx.conn(), &grant, &path, &given, now).map_err(
            |failure| match failure {
                Failure::Invalid { why, .. } => Failure::invalid("grants", why),
                other => other,
            },
        )?;
        sectors::open_for(tx, person.id, &grant, now)?;
        people::insert_grant(tx, person.id, &grant)?;
        claim_certificate(tx, person.id, &grant)?;
        given.push(PlacedGrant {
            person_id: person.id,
            grant,
            path,
        });
    }
    let fields = [
        ("login", person.login.as_str()),
        ("request", &request.to_string()),
    ];
    record_event(tx, person.id, "person_added", actor, &fields, now)?;
    Ok(announce_person(tx, digest_key, person.id)?)
}

/// Refuses a certificate that another account acts by: two accounts of one inspector would count as two
/// inspectors. Past grants count, for what was decided by them stands; those of disabled accounts do not.
fn claim_certificate(tx: &mut WriteTx<'_>, person: PersonId, grant: &Grant) -> Result<(), Failure> {
    let Some(certificate) = &grant.certificate else {
        return Ok(());
    };
    match certificates::claim(tx, &certificate.number, person)? {
        true => Ok(()),
        false => Err(Failure::CertificateTaken),
    }
}

/// A grant that somebody has from the beginning. Its id follows from what it says, so that a
/// repeated request makes the same one.
fn first_grant(person: PersonId, terms: Terms, now: Timestamp) -> Grant {
    let (kind, over) = match terms.scope {
        GrantScope::Enterprise(id) => ("enterprise", id.0),
        GrantScope::Jurisdiction(id) => ("jurisdiction", id.0),
    };
    let name = Digest::sha256_of_parts(&[
        b"hazardloop first grant",
        person.as_bytes(),
        terms.role.as_str().as_bytes(),
        kind.as_bytes(),
        over.as_bytes(),
    ]);
    let mut tail = [0; 10];
    tail.iter_mut()
        .zip(name.as_bytes())
        .for_each(|(to, from)| *to = *from);
    let ms = u64::try_from(now.as_millis()).unwrap_or_default();
    let id = uuid::Builder::from_unix_timestamp_millis(ms, &tail).into_uuid();
    terms.granted(GrantId(id), now)
}

fn check_fields(
    login: &str,
    name: &str,
    phone: Option<&str>,
    grants: &[Terms],
) -> Result<(), Failure> {
    text::required("login", login, LONGEST_LOGIN)?;
    if login.chars().any(char::is_whitespace) {
        return Err(Failure::invalid("login", "holds white space"));
    }
    text::required("name", name, LONGEST_NAME)?;
    text::optional("phone", phone, LONGEST_PHONE)?;
    if grants.len() > MOST_GRANTS {
        return Err(Failure::invalid(
            "grants",
            format!("more than {MOST_GRANTS}"),
        ));
    }
    for (place, terms) in grants.iter().enumerate() {
        terms.check()?;
        let same = |other: &Terms| (other.role, other.scope) == (terms.role, terms.scope);
        if grants.iter().take(place).any(same) {
            return Err(Failure::invalid(
                "grants",
                "the same role twice over the same scope",
            ));
        }
    }
    Ok(())
}

/// What makes two requests to register the same person the same request, but for the password.
fn request_digest(login: &str, name: &str, phone: Option<&str>, grants: &[Terms]) -> Digest {
    let grants: Vec<String> = grants.iter().map(Terms::described).collect();
    let grants = grants.join("\n");
    let phone = phone.map_or_else(|| "-".to_owned(), |phone| format!("+{phone}"));
    Digest::sha256_of_parts(&[
        login.as_bytes(),
        name.as_bytes(),
        phone.as_bytes(),
        grants.as_bytes(),
    ])
}

/// CBOR of an event whose body is a map of texts.
fn event_body(fields: &[(&str, &str)]) -> Vec<u8> {
    let fields: std::collections::BTreeMap<&str, &str> = fields.iter().copied().collect();
    minicbor::to_vec(fields).unwrap_or_default()
}

/// An event about something that is not decided on by the rules: a person, a device, a key, the server.
pub(super) struct Occurrence<'a> {
    /// What kind of thing it is about, and which.
    pub(super) subject: (&'a str, &'a Uuid),
    /// What happened.
    pub(super) kind: &'a str,
    /// Who did it; `None`: the server.
    pub(super) actor: Option<PersonId>,
    /// What more there is to say.
    pub(super) fields: &'a [(&'a str, &'a str)],
}

impl Occurrence<'_> {
    /// Appends it to the history of its subject.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) fn record(self, tx: &mut WriteTx<'_>, now: Timestamp) -> Result<(), StoreError> {
        let (subject_kind, subject_id) = self.subject;
        let event = NewEvent {
            subject_kind,
            subject_id,
            kind: self.kind,
            actor: self.actor,
            recorded_at: now,
            body: &event_body(self.fields),
        };
        events::append(tx, event)?;
        Ok(())
    }
}

/// Appends to the person's history.
///
/// # Errors
/// When the database does not answer.
pub(super) fn record_event(
    tx: &mut WriteTx<'_>,
    person: PersonId,
    kind: &str,
    actor: Option<PersonId>,
    fields: &[(&str, &str)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let occurrence = Occurrence {
        subject: ("person", &person.0),
        kind,
        actor,
        fields,
    };
    occurrence.record(tx, now)
}

/// Has the audit chain extended once this is stored.
pub(super) fn wake_audit(tx: &mut WriteTx<'_>, app: &App) {
    let app = app.clone();
    tx.after_commit(Box::new(move || app.events_wake.notify_one()));
}

/// Tells the person's own devices what they are now.
fn announce_person(
    tx: &mut WriteTx<'_>,
    digest_key: &DigestKey,
    id: PersonId,
) -> Result<PersonRecord, StoreError> {
    let row = people::by_id(tx.conn(), id)?.ok_or(StoreError::Missing)?;
    let record = people::record(tx.conn(), id)?.ok_or(StoreError::Missing)?;
    let body = minicbor::to_vec(&record).unwrap_or_default();
    let announced = Announced {
        kind: RecordKind::Person,
        id: &id.0,
        version: record.version,
        body: &body,
        created_at: row.created_at,
    };
    feed::put(tx, digest_key, &[Scope::Person(id)], announced)?;
    Ok(record)
}

/// People that `asker` may see, with ids after `after`, at most `limit` (and no more than a page
/// of the settings).
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    app: &App,
    asker: PersonId,
    of_whom: OfWhom,
    after: Option<PersonId>,
    limit: usize,
) -> Result<Vec<PersonView>, Failure> {
    let now = app.clock.now();
    let limit = i64::try_from(limit.min(app.settings.http.page_rows)).unwrap_or(i64::MAX);
    let listed = app.db.read(move |tx| {
        let standing = Standing::of(tx.conn(), asker, now)?;
        let found = people::in_view(
            tx.conn(),
            &PeopleList {
                view: &standing.view_of(of_whom),
                of_whom,
                now,
                after: after.map_or_else(Vec::new, |id| id.as_bytes().to_vec()),
                limit,
            },
        )?;
        let ids: Vec<PersonId> = found.iter().map(|person| person.id).collect();
        let grants = people::grants_of(tx.conn(), &ids)?;
        Ok::<_, Failure>(
            found
                .into_iter()
                .map(|person| {
                    let theirs = |placed: &&PlacedGrant| placed.person_id == person.id;
                    let theirs = grants.iter().filter(theirs).cloned().collect();
                    standing.show(person, theirs)
                })
                .collect(),
        )
    });
    listed.await
}

/// One person, if `asker` may see them.
///
/// # Errors
/// [`Failure::NotFound`] for people elsewhere as for nobody.
pub async fn one(app: &App, asker: PersonId, id: PersonId) -> Result<PersonView, Failure> {
    let now = app.clock.now();
    let found = app.db.read(move |tx| {
        let standing = Standing::of(tx.conn(), asker, now)?;
        let (person, grants) = standing.find(tx.conn(), id)?;
        Ok::<_, Failure>(standing.show(person, grants))
    });
    found.await
}
