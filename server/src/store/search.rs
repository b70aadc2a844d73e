//! The text index of hazards: which terms each holds, in segments of 4,096 documents.
//!
//! A change adds one row to `search_pending` and nothing else; what waits there is made documents in batches
//! (`usecases/index_text.rs`), so that no request pays for a row for each pair of characters. A search reads a row
//! for each term and segment, at most 512 bytes, rarest term first, and looks through what waits by itself: it
//! finds what was stored a moment ago. Documents are candidates only; what is shown is decided by the records.

use std::collections::{BTreeMap, BTreeSet};

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::Hazard;
use hazardloop_domain::ids::EnterpriseId;
use uuid::Uuid;

use super::batch::in_arrays;
use super::document_set::{DocumentSet, SEGMENT};
use super::lists::Key;
use super::prepared::{Bind, Prepared};
use super::schema::{search_documents, search_pending, search_segments, search_terms};
use super::{Conn, StoreError, WriteTx, on_any};

/// Terms that are read or written by one statement.
const TERMS_AT_ONCE: usize = 256;

/// What documents are found by: a gram of their text (`domain::search_text`), or a label.
pub type Term = i64;

/// The term of something that is no text: a scope, a sector. Above all grams.
pub fn label(kind: &str, name: &str) -> Term {
    let hash = Digest::sha256(format!("{kind}:{name}").as_bytes());
    let head = hash.as_bytes().iter().take(8);
    let number = head.fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    i64::try_from(number >> 2).unwrap_or_default() | 1 << 62
}

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt {
        what: what.to_owned(),
    }
}

fn key(at: i64, id: &[u8]) -> Result<Key, StoreError> {
    let id = Uuid::from_slice(id).map_err(|_| corrupt("a hazard id that is not 16 bytes"))?;
    Ok(Key { at, id })
}

fn big(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Whether the document of a hazard has to be made anew.
pub fn is_touched(before: &Hazard, after: &Hazard) -> bool {
    let place = |hazard: &Hazard| {
        let handed_over_by = hazard.handed_over_by();
        (hazard.jurisdiction_id, hazard.enterprise_id, handed_over_by)
    };
    let words = |hazard: &Hazard| (hazard.description.clone(), hazard.place_text.clone());
    place(before) != place(after) || before.sector != after.sector || words(before) != words(after)
}

/// Lets these hazards wait to be made documents.
///
/// # Errors
/// When the database does not answer.
pub fn put_waiting(tx: &mut WriteTx<'_>, hazards: &[Key]) -> Result<(), StoreError> {
    let rows: Vec<Vec<Bind>> = hazards
        .iter()
        .map(|key| {
            vec![
                Bind::Bytes(key.id.as_bytes().to_vec()),
                Bind::Big(key.at),
                Bind::Big(1),
            ]
        })
        .collect();
    in_arrays!(rows, |array| put(tx.conn(), array)?);
    Ok(())
}

fn put<const N: usize>(conn: &mut Conn, rows: [Vec<Bind>; N]) -> QueryResult<usize> {
    Prepared::rows(
        "INSERT INTO search_pending (hazard_id, received_at, stamp) VALUES ",
        "(?, ?, ?)",
        " ON CONFLICT (hazard_id) DO UPDATE SET stamp = search_pending.stamp + 1",
        rows,
    )
    .execute(conn)
}

/// Lets all hazards of an enterprise wait: its name is another.
///
/// # Errors
/// When the database does not answer.
pub fn put_waiting_of(tx: &mut WriteTx<'_>, id: EnterpriseId) -> Result<(), StoreError> {
    Prepared::new(
        "INSERT INTO search_pending (hazard_id, received_at, stamp) \
         SELECT id, received_at, 1 FROM hazards WHERE enterprise_id = ? \
         ON CONFLICT (hazard_id) DO UPDATE SET stamp = search_pending.stamp + 1",
        vec![Bind::Bytes(id.as_bytes().to_vec())],
    )
    .execute(tx.conn())?;
    Ok(())
}

/// Hazards that wait, newest first, after `after`, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn waiting(conn: &mut Conn, after: Option<Key>, limit: usize) -> Result<Vec<Key>, StoreError> {
    // Greater than any: without a bound SQLite would call it a scan.
    let (at, id) = after.map_or((i64::MAX, vec![u8::MAX; 17]), |Key { at, id }| {
        (at, id.as_bytes().to_vec())
    });
    let query = search_pending::table
        .filter(search_pending::received_at.le(at))
        .filter(
            search_pending::received_at
                .lt(at)
                .or(search_pending::hazard_id.lt(id)),
        )
        .order((
            search_pending::received_at.desc(),
            search_pending::hazard_id.desc(),
        ))
        .limit(big(limit))
        .select((search_pending::received_at, search_pending::hazard_id));
    let rows: Vec<(i64, Vec<u8>)> = query.load(conn)?;
    rows.iter().map(|(at, id)| key(*at, id)).collect()
}

