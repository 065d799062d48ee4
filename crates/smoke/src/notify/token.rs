//! What a bearer token says of itself, where it is a JSON Web Token. Its signature is Notify's business.

use jiff::Timestamp;

/// When a token ends, by its own word. `None` where it is opaque or does not say.
pub(crate) fn expiry(token: &str) -> Option<Timestamp> {
    let mut parts = token.split('.');
    let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    let claims: serde_json::Value = serde_json::from_slice(&unpacked(claims)?).ok()?;
    let seconds = claims.get("exp")?.as_f64()?;
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and a moment out of range is none")]
    Timestamp::from_second(seconds as i64).ok()
}

/// Base64 with the alphabet for URLs, with or without padding.
fn unpacked(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut bits = 0_u32;
    let mut count = 0;
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' | b'+' => 62,
            b'_' | b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xff).unwrap_or_default());
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_token_says_when_it_ends() {
        // {"sub":"ci","exp":1700000000}
        let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjaSIsImV4cCI6MTcwMDAwMDAwMH0.c2ln";
        assert_eq!(expiry(token), Timestamp::from_second(1_700_000_000).ok());
    }

    #[test]
    fn other_tokens_say_nothing() {
        for token in ["opaque", "a.b", "a.b.c", "a.e30.c", "a.!!.c", "a.e30.c.d"] {
            assert_eq!(expiry(token), None, "{token}");
        }
    }
}
