//! The list of hazards that a person may see, filtered, in one of two orders, and how many there are.
//!
//! Every filter has an index that it can be answered from (`keys`). Which one answers a combination soonest depends on
//! the data, so those that fit are walked in turns until one of them has the page: the cost is that of the best one,
//! times their number, which is three at most. A page that has looked at [`EXAMINED_PER_PAGE`] records ends early.

use std::collections::BTreeSet;

use hazardloop_domain::hazard::Hazard;
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};
use uuid::Uuid;

use super::going_on::going_on;
pub use super::hazard_filters::Filters;
use super::hazard_filters::saying;
use super::keys::{Keys, in_order as by_order, of_buckets};
use super::text_walk::TextWalk;
use super::{
    AREA_CANDIDATES, AreaRecords as _, EXAMINED_AT_ONCE, EXAMINED_PER_PAGE, Page, Wanted, in_order,
};
use crate::app::App;
use crate::failure::Failure;
use crate::store::hazard_lists::{self, Bucket};
pub use crate::store::hazard_lists::{Order, Span};
use crate::store::lists::{self, HazardFilter, Key};
use crate::store::{Conn, ReadTx};
use crate::usecases::index_text;
use crate::usecases::reach::{Narrowed, Reach};

/// Hazards that may share one number; more are not looked at.
const SAME_NUMBER: i64 = 50;

/// Records that a filtered page looks through in its first statement.
const EXAMINED_FIRST: usize = 64;

/// Records that a count looks through at most, before it says "so many or more".
pub const EXAMINED_PER_COUNT: usize = 20_000;

/// Last before everything that was received at the next moment.
const FIRST_ID: Uuid = Uuid::nil();

/// The hazards that `person_id` may see and that pass the filters, as they stand at `now`. In the order
/// [`Order::Due`] only those with a due date in force.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    app: &App,
    person_id: PersonId,
    filters: Filters,
    order: Order,
    wanted: Wanted,
    now: Timestamp,
) -> Result<Page<Hazard>, Failure> {
    let work = move |tx: &mut ReadTx<'_>| {
        let conn = tx.conn();
        let reach = Reach::of(conn, person_id, now)?;
        let Narrowed { scopes, within } =
            reach.narrowed(conn, filters.enterprise_id, filters.jurisdiction_id)?;
        let list = HazardList::new(&filters, &scopes, within.as_deref(), order, now);
        let page = list.page(conn, wanted, EXAMINED_PER_PAGE)?;
        let ids: Vec<Uuid> = page.items.iter().map(|key| key.id).collect();
        let records = lists::hazards(conn, &ids)?;
        Ok(in_order(page, records, |hazard| hazard.id.0))
    };
    app.db.read(work).await
}

/// How many records there are, as far as was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// So many were found.
    pub count: usize,
    /// There may be more: the count stopped at the limit of the settings, or at what one count may look through.
    pub more: bool,
}

/// How many hazards `person_id` may see that pass the filters at `now`.
///
/// # Errors
/// When the database does not answer.
pub async fn count(
    app: &App,
    person_id: PersonId,
    filters: Filters,
    order: Order,
    now: Timestamp,
) -> Result<Count, Failure> {
    let most = app.settings.hazards.counted;
    let work = move |tx: &mut ReadTx<'_>| {
        let conn = tx.conn();
        let reach = Reach::of(conn, person_id, now)?;
        let Narrowed { scopes, within } =
            reach.narrowed(conn, filters.enterprise_id, filters.jurisdiction_id)?;
        HazardList::new(&filters, &scopes, within.as_deref(), order, now).count(conn, most)
    };
    app.db.read(work).await
}

/// One list, as it stands at one moment.
pub(crate) struct HazardList<'a> {
    filters: &'a Filters,
    columns: HazardFilter,
    buckets: Vec<Bucket>,
    due: Span,
    scopes: &'a [Scope],
    /// The scopes in whose lists those are that `scopes` hold.
    listed: Vec<Scope>,
    within: Option<&'a [Scope]>,
    order: Order,
    reported_by: Option<Vec<u8>>,
}

/// One index under way.
struct Walk<'a> {
    keys: Keys<'a>,
    /// What the index does not answer for already.
    columns: HazardFilter,
    found: Vec<Key>,
    examined: usize,
    last: Option<Key>,
    /// The last up to there that is known to be in scope.
    seen: Option<Key>,
    ended: bool,
}

