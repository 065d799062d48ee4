//! `strconv.Quote` and its reverse.

use std::fmt::Write as _;

use source::octets;

use super::unicode::is_printable;

/// What Go writes between the quotes for a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alphabet {
    /// Printable characters as they are.
    Printable,
    /// Only ASCII: `%+q`.
    Ascii,
}

/// `strconv.Quote`, of any bytes: what is not UTF-8 becomes `\x..`.
#[must_use]
pub fn quote(bytes: &[u8]) -> String {
    quote_with(bytes, b'"', Alphabet::Printable)
}

pub(crate) fn quote_with(bytes: &[u8], mark: u8, alphabet: Alphabet) -> String {
    let mark = char::from(mark);
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push(mark);
    // Most texts need no escape at all.
    let plain = |byte: &u8| matches!(*byte, b' '..=b'~') && *byte != b'\\' && char::from(*byte) != mark;
    if bytes.iter().all(plain)
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        out.push_str(text);
        out.push(mark);
        return out;
    }
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            push_escaped(&mut out, c, mark, alphabet);
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out.push(mark);
    out
}

/// `strconv.QuoteRune`.
pub(crate) fn quote_char(c: char, alphabet: Alphabet) -> String {
    let mut out = String::from("'");
    push_escaped(&mut out, c, '\'', alphabet);
    out.push('\'');
    out
}

fn push_escaped(out: &mut String, c: char, mark: char, alphabet: Alphabet) {
    let code = u32::from(c);
    let as_is = is_printable(c) && (c.is_ascii() || alphabet == Alphabet::Printable);
    match c {
        _ if c == mark || c == '\\' => {
            out.push('\\');
            out.push(c);
        }
        _ if as_is => out.push(c),
        '\u{7}' => out.push_str("\\a"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{b}' => out.push_str("\\v"),
        _ if code < 0x20 || code == 0x7f => {
            let _ = write!(out, "\\x{code:02x}");
        }
        _ if code < 0x1_0000 => {
            let _ = write!(out, "\\u{code:04x}");
        }
        _ => {
            let _ = write!(out, "\\U{code:08x}");
        }
    }
}

/// `strconv.CanBackquote`: whether a raw string can hold it.
pub(crate) fn can_backquote(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes)
        .is_ok_and(|text| text.chars().all(|c| !(c < ' ' && c != '\t' || c == '`' || c == '\u{7f}' || c == '\u{feff}')))
}

/// `strconv.Unquote` of a literal in double quotes or backquotes; `None` for Go's "invalid syntax".
pub(crate) fn unquote(literal: &str) -> Option<Vec<u8>> {
    let mark = literal.chars().next()?;
    let body = literal.strip_prefix(mark)?.strip_suffix(mark)?;
    match mark {
        '`' => Some(octets::unmarked(body).iter().copied().filter(|byte| *byte != b'\r').collect()),
        '"' => {
            let mut out = Vec::with_capacity(body.len());
            let body = octets::replaced(body);
            let mut rest = &*body;
            while !rest.is_empty() {
                let (unit, after) = unquote_char(rest, '"')?;
                match unit {
                    Unit::Byte(byte) => out.push(byte),
                    Unit::Char(c) => {
                        let mut buffer = [0; 4];
                        out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
                    }
                }
                rest = after;
            }
            Some(out)
        }
        _ => None,
    }
}

/// One unit of a quoted literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// From `\x..` or an octal escape: a byte, whatever it means.
    Byte(u8),
    Char(char),
}

/// `strconv.UnquoteChar`: the first unit and what follows it.
pub(crate) fn unquote_char(text: &str, mark: char) -> Option<(Unit, &str)> {
    let mut chars = text.chars();
    let first = chars.next()?;
    if first == mark || first == '\n' {
        return None;
    }
    if first != '\\' {
        return Some((Unit::Char(first), chars.as_str()));
    }
    let escape = chars.next()?;
    let rest = chars.as_str();
    let simple = |c: char| Some((Unit::Char(c), rest));
    match escape {
        'a' => simple('\u{7}'),
        'b' => simple('\u{8}'),
        'f' => simple('\u{c}'),
        'n' => simple('\n'),
        'r' => simple('\r'),
        't' => simple('\t'),
        'v' => simple('\u{b}'),
        '\\' => simple('\\'),
        '\'' | '"' if escape == mark => simple(escape),
        'x' => {
            let (value, rest) = digits(rest, 2, 16)?;
            Some((Unit::Byte(u8::try_from(value).ok()?), rest))
        }
        'u' | 'U' => {
            let (value, rest) = digits(rest, if escape == 'u' { 4 } else { 8 }, 16)?;
            Some((Unit::Char(char::from_u32(value)?), rest))
        }
        '0'..='7' => {
            let (value, rest) = digits(text.get(1..)?, 3, 8)?;
            Some((Unit::Byte(u8::try_from(value).ok()?), rest))
        }
        _ => None,
    }
}

fn digits(text: &str, count: usize, radix: u32) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(count)?;
    if !digits.bytes().all(|byte| char::from(byte).is_digit(radix)) {
        return None;
    }
    Some((u32::from_str_radix(digits, radix).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_like_go() {
        for (bytes, expected) in [
            (&b"a\"b\\c"[..], r#""a\"b\\c""#),
            (b"\x07\x08\x0c\n\r\t\x0b\x00\x7f", r#""\a\b\f\n\r\t\v\x00\x7f""#),
            ("é\u{200b}\u{e000}\u{10ffff}".as_bytes(), r#""é\u200b\ue000\U0010ffff""#),
            ("\u{301}e\u{301}".as_bytes(), "\"\u{301}e\u{301}\""),
            (b"\xffa\xc3", r#""\xffa\xc3""#),
        ] {
            assert_eq!(quote(bytes), expected);
        }
    }

    #[test]
    fn unquotes_like_go() {
        for (literal, expected) in [
            (r#""a\tb\"\x41\101\u00e9\U0001F600""#, Some("a\tb\"AAé😀")),
            ("`a\r\nb\\n`", Some("a\nb\\n")),
            (r#""\'""#, None),
            (r#""\400""#, None),
            (r#""\ud800""#, None),
            (r#""\x4""#, None),
            (r#""\q""#, None),
        ] {
            assert_eq!(unquote(literal), expected.map(|text| text.as_bytes().to_vec()), "{literal}");
        }
        assert_eq!(unquote(r#""\xff""#), Some(vec![0xff]));
    }
}
