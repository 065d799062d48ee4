//! Small charts that use what Helm documents. What Helm printed for each is recorded beside it; where the
//! peers `helm3` and `helm4` are built, they are asked again.
//!
//! A case is a folder of `tests/charts`: `chart/`, perhaps `values.yaml` and `flags` (one argument per line), and
//! `expected.yaml` or `expected.error` for `helm template release chart --namespace space`, `expected.lint` for `helm lint`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use helmchart::{Chart, HelmVersion, RenderOptions, SetValue, lint, lint_path, lint_texts, render, render_to_lint};
use source::MemoryFiles;

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/charts");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(!cases.is_empty());
    cases
}

/// All files of a case, under paths relative to it.
fn load(case: &Path) -> MemoryFiles {
    fn walk(root: &Path, folder: &Path, files: &mut BTreeMap<Utf8PathBuf, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, files);
            } else {
                let name = Utf8PathBuf::from_path_buf(path.strip_prefix(root).unwrap().to_owned()).unwrap();
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(case, case, &mut files);
    MemoryFiles::new(files)
}

fn flags(case: &Path) -> Vec<String> {
    let mut flags = Vec::new();
    if case.join("values.yaml").exists() {
        flags.extend(["--values".to_owned(), "values.yaml".to_owned()]);
    }
    if let Ok(text) = std::fs::read_to_string(case.join("flags")) {
        flags.extend(text.lines().map(str::to_owned));
    }
    flags
}

fn options(case: &Path) -> RenderOptions {
    let mut options =
        RenderOptions { release_name: "release".into(), namespace: "space".into(), ..RenderOptions::default() };
    let mut flags = flags(case).into_iter();
    while let Some(flag) = flags.next() {
        match flag.as_str() {
            "--include-crds" => options.include_crds = true,
            "--skip-tests" => options.skip_tests = true,
            "--values" => options.values.push(flags.next().unwrap().into()),
            "--kube-version" => options.kube_version = flags.next(),
            "--api-versions" => options.api_versions.extend(flags.next()),
            "--set" => options.set.push(SetValue::Set(flags.next().unwrap())),
            "--set-string" => options.set.push(SetValue::String(flags.next().unwrap())),
            "--set-json" => options.set.push(SetValue::Json(flags.next().unwrap())),
            "--set-file" => options.set.push(SetValue::File(flags.next().unwrap())),
            "--set-literal" => options.set.push(SetValue::Literal(flags.next().unwrap())),
            other => panic!("{}: flag {other}", case.display()),
        }
    }
    options
}

/// What we print for a case: the output, or the error.
fn ours(case: &Path, trace: bool, helm: HelmVersion) -> Result<String, String> {
    let files = load(case);
    let options = RenderOptions { trace, helm, ..options(case) };
    let chart = Chart::load(Utf8Path::new("chart"), &files).map_err(|error| error.exit_text())?;
    render(&chart, &options, &files).map(|rendered| rendered.output().to_string()).map_err(|error| error.exit_text())
}

fn our_lint(case: &Path) -> String {
    let lint = lint_path(Utf8Path::new("chart"), &options(case), &load(case));
    format!("{}{}", lint.output(), lint.exit_text().unwrap_or_default())
}

fn recorded(case: &Path) -> Result<String, String> {
    match std::fs::read_to_string(case.join("expected.yaml")) {
        Ok(text) => Ok(text),
        Err(_) => Err(std::fs::read_to_string(case.join("expected.error")).unwrap()),
    }
}

/// Collects what differs, so that one run shows all of it.
fn check(what: &str, differ: impl Fn(&Path) -> Option<String>) {
    let all: Vec<String> = cases()
        .iter()
        .filter_map(|case| differ(case).map(|difference| format!("== {} {what}\n{difference}", case.display())))
        .collect();
    assert!(all.is_empty(), "{} cases differ\n{}", all.len(), all.join("\n"));
}

