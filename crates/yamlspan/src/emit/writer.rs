//! The emitter of libyaml, as far as plain values need it.

use source::{Text, TextBuf};

use super::scalar::{analyze, is_break, is_printable, style_of};
use super::{binary, order};
use crate::number::format_g;
use crate::{Data, Style};

/// Which go-yaml writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    V2,
    V3,
    V4,
}

/// v2 and v4 break lines after this column; v3 does not.
const WIDTH: usize = 80;

pub(super) struct Writer {
    written: Written,
    step: usize,
    width: usize,
    out: TextBuf,
    column: usize,
    /// What was written last stands in for a space.
    whitespace: bool,
    /// Only indentation and indicators stand on the line.
    indention: bool,
    /// None before the root.
    indent: Option<usize>,
    /// Keys as they come, for Go structs, which go-yaml does not sort.
    keeps_order: bool,
}

/// Where a node stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Item,
    Key,
    /// A key after `?`.
    ComplexKey,
    Value,
}

impl Writer {
    pub(super) fn new(written: Written, step: usize) -> Self {
        Self {
            written,
            step: if (2..=9).contains(&step) { step } else { 2 },
            width: if written == Written::V3 { usize::MAX } else { WIDTH },
            out: TextBuf::new(),
            column: 0,
            whitespace: true,
            indention: true,
            indent: None,
            keeps_order: false,
        }
    }

    pub(super) fn keep_order(mut self) -> Self {
        self.keeps_order = true;
        self
    }

    pub(super) fn document(mut self, data: &Data) -> Text {
        self.node(data, Place::Root);
        self.write_indent();
        self.out.finish()
    }

    fn node(&mut self, data: &Data, place: Place) {
        match data {
            Data::Null => self.word("null", place),
            Data::Bool(value) => self.word(if *value { "true" } else { "false" }, place),
            Data::Int(value) => self.word(&value.to_string(), place),
            Data::Uint(value) => self.word(&value.to_string(), place),
            Data::Float(value) => self.word(&float_word(*value), place),
            Data::Str(text) => self.string(text, place),
            Data::Seq(items) if items.is_empty() => {
                self.indicator("[", true, true, false);
                self.indicator("]", false, false, false);
            }
            Data::Map(entries) if entries.is_empty() => {
                self.indicator("{", true, true, false);
                self.indicator("}", false, false, false);
            }
            Data::Seq(items) => self.sequence(items, place),
            Data::Map(entries) => self.mapping(entries, place),
        }
    }

    fn sequence(&mut self, items: &[Data], place: Place) {
        let outer = self.indent;
        let in_mapping = matches!(place, Place::Value | Place::Key | Place::ComplexKey);
        let indentless = self.written == Written::V2 && in_mapping && !self.indention;
        self.increase_indent(false, indentless, place);
        for item in items {
            self.write_indent();
            self.indicator("-", true, false, true);
            self.node(item, Place::Item);
        }
        self.indent = outer;
    }

    fn mapping(&mut self, entries: &[(Text, Data)], place: Place) {
        let outer = self.indent;
        self.increase_indent(false, false, place);
        let entries: Vec<_> = entries.iter().map(|(key, value)| (key.as_str(), (key, value))).collect();
        let entries = if self.keeps_order { entries } else { order::sort(entries, self.written) };
        for (_, (key, value)) in entries {
            self.write_indent();
            if self.is_simple_key(key) {
                self.string(key, Place::Key);
                self.indicator(":", false, false, false);
            } else {
                self.indicator("?", true, false, true);
                self.string(key, Place::ComplexKey);
                self.write_indent();
                self.indicator(":", true, false, true);
            }
            self.node(value, Place::Value);
        }
        self.indent = outer;
    }

    fn increase_indent(&mut self, flow: bool, indentless: bool, place: Place) {
        self.indent = Some(match self.indent {
            None if flow => self.step,
            None => 0,
            Some(indent) if indentless => indent,
            Some(indent) if self.written == Written::V2 => indent + self.step,
            Some(indent) if place == Place::Item => indent + 2,
            Some(indent) => self.step * ((indent + self.step) / self.step),
        });
    }

    /// A scalar that needs no quotes.
    fn word(&mut self, word: &str, place: Place) {
        let text = Text::new(word);
        let outer = self.indent;
        self.increase_indent(true, false, place);
        self.plain(&text, false);
        self.indent = outer;
    }

