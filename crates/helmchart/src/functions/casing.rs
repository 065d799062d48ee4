//! Case conversions as Go's `unicode`, `xstrings` and `goutils` do them: simple (one to one) mappings, and words
//! found by their own rules.

use std::sync::LazyLock;

use regex::Regex;

/// Whether `c` is in a general category; ASCII is answered without the table.
struct Category {
    ascii: fn(&char) -> bool,
    pattern: LazyLock<Option<Regex>>,
}

impl Category {
    fn has(&self, c: char) -> bool {
        if c.is_ascii() {
            return (self.ascii)(&c);
        }
        let mut buffer = [0; 4];
        self.pattern.as_ref().is_some_and(|pattern| pattern.is_match(c.encode_utf8(&mut buffer)))
    }
}

/// `\p{P}` of ASCII: the punctuation that is no symbol.
fn is_ascii_punct(c: &char) -> bool {
    c.is_ascii_punctuation() && !matches!(c, '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~')
}

static UPPER: Category =
    Category { ascii: char::is_ascii_uppercase, pattern: LazyLock::new(|| Regex::new(r"^\p{Lu}").ok()) };
static LOWER: Category =
    Category { ascii: char::is_ascii_lowercase, pattern: LazyLock::new(|| Regex::new(r"^\p{Ll}").ok()) };
static PUNCT: Category = Category { ascii: is_ascii_punct, pattern: LazyLock::new(|| Regex::new(r"^\p{P}").ok()) };
static NUMBER: Category =
    Category { ascii: char::is_ascii_digit, pattern: LazyLock::new(|| Regex::new(r"^\p{N}").ok()) };
static LETTER: Category =
    Category { ascii: char::is_ascii_alphabetic, pattern: LazyLock::new(|| Regex::new(r"^\p{L}").ok()) };

/// `unicode.IsUpper`.
pub(crate) fn is_upper(c: char) -> bool {
    UPPER.has(c)
}

/// `unicode.IsLower`.
pub(crate) fn is_lower(c: char) -> bool {
    LOWER.has(c)
}

/// `unicode.IsTitle`: the few digraphs and Greek letters with a title form.
fn is_title(c: char) -> bool {
    matches!(c, '\u{1c5}' | '\u{1c8}' | '\u{1cb}' | '\u{1f2}' | '\u{1f88}'..='\u{1f8f}' | '\u{1f98}'..='\u{1f9f}'
        | '\u{1fa8}'..='\u{1faf}' | '\u{1fbc}' | '\u{1fcc}' | '\u{1ffc}')
}

/// `unicode.IsSpace`.
pub(crate) fn is_space(c: char) -> bool {
    matches!(
        c,
        '\t' | '\n' | '\x0b' | '\x0c' | '\r' | ' ' | '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// `unicode.ToUpper`: one character for one.
pub(crate) fn to_upper(c: char) -> char {
    match c {
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => shifted(c, 8),
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => shifted(c, 9),
        _ => single(c, c.to_uppercase()),
    }
}

/// `unicode.ToLower`: one character for one.
pub(crate) fn to_lower(c: char) -> char {
    if c == '\u{130}' { 'i' } else { single(c, c.to_lowercase()) }
}

/// `unicode.ToTitle`.
pub(crate) fn to_title(c: char) -> char {
    match c {
        '\u{1c4}'..='\u{1c6}' => '\u{1c5}',
        '\u{1c7}'..='\u{1c9}' => '\u{1c8}',
        '\u{1ca}'..='\u{1cc}' => '\u{1cb}',
        '\u{1f1}'..='\u{1f3}' => '\u{1f2}',
        '\u{10d0}'..='\u{10fa}' | '\u{10fd}'..='\u{10ff}' => c,
        _ => to_upper(c),
    }
}

fn single(c: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(mapped), None) => mapped,
        _ => c,
    }
}

fn shifted(c: char, by: u32) -> char {
    char::from_u32(u32::from(c) + by).unwrap_or(c)
}

/// `strings.ToUpper`.
pub(crate) fn upper(text: &str) -> String {
    text.chars().map(to_upper).collect()
}

