//! Our YAML against go-yaml's v2, v3 and v4 and what Kubernetes makes of v2: verdict, value and what is written back.
//!
//! `COLLIMATE_PEERS` names the folder with `yamloracle`, which `cargo xtask peers yamloracle` builds.

#![no_main]

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;
use source::{FileId, Text};
use yamlspan::{Data, Dialect, Error, decode, emit, parse_first};

#[path = "../../crates/yamlspan/tests/go_yaml/canonical.rs"]
mod canonical;

const FILE: FileId = FileId(0);

/// The judge: started once, asked for every input.
struct Oracle {
    _process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Oracle {
    fn start() -> Self {
        let folder = std::env::var("COLLIMATE_PEERS").expect("`COLLIMATE_PEERS` names the folder with `yamloracle`");
        let mut process = Command::new(format!("{folder}/yamloracle"))
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`yamloracle` starts");
        let questions = process.stdin.take().expect("it has a stdin");
        let answers = BufReader::new(process.stdout.take().expect("it has a stdout"));
        Self { _process: process, questions, answers }
    }

    fn ask(&mut self, text: &str) -> Value {
        let mut question = serde_json::to_vec(&[text]).expect("a text is JSON");
        question.push(b'\n');
        self.questions.write_all(&question).expect("the oracle reads");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the oracle answers");
        serde_json::from_str(&line).expect("the oracle writes JSON")
    }
}

thread_local! {
    static ORACLE: RefCell<Oracle> = RefCell::new(Oracle::start());
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // Marks stand for bytes that cannot be asked for here.
    if source::octets::first_mark(text).is_some() {
        return;
    }
    let answer = ORACLE.with_borrow_mut(|oracle| oracle.ask(text));
    for (key, dialect) in [("v2", Dialect::GoYamlV2), ("v3", Dialect::GoYamlV3), ("v4", Dialect::GoYamlV4)] {
        let ours = parse_first(text, FILE, dialect).and_then(|document| match document {
            Some(document) => decode::value(&document, &Text::new(text)),
            None => Ok(Data::Null),
        });
        compare((text, key), &ours, &answer[key], |data| match dialect {
            Dialect::GoYamlV2 => emit::try_go_yaml_v2(data),
            Dialect::GoYamlV3 => Ok(emit::go_yaml_v3(data, 2)),
            Dialect::GoYamlV4 => Ok(emit::go_yaml_v4(data, 2)),
        });
    }
    let ours = decode::json_value(&Text::new(text), FILE, decode::Options::default());
    compare((text, "sigs"), &ours, &answer["sigs"], emit::try_go_yaml_v2);
});

/// How often go-yaml is asked whether it says the same twice.
const ASKED: usize = 50;

/// Whether go-yaml itself says this one way or another. What it has as a map comes out of it in another order each time: of the keys `0` and `.0`, which
/// are one as texts, now the one is the last and now the other; and its order of keys is no total one: `0500-x` comes after `497`, that after `0v`, and `0v`
/// after `0500-x`.
fn wavers(text: &str, key: &str, part: &str, answer: &str) -> bool {
    ORACLE.with_borrow_mut(|oracle| (0..ASKED).any(|_| oracle.ask(text)[key][part] != *answer))
}

fn compare(
    (text, key): (&str, &str),
    ours: &Result<Data, Error>,
    theirs: &Value,
    emitted: impl Fn(&Data) -> Result<Text, Error>,
) {
    let their_error = theirs["error"].as_str().unwrap_or_default();
    match ours {
        // A limit of ours where go-yaml has none, or a larger one.
        Err(error) if error.limit().is_some() => {}
        Err(error) => assert!(!their_error.is_empty(), "{key}: we refuse what go-yaml reads: {error}"),
        Ok(data) => {
            assert!(their_error.is_empty(), "{key}: we read what go-yaml refuses: {their_error}");
            let ours = canonical::canonical(data);
            let value = theirs["value"].as_str().unwrap_or_default();
            if ours != value && wavers(text, key, "value", value) {
                return;
            }
            assert_eq!(ours, value, "{key}: another value");
            let theirs = theirs["emit"].as_str().unwrap_or_default();
            match emitted(data) {
                Ok(ours) if ours.as_str() != theirs && wavers(text, key, "emit", theirs) => {}
                Ok(ours) => assert_eq!(ours.as_str(), theirs, "{key}: written otherwise"),
                Err(error) => assert_eq!(format!("error: {error}"), theirs, "{key}: written, not refused"),
            }
        }
    }
}
