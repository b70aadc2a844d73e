//! What is wrong with a row of a table, or keeps a row from being undone: as data with a stable code,
//! in words for people in both languages.

use hazardloop_domain::credit_code::CreditCodeFinding;
use hazardloop_domain::enterprise::FaultKind;
use serde::{Deserialize, Serialize};

use crate::usecases::sector_names::SectorFinding;

/// Whether something keeps the table from being taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It does.
    Error,
    /// Advice: look at it again.
    Warning,
}

/// One thing that was found in one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RowProblem {
    /// The row as a spreadsheet counts, from 1; 0: the table as a whole.
    #[schema(example = 3)]
    pub row: u32,
    /// The column by its identifier, where it is about one that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "industry_code")]
    pub column: Option<String>,
    /// The column's heading as it stands in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "行业代码")]
    pub heading: Option<String>,
    /// Whether it keeps the table from being taken.
    pub severity: Severity,
    /// Stable code to switch on.
    #[schema(example = "INDUSTRY_CODE")]
    pub code: String,
    /// In Chinese.
    pub message_zh: String,
    /// In English.
    pub message_en: String,
}

/// What can be found.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Finding {
    /// No row has headings that are known.
    NoHeading,
    /// No row but the headings.
    NoRows,
    /// A heading that no column has.
    UnknownColumn,
    /// Two columns of one meaning.
    ColumnTwice,
    /// A cell to the right of all headings.
    BeyondHeadings,
    /// See [`crate::tables::Cell`].
    CellTooLong(usize),
    Rounded,
    FormulaError,
    /// A new enterprise needs it.
    Required,
    NotANumber,
    NotADate,
    NotAnId,
    /// The values that there are, in Chinese and as identifiers.
    NotOneOf(String, String),
    /// The form of one entry, in Chinese and English.
    NotOfForm(&'static str, &'static str),
    /// The columns that go together.
    GoTogether(&'static str),
    OffTheEarth(String),
    Field(FaultKind),
    JurisdictionUnknown,
    JurisdictionAmbiguous,
    /// The name of the one that it was merged into.
    JurisdictionMerged(String),
    JurisdictionForbidden,
    JurisdictionDiffers,
    NotAGrid,
    EnterpriseUnknown,
    EnterpriseAmbiguous,
    /// The row that speaks of the same enterprise.
    SameAsRow(u32),
    CreditCode(CreditCodeFinding),
    Sector(SectorFinding),
    /// Of an undo.
    ChangedSince,
    HasHazards,
    HasInspections,
    HasRoles,
}

impl Finding {
    pub(super) const fn severity(&self) -> Severity {
        match self {
            Self::CreditCode(_) | Self::Sector(_) => Severity::Warning,
            _ => Severity::Error,
        }
    }

