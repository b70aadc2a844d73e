//! A pack as one document: what its tables say, and the records that devices get of it.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::criterion::{Criterion, Evidence, StandardStatus};
use super::id_of;
use crate::command::{Cadence, ChecklistRef, wire_struct};
use crate::ids::{ChecklistId, PackId};
use crate::time::LocalDate;

wire_struct! {
    /// A supervised sector (监管行业).
    pub struct Sector {
        /// Code, as records carry it.
        #[n(0)]
        pub code: String,
        /// Chinese.
        #[n(1)]
        pub zh: String,
        /// English.
        #[n(2)]
        pub en: String,
        /// Other names that people use for it or for parts of it.
        #[n(3)]
        #[cbor(default)]
        #[serde(default)]
        pub aliases: Vec<String>,
    }
}

wire_struct! {
    /// A published standard of criteria.
    pub struct Standard {
        /// Code: the beginning of its criteria's codes.
        #[n(0)]
        pub code: String,
        /// 文号 or standard number.
        #[n(1)]
        pub number: String,
        /// Title.
        #[n(2)]
        pub title_zh: String,
        /// Title in our own English.
        #[n(3)]
        pub title_en: String,
        /// The sector it is for.
        #[n(4)]
        pub sector: String,
        /// The day it was issued.
        #[n(5)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub issued_on: Option<LocalDate>,
        /// The first day on which it holds, where it names one.
        #[n(6)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub effective_from: Option<LocalDate>,
        /// The last day on which it holds.
        #[n(7)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub effective_until: Option<LocalDate>,
        /// How it stands.
        #[n(8)]
        pub status: StandardStatus,
        /// Whether title and number were verified.
        #[n(9)]
        pub identity_verified: bool,
        /// What to mind.
        #[n(10)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub note_zh: Option<String>,
        /// The same in English.
        #[n(11)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub note_en: Option<String>,
    }
}

wire_struct! {
    /// A criterion as its table has it; see [`Criterion`].
    pub struct CriterionEntry {
        /// Stable code.
        #[n(0)]
        pub code: String,
        /// Edition, from 1; raised when this project changes what the entry says.
        #[n(1)]
        pub edition: u32,
        /// Code of its standard.
        #[n(2)]
        pub standard: String,
        /// Where in the standard.
        #[n(3)]
        pub clause: String,
        /// What it says, in our own words.
        #[n(4)]
        pub zh: String,
        /// The same in English.
        #[n(5)]
        pub en: String,
        /// How to check it: a suggestion.
        #[n(6)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub check_zh: Option<String>,
        /// The same in English.
        #[n(7)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub check_en: Option<String>,
        /// What was seen of the published text.
        #[n(8)]
        pub evidence: Evidence,
        /// Where it was read.
        #[n(9)]
        pub source: String,
    }
}

wire_struct! {
    /// A kind of site.
    pub struct SiteType {
        /// Code within the pack.
        #[n(0)]
        pub code: String,
        /// Chinese.
        #[n(1)]
        pub zh: String,
        /// English.
        #[n(2)]
        pub en: String,
    }
}

wire_struct! {
    /// A kind of risk point (风险点).
    pub struct RiskPointType {
        /// Code within the pack.
        #[n(0)]
        pub code: String,
        /// Chinese.
        #[n(1)]
        pub zh: String,
        /// English.
        #[n(2)]
        pub en: String,
        /// Site types on which it is found; empty: on any.
        #[n(3)]
        #[cbor(default)]
        #[serde(default)]
        pub site_types: Vec<String>,
    }
}

wire_struct! {
    /// One thing to look at.
    pub struct ChecklistItem {
        /// Its place in the list, from 1.
        #[n(0)]
        pub number: u32,
        /// What to look at.
        #[n(1)]
        pub zh: String,
        /// The same in English.
        #[n(2)]
        pub en: String,
        /// The criterion that it comes from.
        #[n(3)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub criterion: Option<String>,
        /// The kind of risk point that it is about.
        #[n(4)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub risk_point: Option<String>,
        /// Whether a photo belongs to the answer.
        #[n(5)]
        pub photo: bool,
        /// Whether no published text stands behind it: true unless it names a criterion.
        #[n(6)]
        pub unverified: bool,
    }
}

