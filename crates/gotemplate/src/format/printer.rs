//! Go's `fmt` verbs over values.

use source::{Text, TextBuf, octets};

use super::float::format_float;
use super::quote::{Alphabet, can_backquote, quote_char, quote_with};
use super::unicode::is_printable;
use crate::limits::{MOST_FORMATTED, MOST_VALUE_DEPTH};
use crate::stack::Stack;
use crate::{Kind, List, Map, Object, Value};

/// Flags, width and precision of one verb.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are Go's flags")]
pub(super) struct Spec {
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    /// `%+v`
    pub(super) plus_v: bool,
    /// `%#v`
    pub(super) sharp_v: bool,
}

/// What is being printed, for the message about a verb that does not fit.
#[derive(Clone)]
enum Subject {
    Arg(Value),
    Nothing,
}

pub(super) struct Printer {
    pub(super) out: TextBuf,
    pub(super) spec: Spec,
    subject: Subject,
    /// While the complaint about a bad verb is written, methods are not called.
    erroring: bool,
    /// Whether the value was too deep or too large: what was written is not all.
    pub(super) cut: bool,
    stack: Stack,
}

const NIL: &str = "<nil>";

/// Room for what most values print as, in bytes.
const USUAL_LENGTH: usize = 64;

impl Printer {
    pub(super) fn new() -> Self {
        Self {
            out: TextBuf::with_capacity(USUAL_LENGTH),
            spec: Spec::default(),
            subject: Subject::Nothing,
            erroring: false,
            cut: false,
            stack: Stack::here(),
        }
    }

    pub(super) fn write(&mut self, text: &str) {
        if self.out.len().saturating_add(text.len()) > MOST_FORMATTED {
            self.cut = true;
            return;
        }
        self.out.push_str(text);
    }

    fn write_text(&mut self, text: &Text) {
        if self.out.len().saturating_add(text.len()) > MOST_FORMATTED {
            self.cut = true;
            return;
        }
        self.out.push(text);
    }

    fn padding(&mut self, count: usize) {
        let pad = if self.spec.zero && !self.spec.minus { "0" } else { " " };
        self.write(&pad.repeat(count));
    }

    /// Writes a text with its trace, filled up to the width.
    fn pad(&mut self, text: &Text) {
        let fill = match self.spec.width {
            None | Some(0) => 0,
            Some(width) => width.saturating_sub(text.chars().count()),
        };
        if fill == 0 {
            self.write_text(text);
        } else if self.spec.minus {
            self.write_text(text);
            self.padding(fill);
        } else {
            self.padding(fill);
            self.write_text(text);
        }
    }

    fn pad_str(&mut self, text: &str) {
        if self.spec.width.is_none() {
            self.write(text);
        } else {
            self.pad(&Text::from(text));
        }
    }

    fn pad_without_zeros(&mut self, text: &str) {
        let zero = std::mem::take(&mut self.spec.zero);
        self.pad_str(text);
        self.spec.zero = zero;
    }

    /// One operand under one verb.
    pub(super) fn arg(&mut self, value: &Value, verb: char) {
        if matches!(value, Value::Nil) {
            self.subject = Subject::Nothing;
            match verb {
                'T' | 'v' => self.pad_str(NIL),
                _ => self.bad_verb(verb),
            }
            return;
        }
        match verb {
            'T' => {
                let name = Text::from(&*value.type_name());
                self.string(&name);
                return;
            }
            'p' => {
                self.subject = Subject::Arg(value.clone());
                self.pointer(value, verb);
                return;
            }
            _ => {}
        }
        self.value(value, verb, 0);
    }

