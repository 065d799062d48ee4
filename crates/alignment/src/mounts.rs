//! Bind mounts of Compose services, and which paths of a workspace they mean.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use composefile::Node;
use source::normalize;

use crate::compose::{Service, entries, items, services, string};
use crate::place::Path;

/// A path of the host that a service mounts.
pub(crate) struct Mount<'a> {
    pub(crate) source: &'a str,
    /// The path in the container.
    pub(crate) target: &'a str,
    pub(crate) read_only: bool,
    /// Whether Docker makes a source that is not there, which is what it does unless told otherwise.
    pub(crate) may_be_made: bool,
    pub(crate) path: Path,
}

/// The bind mounts of a service.
pub(crate) fn mounts<'a>(service: &'a Service<'_>) -> Vec<Mount<'a>> {
    let list = service.path.key("volumes");
    let volumes = items(service.node.get("volumes")).iter().enumerate();
    volumes
        .filter(|(_, volume)| string(volume, "type") == Some("bind"))
        .filter_map(|(index, volume)| {
            let may_be_made = volume.get("bind").and_then(|bind| bind.get("create_host_path")).and_then(Node::as_bool);
            Some(Mount {
                source: string(volume, "source")?,
                target: string(volume, "target").unwrap_or_default(),
                read_only: volume.get("read_only").and_then(Node::as_bool) == Some(true),
                may_be_made: may_be_made != Some(false),
                path: list.index(index).key("source"),
            })
        })
        .collect()
}

/// A rendered path relative to the workspace, if it is in it.
pub(crate) fn inside(root: &Utf8Path, source: &str) -> Option<Utf8PathBuf> {
    let path = normalize(Utf8Path::new(source));
    let relative = if path.is_absolute() { path.strip_prefix(root).ok()?.to_owned() } else { path };
    let outside = relative.starts_with("..") || relative.as_str().is_empty() || relative.as_str() == ".";
    (!outside).then_some(relative)
}

/// The paths of the workspace that services of a profile mount or take as `configs`, sorted: what runs reads them, though no render does.
/// What tooling makes is left out, and secrets are: they change without anybody deciding about the configuration.
#[must_use]
pub fn mounted_paths(project: &composefile::Project, root: &Utf8Path, profile: &release::Profile) -> Vec<Utf8PathBuf> {
    let services = services(project);
    let bound = services.iter().flat_map(mounts).map(|mount| mount.source);
    let configs = entries(project.root.get("configs")).filter_map(|(_, config)| string(config, "file"));
    let inside = bound.chain(configs).filter_map(|source| inside(root, source));
    let paths: BTreeSet<Utf8PathBuf> = inside.filter(|path| !is_generated(profile, path)).collect();
    paths.into_iter().collect()
}

/// Whether tooling makes this path, as the profile declares.
pub(crate) fn is_generated(profile: &release::Profile, path: &Utf8Path) -> bool {
    profile.generated.iter().any(|pattern| matches_path(&pattern.value, path))
}

/// Path patterns: `*` is anything within a name, `**` any number of folders. `certs/**` means `certs` itself too.
pub(crate) fn matches_path(pattern: &str, path: &Utf8Path) -> bool {
    let pattern: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let path: Vec<&str> = path.as_str().split('/').collect();
    // One row per pattern part: quadratic at worst, never exponential.
    let mut reached = vec![false; path.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for part in pattern {
        let mut next = vec![false; path.len() + 1];
        for (index, _) in reached.iter().enumerate().filter(|(_, reached)| **reached) {
            if part == "**" {
                next.iter_mut().skip(index).for_each(|reached| *reached = true);
            } else if let Some(name) = path.get(index)
                && crate::image::matches(part, name)
                && let Some(reached) = next.get_mut(index + 1)
            {
                *reached = true;
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_patterns_match() {
        for (pattern, path, expected) in [
            ("deploy/certs/**", "deploy/certs", true),
            ("deploy/certs/**", "deploy/certs/a/b.pem", true),
            ("deploy/certs/**", "deploy/cert", false),
            ("deploy/*.pem", "deploy/a.pem", true),
            ("deploy/*.pem", "deploy/a/b.pem", false),
            ("**/secret", "a/b/secret", true),
            ("a", "a/b", false),
        ] {
            assert_eq!(matches_path(pattern, Utf8Path::new(path)), expected, "{pattern} {path}");
        }
        let root = Utf8Path::new("/ws");
        assert_eq!(inside(root, "/ws/a/../b").as_deref(), Some(Utf8Path::new("b")));
        assert_eq!(inside(root, "/var/run/docker.sock"), None);
        assert_eq!(inside(root, "/ws"), None);
    }
}
