//! Marks in Markdown: comments that begin and end a block.
//!
//! A comment in a code block or between backticks is text about marks, not a mark. Everything else that begins as ours must be right: a
//! mark with a typing error would leave a block that nobody keeps up to date.

use source::{FileId, Span};

use super::BlockKind;

/// Two marks that belong together.
pub(super) struct Marked {
    pub(super) kind: BlockKind,
    /// As it is written: `stable`, `stable/prod`.
    pub(super) holder: String,
    /// Where that stands.
    pub(super) name: Span,
    pub(super) content: Span,
}

/// Marks that make no block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub span: Span,
    pub message: String,
    /// What stands at the place.
    pub label: String,
    pub related: Option<(Span, String)>,
    pub help: String,
}

/// One comment that begins as ours.
enum Mark {
    Open {
        kind: BlockKind,
        holder: String,
        name: Span,
    },
    /// It would open a block, if it could be understood.
    Damaged,
    Close,
}

const OPEN: &str = "collimate:";
const CLOSE: &str = "/collimate";

/// Blocks and faults, in the order of the document.
pub(super) fn find(text: &str, file: FileId) -> Vec<Result<Marked, Box<Fault>>> {
    let mut out = Vec::new();
    // Blocks that are open, the outermost first: mark, and whether another one was in it.
    let mut open: Vec<(Span, Mark, bool)> = Vec::new();
    for (span, body) in comments(text, file) {
        let mark = match read(text, body) {
            Some(Ok(mark)) => mark,
            Some(Err(fault)) => {
                out.push(Err(fault));
                Mark::Damaged
            }
            None => continue,
        };
        if matches!(mark, Mark::Close) {
            match open.pop() {
                Some((start, Mark::Open { kind, holder, name }, false)) => {
                    let content = Span::new(file, start.range().end..span.range().start);
                    out.push(Ok(Marked { kind, holder, name, content }));
                }
                Some(_) => {}
                None => out.push(Err(Box::new(Fault {
                    span,
                    message: "a mark ends a block, and none is open".to_owned(),
                    label: "ends nothing".to_owned(),
                    related: None,
                    help: "remove it, or write the mark that begins the block: `<!-- collimate:version CHANNEL -->`"
                        .to_owned(),
                }))),
            }
            continue;
        }
        if let Some((outer, _, has_inner)) = open.last_mut() {
            *has_inner = true;
            out.push(Err(Box::new(Fault {
                span,
                message: "a block begins within another one".to_owned(),
                label: "begins here".to_owned(),
                related: Some((*outer, "this one is not closed yet".to_owned())),
                help: "write `<!-- /collimate -->` before it".to_owned(),
            })));
        }
        open.push((span, mark, false));
    }
    // Of blocks in each other, one message is enough: the innermost that lacks its end is where to look.
    if let Some((span, _, false)) = open.last() {
        out.push(Err(Box::new(Fault {
            span: *span,
            message: "a block is not closed".to_owned(),
            label: "begins here".to_owned(),
            related: None,
            help: "write `<!-- /collimate -->` behind what belongs to it".to_owned(),
        })));
    }
    out
}

/// What a comment says, if it begins as ours.
fn read(text: &str, body: Span) -> Option<Result<Mark, Box<Fault>>> {
    let raw = text.get(body.range()).unwrap_or_default();
    let trimmed = raw.trim();
    let fault = |span: Span, message: String, label: &str, help: String| {
        Some(Err(Box::new(Fault { span, message, label: label.to_owned(), related: None, help })))
    };
    if let Some(rest) = trimmed.strip_prefix(CLOSE) {
        // Whatever else it says, it ends a block: what is wrong with it must not make a second message.
        return (rest.is_empty() || rest.starts_with([' ', ':', '\t'])).then_some(Ok(Mark::Close));
    }
    let rest = trimmed.strip_prefix(OPEN)?;
    let start = body.range().start;
    let at = |(offset, word): (usize, &str)| Span::new(body.file, start + offset..start + offset + word.len());
    let whole = at((raw.len() - raw.trim_start().len(), trimmed));
    let known = || format!("there are: {}", list(BlockKind::ALL.iter().map(|(name, _)| *name)));
    let begin = raw.find(OPEN).map_or(0, |found| found + OPEN.len());
    let mut words = words(raw, begin).into_iter();
    // Behind the colon at once: `collimate: version` names no kind.
    let first = if rest.starts_with(char::is_whitespace) { None } else { words.next() };
    let word = first.map_or("", |(_, word)| word);
    let Some((_, kind)) = BlockKind::ALL.into_iter().find(|(name, _)| *name == word) else {
        let near = release::nearest(word, BlockKind::ALL.iter().map(|(name, _)| *name));
        let help = near.map_or_else(known, |near| format!("did you mean `{near}`?"));
        let message = format!("there is no kind of block `{}`", source::redact(word));
        return fault(first.map_or(whole, at), message, "names this", help);
    };
    let Some(holder) = words.next() else {
        let message = format!("a block of kind `{word}` names no channel");
        let help = format!("write `<!-- {OPEN}{word} CHANNEL -->`, or `CHANNEL/RING`");
        return fault(whole, message, "names none", help);
    };
    if let Some(more) = words.next() {
        let message = format!("a mark says more than it can: `{}`", source::redact(more.1));
        return fault(at(more), message, "is too much", "a block is of one channel or ring".to_owned());
    }
    Some(Ok(Mark::Open { kind, holder: holder.1.to_owned(), name: at(holder) }))
}

