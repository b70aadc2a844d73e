//! Storing enterprises: the row, what lists are narrowed by, the event and the feed rows, of one or of
//! thousands in few statements. Everything that changes an enterprise goes through here.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::ids::JurisdictionId;
use hazardloop_domain::jurisdiction::Level;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};
use minicbor::Encode;

use super::{Change, EnterpriseEvent};
use crate::failure::Failure;
use crate::store::events::{self, Head, Linked, NewEvent};
use crate::store::feed::{self, Announced, News};
use crate::store::places::{self, EnterpriseRow, Lineage};
use crate::store::{Conn, StoreError, WriteTx, enterprise_rows, enterprises, search, tasks};
use crate::usecases::execute::scopes_of;
use crate::usecases::tasks::OfFirm;
use crate::usecases::{follow_sector, merge_jurisdictions};

/// What their histories are of.
const SUBJECT: &str = "enterprise";

/// Enterprises on their way into the database. Each may be named once.
pub(in crate::usecases) struct Storing<'a> {
    key: &'a DigestKey,
    lineages: BTreeMap<JurisdictionId, Option<Lineage>>,
    new: Vec<EnterpriseRow>,
    rows: Vec<enterprise_rows::Row>,
    events: Vec<Linked>,
    news: News,
}

impl<'a> Storing<'a> {
    /// Nothing yet.
    pub fn new(key: &'a DigestKey) -> Self {
        Self {
            key,
            lineages: BTreeMap::new(),
            new: Vec::new(),
            rows: Vec::new(),
            events: Vec::new(),
            news: News::default(),
        }
    }

    /// Takes one; `before` is what it was.
    ///
    /// # Errors
    /// [`Failure::Refused`] or [`Failure::Invalid`] for a field; [`Failure::Store`] when it changed
    /// meanwhile or the database does not answer.
    pub fn put(
        &mut self,
        tx: &mut WriteTx<'_>,
        enterprise: &Enterprise,
        before: Option<&Enterprise>,
        change: &Change<'_>,
    ) -> Result<(), Failure> {
        enterprise.check()?;
        check_grid(tx.conn(), enterprise, before)?;
        let place = self
            .lineage(tx.conn(), enterprise.jurisdiction_id)?
            .ok_or_else(|| Failure::invalid("jurisdiction_id", "names no jurisdiction"))?;
        let arrives = before.is_none_or(|it| it.jurisdiction_id != enterprise.jurisdiction_id);
        if let Some(into) = place.merged_into.filter(|_| arrives) {
            return Err(merge_jurisdictions::refused(tx.conn(), into)?);
        }
        let record = encoded(enterprise)?;
        let now = change.now;
        let mut created_at = now;
        let scopes = scopes_of(Some(enterprise.id), &place, Some(&enterprise.sector));
        let mut tasks = Vec::new();
        if let Some(before) = before {
            let (named, sorted) = (
                before.name != enterprise.name,
                before.sector != enterprise.sector,
            );
            if named || sorted {
                // Of reports that come at the same time, each is found below, or sees this change.
                enterprises::hold_for_move(tx, enterprise.id)?;
            }
            if named {
                // Its hazards are found by its name.
                search::put_waiting_of(tx, enterprise.id)?;
            }
            if sorted {
                follow_sector::follow_later(tx, enterprise, before, now)?;
            }
            let version = Some(before.version);
            let code = &place.district_code;
            places::save_enterprise(tx, enterprise, &record, code, version, now)?;
            created_at = enterprises::created_at(tx.conn(), enterprise.id)?.unwrap_or(now);
            let mut left = self.scopes_before(tx.conn(), before)?;
            left.retain(|scope| !scopes.contains(scope));
            self.leave(tx, &left, enterprise, now)?;
            // Its row is changed by now, which keeps it from everybody else until this ends.
            let of = OfFirm::read(tx.conn(), enterprise, &place)?;
            let (kind, id) = (RecordKind::Enterprise, &enterprise.id.0);
            self.news
                .remove(&of.left(), kind, id, enterprise.version, now);
            tasks = of.wanted;
        } else {
            let code = &place.district_code;
            self.new
                .push(EnterpriseRow::new(enterprise, &record, code, now));
        }
        let row = |scope: &Scope| enterprise_rows::Row::new(*scope, enterprise, created_at);
        self.rows.extend(scopes.iter().map(row));
        let announced = Announced {
            kind: RecordKind::Enterprise,
            id: &enterprise.id.0,
            version: enterprise.version,
            body: &record,
            created_at,
        };
        let scopes: Vec<Scope> = scopes.into_iter().chain(tasks).collect();
        self.news.put(self.key, &scopes, announced);
        let head = match before {
            None => Head::NONE,
            Some(_) => events::head(tx.conn(), SUBJECT, &enterprise.id.0)?,
        };
        self.tell(head, enterprise, change)
    }

