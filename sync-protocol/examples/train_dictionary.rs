//! Makes the dictionaries of the codings `hl-zh1` and `hl-zh2` anew, always the same: `cargo run -p
//! hazardloop-sync-protocol --example train_dictionary`. It tells how each compares with the committed file, and writes
//! nothing unless `--write` and a name are given: a dictionary that was ever used is never changed, a better one gets
//! a new name.

mod reports;

use hazardloop_domain::hash::Digest;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::codec::encode;
use hazardloop_sync_protocol::compress::{
    REPORTS_ZH_1, REPORTS_ZH_1_ID, REPORTS_ZH_2, REPORTS_ZH_2_ID,
};
use hazardloop_sync_protocol::wire::{
    Bytes, Checkpoint, LeanPush, Outcome, PackedPullResponse, PackedPush, Page, PullResponse,
    PushRequest, PushResponse, PushResult, Receipt, Scope, ScopeAnswer, ScopeUpdate,
};
use reports::{District, Numbers, Phone, Row, record, rows};
use std::path::Path;

/// Bytes of the dictionary, at most.
const SIZE: usize = 64 * 1024;

/// What `hl-zh1` was trained on: messages in the lean and full forms, with the words of the even rows.
fn lean_samples() -> Vec<Vec<u8>> {
    let rows = rows(0);
    let mut all = Vec::new();
    for (row, seed) in rows.iter().zip(1..) {
        for (characters, times) in [(400, 3_u64), (40, 1)] {
            for time in 0..times {
                let mut phone =
                    Phone::new(seed * 10 + time + 1_000_000 * u64::from(characters == 40));
                let report = phone.report(row, characters);
                all.push(lean(&phone.push(&[report])));
            }
        }
        let mut phone = Phone::new(seed + 5_000_000);
        if let Some(command) = phone.follow_up(row) {
            all.push(lean(&phone.push(&[command])));
        }
    }
    for (some, seed) in rows.chunks(5).zip(9_000_000..) {
        let mut phone = Phone::new(seed);
        let reports: Vec<_> = some.iter().map(|row| phone.report(row, 400)).collect();
        all.push(lean(&phone.push(&reports)));
        let full = encode(&phone.push(&reports));
        all.push(full);
    }
    all.extend(answers(rows));
    all
}

/// What `hl-zh2` was trained on: messages in the packed forms, without the noise that no dictionary can hold, with the
/// words of the even rows.
fn packed_samples() -> Vec<Vec<u8>> {
    let rows = rows(0);
    let mut all = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let seed = 20_000_000 + 100 * at as u64;
        let another = rows.get((at + 7) % rows.len());
        for (time, characters) in [400, 400, 400, 40, 40, 400].into_iter().enumerate() {
            let mut phone = Phone::new(seed + time as u64);
            let before = another.map(|row| phone.report(row, 400));
            let before = before
                .filter(|_| !matches!(time, 3 | 5))
                .map(|before| phone.push(&[before]));
            phone.meets_server();
            if time == 2 {
                phone.restarts();
            }
            let report = phone.report(row, characters);
            all.extend(packed(&phone.push(&[report]), before.as_ref()));
        }
        let mut phone = Phone::new(seed + 50);
        let before = phone.report(row, 400);
        let before = phone.push(&[before]);
        phone.meets_server();
        if let Some(command) = phone.follow_up(row) {
            all.extend(packed(&phone.push(&[command]), Some(&before)));
        }
    }
    for (some, seed) in rows.chunks(5).zip(29_000_000..) {
        let mut phone = Phone::new(seed);
        phone.meets_server();
        let reports: Vec<_> = some.iter().map(|row| phone.report(row, 400)).collect();
        all.extend(packed(&phone.push(&reports), None));
    }
    for answer in answers(rows).chunks_exact(2).flat_map(|two| two.first()) {
        let answer = minicbor::decode::<PullResponse>(answer).ok();
        all.extend(answer.and_then(|answer| {
            let mut packed = PackedPullResponse::of(answer).ok()?;
            packed.records.noise.0.clear();
            Some(encode(&packed))
        }));
    }
    all
}

fn packed(push: &PushRequest, before: Option<&PushRequest>) -> Option<Vec<u8>> {
    let before = before.and_then(|push| push.commands.first());
    let before = before.map(|before| before.payload.0.as_slice());
    let mut packed = PackedPush::of(&LeanPush::of(push)?, before)?;
    packed.commands.noise.0.clear();
    Some(encode(&packed))
}

fn lean(push: &PushRequest) -> Vec<u8> {
    LeanPush::of(push).as_ref().map(encode).unwrap_or_default()
}

/// A few answers, so that small ones pack well too.
fn answers(rows: Vec<Row>) -> Vec<Vec<u8>> {
    let mut district = District::new(77, 40, rows);
    let mut numbers = Numbers(78);
    let mut all = Vec::new();
    for count in [1, 1, 2, 3].repeat(20) {
        let hazards: Vec<_> = (0..count).filter_map(|_| district.hazard()).collect();
        let Some(town) = hazards.first().map(|hazard| hazard.jurisdiction_id) else {
            continue;
        };
        let time = hazards
            .first()
            .map_or(Timestamp::from_millis(0), |hazard| hazard.updated_at);
        let page = Page {
            reset: None,
            records: hazards.iter().map(record).collect(),
            removals: Vec::new(),
            cursor: Bytes(vec![0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 0, 1]),
            checkpoint: Some(Checkpoint {
                count: numbers.below(9_000),
                digest: numbers.next(),
            }),
            extent: None,
        };
        all.push(encode(&PullResponse {
            protocol: 1,
            epoch: numbers.uuid4().to_string(),
            digest_key: None,
            server_time: time,
            last: 3,
            answers: vec![ScopeAnswer {
                scope: Scope::Jurisdiction(town),
                update: ScopeUpdate::Page(page),
            }],
            more: false,
            missing_photos: Vec::new(),
            anchor: None,
        }));
        let receipts = (1..=count).map(|seq| {
            let outcome = Outcome::Applied { version: 1 };
            PushResult::Receipt(Receipt {
                seq,
                received_at: time,
                outcome,
            })
        });
        all.push(encode(&PushResponse {
            protocol: 1,
            epoch: numbers.uuid4().to_string(),
            server_time: time,
            last: 3,
            results: receipts.collect(),
            expected: None,
            missing_photos: Vec::new(),
            anchor: None,
        }));
    }
    all
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for (name, id, committed, samples) in [
        (
            "reports-zh-1",
            REPORTS_ZH_1_ID,
            REPORTS_ZH_1,
            lean_samples(),
        ),
        (
            "reports-zh-2",
            REPORTS_ZH_2_ID,
            REPORTS_ZH_2,
            packed_samples(),
        ),
    ] {
        let mut dictionary = zstd::dict::from_samples(&samples, SIZE)?;
        // Bytes 4 to 7 are the dictionary's number, little-endian (RFC 8878, 5): ours is short in frames.
        if let Some(number) = dictionary.get_mut(4..8) {
            number.copy_from_slice(&id.to_le_bytes());
        }
        let (bytes, hash) = (dictionary.len(), Digest::sha256(&dictionary));
        println!(
            "{name}: {} samples, {bytes} bytes, number {id}, SHA-256 {hash}",
            samples.len()
        );
        println!(
            "the committed file is the same: {}",
            dictionary == committed
        );
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        if arguments.iter().any(|argument| argument == "--write")
            && arguments.iter().any(|argument| argument == name)
        {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dictionaries");
            std::fs::write(folder.join(format!("{name}.dict")), &dictionary)?;
            println!("written");
        }
    }
    Ok(())
}
