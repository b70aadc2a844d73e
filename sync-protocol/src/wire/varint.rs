//! Numbers in as few bytes as they need: seven bits a byte, the lowest first, the top bit where more follow.

use super::ColumnsError;

/// Appends a number.
pub(super) fn put(to: &mut Vec<u8>, number: u64) {
    put_wide(to, u128::from(number));
}

/// Appends a number of at most 70 bits.
pub(super) fn put_wide(to: &mut Vec<u8>, number: u128) {
    each_byte(number, |byte| to.push(byte));
}

/// The bytes of a number of at most 70 bits, one after the other.
pub(super) fn each_byte(mut number: u128, mut take: impl FnMut(u8)) {
    while number > 0x7f {
        take(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
        number >>= 7;
    }
    take(u8::try_from(number).unwrap_or_default());
}

/// Appends a number with its sign: twice its amount, and one less where it is negative.
pub(super) fn put_signed(to: &mut Vec<u8>, number: i128) {
    let twice = number.unsigned_abs() << 1;
    put_wide(to, if number < 0 { twice - 1 } else { twice });
}

/// What is left to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'a>(pub &'a [u8]);

impl<'a> Reading<'a> {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn number(&mut self) -> Result<u64, ColumnsError> {
        u64::try_from(self.wide()?).map_err(|_| ColumnsError::Damaged)
    }

    /// At most 70 bits, as any difference of two CBOR numbers needs.
    pub(super) fn wide(&mut self) -> Result<u128, ColumnsError> {
        let (mut number, mut shift) = (0_u128, 0_u32);
        loop {
            let (byte, rest) = self.0.split_first().ok_or(ColumnsError::Damaged)?;
            self.0 = rest;
            number |= u128::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                // One spelling for each number.
                let padded = *byte == 0 && shift > 0;
                return if padded {
                    Err(ColumnsError::Damaged)
                } else {
                    Ok(number)
                };
            }
            shift += 7;
            if shift > 63 {
                return Err(ColumnsError::Damaged);
            }
        }
    }

    pub(super) fn signed(&mut self) -> Result<i128, ColumnsError> {
        let twice = self.wide()?;
        let amount = i128::try_from(twice.div_ceil(2)).map_err(|_| ColumnsError::Damaged)?;
        Ok(if twice & 1 == 1 { -amount } else { amount })
    }

    pub(super) fn bytes(&mut self, length: u64) -> Result<&'a [u8], ColumnsError> {
        let length = usize::try_from(length).map_err(|_| ColumnsError::Damaged)?;
        let (bytes, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(ColumnsError::Damaged)?;
        self.0 = rest;
        Ok(bytes)
    }
}
