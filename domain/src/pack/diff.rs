//! What differs between two versions of a pack, row by row.

use std::collections::BTreeMap;

use super::document::Pack;

/// One row that only one of two packs has, or that they have differently.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Of which kind: `criterion`, `checklist` and so on; `pack` for the pack itself.
    pub kind: &'static str,
    /// Which one.
    pub code: String,
    /// `+` only the second has it, `-` only the first, `~` both, but differently.
    pub sign: char,
    /// The fields that differ.
    pub fields: Vec<&'static str>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.sign, self.kind, self.code)?;
        if self.fields.is_empty() {
            return Ok(());
        }
        write!(f, ": {}", self.fields.join(", "))
    }
}

/// The names of the fields that two rows have differently.
macro_rules! differing {
    ($a:expr, $b:expr, [$($field:ident),*]) => {{
        let mut fields = Vec::new();
        $(if $a.$field != $b.$field { fields.push(stringify!($field)); })*
        fields
    }};
}

/// Compares the rows of one kind, which are found again by their code.
macro_rules! compare {
    ($all:ident, $kind:literal, $a:expr, $b:expr, $code:ident, $fields:tt) => {{
        let first: BTreeMap<_, _> = $a.iter().map(|row| (&row.$code, row)).collect();
        let second: BTreeMap<_, _> = $b.iter().map(|row| (&row.$code, row)).collect();
        let mut codes: Vec<_> = first.keys().chain(second.keys()).collect();
        codes.sort_unstable();
        codes.dedup();
        for code in codes {
            let (sign, fields) = match (first.get(code), second.get(code)) {
                (Some(a), Some(b)) => ('~', differing!(a, b, $fields)),
                (None, _) => ('+', Vec::new()),
                (_, None) => ('-', Vec::new()),
            };
            if sign != '~' || !fields.is_empty() {
                $all.push(Difference {
                    kind: $kind,
                    code: (*code).clone(),
                    sign,
                    fields,
                });
            }
        }
    }};
}

/// What `second` has otherwise than `first`, kind by kind in the order of codes. The version is no
/// difference.
pub fn differences(first: &Pack, second: &Pack) -> Vec<Difference> {
    let (a, b) = (&first.head, &second.head);
    let mut all = Vec::new();
    let fields = differing!(a, b, [name, title_zh, title_en, source, licence]);
    if !fields.is_empty() {
        all.push(Difference {
            kind: "pack",
            code: b.name.clone(),
            sign: '~',
            fields,
        });
    }
    compare!(all, "sector", a.sectors, b.sectors, code, [zh, en, aliases]);
    compare!(
        all,
        "standard",
        a.standards,
        b.standards,
        code,
        [
            number,
            title_zh,
            title_en,
            sector,
            issued_on,
            effective_from,
            effective_until,
            status,
            identity_verified,
            note_zh,
            note_en
        ]
    );
    compare!(
        all,
        "criterion",
        first.criteria,
        second.criteria,
        code,
        [
            edition, standard, clause, zh, en, check_zh, check_en, evidence, source
        ]
    );
    compare!(all, "site_type", a.site_types, b.site_types, code, [zh, en]);
    compare!(
        all,
        "risk_point",
        a.risk_points,
        b.risk_points,
        code,
        [zh, en, site_types]
    );
    compare!(
        all,
        "checklist",
        first.checklists,
        second.checklists,
        code,
        [edition, zh, en, cadence, role, site_types, items]
    );
    compare!(
        all,
        "duty",
        a.duties,
        b.duties,
        code,
        [zh, en, role, cadence, criterion, basis, unverified]
    );
    compare!(
        all,
        "filing",
        a.filings,
        b.filings,
        code,
        [zh, en, when_zh, when_en, criterion, basis, unverified]
    );
    compare!(all, "wording", a.wording, b.wording, term, [also, en]);
    all
}
