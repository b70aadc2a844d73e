//! Adding packs: every version stays, its criteria and checklists become records that every device gets.
//!
//! An edition of a criterion or checklist never changes what it says: hazards and inspections pin it. What
//! a newer version of the pack may change about it is how its standard stands and since and until when it
//! holds; an edition that a newer version lacks is retired, not removed.

use std::collections::BTreeMap;

use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::pack::{Checklist, Criterion, Pack, PackHead};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};
use minicbor::{Decode, Encode};

use super::jurisdictions::encoded;
use crate::failure::Failure;
use crate::store::events::{self, NewEvent};
use crate::store::feed::{self, Announced, News};
use crate::store::packs::{self, Stored};
use crate::store::{Conn, WriteTx};

/// What the history of a pack keeps of one version: the bytes that are hashed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PackEvent {
    /// Its name.
    #[n(0)]
    pub name: String,
    /// The version that was added.
    #[n(1)]
    pub version: u32,
    /// SHA-256 of the whole version.
    #[n(2)]
    pub digest: Digest,
    /// Who; absent: whoever runs the server.
    #[n(3)]
    pub actor_id: Option<PersonId>,
    /// When the server recorded it.
    #[n(4)]
    pub recorded_at: Timestamp,
    /// Criteria in it.
    #[n(5)]
    pub criteria: u32,
    /// Checklists in it.
    #[n(6)]
    pub checklists: u32,
}

/// What became of a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is new.
    New,
    /// This very version was there.
    Known,
}

/// Adds a version of a pack and tells every device. Who may is the caller's question.
///
/// # Errors
/// [`Failure::Conflict`] when the version is there with other content, or an edition of a criterion or
/// checklist says something else than it did; [`Failure::Store`] when the database does not answer.
pub fn add(
    tx: &mut WriteTx<'_>,
    key: &DigestKey,
    pack: &Pack,
    actor: Option<PersonId>,
    now: Timestamp,
) -> Result<Added, Failure> {
    let head = &pack.head;
    let document = encoded(pack)?;
    let digest = Digest::sha256(&document);
    let versions = packs::versions(tx.conn(), Some(&head.name))?;
    if let Some(known) = versions.iter().find(|v| v.head.version == head.version) {
        return if known.digest == digest {
            Ok(Added::Known)
        } else {
            Err(other_content(head))
        };
    }
    let newest = versions
        .last()
        .is_none_or(|newest| newest.head.version < head.version);
    let changed = Changed {
        criteria: criteria_changed(tx.conn(), pack, newest, now)?,
        checklists: checklists_changed(tx.conn(), pack, newest, now)?,
    };
    let record = encoded(head)?;
    packs::insert(tx, head, &record, &document, now)?;
    let criteria = with_records(changed.criteria)?;
    let checklists = with_records(changed.checklists)?;
    packs::put_criteria(tx, &criteria)?;
    packs::put_checklists(tx, &checklists)?;
    let mut news = News::default();
    if newest {
        replace_head(&mut news, key, (head, &record), versions.last(), now);
    }
    for (criterion, body) in &criteria {
        let (id, version) = (&criterion.id.0, criterion.version);
        put(
            &mut news,
            key,
            (RecordKind::Criterion, id, version),
            body,
            now,
        );
    }
    for (list, body) in &checklists {
        let (id, version) = (&list.id.0, list.version);
        put(
            &mut news,
            key,
            (RecordKind::Checklist, id, version),
            body,
            now,
        );
    }
    feed::publish(tx, news)?;
    remember(tx, pack, digest, actor, now)?;
    Ok(Added::New)
}

struct Changed {
    criteria: Vec<Criterion>,
    checklists: Vec<Checklist>,
}

fn other_content(head: &PackHead) -> Failure {
    let (name, version) = (&head.name, head.version);
    Failure::Conflict(format!(
        "version {version} of {name} is there with other content; raise the version in pack.tsv"
    ))
}

fn put(
    news: &mut News,
    key: &DigestKey,
    (kind, id, version): (RecordKind, &uuid::Uuid, i64),
    body: &[u8],
    now: Timestamp,
) {
    let record = Announced {
        kind,
        id,
        version,
        body,
        created_at: now,
    };
    news.put(key, &[Scope::Catalog], record);
}

/// Devices hold the newest version alone.
fn replace_head(
    news: &mut News,
    key: &DigestKey,
    (head, record): (&PackHead, &[u8]),
    before: Option<&Stored>,
    now: Timestamp,
) {
    if let Some(before) = before {
        let (id, version) = (before.head.id().0, i64::from(before.head.version));
        news.remove(&[Scope::Catalog], RecordKind::Pack, &id, version, now);
    }
    let (id, version) = (head.id().0, i64::from(head.version));
    put(news, key, (RecordKind::Pack, &id, version), record, now);
}

