//! The grammar of env files as compose-go reads them (a fork of godotenv), with the place of every name and value.

use std::collections::HashMap;
use std::ops::Range;

use source::letters::is_letter;
use source::{FileId, Span, Text, TextBuf, octets};

use crate::budget::Budget;
use crate::interpolate::template::{self, Failure, Found, Use, Variables};
use crate::{EnvEntry, VariableSource};

/// One entry of a parsed file, in written order. Equal names can occur: the last one wins.
pub(crate) type Entries = Vec<EnvEntry>;

/// Where values of an env file look variables up before the file's own entries.
pub(crate) trait Scope {
    fn lookup(&mut self, name: &str) -> Option<Found>;

    /// A variable was used in a value.
    fn used(&mut self, variable: &Use<'_>, fallback: Span);

    /// A variable of the file itself that is unset everywhere.
    fn unset(&mut self, name: &str, span: Span);
}

/// Why a file is refused, and where.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) message: String,
    pub(crate) span: Span,
    pub(crate) is_limit: bool,
}

/// Parses a file. `source` is its whole content (a byte order mark is skipped), traced if the load is.
pub(crate) fn parse(source: &Text, file: FileId, scope: &mut dyn Scope, budget: &Budget) -> Result<Entries, Refusal> {
    let at = if source.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut parser = Parser { source, file, at, line: 1, entries: Vec::new(), by_name: HashMap::new(), budget };
    parser.parse(scope)?;
    Ok(parser.entries)
}

struct Parser<'s> {
    source: &'s Text,
    file: FileId,
    at: usize,
    /// Counted as compose-go counts, which is not always right; only for messages.
    line: usize,
    entries: Entries,
    by_name: HashMap<String, usize>,
    budget: &'s Budget,
}

