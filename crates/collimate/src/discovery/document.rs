//! The two files that a workspace begins with, as text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use release::{Manifest, scalar};

use super::{Components, Draft, DraftSource};

/// The channel that everything follows until there are more.
pub(crate) const CHANNEL: &str = "current";

/// The manifest of that channel.
pub(crate) const RELEASE_FILE: &str = "releases/current.yaml";

/// The version of a release that nobody named yet.
const UNNAMED: &str = "current";

/// `collimate.yaml` with these profiles, in which these rules only warn, and these images are built.
pub(crate) fn workspace_text(profiles: &[Draft], policies: &[&str], built: &BTreeSet<String>) -> String {
    let mut text = format!(
        "# What `collimate check` looks at: which release each channel has, and which profiles follow it.\n\
         schema: 1\n\nchannels:\n  {CHANNEL}:\n    release: {RELEASE_FILE}\n\nprofiles:\n"
    );
    // Writing to a string cannot fail, here and below.
    for profile in profiles {
        let _ = write!(text, "  {}:\n    channel: {CHANNEL}\n", scalar(&profile.name));
        match &profile.source {
            DraftSource::Compose { files, env, external, generated, .. } => {
                let _ = writeln!(text, "    compose: {}", list(files));
                if !env.is_empty() {
                    let _ = writeln!(text, "    env: {}", list(env));
                }
                if !generated.is_empty() {
                    let _ = writeln!(text, "    generated: {}", list(generated));
                }
                text.push_str(&declared(external));
            }
            DraftSource::Helm { chart, values, release_name, external } => {
                let _ = writeln!(text, "    chart: {}", scalar(chart.as_str()));
                if !values.is_empty() {
                    let _ = writeln!(text, "    values: {}", list(values));
                }
                if let Some(name) = release_name {
                    let _ = writeln!(text, "    release_name: {}", scalar(name));
                }
                text.push_str(&declared(external));
            }
        }
    }
    if !built.is_empty() {
        text.push_str("\n# Images that are built here: no registry gives them a digest.\nunmanaged:\n");
    }
    for image in built {
        let _ = writeln!(text, "  - {{image: {}, reason: a service builds it}}", scalar(image));
    }
    if !policies.is_empty() {
        text.push_str("\n# Matters of policy that today's deployment does not keep. Without its line here each is an error.\nrules:\n");
    }
    for rule in policies {
        let _ = writeln!(text, "  {rule}: warning");
    }
    text
}

/// `releases/current.yaml` with these components.
pub(crate) fn release_text(components: &Components, version: Option<&str>) -> String {
    let manifest = Manifest {
        schema: 1,
        version: version.unwrap_or(UNNAMED).to_owned(),
        calendar: None,
        channel: CHANNEL.to_owned(),
        support: None,
        date: None,
        promoted_from: None,
        digests: components.digests,
        migrations: Vec::new(),
        components: components.listed.clone(),
        infrastructure: BTreeMap::new(),
    };
    let first = "# What the profiles use today. Images that others make may move to `infrastructure:`.\n";
    first.to_owned() + &manifest.to_yaml()
}

/// The line of what is made elsewhere; empty if nothing is.
fn declared(external: &[(&str, Vec<String>)]) -> String {
    if external.is_empty() {
        return String::new();
    }
    let groups = external.iter().map(|(group, names)| format!("{group}: {}", list(names)));
    format!("    external: {{{}}}\n", groups.collect::<Vec<_>>().join(", "))
}

fn list(items: &[impl AsRef<str>]) -> String {
    let items: Vec<String> = items.iter().map(|item| scalar(item.as_ref())).collect();
    format!("[{}]", items.join(", "))
}
