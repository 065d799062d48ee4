//! Every rule with its fixtures: small workspaces under `tests/rules/<rule-id>/`, run through the engines in memory.
//!
//! A folder `failing…` holds `expected.txt`, the report that people read; a folder `passing…` must give no error and no
//! warning. `facts.txt` says what only the outside knows: `today DATE`, `export NAME`, `untracked PATH`. Files may write
//! `@PRIVATE@` for the word in the first line of a key, so that the fixtures hold no key themselves. `judge.txt` holds the arguments
//! with which the real collector is asked for its verdict. Where there is a `rendered.txt`, what `collimate mirror render` would write is there
//! too, with the changes that it lists: `replace PATH: FROM => TO`, `remove PATH`. `protected.yaml` is what `collimate.yaml` is held against. Set `UPDATE_EXPECT=1` to write `expected.txt` anew.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be read fails its test")]
#![expect(clippy::disallowed_methods, reason = "the border is the crate's: its tests read fixtures from disk")]

mod judge;
mod limits;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use alignment::{
    Acceptance, At, ComposeRendering, Facts, Failure, Inputs, KubeDocument, KubernetesRendering, LintMessage,
    PrivateKey, Profile, RULES, ReleaseInput, Rendering, Reported, Role, Survey, Variant,
};
use camino::{Utf8Path, Utf8PathBuf};
use composefile::Profiles;
use findings::{Counts, Finding, Location, Severity, TextOptions};
use release::{Date, ProfileSource, Workspace};
use source::{Entry, FileError, FileId, FileKind, Files as _, MemoryFiles, Span, Text};
use yamlspan::Dialect;

fn rules_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules")
}

#[derive(Default)]
struct FixtureFacts {
    files: MemoryFiles,
    keys: Vec<PrivateKey>,
    exported: BTreeSet<String>,
    untracked: BTreeSet<Utf8PathBuf>,
    today: Option<Date>,
    lint: BTreeMap<String, Arc<[LintMessage]>>,
}

impl Facts for FixtureFacts {
    fn kind(&self, path: &Utf8Path) -> Option<FileKind> {
        self.files.kind(path)
    }

    fn text(&self, path: &Utf8Path) -> Result<(FileId, Arc<str>), FileError> {
        self.files.read_text(path)
    }

    fn list(&self, path: &Utf8Path) -> Result<Vec<Entry>, FileError> {
        self.files.list(path)
    }

    fn is_tracked(&self, path: &Utf8Path) -> bool {
        !self.untracked.contains(path)
    }

    fn private_keys(&self, wanted: &dyn Fn(&Utf8Path) -> bool) -> Vec<PrivateKey> {
        self.keys.iter().filter(|key| wanted(&key.path)).cloned().collect()
    }

    fn lint(&self, profile: &Profile) -> Arc<[LintMessage]> {
        self.lint.get(profile.name()).cloned().unwrap_or_default()
    }

    fn exported(&self) -> &BTreeSet<String> {
        &self.exported
    }

    fn today(&self) -> Option<Date> {
        self.today
    }
}

fn collect(folder: &Path, below: &Path, files: &mut Vec<(Utf8PathBuf, Vec<u8>)>) {
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    for path in names {
        if path.is_dir() {
            collect(&path, below, files);
        } else {
            let name = Utf8PathBuf::from_path_buf(path.strip_prefix(below).unwrap().to_owned()).unwrap();
            let text = std::fs::read_to_string(&path).unwrap().replace("@PRIVATE@", "PRIVATE");
            files.push((name, text.into_bytes()));
        }
    }
}

