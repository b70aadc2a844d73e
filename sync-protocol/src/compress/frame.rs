//! The header of a zstd frame (RFC 8878, 3.1.1.1), read before anything is unpacked.

/// What every frame begins with.
pub(super) const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Why a frame is none that may be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    /// No zstd frame, or its header breaks off.
    #[error("no zstd frame")]
    NotAFrame,
    /// The frame does not say how much it holds.
    #[error("the frame does not state its content's size")]
    SizeUnstated,
    /// It was made with another dictionary than the coding's.
    #[error("made with dictionary {stated}, where the coding has {expected} (0: none)")]
    Dictionary {
        /// The number in the frame; 0: none.
        stated: u32,
        /// The number of the coding's dictionary; 0: none.
        expected: u32,
    },
    /// Its window is larger than a receiver keeps.
    #[error("the frame's window is too large")]
    Window,
    /// It says that it holds far more than its bytes can honestly stand for.
    #[error("the frame states more content than a message of its length has")]
    Ratio,
    /// Bytes follow the frame.
    #[error("bytes follow the frame")]
    Trailing,
}

/// What a frame says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Bytes of the content.
    pub content: u64,
    /// Number of the dictionary; 0: none.
    pub dictionary_id: u32,
    /// The window's size, as a power of two, rounded up; 0: the content itself is the window.
    pub window_log: u32,
}

impl Header {
    /// Reads the header at the beginning of `body`.
    pub(super) fn of(body: &[u8]) -> Result<Self, FrameFault> {
        let rest = body.strip_prefix(&MAGIC).ok_or(FrameFault::NotAFrame)?;
        let (descriptor, mut rest) = rest.split_first().ok_or(FrameFault::NotAFrame)?;
        let single_segment = descriptor & 0x20 != 0;
        if descriptor & 0x08 != 0 {
            return Err(FrameFault::NotAFrame);
        }
        let window_log = if single_segment {
            0
        } else {
            let window = take(&mut rest, 1)?;
            10 + u32::try_from(window >> 3).unwrap_or(u32::MAX - 11) + u32::from(window & 7 != 0)
        };
        let id_bytes = [0, 1, 2, 4];
        let id_bytes = id_bytes.get(usize::from(descriptor & 3)).copied();
        let dictionary_id = take(&mut rest, id_bytes.unwrap_or_default())?;
        let content = match (descriptor >> 6, single_segment) {
            (0, false) => return Err(FrameFault::SizeUnstated),
            (0, true) => take(&mut rest, 1)?,
            (1, _) => take(&mut rest, 2)? + 256,
            (2, _) => take(&mut rest, 4)?,
            _ => take(&mut rest, 8)?,
        };
        Ok(Self {
            content,
            dictionary_id: u32::try_from(dictionary_id).unwrap_or(u32::MAX),
            window_log,
        })
    }
}

/// The next bytes as a number, little-endian.
fn take(rest: &mut &[u8], bytes: usize) -> Result<u64, FrameFault> {
    let (number, after) = rest.split_at_checked(bytes).ok_or(FrameFault::NotAFrame)?;
    *rest = after;
    let value = number
        .iter()
        .rev()
        .fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
    Ok(value)
}