wire_struct! {
    /// A checklist as its tables have it; see [`Checklist`].
    pub struct ChecklistEntry {
        /// Stable code.
        #[n(0)]
        pub code: String,
        /// Edition, from 1; raised when the list changes.
        #[n(1)]
        pub edition: u32,
        /// Title.
        #[n(2)]
        pub zh: String,
        /// The same in English.
        #[n(3)]
        pub en: String,
        /// How often.
        #[n(4)]
        pub cadence: Cadence,
        /// For whom: a role, as the policy table names it.
        #[n(5)]
        pub role: String,
        /// Kinds of sites that it is for; empty: any.
        #[n(6)]
        #[cbor(default)]
        #[serde(default)]
        pub site_types: Vec<String>,
        /// What to look at, in order.
        #[n(7)]
        pub items: Vec<ChecklistItem>,
    }
}

wire_struct! {
    /// One edition of one checklist, as devices hold it.
    pub struct Checklist {
        /// Identifier, made from code and edition.
        #[n(0)]
        pub id: ChecklistId,
        /// Stable code.
        #[n(1)]
        pub code: String,
        /// Edition, from 1.
        #[n(2)]
        pub edition: u32,
        /// The pack that brought it.
        #[n(3)]
        pub pack: String,
        /// The sectors of that pack.
        #[n(4)]
        pub sectors: Vec<String>,
        /// Title.
        #[n(5)]
        pub zh: String,
        /// The same in English.
        #[n(6)]
        pub en: String,
        /// How often.
        #[n(7)]
        pub cadence: Cadence,
        /// For whom.
        #[n(8)]
        pub role: String,
        /// Kinds of sites that it is for; empty: any.
        #[n(9)]
        #[cbor(default)]
        #[serde(default)]
        pub site_types: Vec<String>,
        /// What to look at, in order.
        #[n(10)]
        pub items: Vec<ChecklistItem>,
        /// The version of the pack that no longer has this edition.
        #[n(11)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub retired_in: Option<u32>,
        /// Counts changes of this record.
        #[n(12)]
        pub version: i64,
    }
}

wire_struct! {
    /// What somebody must do, again and again.
    pub struct Duty {
        /// Code within the pack.
        #[n(0)]
        pub code: String,
        /// What.
        #[n(1)]
        pub zh: String,
        /// The same in English.
        #[n(2)]
        pub en: String,
        /// Who: a role.
        #[n(3)]
        pub role: String,
        /// How often.
        #[n(4)]
        pub cadence: Cadence,
        /// The criterion that it comes from.
        #[n(5)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub criterion: Option<String>,
        /// The law or document that it comes from, where it is no criterion.
        #[n(6)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub basis: Option<String>,
        /// Whether no text that was seen stands behind it.
        #[n(7)]
        pub unverified: bool,
    }
}

wire_struct! {
    /// What is filed with, or approved by, somebody (备案、审批、登记).
    pub struct Filing {
        /// Code within the pack.
        #[n(0)]
        pub code: String,
        /// What.
        #[n(1)]
        pub zh: String,
        /// The same in English.
        #[n(2)]
        pub en: String,
        /// When: words.
        #[n(3)]
        pub when_zh: String,
        /// The same in English.
        #[n(4)]
        pub when_en: String,
        /// The criterion that it comes from.
        #[n(5)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub criterion: Option<String>,
        /// The law or document that it comes from, where it is no criterion.
        #[n(6)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub basis: Option<String>,
        /// Whether no text that was seen stands behind it.
        #[n(7)]
        pub unverified: bool,
    }
}

wire_struct! {
    /// Other words that people use for a term of the criteria; the search knows them.
    pub struct Wording {
        /// The term as criteria have it.
        #[n(0)]
        pub term: String,
        /// What people say on site.
        #[n(1)]
        pub also: Vec<String>,
        /// The term in English.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub en: Option<String>,
    }
}

