//! Coded bodies: zstd (RFC 8878), with or without a named dictionary, bounded before anything is unpacked.
//!
//! A coding is an HTTP content coding of the whole body. Who does not know one answers
//! [`CodingError::Unknown`], and the sender goes on without: nothing ever depends on a dictionary.

use std::borrow::Cow;

#[cfg(all(test, feature = "zstd"))]
mod coding_tests;
mod frame;
#[cfg(feature = "zstd")]
mod zstd_coder;

pub use frame::FrameFault;

/// The dictionary of [`Coding::ReportsZh1`]; never changed, see `dictionaries/README.md`.
pub const REPORTS_ZH_1: &[u8] = include_bytes!("../../dictionaries/reports-zh-1.dict");
/// Its number, as the frames say that were made with it.
pub const REPORTS_ZH_1_ID: u32 = 33_001;

/// The dictionary of [`Coding::ReportsZh2`]; never changed either.
pub const REPORTS_ZH_2: &[u8] = include_bytes!("../../dictionaries/reports-zh-2.dict");
/// Its number. Frames do not say it: the coding does.
pub const REPORTS_ZH_2_ID: u32 = 33_002;

/// Most bytes that one byte of a coded body may stand for, beyond [`ALWAYS_ALLOWED`].
pub const MOST_TIMES: usize = 256;
/// So many bytes may come of any body: what is short packs well.
pub const ALWAYS_ALLOWED: usize = 128 * 1024;
/// Largest window of a frame, as a power of two (8 MiB; RFC 9659).
pub const WINDOW_LOG: u32 = 23;
/// Bytes at the end of a body that a sender tries to leave out of the frame of [`Coding::ReportsZh2`]: a signature and
/// more, of which random bits of new ids are a part.
const RESTS: [usize; 16] = [
    0, 64, 68, 72, 76, 80, 84, 88, 92, 96, 100, 104, 108, 112, 116, 120,
];
/// In longer bodies it does not try.
const LONGEST_WITH_REST: usize = 1024;
/// Shorter bodies are not worth the work.
pub const SHORTEST: usize = 128;

/// How a body is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Coding {
    /// zstd without a dictionary.
    Zstd,
    /// zstd with the dictionary [`REPORTS_ZH_1`], and without the four bytes that every frame begins with.
    ReportsZh1,
    /// A frame as in [`Coding::ReportsZh1`], with the dictionary [`REPORTS_ZH_2`] and without its number; what follows
    /// the frame is the rest of the body as it is: bits that no coding shortens.
    ReportsZh2,
}

/// Why a coded body cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodingError {
    /// The receiver does not have this coding, or this dictionary.
    #[error("content coding {0:?} is not known here; send the body without")]
    Unknown(String),
    /// The body unpacks to more than it may.
    #[error("the body would unpack to {stated} bytes, more than {most}")]
    TooLarge {
        /// Bytes that it says it has.
        stated: u64,
        /// Bytes allowed.
        most: usize,
    },
    /// The frame is not one that may be sent.
    #[error("the coded body cannot be read: {0}")]
    Frame(#[from] FrameFault),
    /// The frame breaks off, or holds something else than it says.
    #[error("the coded body is damaged or cut short")]
    Damaged,
}

impl Coding {
    /// Every coding, best first.
    pub const ALL: [Self; 3] = [Self::ReportsZh2, Self::ReportsZh1, Self::Zstd];

    /// What a sender that offers everything puts into `Accept-Encoding`.
    pub const ACCEPTED: &'static str = "hl-zh2, hl-zh1, zstd";

    /// The token in `Content-Encoding` and `Accept-Encoding`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::ReportsZh1 => "hl-zh1",
            Self::ReportsZh2 => "hl-zh2",
        }
    }

    /// The coding of this name, if this build can read it.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut known = Self::ALL.into_iter();
        known.find(|coding| cfg!(feature = "zstd") && name.eq_ignore_ascii_case(coding.name()))
    }

    /// The best coding that an `Accept-Encoding` offers; none: the body goes as it is. A wildcard offers
    /// nothing: a dictionary must be named.
    pub fn best_of(accepted: &str) -> Option<Self> {
        let offers = |coding: &Self| {
            accepted.split(',').any(|offer| {
                let mut parts = offer.split(';').map(str::trim);
                let named = parts.next().and_then(Self::from_name) == Some(*coding);
                named && !parts.any(is_zero)
            })
        };
        Self::ALL.into_iter().find(offers)
    }

    /// The number that a frame must state; 0: none.
    const fn dictionary_id(self) -> u32 {
        match self {
            Self::Zstd | Self::ReportsZh2 => 0,
            Self::ReportsZh1 => REPORTS_ZH_1_ID,
        }
    }
}

