//! The columns of a table of enterprises: their headings in both languages, the form of their cells,
//! and what each says of an enterprise.
//!
//! An empty cell says nothing: the field stays as it is. A lone `-` empties it.

use hazardloop_domain::enterprise::{
    AdminLevel, Licence, MajorSourceLevel, OperatingStatus, Phone, RelatedParty, RelatedPartyKind,
    RiskLevel, SizeClass, StandardizationLevel,
};
use hazardloop_domain::geography::CoordinateReference;
use hazardloop_domain::time::LocalDate;
use jiff::civil::Date;

use super::draft::Draft;
use super::problems::Finding;

/// One column.
pub struct Column {
    /// Its identifier, which is also its heading in English.
    pub name: &'static str,
    /// Its heading in Chinese.
    pub zh: &'static str,
    /// Other headings by which it is known.
    pub also: &'static [&'static str],
    /// What its cells hold, in Chinese.
    pub form_zh: &'static str,
    /// The same in English.
    pub form_en: &'static str,
    /// Writes a cell into the draft; `None`: empties the field.
    pub(super) set: fn(&mut Draft, Option<&str>) -> Result<(), Finding>,
}

impl Column {
    /// Whether this heading means this column.
    pub fn is_headed(&self, heading: &str) -> bool {
        // As people decorate them: 名称*, Name.
        let plain = heading
            .trim()
            .trim_end_matches(['*', '＊', ':', '：'])
            .trim();
        let known = [self.name, self.zh];
        let mut known = known.iter().chain(self.also);
        known.any(|name| name.eq_ignore_ascii_case(plain))
    }
}

const PART_OF_ENTRY: [char; 2] = ['|', '｜'];
const ENTRY_OF_LIST: [char; 3] = [';', '；', '\n'];

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

fn entries(text: Option<&str>) -> impl Iterator<Item = &str> {
    let entries = text.unwrap_or_default().split(ENTRY_OF_LIST).map(str::trim);
    entries.filter(|entry| !entry.is_empty())
}

/// A date as people write it; the day of a spreadsheet comes as `2026-06-30`.
fn date(text: &str) -> Option<LocalDate> {
    let mut parts = text
        .trim_end_matches('日')
        .split(['-', '/', '.', '年', '月']);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.next().is_some() || year.len() != 4 || ![year, month, day].into_iter().all(plain) {
        return None;
    }
    let date = Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    date.ok().map(LocalDate::new)
}

/// A date, or nothing where there is no end.
fn until(text: &str) -> Result<Option<LocalDate>, Finding> {
    match text {
        "" | "长期" | "-" => Ok(None),
        text => date(text).map(Some).ok_or(Finding::NotADate),
    }
}

fn number<T: std::str::FromStr>(text: Option<&str>) -> Result<Option<T>, Finding> {
    let read = |text: &str| text.parse().map_err(|_| Finding::NotANumber);
    text.map(read).transpose()
}

fn licences(text: Option<&str>) -> Result<Vec<Licence>, Finding> {
    let form = || Finding::NotOfForm("名称|号码|有效期至", "kind|number|valid to");
    let licence = |entry: &str| {
        let parts: Vec<&str> = entry.split(PART_OF_ENTRY).map(str::trim).collect();
        let (kind, number, to) = match parts.as_slice() {
            [kind, number] => (*kind, *number, ""),
            [kind, number, to] => (*kind, *number, *to),
            _ => return Err(form()),
        };
        Ok(Licence {
            kind: kind.to_owned(),
            number: number.to_owned(),
            valid_to: until(to)?,
        })
    };
    entries(text).map(licence).collect()
}

fn related_parties(text: Option<&str>) -> Result<Vec<RelatedParty>, Finding> {
    let form = || {
        Finding::NotOfForm(
            "单位名称|承包或承租|统一社会信用代码|起|止（后三项可空）",
            "name|contractor or tenant|credit code|from|to (the last three may be empty)",
        )
    };
    let party = |entry: &str| {
        let mut parts = entry.split(PART_OF_ENTRY).map(str::trim);
        let mut next = || parts.next().unwrap_or_default();
        let (name, kind, code, from, to) = (next(), next(), next(), next(), next());
        if parts.next().is_some() {
            return Err(form());
        }
        Ok(RelatedParty {
            name: name.to_owned(),
            credit_code: Some(code.to_owned()).filter(|code| !code.is_empty()),
            kind: RelatedPartyKind::from_name(kind).ok_or_else(form)?,
            from: until(from)?,
            to: until(to)?,
        })
    };
    entries(text).map(party).collect()
}

/// A value of a closed list, by identifier or Chinese name.
macro_rules! one_of {
    ($kind:ident, $text:expr) => {{
        let read = |text: &str| {
            $kind::from_name(text).ok_or_else(|| {
                let zh: Vec<_> = $kind::ALL.iter().map(|value| value.zh()).collect();
                let en: Vec<_> = $kind::ALL.iter().map(|value| value.as_str()).collect();
                Finding::NotOneOf(zh.join("、"), en.join(", "))
            })
        };
        $text.map(read).transpose()
    }};
}

