//! Who answers for what: 三管三必须 (管行业必须管安全、管业务必须管安全、管生产经营必须管安全, 安全生产法
//! Art. 3) gives every sector to a department; for what none plainly answers for, whoever is nearest
//! in business (业务相近) is named by the committee's office (安委办).
//!
//! A jurisdiction says it for itself and all below it. Which department that is in one place and year
//! is no law of this product: it is data that the place enters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::hazard::{Hazard, StatusName};
use crate::ids::JurisdictionId;
use crate::refusal::Refusal;
use crate::text::{self, SHORT_TEXT_MAX};

/// The longest name of a sector, in characters: scopes carry it.
pub const SECTOR_MAX: usize = 32;

/// What one jurisdiction itself says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matrix {
    /// The department of each sector (监管行业).
    pub rows: BTreeMap<String, String>,
    /// 业务相近: the department of every sector that neither this jurisdiction nor one above it names.
    pub fallback: Option<String>,
}

impl Matrix {
    /// Refuses more rows than `most`, sectors that no scope could carry, and departments without a
    /// name.
    ///
    /// # Errors
    /// [`Refusal`] of the field, such as `rows[工贸].department`.
    pub fn check(&self, most: usize) -> Result<(), Refusal> {
        if self.rows.len() > most {
            let why = format!("has more than {most} entries");
            return Err(Refusal::invalid_field("rows", &why));
        }
        for (sector, department) in &self.rows {
            let field = |name: &str| format!("rows[{sector}].{name}");
            text::required(&field("sector"), sector, SECTOR_MAX)?;
            if sector.trim() != sector || sector.chars().any(char::is_control) {
                let why = "must neither begin nor end with a space nor hold a line break";
                return Err(Refusal::invalid_field(&field("sector"), why));
            }
            text::required(&field("department"), department, SHORT_TEXT_MAX)?;
        }
        match &self.fallback {
            Some(department) => text::required("fallback", department, SHORT_TEXT_MAX),
            None => Ok(()),
        }
    }

    /// Whether a hazard may be without a department once `after` stands in the place of this: some
    /// sector, or the fallback, is named no longer.
    pub fn loses_something(&self, after: &Self) -> bool {
        let gone = |sector: &String| !after.rows.contains_key(sector);
        self.rows.keys().any(gone) || (self.fallback.is_some() && after.fallback.is_none())
    }
}

/// By which row a department answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The jurisdiction itself names the sector.
    Own,
    /// The nearest one above it that names the sector does.
    Inherited,
    /// Nobody names the sector; it is the fallback (业务相近) of the jurisdiction or of the nearest
    /// one above it that has one.
    Fallback,
    /// Nobody answers (监管盲区).
    None,
}

/// Which department answers, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// By which row.
    pub basis: Basis,
    /// The department; `None`: nobody answers.
    pub department: Option<String>,
    /// Whose row it is.
    pub said_by: Option<JurisdictionId>,
}

impl Answer {
    /// Nobody answers.
    pub const NOBODY: Self = Self {
        basis: Basis::None,
        department: None,
        said_by: None,
    };

    /// Whether somebody answers.
    pub fn is_somebody(&self) -> bool {
        self.basis != Basis::None
    }
}

/// Who answers for a sector in the last jurisdiction of `way`, which leads there from the root. The
/// nearest one that names the sector is heard before any fallback, were that nearer: a fallback is
/// for what no department plainly answers for.
pub fn answering(way: &[(JurisdictionId, &Matrix)], sector: &str) -> Answer {
    let here = way.last().map(|(id, _)| *id);
    let from_here = || way.iter().rev();
    let named = from_here().find_map(|(id, matrix)| Some((*id, matrix.rows.get(sector)?)));
    let fallback = || from_here().find_map(|(id, matrix)| Some((*id, matrix.fallback.as_ref()?)));
    let (basis, (id, department)) = match named {
        Some(row) if Some(row.0) == here => (Basis::Own, row),
        Some(row) => (Basis::Inherited, row),
        None => match fallback() {
            Some(row) => (Basis::Fallback, row),
            None => return Answer::NOBODY,
        },
    };
    Answer {
        basis,
        department: Some(department.clone()),
        said_by: Some(id),
    }
}

/// What is known of the sector that an assignment names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NamedSector {
    /// None is named, or whoever decides cannot look it up.
    #[default]
    NotLookedUp,
    /// A pack, the matrix on the way up, or an enterprise of the jurisdiction knows it.
    Known,
    /// Nobody knows it by this name.
    Unknown {
        /// The code of the sector that also goes by this name.
        code: Option<String>,
    },
}

impl NamedSector {
    /// Refuses a sector that nobody knows: whoever answers for it would never learn of it.
    ///
    /// # Errors
    /// [`Refusal`] of `field`.
    pub fn check(&self, field: &str) -> Result<(), Refusal> {
        let Self::Unknown { code } = self else {
            return Ok(());
        };
        let why = match code {
            Some(code) => format!("is another name of the sector {code}: name it by that code"),
            None => "is no sector of a pack, of who answers for what here, or of an enterprise of \
                     this jurisdiction"
                .to_owned(),
        };
        Err(Refusal::invalid_field(field, &why))
    }
}

impl Hazard {
    /// Whether it is open and nobody has named its department: then the matrix says who answers for
    /// it, or nobody does. What is being handed over waits for the other body's receipt instead.
    pub fn wants_a_department(&self) -> bool {
        self.department.is_none() && StatusName::OPEN.contains(&self.status_name())
    }
}

#[cfg(test)]
#[path = "responsibility_tests.rs"]
mod tests;
