//! Functions on strings. Lengths and positions are in bytes, as in Go.

use gotemplate::format::{quote, value_text};
use gotemplate::{FunctionError, Type, Value};
use source::{Text, TextBuf};

use super::call::Call;
use super::go::{
    Answer, derived, derived_text, joined, out_of_range, part, string_map, string_of, strings_of, text_of,
};
use super::{casing, wrap};

pub(crate) fn hello(_: &mut Call<'_, '_>) -> Answer {
    Ok("Hello!".into())
}

pub(crate) fn abbrev(call: &mut Call<'_, '_>) -> Answer {
    let (width, text) = (call.int(0), call.value(1).clone());
    if width < 4 {
        return Ok(text);
    }
    shortened(&text, 0, width)
}

pub(crate) fn abbrevboth(call: &mut Call<'_, '_>) -> Answer {
    let (left, right, text) = (call.int(0), call.int(1), call.value(2).clone());
    if right < 4 || (left > 0 && right < 7) {
        return Ok(text);
    }
    shortened(&text, left, right)
}

fn shortened(value: &Value, offset: i64, width: i64) -> Answer {
    let bytes = value.string_bytes().unwrap_or_default();
    if i64::try_from(bytes.len()).is_ok_and(|length| length <= width) {
        return Ok(value.clone());
    }
    let short = wrap::abbreviate(bytes, offset, width)?.unwrap_or_default();
    Ok(derived(short, &[value]))
}

pub(crate) fn trunc(call: &mut Call<'_, '_>) -> Answer {
    let (count, value) = (call.int(0), call.value(1));
    let length = value.string_bytes().map_or(0, <[u8]>::len);
    let (from, to) = match usize::try_from(count) {
        Ok(count) => (0, count.min(length)),
        Err(_) => match usize::try_from(count.unsigned_abs()) {
            Ok(count) if count < length => (length - count, length),
            _ => (0, length),
        },
    };
    Ok(part(value, from, to))
}

pub(crate) fn substr(call: &mut Call<'_, '_>) -> Answer {
    let (start, end, value) = (call.int(0), call.int(1), call.value(2));
    let length = value.string_bytes().map_or(0, <[u8]>::len);
    let total = i64::try_from(length).unwrap_or(i64::MAX);
    let (from, to) = if start < 0 {
        (0, end)
    } else if end < 0 || end > total {
        (start, total)
    } else {
        (start, end)
    };
    match (usize::try_from(from), usize::try_from(to)) {
        (Ok(from), Ok(to)) if from <= to && to <= length => Ok(part(value, from, to)),
        _ => Err(out_of_range((start >= 0).then_some(from), to, length)),
    }
}

pub(crate) fn trim(call: &mut Call<'_, '_>) -> Answer {
    Ok(call.text(0).trimmed(|text| text.trim_matches(casing::is_space)).into())
}

pub(crate) fn trim_all(call: &mut Call<'_, '_>) -> Answer {
    let set = call.text(0);
    Ok(call.text(1).trimmed(|text| text.trim_matches(|c| set.contains(c))).into())
}

pub(crate) fn trim_suffix(call: &mut Call<'_, '_>) -> Answer {
    let suffix = call.text(0);
    Ok(call.text(1).trimmed(|text| text.strip_suffix(&*suffix).unwrap_or(text)).into())
}

pub(crate) fn trim_prefix(call: &mut Call<'_, '_>) -> Answer {
    let prefix = call.text(0);
    Ok(call.text(1).trimmed(|text| text.strip_prefix(&*prefix).unwrap_or(text)).into())
}

pub(crate) fn upper(call: &mut Call<'_, '_>) -> Answer {
    let text = call.text(0);
    Ok(derived_text(casing::upper(&text), &text))
}

pub(crate) fn lower(call: &mut Call<'_, '_>) -> Answer {
    let text = call.text(0);
    Ok(derived_text(casing::lower(&text), &text))
}