wire_struct! {
    /// A pack without its criteria and checklists, which are records of their own; as devices hold it.
    pub struct PackHead {
        /// Name: letters, digits and hyphens, the folder's name.
        #[n(0)]
        pub name: String,
        /// Version, from 1.
        #[n(1)]
        pub version: u32,
        /// Title.
        #[n(2)]
        pub title_zh: String,
        /// The same in English.
        #[n(3)]
        pub title_en: String,
        /// Where its facts come from.
        #[n(4)]
        pub source: String,
        /// Its licence (SPDX).
        #[n(5)]
        pub licence: String,
        /// Sectors.
        #[n(6)]
        pub sectors: Vec<Sector>,
        /// Standards.
        #[n(7)]
        pub standards: Vec<Standard>,
        /// Kinds of sites.
        #[n(8)]
        pub site_types: Vec<SiteType>,
        /// Kinds of risk points.
        #[n(9)]
        pub risk_points: Vec<RiskPointType>,
        /// Duties.
        #[n(10)]
        pub duties: Vec<Duty>,
        /// Filings.
        #[n(11)]
        pub filings: Vec<Filing>,
        /// Words of the trade.
        #[n(12)]
        pub wording: Vec<Wording>,
    }
}

/// A whole pack: one version of one sector's data. JSON: `catalog/packs/pack.schema.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Encode, Decode)]
#[cbor(map)]
pub struct Pack {
    /// All but criteria and checklists.
    #[n(0)]
    #[serde(flatten)]
    pub head: PackHead,
    /// Criteria, in the order of their table.
    #[n(1)]
    pub criteria: Vec<CriterionEntry>,
    /// Checklists, in the order of their table.
    #[n(2)]
    pub checklists: Vec<ChecklistEntry>,
}

impl PackHead {
    /// Identifier, made from name and version.
    pub fn id(&self) -> PackId {
        PackId(id_of("pack", &self.name, self.version))
    }

    /// Identifier of all versions of the pack together: whose history tells of each.
    pub fn line_id(&self) -> PackId {
        PackId(id_of("packs", &self.name, 0))
    }

    /// Whether one of its sectors goes by this name: code, Chinese, English or an alias.
    pub fn sector_named(&self, name: &str) -> Option<&Sector> {
        self.sectors.iter().find(|sector| {
            sector.code == name
                || sector.zh == name
                || sector.en.eq_ignore_ascii_case(name)
                || sector.aliases.iter().any(|alias| alias == name)
        })
    }
}

impl Checklist {
    /// The identifier of the edition that a reference names.
    pub fn id_of(named: &ChecklistRef) -> ChecklistId {
        ChecklistId(id_of("checklist", &named.code, named.edition))
    }

    /// The record of an entry of a pack.
    pub fn of(head: &PackHead, entry: &ChecklistEntry) -> Self {
        Self {
            id: ChecklistId(id_of("checklist", &entry.code, entry.edition)),
            code: entry.code.clone(),
            edition: entry.edition,
            pack: head.name.clone(),
            sectors: head.sectors.iter().map(|s| s.code.clone()).collect(),
            zh: entry.zh.clone(),
            en: entry.en.clone(),
            cadence: entry.cadence,
            role: entry.role.clone(),
            site_types: entry.site_types.clone(),
            items: entry.items.clone(),
            retired_in: None,
            version: 1,
        }
    }

    /// Whether `named` means it.
    pub fn is_named_by(&self, named: &ChecklistRef) -> bool {
        self.edition == named.edition && self.code == named.code
    }

    /// Whether both records say the same of this edition; retirement may differ.
    pub fn same_text(&self, other: &Self) -> bool {
        let text = |list: &Self| Self {
            retired_in: None,
            version: 0,
            ..list.clone()
        };
        text(self) == text(other)
    }
}

impl Pack {
    /// The records of its criteria.
    pub fn criteria(&self) -> Vec<Criterion> {
        let standards = &self.head.standards;
        let of = |entry: &CriterionEntry| {
            let standard = standards.iter().find(|s| s.code == entry.standard)?;
            Some(Criterion::of(&self.head.name, entry, standard))
        };
        // Reading refuses a criterion without its standard.
        self.criteria.iter().filter_map(of).collect()
    }

    /// The records of its checklists.
    pub fn checklists(&self) -> Vec<Checklist> {
        let of = |entry| Checklist::of(&self.head, entry);
        self.checklists.iter().map(of).collect()
    }
}
