//! Bytes that are not UTF-8, in a text. Go's strings hold any bytes, and its YAML readers refuse such ones where they meet them; until then they
//! stand in a text as marks.

use std::borrow::Cow;

/// A mark is this and the byte: private characters at the end of Unicode, which nobody uses.
const FIRST: u32 = 0x10_ff00;

/// The first byte of every mark, and of few other characters.
const LEAD: u8 = 0xf4;

/// The text of bytes, with a mark for each that is no part of a character.
#[must_use]
pub fn marked(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len() * 2);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().filter_map(|byte| char::from_u32(FIRST + u32::from(*byte))));
    }
    Cow::Owned(text)
}

/// Where the first mark stands.
#[must_use]
pub fn first_mark(text: &str) -> Option<usize> {
    memchr::memchr_iter(LEAD, text.as_bytes()).find(|at| text[*at..].chars().next().and_then(byte).is_some())
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
    let shown = |character| if byte(character).is_some() { char::REPLACEMENT_CHARACTER } else { character };
    Cow::Owned(text.chars().map(shown).collect())
}

/// The byte that a mark stands for: none below 0x80 needs one.
fn byte(character: char) -> Option<u8> {
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
}