/// Words from `begin` on, with where they start.
fn words(text: &str, begin: usize) -> Vec<(usize, &str)> {
    let mut out = Vec::new();
    let mut at = begin;
    for word in text.get(begin..).unwrap_or_default().split_whitespace() {
        let found = text.get(at..).and_then(|rest| rest.find(word)).unwrap_or_default();
        out.push((at + found, word));
        at += found + word.len();
    }
    out
}

/// `a`, `b`.
pub(super) fn list<'t>(names: impl Iterator<Item = &'t str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The comments of a document outside of code: the whole, and what is in it.
fn comments(text: &str, file: FileId) -> Vec<(Span, Span)> {
    let mut out = Vec::new();
    let mut at = 0;
    let mut is_line_start = true;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if is_line_start && let Some(fence) = fence(rest) {
            at += fenced(rest, fence);
            continue;
        }
        if let Some(inner) = rest.strip_prefix("<!--") {
            let Some(length) = inner.find("-->") else { break };
            let body = at + 4..at + 4 + length;
            let end = body.end + 3;
            out.push((Span::new(file, at..end), Span::new(file, body)));
            at = end;
            is_line_start = false;
            continue;
        }
        if rest.starts_with('`') {
            at += code_span(rest);
            is_line_start = false;
            continue;
        }
        let next = rest.chars().next().map_or(1, char::len_utf8);
        is_line_start = rest.starts_with('\n');
        at += next;
    }
    out
}

/// The fence that a line begins, if it begins a code block: its character, and how often that stands there.
fn fence(line: &str) -> Option<(char, usize)> {
    let indented = line.trim_start_matches(' ');
    // Four columns make it an indented code block of its own, which ends by itself.
    if line.len() - indented.len() > 3 {
        return None;
    }
    let first = indented.chars().next().filter(|first| matches!(first, '`' | '~'))?;
    let count = indented.chars().take_while(|letter| *letter == first).count();
    let information = indented.get(count..)?.lines().next().unwrap_or_default();
    // Backticks with another one behind them in the line are a code span.
    (count >= 3 && !(first == '`' && information.contains('`'))).then_some((first, count))
}

/// The length of a code block from the line of its fence to the end of the line that closes it, or of the document.
fn fenced(rest: &str, (mark, count): (char, usize)) -> usize {
    let mut length = 0;
    for (index, line) in rest.split_inclusive('\n').enumerate() {
        length += line.len();
        let inner = line.trim();
        if index > 0 && inner.chars().count() >= count && inner.chars().all(|letter| letter == mark) {
            break;
        }
    }
    length
}

/// The length of what stands between backticks in one paragraph, or of the backticks alone where nothing closes them.
fn code_span(rest: &str) -> usize {
    let count = rest.chars().take_while(|letter| *letter == '`').count();
    let inner = rest.get(count..).unwrap_or_default();
    let paragraph = inner.find("\n\n").and_then(|end| inner.get(..end)).unwrap_or(inner);
    let mut at = 0;
    while let Some(found) = paragraph.get(at..).and_then(|rest| rest.find('`')) {
        let start = at + found;
        let run = paragraph.get(start..).unwrap_or_default().chars().take_while(|letter| *letter == '`').count();
        if run == count {
            return count + start + run;
        }
        at = start + run;
    }
    count
}
