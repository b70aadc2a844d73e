//! The list of enterprises that a person may see, filtered.

use std::collections::BTreeSet;

use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::ids::{JurisdictionId, PersonId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::RecordKind;
use uuid::Uuid;

use super::{Area, AreaRecords as _, List, Page, Wanted, in_order};
use crate::app::App;
use crate::failure::Failure;
use crate::store::enterprise_rows::{self, TraitFilter};
use crate::store::{Conn, ReadTx, lists};
use crate::usecases::reach::{Narrowed, Reach};

/// What the list is narrowed to; everything that is set must be met.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filters {
    /// Part of the name, capital or small letters alike.
    pub name: Option<String>,
    /// In one jurisdiction and everything below it.
    pub jurisdiction_id: Option<JurisdictionId>,
    /// By what it does and how it stands.
    pub traits: TraitFilter,
    /// Where.
    pub area: Option<Area>,
}

impl Filters {
    /// Whether the list's own index says already which pass.
    fn is_of_index(&self) -> bool {
        self.name.is_none() && self.area.is_none()
    }

    /// Compared here and not by the database: the two would disagree on small and capital letters.
    fn passes(&self, enterprise: &Enterprise) -> bool {
        let point = enterprise
            .position
            .as_ref()
            .map(|position| position.to_wgs84());
        self.name.as_ref().is_none_or(|part| {
            enterprise
                .name
                .to_lowercase()
                .contains(&part.to_lowercase())
        }) && self.traits.passes(enterprise)
            && self
                .area
                .is_none_or(|area| point.is_some_and(|point| area.contains(point)))
    }
}

/// The enterprises that `person_id` may see and that pass the filters, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    app: &App,
    person_id: PersonId,
    filters: Filters,
    wanted: Wanted,
) -> Result<Page<Enterprise>, Failure> {
    let now = app.clock.now();
    app.db
        .read(move |tx| list_in(tx, person_id, &filters, wanted, now))
        .await
}

fn list_in(
    tx: &mut ReadTx<'_>,
    person_id: PersonId,
    filters: &Filters,
    wanted: Wanted,
    now: Timestamp,
) -> Result<Page<Enterprise>, Failure> {
    let conn = tx.conn();
    let reach = Reach::of(conn, person_id, now)?;
    let Narrowed { scopes, within } = reach.narrowed(conn, None, filters.jurisdiction_id)?;
    let list = List {
        scopes: &scopes,
        within: within.as_deref(),
        kind: RecordKind::Enterprise,
        wanted,
    };
    let mut passing = |conn: &mut Conn, ids: &[Uuid]| -> Result<BTreeSet<Uuid>, Failure> {
        let found = lists::enterprises(conn, ids)?;
        let passed = found.iter().filter(|enterprise| filters.passes(enterprise));
        Ok(passed.map(|enterprise| enterprise.id.0).collect())
    };
    let candidates = match &filters.area {
        Some(area) => area.candidates(conn, RecordKind::Enterprise)?,
        None => None,
    };
    let page = match candidates {
        Some(candidates) => list.of_candidates(conn, &candidates, &mut passing)?,
        None if filters.traits.is_empty() => {
            list.walk(conn, !filters.is_of_index(), &mut passing)?
        }
        None => {
            let newest = &mut |conn: &mut Conn, before, limit| {
                enterprise_rows::newest_first(conn, &scopes, &filters.traits, before, limit)
            };
            list.walk_along(conn, newest, !filters.is_of_index(), &mut passing)?
        }
    };
    let ids: Vec<Uuid> = page.items.iter().map(|key| key.id).collect();
    let records = lists::enterprises(conn, &ids)?;
    Ok(in_order(page, records, |enterprise| enterprise.id.0))
}