/// `strings.ToLower`.
pub(crate) fn lower(text: &str) -> String {
    text.chars().map(to_lower).collect()
}

/// `strings.Title`: the first letter of every word.
pub(crate) fn title(text: &str) -> String {
    let mut before = ' ';
    text.chars()
        .map(|c| {
            let starts = is_separator(before);
            before = c;
            if starts { to_title(c) } else { c }
        })
        .collect()
}

/// What `strings.Title` takes for the end of a word.
fn is_separator(c: char) -> bool {
    if c.is_ascii() {
        return !(c.is_ascii_alphanumeric() || c == '_');
    }
    !LETTER.has(c) && !is_decimal(c) && is_space(c)
}

fn is_decimal(c: char) -> bool {
    // `Nd` lies within `N`; what else is in `N` is no separator either: no number is a space.
    NUMBER.has(c)
}

/// `goutils.Uncapitalize`: the first letter of every word in lower case.
pub(crate) fn untitle(text: &str) -> String {
    let mut at_start = true;
    text.chars()
        .map(|c| {
            if is_space(c) {
                at_start = true;
                c
            } else if std::mem::take(&mut at_start) {
                to_lower(c)
            } else {
                c
            }
        })
        .collect()
}

/// `goutils.SwapCase`.
pub(crate) fn swap(text: &str) -> String {
    let mut after_space = true;
    text.chars()
        .map(|c| {
            if is_upper(c) || is_title(c) {
                after_space = false;
                to_lower(c)
            } else if is_lower(c) {
                if std::mem::take(&mut after_space) { to_title(c) } else { to_upper(c) }
            } else {
                after_space = is_space(c);
                c
            }
        })
        .collect()
}

/// `goutils.Initials`. The original reads bytes as characters, so beyond ASCII it prints Latin-1.
pub(crate) fn initials(text: &str) -> String {
    let mut at_gap = true;
    let mut out = String::new();
    for c in text.bytes().map(char::from) {
        if is_space(c) {
            at_gap = true;
        } else if std::mem::take(&mut at_gap) {
            out.push(c);
        }
    }
    out
}

/// `goutils.DeleteWhiteSpace`, with the same reading of bytes as characters; `None` if there is no white space.
pub(crate) fn without_space(text: &str) -> Option<String> {
    text.bytes().map(char::from).any(is_space).then(|| text.bytes().map(char::from).filter(|c| !is_space(*c)).collect())
}

/// What separates words in `snakecase`, `kebabcase` and `camelcase`.
fn is_connector(c: char) -> bool {
    c == '-' || c == '_' || is_space(c)
}

/// `xstrings.ToPascalCase`, which sprig calls `camelcase`.
pub(crate) fn camel(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    let mut current = '\0';
    let mut in_capitals = false;
    let mut seen = false;
    for c in characters.by_ref() {
        current = c;
        seen = true;
        if !is_connector(c) {
            in_capitals = is_upper(c);
            current = to_upper(c);
            break;
        }
        out.push(c);
    }
    if characters.as_str().is_empty() {
        // The original writes a lone trailing connector twice; so do we.
        if seen {
            out.push(current);
        }
        return out;
    }
    for c in characters {
        let before = std::mem::replace(&mut current, c);
        if is_connector(c) && is_connector(before) {
            out.push(before);
        } else if is_connector(before) {
            in_capitals = is_upper(c);
            current = to_upper(c);
        } else {
            if in_capitals {
                if is_upper(c) {
                    current = to_lower(c);
                } else {
                    in_capitals = false;
                }
            }
            out.push(before);
        }
    }
    out.push(current);
    out
}

/// Kinds of words as `xstrings` cuts them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Nothing,
    Number,
    Upper,
    Alphabet,
    Connector,
    Punct,
    Other,
}

