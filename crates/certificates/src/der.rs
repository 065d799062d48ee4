//! As much DER as it takes to find the public half of a private key.

/// Reads one value after the other.
pub(crate) struct Values<'d>(pub(crate) &'d [u8]);

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;

/// The tag of an explicit field of a structure.
pub(crate) const fn field(number: u8) -> u8 {
    0xa0 | number
}

impl<'d> Values<'d> {
    /// The next value, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Option<&'d [u8]> {
        let (found, content) = self.next()?;
        (found == tag).then_some(content)
    }
}

impl<'d> Iterator for Values<'d> {
    /// Tag and content.
    type Item = (u8, &'d [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (tag, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(*first), rest),
            // Four bytes of length are more than any file that is read here has.
            0x81..=0x84 => {
                let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, content))
    }
}

/// A value with this tag and content.
pub(crate) fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = crate::certificate::without_zeros(&length);
    let mut out = vec![tag];
    match *length {
        [] => out.push(0),
        [short] if short < 0x80 => out.push(short),
        _ => {
            // At most eight bytes of length, so this fits.
            out.push(0x80 | length.len() as u8);
            out.extend_from_slice(length);
        }
    }
    out.extend_from_slice(content);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_all_lengths_are_read_as_written() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x1_0000] {
            let content = vec![7; length];
            let written = [value(SEQUENCE, &content), value(INTEGER, &[1])].concat();
            let mut values = Values(&written);
            assert_eq!(values.expect(SEQUENCE), Some(content.as_slice()), "{length}");
            assert_eq!(values.next(), Some((INTEGER, [1].as_slice())));
            assert_eq!(values.next(), None);
        }
    }

    #[test]
    fn what_is_cut_off_or_lies_about_its_length_is_nothing() {
        for bytes in
            [&[0x30][..], &[0x30, 5, 1], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0x30, 0x80, 0, 0], &[0x30, 0x82, 1]]
        {
            assert_eq!(Values(bytes).next(), None);
        }
    }
}