macro_rules! columns {
    ($($name:ident, $zh:literal, [$($also:literal),*], $form_zh:literal, $form_en:literal,
        |$draft:ident, $text:ident| $set:expr;)*) => {
        /// Every column, in the order of the template.
        pub static COLUMNS: &[Column] = &[$(Column {
            name: stringify!($name),
            zh: $zh,
            also: &[$($also),*],
            form_zh: $form_zh,
            form_en: $form_en,
            set: |$draft, $text| {
                $set;
                Ok(())
            },
        }),*];
    };
}

columns! {
    id, "企业id", ["编号"], "已有企业的 id；新企业留空", "the id of one that exists; empty for a new one",
        |_d, _t| ();
    name, "名称", ["企业名称", "单位名称"], "必填", "required",
        |d, t| d.enterprise.name = t.unwrap_or_default().to_owned();
    short_name, "简称", ["企业简称"], "", "", |d, t| d.enterprise.profile.short_name = owned(t);
    credit_code, "统一社会信用代码", ["信用代码", "社会信用代码"], "18 位；设为文本格式", "18 characters; as text",
        |d, t| d.enterprise.credit_code = owned(t);
    sector, "监管行业", ["行业"], "必填", "required",
        |d, t| d.enterprise.sector = t.unwrap_or_default().to_owned();
    jurisdiction, "管辖单位", ["管辖", "属地"],
        "新企业必填：名称路径（如 荣昌区/昌元街道）、区划代码或 id",
        "required for a new one: path of names, division code, or id",
        |_d, _t| ();
    division_code, "行政区划代码", ["区划代码"], "十二位", "twelve digits",
        |d, t| d.enterprise.profile.division_code = owned(t);
    grid, "网格", ["所属网格"], "网格的名称路径或 id", "path of names of a grid, or its id",
        |d, t| d.grid = owned(t);
    address, "地址", ["详细地址", "生产经营地址"], "", "", |d, t| d.enterprise.address = owned(t);
    longitude, "经度", [], "十进制度", "decimal degrees", |d, t| d.longitude = number(t)?;
    latitude, "纬度", [], "十进制度", "decimal degrees", |d, t| d.latitude = number(t)?;
    coordinate_reference, "坐标系", [], "wgs84、cgcs2000、gcj02、bd09", "wgs84, cgcs2000, gcj02, bd09",
        |d, t| d.reference = t.map(reference).transpose()?;
    legal_rep, "法定代表人", ["法人代表"], "", "", |d, t| d.enterprise.profile.legal_rep = owned(t);
    principal_name, "主要负责人", ["主要负责人姓名"], "", "", |d, t| d.principal_name = owned(t);
    principal_phone, "主要负责人电话", [], "设为文本格式", "as text",
        |d, t| d.principal_phone = owned(t).map(Phone);
    actual_controller, "实际控制人", [], "", "", |d, t| d.enterprise.profile.actual_controller = owned(t);
    safety_director, "分管负责人", ["安全分管负责人"], "", "",
        |d, t| d.enterprise.profile.safety_director = owned(t);
    safety_manager_name, "安全管理人员", ["安全管理人员姓名", "安全员"], "", "", |d, t| d.manager_name = owned(t);
    safety_manager_phone, "安全管理人员电话", ["安全员电话"], "设为文本格式", "as text",
        |d, t| d.manager_phone = owned(t).map(Phone);
    safety_manager_certificate, "安全管理人员证号", ["安全管理人员证书编号"], "", "",
        |d, t| d.manager_certificate = owned(t);
    chief_engineer, "总工程师", ["技术负责人"], "", "", |d, t| d.enterprise.profile.chief_engineer = owned(t);
    industry_code, "行业代码", ["国民经济行业代码"], "GB/T 4754 门类字母加二至四位数字，如 C2110",
        "letter and two to four digits of GB/T 4754, such as C2110",
        |d, t| d.enterprise.profile.industry_code = owned(t);
    subsectors, "重点领域标签", ["重点领域"], "分号隔开", "separated by semicolons",
        |d, t| d.enterprise.profile.subsectors = entries(t).map(str::to_owned).collect();
    size_class, "规模", ["企业规模"], "规上、规下、小微", "above_scale, below_scale, small_micro",
        |d, t| d.enterprise.profile.size_class = one_of!(SizeClass, t)?;
    employee_count, "从业人数", ["从业人员数", "职工人数"], "整数", "a whole number",
        |d, t| d.enterprise.profile.employee_count = number(t)?;
    licences, "许可证", [], "名称|号码|有效期至，分号隔开", "kind|number|valid to, separated by semicolons",
        |d, t| d.enterprise.profile.licences = licences(t)?;
    standardization_level, "标准化等级", ["安全生产标准化等级"], "一级、二级、三级、无", "first, second, third, none",
        |d, t| d.enterprise.profile.standardization_level = one_of!(StandardizationLevel, t)?;
    insurance_number, "安责险保单号", [], "", "", |d, t| d.insurance_number = owned(t);
    insurance_valid_to, "安责险有效期至", [], "2026-06-30", "2026-06-30",
        |d, t| d.insurance_valid_to = t.map(until).transpose()?.flatten();
    insurer, "保险公司", ["承保公司"], "", "", |d, t| d.insurer = owned(t);
    major_source_level, "重大危险源等级", ["重大危险源"], "一级、二级、三级、四级、无",
        "first, second, third, fourth, none",
        |d, t| d.enterprise.profile.major_source_level = one_of!(MajorSourceLevel, t)?;
    supervising_dept, "行业主管部门", ["主管部门"], "", "",
        |d, t| d.enterprise.profile.supervising_dept = owned(t);
    admin_level, "监管层级", [], "国家级、省级、市级、区县级、镇街级", "national, province, city, district, town",
        |d, t| d.enterprise.profile.admin_level = one_of!(AdminLevel, t)?;
    risk_level, "风险等级", [], "红、橙、黄、蓝", "red, orange, yellow, blue",
        |d, t| d.enterprise.profile.risk_level = one_of!(RiskLevel, t)?;
    credit_class, "诚信等级", [], "", "", |d, t| d.enterprise.profile.credit_class = owned(t);
    status, "状态", ["企业状态", "经营状态"], "在业、停产、关闭、搬迁", "operating, suspended, closed, moved",
        |d, t| d.enterprise.profile.status = one_of!(OperatingStatus, t)?.unwrap_or_default();
    related_parties, "承包承租单位", ["相关方"], "单位名称|承包或承租|信用代码|起|止，分号隔开",
        "name|contractor or tenant|credit code|from|to, separated by semicolons",
        |d, t| d.enterprise.profile.related_parties = related_parties(t)?;
    supervision_plan, "一企一策", ["监管措施"], "", "",
        |d, t| d.enterprise.profile.supervision_plan = owned(t);
}