/// Adds what `collimate mirror render` would write, changed as `rendered.txt` says.
fn mirror_files(contents: &mut Vec<(Utf8PathBuf, Vec<u8>)>) {
    let text = |contents: &[(Utf8PathBuf, Vec<u8>)], name: &str| {
        let found = contents.iter().find(|(path, _)| path == name);
        found.map(|(_, bytes)| String::from_utf8(bytes.clone()).unwrap())
    };
    let Some(edits) = text(contents, "rendered.txt") else { return };
    let mirror = mirror::Mirror::parse(&text(contents, "mirror.yaml").unwrap(), FileId(0)).unwrap();
    let mut rendered: Vec<(Utf8PathBuf, String)> = mirror::rendered(&mirror, "mirror.yaml")
        .into_iter()
        .flat_map(|one| one.files)
        .map(|file| (file.path, file.text))
        .collect();
    for edit in edits.lines() {
        let (verb, rest) = edit.split_once(' ').unwrap();
        let (path, change) = rest.split_once(": ").unwrap_or((rest, ""));
        let position = rendered.iter().position(|(known, _)| known == path).unwrap_or_else(|| panic!("no `{path}`"));
        match verb {
            "remove" => drop(rendered.remove(position)),
            "replace" => {
                let (from, to) = change.split_once(" => ").unwrap();
                let text = &mut rendered[position].1;
                assert!(text.contains(from), "`{from}` is not in `{path}`");
                *text = text.replacen(from, to, 1);
            }
            other => panic!("unknown edit `{other}`"),
        }
    }
    contents.extend(rendered.into_iter().map(|(path, text)| (path, text.into_bytes())));
}

fn facts(files: &MemoryFiles, paths: &[Utf8PathBuf]) -> FixtureFacts {
    let mut facts = FixtureFacts { files: files.clone(), ..FixtureFacts::default() };
    if let Ok((_, text)) = files.read_text(Utf8Path::new("facts.txt")) {
        for line in text.lines() {
            match line.split_once(' ').unwrap() {
                ("today", day) => facts.today = Some(day.parse().unwrap()),
                ("export", name) => drop(facts.exported.insert(name.to_owned())),
                ("untracked", path) => drop(facts.untracked.insert(path.into())),
                (other, _) => panic!("unknown fact `{other}`"),
            }
        }
    }
    for path in paths {
        let (file, text) = files.read_text(path).unwrap();
        if let Some((range, what)) = alignment::private_key(&text) {
            facts.keys.push(PrivateKey { path: path.clone(), span: Some(Span::new(file, range)), what });
        }
    }
    facts
}

fn releases(files: &MemoryFiles, workspace: &Workspace, paths: &[Utf8PathBuf]) -> Vec<ReleaseInput> {
    let mut wanted: Vec<(Utf8PathBuf, Role)> = Vec::new();
    for channel in &workspace.channels {
        let name = channel.name.value.clone();
        wanted.push((channel.release.value.clone(), Role::Current { channel: name.clone() }));
        for ring in &channel.rings {
            if let Some(release) = &ring.release {
                let role = Role::Ring { channel: name.clone(), ring: ring.name.value.clone() };
                wanted.push((release.value.clone(), role));
            }
        }
    }
    wanted.extend(paths.iter().filter(|path| path.starts_with("archive")).map(|path| (path.clone(), Role::Archive)));
    let read = |(path, role): (Utf8PathBuf, Role)| {
        let read = files.read_text(&path);
        ReleaseInput::new(path, role, read)
    };
    wanted.into_iter().map(read).collect()
}

fn render(
    files: &MemoryFiles,
    workspace: &Workspace,
    releases: &[ReleaseInput],
    declared: &release::Profile,
    trace: bool,
) -> Profile {
    let variants = match &declared.source {
        ProfileSource::Compose(source) => (0..=source.overlays.len())
            .map(|depth| Variant {
                overlays: source.overlays.iter().take(depth).map(|name| name.value.clone()).collect(),
                rendering: compose(files, workspace, source, depth, trace),
            })
            .collect(),
        ProfileSource::Helm(source) => {
            let rendering = helm(files, source, trace);
            vec![Variant { overlays: Vec::new(), rendering }]
        }
        ProfileSource::Manifests(paths) => {
            let rendering = manifests(files, paths, trace);
            vec![Variant { overlays: Vec::new(), rendering }]
        }
    };
    Profile {
        release: alignment::release_index(workspace, releases, declared),
        declared: declared.clone(),
        variants,
        operator_env: false,
    }
}

