//! Text that people write: bounded in characters, free of control characters, kept as written.

use crate::refusal::Refusal;

/// The longest description, plan or opinion, in characters.
pub const LONG_TEXT_MAX: usize = 4_000;

/// The longest name, place or reason, in characters.
pub const SHORT_TEXT_MAX: usize = 500;

/// Refuses text that is blank, too long (in characters) or holds control characters other than
/// line feed and tab. `field` names the place in the command.
pub fn required(field: &str, text: &str, max: usize) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::invalid_field(field, "must not be blank"));
    }
    optional(field, Some(text), max)
}

/// As [`required`], but the text may be absent or blank.
pub fn optional(field: &str, text: Option<&str>, max: usize) -> Result<(), Refusal> {
    let Some(text) = text else { return Ok(()) };
    if text.chars().count() > max {
        return Err(Refusal::invalid_field(
            field,
            &format!("has more than {max} characters"),
        ));
    }
    if text
        .chars()
        .any(|c| c.is_control() && c != '\n' && c != '\t')
    {
        return Err(Refusal::invalid_field(field, "holds a control character"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_count_characters_not_bytes() {
        assert!(required("d", &"粉".repeat(500), 500).is_ok());
        assert!(required("d", &"粉".repeat(501), 500).is_err());
    }

    #[test]
    fn nul_and_blank_are_refused_by_field() {
        let refusal = required("description", "a\u{0}b", 10).unwrap_err();
        assert_eq!(refusal.field.as_deref(), Some("description"));
        assert!(required("d", " \n", 10).is_err());
        assert!(required("d", "两行\n文字", 10).is_ok());
    }
}
