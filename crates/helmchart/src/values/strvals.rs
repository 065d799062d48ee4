//! `--set` and its relatives: `a.b[0].c=1,d={x,y}`.
//!
//! Threat: the texts come from a workspace file. Indices and nesting are bounded as in Helm.

use std::iter::Peekable;
use std::str::Chars;

use source::Text;

use super::tree::{Table, Tree};

/// Helm's largest index of a list item: `a[65537]=1` must not make it allocate at will.
const LARGEST_INDEX: i64 = 65536;
/// Helm's deepest `a.b.c…`.
const DEEPEST_NAME: usize = 30;
/// Deepest `a[0][0][0]…`. Helm has no bound here; ours keeps the parser's own stack small.
const DEEPEST_INDEX: usize = 500;

/// How the text behind `=` becomes a value.
pub(crate) enum Reader<'r> {
    /// `--set`: numbers, booleans and null are recognised.
    Typed,
    /// `--set-string`
    Text,
    /// `--set-json`
    Json,
    /// `--set-literal`: the rest of the flag as it stands; no escapes, no lists.
    Literal,
    /// `--set-file`: the content of the named file.
    File(&'r dyn Fn(&str) -> Result<Text, String>),
}

/// Applies one flag's text to the table. Errors are Helm's words.
pub(crate) fn parse_into(text: &str, table: &mut Table, reader: &Reader<'_>) -> Result<(), String> {
    let mut parser = Parser { input: text, chars: text.chars().peekable(), reader };
    loop {
        match parser.key(table, 0) {
            Ok(()) => {}
            Err(Stop::End) => return Ok(()),
            Err(Stop::Bad(message)) => return Err(message),
        }
    }
}

enum Stop {
    /// Go's `io.EOF`: the text is used up.
    End,
    Bad(String),
}

fn bad<T>(message: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Bad(message.into()))
}

struct Parser<'p> {
    input: &'p str,
    chars: Peekable<Chars<'p>>,
    reader: &'p Reader<'p>,
}

