//! JSON as Go's `encoding/json` writes and reads it, with its words for errors.

use gotemplate::{List, Map, Type, Value};
use source::{Text, TextBuf};

use super::go::DEEPEST;
use super::objects;

/// Deepest nesting that is read. Go's own limit is 10,000; this one fits the stack of any thread.
const DEEPEST_READ: usize = 500;

/// How to write.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    /// `<`, `>` and `&` as `\u003c`, `\u003e` and `\u0026`.
    pub(crate) escape_html: bool,
    /// One item per line, two spaces deeper each level.
    pub(crate) pretty: bool,
}

/// `json.Marshal`. Strings keep their trace.
pub(crate) fn write(value: &Value, style: Style) -> Result<Text, String> {
    let mut writer = Writer { buf: TextBuf::new(), style };
    writer.value(value, 0)?;
    Ok(writer.buf.finish())
}

struct Writer {
    buf: TextBuf,
    style: Style,
}

impl Writer {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        if depth > DEEPEST {
            let name = value.type_name();
            return Err(format!("json: unsupported value: encountered a cycle via {name}"));
        }
        match value {
            Value::Nil => self.buf.push_str("null"),
            Value::Bool(value) => self.buf.push_str(if *value { "true" } else { "false" }),
            Value::Int(_, number) => self.buf.push_str(&number.to_string()),
            Value::Uint(_, number) => self.buf.push_str(&number.to_string()),
            Value::Float(number) => self.buf.push_str(&number_text(*number)?),
            Value::Str(text) => self.string(text),
            Value::Binary(bytes) => {
                self.buf.push_str("\"");
                for chunk in bytes.utf8_chunks() {
                    self.characters(&Text::from(chunk.valid()));
                    self.buf.push_str(&"\\ufffd".repeat(chunk.invalid().len()));
                }
                self.buf.push_str("\"");
            }
            Value::Bytes(bytes) => self.string(&Text::from(super::base_n::base64(bytes))),
            Value::List(list) if list.is_nil() => self.buf.push_str("null"),
            Value::List(list) => self.list(list, depth)?,
            Value::Map(map) if map.is_nil() => self.buf.push_str("null"),
            Value::Map(map) => self.entries(&map.entries(), depth)?,
            Value::Object(_) => match objects::plain(value) {
                objects::Plain::Value(value) => self.value(&value, depth + 1)?,
                objects::Plain::Fields(fields) => self.entries(&fields, depth)?,
            },
            Value::Twin(twin) => self.value(twin.first(), depth)?,
        }
        Ok(())
    }

    fn list(&mut self, list: &List, depth: usize) -> Result<(), String> {
        self.buf.push_str("[");
        for (index, item) in list.items().iter().enumerate() {
            self.separate(index > 0, depth + 1);
            self.value(item, depth + 1)?;
        }
        self.close(!list.is_empty(), depth, "]");
        Ok(())
    }

    fn entries(&mut self, entries: &[(Text, Value)], depth: usize) -> Result<(), String> {
        self.buf.push_str("{");
        for (index, (key, value)) in entries.iter().enumerate() {
            self.separate(index > 0, depth + 1);
            self.string(key);
            self.buf.push_str(if self.style.pretty { ": " } else { ":" });
            self.value(value, depth + 1)?;
        }
        self.close(!entries.is_empty(), depth, "}");
        Ok(())
    }

    fn separate(&mut self, follows: bool, depth: usize) {
        if follows {
            self.buf.push_str(",");
        }
        self.line(depth);
    }

    fn close(&mut self, has_items: bool, depth: usize, bracket: &str) {
        if has_items {
            self.line(depth);
        }
        self.buf.push_str(bracket);
    }

    fn line(&mut self, depth: usize) {
        if self.style.pretty {
            self.buf.push_str("\n");
            self.buf.push_str(&"  ".repeat(depth));
        }
    }

    fn string(&mut self, text: &Text) {
        self.buf.push_str("\"");
        self.characters(text);
        self.buf.push_str("\"");
    }

    fn characters(&mut self, text: &Text) {
        let mut start = 0;
        for (at, c) in text.char_indices() {
            let Some(escaped) = self.escape(c) else { continue };
            self.buf.push_slice(text, start..at);
            start = at + c.len_utf8();
            if text.is_traced() {
                self.buf.push(&Text::derived_from(escaped, [&text.slice(at..start)]));
            } else {
                self.buf.push_str(&escaped);
            }
        }
        if start == 0 {
            self.buf.push(text);
        } else {
            self.buf.push_slice(text, start..text.len());
        }
    }

    fn escape(&self, c: char) -> Option<String> {
        Some(match c {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\n' => "\\n".to_owned(),
            '\r' => "\\r".to_owned(),
            '\t' => "\\t".to_owned(),
            '\x08' => "\\b".to_owned(),
            '\x0c' => "\\f".to_owned(),
            '<' | '>' | '&' if self.style.escape_html => format!("\\u{:04x}", u32::from(c)),
            '\0'..='\x1f' | '\u{2028}' | '\u{2029}' => format!("\\u{:04x}", u32::from(c)),
            _ => return None,
        })
    }
}

