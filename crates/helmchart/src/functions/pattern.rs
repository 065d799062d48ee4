//! RE2 syntax as Go's `regexp` takes it, rewritten for the `regex` crate.
//!
//! Both crates match leftmost-first in linear time. They differ in syntax: Go's `\d \w \s \b` know ASCII only, braces that
//! are no repetition are plain characters, a class has no operators, and `\Q…\E` quotes. This module reads a pattern as
//! Go does, refuses what Go refuses in its words, and writes what the crate takes.

use regex::{Regex, RegexBuilder};

/// Largest compiled pattern, in bytes: a hundred repetitions of a class of all letters fit. Go's own limit is ten times as high,
/// and such a pattern takes a tenth of a second to compile.
const LARGEST_PROGRAM: usize = 4 << 20;
/// Compiled patterns up to this size are kept.
const SMALL_PROGRAM: usize = 128 << 10;
/// Go's largest repetition count.
const MOST_REPEATS: u32 = 1_000;
/// Go's deepest nesting.
const DEEPEST: usize = 1_000;

/// A compiled pattern.
pub(crate) struct Compiled {
    pub(crate) regex: Regex,
    /// Whether it took long, and is too large to keep many of its kind.
    pub(crate) is_large: bool,
}

/// Compiles a pattern. The error is worded as in Go.
pub(crate) fn compile(pattern: &str) -> Result<Compiled, String> {
    let fail = |code: &str, detail: &str| format!("error parsing regexp: {code}: `{detail}`");
    let mut translator = Translator { rest: pattern, whole: pattern, out: String::new(), depth: 0 };
    translator.run().map_err(|fault| match fault.detail {
        Some(detail) => fail(fault.code, &detail),
        None => format!("error parsing regexp: {}", fault.code),
    })?;
    let build = |limit: usize| {
        RegexBuilder::new(&translator.out)
            .size_limit(limit)
            .dfa_size_limit(LARGEST_PROGRAM)
            .nest_limit(u32::try_from(DEEPEST * 3).unwrap_or(u32::MAX))
            .build()
    };
    let compiled = match build(SMALL_PROGRAM) {
        Err(regex::Error::CompiledTooBig(_)) => build(LARGEST_PROGRAM).map(|regex| Compiled { regex, is_large: true }),
        other => other.map(|regex| Compiled { regex, is_large: false }),
    };
    compiled.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "error parsing regexp: expression too large".to_owned(),
        _ => fail("invalid or unsupported Perl syntax", pattern),
    })
}

struct Fault {
    code: &'static str,
    detail: Option<String>,
}

fn fault(code: &'static str, detail: impl Into<String>) -> Fault {
    Fault { code, detail: Some(detail.into()) }
}

struct Translator<'p> {
    rest: &'p str,
    whole: &'p str,
    out: String,
    depth: usize,
}

const WORD: &str = "0-9A-Za-z_";
const SPACE: &str = r"\t\n\f\r ";

