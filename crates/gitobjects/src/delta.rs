//! An object that is told by what it has in common with another one.

use crate::object::{MOST_BYTES, TOO_LARGE};

/// Applies a delta to its base.
pub(crate) fn apply(base: &[u8], delta: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut rest = delta;
    if number(&mut rest)? != base.len() {
        return Err("its base has another length");
    }
    let length = number(&mut rest)?;
    if length > MOST_BYTES {
        return Err(TOO_LARGE);
    }
    let mut out = Vec::with_capacity(length);
    while let Some((&instruction, more)) = rest.split_first() {
        rest = more;
        if instruction & 0x80 != 0 {
            let mut field = |bits: std::ops::Range<u8>| -> Result<usize, &'static str> {
                let mut value = 0;
                for (at, bit) in bits.enumerate() {
                    if instruction & (1 << bit) != 0 {
                        let (&byte, more) = rest.split_first().ok_or(CUT)?;
                        rest = more;
                        value |= usize::from(byte) << (8 * at);
                    }
                }
                Ok(value)
            };
            let start = field(0..4)?;
            let size = match field(4..7)? {
                0 => 0x10000,
                size => size,
            };
            let end = start.checked_add(size).ok_or(OUTSIDE)?;
            out.extend_from_slice(base.get(start..end).ok_or(OUTSIDE)?);
        } else if instruction == 0 {
            return Err("its delta has an instruction that is not defined");
        } else {
            let (new, more) = rest.split_at_checked(usize::from(instruction)).ok_or(CUT)?;
            rest = more;
            out.extend_from_slice(new);
        }
        if out.len() > length {
            return Err("its delta makes more than it says");
        }
    }
    if out.len() == length { Ok(out) } else { Err(CUT) }
}

const CUT: &str = "its delta is cut off";
const OUTSIDE: &str = "its delta copies from outside of its base";

/// A length: seven bits per byte, the lowest first.
fn number(rest: &mut &[u8]) -> Result<usize, &'static str> {
    let mut value = 0_usize;
    for shift in (0..63).step_by(7) {
        let (&byte, more) = rest.split_first().ok_or(CUT)?;
        *rest = more;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("its delta has a length that no object has")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_and_inserts() {
        // 5 bytes → 6: copy 3 from 1, insert "xyz".
        assert_eq!(apply(b"abcde", &[5, 6, 0x91, 1, 3, 3, b'x', b'y', b'z']).unwrap(), b"bcdxyz");
    }

    #[test]
    fn no_delta_reads_outside_or_grows_without_end() {
        for delta in [
            &[4, 1, 1, b'x'][..],
            &[5, 3, 0x91, 3, 3],
            &[5, 2, 0x91, 1, 3],
            &[5, 4, 3, b'x'],
            &[5, 1, 0],
            &[5, 9, 0x91, 1],
            &[5],
            &[],
            &[5, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[5, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x91, 1, 3],
        ] {
            assert!(apply(b"abcde", delta).is_err(), "{delta:?}");
        }
    }
}
