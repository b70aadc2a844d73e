//! `hazardloop user`: accounts, for whoever runs the server: the first administrator, and help
//! for those who are locked out.

use std::io::{BufRead, Read as _, Write};

use clap::{Args, Subcommand};
use hazardloop_domain::access::{Certificate, Grant, GrantScope, Role};
use hazardloop_domain::ids::GrantId;
use hazardloop_domain::time::{LocalDate, Timestamp};
use zeroize::Zeroizing;

use super::TaskError;
use crate::entropy::Entropy;
use crate::failure::Failure;
use crate::settings::{PeopleLimits, SignIn};
use crate::store::Db;
use crate::store::people::{self as stored, Person};
use crate::usecases::catalog::Snapshot;
use crate::usecases::merge_jurisdictions;
use crate::usecases::people::{self, Terms};
use crate::usecases::sector_names;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Bytes of standard input that are read for a password.
const MOST_INPUT: u64 = 4_096;

/// People listed at once; more come in further rounds.
const LISTED_AT_ONCE: i64 = 500;

/// What to do about accounts.
#[derive(Debug, Subcommand)]
pub enum UserTask {
    /// Add a person.
    Add(Add),
    /// List everybody.
    List,
    /// Give a person one more role.
    Grant(GrantRole),
    /// Disable an account and end its sessions.
    Disable(Disable),
    /// Set a new password and end all sessions.
    Password(NewPassword),
}

/// See [`UserTask::Add`].
#[derive(Debug, Args)]
pub struct Add {
    /// The name by which they will sign in.
    pub login: String,
    /// Their name.
    #[arg(long)]
    pub name: String,
    /// Where to reach them.
    #[arg(long)]
    pub phone: Option<String>,
    /// ROLE:ID, the role and the enterprise or jurisdiction that it is held over; may be repeated.
    /// For experts and insurers, of either: ROLE:enterprise/ID or ROLE:jurisdiction/ID.
    #[arg(long = "grant", value_parser = parse_role_over)]
    pub grants: Vec<(Role, GrantScope)>,
    /// What limits them, and by what an inspector acts.
    #[command(flatten)]
    pub within: Within,
    /// Read the password from the first line of standard input; otherwise one is made up and
    /// printed.
    #[arg(long)]
    pub password_stdin: bool,
}

/// See [`UserTask::Grant`].
#[derive(Debug, Args)]
pub struct GrantRole {
    /// Who.
    pub login: String,
    /// ROLE:ID, the role and the enterprise or jurisdiction that it is held over.
    #[arg(value_parser = parse_role_over)]
    pub role: (Role, GrantScope),
    /// What limits it, and by what an inspector acts.
    #[command(flatten)]
    pub within: Within,
    /// Until when (RFC 3339); open-ended when absent.
    #[arg(long, value_parser = Timestamp::parse)]
    pub until: Option<Timestamp>,
    /// Why it is held away from home for a time; then it needs an end.
    #[arg(long)]
    pub temporary_reason: Option<String>,
}

/// What limits grants, and by what an inspector acts.
#[derive(Debug, Args)]
pub struct Within {
    /// A sector (监管行业) that roles over jurisdictions are limited to; may be repeated.
    #[arg(long = "sector")]
    pub sectors: Vec<String>,
    /// Number of the certificate by which an inspector acts.
    #[arg(long)]
    pub certificate: Option<String>,
    /// The last day on which it is valid (YYYY-MM-DD); no end when absent.
    #[arg(long, requires = "certificate")]
    pub certificate_until: Option<LocalDate>,
}

impl Within {
    fn terms(&self, (role, scope): (Role, GrantScope), catalog: &Snapshot) -> Terms {
        let mut sectors = self.sectors.clone();
        sector_names::put_codes(catalog, &mut sectors);
        let over_jurisdiction = matches!(scope, GrantScope::Jurisdiction(_));
        let certificate = self.certificate.clone().filter(|_| role == Role::Inspector);
        Terms {
            sectors: match over_jurisdiction {
                true => sectors,
                false => Vec::new(),
            },
            certificate: certificate.map(|number| Certificate {
                number,
                valid_to: self.certificate_until,
            }),
            ..Terms::from((role, scope))
        }
    }
}

/// See [`UserTask::Disable`].
#[derive(Debug, Args)]
pub struct Disable {
    /// Who.
    pub login: String,
    /// For the record.
    #[arg(long)]
    pub reason: String,
}

/// See [`UserTask::Password`].
#[derive(Debug, Args)]
pub struct NewPassword {
    /// Whose.
    pub login: String,
    /// As for `add`.
    #[arg(long)]
    pub password_stdin: bool,
}