fn reference(text: &str) -> Result<CoordinateReference, Finding> {
    let known = text.to_ascii_lowercase().replace(['-', ' '], "").parse();
    known.map_err(|_| {
        let names = CoordinateReference::ALL.map(CoordinateReference::as_str);
        Finding::NotOneOf(names.join("、"), names.join(", "))
    })
}

/// The column with this identifier.
pub(super) fn named(name: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|column| column.name == name)
}

/// The identifier of the column that a field of the record comes from.
pub(super) fn of_field(field: &str) -> Option<&'static str> {
    let whole = match field {
        "principal.name" => "principal_name",
        "principal.phone" => "principal_phone",
        "safety_manager.name" => "safety_manager_name",
        "safety_manager.phone" => "safety_manager_phone",
        "safety_manager.certificate_no" => "safety_manager_certificate",
        "insurance.number" => "insurance_number",
        "insurance.insurer" => "insurer",
        // An entry of a list comes from the column of the list.
        field => field.split('[').next().unwrap_or_default(),
    };
    named(whole).map(|column| column.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_mean_one_column_each() {
        let mut seen = std::collections::BTreeSet::new();
        for column in COLUMNS {
            assert!(column.zh.chars().any(|c| c > '\u{4e00}'), "{}", column.name);
            for heading in [column.name, column.zh].iter().chain(column.also) {
                assert!(seen.insert(heading.to_lowercase()), "{heading} twice");
                assert!(column.is_headed(heading));
            }
            assert!(column.is_headed(&format!(" {}* ", column.zh)));
        }
    }

    #[test]
    fn dates_are_read_as_people_write_them() {
        let day = LocalDate::new(jiff::civil::date(2026, 6, 30));
        for text in ["2026-06-30", "2026/6/30", "2026.06.30", "2026年6月30日"] {
            assert_eq!(date(text), Some(day), "{text}");
        }
        for text in [
            "",
            "2026-06",
            "30/06/2026",
            "2026-02-30",
            "2026-06-30-1",
            "26-06-30",
            "明天",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn lists_are_read_entry_by_entry() {
        let read = licences(Some(
            "排污许可证|P-1|2028-06-30；安全生产许可证｜A-2；x|y|长期;",
        ))
        .unwrap();
        let kinds: Vec<&str> = read.iter().map(|licence| licence.kind.as_str()).collect();
        assert_eq!(kinds, ["排污许可证", "安全生产许可证", "x"]);
        assert!(read[0].valid_to.is_some() && read[1].valid_to.is_none());
        assert!(licences(Some("排污许可证")).is_err());
        assert_eq!(licences(Some("a|b|soon")), Err(Finding::NotADate));
        let read = related_parties(Some("某物流|承租||2025-01-01\n某安装|contractor")).unwrap();
        assert_eq!(read[0].kind, RelatedPartyKind::Tenant);
        assert!(read[0].from.is_some() && read[0].credit_code.is_none());
        assert_eq!(read[1].kind, RelatedPartyKind::Contractor);
        assert!(related_parties(Some("某物流|邻居")).is_err());
        assert!(related_parties(Some("a|承租|b|||x")).is_err());
    }
}
