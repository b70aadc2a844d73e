//! How many bytes messages take, with words that no dictionary was trained on: `bytes_bench` prints all of it, here a
//! regression fails.
#![cfg(feature = "zstd")]
#![allow(clippy::unwrap_used, clippy::panic)]

use hazardloop_domain::hazard::Hazard;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::codec::encode;
use hazardloop_sync_protocol::compress::{self, Coding};
use hazardloop_sync_protocol::wire::{
    Bytes, LeanPush, PackedPullResponse, PackedPush, Page, PullResponse, ResetReason, Scope,
    ScopeAnswer, ScopeUpdate,
};
use reports::{District, Phone, Row, record, rows};

#[path = "../examples/reports/mod.rs"]
mod reports;

fn long_rows() -> Vec<Row> {
    let mut rows = rows(1);
    rows.retain(|row| row.description.chars().count() >= 40);
    rows
}

fn size(coding: Option<Coding>, message: &[u8]) -> usize {
    let coded = coding.and_then(|coding| compress::encode(coding, message));
    coded.map_or(message.len(), |coded| coded.len())
}

/// Sizes of reports of 40 characters, each the first since a contact: all together, and the largest.
fn reports_take(coding: Option<Coding>, after_one: bool, restarted: bool) -> (usize, usize) {
    let rows = long_rows();
    let sizes = rows.iter().zip(50_000_000..).map(|(row, seed)| {
        let mut phone = Phone::new(seed);
        let earlier = after_one.then(|| {
            let report = phone.report(rows.first().unwrap(), 400);
            phone.push(&[report]).commands.remove(0).payload.0
        });
        phone.meets_server();
        if restarted {
            phone.restarts();
        }
        let description = 40_usize.saturating_sub(row.place.chars().count());
        let report = phone.report(row, description);
        let lean = LeanPush::of(&phone.push(&[report])).unwrap();
        let packed = PackedPush::of(&lean, earlier.as_deref()).unwrap();
        size(coding, &encode(&packed))
    });
    let sizes: Vec<usize> = sizes.collect();
    (
        sizes.iter().sum::<usize>() / sizes.len(),
        sizes.iter().copied().max().unwrap(),
    )
}

#[test]
fn a_report_of_40_characters_takes_260_bytes_with_the_dictionary_and_420_without() {
    assert!(long_rows().len() > 90);
    for (coding, after_one, restarted, mean, most) in [
        (Some(Coding::ReportsZh2), true, false, 212, 232),
        (Some(Coding::ReportsZh2), true, true, 233, 254),
        (Some(Coding::ReportsZh2), false, false, 244, 266),
        (None, true, false, 360, 400),
        (None, false, false, 395, 420),
    ] {
        let took = reports_take(coding, after_one, restarted);
        assert!(
            took.0 <= mean && took.1 <= most,
            "{coding:?}, after one {after_one}, restarted {restarted}: {took:?}"
        );
    }
}

#[test]
fn a_row_of_a_first_pull_takes_55_bytes_beside_its_text() {
    let mut district = District::new(4, 1_000, rows(1));
    let hazards: Vec<Hazard> = (0..800).filter_map(|_| district.hazard()).collect();
    let text: String = hazards.iter().map(reports::texts).collect();
    let update = ScopeUpdate::Page(Page {
        reset: Some(ResetReason::First),
        records: hazards.iter().map(record).collect(),
        removals: Vec::new(),
        cursor: Bytes(vec![0; 12]),
        checkpoint: None,
        extent: None,
    });
    let answer = PullResponse {
        protocol: 1,
        epoch: "2026-11-22-a".to_owned(),
        digest_key: None,
        server_time: Timestamp::from_millis(1_795_309_200_000),
        last: 217,
        answers: vec![ScopeAnswer {
            scope: Scope::Catalog,
            update,
        }],
        more: false,
        missing_photos: Vec::new(),
        anchor: None,
    };
    let packed = encode(&PackedPullResponse::of(answer).unwrap());
    for coding in [Coding::Zstd, Coding::ReportsZh2] {
        let beside = size(Some(coding), &packed) - size(Some(coding), text.as_bytes());
        assert!(beside < 44 * hazards.len(), "{coding:?}: {beside}");
    }
}
