//! Strings that are no UTF-8, as go-yaml writes them: `!!binary` and base64.

use crate::base64;

pub(super) const TAG: &str = "!!binary";

/// go-yaml breaks longer lines.
const LINE: usize = 70;

/// Base64 of bytes, in lines that each end if there are more than one.
pub(super) fn encoded(bytes: &[u8]) -> String {
    let digits = base64::encode(bytes);
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