    fn string(&mut self, text: &Text, place: Place) {
        if source::octets::first_mark(text).is_some() {
            return self.binary(text, place);
        }
        let simple_key = place == Place::Key;
        let style = style_of(text, self.written, analyze(text, self.written), simple_key);
        let outer = self.indent;
        self.increase_indent(true, false, place);
        match style {
            Style::SingleQuoted => self.single_quoted(text, !simple_key),
            Style::DoubleQuoted => self.double_quoted(text, !simple_key),
            Style::Literal => self.literal(text),
            _ => self.plain(text, !simple_key),
        }
        self.indent = outer;
    }

    fn is_simple_key(&self, key: &Text) -> bool {
        if source::octets::first_mark(key).is_some() {
            // Its tag counts.
            let encoded = binary::encoded(&source::octets::unmarked(key));
            return binary::TAG.len() + encoded.len() <= LONGEST_SIMPLE_KEY && !encoded.contains('\n');
        }
        key.len() <= LONGEST_SIMPLE_KEY && !analyze(key, self.written).multiline
    }

    /// Bytes that are no UTF-8.
    fn binary(&mut self, text: &Text, place: Place) {
        let encoded = Text::derived_from(binary::encoded(&source::octets::unmarked(text)), [text]);
        self.indicator(binary::TAG, true, false, false);
        let outer = self.indent;
        self.increase_indent(true, false, place);
        match encoded.contains('\n') {
            true => self.literal(&encoded),
            false => self.plain(&encoded, place != Place::Key),
        }
        self.indent = outer;
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn put_break(&mut self) {
        self.out.push_str("\n");
        self.column = 0;
        if self.written != Written::V2 {
            self.indention = true;
        }
    }

    fn write_indent(&mut self) {
        let indent = self.indent.unwrap_or(0);
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.put_break();
        }
        while self.column < indent {
            self.put(" ");
        }
        self.whitespace = true;
        if self.written == Written::V2 {
            self.indention = true;
        }
    }

    fn indicator(&mut self, indicator: &str, needs_space: bool, is_space: bool, is_indention: bool) {
        if needs_space && !self.whitespace {
            self.put(" ");
        }
        self.put(indicator);
        self.whitespace = is_space;
        self.indention &= is_indention;
    }

    /// Copies the bytes `from..to` of a scalar.
    fn copy(&mut self, text: &Text, from: usize, to: usize) {
        if from < to {
            self.out.push_slice(text, from..to);
        }
    }

    fn plain(&mut self, text: &Text, may_fold: bool) {
        if !self.whitespace && (self.written == Written::V2 || !text.is_empty()) {
            self.put(" ");
        }
        let mut copied = 0;
        let mut spaces = false;
        for (at, letter) in text.char_indices() {
            if letter == ' ' {
                let next_space = text.as_bytes().get(at + 1) == Some(&b' ');
                if may_fold && !spaces && self.column > self.width && !next_space {
                    self.copy(text, copied, at);
                    copied = at + 1;
                    self.write_indent();
                } else {
                    self.column += 1;
                }
                spaces = true;
            } else {
                self.column += 1;
                self.indention = false;
                spaces = false;
            }
        }
        self.copy(text, copied, text.len());
        if self.written == Written::V2 || !text.is_empty() {
            self.whitespace = false;
        }
        self.indention = false;
    }

