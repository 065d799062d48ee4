//! Standard base64 as Go's `encoding/base64` reads it.

/// Decodes padded base64; line breaks are skipped. Unused bits may be set.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let mut digits = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).peekable();
    while digits.peek().is_some() {
        let mut group = 0u32;
        let mut count = 0;
        let mut padding = 0;
        for _ in 0..4 {
            match digits.next()? {
                b'=' if count >= 2 => padding += 1,
                byte if padding == 0 => {
                    group |= u32::from(value_of(byte)?) << (18 - 6 * count);
                    count += 1;
                }
                _ => return None,
            }
        }
        let [_, first, second, third] = group.to_be_bytes();
        bytes.extend([first, second, third].iter().take(3 - padding));
        if padding > 0 {
            return digits.peek().is_none().then_some(bytes);
        }
    }
    Some(bytes)
}

fn value_of(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// Bytes to text as Go's JSON encoder does: every byte that is no UTF-8 becomes U+FFFD.
pub(super) fn to_text(mut bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    loop {
        match std::str::from_utf8(bytes) {
            Ok(rest) => {
                text.push_str(rest);
                return text;
            }
            Err(error) => {
                let (good, bad) = bytes.split_at(error.valid_up_to());
                text.push_str(std::str::from_utf8(good).unwrap_or_default());
                text.push('\u{fffd}');
                bytes = bad.get(1..).unwrap_or_default();
            }
        }
    }
}
