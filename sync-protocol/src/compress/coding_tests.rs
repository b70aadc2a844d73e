//! Coded bodies: both ways, and everything that a hostile or broken sender may do.

use proptest::prelude::*;

use super::*;
use hazardloop_domain::hash::Digest;

const MOST: usize = 1024 * 1024;

fn body() -> Vec<u8> {
    "铝镁打磨除尘系统灰斗下口直接套编织袋，没有锁气卸灰阀。"
        .repeat(9)
        .into_bytes()
}

/// A frame of one block of one repeated byte: 4 bytes for up to 128 KiB.
fn bomb(size: u32, dictionary: Option<u16>) -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd];
    // Content's size in 4 bytes, one segment, the dictionary's number in 2 bytes where there is one.
    frame.push(0xa0 | if dictionary.is_some() { 2 } else { 0 });
    frame.extend(dictionary.into_iter().flat_map(u16::to_le_bytes));
    frame.extend(size.to_le_bytes());
    let mut left = size;
    while left > 0 {
        let part = left.min(128 * 1024);
        left -= part;
        let header = (part << 3) | 2 | u32::from(left == 0);
        frame.extend(header.to_le_bytes().iter().take(3));
        frame.push(b'a');
    }
    frame
}

#[test]
fn every_coding_gives_back_what_was_packed() {
    for coding in Coding::ALL {
        let coded = encode(coding, &body()).unwrap();
        assert!(
            coded.len() < body().len() / 4,
            "{coding:?}: {}",
            coded.len()
        );
        assert_eq!(decode(coding.name(), &coded, MOST).unwrap(), body());
        let lines = (0..4_000).map(|number| format!("{number}号除尘器的泄爆片未装。"));
        let long = lines.collect::<String>().into_bytes();
        let coded = encode(coding, &long).unwrap();
        assert_eq!(decode(coding.name(), &coded, MOST).unwrap(), long);
    }
}

/// What a release has sent stays readable, whatever later ones write: neither dictionaries nor frames change.
#[test]
fn bodies_that_were_coded_once_are_read_for_ever() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
    let mut read = std::collections::BTreeSet::new();
    for entry in std::fs::read_dir(format!("{fixtures}/coded")).unwrap() {
        let path = entry.unwrap().path();
        let (name, coding) = (path.file_stem().unwrap(), path.extension().unwrap());
        let plain = format!("{fixtures}/v1/{}.cbor", name.to_str().unwrap());
        let coded = std::fs::read(&path).unwrap();
        let decoded = decode(coding.to_str().unwrap(), &coded, MOST).unwrap();
        assert_eq!(decoded, std::fs::read(plain).unwrap(), "{}", path.display());
        read.insert(coding.to_str().unwrap().to_owned());
    }
    assert_eq!(read, Coding::ALL.map(|c| c.name().to_owned()).into());
}

#[test]
fn what_is_short_or_does_not_shrink_goes_as_it_is() {
    for coding in Coding::ALL {
        assert_eq!(encode(coding, &body()[..SHORTEST - 1]), None);
        let random: Vec<u8> = (0..40_u8)
            .flat_map(|seed| Digest::sha256(&[seed]).as_bytes().to_vec())
            .collect();
        assert_eq!(encode(coding, &random), None);
    }
}

#[test]
fn nobody_sends_what_would_be_taken_for_a_bomb() {
    // The largest command that a device may queue, of one letter: coded where it is read, else plain.
    for length in [64 * 1024, ALWAYS_ALLOWED, ALWAYS_ALLOWED + 1, 1_000_000] {
        let body = vec![b'a'; length];
        for coding in Coding::ALL {
            match encode(coding, &body) {
                Some(coded) => assert_eq!(decode(coding.name(), &coded, MOST).unwrap(), body),
                None => assert!(length > ALWAYS_ALLOWED),
            }
        }
    }
}

