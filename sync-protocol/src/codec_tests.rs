//! Hostile bytes: each fault refused by name, in bounded time, memory and stack.

use crate::codec::{CodecError, check_well_formed, decode_strict, encode};
use crate::wire::{
    CommandPayload, PullRequest, PullResponse, PushRequest, PushResponse, WireLimits,
};
use hazardloop_domain::command::ActionKind;
use proptest::prelude::*;

const DEPTH: usize = 16;

fn check(hex_bytes: &str) -> Result<(), CodecError> {
    check_well_formed(&hex::decode(hex_bytes).unwrap(), DEPTH)
}

fn fixture(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/v1");
    std::fs::read(format!("{folder}/{name}.cbor")).unwrap()
}

#[test]
fn plain_items_are_well_formed() {
    for item in [
        "00",
        "20",
        "1903e8",
        "40",
        "43010203",
        "60",
        "63e99a90",
        "80",
        "820102",
        "a0",
        "a2000102f6",
        "f4",
        "f5",
        "f6",
        "1bffffffffffffffff",
        "3bffffffffffffffff",
    ] {
        assert_eq!(check(item), Ok(()), "{item}");
    }
}

#[test]
fn the_same_key_twice_is_refused_wherever_it_stands() {
    for item in [
        // {0: 1, 0: 2}
        "a200010002",
        // {"a": 1, "a": 1}
        "a2616101616101",
        // {0: 1, 1: 2, 2: 3, 0: 4}
        "a40001010202030004",
        // [{5: {1: 1, 1: 1}}]
        "81a105a201010101",
    ] {
        assert!(
            matches!(check(item), Err(CodecError::DuplicateKey { .. })),
            "{item}"
        );
    }
    assert_eq!(check("a200010102"), Ok(()));
    assert_eq!(
        check("a2000161300 2".replace(' ', "").as_str()),
        Ok(()),
        "0 and \"0\" differ"
    );
}

#[test]
fn the_same_key_in_a_longer_form_is_no_way_around() {
    for item in [
        // {0: 1, 0 in two bytes: 2}
        "a2000118 0002",
        // 0 in two, three, five and nine bytes
        "1800",
        "190000",
        "1a00000000",
        "1b0000000000000000",
        // 23, 255, 65535 and 4294967295 in more bytes than they need
        "1817",
        "1900ff",
        "1a0000ffff",
        "1b00000000ffffffff",
        // -1 in two bytes; a byte string, a text, an array and a map with such lengths
        "3800",
        "580101",
        "780161",
        "980100",
        "b8010000",
    ] {
        let item = item.replace(' ', "");
        assert!(
            matches!(check(&item), Err(CodecError::NotUsed { .. })),
            "{item}: {:?}",
            check(&item)
        );
    }
    for shortest in ["1818", "190100", "1a00010000", "1b0000000100000000", "3818"] {
        assert_eq!(check(shortest), Ok(()), "{shortest}");
    }
}

#[test]
fn indefinite_lengths_floats_and_tags_are_refused_by_name() {
    let cases = [
        ("9f00ff", "an indefinite length"),
        ("bf0000ff", "an indefinite length"),
        ("5f4100ff", "an indefinite length"),
        ("7f6161ff", "an indefinite length"),
        ("f97e00", "a floating point number"),
        ("fa7fc00000", "a floating point number"),
        ("fb7ff8000000000000", "a floating point number"),
        ("81fb3ff0000000000000", "a floating point number"),
        ("c000", "a tag"),
        ("d9d9f700", "a tag"),
        ("ff", "an unexpected item"),
        ("e0", "an unexpected item"),
        ("f820", "an unexpected item"),
        ("fc", "an unexpected item"),
        ("1c", "an unexpected item"),
    ];
    for (item, expected) in cases {
        match check(item) {
            Err(CodecError::NotUsed { what, .. }) => assert_eq!(what, expected, "{item}"),
            other => panic!("{item}: {other:?}"),
        }
    }
}

#[test]
fn bytes_after_the_end_and_none_at_all_are_refused() {
    assert_eq!(check("0000"), Err(CodecError::Trailing { at: 1 }));
    assert_eq!(check("a0f6"), Err(CodecError::Trailing { at: 1 }));
    assert!(matches!(check(""), Err(CodecError::Malformed(_))));
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    for item in ["61ff", "63eda080", "62c080", "a161ff00"] {
        assert!(
            matches!(check(item), Err(CodecError::Malformed(_))),
            "{item}"
        );
    }
}

#[test]
fn nesting_is_bounded_at_its_limit() {
    let nested = |levels: usize| [vec![0x81; levels], vec![0x00]].concat();
    assert_eq!(check_well_formed(&nested(DEPTH), DEPTH), Ok(()));
    let refused = check_well_formed(&nested(DEPTH + 1), DEPTH);
    assert_eq!(
        refused,
        Err(CodecError::TooDeep {
            max: DEPTH,
            at: DEPTH
        })
    );
}

#[test]
fn a_depth_bomb_does_not_overflow_the_stack() {
    for opening in [vec![0x81], vec![0xa1, 0x00], vec![0xa1], vec![0x82, 0x80]] {
        let bomb = opening.repeat(10_000);
        let refused = check_well_formed(&bomb, DEPTH);
        assert!(
            matches!(refused, Err(CodecError::TooDeep { .. })),
            "{refused:?}"
        );
        assert!(decode_strict::<PushRequest>(&bomb, DEPTH).is_err());
        for kind in ActionKind::ALL {
            assert!(CommandPayload::unpack(kind.as_str(), 1, &bomb, DEPTH).is_err());
        }
    }
}

