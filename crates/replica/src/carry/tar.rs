//! The one tar header (POSIX ustar) that a carried file has. Nothing in it is left to a machine, so that headers are compared and never
//! interpreted, but for the size of the first.

/// Headers, and what files are padded to.
pub(super) const BLOCK: usize = 512;

/// Two blocks of zeros end a tar.
pub(super) const END: usize = 2 * BLOCK;

pub(super) type Block = [u8; BLOCK];

/// The last second, and the largest size, that eleven octal digits hold.
pub(super) const MOST_NUMBER: u64 = 0o77_777_777_777;

const NAME: usize = 100;
const SIZE: std::ops::Range<usize> = 124..136;
const CHECKSUM: usize = 148;

/// The header of a regular file that everybody may read, owned by root. `path` fits: names have at most 100 bytes, folders 155.
pub(super) fn header(path: &str, size: u64, time: u64) -> Block {
    let (prefix, name) = if path.len() <= NAME { ("", path) } else { path.rsplit_once('/').unwrap_or(("", path)) };
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(place) = block.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    };
    put(0, name.as_bytes());
    put(100, b"0000644\x000000000\x000000000\0");
    put(SIZE.start, format!("{:011o}", size.min(MOST_NUMBER)).as_bytes());
    put(136, format!("{:011o}", time.min(MOST_NUMBER)).as_bytes());
    put(CHECKSUM, b"        0");
    put(257, b"ustar\x0000root");
    put(297, b"root");
    put(329, b"0000000\x000000000");
    put(345, prefix.as_bytes());
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    let sum = format!("{sum:06o}\0 ");
    block[CHECKSUM..CHECKSUM + 8].copy_from_slice(sum.as_bytes());
    block
}

/// The size that a header claims, if it is one of ours up to that.
pub(super) fn claimed_size(block: &Block, path: &str) -> Option<u64> {
    let text = std::str::from_utf8(block.get(SIZE)?).ok()?.strip_suffix('\0')?;
    let size = u64::from_str_radix(text, 8).ok()?;
    (header(path, size, 0) == *block).then_some(size)
}

/// Bytes of zeros after a file of this size.
pub(super) fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    (BLOCK - over) % BLOCK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_a_header_has_no_room_for_stays_the_largest() {
        let most = header("a", 0o77_777_777_777, 0o77_777_777_777);
        assert_eq!(claimed_size(&header("a", 0o77_777_777_777, 0), "a"), Some(0o77_777_777_777));
        assert_eq!((most[135], most[147]), (0, 0), "each number ends within its field");
        assert!(header("a", u64::MAX, u64::MAX) == most && header("a", 1 << 33, 1 << 33) == most);
        assert!(header("a", 0o77_777_777_776, u64::MAX) != most && header("a", u64::MAX, 0o77_777_777_776) != most);
    }
}