pub(crate) fn title(call: &mut Call<'_, '_>) -> Answer {
    let text = call.text(0);
    Ok(derived_text(casing::title(&text), &text))
}

pub(crate) fn untitle(call: &mut Call<'_, '_>) -> Answer {
    let text = call.text(0);
    Ok(derived_text(casing::untitle(&text), &text))
}

pub(crate) fn swapcase(call: &mut Call<'_, '_>) -> Answer {
    let text = call.text(0);
    Ok(derived_text(casing::swap(&text), &text))
}

pub(crate) fn snakecase(call: &mut Call<'_, '_>) -> Answer {
    let text = call.text(0);
    Ok(derived_text(casing::separated(&text, '_'), &text))
}

pub(crate) fn kebabcase(call: &mut Call<'_, '_>) -> Answer {
    let text = call.text(0);
    Ok(derived_text(casing::separated(&text, '-'), &text))
}

pub(crate) fn camelcase(call: &mut Call<'_, '_>) -> Answer {
    let text = call.text(0);
    Ok(derived_text(casing::camel(&text), &text))
}

pub(crate) fn nospace(call: &mut Call<'_, '_>) -> Answer {
    let text = call.text(0);
    match casing::without_space(&text) {
        Some(short) => Ok(derived_text(short, &text)),
        None => Ok(text.into()),
    }
}

pub(crate) fn initials(call: &mut Call<'_, '_>) -> Answer {
    let text = call.text(0);
    Ok(derived_text(casing::initials(&text), &text))
}

pub(crate) fn repeat(call: &mut Call<'_, '_>) -> Answer {
    let (count, text) = (call.int(0), call.text(1));
    repeated(call, &text, count).map(Value::Str)
}

/// `strings.Repeat`, within the budget of the rendering.
fn repeated(call: &mut Call<'_, '_>, text: &Text, count: i64) -> Result<Text, FunctionError> {
    let Ok(count) = usize::try_from(count) else { return Err("strings: negative Repeat count".into()) };
    let size = text.len().checked_mul(count).filter(|size| isize::try_from(*size).is_ok());
    let Some(size) = size else { return Err("strings: Repeat output length overflow".into()) };
    call.exec.charge(size)?;
    if !text.is_traced() {
        return Ok(Text::from(text.as_str().repeat(count)));
    }
    let mut buf = TextBuf::new();
    for _ in 0..if text.is_empty() { count.min(1) } else { count } {
        buf.push(text);
    }
    Ok(buf.finish())
}

pub(crate) fn wrap_at(call: &mut Call<'_, '_>) -> Answer {
    let text = call.value(1);
    let wrapped = wrap::wrap(text.string_bytes().unwrap_or_default(), call.int(0), b"", false);
    Ok(derived(wrapped, &[text]))
}

pub(crate) fn wrap_with(call: &mut Call<'_, '_>) -> Answer {
    let (width, newline) = (call.int(0), call.bytes(1).into_owned());
    let length = call.value(2).string_bytes().map_or(0, <[u8]>::len);
    // At worst one separator per byte.
    call.exec.charge(length.saturating_mul(newline.len().max(1)))?;
    let text = call.value(2);
    let wrapped = wrap::wrap(text.string_bytes().unwrap_or_default(), width, &newline, true);
    Ok(derived(wrapped, &[text]))
}

pub(crate) fn contains(call: &mut Call<'_, '_>) -> Answer {
    Ok(call.text(1).contains(&*call.text(0)).into())
}

pub(crate) fn has_prefix(call: &mut Call<'_, '_>) -> Answer {
    Ok(call.text(1).starts_with(&*call.text(0)).into())
}

pub(crate) fn has_suffix(call: &mut Call<'_, '_>) -> Answer {
    Ok(call.text(1).ends_with(&*call.text(0)).into())
}