impl<'a> Walk<'a> {
    fn new(keys: Keys<'a>, columns: HazardFilter) -> Self {
        Self {
            keys,
            columns,
            found: Vec::new(),
            examined: 0,
            last: None,
            seen: None,
            ended: false,
        }
    }
}

impl<'a> HazardList<'a> {
    /// What any of `scopes` holds, and where `within` is given, one of those too.
    pub(crate) fn new(
        filters: &'a Filters,
        scopes: &'a [Scope],
        within: Option<&'a [Scope]>,
        order: Order,
        now: Timestamp,
    ) -> Self {
        let columns = filters.of_columns(now);
        let listed: BTreeSet<Scope> = scopes.iter().map(hazard_lists::list_holding).collect();
        Self {
            filters,
            buckets: filters.buckets(),
            due: filters.due_span(now),
            reported_by: columns.reported_by.clone(),
            columns,
            scopes,
            listed: listed.into_iter().collect(),
            within,
            order,
        }
    }

    /// Whether an index gives nothing but what is in scope.
    fn is_in_scope(&self, keys: &Keys<'_>) -> bool {
        match keys {
            Keys::Recent { .. } => self.within.is_none(),
            Keys::Buckets { .. } => self.within.is_none() && self.listed == self.scopes,
            _ => false,
        }
    }

    /// One page; it looks through `budget` records at most in each index.
    pub(crate) fn page(
        &self,
        conn: &mut Conn,
        wanted: Wanted,
        budget: usize,
    ) -> Result<Page<Key>, Failure> {
        let Wanted { after, limit } = wanted;
        if self.scopes.is_empty() {
            let items = Vec::new();
            return Ok(Page { items, next: None });
        }
        let mut walks = self.walks(conn, after)?;
        loop {
            for walk in &mut walks {
                self.step(conn, walk, limit)?;
                if walk.found.len() > limit {
                    let mut items = std::mem::take(&mut walk.found);
                    items.truncate(limit);
                    let next = items.last().copied();
                    return Ok(Page { items, next });
                }
                if walk.ended {
                    let items = std::mem::take(&mut walk.found);
                    return Ok(Page { items, next: None });
                }
            }
            if walks.iter().all(|walk| walk.examined >= budget)
                && let Some(page) = self.ended_early(&mut walks, after)
            {
                return Ok(page);
            }
        }
    }

