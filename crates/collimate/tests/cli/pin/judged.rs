//! The real tools render what `pin` wrote: every profile then uses exactly what its release lists.

use std::collections::BTreeSet;

use super::world::{Profile, World, files, program};

/// Worlds that the real tools look at; both of them take a second for one.
const SEEDS: std::ops::Range<u64> = 100..106;

#[test]
fn helm_and_compose_see_the_references_of_the_release() {
    let (Some(helm), Some(compose)) = (testkit::peer("helm3"), testkit::peer("compose")) else { return };
    let mut kinds = BTreeSet::new();
    for world in SEEDS.map(|seed| World::new(seed, false)) {
        let sandbox = world.on_disk();
        program(&sandbox, &world.pin()).any_stdout().run();
        for Profile { name, source, references } in &world.profiles {
            let named = |key: &str| -> Vec<&str> {
                let list = source.split_once(&format!("{key}: [")).and_then(|(_, rest)| rest.split_once(']'));
                list.map(|(list, _)| list.split(", ").collect()).unwrap_or_default()
            };
            let mut arguments = Vec::new();
            let judge = if source.contains("chart:") {
                arguments.extend(["template", "app", super::chart::CHART]);
                arguments.extend(named("values").into_iter().flat_map(|path| ["--values", path]));
                &helm
            } else {
                arguments.extend(["compose"].into_iter().filter(|_| compose.file_name() == Some("docker")));
                arguments.extend(named("compose").into_iter().flat_map(|path| ["--file", path]));
                arguments.extend(named("env").into_iter().flat_map(|path| ["--env-file", path]));
                arguments.extend(["config", "--no-path-resolution"]);
                &compose
            };
            let output = testkit::Cli::new(judge).folder(sandbox.root()).args(arguments).output();
            assert_eq!(output.exit, 0, "seed {}, {name}: {output}", world.seed);
            // Every word that is pinned: anchors and extensions hold the same as what uses them.
            let words = output.stdout.split_whitespace().map(|word| word.trim_matches(['"', '\'']).to_owned());
            let seen: BTreeSet<String> = words.filter(|word| word.contains("@sha256:")).collect();
            assert_eq!(seen, *references, "seed {}, {name}: {output}", world.seed);
            kinds.insert(judge);
        }
        assert_eq!(files(&sandbox), world.expected());
    }
    assert_eq!(kinds.len(), 2, "both were asked");
}