/// `%q` of a text: what needs no escape keeps its origin.
pub(crate) fn quoted(value: &Value) -> Text {
    let bytes = value.string_bytes().unwrap_or_default();
    let whole = quote(bytes);
    let Some(text) = value.as_text().filter(|text| text.is_traced()) else { return Text::from(whole) };
    let mut buf = TextBuf::new();
    buf.push_str("\"");
    if whole.len() == bytes.len() + 2 {
        buf.push(text);
    } else {
        for (at, c) in text.char_indices() {
            let mut buffer = [0; 4];
            let single = c.encode_utf8(&mut buffer);
            let escaped = quote(single.as_bytes());
            let escaped = escaped.get(1..escaped.len().saturating_sub(1)).unwrap_or_default();
            let piece = at..at + c.len_utf8();
            if escaped == single {
                buf.push_slice(text, piece);
            } else {
                buf.push(&Text::derived_from(escaped, [&text.slice(piece)]));
            }
        }
    }
    buf.push_str("\"");
    buf.finish()
}

pub(crate) fn quote_all(call: &mut Call<'_, '_>) -> Answer {
    let pieces: Vec<Text> =
        call.args.iter().filter(|value| !matches!(value, Value::Nil)).map(|value| quoted(&string_of(value))).collect();
    Ok(joined(&pieces, &Text::from(" ")).into())
}

pub(crate) fn squote_all(call: &mut Call<'_, '_>) -> Answer {
    let pieces: Vec<Text> = call
        .args
        .iter()
        .filter(|value| !matches!(value, Value::Nil))
        .map(|value| {
            let mut buf = TextBuf::new();
            buf.push_str("'");
            buf.push(&value_text(value));
            buf.push_str("'");
            buf.finish()
        })
        .collect();
    Ok(Value::string_from_marked(joined(&pieces, &Text::from(" "))))
}

pub(crate) fn cat(call: &mut Call<'_, '_>) -> Answer {
    let pieces: Vec<Text> = call.args.iter().filter(|value| !matches!(value, Value::Nil)).map(value_text).collect();
    Ok(Value::string_from_marked(joined(&pieces, &Text::from(" "))))
}

pub(crate) fn indent(call: &mut Call<'_, '_>) -> Answer {
    indented(call, "").map(Value::Str)
}

pub(crate) fn nindent(call: &mut Call<'_, '_>) -> Answer {
    indented(call, "\n").map(Value::Str)
}

fn indented(call: &mut Call<'_, '_>, before: &str) -> Result<Text, FunctionError> {
    let (spaces, text) = (call.int(0), call.text(1));
    let Ok(width) = usize::try_from(spaces) else { return Err("strings: negative Repeat count".into()) };
    let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count() + 1;
    call.exec.charge(width.saturating_mul(lines).saturating_add(text.len()))?;
    let pad = " ".repeat(width);
    let size = width.saturating_mul(lines).saturating_add(text.len()).saturating_add(before.len());
    if !text.is_traced() {
        let mut out = String::with_capacity(size);
        out.push_str(before);
        out.push_str(&pad);
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', text.as_bytes()) {
            out.push_str(&text[start..=end]);
            out.push_str(&pad);
            start = end + 1;
        }
        out.push_str(&text[start..]);
        return Ok(Text::from(out));
    }
    let mut buf = TextBuf::with_capacity(size);
    buf.push_str(before);
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        buf.push_str(&pad);
        buf.push_slice(&text, start..start + line.len());
        start += line.len();
    }
    if text.is_empty() {
        buf.push_str(&pad);
        buf.push(&text);
    } else if text.ends_with('\n') {
        buf.push_str(&pad);
    }
    Ok(buf.finish())
}

pub(crate) fn replace(call: &mut Call<'_, '_>) -> Answer {
    let (old, new, text) = (call.text(0), call.text(1), call.text(2));
    let count = if old.is_empty() { text.chars().count() + 1 } else { text.matches(&*old).count() };
    if count == 0 {
        return Ok(text.into());
    }
    call.exec.charge(count.saturating_mul(new.len()).saturating_add(text.len()))?;
    Ok(text.replaced(&old, &new).into())
}