/// A `float64` as JSON: plain digits from 1e-6 up to below 1e21.
pub(crate) fn number_text(number: f64) -> Result<String, String> {
    if !number.is_finite() {
        let name = if number.is_nan() {
            "NaN"
        } else if number > 0.0 {
            "+Inf"
        } else {
            "-Inf"
        };
        return Err(format!("json: unsupported value: {name}"));
    }
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{number:e}");
        return Ok(match text.split_once("e-") {
            Some(_) => text,
            None => text.replace('e', "e+"),
        });
    }
    Ok(format!("{number}"))
}

/// What the variable that is decoded into can hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Any,
    Map,
    List,
}

/// `json.Unmarshal`. Strings without escapes keep their trace.
pub(crate) fn read(text: &Text, target: Target) -> Result<Value, String> {
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, overflow: None };
    reader.space();
    let value = reader.value(0)?;
    reader.space();
    if let Some(byte) = reader.peek() {
        return Err(invalid(byte, "after top-level value"));
    }
    let into = |kind: &str, wanted: Type| Err(format!("json: cannot unmarshal {kind} into Go value of type {wanted}"));
    let kind = match &value {
        Value::Bool(_) => "bool",
        Value::Float(_) => "number",
        Value::Str(_) => "string",
        Value::List(_) => "array",
        _ => "object",
    };
    match (target, &value) {
        (Target::Any, _) | (Target::Map, Value::Map(_)) | (Target::List, Value::List(_)) => {
            reader.overflow.map_or(Ok(value), Err)
        }
        (Target::Map, Value::Nil) => Ok(Map::nil(Type::MAP).into()),
        (Target::List, Value::Nil) => Ok(List::nil(Type::LIST).into()),
        (Target::Map, _) => into(kind, Type::MAP),
        (Target::List, _) => into(kind, Type::LIST),
    }
}

struct Reader<'t> {
    text: &'t Text,
    bytes: &'t [u8],
    at: usize,
    /// The first number that no `float64` can hold.
    overflow: Option<String>,
}

fn invalid(byte: u8, context: &str) -> String {
    let shown = match byte {
        b'\'' => "'\\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        _ => {
            let quoted = super::go::quote(&char::from(byte).to_string());
            format!("'{}'", quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default())
        }
    };
    format!("invalid character {shown} {context}")
}

