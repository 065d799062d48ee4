//! Findings for people: the lines of all files involved in one report.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Element, Level, Origin, Renderer, Snippet};
use source::{Excerpt, SourceMap, printable, redact};

use crate::disarm::disarmed;
use crate::{Finding, Location, Severity};

/// Lines longer than this are cut by the renderer. A digest and its repository stay whole.
const WIDEST_LINE: usize = 400;

/// Excerpts of more lines than this show only their first lines: a whole file is no place.
const MOST_LINES: usize = 6;

/// How to write text.
#[derive(Clone, Copy, Debug, Default)]
pub struct TextOptions {
    /// With terminal colours.
    pub colour: bool,
}

/// All findings in the order given, an empty line after each.
#[must_use]
pub fn text(findings: &[Finding<Location>], sources: &SourceMap, options: TextOptions) -> String {
    let renderer = if options.colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(WIDEST_LINE);
    let mut out = String::new();
    for finding in findings {
        let level = match finding.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Note => Level::NOTE,
        };
        let title = level.primary_title(redact(&finding.message)).id(finding.rule);
        let (groups, plain) = groups(finding, sources);
        let moved: Vec<(String, String)> = groups.iter().filter_map(moved_column).collect();
        let mut elements: Vec<Element<'static>> = groups.into_iter().map(snippet).chain(plain).collect();
        if let Some(help) = &finding.help {
            elements.push(Level::HELP.message(redact(help)).into());
        }
        let mut report = renderer.render(&[title.elements(elements)]);
        for (drawn, real) in moved {
            report = report.replacen(&drawn, &real, 1);
        }
        out.push_str(&disarmed(&report));
        out.push_str("\n\n");
    }
    out
}

/// Lines of one file, with every place of the finding on them.
struct Group {
    path: String,
    /// Line and column in the file of the first place; those of the excerpt may differ where something is masked.
    start: (usize, usize),
    excerpt: Excerpt,
    marks: Vec<(AnnotationKind, std::ops::Range<usize>, Option<String>)>,
}

/// The renderer counts columns in the excerpt; where something before the place is masked, the file has others.
fn moved_column(group: &Group) -> Option<(String, String)> {
    let (_, range, _) = group.marks.first()?;
    let before = group.excerpt.text.get(..range.start)?;
    let drawn = before.rsplit('\n').next()?.chars().count() + 1;
    let place = |column: usize| format!("{}:{}:{column}", group.path, group.start.0);
    (drawn != group.start.1).then(|| (place(drawn), place(group.start.1)))
}

fn groups(finding: &Finding<Location>, sources: &SourceMap) -> (Vec<Group>, Vec<Element<'static>>) {
    let primary = (AnnotationKind::Primary, &finding.place, finding.label.as_deref());
    let related =
        finding.related.iter().map(|related| (AnnotationKind::Context, &related.place, Some(related.label.as_str())));
    let mut groups: Vec<Group> = Vec::new();
    let mut plain: Vec<Element<'static>> = Vec::new();
    for (kind, location, label) in std::iter::once(primary).chain(related) {
        let label = label.map(redact);
        match location {
            Location::Span(span) => {
                let path = printable(sources.path(span.file).as_str()).into_owned();
                let excerpt = if finding.is_secret { sources.excerpt_hiding(*span) } else { sources.excerpt(*span) };
                let Some(excerpt) = excerpt else { continue };
                let excerpt = shorten(excerpt);
                let mark = (kind, mark_range(&excerpt), label);
                let same = |group: &&mut Group| {
                    group.path == path
                        && group.excerpt.first_line == excerpt.first_line
                        && group.excerpt.text == excerpt.text
                };
                match groups.iter_mut().find(same) {
                    Some(group) => group.marks.push(mark),
                    None => {
                        let start = sources.positions(*span).0;
                        let start = (start.line, start.column);
                        groups.push(Group { path, start, excerpt, marks: vec![mark] });
                    }
                }
            }
            Location::File(path) => {
                plain.push(Origin::path(printable(path.as_str()).into_owned()).into());
                if let Some(label) = label {
                    plain.push(Level::NOTE.message(label).into());
                }
            }
            Location::Nowhere => {
                if let Some(label) = label {
                    plain.push(Level::NOTE.message(label).into());
                }
            }
        }
    }
    (groups, plain)
}

fn snippet(group: Group) -> Element<'static> {
    let annotations: Vec<Annotation<'static>> = group
        .marks
        .into_iter()
        .map(|(kind, range, label)| {
            let annotation = kind.span(range);
            match label {
                Some(label) => annotation.label(label),
                None => annotation,
            }
        })
        .collect();
    Snippet::source(group.excerpt.text)
        .line_start(group.excerpt.first_line)
        .path(group.path)
        .fold(false)
        .annotations(annotations)
        .into()
}

/// An empty place is shown as the character at it, or the one before the line end.
fn mark_range(excerpt: &Excerpt) -> std::ops::Range<usize> {
    let range = excerpt.highlight.clone();
    if !range.is_empty() {
        return range;
    }
    match excerpt.text.get(range.start..).and_then(|rest| rest.chars().next()) {
        Some(next) if next != '\n' => range.start..range.start + next.len_utf8(),
        _ => range,
    }
}

fn shorten(excerpt: Excerpt) -> Excerpt {
    let Some((cut, _)) = excerpt.text.match_indices('\n').nth(MOST_LINES - 1) else { return excerpt };
    let highlight = excerpt.highlight.start.min(cut)..excerpt.highlight.end.min(cut);
    Excerpt { text: excerpt.text.get(..cut).unwrap_or_default().to_owned(), highlight, ..excerpt }
}
