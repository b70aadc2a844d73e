//! Commands that came over REST, by their client-made id, with the first answer.

use diesel::prelude::*;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{CommandId, PersonId, SubjectId};
use hazardloop_domain::time::Timestamp;

use super::schema::rest_commands;
use super::{Conn, StoreError, WriteTx};

/// A command that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Stored {
    /// Hash over sender, subject and content.
    pub request_hash: Vec<u8>,
    /// The first answer, JSON.
    pub answer: String,
}

/// Finds a command.
///
/// # Errors
/// When the database does not answer.
pub fn find(conn: &mut Conn, id: CommandId) -> Result<Option<Stored>, StoreError> {
    Ok(rest_commands::table
        .find(id.as_bytes().to_vec())
        .select((rest_commands::request_hash, rest_commands::answer))
        .first(conn)
        .optional()?)
}

/// One command about to be kept.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a> {
    /// Its id.
    pub command_id: CommandId,
    /// Whose.
    pub person_id: PersonId,
    /// See [`Stored::request_hash`].
    pub request_hash: Digest,
    /// On what.
    pub subject: SubjectId,
    /// When.
    pub received_at: Timestamp,
    /// The answer, JSON.
    pub answer: &'a str,
}

/// Keeps a command.
///
/// # Errors
/// [`StoreError::Stale`] when the same command was taken at the same moment.
pub fn keep(tx: &mut WriteTx<'_>, kept: Kept<'_>) -> Result<(), StoreError> {
    let row = (
        rest_commands::command_id.eq(kept.command_id.as_bytes().to_vec()),
        rest_commands::person_id.eq(kept.person_id.as_bytes().to_vec()),
        rest_commands::request_hash.eq(kept.request_hash.as_bytes().to_vec()),
        rest_commands::subject_id.eq(kept.subject.as_bytes().to_vec()),
        rest_commands::received_at.eq(kept.received_at.as_millis()),
        rest_commands::answer.eq(kept.answer.to_owned()),
    );
    match diesel::insert_into(rest_commands::table)
        .values(row)
        .execute(tx.conn())
    {
        Ok(_) => Ok(()),
        Err(error) => {
            let error = StoreError::from(error);
            if error.is_duplicate_in("rest_commands") {
                return Err(StoreError::Stale { what: "command" });
            }
            Err(error)
        }
    }
}
