//! People and their grants: loading, changing, and who is within whose view.

mod grants;
mod view;

use diesel::prelude::*;
use hazardloop_domain::access::PersonRecord;
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::time::Timestamp;

use super::schema::people;
use super::{Conn, StoreError, WriteTx};

pub(super) use grants::GrantRow;
pub use grants::{PlacedGrant, end_grant, grants_of, holder_of, insert_grant, path_of};
pub use view::{OfWhom, PeopleList, View, in_view, subtree};
pub(super) use view::{
    ended_last, lasting, over_areas, over_enterprise, over_firms, page_in_view, rows_in_view,
};

/// A person's row. Debug output hides the password hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub id: PersonId,
    /// The name by which they sign in.
    pub login: String,
    /// Their name.
    pub name: String,
    /// Where to reach them.
    pub phone: Option<String>,
    /// PHC string.
    pub password_hash: String,
    /// When the account was made.
    pub created_at: Timestamp,
    /// Since when it may not be used.
    pub disabled_at: Option<Timestamp>,
    /// Counts changes.
    pub version: i64,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person")
            .field("id", &self.id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = people)]
struct Row {
    id: Vec<u8>,
    login: String,
    name: String,
    phone: Option<String>,
    password_hash: String,
    created_at: i64,
    disabled_at: Option<i64>,
    version: i64,
}

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt {
        what: what.to_owned(),
    }
}

impl TryFrom<Row> for Person {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: PersonId::from_slice(&row.id).ok_or_else(|| corrupt("the id of a person"))?,
            login: row.login,
            name: row.name,
            phone: row.phone,
            password_hash: row.password_hash,
            created_at: Timestamp::from_millis(row.created_at),
            disabled_at: row.disabled_at.map(Timestamp::from_millis),
            version: row.version,
        })
    }
}

/// The person who signs in as `login`.
///
/// # Errors
/// When the database does not answer.
pub fn by_login(conn: &mut Conn, login: &str) -> Result<Option<Person>, StoreError> {
    let row: Option<Row> = people::table
        .filter(people::login.eq(login.to_owned()))
        .select(Row::as_select())
        .first(conn)
        .optional()?;
    row.map(Person::try_from).transpose()
}

/// One person.
///
/// # Errors
/// When the database does not answer.
pub fn by_id(conn: &mut Conn, id: PersonId) -> Result<Option<Person>, StoreError> {
    let row: Option<Row> = people::table
        .find(id.as_bytes().to_vec())
        .select(Row::as_select())
        .first(conn)
        .optional()?;
    row.map(Person::try_from).transpose()
}

/// Stores a new person.
///
/// # Errors
/// A unique violation in `people` when the id or the login is taken.
pub fn insert(tx: &mut WriteTx<'_>, person: &Person) -> Result<(), StoreError> {
    diesel::insert_into(people::table)
        .values((
            people::id.eq(person.id.as_bytes().to_vec()),
            people::login.eq(person.login.clone()),
            people::name.eq(person.name.clone()),
            people::phone.eq(person.phone.clone()),
            people::password_hash.eq(person.password_hash.clone()),
            people::created_at.eq(person.created_at.as_millis()),
            people::version.eq(person.version),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Holds an account that is not disabled until the end of the transaction; answers whether there
/// is one. Whoever disables it meanwhile waits, and then sees what this transaction did.
///
/// # Errors
/// When the database does not answer.
pub fn hold(tx: &mut WriteTx<'_>, id: PersonId) -> Result<bool, StoreError> {
    let held = diesel::update(
        people::table
            .find(id.as_bytes().to_vec())
            .filter(people::disabled_at.is_null()),
    )
    .set(people::disabled_at.eq(None::<i64>))
    .execute(tx.conn())?;
    Ok(held == 1)
}

/// Holds these people, disabled or not, until the end of the transaction. Whoever changes one of them
/// meanwhile waits, and then sees what this transaction did.
///
/// # Errors
/// When the database does not answer.
pub fn hold_all(tx: &mut WriteTx<'_>, ids: &[PersonId]) -> Result<(), StoreError> {
    // In one order, whoever holds them: two who want the same ones do not wait for each other.
    let ids: std::collections::BTreeSet<&PersonId> = ids.iter().collect();
    for id in ids {
        diesel::update(people::table.find(id.as_bytes().to_vec()))
            .set(people::version.eq(people::version))
            .execute(tx.conn())?;
    }
    Ok(())
}

/// Holds a person who has version `seen` until the end of the transaction; answers whether they have
/// it. Whoever changes them meanwhile waits, and then sees what this transaction did.
///
/// # Errors
/// When the database does not answer.
pub fn hold_version(tx: &mut WriteTx<'_>, id: PersonId, seen: i64) -> Result<bool, StoreError> {
    let held = diesel::update(
        people::table
            .find(id.as_bytes().to_vec())
            .filter(people::version.eq(seen)),
    )
    .set(people::version.eq(seen))
    .execute(tx.conn())?;
    Ok(held == 1)
}

/// Counts a change of the person, and holds them until the end of the transaction; answers the
/// new version.
///
/// # Errors
/// [`StoreError::Missing`] when there is no such person.
pub fn bump(tx: &mut WriteTx<'_>, id: PersonId) -> Result<i64, StoreError> {
    diesel::update(people::table.find(id.as_bytes().to_vec()))
        .set(people::version.eq(people::version + 1))
        .returning(people::version)
        .get_result(tx.conn())
        .optional()?
        .ok_or(StoreError::Missing)
}

/// Disables an account; answers whether it was not disabled before.
///
/// # Errors
/// When the database does not answer.
pub fn disable(tx: &mut WriteTx<'_>, id: PersonId, now: Timestamp) -> Result<bool, StoreError> {
    let disabled = diesel::update(
        people::table
            .find(id.as_bytes().to_vec())
            .filter(people::disabled_at.is_null()),
    )
    .set(people::disabled_at.eq(now.as_millis()))
    .execute(tx.conn())?;
    Ok(disabled == 1)
}

/// Replaces the password hash.
///
/// # Errors
/// When the database does not answer.
pub fn set_password(tx: &mut WriteTx<'_>, id: PersonId, phc: &str) -> Result<(), StoreError> {
    diesel::update(people::table.find(id.as_bytes().to_vec()))
        .set(people::password_hash.eq(phc.to_owned()))
        .execute(tx.conn())?;
    Ok(())
}

/// What a person's own devices receive: all their grants, ordered by id. The same rows always
/// make the same record, so its CBOR can be digested and recomputed.
///
/// # Errors
/// When the database does not answer.
pub fn record(conn: &mut Conn, id: PersonId) -> Result<Option<PersonRecord>, StoreError> {
    let Some(person) = by_id(conn, id)? else {
        return Ok(None);
    };
    let grants = grants_of(conn, &[id])?;
    Ok(Some(PersonRecord {
        id,
        login: person.login,
        name: person.name,
        grants: grants.into_iter().map(|placed| placed.grant).collect(),
        version: person.version,
    }))
}

/// Everybody with ids after `after`, in order of id, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn all(
    conn: &mut Conn,
    after: Option<PersonId>,
    limit: i64,
) -> Result<Vec<Person>, StoreError> {
    let after = after.map_or_else(Vec::new, |id| id.as_bytes().to_vec());
    let rows: Vec<Row> = people::table
        .filter(people::id.gt(after))
        .order(people::id)
        .limit(limit)
        .select(Row::as_select())
        .load(conn)?;
    rows.into_iter().map(Person::try_from).collect()
}