/// A hazard that waits, and how often something has happened to it meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Waiting {
    /// Which.
    pub id: Uuid,
    /// What the row said.
    pub stamp: i64,
}

/// Keeps others from writing documents until this transaction ends.
///
/// # Errors
/// When the database does not answer.
pub fn lock(tx: &mut WriteTx<'_>) -> Result<(), StoreError> {
    Prepared::new(
        "INSERT INTO server_meta (name, value) VALUES ('search_lock', '') \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        Vec::new(),
    )
    .execute(tx.conn())?;
    Ok(())
}

/// Hazards that have waited longest, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn oldest_waiting(conn: &mut Conn, limit: usize) -> Result<Vec<Waiting>, StoreError> {
    let rows: Vec<(Vec<u8>, i64)> = search_pending::table
        .filter(search_pending::received_at.ge(i64::MIN))
        .order((search_pending::received_at, search_pending::hazard_id))
        .limit(big(limit))
        .select((search_pending::hazard_id, search_pending::stamp))
        .load(conn)?;
    rows.iter()
        .map(|(id, stamp)| {
            Ok(Waiting {
                id: key(0, id)?.id,
                stamp: *stamp,
            })
        })
        .collect()
}

/// Takes hazards that have become documents off the list of those that wait; one that something has happened to since
/// it was read goes on waiting.
///
/// # Errors
/// When the database does not answer.
pub fn settle(tx: &mut WriteTx<'_>, waited: &[Waiting]) -> Result<(), StoreError> {
    let mut waited = waited.to_vec();
    waited.sort_unstable();
    for Waiting { id, stamp } in waited {
        Prepared::new(
            "DELETE FROM search_pending WHERE hazard_id = ? AND stamp = ?",
            vec![Bind::Bytes(id.as_bytes().to_vec()), Bind::Big(stamp)],
        )
        .execute(tx.conn())?;
    }
    Ok(())
}

/// A hazard about to become a document.
#[derive(Clone, Debug)]
pub struct NewDocument {
    /// Which, and when it was received.
    pub key: Key,
    /// What it is found by.
    pub terms: BTreeSet<Term>,
}

/// Makes documents of hazards; what was one before is none any more. The caller holds the [`lock`].
///
/// # Errors
/// When the database does not answer.
pub fn add(tx: &mut WriteTx<'_>, new: &[NewDocument]) -> Result<(), StoreError> {
    let conn = tx.conn();
    // Read before any is taken away: no place of a segment is given twice.
    let newest: Option<(i64, i64)> = search_documents::table
        .order(search_documents::document.desc())
        .select((search_documents::document, search_documents::bound_at))
        .first(conn)
        .optional()?;
    let (mut document, mut bound) = newest.unwrap_or((-1, i64::MIN));
    let id = |new: &NewDocument| new.key.id.as_bytes().to_vec();
    let ids: Vec<Vec<u8>> = new.iter().map(id).collect();
    for ids in ids.chunks(TERMS_AT_ONCE) {
        on_any!(conn, |c| diesel::delete(search_documents::table)
            .filter(search_documents::hazard_id.eq_any(ids))
            .execute(c))?;
    }
    let mut segments: BTreeMap<i64, Segment> = BTreeMap::new();
    let mut rows = Vec::new();
    for new in new {
        document += 1;
        bound = bound.max(new.key.at);
        rows.push(vec![
            Bind::Big(document),
            Bind::Bytes(new.key.id.as_bytes().to_vec()),
            Bind::Big(new.key.at),
            Bind::Big(bound),
        ]);
        let segment = segments.entry(document.div_euclid(SEGMENT)).or_default();
        segment.add(document.rem_euclid(SEGMENT), new);
    }
    in_arrays!(rows, |array| insert_documents(conn, array)?);
    for (number, segment) in segments {
        segment.store(conn, number)?;
    }
    Ok(())
}