impl<'s> Parser<'s> {
    fn rest(&self) -> &'s str {
        self.source.as_str().get(self.at..).unwrap_or_default()
    }

    fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.file, range)
    }

    fn refuse<T>(&self, message: impl Into<String>, range: Range<usize>) -> Result<T, Refusal> {
        Err(Refusal { message: message.into(), span: self.span(range), is_limit: false })
    }

    fn parse(&mut self, scope: &mut dyn Scope) -> Result<(), Refusal> {
        while self.skip_to_statement() {
            let (name, inherited) = self.name()?;
            let name_text = self.source.slice(name.clone());
            if name_text.contains(' ') {
                return self.refuse(format!("line {}: key cannot contain a space", self.line), name);
            }
            if inherited {
                if let Some(found) = scope.lookup(&name_text) {
                    self.push(name.clone(), found.text, name.end..name.end)?;
                }
                continue;
            }
            let (value, range) = self.value(scope)?;
            self.push(name, value, range)?;
        }
        Ok(())
    }

    fn push(&mut self, name: Range<usize>, value: Text, value_range: Range<usize>) -> Result<(), Refusal> {
        let span = self.span(name.clone());
        self.budget.variable().map_err(|message| Refusal { message, span, is_limit: true })?;
        let name_text = self.source.slice(name.clone());
        if let Some(earlier) = self.by_name.insert(name_text.to_string(), self.entries.len())
            && let Some(earlier) = self.entries.get_mut(earlier)
        {
            earlier.overridden = true;
        }
        self.entries.push(EnvEntry {
            name: name_text,
            value,
            name_span: self.span(name),
            value_span: self.span(value_range),
            used: false,
            overridden: false,
        });
        Ok(())
    }

    /// Skips space and comments; whether anything is left.
    fn skip_to_statement(&mut self) -> bool {
        loop {
            let rest = self.rest();
            let Some(found) = rest.find(|character: char| !character.is_whitespace()) else {
                return false;
            };
            self.line += rest[..found].matches('\n').count();
            self.at += found;
            let rest = self.rest();
            if !rest.starts_with('#') {
                return true;
            }
            let Some(end) = rest.find('\n') else { return false };
            self.at += end;
        }
    }

    /// The name before `=` or `:`; or, at a line's end, one that takes its value from the environment.
    fn name(&mut self) -> Result<(Range<usize>, bool), Refusal> {
        let rest = self.rest();
        if let Some(after) = rest.strip_prefix("export")
            && after.starts_with(['\t', '\n', '\u{c}', '\r', ' '])
        {
            self.at += "export".len();
            self.skip_blanks();
        }
        let rest = self.rest();
        let start = self.at;
        if rest.is_empty() {
            return self.refuse("zero length string", start..start);
        }
        let mut end = 0;
        let mut offset = 0;
        let mut inherited = false;
        for (at, character) in rest.char_indices() {
            if is_blank(character) {
                continue;
            }
            match character {
                '=' | ':' | '\n' => {
                    end = at;
                    offset = at + 1;
                    inherited = character == '\n';
                    break;
                }
                '_' | '.' | '-' | '[' | ']' => {}
                letter if is_letter(letter) || letter.is_numeric() => {}
                _ => {
                    let line = rest.split('\n').next().unwrap_or_default();
                    let message = format!(
                        "line {}: unexpected character {} in variable name {}",
                        self.line,
                        crate::go::quote(&octets::replaced(&character.to_string())),
                        crate::go::quote(line)
                    );
                    return self.refuse(message, start + at..start + at + character.len_utf8());
                }
            }
        }
        if inherited && !rest[..end].contains(' ') {
            self.line += 1;
        }
        let end = start + rest[..end].trim_end().len();
        self.at = start + offset;
        self.skip_blanks();
        Ok((start..end, inherited))
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_blank).len();
    }

    fn value(&mut self, scope: &mut dyn Scope) -> Result<(Text, Range<usize>), Refusal> {
        let rest = self.rest();
        let start = self.at;
        let Some(quote) = rest.bytes().next().filter(|byte| matches!(byte, b'"' | b'\'')) else {
            let line = rest.split('\n').next().unwrap_or_default();
            self.line += 1;
            self.at += (line.len() + 1).min(rest.len());
            let value = line.split(" #").next().unwrap_or_default().trim_end();
            let range = start..start + value.len();
            let text = self.expand(&self.source.slice(range.clone()), range.clone(), scope)?;
            return Ok((text, range));
        };
        let mut out = TextBuf::new();
        let mut escaped = false;
        // Bytes that stay as they are, from here on.
        let mut kept = start + 1;
        let bytes = rest.as_bytes();
        for (at, byte) in bytes.iter().enumerate().skip(1) {
            let here = start + at;
            if *byte == b'\n' {
                self.line += 1;
            }
            if *byte != quote {
                escaped = !escaped && *byte == b'\\';
                continue;
            }
            if escaped {
                // `\"` loses its backslash; all other escapes stay for later.
                escaped = false;
                out.push_slice(self.source, kept..here - 1);
                kept = here;
                continue;
            }
            out.push_slice(self.source, kept..here);
            let range = start..here + 1;
            self.at = here + 1;
            let mut value = out.finish();
            if self.source.is_traced() && !value.is_traced() {
                value = self.source.slice(start + 1..here);
            }
            if quote == b'"' {
                value = self.expand(&expand_escapes(&value), range.clone(), scope)?;
            }
            return Ok((value, range));
        }
        let line = rest.split('\n').next().unwrap_or_default();
        let message = format!("line {}: unterminated quoted value {line}", self.line);
        self.refuse(message, start..start + line.len())
    }

    fn expand(&mut self, value: &Text, range: Range<usize>, scope: &mut dyn Scope) -> Result<Text, Refusal> {
        let span = self.span(range);
        let budget = self.budget;
        let mut variables = OwnOrOuter { parser: self, scope, span };
        template::substitute(value, &mut variables, budget).map_err(|failure| match failure {
            Failure::Invalid(text) => {
                Refusal { message: format!("Invalid template: {}", crate::go::quote(&text)), span, is_limit: false }
            }
            Failure::Required { message } => Refusal { message, span, is_limit: false },
            Failure::Limit(message) => Refusal { message, span, is_limit: true },
        })
    }
}

struct OwnOrOuter<'p, 's> {
    parser: &'p mut Parser<'s>,
    scope: &'p mut dyn Scope,
    span: Span,
}

impl Variables for OwnOrOuter<'_, '_> {
    fn lookup(&mut self, name: &str) -> Option<Found> {
        if let Some(found) = self.scope.lookup(name) {
            return Some(found);
        }
        let entry = self.parser.by_name.get(name).and_then(|at| self.parser.entries.get_mut(*at))?;
        entry.used = true;
        Some(Found { text: entry.value.clone(), source: VariableSource::EnvFile(entry.value_span) })
    }