impl Parser<'_> {
    fn is_literal(&self) -> bool {
        matches!(self.reader, Reader::Literal)
    }

    /// Characters up to one of `stop` (consumed), or up to the end (`None`). A backslash escapes, except in literals.
    fn until(&mut self, stop: &[char]) -> (String, Option<char>) {
        let mut text = String::new();
        while let Some(next) = self.chars.next() {
            if stop.contains(&next) {
                return (text, Some(next));
            }
            if next == '\\' && !self.is_literal() {
                match self.chars.next() {
                    Some(escaped) => text.push(escaped),
                    None => return (text, None),
                }
            } else {
                text.push(next);
            }
        }
        (text, None)
    }

    fn key(&mut self, table: &mut Table, depth: usize) -> Result<(), Stop> {
        let stop: &[char] = if self.is_literal() { &['=', '[', '.'] } else { &['=', '[', ',', '.'] };
        let (key, last) = self.until(stop);
        match last {
            None if key.is_empty() => Err(Stop::End),
            None => bad(format!("key {} has no value", quote(&key))),
            Some('[') => {
                let index = self.index()?;
                let mut list = match table.get(&*key) {
                    None => Vec::new(),
                    Some(Tree::List(list)) => list.clone(),
                    Some(other) => return bad(conversion(other, "[]interface {}")),
                };
                let result = self.item(&mut list, index, depth, 0);
                set(table, &key, Tree::List(list));
                result
            }
            Some('=') => {
                let (value, end) = self.value()?;
                set(table, &key, value);
                end
            }
            Some(',') => {
                set(table, &key, Tree::Str("".into()));
                bad(format!("key {} has no value (cannot end with ,)", quote(&key)))
            }
            Some(_) => {
                let depth = depth + 1;
                if depth > DEEPEST_NAME {
                    return bad(format!(
                        "value name nested level is greater than maximum supported nested level of {DEEPEST_NAME}"
                    ));
                }
                let (result, empty) = match table.get_mut(&*key) {
                    Some(Tree::Map(inner)) => (self.key(inner, depth), inner.is_empty()),
                    Some(other) => return bad(conversion(other, "map[string]interface {}")),
                    None => {
                        let mut inner = Table::new();
                        let result = self.key(&mut inner, depth);
                        let empty = inner.is_empty();
                        if !empty {
                            set(table, &key, Tree::Map(inner));
                        }
                        (result, empty)
                    }
                };
                if result.is_ok() && empty {
                    return bad(format!("key map {} has no value", quote(&key)));
                }
                result
            }
        }
    }

    fn index(&mut self) -> Result<i64, Stop> {
        let (digits, end) = self.until(&[']']);
        if end.is_none() {
            return bad("error parsing index: EOF");
        }
        digits.parse::<i64>().map_err(|_| {
            Stop::Bad(format!("error parsing index: strconv.Atoi: parsing {}: invalid syntax", quote(&digits)))
        })
    }

    /// What follows `]`: a value, another index, or a name below the item.
    fn item(&mut self, list: &mut Vec<Tree>, index: i64, depth: usize, nesting: usize) -> Result<(), Stop> {
        if index < 0 {
            return bad(format!("negative {index} index not allowed"));
        }
        let (rest, last) = self.until(&['[', '.', '=']);
        if !rest.is_empty() {
            return bad(format!("unexpected data at end of array index: {}", quote(&rest)));
        }
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        match last {
            None => Err(Stop::End),
            Some('=') => {
                let (value, end) = self.value()?;
                set_index(list, index, value)?;
                // At the end of an empty value Go's list parser reports success, unlike its map parser; the next key ends it.
                if matches!(self.reader, Reader::Json) { end } else { Ok(()) }
            }
            Some('[') => {
                if nesting > DEEPEST_INDEX {
                    return bad(format!("indices are nested deeper than {DEEPEST_INDEX}"));
                }
                let next = self.index()?;
                let mut inner = match list.get(at) {
                    None | Some(Tree::Null) => Vec::new(),
                    Some(Tree::List(inner)) => inner.clone(),
                    Some(other) => return bad(conversion(other, "[]interface {}")),
                };
                self.item(&mut inner, next, depth, nesting + 1)?;
                set_index(list, index, Tree::List(inner))
            }
            Some(_) => {
                if let Some(slot) = list.get_mut(at) {
                    if !matches!(slot, Tree::Map(_)) {
                        *slot = Tree::Map(Table::new());
                    }
                    if let Tree::Map(inner) = slot {
                        return self.key(inner, depth);
                    }
                }
                let mut inner = Table::new();
                self.key(&mut inner, depth)?;
                set_index(list, index, Tree::Map(inner))
            }
        }
    }

    /// The value behind `=`, and whether the text ended with it.
    fn value(&mut self) -> Result<(Tree, Result<(), Stop>), Stop> {
        match self.reader {
            Reader::Json => return Ok((self.json()?, Ok(()))),
            Reader::Literal => {
                let text: String = self.chars.by_ref().collect();
                return Ok((Tree::Str(text.into()), Ok(())));
            }
            Reader::Typed | Reader::Text | Reader::File(_) => {}
        }
        match self.chars.peek() {
            None => Ok((Tree::Str("".into()), Err(Stop::End))),
            Some('{') => {
                self.chars.next();
                Ok((self.list()?, Ok(())))
            }
            Some(_) => {
                let (text, _) = self.until(&[',']);
                Ok((self.read(text)?, Ok(())))
            }
        }
    }

    fn list(&mut self) -> Result<Tree, Stop> {
        let mut items = Vec::new();
        loop {
            let (text, last) = self.until(&[',', '}']);
            match last {
                None => return bad("list must terminate with '}'"),
                Some(',') => items.push(self.read(text)?),
                Some(_) => {
                    if self.chars.peek() == Some(&',') {
                        self.chars.next();
                    }
                    items.push(self.read(text)?);
                    return Ok(Tree::List(items));
                }
            }
        }
    }

    fn read(&self, text: String) -> Result<Tree, Stop> {
        match self.reader {
            Reader::File(read) => read(&text).map(Tree::Str).map_err(Stop::Bad),
            Reader::Typed => Ok(typed(text)),
            Reader::Text | Reader::Json | Reader::Literal => Ok(Tree::Str(text.into())),
        }
    }

    /// One JSON value, and the comma behind it. Nothing at all is null.
    fn json(&mut self) -> Result<Tree, Stop> {
        if self.blank() {
            return Ok(Tree::Null);
        }
        let left: usize = self.chars.clone().map(char::len_utf8).sum();
        let rest = &self.input[self.input.len() - left..];
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<serde_json::Value>();
        let value = match stream.next() {
            Some(Ok(value)) => Tree::from_json(value),
            Some(Err(error)) => return bad(error.to_string()),
            None => Tree::Null,
        };
        let used = stream.byte_offset();
        self.chars = rest.get(used..).unwrap_or_default().chars().peekable();
        self.input = rest.get(used..).unwrap_or_default();
        self.blank();
        Ok(value)
    }

    /// Skips blanks and one comma; whether a comma or the end came before anything else.
    fn blank(&mut self) -> bool {
        while let Some(next) = self.chars.peek() {
            if *next == ',' {
                self.chars.next();
                return true;
            }
            if !next.is_whitespace() {
                return false;
            }
            self.chars.next();
        }
        true
    }
}

fn set(table: &mut Table, key: &str, value: Tree) {
    if !key.is_empty() {
        table.insert(key.into(), value);
    }
}

fn set_index(list: &mut Vec<Tree>, index: i64, value: Tree) -> Result<(), Stop> {
    if index > LARGEST_INDEX {
        return bad(format!("index of {index} is greater than maximum supported index of {LARGEST_INDEX}"));
    }
    let Ok(at) = usize::try_from(index) else { return bad(format!("negative {index} index not allowed")) };
    if list.len() <= at {
        list.resize(at + 1, Tree::Null);
    }
    if let Some(slot) = list.get_mut(at) {
        *slot = value;
    }
    Ok(())
}

fn typed(text: String) -> Tree {
    if text.eq_ignore_ascii_case("true") {
        return Tree::Bool(true);
    }
    if text.eq_ignore_ascii_case("false") {
        return Tree::Bool(false);
    }
    if text.eq_ignore_ascii_case("null") {
        return Tree::Null;
    }
    // A leading zero keeps a text a text, so that zip codes survive; zero itself is a number.
    if text == "0" {
        return Tree::Int(0);
    }
    if !text.starts_with('0')
        && let Ok(number) = text.parse::<i64>()
    {
        return Tree::Int(number);
    }
    Tree::Str(text.into())
}

fn conversion(found: &Tree, wanted: &str) -> String {
    format!("unable to parse key: interface conversion: interface {{}} is {}, not {wanted}", found.go_type())
}

fn quote(text: &str) -> String {
    gotemplate::format::quote(text.as_bytes())
}

#[cfg(test)]
mod tests;
