//! Whom a role is given to.

use super::{Wrong, items};
use crate::kubernetes::text;

impl Wrong<'_, '_, '_> {
    /// A ClusterRoleBinding is in no namespace, so that an account of it must name its own.
    pub(super) fn accounts(&mut self) {
        let object = self.object;
        if (object.kind, object.group()) != ("ClusterRoleBinding", "rbac.authorization.k8s.io") {
            return;
        }
        for (index, subject) in items(object.node, "subjects").enumerate() {
            let has_none = text(subject, &["namespace"]).unwrap_or_default().is_empty();
            if text(subject, &["kind"]) == Some("ServiceAccount") && has_none {
                let path = object.path_of(&["subjects"]).index(index);
                let path = if subject.target().get("namespace").is_some() { path.key("namespace") } else { path };
                let name = text(subject, &["name"]).unwrap_or_default();
                let message = format!("{} names ServiceAccount `{name}` without a namespace", object.title());
                self.push(path, message, "write `namespace`: the binding is in none itself");
            }
        }
    }
}