fn compose(
    files: &MemoryFiles,
    workspace: &Workspace,
    source: &release::ComposeSource,
    depth: usize,
    trace: bool,
) -> Result<Rendering, Failure> {
    let overlays: Vec<&release::Overlay> =
        source.overlays.iter().take(depth).filter_map(|name| workspace.overlay(name)).collect();
    let paths = source.files.iter().chain(overlays.iter().flat_map(|overlay| &overlay.files));
    let env = source.env.iter().chain(overlays.iter().flat_map(|overlay| &overlay.env));
    let options = composefile::Options {
        files: paths.map(|path| path.value.clone()).collect(),
        env_files: env.map(|path| path.value.clone()).collect(),
        project_name: Some("fixture".to_owned()),
        profiles: Profiles::All,
        trace,
        ..composefile::Options::default()
    };
    let load = |options: &composefile::Options| {
        composefile::load(options, files).map(Arc::new).map_err(|error| Failure {
            message: error.to_string(),
            span: error.span(),
            earlier: error.earlier(),
            help: error.way_out().map(str::to_owned),
        })
    };
    let all = load(&options)?;
    let default = load(&composefile::Options { profiles: Profiles::Named(Vec::new()), ..options })?;
    Ok(Rendering::Compose(ComposeRendering { all, default }))
}

fn failure(message: String, span: Option<Span>) -> Failure {
    Failure { message, span, earlier: None, help: None }
}

fn helm_options(source: &release::HelmSource, trace: bool) -> helmchart::RenderOptions {
    helmchart::RenderOptions {
        release_name: "shop".to_owned(),
        values: source.values.iter().map(|path| path.value.clone()).collect(),
        trace,
        ..helmchart::RenderOptions::default()
    }
}

/// What `helm lint` says of a profile that renders.
fn lint(files: &MemoryFiles, profile: &Profile) -> Arc<[LintMessage]> {
    let ProfileSource::Helm(source) = &profile.declared.source else { return Arc::default() };
    if !profile.is_rendered() {
        return Arc::default();
    }
    let chart = helmchart::Chart::load(&source.chart, files).unwrap();
    let messages = helmchart::lint(&chart, &helm_options(source, false), files).messages.into_iter();
    messages
        .map(|message| LintMessage {
            severity: match message.severity {
                helmchart::LintSeverity::Error => Severity::Error,
                helmchart::LintSeverity::Warning => Severity::Warning,
                helmchart::LintSeverity::Info => Severity::Note,
            },
            path: message.path,
            text: message.text,
            span: message.span,
        })
        .collect()
}

fn helm(files: &MemoryFiles, source: &release::HelmSource, trace: bool) -> Result<Rendering, Failure> {
    let failed = |error: helmchart::Error| failure(error.to_string(), error.span());
    let options = helm_options(source, trace);
    let chart = helmchart::Chart::load(&source.chart, files).map_err(failed)?;
    let rendered = helmchart::render(&chart, &options, files).map_err(failed)?;
    let documents = rendered.manifests.into_iter().chain(rendered.hooks).filter_map(|manifest| {
        Some(KubeDocument {
            hook: manifest.is_hook(),
            template: manifest.template,
            text: manifest.text,
            document: manifest.document?,
        })
    });
    let mut kubernetes = KubernetesRendering::new(documents.collect(), options.namespace);
    kubernetes.nondeterministic = rendered.nondeterministic;
    Ok(Rendering::Kubernetes(Arc::new(kubernetes)))
}

