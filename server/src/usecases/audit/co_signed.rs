//! The co-signatures that events keep, checked again: each fits the key it names, and is over the command
//! that came.

use hazardloop_domain::command::{CoSigner, Origin, SubjectKind};
use hazardloop_domain::hazard::EventRecord;
use hazardloop_domain::inspection::InspectionEventRecord;
use hazardloop_sync_protocol::cosign::{Statement, kept_fits};
use hazardloop_sync_protocol::wire::{CommandPayload, PayloadError};

use crate::store::events::StoredEvent;
use crate::store::{Conn, StoreError, person_keys, pushed};

/// Levels of nesting that a stored payload may have: those of the wire, and room for what was taken under
/// other settings.
const DEPTH: usize = 64;

/// What an event says of its own place, and by which door it came; `None` where it is no event of a hazard or
/// an inspection, or cannot be read.
pub(super) fn told(event: &StoredEvent) -> Option<(i64, Origin)> {
    match SubjectKind::from_name(&event.subject_kind)? {
        SubjectKind::Hazard => {
            let record = minicbor::decode::<EventRecord>(&event.body).ok()?;
            Some((record.seq, record.origin))
        }
        SubjectKind::Inspection => {
            let record = minicbor::decode::<InspectionEventRecord>(&event.body).ok()?;
            Some((record.seq, record.origin))
        }
    }
}

/// What is wrong with the co-signatures of an event, in words; each that is good says nothing.
///
/// # Errors
/// When the database does not answer.
pub(super) fn faults(conn: &mut Conn, origin: &Origin) -> Result<Vec<String>, StoreError> {
    let mut faults = Vec::new();
    if origin.co_signers.is_empty() {
        return Ok(faults);
    }
    let statement = match statement(conn, origin)? {
        Said::NotKept => None,
        Said::Gone => {
            faults.push("the command that came, and was co-signed, is gone".to_owned());
            None
        }
        Said::Kept(opened) => Some(opened),
    };
    if statement.as_ref().is_some_and(Result::is_err) {
        faults.push("the command that came, and was co-signed, cannot be read".to_owned());
    }
    for by in &origin.co_signers {
        let who = by.person_id;
        // A key that was revoked since goes on verifying what it signed before.
        match person_keys::verifying(conn, by.key_id, who)? {
            None => faults.push(format!("the key of the co-signature by {who} is gone")),
            Some(key) if !kept_fits(&key.public_key, by) => {
                faults.push(format!("the co-signature by {who} does not fit its key"));
            }
            Some(_) => {}
        }
        if let Some(Ok(said)) = &statement
            && !is_over(by, said)
        {
            let fault = format!("the co-signature by {who} is not over the command that came");
            faults.push(fault);
        }
    }
    Ok(faults)
}

fn is_over(by: &CoSigner, statement: &Statement) -> bool {
    let hash = statement.hash(by.algorithm, by.person_id, by.key_id, by.signed_at);
    hash == by.statement
}

/// What the command said that an event came of.
enum Said {
    /// It came over REST, which keeps only what happened.
    NotKept,
    /// It came from a device, and nobody deletes what devices sent.
    Gone,
    /// As it came.
    Kept(Result<Statement, PayloadError>),
}

fn statement(conn: &mut Conn, origin: &Origin) -> Result<Said, StoreError> {
    let Some((install, seq)) = origin.install_id.zip(origin.seq) else {
        return Ok(Said::NotKept);
    };
    let Some(sent) = pushed::sent(conn, install, seq)? else {
        return Ok(Said::Gone);
    };
    let opened = CommandPayload::open(&sent.kind, sent.version, &sent.payload, DEPTH);
    Ok(Said::Kept(opened.map(|opened| opened.statement)))
}
