//! Walking the text index, newest first: segment by segment, the rarest term leading, with what waits to be indexed
//! beside it.
//!
//! Documents come in the order in which they were made, which is nearly that of their receipt: one that was made
//! anew stands higher than its age. So keys gather in a pool and leave it once nothing newer can follow.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::keys;
use crate::failure::Failure;
use crate::store::document_set::{DocumentSet, SEGMENT};
use crate::store::lists::Key;
use crate::store::search::{self, Held, Term};
use crate::store::{Conn, StoreError};

/// Documents whose hazards are looked up at once.
const LOOKED_UP: usize = 128;

/// Documents that one call looks up in vain at most, and a few more: newer ones than are asked for, in segments
/// that reach back that far.
const PASSED_OVER: usize = 500;

/// Waiting hazards that are read at once.
const WAITING: usize = 64;

/// Segments that are read at once: few at first, since the first may fill a page.
const FIRST_WINDOW: usize = 2;
const LAST_WINDOW: usize = 64;

/// Terms beside the leading one that are read of a segment, rarest first; what more there are would leave out
/// little, and the text is compared in the end.
const TERMS_READ: usize = 8;

/// A walk that has come so far.
pub(super) struct TextWalk {
    /// Of each of them one term must be there.
    all: Vec<Vec<Term>>,
    /// One of them must be there.
    any: Vec<Term>,
    after: Option<Key>,
    lead: Lead,
    /// Documents that hold the terms, not looked up yet, newest first.
    documents: VecDeque<i64>,
    pool: BTreeSet<Key>,
    /// No document that is yet to come was received later; `None`: none is to come.
    bound: Option<i64>,
    waiting_after: Option<Key>,
    /// The same of those that wait.
    waiting_bound: Option<i64>,
    /// Documents that the last call looked up in vain.
    passed_over: usize,
}

/// Which terms lead.
enum Lead {
    /// Not known yet.
    Unknown,
    /// These, of which one must be there; segments below this number are to be read, so many at once.
    By {
        terms: Vec<Term>,
        others: Vec<Vec<Term>>,
        before: i64,
        window: usize,
    },
}

impl TextWalk {
    /// A walk over what has one term of each of `all` and one of `any`, after `after`. `all` is not empty.
    pub(super) fn new(all: Vec<Vec<Term>>, any: Vec<Term>, after: Option<Key>) -> Self {
        let (mut all, mut any) = (all, any);
        if any.len() == 1 {
            all.push(std::mem::take(&mut any));
        }
        Self {
            all,
            any,
            after,
            lead: Lead::Unknown,
            documents: VecDeque::new(),
            pool: BTreeSet::new(),
            bound: Some(i64::MAX),
            waiting_after: after,
            waiting_bound: Some(i64::MAX),
            passed_over: 0,
        }
    }

    /// Documents that the last call of [`TextWalk::next`] looked up in vain.
    pub(super) fn passed_over(&self) -> usize {
        self.passed_over
    }

    /// The next keys, `limit` of them unless the walk ends or [`PASSED_OVER`] is reached.
    pub(super) fn next(&mut self, conn: &mut Conn, limit: usize) -> Result<keys::Batch, Failure> {
        self.passed_over = 0;
        while let Some(bound) = self.bound.max(self.waiting_bound) {
            let settled = self.pool.iter().rev().take_while(|key| key.at > bound);
            if settled.take(limit).count() == limit || self.passed_over >= PASSED_OVER {
                break;
            }
            if self.bound >= self.waiting_bound {
                self.read_documents(conn)?;
            } else {
                self.read_waiting(conn)?;
            }
        }
        let bound = self.bound.max(self.waiting_bound);
        let mut next = Vec::new();
        while next.len() < limit
            && let Some(key) = self.pool.last().copied()
            && bound.is_none_or(|bound| key.at > bound)
        {
            self.pool.remove(&key);
            next.push(key);
        }
        Ok((next, bound.is_none() && self.pool.is_empty()))
    }

    fn take(&mut self, key: Key) {
        if self.after.is_none_or(|after| key < after) {
            self.pool.insert(key);
        } else {
            self.passed_over = self.passed_over.saturating_add(1);
        }
    }

    fn read_waiting(&mut self, conn: &mut Conn) -> Result<(), StoreError> {
        let waiting = search::waiting(conn, self.waiting_after, WAITING)?;
        let last = waiting.last().copied();
        let more = waiting.len() == WAITING;
        self.waiting_bound = last.filter(|_| more).map(|key| key.at);
        self.waiting_after = last.or(self.waiting_after);
        waiting.into_iter().for_each(|key| self.take(key));
        Ok(())
    }