    /// What was found by whichever walk has come farthest: everything up to there. `None`: none has come
    /// so far that a cursor tells it.
    fn ended_early(&self, walks: &mut [Walk<'_>], after: Option<Key>) -> Option<Page<Key>> {
        let come = walks.iter_mut().filter(|walk| walk.last.is_some());
        let farthest = come.max_by(|a, b| match (&a.last, &b.last) {
            (Some(a), Some(b)) => by_order(self.order, a, b),
            _ => std::cmp::Ordering::Equal,
        })?;
        let next = going_on(self.order, after, farthest.seen, farthest.last?)?;
        let items = std::mem::take(&mut farthest.found);
        let next = Some(next);
        Some(Page { items, next })
    }

    /// How many there are, up to `most`.
    fn count(&self, conn: &mut Conn, most: usize) -> Result<Count, Failure> {
        if let [scope] = self.scopes
            && self.within.is_none()
            && self.listed == self.scopes
            && let Some(span) = self.plain_span()
        {
            return self.count_rows(conn, scope, span, most);
        }
        let wanted = Wanted {
            after: None,
            limit: most,
        };
        let page = self.page(conn, wanted, EXAMINED_PER_COUNT)?;
        Ok(Count {
            count: page.items.len(),
            more: page.next.is_some(),
        })
    }

    /// Where the lists by state and grade answer everything that is asked: between which times of their order.
    fn plain_span(&self) -> Option<Span> {
        let Filters {
            area, text, number, ..
        } = self.filters;
        let rest = self.beside_buckets();
        let plain = area.is_none() && text.is_none() && number.is_none();
        let span = match self.order {
            Order::Newest => self.filters.received.unwrap_or(Span::ALL),
            Order::Due => self.due,
        };
        (plain && rest == HazardFilter::default()).then_some(span)
    }

    fn count_rows(
        &self,
        conn: &mut Conn,
        scope: &Scope,
        span: Span,
        most: usize,
    ) -> Result<Count, Failure> {
        let mut count = 0_usize;
        for bucket in &self.buckets {
            let left = most.saturating_add(1).saturating_sub(count);
            let wanted = hazard_lists::Wanted {
                scope,
                order: self.order,
                buckets: std::slice::from_ref(bucket),
                span,
            };
            count = count.saturating_add(wanted.count(conn, left)?);
            if count > most {
                let count = most;
                return Ok(Count { count, more: true });
            }
        }
        Ok(Count { count, more: false })
    }

    /// What the lists by state and grade leave to be checked.
    fn beside_buckets(&self) -> HazardFilter {
        let mut rest = HazardFilter {
            statuses: Vec::new(),
            grade: None,
            ..self.columns.clone()
        };
        match self.order {
            Order::Newest => rest.received = None,
            Order::Due => (rest.due, rest.overdue) = (None, None),
        }
        rest
    }

    /// The indexes that may answer, from `after` on.
    fn walks(&self, conn: &mut Conn, after: Option<Key>) -> Result<Vec<Walk<'_>>, Failure> {
        if let Some(few) = self.few(conn)? {
            let keys = self.sorted(conn, &few, after)?;
            return Ok(vec![Walk::new(
                Keys::These(keys.into()),
                self.columns.clone(),
            )]);
        }
        let mut walks = Vec::new();
        if self.order == Order::Newest {
            let before = self.before(after);
            let by_label = self.by_label(before);
            walks.extend(by_label.map(|keys| Walk::new(keys, self.columns.clone())));
        }
        let by_state = !self.filters.statuses.is_empty() || self.filters.grade.is_some();
        if self.order == Order::Due || by_state {
            let span = match self.order {
                Order::Newest => self.filters.received.unwrap_or(Span::ALL),
                Order::Due => self.due,
            };
            let keys = Keys::Buckets {
                scopes: &self.listed,
                buckets: &self.buckets,
                order: self.order,
                span,
                after,
            };
            walks.push(Walk::new(keys, self.beside_buckets()));
        } else {
            let keys = Keys::Recent {
                scopes: self.scopes,
                before: self.before(after),
            };
            let rest = HazardFilter {
                received: None,
                ..self.columns.clone()
            };
            walks.push(Walk::new(keys, rest));
        }
        Ok(walks)
    }

    /// Where a walk from the newest on begins.
    fn before(&self, after: Option<Key>) -> Option<Key> {
        let latest = self.filters.received.filter(|span| span.until < i64::MAX);
        let latest = latest.map(|span| Key {
            at: span.until.saturating_add(1),
            id: FIRST_ID,
        });
        match (after, latest) {
            (Some(after), Some(latest)) => Some(after.min(latest)),
            (after, latest) => after.or(latest),
        }
    }

