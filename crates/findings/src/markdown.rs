//! Findings as Markdown, for the comment on a change request.
//!
//! Threat: a comment is read by people and by a server that acts on it: it notifies whoever is mentioned, links what looks like an
//! issue or an address, draws HTML. Names and values of a workspace are somebody else's text. So only plain words stand in a
//! comment as they are; everything else is code, in which nothing is interpreted. Foreign text never begins a line, where a
//! runner that prints the comment could take it for a command.

use std::fmt::Write as _;

use source::{SourceMap, redact};

use crate::disarm::disarmed;
use crate::{Counts, Finding, Location, ProfileVerdict, Severity, TextOptions, Verdict, plural, text};

/// GitHub refuses a comment of more than 65,536 characters. The rest is for what a pipeline puts around this text.
const MOST_BYTES: usize = 65_000;

/// What tables may take of it, so that there is room for details of what stands in them.
const MOST_TABLE_BYTES: usize = 40_000;

/// What one cell may take: a message of an engine can hold a whole file.
const MOST_CELL_CHARS: usize = 400;

/// What the last lines may take: how many findings are not shown.
const LAST_LINES: usize = 200;

/// A summary, a table per severity, and what `text` would print, folded away. What is less bad than `least` is counted, not shown.
/// Within a table the order is the one given; what is too much for a comment is left out, and counted.
#[must_use]
pub fn markdown(
    findings: &[Finding<Location>],
    profiles: &[ProfileVerdict],
    sources: &SourceMap,
    least: Severity,
) -> String {
    let mut out = format!("### collimate check: {}\n\n{}\n", Counts::of(findings), summary(profiles));
    out.push_str(&profile_table(profiles));
    let mut shown: Vec<&Finding<Location>> = Vec::new();
    let mut left = findings.iter().filter(|finding| finding.severity >= least).count();
    for (severity, word) in [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")] {
        let of_severity = || findings.iter().filter(|finding| finding.severity == severity && severity >= least);
        let mut table = format!(
            "\n**{}**\n\n| where | what | profiles |\n| --- | --- | --- |\n",
            capitalised(&plural(of_severity().count(), word))
        );
        let before = shown.len();
        for finding in of_severity() {
            let row = row(finding, sources);
            if out.len() + table.len() + row.len() > MOST_TABLE_BYTES {
                break;
            }
            table.push_str(&row);
            shown.push(finding);
        }
        left -= shown.len() - before;
        if shown.len() > before {
            out.push_str(&table);
        }
    }
    if left > 0 {
        let _ = writeln!(out, "\nand {left} more; `collimate check` shows all");
    }
    details(&mut out, &shown, sources);
    out
}

fn summary(profiles: &[ProfileVerdict]) -> String {
    let count = |verdict| profiles.iter().filter(|profile| profile.verdict == verdict).count();
    let parts: Vec<String> = [
        (count(Verdict::Failed), "not aligned"),
        (count(Verdict::Warnings), "aligned, with warnings"),
        (count(Verdict::Aligned), "aligned"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect();
    if parts.is_empty() {
        "No profiles.".to_owned()
    } else {
        format!("{} of {}.", parts.join("; "), plural(profiles.len(), "profile"))
    }
}

/// All profiles, folded away: those with findings are named beside them.
fn profile_table(profiles: &[ProfileVerdict]) -> String {
    let mut rows = String::new();
    for profile in profiles {
        let verdict = match profile.verdict {
            Verdict::Aligned => "aligned",
            Verdict::Warnings => "aligned, with warnings",
            Verdict::Failed => "**not aligned**",
        };
        let (channel, name) = (code(&profile.channel), code(&profile.name));
        let row = format!("| {channel} | {name} | {} | {verdict} |\n", profile.images);
        if rows.len() + row.len() > MOST_TABLE_BYTES / 2 {
            break;
        }
        rows.push_str(&row);
    }
    if rows.is_empty() {
        return rows;
    }
    folded("Profiles", &format!("| channel | profile | images | verdict |\n| --- | --- | --- | --- |\n{rows}"))
}

fn row(finding: &Finding<Location>, sources: &SourceMap) -> String {
    let place = match (finding.place.path(sources), finding.place.range(sources)) {
        (Some(path), Some(range)) => code(&format!("{path}:{}", range.line)),
        (Some(path), None) => code(&path),
        (None, _) => String::new(),
    };
    let profiles: Vec<String> = finding.profiles.iter().map(|profile| code(profile)).collect();
    let rule = code(finding.rule);
    format!("| {place} | {rule} {} | {} |\n", prose(&cut(&redact(&finding.message))), profiles.join(", "))
}

/// What `text` prints of those findings, as many as there is room for.
fn details(out: &mut String, shown: &[&Finding<Location>], sources: &SourceMap) {
    const TITLE: &str = "Places and ways out";
    let frame = folded(TITLE, "").len();
    let mut inner = String::new();
    for (index, finding) in shown.iter().enumerate() {
        let text = text(std::slice::from_ref(*finding), sources, TextOptions::default());
        let block = block(text.trim_end());
        if out.len() + frame + inner.len() + block.len() + LAST_LINES > MOST_BYTES {
            let _ = writeln!(inner, "and {} more; `collimate check` shows all", shown.len() - index);
            break;
        }
        inner.push_str(&block);
    }
    if !inner.is_empty() {
        out.push_str(&folded(TITLE, &inner));
    }
}

/// The empty lines are what makes Markdown of the inside.
fn folded(title: &str, inner: &str) -> String {
    format!("\n<details>\n<summary>{title}</summary>\n\n{inner}\n</details>\n")
}

/// Text in which nothing is interpreted, between fences that are longer than any in it.
fn block(text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    format!("{fence}text\n{text}\n{fence}\n")
}

/// A message for the cell of a table. Its backticks are ours or, where a name holds some, somebody else's: whichever words come to
/// stand outside are code all the same unless they are plain.
fn prose(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in text.split('`').enumerate() {
        if index % 2 == 1 {
            out.push_str(&code(part));
            continue;
        }
        for piece in part.split_inclusive(char::is_whitespace) {
            let word = piece.trim_end_matches(char::is_whitespace);
            out.push_str(&if is_plain(word) { word.to_owned() } else { code(word) });
            if word.len() < piece.len() {
                out.push(' ');
            }
        }
    }
    out.trim().to_owned()
}

/// Letters and the punctuation of a sentence: nothing that Markdown, or a server behind it, makes something of.
fn is_plain(word: &str) -> bool {
    let inner =
        word.trim_start_matches(['(', '"', '\'']).trim_end_matches(['.', ',', ';', ':', ')', '"', '\'', '?', '…']);
    let is_number = inner.bytes().all(|byte| byte.is_ascii_digit()) && inner.len() < 6;
    is_number || inner.chars().all(|char| char.is_alphabetic() || matches!(char, '-' | '\'' | '’' | '–' | '…'))
}

/// Text as code within a line of a table.
fn code(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let line: String = text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    // A backslash before the one that hides a bar would hide that instead; the two are set apart.
    let line = disarmed(&line).replace("\\|", "\\ |").replace('|', "\\|");
    let fence = "`".repeat(longest_run(&line) + 1);
    // Without the spaces a backtick at either end would join the fence. One space on both sides is taken away again.
    let space = if line.starts_with(['`', ' ']) || line.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{space}{line}{space}{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|char| char != '`').map(str::len).max().unwrap_or(0)
}

fn cut(text: &str) -> String {
    if text.chars().count() <= MOST_CELL_CHARS {
        return text.to_owned();
    }
    text.chars().take(MOST_CELL_CHARS).chain(['…']).collect()
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}
