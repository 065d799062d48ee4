//! Components whose digest nobody knows yet.

use crate::tree::{RELEASE, Tree};

const WORKSPACE: &str = "\
schema: 1
channels: {edge: {release: edge.yaml, rings: [{name: late, release: archive/1.0.0.yaml}]}}
profiles:
  compose/dev: {channel: edge, compose: [compose.yaml]}
";
const COMPOSE: &str = "services: {web: {image: nginx:1.27}, db: {image: postgres:16}, old: {image: postgres:15}}\n";

/// Nothing is written of them, and whoever pins is told so: else the finding and `pin` would send them to each other.
#[test]
fn what_is_skipped_is_named_with_the_way_out() {
    let open = "  postgres: {image: docker.io/library/postgres, tag: \"16\", digest: unresolved}\n  \
                postgres-15: {image: docker.io/library/postgres, tag: \"15\", digest: unresolved}\n  \
                unused: {image: docker.io/library/redis, tag: \"7\", digest: unresolved}\n";
    let release = format!("{RELEASE}{open}").replace("digests: resolved", "digests: sample");
    let tree = Tree::of(&[
        ("collimate.yaml", WORKSPACE),
        ("compose.yaml", COMPOSE),
        ("edge.yaml", &release),
        ("archive/1.0.0.yaml", RELEASE),
    ]);
    let note = "note: skipped `postgres`, `postgres-15`: `edge.yaml` lists no digest yet; `collimate release resolve edge` asks the \
                registries and writes it there, then pin again\n";
    let (code, stdout, stderr) = tree.run_text(&["pin", "--dry-run"]);
    assert_eq!((code, stderr.as_str()), (0, note), "{stdout}");
    let (code, stdout, stderr) = tree.run_text(&["pin"]);
    assert_eq!((code, stderr.as_str()), (0, note), "{stdout}");
    assert!(stdout.contains("\n1 place written\n"), "{stdout}");
    let (code, stdout, stderr) = tree.run_text(&["pin"]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "0 places written\n", note));
}
