//! Templates against Go itself: `tools/gotemplateoracle`, found in the folder that `COLLIMATE_PEERS` names.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use gotemplate::{Exec, Limits, MissingKey, Options, Stage, TemplateSet, on_large_stack};
use serde_json::json;
use source::{FileId, Span, Text};

use crate::functions::{TestFunctions, from_json};

/// The folder of the peers; says so where there is none.
pub(crate) fn peers(needed: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("COLLIMATE_PEERS").map(PathBuf::from);
    let found = folder.as_ref().map(|folder| folder.join(needed)).filter(|path| path.exists());
    if found.is_none() {
        testkit::skip(&format!(
            "`{needed}` is not there; set COLLIMATE_PEERS to the folder that `cargo xtask peers` filled"
        ));
    }
    found
}

/// One run, as the oracle takes it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub templates: Vec<(String, String)>,
    pub run: String,
    pub data: serde_json::Value,
    pub missing_key: &'static str,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub output: String,
    pub error: String,
    pub exec: bool,
}

/// Runs a case with our engine, with and without trace, and insists that both give the same.
pub(crate) fn run(case: &Case) -> Outcome {
    let plain = run_with(case, false);
    let traced = run_with(case, true);
    assert_eq!(plain, traced, "a traced run differs: {case:?}");
    plain
}

fn run_with(case: &Case, trace: bool) -> Outcome {
    on_large_stack(|| {
        let failed = |error: &gotemplate::Error| Outcome {
            output: String::new(),
            error: error.to_string(),
            exec: error.stage() == Stage::Execute,
        };
        let mut set = TemplateSet::new();
        for (at, (name, text)) in case.templates.iter().enumerate() {
            let text = Text::exact(text.as_str(), Span::new(FileId(u32::try_from(at).unwrap()), 0..text.len()));
            if let Err(error) = set.parse(name, &text, &TestFunctions) {
                return failed(&error);
            }
        }
        let missing_key = match case.missing_key {
            "zero" => MissingKey::Zero,
            "error" => MissingKey::Error,
            _ => MissingKey::NoValue,
        };
        let limits = Limits { steps: 1_000_000, output: 1 << 26 };
        let options = Options { trace, missing_key, limits };
        match Exec::new(&set, &TestFunctions, options).run(&case.run, from_json(&case.data)) {
            Ok(printed) => Outcome { output: printed.text.to_string(), error: String::new(), exec: false },
            Err(error) => failed(&error),
        }
    })
}

/// What Go makes of the cases.
pub(crate) fn judge(oracle: &PathBuf, cases: &[serde_json::Value]) -> Vec<Outcome> {
    let mut child =
        Command::new(oracle).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the oracle starts");
    let mut input = child.stdin.take().unwrap();
    let lines: String = cases.iter().map(|case| format!("{case}\n")).collect();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "the oracle failed");
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| {
            let result: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |key: &str| result[key].as_str().unwrap().to_owned();
            Outcome { output: text("output"), error: text("error"), exec: result["exec"].as_bool().unwrap() }
        })
        .collect()
}

pub(crate) fn to_json(case: &Case) -> serde_json::Value {
    json!({
        "templates": case.templates,
        "run": case.run,
        "data": case.data,
        "missing_key": case.missing_key,
    })
}

/// Compares all cases, prints the first differences and insists on none.
pub(crate) fn compare(what: &str, cases: &[Case]) {
    let Some(oracle) = peers("gotemplateoracle") else { return };
    let judged = judge(&oracle, &cases.iter().map(to_json).collect::<Vec<_>>());
    assert_eq!(judged.len(), cases.len());
    let mut differ = 0;
    let mut failed = 0;
    for (case, expected) in cases.iter().zip(&judged) {
        failed += usize::from(!expected.error.is_empty());
        let ours = run(case);
        if ours != *expected {
            differ += 1;
            if differ <= 20 {
                let text = &case.templates.last().unwrap().1;
                eprintln!("--- {} {text:?}\n  go   {expected:?}\n  ours {ours:?}", case.missing_key);
            }
        }
    }
    eprintln!("{what}: {} cases ({failed} of them errors), {differ} differ", cases.len());
    assert_eq!(differ, 0);
}

mod formats;
mod generated;
mod tables;