#[test]
fn the_dictionary_is_the_one_that_was_published() {
    // A dictionary that was ever used is never changed: bodies made with it would no longer be read.
    assert_eq!(
        Digest::sha256(REPORTS_ZH_1).to_string(),
        "1379cb96bf8e75284cfc3d23a12babde5c702c6c1daa71e932eea779f5ffad45"
    );
    assert_eq!(REPORTS_ZH_1[4..8], REPORTS_ZH_1_ID.to_le_bytes());
    assert_eq!(
        Digest::sha256(REPORTS_ZH_2).to_string(),
        "7d01db59f27ff8c385092bba97420f444107b2272bc6920238c74f61a0c572bc"
    );
    assert_eq!(REPORTS_ZH_2[4..8], REPORTS_ZH_2_ID.to_le_bytes());
    let readme = include_str!("../../dictionaries/README.md");
    for dictionary in [REPORTS_ZH_1, REPORTS_ZH_2] {
        assert!(readme.contains(&Digest::sha256(dictionary).to_string()));
    }
}

#[test]
fn a_coding_or_a_dictionary_that_is_not_here_is_named_in_the_refusal() {
    for name in ["hl-zh3", "gzip", "br", "", "zstd, hl-zh1", &"x".repeat(500)] {
        let refused = decode(name, &body(), MOST).unwrap_err();
        assert!(
            matches!(&refused, CodingError::Unknown(said) if name.starts_with(said.as_str()) && said.len() <= 64)
        );
    }
    assert_eq!(Coding::from_name("ZSTD"), Some(Coding::Zstd));
}

#[test]
fn a_frame_of_another_dictionary_is_refused_before_it_is_unpacked() {
    let with = [
        &frame::MAGIC[..],
        &encode(Coding::ReportsZh1, &body()).unwrap(),
    ]
    .concat();
    let without = encode(Coding::Zstd, &body()).unwrap();
    for (name, coded, stated, expected) in [
        ("zstd", &with, REPORTS_ZH_1_ID, 0),
        ("hl-zh1", &without[4..].to_vec(), 0, REPORTS_ZH_1_ID),
        (
            "hl-zh1",
            &bomb(1_000, Some(7))[4..].to_vec(),
            7,
            REPORTS_ZH_1_ID,
        ),
        ("hl-zh2", &with[4..].to_vec(), REPORTS_ZH_1_ID, 0),
    ] {
        let fault = FrameFault::Dictionary { stated, expected };
        assert_eq!(decode(name, coded, MOST), Err(fault.into()), "{name}");
    }
}

#[test]
fn bombs_are_refused_by_what_they_say_of_themselves() {
    assert_eq!(
        decode("zstd", &bomb(64 * 1024, None), MOST).unwrap(),
        vec![b'a'; 64 * 1024]
    );
    // More than the limit; more than any memory.
    for size in [2 * 1024 * 1024, u32::MAX] {
        let coded = bomb(size.min(4_000_000), None);
        let mut lies = coded;
        lies[5..9].copy_from_slice(&size.to_le_bytes());
        let refused = decode("zstd", &lies, MOST).unwrap_err();
        assert!(
            matches!(refused, CodingError::TooLarge { stated, .. } if stated == u64::from(size)),
            "{refused:?}"
        );
    }
    // More than so many times the body.
    let ratio = Err(FrameFault::Ratio.into());
    assert_eq!(decode("zstd", &bomb(900_000, None), MOST), ratio);
    let edge = u32::try_from(ALWAYS_ALLOWED).unwrap();
    assert!(decode("zstd", &bomb(edge, None), MOST).is_ok());
    assert_eq!(decode("zstd", &bomb(edge + 1, None), MOST), ratio);
    let most = CodingError::TooLarge {
        stated: 50_000,
        most: 49_999,
    };
    assert_eq!(decode("zstd", &bomb(50_000, None), 49_999), Err(most));
}

#[test]
fn a_frame_that_holds_more_or_less_than_it_says_is_damaged() {
    for stated in [999_u32, 1_001, 0, 40_000] {
        let mut coded = bomb(1_000, None);
        coded[5..9].copy_from_slice(&stated.to_le_bytes());
        assert_eq!(
            decode("zstd", &coded, MOST),
            Err(CodingError::Damaged),
            "{stated}"
        );
    }
}