    /// A value, `depth` levels below the operand.
    fn value(&mut self, value: &Value, verb: char, depth: usize) {
        if self.cut {
            return;
        }
        if depth > MOST_VALUE_DEPTH || !self.stack.has_room() {
            self.cut = true;
            return;
        }
        self.subject = Subject::Arg(value.clone());
        if verb == 'w' && !self.erroring && !matches!(value, Value::Nil | Value::Bytes(_)) {
            // Only `Errorf` knows it.
            self.bad_verb(verb);
            return;
        }
        match value {
            // A nil in an interface: whatever the verb.
            Value::Nil => self.write(if self.spec.sharp_v { "interface {}(nil)" } else { NIL }),
            Value::Bool(value) => match verb {
                't' | 'v' => self.pad_str(if *value { "true" } else { "false" }),
                _ => self.bad_verb(verb),
            },
            Value::Int(_, value) => self.integer(value.unsigned_abs(), *value < 0, true, verb),
            Value::Uint(_, value) => self.integer(*value, false, false, verb),
            Value::Float(value) => self.float(*value, verb),
            Value::Str(text) => self.string_verb(text, text.as_bytes(), verb),
            Value::Binary(bytes) => self.string_verb(&Text::from(&*octets::marked(bytes)), bytes, verb),
            Value::Bytes(bytes) => self.bytes(bytes, verb, depth),
            Value::List(list) => self.list(list, verb, depth),
            Value::Map(map) => self.map(map, verb, depth),
            Value::Object(object) => self.object(object.as_ref(), value, verb, depth),
            Value::Twin(twin) => self.value(twin.first(), verb, depth),
        }
    }

