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

/// What a version of a pack would do here.
#[derive(Clone, Debug, PartialEq)]
pub enum Weighed {
    /// This very version is here.
    Known,
    /// It is new.
    New(Box<New>),
    /// What stands against it.
    Against(Vec<String>),
}

/// What a new version changes.
#[derive(Clone, Debug, PartialEq)]
pub struct New {
    document: Vec<u8>,
    before: Option<Stored>,
    newest: bool,
    criteria: Vec<Criterion>,
    checklists: Vec<Checklist>,
}

/// Looks at what adding a version of a pack would do, and changes nothing.
///
/// # Errors
/// [`Failure::Store`] when the database does not answer.
pub fn weigh(conn: &mut Conn, pack: &Pack, now: Timestamp) -> Result<Weighed, Failure> {
    let head = &pack.head;
    let document = encoded(pack)?;
    let versions = packs::versions(conn, Some(&head.name))?;
    if let Some(known) = versions.iter().find(|v| v.head.version == head.version) {
        return Ok(match known.digest == Digest::sha256(&document) {
            true => Weighed::Known,
            false => Weighed::Against(vec![other_content(head)]),
        });
    }
    let later = |stored: &&Stored| stored.head.version > head.version;
    let newer = versions.iter().find(later).map(|v| v.head.version);
    let mut against = Vec::new();
    let of = Settling {
        head,
        newer,
        now,
        against: &mut against,
    };
    let (criteria, checklists) = of.changed(conn, pack)?;
    if !against.is_empty() {
        return Ok(Weighed::Against(against));
    }
    Ok(Weighed::New(Box::new(New {
        document,
        before: versions.into_iter().next_back(),
        newest: newer.is_none(),
        criteria,
        checklists,
    })))
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
    let new = match weigh(tx.conn(), pack, now)? {
        Weighed::Known => return Ok(Added::Known),
        Weighed::Against(why) => return Err(Failure::Conflict(why.join("; "))),
        Weighed::New(new) => *new,
    };
    let record = encoded(head)?;
    packs::insert(tx, head, &record, &new.document, now)?;
    let criteria = with_records(new.criteria)?;
    let checklists = with_records(new.checklists)?;
    packs::put_criteria(tx, &criteria)?;
    packs::put_checklists(tx, &checklists)?;
    let mut news = News::default();
    if new.newest {
        replace_head(&mut news, key, (head, &record), new.before.as_ref(), now);
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
    remember(tx, pack, Digest::sha256(&new.document), actor, now)?;
    Ok(Added::New)
}

fn other_content(head: &PackHead) -> String {
    let (name, version) = (&head.name, head.version);
    format!(
        "version {version} of {name} is there with other content; raise the version in pack.tsv"
    )
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

/// One version of a pack against what is here of it and of others.
struct Settling<'a> {
    head: &'a PackHead,
    /// A version that came before it although it is newer: it made this one's leftovers old.
    newer: Option<u32>,
    now: Timestamp,
    against: &'a mut Vec<String>,
}

impl Settling<'_> {
    fn changed(
        mut self,
        conn: &mut Conn,
        pack: &Pack,
    ) -> Result<(Vec<Criterion>, Vec<Checklist>), Failure> {
        let name = &pack.head.name;
        let (criteria, lists) = (pack.criteria(), pack.checklists());
        self.free(&criteria, &packs::codes_of_others(conn, name)?);
        self.free(&lists, &packs::lists_of_others(conn, name)?);
        let criteria = self.settle(criteria, &packs::criteria(conn, Some(name))?);
        let lists = self.settle(lists, &packs::checklists(conn, Some(name))?);
        Ok((criteria, lists))
    }

    /// A code belongs to one pack.
    fn free<T: Edition>(&mut self, ours: &[T], others: &BTreeMap<String, String>) {
        for one in ours {
            let (code, _) = one.name();
            if let Some(other) = others.get(code) {
                let why = format!("the code {code} belongs to the pack {other}");
                self.against.push(why);
            }
        }
    }

    /// What is stored anew of one kind when the database has `stored` of it. A version that is older
    /// than another brings what nobody has, retired from the start.
    fn settle<T: Edition>(&mut self, ours: Vec<T>, stored: &[T]) -> Vec<T> {
        let mut changed = Vec::new();
        for mut one in ours.iter().cloned() {
            let Some(known) = stored.iter().find(|known| known.name() == one.name()) else {
                one.set(self.newer.map(|by| (by, None)), 1);
                changed.push(one);
                continue;
            };
            if !known.same_text(&one) {
                let (code, edition) = one.name();
                self.against.push(format!(
                    "edition {edition} of {code} is there and says something else; raise its edition"
                ));
                continue;
            }
            let (retired_in, version) = known.state();
            if self.newer.is_none() {
                one.set(None, version);
                if one != *known || retired_in.is_some() {
                    one.set(None, version.saturating_add(1));
                    changed.push(one);
                }
            }
        }
        for known in stored.iter().filter(|_| self.newer.is_none()) {
            let (retired_in, version) = known.state();
            let gone = !ours.iter().any(|one| one.name() == known.name());
            if gone && retired_in.is_none() {
                let mut retired = known.clone();
                let retirement = (self.head.version, Some(self.now));
                retired.set(Some(retirement), version.saturating_add(1));
                changed.push(retired);
            }
        }
        changed
    }
}

#[cfg(test)]
#[path = "packs_tests.rs"]
mod tests;
