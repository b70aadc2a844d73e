//! Which names of sectors (监管行业) are known, and by whom. Sectors are told apart by their names,
//! letter by letter: scopes, grants and who answers for what go by them. The packs' codes are names
//! that everybody knows; a place may have sectors of its own, made known by saying who answers for
//! them. So that 工贸 and its code are one sector, what people type is stored by its code where the packs
//! know it.

use hazardloop_domain::access::GrantScope;
use hazardloop_domain::enterprise::{Enterprise, SUBSECTORS_MAX};
use hazardloop_domain::ids::JurisdictionId;
use hazardloop_domain::refusal::Refusal;
use hazardloop_domain::responsibility::NamedSector;
use hazardloop_sync_protocol::wire::Scope;
use serde::Serialize;

use super::catalog::{Snapshot, parts};
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

/// The code to store in the place of what somebody typed, in the last jurisdiction of `way`, which leads
/// there from the root. `None`: what was typed stays: it is a code already, the packs know no such name or
/// several sectors by it, or it is another name of one (燃气) that somebody on the way calls a sector of
/// its own.
///
/// # Errors
/// When the database does not answer.
pub fn code_for(
    conn: &mut Conn,
    catalog: &Snapshot,
    way: &[JurisdictionId],
    typed: &str,
) -> Result<Option<String>, StoreError> {
    if catalog.has_sector(typed) {
        return Ok(None);
    }
    if let Some(code) = catalog.code_called(typed) {
        return Ok(Some(code.to_owned()));
    }
    let Some(code) = catalog.code_meant(typed) else {
        return Ok(None);
    };
    let said = responsibilities::of_sector(conn, way, typed)?;
    let own = said.values().any(|said| said.rows.contains_key(typed));
    Ok((!own).then(|| code.to_owned()))
}

/// Puts the code in the place of the sector that was typed. What the name says beyond it
/// (`工贸-粉尘涉爆`) becomes a label of the enterprise, as far as there is room.
pub fn put_code(catalog: &Snapshot, enterprise: &mut Enterprise, code: String) {
    let typed = std::mem::replace(&mut enterprise.sector, code);
    if catalog.code_called(&typed).is_some() {
        return;
    }
    let labels = &mut enterprise.profile.subsectors;
    for part in parts(&typed) {
        let says_more = !part.is_empty() && catalog.code_called(part).is_none();
        if says_more && labels.len() < SUBSECTORS_MAX && !labels.iter().any(|known| known == part) {
            labels.push(part.to_owned());
        }
    }
}

/// Puts codes in the place of what sectors are called. Other names stay, as they may mean less than all of a
/// sector, and nobody is to be given more than what was said.
pub fn put_codes<'a>(catalog: &Snapshot, sectors: impl IntoIterator<Item = &'a mut String>) {
    for sector in sectors {
        if !catalog.has_sector(sector)
            && let Some(code) = catalog.code_called(sector)
        {
            *sector = code.to_owned();
        }
    }
}

/// All names under which a list is to find what somebody calls a sector: its code, what was typed, and the
/// other names, under which enterprises are stored that were entered before the packs were.
pub fn looked_for(catalog: &Snapshot, typed: &str) -> Vec<String> {
    // What several sectors go by (矿山) finds them all, and never what only begins alike.
    let codes = match catalog.has_sector(typed) {
        true => [typed].into(),
        false => catalog.codes_by(typed),
    };
    let names = codes.into_iter().flat_map(|code| catalog.names_of(code));
    let mut names: Vec<&str> = names.collect();
    if !names.contains(&typed) {
        names.push(typed);
    }
    names.into_iter().map(str::to_owned).collect()
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