    /// The index of what is said of a hazard beside its state: who, by which criterion, in which words.
    fn by_label(&self, before: Option<Key>) -> Option<Keys<'_>> {
        if let Some(code) = self.filters.criterion.as_deref() {
            return Some(Keys::OfCriterion { code, before });
        }
        if let Some(person_id) = self.reported_by.as_deref() {
            return Some(Keys::ReportedBy { person_id, before });
        }
        let text = self.filters.text.as_ref();
        let mut all: Vec<Vec<_>> = text
            .map(|text| text.grams().into_iter().map(|gram| vec![gram]).collect())
            .unwrap_or_default();
        let source = self.filters.source.map(index_text::of_source);
        all.extend(source.map(|source| vec![source]));
        if !self.filters.sectors.is_empty() {
            let names = self.filters.sectors.iter();
            all.push(names.map(|name| index_text::of_sector(name)).collect());
        }
        if all.is_empty() {
            return None;
        }
        let any = self.scopes.iter().map(index_text::of_scope).collect();
        Some(Keys::Text(Box::new(TextWalk::new(all, any, before))))
    }

    /// The records of the narrowest filter, where they are few enough to be sorted.
    fn few(&self, conn: &mut Conn) -> Result<Option<Vec<Uuid>>, Failure> {
        if let Some(number) = &self.filters.number {
            return Ok(Some(lists::hazards_by_number(conn, number, SAME_NUMBER)?));
        }
        if let Some(area) = &self.filters.area
            && let Some(few) = area.candidates(conn, RecordKind::Hazard)?
        {
            return Ok(Some(few));
        }
        let most = AREA_CANDIDATES + 1;
        if self.order == Order::Newest {
            if self.filters.due.is_none() && self.filters.overdue != Some(true) {
                return Ok(None);
            }
            let due = (Order::Due, self.due);
            let keys = of_buckets(conn, &self.listed, &self.buckets, due, None, most)?;
            return Ok((keys.len() < most).then(|| keys.iter().map(|key| key.id).collect()));
        }
        let Some(mut keys) = self.by_label(self.before(None)) else {
            return Ok(None);
        };
        let (few, ended) = keys.next(conn, most)?;
        Ok(ended.then(|| few.iter().map(|key| key.id).collect()))
    }

    /// These in the order of the list, from `after` on.
    fn sorted(
        &self,
        conn: &mut Conn,
        ids: &[Uuid],
        after: Option<Key>,
    ) -> Result<Vec<Key>, Failure> {
        let mut keys = BTreeSet::new();
        for ids in ids.chunks(EXAMINED_AT_ONCE) {
            for (key, due_at) in lists::times(conn, ids)? {
                keys.extend(match self.order {
                    Order::Newest => Some(key),
                    Order::Due => due_at.map(|at| Key { at, ..key }),
                });
            }
        }
        let mut keys: Vec<Key> = keys.into_iter().collect();
        keys.sort_unstable_by(|a, b| by_order(self.order, a, b));
        let follows =
            |key: &Key| after.is_none_or(|after| by_order(self.order, &after, key).is_lt());
        keys.retain(follows);
        Ok(keys)
    }

    /// Goes on in one index, until there is more than `limit`, some way, or its end.
    fn step(&self, conn: &mut Conn, walk: &mut Walk<'_>, limit: usize) -> Result<(), Failure> {
        let unfiltered = self.is_in_scope(&walk.keys)
            && walk.columns == HazardFilter::default()
            && self.filters.area.is_none()
            && self.filters.text.is_none();
        let some = match (unfiltered, walk.examined) {
            (true, _) => limit.saturating_add(1).saturating_sub(walk.found.len()),
            (false, 0) => EXAMINED_FIRST
                .max(limit.saturating_add(1))
                .min(EXAMINED_AT_ONCE),
            (false, _) => EXAMINED_AT_ONCE,
        };
        let (mut keys, ended) = walk.keys.next(conn, some)?;
        let examined = keys.len().saturating_add(walk.keys.passed_over());
        walk.examined = walk.examined.saturating_add(examined);
        walk.ended = ended;
        if let (Order::Newest, Some(span)) = (self.order, self.filters.received)
            && keys.last().is_some_and(|last| last.at < span.from)
        {
            keys.retain(|key| key.at >= span.from);
            walk.ended = true;
        }
        walk.last = keys.last().copied().or(walk.last);
        if self.is_in_scope(&walk.keys) {
            walk.seen = walk.last;
        }
        if !unfiltered {
            let (in_scope, passed) = self.passing(conn, walk, &keys)?;
            let last = keys.iter().rfind(|key| in_scope.contains(&key.id));
            walk.seen = last.copied().or(walk.seen);
            keys.retain(|key| passed.contains(&key.id));
        }
        walk.found.extend(keys);
        Ok(())
    }

    /// Those that are known to be in scope, and those of them that pass; cheapest check first.
    fn passing(
        &self,
        conn: &mut Conn,
        walk: &Walk<'_>,
        keys: &[Key],
    ) -> Result<(BTreeSet<Uuid>, BTreeSet<Uuid>), Failure> {
        let mut ids: Vec<Uuid> = keys.iter().map(|key| key.id).collect();
        if walk.columns != HazardFilter::default() || self.filters.area.is_some() {
            let passed = lists::hazards_matching(conn, &ids, &walk.columns)?;
            ids = match &self.filters.area {
                Some(area) => area.only_inside(passed),
                None => passed.iter().map(|placed| placed.id).collect(),
            };
        }
        if !self.is_in_scope(&walk.keys) {
            for scopes in [Some(self.scopes), self.within].into_iter().flatten() {
                let held = lists::held_by(conn, scopes, RecordKind::Hazard, &ids)?;
                ids = held.iter().map(|key| key.id).collect();
            }
        }
        let in_scope = ids.iter().copied().collect();
        if let Some(query) = &self.filters.text {
            ids = saying(conn, query, &ids)?;
        }
        Ok((in_scope, ids.into_iter().collect()))
    }
}