const UNEXPECTED_END: &str = "unexpected end of JSON input";

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The next byte where a space cannot follow: there Go takes the end for a space.
    fn next_or_space(&mut self) -> u8 {
        self.next().unwrap_or(b' ')
    }

    fn next(&mut self) -> Result<u8, String> {
        let byte = self.peek().ok_or(UNEXPECTED_END)?;
        self.at += 1;
        Ok(byte)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        let start = self.at;
        match self.next()? {
            byte @ (b'{' | b'[') if depth >= DEEPEST_READ => Err(invalid(byte, "exceeded max depth")),
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string().map(Value::Str),
            b'-' | b'0'..=b'9' => self.number(start),
            b't' => self.literal("true", Value::Bool(true)),
            b'f' => self.literal("false", Value::Bool(false)),
            b'n' => self.literal("null", Value::Nil),
            byte => Err(invalid(byte, "looking for beginning of value")),
        }
    }

    fn literal(&mut self, word: &str, value: Value) -> Result<Value, String> {
        for wanted in word.bytes().skip(1) {
            let byte = self.next_or_space();
            if byte != wanted {
                return Err(invalid(byte, &format!("in literal {word} (expecting '{}')", char::from(wanted))));
            }
        }
        Ok(value)
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn digit(&mut self, context: &str) -> Result<(), String> {
        match self.next_or_space() {
            b'0'..=b'9' => Ok(()),
            byte => Err(invalid(byte, context)),
        }
    }

    fn number(&mut self, start: usize) -> Result<Value, String> {
        self.at = start;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let leading = self.at;
        self.digit("in numeric literal")?;
        if self.bytes.get(leading) != Some(&b'0') {
            self.digits();
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digit("after decimal point in numeric literal")?;
            self.digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digit("in exponent of numeric literal")?;
            self.digits();
        }
        let digits = self.text.get(start..self.at).unwrap_or_default();
        let number: f64 = digits.parse().unwrap_or(f64::INFINITY);
        if !number.is_finite() && self.overflow.is_none() {
            self.overflow = Some(format!("json: cannot unmarshal number {digits} into Go value of type float64"));
        }
        Ok(Value::Float(number))
    }

    fn object(&mut self, depth: usize) -> Result<Value, String> {
        let map = Map::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(map.into());
        }
        loop {
            self.space();
            match self.next()? {
                b'"' => {}
                byte => return Err(invalid(byte, "looking for beginning of object key string")),
            }
            let key = self.string()?;
            self.space();
            match self.next()? {
                b':' => {}
                byte => return Err(invalid(byte, "after object key")),
            }
            self.space();
            let value = self.value(depth + 1)?;
            map.insert(key, value);
            self.space();
            match self.next()? {
                b',' => {}
                b'}' => return Ok(map.into()),
                byte => return Err(invalid(byte, "after object key:value pair")),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, String> {
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::list(items));
        }
        loop {
            self.space();
            items.push(self.value(depth + 1)?);
            self.space();
            match self.next()? {
                b',' => {}
                b']' => return Ok(Value::list(items)),
                byte => return Err(invalid(byte, "after array element")),
            }
        }
    }

    /// The rest of a string, after its opening quote.
    fn string(&mut self) -> Result<Text, String> {
        let mut start = self.at;
        let mut buf = TextBuf::new();
        loop {
            let at = self.at;
            match self.next()? {
                b'"' if buf.is_empty() => return Ok(self.text.slice(start..at)),
                b'"' => {
                    buf.push_slice(self.text, start..at);
                    return Ok(buf.finish());
                }
                b'\\' => {
                    buf.push_slice(self.text, start..at);
                    let c = self.escape()?;
                    let made = Text::derived_from(c.to_string(), [&self.text.slice(at..self.at)]);
                    buf.push(&made);
                    start = self.at;
                }
                byte @ 0..=0x1f => return Err(invalid(byte, "in string literal")),
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        Ok(match self.next_or_space() {
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            b'u' => {
                let unit = self.unit()?;
                let after = self.at;
                if (0xd800..0xdc00).contains(&unit) && self.bytes.get(after..after + 2) == Some(b"\\u".as_slice()) {
                    self.at += 2;
                    let low = self.unit()?;
                    if (0xdc00..0xe000).contains(&low) {
                        let code = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                        return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    self.at = after;
                }
                char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            byte => return Err(invalid(byte, "in string escape code")),
        })
    }

    fn unit(&mut self) -> Result<u32, String> {
        let mut unit = 0;
        for _ in 0..4 {
            let byte = self.next_or_space();
            let Some(digit) = char::from(byte).to_digit(16) else {
                return Err(invalid(byte, "in \\u hexadecimal character escape"));
            };
            unit = unit * 16 + digit;
        }
        Ok(unit)
    }
}
