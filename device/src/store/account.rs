//! Whose device this is, and the tokens with which it speaks to its server.

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use hazardloop_domain::access::PersonRecord;
use hazardloop_domain::ids::{InstallId, PersonId};

use super::StoreError;
use super::schema::account;

/// The account of one device.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Base address of the server, without a trailing slash.
    pub server: String,
    /// The name they sign in with.
    pub login: String,
    /// This installation.
    pub install_id: InstallId,
    /// Who, as the server told last.
    pub person: PersonRecord,
    /// For the `Authorization` header.
    pub access_token: String,
    /// For the next refresh.
    pub refresh_token: String,
}

/// Tokens never reach a log.
impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("server", &self.server)
            .field("login", &self.login)
            .field("install_id", &self.install_id)
            .finish_non_exhaustive()
    }
}

pub(super) fn put(conn: &mut SqliteConnection, value: &Account) -> Result<(), StoreError> {
    diesel::replace_into(account::table)
        .values((
            account::id.eq(1),
            account::server.eq(&value.server),
            account::login.eq(&value.login),
            account::person_id.eq(value.person.id.as_bytes().to_vec()),
            account::install_id.eq(value.install_id.as_bytes().to_vec()),
            account::person.eq(minicbor::to_vec(&value.person).unwrap_or_default()),
            account::access_token.eq(&value.access_token),
            account::refresh_token.eq(&value.refresh_token),
        ))
        .execute(conn)?;
    Ok(())
}

type Row = (
    i32,
    String,
    String,
    Vec<u8>,
    Vec<u8>,
    Vec<u8>,
    String,
    String,
);

pub(super) fn get(conn: &mut SqliteConnection) -> Result<Option<Account>, StoreError> {
    let row = account::table.first::<Row>(conn).optional()?;
    let Some((_, server, login, person_id, install_id, person, access, refresh)) = row else {
        return Ok(None);
    };
    let person: PersonRecord =
        minicbor::decode(&person).map_err(|_| StoreError::Damaged("person"))?;
    if PersonId::from_slice(&person_id) != Some(person.id) {
        return Err(StoreError::Damaged("person"));
    }
    Ok(Some(Account {
        server,
        login,
        install_id: InstallId::from_slice(&install_id).ok_or(StoreError::Damaged("install"))?,
        person,
        access_token: access,
        refresh_token: refresh,
    }))
}
