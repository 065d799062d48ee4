//! What a pod needs: ConfigMaps, Secrets, its ServiceAccount, claims of volumes.

use yamlspan::NodeRef;

use super::keys::Taken;
use super::{Reference, items, name_that_may_be_empty, push};
use crate::kubernetes::{KubeObject, Pod, text};
use crate::place::Path;

pub(super) fn references<'a>(object: &KubeObject<'a>, pod: &Pod<'a>, out: &mut Vec<Reference<'a>>) {
    // The empty name of a ServiceAccount is that of `default`.
    if let Some(name) = name_that_may_be_empty(pod.spec, &["serviceAccountName"]) {
        let reference = Reference::new(object, "ServiceAccount", name, pod.spec_path.key("serviceAccountName"));
        out.push(if name.is_empty() { reference.warning() } else { reference });
    }
    for (index, entry) in items(pod.spec, &["imagePullSecrets"]).enumerate() {
        push(object, out, "Secret", entry, &["name"], &pod.spec_path.key("imagePullSecrets").index(index));
        // One without a name Kubernetes passes over.
        if let Some(last) = out.pop_if(|last| last.name.is_empty()) {
            out.push(last.warning());
        }
    }
    let mut needs = Needs { object, out };
    for (path, volume) in pod.volumes() {
        needs.push("ConfigMap", volume, &["configMap"], "name", &path);
        needs.push("Secret", volume, &["secret"], "secretName", &path);
        needs.push("PersistentVolumeClaim", volume, &["persistentVolumeClaim"], "claimName", &path);
        let sources = path.key("projected").key("sources");
        for (index, source) in items(volume, &["projected", "sources"]).enumerate() {
            let path = sources.index(index);
            needs.push("ConfigMap", source, &["configMap"], "name", &path);
            needs.push("Secret", source, &["secret"], "name", &path);
        }
    }
    for (_, path, container) in pod.containers() {
        for (index, entry) in items(container, &["env"]).enumerate() {
            let path = path.key("env").index(index);
            needs.push("ConfigMap", entry, &["valueFrom", "configMapKeyRef"], "name", &path);
            needs.push("Secret", entry, &["valueFrom", "secretKeyRef"], "name", &path);
        }
        for (index, source) in items(container, &["envFrom"]).enumerate() {
            let path = path.key("envFrom").index(index);
            needs.push("ConfigMap", source, &["configMapRef"], "name", &path);
            needs.push("Secret", source, &["secretRef"], "name", &path);
        }
    }
}

struct Needs<'o, 'a> {
    object: &'o KubeObject<'a>,
    out: &'o mut Vec<Reference<'a>>,
}

impl<'a> Needs<'_, 'a> {
    /// A reference under `at` that may say `optional: true`.
    fn push(&mut self, kind: &'a str, node: NodeRef<'a>, at: &[&str], key: &str, path: &Path) {
        let Some(inner) = node.at(at) else { return };
        if text(inner, &["optional"]) == Some("true") {
            return;
        }
        let path = at.iter().fold(path.clone(), |path, step| path.key(step));
        if inner.target().get(key).is_none() {
            self.out.push(Reference::new(self.object, kind, "", path));
            return;
        }
        push(self.object, self.out, kind, inner, &[key], &path);
        if let Some(reference) = self.out.last_mut().filter(|_| matches!(kind, "ConfigMap" | "Secret")) {
            reference.taken = Taken::of(inner);
        }
    }
}