/// What is added to a segment.
#[derive(Default)]
struct Segment {
    oldest_at: Option<i64>,
    terms: BTreeMap<Term, DocumentSet>,
}

impl Segment {
    fn add(&mut self, place: i64, new: &NewDocument) {
        let at = new.key.at;
        self.oldest_at = Some(self.oldest_at.map_or(at, |oldest| oldest.min(at)));
        let place = u16::try_from(place).unwrap_or(u16::MAX);
        for term in &new.terms {
            self.terms.entry(*term).or_default().insert(place);
        }
    }

    fn store(mut self, conn: &mut Conn, number: i64) -> Result<(), StoreError> {
        let terms: Vec<Term> = self.terms.keys().copied().collect();
        for terms in terms.chunks(TERMS_AT_ONCE) {
            for (term, _, stored) in of_segments(conn, terms, &[number])? {
                self.terms.entry(term).or_default().unite(&stored);
            }
        }
        let row = |(term, set): (&Term, &DocumentSet)| {
            let bytes = Bind::Bytes(set.to_bytes());
            vec![Bind::Big(*term), Bind::Big(number), bytes]
        };
        let rows: Vec<Vec<Bind>> = self.terms.iter().map(row).collect();
        in_arrays!(rows, |array| upsert_terms(conn, array)?);
        let oldest = Bind::Big(self.oldest_at.unwrap_or(i64::MAX));
        Prepared::new(
            "INSERT INTO search_segments (segment, oldest_at) VALUES (?, ?) \
             ON CONFLICT (segment) DO UPDATE SET oldest_at = \
             CASE WHEN excluded.oldest_at < search_segments.oldest_at \
             THEN excluded.oldest_at ELSE search_segments.oldest_at END",
            vec![Bind::Big(number), oldest],
        )
        .execute(conn)?;
        Ok(())
    }
}

fn insert_documents<const N: usize>(conn: &mut Conn, rows: [Vec<Bind>; N]) -> QueryResult<usize> {
    Prepared::rows(
        "INSERT INTO search_documents (document, hazard_id, received_at, bound_at) VALUES ",
        "(?, ?, ?, ?)",
        "",
        rows,
    )
    .execute(conn)
}

fn upsert_terms<const N: usize>(conn: &mut Conn, rows: [Vec<Bind>; N]) -> QueryResult<usize> {
    Prepared::rows(
        "INSERT INTO search_terms (term, segment, documents) VALUES ",
        "(?, ?, ?)",
        " ON CONFLICT (term, segment) DO UPDATE SET documents = excluded.documents",
        rows,
    )
    .execute(conn)
}

/// A term's documents in one segment: term, segment, places.
pub type Held = (Term, i64, DocumentSet);

fn held(rows: Vec<(i64, i64, Vec<u8>)>) -> Result<Vec<Held>, StoreError> {
    rows.into_iter()
        .map(|(term, segment, bytes)| {
            let set = DocumentSet::from_bytes(&bytes);
            let set = set.ok_or_else(|| corrupt("a set of documents of odd length"))?;
            Ok((term, segment, set))
        })
        .collect()
}

/// The newest segment of each term that has any.
///
/// # Errors
/// When the database does not answer.
pub fn newest_of(conn: &mut Conn, terms: &[Term]) -> Result<Vec<Held>, StoreError> {
    let mut found = Vec::new();
    // A handful of texts, whatever is typed.
    in_arrays!(terms.to_vec(), |array| found.extend(newest(conn, array)?));
    held(found)
}

