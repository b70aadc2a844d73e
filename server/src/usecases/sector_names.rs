//! Which names of sectors (监管行业) are known, and by whom. Sectors are told apart by their names,
//! letter by letter: scopes, grants and who answers for what go by them. The packs' codes are names
//! that everybody knows; a place may have sectors of its own, made known by saying who answers for
//! them.

use hazardloop_domain::access::GrantScope;
use hazardloop_domain::ids::JurisdictionId;
use hazardloop_domain::refusal::Refusal;
use hazardloop_domain::responsibility::NamedSector;
use hazardloop_sync_protocol::wire::Scope;
use serde::Serialize;

use super::catalog::Snapshot;
use super::people::Terms;
use crate::failure::Failure;
use crate::store::{Conn, StoreError, enterprise_rows, places, responsibilities};

/// What there is to say about a sector's name; nothing is refused because of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SectorFinding {
    /// No pack has a sector of this code or name.
    OfNoPack,
    /// It is another name of a sector that goes by this code.
    GoesBy(String),
}

/// Stable names of the findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SectorFindingName {
    /// No pack has a sector of this code or name: no criteria and no checklists belong to it.
    SectorOfNoPack,
    /// A pack has this sector under a code, and this is another of its names.
    SectorGoesByItsCode,
}

impl SectorFinding {
    /// Its stable name.
    pub const fn name(&self) -> SectorFindingName {
        match self {
            Self::OfNoPack => SectorFindingName::SectorOfNoPack,
            Self::GoesBy(_) => SectorFindingName::SectorGoesByItsCode,
        }
    }

    /// In Chinese and English.
    pub fn words(&self) -> (String, String) {
        match self {
            Self::OfNoPack => (
                "行业包中没有该监管行业，按此名称不会关联判定标准和检查表".to_owned(),
                "no pack has this sector: no criteria and checklists belong to it".to_owned(),
            ),
            Self::GoesBy(code) => (
                format!("该监管行业在行业包中的编码为 {code}；授权范围和责任部门按编码匹配"),
                format!(
                    "the packs call this sector {code}: scopes and departments go by that code"
                ),
            ),
        }
    }
}

impl std::fmt::Display for SectorFinding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (zh, en) = self.words();
        write!(f, "{zh} / {en}")
    }
}

/// What to look at again about the name of a sector; `None`: nothing, or there are no packs to know
/// any by.
pub fn finding(catalog: &Snapshot, sector: &str) -> Option<SectorFinding> {
    if catalog.packs.is_empty() || catalog.has_sector(sector) {
        return None;
    }
    Some(match catalog.code_of(sector) {
        Some(code) => SectorFinding::GoesBy(code.to_owned()),
        None => SectorFinding::OfNoPack,
    })
}

/// Whether anybody knows the sector in the last jurisdiction of `way`, which leads there from the
/// root: a pack, somebody on the way who says who answers for it, or an enterprise there.
///
/// # Errors
/// When the database does not answer.
pub fn named(
    conn: &mut Conn,
    catalog: &Snapshot,
    way: &[JurisdictionId],
    sector: &str,
) -> Result<NamedSector, StoreError> {
    if catalog.has_sector(sector) {
        return Ok(NamedSector::Known);
    }
    let said = responsibilities::of_sector(conn, way, sector)?;
    if said.values().any(|said| said.rows.contains_key(sector)) {
        return Ok(NamedSector::Known);
    }
    if let Some(place) = way.last()
        && enterprise_rows::any_of_sector(conn, Scope::Jurisdiction(*place), sector)?
    {
        return Ok(NamedSector::Known);
    }
    let code = catalog.code_of(sector).map(str::to_owned);
    Ok(NamedSector::Unknown { code })
}

/// Refuses a grant within sectors that nobody knows: it would cover nothing, and nobody would notice.
///
/// # Errors
/// [`Failure::Refused`] of the field `sectors`.
pub fn check_grant(conn: &mut Conn, catalog: &Snapshot, terms: &Terms) -> Result<(), Failure> {
    let GrantScope::Jurisdiction(id) = terms.scope else {
        return Ok(());
    };
    if terms.sectors.is_empty() {
        return Ok(());
    }
    let found = places::lineage(conn, id)?.ok_or(Failure::NotFound("scope"))?;
    for sector in &terms.sectors {
        let known = named(conn, catalog, &found.ancestors, sector)?;
        known.check("sectors").map_err(|refusal| Refusal {
            rule: format!("{}: {sector}", refusal.rule),
            ..refusal
        })?;
    }
    Ok(())
}