fn manifests(files: &MemoryFiles, paths: &[release::Spanned<Utf8PathBuf>], trace: bool) -> Result<Rendering, Failure> {
    let mut documents = Vec::new();
    for path in paths {
        let (file, text) = files.read_text(path).map_err(|error| failure(error.to_string(), Some(path.span)))?;
        let source = Text::exact(Arc::clone(&text), Span::new(file, 0..text.len()));
        let source = if trace { source } else { Text::new(Arc::clone(&text)) };
        let parsed = yamlspan::parse(text, file, Dialect::GoYamlV2);
        for document in parsed.map_err(|error| failure(error.to_string(), error.span()))? {
            documents.push(KubeDocument {
                template: path.to_string(),
                text: source.clone(),
                document: Arc::new(document),
                hook: false,
            });
        }
    }
    Ok(Rendering::Kubernetes(Arc::new(KubernetesRendering::new(documents, "default"))))
}

/// The findings of a fixture and their report.
fn check(folder: &Path) -> (Vec<Finding<Location>>, String) {
    let mut contents = Vec::new();
    collect(folder, folder, &mut contents);
    mirror_files(&mut contents);
    check_files(contents, &folder.to_string_lossy())
}

/// The findings of a workspace in memory and their report.
fn check_files(contents: Vec<(Utf8PathBuf, Vec<u8>)>, folder: &str) -> (Vec<Finding<Location>>, String) {
    let paths: Vec<Utf8PathBuf> = contents.iter().map(|(path, _)| path.clone()).collect();
    let files = MemoryFiles::new(contents);
    let (file, text) = files.read_text(Utf8Path::new("collimate.yaml")).unwrap();
    let workspace = Workspace::parse(&text, file).unwrap_or_else(|problems| panic!("{folder:?}: {problems:#?}"));
    let mut facts = facts(&files, &paths);
    let releases = releases(&files, &workspace, &paths);
    let render_all = |trace| -> Vec<Profile> {
        workspace.profiles.iter().map(|declared| render(&files, &workspace, &releases, declared, trace)).collect()
    };
    let sources = files.sources();
    let root = Utf8Path::new("/");
    let plain = render_all(false);
    facts.lint = plain.iter().map(|profile| (profile.name().to_owned(), lint(&files, profile))).collect();
    let inputs = Inputs { workspace: &workspace, root, releases: &releases, profiles: &plain, sources, facts: &facts };
    let found = alignment::check(&Survey::new(&inputs));
    let traced = render_all(true);
    let inputs = Inputs { profiles: &traced, ..inputs };
    let survey = Survey::new(&inputs);
    let traced_by_name = |name: &str| traced.iter().find(|profile| profile.name() == name);
    let mut found_traced = alignment::check(&survey);
    // A trace narrows the place of a variable; it changes nothing else.
    let said = |found: &[Finding<alignment::Place>]| -> BTreeSet<(&'static str, String)> {
        found.iter().map(|finding| (finding.rule, finding.message.clone())).collect()
    };
    assert_eq!(said(&found), said(&found_traced), "{folder:?}: a trace changed what is found");
    found_traced.extend(alignment::check_pins(&alignment::pins(&survey, &traced_by_name)));
    let reported = alignment::reported(found_traced, &traced_by_name, sources);
    for Reported { symbolic, resolved } in &reported {
        let is_placed = resolved.place != Location::Nowhere || !matches!(symbolic.place.at, At::Rendered(_));
        assert!(is_placed, "{folder:?}: no place for {symbolic:#?}");
    }
    let acceptance = Acceptance { workspace: &workspace, sources, today: facts.today, complete: true };
    let mut findings = alignment::accept(reported, acceptance);
    if let Ok((file, text)) = files.read_text(Utf8Path::new("protected.yaml")) {
        let protected = Workspace::parse(&text, file).unwrap_or_else(|problems| panic!("{folder:?}: {problems:#?}"));
        let weaker = alignment::weakened(&protected, &workspace, &|_, _| false).into_iter();
        findings.extend(weaker.map(|weaker| weaker.finding("main", Utf8Path::new("collimate.yaml"))));
    }
    findings::sort(&mut findings, sources);
    let text = findings::text(&findings, sources, TextOptions::default());
    let report = format!("{text}{}\n", Counts::of(&findings));
    (findings, report)
}

