//! The proofs of time, made again: each statement is as its device's history has it, fits the chain that it is about,
//! and proves no earlier time than it may; the commands that it proves are those that were hashed.

use std::collections::{BTreeMap, BTreeSet};

use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::InstallId;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::chain::link_hash;
use hazardloop_sync_protocol::hub::witnesses::{Standing, Statement};
use hazardloop_sync_protocol::wire::{Bytes, Envelope, SIGNED_BY_RUN};

use crate::store::events::StoredEvent;
use crate::store::pushed::{self, Link};
use crate::store::{Conn, StoreError, witnesses};
use crate::usecases::time_proof::CHAIN_WITNESSED;

/// Commands of a chain read at once.
const READ_AT_ONCE: i64 = 500;

/// A statement, as the history of its device has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said {
    about: SentCommand,
    head: Digest,
    recorded_at: i64,
}

/// The statements that histories have.
pub(super) type AllSaid = BTreeMap<SentCommand, Said>;

/// What an event says of another device's chain; `None` where it says nothing of the kind.
pub(super) fn said(event: &StoredEvent) -> Option<(SentCommand, Said)> {
    if event.subject_kind != "device" || event.kind != CHAIN_WITNESSED {
        return None;
    }
    let fields: BTreeMap<&str, &str> = minicbor::decode(&event.body).ok()?;
    let number = |name: &str| fields.get(name)?.parse::<i64>().ok();
    let by = SentCommand {
        install_id: InstallId::from_slice(&event.subject_id)?,
        seq: number("seq")?,
    };
    let head = hex::decode(fields.get("head")?).ok()?;
    let said = Said {
        about: SentCommand {
            install_id: fields.get("about_install")?.parse().ok()?,
            seq: number("about_seq")?,
        },
        head: Digest::from_slice(&head)?,
        recorded_at: event.recorded_at,
    };
    Some((by, said))
}

/// What is amiss with a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Amiss {
    /// What is wrong, in words.
    Fault(&'static str),
    /// It may come to prove more: the push that it follows from had no room to weigh it, and a job will.
    NotWeighed,
}

/// What is amiss with a statement; `None`: nothing. `to_weigh`: of these installs something is still to be weighed. Only
/// what claims less than it might counts as not weighed yet, never what claims more.
///
/// # Errors
/// When the database does not answer.
pub(super) fn amiss(
    conn: &mut Conn,
    statement: &Statement,
    said: Option<Said>,
    to_weigh: &BTreeSet<InstallId>,
) -> Result<Option<Amiss>, StoreError> {
    let waits = |install: InstallId| to_weigh.contains(&install);
    let fault = fault(conn, statement, said)?;
    let is_to_be = waits(statement.about.install_id) || waits(statement.by.install_id);
    Ok(fault.map(|fault| match fault.claims_less && is_to_be {
        true => Amiss::NotWeighed,
        false => Amiss::Fault(fault.words),
    }))
}

/// What is wrong with a statement.
#[derive(Clone, Copy)]
struct Fault {
    words: &'static str,
    /// As it is kept it proves less than it would if it were weighed.
    claims_less: bool,
}

impl From<&'static str> for Fault {
    fn from(words: &'static str) -> Self {
        Self {
            words,
            claims_less: false,
        }
    }
}

const fn less(words: &'static str) -> Fault {
    Fault {
        words,
        claims_less: true,
    }
}

fn fault(
    conn: &mut Conn,
    statement: &Statement,
    said: Option<Said>,
) -> Result<Option<Fault>, StoreError> {
    let kept = Said {
        about: statement.about,
        head: statement.head,
        recorded_at: statement.received_at.as_millis(),
    };
    if said != Some(kept) {
        return Ok(Some("it is not what its device's history says".into()));
    }
    let link = witnesses::link(conn, statement.about)?;
    let as_it_stands = match (statement.standing, link) {
        (Standing::Open, None) => true,
        (Standing::Fits | Standing::Leads, Some((hash, _))) => hash == statement.head,
        (Standing::Differs, Some((hash, _))) => hash != statement.head,
        (_, _) => false,
    };
    if !as_it_stands {
        let words = "it does not stand as it says against the chain";
        return Ok(Some(match statement.standing {
            Standing::Open => less(words),
            _ => words.into(),
        }));
    }
    let witness = witnesses::leading(conn, statement.by)?;
    let proven = witness.map_or(statement.received_at, |witness| witness.proven_at);
    let proven = proven.min(statement.received_at);
    if proven != statement.proven_at {
        let words = "it proves another time than it may";
        return Ok(Some(match proven < statement.proven_at {
            true => less(words),
            false => words.into(),
        }));
    }
    let broken = witnesses::broken_at(conn, statement.about.install_id)?;
    let reaches_break = broken.is_some_and(|broken| broken <= statement.about.seq);
    match statement.standing {
        Standing::Leads if reaches_break => Ok(Some("its chain is broken below it".into())),
        Standing::Fits if !reaches_break && !is_outdone(conn, statement, link)? => Ok(Some(
            "it proves more than anything that leads, and does not lead".into(),
        )),
        Standing::Leads => Ok(chain(conn, statement.about, statement.proven_at)?.map(Fault::from)),
        _ => Ok(None),
    }
}

/// Whether the receipt itself, or a statement that leads, proves as much.
fn is_outdone(
    conn: &mut Conn,
    statement: &Statement,
    link: Option<(Digest, Timestamp)>,
) -> Result<bool, StoreError> {
    if link.is_some_and(|(_, received_at)| received_at <= statement.proven_at) {
        return Ok(true);
    }
    let best = witnesses::leading(conn, statement.about)?;
    Ok(best.is_some_and(|best| best.proven_at <= statement.proven_at))
}

/// The commands that were received after `proven_at`, from `last` backwards: what the statement proves.
fn chain(
    conn: &mut Conn,
    last: SentCommand,
    proven_at: Timestamp,
) -> Result<Option<&'static str>, StoreError> {
    let (mut upto, mut after): (i64, Option<Link>) = (last.seq, None);
    loop {
        let page = pushed::links_before(conn, last.install_id, upto, READ_AT_ONCE)?;
        let Some(first) = page.last() else {
            return Ok(None);
        };
        upto = first.seq.saturating_sub(1);
        for link in page {
            let follows = |after: &Link| {
                after.seq == link.seq.saturating_add(1) && after.previous_hash == link.link_hash
            };
            if !after.as_ref().is_none_or(follows) || !is_hashed(last.install_id, &link) {
                return Ok(Some("a command of the chain is not what was hashed"));
            }
            if !link.is_received_as_receipted {
                return Ok(Some("a command was received at another time than it says"));
            }
            if link.received_at <= proven_at.as_millis() {
                return Ok(None);
            }
            after = Some(link);
        }
    }
}

fn is_hashed(install_id: InstallId, link: &Link) -> bool {
    // A name that no program uses is not stored as it came.
    if link.kind.contains('?') {
        return true;
    }
    let envelope = Envelope {
        seq: link.seq,
        kind: link.kind.clone(),
        version: u16::try_from(link.kind_version).unwrap_or_default(),
        previous: Digest::from_slice(&link.previous_hash).unwrap_or(Digest::ZERO),
        payload: Bytes(link.payload.clone()),
        signature_algorithm: SIGNED_BY_RUN,
        signature: Bytes::default(),
    };
    link_hash(install_id, &envelope).as_bytes().as_slice() == link.link_hash
}
