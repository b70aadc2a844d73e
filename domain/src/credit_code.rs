//! The unified social credit code (统一社会信用代码) as GB 32100-2015 builds it.
//!
//! A finding is advice. At least one really issued code fails its own check digit, so a code that
//! looks wrong is shown with a warning and never refused.

use std::fmt;

use serde::Serialize;

/// The 31 characters in the order of their values: digits and capitals without I, O, S, V, Z.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
/// Characters of a code: registering department and kind 2, division 6, organisation 9, check 1.
pub const LENGTH: usize = 18;
/// Weights of the first seventeen characters: powers of 3 modulo 31.
const WEIGHTS: [u32; 17] = [
    1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28,
];
/// Weights of the organisation code (characters 9 to 16), GB 11714.
const ORGANISATION_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];

/// What the check of a code found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum CreditCodeFinding {
    /// Well formed, and both check characters agree.
    Valid,
    /// Not of the form that the standard prescribes.
    Malformed {
        /// The first character that is wrong, counted from 1; for a short code, the missing one.
        position: u32,
        /// What is wrong there.
        why: MalformedCode,
    },
    /// The last character does not agree with the other seventeen.
    CheckDigitMismatch {
        /// The character that would agree.
        expected: char,
    },
    /// The last character agrees, but the ninth of the organisation code (character 17) does not.
    OrganisationCheckMismatch,
}

/// Why a code is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MalformedCode {
    /// Fewer than 18 characters.
    TooShort,
    /// More than 18 characters.
    TooLong,
    /// A small letter; codes are written in capitals.
    SmallLetter,
    /// I, O, S, V, Z, or anything that is not a digit or a capital.
    NotInAlphabet,
    /// Characters 3 to 8 are a division code and must be digits.
    DivisionNotDigits,
}

/// Checks a code as written, without trimming or changing case. Time is bounded by 19 characters,
/// whatever the length of the text.
pub fn check(code: &str) -> CreditCodeFinding {
    match values(code) {
        Err((index, why)) => CreditCodeFinding::Malformed {
            position: index as u32 + 1,
            why,
        },
        Ok(values) => check_values(&values),
    }
}

impl CreditCodeFinding {
    /// Whether there is nothing to warn about.
    pub const fn is_valid(self) -> bool {
        matches!(self, Self::Valid)
    }
}

impl fmt::Display for CreditCodeFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Valid => f.write_str("统一社会信用代码校验通过 / the credit code checks out"),
            Self::Malformed { position, why } => {
                let (zh, en) = why.words();
                write!(f, "统一社会信用代码第 {position} 位：{zh} / credit code, character {position}: {en}")
            }
            Self::CheckDigitMismatch { expected } => write!(
                f,
                "统一社会信用代码校验码应为 {expected}，请核对 / the last character of the credit code should be {expected}; please compare"
            ),
            Self::OrganisationCheckMismatch => f.write_str(
                "统一社会信用代码中的组织机构代码校验不符，请核对 / the organisation code within the credit code does not check out; please compare",
            ),
        }
    }
}

impl MalformedCode {
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::TooShort => ("不足 18 位", "fewer than 18 characters"),
            Self::TooLong => ("超过 18 位", "more than 18 characters"),
            Self::SmallLetter => ("应为大写字母", "must be a capital letter"),
            Self::NotInAlphabet => (
                "不是允许的字符（不用 I、O、S、V、Z）",
                "not an allowed character (no I, O, S, V, Z)",
            ),
            Self::DivisionNotDigits => ("行政区划须为数字", "the division must be digits"),
        }
    }
}

/// The values of the eighteen characters, or the index (from 0) of the first that is wrong.
fn values(code: &str) -> Result<Vec<u32>, (usize, MalformedCode)> {
    let mut found = Vec::with_capacity(LENGTH);
    for (index, character) in code.chars().take(LENGTH + 1).enumerate() {
        if index == LENGTH {
            return Err((index, MalformedCode::TooLong));
        }
        let value = value_of(character).ok_or(if character.is_ascii_lowercase() {
            (index, MalformedCode::SmallLetter)
        } else {
            (index, MalformedCode::NotInAlphabet)
        })?;
        if (2..8).contains(&index) && value > 9 {
            return Err((index, MalformedCode::DivisionNotDigits));
        }
        found.push(value);
    }
    if found.len() < LENGTH {
        Err((found.len(), MalformedCode::TooShort))
    } else {
        Ok(found)
    }
}

fn value_of(character: char) -> Option<u32> {
    let index = ALPHABET
        .iter()
        .position(|known| char::from(*known) == character)?;
    u32::try_from(index).ok()
}

