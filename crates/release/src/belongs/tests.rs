use std::collections::BTreeSet;

use source::FileId;
use yamlspan::{Dialect, Kind, NodeRef};

use super::*;
use crate::{Problem, Release, Workspace};

const RELEASE: &str = include_str!("../release/example.yaml");
const WORKSPACE: &str = include_str!("../workspace/example.yaml");

/// The file with nothing under one key or in one entry, for each of them, and the path of that.
fn emptied(text: &str) -> Vec<(String, String)> {
    let documents = yamlspan::parse(text, FileId(0), Dialect::GoYamlV4).unwrap();
    let mut out = Vec::new();
    collect(documents[0].root(), "", text, &mut out);
    out
}

fn collect(node: NodeRef<'_>, path: &str, text: &str, out: &mut Vec<(String, String)>) {
    let mut add = |path: String, value: NodeRef<'_>| {
        let range = value.span().range();
        out.push((path.clone(), [&text[..range.start], "null", &text[range.end..]].concat()));
        collect(value, &path, text, out);
    };
    match node.kind() {
        Kind::Mapping => {
            for (key, value) in node.entries() {
                add(if path.is_empty() { key.raw().to_owned() } else { format!("{path}.{}", key.raw()) }, value);
            }
        }
        Kind::Sequence => node.items().enumerate().for_each(|(at, item)| add(format!("{path}[{at}]"), item)),
        _ => {}
    }
}

/// One problem, at the place that is empty, with a way out of the table. All of the table have to be met.
fn check(text: &str, belongs: Belongs, problems: impl Fn(&str) -> Vec<Problem>) {
    let mut met = BTreeSet::new();
    for (path, text) in emptied(text) {
        let problems = problems(&text);
        let [problem] = problems.as_slice() else { panic!("{path}: {problems:#?}") };
        let help = problem.help.as_deref().unwrap_or_default();
        if path == "schema" || path.ends_with(".reversible") {
            assert!(help.starts_with("write "), "{path}: {help}");
            continue;
        }
        assert_eq!(problem.message, format!("`{path}` is empty"));
        assert_eq!(&text[problem.span.unwrap().range()], "null", "{path}");
        let known = belongs.iter().find(|(_, known)| *known == help);
        met.insert(known.unwrap_or_else(|| panic!("{path} has no way out of its own, but: {help}")).1);
    }
    for text in ["", "# nothing\n", "~\n"] {
        let problems = problems(text);
        let [problem] = problems.as_slice() else { panic!("{text}: {problems:#?}") };
        assert_eq!((&*problem.message, problem.help.as_deref()), ("the file is empty", Some(belongs[0].1)), "{text}");
        met.insert(belongs[0].1);
    }
    let forgotten: Vec<_> = belongs.iter().filter(|(_, help)| !met.contains(help)).collect();
    assert!(forgotten.is_empty(), "no key of the example leads to {forgotten:?}");
}

#[test]
fn every_key_says_what_belongs_there() {
    check(RELEASE, IN_A_MANIFEST, |text| Release::parse(text, FileId(0)).1);
    check(WORKSPACE, IN_A_WORKSPACE, |text| Workspace::parse(text, FileId(0)).err().unwrap_or_default());
}

/// What stands there and is something else is told the same.
#[test]
fn something_else_is_told_what_belongs_there() {
    let text = WORKSPACE.replacen("overlays: [telemetry]", "overlays: telemetry", 1);
    let [problem] = Workspace::parse(&text, FileId(0)).unwrap_err().try_into().unwrap();
    assert_eq!(problem.message, "`profiles.compose/stage.overlays` must be a list, not a single value");
    assert_eq!(problem.help.as_deref(), Some("list names of overlays, or remove the key"));
}
