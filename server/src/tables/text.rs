//! CSV: UTF-8 with or without a byte order mark, or GB18030 as Excel in China writes it.

use std::borrow::Cow;

use encoding_rs::GB18030;

use super::{Cell, Row, Rows, TableError, TableLimits};

/// What separates cells: whichever of them the first line has most of.
const SEPARATORS: [u8; 3] = *b",;\t";

pub(super) fn read(bytes: &[u8], limits: &TableLimits) -> Result<Vec<Row>, TableError> {
    let text = decoded(bytes)?;
    let first = text.lines().next().unwrap_or_default();
    let count = |separator: &u8| first.bytes().filter(|byte| byte == separator).count();
    // The last of equals would win: a comma is the usual one.
    let separator = SEPARATORS.into_iter().rev().max_by_key(count);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator.unwrap_or(b','))
        .from_reader(text.as_bytes());
    let mut rows = Rows::new(limits);
    let mut record = csv::StringRecord::new();
    let mut number = 0;
    // It reads from memory, text that is text: the only error is one that cannot be.
    while reader
        .read_record(&mut record)
        .map_err(|_| TableError::Encoding)?
    {
        number = next_number(number, &record, reader.position().line());
        for (column, text) in record.iter().enumerate() {
            rows.add(number, column, Cell::Text(text.to_owned()))?;
        }
    }
    Ok(rows.rows)
}

fn decoded(bytes: &[u8]) -> Result<Cow<'_, str>, TableError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        // Text of two bytes a character looks like ASCII with zeros between.
        return if text.contains('\0') {
            Err(TableError::Encoding)
        } else {
            Ok(text.into())
        };
    }
    GB18030
        .decode_without_bom_handling_and_without_replacement(bytes)
        .filter(|text| !text.contains('\0'))
        .ok_or(TableError::Encoding)
}

/// The number of a record as a spreadsheet counts rows, after the one before: empty lines count,
/// line breaks within quotes do not. `line`: where the reading stands after it.
fn next_number(before: u32, record: &csv::StringRecord, line: u64) -> u32 {
    let begun = record.position().map_or(line, csv::Position::line);
    let within: usize = record.iter().map(|cell| cell.matches('\n').count()).sum();
    let of_record = u64::try_from(within).unwrap_or(u64::MAX).saturating_add(1);
    let empty = line.saturating_sub(begun).saturating_sub(of_record);
    let empty = u32::try_from(empty).unwrap_or(u32::MAX);
    before.saturating_add(empty).saturating_add(1)
}
