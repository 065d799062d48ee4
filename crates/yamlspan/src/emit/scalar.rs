//! How a string is written: what it would mean if plain, and which styles can hold it.

use super::writer::Written;
use crate::resolve::resolve;
use crate::{Dialect, Scalar, Style};

/// What a style can do for a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Analysis {
    pub(super) multiline: bool,
    plain: bool,
    single_quoted: bool,
    block: bool,
}

/// The style for a string in block context.
pub(super) fn style_of(text: &str, written: Written, analysis: Analysis, simple_key: bool) -> Style {
    let mut style = wanted_style(text, written);
    if simple_key && analysis.multiline {
        style = Style::DoubleQuoted;
    }
    if style == Style::Plain && (!analysis.plain || (text.is_empty() && simple_key)) {
        style = Style::SingleQuoted;
    }
    if style == Style::SingleQuoted && !analysis.single_quoted {
        style = Style::DoubleQuoted;
    }
    if style == Style::Literal && (!analysis.block || simple_key) {
        style = Style::DoubleQuoted;
    }
    style
}

/// What the encoder asks of the emitter.
fn wanted_style(text: &str, written: Written) -> Style {
    if text.contains('\n') {
        // v4 does not write white space as a block.
        let blank = written == Written::V4 && (text.len() < 2 || text.chars().all(is_go_space));
        return if blank { Style::DoubleQuoted } else { Style::Literal };
    }
    let dialect = match written {
        Written::V2 => Dialect::GoYamlV2,
        Written::V3 => Dialect::GoYamlV3,
        Written::V4 => Dialect::GoYamlV4,
    };
    let string = matches!(resolve("", text, dialect), Ok(Scalar::Str));
    match written {
        Written::V2 if string && !is_base_60(text) => Style::Plain,
        Written::V3 if string && !is_base_60(text) && !is_old_bool(text) => Style::Plain,
        Written::V2 | Written::V3 => Style::DoubleQuoted,
        Written::V4 if is_base_60(text) || is_old_bool(text) || text == "<<" => Style::SingleQuoted,
        Written::V4 if string => Style::Plain,
        Written::V4 => Style::DoubleQuoted,
    }
}

/// Go's `unicode.IsSpace`.
fn is_go_space(letter: char) -> bool {
    letter.is_whitespace()
}

/// `y`, `off` and the like, which v3 and v4 quote for readers of YAML 1.1.
fn is_old_bool(text: &str) -> bool {
    matches!(
        text,
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF"
    )
}

/// Numbers like `190:20:30`, which YAML 1.1 has in base 60: `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`.
fn is_base_60(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !text.starts_with(|first: char| first.is_ascii_digit())
        || !text.split('.').next().is_some_and(|number| number.contains(':'))
    {
        return false;
    }
    let underscored = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let (number, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = number.split(':');
    parts.next().is_some_and(underscored)
        && underscored(fraction)
        && parts.all(|part| match part.as_bytes() {
            [last] => last.is_ascii_digit(),
            [first, last] => matches!(first, b'0'..=b'5') && last.is_ascii_digit(),
            _ => false,
        })
}

/// Which bytes need no look: those of plain words.
const HARMLESS: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        let letter = byte as u8;
        table[byte] =
            letter.is_ascii_alphanumeric() || matches!(letter, b'_' | b'-' | b'.' | b'/' | b'=' | b'$' | b'+');
        byte += 1;
    }
    table
};

/// Where harmless bytes end that begin at `from`.
fn harmless_end(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().position(|byte| !HARMLESS[usize::from(*byte)]).unwrap_or(rest.len())
}

pub(super) fn analyze(text: &str, written: Written) -> Analysis {
    let bytes = text.as_bytes();
    let all = Analysis { multiline: false, plain: true, single_quoted: true, block: true };
    if bytes.is_empty() {
        return Analysis { block: false, ..all };
    }
    if harmless_end(bytes, 0) == bytes.len() && !text.starts_with('-') && !text.starts_with("...") {
        return all;
    }
    let mut indicators = text.starts_with("---") || text.starts_with("...");
    let (mut breaks, mut special, mut tabs) = (false, false, false);
    let (mut break_space, mut space_break) = (false, false);
    let (mut previous_space, mut previous_break) = (false, false);
    let mut after_blank = true;
    let mut next = 0;
    while let Some(letter) = text[next..].chars().next() {
        let at = next;
        next = harmless_end(bytes, at);
        if at > 0 && next > at {
            (previous_space, previous_break, after_blank) = (false, false, false);
            continue;
        }
        next = at + letter.len_utf8();
        let before_blank = bytes.get(next).is_none_or(|next| matches!(next, b' ' | b'\t'));
        indicators |= match letter {
            '#' => after_blank,
            ':' => before_blank,
            '?' | '-' if at == 0 => before_blank,
            ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => at == 0,
            _ => false,
        };
        if letter == '\t' && written != Written::V2 {
            tabs = true;
        } else if !is_printable(letter) {
            special = true;
        }
        if letter == ' ' {
            break_space |= previous_break;
            (previous_space, previous_break) = (true, false);
        } else if is_break(letter) {
            breaks = true;
            space_break |= previous_space;
            (previous_space, previous_break) = (false, true);
        } else {
            (previous_space, previous_break) = (false, false);
        }
        after_blank = matches!(letter, ' ' | '\t' | '\0') || is_break(letter);
    }
    let trailing_space = text.ends_with(' ');
    let edges = trailing_space || text.starts_with(' ') || text.starts_with(is_break) || text.ends_with(is_break);
    let broken = break_space || space_break || special || tabs;
    Analysis {
        multiline: breaks,
        plain: !(edges || broken || breaks || indicators),
        single_quoted: !broken,
        block: !(trailing_space || space_break || special),
    }
}

pub(super) fn is_break(letter: char) -> bool {
    matches!(letter, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What go-yaml writes as it is. Characters above U+FFFF are not among them.
pub(super) fn is_printable(letter: char) -> bool {
    matches!(letter, '\n' | ' '..='~' | '\u{a0}'..='\u{fffd}') && letter != '\u{feff}'
}
