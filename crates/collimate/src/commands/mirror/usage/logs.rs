//! Access logs, line by line: memory does not grow with them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};

use camino::{Utf8Path, Utf8PathBuf};
use findings::plural;
use flate2::bufread::MultiGzDecoder;
use jiff::civil::Date;
use mirror::usage::{Line, LineError, MOST_LINE_BYTES, Usage};
use source::system;

use crate::context::Ctx;
use crate::exit::{Failure, Result};

/// How a gzip file begins, whatever it is called.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Damaged lines that are named one by one.
const MOST_NAMED: u64 = 10;

/// Large reads: a log is read from its first byte to its last.
const BUFFER_BYTES: usize = 256 * 1024;

/// What all logs together say, of one day or of all. Damaged lines are named on stderr; only if there is nothing else it is a failure.
pub(super) fn read(logs: &[Utf8PathBuf], day: Option<Date>, ctx: &Ctx) -> Result<Usage> {
    refuse_repeated(logs, ctx)?;
    let mut tally = Tally { usage: Usage::default(), day, good: 0, first_damage: None, ctx };
    for log in logs {
        tally.log(log)?;
    }
    let damaged = tally.usage.damaged();
    if damaged > MOST_NAMED {
        ctx.say(&format!(
            "warning: and {}\n",
            plural(usize::try_from(damaged - MOST_NAMED).unwrap_or(usize::MAX), "more damaged line")
        ));
    }
    match tally.first_damage {
        Some(first) if tally.good == 0 => Err(Failure::input("there is no line of the gateway's access log")
            .because(first)
            .hint("the gateway writes one JSON object a line; name its access log, not its error log")),
        _ => Ok(tally.usage),
    }
}

/// A log that is named twice would count twice.
fn refuse_repeated(logs: &[Utf8PathBuf], ctx: &Ctx) -> Result<()> {
    let mut seen = BTreeSet::new();
    for log in logs {
        let path = if log == "-" { log.clone() } else { ctx.cwd().join(log) };
        let path = path.canonicalize_utf8().unwrap_or(path);
        if !seen.insert(path) {
            return Err(Failure::usage(format!("`{log}` is named twice")).hint("it would be counted twice"));
        }
    }
    Ok(())
}

struct Tally<'a> {
    usage: Usage,
    day: Option<Date>,
    /// Lines that could be read, of any day.
    good: u64,
    first_damage: Option<String>,
    ctx: &'a Ctx,
}

impl Tally<'_> {
    fn log(&mut self, log: &Utf8Path) -> Result<()> {
        let name = if log == "-" { Utf8Path::new("stdin") } else { log };
        let unreadable = |cause: &dyn std::fmt::Display| Failure::input(format!("cannot read `{name}`")).because(cause);
        let mut raw: Box<dyn Read> = if log == "-" {
            Box::new(io::stdin().lock())
        } else {
            let file = File::open(self.ctx.cwd().join(log)).map_err(|error| unreadable(&system::reason(&error)))?;
            if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
                return Err(unreadable(&"it is a folder").hint("name the files in it"));
            }
            Box::new(file)
        };
        let start = first_bytes(&mut raw).map_err(|error| unreadable(&system::reason(&error)))?;
        let is_packed = start == GZIP;
        let whole = BufReader::with_capacity(BUFFER_BYTES, Cursor::new(start).chain(raw));
        let mut lines: Box<dyn BufRead> = if is_packed {
            Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(whole)))
        } else {
            Box::new(whole)
        };
        let mut number = 0_u64;
        let mut line = Vec::with_capacity(1024);
        loop {
            match next_line(&mut lines, &mut line) {
                Ok(false) => return Ok(()),
                Ok(true) => {}
                Err(_) if is_packed => {
                    return Err(unreadable(&format!("its gzip data is cut off or damaged after line {number}"))
                        .hint("`gzip -t` checks such a file; unpack what is left of it to count that"));
                }
                Err(error) => return Err(unreadable(&system::reason(&error))),
            }
            number += 1;
            self.line(name, number, &line)?;
        }
    }

    fn line(&mut self, name: &Utf8Path, number: u64, line: &[u8]) -> Result<()> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        match Line::parse(line) {
            Ok(line) => {
                self.good += 1;
                if self.day.is_none_or(|day| day == line.day) {
                    self.usage.add(&line).map_err(|error| {
                        Failure::input(format!("`{name}` cannot be counted"))
                            .because(error)
                            .hint("choose a day with `--day`")
                    })?;
                }
            }
            Err(error) => self.damaged(name, number, &error),
        }
        Ok(())
    }

    fn damaged(&mut self, name: &Utf8Path, number: u64, error: &LineError) {
        let what = format!("`{name}`, line {number}: {error}");
        if self.usage.damaged() < MOST_NAMED {
            self.ctx.say(&format!("warning: {what}\n"));
        }
        self.usage.add_damaged();
        self.first_damage.get_or_insert(what);
    }
}

/// The first two bytes, fewer where there are no more.
fn first_bytes(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    from.take(GZIP.len() as u64).read_to_end(&mut start)?;
    Ok(start)
}

/// The next line without its end, `false` after the last. Of one that is too long only so much is kept that this can be seen.
fn next_line(from: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let mut is_there = false;
    loop {
        let chunk = match from.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if chunk.is_empty() {
            return Ok(is_there);
        }
        is_there = true;
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let part = &chunk[..end.unwrap_or(chunk.len())];
        let room = (MOST_LINE_BYTES + 1).saturating_sub(line.len());
        line.extend_from_slice(&part[..part.len().min(room)]);
        let used = end.map_or(chunk.len(), |end| end + 1);
        from.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes in pieces of this size.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(self.1).min(into.len());
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn lines_are_the_same_in_any_pieces_and_long_ones_are_cut() {
        let long = "x".repeat(MOST_LINE_BYTES * 2);
        let text = format!("one\n\n{long}\ntwo\r\nlast");
        for size in [1, 2, 3, 1000, 1 << 20] {
            let mut reader = BufReader::with_capacity(size, Pieces(text.as_bytes(), size));
            let (mut line, mut lines) = (Vec::new(), Vec::new());
            while next_line(&mut reader, &mut line).unwrap() {
                lines.push(String::from_utf8(line.clone()).unwrap());
            }
            assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [3, 0, MOST_LINE_BYTES + 1, 4, 4]);
            assert_eq!(lines.last().unwrap(), "last");
        }
        assert_eq!(first_bytes(&mut Pieces(b"abc", 1)).unwrap(), b"ab");
        assert_eq!(first_bytes(&mut Pieces(b"", 1)).unwrap(), b"");
    }
}
