//! Which kinds of objects each template makes, as the renderings before the change say.

use std::collections::{BTreeMap, BTreeSet};

use release::ProfileSource;

use crate::rendered::Before;
use crate::subject::Subject;

/// What Helm writes above every document: the chart's name and the path of the template in the chart.
const SOURCE: &str = "# Source: ";

/// Kinds of objects that make pods.
const OF_PODS: [&str; 8] =
    ["CronJob", "DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "ReplicationController", "StatefulSet"];

/// Kinds by the file of the template.
#[derive(Clone, Debug, Default)]
pub(crate) struct Made(BTreeMap<String, BTreeSet<String>>);

impl Made {
    pub(crate) fn of(subject: &Subject, before: &[Before]) -> Self {
        let mut made = Self::default();
        for ((profile, _), before) in subject.deployments.iter().zip(before) {
            let profile = subject.workspace.profiles.iter().find(|known| known.name.value == *profile);
            let source = profile.map(|profile| &profile.source);
            if let (Some(ProfileSource::Helm(helm)), Ok(text)) = (source, &before.text) {
                made.read(helm.chart.value.as_str(), text);
            }
        }
        made
    }

    fn read(&mut self, chart: &str, text: &str) {
        let mut file = String::new();
        for line in text.lines() {
            if let Some((_, path)) = line.strip_prefix(SOURCE).and_then(|source| source.split_once('/')) {
                file = format!("{}/{path}", chart.trim_end_matches('/'));
            } else if let Some(kind) = line.strip_prefix("kind: ") {
                self.0.entry(file.clone()).or_default().insert(kind.trim().to_owned());
            }
        }
    }

    /// Whether a file makes objects of a kind.
    pub(crate) fn makes(&self, file: &str, kind: &str) -> bool {
        self.0.get(file).is_some_and(|kinds| kinds.contains(kind))
    }

    /// Whether a file makes pods.
    pub(crate) fn makes_pods(&self, file: &str) -> bool {
        OF_PODS.iter().any(|kind| self.makes(file, kind))
    }
}

#[cfg(test)]
mod tests {
    use super::Made;

    #[test]
    fn a_template_is_known_by_what_stands_above_its_documents() {
        let mut made = Made::default();
        made.read("charts/shop", "---\n# Source: shop/templates/web.yaml\napiVersion: v1\nkind: Pod\nspec:\n  kind: Job\n---\n# Source: shop/charts/db/templates/db.yaml\nkind: Secret\n");
        assert!(made.makes_pods("charts/shop/templates/web.yaml"));
        assert!(made.makes("charts/shop/charts/db/templates/db.yaml", "Secret"));
        assert!(!made.makes("charts/shop/templates/web.yaml", "Job"));
        assert!(!made.makes_pods("charts/shop/charts/db/templates/db.yaml"));
    }
}