fn newest<const N: usize>(
    conn: &mut Conn,
    terms: [Term; N],
) -> QueryResult<Vec<(i64, i64, Vec<u8>)>> {
    let part = |number: usize| {
        format!(
            "SELECT term, segment, documents FROM (SELECT term, segment, documents \
             FROM search_terms WHERE term = ? ORDER BY segment DESC LIMIT 1) AS part{number}"
        )
    };
    let parts: Vec<String> = (0..N).map(part).collect();
    let binds = terms.map(Bind::Big).to_vec();
    Prepared::<(BigInt, BigInt, Binary)>::of_parts(parts.join(" UNION ALL "), binds).load(conn)
}

/// The segments of one term before `before`, newest first, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub fn segments_of(
    conn: &mut Conn,
    term: Term,
    before: i64,
    limit: usize,
) -> Result<Vec<Held>, StoreError> {
    let rows = search_terms::table
        .filter(search_terms::term.eq(term))
        .filter(search_terms::segment.lt(before))
        .order(search_terms::segment.desc())
        .limit(big(limit))
        .select((
            search_terms::term,
            search_terms::segment,
            search_terms::documents,
        ))
        .load(conn)?;
    held(rows)
}

/// What these terms hold in these segments, in no order that matters.
///
/// # Errors
/// When the database does not answer.
pub fn of_segments(
    conn: &mut Conn,
    terms: &[Term],
    segments: &[i64],
) -> Result<Vec<Held>, StoreError> {
    let (Some(first), Some(last)) = (segments.iter().min(), segments.iter().max()) else {
        return Ok(Vec::new());
    };
    let of_terms = search_terms::table.select((
        search_terms::term,
        search_terms::segment,
        search_terms::documents,
    ));
    // Neighbours are read in one go; looked for one by one, each costs a descent of its own.
    let span = last.saturating_sub(*first);
    let rows = if span < big(segments.len()).saturating_mul(2) {
        on_any!(conn, |c| of_terms
            .filter(search_terms::term.eq_any(terms))
            .filter(search_terms::segment.ge(first))
            .filter(search_terms::segment.le(last))
            .load(c))?
    } else {
        on_any!(conn, |c| of_terms
            .filter(search_terms::term.eq_any(terms))
            .filter(search_terms::segment.eq_any(segments))
            .load(c))?
    };
    held(rows)
}

/// Those of `segments` that hold a hazard received at `at` or before.
///
/// # Errors
/// When the database does not answer.
pub fn reaching_back_to(
    conn: &mut Conn,
    segments: &[i64],
    at: i64,
) -> Result<BTreeSet<i64>, StoreError> {
    let found: Vec<i64> = on_any!(conn, |c| search_segments::table
        .filter(search_segments::segment.eq_any(segments))
        .filter(search_segments::oldest_at.le(at))
        .select(search_segments::segment)
        .load(c))?;
    Ok(found.into_iter().collect())
}

/// A document: its number, its hazard, and the newest time up to it.
pub type Document = (i64, Key, i64);

/// Those of these documents that are still one, highest number first.
///
/// # Errors
/// When the database does not answer.
pub fn documents(conn: &mut Conn, numbers: &[i64]) -> Result<Vec<Document>, StoreError> {
    let rows: Vec<(i64, Vec<u8>, i64, i64)> = on_any!(conn, |c| search_documents::table
        .filter(search_documents::document.eq_any(numbers))
        .select((
            search_documents::document,
            search_documents::hazard_id,
            search_documents::received_at,
            search_documents::bound_at,
        ))
        .load(c))?;
    let mut documents = rows
        .into_iter()
        .map(|(number, id, at, bound)| Ok((number, key(at, &id)?, bound)))
        .collect::<Result<Vec<Document>, StoreError>>()?;
    documents.sort_unstable_by_key(|(number, ..)| std::cmp::Reverse(*number));
    Ok(documents)
}
