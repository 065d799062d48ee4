//! Object names and deprecated kinds, as `helm lint` asks the Kubernetes libraries about them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Longest DNS subdomain and label.
const SUBDOMAIN_LENGTH: usize = 253;
const LABEL_LENGTH: usize = 63;

const LABEL_PATTERN: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const LABEL_1035_PATTERN: &str = "[a-z]([-a-z0-9]*[a-z0-9])?";

/// What is wrong with an object's name, in the words of the linter; `None` if nothing is.
pub(crate) fn name_problem(kind: &str, name: &str) -> Option<String> {
    let problems = match kind.to_lowercase().as_str() {
        "certificatesigningrequest" => Vec::new(),
        "role" | "clusterrole" | "rolebinding" | "clusterrolebinding" => path_segment(name),
        "service" => label_1035(name),
        "namespace" => label(name),
        _ => subdomain(name),
    };
    let mut lines: Vec<String> = Vec::new();
    for problem in problems {
        let line = format!("metadata.name: Invalid value: {}: {problem}", gotemplate::format::quote(name.as_bytes()));
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    let all = match lines.len() {
        0 => return None,
        1 => lines.remove(0),
        _ => format!("[{}]", lines.join(", ")),
    };
    Some(format!(
        "object name does not conform to Kubernetes naming requirements: {}: {all}",
        gotemplate::format::quote(name.as_bytes())
    ))
}

fn is_label(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    edge(text.chars().next())
        && edge(text.chars().next_back())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Whether a text is a lower-case DNS subdomain, length aside.
pub(crate) fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}

fn subdomain(name: &str) -> Vec<String> {
    let mut problems = too_long(name, SUBDOMAIN_LENGTH);
    if !is_subdomain(name) {
        problems.push(format!(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and \
             end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
             '{LABEL_PATTERN}(\\.{LABEL_PATTERN})*')"
        ));
    }
    problems
}

fn label(name: &str) -> Vec<String> {
    let mut problems = too_long(name, LABEL_LENGTH);
    if !is_label(name) {
        problems.push(if is_subdomain(name) {
            "must not contain dots".to_owned()
        } else {
            format!(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end \
                 with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{LABEL_PATTERN}')"
            )
        });
    }
    problems
}

fn label_1035(name: &str) -> Vec<String> {
    let mut problems = too_long(name, LABEL_LENGTH);
    if !(is_label(name) && name.starts_with(|c: char| c.is_ascii_lowercase())) {
        problems.push(format!(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, \
             and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is \
             '{LABEL_1035_PATTERN}')"
        ));
    }
    problems
}

fn path_segment(name: &str) -> Vec<String> {
    if name == "." || name == ".." {
        return vec![format!("may not be '{name}'")];
    }
    ["/", "%"].iter().filter(|bad| name.contains(**bad)).map(|bad| format!("may not contain '{bad}'")).collect()
}

fn too_long(name: &str, most: usize) -> Vec<String> {
    if name.len() > most { vec![format!("must be no more than {most} characters")] } else { Vec::new() }
}

/// Kinds with an end: `apiVersion`, kind, deprecated since, gone since, replacement; `-` where unknown. Taken from the
/// Kubernetes client library of the pinned Helm.
const DEPRECATIONS: &str = include_str!("../../data/deprecations.tsv");

/// The fields after version and kind, by these two. The first line of a kind counts.
fn deprecations() -> &'static BTreeMap<(&'static str, &'static str), &'static str> {
    static TABLE: OnceLock<BTreeMap<(&str, &str), &str>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = BTreeMap::new();
        for line in DEPRECATIONS.lines() {
            let mut fields = line.splitn(3, '\t');
            if let (Some(version), Some(kind), Some(rest)) = (fields.next(), fields.next(), fields.next()) {
                table.entry((version, kind)).or_insert(rest);
            }
        }
        table
    })
}

/// The warning about a deprecated kind under this Kubernetes version, in the words of the API server.
pub(crate) fn deprecation(api_version: &str, kind: &str, kube: (u32, u32)) -> Option<String> {
    let mut fields = deprecations().get(&(api_version, kind))?.split('\t');
    let since = fields.next()?;
    let (major, minor) = since.split_once('.')?;
    if (major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?) > kube {
        return None;
    }
    let mut text = format!("{api_version} {kind} is deprecated in v{since}+");
    if let Some(gone) = fields.next().filter(|gone| *gone != "-") {
        text.push_str(&format!(", unavailable in v{gone}+"));
    }
    if let Some(replacement) = fields.next().filter(|replacement| *replacement != "-") {
        text.push_str(&format!("; use {replacement}"));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deprecated_kinds() {
        assert_eq!(
            deprecation("policy/v1beta1", "PodDisruptionBudget", (1, 25)).as_deref(),
            Some(
                "policy/v1beta1 PodDisruptionBudget is deprecated in v1.21+, unavailable in v1.25+; use policy/v1 \
                 PodDisruptionBudget"
            )
        );
        assert_eq!(deprecation("policy/v1beta1", "PodDisruptionBudget", (1, 20)), None);
        assert_eq!(deprecation("apps/v1", "Deployment", (1, 30)), None);
    }

    #[test]
    fn names() {
        assert_eq!(name_problem("Deployment", "a.b-c"), None);
        assert_eq!(name_problem("ClusterRole", "system:x"), None);
        assert!(name_problem("Service", "1a").is_some());
        assert!(name_problem("Pod", "").is_some());
    }
}
