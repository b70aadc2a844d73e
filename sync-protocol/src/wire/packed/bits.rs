//! Bits one after the other, the highest of a byte first.

use super::super::ColumnsError;

/// Bits to be written.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// Bits of the last byte that are taken, 0 to 7.
    taken: u32,
}

impl BitWriter {
    /// Appends the lowest `count` bits of `number`, the highest of them first.
    pub(super) fn put(&mut self, number: u128, count: u32) {
        let mut left = count;
        while left > 0 {
            if self.taken == 0 {
                self.bytes.push(0);
            }
            let some = left.min(8 - self.taken);
            left -= some;
            let bits = u8::try_from((number >> left) & ((1 << some) - 1)).unwrap_or_default();
            if let Some(last) = self.bytes.last_mut() {
                *last |= bits << (8 - self.taken - some);
            }
            self.taken = (self.taken + some) % 8;
        }
    }

    pub(super) fn put_bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.put(u128::from(*byte), 8);
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Bits to be read.
#[derive(Debug)]
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next `count` bits, at most 128.
    pub(super) fn take(&mut self, count: u32) -> Result<u128, ColumnsError> {
        let (mut number, mut left) = (0_u128, count);
        while left > 0 {
            let byte = self.bytes.get(self.at / 8).ok_or(ColumnsError::Damaged)?;
            let taken = u32::try_from(self.at % 8).unwrap_or_default();
            let some = left.min(8 - taken);
            left -= some;
            let bits =
                (byte >> (8 - taken - some)) & u8::try_from((1_u32 << some) - 1).unwrap_or(u8::MAX);
            number = (number << some) | u128::from(bits);
            self.at += some as usize;
        }
        Ok(number)
    }

    pub(super) fn take_bytes(&mut self, count: usize) -> Result<Vec<u8>, ColumnsError> {
        let left = self.bytes.len().saturating_mul(8).saturating_sub(self.at);
        if count > left / 8 {
            return Err(ColumnsError::Damaged);
        }
        let mut bytes = Vec::with_capacity(count);
        for _ in 0..count {
            bytes.push(u8::try_from(self.take(8)?).unwrap_or_default());
        }
        Ok(bytes)
    }

    /// Whether nothing is left but the zeros that fill the last byte.
    pub(super) fn is_done(&mut self) -> bool {
        let left = self.bytes.len().saturating_mul(8).saturating_sub(self.at);
        left < 8 && self.take(u32::try_from(left).unwrap_or(8)) == Ok(0)
    }
}