fn compare<T: PartialEq + std::fmt::Debug>(ours: &T, theirs: &T) -> Option<String> {
    (ours != theirs).then(|| format!("ours:   {ours:#?}\ntheirs: {theirs:#?}").replace("\\n", "\n  "))
}

#[test]
fn template_prints_what_helm_recorded() {
    check("template", |case| compare(&ours(case, false, HelmVersion::V3), &recorded(case)));
}

#[test]
fn lint_prints_what_helm_recorded() {
    check("lint", |case| compare(&our_lint(case), &std::fs::read_to_string(case.join("expected.lint")).unwrap()));
}

#[test]
fn a_trace_changes_no_byte() {
    for helm in [HelmVersion::V3, HelmVersion::V4] {
        check("trace", |case| compare(&ours(case, true, helm), &ours(case, false, helm)));
    }
}

#[test]
fn one_run_does_for_both() {
    let mut followed = 0;
    for case in cases() {
        let (files, options) = (load(&case), options(&case));
        let Ok(chart) = Chart::load(Utf8Path::new("chart"), &files) else { continue };
        match render_to_lint(&chart, &options, &files) {
            Ok((rendered, texts)) => {
                assert_eq!(
                    Ok(rendered.output().to_string()),
                    ours(&case, false, HelmVersion::V3),
                    "{}",
                    case.display()
                );
                let Some(texts) = texts else { continue };
                followed += 1;
                let linted = lint_texts(&chart, &options, &texts, &files).output();
                assert_eq!(linted, lint(&chart, &options, &files).output(), "{}", case.display());
            }
            Err(error) => assert_eq!(Err(error.exit_text()), ours(&case, false, HelmVersion::V3), "{}", case.display()),
        }
    }
    assert!(followed > 8, "{followed} were followed");
}

/// Runs a real Helm in the case's folder; stdout if it succeeds, else its error text.
fn run(helm: &Path, case: &Path, arguments: &[&str], flags: &[String]) -> (bool, String, String) {
    let output = Command::new(helm)
        .args(arguments)
        .args(flags)
        .current_dir(case)
        .env_clear()
        .env("HOME", std::env::temp_dir())
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    let error = errors.find("Error: ").map(|at| errors[at..].to_owned()).unwrap_or_default();
    (output.status.success(), String::from_utf8(output.stdout).unwrap(), error)
}

fn template_prints_what_it_prints(name: &str, version: HelmVersion) {
    let Some(helm) = testkit::peer(name) else { return };
    check(name, |case| {
        let arguments = ["template", "release", "chart", "--namespace", "space"];
        let (success, out, error) = run(helm.as_std_path(), case, &arguments, &flags(case));
        let theirs = if success { Ok(out) } else { Err(error) };
        let ours = ours(case, false, version);
        // Helm 4 words errors anew; there the verdict counts.
        if version == HelmVersion::V4 && ours.is_err() && theirs.is_err() {
            return None;
        }
        compare(&ours, &theirs)
    });
}

#[test]
fn template_prints_what_helm_3_prints() {
    template_prints_what_it_prints("helm3", HelmVersion::V3);
}

#[test]
fn template_prints_what_helm_4_prints() {
    template_prints_what_it_prints("helm4", HelmVersion::V4);
}

#[test]
fn lint_prints_what_helm_prints() {
    let Some(helm) = testkit::peer("helm3") else { return };
    check("helm3 lint", |case| {
        let mut flags = flags(case);
        flags.retain(|flag| flag != "--include-crds" && flag != "--skip-tests");
        while let Some(at) = flags.iter().position(|flag| flag == "--api-versions") {
            flags.drain(at..at + 2);
        }
        let (_, out, error) = run(helm.as_std_path(), case, &["lint", "chart", "--namespace", "space"], &flags);
        let folder = case.join("chart").display().to_string();
        compare(&our_lint(case), &format!("{}{error}", out.replace(&folder, "chart")))
    });
}
