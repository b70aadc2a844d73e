//! The catalog as people read it: packs, criteria and checklists, held in memory by every server, which
//! follows the feed of the reference data and reads them again when others add a pack.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use hazardloop_domain::command::CriterionRef;
use hazardloop_domain::ids::ChecklistId;
use hazardloop_domain::pack::{
    Cadence, Checklist, CriteriaSearch, Criterion, PackHead, Sector, Standard, by_code,
};
use hazardloop_domain::time::LocalDate;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};

use crate::failure::Failure;
use crate::store::packs::{self, Stored};
use crate::store::{Conn, Db, Position, StoreError, feed, order};

/// Changes of reference data that are looked through at once.
const CHANGES_AT_ONCE: i64 = 256;

/// The catalog that this server knows.
#[derive(Debug, Default)]
pub struct Catalog {
    held: RwLock<Arc<Snapshot>>,
    /// Up to where in the feed of the reference data it has followed.
    followed: Mutex<Position>,
}

/// The catalog at one moment.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Every version of every pack, by name and version.
    pub packs: Vec<Stored>,
    /// Every edition of every criterion, in the order of codes.
    pub criteria: Vec<Criterion>,
    /// Every edition of every checklist, in the order of codes.
    pub checklists: Vec<Checklist>,
    search: OnceLock<CriteriaSearch>,
}

/// Which criteria are wanted.
#[derive(Clone, Debug, Default)]
pub struct CriteriaFilter {
    /// Of this sector: its code or another of its names. With `text` it weighs, and excludes nothing.
    pub sector: Option<String>,
    /// Of this standard: its code or its number.
    pub standard: Option<String>,
    /// That fit this text, best first.
    pub text: Option<String>,
    /// That may be picked as a legal basis, or may not.
    pub citable: Option<bool>,
    /// Whose standard holds on this day.
    pub in_force_on: Option<LocalDate>,
    /// After this one; not together with `text`.
    pub after: Option<CriterionRef>,
}

/// Which checklists are wanted.
#[derive(Clone, Debug, Default)]
pub struct ChecklistFilter {
    /// Of this sector: its code or another of its names.
    pub sector: Option<String>,
    /// For this kind of site; lists for any site are among them.
    pub site_type: Option<String>,
    /// Gone through this often.
    pub cadence: Option<Cadence>,
    /// Older editions too.
    pub retired: bool,
    /// After the one with this identifier.
    pub after: Option<ChecklistId>,
}

impl Catalog {
    /// Reads all that there is.
    ///
    /// # Errors
    /// When the database does not answer or holds something that cannot be read.
    pub async fn open(db: &Db) -> Result<Self, Failure> {
        let opened = db.read(|tx| {
            // In this order: what comes in between is read once more, and nothing is missed.
            let horizon = order::horizon(tx.conn())?;
            let (followed, _) = feed::newest(tx.conn(), Scope::Catalog, horizon)?;
            Ok::<_, StoreError>((Snapshot::read(tx.conn())?, followed))
        });
        let (snapshot, followed) = opened.await?;
        Ok(Self {
            held: RwLock::new(Arc::new(snapshot)),
            followed: Mutex::new(followed),
        })
    }

    /// The catalog now.
    pub fn now(&self) -> Arc<Snapshot> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Learns what was added since the last look, here or elsewhere.
    ///
    /// # Errors
    /// When the database does not answer; what was known stays.
    pub async fn catch_up(&self, db: &Db) -> Result<(), StoreError> {
        let after = *self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, snapshot) = db.read(move |tx| changed(tx.conn(), after)).await?;
        if let Some(snapshot) = snapshot {
            *self.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
        }
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        *followed = (*followed).max(last);
        Ok(())
    }
}

/// How far the feed has come, and the catalog, where something of it changed.
fn changed(
    conn: &mut Conn,
    mut after: Position,
) -> Result<(Position, Option<Snapshot>), StoreError> {
    let horizon = order::horizon(conn)?;
    let mut ours = false;
    loop {
        let changes = feed::changes(conn, Scope::Catalog, after, horizon, CHANGES_AT_ONCE)?;
        ours |= changes.iter().any(|change| {
            matches!(
                change.kind,
                RecordKind::Criterion | RecordKind::Checklist | RecordKind::Pack
            )
        });
        match changes.last() {
            Some(last) => after = last.position,
            None => break,
        }
    }
    let snapshot = ours.then(|| Snapshot::read(conn)).transpose()?;
    Ok((after, snapshot))
}

