//! Who is within whose view: people who hold a grant in the places that somebody answers for.

use diesel::prelude::*;
use hazardloop_domain::ids::{EnterpriseId, PersonId};
use hazardloop_domain::time::Timestamp;

use super::{Person, Row};
use crate::store::schema::{enterprises, grants, jurisdictions, people};
use crate::store::{Conn, StoreError};

/// Over whom somebody may look: themselves, and whoever holds a grant in one of these places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Who looks.
    pub person_id: PersonId,
    /// Paths of jurisdictions whose whole subtree they see.
    pub paths: Vec<String>,
    /// Enterprises that they see.
    pub enterprises: Vec<EnterpriseId>,
}

/// Ids of people who hold, or will hold, a grant over or below the jurisdiction at `$path`.
macro_rules! holders_below {
    ($path:expr, $now:expr) => {{
        // A path holds only hexadecimal digits and '/', so nothing needs escaping.
        let below = format!("{}%", $path);
        let firms = enterprises::table
            .filter(
                enterprises::jurisdiction_id.eq_any(
                    jurisdictions::table
                        .filter(jurisdictions::path.like(below.clone()))
                        .select(jurisdictions::id),
                ),
            )
            .select(enterprises::id.nullable());
        let areas = jurisdictions::table
            .filter(jurisdictions::path.like(below))
            .select(jurisdictions::id.nullable());
        grants::table
            .filter(
                grants::valid_until
                    .is_null()
                    .or(grants::valid_until.gt($now.as_millis())),
            )
            .filter(
                grants::jurisdiction_id
                    .eq_any(areas)
                    .or(grants::enterprise_id.eq_any(firms)),
            )
            .select(grants::person_id)
    }};
}
pub(in crate::store) use holders_below;

/// Ids of people who hold, or will hold, a grant over this enterprise.
macro_rules! holders_at {
    ($enterprise:expr, $now:expr) => {
        grants::table
            .filter(
                grants::valid_until
                    .is_null()
                    .or(grants::valid_until.gt($now.as_millis())),
            )
            .filter(grants::enterprise_id.eq($enterprise.as_bytes().to_vec()))
            .select(grants::person_id)
    };
}
pub(in crate::store) use holders_at;

/// People in `view` with ids after `after`, in order of id, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn in_view(
    conn: &mut Conn,
    view: &View,
    now: Timestamp,
    after: Option<PersonId>,
    limit: i64,
) -> Result<Vec<Person>, StoreError> {
    let from = after.map_or_else(Vec::new, |id| id.as_bytes().to_vec());
    let page = || {
        people::table
            .filter(people::id.gt(from.clone()))
            .order(people::id)
            .limit(limit)
            .select(Row::as_select())
    };
    // A query a place, each bounded; people have a handful of places.
    let me = people::id.eq(view.person_id.as_bytes().to_vec());
    let mut rows: Vec<Row> = page().filter(me).load(conn)?;
    for path in &view.paths {
        let holds = people::id.eq_any(holders_below!(path, now));
        rows.extend(page().filter(holds).load(conn)?);
    }
    for enterprise in &view.enterprises {
        let holds = people::id.eq_any(holders_at!(enterprise, now));
        rows.extend(page().filter(holds).load(conn)?);
    }
    rows.sort_by(|one, other| one.id.cmp(&other.id));
    rows.dedup_by(|one, other| one.id == other.id);
    rows.truncate(usize::try_from(limit).unwrap_or_default());
    rows.into_iter().map(Person::try_from).collect()
}