    fn read_documents(&mut self, conn: &mut Conn) -> Result<(), StoreError> {
        if self.documents.is_empty() && !self.read_segments(conn)? {
            self.bound = None;
            return Ok(());
        }
        let some = self.documents.len().min(LOOKED_UP);
        let numbers: Vec<i64> = self.documents.drain(..some).collect();
        for (_, key, bound) in search::documents(conn, &numbers)? {
            self.bound = self.bound.map(|before| before.min(bound));
            self.take(key);
        }
        Ok(())
    }

    /// Reads segments until there is a document to look up; `false`: there is none any more.
    fn read_segments(&mut self, conn: &mut Conn) -> Result<bool, StoreError> {
        if matches!(self.lead, Lead::Unknown) {
            self.choose(conn)?;
        }
        let Lead::By {
            terms,
            others,
            before,
            window,
        } = &mut self.lead
        else {
            return Ok(false);
        };
        while self.documents.is_empty() {
            let mut read = segments_of(conn, terms, *before, *window)?;
            let Some((_, last, _)) = read.last() else {
                return Ok(false);
            };
            *before = *last;
            *window = (*window * 4).min(LAST_WINDOW);
            if let Some(after) = self.after {
                let segments: Vec<i64> = read.iter().map(|(_, segment, _)| *segment).collect();
                let old = search::reaching_back_to(conn, &segments, after.at)?;
                read.retain(|(_, segment, _)| old.contains(segment));
            }
            intersect(conn, &mut read, others, &self.any)?;
            for (_, segment, set) in read {
                let places = set.places().rev().map(i64::from);
                let numbers = places.map(|place| segment * SEGMENT + place);
                self.documents.extend(numbers);
            }
        }
        Ok(true)
    }

    /// Lets the rarest term lead, as far as the newest segment of each tells. Leaves the lead unknown when a term is
    /// nowhere.
    fn choose(&mut self, conn: &mut Conn) -> Result<(), StoreError> {
        let newest = search::newest_of(conn, &self.all.concat())?;
        let top = newest.iter().map(|(_, segment, _)| *segment).max();
        let top = top.unwrap_or_default();
        // Documents a segment, for as far as is known.
        let frequency = |(_, segment, set): &Held| {
            f64::from(set.len()) / (top.saturating_sub(*segment) as f64 + 1.0)
        };
        let mut terms: Vec<(f64, Vec<Term>)> = Vec::new();
        for one_of in &self.all {
            // Names that nothing goes by are not looked for again.
            let held: Vec<&Held> = newest
                .iter()
                .filter(|held| one_of.contains(&held.0))
                .collect();
            if held.is_empty() {
                return Ok(());
            }
            let frequency = held.iter().map(|held| frequency(held)).sum();
            terms.push((frequency, held.iter().map(|held| held.0).collect()));
        }
        terms.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut terms = terms.into_iter().map(|(_, terms)| terms);
        if let Some(first) = terms.next() {
            self.lead = Lead::By {
                terms: first,
                others: terms.take(TERMS_READ).collect(),
                before: i64::MAX,
                window: FIRST_WINDOW,
            };
        }
        Ok(())
    }
}

/// The segments below `before` that hold one of the terms, newest first, at most `limit`.
fn segments_of(
    conn: &mut Conn,
    terms: &[Term],
    before: i64,
    limit: usize,
) -> Result<Vec<Held>, StoreError> {
    if let [term] = terms {
        return search::segments_of(conn, *term, before, limit);
    }
    let mut united: BTreeMap<i64, Held> = BTreeMap::new();
    for term in terms {
        for (term, segment, set) in search::segments_of(conn, *term, before, limit)? {
            let held = united.entry(segment);
            held.and_modify(|(.., held)| held.unite(&set))
                .or_insert((term, segment, set));
        }
    }
    // Each has told of its newest: as many of them together are whole.
    Ok(united.into_values().rev().take(limit).collect())
}

/// Keeps of each segment the documents that hold one of each of `all` and one of `any`, where there are any.
fn intersect(
    conn: &mut Conn,
    read: &mut [Held],
    all: &[Vec<Term>],
    any: &[Term],
) -> Result<(), StoreError> {
    let segments: Vec<i64> = read.iter().map(|(_, segment, _)| *segment).collect();
    let wanted: Vec<Term> = all.iter().flatten().chain(any).copied().collect();
    if segments.is_empty() || wanted.is_empty() {
        return Ok(());
    }
    let held = search::of_segments(conn, &wanted, &segments)?;
    let held: BTreeMap<(Term, i64), DocumentSet> = held
        .into_iter()
        .map(|(term, segment, set)| ((term, segment), set))
        .collect();
    let of = |term: Term, segment: i64| held.get(&(term, segment)).copied().unwrap_or_default();
    let any = Some(any).filter(|any| !any.is_empty());
    for (_, segment, set) in read {
        for one_of in all.iter().map(Vec::as_slice).chain(any) {
            let mut one = DocumentSet::default();
            for term in one_of {
                one.unite(&of(*term, *segment));
            }
            set.intersect(&one);
        }
    }
    Ok(())
}
