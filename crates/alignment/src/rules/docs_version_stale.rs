//! A block of a document says another version or other digests than its channel's release.

use findings::{Finding, Severity};
use source::{FileError, Span, redact};

use crate::documents::{self, Block, BlockKind, HEAD_LINES, Judged};
use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct DocsVersionStale;

/// The longest text of a block that a message repeats: no version is longer.
const LONGEST_SHOWN: usize = 64;

impl Rule for DocsVersionStale {
    fn id(&self) -> &'static str {
        "docs-version-stale"
    }

    fn summary(&self) -> &'static str {
        "a marked block of a document says something else than the release"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        let inputs = survey.inputs;
        for path in &inputs.workspace.docs {
            let (file, text) = match inputs.facts.text(path) {
                Ok(read) => read,
                Err(error) => {
                    out.push(self.unreadable(path.span, &error));
                    continue;
                }
            };
            for judged in documents::judge(inputs.workspace, inputs.releases, &text, file) {
                match judged {
                    Judged::Block(block) if block.is_right() => {}
                    Judged::Block(block) => out.push(self.stale(survey, &block)),
                    Judged::Fault(fault) => {
                        let place = Place::source(fault.span);
                        let finding = Finding::new(self.id(), Severity::Error, place, fault.message).label(fault.label);
                        let finding = match fault.related {
                            Some((span, label)) => finding.related(Place::source(span), label),
                            None => finding,
                        };
                        out.push(finding.help(fault.help));
                    }
                }
            }
        }
    }
}

impl DocsVersionStale {
    fn unreadable(&self, named: Span, error: &FileError) -> Finding<Place> {
        Finding::new(self.id(), Severity::Error, Place::source(named), error.to_string())
            .label("named here")
            .help("put it there, or take it out of `docs`")
    }

    fn stale(&self, survey: &Survey<'_>, block: &Block<'_>) -> Finding<Place> {
        let (holder, version) = (&block.holder, &block.release.version);
        // What another release would say is out of date; anything else was typed.
        let other = survey.inputs.releases.iter().filter_map(|input| input.release()).find(|release| {
            let line_end = if block.written.starts_with("\r\n") { "\r\n" } else { "\n" };
            documents::content(block.kind, release, line_end) == block.written
        });
        let (place, label, related) = match block.kind {
            BlockKind::Version => (block.content, format!("must be `{}`", version.value), version.span),
            BlockKind::Images => line_that_differs(block),
        };
        let shown = (block.written.len() <= LONGEST_SHOWN && !block.written.contains('\n')).then(|| redact(&block.written));
        let message = match (block.kind, other, shown) {
            _ if block.written.trim().is_empty() => format!("a block of `{holder}` is empty"),
            (BlockKind::Images, Some(other), _) => {
                format!("the images of `{holder}` are those of release `{}`, not `{}`", other.version.value, version.value)
            }
            (BlockKind::Images, None, _) => {
                format!("the images of `{holder}` are not what release `{}` lists: the block was edited by hand", version.value)
            }
            (BlockKind::Version, Some(_), Some(shown)) => {
                format!("the version of `{holder}` is `{}`, not `{shown}`", version.value)
            }
            (BlockKind::Version, _, Some(shown)) => format!(
                "the version of `{holder}` is `{}`, not `{shown}`, which no release here is: the block was edited by hand",
                version.value
            ),
            (BlockKind::Version, ..) => {
                format!("the version of `{holder}` is `{}` and nothing else: the block was edited by hand", version.value)
            }
        };
        Finding::new(self.id(), Severity::Error, Place::source(place), message)
            .label(label)
            .related(Place::source(related), format!("`{holder}` holds release `{}`", version.value))
            .help(format!("`collimate pin {}` writes what belongs there", block.channel))
    }
}

/// The first line of a block of images that is not as it must be, what belongs there, and where the release says so.
fn line_that_differs(block: &Block<'_>) -> (Span, String, Span) {
    let written: Vec<&str> = block.written.split_inclusive('\n').collect();
    let expected: Vec<&str> = block.expected.split_inclusive('\n').collect();
    let same = written.iter().zip(&expected).take_while(|(written, expected)| written == expected).count();
    let begin = block.content.range().start + written.iter().take(same).map(|line| line.len()).sum::<usize>();
    let line = written.get(same).map_or("", |line| line.trim_end_matches(['\r', '\n']));
    let span = Span::new(block.content.file, begin..begin + line.len());
    let component = same.checked_sub(HEAD_LINES).and_then(|index| block.release.components.get(index));
    let source = component.map_or(block.release.version.span, |component| {
        // The row's reference stands in three places; the digest is the one that differs most often.
        component.digest.span
    });
    let label = match expected.get(same).map(|line| line.trim_end()) {
        None => "is too much".to_owned(),
        Some("") => "the table begins on the line below".to_owned(),
        Some(line) => format!("must be `{line}`"),
    };
    (span, label, source)
}