/// `xstrings.ToSnakeCase` (`_`) and `ToKebabCase` (`-`).
pub(crate) fn separated(text: &str, connector: char) -> String {
    if text.is_empty() {
        return String::new();
    }
    let mut out = String::with_capacity(text.len() + 4);
    let (mut kind, mut word, mut rest) = next_word(text);
    let ends = |kind: Word| matches!(kind, Word::Nothing | Word::Connector | Word::Punct);
    while !rest.is_empty() {
        if kind != Word::Connector {
            push_lower(&mut out, kind, word, connector);
        }
        let (before, last) = (kind, word);
        (kind, word, rest) = next_word(rest);
        match before {
            Word::Number => {
                while matches!(kind, Word::Alphabet | Word::Number) {
                    push_lower(&mut out, kind, word, connector);
                    (kind, word, rest) = next_word(rest);
                }
                if !ends(kind) {
                    out.push(connector);
                }
            }
            Word::Connector => push_lower(&mut out, before, last, connector),
            Word::Punct => {}
            _ if kind != Word::Number => {
                if kind != Word::Connector && kind != Word::Punct {
                    out.push(connector);
                }
            }
            _ if rest.is_empty() => {}
            _ => {
                let number = word;
                (kind, word, rest) = next_word(rest);
                if kind != Word::Alphabet {
                    push_lower(&mut out, Word::Number, number, connector);
                    if kind != Word::Connector && kind != Word::Punct {
                        out.push(connector);
                    }
                    continue;
                }
                out.push(connector);
                push_lower(&mut out, Word::Number, number, connector);
                while matches!(kind, Word::Alphabet | Word::Number) {
                    push_lower(&mut out, kind, word, connector);
                    (kind, word, rest) = next_word(rest);
                }
                if !ends(kind) {
                    out.push(connector);
                }
            }
        }
    }
    push_lower(&mut out, kind, word, connector);
    out
}

fn push_lower(out: &mut String, kind: Word, word: &str, connector: char) {
    if kind != Word::Upper && kind != Word::Connector {
        out.push_str(word);
        return;
    }
    for c in word.chars() {
        out.push(if is_connector(c) {
            connector
        } else if is_upper(c) {
            to_lower(c)
        } else {
            c
        });
    }
}

/// `xstrings`' alphabet: every letter that is not a common CJK character.
fn is_alphabet(c: char) -> bool {
    LETTER.has(c) && !matches!(c, '\u{3400}'..='\u{4d85}' | '\u{4e00}'..='\u{9fcc}' | '\u{20000}'..='\u{2b81d}')
}

/// The first word of `text`, its kind and what follows.
fn next_word(text: &str) -> (Word, &str, &str) {
    let Some(first) = text.chars().next() else { return (Word::Nothing, "", "") };
    let run = |text: &str, belongs: &dyn Fn(char) -> bool| text.find(|c| !belongs(c)).unwrap_or(text.len());
    let small = |c: char| is_alphabet(c) && !is_upper(c);
    let (kind, length) = if is_connector(first) {
        (Word::Connector, run(text, &is_connector))
    } else if PUNCT.has(first) {
        (Word::Punct, run(text, &|c| PUNCT.has(c)))
    } else if is_upper(first) {
        let after = &text[first.len_utf8()..];
        let length = match after.chars().next() {
            Some(second) if is_upper(second) => {
                let capitals = run(text, &is_upper);
                let last = text[..capitals].chars().next_back().map_or(0, char::len_utf8);
                // In `HTTPStatus` the last capital belongs to the next word.
                match text[capitals..].chars().next() {
                    Some(next) if is_alphabet(next) => capitals - last,
                    _ => capitals,
                }
            }
            Some(second) if is_alphabet(second) => first.len_utf8() + run(after, &small),
            _ => first.len_utf8(),
        };
        (Word::Upper, length)
    } else if is_alphabet(first) {
        (Word::Alphabet, first.len_utf8() + run(&text[first.len_utf8()..], &small))
    } else if NUMBER.has(first) {
        (Word::Number, run(text, &|c| NUMBER.has(c)))
    } else {
        let other = |c: char| !(is_connector(c) || is_alphabet(c) || NUMBER.has(c) || PUNCT.has(c));
        (Word::Other, first.len_utf8() + run(&text[first.len_utf8()..], &other))
    };
    (kind, &text[..length], &text[length..])
}
