//! Advice that goes with an answer: about a field that was taken and is to be looked at again.

use hazardloop_domain::credit_code::CreditCodeFinding;
use serde::Serialize;
use utoipa::ToSchema;

use crate::usecases::sector_names::{SectorFinding, SectorFindingName};

/// Advice about a field; nothing was refused because of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Warning {
    /// The field.
    #[schema(example = "credit_code")]
    field: String,
    /// What was found.
    finding: WarningFinding,
    /// The same in words, Chinese and English.
    message: String,
}

/// What was found.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum WarningFinding {
    /// Of a credit code.
    CreditCode(CreditCodeFinding),
    /// Of the name of a sector.
    Sector(SectorFindingName),
}

impl Warning {
    /// About a credit code.
    pub fn of_credit_code(field: String, finding: CreditCodeFinding) -> Self {
        Self {
            field,
            finding: WarningFinding::CreditCode(finding),
            message: finding.to_string(),
        }
    }

    /// About the name of a sector.
    pub fn of_sector(field: impl Into<String>, finding: &SectorFinding) -> Self {
        Self {
            field: field.into(),
            finding: WarningFinding::Sector(finding.name()),
            message: finding.to_string(),
        }
    }
}
