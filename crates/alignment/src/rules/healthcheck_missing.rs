//! A service waits for another one to be healthy that has no health check.

use std::collections::{BTreeMap, BTreeSet};

use composefile::Node;
use findings::{Finding, Severity};

use crate::compose::{entries, items, services, string};
use crate::place::{Object, Path, Place};
use crate::rules::Rule;
use crate::survey::{ProfileSurvey, Survey};

pub(super) struct HealthcheckMissing;

/// Waiting services that are shown; more tell nothing new.
const MOST_SHOWN: usize = 3;

impl Rule for HealthcheckMissing {
    fn id(&self) -> &'static str {
        "healthcheck-missing"
    }

    fn summary(&self) -> &'static str {
        "a service waits for the health of another one that has no health check"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        each_missing(survey, &mut |missing| {
            let Missing { profile, variant, target, is_off, waiting } = missing;
            let name = profile.name();
            // A check that is switched off is where the way out is; else the service.
            let path = Path::keys(&["services", target]);
            let path = if *is_off { path.key("healthcheck") } else { path };
            let mut finding = Finding::new(
                self.id(),
                Severity::Error,
                profile.value(*variant, Object::Compose, path),
                format!("service `{target}` of profile `{name}` has no `healthcheck`, but others wait until it is healthy"),
            )
            .label("never becomes healthy")
            .help(match is_off {
                true => format!("switch the check of `{target}` on again, or wait for `service_started`: that of its image is off too"),
                false => format!(
                    "give `{target}` a `healthcheck`; if its image brings one, list `{target}` under `external.healthchecks` of profile `{name}`"
                ),
            });
            for (title, place) in waiting.iter().take(MOST_SHOWN) {
                let place = profile.value(*variant, Object::Compose, place.clone());
                finding = finding.related(place, format!("{title} waits for it"));
            }
            out.push(finding);
        });
    }
}

/// A service that others wait for in vain.
pub(crate) struct Missing<'s, 'a> {
    pub(crate) profile: &'s ProfileSurvey<'a>,
    variant: usize,
    pub(crate) target: &'s str,
    /// Whether it has a check that is switched off.
    pub(crate) is_off: bool,
    /// Who waits, and where that is written.
    waiting: Vec<(String, Path)>,
}

/// Every service that others wait for and that has no check of its own, neither here nor, as is declared, in its image.
pub(crate) fn each_missing(survey: &Survey<'_>, report: &mut dyn FnMut(&Missing<'_, '_>)) {
    for profile in &survey.profiles {
        let declared = &profile.profile.declared.external.healthchecks;
        let mut said: BTreeSet<String> = BTreeSet::new();
        for (variant, rendering) in profile.profile.variants.iter().enumerate() {
            let Some(compose) = rendering.compose() else { continue };
            let mut waiting: BTreeMap<&str, Vec<(String, Path)>> = BTreeMap::new();
            let services = services(&compose.all);
            for service in &services {
                for (target, dependency) in entries(service.node.get("depends_on")) {
                    if string(dependency, "condition") == Some("service_healthy") {
                        let place = service.path.key("depends_on").key(target).key("condition");
                        waiting.entry(target).or_default().push((service.title(), place));
                    }
                }
            }
            for (target, waiting) in waiting {
                let Some(awaited) = compose.all.service(target) else { continue };
                let is_off = is_off(awaited);
                let is_declared = declared.iter().any(|declared| declared.value == target) && !is_off;
                if (is_off || !has_test(awaited)) && !is_declared && said.insert(target.to_owned()) {
                    report(&Missing { profile, variant, target, is_off, waiting });
                }
            }
        }
    }
}

/// Whether no check runs, not even that of the image.
fn is_off(service: &Node) -> bool {
    let Some(check) = service.get("healthcheck") else { return false };
    let is_disabled = check.get("disable").and_then(Node::as_bool) == Some(true);
    is_disabled || items(check.get("test")).first().and_then(Node::as_str) == Some("NONE")
}

/// Whether it has a check of its own: without a test, what else is said is about that of the image.
fn has_test(service: &Node) -> bool {
    service.get("healthcheck").is_some_and(|check| check.get("test").is_some())
}
