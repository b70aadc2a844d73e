//! Whether a co-signature was used before.

use hazardloop_domain::command::{Origin, Subject};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::EventRecord;
use hazardloop_domain::inspection::InspectionEventRecord;

use super::WorkingSet;
use crate::failure::Failure;
use crate::store::events::StoredEvent;
use crate::store::{Conn, StoreError, events};

/// Events that are read at once where a history is searched.
const HISTORY_PAGE: i64 = 200;

impl WorkingSet<'_> {
    /// Whether this very co-signature is in the subject's history already. A co-signature is good
    /// for one act: who passed a re-inspection has not passed the next, and who signed an inspection has not
    /// signed what became of it.
    ///
    /// # Errors
    /// When the database does not answer or holds a damaged event.
    pub fn was_co_signed(
        &mut self,
        conn: &mut Conn,
        subject: Subject,
        statement: &Digest,
    ) -> Result<bool, Failure> {
        if self.co_signed.contains(statement) {
            return Ok(true);
        }
        let mut after = 0;
        loop {
            let page = events::history(conn, &subject.id().0, after, HISTORY_PAGE)?;
            for stored in &page {
                after = stored.subject_seq;
                let signers = origin_of(subject, stored)?.map(|origin| origin.co_signers);
                let mut signers = signers.into_iter().flatten();
                if signers.any(|by| by.statement == *statement) {
                    return Ok(true);
                }
            }
            if page.len() < usize::try_from(HISTORY_PAGE).unwrap_or_default() {
                return Ok(false);
            }
        }
    }
}

/// By which door an event came; `None`: the id is that of something else, and the rules will say so.
fn origin_of(subject: Subject, stored: &StoredEvent) -> Result<Option<Origin>, StoreError> {
    let kind = subject.kind().as_str();
    if stored.subject_kind != kind {
        return Ok(None);
    }
    let body = stored.body.as_slice();
    let origin = match subject {
        Subject::Hazard(_) => minicbor::decode(body).map(|it: EventRecord| it.origin),
        Subject::Inspection(_) => minicbor::decode(body).map(|it: InspectionEventRecord| it.origin),
    };
    let origin = origin.map_err(|_| StoreError::Corrupt {
        what: format!("an event of {kind} {}", subject.id()),
    })?;
    Ok(Some(origin))
}