    fn used(&mut self, variable: Use<'_>) {
        self.scope.used(&variable, self.span);
    }

    fn unset(&mut self, name: &str) {
        self.scope.unset(name, self.span);
    }
}

/// A space that does not end a line.
fn is_blank(character: char) -> bool {
    matches!(character, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}')
}

/// `\n`, `\t`, `\0123` and so on in a double-quoted value; `\$` becomes `$$`, which interpolation then undoes.
fn expand_escapes(value: &Text) -> Text {
    if !value.contains('\\') {
        return value.clone();
    }
    let bytes = value.as_bytes();
    let mut out = TextBuf::new();
    let mut kept = 0;
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            at += 1;
            continue;
        }
        let Some(next) = bytes.get(at + 1) else { break };
        let (replacement, length) = match next {
            b'$' => (Some("$$".to_owned()), 2),
            b'0' => {
                let digits = bytes[at + 2..].iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
                (Some(octal(&value[at + 2..at + 2 + digits])), 2 + digits)
            }
            b'a' => (Some("\u{7}".to_owned()), 2),
            b'b' => (Some("\u{8}".to_owned()), 2),
            b'f' => (Some("\u{c}".to_owned()), 2),
            b'n' => (Some("\n".to_owned()), 2),
            b'r' => (Some("\r".to_owned()), 2),
            b't' => (Some("\t".to_owned()), 2),
            b'v' => (Some("\u{b}".to_owned()), 2),
            b'"' => (Some("\"".to_owned()), 2),
            b'\\' => (Some("\\".to_owned()), 2),
            // Go knows no `\c`, so it stays.
            b'c' => (None, 2),
            _ => (None, 1),
        };
        if let Some(replacement) = replacement {
            out.push_slice(value, kept..at);
            let made_from = value.slice(at..at + length);
            out.push(&Text::derived_from(replacement, [&made_from]));
            kept = at + length;
        }
        at += length;
    }
    out.push_slice(value, kept..bytes.len());
    out.finish()
}

/// `\0` and up to three digits: Go wants exactly three octal ones below 256, else the text stays, without its zero.
fn octal(digits: &str) -> String {
    let code = (digits.len() == 3).then(|| u32::from_str_radix(digits, 8).ok()).flatten();
    match code.filter(|code| *code < 256).and_then(char::from_u32) {
        Some(character) => character.to_string(),
        None => format!("\\{digits}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl Scope for Nothing {
        fn lookup(&mut self, name: &str) -> Option<Found> {
            (name == "HOST").then(|| Found { text: Text::new("host"), source: VariableSource::HostEnvironment })
        }

        fn used(&mut self, _: &Use<'_>, _: Span) {}

        fn unset(&mut self, _: &str, _: Span) {}
    }

    fn parsed(text: &str) -> String {
        match parse(&Text::new(text), FileId(0), &mut Nothing, &Budget::new(crate::Limits::default())) {
            Ok(entries) => entries.iter().map(|entry| format!("[{}]={:?} ", entry.name, entry.value)).collect(),
            Err(refusal) => refusal.message,
        }
    }

    #[test]
    fn env_files_are_read_as_compose_reads_them() {
        for (text, expected) in [
            ("A=1\nB = two words # comment\n", r#"[A]="1" [B]="two words" "#),
            ("\u{feff}export A='$x \\' y'", r#"[A]="$x ' y" "#),
            (r#"A="a\n\$b\0101" # c"#, "[A]=\"a\\n$bA\" "),
            ("A=1\nB=${A}-${HOST}-${NO:-d}\nA=2", r#"[A]="1" [B]="1-host-d" [A]="2" "#),
            ("HOST\nNOT_SET\n", r#"[HOST]="host" "#),
            ("A: yaml", r#"[A]="yaml" "#),
            ("A=\"open", "line 1: unterminated quoted value \"open"),
            ("\nA B=1", "line 2: key cannot contain a space"),
            ("A!=1", r#"line 1: unexpected character "!" in variable name "A!=1""#),
        ] {
            assert_eq!(parsed(text), expected, "{text}");
        }
    }
}
