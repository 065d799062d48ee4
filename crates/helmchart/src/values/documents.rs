//! Values files of several documents, as Helm 4 reads them: each on its own, later ones laid over earlier ones. Helm 3 reads the first.
//!
//! The rules are those of `LoadValues` in Helm's chart loader and of `YAMLReader` in k8s.io/apimachinery: a file is split where a line begins with
//! `---`, before anybody reads YAML, and its last line is ended with a line feed.

use std::ops::Range;

use source::{Text, TextBuf, octets};

use super::tree::{Table, merge};
use crate::yaml::{self, BadYaml};

const SEPARATOR: &str = "---";

/// Whether the two read something else in a file with these bytes: of nearly none.
pub(crate) fn are_read_otherwise(bytes: &[u8]) -> bool {
    !bytes.is_empty() && (!bytes.ends_with(b"\n") || memchr::memmem::find(bytes, SEPARATOR.as_bytes()).is_some())
}

/// The values of a file. `text` is what go-yaml reads of `bytes`, traced or not.
pub(crate) fn read(text: &Text, bytes: &[u8]) -> Result<Table, BadYaml> {
    if !are_read_otherwise(bytes) {
        return of_document(text);
    }
    if octets::is_utf_16(bytes) {
        // Nothing in it is a separator, and a line feed is half a character.
        return match bytes.ends_with(b"\n") {
            true => of_document(text),
            false => of_document(&Text::new(&*octets::decoded(&[bytes, b"\n"].concat()))),
        };
    }
    let text = if text.ends_with('\n') { text.clone() } else { ended(text) };
    let mut all = Table::new();
    for range in documents(&text)? {
        let start = range.start;
        let table = of_document(&text.slice(range)).map_err(|error| error.behind(start))?;
        merge(&mut all, table);
    }
    Ok(all)
}

fn of_document(text: &Text) -> Result<Table, BadYaml> {
    yaml::read_values(text).map_err(|error| error.wrapped("cannot unmarshal yaml document"))
}

fn ended(text: &Text) -> Text {
    let mut ended = TextBuf::new();
    ended.push(text);
    ended.push_str("\n");
    ended.finish()
}

/// Where each document stands. A separator in front of the first one is part of it.
fn documents(text: &str) -> Result<Vec<Range<usize>>, BadYaml> {
    let mut found = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        let from = at;
        at += line.len();
        let Some(after) = line.strip_prefix(SEPARATOR).map(str::trim) else { continue };
        if !after.is_empty() && !after.starts_with('#') {
            let message = format!("error reading yaml document: invalid Yaml document separator: {after}");
            return Err(BadYaml::new(message).behind(from));
        }
        if start < from {
            found.push(start..from);
            start = at;
        }
    }
    found.extend((start < at).then_some(start..at));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_split_at_separators() {
        for (text, expected) in [
            ("a: 1\n", &["a: 1\n"][..]),
            ("---\na: 1\n--- # x\nb: 2\n", &["---\na: 1\n", "b: 2\n"]),
            ("a: 1\n---\n---\nb: 2\n", &["a: 1\n", "---\nb: 2\n"]),
            ("a: 1\n---\n", &["a: 1\n"]),
            ("a: |\n  ---\n", &["a: |\n  ---\n"]),
            ("", &[]),
        ] {
            let found = documents(text).unwrap_or_default();
            assert_eq!(found.into_iter().map(|range| &text[range]).collect::<Vec<_>>(), expected, "{text}");
        }
        assert!(documents("a: 1\n--- b\n").is_err() && documents("----\n").is_err());
    }
}
