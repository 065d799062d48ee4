//! Classes of characters, on bytes. Line breaks of YAML 1.1 (NEL, LS, PS) take more than one byte, so most questions are
//! asked of a position in the input.

use super::Scanner;

/// `[0-9A-Za-z_-]`
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// Value of a hexadecimal digit.
pub(super) fn hex(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(16)
}

/// Number of bytes of the character that starts with `lead`.
pub(super) fn width(lead: u8) -> usize {
    match lead {
        0x00..=0x7f => 1,
        0x80..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    }
}

/// Characters that a tag can be made of, besides words. `verbatim` tags (`!<…>`) and prefixes take flow indicators too.
pub(super) fn is_tag_punctuation(byte: u8, flow_indicators: FlowIndicators) -> bool {
    match byte {
        b';' | b'/' | b'?' | b':' | b'@' | b'&' | b'=' | b'+' | b'$' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'('
        | b')' | b'%' => true,
        b',' | b'[' | b']' => flow_indicators != FlowIndicators::None,
        b'{' | b'}' => flow_indicators == FlowIndicators::All,
        _ => false,
    }
}

/// Which of `,[]{}` a tag may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FlowIndicators {
    None,
    /// `,[]`, as v2 and v3 have it.
    Some,
    All,
}

impl Scanner<'_> {
    /// The byte at `at`; zero past the end.
    #[inline]
    pub(super) fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// The byte at the position.
    #[inline]
    pub(super) fn here(&self) -> u8 {
        self.byte(self.at)
    }

    /// Number of bytes of the line break at `at`, zero if there is none.
    #[inline]
    pub(super) fn break_width(&self, at: usize) -> usize {
        match self.byte(at) {
            b'\n' => 1,
            b'\r' => 1 + usize::from(self.byte(at + 1) == b'\n'),
            0xc2 if self.byte(at + 1) == 0x85 => 2,
            0xe2 if self.byte(at + 1) == 0x80 && matches!(self.byte(at + 2), 0xa8 | 0xa9) => 3,
            _ => 0,
        }
    }

    #[inline]
    pub(super) fn is_break(&self, at: usize) -> bool {
        self.break_width(at) > 0
    }

    #[inline]
    pub(super) fn is_blank(&self, at: usize) -> bool {
        matches!(self.byte(at), b' ' | b'\t')
    }

    /// A line break or the end.
    #[inline]
    pub(super) fn is_break_or_end(&self, at: usize) -> bool {
        self.byte(at) == 0 || self.is_break(at)
    }

    /// A space, a tab, a line break or the end.
    #[inline]
    pub(super) fn is_blank_or_end(&self, at: usize) -> bool {
        self.is_blank(at) || self.is_break_or_end(at)
    }
}