/// The parts of a name that people put together of several.
pub fn parts(name: &str) -> impl Iterator<Item = &str> {
    name.split(['-', '－', '/', '、', ' ']).map(str::trim)
}

fn is_called(sector: &Sector, name: &str) -> bool {
    let mut own = [&sector.code, &sector.zh, &sector.en].into_iter();
    own.any(|own| own.eq_ignore_ascii_case(name))
}

fn goes_by(sector: &Sector, name: &str) -> bool {
    let mut aliases = sector.aliases.iter();
    is_called(sector, name) || aliases.any(|own| own.eq_ignore_ascii_case(name))
}

fn by_reference(criterion: &Criterion, other: (&str, u32)) -> Ordering {
    by_code(&criterion.code, other.0).then(criterion.edition.cmp(&other.1))
}

impl Snapshot {
    fn read(conn: &mut Conn) -> Result<Self, StoreError> {
        let mut criteria = packs::criteria(conn, None)?;
        criteria.sort_by(|a, b| by_reference(a, (&b.code, b.edition)));
        let mut checklists = packs::checklists(conn, None)?;
        checklists.sort_by(|a, b| by_code(&a.code, &b.code).then(a.edition.cmp(&b.edition)));
        Ok(Self {
            packs: packs::versions(conn, None)?,
            criteria,
            checklists,
            search: OnceLock::new(),
        })
    }

    /// The catalog as this database holds it now, for tasks of the command line.
    ///
    /// # Errors
    /// When the database does not answer or holds something that cannot be read.
    pub fn of(db: &Db) -> Result<Self, StoreError> {
        db.read_blocking(|tx| Self::read(tx.conn()))
    }

    /// The newest version of every pack.
    pub fn newest(&self) -> impl Iterator<Item = &Stored> {
        let later = self.packs.iter().skip(1).map(Some).chain([None]);
        let pairs = self.packs.iter().zip(later);
        pairs.filter_map(|(one, next)| {
            let last = next.is_none_or(|next| next.head.name != one.head.name);
            last.then_some(one)
        })
    }

    /// All versions of one pack.
    pub fn versions<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Stored> {
        self.packs
            .iter()
            .filter(move |stored| stored.head.name == name)
    }

    /// The standard that a criterion is of, as the newest version of its pack describes it.
    pub fn standard(&self, criterion: &Criterion) -> Option<&Standard> {
        let mut newest = self.newest();
        let stored = newest.find(|stored| stored.head.name == criterion.pack)?;
        let standards = &stored.head.standards;
        standards
            .iter()
            .find(|standard| standard.code == criterion.standard)
    }

    fn search(&self) -> &CriteriaSearch {
        self.search.get_or_init(|| {
            let heads: Vec<PackHead> = self.newest().map(|stored| stored.head.clone()).collect();
            CriteriaSearch::new(&self.criteria, &heads)
        })
    }

    fn sector_code<'a>(&'a self, name: &'a str) -> &'a str {
        self.search().sector(name).unwrap_or(name)
    }

    fn sectors(&self) -> impl Iterator<Item = &Sector> {
        self.newest().flat_map(|stored| &stored.head.sectors)
    }

    /// Whether a pack has a sector of this code.
    pub fn has_sector(&self, code: &str) -> bool {
        self.sectors().any(|sector| sector.code == code)
    }

    /// The code of the sector that goes by this name, or by one of its parts (`工贸-粉尘涉爆`).
    pub fn code_of(&self, name: &str) -> Option<&str> {
        let mut names = std::iter::once(name.trim()).chain(parts(name));
        let found = names.find_map(|name| self.sectors().find(|sector| goes_by(sector, name)));
        found.map(|sector| sector.code.as_str())
    }

    /// The code of the one sector that is called so in either language: no name of a part of it.
    pub fn code_called(&self, name: &str) -> Option<&str> {
        let name = name.trim();
        self.only(|sector| is_called(sector, name))
    }

