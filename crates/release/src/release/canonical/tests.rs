use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::*;
use crate::manifest::{Listed, Manifest, Origin};

const FILE: FileId = FileId(3);

/// Whether the text was read; if so, as the strict reader does.
fn is_read(text: &str) -> bool {
    let Some(release) = read(text, FILE) else { return false };
    let (strict, problems) = super::super::strictly(text, FILE);
    assert!(problems.is_empty(), "{problems:?}\n{text}");
    assert_eq!(format!("{release:?}"), format!("{:?}", strict.unwrap()), "{text}");
    true
}

fn word() -> impl Strategy<Value = String> {
    let often = || {
        prop_oneof![Just("2025.09.2"), Just("edge"), Just("10.3"), Just("v1"), Just("1e3"), Just("a_b-c"), Just("s0")]
    };
    let rarely = prop_oneof![
        Just("yes"),
        Just("null"),
        Just("0x1f"),
        Just("1_0"),
        Just("2025-09-20"),
        Just("12:30:45"),
        Just("0o7"),
        Just("1/2"),
        Just("::x"),
        Just("##[y"),
        Just("a b"),
        Just("ü"),
        Just(""),
        Just("a:"),
        Just("@a"),
        Just("x:y"),
        Just("1.2.3"),
        Just("+1"),
        Just(".5"),
        Just("a'b")
    ];
    prop_oneof![90 => often(), 1 => rarely].prop_map(str::to_owned)
}

fn listed() -> impl Strategy<Value = Listed> {
    let image = prop_oneof![
        30 => Just("registry.example.org/a/b"), 9 => Just("nats"), 1 => Just("localhost:5000/x"), 1 => Just("A/b"), 1 => Just("x/y:1"), 1 => Just("docker.io/9")
    ];
    let digest = prop_oneof![
        40 => Just(format!("sha256:{}", "0f".repeat(32))), 9 => Just(UNRESOLVED.to_owned()), 1 => Just("sha256:12".to_owned())
    ];
    (image, word(), digest, any::<bool>()).prop_map(|(image, tag, digest, is_plain)| Listed {
        image: image.to_owned(),
        tag,
        digest,
        only_in: if is_plain { Vec::new() } else { vec!["helm".to_owned()] },
        platforms: BTreeMap::new(),
        availability: None,
        reason: None,
    })
}

fn manifest() -> impl Strategy<Value = Manifest> {
    let group = || {
        let plain = listed().prop_map(|listed| Listed { only_in: Vec::new(), ..listed });
        proptest::collection::btree_map(word(), prop_oneof![40 => plain.boxed(), 1 => listed().boxed()], 0..4)
    };
    let origin = prop_oneof![3 => Just(None), 2 => word().prop_map(Some)];
    (word(), word(), origin, any::<u8>(), group(), group()).prop_map(
        |(version, channel, origin, bits, components, infrastructure)| Manifest {
            schema: 1 + u32::from(bits == 0),
            version,
            calendar: (bits & 1 == 0).then(|| "2025.09".to_owned()),
            channel,
            support: None,
            date: (bits & 2 == 0).then(|| "2025-09-20T00:00:00Z".to_owned()),
            promoted_from: origin.map(|version| Origin { version, sha256: "12".repeat(32) }),
            digests: if bits & 4 == 0 { DigestKind::Sample } else { DigestKind::Resolved },
            migrations: Vec::new(),
            components,
            infrastructure,
        },
    )
}

#[test]
fn it_reads_as_the_strict_reader_does() {
    let mut runner = TestRunner::deterministic();
    let changed = "[a-z0-9:\"' \n#./\\-]";
    let (manifests, changes) = (manifest(), (any::<prop::sample::Index>(), 0..2_usize, changed));
    let (mut whole, mut mended) = (0, 0);
    for _ in 0..1_500 {
        let text = manifests.new_tree(&mut runner).unwrap().current().to_yaml();
        whole += usize::from(is_read(&text));
        let (at, length, new) = changes.new_tree(&mut runner).unwrap().current();
        let at = text.floor_char_boundary(at.index(text.len()));
        let to = text.floor_char_boundary((at + length).min(text.len()));
        mended += usize::from(is_read(&format!("{}{new}{}", &text[..at], &text[to..])));
    }
    assert!(whole > 500 && mended > 50, "{whole} read, {mended} of the changed ones");
}
