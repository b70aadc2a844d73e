//! The audit chain: extending it in commit order, and checking that nobody has touched history.

mod co_signed;
mod witnessed;

use std::collections::BTreeMap;

use hazardloop_domain::command::SubjectKind;
use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::{EventRecord, Hazard};
use hazardloop_domain::inspection::{Inspection, InspectionEventRecord};
use serde::Serialize;
use uuid::Uuid;

use self::witnessed::{AllSaid, Amiss};
use crate::failure::Failure;
use crate::store::audit::{self, Link, SubjectRow, chain_hash};
use crate::store::events::{self, Head, StoredEvent};
use crate::store::{
    Db, Position, ReadTx, StoreError, WriteTx, chains_to_weigh, hazards, inspections, order,
    places, witnesses,
};

/// Events sealed in one transaction; the lock on the chain is held that long.
const SEALED_AT_ONCE: i64 = 500;

/// Rows read at once while checking.
const CHECKED_AT_ONCE: i64 = 2_000;

/// Findings listed; more are counted only.
pub const FINDINGS_LISTED: usize = 1_000;

/// Appends all events that are safely committed and not yet in the chain. Returns how many.
///
/// # Errors
/// [`Failure::Store`] when the database does not answer.
pub fn seal_all(db: &Db) -> Result<usize, Failure> {
    let mut total = 0;
    loop {
        let sealed = db.write_blocking(seal_some)?;
        total += sealed;
        if (sealed as i64) < SEALED_AT_ONCE {
            return Ok(total);
        }
    }
}

fn seal_some(tx: &mut WriteTx<'_>) -> Result<usize, Failure> {
    audit::lock(tx)?;
    let newest = audit::newest(tx.conn())?;
    let after = newest
        .as_ref()
        .map_or(Position::START, Link::event_position);
    let horizon = order::horizon(tx.conn())?;
    let pending = events::in_commit_order(tx.conn(), after, horizon, SEALED_AT_ONCE)?;
    let sealed = pending.len();
    audit::extend(tx, newest.as_ref(), pending)?;
    Ok(sealed)
}

/// The end of the chain: keep it elsewhere, and nobody can rewrite what came before it unnoticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AuditHead {
    /// Number of events in the chain.
    pub position: i64,
    /// `sha256`.
    pub algorithm: &'static str,
    /// Hash of the newest link, hexadecimal; zeros when there is none.
    pub hash: Digest,
}

/// What was found amiss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// An event's bytes are not those that were hashed.
    Changed,
    /// An event is gone.
    Removed,
    /// An event stands where another stood.
    Reordered,
    /// An event is there that the chain does not know.
    Added,
    /// The present state of a hazard or an inspection does not follow from its history.
    StateDiffers,
    /// A link of the chain was altered.
    ChainBroken,
    /// The head that was kept elsewhere is not in the chain.
    HeadUnknown,
    /// The signature of somebody who signed too does not fit, or is over something else.
    CoSignatureUnfit,
    /// What proves the time of commands was altered, or they were.
    TimeProofDiffers,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub fault: Fault,
    /// The subject.
    pub subject_id: Option<Uuid>,
    /// The place in its history.
    pub subject_seq: Option<i64>,
    /// In words.
    pub detail: String,
}

/// The answer of a check.
#[derive(Clone, Debug, Serialize)]
pub struct AuditReport {
    /// Events read.
    pub events: u64,
    /// Events that were committed but not yet in the chain.
    pub unsealed: u64,
    /// The end of the chain.
    pub head: AuditHead,
    /// What is amiss, at most [`FINDINGS_LISTED`].
    pub findings: Vec<Finding>,
    /// How many findings there are.
    pub faults: u64,
    /// Statements about chains that found no room in a push and that the server will weigh: they may come to prove more.
    /// No faults.
    pub not_weighed: u64,
}

