//! Where a list of hazards comes from: indexes that hand out keys in the list's order, some at a time.
//!
//! Whatever hands them out, no key is left out between two that it gave: a page that ends early says where it
//! got to, and the next one goes on there.

use std::cmp::Ordering;
use std::collections::{BTreeSet, VecDeque};

use hazardloop_sync_protocol::wire::{RecordKind, Scope};

use super::text_walk::TextWalk;
use crate::failure::Failure;
use crate::store::hazard_lists::{Bucket, Order, Span, Wanted};
use crate::store::lists::{self, Key};
use crate::store::{Conn, StoreError};

/// An index to walk.
pub(super) enum Keys<'a> {
    /// All that the scopes hold, newest first.
    Recent {
        scopes: &'a [Scope],
        before: Option<Key>,
    },
    /// What they hold of some states and grades.
    Buckets {
        scopes: &'a [Scope],
        buckets: &'a [Bucket],
        order: Order,
        span: Span,
        after: Option<Key>,
    },
    /// What one person reported, newest first, whoever may see it.
    ReportedBy {
        person_id: &'a [u8],
        before: Option<Key>,
    },
    /// What meets a criterion, newest first, whoever may see it.
    OfCriterion { code: &'a str, before: Option<Key> },
    /// What may hold a text or carry a label, newest first, whoever may see it.
    Text(Box<TextWalk>),
    /// These, which are in order.
    These(VecDeque<Key>),
}

/// Some keys, and whether that was all.
pub(super) type Batch = (Vec<Key>, bool);

impl Keys<'_> {
    /// Records that the last call of [`Keys::next`] has looked up and not handed out.
    pub(super) fn passed_over(&self) -> usize {
        match self {
            Self::Text(walk) => walk.passed_over(),
            _ => 0,
        }
    }

    /// The next keys, `limit` of them unless the index ends, or would have too much looked up for them.
    pub(super) fn next(&mut self, conn: &mut Conn, limit: usize) -> Result<Batch, Failure> {
        let keys = match self {
            Self::Text(walk) => return walk.next(conn, limit),
            Self::These(keys) => {
                let taken: Vec<Key> = keys.drain(..limit.min(keys.len())).collect();
                return Ok((taken, keys.is_empty()));
            }
            Self::Recent { scopes, before } => {
                let kind = RecordKind::Hazard;
                let keys = lists::newest_first(conn, scopes, kind, *before, limit)?;
                moved(before, keys)
            }
            Self::Buckets {
                scopes,
                buckets,
                order,
                span,
                after,
            } => {
                let keys = of_buckets(conn, scopes, buckets, (*order, *span), *after, limit)?;
                moved(after, keys)
            }
            Self::ReportedBy { person_id, before } => {
                let keys = lists::reported_by(conn, person_id, *before, limit)?;
                moved(before, keys)
            }
            Self::OfCriterion { code, before } => {
                let keys = lists::of_criterion(conn, code, *before, limit)?;
                moved(before, keys)
            }
        };
        let ended = keys.len() < limit;
        Ok((keys, ended))
    }
}

fn moved(position: &mut Option<Key>, keys: Vec<Key>) -> Vec<Key> {
    *position = keys.last().copied().or(*position);
    keys
}

/// What the scopes together hold of these buckets, each once, in order.
pub(super) fn of_buckets(
    conn: &mut Conn,
    scopes: &[Scope],
    buckets: &[Bucket],
    (order, span): (Order, Span),
    after: Option<Key>,
    limit: usize,
) -> Result<Vec<Key>, StoreError> {
    let mut keys = BTreeSet::new();
    for scope in scopes {
        let wanted = Wanted {
            scope,
            order,
            buckets,
            span,
        };
        keys.extend(wanted.page(conn, after, limit)?);
    }
    let mut keys: Vec<Key> = keys.into_iter().collect();
    keys.sort_unstable_by(|a, b| in_order(order, a, b));
    keys.truncate(limit);
    Ok(keys)
}

/// Which of two keys comes first.
pub(super) fn in_order(order: Order, a: &Key, b: &Key) -> Ordering {
    match order {
        Order::Newest => b.cmp(a),
        Order::Due => a.cmp(b),
    }
}
