//! Generated mutations: a sample over all operators and kinds of places, judged as `docs/mutations.md` says. `cargo xtask mutations`
//! judges all of them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use camino::Utf8Path;
use mutation::{Judge, Mutant, Operator, Subject};
use testkit::{Cli, Sandbox};

/// About how many are judged here: as many as half a minute of one core can take with a program that is not optimised.
const SAMPLE: usize = 130;

#[test]
fn every_operator_is_found_at_its_place_or_silent() {
    let program = Utf8Path::new(env!("CARGO_BIN_EXE_collimate"));
    // The shipped tree takes ten times as long as the others; `mutations` does to it by hand what matters there.
    let subjects: Vec<Subject> = Subject::all().into_iter().filter(|subject| subject.name != "this tree").collect();
    assert_eq!(subjects.len(), 6);
    let mutants = mutation::sample(SAMPLE, subjects.iter().flat_map(mutation::mutants).collect());
    assert!(mutants.len() >= SAMPLE, "{} mutants", mutants.len());
    for operator in Operator::ALL {
        assert!(mutants.iter().any(|mutant| mutant.operator == operator), "no mutant of `{}`", operator.name());
    }
    let next = AtomicUsize::new(0);
    let judged = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(subject) = subjects.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let judge = Judge::new(subject, program);
                    for mutant in mutants.iter().filter(|mutant| mutant.subject == subject.name) {
                        let verdict = judge.judge(mutant).verdict;
                        judged.lock().unwrap().push((mutant.clone(), verdict));
                    }
                }
            });
        }
    });
    let judged = judged.into_inner().unwrap();
    assert_eq!(judged.len(), mutants.len());
    let wrong: Vec<String> = mutation::wrong(&subjects, &judged)
        .into_iter()
        .map(|(mutant, verdict)| format!("{}: {}", verdict.name(), Mutant::name(mutant)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_was_found_before_the_change_is_not_about_it() {
    let sandbox = Sandbox::new();
    let program = Utf8Path::new(env!("CARGO_BIN_EXE_collimate"));
    // Neither image has a digest, and the second document is another in every rendering.
    sandbox.write("chart/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n");
    sandbox.write(
        "chart/templates/web.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: tool}\nspec:\n  containers:\n    - name: tool\n      image: registry.example.org/shop/tool:2.1.0\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n    - name: web\n      image: registry.example.org/shop/web:1.4.0\n      env: [{name: KEY, value: {{ randAlpha 8 }}}]\n",
    );
    let folder = sandbox.root().to_owned();
    assert_eq!(Cli::new(program).folder(&folder).args(["init"]).output().exit, 0);
    let subject = Subject::of(&folder).unwrap();
    assert!(!subject.clean);
    let judge = Judge::new(&subject, program);
    let verdict = |operator: Operator, path: &str| {
        let all = mutation::mutants(&subject);
        let is_meant = |mutant: &&Mutant| {
            mutant.operator == operator && mutant.place.path.ends_with(path) && mutant.place.file.ends_with("web.yaml")
        };
        let mutant = all.iter().find(is_meant).unwrap_or_else(|| panic!("no mutant of `{path}`"));
        let judged = judge.judge(mutant);
        format!("{}{}", judged.verdict.name(), judged.described())
    };
    assert_eq!(verdict(Operator::Comment, "kind"), "silent and equal");
    assert_eq!(
        verdict(Operator::Digit, "(tag)"),
        "found at the place\n  tag-digest-conflict at chart/templates/web.yaml:7:45: profile `helm/shop` names tag `2.1.1` of `tool` instead of tag `2.1.0`"
    );
}