fn parse_role_over(text: &str) -> Result<(Role, GrantScope), String> {
    let form = "expected ROLE:UUID, such as inspector:019a8c5e-5f00-7a10-9d31-0a4b7c2e9f10";
    let (role, id) = text.split_once(':').ok_or(form)?;
    let roles = Role::ALL.map(Role::as_str).join(", ");
    let role = Role::from_name(role).ok_or_else(|| format!("the role is one of {roles}"))?;
    let (kind, id) = match id.split_once('/') {
        Some((kind, id)) => (kind, id),
        None if role.is_of_enterprise() => ("enterprise", id),
        None => ("jurisdiction", id),
    };
    let scope = match kind {
        "enterprise" => GrantScope::Enterprise(id.parse().map_err(|_| form)?),
        "jurisdiction" => GrantScope::Jurisdiction(id.parse().map_err(|_| form)?),
        _ => return Err(form.to_owned()),
    };
    if !role.may_be_held_over(scope) {
        return Err(format!("{} is not held over {kind}s", role.as_str()));
    }
    Ok((role, scope))
}

/// What the tasks work with.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The database.
    pub db: &'a Db,
    /// Cost of password hashes.
    pub sign_in: &'a SignIn,
    /// Rules on people and their roles.
    pub people: &'a PeopleLimits,
    /// The present instant.
    pub now: Timestamp,
    /// Ids and passwords.
    pub entropy: &'a Entropy,
}

