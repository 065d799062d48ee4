//! The law of the watch: after any change it shows what a fresh check shows, byte for byte, and has rendered what a fresh one renders, with the
//! same origins. More of it: `COLLIMATE_WATCH_WORLDS=500 cargo test -p collimate watch::laws`.

mod world;

use std::fmt::Write as _;

use alignment::Rendering;
use camino::{Utf8Path, Utf8PathBuf};
use composefile::{Node, Value};
use source::{SourceMap, Span, Text};

use self::world::World;
use super::{Next, Watch};
use crate::commands::check::Args;
use crate::context::{Color, Ctx};
use crate::rendering;
use crate::report::Format;
use crate::session::Session;
use crate::watcher::Changes;

/// Generated sequences in every run.
const WORLDS: u64 = 10;

/// Moments of a sequence at which watch and fresh check are compared.
const STEPS: usize = 24;

fn worlds() -> u64 {
    std::env::var("COLLIMATE_WATCH_WORLDS").ok().and_then(|count| count.parse().ok()).unwrap_or(WORLDS)
}

#[test]
fn few_changed_paths_are_named_and_more_are_counted() {
    let said = |names: &[&str]| {
        let mut changes = Changes::default();
        changes.paths = names.iter().map(|name| Utf8PathBuf::from(format!("/w/{name}"))).collect();
        super::said(Utf8Path::new("/w"), &changes)
    };
    assert_eq!(said(&["a", "b", "c"]), "changed: `a`, `b`, `c`");
    assert_eq!(said(&["a", "b", "c", "d", "e"]), "changed: `a`, `b`, `c` and 2 more");
}

#[test]
fn a_watch_shows_what_a_fresh_check_shows() {
    let mut reports = std::collections::BTreeSet::new();
    for seed in 0..worlds() {
        let mut world = World::new(seed);
        let ctx = Ctx::of_process(Color::Never, Some(world.path("collimate.yaml"))).unwrap();
        let args = Args { format: Format::Json, notes: true, watch: true, ..Args::default() };
        let mut watch = Watch::new(&args, &ctx).unwrap();
        watch.look().unwrap();
        for step in 0..STEPS {
            let changes = world.change();
            let seen = settled(&mut watch, &world, step);
            let mut fresh = Watch::new(&args, &ctx).unwrap();
            let expected = fresh.look().unwrap_or_else(|failure| failure.to_text());
            let told = |what| format!("{what} of world {seed}, step {step}, after\n{}", changes.join("\n"));
            same(&seen, &expected, || told("the report"));
            same(&rendered(&watch), &rendered(&fresh), || told("a rendering"));
            reports.insert(seen);
        }
    }
    // Changes that change nothing prove nothing.
    assert!(reports.len() > STEPS, "the sequences have shown {} reports", reports.len());
}

/// What the watch shows when it has seen everything that has happened up to now.
fn settled(watch: &mut Watch<'_>, world: &World, step: usize) -> String {
    let last = world.path(".last");
    std::fs::write(&last, step.to_string()).unwrap();
    loop {
        let is_over = match watch.wait().unwrap() {
            Next::Changed(changes) => changes.touch(&last),
            Next::Unseen => false,
            Next::Ended => panic!("no signal was sent"),
        };
        let seen = watch.look().unwrap_or_else(|failure| failure.to_text());
        if is_over {
            return seen;
        }
    }
}

#[track_caller]
fn same(actual: &str, expected: &str, told: impl Fn() -> String) {
    let Some(line) = actual.lines().zip(expected.lines()).position(|(actual, expected)| actual != expected) else {
        assert_eq!(actual.len(), expected.len(), "{} differs at its end", told());
        return;
    };
    let around = |text: &str| text.lines().skip(line.saturating_sub(6)).take(12).collect::<Vec<_>>().join("\n");
    panic!("{} differs at line {line}:\n{}\n--- a fresh check:\n{}", told(), around(actual), around(expected));
}

/// All that a watch has rendered, and where it came from. Empty where the workspace cannot be read.
fn rendered(watch: &Watch<'_>) -> String {
    let Ok(workspace) = Session::workspace(watch.ctx, &watch.files, &watch.name) else { return String::new() };
    let session = Session::after(watch.ctx, watch.files.fork(), workspace, watch.known.clone());
    let profiles: Vec<&release::Profile> = session.workspace.profiles.iter().collect();
    let mut out = String::new();
    for trace in [false, true] {
        let rendered = rendering::render_all(&session, &profiles, trace, &|_| None);
        let sources = session.files.sources();
        for profile in rendered {
            let _ = writeln!(out, "# {} {trace}", profile.name());
            for variant in &profile.variants {
                match &variant.rendering {
                    Err(failure) => {
                        let help = failure.help.as_deref().unwrap_or_default();
                        let _ = writeln!(out, "{} {} {help}", failure.message, place(failure.span, &sources));
                    }
                    Ok(Rendering::Compose(compose)) => {
                        for project in [&compose.all, &compose.default] {
                            let _ = writeln!(out, "{}", project.to_yaml());
                            composed(&project.root, &sources, &mut out);
                            for warning in &project.warnings {
                                let _ = writeln!(out, "{} {}", warning.message, place(warning.span, &sources));
                            }
                        }
                    }
                    Ok(Rendering::Kubernetes(kubernetes)) => {
                        for document in &kubernetes.documents {
                            let _ = writeln!(out, "# {} {}\n{}", document.template, document.hook, document.text);
                            origins(&document.text, &sources, &mut out);
                        }
                    }
                }
            }
            for message in rendering::lint(&session, &profile).iter() {
                let _ = writeln!(out, "{} {} {}", message.path, message.text, place(message.span, &sources));
            }
        }
    }
    out
}

fn place(span: Option<Span>, sources: &SourceMap) -> String {
    span.map_or_else(String::new, |span| format!("{}:{}-{}", sources.path(span.file), span.start, span.end))
}

fn composed(node: &Node, sources: &SourceMap, out: &mut String) {
    let _ = writeln!(out, "{}", place(node.span, sources));
    match &node.value {
        Value::Str(text) | Value::Time(text) => origins(text, sources, out),
        Value::Seq(items) => items.iter().for_each(|item| composed(item, sources, out)),
        Value::Map(map) => {
            for (key, value) in map.iter() {
                origins(key, sources, out);
                composed(value, sources, out);
            }
        }
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Float(_) => {}
    }
}

fn origins(text: &Text, sources: &SourceMap, out: &mut String) {
    for segment in text.segments() {
        let spans: Vec<String> = segment.origin.spans().iter().map(|span| place(Some(*span), sources)).collect();
        let _ = writeln!(out, "{}-{} {}", segment.range.start, segment.range.end, spans.join(" "));
    }
}
