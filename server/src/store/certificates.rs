//! Whose certificate (执法证) each number is: no two accounts act by one.

use diesel::prelude::*;
use hazardloop_domain::ids::PersonId;

use super::schema::certificates;
use super::{StoreError, WriteTx};

/// A number as it is compared: no blanks around it, no full-width signs, capitals.
pub fn compared(number: &str) -> String {
    let narrow = |sign: char| match u32::from(sign) {
        wide @ 0xFF01..=0xFF5E => char::from_u32(wide - 0xFEE0).unwrap_or(sign),
        0x3000 => ' ',
        _ => sign,
    };
    let narrow: String = number.chars().map(narrow).collect();
    narrow.trim().to_ascii_uppercase()
}

/// Makes the number this person's, unless it is another's; answers whether it is theirs now.
///
/// # Errors
/// [`StoreError::Stale`] when somebody was faster: look again whose it is.
pub fn claim(tx: &mut WriteTx<'_>, number: &str, person: PersonId) -> Result<bool, StoreError> {
    let number = compared(number);
    let holder: Option<Vec<u8>> = certificates::table
        .find(&number)
        .select(certificates::person_id)
        .first(tx.conn())
        .optional()?;
    if let Some(holder) = holder {
        return Ok(holder == person.as_bytes());
    }
    let inserted = diesel::insert_into(certificates::table)
        .values((
            certificates::number.eq(&number),
            certificates::person_id.eq(person.as_bytes().to_vec()),
        ))
        .execute(tx.conn());
    match inserted.map_err(StoreError::from) {
        Ok(_) => Ok(true),
        Err(error) if error.is_duplicate_in("certificates") => Err(StoreError::Stale {
            what: "certificate",
        }),
        Err(error) => Err(error),
    }
}

/// Gives up what a person held, whose account is disabled.
///
/// # Errors
/// When the database does not answer.
pub fn release(tx: &mut WriteTx<'_>, person: PersonId) -> Result<(), StoreError> {
    let theirs = certificates::person_id.eq(person.as_bytes().to_vec());
    diesel::delete(certificates::table.filter(theirs)).execute(tx.conn())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_as_people_read_them() {
        for written in [
            "渝a-0012",
            " 渝A-0012 ",
            "渝Ａ－００１２",
            "\u{3000}渝ａ-００12\u{3000}",
        ] {
            assert_eq!(compared(written), "渝A-0012", "{written:?}");
        }
        assert_ne!(compared("渝A-0012"), compared("渝A-0013"));
    }
}
