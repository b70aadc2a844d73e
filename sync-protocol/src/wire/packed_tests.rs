//! Packed items come out byte for byte, and hostile ones within bounds.

use hazardloop_domain::command::AnchorToken;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::hazard_number;
use hazardloop_domain::ids::{HazardId, InstallId};
use hazardloop_domain::time::Timestamp;
use minicbor::Encoder;
use proptest::prelude::*;
use uuid::Uuid;

use super::packed::{Item, Known, Packed, Sort, pack, unpack};
use super::*;
use crate::chain::{link_hash, seal, signature_fits};
use crate::codec::{decode_strict, encode};
use ed25519_dalek::SigningKey;

const MOST: usize = 1024 * 1024;
const TOKEN: [u8; 8] = [0x9d, 0x21, 0x77, 0xe0, 0x4b, 0x58, 0xc3, 0x06];
const MET: i64 = 1_795_309_100_000;

fn id(seed: u64) -> Uuid {
    Uuid::from_u128(
        0x019a_b000_0000_7000_8000_0000_0000_0000
            | (u128::from(seed) << 90)
            | u128::from(seed * 77),
    )
}

/// A record with all that one may hold, different with the seed.
fn record(seed: u64) -> Record {
    let mut body = Vec::new();
    let mut e = Encoder::new(&mut body);
    let own = id(seed);
    e.map(9).unwrap();
    e.u8(0).unwrap().bytes(own.as_bytes()).unwrap();
    e.u8(1).unwrap().str(&hazard_number(HazardId(own))).unwrap();
    e.u8(2)
        .unwrap()
        .u64(1_795_309_200_000 + seed * 977)
        .unwrap();
    e.u8(3)
        .unwrap()
        .i64(-5 - i64::try_from(seed).unwrap())
        .unwrap();
    e.u8(4)
        .unwrap()
        .array(2)
        .unwrap()
        .u64(u64::MAX - seed)
        .unwrap();
    e.array(seed % 3).unwrap();
    for at in 0..seed % 3 {
        e.bytes(&[u8::try_from(at).unwrap(); 32]).unwrap();
    }
    e.u8(5).unwrap().bool(seed.is_multiple_of(2)).unwrap();
    e.str("k")
        .unwrap()
        .str(["泄爆片未装", "粉尘", ""][usize::try_from(seed % 3).unwrap()])
        .unwrap();
    e.i8(-1).unwrap();
    match seed % 4 {
        0 => e.null().unwrap(),
        1 => e.bytes(&[7; 5]).unwrap(),
        2 => e.bytes(&[7; 16]).unwrap(),
        _ => e.bytes(id(seed % 5).as_bytes()).unwrap(),
    };
    // An item within a byte string, and what only looks like one.
    e.u8(6).unwrap();
    match seed % 3 {
        0 => e.bytes(&[0xa1, 0x00, 0x18, 0x64]).unwrap(),
        1 => e.bytes(&[0xa1, 0x00, 0x18, 0x05]).unwrap(),
        _ => e.bytes(&[0xa0]).unwrap(),
    };
    Record {
        kind: if seed.is_multiple_of(5) {
            RecordKind::Enterprise
        } else {
            RecordKind::Hazard
        },
        id: own,
        version: i64::try_from(seed % 7).unwrap(),
        body: Bytes(body),
    }
}

fn answer(pages: &[u64]) -> PullResponse {
    let mut seeds = 1..;
    let answers = pages.iter().map(|count| ScopeAnswer {
        scope: Scope::Catalog,
        update: ScopeUpdate::Page(Page {
            reset: None,
            records: seeds
                .by_ref()
                .take(usize::try_from(*count).unwrap())
                .map(record)
                .collect(),
            removals: Vec::new(),
            cursor: Bytes(vec![1]),
            checkpoint: None,
            extent: None,
        }),
    });
    PullResponse {
        protocol: 1,
        epoch: "an epoch".to_owned(),
        digest_key: None,
        server_time: Timestamp::from_millis(7),
        last: 3,
        answers: answers.collect(),
        more: true,
        missing_photos: Vec::new(),
        anchor: None,
    }
}

#[test]
fn a_packed_answer_is_the_same_answer() {
    for pages in [&[1][..], &[0, 20, 0, 5], &[400]] {
        let full = answer(pages);
        let packed = PackedPullResponse::of(full.clone()).unwrap();
        let read: PackedPullResponse = decode_strict(&encode(&packed), 16).unwrap();
        assert_eq!(read.in_full(MOST).unwrap(), full);
    }
    for pages in [&[][..], &[0]] {
        let full = answer(pages);
        assert_eq!(*PackedPullResponse::of(full.clone()).unwrap_err(), full);
    }
    let columns = encode(&LeanPullResponse::of(answer(&[400])).unwrap()).len();
    let packed = encode(&PackedPullResponse::of(answer(&[400])).unwrap()).len();
    assert!(packed * 10 < columns * 9, "{packed} {columns}");
}

