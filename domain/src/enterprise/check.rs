//! What the fields of an enterprise may hold: form and size. All faults are found at once, so that
//! whoever brings a table learns of everything in it.

use std::collections::BTreeSet;

use super::Enterprise;
use super::profile::{EnterpriseProfile, Phone};
use crate::credit_code;
use crate::refusal::Refusal;
use crate::text::{LONG_TEXT_MAX, SHORT_TEXT_MAX};

/// The most tags (重点领域标签).
pub const SUBSECTORS_MAX: usize = 20;
/// The most licences.
pub const LICENCES_MAX: usize = 50;
/// The most units on its premises.
pub const RELATED_PARTIES_MAX: usize = 100;
/// The most employees: a slip of the keyboard beyond.
pub const EMPLOYEES_MAX: u32 = 10_000_000;
/// Bytes of the whole record as devices receive it.
pub const RECORD_BYTES_MAX: usize = 64 * 1024;

/// Characters of a telephone number, and the digits that it must have.
const PHONE_MAX: usize = 50;
const PHONE_DIGITS_MIN: usize = 5;
/// Digits of a division code (GB/T 10114: district, town, village).
const DIVISION_DIGITS: usize = 12;

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Nothing but spaces where there must be something.
    Blank,
    /// More characters than this.
    TooLong(usize),
    /// A control character other than line feed and tab.
    ControlCharacter,
    /// More entries than this.
    TooMany(usize),
    /// An entry that stands there already.
    Twice,
    /// A number above this.
    TooBig(u32),
    /// Not a letter from A to T and two to four digits.
    IndustryCode,
    /// Not twelve digits.
    DivisionCode,
    /// No telephone number.
    Phone,
    /// It ends before it begins.
    Period,
    /// The whole record has more bytes than this.
    RecordTooLarge(usize),
}

impl FaultKind {
    /// A stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Blank => "BLANK",
            Self::TooLong(_) => "TOO_LONG",
            Self::ControlCharacter => "CONTROL_CHARACTER",
            Self::TooMany(_) => "TOO_MANY",
            Self::Twice => "TWICE",
            Self::TooBig(_) => "TOO_BIG",
            Self::IndustryCode => "INDUSTRY_CODE",
            Self::DivisionCode => "DIVISION_CODE",
            Self::Phone => "PHONE",
            Self::Period => "PERIOD",
            Self::RecordTooLarge(_) => "RECORD_TOO_LARGE",
        }
    }

    /// In English, to follow the name of the field.
    pub fn en(self) -> String {
        match self {
            Self::Blank => "must not be blank".to_owned(),
            Self::TooLong(max) => format!("has more than {max} characters"),
            Self::ControlCharacter => "holds a control character".to_owned(),
            Self::TooMany(max) => format!("has more than {max} entries"),
            Self::Twice => "holds the same entry twice".to_owned(),
            Self::TooBig(max) => format!("is more than {max}"),
            Self::IndustryCode => {
                "must be a letter from A to T and two to four digits (GB/T 4754), such as C3311"
                    .to_owned()
            }
            Self::DivisionCode => "must have twelve digits".to_owned(),
            Self::Phone => "is no telephone number".to_owned(),
            Self::Period => "ends before it begins".to_owned(),
            Self::RecordTooLarge(max) => format!("has more than {max} bytes in all"),
        }
    }

    /// In Chinese.
    pub fn zh(self) -> String {
        match self {
            Self::Blank => "不能为空".to_owned(),
            Self::TooLong(max) => format!("超过 {max} 个字符"),
            Self::ControlCharacter => "含有控制字符".to_owned(),
            Self::TooMany(max) => format!("超过 {max} 项"),
            Self::Twice => "有重复项".to_owned(),
            Self::TooBig(max) => format!("大于 {max}"),
            Self::IndustryCode => "须为 GB/T 4754 门类字母加二至四位数字，如 C3311".to_owned(),
            Self::DivisionCode => "须为十二位数字".to_owned(),
            Self::Phone => "不是电话号码".to_owned(),
            Self::Period => "终止早于起始".to_owned(),
            Self::RecordTooLarge(max) => format!("整条记录超过 {max} 字节"),
        }
    }
}

/// One field that is not acceptable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which, such as `licences[2].number`, counted from 0.
    pub field: String,
    /// What is wrong with it.
    pub kind: FaultKind,
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::invalid_field(&fault.field, &fault.kind.en())
    }
}

impl Enterprise {
    /// Everything that is not acceptable; empty: nothing.
    pub fn faults(&self) -> Vec<Fault> {
        let mut found = Found(Vec::new());
        found.required("name", &self.name, SHORT_TEXT_MAX);
        found.required("sector", &self.sector, SHORT_TEXT_MAX);
        found.text("address", self.address.as_deref(), SHORT_TEXT_MAX);
        found.credit_code("credit_code", self.credit_code.as_deref());
        found.of_people(&self.profile);
        found.of_class(&self.profile);
        found.of_papers(&self.profile);
        found.of_related_parties(&self.profile);
        let bytes = minicbor::to_vec(self).map_or(usize::MAX, |bytes| bytes.len());
        if bytes > RECORD_BYTES_MAX {
            found.add("record", FaultKind::RecordTooLarge(RECORD_BYTES_MAX));
        }
        found.0
    }

    /// Refuses what is not acceptable, naming the first fault.
    ///
    /// # Errors
    /// [`crate::refusal::RefusalCode::InvalidField`].
    pub fn check(&self) -> Result<(), Refusal> {
        match self.faults().into_iter().next() {
            None => Ok(()),
            Some(fault) => Err(fault.into()),
        }
    }
}

struct Found(Vec<Fault>);

