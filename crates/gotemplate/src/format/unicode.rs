//! The character classes that Go asks for. Go 1.26 knows Unicode 15, the standard library of Rust 1.95 Unicode 17.

use source::letters;

/// `unicode.IsPrint`
pub(crate) fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    // After another character, only what cannot be printed is escaped (a combining mark is escaped when it comes first).
    let mut pair = [b'a', 0, 0, 0, 0];
    let len = c.encode_utf8(&mut pair[1..]).len() + 1;
    let Ok(pair) = std::str::from_utf8(&pair[..len]) else { return false };
    pair.escape_debug().nth(1) == Some(c) && !is_new(u32::from(c))
}

/// `_` and Go's `unicode.IsLetter` and `IsDigit`.
pub(crate) fn is_letter_or_digit(c: char) -> bool {
    c == '_' || letters::is_letter(c) || letters::is_digit(c)
}

/// Whether Go does not know the character yet.
fn is_new(code: u32) -> bool {
    let after = NEW_SINCE_UNICODE_15.partition_point(|(first, _)| *first <= code);
    after.checked_sub(1).and_then(|at| NEW_SINCE_UNICODE_15.get(at)).is_some_and(|(_, last)| code <= *last)
}

/// First and last of each run of characters that Unicode 16 and 17 added. Found by comparing `strconv.Quote` with the standard
/// library over all characters; no longer needed once Go knows them.
const NEW_SINCE_UNICODE_15: &[(u32, u32)] = &[
    (0x88f, 0x88f),
    (0x897, 0x897),
    (0xc5c, 0xc5c),
    (0xcdc, 0xcdc),
    (0x1acf, 0x1add),
    (0x1ae0, 0x1aeb),
    (0x1b4e, 0x1b4f),
    (0x1b7f, 0x1b7f),
    (0x1c89, 0x1c8a),
    (0x20c1, 0x20c1),
    (0x2427, 0x2429),
    (0x2b96, 0x2b96),
    (0x2ffc, 0x2fff),
    (0x31e4, 0x31e5),
    (0x31ef, 0x31ef),
    (0xa7cb, 0xa7cf),
    (0xa7d2, 0xa7d2),
    (0xa7d4, 0xa7d4),
    (0xa7da, 0xa7dc),
    (0xa7f1, 0xa7f1),
    (0xfbc3, 0xfbd2),
    (0xfd90, 0xfd91),
    (0xfdc8, 0xfdce),
    (0x1_05c0, 0x1_05f3),
    (0x1_0940, 0x1_0959),
    (0x1_0d40, 0x1_0d65),
    (0x1_0d69, 0x1_0d85),
    (0x1_0d8e, 0x1_0d8f),
    (0x1_0ec2, 0x1_0ec7),
    (0x1_0ed0, 0x1_0ed8),
    (0x1_0efa, 0x1_0efc),
    (0x1_1380, 0x1_1389),
    (0x1_138b, 0x1_138b),
    (0x1_138e, 0x1_138e),
    (0x1_1390, 0x1_13b5),
    (0x1_13b7, 0x1_13c0),
    (0x1_13c2, 0x1_13c2),
    (0x1_13c5, 0x1_13c5),
    (0x1_13c7, 0x1_13ca),
    (0x1_13cc, 0x1_13d5),
    (0x1_13d7, 0x1_13d8),
    (0x1_13e1, 0x1_13e2),
    (0x1_16d0, 0x1_16e3),
    (0x1_1b60, 0x1_1b67),
    (0x1_1bc0, 0x1_1be1),
    (0x1_1bf0, 0x1_1bf9),
    (0x1_1db0, 0x1_1ddb),
    (0x1_1de0, 0x1_1de9),
    (0x1_1f5a, 0x1_1f5a),
    (0x1_3460, 0x1_43fa),
    (0x1_6100, 0x1_6139),
    (0x1_6d40, 0x1_6d79),
    (0x1_6ea0, 0x1_6eb8),
    (0x1_6ebb, 0x1_6ed3),
    (0x1_6ff2, 0x1_6ff6),
    (0x1_87f8, 0x1_87ff),
    (0x1_8cff, 0x1_8cff),
    (0x1_8d09, 0x1_8d1e),
    (0x1_8d80, 0x1_8df2),
    (0x1_cc00, 0x1_ccfc),
    (0x1_cd00, 0x1_ceb3),
    (0x1_ceba, 0x1_ced0),
    (0x1_cee0, 0x1_cef0),
    (0x1_e5d0, 0x1_e5fa),
    (0x1_e5ff, 0x1_e5ff),
    (0x1_e6c0, 0x1_e6de),
    (0x1_e6e0, 0x1_e6f5),
    (0x1_e6fe, 0x1_e6ff),
    (0x1_f6d8, 0x1_f6d8),
    (0x1_f777, 0x1_f77a),
    (0x1_f8b2, 0x1_f8bb),
    (0x1_f8c0, 0x1_f8c1),
    (0x1_f8d0, 0x1_f8d8),
    (0x1_fa54, 0x1_fa57),
    (0x1_fa89, 0x1_fa8a),
    (0x1_fa8e, 0x1_fa8f),
    (0x1_fabe, 0x1_fabe),
    (0x1_fac6, 0x1_fac6),
    (0x1_fac8, 0x1_fac8),
    (0x1_facd, 0x1_facd),
    (0x1_fadc, 0x1_fadc),
    (0x1_fadf, 0x1_fadf),
    (0x1_fae9, 0x1_faea),
    (0x1_faef, 0x1_faef),
    (0x1_fbcb, 0x1_fbef),
    (0x1_fbfa, 0x1_fbfa),
    (0x2_b73a, 0x2_b73f),
    (0x2_cea2, 0x2_cead),
    (0x2_ebf0, 0x2_ee5d),
    (0x3_23b0, 0x3_3479),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_s_unicode_is_older() {
        for (c, expected) in [
            ('é', true),
            ('\u{200b}', false),
            ('\u{301}', true),
            ('\u{1c88}', true),
            ('\u{1c89}', false),
            ('\u{323af}', true),
            ('\u{33479}', false),
        ] {
            assert_eq!(is_printable(c), expected, "{c:?}");
        }
    }
}