    fn single_quoted(&mut self, text: &Text, may_fold: bool) {
        self.indicator("'", true, false, false);
        let mut copied = 0;
        let (mut spaces, mut breaks) = (false, false);
        for (at, letter) in text.char_indices() {
            if letter == ' ' {
                let inside = at > 0 && at + 1 < text.len() && text.as_bytes().get(at + 1) != Some(&b' ');
                if may_fold && !spaces && self.column > self.width && inside {
                    self.copy(text, copied, at);
                    copied = at + 1;
                    self.write_indent();
                } else {
                    self.column += 1;
                }
                spaces = true;
            } else if is_break(letter) {
                // Only LS and PS come here: they stay as they are.
                self.column = 0;
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.copy(text, copied, at);
                    copied = at;
                    self.write_indent();
                }
                if letter == '\'' {
                    self.copy(text, copied, at);
                    copied = at;
                    self.put("'");
                }
                self.column += 1;
                self.indention = false;
                (spaces, breaks) = (false, false);
            }
        }
        self.copy(text, copied, text.len());
        self.indicator("'", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    fn double_quoted(&mut self, text: &Text, may_fold: bool) {
        self.indicator("\"", true, false, false);
        // go-yaml asks for a BOM at the start of the text instead of at the letter.
        let all_escaped = text.starts_with('\u{feff}');
        let mut copied = 0;
        let mut spaces = false;
        for (at, letter) in text.char_indices() {
            let after = at + letter.len_utf8();
            if all_escaped || !is_printable(letter) || is_break(letter) || matches!(letter, '"' | '\\') {
                self.copy(text, copied, at);
                copied = after;
                let escape = escape(letter);
                self.column += escape.len();
                if text.is_traced() {
                    self.out.push(&Text::derived_from(escape, [&text.slice(at..after)]));
                } else {
                    self.out.push_str(&escape);
                }
                spaces = false;
            } else if letter == ' ' {
                if may_fold && !spaces && self.column > self.width && at > 0 && at + 1 < text.len() {
                    self.copy(text, copied, at);
                    copied = after;
                    self.write_indent();
                    if text.as_bytes().get(after) == Some(&b' ') {
                        self.put("\\");
                    }
                } else {
                    self.column += 1;
                }
                spaces = true;
            } else {
                self.column += 1;
                spaces = false;
            }
        }
        self.copy(text, copied, text.len());
        self.indicator("\"", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    fn literal(&mut self, text: &Text) {
        self.indicator("|", true, false, false);
        let hinted = text.starts_with(' ') || (self.written != Written::V4 && text.starts_with(is_break));
        if hinted {
            self.indicator(&self.step.to_string(), false, false, false);
        }
        let mut back = text.chars().rev();
        match (back.next().is_some_and(is_break), back.next()) {
            (false, _) => self.indicator("-", false, false, false),
            (true, None) => self.indicator("+", false, false, false),
            (true, Some(before)) if is_break(before) => self.indicator("+", false, false, false),
            (true, Some(_)) => {}
        }
        self.put_break();
        self.indention = true;
        self.whitespace = true;
        let is_ascii = text.is_ascii();
        let next_break =
            |rest: &str| if is_ascii { memchr::memchr2(b'\n', b'\r', rest.as_bytes()) } else { rest.find(is_break) };
        let mut breaks = true;
        let (mut copied, mut at) = (0, 0);
        while at < text.len() {
            let rest = &text[at..];
            let line = next_break(rest).unwrap_or(rest.len());
            if line > 0 {
                if breaks {
                    self.copy(text, copied, at);
                    copied = at;
                    self.write_indent();
                }
                self.column += rest[..line].chars().count();
                self.indention = false;
                breaks = false;
            }
            at += line;
            if let Some(letter) = rest[line..].chars().next() {
                self.column = 0;
                self.indention = true;
                breaks = true;
                at += letter.len_utf8();
            }
        }
        self.copy(text, copied, text.len());
    }
}

/// A key of more bytes is written with `?`.
const LONGEST_SIMPLE_KEY: usize = 128;

fn float_word(value: f64) -> String {
    match format_g(value).as_str() {
        "+Inf" => ".inf".to_owned(),
        "-Inf" => "-.inf".to_owned(),
        "NaN" => ".nan".to_owned(),
        word => word.to_owned(),
    }
}

fn escape(letter: char) -> String {
    let short = match letter {
        '\0' => "\\0",
        '\x07' => "\\a",
        '\x08' => "\\b",
        '\t' => "\\t",
        '\n' => "\\n",
        '\x0b' => "\\v",
        '\x0c' => "\\f",
        '\r' => "\\r",
        '\x1b' => "\\e",
        '"' => "\\\"",
        '\\' => "\\\\",
        '\u{85}' => "\\N",
        '\u{a0}' => "\\_",
        '\u{2028}' => "\\L",
        '\u{2029}' => "\\P",
        _ => {
            let code = u32::from(letter);
            return match code {
                0..=0xff => format!("\\x{code:02X}"),
                0x100..=0xffff => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            };
        }
    };
    short.to_owned()
}
