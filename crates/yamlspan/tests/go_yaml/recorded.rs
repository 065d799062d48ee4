//! What go-yaml said about edge cases when it was asked last, so that this test needs no Go.
//!
//! `YAMLSPAN_RECORD=1` asks again and writes the file.

use serde_json::{Value, json};

use crate::live::{Differences, ask, compare};
use crate::mutations::{Random, json as odd_json, mutate};
use crate::seeds::{EDGES, SEEDS};

const RECORDED: &str = include_str!("recorded.jsonl");

/// Random texts that are recorded besides the hand-written ones.
const MUTATIONS: usize = 150;

#[test]
fn recorded_answers_hold() {
    let mut differences = Differences::default();
    for line in RECORDED.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        compare(case["text"].as_str().unwrap(), &case["answer"], &mut differences);
    }
    differences.report();
}

#[test]
fn record() {
    if std::env::var_os("YAMLSPAN_RECORD").is_none() {
        return;
    }
    let mut texts: Vec<String> = SEEDS.iter().chain(EDGES).map(|&text| text.to_owned()).collect();
    let mut random = Random::new(7);
    texts.extend((0..MUTATIONS).map(|_| mutate(SEEDS, &mut random)));
    texts.extend((0..MUTATIONS / 3).map(|_| odd_json(&mut random)));
    let answers = ask(testkit::peer("yamloracle").unwrap().as_std_path(), &texts);
    let lines: Vec<String> =
        texts.iter().zip(answers).map(|(text, answer)| json!({"text": text, "answer": answer}).to_string()).collect();
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/go_yaml/recorded.jsonl"), lines.join("\n") + "\n")
        .unwrap();
}
