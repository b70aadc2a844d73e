//! Records come out of columns byte for byte, and hostile columns within bounds.

use hazardloop_domain::hazard::hazard_number;
use hazardloop_domain::ids::HazardId;
use minicbor::Encoder;
use proptest::prelude::*;
use uuid::Uuid;

use super::columns::{Columns, ColumnsError};
use super::*;
use crate::codec::{decode_strict, encode};

const MOST: usize = 1024 * 1024;

fn record(seed: u64, body: Vec<u8>) -> Record {
    Record {
        kind: RecordKind::Hazard,
        id: Uuid::from_u128(0x019a_b000_0000_7000_8000_0000_0000_0000 | u128::from(seed)),
        version: i64::try_from(seed % 7).unwrap(),
        body: Bytes(body),
    }
}

/// A body with all that a record may hold, different with the seed.
fn body(seed: u64) -> Vec<u8> {
    let mut body = Vec::new();
    let mut e = Encoder::new(&mut body);
    let id = record(seed, Vec::new()).id;
    e.map(8).unwrap();
    e.u8(0).unwrap().bytes(id.as_bytes()).unwrap();
    let number = hazard_number(HazardId(id));
    e.u8(1).unwrap().str(&number).unwrap();
    e.u8(2)
        .unwrap()
        .u64(1_795_309_200_000 + seed * 977)
        .unwrap();
    e.u8(3)
        .unwrap()
        .i64(-5 - i64::try_from(seed).unwrap())
        .unwrap();
    e.u8(4).unwrap().array(2).unwrap();
    e.u8(5).unwrap().array(seed % 3).unwrap();
    for at in 0..seed % 3 {
        e.bytes(&[u8::try_from(at).unwrap(); 32]).unwrap();
    }
    e.u8(5).unwrap().bool(seed.is_multiple_of(2)).unwrap();
    e.str("k").unwrap().str("泄爆片未装").unwrap();
    e.i8(-1).unwrap();
    if seed.is_multiple_of(4) {
        e.null().unwrap();
    } else {
        e.bytes(&[7; 5]).unwrap();
    }
    body
}

fn some(count: u64) -> Vec<Record> {
    (1..=count).map(|seed| record(seed, body(seed))).collect()
}

#[test]
fn records_come_out_as_they_went_in() {
    for count in [0, 1, 2, 40] {
        let records = some(count);
        let columns = Columns::of(&records).unwrap();
        let read: Columns = decode_strict(&encode(&columns), 16).unwrap();
        assert_eq!(read.records(MOST).unwrap(), records);
    }
    let bytes = |records: &[Record]| records.iter().map(|r| r.body.0.len() + 20).sum::<usize>();
    let columns = encode(&Columns::of(&some(200)).unwrap());
    assert!(columns.len() < bytes(&some(200)) / 2, "{}", columns.len());
}

#[test]
fn numbers_at_the_ends_come_out_too() {
    let numbers = [
        0,
        1,
        -1,
        i128::from(u64::MAX),
        -i128::from(u64::MAX) - 1,
        23,
        24,
        -25,
    ];
    let records = numbers.iter().zip(1..).map(|(number, seed)| {
        let number = minicbor::data::Int::try_from(*number).unwrap();
        record(seed, minicbor::to_vec(number).unwrap())
    });
    let mut records: Vec<_> = records.collect();
    for (record, version) in records
        .iter_mut()
        .zip([i64::MIN, i64::MAX, 0].into_iter().cycle())
    {
        record.version = version;
    }
    let columns = Columns::of(&records).unwrap();
    assert_eq!(columns.records(MOST).unwrap(), records);
}

#[test]
fn a_body_that_is_written_otherwise_stays_whole() {
    // A number in two bytes too many, a map without its length, a float, a tag, two items, none, half a one.
    for body in ["190001", "bf00ff", "f93c00", "c100", "0000", "", "8201"] {
        let records = [record(1, hex::decode(body).unwrap())];
        assert_eq!(Columns::of(&records), None, "{body}");
    }
}

#[test]
fn more_bytes_than_allowed_are_refused() {
    let records = some(30);
    let columns = Columns::of(&records).unwrap();
    let needed = records
        .iter()
        .map(|record| record.body.0.len() + 32)
        .sum::<usize>();
    assert!(columns.records(needed).is_ok());
    let most = needed - 1;
    assert_eq!(columns.records(most), Err(ColumnsError::TooLarge { most }));
    // One shape of many digests that came before, named by a byte for each row.
    let mut body = vec![0x98, 200];
    for _ in 0..200 {
        body.extend([0x58, 32]);
        body.extend([9; 32]);
    }
    let columns = Columns::of(&vec![record(1, body); 100]).unwrap();
    let bomb = encode(&columns).len();
    assert!(bomb < 100_000, "{bomb}");
    let refused = columns.records(100_000);
    assert_eq!(refused, Err(ColumnsError::TooLarge { most: 100_000 }));
}