/// Checks every event, every link and the head of every hazard and inspection.
///
/// # Errors
/// [`Failure::Store`] when the database does not answer.
pub fn verify(db: &Db, kept: Option<(i64, Digest)>) -> Result<AuditReport, Failure> {
    db.read_blocking(|tx| {
        let mut check = Check::default();
        check.histories(tx)?;
        check.chain(tx, kept)?;
        check.rows(tx)?;
        check.statements(tx)?;
        Ok(check.report())
    })
}

#[derive(Default)]
struct Check {
    events: u64,
    links: u64,
    head: Option<(i64, Digest)>,
    /// End of each history as read.
    ends: BTreeMap<Vec<u8>, (i64, Digest)>,
    /// Statements about others' chains, as histories have them.
    said: AllSaid,
    findings: Vec<Finding>,
    faults: u64,
    not_weighed: u64,
}

impl Check {
    fn found(&mut self, fault: Fault, subject: &[u8], seq: i64, detail: String) {
        self.faults += 1;
        if self.findings.len() < FINDINGS_LISTED {
            self.findings.push(Finding {
                fault,
                subject_id: Uuid::from_slice(subject).ok(),
                subject_seq: Some(seq),
                detail,
            });
        }
    }

    /// Each history by itself: contiguous, and every event hashed onto the one before.
    fn histories(&mut self, tx: &mut ReadTx<'_>) -> Result<(), StoreError> {
        let mut after = (Vec::new(), 0);
        let mut end: (i64, Digest) = (0, Digest::ZERO);
        loop {
            let page = events::by_subject(tx.conn(), &after, CHECKED_AT_ONCE)?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            let next = (last.subject_id.clone(), last.subject_seq);
            for event in &page {
                if event.subject_id != after.0 {
                    end = (0, Digest::ZERO);
                    after.0.clone_from(&event.subject_id);
                }
                let told = co_signed::told(event);
                end = self.one_event(event, end, told.as_ref().map(|(seq, _)| *seq));
                if let Some((seq, origin)) = told {
                    for fault in co_signed::faults(tx.conn(), &origin)? {
                        let detail = format!("event {seq} ({}): {fault}", event.kind);
                        self.found(Fault::CoSignatureUnfit, &event.subject_id, seq, detail);
                    }
                }
                self.said.extend(witnessed::said(event));
                self.ends.insert(event.subject_id.clone(), end);
                self.events += 1;
            }
            after = next;
        }
    }

    fn one_event(
        &mut self,
        event: &StoredEvent,
        end: (i64, Digest),
        recorded_seq: Option<i64>,
    ) -> (i64, Digest) {
        let (subject, seq) = (&event.subject_id, event.subject_seq);
        for missing in end.0.saturating_add(1)..seq.min(end.0.saturating_add(100)) {
            self.found(
                Fault::Removed,
                subject,
                missing,
                format!("event {missing} is gone"),
            );
        }
        let contiguous = seq == end.0.saturating_add(1);
        let computed =
            Digest::from_slice(&event.previous_hash).map(|previous| event.computed_hash(&previous));
        let stored = Digest::from_slice(&event.hash);
        if computed.is_none() || computed != stored {
            let detail = format!(
                "event {seq} ({}) does not have the hash stored with it",
                event.kind
            );
            self.found(Fault::Changed, subject, seq, detail);
        } else if contiguous && event.previous_hash != end.1.as_bytes() {
            let detail = format!(
                "event {seq} ({}) does not follow the event before it",
                event.kind
            );
            self.found(Fault::Reordered, subject, seq, detail);
        }
        if recorded_seq.is_some_and(|recorded| recorded != seq) {
            let detail = format!("event {seq} says of itself that it has another place");
            self.found(Fault::Reordered, subject, seq, detail);
        }
        (seq, stored.unwrap_or(Digest::ZERO))
    }

