//! What waits for people by name: an enterprise is beside the inspections that somebody has to carry out there.
//!
//! The inspections themselves are told with every change of theirs (`execute/working_set`). Their enterprises come and
//! go with them, and change by themselves too, which `enterprises/storing.rs` tells.

use std::collections::BTreeSet;

use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::ids::EnterpriseId;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};

use super::execute::{lineage, tasks_of};
use crate::failure::Failure;
use crate::store::feed::{self, Announced, News};
use crate::store::places::Lineage;
use crate::store::{Conn, WriteTx, tasks};

/// The scopes of tasks that an enterprise belongs to, and those that hold it and should not.
pub(super) struct OfFirm {
    /// Where it belongs.
    pub wanted: Vec<Scope>,
    /// Where it is already.
    pub held: Vec<Scope>,
}

impl OfFirm {
    /// As the inspections are that this transaction sees. The enterprise has to be held against changes.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn read(conn: &mut Conn, firm: &Enterprise, place: &Lineage) -> Result<Self, Failure> {
        let teams = tasks::teams_at(conn, &[firm.id])?;
        let team = teams.get(&firm.id).map_or(&[][..], Vec::as_slice);
        Ok(Self {
            wanted: tasks_of(team, place, Some(&firm.sector)),
            held: tasks::holding(conn, firm.id)?,
        })
    }

    /// Where it is and does not belong.
    pub fn left(&self) -> Vec<Scope> {
        let wanted: BTreeSet<&Scope> = self.wanted.iter().collect();
        let left = self.held.iter().filter(|scope| !wanted.contains(scope));
        left.copied().collect()
    }

    fn missing(&self) -> Vec<Scope> {
        let held: BTreeSet<&Scope> = self.held.iter().collect();
        let missing = self.wanted.iter().filter(|scope| !held.contains(scope));
        missing.copied().collect()
    }
}

/// Has these enterprises follow their inspections, which this transaction has stored.
///
/// # Errors
/// When the database does not answer.
pub(super) fn follow_inspections(
    tx: &mut WriteTx<'_>,
    key: &DigestKey,
    firms: &BTreeSet<EnterpriseId>,
    now: Timestamp,
) -> Result<(), Failure> {
    let mut news = News::default();
    for id in firms {
        let Some((firm, body, created_at)) = tasks::firm(tx.conn(), *id)? else {
            continue;
        };
        let place = lineage(tx.conn(), firm.jurisdiction_id)?;
        let of = OfFirm::read(tx.conn(), &firm, &place)?;
        let (missing, left) = (of.missing(), of.left());
        if missing.is_empty() && left.is_empty() {
            continue;
        }
        let announced = Announced {
            kind: RecordKind::Enterprise,
            id: &firm.id.0,
            version: firm.version,
            body: &body,
            created_at,
        };
        news.put(key, &missing, announced);
        news.remove(&left, RecordKind::Enterprise, &firm.id.0, firm.version, now);
    }
    Ok(feed::publish(tx, news)?)
}