#[test]
fn every_rule_has_its_fixtures() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut wrong = Vec::new();
    for rule in RULES {
        let folder = rules_folder().join(rule.id());
        let mut cases: Vec<PathBuf> = match std::fs::read_dir(&folder) {
            Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
            Err(_) => Vec::new(),
        };
        cases.sort();
        let named =
            |prefix: &str| cases.iter().any(|case| case.file_name().unwrap().to_string_lossy().starts_with(prefix));
        if !named("failing") || !named("passing") {
            wrong.push(format!("{}: a `failing` and a `passing` fixture are needed", rule.id()));
        }
        for case in &cases {
            let name = format!("{}/{}", rule.id(), case.file_name().unwrap().to_string_lossy());
            let (findings, report) = check(case);
            for finding in &findings {
                let severities = alignment::rule(finding.rule).unwrap().severities();
                assert!(severities.contains(&finding.severity), "{name}: {finding:?} is not within {severities:?}");
            }
            if name.contains("/passing") {
                if findings.iter().any(|finding| finding.severity > Severity::Note) {
                    wrong.push(format!("{name} does not pass:\n{report}"));
                }
                continue;
            }
            if !findings.iter().any(|finding| finding.rule == rule.id()) {
                wrong.push(format!("{name} does not fail by its rule:\n{report}"));
            }
            let expected = case.join("expected.txt");
            if update {
                std::fs::write(&expected, &report).unwrap();
            } else if std::fs::read_to_string(&expected).unwrap_or_default() != report {
                wrong.push(format!("{name} is not as expected:\n{report}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What a rule says of itself is what its section says.
#[test]
fn every_rule_has_the_severities_of_its_section() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_to_string(manifest.join("../../docs/rules.md")).unwrap();
    for rule in RULES {
        let section = docs.split(&format!("\n## `{}`\n", rule.id())).nth(1).unwrap();
        let line = section.lines().find(|line| line.starts_with("Severity: ")).unwrap().to_lowercase();
        for severity in [Severity::Note, Severity::Warning, Severity::Error] {
            let ends = [*rule.severities().start(), *rule.severities().end()];
            let named = line.contains(severity.as_str());
            let is_between = rule.severities().contains(&severity);
            assert!(if ends.contains(&severity) { named } else { is_between || !named }, "{}: {line}", rule.id());
        }
    }
}

#[test]
fn every_fixture_has_its_rule() {
    for entry in std::fs::read_dir(rules_folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(alignment::rule(&name).is_some(), "there is no rule `{name}`");
    }
}

#[test]
fn every_rule_has_its_file_and_its_section() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_to_string(manifest.join("../../docs/rules.md")).unwrap();
    let headings: Vec<&str> =
        docs.lines().filter_map(|line| line.strip_prefix("## `")).filter_map(|rest| rest.strip_suffix('`')).collect();
    let ids: Vec<&str> = RULES.iter().map(|rule| rule.id()).collect();
    assert_eq!(headings, ids, "sections of docs/rules.md stand in the order of the table");
    let mut files: Vec<String> = std::fs::read_dir(manifest.join("src/rules"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    // Parts of a long rule lie in a folder of its name.
    files.retain(|name| !ids.iter().any(|id| *name == id.replace('-', "_")));
    files.sort();
    let mut expected: Vec<String> = ids.iter().map(|id| format!("{}.rs", id.replace('-', "_"))).collect();
    expected.sort();
    assert_eq!(files, expected);
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(unique.len(), ids.len());
    for id in ids {
        assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{id}");
    }
}