    /// The chain over all: contiguous, correctly hashed, and of exactly the events that are there.
    fn chain(
        &mut self,
        tx: &mut ReadTx<'_>,
        kept: Option<(i64, Digest)>,
    ) -> Result<(), StoreError> {
        let mut position = 0;
        let mut hash = Digest::ZERO;
        let mut kept_seen = kept.is_none_or(|(at, digest)| at == 0 && digest == Digest::ZERO);
        loop {
            let page = audit::links(tx.conn(), position, CHECKED_AT_ONCE)?;
            if page.is_empty() {
                break;
            }
            for link in page {
                if link.position != position + 1 {
                    let detail =
                        format!("links {} to {} are gone", position + 1, link.position - 1);
                    self.found(
                        Fault::ChainBroken,
                        &link.subject_id,
                        link.subject_seq,
                        detail,
                    );
                }
                hash = chain_hash(&hash, &link.event_hash);
                if link.chain_hash != hash.as_bytes() {
                    let detail = format!("link {} was altered", link.position);
                    self.found(
                        Fault::ChainBroken,
                        &link.subject_id,
                        link.subject_seq,
                        detail,
                    );
                    hash = Digest::from_slice(&link.chain_hash).unwrap_or(hash);
                }
                position = link.position;
                kept_seen |= kept == Some((position, hash));
                self.links += 1;
                self.linked_event(tx, &link)?;
            }
        }
        self.head = Some((position, hash));
        if let Some(newest) = audit::newest(tx.conn())? {
            for (subject, seq) in events::not_in_chain(tx.conn(), newest.event_position())? {
                let detail = format!("event {seq} was put in after its time");
                self.found(Fault::Added, &subject, seq, detail);
            }
        }
        if let (false, Some((at, digest))) = (kept_seen, kept) {
            let detail = format!("the head {at}:{digest} that was kept is not in the chain");
            self.found(Fault::HeadUnknown, &[], at, detail);
        }
        Ok(())
    }

