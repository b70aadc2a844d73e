//! 反弹: which closed hazards one looks like again, and which ones look like it again. A suggestion to people:
//! whether it is one they decide, by a report that names it or by reopening.

use std::cmp::Reverse;

use hazardloop_domain::hazard::{Hazard, Likeness, StatusName};
use hazardloop_domain::ids::{HazardId, PersonId};
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use super::hazard::visible;
use super::hazards::{Filters, HazardList, Order, Span};
use super::{EXAMINED_PER_PAGE, Wanted};
use crate::app::App;
use crate::failure::Failure;
use crate::store::{Conn, lists};
use crate::usecases::reach::{Narrowed, Reach};

/// States in which a hazard was found to be none.
const NONE: [StatusName; 3] = [
    StatusName::Rejected,
    StatusName::Withdrawn,
    StatusName::Merged,
];

/// The most hazards that are looked through, whatever the settings say: their records are read.
const MOST: usize = 2_000;

/// What looks alike, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alike {
    /// The other hazard.
    pub hazard: Hazard,
    /// By what.
    pub likeness: Likeness,
}

/// What a hazard may repeat, and what may repeat it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recurrences {
    /// Closed hazards that it looks like again, closed last first.
    pub earlier: Vec<Alike>,
    /// Hazards that look like it again, found last first; only of one that is closed.
    pub later: Vec<Alike>,
}

/// The recurrences of one hazard among the newest hazards of its enterprise, as many as the settings say, that the
/// caller may see.
///
/// # Errors
/// [`Failure::NotFound`] when there is no such hazard, or none for this person.
pub async fn of(app: &App, person_id: PersonId, id: HazardId) -> Result<Recurrences, Failure> {
    let now = app.clock.now();
    let most = app.settings.hazards.recurrences_looked_through.min(MOST);
    let months = app.settings.hazards.recurrence_months;
    let work = move |tx: &mut crate::store::ReadTx<'_>| {
        let conn = tx.conn();
        let (hazard, _) = visible(conn, person_id, id, now)?;
        let mut found = Recurrences::default();
        if hazard.enterprise_id.is_none() {
            return Ok(found);
        }
        let closed = Filters {
            statuses: vec![StatusName::Closed],
            ..of_enterprise(&hazard)
        };
        for other in newest(conn, person_id, &closed, most, now)? {
            let likeness = other.may_recur_in(&hazard, months);
            found.earlier.extend(alike(other, likeness));
        }
        found
            .earlier
            .sort_by_key(|alike| Reverse(alike.hazard.closed_at()));
        if let Some(closed_at) = hazard.closed_at() {
            let since = Filters {
                received: Some(Span {
                    from: closed_at.as_millis(),
                    until: i64::MAX,
                }),
                ..of_enterprise(&hazard)
            };
            for other in newest(conn, person_id, &since, most, now)? {
                let likeness = hazard.may_recur_in(&other, months);
                let likeness = likeness.filter(|_| !NONE.contains(&other.status_name()));
                found.later.extend(alike(other, likeness));
            }
            found
                .later
                .sort_by_key(|alike| Reverse(alike.hazard.found_at));
        }
        Ok(found)
    };
    app.db.read(work).await
}

fn of_enterprise(hazard: &Hazard) -> Filters {
    Filters {
        enterprise_id: hazard.enterprise_id,
        ..Filters::default()
    }
}

fn alike(hazard: Hazard, likeness: Option<Likeness>) -> Option<Alike> {
    likeness.map(|likeness| Alike { hazard, likeness })
}

fn newest(
    conn: &mut Conn,
    person_id: PersonId,
    filters: &Filters,
    most: usize,
    now: Timestamp,
) -> Result<Vec<Hazard>, Failure> {
    let reach = Reach::of(conn, person_id, now)?;
    let Narrowed { scopes, within } = reach.narrowed(conn, filters.enterprise_id, None)?;
    let list = HazardList::new(filters, &scopes, within.as_deref(), Order::Newest, now);
    let wanted = Wanted {
        after: None,
        limit: most,
    };
    let page = list.page(conn, wanted, EXAMINED_PER_PAGE)?;
    let ids: Vec<Uuid> = page.items.iter().map(|key| key.id).collect();
    Ok(lists::hazards(conn, &ids)?)
}
