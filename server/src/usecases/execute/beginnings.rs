//! Whose place it is where something begins: a report, an inspection.

use hazardloop_domain::access::{Grant, GrantScope, Place};
use hazardloop_domain::geography::Position;
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, PersonId};
use hazardloop_domain::time::Timestamp;

use super::{Sender, WorkingSet, unknown_enterprise};
use crate::failure::Failure;
use crate::store::Conn;

/// Where something begins, as its author says.
#[derive(Clone, Copy, Debug)]
pub struct Where {
    /// At which enterprise.
    pub enterprise_id: Option<EnterpriseId>,
    /// At which place, which counts where there is no enterprise.
    pub position: Option<Position>,
}

/// Who begins it.
#[derive(Clone, Copy, Debug)]
pub struct Beginner {
    /// Who; `None`: the server itself, or nobody that it knows.
    pub person_id: Option<PersonId>,
    /// When their device had last heard from a server, by that one's clock; `None`: they are here.
    pub last_contact: Option<Timestamp>,
}

impl From<&Sender> for Beginner {
    fn from(sender: &Sender) -> Self {
        let made = sender.origin.made.as_ref();
        Self {
            person_id: sender.person_id,
            last_contact: made.and_then(|made| made.server_anchor),
        }
    }
}

impl WorkingSet<'_> {
    /// Where it will stand, and who will answer for it. What was merged answers for nothing once it has given way: its
    /// successor does.
    ///
    /// # Errors
    /// A refusal where the enterprise is not known; or when the database does not answer.
    pub fn where_begins(
        &mut self,
        conn: &mut Conn,
        at: Where,
        by: Beginner,
    ) -> Result<(Place, Option<JurisdictionId>), Failure> {
        let found = self.whose_place(conn, at, by)?;
        let resolved = found.map(|id| self.standing_for(conn, id)).transpose()?;
        let jurisdictions = match resolved {
            Some(id) => self.lineage(conn, id)?.ancestors.clone(),
            None => Vec::new(),
        };
        let sector = match at.enterprise_id {
            Some(id) => self.seat(conn, id)?.map(|seat| seat.sector),
            None => None,
        };
        let place = Place {
            enterprise_id: at.enterprise_id,
            jurisdictions,
            sector,
        };
        Ok((place, resolved))
    }

    /// The enterprise's jurisdiction; for an unknown enterprise, the narrowest one whose boundary
    /// holds the position. Few towns have boundaries: where the author answers for exactly one
    /// jurisdiction at or below that one, or there is no boundary at all, it is theirs.
    fn whose_place(
        &mut self,
        conn: &mut Conn,
        at: Where,
        by: Beginner,
    ) -> Result<Option<JurisdictionId>, Failure> {
        if let Some(enterprise_id) = at.enterprise_id {
            return self.jurisdiction_of(conn, enterprise_id).map(Some);
        }
        let point = at.position.map(|position| position.to_wgs84());
        let located = point.and_then(|point| self.door().app.boundaries.locate(point));
        let located = located.map(|id| self.standing_for(conn, id)).transpose()?;
        let Some(person_id) = by.person_id else {
            return Ok(located);
        };
        let now = self.now();
        let grants = self.grants(conn, person_id)?.to_vec();
        // Whoever was moved to another town while they were out of reach reported from where they were. Their device's
        // clock says nothing about it: the last contact does, which is the server's own.
        let then = by.last_contact.filter(|then| *then < now);
        let mut own = match then {
            Some(then) => self.own_at(conn, &grants, located, then)?,
            None => Vec::new(),
        };
        if own.is_empty() {
            own = self.own_at(conn, &grants, located, now)?;
        }
        Ok(match own.as_slice() {
            [only] => Some(*only),
            _ => located,
        })
    }

    /// The jurisdictions that these grants were over at a time, at or below `located`.
    fn own_at(
        &mut self,
        conn: &mut Conn,
        grants: &[Grant],
        located: Option<JurisdictionId>,
        at: Timestamp,
    ) -> Result<Vec<JurisdictionId>, Failure> {
        let mut own = Vec::new();
        for grant in grants {
            let GrantScope::Jurisdiction(id) = grant.scope else {
                continue;
            };
            let below = match located {
                Some(located) => self.lineage(conn, id)?.ancestors.contains(&located),
                None => true,
            };
            if grant.holds_at(at) && below && !own.contains(&id) {
                own.push(id);
            }
        }
        Ok(own)
    }

    fn jurisdiction_of(
        &mut self,
        conn: &mut Conn,
        id: EnterpriseId,
    ) -> Result<JurisdictionId, Failure> {
        let seat = self.seat(conn, id)?.ok_or_else(unknown_enterprise)?;
        self.standing_for(conn, seat.jurisdiction_id)
    }
}
