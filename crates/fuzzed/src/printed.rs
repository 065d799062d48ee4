//! Findings about any file, with any message, in every format: nothing that a terminal or a log viewer obeys comes through.
//!
//! The input is the start and end of the place (two bytes each), the message, a NUL, and the file.

use std::sync::Arc;

use findings::{
    Finding, Location, ProfileVerdict, Severity, TextOptions, Tool, Verdict, github, json, junit, markdown, sarif, text,
};
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
    // A workspace with other names is refused.
    let profiles =
        [ProfileVerdict { name: "p".to_owned(), channel: "c".to_owned(), images: 1, verdict: Verdict::Failed }];
    for mut finding in [finding.clone(), finding.secret()] {
        finding.profiles.insert(Arc::from("p"));
        let findings = [finding];
        let tool = Tool { name: "collimate", version: "0", rules: &[], home: "collimate.yaml" };
        let printed = [
            ("text", text(&findings, &sources, TextOptions::default())),
            ("json", json(&findings, &profiles, &sources)),
            ("junit", junit(&findings, &profiles, &sources, Severity::Error)),
            ("markdown", markdown(&findings, &profiles, &sources, Severity::Error)),
            ("sarif", sarif(&findings, &sources, tool)),
            ("github", github(&findings, &sources)),
        ];
        for (format, printed) in printed {
            let obeyed = printed.chars().find(|character| {
                character.is_control() && *character != '\n'
                    || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            });
            assert!(obeyed.is_none(), "{format} prints {obeyed:?}:\n{printed}");
            let commands = printed.lines().map(str::trim_start).filter(|line| {
                // Three colons are how an excerpt of another file begins.
                line.starts_with("::") && !line.starts_with(":::")
            });
            let own = usize::from(format == "github");
            assert_eq!(commands.count(), own, "{format} prints a command:\n{printed}");
            assert!(!printed.contains("##["), "{format} prints a command:\n{printed}");
            assert!(own == 0 || printed.lines().count() == 1, "one finding is one command:\n{printed}");
        }
    }
}
