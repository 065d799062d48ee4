//! Charts packed as `.tgz`.
//!
//! Threats: a small file that unpacks to a huge one, entries that lead out of the chart. The sum of all sizes and each size are
//! bounded while reading, before memory is taken; names are checked as Helm checks them; nothing is written to disk.

use std::io::Read as _;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use super::folder::without_mark;
use super::{ChartFile, LARGEST_ARCHIVE, LARGEST_FILE};
use crate::{Error, ErrorKind};

/// Most entries of one archive. The largest public charts have about 2,000.
const MOST_ENTRIES: usize = 100_000;

/// Length of a gzip header without optional fields.
const SHORTEST_HEADER: usize = 10;

/// Refuses what is no gzip file, with Helm's hint about YAML files.
pub(crate) fn ensure(path: &str, bytes: &[u8]) -> Result<(), Error> {
    if bytes.starts_with(b"\x1f\x8b\x08") {
        return Ok(());
    }
    let message = if path.ends_with(".yml") || path.ends_with(".yaml") {
        format!("file '{path}' seems to be a YAML file, but expected a gzipped archive")
    } else {
        // Helm pads a shorter file with zeros, which make it binary.
        let text = bytes.get(..512).is_some_and(|start| String::from_utf8_lossy(start).chars().all(|c| !is_binary(c)));
        let found = if text { "text/plain; charset=utf-8" } else { "application/octet-stream" };
        format!("file '{path}' does not appear to be a gzipped archive; got '{found}'")
    };
    Err(Error::new(ErrorKind::Load, message))
}

/// Characters that Go's content sniffer takes for a sign of binary data.
fn is_binary(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1a}' | '\u{1c}'..='\u{1f}')
}

/// The files of the archive, without the first element of their paths.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<ChartFile>, Error> {
    let fail = |message: String| Error::new(ErrorKind::Load, message);
    if bytes.len() < SHORTEST_HEADER {
        return Err(fail(if bytes.is_empty() { "EOF" } else { "unexpected EOF" }.to_owned()));
    }
    if !bytes.starts_with(b"\x1f\x8b\x08") {
        return Err(fail("gzip: invalid header".to_owned()));
    }
    // Helm refuses an archive before it reads the entry that is too large; reading a little more than the bound ends ours.
    let bounded = MultiGzDecoder::new(bytes).take(LARGEST_ARCHIVE * 2);
    let mut archive = tar::Archive::new(bounded);
    let mut files = Vec::new();
    let mut remaining = LARGEST_ARCHIVE;
    let entries = archive.entries().map_err(|error| fail(error.to_string()))?;
    for entry in entries {
        let mut entry = entry.map_err(|error| fail(error.to_string()))?;
        let kind = entry.header().entry_type();
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if kind.is_dir() || path.ends_with('/') || kind.is_pax_global_extensions() || kind.is_pax_local_extensions() {
            continue;
        }
        let name = inner_name(&path).map_err(fail)?;
        let size = entry.size();
        if size > remaining {
            return Err(fail(format!("decompressed chart is larger than the maximum file size {LARGEST_ARCHIVE}")));
        }
        if size > LARGEST_FILE {
            let path = gotemplate::format::quote(path.as_bytes());
            return Err(fail(format!(
                "decompressed chart file {path} is larger than the maximum file size {LARGEST_FILE}"
            )));
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(|error| fail(error.to_string()))?;
        remaining -= size;
        files.push(without_mark(ChartFile { name, bytes: Arc::from(content), file: None, before: 0 }));
        if remaining == 0 {
            return Err(fail(format!("decompressed chart is larger than the maximum file size {LARGEST_ARCHIVE}")));
        }
        if files.len() > MOST_ENTRIES {
            return Err(fail(format!("the chart has more than {MOST_ENTRIES} files")));
        }
    }
    if files.is_empty() {
        return Err(fail("no files in chart archive".to_owned()));
    }
    Ok(files)
}

/// The path below the archive's one folder.
fn inner_name(path: &str) -> Result<String, String> {
    // An archive made on Windows may have the other slash.
    let delimiter = if path.contains('\\') { '\\' } else { '/' };
    let (first, rest) = path.split_once(delimiter).unwrap_or((path, ""));
    let rest = rest.replace(delimiter, "/");
    if rest.starts_with('/') {
        return Err("chart illegally contains absolute paths".to_owned());
    }
    let name = clean(&rest);
    if name == "." {
        let path = gotemplate::format::quote(path.as_bytes());
        return Err(format!("chart illegally contains content outside the base directory: {path}"));
    }
    if name.starts_with("..") {
        return Err("chart illegally references parent directory".to_owned());
    }
    let mut chars = name.chars();
    let drive = chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.as_str().starts_with(":/");
    if drive {
        return Err("chart contains illegally named files".to_owned());
    }
    if first == "Chart.yaml" {
        return Err("chart yaml not in base directory".to_owned());
    }
    Ok(name)
}

/// Go's `path.Clean` of a relative path.
fn clean(path: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if out.last().is_some_and(|last| *last != "..") => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    if out.is_empty() { ".".to_owned() } else { out.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside() {
        assert_eq!(inner_name("a/Chart.yaml").as_deref(), Ok("Chart.yaml"));
        assert_eq!(inner_name("a\\templates\\x.yaml").as_deref(), Ok("templates/x.yaml"));
        for bad in ["a/../../x", "a//x", "x", "a/c:/x", "Chart.yaml"] {
            assert!(inner_name(bad).is_err(), "{bad}");
        }
    }
}
