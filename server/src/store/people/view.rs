//! Who is within whose view: people who hold a grant in the places that somebody answers for, and
//! people who held their last one there.

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

/// Of whom a list tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfWhom {
    /// Of whoever looks, and of those in view who hold a role, or will.
    HoldsARole,
    /// Of those who hold none any more, nor will, and held their last in the places of the view.
    HeldARole,
}

/// One page of a list of people or of what is theirs.
#[derive(Clone, Debug)]
pub struct PeopleList<'a> {
    /// Who looks, and where.
    pub view: &'a View,
    /// Of whom it tells.
    pub of_whom: OfWhom,
    /// The moment that tells which roles last.
    pub now: Timestamp,
    /// With ids after this one; empty: from the first.
    pub after: Vec<u8>,
    /// Rows at most.
    pub limit: i64,
}

/// The paths from the first up to, without, the second: the jurisdiction at `path` and all below it.
/// Paths are of hexadecimal digits and '/', after which '0' comes next; both databases compare them
/// byte by byte.
pub fn subtree(path: &str) -> (String, String) {
    let end = path.strip_suffix('/').unwrap_or(path);
    (path.to_owned(), format!("{end}0"))
}

/// Ids of people with grants over jurisdictions in a subtree.
macro_rules! over_areas {
    ($from:expr, $to:expr) => {
        grants::table
            .filter(
                grants::jurisdiction_id.eq_any(
                    jurisdictions::table
                        .filter(jurisdictions::path.ge($from))
                        .filter(jurisdictions::path.lt($to))
                        .select(jurisdictions::id.nullable()),
                ),
            )
            .select(grants::person_id)
    };
}
pub(in crate::store) use over_areas;

/// Ids of people with grants over enterprises in a subtree.
macro_rules! over_firms {
    ($from:expr, $to:expr) => {
        grants::table
            .filter(
                grants::enterprise_id.eq_any(
                    enterprises::table
                        .filter(
                            enterprises::jurisdiction_id.eq_any(
                                jurisdictions::table
                                    .filter(jurisdictions::path.ge($from))
                                    .filter(jurisdictions::path.lt($to))
                                    .select(jurisdictions::id),
                            ),
                        )
                        .select(enterprises::id.nullable()),
                ),
            )
            .select(grants::person_id)
    };
}
pub(in crate::store) use over_firms;

/// Ids of people with grants over this enterprise.
macro_rules! over_enterprise {
    ($enterprise:expr) => {
        grants::table
            .filter(grants::enterprise_id.eq($enterprise.as_bytes().to_vec()))
            .select(grants::person_id)
    };
}
pub(in crate::store) use over_enterprise;

/// Grants that hold or will.
macro_rules! lasting {
    ($now:expr) => {
        grants::valid_until
            .is_null()
            .or(grants::valid_until.gt($now.as_millis()))
    };
}
pub(in crate::store) use lasting;

/// Grants that have ended, none of the same person later.
macro_rules! ended_last {
    ($now:expr) => {
        grants::valid_until
            .le($now.as_millis())
            .and(diesel::dsl::sql::<
                diesel::sql_types::Nullable<diesel::sql_types::Bool>,
            >(
                "NOT EXISTS (SELECT 1 FROM grants later WHERE later.person_id = grants.person_id \
                 AND (later.valid_until IS NULL OR later.valid_until > grants.valid_until))",
            ))
    };
}
pub(in crate::store) use ended_last;

/// Rows of `$page` whose `$person` has grants that `$counts` in the places of a view; some perhaps
/// twice. A query a place, each bounded and each by one index; people have a handful of places.
macro_rules! rows_in_view {
    ($conn:expr, $page:expr, $person:expr, $view:expr, $counts:expr) => {{
        let mut rows: Vec<Row> = Vec::new();
        for path in &$view.paths {
            let (from, to) = crate::store::people::subtree(path);
            let areas = over_areas!(from.clone(), to.clone()).filter($counts);
            rows.extend($page().filter($person.eq_any(areas)).load::<Row>($conn)?);
            let firms = over_firms!(from, to).filter($counts);
            rows.extend($page().filter($person.eq_any(firms)).load::<Row>($conn)?);
        }
        for enterprise in &$view.enterprises {
            let firm = over_enterprise!(enterprise).filter($counts);
            rows.extend($page().filter($person.eq_any(firm)).load::<Row>($conn)?);
        }
        rows
    }};
}
pub(in crate::store) use rows_in_view;

/// The first rows of `$table` in order of id, of the people that a list tells of.
macro_rules! page_in_view {
    ($conn:expr, $table:ident, $person:expr, $list:expr) => {{
        let list = $list;
        let page = || {
            $table::table
                .filter($table::id.gt(list.after.clone()))
                .order($table::id)
                .limit(list.limit)
                .select(Row::as_select())
        };
        let (view, now) = (list.view, list.now);
        let mut rows = match list.of_whom {
            OfWhom::HoldsARole => rows_in_view!($conn, page, $person, view, lasting!(now)),
            OfWhom::HeldARole => rows_in_view!($conn, page, $person, view, ended_last!(now)),
        };
        if list.of_whom == OfWhom::HoldsARole {
            let me = $person.eq(view.person_id.as_bytes().to_vec());
            rows.extend(page().filter(me).load::<Row>($conn)?);
        }
        rows.sort_by(|one, other| one.id.cmp(&other.id));
        rows.dedup_by(|one, other| one.id == other.id);
        rows.truncate(usize::try_from(list.limit).unwrap_or_default());
        rows
    }};
}
pub(in crate::store) use page_in_view;

/// People that a list tells of, in order of id.
///
/// # Errors
/// When the database does not answer.
pub fn in_view(conn: &mut Conn, list: &PeopleList<'_>) -> Result<Vec<Person>, StoreError> {
    let rows = page_in_view!(conn, people, people::id, list);
    rows.into_iter().map(Person::try_from).collect()
}
