//! A command line split into words, as mattn/go-shellwords does without environment and backticks.

use source::{Text, TextBuf};

/// The words of a line. What follows an unquoted `;`, `&`, `|`, `<` or `>` is dropped.
pub(crate) fn split(line: &Text) -> Result<Vec<Text>, String> {
    let invalid = || "invalid command line string".to_owned();
    let mut words = Vec::new();
    let mut word = Word::default();
    let mut state = Quotes::default();
    let mut escaped = false;
    let mut ended = false;
    for (at, character) in line.char_indices() {
        let here = at..at + character.len_utf8();
        if escaped {
            escaped = false;
            if state.in_substitution() {
                word.push_made("\\");
                word.push(line, here);
            } else if matches!(character, 't' | 'n') {
                word.push_made(if character == 't' { "\t" } else { "\n" });
            } else {
                word.push(line, here);
            }
            word.got = Got::Single;
            continue;
        }
        if character == '\\' {
            if state.single {
                word.push(line, here);
            } else {
                escaped = true;
            }
            continue;
        }
        if matches!(character, ' ' | '\t' | '\r' | '\n') {
            if state.any() {
                word.push(line, here);
            } else {
                words.extend(word.take());
            }
            continue;
        }
        match character {
            '`' if !state.single && !state.double && !state.dollar => state.back = !state.back,
            ')' if !state.single && !state.double && !state.back => {
                if !state.dollar {
                    return Err(invalid());
                }
                state.dollar = false;
            }
            '(' if !state.single && !state.double && !state.back => {
                let written = word.text.as_str();
                if state.dollar || !written.ends_with('$') || written.ends_with("\\$") {
                    return Err(invalid());
                }
                state.dollar = true;
                word.push(line, here);
                continue;
            }
            '"' if !state.single && !state.dollar && !state.back => {
                if state.double {
                    word.got = Got::Quoted;
                }
                state.double = !state.double;
                continue;
            }
            '\'' if !state.double && !state.dollar && !state.back => {
                if state.single {
                    word.got = Got::Quoted;
                }
                state.single = !state.single;
                continue;
            }
            ';' | '&' | '|' | '<' | '>' if !state.any() => {
                let written = word.text.as_str();
                if character == '>' && !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit()) {
                    word.got = Got::Nothing;
                }
                ended = true;
            }
            _ => {}
        }
        if ended {
            break;
        }
        word.got = Got::Single;
        word.push(line, here);
    }
    words.extend(word.take());
    if escaped || state.any() {
        return Err(invalid());
    }
    Ok(words)
}

#[derive(Default)]
struct Quotes {
    single: bool,
    double: bool,
    back: bool,
    dollar: bool,
}

impl Quotes {
    fn any(&self) -> bool {
        self.single || self.double || self.in_substitution()
    }

    fn in_substitution(&self) -> bool {
        self.back || self.dollar
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Got {
    #[default]
    Nothing,
    Single,
    Quoted,
}

#[derive(Default)]
struct Word {
    text: TextBuf,
    got: Got,
}

impl Word {
    fn push(&mut self, line: &Text, range: std::ops::Range<usize>) {
        self.text.push_slice(line, range);
    }

    fn push_made(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// The word, if there is one: an empty one counts only if it was quoted.
    fn take(&mut self) -> Option<Text> {
        let text = std::mem::take(&mut self.text);
        let got = std::mem::take(&mut self.got);
        (got == Got::Quoted || (got != Got::Nothing && !text.is_empty())).then(|| text.finish())
    }
}