impl Found {
    fn add(&mut self, field: &str, kind: FaultKind) {
        self.0.push(Fault {
            field: field.to_owned(),
            kind,
        });
    }

    fn required(&mut self, field: &str, text: &str, max: usize) {
        if text.trim().is_empty() {
            self.add(field, FaultKind::Blank);
        } else {
            self.text(field, Some(text), max);
        }
    }

    /// A text that may be absent, but is not there to be blank.
    fn filled(&mut self, field: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.required(field, text, SHORT_TEXT_MAX);
        }
    }

    fn text(&mut self, field: &str, text: Option<&str>, max: usize) {
        let Some(text) = text else { return };
        if text.chars().count() > max {
            self.add(field, FaultKind::TooLong(max));
        }
        let control = |c: char| c.is_control() && c != '\n' && c != '\t';
        if text.chars().any(control) {
            self.add(field, FaultKind::ControlCharacter);
        }
    }

    /// Its length alone: whether it is right is advice, see [`credit_code`].
    fn credit_code(&mut self, field: &str, code: Option<&str>) {
        self.text(field, code, credit_code::LENGTH);
    }

    fn phone(&mut self, field: &str, phone: Option<&Phone>) {
        let Some(Phone(phone)) = phone else { return };
        let digits = phone.chars().filter(char::is_ascii_digit).count();
        if digits < PHONE_DIGITS_MIN {
            self.add(field, FaultKind::Phone);
        }
        self.text(field, Some(phone), PHONE_MAX);
    }

    fn many(&mut self, field: &str, entries: usize, max: usize) {
        if entries > max {
            self.add(field, FaultKind::TooMany(max));
        }
    }

    fn of_people(&mut self, profile: &EnterpriseProfile) {
        let names = [
            ("short_name", &profile.short_name),
            ("legal_rep", &profile.legal_rep),
            ("actual_controller", &profile.actual_controller),
            ("safety_director", &profile.safety_director),
            ("chief_engineer", &profile.chief_engineer),
            ("supervising_dept", &profile.supervising_dept),
            ("credit_class", &profile.credit_class),
        ];
        for (field, name) in names {
            self.filled(field, name.as_deref());
        }
        if let Some(principal) = &profile.principal {
            self.required("principal.name", &principal.name, SHORT_TEXT_MAX);
            self.phone("principal.phone", principal.phone.as_ref());
        }
        if let Some(manager) = &profile.safety_manager {
            self.required("safety_manager.name", &manager.name, SHORT_TEXT_MAX);
            self.phone("safety_manager.phone", manager.phone.as_ref());
            let number = manager.certificate_no.as_deref();
            self.filled("safety_manager.certificate_no", number);
        }
    }

    fn of_class(&mut self, profile: &EnterpriseProfile) {
        if profile
            .industry_code
            .as_deref()
            .is_some_and(|code| !is_industry_code(code))
        {
            self.add("industry_code", FaultKind::IndustryCode);
        }
        if profile
            .division_code
            .as_deref()
            .is_some_and(|code| !is_division_code(code))
        {
            self.add("division_code", FaultKind::DivisionCode);
        }
        if profile
            .employee_count
            .is_some_and(|count| count > EMPLOYEES_MAX)
        {
            self.add("employee_count", FaultKind::TooBig(EMPLOYEES_MAX));
        }
        self.many("subsectors", profile.subsectors.len(), SUBSECTORS_MAX);
        let mut seen = BTreeSet::new();
        for (at, tag) in profile.subsectors.iter().enumerate() {
            let field = format!("subsectors[{at}]");
            self.required(&field, tag, SHORT_TEXT_MAX);
            if !seen.insert(tag) {
                self.add(&field, FaultKind::Twice);
            }
        }
        let plan = profile.supervision_plan.as_deref();
        self.text("supervision_plan", plan, LONG_TEXT_MAX);
    }

    fn of_papers(&mut self, profile: &EnterpriseProfile) {
        self.many("licences", profile.licences.len(), LICENCES_MAX);
        for (at, licence) in profile.licences.iter().enumerate() {
            self.required(
                &format!("licences[{at}].kind"),
                &licence.kind,
                SHORT_TEXT_MAX,
            );
            self.required(
                &format!("licences[{at}].number"),
                &licence.number,
                SHORT_TEXT_MAX,
            );
        }
        if let Some(insurance) = &profile.insurance {
            self.required("insurance.number", &insurance.number, SHORT_TEXT_MAX);
            self.filled("insurance.insurer", insurance.insurer.as_deref());
        }
    }

    fn of_related_parties(&mut self, profile: &EnterpriseProfile) {
        let parties = &profile.related_parties;
        self.many("related_parties", parties.len(), RELATED_PARTIES_MAX);
        for (at, party) in parties.iter().enumerate() {
            let of = |name: &str| format!("related_parties[{at}].{name}");
            self.required(&of("name"), &party.name, SHORT_TEXT_MAX);
            self.credit_code(&of("credit_code"), party.credit_code.as_deref());
            if party.from.zip(party.to).is_some_and(|(from, to)| to < from) {
                self.add(&of("to"), FaultKind::Period);
            }
        }
    }
}

/// Whether this is a class of GB/T 4754 by its form: the section's letter, then division, group or
/// class. Whether the digits belong to the letter is not looked at: the table changes with editions.
fn is_industry_code(code: &str) -> bool {
    let Some((letter, digits)) = code.split_at_checked(1) else {
        return false;
    };
    let of_section = letter
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() && byte <= b'T');
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    of_section && plain && (2..=4).contains(&digits.len())
}

fn is_division_code(code: &str) -> bool {
    code.len() == DIVISION_DIGITS && code.bytes().all(|byte| byte.is_ascii_digit())
}