fn remember(
    tx: &mut WriteTx<'_>,
    pack: &Pack,
    digest: Digest,
    actor: Option<PersonId>,
    now: Timestamp,
) -> Result<(), Failure> {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let event = encoded(&PackEvent {
        name: pack.head.name.clone(),
        version: pack.head.version,
        digest,
        actor_id: actor,
        recorded_at: now,
        criteria: count(pack.criteria.len()),
        checklists: count(pack.checklists.len()),
    })?;
    let event = NewEvent {
        subject_kind: "pack",
        subject_id: &pack.head.line_id().0,
        kind: "added",
        actor,
        recorded_at: now,
        body: &event,
    };
    events::append(tx, event)?;
    Ok(())
}

fn with_records<T: Encode<()>>(all: Vec<T>) -> Result<Vec<(T, Vec<u8>)>, Failure> {
    all.into_iter()
        .map(|one| {
            let record = encoded(&one)?;
            Ok((one, record))
        })
        .collect()
}

/// By which version of its pack, and since when; no time: it came after that version.
type Retired = Option<(u32, Option<Timestamp>)>;

/// A record that comes in editions.
trait Edition: Clone + PartialEq {
    fn name(&self) -> (&str, u32);
    fn same_text(&self, other: &Self) -> bool;
    fn set(&mut self, retired: Retired, version: i64);
    fn state(&self) -> (Option<u32>, i64);
}

macro_rules! edition {
    ($name:ident $(, $since:ident)?) => {
        impl Edition for $name {
            fn name(&self) -> (&str, u32) {
                (&self.code, self.edition)
            }
            fn same_text(&self, other: &Self) -> bool {
                Self::same_text(self, other)
            }
            fn set(&mut self, retired: Retired, version: i64) {
                self.retired_in = retired.map(|(by, _)| by);
                self.version = version;
                $(self.$since = retired.and_then(|(_, at)| at);)?
            }
            fn state(&self) -> (Option<u32>, i64) {
                (self.retired_in, self.version)
            }
        }
    };
}
edition!(Criterion, retired_at);
edition!(Checklist);

/// What is stored anew of one kind when a version of a pack comes with `ours` and the database has
/// `stored` of it. A version that is older than another brings what nobody has, retired from the start.
fn settle<T: Edition>(
    ours: Vec<T>,
    stored: &[T],
    head: &PackHead,
    newer: Option<u32>,
    now: Timestamp,
) -> Result<Vec<T>, Failure> {
    let mut changed = Vec::new();
    for mut one in ours.iter().cloned() {
        let Some(known) = stored.iter().find(|known| known.name() == one.name()) else {
            one.set(newer.map(|by| (by, None)), 1);
            changed.push(one);
            continue;
        };
        if !known.same_text(&one) {
            let (code, edition) = one.name();
            return Err(Failure::Conflict(format!(
                "edition {edition} of {code} is there and says something else; raise its edition"
            )));
        }
        let (retired_in, version) = known.state();
        if newer.is_none() {
            one.set(None, version);
            if one != *known || retired_in.is_some() {
                one.set(None, version.saturating_add(1));
                changed.push(one);
            }
        }
    }
    for known in stored.iter().filter(|_| newer.is_none()) {
        let (retired_in, version) = known.state();
        let gone = !ours.iter().any(|one| one.name() == known.name());
        if gone && retired_in.is_none() {
            let mut retired = known.clone();
            retired.set(Some((head.version, Some(now))), version.saturating_add(1));
            changed.push(retired);
        }
    }
    Ok(changed)
}

/// The version that made an older one's leftovers old.
fn newer_than(conn: &mut Conn, head: &PackHead, newest: bool) -> Result<Option<u32>, Failure> {
    if newest {
        return Ok(None);
    }
    let versions = packs::versions(conn, Some(&head.name))?;
    let mut later = versions
        .iter()
        .map(|v| v.head.version)
        .filter(|v| *v > head.version);
    Ok(later.next())
}

fn criteria_changed(
    conn: &mut Conn,
    pack: &Pack,
    newest: bool,
    now: Timestamp,
) -> Result<Vec<Criterion>, Failure> {
    let (head, ours) = (&pack.head, pack.criteria());
    let others = packs::codes_of_others(conn, &head.name)?;
    free(&ours, &others)?;
    let stored = packs::criteria(conn, Some(&head.name))?;
    settle(ours, &stored, head, newer_than(conn, head, newest)?, now)
}

fn checklists_changed(
    conn: &mut Conn,
    pack: &Pack,
    newest: bool,
    now: Timestamp,
) -> Result<Vec<Checklist>, Failure> {
    let (head, ours) = (&pack.head, pack.checklists());
    let others = packs::lists_of_others(conn, &head.name)?;
    free(&ours, &others)?;
    let stored = packs::checklists(conn, Some(&head.name))?;
    settle(ours, &stored, head, newer_than(conn, head, newest)?, now)
}

/// A code belongs to one pack.
fn free<T: Edition>(ours: &[T], others: &BTreeMap<String, String>) -> Result<(), Failure> {
    for one in ours {
        let (code, _) = one.name();
        if let Some(other) = others.get(code) {
            let why = format!("the code {code} belongs to the pack {other}");
            return Err(Failure::Conflict(why));
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "packs_tests.rs"]
mod tests;
