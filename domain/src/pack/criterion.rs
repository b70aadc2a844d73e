//! One edition of one judgement criterion (判定情形), as devices hold it, and how it may be used.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::document::{CriterionEntry, Standard};
use super::id_of;
use crate::command::{CriterionRef, wire_names, wire_struct};
use crate::ids::CriterionId;
use crate::time::{LocalDate, Timestamp};

wire_names! {
    /// What was seen of a criterion's published text.
    pub enum Evidence {
        /// The clause was read in a public quotation of the text.
        Seen = 0, "v";
        /// Clause number and topic were read, the wording was not.
        Topic = 1, "v_topic";
        /// The text that was read was cut off.
        Part = 2, "v_part";
        /// Only the title is known: to be entered from the original.
        Title = 3, "v_title";
        /// General knowledge, high confidence.
        KnownHigh = 4, "k_h";
        /// General knowledge, medium confidence.
        KnownMedium = 5, "k_m";
        /// General knowledge, low confidence.
        KnownLow = 6, "k_l";
    }
}

impl Evidence {
    /// The mark that tables have and people read.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Seen => "V",
            Self::Topic => "V-topic",
            Self::Part => "V-part",
            Self::Title => "V-title",
            Self::KnownHigh => "K-h",
            Self::KnownMedium => "K-m",
            Self::KnownLow => "K-l",
        }
    }
}

wire_names! {
    /// How a standard stands.
    pub enum StandardStatus {
        /// In force as far as was found.
        InForce = 0, "in_force";
        /// Something about it is open: an officer confirms whether and how it applies.
        ToBeVerified = 1, "to_be_verified";
        /// Replaced; kept as history.
        Superseded = 2, "superseded";
        /// Known by name; its text is to be entered from the original.
        ToBeEntered = 3, "to_be_entered";
    }
}

wire_struct! {
    /// One edition of one criterion. Its words are this project's own: the published text decides.
    pub struct Criterion {
        /// Identifier, made from code and edition.
        #[n(0)]
        pub id: CriterionId,
        /// Stable code, such as `GM-10-11-3`: standard, then clause.
        #[n(1)]
        pub code: String,
        /// Counts what this project changed about the entry, from 1.
        #[n(2)]
        pub edition: u32,
        /// The pack that brought it.
        #[n(3)]
        pub pack: String,
        /// The sector, as its pack calls it.
        #[n(4)]
        pub sector: String,
        /// The standard's code in its pack.
        #[n(5)]
        pub standard: String,
        /// 文号: the number of the standard.
        #[n(6)]
        pub number: String,
        /// Where in the standard.
        #[n(7)]
        pub clause: String,
        /// What it says, in our own words, Chinese.
        #[n(8)]
        pub zh: String,
        /// The same in English.
        #[n(9)]
        pub en: String,
        /// How to check it on site: a suggestion.
        #[n(10)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub check_zh: Option<String>,
        /// The same in English.
        #[n(11)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub check_en: Option<String>,
        /// What was seen of the published text.
        #[n(12)]
        pub evidence: Evidence,
        /// Whether anything that a citation rests on is not verified: the text, or the title or number of
        /// the standard.
        #[n(13)]
        pub unverified: bool,
        /// Where it was read.
        #[n(14)]
        pub source: String,
        /// How its standard stands.
        #[n(15)]
        pub status: StandardStatus,
        /// The first day on which it holds; of a standard without a separate date, the day it was issued.
        #[n(16)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub effective_from: Option<LocalDate>,
        /// The last day on which it holds.
        #[n(17)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub effective_until: Option<LocalDate>,
        /// The version of the pack that no longer has this edition.
        #[n(18)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub retired_in: Option<u32>,
        /// Counts changes of this record.
        #[n(19)]
        pub version: i64,
        /// Since when `retired_in` is in force: what was made before may still be judged by this edition.
        #[n(20)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub retired_at: Option<Timestamp>,
    }
}

/// How a criterion may be used as a legal basis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Citability {
    /// With document, number and clause.
    FullText,
    /// As a pointer to the clause, whose wording is looked up in the original.
    ClauseOnly,
    /// Not at all.
    NotCitable(NotCitable),
}

/// Why a criterion is no legal basis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotCitable {
    /// Its text is to be entered from the original: cut off, or only the title was seen.
    ToBeEntered,
    /// It is general knowledge, not read anywhere.
    Unsourced,
    /// A newer version of its pack no longer has this edition.
    Retired,
}