pub(crate) fn plural(call: &mut Call<'_, '_>) -> Answer {
    Ok(call.value(usize::from(call.int(2) != 1)).clone())
}

pub(crate) fn to_string(call: &mut Call<'_, '_>) -> Answer {
    Ok(string_of(call.value(0)))
}

pub(crate) fn to_strings(call: &mut Call<'_, '_>) -> Answer {
    if let Some(list) = call.value(0).as_list().filter(|list| list.go_type() == Type::STRINGS) {
        return Ok(list.into());
    }
    Ok(Value::strings(strings_of(call.value(0))))
}

pub(crate) fn join(call: &mut Call<'_, '_>) -> Answer {
    let separator = call.text(0);
    let pieces = strings_of(call.value(1));
    let size = pieces.iter().map(|piece| piece.len() + separator.len()).sum();
    call.exec.charge(size)?;
    Ok(joined(&pieces, &separator).into())
}

/// `strings.SplitN`: at most `limit` pieces; below zero all, zero none.
fn pieces(text: &Text, separator: &str, limit: i64) -> Vec<Text> {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    if most == 0 {
        return Vec::new();
    }
    let mut out = Vec::new();
    let mut start = 0;
    if separator.is_empty() {
        for (at, c) in text.char_indices() {
            if out.len() + 1 == most {
                break;
            }
            start = at + c.len_utf8();
            out.push(text.slice(at..start));
        }
        if start < text.len() {
            out.push(text.slice(start..text.len()));
        }
        return out;
    }
    for (at, found) in text.match_indices(separator) {
        if out.len() + 1 == most {
            break;
        }
        out.push(text.slice(start..at));
        start = at + found.len();
    }
    out.push(text.slice(start..text.len()));
    out
}

/// What a piece costs beside its bytes: its place in a list or map and its own count.
pub(crate) const PIECE: usize = 64;

/// [`pieces`], charged before they are made.
fn charged_pieces(
    call: &mut Call<'_, '_>,
    text: usize,
    separator: usize,
    limit: i64,
) -> Result<Vec<Text>, FunctionError> {
    let (text, separator) = (call.text(text), call.text(separator));
    let count = if separator.is_empty() { text.len() } else { text.matches(&*separator).count() + 1 };
    let count = count.min(usize::try_from(limit).unwrap_or(usize::MAX));
    call.exec.charge(count.saturating_mul(PIECE))?;
    Ok(pieces(&text, &separator, limit))
}

pub(crate) fn split(call: &mut Call<'_, '_>) -> Answer {
    Ok(numbered(charged_pieces(call, 1, 0, -1)?))
}

pub(crate) fn splitn(call: &mut Call<'_, '_>) -> Answer {
    let limit = call.int(1);
    Ok(numbered(charged_pieces(call, 2, 0, limit)?))
}

fn numbered(pieces: Vec<Text>) -> Value {
    string_map(pieces.into_iter().enumerate().map(|(index, piece)| (format!("_{index}"), Value::Str(piece))))
}

pub(crate) fn split_list(call: &mut Call<'_, '_>) -> Answer {
    Ok(Value::strings(charged_pieces(call, 1, 0, -1)?))
}

pub(crate) fn sort_alpha(call: &mut Call<'_, '_>) -> Answer {
    let value = call.value(0);
    match value.as_list() {
        None => return Ok(Value::strings([text_of(value)])),
        // sprig sorts a `[]string` in place: a nil one stays nil.
        Some(list) if list.is_nil() && list.go_type() == Type::STRINGS => return Ok(list.into()),
        Some(_) => {}
    }
    let mut texts = strings_of(value);
    texts.sort();
    Ok(Value::strings(texts))
}