#[test]
fn a_body_that_is_written_otherwise_goes_in_full() {
    for body in ["190001", "bf00ff", "f93c00", "c100", "0000", "", "8201"] {
        let mut full = answer(&[9]);
        if let ScopeUpdate::Page(page) = &mut full.answers[0].update {
            page.records[3].body = Bytes(hex::decode(body).unwrap());
        }
        assert_eq!(
            *PackedPullResponse::of(full.clone()).unwrap_err(),
            full,
            "{body}"
        );
    }
}

#[test]
fn more_bytes_than_allowed_are_refused() {
    let full = answer(&[30]);
    let ScopeUpdate::Page(page) = &full.answers[0].update else {
        panic!()
    };
    let needed: usize = page
        .records
        .iter()
        .map(|record| record.body.0.len() + 32)
        .sum();
    let packed = PackedPullResponse::of(full.clone()).unwrap();
    assert_eq!(packed.clone().in_full(needed), Ok(full));
    let most = needed - 1;
    assert_eq!(packed.in_full(most), Err(ColumnsError::TooLarge { most }));
}

/// A reader that has nothing yet.
const NOTHING: Known<'static> = Known {
    before: None,
    anchor: &|_| None,
};

/// Why a message with this plan, and nothing else, is refused.
fn refused_plan(plan: Vec<u8>, sort: Sort) -> ColumnsError {
    let packed = Packed {
        plan: Bytes(plan),
        ..Packed::default()
    };
    unpack(&packed, sort, &NOTHING, usize::MAX).unwrap_err()
}

#[test]
fn more_leaves_than_allowed_are_refused_before_anything_is_read() {
    // One shape of 60,000 numbers, for five items.
    let mut plan = vec![1];
    let mut shape = vec![0x01, 0x99, 0xea, 0x60];
    shape.resize(shape.len() + 60_000, 0);
    super::varint::put(&mut plan, shape.len() as u64);
    plan.extend_from_slice(&shape);
    plan.extend([5, 0, 0, 0, 0, 0]);
    assert_eq!(
        refused_plan(plan, Sort::Records),
        ColumnsError::TooLarge { most: 1 << 18 }
    );
}

#[test]
fn items_without_leaves_are_counted_too() {
    // One shape of an empty map, for more commands than there may be leaves.
    let mut plan = vec![1, 4, 0x61, b'n', 0x01, 0xa0];
    super::varint::put(&mut plan, (1 << 18) + 1);
    plan.resize(plan.len() + (1 << 18) + 1, 0);
    assert_eq!(
        refused_plan(plan, Sort::Commands),
        ColumnsError::TooLarge { most: 1 << 18 }
    );
}

/// A command of this shape is neither written nor read.
fn is_refused_on_both_ends(shape: &[u8], most: usize) {
    let head = vec![0x61, b'n', 0x01];
    let mut plan = vec![1];
    super::varint::put(&mut plan, (head.len() + shape.len()) as u64);
    plan.extend_from_slice(&head);
    plan.extend_from_slice(shape);
    let items = [Item {
        head,
        record: None,
        body: shape,
    }];
    assert_eq!(pack(Sort::Commands, &items, None), None);
    let refused = refused_plan(plan, Sort::Commands);
    assert_eq!(refused, ColumnsError::TooLarge { most });
}

#[test]
fn more_places_than_allowed_are_refused_on_both_ends() {
    // One map of 40,000 keys.
    let mut shape = vec![0xb9, 0x9c, 0x40];
    for key in 0..40_000_u32 {
        Encoder::new(&mut shape).u32(key).unwrap().u8(0).unwrap();
    }
    is_refused_on_both_ends(&shape, 1 << 15);
}

#[test]
fn longer_shapes_than_allowed_are_refused_on_both_ends() {
    // One list of 262,142 numbers: with its head just too long. None of them has a place of its own.
    let mut shape = vec![0x9a, 0x00, 0x03, 0xff, 0xfe];
    shape.resize(shape.len() + 0x3_fffe, 0);
    is_refused_on_both_ends(&shape, 1 << 18);
}

