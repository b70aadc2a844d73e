//! Who holds which role over what: read inside the transaction that decides by it.

use diesel::prelude::*;
use hazardloop_domain::access::Grant;
use hazardloop_domain::ids::{InstallId, PersonId};

use super::people::GrantRow;
use super::pushed::{Install, InstallRow};
use super::schema::{grants, installs, people};
use super::{Conn, StoreError};

/// All grants of a person, past and present, oldest first. Empty for the disabled and the unknown.
///
/// # Errors
/// When the database does not answer or holds a grant that this program does not understand.
pub fn grants_of(conn: &mut Conn, person_id: PersonId) -> Result<Vec<Grant>, StoreError> {
    let rows: Vec<GrantRow> = grants::table
        .inner_join(people::table.on(people::id.eq(grants::person_id)))
        .filter(grants::person_id.eq(person_id.as_bytes().to_vec()))
        .filter(people::disabled_at.is_null())
        .order((grants::valid_from, grants::id))
        .select(GrantRow::as_select())
        .load(conn)?;
    read(person_id, rows)
}

fn read(holder: PersonId, rows: Vec<GrantRow>) -> Result<Vec<Grant>, StoreError> {
    rows.into_iter()
        .map(|row| {
            let read = row.read().ok_or_else(|| StoreError::Corrupt {
                what: format!("a grant of {holder}"),
            });
            Ok(read?.1)
        })
        .collect()
}

/// An install and the [`grants_of`] its person, in one statement: every pull begins with both.
///
/// # Errors
/// As [`pushed::install`] and [`grants_of`].
pub fn install_and_grants(
    conn: &mut Conn,
    id: InstallId,
) -> Result<Option<(Install, Vec<Grant>)>, StoreError> {
    let granted = grants::person_id
        .eq(installs::person_id)
        .and(people::disabled_at.is_null());
    let rows: Vec<(InstallRow, Option<GrantRow>)> = installs::table
        .inner_join(people::table.on(people::id.eq(installs::person_id)))
        .left_join(grants::table.on(granted))
        .filter(installs::id.eq(id.as_bytes().to_vec()))
        .order((grants::valid_from, grants::id))
        .select((InstallRow::as_select(), Option::<GrantRow>::as_select()))
        .load(conn)?;
    let (mut installs, rows): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let Some(install) = installs.pop() else {
        return Ok(None);
    };
    let install = install.read(id)?;
    let grants = read(install.person_id, rows.into_iter().flatten().collect())?;
    Ok(Some((install, grants)))
}
