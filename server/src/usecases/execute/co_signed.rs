//! Whether a co-signature was used before.

use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::EventRecord;
use hazardloop_domain::ids::HazardId;

use super::WorkingSet;
use crate::failure::Failure;
use crate::store::{Conn, StoreError, events};

/// How events name what they happened to.
const HAZARD: &str = "hazard";

/// Events that are read at once where a history is searched.
const HISTORY_PAGE: i64 = 200;

impl WorkingSet<'_> {
    /// Whether this very co-signature is in the hazard's history already. A co-signature is good
    /// for one act: who passed a re-inspection has not passed the next.
    ///
    /// # Errors
    /// When the database does not answer or holds a damaged event.
    pub fn was_co_signed(
        &mut self,
        conn: &mut Conn,
        id: HazardId,
        statement: &Digest,
    ) -> Result<bool, Failure> {
        if self.co_signed.contains(statement) {
            return Ok(true);
        }
        let mut after = 0;
        loop {
            let page = events::history(conn, &id.0, after, HISTORY_PAGE)?;
            for stored in &page {
                after = stored.subject_seq;
                // The id may be that of something else: the rules will say so.
                if stored.subject_kind != HAZARD {
                    continue;
                }
                let record: EventRecord =
                    minicbor::decode(&stored.body).map_err(|_| StoreError::Corrupt {
                        what: format!("an event of hazard {id}"),
                    })?;
                let signers = &record.origin.co_signers;
                if signers.iter().any(|by| by.statement == *statement) {
                    return Ok(true);
                }
            }
            if page.len() < usize::try_from(HISTORY_PAGE).unwrap_or_default() {
                return Ok(false);
            }
        }
    }
}
