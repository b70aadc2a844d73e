//! Files as people have them, and files as nobody has them by accident.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::samples::{Value, archive, sheet, with_sheet, with_strings, workbook};
use super::*;

const LIMITS: TableLimits = TableLimits {
    rows: 3,
    columns: 4,
    cell_chars: 12,
    unpacked_bytes: 100_000,
};

fn shown(rows: &[Row]) -> Vec<(u32, Vec<(usize, String)>)> {
    let shown = |cell: &Cell| match cell {
        Cell::Text(text) => text.clone(),
        other => format!("{other:?}"),
    };
    let row = |row: &Row| {
        let cells = row.cells.iter().map(|(at, cell)| (*at, shown(cell)));
        (row.number, cells.collect())
    };
    rows.iter().map(row).collect()
}

fn csv(bytes: &[u8]) -> Result<Vec<Row>, TableError> {
    read(bytes, Format::Csv, &LIMITS)
}

fn xlsx(bytes: &[u8]) -> Result<Vec<Row>, TableError> {
    read(bytes, Format::Xlsx, &LIMITS)
}

#[test]
fn text_is_read_as_excel_and_others_write_it() {
    let text = "名称,地址\r\n 某厂 ,\"一路, 8 号\"\r\n";
    let expected = [
        (1, vec![(0, "名称".to_owned()), (1, "地址".to_owned())]),
        (
            2,
            vec![(0, "某厂".to_owned()), (1, "一路, 8 号".to_owned())],
        ),
    ];
    let (gb18030, _, lossy) = encoding_rs::GB18030.encode(text);
    assert!(!lossy && std::str::from_utf8(&gb18030).is_err());
    for bytes in [
        text.as_bytes(),
        format!("\u{feff}{text}").as_bytes(),
        &gb18030,
        "名称\t地址\n某厂\t一路, 8 号".as_bytes(),
        "名称;地址\n某厂;一路, 8 号\n".as_bytes(),
    ] {
        assert_eq!(shown(&csv(bytes).unwrap()), expected);
    }
    assert_eq!(Format::of_content(text.as_bytes()), Format::Csv);
    let (rare, _, _) = encoding_rs::GB18030.encode("名称\n𠮷厂\n");
    assert_eq!(csv(&rare).unwrap()[1].text(0), Some("𠮷厂"));
}

#[test]
fn text_in_another_encoding_is_refused() {
    let utf16: Vec<u8> = "名称,a".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [&utf16[..], b"name\xff\xff,x\n", b"a\0b,c"] {
        assert_eq!(csv(bytes), Err(TableError::Encoding), "{bytes:?}");
    }
}

#[test]
fn rows_have_the_numbers_that_a_spreadsheet_shows() {
    let text = "name,address\n\n\"two\nlines\",x\n\n\nlast,y\n,,\n";
    let rows = csv(text.as_bytes()).unwrap();
    let numbers: Vec<u32> = rows.iter().map(|row| row.number).collect();
    // A line break within quotes is within one row; empty rows count and say nothing.
    assert_eq!(numbers, [1, 3, 6]);
    let gap = r#"<row r="2"><c r="B2"><v>1</v></c></row><row r="9"><c r="A9"><v>2</v></c></row>"#;
    let rows = xlsx(&with_sheet(gap)).unwrap();
    assert_eq!(
        shown(&rows),
        [
            (2, vec![(1, "1".to_owned())]),
            (9, vec![(0, "2".to_owned())])
        ]
    );
}

#[test]
fn a_workbook_is_read_as_people_see_it() {
    let bytes = workbook(&[
        vec![
            Value::Text("名称"),
            Value::Text("电话"),
            Value::Text("有效期"),
            Value::Text("x"),
        ],
        vec![
            Value::Text(" 某厂 "),
            Value::Number("13800000001"),
            Value::Date(46_203),
            Value::Number("12.5"),
        ],
        vec![
            Value::Text(""),
            Value::Number("915001530000000000"),
            Value::Error,
        ],
    ]);
    assert_eq!(Format::of_content(&bytes), Format::Xlsx);
    let rows = shown(&xlsx(&bytes).unwrap());
    let second = ["某厂", "13800000001", "2026-06-30", "12.5"];
    let second: Vec<_> = second.map(str::to_owned).into_iter().enumerate().collect();
    assert_eq!(rows[1], (2, second));
    let third = vec![(1, "Rounded".to_owned()), (2, "Error".to_owned())];
    assert_eq!(rows[2], (3, third));
}

