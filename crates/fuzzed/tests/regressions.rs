//! What once broke a property, and a short deterministic walk around it: on the stable compiler, in every run.

use std::path::{Path, PathBuf};

/// Every kept input, as it is and cut off at some places: what broke something rarely comes alone.
#[test]
fn what_once_broke_something_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/regressions");
    for (name, check) in fuzzed::ALL {
        let mut inputs: Vec<PathBuf> = std::fs::read_dir(folder.join(name))
            .unwrap_or_else(|error| panic!("`fuzz/regressions/{name}`: {error}"))
            .map(|entry| entry.expect("a folder can be listed").path())
            .collect();
        inputs.sort();
        assert!(!inputs.is_empty(), "`{name}` has no inputs");
        for input in inputs {
            let bytes = std::fs::read(&input).expect("an input can be read");
            // Shown only if something fails.
            println!("{}", input.display());
            check(&bytes);
            for part in 1..8 {
                check(&bytes[..bytes.len() * part / 8]);
            }
        }
    }
}

/// Every fuzz target is a property, and the other way round; the one that needs a judge is the exception.
#[test]
fn every_property_has_a_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/fuzz_targets");
    let mut targets: Vec<String> = std::fs::read_dir(folder)
        .expect("there are targets")
        .map(|entry| entry.expect("a folder can be listed").path())
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .filter(|name| name != "yaml_oracle")
        .collect();
    targets.sort();
    let properties: Vec<&str> = fuzzed::ALL.iter().map(|(name, _)| *name).collect();
    assert_eq!(targets, properties);
}