impl Translator<'_> {
    fn run(&mut self) -> Result<(), Fault> {
        // What a repetition could follow, and the repetition that was read last.
        let mut repeatable = false;
        let mut last_repeat = String::new();
        while let Some(c) = self.rest.chars().next() {
            match c {
                '*' | '+' | '?' => {
                    self.repeat(1, &mut repeatable, &mut last_repeat)?;
                    continue;
                }
                '{' => {
                    if let Some(length) = repeat_length(self.rest) {
                        let text = &self.rest[..length];
                        if !is_valid_repeat(text) {
                            return Err(fault("invalid repeat count", text));
                        }
                        self.repeat(length, &mut repeatable, &mut last_repeat)?;
                        continue;
                    }
                    self.literal(c);
                    self.skip(1);
                }
                '(' => {
                    self.group()?;
                    (repeatable, last_repeat) = (false, String::new());
                    continue;
                }
                ')' => {
                    if self.depth == 0 {
                        return Err(fault("unexpected )", self.whole));
                    }
                    self.depth -= 1;
                    self.out.push(')');
                    self.skip(1);
                }
                '|' => {
                    self.out.push('|');
                    self.skip(1);
                    (repeatable, last_repeat) = (false, String::new());
                    continue;
                }
                '[' => self.class()?,
                '^' | '$' | '.' => {
                    self.out.push(c);
                    self.skip(1);
                }
                '\\' => self.escape()?,
                _ => {
                    self.literal(c);
                    self.skip(c.len_utf8());
                }
            }
            (repeatable, last_repeat) = (true, String::new());
        }
        if self.depth > 0 {
            return Err(fault("missing closing )", self.whole));
        }
        Ok(())
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or("");
    }

    fn literal(&mut self, c: char) {
        let mut buffer = [0; 4];
        self.out.push_str(&regex::escape(c.encode_utf8(&mut buffer)));
    }

    fn repeat(&mut self, length: usize, repeatable: &mut bool, last: &mut String) -> Result<(), Fault> {
        let lazy = self.rest[length..].starts_with('?');
        let length = length + usize::from(lazy);
        let text = self.rest[..length].to_owned();
        if !last.is_empty() {
            return Err(fault("invalid nested repetition operator", format!("{last}{text}")));
        }
        if !*repeatable {
            return Err(fault("missing argument to repetition operator", text.trim_end_matches(|c| lazy && c == '?')));
        }
        self.out.push_str(&text);
        self.skip(length);
        *last = text;
        Ok(())
    }

    /// `(`, `(?:`, `(?P<name>`, `(?flags)` and `(?flags:`.
    fn group(&mut self) -> Result<(), Fault> {
        if self.depth + 1 > DEEPEST {
            return Err(fault("expression nests too deeply", self.whole));
        }
        let Some(body) = self.rest.strip_prefix("(?") else {
            self.depth += 1;
            self.out.push('(');
            self.skip(1);
            return Ok(());
        };
        let named =
            body.strip_prefix("P<").map(|name| (name, 4)).or_else(|| body.strip_prefix('<').map(|name| (name, 3)));
        if let Some((name, start)) = named {
            let Some(end) = name.find('>') else { return Err(fault("invalid named capture", self.rest)) };
            let is_name =
                !name[..end].is_empty() && name[..end].bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if !is_name {
                return Err(fault("invalid named capture", &self.rest[..start + end + 1]));
            }
            let tag = format!("<{}>", &name[..end]);
            if self.out.contains(&format!("(?P{tag}")) {
                return Err(fault("duplicate capture group name", &name[..end]));
            }
            // The crate wants names that begin with a letter; groups are found by number where they do not.
            let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            self.out.push_str(&if begins_well { format!("(?P{tag}") } else { "(".to_owned() });
            self.depth += 1;
            self.skip(start + end + 1);
            return Ok(());
        }
        let flags_end = body.find([':', ')']).ok_or_else(|| fault("missing closing )", self.whole));
        let end = match flags_end {
            Ok(end) => end,
            Err(missing) => {
                let bad = body.find(|c: char| !"imsU-".contains(c));
                return Err(match bad {
                    Some(at) => {
                        let upto = at + body[at..].chars().next().map_or(0, char::len_utf8);
                        fault("invalid or unsupported Perl syntax", format!("(?{}", &body[..upto]))
                    }
                    None => missing,
                });
            }
        };
        let flags = &body[..end];
        let mut negated = false;
        let mut seen_after_sign = true;
        for (at, c) in flags.char_indices() {
            let bad = || fault("invalid or unsupported Perl syntax", format!("(?{}", &body[..at + c.len_utf8()]));
            match c {
                'i' | 'm' | 's' | 'U' => seen_after_sign = true,
                '-' if !negated => (negated, seen_after_sign) = (true, false),
                _ => return Err(bad()),
            }
        }
        if !seen_after_sign {
            return Err(fault("invalid or unsupported Perl syntax", format!("(?{}", &body[..=end])));
        }
        let opens = body[end..].starts_with(':');
        self.depth += usize::from(opens);
        match (flags, opens) {
            ("", false) => self.out.push_str("(?:)"),
            _ => self.out.push_str(&format!("(?{flags}{}", if opens { ':' } else { ')' })),
        }
        self.skip(2 + end + 1);
        Ok(())
    }

    /// An escape outside of a class.
    fn escape(&mut self) -> Result<(), Fault> {
        let Some(c) = self.rest[1..].chars().next() else {
            return Err(fault("trailing backslash at end of expression", ""));
        };
        match c {
            'A' | 'z' => {
                self.out.push('\\');
                self.out.push(c);
            }
            'b' | 'B' => self.out.push_str(&format!(r"(?-u:\{c})")),
            'C' => return Err(fault("invalid escape sequence", r"\C")),
            'Q' => {
                let body = &self.rest[2..];
                let (quoted, length) = match body.find(r"\E") {
                    Some(end) => (&body[..end], end + 2),
                    None => (body, body.len()),
                };
                // Each character alone, so that a repetition takes the last one only.
                self.out.push_str(&regex::escape(quoted));
                self.skip(2 + length);
                return Ok(());
            }
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => {
                let negated = if c.is_ascii_uppercase() { "^" } else { "" };
                self.out.push_str(&format!("[{negated}{}]", perl_class(c)));
            }
            'p' | 'P' => {
                let class = self.unicode_class()?;
                self.out.push_str(&class);
                return Ok(());
            }
            _ => {
                let literal = self.escaped_character()?;
                self.literal(literal);
                return Ok(());
            }
        }
        self.skip(1 + c.len_utf8());
        Ok(())
    }

    /// `\pL`, `\p{Greek}`, `\P{^Lu}`.
    fn unicode_class(&mut self) -> Result<String, Fault> {
        let body = &self.rest[2..];
        let mut negated = self.rest.starts_with(r"\P");
        let Some(first) = body.chars().next() else {
            return Err(fault("invalid character class range", self.rest));
        };
        let (mut name, length) = if first == '{' {
            let Some(end) = body.find('}') else { return Err(fault("invalid character class range", self.rest)) };
            (&body[1..end], end + 1)
        } else {
            (&body[..first.len_utf8()], first.len_utf8())
        };
        let spelled = self.rest[..2 + length].to_owned();
        if let Some(inner) = name.strip_prefix('^') {
            (name, negated) = (inner, !negated);
        }
        let class = format!(r"\{}{{{name}}}", if negated { 'P' } else { 'p' });
        let known = name == "Any" || Regex::new(&class).is_ok();
        if name.is_empty() || !known {
            return Err(fault("invalid character class range", spelled));
        }
        self.skip(2 + length);
        Ok(class)
    }

    /// A single escaped character, also within a class.
    fn escaped_character(&mut self) -> Result<char, Fault> {
        let body = &self.rest[1..];
        let Some(c) = body.chars().next() else {
            return Err(fault("trailing backslash at end of expression", ""));
        };
        let invalid = |length: usize| fault("invalid escape sequence", &self.rest[..length.min(self.rest.len())]);
        let (value, length) = match c {
            '1'..='7' if !body[1..].starts_with(|c: char| ('0'..='7').contains(&c)) => return Err(invalid(2)),
            '0'..='7' => {
                let end = body.bytes().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
                (u32::from_str_radix(&body[..end], 8).ok(), end)
            }
            'x' if body.starts_with("x{") => {
                let Some(end) = body.find('}') else { return Err(fault("invalid escape sequence", self.rest)) };
                let digits = &body[2..end];
                if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    let bad = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(0);
                    let upto = 3 + bad + digits[bad..].chars().next().map_or(1, char::len_utf8);
                    return Err(invalid(upto));
                }
                match u32::from_str_radix(digits, 16).ok().filter(|code| *code <= 0x10_ffff) {
                    Some(code) => (Some(code), end + 1),
                    None => return Err(invalid(end + 1)),
                }
            }
            'x' => {
                let digits = body.get(1..3).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
                match digits {
                    Some(digits) => (u32::from_str_radix(digits, 16).ok(), 3),
                    None => {
                        let good = body[1..].bytes().take(2).take_while(u8::is_ascii_hexdigit).count();
                        let next = body[1 + good..].chars().next().map_or(0, char::len_utf8);
                        return Err(invalid(2 + good + next));
                    }
                }
            }
            'a' => (Some(7), 1),
            'f' => (Some(12), 1),
            'n' => (Some(10), 1),
            'r' => (Some(13), 1),
            't' => (Some(9), 1),
            'v' => (Some(11), 1),
            _ if c.is_ascii() && !c.is_ascii_alphanumeric() => (Some(u32::from(c)), 1),
            _ => return Err(invalid(1 + c.len_utf8())),
        };
        self.skip(1 + length);
        Ok(value.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn class(&mut self) -> Result<(), Fault> {
        let whole = self.rest;
        let mut class = String::from("[");
        self.skip(1);
        if self.rest.starts_with('^') {
            class.push('^');
            self.skip(1);
        }
        let mut first = true;
        while first || !self.rest.starts_with(']') {
            if self.rest.is_empty() {
                return Err(fault("missing closing ]", whole));
            }
            first = false;
            if let Some(body) = self.rest.strip_prefix("[:")
                && let Some(end) = body.find(":]")
            {
                let spelled = &self.rest[..end + 4];
                let name = body[..end].trim_start_matches('^');
                const NAMES: [&str; 14] = [
                    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
                    "upper", "word", "xdigit",
                ];
                if !NAMES.contains(&name) {
                    return Err(fault("invalid character class range", spelled));
                }
                class.push_str(spelled);
                self.skip(end + 4);
                continue;
            }
            if let Some(c) = self.rest.strip_prefix('\\').and_then(|rest| rest.chars().next()) {
                if "dDsSwW".contains(c) {
                    let set = perl_class(c);
                    class.push_str(&if c.is_ascii_uppercase() { format!("[^{set}]") } else { set.to_owned() });
                    self.skip(2);
                    continue;
                }
                if matches!(c, 'p' | 'P') {
                    class.push_str(&self.unicode_class()?);
                    continue;
                }
            }
            let range = self.rest;
            let low = self.class_character(whole)?;
            let mut high = low;
            if self.rest.len() >= 2 && self.rest.starts_with('-') && !self.rest[1..].starts_with(']') {
                self.skip(1);
                high = self.class_character(whole)?;
                if high < low {
                    let spelled = &range[..range.len() - self.rest.len()];
                    return Err(fault("invalid character class range", spelled));
                }
            }
            push_class_character(&mut class, low);
            if high != low {
                class.push('-');
                push_class_character(&mut class, high);
            }
        }
        self.skip(1);
        class.push(']');
        self.out.push_str(&class);
        Ok(())
    }

    fn class_character(&mut self, whole: &str) -> Result<char, Fault> {
        match self.rest.chars().next() {
            None => Err(fault("missing closing ]", whole)),
            Some('\\') => self.escaped_character(),
            Some(c) => {
                self.skip(c.len_utf8());
                Ok(c)
            }
        }
    }
}