#[test]
fn every_limit_is_kept() {
    assert_eq!(csv("h\n1\n2\n3\n".as_bytes()).unwrap().len(), 4);
    assert_eq!(
        csv("h\n1\n2\n3\n4\n".as_bytes()),
        Err(TableError::TooManyRows(3))
    );
    assert!(csv("a,b,c,d\n".as_bytes()).is_ok());
    assert_eq!(
        csv("a,b,c,d,e\n".as_bytes()),
        Err(TableError::TooManyColumns(4))
    );
    let cells = csv(format!("{},{}", "字".repeat(12), "字".repeat(13)).as_bytes()).unwrap();
    assert_eq!(cells[0].cells[1], (1, Cell::TooLong(12)));
    assert!(matches!(cells[0].cells[0].1, Cell::Text(_)));
    let rows: Vec<_> = (0..5).map(|_| vec![Value::Text("x")]).collect();
    assert_eq!(xlsx(&workbook(&rows)), Err(TableError::TooManyRows(3)));
    let wide = r#"<row r="1"><c r="E1"><v>1</v></c></row>"#;
    assert_eq!(xlsx(&with_sheet(wide)), Err(TableError::TooManyColumns(4)));
}

#[test]
fn a_small_file_that_unpacks_to_a_large_one_is_refused() {
    let bomb = with_sheet(&" ".repeat(1_000_000));
    assert!(bomb.len() < 5_000, "{}", bomb.len());
    assert_eq!(xlsx(&bomb), Err(TableError::UnpacksTooLarge(100_000)));
    // Also when it is spread over many files, or lies in one that no table needs.
    let piece = " ".repeat(30_000);
    let names: Vec<String> = (0..10).map(|number| format!("xl/media/{number}")).collect();
    let files: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), piece.as_str()))
        .collect();
    assert_eq!(
        xlsx(&archive(&files)),
        Err(TableError::UnpacksTooLarge(100_000))
    );
    let styles = archive(&[("xl/styles.xml", &" ".repeat(10_000))]);
    assert_eq!(xlsx(&styles), Err(TableError::UnpacksTooLarge(100_000)));
    // The announced size of the sheet is a lie: one byte.
    let mut lying = with_sheet(&" ".repeat(1_000_000));
    let size = u32::try_from(sheet(&" ".repeat(1_000_000)).len())
        .unwrap()
        .to_le_bytes();
    let places: Vec<usize> = (0..lying.len() - 4)
        .filter(|at| lying[*at..*at + 4] == size)
        .collect();
    assert!(!places.is_empty());
    for at in places {
        lying[at..at + 4].copy_from_slice(&1_u32.to_le_bytes());
    }
    assert!(xlsx(&lying).is_err());
}

#[test]
fn a_sheet_that_names_only_its_last_cell_takes_no_memory() {
    let far = r#"<row r="1048576"><c r="A1048576"><v>1</v></c></row>"#;
    let rows = xlsx(&with_sheet(far)).unwrap();
    assert_eq!((rows.len(), rows[0].number), (1, 1_048_576));
    let wide = r#"<row r="1"><c r="XFD1"><v>1</v></c></row>"#;
    assert_eq!(xlsx(&with_sheet(wide)), Err(TableError::TooManyColumns(4)));
}

