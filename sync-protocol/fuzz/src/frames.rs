//! Several inputs in one: each with two bytes of length before it, big-endian.

/// The inputs, in order; the last may be shorter than it says.
pub fn of(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut frames = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (frame, after) = rest.split_at(length);
        frames.push(frame);
        bytes = after;
    }
    frames
}

/// The other way round, for seeds. What is longer than a frame can be is cut.
pub fn join<'a>(frames: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut joined = Vec::new();
    for frame in frames {
        let length = u16::try_from(frame.len()).unwrap_or(u16::MAX);
        joined.extend(length.to_be_bytes());
        joined.extend(frame.iter().take(usize::from(length)));
    }
    joined
}
