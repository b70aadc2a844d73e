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
    let mut numbers = Numbers::default();
    // It reads from memory, text that is text: the only error is one that cannot be.
    while reader
        .read_record(&mut record)
        .map_err(|_| TableError::Encoding)?
    {
        let number = numbers.next(&record);
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

/// The rows as a spreadsheet counts them: empty lines count, lines within quotes do not.
#[derive(Default)]
struct Numbers {
    row: u32,
    /// The line on which the next record begins if no empty line is between.
    line: u64,
}

impl Numbers {
    fn next(&mut self, record: &csv::StringRecord) -> u32 {
        let begins = record.position().map_or(1, csv::Position::line);
        let empty = begins.saturating_sub(self.line.max(1));
        self.row = self
            .row
            .saturating_add(u32::try_from(empty).unwrap_or(u32::MAX));
        self.row = self.row.saturating_add(1);
        let within: usize = record.iter().map(|cell| cell.matches('\n').count()).sum();
        let lines = u64::try_from(within).unwrap_or(u64::MAX).saturating_add(1);
        self.line = begins.saturating_add(lines);
        self.row
    }
}