fn perl_class(letter: char) -> &'static str {
    match letter.to_ascii_lowercase() {
        'd' => "0-9",
        's' => SPACE,
        _ => WORD,
    }
}

/// A character of a class, by number: none of the crate's operators can come of it.
fn push_class_character(class: &mut String, c: char) {
    if c.is_ascii_alphanumeric() {
        class.push(c);
    } else {
        class.push_str(&format!(r"\x{{{:x}}}", u32::from(c)));
    }
}

/// Length of `{n}`, `{n,}` or `{n,m}` at the start; other braces are plain characters.
fn repeat_length(text: &str) -> Option<usize> {
    let body = text.strip_prefix('{')?;
    let end = body.find('}')?;
    let (least, most) = body[..end].split_once(',').unwrap_or((&body[..end], ""));
    let is_number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && !(text.len() > 1 && text.starts_with('0'));
    (!least.is_empty() && is_number(least) && is_number(most)).then_some(end + 2)
}

fn is_valid_repeat(text: &str) -> bool {
    let body = text.trim_matches(['{', '}']);
    let (least, most) = body.split_once(',').unwrap_or((body, ""));
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number <= MOST_REPEATS);
    match (number(least), most) {
        (Some(_), "") => true,
        (Some(least), most) => number(most).is_some_and(|most| least <= most),
        (None, _) => false,
    }
}

/// Whether a text has a character that `regexQuoteMeta` escapes.
pub(crate) fn is_meta(c: char) -> bool {
    r"\.+*?()|[]{}^$".contains(c)
}
