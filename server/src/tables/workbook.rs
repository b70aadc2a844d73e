//! XLSX: the first sheet of a workbook, cell by cell. It is unpacked once beforehand to count its
//! bytes, so that a small file cannot fill the memory.

use std::io::{Cursor, Read as _};

use calamine::{Data, DataRef, Reader as _, Xlsx};
use zip::ZipArchive;

use super::{Cell, Row, Rows, TableError, TableLimits};

/// Files in a workbook; one of some sheets has a few dozen.
const FILES_MAX: usize = 2_000;

/// Of the unpacked bytes, what styles may take: one over this many. Each style is many times larger
/// in memory than in the file.
const SHARE_OF_STYLES: u64 = 16;

/// Of the unpacked bytes, what the texts that cells share may take: one over this many.
const SHARE_OF_STRINGS: u64 = 2;

/// The fewest bytes that one shared text takes in its file: `<si/>`.
const SHORTEST_STRING: u64 = 5;

/// The attribute by which they announce how many they are.
const ANNOUNCES: &[u8] = b"uniqueCount";

/// The part that holds them, as it is told to people.
const STRINGS_PART: &str = "xl/sharedStrings.xml";

/// From here on a floating-point number no longer holds every digit that Excel was given.
const ROUNDED_FROM: f64 = 1e15;

pub(super) fn read(bytes: &[u8], limits: &TableLimits) -> Result<Vec<Row>, TableError> {
    weigh(bytes, limits.unpacked_bytes)?;
    let broken = |_| TableError::Workbook;
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(broken)?;
    let sheet = workbook.sheet_names().first().cloned();
    let sheet = sheet.ok_or(TableError::NoSheet)?;
    let mut cells = workbook.worksheet_cells_reader(&sheet).map_err(broken)?;
    let mut rows = Rows::new(limits);
    // Not by rows and columns: a sheet that names only its last cell has seventeen thousand million.
    while let Some(cell) = cells.next_cell().map_err(broken)? {
        let (row, column) = cell.get_position();
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if let Some(value) = value(cell.get_value()) {
            rows.add(row.saturating_add(1), column, value)?;
        }
    }
    Ok(rows.rows)
}

/// Unpacks everything, keeps nothing, and stops at the limit: what the archive says of its sizes
/// proves nothing.
fn weigh(bytes: &[u8], most: u64) -> Result<(), TableError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| TableError::Workbook)?;
    if archive.len() > FILES_MAX {
        return Err(TableError::Workbook);
    }
    let mut left = most;
    for at in 0..archive.len() {
        let file = archive.by_index(at).map_err(|_| TableError::Workbook)?;
        let name = file.name().map_err(|_| TableError::Workbook)?;
        let name = name.to_lowercase();
        let of_strings = name.ends_with("sharedstrings.xml");
        let may = if of_strings {
            left.min(most / SHARE_OF_STRINGS)
        } else if name.ends_with("styles.xml") {
            left.min(most / SHARE_OF_STYLES)
        } else {
            left
        };
        let mut limited = file.take(may.saturating_add(1));
        let mut strings = Vec::new();
        let unpacked = match of_strings {
            true => limited
                .read_to_end(&mut strings)
                .map(|read| u64::try_from(read).unwrap_or(u64::MAX)),
            false => std::io::copy(&mut limited, &mut std::io::sink()),
        };
        let unpacked = unpacked.map_err(|_| TableError::Workbook)?;
        if unpacked > may {
            return Err(TableError::UnpacksTooLarge(most));
        }
        believe_counts(&strings)?;
        left = left.saturating_sub(unpacked);
    }
    Ok(())
}

/// Refuses shared texts that announce more of them than their bytes can hold: room for so many is
/// taken before the first one is read.
fn believe_counts(strings: &[u8]) -> Result<(), TableError> {
    // UTF-16, and codes that shift, would hide the announcement; no XML holds these in UTF-8.
    if strings
        .iter()
        .any(|byte| matches!(byte, 0 | 0x0e | 0x0f | 0x1b))
    {
        return Err(TableError::Workbook);
    }
    let most = u64::try_from(strings.len()).unwrap_or(u64::MAX) / SHORTEST_STRING;
    // Wherever it stands: what comes before may be as long as anybody likes. `count` says how often
    // they are used, and is no reason to take room.
    let windows = strings.windows(ANNOUNCES.len()).enumerate();
    for (at, _) in windows.filter(|(_, word)| *word == ANNOUNCES) {
        let after = strings.iter().skip(at.saturating_add(ANNOUNCES.len()));
        let digits = after
            .skip_while(|byte| !byte.is_ascii_digit() && !matches!(byte, b'<' | b'>'))
            .take_while(|byte| byte.is_ascii_digit());
        let number = digits.fold(0_u64, |number, digit| {
            let digit = digit.saturating_sub(b'0');
            number.saturating_mul(10).saturating_add(u64::from(digit))
        });
        if number > most {
            return Err(TableError::AnnouncesTooMany {
                part: STRINGS_PART,
                most,
            });
        }
    }
    Ok(())
}

fn value(value: &DataRef<'_>) -> Option<Cell> {
    Some(match Data::from(value.clone()) {
        Data::Empty => return None,
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => Cell::Text(text),
        Data::Int(number) => Cell::Text(number.to_string()),
        Data::Float(number) if number.abs() >= ROUNDED_FROM => Cell::Rounded,
        // A whole number is written without a point.
        Data::Float(number) => Cell::Text(number.to_string()),
        Data::Bool(yes) => Cell::Text(if yes { "true" } else { "false" }.to_owned()),
        Data::DateTime(at) => {
            let (year, month, day, ..) = at.to_ymd_hms_milli();
            Cell::Text(format!("{year:04}-{month:02}-{day:02}"))
        }
        Data::Error(_) => Cell::Error,
    })
}