/// `q=0`, in any spelling of RFC 9110: this coding is not wanted.
fn is_zero(weight: &str) -> bool {
    let value = weight
        .strip_prefix("q=")
        .or_else(|| weight.strip_prefix("Q="));
    value.is_some_and(|q| q.trim().chars().all(|digit| matches!(digit, '0' | '.')))
}

/// The body as it came, by the name in its `Content-Encoding`; `most` bounds what comes of it.
///
/// # Errors
/// [`CodingError`]; nothing is unpacked, and no memory taken, before the frame's own size is known to be
/// within bounds.
pub fn decode(name: &str, body: &[u8], most: usize) -> Result<Vec<u8>, CodingError> {
    let Some(coding) = Coding::from_name(name) else {
        return Err(CodingError::Unknown(name.chars().take(64).collect()));
    };
    let framed: Cow<'_, [u8]> = match coding {
        Coding::Zstd => Cow::Borrowed(body),
        Coding::ReportsZh1 | Coding::ReportsZh2 => Cow::Owned([&frame::MAGIC, body].concat()),
    };
    let frame = frame::Header::of(&framed)?;
    if frame.dictionary_id != coding.dictionary_id() {
        return Err(FrameFault::Dictionary {
            stated: frame.dictionary_id,
            expected: coding.dictionary_id(),
        }
        .into());
    }
    if frame.window_log > WINDOW_LOG {
        return Err(FrameFault::Window.into());
    }
    let size = usize::try_from(frame.content).ok();
    let Some(size) = size.filter(|size| *size <= most) else {
        return Err(CodingError::TooLarge {
            stated: frame.content,
            most,
        });
    };
    if !is_proportionate(body.len(), size) {
        return Err(FrameFault::Ratio.into());
    }
    let (frame, rest) = parts(&framed)?;
    if coding != Coding::ReportsZh2 {
        return match rest {
            [] => unpack(coding, frame, size),
            _ => Err(FrameFault::Trailing.into()),
        };
    }
    let whole = size.saturating_add(rest.len());
    if whole > most {
        let stated = whole as u64;
        return Err(CodingError::TooLarge { stated, most });
    }
    let mut content = unpack(coding, frame, size)?;
    content.extend_from_slice(rest);
    Ok(content)
}

/// The body coded; `None` where that does not make it shorter, would be taken for a bomb, or this build cannot.
pub fn encode(coding: Coding, body: &[u8]) -> Option<Vec<u8>> {
    if body.len() < SHORTEST {
        return None;
    }
    let coded = match coding {
        Coding::Zstd => pack(coding, body)?,
        Coding::ReportsZh1 => pack(coding, body)?.strip_prefix(&frame::MAGIC)?.to_vec(),
        Coding::ReportsZh2 => shortest_with_rest(body)?,
    };
    Some(coded)
        .filter(|coded| coded.len() < body.len() && is_proportionate(coded.len(), body.len()))
}

/// The frame of the beginning and the rest as it is, where they are shortest together. In a short body random bytes at
/// the end would spoil what is known of the others; in a long one the frame's own blocks keep them apart.
fn shortest_with_rest(body: &[u8]) -> Option<Vec<u8>> {
    let mut shortest: Option<Vec<u8>> = None;
    for rest in RESTS {
        let Some((coded, rest)) = body.split_at_checked(body.len().saturating_sub(rest)) else {
            continue;
        };
        if !rest.is_empty() && (body.len() > LONGEST_WITH_REST || coded.is_empty()) {
            continue;
        }
        let frame = pack(Coding::ReportsZh2, coded)?;
        let coded = [frame.strip_prefix(&frame::MAGIC)?, rest].concat();
        if shortest
            .as_ref()
            .is_none_or(|shortest| coded.len() < shortest.len())
        {
            shortest = Some(coded);
        }
    }
    shortest
}

/// Whether so many bytes may come of so many coded ones.
fn is_proportionate(coded: usize, content: usize) -> bool {
    content <= coded.saturating_mul(MOST_TIMES).max(ALWAYS_ALLOWED)
}

#[cfg(feature = "zstd")]
use zstd_coder::{pack, parts, unpack};

#[cfg(not(feature = "zstd"))]
fn unpack(coding: Coding, _: &[u8], _: usize) -> Result<Vec<u8>, CodingError> {
    Err(CodingError::Unknown(coding.name().to_owned()))
}

#[cfg(not(feature = "zstd"))]
fn parts(framed: &[u8]) -> Result<(&[u8], &[u8]), CodingError> {
    Ok((framed, &[]))
}

#[cfg(not(feature = "zstd"))]
fn pack(_: Coding, _: &[u8]) -> Option<Vec<u8>> {
    None
}
