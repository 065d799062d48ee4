//! Our own files: `collimate.yaml`, release manifests, and plain manifests.

use super::watch::{Case, SERVICE, compose, refused};
use super::yaml::alias_bomb;
use crate::tree::RELEASE;

fn with(case: Case, path: &str, content: String) -> Case {
    let files = case.files.into_iter().filter(|(other, _)| other != path);
    Case { files: files.chain([(path.to_owned(), content.into_bytes())]).collect(), ..case }
}

fn workspace(name: &'static str, text: String, expect: (&'static str, &'static str)) -> Case {
    with(compose(name, SERVICE, "", expect), "collimate.yaml", text)
}

fn release(name: &'static str, text: String, expect: (&'static str, &'static str)) -> Case {
    with(compose(name, SERVICE, "", expect), "edge.yaml", text)
}

const PROFILE: &str = "profiles:\n  p: {channel: edge, compose: [compose.yaml]}\n";

const START: &str = "schema: 1\nchannels: {edge: {release: edge.yaml}}\n";

#[test]
fn workspaces() {
    let keys: String = (0..1_000).map(|number| format!("k{number}: 1\n")).collect();
    let stars = "*a".repeat(60);
    refused(vec![
        workspace("aliases", alias_bomb("a") + START, ("a0", "")),
        workspace("unknown keys", format!("{START}{keys}"), ("k0", "")),
        workspace("a number", "schema: 99999999999999999999\n".to_owned(), ("schema", "")),
        workspace(
            "a pattern",
            format!(
                "{START}profiles:\n  p: {{channel: edge, compose: [compose.yaml], generated: [\"{stars}b\"]}}\nunmanaged: [{{image: nginx, tags: [\"{stars}b\"], reason: x}}]\n"
            ),
            ("image-unpinned", "compose.yaml:1:23"),
        ),
    ]);
}

/// Names that must not stand twice, and two files whose lists are merged.
#[test]
fn long_lists() {
    let rings = |count: usize| {
        let rings: String = (0..count).map(|ring| format!("r{ring}, ")).collect();
        format!("schema: 1\nchannels: {{edge: {{release: edge.yaml, rings: [{rings}]}}}}\n{PROFILE}")
    };
    let commands: String = (0..20_000).map(|at| format!("{{name: c{at}, run: [a]}}, ")).collect();
    let list = |prefix: char| {
        let items: String = (0..30_000).map(|at| format!("{prefix}{at}, ")).collect();
        format!("services: {{a: {{image: nginx:1.27, cap_add: [{items}]}}}}\n")
    };
    let unpinned = ("image-unpinned", "compose.yaml:1:23");
    let merged = workspace(
        "two lists that are merged",
        format!("{START}{PROFILE}").replace("[compose.yaml]", "[other.yaml, compose.yaml]"),
        unpinned,
    );
    let mut merged = with(merged, "compose.yaml", list('a'));
    merged.files.push(("other.yaml".to_owned(), list('b').into_bytes()));
    refused(vec![
        workspace("rings", rings(20_000), unpinned),
        workspace("more rings", rings(20_001), ("`channels.edge.rings` has 20001 entries; at most 20000 are read", "")),
        workspace(
            "gates",
            format!(
                "schema: 1\nchannels: {{edge: {{release: edge.yaml, gates: {{commands: [{commands}]}}}}}}\n{PROFILE}"
            ),
            unpinned,
        ),
        merged,
    ]);
}

#[test]
fn releases() {
    let many: String = (0..1_000)
        .map(|number| format!("  c{number}: {{image: docker.io/a/c{number}, tag: \"1\", digest: unresolved}}\n"))
        .collect();
    refused(vec![
        release("aliases", alias_bomb("a") + RELEASE, ("release-schema", "")),
        release("many components", format!("{RELEASE}{many}"), ("image-unpinned", "")),
        release("a file without end", format!("{RELEASE}{}", "#".repeat(33 << 20)), ("at most 33554432 are read", "")),
    ]);
}

/// What is looked at for each of many is looked up, and a text that many values come from is looked through once.
#[test]
fn many_of_each() {
    let quiet = format!(
        "{START}profiles:\n  p: {{channel: edge, compose: [compose.yaml]}}\nrules: {{component-unused: off, image-unpinned: off}}\n"
    );
    let components: String = (0..10_000)
        .map(|number| format!("  c{number}: {{image: docker.io/a/c{number}, tag: \"1\", digest: unresolved}}\n"))
        .collect();
    let words = format!("services: {{a: {{image: b, command: \"{}\"}}}}\n", "a ".repeat(100_000));
    let case = workspace("components and words", quiet, ("image-unlisted", "compose.yaml:1:23"));
    let case = with(case, "edge.yaml", format!("{RELEASE}{components}"));
    refused(vec![with(case, "compose.yaml", words)]);
}

#[test]
fn manifests() {
    let profile = format!("{START}profiles:\n  p: {{channel: edge, manifests: [m.yaml]}}\n");
    // What is harmless in itself is followed by what is found.
    let pod = "---\n{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, image: x}]}}\n";
    let manifests = |name, text: String| {
        with(workspace(name, profile.clone(), ("image-unlisted", "")), "m.yaml", format!("{text}{pod}"))
    };
    refused(vec![
        manifests("aliases", alias_bomb("a")),
        manifests("lists of lists", format!("{}{}\n", "{kind: List, items: [".repeat(900), "]}".repeat(900))),
    ]);
}

/// A guess at what was meant compares a name with all that there are.
#[test]
fn many_misspelt_names() {
    const MISSPELT: usize = 1_000;
    const KNOWN: usize = 30_000;
    let many = |count: usize, item: &dyn Fn(usize) -> String| (0..count).map(item).collect::<String>();
    let mounts = many(MISSPELT, &|number| format!("    - {{name: w{number}, mountPath: /m{number}}}\n"));
    let variables = many(MISSPELT, &|number| {
        format!("    - {{name: V{number}, valueFrom: {{configMapKeyRef: {{name: cm, key: kxy{number}}}}}}}\n")
    });
    let volumes = many(KNOWN, &|number| format!("  - {{name: volume{number}, emptyDir: {{}}}}\n"));
    let keys = many(KNOWN, &|number| format!("  key{number}: x\n"));
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: c\n    image: docker.io/a/a:1\n";
    let text = format!("{START}profiles:\n  p: {{channel: edge, manifests: [m.yaml]}}\n");
    let case = |name, says, manifest| with(workspace(name, text.clone(), says), "m.yaml", manifest);
    let map = format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: cm}}\ndata:\n{keys}");
    refused(vec![
        case(
            "misspelt volumes",
            ("object-invalid", "m.yaml:9:14"),
            format!("{pod}    volumeMounts:\n{mounts}  volumes:\n{volumes}"),
        ),
        case("misspelt keys", ("dangling-reference", "m.yaml:9:63"), format!("{pod}    env:\n{variables}{map}")),
    ]);
}