    /// The code of the one sector that can be meant, also by another of its names (`粉尘涉爆`), or by a name that
    /// begins with the sector's own (`工贸-粉尘涉爆`) or of which every part means it. `None` where several can be
    /// (`矿山`), or where a part is something else (`餐饮、燃气` is a restaurant): whoever gets a code is seen by that
    /// sector's desks.
    pub fn code_meant(&self, name: &str) -> Option<&str> {
        let whole = name.trim();
        if self.sectors().any(|sector| goes_by(sector, whole)) {
            return self.only(|sector| goes_by(sector, whole));
        }
        // Words of other languages are no list: "construction materials" is not construction.
        let first = parts(name).next().filter(|_| !whole.is_ascii())?;
        self.code_called(first)
            .or_else(|| self.only(|sector| parts(name).all(|part| goes_by(sector, part))))
    }

    /// The codes of all sectors that go by this name.
    pub fn codes_by(&self, name: &str) -> BTreeSet<&str> {
        let named = self.sectors().filter(|sector| goes_by(sector, name.trim()));
        named.map(|sector| sector.code.as_str()).collect()
    }

    fn only(&self, meant: impl Fn(&Sector) -> bool) -> Option<&str> {
        let mut found = self.sectors().filter(|sector| meant(sector));
        let code = found.next()?.code.as_str();
        found.all(|other| other.code == code).then_some(code)
    }

    /// All names of the sector with this code, the code first, each once.
    pub fn names_of<'a>(&'a self, code: &'a str) -> Vec<&'a str> {
        let mut names = vec![code];
        for sector in self.sectors().filter(|sector| sector.code == code) {
            names.extend([sector.zh.as_str(), sector.en.as_str()]);
            names.extend(sector.aliases.iter().map(String::as_str));
        }
        let mut seen = BTreeSet::new();
        names.retain(|name| seen.insert(*name));
        names
    }

    /// The criteria that pass the filter, at most `limit`; with a text the best ones first.
    pub fn criteria(&self, filter: &CriteriaFilter, limit: usize) -> Vec<&Criterion> {
        let passes = |criterion: &&Criterion| {
            let citable = criterion.citability().may_be_picked();
            filter.citable.is_none_or(|wanted| wanted == citable)
                && filter
                    .in_force_on
                    .is_none_or(|day| criterion.in_force_on(day))
                && filter
                    .standard
                    .as_deref()
                    .is_none_or(|name| criterion.standard == name || criterion.number == name)
        };
        let sector = filter.sector.as_deref();
        if let Some(text) = &filter.text {
            let hits = self.search().search(text, sector, usize::MAX);
            let found = hits.iter().filter_map(|hit| self.criteria.get(hit.at));
            // What is retired is history; who wants it asks without a text.
            let found = found.filter(|criterion| criterion.retired_in.is_none());
            return found.filter(passes).take(limit).collect();
        }
        let sector = sector.map(|name| self.sector_code(name));
        let begin = filter.after.as_ref().map_or(0, |after| {
            let after = (after.code.as_str(), after.edition);
            let passed = |c: &Criterion| by_reference(c, after) != Ordering::Greater;
            self.criteria.partition_point(passed)
        });
        self.criteria
            .iter()
            .skip(begin)
            .filter(|criterion| sector.is_none_or(|sector| criterion.sector == sector))
            .filter(passes)
            .take(limit)
            .collect()
    }

    /// Every edition of one criterion.
    pub fn editions<'a>(&'a self, code: &'a str) -> impl Iterator<Item = &'a Criterion> {
        self.criteria
            .iter()
            .filter(move |criterion| criterion.code == code)
    }

    /// The checklists that pass the filter, in the order of codes, at most `limit`.
    pub fn checklists(&self, filter: &ChecklistFilter, limit: usize) -> Vec<&Checklist> {
        let sector = filter.sector.as_deref().map(|name| self.sector_code(name));
        let begin = filter.after.map_or(0, |after| {
            let at = self.checklists.iter().position(|list| list.id == after);
            at.map_or(usize::MAX, |at| at.saturating_add(1))
        });
        let passes = |list: &&Checklist| {
            (filter.retired || list.retired_in.is_none())
                && sector.is_none_or(|sector| list.sectors.iter().any(|code| code == sector))
                && filter.cadence.is_none_or(|cadence| list.cadence == cadence)
                && filter
                    .site_type
                    .as_ref()
                    .is_none_or(|site| list.site_types.is_empty() || list.site_types.contains(site))
        };
        let lists = self.checklists.iter().skip(begin).filter(passes);
        lists.take(limit).collect()
    }

    /// One edition of a checklist.
    pub fn checklist(&self, id: ChecklistId) -> Option<&Checklist> {
        self.checklists.iter().find(|list| list.id == id)
    }
}
