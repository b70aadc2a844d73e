//! Bodies of requests and of answers.

use std::collections::BTreeMap;

use hazardloop_domain::command::AnchorToken;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::InstallId;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::chain;
use hazardloop_sync_protocol::codec::{decode_strict, encode};
use hazardloop_sync_protocol::hub::check_push;
use hazardloop_sync_protocol::wire::{
    CommandPayload, LeanPull, LeanPullResponse, LeanPush, OfferRequest, OfferResponse,
    PackedPullResponse, PackedPush, PullRequest, PullResponse, PushRequest, PushResponse,
    ScopeUpdate, WireLimits, Witness,
};
use minicbor::{Decode, Encode};
use uuid::Uuid;

/// Most bytes that the records of one answer may have: as the device allows them.
const RECORDS_MOST: usize = 1024 * 1024;

/// What a packed push of a fuzzer comes after: as the fixture `packed-push-after` has it.
const BEFORE: &[u8] = include_bytes!("../../fixtures/v1/command-submit_rectification.cbor");

/// The tokens that a push shows, by their times: of each time the first, as a server has but one.
fn token_of(request: &PushRequest) -> impl Fn(Timestamp) -> Option<AnchorToken> {
    let clocks = request.commands.iter().filter_map(|command| {
        let payload: CommandPayload = minicbor::decode(&command.payload.0).ok()?;
        Some((payload.made.server_anchor?, payload.made.anchor_token?))
    });
    let mut tokens = BTreeMap::new();
    for (at, token) in clocks {
        tokens.entry(at).or_insert(token);
    }
    move |at| tokens.get(&at).cloned()
}

/// What is read of `bytes`: the same as is read of what would be written of it.
pub fn read<T>(bytes: &[u8]) -> Option<T>
where
    T: for<'b> Decode<'b, ()> + Encode<()> + PartialEq + std::fmt::Debug,
{
    let depth = WireLimits::default().depth;
    let message: T = decode_strict(bytes, depth).ok()?;
    let written = encode(&message);
    let again = decode_strict(&written, depth);
    assert_eq!(again.as_ref(), Ok(&message), "written as {written:02x?}");
    Some(message)
}

/// What a server is pushed.
pub fn push(bytes: &[u8]) {
    let install_id = InstallId(Uuid::from_u128(1));
    if let Some(request) = read::<PushRequest>(bytes) {
        let vouched = chain::signed_by_run(&[7; 32], install_id, &request.commands);
        assert!(vouched.is_empty(), "signed by nobody: {vouched:?}");
        // Lean and back again is the same, where it can be said leanly at all.
        if let (Ok(()), Some(lean)) = (
            check_push(&request, &WireLimits::default()),
            LeanPush::of(&request),
        ) {
            // Packed as well, after a command that looks like the first one or after none.
            let first = request
                .commands
                .first()
                .map(|first| first.payload.0.as_slice());
            for before in [None, first] {
                if let Some(packed) = PackedPush::of(&lean, before) {
                    let again = packed.unpacked(before, &token_of(&request), usize::MAX);
                    assert_eq!(again.as_ref().ok(), Some(&lean));
                }
            }
            let previous = request.commands.first().map(|first| first.previous);
            let full = lean.in_full(request.install_id, previous.unwrap_or(Digest::ZERO));
            let links = |request: &PushRequest| {
                let commands = request.commands.iter();
                let link = |command| chain::link_hash(request.install_id, command);
                commands.map(link).collect::<Vec<_>>()
            };
            assert_eq!(full.as_ref().map(links), Some(links(&request)));
        }
    }
    if let Some(lean) = read::<LeanPush>(bytes) {
        let commands = lean.commands.len();
        let full = lean.in_full(install_id, Digest::ZERO);
        assert!(full.is_none_or(|full| full.commands.len() == commands));
    }
    if let Some(packed) = read::<PackedPush>(bytes) {
        let before = packed.after.then_some(BEFORE);
        let anchor = |_| AnchorToken::from_slice(&[7; 8]);
        if let Ok(lean) = packed.unpacked(before, &anchor, RECORDS_MOST) {
            let sizes = lean.commands.iter().map(|command| command.payload.0.len());
            let size: usize = sizes.sum();
            assert!(size <= RECORDS_MOST, "{size} bytes");
        }
    }
    if let Some(offer) = read::<OfferRequest>(bytes) {
        assert!(!offer.is_signed_by(&[7; 32]));
    }
    let witness = Witness::open(1, bytes, WireLimits::default().depth);
    if let Ok(witness) = witness {
        let again = Witness::open(1, &witness.pack(), WireLimits::default().depth);
        assert_eq!(again.as_ref(), Ok(&witness));
    }
}

/// What a server is asked for.
pub fn pull(bytes: &[u8]) {
    let lean = read::<PullRequest>(bytes).and_then(|request| {
        let lean = LeanPull::of(&request)?;
        Some((request, lean))
    });
    if let Some((request, lean)) = lean {
        assert_eq!(lean.protocol, request.protocol);
    }
    read::<LeanPull>(bytes);
}

/// What a device is answered.
pub fn answers(bytes: &[u8]) {
    read::<PushResponse>(bytes);
    read::<OfferResponse>(bytes);
    if let Some(answer) = read::<PullResponse>(bytes) {
        // In columns and back again: byte for byte.
        if let Ok(lean) = LeanPullResponse::of(answer.clone()) {
            assert_eq!(lean.in_full(usize::MAX).as_ref(), Ok(&answer));
        }
        if let Ok(packed) = PackedPullResponse::of(answer.clone()) {
            assert_eq!(packed.in_full(usize::MAX).as_ref(), Ok(&answer));
        }
    }
    if let Some(lean) = read::<LeanPullResponse>(bytes) {
        bounded(&lean.counts.clone(), lean.in_full(RECORDS_MOST).ok());
    }
    if let Some(packed) = read::<PackedPullResponse>(bytes) {
        bounded(&packed.counts.clone(), packed.in_full(RECORDS_MOST).ok());
    }
}

/// As many records as were told of, within the bound on their bytes.
fn bounded(told: &[u32], answer: Option<PullResponse>) {
    let Some(answer) = answer else { return };
    let told: usize = told.iter().map(|count| *count as usize).sum();
    let pages = answer.answers.iter().filter_map(|of| match &of.update {
        ScopeUpdate::Page(page) => Some(&page.records),
        ScopeUpdate::Drop { .. } => None,
    });
    let (mut count, mut size) = (0_usize, 0_usize);
    for records in pages {
        count += records.len();
        let sizes = records.iter().map(|record| record.body.0.len());
        size += sizes.sum::<usize>();
    }
    assert!(
        count == told && size <= RECORDS_MOST,
        "{count} records, {size} bytes"
    );
}
