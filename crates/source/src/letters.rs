//! Go's classes of characters (`unicode.IsLetter` and its neighbours). The standard library's are wider: vowel signs are alphabetic, and `²` is
//! alphanumeric.

use unicode_general_category::{GeneralCategory as Category, get_general_category};

/// Of one of the categories `L…`.
#[must_use]
pub fn is_letter(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphabetic();
    }
    matches!(
        get_general_category(character),
        Category::UppercaseLetter
            | Category::LowercaseLetter
            | Category::TitlecaseLetter
            | Category::ModifierLetter
            | Category::OtherLetter
    )
}

/// A decimal digit.
#[must_use]
pub fn is_digit(character: char) -> bool {
    character.is_ascii_digit() || !character.is_ascii() && get_general_category(character) == Category::DecimalNumber
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_numbers_are_no_letters() {
        let letters: String = "aZéȞǅʰ中_1²ः\u{610}Ⅳ٣".chars().filter(|character| is_letter(*character)).collect();
        assert_eq!(letters, "aZéȞǅʰ中");
        let digits: String = "a1²Ⅳ٣".chars().filter(|character| is_digit(*character)).collect();
        assert_eq!(digits, "1٣");
    }
}