#[test]
fn what_is_missing_or_left_over_is_refused() {
    let good = PackedPullResponse::of(answer(&[9])).unwrap();
    for part_of_it in 0..4 {
        for more in [false, true] {
            let mut bad = good.clone();
            let Packed {
                plan,
                texts,
                columns,
                noise,
            } = &mut bad.records;
            let part = [plan, texts, columns, noise]
                .into_iter()
                .nth(part_of_it)
                .unwrap();
            if more {
                part.0.push(0);
            } else {
                part.0.pop();
            }
            assert!(bad.in_full(MOST).is_err(), "{part_of_it} {more}");
        }
    }
    let changes: [fn(&mut PackedPullResponse); 4] = [
        |packed| packed.counts[0] += 1,
        |packed| packed.counts[0] -= 1,
        |packed| packed.counts.push(0),
        |packed| packed.counts.clear(),
    ];
    for change in changes {
        let mut bad = good.clone();
        change(&mut bad);
        assert!(bad.in_full(MOST).is_err());
    }
}

/// A payload as commands have it, of which the first after a contact has a token.
fn payload(seed: u64, token: bool) -> Vec<u8> {
    let mut fields = Vec::new();
    let mut e = Encoder::new(&mut fields);
    e.map(2)
        .unwrap()
        .u8(0)
        .unwrap()
        .str("除尘器未装泄爆片")
        .unwrap();
    e.u8(1).unwrap().bytes(id(3).as_bytes()).unwrap();
    let mut payload = Vec::new();
    let mut e = Encoder::new(&mut payload);
    e.map(3)
        .unwrap()
        .u8(0)
        .unwrap()
        .map(if token { 6 } else { 4 })
        .unwrap();
    e.u8(0)
        .unwrap()
        .u64(1_795_309_200_000 + seed * 60_000)
        .unwrap();
    e.u8(1).unwrap().u64(5_000_000 + seed * 60_000).unwrap();
    e.u8(2).unwrap().bytes(&[9; 16]).unwrap();
    e.u8(3).unwrap().i64(MET).unwrap();
    if token {
        e.u8(4).unwrap().u64(4_900_000).unwrap();
        e.u8(5).unwrap().bytes(&TOKEN).unwrap();
    }
    e.u8(1).unwrap().bytes(id(seed).as_bytes()).unwrap();
    e.u8(2).unwrap().bytes(&fields).unwrap();
    payload
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn install() -> InstallId {
    InstallId(Uuid::from_u128(1))
}

/// A push of commands 8 and on, behind one with the payload of seed 7.
fn push(count: u64) -> (PushRequest, Digest, Vec<u8>) {
    let before = payload(7, false);
    let first = seal(
        &key(),
        install(),
        7,
        "note",
        1,
        Digest::ZERO,
        before.clone(),
    );
    let link = link_hash(install(), &first);
    let mut previous = link;
    let commands = (0..count).map(|at| {
        let place = i64::try_from(8 + at).unwrap();
        let payload = payload(8 + at, at == 0);
        let sealed = seal(&key(), install(), place, "report", 2, previous, payload);
        previous = link_hash(install(), &sealed);
        sealed
    });
    let commands = commands.collect();
    let request = PushRequest {
        protocol: 1,
        install_id: install(),
        commands,
        settled: Vec::new(),
    };
    (request, link, before)
}

fn token(at: Timestamp) -> Option<AnchorToken> {
    (at.as_millis() == MET)
        .then(|| AnchorToken::from_slice(&TOKEN))
        .flatten()
}

#[test]
fn a_packed_push_is_the_same_push() {
    for count in [1, 2, 40] {
        let (request, link, before) = push(count);
        let lean = LeanPush::of(&request).unwrap();
        for before in [None, Some(before.as_slice()), Some(&[0xff][..])] {
            let packed = PackedPush::of(&lean, before).unwrap();
            let written = encode(&packed);
            assert!(
                !written.windows(8).any(|some| some == TOKEN),
                "the token does not travel"
            );
            let read: PackedPush = decode_strict(&written, 16).unwrap();
            let again = read.unpacked(before, &token, MOST).unwrap();
            assert_eq!(again, lean);
            let full = again.in_full(install(), link).unwrap();
            let last = full.commands.last().unwrap();
            assert!(signature_fits(
                &key().verifying_key().to_bytes(),
                install(),
                last
            ));
        }
    }
    let (request, _, before) = push(1);
    let lean = LeanPush::of(&request).unwrap();
    let after = encode(&PackedPush::of(&lean, Some(&before)).unwrap()).len();
    let alone = encode(&PackedPush::of(&lean, None).unwrap()).len();
    assert!(after + 40 < alone, "{after} {alone}");
}

#[test]
fn another_token_or_another_command_before_makes_the_signature_not_fit() {
    let (request, link, before) = push(2);
    let packed = PackedPush::of(&LeanPush::of(&request).unwrap(), Some(&before)).unwrap();
    let fits = |before: &[u8], anchor: &dyn Fn(Timestamp) -> Option<AnchorToken>| {
        let lean = packed.clone().unpacked(Some(before), anchor, MOST).ok()?;
        let full = lean.in_full(install(), link)?;
        let public = key().verifying_key().to_bytes();
        Some(signature_fits(&public, install(), full.commands.last()?))
    };
    assert_eq!(fits(&before, &token), Some(true));
    // The device never had this token: it has signed another one, and that is found out.
    let other = |_| AnchorToken::from_slice(&[1; 8]);
    assert_eq!(fits(&before, &other), Some(false));
    assert_eq!(fits(&payload(9, false), &token), Some(false));
    let none = packed.clone().unpacked(None, &token, MOST);
    assert_eq!(none, Err(ColumnsError::Damaged));
    let no_token = packed.clone().unpacked(Some(&before), &|_| None, MOST);
    assert_eq!(no_token, Err(ColumnsError::Damaged));
}

#[test]
fn a_token_without_a_time_goes_as_it_is() {
    let mut payload = vec![0xa1, 0x00, 0xa1, 0x05, 0x48];
    payload.extend(TOKEN);
    let items = [Item {
        head: vec![0x61, b'n', 0x01],
        record: None,
        body: &payload,
    }];
    let packed = pack(Sort::Commands, &items, None).unwrap();
    let read = unpack(&packed, Sort::Commands, &NOTHING, MOST).unwrap();
    assert_eq!(read[0].body, payload);
}

fn bytes(most: usize) -> impl Strategy<Value = Bytes> {
    proptest::collection::vec(any::<u8>(), 0..most).prop_map(Bytes)
}

proptest! {
    #[test]
    fn any_packed_items_are_refused_or_read_within_bounds(
        plan in bytes(60), texts in bytes(30), columns in bytes(60), noise in bytes(60),
    ) {
        let packed = Packed { plan, texts, columns, noise };
        for sort in [Sort::Records, Sort::Commands] {
            let known = Known { before: Some(&[0xa1, 0x00, 0x18, 0x64]), anchor: &token };
            if let Ok(items) = unpack(&packed, sort, &known, 5_000) {
                prop_assert!(items.iter().map(|item| item.body.len()).sum::<usize>() <= 5_000);
            }
        }
    }

    #[test]
    fn changed_packed_items_are_refused_or_read_within_bounds(
        at in 0_usize..100_000, to in any::<u8>(), records in any::<bool>(),
    ) {
        let (request, _, before) = push(5);
        let mut written = if records {
            encode(&PackedPullResponse::of(answer(&[12])).unwrap())
        } else {
            encode(&PackedPush::of(&LeanPush::of(&request).unwrap(), Some(&before)).unwrap())
        };
        let at = at % written.len();
        written[at] = to;
        if let Ok(read) = decode_strict::<PackedPullResponse>(&written, 16) {
            let _ = read.in_full(50_000);
        }
        if let Ok(read) = decode_strict::<PackedPush>(&written, 16) {
            let _ = read.unpacked(Some(&before), &token, 50_000);
        }
    }

    #[test]
    fn any_numbers_come_out(numbers in proptest::collection::vec(any::<i64>(), 1..60), wide in any::<u64>()) {
        let bodies: Vec<Vec<u8>> = numbers.iter().map(|number| {
            let mut body = Vec::new();
            let mut e = Encoder::new(&mut body);
            e.array(4).unwrap().i64(*number).unwrap().u64(wide).unwrap().i64(i64::MIN).unwrap();
            e.int(minicbor::data::Int::try_from(-i128::from(u64::MAX) - 1).unwrap()).unwrap();
            body
        }).collect();
        let items: Vec<Item<'_>> = bodies.iter().map(|body| Item { head: vec![0x61, b'n', 0x01], record: None, body }).collect();
        let packed = pack(Sort::Commands, &items, bodies.first().map(Vec::as_slice)).unwrap();
        let known = Known { before: bodies.first().map(Vec::as_slice), anchor: &|_| None };
        let read = unpack(&packed, Sort::Commands, &known, MOST).unwrap();
        let read: Vec<_> = read.into_iter().map(|item| item.body).collect();
        prop_assert_eq!(read, bodies);
    }
}

#[test]
fn a_long_key_on_the_way_to_many_leaves_costs_no_more_than_itself() {
    // 100 KiB of key, and 100,000 numbers below it: were the way copied for each, this would be 10 GB.
    let mut body = vec![0xa1, 0x5a];
    body.extend(100_000_u32.to_be_bytes());
    body.extend(vec![7; 100_000]);
    body.extend([0x9a]);
    body.extend(100_000_u32.to_be_bytes());
    body.extend(vec![0; 100_000]);
    let items = [Item {
        head: vec![0x61, b'n', 0x01],
        record: None,
        body: &body,
    }];
    let packed = pack(Sort::Commands, &items, None).unwrap();
    let read = unpack(&packed, Sort::Commands, &NOTHING, MOST).unwrap();
    assert_eq!(read[0].body, body);
}
