//! Many templates, answered by Helm's engine while the test runs.

use std::io::Write as _;
use std::process::{Command, Stdio};

use gotemplate::Type;

use super::super::twins::CHANCE_OR_SLOW;
use super::{FUNCTIONS, Outcome, VALUES, compare, outcome_of};

/// Arguments of all types.
const ARGUMENTS: &[&str] = &[
    "\"hello\"",
    "\"\"",
    "\"a b\"",
    "\"1.2.3\"",
    "3",
    "-2",
    "0",
    "2.5",
    "1e3",
    "'c'",
    "true",
    "false",
    "nil",
    ".Values.s",
    ".Values.e",
    ".Values.n",
    ".Values.f",
    ".Values.big",
    ".Values.t",
    ".Values.nil",
    ".Values.l",
    ".Values.ls",
    ".Values.le",
    ".Values.m",
    ".Values.me",
    ".Values.u",
    ".Values.missing",
    "(list 1 2)",
    "(dict \"k\" \"v\")",
    "(split \",\" \"a,b\")",
    "(splitList \",\" \"a,b\")",
    "(until 3)",
    "(semver \"1.2.3-a+b\")",
    "(int64 5)",
    "(1 | float64)",
    "(toDate \"2006-01-02\" \"2020-03-04\")",
    "(list)",
    "(dict)",
];

/// Functions whose answer depends on the clock or on what a chart defines, or that give what is in no order, beside those of [`CHANCE_OR_SLOW`].
const LEFT_OUT: &[&str] = &[
    "ago",
    "date",
    "dateInZone",
    "date_in_zone",
    "durationRound",
    "fail",
    "fromToml",
    "htmlDate",
    "htmlDateInZone",
    "include",
    "keys",
    "now",
    "toYamlPretty",
    "tpl",
    "values",
];

/// A small generator of numbers, the same in every run.
struct Dice(u64);

impl Dice {
    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        from[usize::try_from(self.0 >> 33).unwrap() % from.len()]
    }
}

fn is_left_out(name: &str) -> bool {
    LEFT_OUT.contains(&name) || CHANCE_OR_SLOW.contains(&name)
}

fn templates() -> Vec<String> {
    let mut dice = Dice(1);
    let mut made = Vec::new();
    for entry in FUNCTIONS.iter().filter(|entry| !entry.only_v4 && !is_left_out(entry.name)) {
        let mut calls = vec![entry.name.to_owned()];
        for argument in ARGUMENTS {
            calls.push(format!("{} {argument}", entry.name));
            calls.push(format!("{argument} | {}", entry.name));
        }
        for _ in 0..if entry.signature.params.len() > 1 { 80 } else { 0 } {
            let fitting = |dice: &mut Dice, go_type: &Type| match go_type {
                Type::String => dice.pick(&["\"hello\"", "\"a-b c\"", ".Values.u", ".Values.ml", "\"Foo_Bar\""]),
                Type::Int(_) => dice.pick(&["0", "1", "5", "-3", "(int 4)"]),
                Type::Map(_) => {
                    dice.pick(&[".Values.m", "(dict \"a\" 1)", "(dict)", "(dict \"a\" (dict \"b\" 2) \"z\" nil)"])
                }
                _ => dice.pick(ARGUMENTS),
            };
            let arguments: Vec<&str> = entry.signature.params.iter().map(|param| fitting(&mut dice, param)).collect();
            calls.push(format!("{} {}", entry.name, arguments.join(" ")));
        }
        made.extend(
            calls
                .iter()
                .map(|call| format!("{{{{ $r := {call} }}}}{{{{ printf \"%v|%T\" $r $r }}}}|{{{{ toJson $r }}}}")),
        );
    }
    made
}

#[test]
fn made_up_templates_agree_with_the_engine() {
    let Some(oracle) = testkit::peer("funcoracle") else { return };
    let values: serde_json::Value = serde_json::from_str(VALUES).unwrap();
    let templates = templates();
    let mut asked = String::new();
    for template in &templates {
        asked.push_str(&serde_json::json!({"template": template, "values": values}).to_string());
        asked.push('\n');
    }
    let mut child = Command::new(oracle).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(asked.as_bytes()));
    let answered = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(answered.status.success());
    let answers = String::from_utf8(answered.stdout).unwrap();
    let cases: Vec<(String, Outcome)> = templates
        .into_iter()
        .zip(answers.lines())
        .map(|(template, line)| (template, outcome_of(&serde_json::from_str(line).unwrap())))
        .collect();
    let (count, differences) = gotemplate::on_large_stack(|| compare(cases.into_iter()));
    assert!(count > 10_000);
    assert!(
        differences.is_empty(),
        "{} of {count} differ:\n{}",
        differences.len(),
        differences[..differences.len().min(20)].join("\n")
    );
}
