//! Every seed, thousands of mutations of them, and any corpus at hand: our answer against that of go-yaml itself.
//!
//! `COLLIMATE_YAML_CORPUS` names a folder of YAML files that are compared too.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use source::{FileId, Text};
use yamlspan::{Data, Dialect, Error, decode, emit, parse, parse_first};

use crate::canonical::canonical;
use crate::mutations::{Random, json, mutate};
use crate::seeds::SEEDS;

/// Enough that a rare rule is met, few enough for a second.
const MUTATIONS: usize = 6_000;

/// Texts with odd strings.
const STRINGS: usize = 2_000;

/// Texts per run of the oracle.
const BATCH: usize = 500;

/// How many differences of one kind are printed.
const MOST_PRINTED: usize = 4;

#[test]
fn answers_as_go_yaml_does() {
    let Some(oracle) = testkit::peer("yamloracle") else { return };
    let mut texts: Vec<String> = SEEDS.iter().map(|&seed| seed.to_owned()).collect();
    let seed = number("YAMLSPAN_SEED", 1);
    let mut random = Random::new(u64::try_from(seed).unwrap());
    texts.extend((0..number("YAMLSPAN_MUTATIONS", MUTATIONS)).map(|_| mutate(SEEDS, &mut random)));
    texts.extend((0..number("YAMLSPAN_STRINGS", STRINGS)).map(|_| json(&mut random)));
    let corpus = corpus();
    println!("{} seeds and mutations, {} files", texts.len(), corpus.len());
    texts.extend(corpus);
    let mut differences = Differences::default();
    for batch in texts.chunks(BATCH) {
        for (text, answer) in batch.iter().zip(ask(oracle.as_std_path(), batch)) {
            compare(text, &answer, &mut differences);
        }
    }
    differences.report();
}

pub(crate) fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn corpus() -> Vec<String> {
    let Some(folder) = std::env::var_os("COLLIMATE_YAML_CORPUS") else { return Vec::new() };
    let mut texts = Vec::new();
    collect(Path::new(&folder), &mut texts);
    texts
}

fn collect(folder: &Path, texts: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() && !path.is_symlink() {
            collect(&path, texts);
        } else if path.extension().is_some_and(|extension| matches!(extension.to_str(), Some("yaml" | "yml" | "json")))
        {
            texts.extend(std::fs::read_to_string(&path).ok().filter(|text| text.len() < 2_000_000));
        }
    }
}

pub(crate) fn ask(oracle: &Path, texts: &[String]) -> Vec<Value> {
    let mut child = Command::new(oracle).env("TZ", "UTC").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let input = serde_json::to_vec(texts).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let answers: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), texts.len());
    answers
}

#[derive(Default)]
pub(crate) struct Differences {
    compared: BTreeMap<&'static str, usize>,
    found: BTreeMap<&'static str, Vec<String>>,
}

impl Differences {
    fn check(&mut self, what: &'static str, text: &str, ours: &str, theirs: &str) {
        *self.compared.entry(what).or_default() += 1;
        if ours != theirs {
            let at = ours.bytes().zip(theirs.bytes()).take_while(|(a, b)| a == b).count();
            let (ours, theirs) = (window(ours, at), window(theirs, at));
            let text = window(text, 0);
            let difference = format!("{text:?}\n    ours   {ours:?}\n    theirs {theirs:?}");
            self.found.entry(what).or_default().push(difference);
        }
    }

    pub(crate) fn report(&self) {
        for (what, count) in &self.compared {
            let found = self.found.get(what).map_or(0, Vec::len);
            println!("{what}: {count} compared, {found} differ");
        }
        let most = number("YAMLSPAN_PRINT", MOST_PRINTED);
        for (what, found) in &self.found {
            let mut found = found.clone();
            found.sort_by_key(String::len);
            for difference in found.iter().take(most) {
                println!("{what}\n  {difference}");
            }
        }
        assert!(self.found.is_empty(), "{} kinds of differences", self.found.len());
    }
}

