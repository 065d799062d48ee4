//! The JSON Schemas of our files, generated from types. A test holds that these types and the readers agree.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::manifest::Manifest;

/// The JSON Schema of release manifests, indented, with a line end.
#[must_use]
pub fn release_schema() -> String {
    render(schemars::schema_for!(Manifest))
}

/// The JSON Schema of `collimate.yaml`, indented, with a line end.
#[must_use]
pub fn workspace_schema() -> String {
    render(schemars::schema_for!(WorkspaceFile))
}

fn render(schema: schemars::Schema) -> String {
    // Values always serialise.
    let mut out = serde_json::to_string_pretty(&schema.to_value()).unwrap_or_default();
    out.push('\n');
    out
}

/// `collimate.yaml`: channels, profiles and what is allowed to be otherwise. Paths are relative to its folder.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the fields are the schema; the reader keeps the places that these types lose")]
pub(crate) struct WorkspaceFile {
    /// Version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    schema: u32,
    channels: BTreeMap<String, ChannelEntry>,
    profiles: BTreeMap<String, ProfileEntry>,
    #[serde(default)]
    overlays: BTreeMap<String, OverlayEntry>,
    /// Images that no release owns.
    #[serde(default)]
    unmanaged: Vec<UnmanagedEntry>,
    /// Where custom resources hold images, beside what is known by kind.
    #[serde(default)]
    images_at: Vec<ImagesAtEntry>,
    /// Findings that are accepted.
    #[serde(default)]
    ignore: Vec<IgnoreEntry>,
    /// How rules report in this workspace.
    #[serde(default)]
    rules: BTreeMap<String, LevelEntry>,
    /// The settings of a managed mirror.
    mirror: Option<String>,
    /// Whose keys are trusted, and for what.
    trust: Option<String>,
    /// Markdown documents with marked blocks that say what releases hold; `pin` keeps the blocks up to date.
    #[serde(default)]
    docs: Vec<String>,
}

/// A line of releases.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
pub(crate) struct ChannelEntry {
    /// The current release's manifest.
    release: String,
    promote_from: Option<String>,
    /// Profiles that move together, in the order in which they move.
    #[serde(default)]
    rings: Vec<RingEntry>,
    gates: Option<GatesEntry>,
}

/// What a release must meet before it moves, beside what holds for every move.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
pub(crate) struct GatesEntry {
    /// The role whose key must have signed the release's manifest.
    signed_by: Option<String>,
    /// How many of a role must have approved the plan.
    #[serde(default)]
    approvals: Vec<ApprovalsEntry>,
    /// Commands that must end with 0; run only with `--run-gates`.
    #[serde(default)]
    commands: Vec<CommandEntry>,
    /// Days on which nothing moves.
    #[serde(default)]
    freezes: Vec<FreezeEntry>,
}

/// Signed consent of a role.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
pub(crate) struct ApprovalsEntry {
    role: String,
    /// 1 if absent.
    #[schemars(range(min = 1, max = 20))]
    count: Option<u32>,
}

/// A command that must end with 0.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
pub(crate) struct CommandEntry {
    name: String,
    /// The program and its arguments; no shell reads them.
    run: Vec<String>,
    /// The time limit; 60 if absent.
    #[schemars(range(min = 1, max = 1440))]
    minutes: Option<u32>,
}

/// Days on which nothing moves, the last one included (UTC).
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
pub(crate) struct FreezeEntry {
    from: String,
    until: String,
    reason: String,
}

/// A ring: its name, or its name and the archived release that it still runs.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "as above")]
pub(crate) enum RingEntry {
    Name(String),
    Lagging(LaggingRing),
}

/// A ring that may run an archived release.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
pub(crate) struct LaggingRing {
    name: String,
    release: Option<String>,
    /// What a release must meet to advance to it.
    gates: Option<GatesEntry>,
}

/// One deployable thing: `compose`, `chart` or `manifests`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
pub(crate) struct ProfileEntry {
    channel: String,
    ring: Option<String>,
    /// Compose files, later ones over earlier ones.
    #[schemars(length(min = 1))]
    compose: Option<Vec<String>>,
    /// Env files, as for `docker compose --env-file`.
    env: Option<Vec<String>>,
    /// Overlays in the order in which they are laid over the profile.
    overlays: Option<Vec<String>>,
    project_name: Option<String>,
    /// Folder or archive of a chart.
    chart: Option<String>,
    /// Values files, later ones over earlier ones.
    values: Option<Vec<String>>,
    /// `path=value`, as for `helm template --set`.
    set: Option<Vec<String>>,
    release_name: Option<String>,
    namespace: Option<String>,
    kube_version: Option<String>,
    api_versions: Option<Vec<String>>,
    /// Files of plain Kubernetes manifests.
    #[schemars(length(min = 1))]
    manifests: Option<Vec<String>>,
    /// The profile that deploys the same by other means.
    twin: Option<String>,
    /// Path patterns of what tooling makes: may be absent.
    generated: Option<Vec<String>>,
    external: Option<ExternalEntry>,
    /// Suffixes of host names that count as local.
    hosts: Option<Vec<String>>,
    /// Registry in the release → registry that the profile pulls from.
    registry_map: Option<BTreeMap<String, String>>,
}

/// What a profile uses but does not make: names, by kind.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
pub(crate) struct ExternalEntry {
    networks: Option<Vec<String>>,
    volumes: Option<Vec<String>>,
    secrets: Option<Vec<String>>,
    configs: Option<Vec<String>>,
    config_maps: Option<Vec<String>>,
    service_accounts: Option<Vec<String>>,
    volume_claims: Option<Vec<String>>,
    /// Objects of Kubernetes of any other kind, as `Kind/name`: `Service/gateway`, `Namespace/monitoring`.
    objects: Option<Vec<String>>,
    /// Services whose image brings its own health check.
    healthchecks: Option<Vec<String>>,
    /// Variables of Compose files that only the operator's own env file or shell sets.
    variables: Option<Vec<String>>,
}

/// Compose files laid over a profile.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
pub(crate) struct OverlayEntry {
    #[schemars(length(min = 1))]
    compose: Vec<String>,
    /// Env files that the overlay needs beside the profile's.
    env: Option<Vec<String>>,
}

/// An image that no release owns.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
pub(crate) struct UnmanagedEntry {
    /// Registry and repository.
    image: String,
    /// Patterns of allowed tags with `*`; any tag if absent.
    tags: Option<Vec<String>>,
    reason: String,
}

/// Where images stand: `kind` and `path`, or `args`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
pub(crate) struct ImagesAtEntry {
    kind: Option<String>,
    /// Keys joined by `.`; `*` is any key or item.
    path: Option<String>,
    /// A container argument, with `*` where the image stands.
    args: Option<String>,
}

/// A finding that is accepted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
pub(crate) struct IgnoreEntry {
    rule: String,
    /// A profile's name or a file's path.
    at: Option<String>,
    reason: String,
    /// The last day on which the finding is accepted, such as `2026-03-01`.
    until: Option<String>,
}

/// What a rule's findings become.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LevelEntry {
    Off,
    Note,
    Warning,
    Error,
}

#[cfg(test)]
mod tests;