#[test]
fn what_is_no_workbook_is_refused() {
    let good = workbook(&[vec![Value::Text("x")]]);
    let mut cut: Vec<Vec<u8>> = (0..good.len())
        .step_by(61)
        .map(|at| good[..at].to_vec())
        .collect();
    cut.push(b"PK\x03\x04".to_vec());
    cut.push(archive(&[("a.txt", "x")]));
    // An Excel file that is locked by a password is an OLE file.
    cut.push(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".repeat(200));
    for bytes in cut {
        assert!(xlsx(&bytes).is_err());
    }
    let wrong = r#"<row r="x"><c r="?"><v>1</v></c></row>"#;
    let _ = xlsx(&with_sheet(wrong));
    let _ = xlsx(&with_sheet(r#"<row r="1"><c t="s"><v>99999</v></c></row>"#));
}

/// Shared texts that announce so many.
fn strings(announced: &str, texts: &str) -> String {
    format!(
        r#"<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" {announced}>{texts}</sst>"#
    )
}

const SHARED: &str = r#"<row r="1"><c r="A1" t="s"><v>0</v></c></row>"#;

#[test]
fn shared_texts_are_read() {
    let texts = "<si><t>名称</t></si>";
    for announced in ["", r#"count="9" uniqueCount="1""#, r#"uniqueCount="7""#] {
        let rows = xlsx(&with_strings(SHARED, &strings(announced, texts))).unwrap();
        assert_eq!(rows[0].text(0), Some("名称"), "{announced}");
    }
}

#[test]
fn shared_texts_that_announce_more_than_they_hold_take_no_memory() {
    let far = " ".repeat(9_000);
    let hidden = format!("<!-- >{far}-->");
    let announcements = [
        (r#"uniqueCount="400000000000""#, ""),
        (r#"count="1" uniqueCount='999999999999999999999999'"#, ""),
        ("uniqueCount\n = \t \"4000000000\"", ""),
        (r#"uniqueCount="4000000000""#, hidden.as_str()),
    ];
    for (announced, before) in announcements {
        let part =
            strings(announced, "<si><t>x</t></si>").replace("<sst", &format!("{before}<sst"));
        let refused = xlsx(&with_strings(SHARED, &part));
        let Err(TableError::AnnouncesTooMany { part, .. }) = refused else {
            panic!("{announced}: {refused:?}");
        };
        assert_eq!(part, "xl/sharedStrings.xml");
    }
    // Under another name's case, as it is found; and in a code that hides the word.
    let part = strings(r#"uniqueCount="4000000000""#, "");
    let upper = archive(&[("xl/SHAREDSTRINGS.xml", &part)]);
    assert!(matches!(
        xlsx(&upper),
        Err(TableError::AnnouncesTooMany { .. })
    ));
    let utf16: String = part.chars().flat_map(|letter| [letter, '\0']).collect();
    let hidden = archive(&[("xl/sharedStrings.xml", &utf16)]);
    assert_eq!(xlsx(&hidden), Err(TableError::Workbook));
}

#[test]
fn one_text_that_many_cells_share_counts_for_each_of_them() {
    let limits = TableLimits {
        rows: 5_000,
        columns: 200,
        cell_chars: 20_000,
        unpacked_bytes: 100_000,
    };
    let text = "字".repeat(2_000);
    let part = strings("", &format!("<si><t>{text}</t></si>"));
    let sharing = |cells: usize| {
        let row = |row: usize| format!(r#"<row r="{row}"><c r="A{row}" t="s"><v>0</v></c></row>"#);
        with_strings(&(1..=cells).map(row).collect::<String>(), &part)
    };
    let read = |cells| read(&sharing(cells), Format::Xlsx, &limits);
    assert_eq!(read(16).unwrap().len(), 16);
    assert_eq!(read(17), Err(TableError::HoldsTooMuch(100_000)));
    // The same cell again and again counts too.
    let again = r#"<c r="A1"><v>1</v></c>"#.repeat(4_000);
    let again = with_sheet(&format!(r#"<row r="1">{again}</row>"#));
    assert_eq!(
        super::read(&again, Format::Xlsx, &limits),
        Err(TableError::HoldsTooMuch(100_000))
    );
}
