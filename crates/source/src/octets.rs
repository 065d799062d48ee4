//! Bytes that are not UTF-8, in a text. Go's strings hold any bytes, and its YAML readers refuse such ones where they meet them; until then they
//! stand in a text as marks. UTF-16 is decoded where go-yaml does so.

use std::borrow::Cow;
use std::fmt::Display;

use crate::Position;

/// A mark is this and the byte: private characters at the end of Unicode, which nobody uses.
const FIRST: u32 = 0x10_ff00;

/// The first byte of every mark, and of few other characters.
const LEAD: u8 = 0xf4;

/// What go-yaml finds wrong in UTF-16, each with the character that stands for it: the first ones of those that marks begin with, for no byte that
/// a mark is needed for is so low.
const FAULTS: [&str; 4] = [
    "incomplete UTF-16 character",
    "unexpected low surrogate area",
    "incomplete UTF-16 surrogate pair",
    "expected low surrogate area",
];

/// What to do with a file that is not UTF-8 and has to be.
pub const WAY_OUT: &str =
    "save the file as UTF-8; an editor shows its encoding, and `iconv -t UTF-8 -f ENCODING` changes it";

/// The first byte that is no part of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stray {
    pub offset: usize,
    pub position: Position,
    pub byte: u8,
}

impl Stray {
    /// What is said of the file, which is called `name`.
    #[must_use]
    pub fn told(self, name: &dyn Display) -> String {
        let Position { line, column } = self.position;
        format!("`{name}:{line}:{column}` is not UTF-8: the byte `{:02x}`", self.byte)
    }
}

/// The text that bytes are.
///
/// # Errors
/// The first byte that shows that they are none.
pub fn text(bytes: &[u8]) -> Result<&str, Stray> {
    std::str::from_utf8(bytes).map_err(|error| {
        let (before, rest) = bytes.split_at(error.valid_up_to());
        let before = String::from_utf8_lossy(before);
        let line = before.rsplit('\n').next().unwrap_or_default();
        let row = before.matches('\n').count() + 1;
        // As places of a source map are counted.
        let column = line.trim_start_matches('\u{feff}').chars().count() + 1;
        let byte = rest.first().copied().unwrap_or_default();
        Stray { offset: error.valid_up_to(), position: Position { line: row, column }, byte }
    })
}

/// The text of bytes, with a mark for each that is no part of a character.
#[must_use]
pub fn marked(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && first_mark(text).is_none()
    {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len() * 2);
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            // What would be taken for a mark is marked itself, byte by byte.
            match is_mark(character) {
                true => mark(character.encode_utf8(&mut [0; 4]).as_bytes(), &mut text),
                false => text.push(character),
            }
        }
        mark(chunk.invalid(), &mut text);
    }
    Cow::Owned(text)
}

fn mark(bytes: &[u8], text: &mut String) {
    text.extend(bytes.iter().filter_map(|byte| char::from_u32(FIRST + u32::from(*byte))));
}

/// Whether go-yaml takes bytes for UTF-16: by their byte order mark.
#[must_use]
pub fn is_utf_16(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff])
}

/// The text that go-yaml reads of bytes: [`marked`], but UTF-16 is decoded, with its byte order mark.
#[must_use]
pub fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    if !is_utf_16(bytes) {
        return marked(bytes);
    }
    let read = if bytes[0] == 0xff { u16::from_le_bytes } else { u16::from_be_bytes };
    let mut text = String::with_capacity(bytes.len());
    let mut fault = (bytes.len() % 2 == 1).then_some(0);
    let units = bytes.chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
    let mut at = 0;
    for character in char::decode_utf16(units.clone()) {
        match character {
            Ok(character) => {
                text.push(character);
                at += character.len_utf16();
            }
            // Nothing is read beyond the first fault.
            Err(error) => {
                let is_last = at + 1 == units.len();
                fault = Some(match error.unpaired_surrogate() {
                    0xdc00.. => 1,
                    _ if is_last => 2,
                    _ => 3,
                });
                break;
            }
        }
    }
    text.extend(fault.and_then(|fault| char::from_u32(FIRST + fault)));
    Cow::Owned(text)
}

/// [`decoded`] of a text with marks.
#[must_use]
pub fn decoded_text(text: &str) -> Cow<'_, str> {
    // Few texts begin so.
    if text.as_bytes().first() != Some(&LEAD) {
        return Cow::Borrowed(text);
    }
    match unmarked(text) {
        bytes if is_utf_16(&bytes) => Cow::Owned(decoded(&bytes).into_owned()),
        _ => Cow::Borrowed(text),
    }
}

/// What go-yaml says of the UTF-16 that ends with this character; see [`decoded`].
#[must_use]
pub fn fault(character: char) -> Option<&'static str> {
    FAULTS.get(usize::try_from(u32::from(character).checked_sub(FIRST)?).ok()?).copied()
}

