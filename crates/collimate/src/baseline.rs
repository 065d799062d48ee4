//! Findings that a repository began with: `check --baseline` fails on others only, `check --write-baseline` lists what there is.
//!
//! What counts of an entry is its fingerprint (see [`findings::fingerprint`]) and how often it may occur; the rest is for people who read the file.
//! Lines move and releases come without another fingerprint; another text at the place has another one, so that a wrong digest which becomes
//! another wrong digest is new. Where there are more than the baseline has, all of them are new: nobody can tell which ones were there.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use findings::{Finding, Location, Severity, fingerprint, plural};
use release::{Spanned, scalar};
use source::{FileId, Files as _, SourceMap};
use yamlspan::NodeRef;
use yamlspan::strict::{Problem, Reader};

use crate::checking::Checked;
use crate::context::Ctx;
use crate::exit::{Failure, Result};
use crate::session::{self, Session};
use crate::write::{self, NewFile};

const BASELINE_KEYS: &[&str] = &["schema", "findings"];
const ENTRY_KEYS: &[&str] = &["id", "rule", "file", "message", "count"];

/// More of one finding than this is no baseline but damage.
const MOST_OF_ONE: u32 = 1_000_000;

/// A read baseline.
pub(crate) struct Baseline {
    /// As the command line named it.
    name: Utf8PathBuf,
    /// From the workspace's root, or absolute.
    pub(crate) path: Utf8PathBuf,
    pub(crate) entries: Vec<Entry>,
    /// Fingerprint → how often. Of entries that a merge has doubled the greater one counts.
    counts: BTreeMap<String, usize>,
}

/// Findings that are accepted because they were there.
pub(crate) struct Entry {
    pub(crate) id: Spanned<String>,
    pub(crate) rule: Spanned<String>,
    pub(crate) count: u32,
}

/// Findings, those that the baseline knows apart from those that it does not.
pub(crate) struct Split {
    /// Each says where it is accepted.
    pub(crate) known: Vec<Finding<Location>>,
    pub(crate) new: Vec<Finding<Location>>,
}

impl Baseline {
    /// Reads the file that the command line names.
    pub(crate) fn read(ctx: &Ctx, session: &Session, name: &Utf8Path) -> Result<Self> {
        let path = session.named_path(ctx, name);
        let (file, text) = session.files.read_text(&path).map_err(|error| {
            Failure::input(format!("cannot read the baseline `{name}`"))
                .because(error)
                .hint(format!("`collimate check --write-baseline {name}` makes one of what is found today"))
        })?;
        let entries =
            parse(&text, file).map_err(|problems| malformed(ctx, &session.files.sources(), name.as_str(), problems))?;
        let counts = counts(&entries);
        Ok(Self { name: name.to_owned(), path, entries, counts })
    }

    /// Takes apart what is known and what is new.
    pub(crate) fn split(&self, findings: Vec<Finding<Location>>, sources: &SourceMap) -> Split {
        let found = counted(&findings, sources).into_iter();
        let accepted: BTreeSet<String> = found
            .filter(|(id, (found, _))| self.counts.get(id).is_some_and(|count| found <= count))
            .map(|(id, _)| id)
            .collect();
        let (mut known, mut new) = (Vec::new(), Vec::new());
        for mut finding in findings {
            if accepted.contains(&fingerprint(&finding, sources)) {
                finding.accepted = Some(format!("listed in the baseline `{}`", self.name));
                known.push(finding);
            } else {
                new.push(finding);
            }
        }
        Split { known, new }
    }

    /// Lines for people: how much is known, and how much of the baseline is mended and still in it, if everything was looked at.
    pub(crate) fn remarks(&self, checked: &Checked, is_written: bool) -> Vec<String> {
        let name = &self.name;
        let mut remarks = Vec::new();
        if !checked.known.is_empty() {
            remarks.push(format!("{} known from `{name}`", plural(checked.known.len(), "finding")));
        }
        let mended = self.mended(checked);
        if mended > 0 && !is_written {
            remarks.push(format!(
                "{} of `{name}` mended: `collimate check --baseline {name} --write-baseline {name}` takes out what is not found any more",
                plural(mended, "finding")
            ));
        }
        remarks
    }

    /// How many findings of the baseline are gone; 0 where something was not looked at.
    fn mended(&self, checked: &Checked) -> usize {
        if !checked.complete {
            return 0;
        }
        let all = [checked.known.as_slice(), &checked.findings].concat();
        let found = counted(&all, &checked.sources);
        let left = |(id, count): (&String, &usize)| count.saturating_sub(found.get(id).map_or(0, |(found, _)| *found));
        self.counts.iter().map(left).sum()
    }
}

/// Fingerprint → how often it is accepted.
pub(crate) fn counts(entries: &[Entry]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for entry in entries {
        let count = counts.entry(entry.id.value.clone()).or_default();
        *count = (entry.count as usize).max(*count);
    }
    counts
}