#[test]
fn what_is_missing_or_left_over_is_refused() {
    let good = Columns::of(&some(9)).unwrap();
    let changes: [fn(&mut Columns); 8] = [
        |c| drop(c.columns.pop()),
        |c| {
            c.columns[0].0.pop();
        },
        |c| c.columns[0].0.push(0),
        |c| {
            c.texts.0.pop();
        },
        |c| c.texts.0.push(1),
        |c| c.rows.0.push(99),
        |c| {
            c.rows.0.pop();
        },
        |c| c.columns.push(Bytes(vec![0])),
    ];
    for change in changes {
        let mut bad = good.clone();
        change(&mut bad);
        assert!(bad.records(MOST).is_err(), "{bad:?}");
    }
    for shape in ["", "ff", "9fff", "1800", "a200000000"] {
        let mut bad = good.clone();
        bad.shapes[0] = Bytes(hex::decode(shape).unwrap());
        assert!(
            matches!(bad.records(MOST), Err(ColumnsError::Shape(_))),
            "{shape}"
        );
    }
}

fn response(pages: &[usize]) -> PullResponse {
    let mut records = some(100).into_iter();
    let answers = pages.iter().map(|count| ScopeAnswer {
        scope: Scope::Catalog,
        update: ScopeUpdate::Page(Page {
            reset: None,
            records: records.by_ref().take(*count).collect(),
            removals: Vec::new(),
            cursor: Bytes(vec![1]),
            checkpoint: None,
            extent: None,
        }),
    });
    let mut answers: Vec<_> = answers.collect();
    let update = ScopeUpdate::Drop {
        reason: DropReason::NoLongerYours,
    };
    answers.insert(
        0,
        ScopeAnswer {
            scope: Scope::Catalog,
            update,
        },
    );
    PullResponse {
        protocol: 1,
        epoch: "an epoch".to_owned(),
        digest_key: None,
        server_time: hazardloop_domain::time::Timestamp::from_millis(7),
        last: 3,
        answers,
        more: true,
        missing_photos: Vec::new(),
        anchor: None,
    }
}

#[test]
fn a_lean_answer_is_the_same_answer() {
    for pages in [&[9][..], &[0, 20, 0, 5], &[8, 1]] {
        let full = response(pages);
        let lean = LeanPullResponse::of(full.clone()).unwrap();
        let read: LeanPullResponse = decode_strict(&encode(&lean), 16).unwrap();
        assert_eq!(read.in_full(MOST).unwrap(), full);
    }
    for pages in [&[][..], &[0], &[3, 4]] {
        let full = response(pages);
        assert_eq!(
            *LeanPullResponse::of(full.clone()).unwrap_err(),
            full,
            "too few"
        );
    }
    let mut odd = response(&[5, 5]);
    if let ScopeUpdate::Page(page) = &mut odd.answers[2].update {
        page.records[3].body = Bytes(vec![0xff]);
    }
    assert_eq!(
        *LeanPullResponse::of(odd.clone()).unwrap_err(),
        odd,
        "not taken apart"
    );
}

#[test]
fn pages_and_records_must_come_out_even() {
    let changes: [fn(&mut LeanPullResponse); 5] = [
        |lean| lean.counts[0] += 1,
        |lean| lean.counts[1] -= 1,
        |lean| lean.counts.push(0),
        |lean| lean.counts.truncate(1),
        |lean| {
            if let ScopeUpdate::Page(page) = &mut lean.answer.answers[1].update {
                page.records = some(1);
            }
        },
    ];
    for change in changes {
        let mut lean = LeanPullResponse::of(response(&[5, 5])).unwrap();
        change(&mut lean);
        assert!(lean.in_full(MOST).is_err());
    }
}

proptest! {
    #[test]
    fn any_columns_are_refused_or_read_within_bounds(
        shapes in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..12), 0..4),
        rows in proptest::collection::vec(0_u8..5, 0..40),
        columns in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 0..6),
        texts in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let bytes = |all: Vec<Vec<u8>>| all.into_iter().map(Bytes).collect();
        let columns = Columns {
            shapes: bytes(shapes),
            rows: Bytes(rows),
            columns: bytes(columns),
            texts: Bytes(texts),
        };
        if let Ok(records) = columns.records(5_000) {
            prop_assert!(records.iter().map(|record| record.body.0.len()).sum::<usize>() <= 5_000);
        }
    }

    #[test]
    fn changed_columns_are_refused_or_read_within_bounds(at in 0_usize..4_000, to in any::<u8>()) {
        let mut bytes = encode(&Columns::of(&some(12)).unwrap());
        let at = at % bytes.len();
        bytes[at] = to;
        if let Ok(columns) = decode_strict::<Columns>(&bytes, 16) {
            let _ = columns.records(50_000);
        }
    }
}
