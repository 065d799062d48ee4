//! How two runs compare.

use std::time::Duration;

use serde_json::Value;

/// What one of the two did.
pub(crate) struct Run {
    pub(crate) accepted: bool,
    pub(crate) crashed: bool,
    pub(crate) timed_out: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) elapsed: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// The same output.
    Equal,
    /// The real tool's output differs from run to run (random passwords, the clock); what does not is the same.
    EqualButRandom,
    BothRefuse,
    OutputDiffers,
    /// It renders, we refuse.
    WeRefuse,
    /// It refuses, we render.
    WeAccept,
    WeCrash,
    TimedOut,
    NotRun,
}

pub(crate) struct Verdict {
    pub(crate) class: Class,
    /// Where both refuse: whether our message holds the other's.
    pub(crate) same_words: bool,
    /// The first difference.
    pub(crate) detail: String,
    pub(crate) theirs: Duration,
    pub(crate) ours: Duration,
}

impl Class {
    pub(crate) fn is_equal(self) -> bool {
        matches!(self, Self::Equal | Self::EqualButRandom | Self::BothRefuse)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::EqualButRandom => "equal-but-random",
            Self::BothRefuse => "both-refuse",
            Self::OutputDiffers => "output-differs",
            Self::WeRefuse => "we-refuse",
            Self::WeAccept => "we-accept",
            Self::WeCrash => "we-crash",
            Self::TimedOut => "timed-out",
            Self::NotRun => "not-run",
        }
    }
}

impl Verdict {
    pub(crate) fn not_run(detail: &str) -> Self {
        Self {
            class: Class::NotRun,
            same_words: false,
            detail: detail.to_owned(),
            theirs: Duration::ZERO,
            ours: Duration::ZERO,
        }
    }

    fn new(theirs: &Run, ours: &Run, class: Class, detail: String) -> Self {
        Self { class, same_words: false, detail, theirs: theirs.elapsed, ours: ours.elapsed }
    }
}

/// Compares text byte for byte. Where it differs, `again` runs the real tool once more to tell what is random.
pub(crate) fn texts(theirs: &Run, ours: &Run, again: impl FnOnce() -> Option<Run>) -> Verdict {
    if let Some(verdict) = verdict(theirs, ours) {
        return verdict;
    }
    if theirs.stdout == ours.stdout {
        return Verdict::new(theirs, ours, Class::Equal, String::new());
    }
    let again = again().filter(|again| again.stdout != theirs.stdout);
    match first_line(&theirs.stdout, &ours.stdout, again.as_ref().map(|again| again.stdout.as_str())) {
        None => Verdict::new(theirs, ours, Class::EqualButRandom, String::new()),
        Some(detail) => Verdict::new(theirs, ours, Class::OutputDiffers, detail),
    }
}

/// Compares JSON as trees.
pub(crate) fn trees(theirs: &Run, ours: &Run) -> Verdict {
    if let Some(verdict) = verdict(theirs, ours) {
        return verdict;
    }
    let parse = |text: &str| serde_json::from_str::<Value>(text);
    let detail = match (parse(&theirs.stdout), parse(&ours.stdout)) {
        (Ok(left), Ok(right)) => testkit::first_difference(&left, &right).map(|difference| difference.to_string()),
        (Err(error), _) => Some(format!("the real tool's output is not JSON: {error}")),
        (_, Err(error)) => Some(format!("our output is not JSON: {error}")),
    };
    match detail {
        None => Verdict::new(theirs, ours, Class::Equal, String::new()),
        Some(detail) => Verdict::new(theirs, ours, Class::OutputDiffers, shortened(&detail)),
    }
}