    const fn code(&self) -> &'static str {
        match self {
            Self::NoHeading => "NO_HEADING",
            Self::NoRows => "NO_ROWS",
            Self::UnknownColumn => "UNKNOWN_COLUMN",
            Self::ColumnTwice => "COLUMN_TWICE",
            Self::BeyondHeadings => "BEYOND_HEADINGS",
            Self::CellTooLong(_) => "CELL_TOO_LONG",
            Self::Rounded => "NUMBER_ROUNDED",
            Self::FormulaError => "FORMULA_ERROR",
            Self::Required => "REQUIRED",
            Self::NotANumber => "NOT_A_NUMBER",
            Self::NotADate => "NOT_A_DATE",
            Self::NotAnId => "NOT_AN_ID",
            Self::NotOneOf(..) => "NOT_ONE_OF",
            Self::NotOfForm(..) => "NOT_OF_FORM",
            Self::GoTogether(_) => "GO_TOGETHER",
            Self::OffTheEarth(_) => "OFF_THE_EARTH",
            Self::Field(kind) => kind.code(),
            Self::JurisdictionUnknown => "JURISDICTION_UNKNOWN",
            Self::JurisdictionAmbiguous => "JURISDICTION_AMBIGUOUS",
            Self::JurisdictionMerged(_) => "JURISDICTION_MERGED",
            Self::JurisdictionForbidden => "JURISDICTION_FORBIDDEN",
            Self::JurisdictionDiffers => "JURISDICTION_DIFFERS",
            Self::NotAGrid => "NOT_A_GRID",
            Self::EnterpriseUnknown => "ENTERPRISE_UNKNOWN",
            Self::EnterpriseAmbiguous => "ENTERPRISE_AMBIGUOUS",
            Self::SameAsRow(_) => "SAME_AS_ROW",
            Self::CreditCode(_) => "CREDIT_CODE",
            Self::Sector(SectorFinding::OfNoPack) => "SECTOR_OF_NO_PACK",
            Self::Sector(SectorFinding::GoesBy(_)) => "SECTOR_GOES_BY_ITS_CODE",
            Self::ChangedSince => "CHANGED_SINCE",
            Self::HasHazards => "HAS_HAZARDS",
            Self::HasInspections => "HAS_INSPECTIONS",
            Self::HasRoles => "HAS_ROLES",
        }
    }

    /// In Chinese and English.
    fn words(&self) -> (String, String) {
        let both = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
        match self {
            Self::NoHeading => both(
                "前十行中没有可识别的表头（至少两列）",
                "none of the first ten rows has at least two headings that are known",
            ),
            Self::NoRows => both("表中没有数据行", "the table has no rows"),
            Self::UnknownColumn => both("无法识别的列", "no column has this heading"),
            Self::ColumnTwice => both("列重复", "this column is there already"),
            Self::BeyondHeadings => both("该单元格没有表头", "this cell has no heading"),
            Self::CellTooLong(max) => (
                format!("单元格超过 {max} 个字符"),
                format!("the cell has more than {max} characters"),
            ),
            Self::Rounded => both(
                "数字超过十五位，已被表格软件四舍五入，请设为文本格式重新填写",
                "the number has more than fifteen digits and was rounded; enter it again as text",
            ),
            Self::FormulaError => both("公式出错", "the formula came to an error"),
            Self::Required => both("新企业必填", "a new enterprise needs it"),
            Self::NotANumber => both("不是数字", "is not a number"),
            Self::NotADate => both(
                "不是日期，应为 2026-06-30 的形式",
                "is not a date of the form 2026-06-30",
            ),
            Self::NotAnId => both("不是 UUID", "is not a UUID"),
            Self::NotOneOf(zh, en) => (format!("应为：{zh}"), format!("must be one of: {en}")),
            Self::NotOfForm(zh, en) => (
                format!("每项应为：{zh}"),
                format!("each entry must be: {en}"),
            ),
            Self::GoTogether(columns) => (
                format!("须同时填写：{columns}"),
                format!("these go together: {columns}"),
            ),
            Self::OffTheEarth(why) => (format!("位置有误：{why}"), why.clone()),
            Self::Field(kind) => (kind.zh(), kind.en()),
            _ => self.words_of_records(),
        }
    }

    /// What is about other records than the row itself.
    fn words_of_records(&self) -> (String, String) {
        let (zh, en) = match self {
            Self::JurisdictionUnknown => ("没有这个管辖单位", "there is no such jurisdiction"),
            Self::JurisdictionAmbiguous => (
                "有多个同名管辖单位，请写全路径、区划代码或 id",
                "several jurisdictions have this name: write the whole path, the division code or the id",
            ),
            Self::JurisdictionForbidden => (
                "您不能维护该管辖单位的企业",
                "you may not keep the enterprises of this jurisdiction",
            ),
            Self::JurisdictionDiffers => (
                "与该企业现有管辖单位不同；迁移请另行办理",
                "the enterprise belongs to another jurisdiction; moving it is done apart",
            ),
            Self::NotAGrid => ("不是网格", "is not a grid"),
            Self::EnterpriseUnknown => (
                "没有这个企业，或不在您的维护范围",
                "there is no such enterprise, or none that you may keep",
            ),
            Self::EnterpriseAmbiguous => (
                "有多个企业与此行相符，请填 id",
                "several enterprises fit this row: name the id",
            ),
            Self::JurisdictionMerged(into) => {
                return (
                    format!("该管辖单位已撤并入“{into}”"),
                    format!("this jurisdiction was merged into {into}"),
                );
            }
            Self::SameAsRow(row) => {
                return (
                    format!("与第 {row} 行为同一企业"),
                    format!("speaks of the same enterprise as row {row}"),
                );
            }
            Self::CreditCode(finding) => {
                let words = finding.to_string();
                let (zh, en) = words.split_once(" / ").unwrap_or((&words, &words));
                return (zh.to_owned(), en.to_owned());
            }
            Self::Sector(finding) => return finding.words(),
            Self::ChangedSince => ("导入后又有变更", "was changed since the import"),
            Self::HasHazards => ("已有隐患记录", "has hazards"),
            Self::HasInspections => (
                "已有检查或自查记录（含计划）",
                "has inspections or self-checks, if only planned",
            ),
            Self::HasRoles => ("已有人员授权", "has people with roles"),
            _ => ("", ""),
        };
        (zh.to_owned(), en.to_owned())
    }
}

