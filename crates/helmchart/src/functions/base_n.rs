//! Base 64 and base 32 as Go's decoders read them: line breaks are skipped, and errors name the byte.

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// `base64.StdEncoding.EncodeToString`.
pub(crate) fn base64(bytes: &[u8]) -> String {
    encode(bytes, BASE64, 6, 4)
}

/// `base32.StdEncoding.EncodeToString`.
pub(crate) fn base32(bytes: &[u8]) -> String {
    encode(bytes, BASE32, 5, 8)
}

/// `bits` per digit, padded to groups of `group` digits.
fn encode(bytes: &[u8], alphabet: &[u8], bits: u32, group: usize) -> String {
    let mut out = String::with_capacity(bytes.len() * 8 / bits as usize + group);
    let (mut held, mut count) = (0_u32, 0);
    let mut push = |held: u32| out.push(char::from(alphabet[(held & ((1 << bits) - 1)) as usize]));
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        count += 8;
        while count >= bits {
            count -= bits;
            push(held >> count);
        }
        held &= (1 << count) - 1;
    }
    if count > 0 {
        push(held << (bits - count));
    }
    while !out.len().is_multiple_of(group) {
        out.push('=');
    }
    out
}

fn value_of(byte: u8, alphabet: &[u8]) -> Option<u32> {
    alphabet.iter().position(|digit| *digit == byte).and_then(|at| u32::try_from(at).ok())
}

/// `base64.StdEncoding.DecodeString`.
pub(crate) fn from_base64(text: &[u8]) -> Result<Vec<u8>, String> {
    let corrupt = |at: usize| format!("illegal base64 data at input byte {at}");
    let is_break = |byte: u8| matches!(byte, b'\n' | b'\r');
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let mut at = 0;
    loop {
        let mut held = 0_u32;
        let mut digits = 0;
        while digits < 4 {
            let Some(byte) = text.get(at).copied() else {
                return if digits == 0 { Ok(out) } else { Err(corrupt(at - digits)) };
            };
            at += 1;
            if let Some(value) = value_of(byte, BASE64) {
                held = held << 6 | value;
                digits += 1;
                continue;
            }
            if is_break(byte) {
                continue;
            }
            if byte != b'=' || digits < 2 {
                return Err(corrupt(at - 1));
            }
            let skip = |mut at: usize| {
                while text.get(at).is_some_and(|byte| is_break(*byte)) {
                    at += 1;
                }
                at
            };
            if digits == 2 {
                at = skip(at);
                match text.get(at) {
                    None => return Err(corrupt(text.len())),
                    Some(b'=') => at += 1,
                    Some(_) => return Err(corrupt(at - 1)),
                }
            }
            at = skip(at);
            if at < text.len() {
                return Err(corrupt(at));
            }
            held <<= 6 * (4 - digits);
            let [_, a, b, _] = held.to_be_bytes();
            out.push(a);
            if digits == 3 {
                out.push(b);
            }
            return Ok(out);
        }
        let [_, a, b, c] = held.to_be_bytes();
        out.extend_from_slice(&[a, b, c]);
    }
}

/// `base32.StdEncoding.DecodeString`.
pub(crate) fn from_base32(text: &[u8]) -> Result<Vec<u8>, String> {
    // Unlike base 64, the line breaks are taken out first: positions count without them.
    let text: Vec<u8> = text.iter().copied().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    let corrupt = |at: usize| format!("illegal base32 data at input byte {at}");
    let mut out = Vec::with_capacity(text.len() / 8 * 5);
    let mut at = 0;
    while at < text.len() {
        let mut held = 0_u64;
        let mut digits = 0;
        let mut ended = false;
        while digits < 8 {
            let Some(byte) = text.get(at).copied() else { return Err(corrupt(at - digits)) };
            at += 1;
            if byte == b'=' && digits >= 2 && text.len() - at < 8 {
                let missing = 7 - digits;
                if text.len() - at < missing {
                    return Err(corrupt(text.len()));
                }
                if let Some(other) = (0..missing).find(|offset| text.get(at + offset) != Some(&b'=')) {
                    return Err(corrupt(at + other - 1));
                }
                if matches!(digits, 3 | 6) {
                    return Err(corrupt(at - 1));
                }
                ended = true;
                break;
            }
            let Some(value) = value_of(byte, BASE32) else { return Err(corrupt(at - 1)) };
            held = held << 5 | u64::from(value);
            digits += 1;
        }
        held <<= 5 * (8 - digits);
        let bytes = held.to_be_bytes();
        out.extend_from_slice(&bytes[3..3 + digits * 5 / 8]);
        if ended {
            break;
        }
    }
    Ok(out)
}