    /// Takes one out of every scope and of the database; its history and its last event stay.
    ///
    /// # Errors
    /// [`Failure::Store`] when it changed meanwhile, or something belongs to it.
    pub fn remove(
        &mut self,
        tx: &mut WriteTx<'_>,
        enterprise: &Enterprise,
        change: &Change<'_>,
    ) -> Result<(), Failure> {
        let scopes = self.scopes_before(tx.conn(), enterprise)?;
        self.leave(tx, &scopes, enterprise, change.now)?;
        let held = tasks::holding(tx.conn(), enterprise.id)?;
        let (kind, id) = (RecordKind::Enterprise, &enterprise.id.0);
        self.news
            .remove(&held, kind, id, enterprise.version, change.now);
        places::remove_enterprise(tx, enterprise.id, enterprise.version)?;
        let head = events::head(tx.conn(), SUBJECT, &enterprise.id.0)?;
        self.tell(head, enterprise, change)
    }

    /// Writes what is not written yet.
    ///
    /// # Errors
    /// [`Failure::Store`] when an id is taken or the database does not answer.
    pub fn finish(self, tx: &mut WriteTx<'_>) -> Result<(), Failure> {
        places::add_enterprises(tx, self.new)?;
        enterprise_rows::put(tx, self.rows)?;
        feed::publish(tx, self.news)?;
        events::append_all(tx, self.events)?;
        Ok(())
    }

    fn lineage(&mut self, conn: &mut Conn, id: JurisdictionId) -> Result<Option<Lineage>, Failure> {
        Ok(match self.lineages.entry(id) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(unread) => unread.insert(places::lineage(conn, id)?).clone(),
        })
    }

    fn scopes_before(
        &mut self,
        conn: &mut Conn,
        before: &Enterprise,
    ) -> Result<Vec<Scope>, Failure> {
        let place = self.lineage(conn, before.jurisdiction_id)?;
        let place = place.ok_or_else(|| StoreError::Corrupt {
            what: format!("the jurisdiction of enterprise {} is gone", before.id),
        })?;
        Ok(scopes_of(Some(before.id), &place, Some(&before.sector)))
    }

    fn leave(
        &mut self,
        tx: &mut WriteTx<'_>,
        scopes: &[Scope],
        enterprise: &Enterprise,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let (id, version) = (&enterprise.id.0, enterprise.version);
        self.news
            .remove(scopes, RecordKind::Enterprise, id, version, now);
        Ok(enterprise_rows::remove(tx, scopes, enterprise.id)?)
    }

    fn tell(
        &mut self,
        head: Head,
        enterprise: &Enterprise,
        change: &Change<'_>,
    ) -> Result<(), Failure> {
        let body = encoded(&EnterpriseEvent {
            enterprise: enterprise.clone(),
            actor_id: change.actor,
            recorded_at: change.now,
            reason: change.reason.map(str::to_owned),
        })?;
        let event = NewEvent {
            subject_kind: SUBJECT,
            subject_id: &enterprise.id.0,
            kind: change.kind,
            actor: change.actor,
            recorded_at: change.now,
            body: &body,
        };
        self.events.push(events::link(head, event).0);
        Ok(())
    }
}

/// A grid that is newly named must be one.
fn check_grid(
    conn: &mut Conn,
    enterprise: &Enterprise,
    before: Option<&Enterprise>,
) -> Result<(), Failure> {
    let grid = enterprise.profile.grid_id;
    let Some(id) = grid.filter(|_| before.is_none_or(|before| before.profile.grid_id != grid))
    else {
        return Ok(());
    };
    match places::level_of(conn, id)? {
        Some(Level::Grid) => merge_jurisdictions::require_standing(conn, id),
        Some(_) => Err(Failure::invalid(
            "grid_id",
            "names a jurisdiction that is no grid",
        )),
        None => Err(Failure::invalid("grid_id", "names no jurisdiction")),
    }
}

fn encoded<T: Encode<()>>(value: &T) -> Result<Vec<u8>, Failure> {
    minicbor::to_vec(value).map_err(|error| Failure::Internal(format!("encoding: {error}")))
}