impl NotCitable {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ToBeEntered => "to_be_entered",
            Self::Unsourced => "unsourced",
            Self::Retired => "retired",
        }
    }

    /// The reason in Chinese.
    pub const fn wording_zh(self) -> &'static str {
        match self {
            Self::ToBeEntered => "待录入原文，不得作为判定依据",
            Self::Unsourced => "未见公开文本，待录入原文，不得作为判定依据",
            Self::Retired => "此版已被新版取代，不得作为判定依据",
        }
    }

    /// The reason in English.
    pub const fn wording_en(self) -> &'static str {
        match self {
            Self::ToBeEntered => "to be entered from the original; no legal basis",
            Self::Unsourced => {
                "not seen in a public text, to be entered from the original; no legal basis"
            }
            Self::Retired => "a newer edition takes its place; no legal basis",
        }
    }
}

impl Citability {
    /// The stable name: `full_text`, `clause_only` or `not_citable`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FullText => "full_text",
            Self::ClauseOnly => "clause_only",
            Self::NotCitable(_) => "not_citable",
        }
    }

    /// Whether a hazard may name it: with its text, or as a pointer to the clause.
    pub const fn may_be_picked(self) -> bool {
        !matches!(self, Self::NotCitable(_))
    }

    /// What to say beside the criterion, Chinese and English; nothing where its text was seen.
    pub const fn notice(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::FullText => None,
            Self::ClauseOnly => Some((
                "仅可指引条款，内容以原文为准",
                "a pointer to the clause only; look the wording up in the original",
            )),
            Self::NotCitable(why) => Some((why.wording_zh(), why.wording_en())),
        }
    }
}

impl Criterion {
    /// The identifier of the edition that a reference names.
    pub fn id_of(reference: &CriterionRef) -> CriterionId {
        CriterionId(id_of("criterion", &reference.code, reference.edition))
    }

    /// The record of an entry of `pack`, read together with its standard.
    pub fn of(pack: &str, entry: &CriterionEntry, standard: &Standard) -> Self {
        Self {
            id: CriterionId(id_of("criterion", &entry.code, entry.edition)),
            code: entry.code.clone(),
            edition: entry.edition,
            pack: pack.to_owned(),
            sector: standard.sector.clone(),
            standard: standard.code.clone(),
            number: standard.number.clone(),
            clause: entry.clause.clone(),
            zh: entry.zh.clone(),
            en: entry.en.clone(),
            check_zh: entry.check_zh.clone(),
            check_en: entry.check_en.clone(),
            evidence: entry.evidence,
            unverified: entry.evidence != Evidence::Seen || !standard.identity_verified,
            source: entry.source.clone(),
            status: standard.status,
            effective_from: standard.effective_from.or(standard.issued_on),
            effective_until: standard.effective_until,
            retired_in: None,
            version: 1,
            retired_at: None,
        }
    }

    /// The reference by which hazards name it.
    pub fn reference(&self) -> CriterionRef {
        CriterionRef {
            code: self.code.clone(),
            edition: self.edition,
        }
    }

    /// Whether `reference` names it.
    pub fn is_named_by(&self, reference: &CriterionRef) -> bool {
        self.edition == reference.edition && self.code == reference.code
    }

    /// Whether somebody could name it as a basis at `at`: a device without signal goes on with the edition that it
    /// holds, and what was judged by it before it was retired stays judged.
    pub fn could_be_picked_at(&self, at: Timestamp) -> bool {
        let was_there = match (self.retired_in, self.retired_at) {
            (None, _) => true,
            (Some(_), Some(retired)) => at < retired,
            (Some(_), None) => false,
        };
        was_there && self.citability_of_text().may_be_picked()
    }

    /// How it may be used as a legal basis, whatever the day. A text that was read under a title or
    /// number that is not verified is a pointer only.
    pub const fn citability(&self) -> Citability {
        if self.retired_in.is_some() {
            return Citability::NotCitable(NotCitable::Retired);
        }
        self.citability_of_text()
    }

    const fn citability_of_text(&self) -> Citability {
        match self.evidence {
            Evidence::Seen if self.unverified => Citability::ClauseOnly,
            Evidence::Seen => Citability::FullText,
            Evidence::Topic => Citability::ClauseOnly,
            Evidence::Part | Evidence::Title => Citability::NotCitable(NotCitable::ToBeEntered),
            Evidence::KnownHigh | Evidence::KnownMedium | Evidence::KnownLow => {
                Citability::NotCitable(NotCitable::Unsourced)
            }
        }
    }

    /// Whether its standard holds on this day (Asia/Shanghai). One without any date holds on none.
    pub fn in_force_on(&self, day: LocalDate) -> bool {
        let begun = self.effective_from.is_some_and(|from| from <= day);
        let ended = self.effective_until.is_some_and(|until| until < day);
        begun && !ended
    }

    /// Whether both records say the same of this edition; dates, status and retirement may differ.
    pub fn same_text(&self, other: &Self) -> bool {
        let text = |criterion: &Self| Self {
            status: StandardStatus::InForce,
            effective_from: None,
            effective_until: None,
            retired_in: None,
            retired_at: None,
            version: 0,
            ..criterion.clone()
        };
        text(self) == text(other)
    }
}