fn character_of(value: u32) -> Option<char> {
    ALPHABET
        .get(usize::try_from(value).ok()?)
        .copied()
        .map(char::from)
}

fn weighted_sum(values: impl Iterator<Item = u32>, weights: &[u32]) -> u32 {
    values
        .zip(weights)
        .map(|(value, weight)| value * weight)
        .sum()
}

fn check_values(values: &[u32]) -> CreditCodeFinding {
    let sum = weighted_sum(values.iter().copied(), &WEIGHTS);
    let expected = character_of((31 - sum % 31) % 31);
    let written = values.last().copied().and_then(character_of);
    match expected {
        Some(expected) if written != Some(expected) => {
            CreditCodeFinding::CheckDigitMismatch { expected }
        }
        _ if !organisation_agrees(values) => CreditCodeFinding::OrganisationCheckMismatch,
        _ => CreditCodeFinding::Valid,
    }
}

/// GB 11714: the organisation code counts letters in base 36 (A is 10 ... Z is 35), unlike the
/// alphabet of the whole code; 10 is written X, 11 is written 0.
fn organisation_agrees(values: &[u32]) -> bool {
    let characters = values
        .iter()
        .skip(8)
        .filter_map(|value| character_of(*value));
    let base36 = characters
        .clone()
        .filter_map(|character| character.to_digit(36));
    let expected = match 11 - weighted_sum(base36.take(8), &ORGANISATION_WEIGHTS) % 11 {
        10 => 'X',
        11 => '0',
        digit => char::from_digit(digit, 10).unwrap_or('0'),
    };
    characters.clone().nth(8) == Some(expected)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]
    use super::*;
    use proptest::prelude::*;

    fn malformed(position: u32, why: MalformedCode) -> CreditCodeFinding {
        CreditCodeFinding::Malformed { position, why }
    }

    #[test]
    fn public_and_synthetic_codes_check_out() {
        for code in [
            "91110000101623741K",
            "911101066976941872",
            "91500153MA00T0005Y",
            "91500153MA00T011X0",
            "91500153MA00T0208K",
            "91500153MA00T04861",
        ] {
            assert_eq!(check(code), CreditCodeFinding::Valid, "{code}");
        }
    }

    #[test]
    fn a_really_issued_code_that_fails_is_a_warning_with_the_expected_character() {
        let finding = check("91350211M0000XUF46");
        assert_eq!(
            finding,
            CreditCodeFinding::CheckDigitMismatch { expected: 'R' }
        );
        assert!(finding.to_string().contains("应为 R"));
    }

    #[test]
    fn the_inner_check_is_told_apart() {
        // A valid code with character 17 one higher and the last character made to agree.
        assert_eq!(
            check("91500153MA00T00062"),
            CreditCodeFinding::OrganisationCheckMismatch
        );
        // The issued code above fails only in its last character.
        assert_eq!(check("91350211M0000XUF4R"), CreditCodeFinding::Valid);
    }

    #[test]
    fn malformed_codes_name_the_place_and_the_reason() {
        assert_eq!(check(""), malformed(1, MalformedCode::TooShort));
        assert_eq!(
            check("91110000101623741"),
            malformed(18, MalformedCode::TooShort)
        );
        assert_eq!(
            check("91110000101623741KK"),
            malformed(19, MalformedCode::TooLong)
        );
        assert_eq!(
            check("91110000101623741k"),
            malformed(18, MalformedCode::SmallLetter)
        );
        assert_eq!(
            check("9111000010162374IK"),
            malformed(17, MalformedCode::NotInAlphabet)
        );
        assert_eq!(
            check(" 1110000101623741K"),
            malformed(1, MalformedCode::NotInAlphabet)
        );
        assert_eq!(
            check("911100A0101623741K"),
            malformed(7, MalformedCode::DivisionNotDigits)
        );
        assert_eq!(
            check("统一社会信用代码"),
            malformed(1, MalformedCode::NotInAlphabet)
        );
    }

    #[test]
    fn json_names_the_finding() {
        let json = serde_json::to_string(&check("91110000101623741")).unwrap();
        assert_eq!(
            json,
            r#"{"finding":"malformed","position":18,"why":"too_short"}"#
        );
    }

    proptest! {
        #[test]
        fn one_mistyped_character_is_always_noticed(
            index in 0..18usize,
            other in 0..31usize,
        ) {
            let mut code: Vec<char> = "91500153MA00T0005Y".chars().collect();
            let wrong = char::from(ALPHABET[other]);
            prop_assume!(code[index] != wrong);
            code[index] = wrong;
            prop_assert!(!check(&code.into_iter().collect::<String>()).is_valid());
        }

        #[test]
        fn any_text_gets_a_finding(text in ".*") {
            check(&text);
        }
    }
}