#[test]
fn headers_that_claim_more_than_there_is_cost_nothing() {
    for header in [
        "bb0000000100000000",
        "bbffffffffffffffff",
        "9bffffffffffffffff",
        "9b0000000100000000",
        "5bffffffffffffffff",
        "7b7fffffffffffffff",
        "5a7fffffff",
        "baffffffff",
    ] {
        let bytes = hex::decode(format!("{header}00")).unwrap();
        assert!(bytes.len() <= 10);
        let refused = check_well_formed(&bytes, DEPTH);
        assert!(
            matches!(refused, Err(CodecError::Malformed(_))),
            "{header}: {refused:?}"
        );
        assert!(decode_strict::<PushRequest>(&bytes, DEPTH).is_err());
        // The derived decoders alone must not believe them either.
        assert!(minicbor::decode::<PushRequest>(&bytes).is_err());
        assert!(minicbor::decode::<Vec<u64>>(&bytes).is_err());
    }
}

#[test]
fn a_message_cut_short_at_any_byte_is_refused() {
    for name in [
        "push-request",
        "push-response",
        "pull-request",
        "pull-response",
        "lean-push",
        "lean-pull",
        "lean-pull-response",
    ] {
        let whole = fixture(name);
        for end in 0..whole.len() {
            let part = &whole[..end];
            assert!(
                check_well_formed(part, DEPTH).is_err(),
                "{name} cut at {end}"
            );
            assert!(
                decode_strict::<PushResponse>(part, DEPTH).is_err(),
                "{name} cut at {end}"
            );
        }
    }
    for kind in ActionKind::ALL {
        let whole = fixture(&format!("command-{}", kind.as_str()));
        for end in 0..whole.len() {
            let read = CommandPayload::unpack(kind.as_str(), 1, &whole[..end], DEPTH);
            assert!(read.is_err(), "{kind:?} cut at {end}");
        }
    }
}

#[test]
fn a_message_of_another_form_is_refused_and_not_half_read() {
    let push = fixture("push-request");
    assert!(decode_strict::<PullResponse>(&push, DEPTH).is_err());
    assert!(decode_strict::<PushResponse>(&push, DEPTH).is_err());
    assert!(decode_strict::<PushRequest>(&[0xa0], DEPTH).is_err());
    let limits = WireLimits::default();
    assert!(decode_strict::<PushRequest>(&push, limits.depth).is_ok());
}

#[test]
fn messages_pass_over_unknown_keys() {
    let mut extended = fixture("shown-head");
    // One entry more: 63 => ["later", {0: null}].
    assert_eq!(extended[0], 0xa3);
    extended[0] = 0xa4;
    extended.extend(hex::decode("183f82656c61746572a100f6").unwrap());
    let shown: crate::witness::ShownHead = decode_strict(&extended, DEPTH).unwrap();
    assert_eq!(encode(&shown), fixture("shown-head"));
}

/// Reads bytes as everything they could be sent as.
fn read_as_everything(bytes: &[u8]) {
    drop(decode_strict::<PushRequest>(bytes, DEPTH));
    drop(decode_strict::<PushResponse>(bytes, DEPTH));
    drop(decode_strict::<PullRequest>(bytes, DEPTH));
    drop(decode_strict::<PullResponse>(bytes, DEPTH));
    drop(decode_strict::<hazardloop_domain::hazard::Hazard>(
        bytes, DEPTH,
    ));
    drop(decode_strict::<hazardloop_domain::access::PersonRecord>(
        bytes, DEPTH,
    ));
    for kind in ActionKind::ALL {
        drop(CommandPayload::unpack(kind.as_str(), 1, bytes, DEPTH));
        drop(hazardloop_domain::command::Action::decode_fields(
            *kind, bytes,
        ));
    }
    let text = String::from_utf8_lossy(bytes);
    drop(serde_json::from_str::<PushRequest>(&text));
    drop(serde_json::from_str::<PullRequest>(&text));
    drop(serde_json::from_str::<hazardloop_domain::command::Action>(
        &text,
    ));
}

fn fixture_names() -> Vec<String> {
    let messages = [
        "push-request",
        "push-response",
        "pull-request",
        "pull-response",
        "lean-push",
        "lean-pull",
        "lean-pull-response",
    ];
    let commands = ActionKind::ALL
        .iter()
        .map(|kind| format!("command-{}", kind.as_str()));
    messages
        .into_iter()
        .map(str::to_owned)
        .chain(commands)
        .collect()
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        read_as_everything(&bytes);
    }

    #[test]
    fn damaged_messages_never_panic(
        which in any::<proptest::sample::Index>(),
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let names = fixture_names();
        let mut bytes = fixture(which.get::<String>(&names));
        for (place, value) in damage {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        read_as_everything(&bytes);
    }

    #[test]
    fn what_is_well_formed_is_what_the_decoder_can_step_over(
        bytes in proptest::collection::vec(any::<u8>(), 0..64)
    ) {
        if check_well_formed(&bytes, DEPTH).is_ok() {
            let mut decoder = minicbor::Decoder::new(&bytes);
            prop_assert!(decoder.skip().is_ok());
            prop_assert_eq!(decoder.position(), bytes.len());
        }
    }
}