    fn object(&mut self, object: &dyn Object, value: &Value, verb: char, depth: usize) {
        if !self.erroring && !self.spec.sharp_v && matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') {
            // A nil pointer whose method fails is printed so; ours have none to call.
            if let Some(text) = object.display() {
                let bytes = text.clone();
                self.string_verb(&text, bytes.as_bytes(), verb);
                return;
            }
        }
        if let Some(below) = object.underlying() {
            match &below {
                Value::List(_) | Value::Map(_) | Value::Bytes(_) if self.spec.sharp_v => {
                    // Under the defined type's name.
                    self.write(&value.type_name());
                    self.composite_body(&below, verb, depth);
                }
                below => {
                    self.value(below, verb, depth);
                }
            }
            return;
        }
        match object.kind() {
            Kind::Struct => self.structure(object, &value.type_name(), verb, depth),
            Kind::Pointer if depth == 0 && !object.is_nil() => {
                self.write("&");
                let name = value.type_name();
                self.structure(object, name.strip_prefix('*').unwrap_or(&name), verb, depth + 1);
            }
            _ => self.pointer(value, verb),
        }
    }

    fn structure(&mut self, object: &dyn Object, type_name: &str, verb: char, depth: usize) {
        if self.spec.sharp_v {
            self.write(type_name);
        }
        self.write("{");
        for (at, (name, field)) in object.fields().iter().enumerate() {
            if at > 0 {
                self.write(if self.spec.sharp_v { ", " } else { " " });
            }
            if self.spec.plus_v || self.spec.sharp_v {
                self.write(name);
                self.write(":");
            }
            self.value(field, verb, depth + 1);
        }
        self.write("}");
    }

    /// The braces of a list or map in Go syntax, after its type.
    fn composite_body(&mut self, value: &Value, verb: char, depth: usize) {
        if value.is_nil() {
            self.write("(nil)");
            return;
        }
        self.write("{");
        match value {
            Value::List(list) => self.items(list.items(), ", ", verb, depth),
            Value::Map(map) => self.entries(map, ", ", verb, depth),
            Value::Bytes(bytes) => {
                for (at, byte) in bytes.iter().enumerate() {
                    if at > 0 {
                        self.write(", ");
                    }
                    self.hex_with_prefix(u64::from(*byte), true);
                }
            }
            _ => {}
        }
        self.write("}");
    }

    fn items(&mut self, items: &[Value], separator: &str, verb: char, depth: usize) {
        for (at, item) in items.iter().enumerate() {
            if self.cut {
                return;
            }
            if at > 0 {
                self.write(separator);
            }
            self.value(item, verb, depth + 1);
        }
    }

    fn entries(&mut self, map: &Map, separator: &str, verb: char, depth: usize) {
        let mut first = true;
        map.for_each(|key, value| {
            if self.cut {
                return;
            }
            if !std::mem::take(&mut first) {
                self.write(separator);
            }
            self.subject = Subject::Arg(Value::Str(key.clone()));
            self.string_verb(key, key.as_bytes(), verb);
            self.write(":");
            self.value(value, verb, depth + 1);
        });
    }

    fn list(&mut self, list: &List, verb: char, depth: usize) {
        if self.spec.sharp_v {
            self.write(&list.go_type().to_string());
            self.composite_body(&Value::List(list.clone()), verb, depth);
            return;
        }
        self.write("[");
        self.items(list.items(), " ", verb, depth);
        self.write("]");
    }

    fn map(&mut self, map: &Map, verb: char, depth: usize) {
        if self.spec.sharp_v {
            self.write(&map.go_type().to_string());
            self.composite_body(&Value::Map(map.clone()), verb, depth);
            return;
        }
        self.write("map[");
        self.entries(map, " ", verb, depth);
        self.write("]");
    }

    fn bytes(&mut self, bytes: &[u8], verb: char, depth: usize) {
        match verb {
            's' | 'q' | 'x' | 'X' => self.string_verb(&Text::from(&*octets::marked(bytes)), bytes, verb),
            'v' | 'd' if self.spec.sharp_v => {
                // Its own name at the top, the type's below.
                self.write(if depth == 0 { "[]byte" } else { "[]uint8" });
                self.composite_body(&Value::Bytes(bytes.into()), verb, depth);
            }
            _ => {
                let (open, separator, close) =
                    if self.spec.sharp_v { ("[]uint8{", ", ", "}") } else { ("[", " ", "]") };
                self.write(open);
                for (at, byte) in bytes.iter().enumerate() {
                    if at > 0 {
                        self.write(separator);
                    }
                    self.subject = Subject::Arg(Value::Uint(crate::UintKind::Uint8, u64::from(*byte)));
                    self.integer(u64::from(*byte), false, false, verb);
                }
                self.write(close);
            }
        }
    }

    /// Addresses differ from run to run, so only nil has one here; others are printed as `0xc000000000`.
    fn pointer(&mut self, value: &Value, verb: char) {
        if !matches!(value.kind(), Kind::Map | Kind::Slice | Kind::Pointer | Kind::Func) {
            self.bad_verb(verb);
            return;
        }
        let address = if value.is_nil() { 0 } else { 0xc0_0000_0000 };
        match verb {
            'v' if self.spec.sharp_v => {
                self.write("(");
                self.write(&value.type_name());
                self.write(")(");
                if address == 0 {
                    self.write("nil");
                } else {
                    self.hex_with_prefix(address, true);
                }
                self.write(")");
            }
            'v' if address == 0 => self.pad_str(NIL),
            'v' | 'p' => self.hex_with_prefix(address, !self.spec.sharp),
            'b' | 'o' | 'd' | 'x' | 'X' => self.integer(address, false, false, verb),
            _ => self.bad_verb(verb),
        }
    }

    fn hex_with_prefix(&mut self, value: u64, prefix: bool) {
        let sharp = std::mem::replace(&mut self.spec.sharp, prefix);
        self.digits(value, false, 16, 'v', false);
        self.spec.sharp = sharp;
    }

    fn integer(&mut self, magnitude: u64, negative: bool, signed: bool, verb: char) {
        match verb {
            'v' if self.spec.sharp_v && !signed => self.hex_with_prefix(magnitude, true),
            'v' | 'd' => self.digits(magnitude, negative, 10, verb, false),
            'b' => self.digits(magnitude, negative, 2, verb, false),
            'o' | 'O' => self.digits(magnitude, negative, 8, verb, false),
            'x' => self.digits(magnitude, negative, 16, verb, false),
            'X' => self.digits(magnitude, negative, 16, verb, true),
            'c' => {
                let c = rune(magnitude, negative);
                self.pad(&Text::from(c.to_string()));
            }
            'q' => {
                let alphabet = self.alphabet();
                let quoted = quote_char(rune(magnitude, negative), alphabet);
                self.pad(&Text::from(quoted));
            }
            'U' => self.unicode(if negative { magnitude.wrapping_neg() } else { magnitude }),
            _ => self.bad_verb(verb),
        }
    }

    fn alphabet(&self) -> Alphabet {
        if self.spec.plus { Alphabet::Ascii } else { Alphabet::Printable }
    }

    /// `U+0078`, or with `#` `U+0078 'x'`.
    fn unicode(&mut self, code: u64) {
        let least = self.spec.precision.filter(|precision| *precision > 4).unwrap_or(4);
        let digits = format!("{code:X}");
        let mut text = "U+".to_owned() + &"0".repeat(least.saturating_sub(digits.len())) + &digits;
        let c = u32::try_from(code).ok().and_then(char::from_u32);
        if let Some(c) = c.filter(|c| self.spec.sharp && is_printable(*c)) {
            text.push_str(&format!(" '{c}'"));
        }
        self.pad_without_zeros(&text);
    }

    fn digits(&mut self, magnitude: u64, negative: bool, base: u32, verb: char, upper: bool) {
        let spec = self.spec;
        let mut least = 0;
        if let Some(precision) = spec.precision {
            least = precision;
            if precision == 0 && magnitude == 0 {
                // Nothing but the padding.
                self.pad_without_zeros_count(spec.width.unwrap_or(0));
                return;
            }
        } else if let Some(width) = spec.width
            && spec.zero
            && !spec.minus
        {
            least = width.saturating_sub(usize::from(negative || spec.plus || spec.space));
        }
        let digits = match base {
            2 => format!("{magnitude:b}"),
            8 => format!("{magnitude:o}"),
            16 if upper => format!("{magnitude:X}"),
            16 => format!("{magnitude:x}"),
            _ => magnitude.to_string(),
        };
        let mut text = "0".repeat(least.saturating_sub(digits.len())) + &digits;
        if spec.sharp {
            match base {
                2 => text.insert_str(0, "0b"),
                8 if !text.starts_with('0') => text.insert(0, '0'),
                16 => text.insert_str(0, if upper { "0X" } else { "0x" }),
                _ => {}
            }
        }
        if verb == 'O' {
            text.insert_str(0, "0o");
        }
        if negative {
            text.insert(0, '-');
        } else if spec.plus {
            text.insert(0, '+');
        } else if spec.space {
            text.insert(0, ' ');
        }
        self.pad_without_zeros(&text);
    }

    fn pad_without_zeros_count(&mut self, count: usize) {
        let zero = std::mem::take(&mut self.spec.zero);
        self.padding(count);
        self.spec.zero = zero;
    }

    fn float(&mut self, value: f64, verb: char) {
        let (verb, precision) = match verb {
            'v' => ('g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => (verb, None),
            'f' | 'e' | 'E' | 'F' => (verb, Some(6)),
            _ => return self.bad_verb(verb),
        };
        let precision = self.spec.precision.or(precision);
        let Ok(letter) = u8::try_from(verb) else { return };
        let mut number = format_float(value, letter, precision);
        if !number.starts_with(['-', '+']) {
            number.insert(0, '+');
        }
        let spec = self.spec;
        if spec.space && number.starts_with('+') && !spec.plus {
            number.replace_range(..1, " ");
        }
        if matches!(number.as_bytes().get(1), Some(b'I' | b'N')) {
            // Not a number, so not filled with zeros.
            if number.ends_with("NaN") && !spec.space && !spec.plus {
                number.remove(0);
            }
            self.pad_without_zeros(&number);
            return;
        }
        if spec.sharp && verb != 'b' {
            number = with_point(&number, verb, precision);
        }
        if !spec.plus && number.starts_with('+') {
            let unsigned = number.get(1..).unwrap_or_default().to_owned();
            self.pad_str(&unsigned);
            return;
        }
        match spec.width {
            Some(width) if spec.zero && !spec.minus && width > number.len() => {
                // The sign comes before the zeros.
                let (sign, rest) = number.split_at(1);
                self.write(sign);
                self.padding(width - number.len());
                self.write(rest);
            }
            _ => self.pad_str(&number),
        }
    }

    /// `%s`
    fn string(&mut self, text: &Text) {
        let cut = self.truncated(text);
        self.pad(&cut);
    }

    fn truncated(&self, text: &Text) -> Text {
        match self.spec.precision {
            Some(most) => match text.char_indices().nth(most) {
                Some((end, _)) => text.slice(0..end),
                None => text.clone(),
            },
            None => text.clone(),
        }
    }

    /// A string under a verb; `bytes` are its exact bytes.
    fn string_verb(&mut self, text: &Text, bytes: &[u8], verb: char) {
        match verb {
            'v' if self.spec.sharp_v => self.quoted(text, bytes),
            'v' | 's' => self.string(text),
            'q' => self.quoted(text, bytes),
            'x' | 'X' => self.hex_bytes(text, bytes, verb),
            _ => self.bad_verb(verb),
        }
    }

    fn quoted(&mut self, text: &Text, bytes: &[u8]) {
        let text_cut = self.truncated(text);
        // Only a text that is cut differs from the bytes.
        let cut = octets::unmarked(&text_cut);
        let bytes = if text_cut.len() < text.len() { &*cut } else { bytes };
        let quoted = if self.spec.sharp && can_backquote(bytes) {
            between("`", &text_cut)
        } else {
            let quoted = quote_with(bytes, b'"', self.alphabet());
            // What needs no escape keeps its place. A mark is as long as the escape for its byte.
            if quoted.len() == text_cut.len() + 2 && octets::first_mark(&text_cut).is_none() {
                between("\"", &text_cut)
            } else {
                Text::derived_from(quoted, [&text_cut])
            }
        };
        self.pad(&quoted);
    }

    fn hex_bytes(&mut self, text: &Text, bytes: &[u8], verb: char) {
        let spec = self.spec;
        let bytes = bytes.get(..spec.precision.unwrap_or(bytes.len()).min(bytes.len())).unwrap_or_default();
        let prefix = if verb == 'x' { "0x" } else { "0X" };
        let mut hex = String::new();
        for (at, byte) in bytes.iter().enumerate() {
            if spec.space && at > 0 {
                hex.push(' ');
            }
            if spec.sharp && (at == 0 || spec.space) {
                hex.push_str(prefix);
            }
            hex.push_str(&if verb == 'x' { format!("{byte:02x}") } else { format!("{byte:02X}") });
        }
        if hex.is_empty() {
            self.padding(spec.width.unwrap_or(0));
        } else {
            self.pad(&Text::derived_from(hex, [text]));
        }
    }

    /// `%!d(string=hi)`
    fn bad_verb(&mut self, verb: char) {
        let outer = std::mem::replace(&mut self.erroring, true);
        self.write("%!");
        self.write(verb.encode_utf8(&mut [0; 4]));
        self.write("(");
        match std::mem::replace(&mut self.subject, Subject::Nothing) {
            Subject::Arg(value) if !matches!(value, Value::Nil) => {
                self.write(&value.type_name());
                self.write("=");
                self.arg(&value, 'v');
            }
            _ => self.write(NIL),
        }
        self.write(")");
        self.erroring = outer;
    }
}

