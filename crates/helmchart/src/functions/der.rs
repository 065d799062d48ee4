//! Just enough of ASN.1's distinguished encoding for keys and certificates, and PEM around it.
//!
//! Threats: keys and certificates come from charts. Every length is checked before it is used; nesting is followed by
//! code, never by the input.

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OBJECT_ID: u8 = 0x06;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const PRINTABLE_STRING: u8 = 0x13;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// The tag of `[number]`, with structure inside.
pub(crate) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// One element: tag, length, content.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length @ 0..=127) => out.push(length),
        _ => {
            let length = content.len().to_be_bytes();
            let skip = length.iter().take_while(|byte| **byte == 0).count();
            out.push(0x80 | u8::try_from(length.len() - skip).unwrap_or(0));
            out.extend_from_slice(&length[skip..]);
        }
    }
    out.extend_from_slice(content);
    out
}

/// A sequence of elements.
pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(SEQUENCE, &parts.concat())
}

/// A number that is not negative, from its bytes.
pub(crate) fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let skip = bytes.iter().take_while(|byte| **byte == 0).count();
    let digits = &bytes[skip..];
    let pad: &[u8] = if digits.first().is_none_or(|byte| *byte >= 0x80) { &[0] } else { &[] };
    element(INTEGER, &[pad, digits].concat())
}

/// Whole bytes as a bit string.
pub(crate) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], bytes].concat())
}

/// Reads elements one after another.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'d> {
    rest: &'d [u8],
}

/// One element that was read.
#[derive(Clone, Copy)]
pub(crate) struct Element<'d> {
    pub(crate) tag: u8,
    pub(crate) content: &'d [u8],
    /// Tag and length included.
    pub(crate) whole: &'d [u8],
}

impl<'d> Reader<'d> {
    pub(crate) fn new(rest: &'d [u8]) -> Self {
        Self { rest }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next element, whatever it is.
    pub(crate) fn any(&mut self) -> Option<Element<'d>> {
        let [tag, first, after @ ..] = self.rest else { return None };
        let (length, header) = match first {
            0..=127 => (usize::from(*first), 2),
            0x81..=0x84 => {
                let count = usize::from(first & 0x7f);
                let digits = after.get(..count)?;
                (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), 2 + count)
            }
            _ => return None,
        };
        let whole = self.rest.get(..header.checked_add(length)?)?;
        self.rest = &self.rest[whole.len()..];
        Some(Element { tag: *tag, content: &whole[header..], whole })
    }

    /// The content of the next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Option<&'d [u8]> {
        let mut ahead = *self;
        let element = ahead.any().filter(|element| element.tag == tag)?;
        *self = ahead;
        Some(element.content)
    }

    /// A reader of the elements in the next sequence.
    pub(crate) fn sequence(&mut self) -> Option<Self> {
        self.expect(SEQUENCE).map(Self::new)
    }

    /// The bytes of a number that is not negative, without leading zeros.
    pub(crate) fn unsigned(&mut self) -> Option<&'d [u8]> {
        let bytes = self.expect(INTEGER).filter(|bytes| bytes.first().is_some_and(|byte| *byte < 0x80))?;
        let skip = bytes.iter().take_while(|byte| **byte == 0).count();
        Some(&bytes[skip..])
    }
}

/// A block of PEM.
pub(crate) struct Pem {
    pub(crate) label: String,
    pub(crate) bytes: Vec<u8>,
}

impl Pem {
    /// Writes a block, 64 characters a line.
    pub(crate) fn write(label: &str, bytes: &[u8]) -> String {
        let encoded = super::base_n::base64(bytes);
        let mut out = format!("-----BEGIN {label}-----\n");
        let mut rest = encoded.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(64));
            out.push_str(line);
            out.push('\n');
            rest = after;
        }
        out.push_str(&format!("-----END {label}-----\n"));
        out
    }

    /// The first block of a text.
    pub(crate) fn first(text: &str) -> Option<Self> {
        let mut search = text;
        loop {
            let start = search.find("-----BEGIN ")?;
            let at_line_start = start == 0 || search[..start].ends_with('\n');
            let body = &search[start + "-----BEGIN ".len()..];
            search = body;
            if !at_line_start {
                continue;
            }
            let Some((label, content)) = body.split_once("-----") else { continue };
            let Some((encoded, _)) = content.split_once(&format!("-----END {label}-----")) else { continue };
            // Headers end at an empty line.
            let encoded = match encoded.split_once("\n\n") {
                Some((headers, encoded)) if headers.contains(':') => encoded,
                _ => encoded,
            };
            let compact: Vec<u8> = encoded.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
            if let Ok(bytes) = super::base_n::from_base64(&compact) {
                return Some(Self { label: label.to_owned(), bytes });
            }
        }
    }
}