/// What is around the byte `at` of a long text.
fn window(text: &str, at: usize) -> &str {
    let boundary = |at: usize| (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap();
    &text[boundary(at.saturating_sub(300))..boundary(at + 600)]
}

const FILE: FileId = FileId(0);

pub(crate) fn compare(text: &str, answer: &Value, differences: &mut Differences) {
    let source = Text::new(text);
    for (key, dialect, names) in [
        ("v2", Dialect::GoYamlV2, ["v2 verdict", "v2 error", "v2 value", "v2 emit", "v2 stream"]),
        ("v3", Dialect::GoYamlV3, ["v3 verdict", "v3 error", "v3 value", "v3 emit", "v3 stream"]),
        ("v4", Dialect::GoYamlV4, ["v4 verdict", "v4 error", "v4 value", "v4 emit", "v4 stream"]),
    ] {
        let theirs = &answer[key];
        let ours = parse_first(text, FILE, dialect).and_then(|document| match document {
            Some(document) => decode::value(&document, &source),
            None => Ok(Data::Null),
        });
        let emitted = |data: &Data| match dialect {
            Dialect::GoYamlV2 => emit::go_yaml_v2(data),
            Dialect::GoYamlV3 => emit::go_yaml_v3(data, 2),
            Dialect::GoYamlV4 => emit::go_yaml_v4(data, 2),
        };
        outcome(text, &ours, theirs, names, emitted, differences);
        let stream = match parse(text, FILE, dialect) {
            Ok(documents) => {
                let mut error = String::new();
                let mut count = 0;
                for document in &documents {
                    match decode::value(document, &source) {
                        Ok(_) => count += 1,
                        Err(caught) => {
                            error = caught.to_string();
                            break;
                        }
                    }
                }
                format!("{count} {error}")
            }
            Err(_) => "refused".to_owned(),
        };
        let theirs = match theirs["stream_error"].as_str().unwrap() {
            "" => format!("{} ", theirs["documents"]),
            // Ours stops at the first parse error, theirs gives the documents before it.
            _ if stream == "refused" => "refused".to_owned(),
            error => format!("{} {error}", theirs["documents"]),
        };
        differences.check(names[4], text, &stream, &theirs);
    }
    for (key, what, options) in [
        ("strict", "sigs strict", decode::Options { strict: true, ..decode::Options::default() }),
        ("map", "sigs map", decode::Options { target: decode::Target::Map, ..decode::Options::default() }),
        ("array", "sigs array", decode::Options { target: decode::Target::Array, ..decode::Options::default() }),
    ] {
        let ours = decode::json_value(&source, FILE, options).map_or_else(|error| error.to_string(), |_| String::new());
        differences.check(what, text, &ours, answer[key].as_str().unwrap());
    }
    let names = ["sigs verdict", "sigs error", "sigs value", "sigs emit", ""];
    let ours = decode::json_value(&source, FILE, decode::Options::default());
    outcome(text, &ours, &answer["sigs"], names, emit::go_yaml_v2, differences);
}

fn outcome(
    text: &str,
    ours: &Result<Data, Error>,
    theirs: &Value,
    names: [&'static str; 5],
    emitted: impl Fn(&Data) -> Text,
    differences: &mut Differences,
) {
    let their_error = theirs["error"].as_str().unwrap();
    let verdict = |refused: bool, error: &str| if refused { format!("refused {error}") } else { "accepted".to_owned() };
    match ours {
        Err(error) if their_error.is_empty() => {
            differences.check(names[0], text, &verdict(true, &error.to_string()), "accepted");
        }
        Ok(_) if !their_error.is_empty() => {
            differences.check(names[0], text, "accepted", &verdict(true, their_error));
        }
        Err(error) => {
            differences.check(names[0], text, "refused", "refused");
            differences.check(names[1], text, &error.to_string(), their_error);
        }
        Ok(data) => {
            differences.check(names[0], text, "accepted", "accepted");
            let their_value = theirs["value"].as_str().unwrap();
            differences.check(names[2], text, &canonical(data), their_value);
            let refused = theirs["emit"].as_str().unwrap().strip_prefix("error: ");
            if let Some(error) = refused {
                let ours = emit::try_go_yaml_v2(data).map_or_else(|error| error.to_string(), |_| "written".to_owned());
                differences.check(names[3], text, &ours, error);
            } else if canonical(data) == their_value {
                differences.check(names[3], text, &emitted(data), theirs["emit"].as_str().unwrap());
            }
        }
    }
}