fn rune(magnitude: u64, negative: bool) -> char {
    if negative {
        return char::REPLACEMENT_CHARACTER;
    }
    u32::try_from(magnitude).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// What `#` does to floats: always a point, and the zeros that the precision asks for.
fn with_point(number: &str, verb: char, precision: Option<usize>) -> String {
    let hex = matches!(verb, 'x' | 'X');
    let body_end = number.find(if hex { ['p', 'P'] } else { ['e', 'E'] }).unwrap_or(number.len());
    let (body, tail) = number.split_at(body_end);
    let mut missing = match verb {
        'g' | 'G' | 'x' => precision.map_or(6, |precision| i64::try_from(precision).unwrap_or(0)),
        _ => 0,
    };
    let mut seen = false;
    for byte in body.bytes().skip(1).filter(|byte| *byte != b'.') {
        seen |= byte != b'0';
        missing -= i64::from(seen);
    }
    let mut out = body.to_owned();
    if !body.contains('.') {
        if body.len() == 2 && body.ends_with('0') {
            missing -= 1;
        }
        out.push('.');
    }
    out.extend(std::iter::repeat_n('0', usize::try_from(missing).unwrap_or(0)));
    out + tail
}

/// A text between two marks.
fn between(mark: &str, text: &Text) -> Text {
    let mut buf = TextBuf::new();
    buf.push_str(mark);
    buf.push(text);
    buf.push_str(mark);
    buf.finish()
}
