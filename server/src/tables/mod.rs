//! Tables that people bring as files: CSV as text, XLSX as a workbook, a folder of tables as a ZIP
//! archive. Only this room reads their formats; what comes out is rows of trimmed text with the numbers
//! that people see, or the files of the folder.
//!
//! Every limit is kept while reading: a file that would grow beyond them is refused before it has.

mod archive;
mod text;
mod workbook;

pub use archive::{ArchiveError, ArchiveLimits, Folder, ZIP, unpack};

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;

/// Media type of CSV (RFC 4180).
pub const CSV: &str = "text/csv";
/// Media type of Excel workbooks (ISO/IEC 29500).
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values in UTF-8 or GB18030.
    Csv,
    /// A workbook, of which the first sheet is read.
    Xlsx,
}

impl Format {
    /// The format of a media type, parameters left aside.
    pub fn of_media_type(media_type: &str) -> Option<Self> {
        let plain = media_type.split(';').next().unwrap_or_default().trim();
        if plain.eq_ignore_ascii_case(CSV) {
            Some(Self::Csv)
        } else if plain.eq_ignore_ascii_case(XLSX) {
            Some(Self::Xlsx)
        } else {
            None
        }
    }

    /// The format that the first bytes tell: workbooks are zip archives.
    pub fn of_content(bytes: &[u8]) -> Self {
        if bytes.starts_with(b"PK") {
            Self::Xlsx
        } else {
            Self::Csv
        }
    }
}

/// What a table may hold at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableLimits {
    /// Rows, the heading left aside.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// Characters of one cell.
    pub cell_chars: usize,
    /// Bytes of a workbook once it is unpacked.
    pub unpacked_bytes: u64,
}

/// One cell that holds something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Text without the blanks around it, never empty.
    Text(String),
    /// A number that the program which wrote the file has rounded: more than fifteen digits.
    Rounded,
    /// A formula that came to nothing, such as `#REF!`.
    Error,
    /// More characters than so many.
    TooLong(usize),
}

/// One row that holds something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number as a spreadsheet shows it, from 1.
    pub number: u32,
    /// Its cells by column, from 0, blank ones left out.
    pub cells: Vec<(usize, Cell)>,
}

impl Row {
    /// The text in a column.
    pub fn text(&self, column: usize) -> Option<&str> {
        self.cells.iter().find_map(|(at, cell)| match cell {
            Cell::Text(text) if *at == column => Some(text.as_str()),
            _ => None,
        })
    }
}

/// Why a file is no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// Neither UTF-8 nor GB18030.
    #[error("the text is neither UTF-8 nor GB18030 / 文本编码既非 UTF-8 也非 GB18030")]
    Encoding,
    /// No workbook, a damaged one, or one that is locked by a password.
    #[error("the workbook cannot be read / 工作簿无法读取")]
    Workbook,
    /// A workbook without a sheet.
    #[error("the workbook has no sheet / 工作簿中没有工作表")]
    NoSheet,
    /// More rows than allowed.
    #[error("more than {0} rows / 超过 {0} 行")]
    TooManyRows(usize),
    /// More columns than allowed.
    #[error("more than {0} columns / 超过 {0} 列")]
    TooManyColumns(usize),
    /// A workbook that unpacks to more bytes than allowed.
    #[error("the workbook unpacks to more than {0} bytes / 工作簿解压后超过 {0} 字节")]
    UnpacksTooLarge(u64),
    /// Cells that together hold more bytes than allowed: many may repeat one text of the workbook.
    #[error("the cells hold more than {0} bytes / 单元格内容合计超过 {0} 字节")]
    HoldsTooMuch(u64),
    /// A part of a workbook that announces more than it can hold.
    #[error(
        "{part} announces more texts than the {most} that its bytes can hold / \
         {part} 声明的文本数超过其字节所能容纳的 {most} 条"
    )]
    AnnouncesTooMany {
        /// Which part.
        part: &'static str,
        /// As many it could hold.
        most: u64,
    },
}

/// Reads the rows of a file that hold anything.
///
/// # Errors
/// [`TableError`]; nothing beyond a limit is kept in memory.
pub fn read(bytes: &[u8], format: Format, limits: &TableLimits) -> Result<Vec<Row>, TableError> {
    match format {
        Format::Csv => text::read(bytes, limits),
        Format::Xlsx => {
            // What strangers put into a workbook is not to end more than the reading of it.
            let reading = || workbook::read(bytes, limits);
            std::panic::catch_unwind(reading).unwrap_or(Err(TableError::Workbook))
        }
    }
}

/// The rows so far, within the limits.
struct Rows<'a> {
    limits: &'a TableLimits,
    rows: Vec<Row>,
    /// Bytes that the cells take in memory.
    kept: u64,
}

/// What a cell takes in memory, its text aside.
const CELL_BYTES: usize = size_of::<(usize, Cell)>();

impl<'a> Rows<'a> {
    fn new(limits: &'a TableLimits) -> Self {
        Self {
            limits,
            rows: Vec::new(),
            kept: 0,
        }
    }

    /// Takes a cell; rows come in order, and cells within a row.
    fn add(&mut self, number: u32, column: usize, cell: Cell) -> Result<(), TableError> {
        let limits = self.limits;
        if column >= limits.columns {
            return Err(TableError::TooManyColumns(limits.columns));
        }
        let cell = match cell {
            Cell::Text(text) => match text.trim() {
                "" => return Ok(()),
                text if text.chars().count() > limits.cell_chars => {
                    Cell::TooLong(limits.cell_chars)
                }
                text => Cell::Text(text.to_owned()),
            },
            other => other,
        };
        let bytes = match &cell {
            Cell::Text(text) => text.len().saturating_add(CELL_BYTES),
            Cell::Rounded | Cell::Error | Cell::TooLong(_) => CELL_BYTES,
        };
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.kept = self.kept.saturating_add(bytes);
        if self.kept > limits.unpacked_bytes {
            return Err(TableError::HoldsTooMuch(limits.unpacked_bytes));
        }
        let count = self.rows.len();
        match self.rows.last_mut().filter(|row| row.number == number) {
            Some(row) => row.cells.push((column, cell)),
            // One is the heading.
            None if count > limits.rows => return Err(TableError::TooManyRows(limits.rows)),
            None => self.rows.push(Row {
                number,
                cells: vec![(column, cell)],
            }),
        }
        Ok(())
    }
}
