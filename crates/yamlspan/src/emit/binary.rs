//! Strings that are no UTF-8, as go-yaml writes them: `!!binary` and base64.

pub(super) const TAG: &str = "!!binary";

/// go-yaml breaks longer lines.
const LINE: usize = 70;

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 of bytes, in lines that each end if there are more than one.
pub(super) fn encoded(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0, |bits: usize, byte| bits << 8 | usize::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = DIGITS[bits >> (18 - 6 * place) & 63];
            digits.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
    // It asks for lines as soon as a whole one is full.
    if digits.len() < LINE {
        return digits;
    }
    let mut lines = String::with_capacity(digits.len() + digits.len() / LINE + 1);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % LINE == 0 {
            lines.push('\n');
        }
        lines.push(digit);
    }
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_padded_and_lines_broken() {
        for (bytes, expected) in [(&b""[..], ""), (b"caf\xe9", "Y2Fm6Q=="), (b"\xff\xfe", "//4="), (b"\xffab", "/2Fi")]
        {
            assert_eq!(encoded(bytes), expected);
        }
        assert_eq!(encoded(&[0xff; 51]), "/".repeat(68));
        assert_eq!(encoded(&[0xff; 54]), format!("{}\n//\n", "/".repeat(70)));
    }
}