/// Fingerprint → how often it is found, and one of them. A finding that never blocks needs no acceptance.
fn counted<'f>(
    findings: &'f [Finding<Location>],
    sources: &SourceMap,
) -> BTreeMap<String, (usize, &'f Finding<Location>)> {
    let mut counts = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.severity > Severity::Note) {
        counts.entry(fingerprint(finding, sources)).or_insert((0, finding)).0 += 1;
    }
    counts
}

/// Writes a baseline of these findings. A second one of the same findings has the same bytes.
pub(crate) fn write(
    ctx: &Ctx,
    session: &Session,
    name: &Utf8Path,
    found: &[Finding<Location>],
    sources: &SourceMap,
) -> Result<()> {
    let path = session.named_path(ctx, name);
    let content = text(found, sources).into_bytes();
    write::replace_all(&[NewFile { path: session.files.absolute(&path), content }])?;
    let count = found.iter().filter(|finding| finding.severity > Severity::Note).count();
    ctx.say(&format!("wrote `{name}`: {}\n", plural(count, "finding")));
    Ok(())
}

/// One line per entry, in the order of files, so that two branches that mend different things merge.
fn text(found: &[Finding<Location>], sources: &SourceMap) -> String {
    let mut lines: Vec<(String, &str, String, String)> = counted(found, sources)
        .into_iter()
        .map(|(id, (count, finding))| {
            let file = finding.place.path(sources).unwrap_or_default();
            let message = source::redact(&finding.message).replace('\n', " ");
            let mut line = format!("{{id: \"{id}\", rule: {}", finding.rule);
            if !file.is_empty() {
                line.push_str(&format!(", file: {}", scalar(&file)));
            }
            line.push_str(&format!(", message: {}", scalar(&message)));
            if count > 1 {
                line.push_str(&format!(", count: {count}"));
            }
            line.push('}');
            (file.into_owned(), finding.rule, message, line)
        })
        .collect();
    lines.sort();
    let mut text = "# What `collimate check` found when it began here. `collimate check --baseline FILE` fails on other findings only.\n\
                    # `collimate check --baseline FILE --write-baseline FILE` takes out what is mended.\n\
                    schema: 1\n"
        .to_owned();
    text.push_str(if lines.is_empty() { "findings: []\n" } else { "findings:\n" });
    for (.., line) in lines {
        text.push_str(&format!("  - {line}\n"));
    }
    text
}

/// The entries of a baseline of elsewhere, which is called `name`.
pub(crate) fn parse_shown(ctx: &Ctx, name: &str, text: &str) -> Result<Vec<Entry>> {
    let mut sources = SourceMap::default();
    let file = sources.add(name, text);
    parse(text, file).map_err(|problems| malformed(ctx, &sources, name, problems))
}

fn malformed(ctx: &Ctx, sources: &SourceMap, name: &str, problems: Vec<Problem>) -> Failure {
    session::malformed_file(ctx, sources, "baseline", name, problems)
        .hint("`--write-baseline` writes it anew, with what is found then")
}

/// The entries of a baseline.
fn parse(text: &str, file: FileId) -> std::result::Result<Vec<Entry>, Vec<Problem>> {
    let mut reader = Reader::new(&[]);
    let document = reader.document(text, file);
    let entries = document.and_then(|document| read(&mut reader, document.root()));
    match entries {
        Some(entries) if reader.problems.is_empty() => Ok(entries),
        _ => Err(reader.problems),
    }
}

fn read(reader: &mut Reader, root: NodeRef<'_>) -> Option<Vec<Entry>> {
    let fields = reader.fields(root, "", BASELINE_KEYS)?;
    reader.schema(&fields);
    let list = reader.required(&fields, "findings")?;
    let items = reader.items(list, "findings");
    Some(items.into_iter().filter_map(|(path, item)| read_entry(reader, &path, item)).collect())
}

fn read_entry(reader: &mut Reader, path: &str, node: NodeRef<'_>) -> Option<Entry> {
    let fields = reader.fields(node, path, ENTRY_KEYS)?;
    let id = reader.required_text(&fields, "id");
    let rule = reader.required_text(&fields, "rule");
    // For people alone.
    let _ = reader.required_text(&fields, "message");
    let _ = reader.optional_text(&fields, "file");
    let count = match fields.get("count") {
        Some(node) => reader.number(node, &fields.path_of("count"), 1..=MOST_OF_ONE)?.value,
        None => 1,
    };
    let (id, rule) = (id?, rule?);
    if id.value.len() != 16 || !id.value.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) {
        let help = "an entry is written by `--write-baseline`, not by hand".to_owned();
        reader.problem(id.span, format!("`{path}.id` is no fingerprint: `{}`", id.value), Some(help));
    }
    if alignment::rule(&rule.value).is_none() {
        let help = "write the baseline anew; rules come and go with versions of this program".to_owned();
        reader.problem(rule.span, format!("there is no rule `{}`", rule.value), Some(help));
    }
    Some(Entry { id, rule, count })
}

#[cfg(test)]
mod tests;