/// What was found so far: counted all, listed up to a limit.
#[derive(Clone, Debug)]
pub(super) struct Problems {
    listed: Vec<RowProblem>,
    most: usize,
    pub errors: u32,
    pub warnings: u32,
}

impl Problems {
    pub fn new(most: usize) -> Self {
        Self {
            listed: Vec::new(),
            most,
            errors: 0,
            warnings: 0,
        }
    }

    /// Adds one; `column` is its identifier and its heading.
    pub fn add(&mut self, row: u32, column: (Option<&str>, Option<&str>), finding: &Finding) {
        let severity = finding.severity();
        let count = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        *count = count.saturating_add(1);
        if self.listed.len() >= self.most {
            return;
        }
        let (message_zh, message_en) = finding.words();
        self.listed.push(RowProblem {
            row,
            column: column.0.map(str::to_owned),
            heading: column.1.map(str::to_owned),
            severity,
            code: finding.code().to_owned(),
            message_zh,
            message_en,
        });
    }

    /// In the order of rows.
    pub fn listed(mut self) -> Vec<RowProblem> {
        self.listed.sort_by_key(|problem| problem.row);
        self.listed
    }
}

#[cfg(test)]
mod tests {
    use hazardloop_domain::credit_code;

    use super::*;

    #[test]
    fn findings_are_worded_in_both_languages() {
        let all = [
            Finding::NoHeading,
            Finding::NoRows,
            Finding::UnknownColumn,
            Finding::ColumnTwice,
            Finding::BeyondHeadings,
            Finding::CellTooLong(1),
            Finding::Rounded,
            Finding::FormulaError,
            Finding::Required,
            Finding::NotANumber,
            Finding::NotADate,
            Finding::NotAnId,
            Finding::NotOneOf("红".to_owned(), "red".to_owned()),
            Finding::NotOfForm("名称|号码", "name|number"),
            Finding::GoTogether("longitude, latitude"),
            Finding::OffTheEarth("x".to_owned()),
            Finding::Field(FaultKind::Phone),
            Finding::JurisdictionUnknown,
            Finding::JurisdictionAmbiguous,
            Finding::JurisdictionMerged("昌州街道".to_owned()),
            Finding::JurisdictionForbidden,
            Finding::JurisdictionDiffers,
            Finding::NotAGrid,
            Finding::EnterpriseUnknown,
            Finding::EnterpriseAmbiguous,
            Finding::SameAsRow(2),
            Finding::CreditCode(credit_code::check("x")),
            Finding::ChangedSince,
            Finding::HasHazards,
            Finding::HasInspections,
            Finding::HasRoles,
        ];
        let mut codes = std::collections::BTreeSet::new();
        for finding in all {
            let (zh, en) = finding.words();
            assert!(zh.chars().any(|c| c > '\u{4e00}'), "{finding:?}");
            assert!(!en.is_empty() && !en.contains(" / "), "{finding:?}: {en}");
            assert!(codes.insert(finding.code()), "{finding:?}");
        }
    }

    #[test]
    fn more_problems_than_are_listed_are_counted() {
        let mut problems = Problems::new(2);
        for row in 0..5 {
            problems.add(row, (None, None), &Finding::Required);
        }
        problems.add(
            9,
            (None, None),
            &Finding::CreditCode(credit_code::check("x")),
        );
        assert_eq!((problems.errors, problems.warnings), (5, 1));
        assert_eq!(problems.listed().len(), 2);
    }
}