/// The verdict where not both rendered.
fn verdict(theirs: &Run, ours: &Run) -> Option<Verdict> {
    let (class, detail) = if theirs.timed_out {
        (Class::NotRun, "the real tool ran too long".to_owned())
    } else if ours.timed_out {
        (Class::TimedOut, String::new())
    } else if ours.crashed {
        (Class::WeCrash, ours.stderr.trim().to_owned())
    } else {
        match (theirs.accepted, ours.accepted) {
            (true, true) => return None,
            (true, false) => (Class::WeRefuse, ours.stderr.trim().to_owned()),
            (false, true) => (Class::WeAccept, theirs.stderr.trim().to_owned()),
            (false, false) => {
                (Class::BothRefuse, format!("theirs: {}\nours: {}", theirs.stderr.trim(), ours.stderr.trim()))
            }
        }
    };
    let mut verdict = Verdict::new(theirs, ours, class, shortened(&detail));
    verdict.same_words = class == Class::BothRefuse && words(&ours.stderr).contains(&their_words(&theirs.stderr));
    Some(verdict)
}

/// The message without what only Helm prints around it.
fn their_words(stderr: &str) -> String {
    let lines = stderr.lines().filter(|line| !line.contains("level=warning") && !line.starts_with("WARNING"));
    let text: Vec<&str> = lines.take_while(|line| !line.starts_with("Use --debug flag")).collect();
    words(text.join("\n").trim().trim_start_matches("Error: "))
}

/// Without backticks and line layout, which are ours.
fn words(text: &str) -> String {
    text.replace('`', "").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first line that differs and is not random; `again` is a second output of the real tool, if it differs from the first.
fn first_line(theirs: &str, ours: &str, again: Option<&str>) -> Option<String> {
    let (mut left, mut right) = (theirs.lines(), ours.lines());
    let mut other = again.map(str::lines);
    for number in 1.. {
        let (a, b) = (left.next(), right.next());
        let stable = other.as_mut().is_none_or(|other| other.next() == a);
        if a.is_none() && b.is_none() {
            break;
        }
        if a != b && (stable || a.is_none() || b.is_none()) {
            let shown = |line: Option<&str>| line.map_or_else(|| "(end)".to_owned(), shortened);
            return Some(format!("line {number}: `{}` against ours `{}`", shown(a), shown(b)));
        }
    }
    // Only the end of the last line, or its line ends, can differ now.
    (again.is_none()).then(|| format!("{} bytes against ours {}", theirs.len(), ours.len()))
}

fn shortened(text: &str) -> String {
    /// Enough to recognise a message by.
    const MOST: usize = 600;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(accepted: bool, stdout: &str, stderr: &str) -> Run {
        Run {
            accepted,
            crashed: false,
            timed_out: false,
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
            elapsed: Duration::ZERO,
        }
    }

    #[test]
    fn what_is_random_is_not_compared() {
        let theirs = run(true, "a: 1\nb: xyz\n", "");
        let again = || Some(run(true, "a: 1\nb: uvw\n", ""));
        assert_eq!(texts(&theirs, &run(true, "a: 1\nb: rst\n", ""), again).class, Class::EqualButRandom);
        let verdict = texts(&theirs, &run(true, "a: 2\nb: rst\n", ""), again);
        assert_eq!(verdict.class, Class::OutputDiffers);
        assert_eq!(verdict.detail, "line 1: `a: 1` against ours `a: 2`");
        let verdict = texts(&theirs, &run(true, "a: 1\nb: rst\nc: 1\n", ""), again);
        assert_eq!(verdict.detail, "line 3: `(end)` against ours `c: 1`");
    }

    #[test]
    fn a_last_line_end_counts() {
        assert_eq!(texts(&run(true, "a\n", ""), &run(true, "a", ""), || None).class, Class::OutputDiffers);
    }

    #[test]
    fn refusals_are_compared_by_their_words() {
        let theirs = run(false, "", "Error: template: x:1: bad\n\nUse --debug flag to render out invalid YAML\n");
        let ours = run(false, "", "error: cannot render `x`\ncaused by: template: x:1: bad\n");
        let verdict = texts(&theirs, &ours, || None);
        assert_eq!((verdict.class, verdict.same_words), (Class::BothRefuse, true));
    }
}