    fn linked_event(&mut self, tx: &mut ReadTx<'_>, link: &Link) -> Result<(), StoreError> {
        let (subject, seq) = (&link.subject_id, link.subject_seq);
        match audit::stored_hash(tx.conn(), subject, seq)? {
            None => {
                let detail = format!("event {seq}, link {} of the chain, is gone", link.position);
                self.found(Fault::Removed, subject, seq, detail);
            }
            Some(stored) if stored != link.event_hash => {
                let detail = format!("event {seq} is not the one in link {}", link.position);
                self.found(Fault::Reordered, subject, seq, detail);
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// The own row of each hazard and each inspection follows from its history.
    fn rows(&mut self, tx: &mut ReadTx<'_>) -> Result<(), StoreError> {
        for kind in SubjectKind::ALL {
            self.rows_of(tx, *kind)?;
        }
        Ok(())
    }

    /// Each statement about another device's chain is what its own device's history has, and no other is there.
    fn statements(&mut self, tx: &mut ReadTx<'_>) -> Result<(), StoreError> {
        let mut after = None;
        let to_weigh = chains_to_weigh::all(tx.conn())?;
        loop {
            let page = witnesses::all_after(tx.conn(), after, CHECKED_AT_ONCE)?;
            let Some(last) = page.last() else { break };
            after = Some(last.by);
            for statement in &page {
                let (by, said) = (statement.by, self.said.remove(&statement.by));
                match witnessed::amiss(tx.conn(), statement, said, &to_weigh)? {
                    Some(Amiss::Fault(fault)) => self.of_statement(by, fault),
                    Some(Amiss::NotWeighed) => self.not_weighed += 1,
                    None => {}
                }
            }
        }
        for by in std::mem::take(&mut self.said).into_keys() {
            self.of_statement(by, "it is gone");
        }
        Ok(())
    }

    fn of_statement(&mut self, by: SentCommand, fault: &str) {
        let detail = format!(
            "the statement by command {} of this device: {fault}",
            by.seq
        );
        let device = by.install_id.as_bytes();
        self.found(Fault::TimeProofDiffers, device, by.seq, detail);
    }

    fn rows_of(&mut self, tx: &mut ReadTx<'_>, kind: SubjectKind) -> Result<(), StoreError> {
        let mut after = Vec::new();
        loop {
            let page = audit::subject_rows(tx.conn(), kind, &after, CHECKED_AT_ONCE)?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after.clone_from(&last.id);
            for row in &page {
                let end = self.ends.get(&row.id).copied().unwrap_or((0, Digest::ZERO));
                if end.0 < row.version {
                    let detail = format!("events {} to {} are gone", end.0 + 1, row.version);
                    self.found(Fault::Removed, &row.id, row.version, detail);
                } else if end.0 > row.version
                    || row.head_hash != end.1.as_bytes()
                    || !follows(tx, kind, row)?
                {
                    let what = kind.as_str();
                    let detail = format!("the {what}'s state does not follow from its history");
                    self.found(Fault::StateDiffers, &row.id, end.0, detail);
                }
            }
        }
    }

    fn report(self) -> AuditReport {
        let (position, hash) = self.head.unwrap_or((0, Digest::ZERO));
        AuditReport {
            events: self.events,
            unsealed: self.events.saturating_sub(self.links),
            head: AuditHead {
                position,
                algorithm: "sha256",
                hash,
            },
            findings: self.findings,
            faults: self.faults,
            not_weighed: self.not_weighed,
        }
    }
}

/// Whether replaying the history makes exactly the stored row.
fn follows(tx: &mut ReadTx<'_>, kind: SubjectKind, row: &SubjectRow) -> Result<bool, StoreError> {
    let (Ok(id), Some(hash)) = (
        Uuid::from_slice(&row.id),
        Digest::from_slice(&row.head_hash),
    ) else {
        return Ok(false);
    };
    let head = Head {
        seq: row.version,
        hash,
    };
    match kind {
        SubjectKind::Hazard => hazard_follows(tx, id, head),
        SubjectKind::Inspection => inspection_follows(tx, id, head),
    }
}

fn hazard_follows(tx: &mut ReadTx<'_>, id: Uuid, head: Head) -> Result<bool, StoreError> {
    let apply = |hazard: &mut Option<Hazard>, record: EventRecord| match hazard {
        Some(hazard) => hazard.apply(&record),
        None => *hazard = Hazard::begin(&record),
    };
    let Some((hazard, record)) = replayed(tx, id, apply)? else {
        return Ok(false);
    };
    let Some(place) = places::lineage(tx.conn(), hazard.jurisdiction_id)? else {
        return Ok(false);
    };
    hazards::row_follows(tx.conn(), &hazard, &record, head, &place.district_code)
}

fn inspection_follows(tx: &mut ReadTx<'_>, id: Uuid, head: Head) -> Result<bool, StoreError> {
    let apply =
        |inspection: &mut Option<Inspection>, record: InspectionEventRecord| match inspection {
            Some(inspection) => inspection.apply(&record),
            None => *inspection = Inspection::begin(&record),
        };
    let Some((inspection, record)) = replayed(tx, id, apply)? else {
        return Ok(false);
    };
    inspections::row_follows(tx.conn(), &inspection, &record, head)
}

/// The state that a history makes, and its CBOR; `None` when it makes none.
fn replayed<T, R>(
    tx: &mut ReadTx<'_>,
    id: Uuid,
    apply: impl Fn(&mut Option<T>, R),
) -> Result<Option<(T, Vec<u8>)>, StoreError>
where
    T: minicbor::Encode<()>,
    R: for<'b> minicbor::Decode<'b, ()>,
{
    let (mut state, mut after) = (None, 0);
    loop {
        let page = events::history(tx.conn(), &id, after, CHECKED_AT_ONCE)?;
        let Some(last) = page.last() else { break };
        after = last.subject_seq;
        for event in &page {
            let Ok(record) = minicbor::decode::<R>(&event.body) else {
                return Ok(None);
            };
            apply(&mut state, record);
        }
    }
    let encoded = state.as_ref().map(minicbor::to_vec);
    Ok(state.zip(encoded.and_then(Result::ok)))
}
