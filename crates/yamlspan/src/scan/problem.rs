//! A refusal, worded as each go-yaml words it.

use std::borrow::Cow;

use source::{FileId, Span};

use super::token::Mark;
use crate::{Dialect, Error, Limit};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Reader,
    Scanner,
    Parser,
    Composer,
    /// None of go-yaml's: a limit of ours.
    Limit,
}

#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) stage: Stage,
    pub(crate) context: Option<(&'static str, Mark)>,
    pub(crate) message: Cow<'static, str>,
    pub(crate) mark: Mark,
}

impl Problem {
    pub(crate) fn into_error(self, dialect: Dialect, file: FileId, text: &str) -> Error {
        // The character that it was found at, whole.
        let boundary = |at: usize| (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        let at = boundary(self.mark.at as usize);
        let span = Span::new(file, at..boundary(at + 1));
        if self.stage == Stage::Limit {
            return Error::over(Limit::Nodes, format!("yaml: {}", self.message), Some(span));
        }
        let message = match dialect {
            Dialect::GoYamlV4 => self.staged(),
            Dialect::GoYamlV2 | Dialect::GoYamlV3 => self.with_line(dialect),
        };
        Error::new(message, Some(span))
    }

    /// `yaml: line N: …`. v2 and v3 count lines from zero, add one for scanner problems only, and say no line for zero.
    fn with_line(&self, dialect: Dialect) -> String {
        let scanner = u32::from(self.stage == Stage::Scanner);
        let context = self.context.map_or(0, |(_, mark)| mark.line);
        let mark = self.mark.line;
        let line = match (self.stage, dialect) {
            (Stage::Reader | Stage::Composer | Stage::Limit, _) => 0,
            (_, Dialect::GoYamlV2) if mark != 0 => mark + scanner,
            (_, Dialect::GoYamlV2) => context,
            _ if context != 0 => context + scanner,
            _ if mark != 0 => mark + scanner,
            _ => 0,
        };
        let message = &self.message;
        if line == 0 { format!("yaml: {message}") } else { format!("yaml: line {line}: {message}") }
    }

    /// v4: `go-yaml load error in scanner (while …) at L1.C2-C5: …`.
    fn staged(&self) -> String {
        let message = &self.message;
        let stage = match self.stage {
            Stage::Reader => return format!("go-yaml load error in reader at <unknown position>: {message}"),
            Stage::Scanner => "scanner",
            Stage::Parser => "parser",
            Stage::Composer | Stage::Limit => "composer",
        };
        let place = |mark: Mark| match mark.line {
            Mark::NO_LINE => "<unknown position>".to_owned(),
            line => format!("L{}.C{}", line + 1, mark.column + 1),
        };
        match self.context {
            None => format!("go-yaml load error in {stage} at {}: {message}", place(self.mark)),
            Some((words, from)) => {
                let range = if from.line != self.mark.line {
                    format!("{}-{}", place(from), place(self.mark))
                } else if from.column == self.mark.column {
                    place(from)
                } else {
                    format!("{}-C{}", place(from), self.mark.column + 1)
                };
                format!("go-yaml load error in {stage} ({words}) at {range}: {message}")
            }
        }
    }
}