/// Whether this character of [`decoded`] stands for an end that is missing, which go-yaml finds only when it wants to read on.
#[must_use]
pub fn is_cut(character: char) -> bool {
    matches!(u32::from(character).checked_sub(FIRST), Some(0 | 2))
}

/// Where the first mark stands.
#[must_use]
pub fn first_mark(text: &str) -> Option<usize> {
    memchr::memchr_iter(LEAD, text.as_bytes()).find(|at| text[*at..].starts_with(is_mark))
}

/// The bytes of a text with marks.
#[must_use]
pub fn unmarked(text: &str) -> Cow<'_, [u8]> {
    if first_mark(text).is_none() {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match byte(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(bytes)
}

/// The text with what Go decodes such bytes to, where it looks at characters.
#[must_use]
pub fn replaced(text: &str) -> Cow<'_, str> {
    if first_mark(text).is_none() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(with_replacements(&unmarked(text)).into_owned())
}

/// The characters that Go sees in bytes: U+FFFD for each byte that is no part of one. (The standard library has one for several.)
#[must_use]
pub fn with_replacements(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Cow::Owned(text)
}

/// Whether a character stands for something that is none.
#[must_use]
pub fn is_mark(character: char) -> bool {
    byte(character).is_some() || fault(character).is_some()
}

/// The byte that a mark stands for: none below 0x80 needs one.
#[must_use]
pub fn byte(character: char) -> Option<u8> {
    u8::try_from(u32::from(character).checked_sub(FIRST)?).ok().filter(|byte| *byte >= 0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_as_marks() {
        for bytes in [&b"caf\xe9"[..], b"\xff\xfe a", b"\xe2\x82", b"ok \xc3\xa9", b"\xed\xa0\x80", b"\xf4\x8f\xbf"] {
            let text = marked(bytes);
            assert_eq!(&*unmarked(&text), bytes);
            assert_eq!(first_mark(&text).is_none(), std::str::from_utf8(bytes).is_ok(), "{text:?}");
        }
        assert_eq!(replaced(&marked(b"caf\xe9")), "caf\u{fffd}");
        assert_eq!(first_mark("a\u{f4}\u{10fe00}"), None);
    }

    #[test]
    fn a_stray_byte_has_a_place() {
        for (bytes, offset, line, column, byte) in [
            (&b"\xff"[..], 0, 1, 1, 0xff),
            (b"a\n\nb: \xc3\xbc\xe9 \n", 8, 3, 5, 0xe9),
            (b"\xef\xbb\xbfa\xe9", 4, 1, 2, 0xe9),
            (b"a\n\xe2\x82", 2, 2, 1, 0xe2),
        ] {
            let stray = text(bytes).unwrap_err();
            assert_eq!(stray, Stray { offset, position: Position { line, column }, byte }, "{bytes:?}");
        }
        assert_eq!(text(b"ok \xc3\xa9"), Ok("ok \u{e9}"));
    }

    #[test]
    fn what_would_be_a_mark_is_marked() {
        let text = marked("a\u{10ffe9}b\u{10ff01}".as_bytes());
        assert_eq!(text.chars().count(), 10);
        assert_eq!(&*unmarked(&text), "a\u{10ffe9}b\u{10ff01}".as_bytes());
        assert_eq!(replaced(&text), "a\u{10ffe9}b\u{10ff01}");
    }

    #[test]
    fn utf_16_is_decoded_up_to_its_fault() {
        let check = |units: &[u16], rest: &[u8], expected: &str, wrong: Option<&str>| {
            for order in [u16::to_le_bytes, u16::to_be_bytes] {
                let mut bytes: Vec<u8> = units.iter().copied().flat_map(order).collect();
                bytes.extend(rest);
                let text = decoded(&bytes);
                assert_eq!(decoded_text(&marked(&bytes)), text);
                let found = text.chars().next_back().and_then(fault);
                assert_eq!((text.trim_end_matches(is_mark), found), (&*format!("\u{feff}{expected}"), wrong));
            }
        };
        check(&[0xfeff, 0x61, 0xe9, 0xd83d, 0xde00], b"", "aé😀", None);
        check(&[0xfeff, 0x61], b"x", "a", Some("incomplete UTF-16 character"));
        check(&[0xfeff, 0x61, 0xdc00, 0x62], b"", "a", Some("unexpected low surrogate area"));
        check(&[0xfeff, 0x61, 0xd800], b"", "a", Some("incomplete UTF-16 surrogate pair"));
        check(&[0xfeff, 0x61, 0xd800, 0x62], b"", "a", Some("expected low surrogate area"));
        check(&[0xfeff], b"", "", None);
        assert_eq!(decoded("\u{feff}é".as_bytes()), "\u{feff}é");
    }
}