/// Does it, and says what was done.
///
/// # Errors
/// [`Failure::NotFound`] for an unknown login or scope; as the use cases; when nobody listens.
pub fn run(
    context: Context<'_>,
    task: UserTask,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> Result<(), TaskError> {
    let said = match task {
        UserTask::Add(add) => context.add(add, input)?,
        UserTask::List => return context.list(out),
        UserTask::Grant(grant) => context.grant(grant)?,
        UserTask::Disable(disable) => context.disable(disable)?,
        UserTask::Password(password) => context.password(password, input)?,
    };
    writeln!(out, "{said}").map_err(TaskError::io("writing what was done"))
}

impl Context<'_> {
    fn add(self, add: Add, input: &mut dyn BufRead) -> Result<String, TaskError> {
        let (password, shown) = self.choose_password(add.password_stdin, input)?;
        let catalog = Snapshot::of(self.db)?;
        let new = people::NewPerson {
            id: hazardloop_domain::ids::PersonId(self.entropy.uuid_v7(self.now)),
            login: add.login,
            name: add.name,
            phone: add.phone,
            password_hash: people::hash_password(self.sign_in, self.entropy, &password)?,
            grants: add
                .grants
                .into_iter()
                .map(|over| add.within.terms(over, &catalog))
                .collect(),
        };
        let (key, now, said) = (
            super::digest_key(self.db, self.entropy)?,
            self.now,
            format!("added {}{}", new.login, self.notes(&catalog, &new.grants)?),
        );
        self.db.write_blocking(move |tx| {
            people::register(tx, &key, new.clone(), None, now)?;
            Ok::<_, Failure>(())
        })?;
        Ok(said + &shown)
    }

    fn grant(self, grant: GrantRole) -> Result<String, TaskError> {
        let person = self.find(&grant.login)?;
        let (role, scope) = grant.role;
        let catalog = Snapshot::of(self.db)?;
        let terms = grant.within.terms(grant.role, &catalog);
        terms.check().map_err(Failure::from)?;
        let notes = self.notes(&catalog, std::slice::from_ref(&terms))?;
        let new = Grant {
            valid_until: grant.until,
            temporary_reason: grant.temporary_reason,
            ..terms.granted(GrantId(self.entropy.uuid_v7(self.now)), self.now)
        };
        people::check_temporary(&new, self.people)?;
        let (key, now) = (super::digest_key(self.db, self.entropy)?, self.now);
        self.db.write_blocking(move |tx| {
            stored::path_of(tx.conn(), &scope)?.ok_or(Failure::NotFound("scope"))?;
            if let GrantScope::Jurisdiction(id) = scope {
                merge_jurisdictions::require_standing(tx.conn(), id)?;
            }
            let held = stored::grants_of(tx.conn(), &[person.id])?;
            let held = held.iter().map(|placed| &placed.grant);
            people::require_narrow(person.id, held.chain([&new]), now)?;
            people::add_grant(tx, &key, person.id, &new, None, now)?;
            Ok::<_, Failure>(())
        })?;
        Ok(format!("{} is {} now{notes}", grant.login, role.as_str()))
    }

    /// What to look at again about grants, a line each: whoever sets a server up may grant within
    /// sectors before anybody has made them known.
    fn notes(&self, catalog: &Snapshot, grants: &[Terms]) -> Result<String, TaskError> {
        let mut notes = String::new();
        for terms in grants {
            let checked = self
                .db
                .read_blocking(|tx| sector_names::check_grant(tx.conn(), catalog, terms));
            match checked {
                Err(Failure::Refused(refusal)) => notes += &format!("\nnote: {}", refusal.rule),
                // There is no such place: to be told by whoever grants.
                Ok(()) | Err(Failure::NotFound(_)) => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        Ok(notes)
    }

    fn disable(self, disable: Disable) -> Result<String, TaskError> {
        let person = self.find(&disable.login)?;
        let (key, now, reason) = (
            super::digest_key(self.db, self.entropy)?,
            self.now,
            disable.reason,
        );
        let ended = self.db.write_blocking(move |tx| {
            let ended = people::disable_in(tx, &key, person.id, None, &reason, now)?;
            Ok::<_, Failure>(ended.len())
        })?;
        Ok(format!(
            "disabled {}; {ended} session(s) ended",
            disable.login
        ))
    }

    fn password(self, new: NewPassword, input: &mut dyn BufRead) -> Result<String, TaskError> {
        let person = self.find(&new.login)?;
        let (password, shown) = self.choose_password(new.password_stdin, input)?;
        let hash = people::hash_password(self.sign_in, self.entropy, &password)?;
        let now = self.now;
        let ended = self.db.write_blocking(move |tx| {
            let ended = people::set_password_in(tx, person.id, &hash, None, now)?;
            Ok::<_, Failure>(ended.len())
        })?;
        Ok(format!(
            "{} has a new password; {ended} session(s) ended{shown}",
            new.login
        ))
    }

    fn list(self, out: &mut dyn Write) -> Result<(), TaskError> {
        let mut after = None;
        loop {
            let page = self.db.read_blocking(move |tx| {
                let people = stored::all(tx.conn(), after, LISTED_AT_ONCE)?;
                let ids: Vec<_> = people.iter().map(|person| person.id).collect();
                Ok::<_, Failure>((people, stored::grants_of(tx.conn(), &ids)?))
            });
            let (people, grants) = page?;
            let Some(last) = people.last() else {
                return Ok(());
            };
            after = Some(last.id);
            for person in &people {
                let theirs = grants.iter().filter(|placed| {
                    placed.person_id == person.id && placed.grant.holds_at(self.now)
                });
                let theirs = theirs.map(|placed| described(&placed.grant));
                let roles = theirs.collect::<Vec<_>>().join(" ");
                let state = if person.disabled_at.is_some() {
                    "disabled"
                } else {
                    "active"
                };
                let Person {
                    id, login, name, ..
                } = person;
                writeln!(out, "{id}\t{login}\t{name}\t{state}\t{roles}")
                    .map_err(TaskError::io("writing the list"))?;
            }
        }
    }

    fn find(self, login: &str) -> Result<Person, TaskError> {
        let wanted = login.to_owned();
        let found = self
            .db
            .read_blocking(move |tx| stored::by_login(tx.conn(), &wanted))?;
        Ok(found.ok_or(Failure::NotFound("account"))?)
    }

    /// The password, and what to say of it.
    fn choose_password(
        self,
        from_input: bool,
        input: &mut dyn BufRead,
    ) -> Result<(Zeroizing<String>, String), TaskError> {
        if !from_input {
            let made_up = Zeroizing::new(URL_SAFE_NO_PAD.encode(self.entropy.bytes::<15>()));
            let shown = format!("\npassword (shown once): {}", made_up.as_str());
            return Ok((made_up, shown));
        }
        let mut line = Zeroizing::new(String::new());
        input
            .take(MOST_INPUT)
            .read_line(&mut line)
            .map_err(TaskError::io("reading the password"))?;
        let password = line.trim_end_matches(['\r', '\n']).to_owned();
        Ok((Zeroizing::new(password), String::new()))
    }
}

fn described(grant: &Grant) -> String {
    let over = match grant.scope {
        GrantScope::Enterprise(id) => id.0,
        GrantScope::Jurisdiction(id) => id.0,
    };
    let within = match grant.sectors.as_slice() {
        [] => String::new(),
        sectors => format!("[{}]", sectors.join(",")),
    };
    format!("{}:{over}{within}", grant.role.as_str())
}

#[cfg(test)]
#[path = "user_tests.rs"]
mod tests;