#[test]
fn a_frame_without_its_size_with_a_huge_window_or_with_more_behind_it_is_refused() {
    // No single segment, no size: descriptor 0, a window of 1 KiB.
    let unstated = [&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x00][..], &[1, 0, 0]].concat();
    assert_eq!(
        decode("zstd", &unstated, MOST),
        Err(FrameFault::SizeUnstated.into())
    );
    // A window of 16 MiB, and a stated size of 300.
    let window = [0x28, 0xb5, 0x2f, 0xfd, 0x40, 14 << 3, 44, 0, 1, 0, 0];
    assert_eq!(
        decode("zstd", &window, MOST),
        Err(FrameFault::Window.into())
    );
    let mut two = encode(Coding::Zstd, &body()).unwrap();
    let one = two.clone();
    two.extend(&one);
    assert_eq!(decode("zstd", &two, MOST), Err(FrameFault::Trailing.into()));
    // A frame to be skipped, of no content.
    let mut skipped = one.clone();
    skipped.extend([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
    assert_eq!(
        decode("zstd", &skipped, MOST),
        Err(FrameFault::Trailing.into())
    );
    assert_eq!(decode("zstd", b"", MOST), Err(FrameFault::NotAFrame.into()));
    assert_eq!(
        decode("zstd", &body(), MOST),
        Err(FrameFault::NotAFrame.into())
    );
}

/// A body that ends with a signature, as a packed push does.
fn signed() -> Vec<u8> {
    let mut body: Vec<u8> = body().into_iter().take(81).collect();
    for seed in [1, 2, 3] {
        body.extend(Digest::sha256(&[seed]).as_bytes());
    }
    body
}

#[test]
fn what_follows_a_frame_is_the_rest_of_the_body_within_the_limit() {
    let coded = encode(Coding::ReportsZh2, &signed()).unwrap();
    let rest = &signed()[signed().len() - 64..];
    assert!(coded.ends_with(rest), "the signature goes as it is");
    assert_eq!(decode("hl-zh2", &coded, signed().len()).unwrap(), signed());
    let most = signed().len() - 1;
    let refused = CodingError::TooLarge {
        stated: signed().len() as u64,
        most,
    };
    assert_eq!(decode("hl-zh2", &coded, most), Err(refused));
    // Nothing but a rest is no body: there is a frame.
    assert!(decode("hl-zh2", rest, MOST).is_err());
    // What is cut off at the end is missing in the content: its reader sees that.
    let cut = decode("hl-zh2", &coded[..coded.len() - 1], MOST).unwrap();
    assert_eq!(cut, signed()[..signed().len() - 1]);
}

#[test]
fn a_frame_cut_anywhere_is_an_error() {
    for coding in Coding::ALL {
        let coded = encode(coding, &body()).unwrap();
        for end in 0..coded.len() {
            assert!(
                decode(coding.name(), &coded[..end], MOST).is_err(),
                "{coding:?} at {end}"
            );
        }
    }
}

#[test]
fn what_is_offered_and_what_is_not() {
    for (accepted, best) in [
        (Coding::ACCEPTED, Some(Coding::ReportsZh2)),
        ("hl-zh1, zstd", Some(Coding::ReportsZh1)),
        ("zstd", Some(Coding::Zstd)),
        ("gzip, deflate, br, zstd", Some(Coding::Zstd)),
        ("hl-zh1;q=0, zstd;q=0.5", Some(Coding::Zstd)),
        ("HL-ZH1 ; q=1.0", Some(Coding::ReportsZh1)),
        ("zstd;q=0.000", None),
        ("*", None),
        ("gzip", None),
        ("", None),
    ] {
        assert_eq!(Coding::best_of(accepted), best, "{accepted}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_read_within_bounds(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        with_magic in any::<bool>(),
        name in prop_oneof![Just("zstd"), Just("hl-zh1"), Just("hl-zh2"), Just("gzip")],
    ) {
        let mut coded = if with_magic { vec![0x28, 0xb5, 0x2f, 0xfd] } else { Vec::new() };
        coded.extend(bytes);
        if let Ok(read) = decode(name, &coded, 5_000) {
            prop_assert!(read.len() <= 5_000);
        }
    }

    #[test]
    fn a_frame_with_changed_bytes_never_gives_more_than_it_may(at in 0_usize..200, to in any::<u8>()) {
        for coding in Coding::ALL {
            let mut coded = encode(coding, &body()).unwrap();
            let at = at % coded.len();
            coded[at] = to;
            if let Ok(read) = decode(coding.name(), &coded, 5_000) {
                prop_assert!(read.len() <= 5_000);
            }
        }
    }
}
