//! Functions with regular expressions.

use gotemplate::{FunctionError, List, Type, Value};
use regex::{Captures, Regex};
use source::letters::{is_digit, is_letter};
use source::{Text, TextBuf};

use super::call::Call;
use super::go::{Answer, derived_text};
use super::pattern;
use super::strings::PIECE;

/// sprig's plain variants panic in Go: `regexp.MustCompile`.
fn must(call: &Call<'_, '_>) -> Result<Regex, FunctionError> {
    let source = call.text(0);
    call.functions.regex(&source).map_err(|error| {
        let shown = if source.contains('`') { super::go::quote(&source) } else { format!("`{source}`") };
        format!("regexp: Compile({shown}): {error}").into()
    })
}

fn compiled(call: &Call<'_, '_>) -> Result<Regex, FunctionError> {
    Ok(call.functions.regex(&call.text(0))?)
}

pub(crate) fn regex_match(call: &mut Call<'_, '_>) -> Answer {
    Ok(call.functions.regex(&call.text(0)).is_ok_and(|regex| regex.is_match(&call.text(1))).into())
}

pub(crate) fn must_regex_match(call: &mut Call<'_, '_>) -> Answer {
    Ok(compiled(call)?.is_match(&call.text(1)).into())
}

fn found_all(call: &mut Call<'_, '_>, regex: &Regex) -> Answer {
    let (text, limit) = (call.text(1), call.int(2));
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut all = Vec::new();
    for found in regex.find_iter(&text).take(most) {
        call.exec.charge(PIECE)?;
        all.push(text.slice(found.range()));
    }
    // Without a match Go gives a nil slice.
    Ok(if all.is_empty() { List::nil(Type::STRINGS).into() } else { Value::strings(all) })
}

pub(crate) fn regex_find_all(call: &mut Call<'_, '_>) -> Answer {
    let regex = must(call)?;
    found_all(call, &regex)
}

pub(crate) fn must_regex_find_all(call: &mut Call<'_, '_>) -> Answer {
    let regex = compiled(call)?;
    found_all(call, &regex)
}

fn found(call: &Call<'_, '_>, regex: &Regex) -> Answer {
    let text = call.text(1);
    Ok(regex.find(&text).map_or_else(|| "".into(), |found| text.slice(found.range()).into()))
}

pub(crate) fn regex_find(call: &mut Call<'_, '_>) -> Answer {
    found(call, &must(call)?)
}

pub(crate) fn must_regex_find(call: &mut Call<'_, '_>) -> Answer {
    found(call, &compiled(call)?)
}

fn replaced(call: &mut Call<'_, '_>, regex: &Regex, expands: bool) -> Answer {
    let (text, replacement) = (call.text(1), call.text(2));
    let mut buf = TextBuf::new();
    let mut kept = 0;
    for captures in regex.captures_iter(&text) {
        let Some(found) = captures.get(0) else { continue };
        buf.push_slice(&text, kept..found.start());
        let before = buf.len();
        if expands {
            expand(&mut buf, &replacement, regex, &captures, &text);
        } else {
            buf.push(&replacement);
        }
        call.exec.charge(buf.len() - before)?;
        kept = found.end();
    }
    if kept == 0 && buf.is_empty() {
        return Ok(text.into());
    }
    buf.push_slice(&text, kept..text.len());
    Ok(buf.finish().into())
}

/// `$1`, `${1}`, `$name` and `$$` of a replacement; a `$` before anything else stands for itself.
fn expand(buf: &mut TextBuf, template: &Text, regex: &Regex, captures: &Captures<'_>, text: &Text) {
    let mut at = 0;
    while let Some(dollar) = template[at..].find('$').map(|offset| at + offset) {
        buf.push_slice(template, at..dollar);
        let after = &template[dollar + 1..];
        if after.starts_with('$') {
            buf.push_slice(template, dollar..dollar + 1);
            at = dollar + 2;
            continue;
        }
        let (name, length) = match after.strip_prefix('{') {
            Some(body) => {
                let name = &body[..name_length(body)];
                (name, if body[name.len()..].starts_with('}') { name.len() + 2 } else { 0 })
            }
            None => (&after[..name_length(after)], name_length(after)),
        };
        if name.is_empty() || length == 0 {
            buf.push_slice(template, dollar..dollar + 1);
            at = dollar + 1;
            continue;
        }
        let group = if name.bytes().all(|byte| byte.is_ascii_digit()) && !(name.len() > 1 && name.starts_with('0')) {
            name.parse().ok().and_then(|index: usize| captures.get(index))
        } else {
            regex.capture_names().any(|known| known == Some(name)).then(|| captures.name(name)).flatten()
        };
        if let Some(group) = group {
            buf.push_slice(text, group.range());
        }
        at = dollar + 1 + length;
    }
    buf.push_slice(template, at..template.len());
}

fn name_length(text: &str) -> usize {
    text.find(|c: char| !(is_letter(c) || is_digit(c) || c == '_')).unwrap_or(text.len())
}

pub(crate) fn regex_replace_all(call: &mut Call<'_, '_>) -> Answer {
    let regex = must(call)?;
    replaced(call, &regex, true)
}

pub(crate) fn must_regex_replace_all(call: &mut Call<'_, '_>) -> Answer {
    let regex = compiled(call)?;
    replaced(call, &regex, true)
}

pub(crate) fn regex_replace_all_literal(call: &mut Call<'_, '_>) -> Answer {
    let regex = must(call)?;
    replaced(call, &regex, false)
}

pub(crate) fn must_regex_replace_all_literal(call: &mut Call<'_, '_>) -> Answer {
    let regex = compiled(call)?;
    replaced(call, &regex, false)
}

fn split(call: &mut Call<'_, '_>, regex: &Regex) -> Answer {
    let (text, limit) = (call.text(1), call.int(2));
    if limit == 0 {
        return Ok(List::nil(Type::STRINGS).into());
    }
    if text.is_empty() && !call.text(0).is_empty() {
        return Ok(Value::strings([text]));
    }
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut pieces = Vec::new();
    let (mut begin, mut end) = (0, 0);
    for found in regex.find_iter(&text).take(most) {
        if limit > 0 && pieces.len() + 1 == most {
            break;
        }
        call.exec.charge(PIECE)?;
        end = found.start();
        if found.end() != 0 {
            pieces.push(text.slice(begin..end));
        }
        begin = found.end();
    }
    if end != text.len() {
        pieces.push(text.slice(begin..text.len()));
    }
    Ok(Value::strings(pieces))
}

pub(crate) fn regex_split(call: &mut Call<'_, '_>) -> Answer {
    let regex = must(call)?;
    split(call, &regex)
}

pub(crate) fn must_regex_split(call: &mut Call<'_, '_>) -> Answer {
    let regex = compiled(call)?;
    split(call, &regex)
}

pub(crate) fn regex_quote_meta(call: &mut Call<'_, '_>) -> Answer {
    let text = call.text(0);
    let mut quoted = String::with_capacity(text.len());
    for c in text.chars() {
        if pattern::is_meta(c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    Ok(derived_text(quoted, &text))
}
