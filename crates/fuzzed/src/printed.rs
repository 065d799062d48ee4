//! Findings about any file, with any message, in every format: nothing that a terminal or a log viewer obeys comes through.
//!
//! The input is the start and end of the place (two bytes each), the message, a NUL, and the file.

use findings::{Finding, Location, Severity, TextOptions, Tool, github, json, sarif, text};
use source::{SourceMap, Span};

pub(crate) fn check(bytes: &[u8]) {
    let (place, rest) = bytes.split_at(bytes.len().min(4));
    let input = crate::text_of(rest);
    let (message, content) = crate::split(&input);
    let offset = |at: usize| {
        let byte = |at: usize| place.get(at).copied().map_or(0, usize::from);
        (byte(at) * 256 + byte(at + 1)).min(content.len())
    };
    let (start, end) = (offset(0).min(offset(2)), offset(0).max(offset(2)));
    let mut sources = SourceMap::default();
    let file = sources.add(message, content);
    let location = Location::Span(Span::new(file, start..end));
    let finding = Finding::new("digest-mismatch", Severity::Error, location.clone(), message)
        .label(message)
        .related(Location::File(message.into()), message)
        .help(message);
    for finding in [finding.clone(), finding.secret()] {
        let findings = [finding];
        let tool = Tool { name: "collimate", version: "0", rules: &[], home: "collimate.yaml" };
        let printed = [
            ("text", text(&findings, &sources, TextOptions::default())),
            ("json", json(&findings, &[], &sources)),
            ("sarif", sarif(&findings, &sources, tool)),
            ("github", github(&findings, &sources)),
        ];
        for (format, printed) in printed {
            let obeyed = printed.chars().find(|character| {
                character.is_control() && *character != '\n'
                    || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            });
            assert!(obeyed.is_none(), "{format} prints {obeyed:?}:\n{printed}");
            if format == "github" {
                let commands = printed.lines().filter(|line| line.trim_start().starts_with("::")).count();
                assert_eq!(commands, printed.lines().count(), "a command of its own:\n{printed}");
                assert_eq!(printed.lines().count(), 1, "one finding is one command:\n{printed}");
            }
        }
    }
}
