use std::collections::BTreeSet;

use serde_json::{Map, Value};
use source::FileId;
use yamlspan::{Dialect, Kind, NodeRef, Scalar};

use super::*;
use crate::release::{COMPONENT_KEYS, MIGRATION_KEYS, ORIGIN_KEYS, RELEASE_KEYS, SUPPORT_KEYS};
use crate::workspace::gates::{APPROVALS_KEYS, COMMAND_KEYS, FREEZE_KEYS, GATES_KEYS};
use crate::workspace::read::{
    CHANNEL_KEYS, EXTERNAL_KEYS, IGNORE_KEYS, IMAGES_AT_KEYS, OVERLAY_KEYS, PROFILE_KEYS, RING_KEYS, UNMANAGED_KEYS,
    WORKSPACE_KEYS,
};
use crate::{Release, Workspace};

fn properties(schema: &Value, definition: &str) -> BTreeSet<String> {
    let object = if definition.is_empty() { schema } else { &schema["$defs"][definition] };
    let properties = object["properties"].as_object().unwrap_or_else(|| panic!("{definition}: {schema:#}"));
    assert_eq!(object["additionalProperties"], false, "{definition}");
    properties.keys().cloned().collect()
}

fn same_keys(schema: &str, definitions: &[(&str, &[&str])]) {
    let schema: Value = serde_json::from_str(schema).unwrap();
    for (definition, keys) in definitions {
        let keys: BTreeSet<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        assert_eq!(properties(&schema, definition), keys, "{definition}");
    }
}

#[test]
fn readers_and_schemas_know_the_same_keys() {
    same_keys(
        &release_schema(),
        &[
            ("", RELEASE_KEYS),
            ("SupportLine", SUPPORT_KEYS),
            ("Origin", ORIGIN_KEYS),
            ("Listed", COMPONENT_KEYS),
            ("Migration", MIGRATION_KEYS),
        ],
    );
    same_keys(
        &workspace_schema(),
        &[
            ("", WORKSPACE_KEYS),
            ("ChannelEntry", CHANNEL_KEYS),
            ("GatesEntry", GATES_KEYS),
            ("ApprovalsEntry", APPROVALS_KEYS),
            ("CommandEntry", COMMAND_KEYS),
            ("FreezeEntry", FREEZE_KEYS),
            ("LaggingRing", RING_KEYS),
            ("ProfileEntry", PROFILE_KEYS),
            ("ExternalEntry", EXTERNAL_KEYS),
            ("OverlayEntry", OVERLAY_KEYS),
            ("UnmanagedEntry", UNMANAGED_KEYS),
            ("ImagesAtEntry", IMAGES_AT_KEYS),
            ("IgnoreEntry", IGNORE_KEYS),
        ],
    );
}

fn to_json(node: NodeRef<'_>) -> Value {
    let node = node.target();
    match node.kind() {
        Kind::Sequence => Value::Array(node.items().map(to_json).collect()),
        Kind::Mapping => {
            let entries = node.entries().map(|(key, value)| (key.raw().to_owned(), to_json(value)));
            Value::Object(entries.collect::<Map<String, Value>>())
        }
        _ => match node.value() {
            Scalar::Null => Value::Null,
            Scalar::Bool(value) => Value::Bool(value),
            Scalar::Int(value) => value.into(),
            Scalar::Float(value) => value.into(),
            _ => Value::String(node.raw().to_owned()),
        },
    }
}

fn json(text: &str) -> Value {
    let documents = yamlspan::parse(text, FileId(0), Dialect::GoYamlV4).unwrap();
    to_json(documents.first().unwrap().root())
}

const RELEASE: &str = include_str!("../release/example.yaml");
const WORKSPACE: &str = include_str!("../workspace/example.yaml");

#[test]
fn readers_and_types_agree_on_what_is_good() {
    let (release, problems) = Release::parse(RELEASE, FileId(0));
    assert_eq!(problems, []);
    let from_types: Manifest = serde_json::from_value(json(RELEASE)).unwrap();
    assert_eq!(release.unwrap().manifest(), from_types);
    Workspace::parse(WORKSPACE, FileId(0)).unwrap();
    serde_json::from_value::<WorkspaceFile>(json(WORKSPACE)).unwrap();
}

#[test]
fn readers_and_types_agree_on_what_is_bad() {
    for (from, to) in [
        ("version: 2025.09.2", "versoin: 2025.09.2"),
        ("version: 2025.09.2", "version: [2025]"),
        ("channel: stable", ""),
        ("digests: sample", "digests: perhaps"),
        ("reversible: false", "reversible: perhaps"),
        ("backup: pg_dump", "save: pg_dump"),
        ("line: lts", "lines: lts"),
        ("tag: 2025.09.2", "tag: 1.5"),
        ("only_in: [compose, helm]", "only_in: [[compose]]"),
        ("availability: private-mirror", "availability: gone"),
        ("    digest: sha256", "    digests: sha256"),
    ] {
        let text = RELEASE.replacen(from, to, 1);
        assert_ne!(text, RELEASE, "{from}");
        assert!(!Release::parse(&text, FileId(0)).1.is_empty(), "{to}");
        assert!(serde_json::from_value::<Manifest>(json(&text)).is_err(), "{to}");
    }
    for (from, to) in [
        ("channels:", "chanels:"),
        ("promote_from: edge", "promote_from: 7"),
        ("      - stage", "      - [stage]"),
        ("signed_by: builder", "signed_by: [builder]"),
        ("count: 2", "count: two"),
        ("run: [make, e2e]", "run: make e2e"),
        ("reason: year end", "because: year end"),
        ("twin: helm/stage", "twins: helm/stage"),
        ("networks: [", "network: ["),
        ("reason: stays", "because: stays"),
        ("env-unused: off", "env-unused: never"),
        ("overlays: [telemetry]", "overlays: telemetry"),
    ] {
        let text = WORKSPACE.replacen(from, to, 1);
        assert_ne!(text, WORKSPACE, "{from}");
        assert!(Workspace::parse(&text, FileId(0)).is_err(), "{to}");
        assert!(serde_json::from_value::<WorkspaceFile>(json(&text)).is_err(), "{to}");
    }
}
