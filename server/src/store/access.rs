//! Who holds which role over what: read inside the transaction that decides by it.

use diesel::dsl::exists;
use diesel::prelude::*;
use hazardloop_domain::access::Grant;
use hazardloop_domain::ids::{InstallId, PersonId};

use super::people::GrantRow;
use super::pushed::{Install, InstallRow};
use super::schema::{command_photos, grants, installs, people, photo_references};
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

/// Who asks: an install, the [`grants_of`] its person, and whether they named photos whose bytes are not here.
#[derive(Debug)]
pub struct Asking {
    /// The install.
    pub install: Install,
    /// What its person may, past and present.
    pub grants: Vec<Grant>,
    /// Whether any photo is missing.
    pub lacks_photos: bool,
}

/// Who asks, in one statement: every pull begins with this.
///
/// # Errors
/// As [`super::pushed::install`] and [`grants_of`].
pub fn asking(conn: &mut Conn, id: InstallId) -> Result<Option<Asking>, StoreError> {
    let granted = grants::person_id
        .eq(installs::person_id)
        .and(people::disabled_at.is_null());
    let missing = photo_references::table
        .filter(photo_references::state.eq("awaiting_photo"))
        .filter(photo_references::named_by.eq(installs::person_id));
    let unjudged = command_photos::table
        .filter(command_photos::person_id.eq(installs::person_id))
        .filter(command_photos::arrived_at.is_null());
    let rows: Vec<(InstallRow, Option<GrantRow>, bool)> = installs::table
        .inner_join(people::table.on(people::id.eq(installs::person_id)))
        .left_join(grants::table.on(granted))
        .filter(installs::id.eq(id.as_bytes().to_vec()))
        .order((grants::valid_from, grants::id))
        .select((
            InstallRow::as_select(),
            Option::<GrantRow>::as_select(),
            exists(missing).or(exists(unjudged)),
        ))
        .load(conn)?;
    let mut install = None;
    let mut granted = Vec::new();
    for (row, grant, lacks_photos) in rows {
        install = Some((row.read(id)?, lacks_photos));
        granted.extend(grant);
    }
    let Some((install, lacks_photos)) = install else {
        return Ok(None);
    };
    Ok(Some(Asking {
        grants: read(install.person_id, granted)?,
        install,
        lacks_photos,
    }))
}
