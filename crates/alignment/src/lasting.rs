//! Which images run for as long as a profile is deployed, as against those that run once, or only when somebody asks.

use composefile::{Node, Value};
use yamlspan::{NodeRef, Scalar};

use crate::compose::entries;
use crate::image::{Image, ImageRole};
use crate::inputs::{ComposeRendering, KubernetesRendering, Rendering};
use crate::kubernetes::objects;
use crate::place::Step;

/// Kinds whose containers are started again whenever they end.
const LASTING: [&str; 6] = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Pod"];

/// Whether a container of this image runs wherever `rendering` is deployed. Not said of init containers, jobs, hooks, services that only
/// others wait for until they end, services that a Compose profile must be named for, and what is scaled to nothing.
#[must_use]
pub fn is_lasting(rendering: &Rendering, image: &Image) -> bool {
    image.role == ImageRole::Runs
        && match rendering {
            Rendering::Compose(compose) => in_compose(compose, image),
            Rendering::Kubernetes(kubernetes) => in_kubernetes(kubernetes, image),
        }
}

fn keys(image: &Image) -> Vec<&str> {
    let mut keys = Vec::new();
    for step in &image.path.0 {
        if let Step::Key(key) = step {
            keys.push(&**key);
        }
    }
    keys
}

fn in_compose(rendering: &ComposeRendering, image: &Image) -> bool {
    let keys = keys(image);
    let ["services", name, ..] = keys.as_slice() else { return false };
    let services = rendering.default.root.get("services");
    let Some((_, service)) = entries(services).find(|(found, _)| found == name) else { return false };
    let waits_for_its_end = |other: &Node| {
        let condition = other.get("depends_on").and_then(|all| all.get(name)).and_then(|one| one.get("condition"));
        condition.and_then(Node::as_str) == Some("service_completed_successfully")
    };
    let is_nothing = |node: Option<&Node>| matches!(node.map(|node| &node.value), Some(Value::Int(0)));
    let replicas = service.get("deploy").and_then(|deploy| deploy.get("replicas"));
    !is_nothing(service.get("scale"))
        && !is_nothing(replicas)
        && !entries(services).any(|(_, other)| waits_for_its_end(other))
}

fn in_kubernetes(rendering: &KubernetesRendering, image: &Image) -> bool {
    let mut objects = objects(rendering).into_iter();
    let Some(object) =
        objects.find(|object| object.object == image.object && image.path.0.starts_with(object.path.0.as_slice()))
    else {
        return false;
    };
    let replicas = object.node.get("spec").and_then(|spec: NodeRef<'_>| spec.get("replicas"));
    let is_nothing = replicas.is_some_and(|replicas| matches!(replicas.target().value(), Scalar::Int(0)));
    LASTING.contains(&object.kind) && !object.hook && !is_nothing && keys(image).contains(&"containers")
}
